//! `romtools compare FILE FILE`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use romtools::compare::{
    self, Comparison, DataPair, DataSummary, DriverPair, Only, Pair, PartPair, Range, Stored,
};
use romtools::compression::Variant;
use serde::Serialize;

use crate::{Outcome, input, json};

/// More ranges of an image than this are counted and not shown.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A ROM file
    #[arg(value_name = "FILE")]
    first: PathBuf,
    /// Another one
    #[arg(value_name = "OTHER")]
    second: PathBuf,
}

/// Shows what is different between two files.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let Arguments { first, second } = arguments;
    input::with_rom(out, first, as_json, |out, one| {
        input::with_rom(out, second, as_json, |out, two| {
            let comparison = compare::compare(one, two);
            if as_json {
                json::write(out, &ComparisonJson::new(first, second, &comparison))?;
            } else {
                show(out, first, second, &comparison)?;
            }
            Ok(if comparison.is_same() { Outcome::Fine } else { Outcome::Different })
        })
    })
}

fn show(out: &mut impl Write, first: &Path, second: &Path, comparison: &Comparison) -> io::Result<()> {
    for (index, pair) in comparison.pairs.iter().enumerate() {
        show_pair(out, index, pair)?;
    }
    for (path, only) in [(first, &comparison.only_first), (second, &comparison.only_second)] {
        for only in only {
            writeln!(out, "only in {}: {}", path.display(), Described(only))?;
        }
    }
    for DataPair { first, second, .. } in &comparison.data {
        writeln!(out, "around the images: {} -> {}", data(first.as_ref()), data(second.as_ref()))?;
    }
    match (comparison.is_same(), comparison.is_same_rom()) {
        (true, _) => writeln!(out, "the files are the same"),
        (false, true) => writeln!(out, "the images are the same, what is around them is not"),
        (false, false) => writeln!(out, "the ROMs are different"),
    }
}

fn show_pair(out: &mut impl Write, index: usize, pair: &Pair) -> io::Result<()> {
    let kind = pair.code_type.map_or("ISA ROM".into(), |code_type| format!("type {code_type}"));
    write!(out, "image {index} @{:x}h", pair.first)?;
    if pair.first != pair.second {
        write!(out, " and @{:x}h", pair.second)?;
    }
    writeln!(out, ", {kind}: {}", if pair.is_same() { "the same" } else { "different" })?;
    for field in &pair.fields {
        writeln!(out, "\t{}: {} -> {}", field.name, field.first, field.second)?;
    }
    let Some(driver) = &pair.driver else { return show_ranges(out, &pair.ranges, "") };
    // What the driver's bytes are is told by its parts; compressed ones all differ behind the first that does.
    let is_compressed = [driver.first, driver.second].iter().any(|stored| stored.compression.is_some());
    let is_shown = |range: &&Range| range.first < driver.first.offset || (driver.is_same() && !is_compressed);
    let ranges: Vec<Range> = pair.ranges.iter().filter(is_shown).copied().collect();
    show_ranges(out, &ranges, "")?;
    show_driver(out, driver)
}

fn show_ranges(out: &mut impl Write, ranges: &[Range], indent: &str) -> io::Result<()> {
    for range in ranges.iter().take(SHOWN) {
        write!(out, "{indent}")?;
        show_range(out, range)?;
    }
    let more = ranges.get(SHOWN..).unwrap_or_default();
    if !more.is_empty() {
        let differing: usize = more.iter().map(|range| range.differing).sum();
        writeln!(out, "{indent}\tand {} more ranges with {differing:x}h bytes that differ", more.len())?;
    }
    Ok(())
}

fn show_driver(out: &mut impl Write, driver: &DriverPair) -> io::Result<()> {
    let stored = |stored: Stored| format!("{:x}h bytes, {}", stored.length, compression(stored.compression));
    let (first, second) = (stored(driver.first), stored(driver.second));
    let how = if driver.is_same() { "the same driver" } else { "different" };
    match first == second {
        true => writeln!(out, "\tEFI driver of {first}: {how}")?,
        false => writeln!(out, "\tEFI driver of {first} -> {second}: {how}")?,
    }
    for field in &driver.fields {
        writeln!(out, "\t\t{}: {} -> {}", field.name, field.first, field.second)?;
    }
    for PartPair { name, first, second, ranges, .. } in &driver.parts {
        match (first, second) {
            (Some(place), None) => writeln!(out, "\t\t{name}: {:x}h bytes, only in the first", place.length)?,
            (None, Some(place)) => {
                writeln!(out, "\t\t{name}: {:x}h bytes, only in the second", place.length)?
            }
            _ => writeln!(out, "\t\t{name}:")?,
        }
        show_ranges(out, ranges, "\t\t")?;
    }
    Ok(())
}

fn compression(variant: Option<Variant>) -> &'static str {
    match variant {
        None => "not compressed",
        Some(Variant::Uefi) => "decompressed",
        Some(Variant::Tiano) => "decompressed (Tiano)",
    }
}

fn show_range(out: &mut impl Write, range: &Range) -> io::Result<()> {
    match (range.first_more, range.second_more) {
        (0, 0) => {
            write!(out, "\tbytes {:x}h..{:x}h", range.first, range.first + range.length)?;
            if range.first != range.second {
                write!(out, " and {:x}h..{:x}h", range.second, range.second + range.length)?;
            }
            writeln!(out, ": {:x}h of {:x}h differ", range.differing, range.length)
        }
        (more, 0) => writeln!(out, "\t{more:x}h more bytes in the first, from {:x}h", range.first),
        (_, more) => writeln!(out, "\t{more:x}h more bytes in the second, from {:x}h", range.second),
    }
}

/// `image @9400h, type 3 (EFI), 10de:1c03, 10800h bytes`
struct Described<'a>(&'a Only);

impl std::fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Only { offset, length, code_type, ids, .. } = self.0;
        write!(f, "image @{offset:x}h, ")?;
        match code_type {
            Some(code_type) => write!(f, "type {code_type}, ")?,
            None => f.write_str("ISA ROM, ")?,
        }
        if let Some((vendor, device)) = ids {
            write!(f, "{vendor:04x}:{device:04x}, ")?;
        }
        write!(f, "{length:x}h bytes")
    }
}

fn data(summary: Option<&DataSummary>) -> String {
    let Some(DataSummary { offset, length, content, .. }) = summary else { return "nothing".into() };
    format!("{content} @{offset:x}h, length {length:x}h")
}

#[derive(Serialize)]
struct ComparisonJson {
    schema: u32,
    first: String,
    second: String,
    same: bool,
    same_images: bool,
    images: Vec<PairJson>,
    only_first: Vec<OnlyJson>,
    only_second: Vec<OnlyJson>,
    data: Vec<DataPairJson>,
}

impl ComparisonJson {
    fn new(first: &Path, second: &Path, comparison: &Comparison) -> Self {
        Self {
            schema: json::SCHEMA,
            first: json::name(first),
            second: json::name(second),
            same: comparison.is_same(),
            same_images: comparison.is_same_rom(),
            images: comparison.pairs.iter().map(PairJson::from).collect(),
            only_first: comparison.only_first.iter().map(OnlyJson::from).collect(),
            only_second: comparison.only_second.iter().map(OnlyJson::from).collect(),
            data: comparison.data.iter().map(DataPairJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct PairJson {
    first: usize,
    second: usize,
    code_type: Option<u8>,
    same: bool,
    fields: Vec<FieldJson>,
    ranges: Vec<RangeJson>,
    /// The drivers of EFI images that differ, decompressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<DriverPairJson>,
}

impl From<&Pair> for PairJson {
    fn from(pair: &Pair) -> Self {
        Self {
            first: pair.first,
            second: pair.second,
            code_type: pair.code_type.map(|code_type| code_type.0),
            same: pair.is_same(),
            fields: pair.fields.iter().map(FieldJson::from).collect(),
            ranges: pair.ranges.iter().map(RangeJson::from).collect(),
            driver: pair.driver.as_ref().map(DriverPairJson::from),
        }
    }
}

#[derive(Serialize)]
struct FieldJson {
    name: &'static str,
    first: String,
    second: String,
}

#[derive(Serialize)]
struct RangeJson {
    first: usize,
    second: usize,
    length: usize,
    differing: usize,
    first_more: usize,
    second_more: usize,
}

impl From<&compare::Field> for FieldJson {
    fn from(field: &compare::Field) -> Self {
        Self { name: field.name, first: field.first.clone(), second: field.second.clone() }
    }
}

impl From<&Range> for RangeJson {
    fn from(range: &Range) -> Self {
        Self {
            first: range.first,
            second: range.second,
            length: range.length,
            differing: range.differing,
            first_more: range.first_more,
            second_more: range.second_more,
        }
    }
}

#[derive(Serialize)]
struct DriverPairJson {
    same: bool,
    first: StoredJson,
    second: StoredJson,
    fields: Vec<FieldJson>,
    parts: Vec<PartJson>,
}

impl From<&DriverPair> for DriverPairJson {
    fn from(pair: &DriverPair) -> Self {
        Self {
            same: pair.is_same(),
            first: pair.first.into(),
            second: pair.second.into(),
            fields: pair.fields.iter().map(FieldJson::from).collect(),
            parts: pair.parts.iter().map(PartJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct StoredJson {
    offset: usize,
    length: usize,
    compression: &'static str,
}

impl From<Stored> for StoredJson {
    fn from(stored: Stored) -> Self {
        Self {
            offset: stored.offset,
            length: stored.length,
            compression: match stored.compression {
                None => "none",
                Some(Variant::Uefi) => "uefi",
                Some(Variant::Tiano) => "tiano",
            },
        }
    }
}

#[derive(Serialize)]
struct PartJson {
    name: String,
    first_length: Option<u32>,
    second_length: Option<u32>,
    ranges: Vec<RangeJson>,
}

impl From<&PartPair> for PartJson {
    fn from(pair: &PartPair) -> Self {
        Self {
            name: pair.name.clone(),
            first_length: pair.first.map(|place| place.length),
            second_length: pair.second.map(|place| place.length),
            ranges: pair.ranges.iter().map(RangeJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct OnlyJson {
    offset: usize,
    length: usize,
    code_type: Option<u8>,
    vendor_id: Option<String>,
    device_id: Option<String>,
}

impl From<&Only> for OnlyJson {
    fn from(only: &Only) -> Self {
        Self {
            offset: only.offset,
            length: only.length,
            code_type: only.code_type.map(|code_type| code_type.0),
            vendor_id: only.ids.map(|(vendor, _)| json::id(vendor)),
            device_id: only.ids.map(|(_, device)| json::id(device)),
        }
    }
}

#[derive(Serialize)]
struct DataPairJson {
    first: Option<DataJson>,
    second: Option<DataJson>,
}

impl From<&DataPair> for DataPairJson {
    fn from(pair: &DataPair) -> Self {
        Self { first: pair.first.map(DataJson::from), second: pair.second.map(DataJson::from) }
    }
}

#[derive(Serialize)]
struct DataJson {
    offset: usize,
    length: usize,
    content: &'static str,
}

impl From<DataSummary> for DataJson {
    fn from(summary: DataSummary) -> Self {
        Self { offset: summary.offset, length: summary.length, content: summary.content.id() }
    }
}
