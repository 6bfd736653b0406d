//! Building: EFI drivers and legacy images into one chain.
//!
//! An EFI driver is a PE file and gets a header, a PCI Data Structure and, for several devices, a list
//! in front, as edk2's EfiRom lays them out. A legacy image is code with a header of its own: its
//! fields are set, and where it is older than PCI it gets a structure. Lengths, "last image" and
//! checksums come out right for each kind: a PC-AT image sums to zero, an EFI image need not.
//!
//! ```
//! use romtools::build::{Builder, Part};
//! use romtools::pcir::ClassCode;
//! use romtools::{CodeType, Rom};
//!
//! # let mut driver = vec![0u8; 0x200];
//! # driver[..2].copy_from_slice(b"MZ");
//! # driver[0x3c] = 0x40;
//! # driver[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
//! # driver[0x58..0x5a].copy_from_slice(&[0x0b, 0x02]);
//! # driver[0x9c] = 0x0b;
//! // `driver` holds a PE file.
//! let rom = Builder::new(0x1234, vec![0x1111, 0x1112])
//!     .class_code(ClassCode { base: 3, sub: 0, programming_interface: 0 })
//!     .part(Part::Efi { file: &driver, compress: false })
//!     .build()?;
//! let rom = Rom::parse(&rom).unwrap();
//! let image = rom.images().next().unwrap();
//! assert_eq!(image.code_type(), CodeType::EFI);
//! assert!(image.is_last() && image.structure().is_for(0x1234, 0x1112));
//! # Ok::<(), romtools::build::Error>(())
//! ```

use crate::edit::{self, Editor};
use crate::image::BLOCK;
use crate::pcir::{ClassCode, LENGTH_REVISION_0, LENGTH_REVISION_3};
use crate::{CodeType, Image, Rom};

mod efi;
mod error;
mod legacy;

pub use error::Error;

/// The most that a ROM may have, in bytes: UEFI's limit, 16 MiB.
pub const MAXIMUM_SIZE: usize = 16 << 20;

const WHY: &str = "asked for";

/// Which form the PCI Data Structures have that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Revision {
    /// PCI 2.x: 18h bytes, one device.
    Revision0,
    /// PCI Firmware 3.x: 1Ch bytes, any number of devices.
    #[default]
    Revision3,
}

impl Revision {
    /// The number in the structure.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Revision0 => 0,
            Self::Revision3 => 3,
        }
    }

    /// Bytes of the structure.
    #[must_use]
    pub fn length(self) -> u16 {
        match self {
            Self::Revision0 => LENGTH_REVISION_0,
            Self::Revision3 => LENGTH_REVISION_3,
        }
    }
}

/// What becomes an image, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part<'a> {
    /// An EFI driver.
    Efi {
        /// The PE file.
        file: &'a [u8],
        /// Store it compressed.
        compress: bool,
    },
    /// A PC-AT image with its header, with or without a PCI Data Structure: it gets the ids.
    Legacy(&'a [u8]),
    /// A chain of finished images, of any code type: only "last image" is set.
    Images(&'a [u8]),
}

/// What a ROM shall be.
#[derive(Debug, Clone)]
pub struct Builder<'a> {
    vendor_id: u16,
    device_ids: Vec<u16>,
    class_code: Option<ClassCode>,
    vendor_rom_revision: Option<u16>,
    revision: Revision,
    last: bool,
    parts: Vec<Part<'a>>,
}

impl<'a> Builder<'a> {
    /// A ROM for these devices of a vendor. The first stands in the structure, several in its list.
    #[must_use]
    pub fn new(vendor_id: u16, device_ids: Vec<u16>) -> Self {
        Self {
            vendor_id,
            device_ids,
            class_code: None,
            vendor_rom_revision: None,
            revision: Revision::default(),
            last: true,
            parts: Vec::new(),
        }
    }

    /// The class code: 000000 unless it is set, or what a legacy image has.
    #[must_use]
    pub fn class_code(mut self, class: ClassCode) -> Self {
        self.class_code = Some(class);
        self
    }

    /// The vendor's own version: 0 unless it is set, or what a legacy image has.
    #[must_use]
    pub fn vendor_rom_revision(mut self, revision: u16) -> Self {
        self.vendor_rom_revision = Some(revision);
        self
    }

    /// The form of the structures that are made.
    #[must_use]
    pub fn revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }

    /// If the last image says so, which it does unless this is `false`: for a chain that is put
    /// together of several.
    #[must_use]
    pub fn last(mut self, last: bool) -> Self {
        self.last = last;
        self
    }

    /// Adds an image behind those that are there.
    #[must_use]
    pub fn part(mut self, part: Part<'a>) -> Self {
        self.parts.push(part);
        self
    }

    /// The ROM: a multiple of 512 bytes.
    ///
    /// # Errors
    /// [`Error`] says which part cannot be an image, and why.
    pub fn build(&self) -> Result<Vec<u8>, Error> {
        let mut images = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            match *part {
                Part::Efi { file, compress } => images.push(self.efi_image(index, file, compress)?),
                Part::Legacy(file) => images.push(self.legacy_image(index, file)?),
                Part::Images(file) => images.extend(finished_images(index, file)?),
            }
        }
        let rom = chain(images, self.last)?;
        if rom.is_empty() {
            return Err(Error::Empty);
        }
        if rom.len() > MAXIMUM_SIZE { Err(Error::TooLarge { length: rom.len() }) } else { Ok(rom) }
    }

    /// A structure for an image of `blocks`, and the device list behind it.
    fn structure(
        &self,
        index: usize,
        code_type: CodeType,
        blocks: u16,
        run_time_blocks: u16,
    ) -> Result<Vec<u8>, Error> {
        let first = *self.device_ids.first().ok_or(Error::NoDevice)?;
        let length = self.revision.length();
        let has_list = self.device_ids.len() > 1;
        if has_list && self.revision == Revision::Revision0 {
            return Err(Error::ListNeedsRevision3 { devices: self.device_ids.len() });
        }
        if has_list && self.device_ids.contains(&0) {
            return Err(Error::Edit { part: index, error: edit::Error::DeviceZero });
        }
        let class = self.class_code.unwrap_or_default();
        let mut bytes = Vec::from(*b"PCIR");
        let mut word = |word: u16| bytes.extend(word.to_le_bytes());
        word(self.vendor_id);
        word(first);
        word(if has_list { length } else { 0 });
        word(length);
        bytes.extend([self.revision.number(), class.programming_interface, class.sub, class.base]);
        let mut word = |word: u16| bytes.extend(word.to_le_bytes());
        word(blocks);
        word(self.vendor_rom_revision.unwrap_or_default());
        bytes.extend([code_type.0, 0]);
        let mut word = |word: u16| bytes.extend(word.to_le_bytes());
        if self.revision == Revision::Revision3 {
            word(run_time_blocks);
            // Neither configuration utility nor CLP entry point.
            word(0);
            word(0);
        } else {
            word(0);
        }
        if has_list {
            self.device_ids.iter().chain([&0]).for_each(|&id| word(id));
        }
        Ok(bytes)
    }
}

/// The images of a file that is nothing but a chain, and padding.
fn finished_images(part: usize, file: &[u8]) -> Result<Vec<Editor>, Error> {
    let rom = Rom::parse(file).map_err(|error| Error::NotAnImage { part, error })?;
    let [chain] = rom.chains() else { return Err(Error::NotOneChain { part, chains: rom.chains().len() }) };
    if let Some(data) = rom.data().find(|data| !matches!(data.content(), crate::rom::Content::Padding(_))) {
        return Err(Error::OtherData { part, offset: data.offset });
    }
    chain.images().iter().map(|image| whole(part, image)).collect()
}

/// The bytes of an image, if the file has them all.
fn whole(part: usize, image: &Image<'_>) -> Result<Editor, Error> {
    if image.is_truncated() || image.length() == 0 {
        return Err(Error::Truncated { part, offset: image.offset(), length: image.length() });
    }
    Editor::new(image.bytes().to_vec()).map_err(|error| Error::NotAnImage { part, error })
}

/// Puts the images one behind the other; the last one says so, the others do not.
fn chain(mut images: Vec<Editor>, last: bool) -> Result<Vec<u8>, Error> {
    edit::set_last_of_chain(&mut images, last, "its place in the chain").map_err(Error::Chain)?;
    let mut rom = Vec::new();
    for mut image in images {
        image.correct_checksum(false).map_err(Error::Chain)?;
        rom.extend(image.finish().0);
    }
    Ok(rom)
}

/// Blocks that hold so many bytes, if a structure can say them.
fn blocks(part: usize, bytes: usize) -> Result<u16, Error> {
    let blocks = bytes.div_ceil(BLOCK);
    u16::try_from(blocks).map_err(|_| Error::ImageTooLong { part, length: bytes, most: MAXIMUM_SIZE })
}

#[cfg(test)]
mod tests;
