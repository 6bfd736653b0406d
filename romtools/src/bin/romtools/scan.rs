//! `romtools scan FILE [--extract --dir DIR]`

use std::fs::{self, File};
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use romtools::scan::{self, Event, Found, FoundImage, FoundRom, Summary, What};
use romtools::source;
use serde::Serialize;

use crate::output::{self, Target};
use crate::{Outcome, input, json, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Any file or block device: a BIOS update, a flash dump, a disk image
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write each ROM and VFCT table that is found into a file
    #[arg(long, requires = "dir")]
    extract: bool,
    /// The folder to write into; it is made if it is not there
    #[arg(long, value_name = "DIR", requires = "extract")]
    dir: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

const NOTHING: &str = "no option ROM, VFCT table or NVIDIA container in it";
const NOTHING_ADVICE: &str =
    "it may be packed or compressed: unpack the update first, or dump the flash chip itself";

/// Lists the ROMs in a file as they are found, and extracts them where asked.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let path = &arguments.file;
    let opened = File::open(path).and_then(|file| length(&file).map(|length| (file, length)));
    let (file, length) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return unreadable(out, path, as_json, &error.into());
        }
    };
    if let Some(dir) = &arguments.dir
        && let Err(error) = fs::create_dir_all(dir)
    {
        return report::failed(out, dir, as_json, &error, "check its path and permissions");
    }
    let progress = progress(length);
    let mut failed = Outcome::Fine;
    // What goes wrong with the output must not be told as if it were the file's fault.
    let mut output = Ok(());
    let scanned = scan::scan(&file, length, &mut |event| {
        match event {
            Event::Progress(position) => progress.set_position(position),
            Event::Found(found) => {
                let told = progress.suspend(|| tell(out, arguments, &file, found, as_json));
                match told {
                    Ok(Outcome::Fine) => {}
                    Ok(outcome) => failed = outcome,
                    Err(error) => {
                        output = Err(error);
                        return Err(io::Error::other("the output ended"));
                    }
                }
            }
        }
        Ok(())
    });
    progress.finish_and_clear();
    output?;
    let summary = match scanned {
        Ok(summary) => summary,
        Err(error) => {
            return unreadable(out, path, as_json, &error.into());
        }
    };
    if summary.not_judged > 0 {
        out.flush()?;
        let count = summary.not_judged;
        input::warn(format_args!(
            "{count} more places that begin like a ROM were not looked at: there are too many to be real"
        ));
    }
    if summary.found == 0 {
        return report::failed(out, path, as_json, &NOTHING, NOTHING_ADVICE);
    }
    if !as_json {
        tell_summary(out, &summary, length)?;
    }
    Ok(failed)
}

/// Says why the file was not read.
fn unreadable(
    out: &mut impl Write,
    path: &Path,
    as_json: bool,
    failure: &input::Failure,
) -> io::Result<Outcome> {
    if failure.is_folder() {
        return report::failed(
            out,
            path,
            as_json,
            failure,
            "give one file of it at a time, or the image of a disk",
        );
    }
    report::unreadable(out, path, as_json, failure)
}

/// The length of a file or block device, by its end.
fn length(mut file: &File) -> io::Result<u64> {
    file.seek(SeekFrom::End(0))
}

/// A bar on a terminal, and nothing in a pipe.
fn progress(length: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes} {eta}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Shows one, and extracts it.
fn tell(
    out: &mut impl Write,
    arguments: &Arguments,
    file: &File,
    found: &Found,
    as_json: bool,
) -> io::Result<Outcome> {
    let target = arguments.dir.as_ref().and_then(|dir| name(found).map(|name| dir.join(name)));
    let written = match &target {
        Some(target) => extract(file, found, arguments, target),
        None => Ok(()),
    };
    if as_json {
        let output = target.as_deref().filter(|_| written.is_ok());
        json::write(out, &FoundJson::new(&arguments.file, found, output))?;
    } else {
        show(out, found)?;
        if let Some(target) = target.as_deref().filter(|_| written.is_ok()) {
            writeln!(out, "\tin {}", target.display())?;
        }
    }
    match (written, target) {
        (Err(failure), Some(target)) => report::failed(out, &target, as_json, &failure, failure.advice()),
        _ => Ok(Outcome::Fine),
    }
}

fn extract(file: &File, found: &Found, arguments: &Arguments, target: &Path) -> Result<(), output::Failure> {
    let target = Target { path: target, force: arguments.force };
    target.write_with(&[&arguments.file], |out| {
        let mut buffer = [0; 1 << 16];
        let (mut at, end) = (found.offset, found.offset + found.length);
        while at < end {
            let want = usize::try_from(end - at).unwrap_or(buffer.len()).min(buffer.len());
            match source::fill(file, at, &mut buffer[..want])? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
                have => out.write_all(&buffer[..have])?,
            }
            at += want as u64;
        }
        Ok(())
    })
}

/// The name of its file: the offset makes it unique, the ids tell what it is.
fn name(found: &Found) -> Option<String> {
    let offset = found.offset;
    match &found.what {
        What::Rom(FoundRom { images, .. }) => Some(match images.first() {
            Some(image) => format!("rom-{offset:08x}-{:04x}-{:04x}.rom", image.vendor_id, image.device_id),
            None => format!("rom-{offset:08x}-isa.rom"),
        }),
        What::Vfct { .. } => Some(format!("vfct-{offset:08x}.bin")),
        _ => None,
    }
}

fn show(out: &mut impl Write, found: &Found) -> io::Result<()> {
    write!(out, "@{:x}h, {:x}h bytes: ", found.offset, found.length)?;
    match &found.what {
        What::Rom(rom) => show_rom(out, found.offset, rom),
        What::Vfct { checksum_good } => {
            writeln!(out, "ACPI VFCT table, checksum {}", if *checksum_good { "good" } else { "WRONG" })
        }
        What::NvidiaContainer { version } => {
            writeln!(out, "NVIDIA flash container (NVGI), version {version}")
        }
        _ => writeln!(out, "something"),
    }
}

fn show_rom(out: &mut impl Write, begin: u64, rom: &FoundRom) -> io::Result<()> {
    match &rom.images[..] {
        [] => write!(out, "ISA ROM from before PCI")?,
        images => write!(out, "option ROM, {} image(s)", images.len())?,
    }
    writeln!(out, ", {}", verdict(rom))?;
    for FoundImage { code_type, vendor_id, device_id, class_code, length, .. } in &rom.images {
        writeln!(
            out,
            "\ttype {code_type}, {vendor_id:04x}:{device_id:04x}, class {class_code}, {length:x}h bytes"
        )?;
    }
    rom.findings.iter().try_for_each(|finding| {
        let (severity, problem) = (finding.severity(), finding.problem());
        let offset = begin + finding.offset() as u64;
        writeln!(out, "\t{severity} @{offset:x}h: {problem}\n\t  next: {}", problem.advice())
    })
}

fn verdict(rom: &FoundRom) -> String {
    rom.worst().map_or("good".into(), |worst| format!("worst finding: {worst}"))
}

fn tell_summary(out: &mut impl Write, summary: &Summary, length: u64) -> io::Result<()> {
    writeln!(out, "{} found in {:.1} MiB", summary.found, length as f64 / f64::from(1 << 20))
}

#[derive(Serialize)]
struct FoundJson {
    schema: u32,
    file: String,
    kind: &'static str,
    offset: u64,
    length: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Vec<ImageJson>>,
    /// The worst finding's severity; `null` without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<json::FindingJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_good: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

impl FoundJson {
    fn new(file: &Path, found: &Found, output: Option<&Path>) -> Self {
        let mut document = Self {
            schema: json::SCHEMA,
            file: json::name(file),
            kind: "other",
            offset: found.offset,
            length: found.length,
            images: None,
            worst: None,
            findings: None,
            checksum_good: None,
            version: None,
            output: output.map(json::name),
        };
        match &found.what {
            What::Rom(rom) => {
                document.kind = "rom";
                document.images = Some(rom.images.iter().map(ImageJson::from).collect());
                document.worst = Some(rom.worst().map(|worst| worst.to_string()));
                document.findings = Some(
                    rom.findings.iter().map(|finding| json::FindingJson::at(found.offset, finding)).collect(),
                );
            }
            What::Vfct { checksum_good } => {
                (document.kind, document.checksum_good) = ("vfct", Some(*checksum_good));
            }
            What::NvidiaContainer { version } => {
                (document.kind, document.version) = ("nvidia-container", Some(*version));
            }
            _ => {}
        }
        document
    }
}

#[derive(Serialize)]
struct ImageJson {
    offset: usize,
    length: usize,
    code_type: u8,
    vendor_id: String,
    device_id: String,
    class_code: String,
}

impl From<&FoundImage> for ImageJson {
    fn from(image: &FoundImage) -> Self {
        Self {
            offset: image.offset,
            length: image.length,
            code_type: image.code_type.0,
            vendor_id: json::id(image.vendor_id),
            device_id: json::id(image.device_id),
            class_code: image.class_code.to_string(),
        }
    }
}
