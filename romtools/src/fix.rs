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
//! let fixes = Fixes::default().device_ids(vec![0x0611]);
//! let fixed = fix::apply(&rom, &fixes)?;
//! let fields: Vec<_> = fixed.changes.iter().map(|change| (change.offset, change.field)).collect();
//! assert_eq!(fields, [(0x22, "Device ID"), (0x1ff, "Checksum")]);
//! # Ok::<(), romtools::fix::Error>(())
//! ```

use crate::edit::{self, Change, Editor};
use crate::header::Header;
use crate::image::BLOCK;
use crate::pcir::ClassCode;
use crate::rom::Content;
use crate::{Chain, Image, Rom, checksum, error};

/// What shall be changed. Nothing is, by default; each setter adds something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Only these images, counted from 0 along the chain for firmware; all where it is empty.
    pub images: Vec<usize>,
    /// Also a ROM whose last image the file does not hold as a whole.
    pub damaged: bool,
}

impl Fixes {
    /// Sets [`Fixes::vendor_id`].
    #[must_use]
    pub fn vendor_id(mut self, id: u16) -> Self {
        self.vendor_id = Some(id);
        self
    }

    /// Sets [`Fixes::device_ids`].
    #[must_use]
    pub fn device_ids(mut self, ids: Vec<u16>) -> Self {
        self.device_ids = Some(ids);
        self
    }

    /// Sets [`Fixes::class_code`].
    #[must_use]
    pub fn class_code(mut self, class: ClassCode) -> Self {
        self.class_code = Some(class);
        self
    }

    /// Sets [`Fixes::vendor_rom_revision`].
    #[must_use]
    pub fn vendor_rom_revision(mut self, revision: u16) -> Self {
        self.vendor_rom_revision = Some(revision);
        self
    }

    /// Sets [`Fixes::last`].
    #[must_use]
    pub fn last(mut self, set: bool) -> Self {
        self.last = set;
        self
    }

    /// Sets [`Fixes::initialization_size`].
    #[must_use]
    pub fn initialization_size(mut self, set: bool) -> Self {
        self.initialization_size = set;
        self
    }

    /// Sets [`Fixes::checksum`].
    #[must_use]
    pub fn checksum(mut self, correct: bool) -> Self {
        self.checksum = correct;
        self
    }

    /// Sets [`Fixes::images`].
    #[must_use]
    pub fn images(mut self, images: Vec<usize>) -> Self {
        self.images = images;
        self
    }

    /// Sets [`Fixes::damaged`].
    #[must_use]
    pub fn damaged(mut self, also: bool) -> Self {
        self.damaged = also;
        self
    }

    /// If nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { images: self.images.clone(), damaged: self.damaged, ..Self::default() }
    }

    fn wants(&self, index: usize) -> bool {
        self.images.is_empty() || self.images.contains(&index)
    }
}

/// A ROM that was fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// A file with a vendor's private images only.
    #[error("no image in the file is for firmware: all are a vendor's private ones")]
    NothingForFirmware,
    /// The ROM is not whole, and its checksum cannot be right, or damaged ones were not asked for.
    #[error("{}", error::cut_short(*offset, *length, *available))]
    Truncated {
        /// Where the image begins.
        offset: usize,
        /// What it claims.
        length: usize,
        /// What is there.
        available: usize,
        /// If it is for the checksum alone that it must be whole.
        for_checksum: bool,
    },
    /// Something was asked for that none of the images has.
    #[error("{what} cannot be set: none of the images that were asked for has it")]
    AppliesToNothing {
        /// What it is.
        what: &'static str,
    },
    /// A number that is no image of the chain for firmware.
    #[error("there is no image {index}: the chain has {images}, counted from 0")]
    NoImage {
        /// The number.
        index: usize,
        /// How many there are.
        images: usize,
    },
    /// An ISA ROM whose file is no length for it.
    #[error(
        "{length:x}h bytes cannot be the size of an ISA ROM: it is a multiple of 200h, and 1fe00h at most"
    )]
    IsaSize {
        /// The file's length, up to what follows the ROM.
        length: usize,
    },
    /// An image that cannot be changed.
    #[error("image {index} @{offset:x}h: {error}")]
    Edit {
        /// Its number along the chain for firmware.
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
            Self::NothingForFirmware => {
                "dump the whole flash chip: the images for firmware are elsewhere in it"
            }
            Self::Truncated { for_checksum: true, .. } => {
                "the checksum is that of the whole image: dump the ROM again, or leave --checksum out"
            }
            Self::Truncated { .. } => {
                "dump the ROM again, or change what is there all the same with --damaged"
            }
            Self::AppliesToNothing { .. } => {
                "`info` lists the images; a vendor's private ones keep their ids, EFI images need no checksum"
            }
            Self::NoImage { .. } => "`info` lists the images",
            Self::IsaSize { .. } => "cut off or put behind it what is missing, or dump the ROM again",
            Self::Edit { error, .. } => error.advice(),
            Self::DataBehind { .. } => "cut the ROM out of the file first, with `cut`",
        }
    }
}

/// Fixes the chain of a file that a firmware would run. What is before and behind it stays.
///
/// # Errors
/// [`Error`], where what was asked for cannot be done.
pub fn apply(rom: &Rom<'_>, fixes: &Fixes) -> Result<Fixed, Error> {
    let Some(chain) = rom.chain_for_firmware() else { return isa(rom, fixes) };
    let count = chain.images().len();
    if let Some(&index) = fixes.images.iter().find(|&&index| index >= count) {
        return Err(Error::NoImage { index, images: count });
    }
    applies(chain, fixes)?;
    let at = |index: usize, error| Error::Edit {
        index,
        offset: chain.images().get(index).map_or(chain.offset(), Image::offset),
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

/// If everything that is asked for can be done to one image at least: a copy in which nothing changed looks like success.
fn applies(chain: &Chain<'_>, fixes: &Fixes) -> Result<(), Error> {
    let wanted = || chain.images().iter().enumerate().filter(|(index, _)| fixes.wants(*index));
    let any = |what, fits: &dyn Fn(&Image<'_>) -> bool| {
        let applies = wanted().any(|(_, image)| fits(image));
        if applies { Ok(()) } else { Err(Error::AppliesToNothing { what }) }
    };
    if let Some(image) = chain.images().iter().find(|image| image.is_truncated()) {
        let required = checksum::is_required(image.code_type());
        let for_checksum =
            fixes.checksum && required && wanted().any(|(_, other)| other.offset() == image.offset());
        if !fixes.is_empty() && (for_checksum || !fixes.damaged) {
            let (offset, length, available) = (image.offset(), image.length(), image.bytes().len());
            return Err(Error::Truncated { offset, length, available, for_checksum });
        }
    }
    for (what, is_asked) in [
        ("the vendor id", fixes.vendor_id.is_some()),
        ("the device id", fixes.device_ids.is_some()),
        ("the class code", fixes.class_code.is_some()),
        ("the vendor ROM revision", fixes.vendor_rom_revision.is_some()),
    ] {
        if is_asked {
            any(what, &edit::is_for_firmware)?;
        }
    }
    if fixes.initialization_size {
        any("the initialization size", &|image| matches!(image.header(), Header::PcAt(_) | Header::Efi(_)))?;
    }
    // EFI images beside others are left as they are; alone, they have none to be corrected.
    if *fixes
        == (Fixes {
            checksum: true,
            images: fixes.images.clone(),
            damaged: fixes.damaged,
            ..Fixes::default()
        })
    {
        any("the checksum", &|image| checksum::is_required(image.code_type()))?;
    }
    Ok(())
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
    let Some(legacy) = rom.legacy() else { return Err(Error::NothingForFirmware) };
    let asked = Fixes { last: false, initialization_size: false, checksum: false, ..fixes.clone() };
    let only_last = fixes.last && !fixes.initialization_size && !fixes.checksum;
    if !asked.is_empty() || only_last {
        return Err(Error::NoStructure);
    }
    let mut bytes = rom.file().to_vec();
    // A vendor's private images may follow.
    let end = rom.chains().first().map_or(bytes.len(), Chain::offset);
    let mut changes = Vec::new();
    let mut put = |bytes: &mut Vec<u8>, at: usize, new: u8, field, why: String| {
        let old = std::mem::replace(&mut bytes[at], new);
        if old != new {
            changes.push(Change { offset: at, old: vec![old], new: vec![new], field, why: why.into() });
        }
    };
    let is_right = !legacy.is_truncated() && legacy.length() != 0 && legacy.sum() == 0;
    if fixes.initialization_size && !is_right {
        let length = without_padding(&bytes[..end]).next_multiple_of(BLOCK);
        let size = u8::try_from(length / BLOCK).ok().filter(|&size| size > 0 && length <= end);
        let size = size.ok_or(Error::IsaSize { length: end })?;
        put(&mut bytes, 2, size, "Initialization Size", "the ROM in the file has another length".into());
    }
    let length = bytes.get(2).map_or(0, |&blocks| usize::from(blocks) * BLOCK);
    let for_checksum = fixes.checksum;
    if !fixes.is_empty() && length > end && (for_checksum || !fixes.damaged) {
        let available = legacy.bytes().len();
        return Err(Error::Truncated { offset: 0, length, available, for_checksum });
    }
    if for_checksum {
        let image = bytes.get(..length).unwrap_or_default();
        let none = Error::Edit { index: 0, offset: 0, error: edit::Error::NoChecksumByte };
        let at = checksum::place(image).ok_or(none)?;
        let sum = checksum::sum(image);
        let byte = image[at].wrapping_sub(sum);
        put(&mut bytes, at, byte, "Checksum", format!("the image summed to {sum:02x}h instead of 00h"));
    }
    Ok(Fixed { bytes, changes })
}

/// Bytes of a file up to the padding at its end, one byte (00h or FFh) over and over.
fn without_padding(bytes: &[u8]) -> usize {
    match bytes.last() {
        Some(&last @ (0 | 0xff)) => bytes.iter().rposition(|&byte| byte != last).map_or(0, |at| at + 1),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests;
