//! The driver in an EFI image: a PE file, as it is or compressed.
//!
//! Firmware decompresses the UEFI variant only. The Tiano variant cannot be told by the header; it is
//! tried where the other makes no PE file, so that a driver that was packed wrongly can be taken out.
//!
//! ```no_run
//! use romtools::{Rom, efi};
//!
//! let file = std::fs::read("vbios.rom")?;
//! for image in Rom::parse(&file)?.images() {
//!     if let Some(driver) = efi::driver(image) {
//!         let driver = driver?;
//!         println!("{:x?}: {} bytes for {:04x}", driver.compression, driver.bytes.len(), driver.machine.0);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use crate::compression::{self, Decompressed, Defect, MAXIMUM_SIZE, Sizes, Variant};
use crate::header::{Compression, EfiHeader, Header, Machine, Subsystem};
use crate::image::BLOCK;
use crate::pe::Pe;
use crate::{Error, Image, Result};

mod problem;

pub use problem::Problem;

/// A driver that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Driver<'a> {
    /// Where it, or its compressed form, begins in the file.
    pub offset: usize,
    /// How many bytes it takes in the file: those that are compressed, or with the image's padding.
    pub stored: usize,
    /// The PE file, decompressed where it was compressed. One that was not has the image's padding behind it.
    pub bytes: Cow<'a, [u8]>,
    /// How it was compressed, if it was.
    pub compression: Option<Variant>,
    /// The PE file's machine type.
    pub machine: Machine,
    /// The PE file's subsystem.
    pub subsystem: Subsystem,
    /// Bytes that its stream goes on behind the length that it claims: firmware stops there, and so is this cut off.
    pub beyond: usize,
}

impl Driver<'_> {
    /// The PE file's headers.
    #[must_use]
    pub fn pe(&self) -> Option<Pe<'_>> {
        Pe::parse(&self.bytes)
    }

    /// If it carries a signature for Secure Boot. Whether it is right, and whom the guest trusts, is not looked at.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.pe().is_some_and(|pe| pe.is_signed())
    }
}

/// Takes drivers out of one image after the other, up to a limit: a few dozen bytes can become 16 MiB, and a file can
/// hold a hundred thousand images.
#[derive(Debug, Clone)]
pub struct Drivers {
    left: usize,
    blocks: usize,
}

impl Drivers {
    /// Bytes that are decompressed for a file, at most: as many as four of the largest drivers have.
    pub const MOST: usize = 4 * MAXIMUM_SIZE;

    /// Begins with a file.
    #[must_use]
    pub fn new() -> Self {
        Self { left: Self::MOST, blocks: 0 }
    }

    /// The driver of an image; `None` if it is no EFI image.
    ///
    /// # Errors
    /// Those of [`driver`], and [`Error::TooManyDrivers`] once the limit is reached.
    pub fn driver<'a>(&mut self, image: &Image<'a>) -> Option<Result<Driver<'a>>> {
        if let Header::Efi(header) = image.header()
            && header.compression == Compression::UEFI
            && let Ok(sizes) =
                Sizes::parse(image.bytes().get(header.image_offset.into()..).unwrap_or_default())
        {
            // What claims more than the limit of one is not decompressed at all.
            let needed = if sizes.original > MAXIMUM_SIZE { 0 } else { sizes.original };
            let Some(left) = self.left.checked_sub(needed) else {
                let offset = image.offset() + usize::from(header.image_offset);
                return Some(Err(Error::TooManyDrivers { offset, most: Self::MOST }));
            };
            self.left = left;
        }
        match image.header() {
            Header::Efi(header) => Some(take(image, &header, &mut self.blocks)),
            _ => None,
        }
    }

    /// Blocks of compressed data that were decoded until now: with the bytes, the measure of the work.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.blocks
    }
}

impl Default for Drivers {
    fn default() -> Self {
        Self::new()
    }
}

/// The driver of an image; `None` if it is no EFI image.
///
/// # Errors
/// [`Error::EfiSignature`], [`Error::EfiCompression`], [`Error::Truncated`] if the driver does not lie in the
/// image, [`Error::Compressed`], and [`Error::NotPe`]. Offsets count from the start of the file.
pub fn driver<'a>(image: &Image<'a>) -> Option<Result<Driver<'a>>> {
    match image.header() {
        Header::Efi(header) => Some(take(image, &header, &mut 0)),
        _ => None,
    }
}

fn take<'a>(image: &Image<'a>, header: &EfiHeader, blocks: &mut usize) -> Result<Driver<'a>> {
    if !header.has_signature() {
        return Err(Error::EfiSignature { offset: image.offset() + 4, found: header.signature });
    }
    let (begin, end) = (usize::from(header.image_offset), usize::from(header.initialization_size) * BLOCK);
    let offset = image.offset() + begin;
    let stored =
        image.bytes().get(begin..end).filter(|stored| !stored.is_empty()).ok_or(Error::Truncated {
            what: "EFI driver",
            offset,
            needed: end.saturating_sub(begin),
            available: image.bytes().len().saturating_sub(begin),
        })?;
    match header.compression {
        Compression::NONE => found(Cow::Borrowed(stored), None, offset, stored.len()),
        Compression::UEFI => decompress(stored, offset, blocks),
        Compression(found) => Err(Error::EfiCompression { offset: image.offset() + 0x0c, found }),
    }
}

fn decompress<'a>(stored: &[u8], offset: usize, blocks: &mut usize) -> Result<Driver<'a>> {
    let mut with = |variant| {
        let Decompressed { bytes, beyond } =
            compression::decode(stored, variant, blocks).map_err(|error| error.moved(offset))?;
        // It was decompressed, so its header is there.
        let length = Sizes::parse(stored).map_or(0, |sizes| compression::HEADER + sizes.compressed);
        let driver = found(Cow::Owned(bytes), Some(variant), offset, length)?;
        Ok(Driver { beyond, ..driver })
    };
    match with(Variant::Uefi) {
        // What is wrong with these is wrong in both, or was made to take long.
        Err(
            error @ (Error::Truncated { .. }
            | Error::Compressed {
                defect: Defect::TooLarge { .. } | Defect::TooManyBlocks { .. }, ..
            }),
        ) => Err(error),
        // If neither makes a PE file, what is wrong with the one that it should be is of interest.
        Err(error) => with(Variant::Tiano).map_err(|_: Error| error),
        driver => driver,
    }
}

fn found(
    bytes: Cow<'_, [u8]>,
    compression: Option<Variant>,
    offset: usize,
    stored: usize,
) -> Result<Driver<'_>> {
    let pe = Pe::parse(&bytes).ok_or(Error::NotPe { offset })?;
    let (machine, subsystem) = (pe.machine, pe.subsystem);
    Ok(Driver { offset, stored, bytes, compression, machine, subsystem, beyond: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, ImageSpec};

    fn pe_file() -> Vec<u8> {
        testing::pe(0x8664, 0x0b, 0x200)
    }

    /// An EFI image with this stored at its image offset, 100h.
    fn image(compression: u8, stored: &[u8]) -> Vec<u8> {
        let mut file = ImageSpec { last: true, blocks: 3, ..ImageSpec::efi(0x1002, 1) }.build();
        file[0x0c] = compression;
        file[0x100..0x100 + stored.len()].copy_from_slice(stored);
        file
    }

    fn of(file: &[u8]) -> Result<Driver<'_>> {
        driver(&Image::parse(file, 0).unwrap()).unwrap()
    }

    #[test]
    fn a_driver_comes_out_as_it_went_in() {
        let file = image(0, &pe_file());
        let driver = of(&file).unwrap();
        assert_eq!(
            (driver.compression, driver.machine, driver.subsystem),
            (None, Machine(0x8664), Subsystem(0x0b))
        );
        assert!(driver.bytes.starts_with(&pe_file()) && driver.bytes.len() == 0x500);
        for variant in [Variant::Uefi, Variant::Tiano] {
            let file = image(1, &compression::compress(&pe_file(), variant).unwrap());
            let driver = of(&file).unwrap();
            assert_eq!(driver.compression, Some(variant));
            assert_eq!(driver.bytes, pe_file());
        }
    }

    #[test]
    fn a_file_full_of_bombs_is_not_decompressed_without_end() {
        // Almost nothing, and 16 MiB.
        let bomb = compression::compress(&vec![0; MAXIMUM_SIZE], Variant::Uefi).unwrap();
        let spec = ImageSpec { blocks: 0x40, ..ImageSpec::efi(0x1002, 1) };
        let mut file = spec.build();
        file[0x0c] = 1;
        file[0x100..0x100 + bomb.len()].copy_from_slice(&bomb);
        let image = Image::parse(&file, 0).unwrap();
        let mut drivers = Drivers::new();
        for _ in 0..4 {
            assert_eq!(drivers.driver(&image), Some(Err(Error::NotPe { offset: 0x100 })));
        }
        let error = Error::TooManyDrivers { offset: 0x100, most: Drivers::MOST };
        assert_eq!(drivers.driver(&image), Some(Err(error)));
        // What takes nothing is still looked at.
        let small = image_of_nothing();
        assert!(drivers.driver(&Image::parse(&small, 0).unwrap()).unwrap().is_ok());
    }

    #[test]
    fn a_stream_that_is_all_blocks_is_given_up_and_not_tried_again() {
        // For 4 MiB: blocks of one symbol, whose codes have 256 symbols.
        let block = "0000000000000001_00000_01010_100000000_0000_0000_01000001".replace('_', "");
        let bits: Vec<u8> = block.repeat(8 * 0x2800).bytes().map(|bit| bit - b'0').collect();
        let bits: Vec<u8> =
            bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
        let sizes = [bits.len() as u32, 4 << 20].map(u32::to_le_bytes).concat();
        let blocks = (0x100 + sizes.len() + bits.len()).div_ceil(BLOCK);
        let mut file = ImageSpec { blocks: blocks as u16, ..ImageSpec::efi(0x1002, 1) }.build();
        file[0x0c] = 1;
        file[0x100..0x108].copy_from_slice(&sizes);
        file[0x108..0x108 + bits.len()].copy_from_slice(&bits);
        let mut drivers = Drivers::new();
        let error = drivers.driver(&Image::parse(&file, 0).unwrap()).unwrap().unwrap_err();
        assert!(matches!(error, Error::Compressed { defect: Defect::TooManyBlocks { .. }, .. }), "{error}");
        assert_eq!(drivers.blocks(), (4 << 20) / 64 + 16, "once, and not as Tiano again");
    }

    fn image_of_nothing() -> Vec<u8> {
        ImageSpec::efi(1, 2).build()
    }

    #[test]
    fn only_efi_images_have_one() {
        let file = ImageSpec::pc_at(1, 2).build();
        assert!(driver(&Image::parse(&file, 0).unwrap()).is_none());
    }

    #[test]
    fn what_is_no_driver_is_an_error_with_its_place() {
        assert_eq!(of(&image(0, b"not a PE file")), Err(Error::NotPe { offset: 0x100 }));
        assert!(matches!(of(&image(2, b"")), Err(Error::EfiCompression { offset: 0x0c, found: 2 })));
        // A header of 8 bytes of 90h claims more than there is.
        assert!(matches!(of(&image(1, &[0x90; 8])), Err(Error::Compressed { offset: 0x104, .. })));
        let mut outside = image(0, &pe_file());
        outside[0x17] = 0x20;
        assert!(matches!(of(&outside), Err(Error::Truncated { offset: 0x2000, .. })));
        let mut broken = image(0, &pe_file());
        broken[6] = 1;
        assert!(matches!(of(&broken), Err(Error::EfiSignature { offset: 4, found: 0x0001_0ef1 })));
    }
}
