//! `vfio-reset tree`: how the functions hang together.

use crate::CommandResult;
use crate::args::TreeArguments;
use crate::list::Row;
use crate::output::{BOLD, DIM, Output, styled, terminal_width};
use crate::session::Session;
use pcicfg::Address;
use serde::Serialize;
use std::collections::BTreeMap;
use vfio_reset::inventory::InventoryFunction;
use vfio_reset::json::SCHEMA;

/// Real hierarchies have fewer than ten levels; a recording may claim anything.
const DEEPEST: usize = 48;

pub(crate) fn run(session: &Session, output: &Output, arguments: &TreeArguments) -> CommandResult {
    let inventory = session.listing()?;
    // With an address: the way to it, and all below it.
    let (path, wanted) = match arguments.address {
        None => (None, None),
        Some(address) => {
            let function = inventory.function(address)?;
            let path: Vec<Address> = function.ancestors().map(InventoryFunction::address).collect();
            (Some(path), Some(address))
        }
    };
    let shown = |function: InventoryFunction<'_>| match (&path, wanted) {
        (Some(path), Some(wanted)) => {
            function.address() == wanted
                || path.contains(&function.address())
                || function.ancestors().take(DEEPEST).any(|bridge| bridge.address() == wanted)
        }
        _ => true,
    };
    let mut roots: BTreeMap<(u32, u8), Vec<Node>> = BTreeMap::new();
    for function in inventory.functions().filter(|function| function.on_root_bus() && shown(*function)) {
        let bus = (function.address().domain(), function.address().bus());
        roots.entry(bus).or_default().push(Node::of(session, function, &shown, DEEPEST));
    }
    let roots: Vec<Root> = roots
        .into_iter()
        .map(|((domain, bus), functions)| Root { bus: format!("{domain:04x}:{bus:02x}"), functions })
        .collect();
    output.document(&Document { schema: SCHEMA, machine: inventory.machine(), roots: &roots });
    if output.is_text() {
        let lines = if utf8() { &UNICODE } else { &ASCII };
        for root in &roots {
            output.line(format!("{}  {}", styled(BOLD, &root.bus), styled(DIM, "root bus")));
            print(output, lines, "", &root.functions);
        }
    }
    Ok(0)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    machine: &'a str,
    roots: &'a [Root],
}

#[derive(Serialize)]
struct Root {
    bus: String,
    functions: Vec<Node>,
}

#[derive(Serialize)]
struct Node {
    #[serde(flatten)]
    row: Row,
    /// Of a bridge: secondary and subordinate bus.
    buses: Option<(u8, u8)>,
    functions: Vec<Node>,
    /// How many functions are below what is shown.
    left_out: usize,
}

impl Node {
    fn of(
        session: &Session,
        function: InventoryFunction<'_>,
        shown: &dyn Fn(InventoryFunction<'_>) -> bool,
        depth: usize,
    ) -> Self {
        let bridge = function.space().header().bridge().filter(|_| function.is_bridge());
        let below = function.children().filter(|child| shown(*child));
        Self {
            row: Row::of(session, function),
            buses: bridge.map(|bridge| (bridge.secondary_bus_number(), bridge.subordinate_bus_number())),
            functions: match depth {
                0 => Vec::new(),
                _ => below.map(|child| Self::of(session, child, shown, depth - 1)).collect(),
            },
            left_out: if depth == 0 { function.below().len() } else { 0 },
        }
    }

    fn line(&self, room: Option<usize>) -> String {
        let row = &self.row;
        let mut parts = Vec::new();
        if let Some((first, last)) = self.buses {
            parts.push(match (first, last) {
                (0, _) => "no bus".to_string(),
                (first, last) if first >= last => format!("bus {first:02x}"),
                (first, last) => format!("bus {first:02x}-{last:02x}"),
            });
        }
        if let Some(physical) = row.physical_function {
            parts.push(format!("virtual function of {physical}"));
        }
        parts.extend(row.driver.clone());
        parts.extend(row.iommu_group.map(|group| format!("group {group}")));
        let mut details = styled(DIM, parts.join(", "));
        let mut length = parts.iter().map(|part| part.chars().count() + 2).sum::<usize>();
        if parts.is_empty() {
            details.clear();
        }
        for (text, style) in
            [(row.methods(), row.methods_style()), (row.state.clone().unwrap_or_default(), row.state_style())]
        {
            if !text.is_empty() {
                length += text.chars().count() + 2;
                details.push_str(if details.is_empty() { "" } else { "  " });
                details.push_str(&styled(style, text));
            }
        }
        let head = format!("{} {}", row.address, row.ids());
        let room = room.map(|room| room.saturating_sub(head.chars().count() + length + 4));
        let name = row.name(room);
        let head = format!("{} {}", styled(BOLD, row.address), styled(DIM, row.ids()));
        let parts = [head, name, details];
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join("  ")
    }
}

/// The pieces that lines are drawn with.
struct Lines {
    branch: &'static str,
    last: &'static str,
    through: &'static str,
}

const UNICODE: Lines = Lines { branch: "├─ ", last: "└─ ", through: "│  " };
const ASCII: Lines = Lines { branch: "|- ", last: "`- ", through: "|  " };

/// Whether the terminal understands more than ASCII: the first of these that is set decides, as in
/// the C library.
fn utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_uppercase();
    locale.ends_with("UTF-8") || locale.ends_with("UTF8")
}

fn print(output: &Output, lines: &Lines, indent: &str, nodes: &[Node]) {
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let room = terminal_width().map(|width| width.saturating_sub(indent.chars().count() + 3));
        output.line(format!(
            "{}{}",
            styled(DIM, format!("{indent}{}", if last { lines.last } else { lines.branch })),
            node.line(room)
        ));
        let indent = format!("{indent}{}", if last { "   " } else { lines.through });
        if node.left_out > 0 {
            let text = format!("{indent}{}{} more, too deep to be shown", lines.last, node.left_out);
            output.line(styled(DIM, text));
        }
        print(output, lines, &indent, &node.functions);
    }
}
