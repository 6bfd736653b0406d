//! Cutting: from a dump of anything to what a virtual machine's `romfile=` wants.
//!
//! That is the chain that a firmware runs, from its first `55 AA` to the end of its last image.
//! A dump of a whole flash chip has a container in front, which firmware stops at, and padding,
//! certificates and a second copy behind. Not one byte of the images changes.
//!
//! ```
//! use romtools::{Rom, cut};
//! # let mut image = vec![0u8; 512];
//! # image[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # image[0x18] = 0x1c;
//! # image[0x1c..0x34].copy_from_slice(b"PCIR\xde\x10\x12\x06\0\0\x18\0\0\0\0\x03\x01\0\x20\x04\0\x80\0\0");
//! # let container = [&b"NVGI"[..], &[0; 508]].concat();
//!
//! let file = [container, image.clone(), vec![0xff; 1000]].concat();
//! let rom = Rom::parse(&file).unwrap();
//! let cut = cut::cut(&rom, &cut::Options::default())?;
//! assert_eq!((cut.offset, cut.bytes), (512, &image[..]));
//! assert_eq!(cut.removed[0].to_string(), "0h..200h: NVIDIA flash container (NVGI)");
//! # Ok::<(), romtools::cut::Error>(())
//! ```

use std::collections::HashSet;
use std::fmt;

use crate::edit::is_for_firmware;
use crate::firmware::{Firmware, Walk};
use crate::rom::Content;
use crate::{Chain, CodeType, Image, Rom, Signature, Stop, error};

/// What to keep: [`Options::default`], changed one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Keep images that are the vendor's own: NVIDIA's behind the firmware's last, LSI's behind "last". Firmware does
    /// not look at them.
    pub private_images: bool,
}

impl Default for Options {
    /// Private images stay: they do no harm, and a driver may look for them.
    fn default() -> Self {
        Self { private_images: true }
    }
}

impl Options {
    /// Sets [`Options::private_images`].
    #[must_use]
    pub fn private_images(mut self, keep: bool) -> Self {
        self.private_images = keep;
        self
    }
}

/// A part of a file that is a ROM and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut<'a> {
    /// Where it begins in the file.
    pub offset: usize,
    /// The ROM.
    pub bytes: &'a [u8],
    /// How many images it has.
    pub images: usize,
    /// If its last image for firmware says that it is the last: a shadow's or VFCT's does not.
    pub is_terminated: bool,
    /// What is left out, in the order of the file.
    pub removed: Vec<Removed>,
}

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Where it begins in the file.
    pub offset: usize,
    /// Its length in bytes.
    pub length: usize,
    /// What it is.
    pub what: What,
}

/// `0h..400h: NVIDIA flash container (NVGI)`
impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}h..{:x}h: {}", self.offset, self.offset + self.length, self.what)
    }
}

/// The kinds of what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// NVIDIA's container.
    Container,
    /// One byte over and over.
    Padding(u8),
    /// Bytes in no image.
    Data,
    /// Images that only the vendor's driver reads.
    PrivateImages(usize),
    /// The ROM again.
    Copy {
        /// Bytes in which it differs, as far as both go.
        differing: usize,
    },
    /// Images that are another ROM.
    OtherImages(usize),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Container => f.write_str("NVIDIA flash container (NVGI)"),
            Self::Padding(byte) => write!(f, "padding ({byte:02x})"),
            Self::Data => f.write_str("data in no image (certificates, settings, other firmware)"),
            Self::PrivateImages(count) => write!(f, "{count} image(s) private to the vendor's driver"),
            Self::Copy { differing: 0 } => f.write_str("a second copy of the ROM, the same in every byte"),
            Self::Copy { differing } => write!(f, "a second copy of the ROM, {differing} byte(s) differ"),
            Self::OtherImages(count) => write!(f, "{count} image(s) of another ROM"),
        }
    }
}

/// Why nothing can be cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No image that firmware could run.
    #[error("no image in the file is for firmware: all are a vendor's private ones")]
    NothingForFirmware,
    /// The ROM is not whole.
    #[error("{}", error::cut_short(*offset, *length, *available))]
    Truncated {
        /// Where the image begins.
        offset: usize,
        /// What it claims.
        length: usize,
        /// What is there.
        available: usize,
    },
    /// The ROM has an image that is described by bytes behind it.
    #[error("the PCI Data Structure of the image at {offset:x}h lies behind its end")]
    StructureOutside {
        /// Where the image begins.
        offset: usize,
    },
    /// The ROM has an image without a length.
    #[error("the image at {offset:x}h claims no length: what belongs to the ROM cannot be told")]
    ZeroLength {
        /// Where it begins.
        offset: usize,
    },
}

impl Error {
    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NothingForFirmware => {
                "dump the whole flash chip: the images for firmware are elsewhere in it"
            }
            Self::Truncated { .. } | Self::StructureOutside { .. } | Self::ZeroLength { .. } => {
                "the dump is cut short or damaged: dump it again from the device's rom file or the flash chip"
            }
        }
    }
}

/// Finds what belongs to the ROM, and says what does not.
///
/// # Errors
/// [`Error`], where the file holds no whole ROM that firmware could run.
pub fn cut<'a>(rom: &Rom<'a>, options: &Options) -> Result<Cut<'a>, Error> {
    let chains = rom.chains();
    let chain = rom.chain_for_firmware().and_then(|own| chains.iter().position(|chain| chain == own));
    let Some(index) = chain else { return isa(rom) };
    let kept = Kept::of(rom, index, options);
    for image in &kept.images {
        if image.length() == 0 {
            return Err(Error::ZeroLength { offset: image.offset() });
        }
        if image.is_truncated() {
            let (offset, length, available) = (image.offset(), image.length(), image.bytes().len());
            return Err(Error::Truncated { offset, length, available });
        }
        if !stands_alone(image) {
            return Err(Error::StructureOutside { offset: image.offset() });
        }
    }
    let bytes = &rom.file()[kept.begin..kept.end];
    let mut removed: Vec<_> = rom.data().map(|data| removed_data(&data)).collect();
    removed.extend(rom.legacy().map(|legacy| Removed {
        offset: 0,
        length: legacy.bytes().len(),
        what: What::OtherImages(1),
    }));
    for chain in chains {
        removed.extend(removed_images(chain, &kept, bytes));
    }
    removed
        .retain(|removed| removed.length != 0 && (removed.offset < kept.begin || removed.offset >= kept.end));
    removed.sort_by_key(|removed| removed.offset);
    let last = kept.images.iter().rfind(|image| is_for_firmware(image));
    Ok(Cut {
        offset: kept.begin,
        bytes,
        images: kept.images.len(),
        is_terminated: last.is_some_and(|image| image.structure().indicator.is_last()),
        removed,
    })
}

/// If an image says the same without the bytes behind it: a hostile or damaged one can have its structures there.
fn stands_alone(image: &Image<'_>) -> bool {
    Image::parse(image.bytes(), 0)
        .is_ok_and(|alone| alone.length() == image.length() && alone.is_last() == image.is_last())
}

/// What belongs to the ROM.
struct Kept<'a> {
    begin: usize,
    end: usize,
    images: Vec<Image<'a>>,
}

impl<'a> Kept<'a> {
    fn of(rom: &Rom<'a>, index: usize, options: &Options) -> Self {
        let chains = rom.chains();
        let last = last_for_edk2(rom, index);
        let mut images: Vec<_> = chains[index..=last].iter().flat_map(Chain::images).copied().collect();
        // Firmware looks for 55 AA at the start, and finds its images behind others that have it.
        let begins = |image: &Image<'_>| match options.private_images {
            true => image.signature() == Signature::OptionRom,
            false => is_for_firmware(image),
        };
        images.drain(..images.iter().position(begins).unwrap_or_default());
        if options.private_images {
            // Directly behind "last", and nothing that firmware could run.
            let mut end = (chains[last].stop() == Stop::LastImage).then(|| chains[last].end());
            for chain in &chains[last + 1..] {
                if end != Some(chain.offset()) || chain.images().iter().any(is_for_firmware) {
                    break;
                }
                images.extend(chain.images());
                end = (chain.stop() == Stop::LastImage).then(|| chain.end());
            }
        } else {
            let count = images.iter().rposition(is_for_firmware).map_or(0, |last| last + 1);
            images.truncate(count);
        }
        let begin = images.first().map_or(0, Image::offset);
        let end = images.last().map_or(begin, |image| image.offset() + image.bytes().len());
        Self { begin, end, images }
    }
}

/// The last chain that belongs to the one at `index`. Where that does not say "last", edk2 looks on behind the gap, and starts
/// the drivers that it finds there, those of a copy again.
fn last_for_edk2(rom: &Rom<'_>, index: usize) -> usize {
    let chains = rom.chains();
    if index + 1 == chains.len() || !matches!(chains[index].stop(), Stop::NotAnImage(_)) {
        return index;
    }
    // One that the file does not hold whole may have room in the BAR of the file, and not in that of what is kept.
    let walk = Walk::of(Firmware::Ovmf, rom).into_iter().flatten().take_while(|image| !image.is_truncated());
    let drivers: HashSet<usize> =
        walk.filter(|image| image.code_type() == CodeType::EFI).map(|image| image.offset()).collect();
    let mut known = HashSet::from([for_firmware(&chains[index])]);
    let more = (index + 1..chains.len()).take_while(|&next| {
        let images = for_firmware(&chains[next]);
        images.is_empty() || known.insert(images)
    });
    // What has no driver and stands in front of a copy is not needed.
    let has_driver = |chain: &Chain<'_>| chain.images().iter().any(|image| drivers.contains(&image.offset()));
    more.filter(|&next| has_driver(&chains[next])).last().unwrap_or(index)
}

/// What chains of the same drivers have in common: lengths, code types and ids of the images, from the first that is for
/// firmware to the last. What is in front and behind may be cut off.
fn for_firmware(chain: &Chain<'_>) -> Vec<(usize, CodeType, u16, u16)> {
    let images = chain.images();
    let first = images.iter().position(is_for_firmware).unwrap_or(images.len());
    let end = images.iter().rposition(is_for_firmware).map_or(first, |last| last + 1);
    let key = |image: &Image<'_>| {
        let pcir = image.structure();
        (image.length(), pcir.code_type, pcir.vendor_id, pcir.device_id)
    };
    images[first..end].iter().map(key).collect()
}

fn removed_data(data: &crate::rom::Data<'_>) -> Removed {
    let what = match data.content() {
        Content::Padding(byte) => What::Padding(byte),
        Content::Nvgi => What::Container,
        _ => What::Data,
    };
    Removed { offset: data.offset, length: data.bytes.len(), what }
}

/// The parts of a chain in front of and behind what is kept.
fn removed_images(chain: &Chain<'_>, kept: &Kept<'_>, rom: &[u8]) -> Vec<Removed> {
    let end = |image: &Image<'_>| image.offset() + image.bytes().len();
    let group = |images: Vec<&Image<'_>>| {
        let (first, last) = (*images.first()?, *images.last()?);
        let (offset, length) = (first.offset(), end(last) - first.offset());
        let what = if !images.iter().any(|image| is_for_firmware(image)) {
            What::PrivateImages(images.len())
        } else {
            let same = kept.images.first().is_some_and(|own| is_alike(own, first));
            let pairs = images.iter().flat_map(|image| image.bytes()).zip(rom);
            match same {
                true => What::Copy { differing: pairs.filter(|(a, b)| a != b).count() },
                false => What::OtherImages(images.len()),
            }
        };
        Some(Removed { offset, length, what })
    };
    let before = chain.images().iter().filter(|image| end(image) <= kept.begin).collect();
    let behind = chain.images().iter().filter(|image| image.offset() >= kept.end).collect();
    [before, behind].into_iter().filter_map(group).collect()
}

/// If two images are of the same kind and for the same device.
fn is_alike(a: &Image<'_>, b: &Image<'_>) -> bool {
    let key = |image: &Image<'_>| {
        let pcir = image.structure();
        (image.signature().bytes(), pcir.code_type, pcir.vendor_id, pcir.device_id)
    };
    key(a) == key(b)
}

/// A ROM from before PCI.
fn isa<'a>(rom: &Rom<'a>) -> Result<Cut<'a>, Error> {
    let legacy = rom.legacy().ok_or(Error::NothingForFirmware)?;
    if legacy.length() == 0 {
        return Err(Error::ZeroLength { offset: 0 });
    }
    if legacy.is_truncated() {
        let (length, available) = (legacy.length(), legacy.bytes().len());
        return Err(Error::Truncated { offset: 0, length, available });
    }
    let mut removed: Vec<_> = rom.data().map(|data| removed_data(&data)).collect();
    removed.extend(rom.chains().iter().map(|chain| Removed {
        offset: chain.offset(),
        length: chain.end() - chain.offset(),
        what: What::PrivateImages(chain.images().len()),
    }));
    removed.retain(|removed| removed.length != 0);
    removed.sort_by_key(|removed| removed.offset);
    Ok(Cut { offset: 0, bytes: legacy.bytes(), images: 1, is_terminated: true, removed })
}

#[cfg(test)]
mod tests;
