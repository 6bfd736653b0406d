//! `vfio-reset list`: one line a function.

use crate::CommandResult;
use crate::args::ListArguments;
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled, terminal_width};
use crate::session::Session;
use anstyle::Style;
use pcicfg::header::{HeaderType, Presence};
use serde::Serialize;
use vfio_reset::inventory::InventoryFunction;
use vfio_reset::json::SCHEMA;
use vfio_reset::method::{Availability, MethodName, availability};

pub(crate) fn run(session: &Session, output: &Output, arguments: &ListArguments) -> CommandResult {
    let inventory = session.listing()?;
    let rows: Vec<Row> = inventory
        .functions()
        .filter(|function| arguments.matches(*function))
        .map(|function| Row::of(session, function))
        .collect();
    output.document(&Document { schema: SCHEMA, machine: inventory.machine(), functions: &rows });
    if rows.is_empty() {
        output.warn(if inventory.functions().len() == 0 {
            "there are no PCI functions"
        } else {
            "no function matches; without filters, `vfio-reset list` shows all"
        });
    } else {
        print(output, &rows);
    }
    Ok(0)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    machine: &'a str,
    functions: &'a [Row],
}

/// What is shown of a function.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) address: pcicfg::Address,
    vendor: String,
    device: String,
    class: String,
    class_name: Option<String>,
    vendor_name: Option<String>,
    device_name: Option<String>,
    pub(crate) driver: Option<String>,
    pub(crate) iommu_group: Option<u32>,
    pub(crate) reset_methods: Vec<MethodMark>,
    pub(crate) physical_function: Option<pcicfg::Address>,
    /// What is out of the ordinary: `all-ones`, `being reset`, `D3hot`, `no link`.
    pub(crate) state: Option<String>,
}

/// A method that the kernel lists, or would.
#[derive(Debug, Serialize)]
pub(crate) struct MethodMark {
    method: MethodName,
    available: bool,
    stale: bool,
}

impl Row {
    pub(crate) fn of(session: &Session, function: InventoryFunction<'_>) -> Self {
        let names = session.names();
        let (vendor, device) = function.ids();
        let class = function.class_code();
        let facts = function.facts();
        let silent = function.presence() != Presence::Present;
        let is_known = !silent || function.is_being_reset();
        let name = |name: Option<&str>| name.filter(|_| is_known).map(str::to_string);
        // What the bridge above could do is in its registers.
        let is_settled = function.inventory().must_be_settled([function.address()]).is_ok();
        Self {
            address: function.address(),
            vendor: format!("{vendor:04x}"),
            device: format!("{device:04x}"),
            class: format!("{:06x}", class.to_u32()),
            class_name: name(names.class(class)),
            vendor_name: name(names.vendor(vendor)),
            device_name: name(names.device(vendor, device)),
            driver: facts.driver.clone(),
            iommu_group: facts.iommu_group,
            // The kernel still lists what it found when the function answered; nothing of it can work. And while somebody
            // resets it, or what is above, nobody can tell what would.
            reset_methods: match silent || !is_settled {
                true => Vec::new(),
                false => availability(function, &session.quirks).iter().filter_map(MethodMark::of).collect(),
            },
            physical_function: facts.physfn,
            state: state(function),
        }
    }

    /// Class, vendor and device in words, in `room` columns: the class is the first to go.
    pub(crate) fn name(&self, room: Option<usize>) -> String {
        let class = self.class_name.clone().unwrap_or_else(|| match self.class.as_str() {
            "ffffff" => String::new(),
            class => format!("Class {}", class.get(..4).unwrap_or(class)),
        });
        let vendor = self.vendor_name.as_deref().map(short_vendor);
        let words: Vec<&str> = [vendor, self.device_name.as_deref()].into_iter().flatten().collect();
        let words = words.join(" ");
        let all = match (class.is_empty(), words.is_empty()) {
            (_, true) => class,
            (true, false) => words.clone(),
            (false, false) => format!("{class}: {words}"),
        };
        let fits = room.is_none_or(|room| all.chars().count() <= room);
        if fits || self.device_name.is_none() { shortened(&all, room) } else { shortened(&words, room) }
    }

    pub(crate) fn ids(&self) -> String {
        format!("{}:{}", self.vendor, self.device)
    }

    pub(crate) fn methods(&self) -> String {
        let marks: Vec<String> = self.reset_methods.iter().map(MethodMark::to_string).collect();
        marks.join(" ")
    }

    pub(crate) fn group(&self) -> String {
        self.iommu_group.map_or_else(String::new, |group| group.to_string())
    }

    pub(crate) fn state_style(&self) -> Style {
        match self.state.as_deref() {
            Some(state) if state.starts_with("all-ones") || state.starts_with("header") => BAD,
            Some("no link") | None => DIM,
            Some(_) => WARNING,
        }
    }

    pub(crate) fn methods_style(&self) -> Style {
        match self.reset_methods.iter().any(|mark| mark.available) {
            true => GOOD,
            false => WARNING,
        }
    }
}

impl MethodMark {
    fn of(availability: &Availability) -> Option<Self> {
        let Availability { method, available, stale, .. } = *availability;
        (available || stale).then_some(Self { method, available, stale })
    }
}

impl std::fmt::Display for MethodMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.method, if self.stale { "(stale)" } else { "" })
    }
}

/// `NVIDIA Corporation` as `NVIDIA`: what says nothing is left out where room is short.
fn short_vendor(name: &str) -> &str {
    const ENDINGS: [&str; 12] = [
        " Corporation",
        ", Inc.",
        " Inc.",
        ", Ltd.",
        " Ltd.",
        " Co.,",
        " Co.",
        " Technology",
        " Corp.",
        " Limited",
        " Technologies",
        ",",
    ];
    // `Advanced Micro Devices, Inc. [AMD/ATI]` has its short form with it.
    if let Some((_, short)) = name.split_once('[')
        && let Some((short, _)) = short.split_once(']')
    {
        return short;
    }
    let mut name = name.split(" (").next().unwrap_or(name).trim();
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)) {
        name = shorter.trim_end();
    }
    name
}

/// What is out of the ordinary about a function, in a word or two.
fn state(function: InventoryFunction<'_>) -> Option<String> {
    if function.is_being_reset() {
        return Some("being reset".to_string());
    }
    let space = function.space();
    match function.presence() {
        Presence::Absent => return Some("all-ones".to_string()),
        Presence::RequestRetryStatus => return Some("not ready".to_string()),
        Presence::Present => {}
    }
    if let HeaderType::Unknown(code) = space.header().header_type() {
        return Some(format!("header {code:02x}"));
    }
    // The kernel's word counts where it is asleep; its `unknown` says only that nobody asked.
    let kernel = function.facts().power_state.as_deref().filter(|state| !matches!(*state, "D0" | "unknown"));
    if let Some(state) = kernel {
        return Some(state.to_string());
    }
    let own = space.power_management().map(|pm| format!("{:?}", pm.control_status().power_state()));
    if let Some(state) = own.filter(|state| state != "D0") {
        return Some(state);
    }
    let express = space.pci_express()?;
    if express.slot_power_on() == Some(false) {
        return Some("slot off".to_string());
    }
    (function.is_bridge() && express.data_link_layer_link_active() == Some(false))
        .then(|| "no link".to_string())
}

/// Columns as wide as their widest cell; on a terminal the names are cut to fit.
fn print(output: &Output, rows: &[Row]) {
    const HEADINGS: [&str; 6] = ["ADDRESS", "ID", "GROUP", "DRIVER", "RESET METHODS", "STATE"];
    let cells: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            [
                row.address.to_string(),
                row.ids(),
                row.group(),
                row.driver.clone().unwrap_or_default(),
                row.methods(),
                row.state.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let width = |column: usize| {
        let widest = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        // A column of which nothing is known is not shown at all.
        if widest == 0 { 0 } else { widest.max(HEADINGS[column].len()) }
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let used: usize = widths.iter().filter(|width| **width != 0).map(|width| width + 2).sum();
    let room = terminal_width().map(|terminal| terminal.saturating_sub(used));
    let line = |cells: &[String; 6], styles: [Style; 6], name: String| {
        let mut line = String::new();
        for ((cell, style), width) in cells.iter().zip(styles).zip(widths).filter(|(_, width)| *width != 0) {
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            line.push_str(&if cell.is_empty() { String::new() } else { styled(style, cell) });
            line.extend(std::iter::repeat_n(' ', padding));
        }
        line.push_str(&name);
        line.trim_end().to_string()
    };
    let plain = Style::new();
    let headings = line(&HEADINGS.map(str::to_string), [DIM; 6], styled(DIM, "NAME"));
    output.lines(std::iter::once(headings).chain(rows.iter().zip(&cells).map(|(row, cells)| {
        let styles = [BOLD, DIM, plain, plain, row.methods_style(), row.state_style()];
        line(cells, styles, row.name(room))
    })));
}

/// A text in `room` columns; at least a few letters of it are shown, even if the line then breaks.
fn shortened(text: &str, room: Option<usize>) -> String {
    const LEAST: usize = 12;
    match room.map(|room| room.max(LEAST)) {
        Some(room) if text.chars().count() > room => {
            let mut short: String = text.chars().take(room - 1).collect();
            short.truncate(short.trim_end().len());
            short.push('…');
            short
        }
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_lose_what_says_nothing() {
        assert_eq!(short_vendor("NVIDIA Corporation"), "NVIDIA");
        assert_eq!(short_vendor("ASMedia Technology Inc."), "ASMedia");
        assert_eq!(short_vendor("Advanced Micro Devices, Inc. [AMD/ATI]"), "AMD/ATI");
        assert_eq!(short_vendor("Red Hat, Inc. (QEMU)"), "Red Hat");
        assert_eq!(short_vendor("Realtek Semiconductor Co., Ltd."), "Realtek Semiconductor");
        assert_eq!(short_vendor(""), "");
    }

    #[test]
    fn names_are_cut_to_the_room_there_is() {
        assert_eq!(shortened("a name that is long", Some(14)), "a name that i…");
        assert_eq!(shortened("short", Some(14)), "short");
        assert_eq!(shortened("a name that is long", None), "a name that is long");
        assert_eq!(shortened("a name that is long", Some(0)).chars().count(), 12);
    }
}
