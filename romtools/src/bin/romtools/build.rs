//! `romtools build --vendor ID --device ID --efi FILE -o OUT`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{ArgMatches, FromArgMatches};
use romtools::build::{Builder, Part, Revision};
use romtools::pcir::ClassCode;
use romtools::{Finding, Image, Rom};
use serde::Serialize;

use crate::output::Target;
use crate::{Outcome, input, json, number, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Vendor id (hexadecimal)
    #[arg(long, value_name = "ID", value_parser = number::id)]
    vendor: Option<u16>,
    /// Device ids (hexadecimal); with several, the first stands in the structure and all in its list
    #[arg(long, value_name = "ID,ID", value_parser = number::id, value_delimiter = ',')]
    device: Vec<u16>,
    /// Class code (six hexadecimal digits, as in 030000 for a VGA controller)
    #[arg(long, value_name = "CLASS", value_parser = number::class)]
    class: Option<ClassCode>,
    /// Vendor ROM revision (hexadecimal)
    #[arg(long, value_name = "NUMBER", value_parser = number::id)]
    rom_revision: Option<u16>,
    /// Form of the PCI Data Structure: 0 is PCI 2.x, 3 is PCI Firmware 3.x
    /// [default: 3]
    #[arg(long, value_name = "0|3", value_parser = revision)]
    pcir_revision: Option<Revision>,
    /// Let the last image not say that it is the last
    #[arg(long)]
    no_last: bool,
    #[command(flatten)]
    parts: Parts,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

impl Arguments {
    /// What is wrong with the command line that its grammar allows.
    pub(crate) fn check(&self) -> Result<(), String> {
        let parts = &self.parts.0;
        if parts.is_empty() {
            return Err(
                "there is nothing to build from: give --efi, --efi-compressed, --legacy or --image".into()
            );
        }
        if parts.iter().all(|(kind, _)| *kind == Kind::Images) {
            let given = [
                ("--vendor", self.vendor.is_some()),
                ("--device", !self.device.is_empty()),
                ("--class", self.class.is_some()),
                ("--rom-revision", self.rom_revision.is_some()),
                ("--pcir-revision", self.pcir_revision.is_some()),
            ];
            let given: Vec<_> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
            return if given.is_empty() {
                Ok(())
            } else {
                Err(format!(
                    "{} cannot be used with --image alone: finished images keep what they have (`romtools fix` changes it)",
                    given.join(" and ")
                ))
            };
        }
        if self.vendor.is_none() || self.device.is_empty() {
            return Err("--vendor and --device are needed: the ids of the device that the ROM is for".into());
        }
        if self.pcir_revision == Some(Revision::Revision0) && self.device.len() > 1 {
            return Err(format!(
                "{} device ids need a list, and a PCI Data Structure of revision 0 has none: give one, or leave \
                 --pcir-revision out",
                self.device.len()
            ));
        }
        number::device_list(&self.device)
    }
}

fn revision(text: &str) -> Result<Revision, String> {
    match text {
        "0" => Ok(Revision::Revision0),
        "3" => Ok(Revision::Revision3),
        _ => Err("the structure has revision 0 or 3".into()),
    }
}

/// How a file becomes an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Efi,
    EfiCompressed,
    Legacy,
    Images,
}

/// The files in the order in which they were given, which clap keeps for each option alone.
#[derive(Debug, Default)]
struct Parts(Vec<(Kind, PathBuf)>);

const KINDS: [(&str, Kind, &str); 4] = [
    ("efi", Kind::Efi, "An EFI driver (.efi), stored as it is (may be given again, like the next three)"),
    ("efi-compressed", Kind::EfiCompressed, "An EFI driver (.efi), stored compressed"),
    (
        "legacy",
        Kind::Legacy,
        "A PC-AT image that begins with 55 AA; one from before PCI gets a PCI Data Structure",
    ),
    ("image", Kind::Images, "A file of finished images, of any kind, which keep their ids"),
];

impl clap::Args for Parts {
    fn augment_args(command: clap::Command) -> clap::Command {
        let argument = |(name, _, help): &(&'static str, Kind, &'static str)| {
            clap::Arg::new(*name)
                .long(*name)
                .value_name("FILE")
                .help(*help)
                .action(clap::ArgAction::Append)
                .value_parser(clap::value_parser!(PathBuf))
        };
        command.args(KINDS.iter().map(argument))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Parts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut parts = Vec::new();
        for (name, kind, _) in KINDS {
            let indices = matches.indices_of(name).into_iter().flatten();
            let files = matches.get_many::<PathBuf>(name).into_iter().flatten();
            parts.extend(indices.zip(files).map(|(index, file)| (index, kind, file.clone())));
        }
        parts.sort_by_key(|(index, ..)| *index);
        Ok(Self(parts.into_iter().map(|(_, kind, file)| (kind, file)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Builds a ROM, and says what is in it.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let output = &arguments.output;
    let parts = &arguments.parts.0;
    if let Some(hint) = arguments.vendor.and_then(number::decimal_vendor) {
        input::warn(format_args!("{hint}"));
    }
    let mut files = Vec::new();
    for (_, path) in parts {
        match input::read(path) {
            Ok(bytes) => files.push(bytes),
            Err(failure) => return report::unreadable(out, path, as_json, &failure),
        }
    }
    let mut builder = Builder::new(arguments.vendor.unwrap_or_default(), arguments.device.clone())
        .revision(arguments.pcir_revision.unwrap_or_default())
        .last(!arguments.no_last);
    if let Some(class) = arguments.class {
        builder = builder.class_code(class);
    }
    if let Some(revision) = arguments.rom_revision {
        builder = builder.vendor_rom_revision(revision);
    }
    for ((kind, _), bytes) in parts.iter().zip(&files) {
        builder = builder.part(match kind {
            Kind::Efi => Part::Efi { file: bytes, compress: false },
            Kind::EfiCompressed => Part::Efi { file: bytes, compress: true },
            Kind::Legacy => Part::Legacy(bytes),
            Kind::Images => Part::Images(bytes),
        });
    }
    let bytes = match builder.build() {
        Ok(bytes) => bytes,
        Err(error) => {
            let path = error.part().and_then(|part| parts.get(part)).map_or(output, |(_, path)| path);
            return report::failed(out, path, as_json, &error, error.advice());
        }
    };
    let inputs: Vec<&Path> = parts.iter().map(|(_, path)| path.as_path()).collect();
    let target = Target { path: output, force: arguments.force };
    let left = report::findings(&bytes);
    let notes: Vec<_> =
        parts.iter().zip(&files).filter_map(|((kind, path), file)| note(*kind, path, file)).collect();
    let (file, padding) = report::padded(&bytes);
    report::written(out, &target, &inputs, &file, as_json, |out| {
        let rom = Rom::parse(&bytes).map_err(io::Error::other)?;
        if as_json {
            return json::write(out, &BuildJson::new(output, &bytes, padding, &rom, &left, notes));
        }
        show(out, arguments, &rom)?;
        notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        writeln!(out, "{} image(s), {} bytes, in {}", rom.images().count(), bytes.len(), output.display())?;
        report::write_padding(out, padding)?;
        report::write_findings(out, &left)
    })
}

/// What was done to a part that is not obvious.
fn note(kind: Kind, path: &Path, file: &[u8]) -> Option<String> {
    let is_isa = kind == Kind::Legacy && Image::parse(file, 0).is_err();
    is_isa.then(|| {
        format!(
            "{}: a ROM from before PCI; its bytes at 18h and 19h, which were 0, lead to the new PCI Data Structure now",
            path.display()
        )
    })
}

/// What was read on the command line, and what became of it.
fn show(out: &mut impl Write, arguments: &Arguments, rom: &Rom<'_>) -> io::Result<()> {
    if let Some(vendor) = arguments.vendor {
        let devices: Vec<_> = arguments.device.iter().map(|id| format!("{id:04x}h")).collect();
        writeln!(out, "ids, read as hexadecimal: vendor {vendor:04x}h, device {}", devices.join(" "))?;
    }
    for image in rom.images() {
        let pcir = image.structure();
        writeln!(
            out,
            "image @{:x}h: type {}, {:04x}:{:04x}, class {}, {:x}h bytes{}",
            image.offset(),
            image.code_type(),
            pcir.vendor_id,
            pcir.device_id,
            pcir.class_code,
            image.length(),
            if image.is_last() { ", last" } else { "" }
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct BuildJson {
    schema: u32,
    output: String,
    length: usize,
    /// Bytes behind the ROM in the output.
    padding: usize,
    images: Vec<BuiltJson>,
    findings: Vec<json::FindingJson>,
    /// What was done to a part that is not obvious.
    notes: Vec<String>,
}

impl BuildJson {
    fn new(
        output: &Path,
        bytes: &[u8],
        padding: usize,
        rom: &Rom<'_>,
        findings: &[Finding],
        notes: Vec<String>,
    ) -> Self {
        Self {
            schema: json::SCHEMA,
            output: json::name(output),
            length: bytes.len(),
            padding,
            images: rom.images().map(BuiltJson::from).collect(),
            findings: findings.iter().map(json::FindingJson::from).collect(),
            notes,
        }
    }
}

#[derive(Serialize)]
struct BuiltJson {
    offset: usize,
    length: usize,
    code_type: u8,
    vendor_id: String,
    device_id: String,
    device_list: Vec<String>,
    class_code: String,
    last: bool,
}

impl From<&Image<'_>> for BuiltJson {
    fn from(image: &Image<'_>) -> Self {
        let pcir = image.structure();
        Self {
            offset: image.offset(),
            length: image.length(),
            code_type: pcir.code_type.0,
            vendor_id: json::id(pcir.vendor_id),
            device_id: json::id(pcir.device_id),
            device_list: pcir.device_list().map(json::id).collect(),
            class_code: pcir.class_code.to_string(),
            last: image.is_last(),
        }
    }
}
