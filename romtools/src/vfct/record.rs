//! One record of the table, and the walk from record to record.

use std::fmt;
use std::iter::FusedIterator;

use super::Table;
use crate::bytes::{u16_at, u32_at};

/// Bytes of a record before its image.
pub const RECORD_LENGTH: usize = 0x1c;

/// The most records that a walk yields: four times as many as a PCI bus with GPUs alone would need.
pub const MOST_RECORDS: usize = 128;

/// Where a function is. Records have no domain, and Linux takes a function of any domain for theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// PCI Bus: the number that the firmware gave. The operating system may have given another since.
    pub pci_bus: u32,
    /// PCI Device.
    pub pci_device: u32,
    /// PCI Function.
    pub pci_function: u32,
}

impl Location {
    /// If a function can be there: numbers of 8, 5 and 3 bits.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.pci_bus < 0x100 && self.pci_device < 0x20 && self.pci_function < 8
    }

    /// If device and function are the same; the bus may be another.
    #[must_use]
    pub fn matches_but_for_bus(&self, other: &Self) -> bool {
        (self.pci_device, self.pci_function) == (other.pci_device, other.pci_function)
    }
}

/// `0000:c5:00.0`
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0000:{:02x}:{:02x}.{:x}", self.pci_bus, self.pci_device, self.pci_function)
    }
}

/// A record: for which function an image is, and the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where the record begins in the table.
    pub offset: usize,
    /// For which function it is.
    pub location: Location,
    /// Vendor ID.
    pub vendor_id: u16,
    /// Device ID.
    pub device_id: u16,
    /// Subsystem Vendor ID; 0 in all known tables.
    pub subsystem_vendor_id: u16,
    /// Subsystem ID; 0 in all known tables.
    pub subsystem_id: u16,
    /// Revision: 1, by coreboot 0.
    pub revision: u32,
    /// Image Length in bytes, as the record claims it.
    pub image_length: u32,
    image: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record at `offset`; `None` if `table` ends inside its header.
    pub(super) fn parse(table: &'a [u8], offset: usize) -> Option<Self> {
        let bytes = table.get(offset..)?;
        let behind = bytes.get(RECORD_LENGTH..)?;
        let image_length = u32_at(bytes, 0x18)?;
        let claimed = usize::try_from(image_length).unwrap_or(usize::MAX);
        Some(Self {
            offset,
            location: Location {
                pci_bus: u32_at(bytes, 0x00)?,
                pci_device: u32_at(bytes, 0x04)?,
                pci_function: u32_at(bytes, 0x08)?,
            },
            vendor_id: u16_at(bytes, 0x0c)?,
            device_id: u16_at(bytes, 0x0e)?,
            subsystem_vendor_id: u16_at(bytes, 0x10)?,
            subsystem_id: u16_at(bytes, 0x12)?,
            revision: u32_at(bytes, 0x14)?,
            image_length,
            image: &behind[..claimed.min(behind.len())],
        })
    }

    /// The image's bytes, as far as they are there.
    #[must_use]
    pub fn image(&self) -> &'a [u8] {
        self.image
    }

    /// Where the image begins in the table.
    #[must_use]
    pub fn image_offset(&self) -> usize {
        self.offset + RECORD_LENGTH
    }

    /// If the record claims more bytes for its image than there are.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        // What is there is never more than what is claimed.
        self.image.len() as u64 != u64::from(self.image_length)
    }

    /// Where the next record begins if the claim is true.
    #[must_use]
    pub fn end(&self) -> usize {
        self.image_offset().saturating_add(usize::try_from(self.image_length).unwrap_or(usize::MAX))
    }
}

/// Why the walk over the records ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The table ends where a record would begin.
    EndOfTable,
    /// A record of zeros, and nothing behind it.
    Terminator {
        /// Where it begins.
        offset: usize,
    },
    /// The library's record is next.
    Lib1 {
        /// Where it begins.
        offset: usize,
    },
    /// The table ends inside a record's header.
    HeaderTruncated {
        /// Where the record begins.
        offset: usize,
        /// How many of its bytes are there.
        available: usize,
    },
    /// The last record's image goes on where the table ends.
    ImageTruncated {
        /// Where the record begins.
        offset: usize,
    },
    /// [`MOST_RECORDS`] were read, and more follow.
    TooMany {
        /// Where the next one would begin.
        offset: usize,
    },
}

/// The records of a table, one by one, without allocation. Records of zeros are left out.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    limit: usize,
    lib1: Option<usize>,
    next: usize,
    left: usize,
    stop: Option<Stop>,
}

impl<'a> Records<'a> {
    pub(super) fn new(table: &Table<'a>) -> Self {
        let offset = |word| usize::try_from(word).unwrap_or(usize::MAX);
        Self {
            bytes: table.bytes(),
            limit: table.limit(),
            lib1: Some(offset(table.lib1_image_offset())).filter(|&lib1| lib1 != 0),
            next: offset(table.vbios_image_offset()),
            left: MOST_RECORDS,
            stop: None,
        }
    }

    /// Why the walk has ended; `None` until [`Iterator::next`] has returned `None`.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Walks to the end and says why it is there.
    pub(super) fn into_stop(mut self) -> Stop {
        self.by_ref().for_each(drop);
        self.stop.unwrap_or(Stop::EndOfTable)
    }

    /// Passes over whole records of zeros, or all that is left of the table.
    fn skip_zeros(&mut self) {
        let rest = self.bytes.get(self.next..self.limit).unwrap_or_default();
        let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
        if zeros == rest.len() {
            let offset = self.next;
            let stop = if zeros < RECORD_LENGTH { Stop::EndOfTable } else { Stop::Terminator { offset } };
            self.stop = Some(stop);
        } else {
            self.next += zeros / RECORD_LENGTH * RECORD_LENGTH;
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.stop.is_none() && self.lib1 != Some(self.next) {
            self.skip_zeros();
        }
        if self.stop.is_some() {
            return None;
        }
        let offset = self.next;
        if self.lib1 == Some(offset) {
            self.stop = Some(Stop::Lib1 { offset });
        } else if self.left == 0 {
            self.stop = Some(Stop::TooMany { offset });
        } else if let Some(record) = Record::parse(self.bytes, offset) {
            self.left -= 1;
            self.next = record.end();
            if record.is_truncated() {
                self.stop = Some(Stop::ImageTruncated { offset });
            }
            return Some(record);
        } else {
            self.stop = Some(Stop::HeaderTruncated { offset, available: self.bytes.len() - offset });
        }
        None
    }
}

impl FusedIterator for Records<'_> {}
