//! Everything that is odd about a file, each with its place and what to do.
//!
//! A *defect* keeps an image from working as it should. A *warning* is what some firmware or kernel
//! refuses, or what a user most likely did not want. A *note* is unusual and harmless. What real
//! ROMs do all the time (EFI images that do not sum to zero, padding behind the chain) is none of these.
//!
//! ```
//! # let mut file = vec![0u8; 512];
//! # file[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # file[0x18] = 0x1c;
//! # file[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
//! use romtools::{Problem, Rom, Severity, check};
//!
//! // `file` is a PC-AT ROM with a byte changed.
//! let rom = Rom::parse(&file)?;
//! let findings = check::findings(&rom);
//! assert_eq!(findings[0].severity(), Severity::Defect);
//! assert!(matches!(findings[0].problem(), Problem::Checksum { .. }));
//! # Ok::<(), romtools::Error>(())
//! ```

use std::fmt;

use crate::checksum::Verdict;
use crate::edit::is_for_firmware;
use crate::efi::Drivers;
use crate::header::Header;
use crate::image::BLOCK;
use crate::pcir::{LENGTH_REVISION_0, LENGTH_REVISION_3};
use crate::rom::Content;
use crate::{Chain, CodeType, Image, LegacyImage, Rom, Stop, atom, expansion};

mod bios;
mod device;
mod efi;
mod guest;
mod problem;
mod romfile;

use guest::Missed;

pub use crate::firmware::{Firmware, Halt};
pub use device::for_device;
pub use guest::{Answer, Guests, Started, guests, guests_of_device};
pub use problem::{Problem, Severity};
pub use romfile::{as_romfile, padding};

/// One oddity, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    offset: usize,
    problem: Problem,
}

impl Finding {
    pub(crate) fn new(offset: usize, problem: Problem) -> Self {
        Self { offset, problem }
    }

    /// The offset in the file of the image, structure or data that it is about.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is odd; its `Display` says it in a sentence, [`Problem::advice`] says what now.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.problem.severity()
    }
}

/// `defect @400h: the image sums to 03h instead of 00h`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} @{:x}h: {}", self.severity(), self.offset, self.problem)
    }
}

/// A ROM that was looked at: what is odd about it, and what firmware does with it, with each driver decompressed once.
///
/// ```
/// # let mut file = vec![0u8; 512];
/// # file[..3].copy_from_slice(&[0x55, 0xaa, 1]);
/// # file[0x18] = 0x1c;
/// # file[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
/// # file[511] = 0u8.wrapping_sub(romtools::checksum::sum(&file));
/// use romtools::Rom;
/// use romtools::check::{Answer, Check};
///
/// // `file` is the PC-AT ROM of 1b21:0612.
/// let rom = Rom::parse(&file)?;
/// let check = Check::new(&rom);
/// assert!(check.findings().is_empty());
/// assert!(matches!(check.guests_of_device(0x1b21, 0x0612).bios, Answer::Yes(_)));
/// assert!(matches!(check.guests().uefi, Answer::No));
/// # Ok::<(), romtools::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Check<'r, 'a> {
    rom: &'r Rom<'a>,
    findings: Vec<Finding>,
    uefi: Answer,
}

impl<'r, 'a> Check<'r, 'a> {
    /// Looks at a ROM. Drivers are decompressed, up to [`Drivers::MOST`] bytes.
    #[must_use]
    pub fn new(rom: &'r Rom<'a>) -> Self {
        Self::with(rom, Some(&mut Drivers::new()))
    }

    /// The same, with drivers only where there are any to be had.
    fn with(rom: &'r Rom<'a>, mut drivers: Option<&mut Drivers>) -> Self {
        let mut found = Findings::default();
        found.rom(rom, drivers.as_deref_mut());
        let uefi = guest::uefi(rom, &found.drivers, drivers);
        found.firmware(rom, uefi);
        let mut findings = found.all;
        // Stable: what is about the same place stays in the order of the looks.
        findings.sort_by_key(Finding::offset);
        Self { rom, findings, uefi }
    }

    /// Everything odd, in the order of the file.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// What firmware can do with the ROM: see [`guests`].
    #[must_use]
    pub fn guests(&self) -> Guests {
        guest::answers(self.rom, self.uefi, None)
    }

    /// The same for a device with these ids: see [`guests_of_device`].
    #[must_use]
    pub fn guests_of_device(&self, vendor_id: u16, device_id: u16) -> Guests {
        guest::answers(self.rom, self.uefi, Some((vendor_id, device_id)))
    }
}

/// Everything odd about a file, in the order of the file. Drivers are decompressed, up to [`Drivers::MOST`] bytes.
#[must_use]
pub fn findings(rom: &Rom<'_>) -> Vec<Finding> {
    Check::new(rom).into_findings()
}

/// The same without what is odd about the drivers themselves: nothing is decompressed, so that the time it takes depends
/// on the length of the file alone.
#[must_use]
pub fn findings_without_drivers(rom: &Rom<'_>) -> Vec<Finding> {
    findings_with(rom, None)
}

/// Everything odd about a file; with `drivers`, also about those that its limit allows.
pub(crate) fn findings_with(rom: &Rom<'_>, drivers: Option<&mut Drivers>) -> Vec<Finding> {
    Check::with(rom, drivers).into_findings()
}

/// What was found until now.
#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
    /// What is known of the EFI images.
    drivers: Vec<guest::Looked>,
}

impl Findings {
    fn push(&mut self, offset: usize, problem: Problem) {
        self.all.push(Finding { offset, problem });
    }

    fn rom(&mut self, rom: &Rom<'_>, mut drivers: Option<&mut Drivers>) {
        if let Some(legacy) = rom.legacy() {
            self.legacy(&legacy);
        }
        let mut end_of_last = None;
        for chain in rom.chains() {
            for image in chain.images() {
                self.image(rom.file(), image, drivers.as_deref_mut());
            }
            if end_of_last == Some(chain.offset()) {
                // The vendor's own images: how they end is the vendor's affair.
                self.push(chain.offset(), Problem::BehindLast { images: chain.images().len() });
            } else {
                self.stop(chain);
            }
            end_of_last = (chain.stop() == Stop::LastImage).then(|| chain.end());
        }
        self.data(rom);
    }

    /// What is in no image.
    fn data(&mut self, rom: &Rom<'_>) {
        let first = rom.chains().first().map_or(0, Chain::offset);
        for data in rom.data() {
            let length = data.bytes.len();
            match data.content() {
                Content::Padding(_) if data.offset >= first => {}
                Content::Nvgi if data.offset < first => self.push(data.offset, Problem::Container { length }),
                _ if data.offset < first => self.push(data.offset, Problem::LeadingData { length }),
                content => self.push(data.offset, Problem::OtherData { length, content }),
            }
            if let Some(says) = data.ifr().and_then(|ifr| ifr.image_offset(data.bytes)) {
                let says = data.offset.saturating_add(says);
                if !Image::parse(rom.file(), says).is_ok_and(|image| is_for_firmware(&image)) {
                    self.push(data.offset, Problem::ContainerPointer { says });
                }
            }
        }
    }

    /// What keeps firmware from an image that would be for it.
    fn firmware(&mut self, rom: &Rom<'_>, uefi: Answer) {
        for by in [Firmware::Ovmf, Firmware::SeaBios] {
            let Some(Missed { image, stop, halt, .. }) = guest::not_reached(rom, by) else { continue };
            // It is the one that it stops at, and that is told already.
            let is_told = image.offset() == stop
                && (halt == Halt::Unaligned || halt == Halt::Truncated && image.is_truncated());
            if !is_told {
                self.push(image.offset(), Problem::NotReached { by, stop, halt });
            }
        }
        if let Answer::OtherMachine(Started { offset, machine: Some(machine), .. }) = uefi {
            self.push(offset, Problem::OtherMachine { machine });
        }
    }

    fn legacy(&mut self, legacy: &LegacyImage<'_>) {
        let (length, available) = (legacy.length(), legacy.bytes().len());
        match legacy.sum() {
            _ if length == 0 => self.push(0, Problem::ZeroLength),
            _ if legacy.is_truncated() => self.push(0, Problem::Truncated { length, available }),
            0 => {}
            sum => self.push(0, Problem::LegacyChecksum { sum }),
        }
        self.push(0, Problem::NoStructure);
        if !legacy.is_truncated() {
            expansion::check::headers(legacy.bytes(), &mut |offset, problem| {
                self.push(offset, Problem::Expansion(problem));
            });
        }
    }

    fn image(&mut self, file: &[u8], image: &Image<'_>, drivers: Option<&mut Drivers>) {
        let (begin, length) = (image.offset(), image.length());
        if image.is_truncated() {
            self.push(begin, Problem::Truncated { length, available: image.bytes().len() });
        }
        if let Verdict::Wrong { sum } = image.checksum() {
            self.push(begin, Problem::Checksum { sum });
        }
        match image.header() {
            Header::PcAt(header) => {
                let initialization = usize::from(header.initialization_size) * BLOCK;
                if let Some(problem) = bios::refuses(file, image, &header) {
                    self.push(begin, problem);
                } else if initialization != length && length != 0 {
                    self.push(begin, Problem::InitializationSize { initialization, length });
                }
            }
            Header::Efi(header) => {
                let look = efi::look(image, &header, drivers);
                self.drivers.push(guest::Looked::new(image, &header, &look));
                for (offset, problem) in look.problems {
                    self.push(offset, problem);
                }
            }
            _ => {}
        }
        self.structure(image);
        if let Some(bit) = image.bit()
            && let (Some(table), Some(text)) = (bit.version(), bit.version_text())
            && table != text
        {
            self.push(begin + bit.offset, Problem::NvidiaVersion { table, text });
        }
        if !image.is_truncated() && image.length() != 0 {
            expansion::check::check(image, |offset, problem| {
                self.push(begin + offset, Problem::Expansion(problem));
            });
        }
        if image.code_type() == CodeType::X86_PC_AT && !image.is_truncated() {
            atom::check(image.bytes(), image.structure().pointer, |offset, problem| {
                self.push(begin + offset, Problem::Atom(problem));
            });
        }
    }

    fn structure(&mut self, image: &Image<'_>) {
        let pcir = image.structure();
        let begin = image.offset() + usize::from(pcir.pointer);
        if !pcir.pointer.is_multiple_of(4) {
            self.push(begin, Problem::Unaligned { pointer: pcir.pointer });
        }
        if image.length() != 0 && usize::from(pcir.pointer) + usize::from(pcir.length) > image.length() {
            self.push(begin, Problem::StructureOutside);
        }
        if !matches!((pcir.revision, pcir.length), (0, LENGTH_REVISION_0) | (3, LENGTH_REVISION_3)) {
            self.push(begin, Problem::StructureForm { revision: pcir.revision, length: pcir.length });
        }
        let (vendor_id, device_id) = (pcir.vendor_id, pcir.device_id);
        if let Some(typed) = device::typed_as_decimal(vendor_id, device_id) {
            self.push(begin, Problem::DecimalIds { ids: (vendor_id, device_id), typed });
        } else if device_id == 0xffff && is_for_firmware(image) {
            self.push(begin, Problem::NoDeviceId { vendor_id });
        }
        if pcir.indicator.reserved() != 0 {
            self.push(begin, Problem::ReservedIndicator { indicator: pcir.indicator.0 });
        }
        if pcir.has_device_list() && !image.is_truncated() && !pcir.device_list().is_terminated() {
            self.push(begin, Problem::DeviceList { pointer: pcir.device_list_pointer });
        }
    }

    fn stop(&mut self, chain: &Chain<'_>) {
        let Some(last) = chain.images().last() else {
            return;
        };
        match chain.stop() {
            Stop::LastImage => {}
            Stop::ZeroLength { offset } => self.push(offset, Problem::ZeroLength),
            // The firmware's chain is whole; a truncated image has its own finding.
            _ if last.structure().indicator.is_last() => self.push(chain.end(), Problem::NoPrivateImages),
            Stop::EndOfFile { .. } if last.is_truncated() => {}
            Stop::EndOfFile { .. } => self.push(chain.end(), Problem::ContinuesPastEnd),
            Stop::NotAnImage(error) => self.push(chain.end(), Problem::ContinuesWithout { error }),
        }
    }
}

#[cfg(test)]
mod tests;
