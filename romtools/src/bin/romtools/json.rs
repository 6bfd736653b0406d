//! The JSON output, schema 1. Offsets and lengths are numbers in bytes, ids are four hexadecimal digits.
//!
//! Later versions may add members; a member that is taken away or changes its meaning raises `schema`.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use romtools::check::{Answer, Guests};
use romtools::checksum::Verdict;
use romtools::compression::Variant;
use romtools::efi::{Driver, Drivers};
use romtools::expansion::pxe::{IpxeHeader, UndiRomId};
use romtools::header::{EfiHeader, Header, PcAtHeader};
use romtools::image::BLOCK;
use romtools::nvidia::Bit;
use romtools::open_firmware::Fcode;
use romtools::pcir::DeviceList;
use romtools::rom::{Content, Data};
use romtools::{Chain, Finding, Image, LegacyImage, Npde, Rom, Severity, Stop};
use serde::{Serialize, Serializer};

use crate::input::Failure;

mod atom;
mod expansion;

use atom::AtomJson;
use expansion::{FcodeJson, IpxeJson, PnpHeaders, UndiJson};

pub(crate) const SCHEMA: u32 = 1;

/// Writes one document on a line of its own.
pub(crate) fn write(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)
}

pub(crate) fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(crate) fn id(id: u16) -> String {
    format!("{id:04x}")
}

/// Ids as they come: a hostile list is as long as its image, and is not copied.
fn ids<S: Serializer>(list: &DeviceList<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.clone().map(id))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that gave no ROM.
#[derive(Serialize)]
pub(crate) struct Failed {
    schema: u32,
    file: String,
    error: String,
    advice: &'static str,
}

impl Failed {
    pub(crate) fn new(path: &Path, failure: &Failure) -> Self {
        Self::of(path, failure, failure.advice())
    }

    /// The same of any error.
    pub(crate) fn of(path: &Path, failure: &dyn Display, advice: &'static str) -> Self {
        Self { schema: SCHEMA, file: name(path), error: failure.to_string(), advice }
    }
}

/// What `info` says of a file.
#[derive(Serialize)]
pub(crate) struct Info<'a> {
    schema: u32,
    file: String,
    length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    legacy: Option<LegacyJson>,
    chains: Vec<ChainJson<'a>>,
    data: Vec<DataJson>,
}

impl<'a> Info<'a> {
    pub(crate) fn new(path: &Path, rom: &Rom<'a>) -> Self {
        Self {
            schema: SCHEMA,
            file: name(path),
            length: rom.file().len(),
            legacy: rom.legacy().map(LegacyJson::from),
            chains: ChainJson::of(rom),
            data: rom.data().map(DataJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct LegacyJson {
    offset: usize,
    length: usize,
    truncated: bool,
    sum: u8,
    #[serde(skip_serializing_if = "PnpHeaders::is_empty")]
    pnp_headers: PnpHeaders,
}

impl From<LegacyImage<'_>> for LegacyJson {
    fn from(legacy: LegacyImage<'_>) -> Self {
        Self {
            offset: 0,
            length: legacy.length(),
            truncated: legacy.is_truncated(),
            sum: legacy.sum(),
            pnp_headers: legacy.pnp_headers().into(),
        }
    }
}

#[derive(Serialize)]
struct DataJson {
    offset: usize,
    length: usize,
    content: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<u8>,
    /// Where NVIDIA's container says that the ROM begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    rom_offset: Option<usize>,
}

impl From<Data<'_>> for DataJson {
    fn from(data: Data<'_>) -> Self {
        let content = data.content();
        let padding = if let Content::Padding(byte) = content { Some(byte) } else { None };
        let rom_offset = data.ifr().and_then(|ifr| ifr.image_offset(data.bytes)).map(|at| data.offset + at);
        Self { offset: data.offset, length: data.bytes.len(), content: content.id(), padding, rom_offset }
    }
}

#[derive(Serialize)]
pub(crate) struct ChainJson<'a> {
    offset: usize,
    stop: &'static str,
    images: Vec<ImageJson<'a>>,
}

impl<'a> ChainJson<'a> {
    /// The chains of a file.
    pub(crate) fn of(rom: &Rom<'a>) -> Vec<Self> {
        let mut drivers = Drivers::new();
        rom.chains().iter().map(|chain| Self::new(chain, &mut drivers)).collect()
    }

    fn new(chain: &Chain<'a>, drivers: &mut Drivers) -> Self {
        Self {
            offset: chain.offset(),
            stop: match chain.stop() {
                Stop::LastImage => "last-image",
                Stop::EndOfFile { .. } => "end-of-file",
                Stop::ZeroLength { .. } => "zero-length",
                _ => "not-an-image",
            },
            images: chain.images().iter().map(|image| ImageJson::new(image, drivers)).collect(),
        }
    }
}

#[derive(Serialize)]
struct ImageJson<'a> {
    offset: usize,
    length: usize,
    truncated: bool,
    last: bool,
    signature: String,
    structure: &'static str,
    structure_offset: u16,
    structure_length: u16,
    structure_revision: u8,
    vendor_id: String,
    device_id: String,
    #[serde(serialize_with = "ids")]
    device_list: DeviceList<'a>,
    class_code: String,
    pcir_image_length: usize,
    vendor_rom_revision: String,
    code_type: u8,
    code_type_name: Option<&'static str>,
    indicator: u8,
    maximum_run_time_image_length: Option<usize>,
    configuration_utility_code_header: Option<u16>,
    dmtf_clp_entry_point: Option<u16>,
    checksum: &'static str,
    sum: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pc_at: Option<PcAtJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    efi: Option<EfiJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fcode_offset: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fcode: Option<FcodeJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    npde: Option<NpdeJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    atom: Option<AtomJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nvidia: Option<NvidiaJson>,
}

impl<'a> ImageJson<'a> {
    fn new(image: &Image<'a>, drivers: &mut Drivers) -> Self {
        let pcir = image.structure();
        let (checksum, sum) = match image.checksum() {
            Verdict::Good => ("good", Some(0)),
            Verdict::Wrong { sum } => ("wrong", Some(sum)),
            Verdict::NotRequired { sum } => ("not-required", Some(sum)),
            _ => ("truncated", None),
        };
        let header = image.header();
        Self {
            offset: image.offset(),
            length: image.length(),
            truncated: image.is_truncated(),
            last: image.is_last(),
            signature: hex(&image.signature().bytes()),
            structure: pcir.signature.as_str(),
            structure_offset: pcir.pointer,
            structure_length: pcir.length,
            structure_revision: pcir.revision,
            vendor_id: id(pcir.vendor_id),
            device_id: id(pcir.device_id),
            device_list: pcir.device_list(),
            class_code: pcir.class_code.to_string(),
            pcir_image_length: usize::from(pcir.image_length) * BLOCK,
            vendor_rom_revision: id(pcir.vendor_rom_revision),
            code_type: pcir.code_type.0,
            code_type_name: pcir.code_type.name(),
            indicator: pcir.indicator.0,
            maximum_run_time_image_length: pcir
                .revision_3
                .map(|r| usize::from(r.maximum_run_time_image_length) * BLOCK),
            configuration_utility_code_header: pcir.revision_3.map(|r| r.configuration_utility_code_header),
            dmtf_clp_entry_point: pcir.revision_3.map(|r| r.dmtf_clp_entry_point),
            checksum,
            sum,
            pc_at: if let Header::PcAt(header) = header { Some(PcAtJson::new(header, image)) } else { None },
            efi: if let Header::Efi(header) = header {
                Some(EfiJson::new(header, image, drivers))
            } else {
                None
            },
            fcode_offset: if let Header::OpenFirmware(header) = header {
                Some(header.fcode_offset)
            } else {
                None
            },
            fcode: if let Header::OpenFirmware(header) = header {
                Fcode::parse(image.bytes(), header.fcode_offset).map(FcodeJson::from)
            } else {
                None
            },
            npde: image.npde().map(NpdeJson::from),
            atom: image.atom().as_ref().map(AtomJson::from),
            nvidia: image.bit().as_ref().map(NvidiaJson::from),
        }
    }
}

#[derive(Serialize)]
struct PcAtJson {
    initialization_size: usize,
    entry_point: String,
    expansion_header_pointer: Option<u16>,
    pnp_headers: PnpHeaders,
    #[serde(skip_serializing_if = "Option::is_none")]
    undi: Option<UndiJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipxe: Option<IpxeJson>,
}

impl PcAtJson {
    fn new(header: PcAtHeader, image: &Image<'_>) -> Self {
        Self {
            initialization_size: usize::from(header.initialization_size) * BLOCK,
            entry_point: hex(&header.entry_point),
            expansion_header_pointer: header.expansion_header_pointer,
            pnp_headers: image.pnp_headers().into(),
            undi: UndiRomId::parse(image.bytes()).map(UndiJson::from),
            ipxe: IpxeHeader::parse(image.bytes()).map(IpxeJson::from),
        }
    }
}

#[derive(Serialize)]
struct EfiJson {
    initialization_size: usize,
    signature: String,
    subsystem: u16,
    subsystem_name: Option<&'static str>,
    machine: String,
    machine_name: Option<&'static str>,
    compression: u16,
    compression_name: Option<&'static str>,
    image_offset: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<DriverJson>,
    /// Why there is no driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_error: Option<String>,
}

impl EfiJson {
    fn new(header: EfiHeader, image: &Image<'_>, drivers: &mut Drivers) -> Self {
        let (driver, driver_error) = match drivers.driver(image) {
            None => (None, None),
            Some(Ok(driver)) => (Some(DriverJson::from(&driver)), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        Self {
            driver,
            driver_error,
            initialization_size: usize::from(header.initialization_size) * BLOCK,
            signature: format!("{:08x}", header.signature),
            subsystem: header.subsystem.0,
            subsystem_name: header.subsystem.name(),
            machine: id(header.machine.0),
            machine_name: header.machine.name(),
            compression: header.compression.0,
            compression_name: header.compression.name(),
            image_offset: header.image_offset,
        }
    }
}

/// The driver in an EFI image, decompressed where it was compressed.
#[derive(Serialize)]
pub(crate) struct DriverJson {
    pub(crate) compression: &'static str,
    /// Bytes that it takes in the image.
    stored: usize,
    pub(crate) machine: String,
    pub(crate) machine_name: Option<&'static str>,
    subsystem: u16,
    /// `PE32` or `PE32+`.
    format: &'static str,
    /// Bytes of the PE file, without the image's padding.
    size: u64,
    /// Bytes of memory that it takes when loaded.
    size_of_image: u32,
    sections: u16,
    /// If it has a signature for Secure Boot, which is not verified.
    signed: bool,
}

impl From<&Driver<'_>> for DriverJson {
    fn from(driver: &Driver<'_>) -> Self {
        let pe = driver.pe();
        Self {
            compression: match driver.compression {
                None => "none",
                Some(Variant::Uefi) => "uefi",
                Some(Variant::Tiano) => "tiano",
            },
            stored: driver.stored,
            machine: id(driver.machine.0),
            machine_name: driver.machine.name(),
            subsystem: driver.subsystem.0,
            format: if pe.is_some_and(|pe| pe.is_plus) { "PE32+" } else { "PE32" },
            size: match driver.compression {
                None => pe.map_or(0, |pe| pe.end()),
                Some(_) => driver.bytes.len() as u64,
            },
            size_of_image: pe.map_or(0, |pe| pe.size_of_image),
            sections: pe.map_or(0, |pe| pe.number_of_sections),
            signed: driver.is_signed(),
        }
    }
}

#[derive(Serialize)]
struct NpdeJson {
    revision: u16,
    length: u16,
    sub_image_length: usize,
    last: Option<bool>,
    flags: Option<u8>,
}

impl From<Npde> for NpdeJson {
    fn from(npde: Npde) -> Self {
        Self {
            revision: npde.revision,
            length: npde.length,
            sub_image_length: usize::from(npde.sub_image_length) * BLOCK,
            last: npde.last,
            flags: npde.flags,
        }
    }
}

/// A BIOS Information Table.
#[derive(Serialize)]
struct NvidiaJson {
    bit_offset: usize,
    version: Option<String>,
    version_text: Option<String>,
    build_date: Option<String>,
}

impl From<&Bit<'_>> for NvidiaJson {
    fn from(bit: &Bit<'_>) -> Self {
        Self {
            bit_offset: bit.offset,
            version: bit.version().as_ref().map(ToString::to_string),
            version_text: bit.version_text().as_ref().map(ToString::to_string),
            build_date: bit.build_date().map(|date| date.iter().copied().map(char::from).collect()),
        }
    }
}

/// What `check` says of a file.
#[derive(Serialize)]
pub(crate) struct Check {
    schema: u32,
    file: String,
    /// The worst finding's severity; `null` without any.
    worst: Option<String>,
    findings: Vec<FindingJson>,
    /// What the firmware of a virtual machine does with the ROM.
    uefi_guest: AnswerJson,
    bios_guest: AnswerJson,
}

impl Check {
    pub(crate) fn new(path: &Path, findings: &[Finding], guests: &Guests) -> Self {
        Self {
            schema: SCHEMA,
            file: name(path),
            worst: findings.iter().map(Finding::severity).max().as_ref().map(Severity::to_string),
            findings: findings.iter().map(FindingJson::from).collect(),
            uefi_guest: guests.uefi.into(),
            bios_guest: guests.bios.into(),
        }
    }
}

#[derive(Serialize)]
struct AnswerJson {
    /// `yes`, `refused` (a finding says why), `cut-short` (not judged), `other-machine` (not on x86-64), `no`.
    answer: &'static str,
    /// The image's number among those that firmware comes to, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine_name: Option<&'static str>,
    /// If an EFI driver has a signature for Secure Boot, which is not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
}

impl From<Answer> for AnswerJson {
    fn from(answer: Answer) -> Self {
        let (answer, started) = match answer {
            Answer::Yes(started) => ("yes", Some(started)),
            Answer::Refused(started) => ("refused", Some(started)),
            Answer::CutShort(started) => ("cut-short", Some(started)),
            Answer::OtherMachine(started) => ("other-machine", Some(started)),
            _ => ("no", None),
        };
        let machine = started.and_then(|started| started.machine);
        Self {
            answer,
            image: started.map(|started| started.index),
            offset: started.map(|started| started.offset),
            machine: machine.map(|machine| id(machine.0)),
            machine_name: machine.and_then(|machine| machine.name()),
            signed: started.and_then(|started| started.is_signed),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct FindingJson {
    severity: String,
    id: &'static str,
    offset: u64,
    message: String,
    advice: &'static str,
}

impl From<&Finding> for FindingJson {
    fn from(finding: &Finding) -> Self {
        Self::at(0, finding)
    }
}

impl FindingJson {
    /// A finding about a ROM that begins there in the file.
    pub(crate) fn at(begin: u64, finding: &Finding) -> Self {
        Self {
            severity: finding.severity().to_string(),
            id: finding.problem().id(),
            offset: begin + finding.offset() as u64,
            message: finding.problem().to_string(),
            advice: finding.problem().advice(),
        }
    }
}
