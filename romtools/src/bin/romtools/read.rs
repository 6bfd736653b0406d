//! `romtools read ADDRESS -o OUT`

mod device;
mod failure;
mod memory;
mod rom_file;
#[cfg(unix)]
mod signals;
mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pcicfg::Address;
use romtools::check::Problem;
use romtools::{Finding, Image, Rom, Severity, check};
use serde::Serialize;

use self::device::Device;
use self::failure::Failure;
use crate::output::Target;
use crate::{Outcome, input, json, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The function, as `lspci` shows it: 01:00.0
    #[arg(value_name = "ADDRESS")]
    address: Address,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Read from this source only; else the first one that has a ROM for the function
    #[arg(long, value_enum, value_name = "SOURCE")]
    from: Option<Source>,
    /// For the shadow: read this copy of physical memory instead of /dev/mem
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
    /// Write it also if it is not whole
    #[arg(long)]
    damaged: bool,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    /// Where this host's `sys` and `dev` are
    #[arg(long, hide = true, default_value = "/", value_name = "DIR")]
    root: PathBuf,
}

/// Where a ROM can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Source {
    /// The device's own ROM, by its `rom` file in sysfs
    Rom,
    /// The ACPI table with the video BIOS of AMD GPUs
    Vfct,
    /// The copy at C0000h that the firmware made of the boot display's ROM
    Shadow,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Rom => "rom",
            Self::Vfct => "vfct",
            Self::Shadow => "shadow",
        }
    }

    /// What a reader of the output should know about it.
    fn caveat(self, device: &Device) -> Option<&'static str> {
        match self {
            Self::Rom if !device.rom_is_shadow => None,
            Self::Vfct => Some("the table leaves the EFI image of a card out"),
            Self::Rom | Self::Shadow => Some(
                "this is the firmware's copy, which the ROM's own code may have changed and shortened, without the \
                 EFI image",
            ),
        }
    }
}

/// A source that gave no ROM.
struct Attempt {
    source: Source,
    failure: Failure,
}

/// Reads the ROM of a function, checks it, and writes it if it is whole.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let device = match Device::find(&arguments.root, arguments.address) {
        Ok(device) => device,
        Err(failure) => {
            let address = arguments.address.to_string();
            return report::failed(out, address.as_ref(), as_json, &failure, failure.advice());
        }
    };
    let mut attempts = Vec::new();
    for source in sources(arguments.from, &device) {
        match read(source, &device, arguments) {
            Ok(bytes) => return finish(out, arguments, &device, source, &bytes, &attempts, as_json),
            Err(failure) => attempts.push(Attempt { source, failure }),
        }
    }
    if as_json {
        json::write(out, &ReadJson::new(arguments, &device, &attempts))?;
    }
    out.flush()?;
    for Attempt { source, failure } in &attempts {
        input::complain(format_args!(
            "{}: {}: {failure}\n  next: {}",
            device.address,
            source.name(),
            failure.advice()
        ));
    }
    Ok(outcome(&attempts))
}

/// One source that may not be read is enough: with more rights it could have had the ROM.
fn outcome(attempts: &[Attempt]) -> Outcome {
    let permission = attempts.iter().any(|attempt| attempt.failure.is_permission());
    if permission { Outcome::Permission } else { Outcome::FileFailed }
}

/// The sources to try, the best one first.
fn sources(only: Option<Source>, device: &Device) -> Vec<Source> {
    match only {
        Some(source) => vec![source],
        None => {
            let mut sources = vec![Source::Rom];
            sources.extend(device.is_amd_display().then_some(Source::Vfct));
            sources.extend(device.is_boot_display.then_some(Source::Shadow));
            sources
        }
    }
}

fn read(source: Source, device: &Device, arguments: &Arguments) -> Result<Vec<u8>, Failure> {
    let bytes = match source {
        Source::Rom => rom_file::read(device)?,
        Source::Vfct => table::read(&arguments.root, device)?,
        Source::Shadow => memory::shadow(&arguments.root, arguments.memory.as_deref(), device)?,
    };
    match Rom::parse(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::NotARom { error, is_shadow: source == Source::Shadow }),
    }
}

/// Checks what was read, and writes it.
fn finish(
    out: &mut impl Write,
    arguments: &Arguments,
    device: &Device,
    source: Source,
    bytes: &[u8],
    attempts: &[Attempt],
    as_json: bool,
) -> io::Result<Outcome> {
    let rom = Rom::parse(bytes).map_err(io::Error::other)?;
    let findings = check::findings(&rom);
    if !arguments.damaged && findings.iter().any(|finding| is_not_whole(finding.problem())) {
        out.flush()?;
        report::write_findings(&mut io::stderr().lock(), &findings)?;
        let what = "what was read is not whole, and was not written";
        report::failed(
            out,
            &arguments.output,
            as_json,
            &what,
            "read it again, or write it all the same with --damaged",
        )?;
        return Ok(Outcome::Defect);
    }
    let others = for_other_devices(&rom, device);
    let target = Target { path: &arguments.output, force: arguments.force };
    let written = report::written(out, &target, &[], bytes, as_json, |out| {
        if as_json {
            return json::write(out, &ReadJson::of_rom(arguments, device, source, &rom, &findings, attempts));
        }
        for Attempt { source, failure } in attempts {
            writeln!(out, "{}: {}: {failure}", device.address, source.name())?;
        }
        writeln!(out, "{device}: read from {}", source_text(source))?;
        rom.images().try_for_each(|image| show(out, image))?;
        writeln!(out, "{} bytes, in {}", bytes.len(), arguments.output.display())?;
        report::write_findings(out, &findings)
    })?;
    if written != Outcome::Fine {
        return Ok(written);
    }
    // What follows is about what stands above it.
    out.flush()?;
    if let Some(caveat) = source.caveat(device) {
        input::warn(format_args!("{caveat}"));
    }
    if let Some(others) = others {
        input::warn(format_args!("the ROM is for {others}, the device is {}", device.ids_text()));
    }
    let defect = findings.iter().any(|finding| finding.severity() == Severity::Defect);
    Ok(if defect { Outcome::Defect } else { Outcome::Fine })
}

fn source_text(source: Source) -> &'static str {
    match source {
        Source::Rom => "its own ROM",
        Source::Vfct => "the ACPI VFCT table",
        Source::Shadow => "the shadow at C0000h",
    }
}

fn is_not_whole(problem: &Problem) -> bool {
    matches!(problem, Problem::Truncated { .. } | Problem::ZeroLength)
}

/// The ids in the ROM, if none of them is the device's. Zeros stand for any device.
fn for_other_devices(rom: &Rom<'_>, device: &Device) -> Option<String> {
    let ids = device.ids?;
    let fits = |image: &Image<'_>| {
        let pcir = image.structure();
        pcir.is_for(ids.vendor, ids.device) || (pcir.vendor_id, pcir.device_id) == (0, 0)
    };
    if rom.images().next().is_none() || rom.images().any(fits) {
        return None;
    }
    rom.images().next().map(|image| {
        let pcir = image.structure();
        format!("{:04x}:{:04x}", pcir.vendor_id, pcir.device_id)
    })
}

fn show(out: &mut impl Write, image: &Image<'_>) -> io::Result<()> {
    let pcir = image.structure();
    writeln!(
        out,
        "\timage @{:x}h: type {}, {:04x}:{:04x}, class {}, {:x}h bytes{}",
        image.offset(),
        image.code_type(),
        pcir.vendor_id,
        pcir.device_id,
        pcir.class_code,
        image.length(),
        if image.is_last() { ", last" } else { "" }
    )
}

#[derive(Serialize)]
struct ReadJson {
    schema: u32,
    address: String,
    vendor_id: Option<String>,
    device_id: Option<String>,
    /// Where it was read from; `null` if nowhere.
    source: Option<&'static str>,
    output: Option<String>,
    length: Option<usize>,
    /// Whether the ROM has the device's ids; `null` if nothing was read.
    matches: Option<bool>,
    findings: Vec<json::FindingJson>,
    /// Sources that gave no ROM.
    failed: Vec<AttemptJson>,
}

#[derive(Serialize)]
struct AttemptJson {
    source: &'static str,
    error: String,
    advice: String,
}

impl ReadJson {
    fn new(arguments: &Arguments, device: &Device, attempts: &[Attempt]) -> Self {
        let attempt = |Attempt { source, failure }: &Attempt| AttemptJson {
            source: source.name(),
            error: failure.to_string(),
            advice: failure.advice().into(),
        };
        Self {
            schema: json::SCHEMA,
            address: arguments.address.to_string(),
            vendor_id: device.ids.map(|ids| json::id(ids.vendor)),
            device_id: device.ids.map(|ids| json::id(ids.device)),
            source: None,
            output: None,
            length: None,
            matches: None,
            findings: Vec::new(),
            failed: attempts.iter().map(attempt).collect(),
        }
    }

    fn of_rom(
        arguments: &Arguments,
        device: &Device,
        source: Source,
        rom: &Rom<'_>,
        findings: &[Finding],
        attempts: &[Attempt],
    ) -> Self {
        Self {
            source: Some(source.name()),
            output: Some(json::name(Path::new(&arguments.output))),
            length: Some(rom.file().len()),
            matches: Some(for_other_devices(rom, device).is_none()),
            findings: findings.iter().map(json::FindingJson::from).collect(),
            ..Self::new(arguments, device, attempts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_that_may_not_be_read_decides_the_outcome() {
        let of = |failures: Vec<Failure>| {
            let attempt = |failure| Attempt { source: Source::Rom, failure };
            outcome(&failures.into_iter().map(attempt).collect::<Vec<_>>())
        };
        assert_eq!(of(vec![Failure::NoRomBar, Failure::NoTable]), Outcome::FileFailed);
        assert_eq!(of(vec![Failure::NoRomBar, Failure::Permission]), Outcome::Permission);
        assert_eq!(of(vec![Failure::Permission, Failure::NoTable]), Outcome::Permission);
        assert_eq!(of(vec![Failure::NoRomBar, Failure::Lockdown]), Outcome::Permission);
    }
}
