//! `romtools fix FILE -o OUT --what...`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use romtools::Finding;
use romtools::edit::Change;
use romtools::fix::{self, Fixes};
use romtools::pcir::ClassCode;
use serde::Serialize;

use crate::output::Target;
use crate::{Outcome, input, json, number, report};

/// More bytes than this are counted and not shown.
const SHOWN: usize = 16;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct Arguments {
    /// A ROM file; it stays as it is
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    /// Set the vendor id (hexadecimal)
    #[arg(long, value_name = "ID", value_parser = number::id, group = "what")]
    vendor: Option<u16>,
    /// Set the device ids (hexadecimal); with several, the first stands in the structure and all in its list
    #[arg(long, value_name = "ID,ID", value_parser = number::id, value_delimiter = ',', group = "what")]
    device: Vec<u16>,
    /// Set the class code (six hexadecimal digits)
    #[arg(long, value_name = "CLASS", value_parser = number::class, group = "what")]
    class: Option<ClassCode>,
    /// Set the vendor ROM revision (hexadecimal)
    #[arg(long, value_name = "NUMBER", value_parser = number::id, group = "what")]
    rom_revision: Option<u16>,
    /// Set "last image" on the last image, and clear it on the others
    #[arg(long, group = "what")]
    last: bool,
    /// Set the initialization size to the image length
    #[arg(long, group = "what")]
    init_size: bool,
    /// Correct the checksum of images that must sum to zero and do not
    #[arg(long, group = "what")]
    checksum: bool,
    /// Only this image, counted from 0 (may be given again)
    #[arg(long = "image", value_name = "N")]
    images: Vec<usize>,
    /// Change it also if it is not whole
    #[arg(long)]
    damaged: bool,
}

impl Arguments {
    /// What is wrong with the command line that its grammar allows.
    pub(crate) fn check(&self) -> Result<(), String> {
        number::device_list(&self.device)
    }

    fn fixes(&self) -> Fixes {
        let mut fixes = Fixes::default()
            .last(self.last)
            .initialization_size(self.init_size)
            .checksum(self.checksum)
            .images(self.images.clone())
            .damaged(self.damaged);
        fixes.vendor_id = self.vendor;
        fixes.device_ids = (!self.device.is_empty()).then(|| self.device.clone());
        fixes.class_code = self.class;
        fixes.vendor_rom_revision = self.rom_revision;
        fixes
    }
}

/// Writes a fixed copy, and says what is different in it.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let path = &arguments.file;
    if let Some(hint) = arguments.vendor.and_then(number::decimal_vendor) {
        input::warn(format_args!("{hint}"));
    }
    input::with_rom(out, path, as_json, |out, rom| {
        let fixed = match fix::apply(rom, &arguments.fixes()) {
            Ok(fixed) => fixed,
            Err(error) => return report::failed(out, path, as_json, &error, error.advice()),
        };
        let left = report::findings(&fixed.bytes);
        let target = Target { path: &arguments.output, force: arguments.force };
        report::written(out, &target, &[path], &fixed.bytes, as_json, |out| {
            if as_json {
                return json::write(out, &FixJson::new(path, &arguments.output, &fixed.changes, &left));
            }
            fixed.changes.iter().try_for_each(|change| show(out, change))?;
            let name = arguments.output.display();
            match fixed.changes.len() {
                0 => writeln!(out, "nothing had to be changed; {name} is a copy")?,
                count => writeln!(out, "{count} change(s), in {name}")?,
            }
            report::write_findings(out, &left)
        })
    })
}

/// `22h: Device ID 12 06 -> 11 06 (asked for)`
fn show(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let bytes = |bytes: &[u8]| match bytes.len() {
        0..=SHOWN => {
            let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join(" ")
        }
        length => format!("{length:x}h bytes"),
    };
    let Change { offset, old, new, field, why, .. } = change;
    match old.len() {
        0 => writeln!(out, "{offset:x}h: {field}: {:x}h bytes put in ({why})", new.len()),
        _ => writeln!(out, "{offset:x}h: {field} {} -> {} ({why})", bytes(old), bytes(new)),
    }
}

#[derive(Serialize)]
struct FixJson {
    schema: u32,
    file: String,
    output: String,
    changes: Vec<ChangeJson>,
    findings: Vec<json::FindingJson>,
}

impl FixJson {
    fn new(file: &Path, output: &Path, changes: &[Change], findings: &[Finding]) -> Self {
        Self {
            schema: json::SCHEMA,
            file: json::name(file),
            output: json::name(output),
            changes: changes.iter().map(ChangeJson::from).collect(),
            findings: findings.iter().map(json::FindingJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct ChangeJson {
    offset: usize,
    field: &'static str,
    old: String,
    new: String,
    why: String,
}

impl From<&Change> for ChangeJson {
    fn from(change: &Change) -> Self {
        Self {
            offset: change.offset,
            field: change.field,
            old: json::hex(&change.old),
            new: json::hex(&change.new),
            why: change.why.to_string(),
        }
    }
}
