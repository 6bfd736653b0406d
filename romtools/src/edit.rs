//! One image, changed: what `build` and `fix` have in common.
//!
//! Each write is noted as a [`Change`], so that a user can see what was done to a ROM and why. Lengths
//! that say the same in several places (`PCIR`, NVIDIA's extension, the header) are kept alike.
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
//! // `file` is the PC-AT ROM of 1b21:0612.
//! let fixed = fix::apply(&Rom::parse(&file)?, &Fixes::default().vendor_id(0x1b22))?;
//! for change in &fixed.changes {
//!     println!("{:x}h: {} {:02x?} -> {:02x?}", change.offset, change.field, change.old, change.new);
//! }
//! assert_eq!((fixed.changes[0].offset, fixed.changes[0].field), (0x20, "Vendor ID"));
//! assert_eq!(fixed.changes[1].why, "the image's other bytes changed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use crate::checksum::{self, Verdict};
use crate::header::Header;
use crate::image::BLOCK;
use crate::pcir::{ClassCode, LENGTH_REVISION_3};
use crate::{CodeType, Image};

mod grow;

/// Bytes that were changed, or put in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where, in the new file.
    pub offset: usize,
    /// What was there; empty where bytes were put in.
    pub old: Vec<u8>,
    /// What is there now.
    pub new: Vec<u8>,
    /// The field, in the specification's words.
    pub field: &'static str,
    /// The reason, in a few words.
    pub why: Cow<'static, str>,
}

/// Why an image could not be changed as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A longer list, or the structure that holds it, has no place.
    #[error("the device list has no place in the image: {reason}")]
    NoRoom {
        /// What is in the way.
        reason: &'static str,
    },
    /// Fields of the image lie upon each other, so that a write to one destroyed another.
    #[error("fields of the image lie upon each other")]
    Overlap,
    /// The image is too short for its own structure, or claims no length at all.
    #[error("the PCI Data Structure lies outside of its image")]
    StructureOutside,
    /// No byte of the image can take the checksum.
    #[error("no byte of the image is free for the checksum")]
    NoChecksumByte,
    /// The initialization part is shorter than the image, did not sum to zero, and no byte of it is known to be free.
    #[error(
        "the {size:x}h bytes of the initialization size sum to {sum:02x}h, and the last of them may be code"
    )]
    NoInitializationByte {
        /// The initialization size in bytes.
        size: usize,
        /// What they sum to.
        sum: u8,
    },
    /// The list, or the structure that holds it, would be farther behind than its pointer reaches.
    #[error("the device list would be at {at:x}h of the image, and a pointer to it has 16 bits")]
    OutOfReach {
        /// Where its place would be, from the start of the image.
        at: usize,
    },
    /// A list of devices without any.
    #[error("the list of device ids is empty")]
    NoDevice,
    /// A list of devices that holds its own end.
    #[error("0000 ends a device list and cannot be in it")]
    DeviceZero,
    /// An image that would be longer than its fields can say.
    #[error("the image would have {blocks} blocks of 512 bytes; its header can say {most}")]
    TooLong {
        /// The length in blocks.
        blocks: usize,
        /// What fits into the field.
        most: usize,
    },
}

impl Error {
    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoRoom { .. } => "give one device id only, or change only the other images with --image",
            Self::OutOfReach { .. } => {
                "an image of 64 KiB or more takes one device id: make one ROM for each device"
            }
            Self::Overlap | Self::StructureOutside => "the header is damaged: dump the ROM again",
            Self::NoChecksumByte => {
                "a structure is where the checksum would be, and no padding is in the image: assemble it anew with a byte \
                 set aside"
            }
            Self::NoInitializationByte { .. } => {
                "`romtools fix --init-size` makes it the image length, whose sum has a byte of its own; without \
                 --checksum it is left alone"
            }
            Self::NoDevice | Self::DeviceZero => "give the ids as hexadecimal numbers from 1 to ffff",
            Self::TooLong { .. } => "leave something out: a PC-AT image has at most 127.5 KiB",
        }
    }
}

/// An image in the making. After an error it is of no use.
#[derive(Debug, Clone)]
pub(crate) struct Editor {
    bytes: Vec<u8>,
    changes: Vec<Change>,
    was_good: Sums,
}

/// Which sums of a PC-AT image are zero.
#[derive(Debug, Clone, Copy)]
struct Sums {
    /// That of the image length.
    image: bool,
    /// That of the initialization size, if it does not reach behind the image: SeaBIOS runs it.
    initialization: bool,
}

impl Sums {
    fn of(image: &Image<'_>) -> Self {
        let is_zero = |end| image.bytes().get(..end).is_some_and(|bytes| checksum::sum(bytes) == 0);
        let whole = is_zero(image.length());
        let initialization = match initialization_size(image) {
            Some(size) if size == image.length() => whole,
            size => size.is_some_and(is_zero),
        };
        Self { image: whole, initialization }
    }
}

/// The bytes that a BIOS copies and sums, if there are any and the image has them.
fn initialization_size(image: &Image<'_>) -> Option<usize> {
    let Header::PcAt(header) = image.header() else { return None };
    let size = usize::from(header.initialization_size) * BLOCK;
    (size != 0 && size <= image.length()).then_some(size)
}

impl Editor {
    /// Takes the bytes of one whole image.
    pub(crate) fn new(bytes: Vec<u8>) -> crate::Result<Self> {
        let was_good = Sums::of(&Image::parse(&bytes, 0)?);
        Ok(Self { bytes, changes: Vec::new(), was_good })
    }

    /// The image as it is now.
    ///
    /// # Errors
    /// [`Error::Overlap`]: a hostile image can have its fields where its signatures are.
    pub(crate) fn image(&self) -> Result<Image<'_>, Error> {
        Image::parse(&self.bytes, 0).map_err(|_| Error::Overlap)
    }

    /// The bytes and what was done to them, with offsets from the start of the image.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<Change>) {
        (self.bytes, self.changes)
    }

    /// Writes bytes that the image has already; nothing happens where they are equal.
    fn put(&mut self, at: usize, new: &[u8], field: &'static str, why: impl Into<Cow<'static, str>>) {
        let Some(old) = self.bytes.get_mut(at..at + new.len()) else { return };
        if old != new {
            let change = Change { offset: at, old: old.to_vec(), new: new.to_vec(), field, why: why.into() };
            old.copy_from_slice(new);
            self.changes.push(change);
        }
    }

    /// Writes into the PCI Data Structure.
    fn put_in_structure(
        &mut self,
        offset: usize,
        new: &[u8],
        field: &'static str,
        why: &'static str,
    ) -> Result<(), Error> {
        let at = usize::from(self.image()?.structure().pointer) + offset;
        self.put(at, new, field, why);
        Ok(())
    }

    /// Where NVIDIA's extension is, if the image has one.
    fn extension(&self) -> Result<Option<usize>, Error> {
        let image = self.image()?;
        Ok(image.npde().map(|_| image.structure().extension_offset()))
    }

    pub(crate) fn set_vendor_id(&mut self, id: u16, why: &'static str) -> Result<(), Error> {
        self.put_in_structure(4, &id.to_le_bytes(), "Vendor ID", why)
    }

    pub(crate) fn set_class_code(&mut self, class: ClassCode, why: &'static str) -> Result<(), Error> {
        let bytes = [class.programming_interface, class.sub, class.base];
        self.put_in_structure(0x0d, &bytes, "Class Code", why)
    }

    pub(crate) fn set_vendor_rom_revision(&mut self, revision: u16, why: &'static str) -> Result<(), Error> {
        self.put_in_structure(0x12, &revision.to_le_bytes(), "Vendor ROM Revision Level", why)
    }

    /// The device id, and the list if there is more than one.
    pub(crate) fn set_device_ids(&mut self, ids: &[u16], why: &'static str) -> Result<(), Error> {
        let first = *ids.first().ok_or(Error::NoDevice)?;
        if ids.len() > 1 {
            if ids.contains(&0) {
                return Err(Error::DeviceZero);
            }
            self.set_device_list(ids, why)?;
        } else if self.image()?.structure().has_device_list() {
            self.put_in_structure(8, &[0, 0], "Device List Pointer", "one device id needs no list")?;
        }
        self.put_in_structure(6, &first.to_le_bytes(), "Device ID", why)
    }

    fn set_device_list(&mut self, ids: &[u16], why: &'static str) -> Result<(), Error> {
        let list: Vec<u8> = ids.iter().chain([&0]).flat_map(|id| id.to_le_bytes()).collect();
        let image = self.image()?;
        let pcir = image.structure();
        let pointer = pcir.device_list_pointer;
        // A structure may count the list as a part of itself; its known fields are none.
        let is_sound =
            pcir.has_device_list() && pointer >= LENGTH_REVISION_3 && pcir.device_list().is_terminated();
        let room = if is_sound { 2 * (pcir.device_list().count() + 1) } else { 0 };
        // A list without an end of its own can run into NVIDIA's extension, and one in a driver is a part of that.
        let begin = pcir.device_list_offset();
        let length = usize::from(image.npde().map_or(0, |npde| npde.length));
        let runs_into = self.extension()?.is_some_and(|at| begin < at + length && at < begin + room)
            || matches!(image.header(), Header::Efi(efi) if begin + room > usize::from(efi.image_offset));
        if runs_into || room < list.len() {
            return self.place_device_list(&list, why);
        }
        self.put_in_structure(usize::from(pointer), &list, "Device List", why)
    }

    /// The last-image bit of `PCIR`, and that of NVIDIA's extension where it has one.
    pub(crate) fn set_last(&mut self, pcir: bool, npde: bool, why: &'static str) -> Result<(), Error> {
        let with = |byte: u8, last| if last { byte | 0x80 } else { byte & 0x7f };
        let wanted = with(self.image()?.structure().indicator.0, pcir);
        self.put_in_structure(0x15, &[wanted], "Last Image Indicator", why)?;
        let has_bit = self.image()?.npde().is_some_and(|npde| npde.last.is_some());
        if let Some(at) = self.extension()?.filter(|_| has_bit) {
            let byte = self.bytes.get(at + 0x0a).copied().unwrap_or_default();
            self.put(at + 0x0a, &[with(byte, npde)], "NPDE Last Image", why);
        }
        // Its short form has no such bit: there, a sub-image that is shorter than the structure says is not the last.
        let sub_image = self.image()?.npde().map(|npde| npde.sub_image_length);
        if let Some(blocks) = sub_image.filter(|blocks| npde && !has_bit && *blocks != 0) {
            self.put_in_structure(0x10, &blocks.to_le_bytes(), "Image Length", why)?;
        }
        Ok(())
    }

    /// The image length everywhere: `PCIR` and NVIDIA's extension.
    fn set_length(&mut self, blocks: usize, why: &'static str) -> Result<(), Error> {
        let most = usize::from(u16::MAX);
        let words = u16::try_from(blocks).map_err(|_| Error::TooLong { blocks, most })?.to_le_bytes();
        let counts = self.image()?.npde().is_some_and(|npde| npde.sub_image_length != 0);
        let extension = self.extension()?.filter(|_| counts);
        self.put_in_structure(0x10, &words, "Image Length", why)?;
        if let Some(at) = extension {
            self.put(at + 8, &words, "NPDE Sub-image Length", why);
        }
        Ok(())
    }

    /// The initialization size of the header, made the image length.
    pub(crate) fn set_initialization_size(&mut self, why: &'static str) -> Result<(), Error> {
        let image = self.image()?;
        let blocks = image.length() / BLOCK;
        match image.header() {
            Header::PcAt(_) => self.put_initialization_size(blocks, true, why),
            Header::Efi(_) => self.put_initialization_size(blocks, false, why),
            _ => Ok(()),
        }
    }

    /// The initialization size of a PC-AT image is a byte, that of an EFI image a word.
    fn put_initialization_size(
        &mut self,
        blocks: usize,
        is_byte: bool,
        why: &'static str,
    ) -> Result<(), Error> {
        let most = usize::from(if is_byte { u16::from(u8::MAX) } else { u16::MAX });
        if blocks > most {
            return Err(Error::TooLong { blocks, most });
        }
        let [low, high, ..] = blocks.to_le_bytes();
        self.put(2, &[low, high][..if is_byte { 1 } else { 2 }], "Initialization Size", why);
        Ok(())
    }

    /// Makes sums zero where they must be: after an edit those that were zero before, or all if `always`. Damage that was
    /// there before is not hidden by an edit of something else.
    ///
    /// A PC-AT image has two: that of its length, which the standard wants, and that of its initialization size, which
    /// SeaBIOS goes by. Where the second is the shorter, it has a byte of its own, and the first one in what is behind. The
    /// standard knows no such byte: only a part that summed to zero is taken to end with one.
    pub(crate) fn correct_checksum(&mut self, always: bool) -> Result<(), Error> {
        let image = self.image()?;
        if !checksum::is_required(image.code_type()) || image.is_truncated() || image.length() == 0 {
            return Ok(());
        }
        let length = image.length();
        let initialization = initialization_size(&image);
        let is_due = !matches!(image.checksum(), Verdict::NotRequired { .. });
        let was = self.was_good;
        let mut begin = 0;
        let was_zero = |end| was.initialization || end == length && was.image;
        if let Some(end) = initialization.filter(|&end| always || was_zero(end)) {
            let sum = self.bytes.get(..end).map_or(0, checksum::sum);
            let is_set_aside = || was_zero(end) || end == length || self.has_place_set_aside(end);
            if sum != 0 && !is_set_aside() {
                return Err(Error::NoInitializationByte { size: end, sum });
            }
            self.make_zero(0, end, was_zero(end))?;
            begin = end;
        }
        if begin < length && (always && is_due || was.image) {
            self.make_zero(begin, length, was.image)?;
        }
        let now = Sums::of(&self.image()?);
        let is_lost = was.initialization && !now.initialization || was.image && !now.image;
        if is_lost {
            return Err(Error::Overlap);
        }
        if always {
            // By chance or not, it is right: edits that follow shall keep it so.
            self.was_good = now;
        }
        Ok(())
    }

    /// If the byte that [`Editor::make_zero`] would write in front of `end` is a builder's own, or padding.
    fn has_place_set_aside(&self, end: usize) -> bool {
        let place = checksum::place_set_aside_in(&self.bytes, 0..end);
        place.is_some() && place == checksum::place_in(&self.bytes, 0..end)
    }

    /// Makes the first bytes of the image, up to `end`, sum to zero, by one that is not in front of `begin`.
    fn make_zero(&mut self, begin: usize, end: usize, was_good: bool) -> Result<(), Error> {
        let sum = self.bytes.get(..end).map_or(0, checksum::sum);
        if sum == 0 {
            return Ok(());
        }
        let why = if was_good {
            Cow::Borrowed("the image's other bytes changed")
        } else {
            Cow::Owned(format!("the image summed to {sum:02x}h instead of 00h"))
        };
        let at = checksum::place_in(&self.bytes, begin..end).ok_or(Error::NoChecksumByte)?;
        let byte = self.bytes.get(at).copied().unwrap_or_default().wrapping_sub(sum);
        self.put(at, &[byte], "Checksum", why);
        if self.bytes.get(..end).is_some_and(|bytes| checksum::sum(bytes) == 0) {
            Ok(())
        } else {
            Err(Error::Overlap)
        }
    }

    /// If it is one of the code types that firmware knows, and not a vendor's private image.
    pub(crate) fn is_for_firmware(&self) -> bool {
        self.image().is_ok_and(|image| is_for_firmware(&image))
    }
}

/// Sets "last image" along a chain: firmware's last image says so in `PCIR`, and the last of all, in
/// NVIDIA's extension too. Behind firmware's there may be a vendor's private ones.
pub(crate) fn set_last_of_chain(images: &mut [Editor], last: bool, why: &'static str) -> Result<(), Error> {
    let end = images.len().saturating_sub(1);
    let for_firmware = images.iter().rposition(Editor::is_for_firmware).unwrap_or(end);
    for (index, image) in images.iter_mut().enumerate() {
        let is_end = last && index == end;
        let pcir = match index {
            _ if !last => false,
            _ if index < for_firmware => false,
            _ if index == for_firmware => true,
            // Among a vendor's private images the extension decides; where there is none, `PCIR` does.
            _ if image.image()?.npde().is_some_and(|npde| npde.last.is_some()) => {
                image.image()?.structure().indicator.is_last()
            }
            _ => is_end,
        };
        image.set_last(pcir, is_end, why)?;
    }
    Ok(())
}

/// If an image is of one of the code types that firmware knows, and not a vendor's private one.
pub(crate) fn is_for_firmware(image: &Image<'_>) -> bool {
    image.signature() == crate::Signature::OptionRom
        && matches!(
            image.code_type(),
            CodeType::X86_PC_AT | CodeType::OPEN_FIRMWARE | CodeType::HP_PA_RISC | CodeType::EFI
        )
}

#[cfg(test)]
mod tests;
