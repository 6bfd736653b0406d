//! The ACPI VFCT table: where firmware leaves the video BIOS of AMD GPUs that have no ROM chip.
//!
//! An APU has its video BIOS in the board's firmware, and a laptop's GPU often too. The firmware
//! copies each image into this table, behind a record that says for which function it is. Linux'
//! drivers look there first, and it is where the `romfile` for a virtual machine comes from. The
//! table exists on hosts that were booted by UEFI and have an AMD GPU; a virtual machine has none.
//!
//! ```text
//! 00h  ACPI header (acpi::Header)
//! 24h  UUID
//! 34h  VBIOS image offset, Lib1 image offset, four reserved words
//! 4Ch  record: 1Ch bytes, then the image; the next record follows at once
//! ...  record of zeros (AMD), or the end of the table (coreboot)
//! ```
//! Names are those of AMD's own headers in Linux' drivers. Lengths are claims: what a record says is
//! bounded by what is there.
//!
//! ```
//! # let mut table = b"VFCT\x86\0\0\0\x01\0OEMID OEMTABLE\x01\0\0\0AMD \x01\0\0\0".to_vec();
//! # table.extend([0x32, 0x9b, 0xa3, 0x5d, 0xbd, 0xc6, 0xcf, 0x49, 0x95, 0xa6, 0xe8, 0xe4, 0x2e, 0xcd, 0x79, 0xa7]);
//! # table.extend(b"\x4c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
//! # table.extend(b"\xc5\0\0\0\0\0\0\0\0\0\0\0\x02\x10\x00\x19\0\0\0\0\x01\0\0\0\x02\0\0\0\x55\xaa");
//! # table.extend([0; 28]);
//! use romtools::vfct::{Function, Location, Names, Table};
//!
//! // `table` is what `/sys/firmware/acpi/tables/VFCT` reads.
//! let vfct = Table::parse(&table)?;
//! let mut names = Names::default();
//! for record in vfct.records() {
//!     println!("{}: {} bytes", names.name(&record), record.image().len());
//! }
//! let location = Location { pci_bus: 0xc5, pci_device: 0, pci_function: 0 };
//! let found = vfct.find(Function::new(location, Some((0x1002, 0x1900)))).unwrap();
//! assert!(found.bus_matches);
//! assert_eq!(found.record.image(), [0x55, 0xaa]);
//! # Ok::<(), romtools::Error>(())
//! ```

use crate::bytes::{array_at, u32_at};
use crate::{Error, Result, acpi};

mod check;
mod find;
mod name;
mod problem;
mod record;
pub mod text;
mod uuid;

pub use check::findings;
pub use find::{Found, Function};
pub use name::Names;
pub use problem::Problem;
pub use record::{Location, MOST_RECORDS, RECORD_LENGTH, Record, Records, Stop};
pub use uuid::Uuid;

/// The table's signature.
pub const SIGNATURE: [u8; 4] = *b"VFCT";
/// Bytes of the table before its first record. Linux refuses a table that is shorter.
pub const LENGTH: usize = 0x4c;

/// A VFCT table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table<'a> {
    bytes: &'a [u8],
    header: acpi::Header,
    uuid: Uuid,
    vbios_image_offset: u32,
    lib1_image_offset: u32,
    reserved: [u32; 4],
}

impl<'a> Table<'a> {
    /// Reads the table that `bytes` begin with. For files that hold more than it, see [`acpi::find`].
    ///
    /// # Errors
    /// [`Error::NoTable`] without the signature, [`Error::Truncated`] below [`LENGTH`] bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        if !bytes.starts_with(&SIGNATURE) {
            return Err(Error::NoTable {
                signature: SIGNATURE,
                length: bytes.len(),
                first: array_at(bytes, 0),
            });
        }
        Self::decode(bytes).ok_or(Error::Truncated {
            what: "VFCT table",
            offset: 0,
            needed: LENGTH,
            available: bytes.len(),
        })
    }

    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let word = |at| u32_at(bytes, at);
        Some(Self {
            bytes,
            header: acpi::Header::parse(bytes)?,
            uuid: Uuid(array_at(bytes, 0x24)?),
            vbios_image_offset: word(0x34)?,
            lib1_image_offset: word(0x38)?,
            reserved: [word(0x3c)?, word(0x40)?, word(0x44)?, word(0x48)?],
        })
    }

    /// The table's bytes, as far as they are there.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The header that it shares with other ACPI tables.
    #[must_use]
    pub fn header(&self) -> &acpi::Header {
        &self.header
    }

    /// Table UUID: whose form of the table it is.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// VBIOS Image Offset: where the first record begins. [`LENGTH`] in all known tables.
    #[must_use]
    pub fn vbios_image_offset(&self) -> u32 {
        self.vbios_image_offset
    }

    /// Lib1 Image Offset: where a record with AMD's library for the GOP driver begins; 0 is none.
    #[must_use]
    pub fn lib1_image_offset(&self) -> u32 {
        self.lib1_image_offset
    }

    /// The four words at 3Ch, 0 in all known tables.
    #[must_use]
    pub fn reserved(&self) -> [u32; 4] {
        self.reserved
    }

    /// The records that carry a video BIOS, in the order of the table.
    #[must_use]
    pub fn records(&self) -> Records<'a> {
        Records::new(self)
    }

    /// The record at [`Table::lib1_image_offset`], if its header is in the table.
    #[must_use]
    pub fn lib1(&self) -> Option<Record<'a>> {
        let offset = usize::try_from(self.lib1_image_offset).ok().filter(|&offset| offset >= LENGTH)?;
        Record::parse(self.bytes, offset)
    }

    /// The length in bytes that the header claims.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.header.length).unwrap_or(usize::MAX)
    }

    /// The sum of the bytes that the table claims, which must be zero; `None` if they are not all there.
    #[must_use]
    pub fn sum(&self) -> Option<u8> {
        self.bytes.get(..self.length()).map(crate::checksum::sum)
    }

    /// Where the records end at the latest: with the table's claim, which is not to be believed where
    /// it is larger than what is there, or smaller than the table's own header.
    fn limit(&self) -> usize {
        match self.length() {
            length if length < LENGTH => self.bytes.len(),
            length => length.min(self.bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests;
