//! `romtools cut FILE -o OUT`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use romtools::cut::{self, Cut, Options, Removed, What};
use serde::Serialize;

use crate::output::Target;
use crate::{Outcome, input, json, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A ROM file, or a dump of a whole flash chip
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    /// Leave out the images that only a vendor's driver reads
    #[arg(long)]
    no_private: bool,
}

/// Cuts out what a firmware runs, and says what is left out.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let path = &arguments.file;
    input::with_rom(out, path, as_json, |out, rom| {
        let options = Options::default().private_images(!arguments.no_private);
        let cut = match cut::cut(rom, &options) {
            Ok(cut) => cut,
            Err(error) => return report::failed(out, path, as_json, &error, error.advice()),
        };
        let target = Target { path: &arguments.output, force: arguments.force };
        let (bytes, padding) = report::padded(cut.bytes);
        report::written(out, &target, &[path], &bytes, as_json, |out| {
            if as_json {
                json::write(out, &CutJson::new(path, &arguments.output, &cut, padding))
            } else {
                show(out, &arguments.output, &cut)?;
                report::write_padding(out, padding)
            }
        })
    })
}

fn show(out: &mut impl Write, output: &Path, cut: &Cut<'_>) -> io::Result<()> {
    for removed in &cut.removed {
        writeln!(out, "cut off {removed}")?;
    }
    let (begin, length) = (cut.offset, cut.bytes.len());
    writeln!(
        out,
        "kept {begin:x}h..{:x}h: {} image(s), {length} bytes, in {}",
        begin + length,
        cut.images,
        output.display()
    )?;
    if !cut.is_terminated {
        writeln!(
            out,
            "note: its last image does not say that it is the last (as in a shadow or VFCT dump)\n  \
             next: `romtools fix --last` sets that"
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct CutJson {
    schema: u32,
    file: String,
    output: String,
    offset: usize,
    length: usize,
    images: usize,
    /// Bytes behind the ROM in the output.
    padding: usize,
    terminated: bool,
    removed: Vec<RemovedJson>,
}

impl CutJson {
    fn new(file: &Path, output: &Path, cut: &Cut<'_>, padding: usize) -> Self {
        Self {
            schema: json::SCHEMA,
            file: json::name(file),
            output: json::name(output),
            offset: cut.offset,
            length: cut.bytes.len(),
            images: cut.images,
            padding,
            terminated: cut.is_terminated,
            removed: cut.removed.iter().map(RemovedJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct RemovedJson {
    offset: usize,
    length: usize,
    what: &'static str,
    message: String,
}

impl From<&Removed> for RemovedJson {
    fn from(removed: &Removed) -> Self {
        let what = match removed.what {
            What::Container => "container",
            What::Padding(_) => "padding",
            What::PrivateImages(_) => "private-images",
            What::Copy { .. } => "copy",
            What::OtherImages(_) => "other-images",
            _ => "data",
        };
        Self { offset: removed.offset, length: removed.length, what, message: removed.what.to_string() }
    }
}
