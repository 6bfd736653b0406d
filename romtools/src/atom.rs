//! ATOM BIOS: what is inside the video BIOS of an AMD (ATI) GPU since about 2005.
//!
//! The PC-AT image of such a GPU holds more than code for a legacy BIOS: a header, found by a pointer
//! at 48h, leads to *data tables* (clocks, voltages, connectors) and *command tables* (bytecode that
//! posts the card). Linux' drivers need them whatever firmware booted the host, and so does the
//! driver in a guest: this is what a `romfile` is for. Two generations exist: legacy "atombios" (header
//! revision 1.x, up to Polaris and Bristol Ridge) and "atomfirmware" (2.x, Vega and Raven on).
//!
//! Layout and names are those of AMD's headers `atombios.h` and `atomfirmware.h`.
//!
//! ```
//! # let mut image = vec![0u8; 512];
//! # image[..2].copy_from_slice(&[0x55, 0xaa]);
//! # image[0x2f] = 4;
//! # image[0x30..0x3a].copy_from_slice(b" 761295520");
//! # image[0x48] = 0xc0;
//! # image[0x50..0x61].copy_from_slice(b"09/15/23,12:20:39");
//! # image[0x6e] = 0x80;
//! # image[0x80..0x9d].copy_from_slice(b"113-EXAMPLE-001\0EXAMPLE\0PCIE\0");
//! # image[0xc0..0xc8].copy_from_slice(b"\x2c\0\x02\x03ATOM");
//! use romtools::atom::{AtomBios, Generation};
//!
//! // `image` is the PC-AT image of a ROM, or what a VFCT record holds.
//! let atom = AtomBios::parse(&image)?;
//! assert_eq!(atom.header().generation(), Some(Generation::AtomFirmware));
//! assert_eq!(atom.part_number(), Some(&b"113-EXAMPLE-001"[..]));
//! assert_eq!(atom.build_date().unwrap().to_string(), "2023-09-15 12:20:39");
//! # Ok::<(), romtools::atom::NotAtom>(())
//! ```

use crate::bytes::{array_at, u16_at};

mod check;
mod firmware_info;
mod header;
mod names;
mod problem;
mod strings;
mod tables;
pub(crate) mod text;

pub(crate) use check::check;
pub use firmware_info::FirmwareInfo;
pub use header::{Generation, Header};
pub use problem::Problem;
pub use strings::{BuildDate, Strings};
pub use tables::{MasterTable, Table, TableHeader, Tables};

/// What stands at 30h of every video BIOS of ATI and AMD, ATOM or older.
pub const ATI_MAGIC: [u8; 10] = *b" 761295520";
/// Where [`ATI_MAGIC`] stands.
const MAGIC_AT: usize = 0x30;
/// The pointer to the ATOM header.
const HEADER_POINTER: usize = 0x48;
/// Where the PSP directory's signature is checked.
const PSP_SIGNATURE: [u8; 4] = *b"$PSP";

/// Why an image is no ATOM BIOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAtom {
    /// It has not even [`ATI_MAGIC`]: some other vendor's.
    #[error("it is no video BIOS of ATI or AMD")]
    NoMagic,
    /// It is ATI's, and the pointer at 48h does not lead to `ATOM`: older than ATOM, or damaged.
    #[error("the pointer at 48h leads to {pointer:x}h, where there is no ATOM header")]
    NoHeader {
        /// The pointer.
        pointer: u16,
    },
}

/// The ATOM BIOS in an image. All offsets count from the start of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtomBios<'a> {
    image: &'a [u8],
    header: Header,
}

impl<'a> AtomBios<'a> {
    /// Finds the ATOM header of an image, with the checks of `amdgpu`: the magic at 30h, and `ATOM`
    /// in the header.
    ///
    /// # Errors
    /// [`NotAtom`], also for an image that ends before its header does.
    pub fn parse(image: &'a [u8]) -> Result<Self, NotAtom> {
        if array_at(image, MAGIC_AT) != Some(ATI_MAGIC) {
            return Err(NotAtom::NoMagic);
        }
        let pointer = u16_at(image, HEADER_POINTER).unwrap_or_default();
        // In ROMs that are older the word at 48h is code.
        let header = Some(pointer).filter(|&pointer| pointer != 0).and_then(|at| Header::parse(image, at));
        header.map(|header| Self { image, header }).ok_or(NotAtom::NoHeader { pointer })
    }

    /// The image, from its first byte.
    #[must_use]
    pub fn image(&self) -> &'a [u8] {
        self.image
    }

    /// The ATOM ROM header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The byte at 21h that makes the image sum to zero; AMD's tools correct this one.
    #[must_use]
    pub fn checksum_byte(&self) -> Option<u8> {
        self.image.get(0x21).copied()
    }

    /// Where the directory of the Platform Security Processor begins, if there is one at the header's pointer.
    #[must_use]
    pub fn psp_directory(&self) -> Option<usize> {
        let offset = usize::try_from(self.header.psp_directory_table_offset?).ok()?;
        (offset != 0 && array_at(self.image, offset) == Some(PSP_SIGNATURE)).then_some(offset)
    }

    /// The data tables: what the board is like.
    #[must_use]
    pub fn data_tables(&self) -> MasterTable<'a> {
        MasterTable::parse(
            self.image,
            self.header.master_data_table_offset,
            names::data(self.header.generation()),
        )
    }

    /// The command tables: bytecode that posts the card and sets modes.
    #[must_use]
    pub fn command_tables(&self) -> MasterTable<'a> {
        MasterTable::parse(
            self.image,
            self.header.master_command_table_offset,
            names::command(self.header.generation()),
        )
    }

    /// The data table with clocks, voltages and the scratch registers; `None` if there is none, or in a
    /// form that is not known.
    #[must_use]
    pub fn firmware_info(&self) -> Option<FirmwareInfo> {
        let table = self.data_tables().tables().find(|table| table.index == FirmwareInfo::INDEX)?;
        FirmwareInfo::parse(self.image.get(usize::from(table.offset)..)?)
    }
}

#[cfg(test)]
mod tests;
