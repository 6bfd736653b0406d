//! Fixing: ids, class, last-image bits, sizes and checksums of a ROM that is there already.
//!
//! A new file is made; the old one stays as it is. Each write is returned as a [`Change`]. What is
//! not asked for is not touched, with one exception: an image that summed to zero does so
//! afterwards, by the checksum byte of its own kind. An image that did *not* keeps its wrong sum unless its
//! checksum is asked for: an edit should not hide damage.
//!
//! Whole-file checksums at byte 6, as rom-fixer writes them, break one in five good ROMs: the sum is
//! that of an image, and byte 6 belongs to the signature of an EFI image.
//!
//! ```
//! use romtools::Rom;
//! use romtools::fix::{self, Fixes};
//! # let mut file = vec![0u8; 512];
//! # file[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # file[0x18] = 0x1c;
//! # file[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
//! # file[511] = 0u8.wrapping_sub(romtools::checksum::sum(&file));
//!
//! // `file` is the ROM of 1b21:0612.
//! let rom = Rom::parse(&file).unwrap();
//! let fixes = Fixes { device_ids: Some(vec![0x0611]), ..Fixes::default() };
//! let fixed = fix::apply(&rom, &fixes)?;
//! let fields: Vec<_> = fixed.changes.iter().map(|change| (change.offset, change.field)).collect();
//! assert_eq!(fields, [(0x22, "Device ID"), (0x1ff, "Checksum")]);
//! # Ok::<(), romtools::fix::Error>(())
//! ```

use crate::edit::{self, Change, Editor};
use crate::image::BLOCK;
use crate::pcir::ClassCode;
use crate::rom::Content;
use crate::{Chain, Rom, checksum};

/// What shall be changed. Nothing is, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixes {
    /// The vendor id of every image for firmware.
    pub vendor_id: Option<u16>,
    /// The device ids of every image for firmware: the first in the structure, several in its list.
    pub device_ids: Option<Vec<u16>>,
    /// The class code of every image for firmware.
    pub class_code: Option<ClassCode>,
    /// The vendor ROM revision of every image for firmware.
    pub vendor_rom_revision: Option<u16>,
    /// "Last image" on the last image, and on no other.
    pub last: bool,
    /// The initialization size, made the image length.
    pub initialization_size: bool,
    /// The checksum of every image that must sum to zero and does not.
    pub checksum: bool,
    /// Only these images, counted from 0 along the first chain; all where it is empty.
    pub images: Vec<usize>,
}

impl Fixes {
    /// If nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { images: self.images.clone(), ..Self::default() }
    }

    fn wants(&self, index: usize) -> bool {
        self.images.is_empty() || self.images.contains(&index)
    }
}

/// A ROM that was fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The new file.
    pub bytes: Vec<u8>,
    /// What is different in it, in the order in which it was done.
    pub changes: Vec<Change>,
}

/// Why a ROM was not fixed: then nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Ids of a ROM that has no place for any.
    #[error("an ISA ROM has no PCI Data Structure: only its checksum and size can be fixed")]
    NoStructure,
    /// A number that is no image of the first chain.
    #[error("there is no image {index}: the chain has {images}, counted from 0")]
    NoImage {
        /// The number.
        index: usize,
        /// How many there are.
        images: usize,
    },
    /// An image that cannot be changed.
    #[error("image {index} @{offset:x}h: {error}")]
    Edit {
        /// Its number along the first chain.
        index: usize,
        /// Where it begins in the file.
        offset: usize,
        /// Why.
        error: edit::Error,
    },
    /// An image became longer and something stands behind the chain.
    #[error("the chain would grow into the data behind it, at {offset:x}h")]
    DataBehind {
        /// Where that begins.
        offset: usize,
    },
}

impl Error {
    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoStructure => "`build --legacy` gives an ISA ROM a PCI Data Structure",
            Self::NoImage { .. } => "`info` lists the images",
            Self::Edit { error, .. } => error.advice(),
            Self::DataBehind { .. } => "cut the ROM out of the file first, with `cut`",
        }
    }
}

/// Fixes the first chain of a file: what a firmware would run. What is before and behind it stays.
///
/// # Errors
/// [`Error`], where what was asked for cannot be done.
pub fn apply(rom: &Rom<'_>, fixes: &Fixes) -> Result<Fixed, Error> {
    let Some(chain) = rom.chains().first() else { return isa(rom, fixes) };
    let count = chain.images().len();
    if let Some(&index) = fixes.images.iter().find(|&&index| index >= count) {
        return Err(Error::NoImage { index, images: count });
    }
    let at = |index: usize, error| Error::Edit {
        index,
        offset: chain.images().get(index).map_or(chain.offset(), crate::Image::offset),
        error,
    };
    let mut images = Vec::with_capacity(count);
    for (index, image) in chain.images().iter().enumerate() {
        // It was an image a moment ago, if with bytes that are not its own.
        let editor =
            Editor::new(image.bytes().to_vec()).map_err(|_| at(index, edit::Error::StructureOutside))?;
        images.push(editor);
    }
    for (index, image) in images.iter_mut().enumerate().filter(|(index, _)| fixes.wants(*index)) {
        fields(image, fixes).map_err(|error| at(index, error))?;
    }
    if fixes.last {
        edit::set_last_of_chain(&mut images, true, "its place in the chain").map_err(|error| at(0, error))?;
    }
    let mut new = Vec::new();
    let mut changes = Vec::new();
    for (index, mut image) in images.into_iter().enumerate() {
        image.correct_checksum(fixes.checksum && fixes.wants(index)).map_err(|error| at(index, error))?;
        let begin = chain.offset() + new.len();
        let (bytes, edits) = image.finish();
        new.extend(bytes);
        changes.extend(edits.into_iter().map(|edit| Change { offset: begin + edit.offset, ..edit }));
    }
    let file = rom.file();
    let mut bytes = file[..chain.offset()].to_vec();
    bytes.extend(&new);
    bytes.extend(&file[room_behind(rom, chain, new.len())?..]);
    Ok(Fixed { bytes, changes })
}

fn fields(image: &mut Editor, fixes: &Fixes) -> Result<(), edit::Error> {
    const WHY: &str = "asked for";
    if image.is_for_firmware() {
        if let Some(id) = fixes.vendor_id {
            image.set_vendor_id(id, WHY)?;
        }
        if let Some(ids) = &fixes.device_ids {
            image.set_device_ids(ids, WHY)?;
        }
        if let Some(class) = fixes.class_code {
            image.set_class_code(class, WHY)?;
        }
        if let Some(revision) = fixes.vendor_rom_revision {
            image.set_vendor_rom_revision(revision, WHY)?;
        }
    }
    if fixes.initialization_size {
        image.set_initialization_size("the image length differs")?;
    }
    Ok(())
}

/// Where in the old file goes on what stands behind the new chain of `length` bytes.
fn room_behind(rom: &Rom<'_>, chain: &Chain<'_>, length: usize) -> Result<usize, Error> {
    let end = chain.end();
    let grown = chain.offset() + length - end;
    if grown == 0 {
        return Ok(end);
    }
    // Padding gives way, and so does the end of the file.
    match rom.data().find(|data| data.offset == end) {
        Some(data) if matches!(data.content(), Content::Padding(_)) => Ok(end + grown.min(data.bytes.len())),
        None if end == rom.file().len() => Ok(end),
        _ => Err(Error::DataBehind { offset: end }),
    }
}

/// An ISA ROM: its size and its checksum.
fn isa(rom: &Rom<'_>, fixes: &Fixes) -> Result<Fixed, Error> {
    let asked = Fixes { last: false, initialization_size: false, checksum: false, ..fixes.clone() };
    if !asked.is_empty() {
        return Err(Error::NoStructure);
    }
    let mut bytes = rom.file().to_vec();
    let mut changes = Vec::new();
    let mut put = |bytes: &mut Vec<u8>, at: usize, new: u8, field, why: String| {
        let old = std::mem::replace(&mut bytes[at], new);
        if old != new {
            changes.push(Change { offset: at, old: vec![old], new: vec![new], field, why: why.into() });
        }
    };
    if fixes.initialization_size
        && let Ok(size) = u8::try_from(bytes.len() / BLOCK)
        && bytes.len().is_multiple_of(BLOCK)
        && size > 0
    {
        put(&mut bytes, 2, size, "Initialization Size", "the file has another length".into());
    }
    let length = bytes.get(2).map_or(0, |&blocks| usize::from(blocks) * BLOCK);
    if fixes.checksum
        && let Some(image) = bytes.get(..length)
        && let Some(at) = checksum::place(image)
    {
        let sum = checksum::sum(image);
        let byte = image[at].wrapping_sub(sum);
        put(&mut bytes, at, byte, "Checksum", format!("the image summed to {sum:02x}h instead of 00h"));
    }
    Ok(Fixed { bytes, changes })
}

#[cfg(test)]
mod tests;
