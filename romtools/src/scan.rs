//! ROMs inside of anything: BIOS updates, firmware images, disks, memory dumps.
//!
//! What is looked for is `55 AA` with a PCI Data Structure, ROMs from before PCI, NVIDIA's private images
//! and flash container, and ACPI VFCT tables. Firmware packs them at boundaries of 4, 8, 16 or 512 bytes;
//! ROMs are found at any even offset, the others at multiples of 4. Each ROM that is found is read whole
//! and judged by [`check`](mod@crate::check), but for the drivers in it, which are not decompressed.
//!
//! The source is read in windows, so memory does not depend on its length: a map of the file would be
//! no faster, and the program would be killed if another one cut the file short meanwhile. A hostile file can
//! hold a header every 32 bytes, each with a claim to be a ROM of megabytes: all that is read beside the windows, and what
//! is looked through in them for the start of a private image, is limited to a few times the file, and the rest is counted.
//!
//! ```
//! use romtools::scan::{self, Event, What};
//! # let mut rom = vec![0u8; 512];
//! # rom[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # rom[0x18] = 0x1c;
//! # rom[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
//! # rom[511] = 0u8.wrapping_sub(romtools::checksum::sum(&rom));
//!
//! let firmware = [vec![0xff; 100_004], rom, vec![0xff; 999]].concat();
//! let mut offsets = Vec::new();
//! scan::scan(&firmware[..], firmware.len() as u64, &mut |event| {
//!     if let Event::Found(found) = event {
//!         assert!(matches!(&found.what, What::Rom(rom) if rom.is_sound()));
//!         offsets.push((found.offset, found.length));
//!     }
//!     Ok(())
//! })?;
//! assert_eq!(offsets, [(100_004, 512)]);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::cmp::Reverse;
use std::io;

use crate::bytes::{array_at, u32_at};
use crate::check::{self, Finding};
use crate::pcir::ClassCode;
use crate::source::{self, ReadAt};
use crate::{CodeType, Rom, Severity, checksum};

use self::near::{Budget, Near};
use self::window::Window;

mod candidate;
mod near;
mod window;

/// The most that is read of one ROM, in bytes: with the lists of what can be in it, it fits into 16 MiB of memory.
pub const LARGEST_ROM: usize = 4 << 20;

/// The most findings that are kept of one ROM, the worst first: a real one has a few.
pub const MOST_FINDINGS: usize = 256;

/// How many times the file may be read again to judge what was found, on top of [`JUDGED_AT_LEAST`].
const JUDGED_TIMES: u64 = 4;
/// Bytes that may be read to judge what was found in a file of any length.
const JUDGED_AT_LEAST: u64 = 64 << 20;

/// What happens during a scan.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Something was found.
    Found(&'a Found),
    /// The scan has got so far, in bytes.
    Progress(u64),
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Where it begins.
    pub offset: u64,
    /// Its length in bytes, as far as the source has it.
    pub length: u64,
    /// What it is.
    pub what: What,
}

/// The kinds of what is found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A chain of images, or an ISA ROM.
    Rom(FoundRom),
    /// An ACPI VFCT table, with video BIOS images in it.
    Vfct {
        /// If its bytes sum to zero.
        checksum_good: bool,
    },
    /// NVIDIA's flash container; the ROM in it is found for itself.
    NvidiaContainer {
        /// Version of its header.
        version: u8,
    },
}

/// A ROM that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundRom {
    /// Its images; none for a ROM from before PCI.
    pub images: Vec<FoundImage>,
    /// What is odd about it, with offsets from its start: without its drivers, and [`MOST_FINDINGS`] at most.
    pub findings: Vec<Finding>,
}

impl FoundRom {
    /// The worst of what is odd.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }

    /// If nothing keeps it from working.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.worst() < Some(Severity::Defect)
    }
}

/// An image of a ROM that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundImage {
    /// Where it begins, from the start of its ROM.
    pub offset: usize,
    /// The length in bytes that it claims.
    pub length: usize,
    /// Its code type.
    pub code_type: CodeType,
    /// Its vendor id.
    pub vendor_id: u16,
    /// Its device id.
    pub device_id: u16,
    /// Its class code.
    pub class_code: ClassCode,
}

/// What a scan came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How many things were found.
    pub found: u64,
    /// How many that begin like a ROM or table were not looked at: there were too many to be real.
    pub not_judged: u64,
}

/// Scans `length` bytes of a source.
///
/// # Errors
/// Those of the source, and those that `on_event` returns: they end the scan.
pub fn scan<S: ReadAt + ?Sized>(
    source: &S,
    length: u64,
    on_event: &mut dyn FnMut(Event<'_>) -> io::Result<()>,
) -> io::Result<Summary> {
    let budget = length.saturating_mul(JUDGED_TIMES).saturating_add(JUDGED_AT_LEAST);
    let mut scan = Scan { source, length, budget: Budget::new(budget), inside: Inside::default() };
    let mut count = 0;
    window::for_each(source, length, &mut |step| match step {
        window::Step::Word(offset, word, window) => match scan.look(offset, word, window)? {
            Some(found) => {
                count += 1;
                on_event(Event::Found(&found))
            }
            None => Ok(()),
        },
        window::Step::Position(position) => on_event(Event::Progress(position)),
    })?;
    Ok(Summary { found: count, not_judged: scan.budget.refused })
}

/// The ROM that was found last: what is in it is not found again.
#[derive(Default)]
struct Inside {
    begin: u64,
    end: u64,
    is_sound: bool,
    images: Vec<u64>,
}

impl Inside {
    fn holds(&self, offset: u64) -> bool {
        (self.begin..self.end).contains(&offset)
            && (self.is_sound || self.images.binary_search(&offset).is_ok())
    }
}

struct Scan<'a, S: ?Sized> {
    source: &'a S,
    length: u64,
    budget: Budget,
    inside: Inside,
}

impl<S: ReadAt + ?Sized> Scan<'_, S> {
    /// Looks at a place where something could begin.
    fn look(&mut self, offset: u64, word: window::Word, window: Window<'_>) -> io::Result<Option<Found>> {
        let mut near = Near { source: self.source, window, budget: &mut self.budget };
        match word {
            window::Word::OptionRom if self.inside.holds(offset) => Ok(None),
            // A look at the header costs nothing, and most candidates end here.
            window::Word::OptionRom => match candidate::rom(&mut near, offset)? {
                Some(kind) => self.rom(offset, kind),
                None => Ok(None),
            },
            window::Word::PrivateStructure => match candidate::private_image(&mut near, offset) {
                Some(begin) if !self.inside.holds(begin) => self.rom(begin, candidate::Kind::Image),
                _ => Ok(None),
            },
            window::Word::Vfct => match candidate::vfct(&mut near, offset, self.length)? {
                Some(length) => self.vfct(offset, length),
                None => Ok(None),
            },
            window::Word::Nvgi => container(&mut near, offset, self.length),
        }
    }

    fn rom(&mut self, offset: u64, kind: candidate::Kind) -> io::Result<Option<Found>> {
        if !self.budget.take(0) {
            return Ok(None);
        }
        let bytes = source::read_rom(self.source, offset, LARGEST_ROM)?;
        self.budget.charge(bytes.len() as u64);
        let Ok(rom) = Rom::parse(&bytes) else { return Ok(None) };
        // Code that happens to hold 55 AA is not taken for a ROM from before PCI unless it sums to zero.
        if kind == candidate::Kind::Isa && !rom.legacy().is_some_and(|l| !l.is_truncated() && l.sum() == 0) {
            return Ok(None);
        }
        let images: Vec<_> = rom.images().map(FoundImage::from).collect();
        let found = FoundRom { images, findings: findings(&rom) };
        let begins = found.images.iter().map(|image| offset + image.offset as u64).collect();
        let length = bytes.len() as u64;
        self.inside =
            Inside { begin: offset, end: offset + length, is_sound: found.is_sound(), images: begins };
        Ok(Some(Found { offset, length, what: What::Rom(found) }))
    }

    fn vfct(&mut self, offset: u64, length: u32) -> io::Result<Option<Found>> {
        if !self.budget.take(u64::from(length)) {
            return Ok(None);
        }
        let (mut sum, mut at, end) = (0u8, offset, offset + u64::from(length));
        let mut buffer = vec![0; window::SIZE.min(length as usize)];
        while at < end {
            let want = buffer.len().min((end - at) as usize);
            let have = source::fill(self.source, at, &mut buffer[..want])?;
            if have == 0 {
                return Ok(None);
            }
            sum = sum.wrapping_add(checksum::sum(&buffer[..have]));
            at += have as u64;
        }
        Ok(Some(Found { offset, length: u64::from(length), what: What::Vfct { checksum_good: sum == 0 } }))
    }
}

fn container<S: ReadAt + ?Sized>(near: &mut Near<'_, S>, offset: u64, end: u64) -> io::Result<Option<Found>> {
    let mut header = [0; 12];
    let have = near.fill(offset, &mut header)?;
    let fixed = u32_at(&header[..have], 4).unwrap_or_default();
    let total = u64::from(u32_at(&header[..have], 8).unwrap_or_default() & 0xf_ffff);
    let (version, fixed_size) = ((fixed >> 8) as u8, u64::from(fixed >> 16 & 0x7fff));
    let is_one = array_at(&header, 0) == Some(*b"NVGI")
        && (1..=3).contains(&version)
        && (12..=total).contains(&fixed_size)
        && total <= end.saturating_sub(offset);
    let what = What::NvidiaContainer { version };
    Ok(is_one.then_some(Found { offset, length: total, what }))
}

/// What is odd, and of a hostile ROM the worst of it.
fn findings(rom: &Rom<'_>) -> Vec<Finding> {
    let mut findings = check::findings_without_drivers(rom);
    if findings.len() > MOST_FINDINGS {
        findings.sort_by_key(|finding| Reverse(finding.severity()));
        findings.truncate(MOST_FINDINGS);
        findings.sort_by_key(Finding::offset);
    }
    findings.shrink_to_fit();
    findings
}

impl From<&crate::Image<'_>> for FoundImage {
    fn from(image: &crate::Image<'_>) -> Self {
        let pcir = image.structure();
        Self {
            offset: image.offset(),
            length: image.length(),
            code_type: image.code_type(),
            vendor_id: pcir.vendor_id,
            device_id: pcir.device_id,
            class_code: pcir.class_code,
        }
    }
}

#[cfg(test)]
mod tests;
