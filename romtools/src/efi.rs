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

use crate::compression::{self, Variant};
use crate::header::{Compression, EfiHeader, Header, Machine, Subsystem};
use crate::image::BLOCK;
use crate::{Error, Image, Result, pe};

/// A driver that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver<'a> {
    /// The PE file, decompressed where it was compressed. One that was not has the image's padding behind it.
    pub bytes: Cow<'a, [u8]>,
    /// How it was compressed, if it was.
    pub compression: Option<Variant>,
    /// The PE file's machine type.
    pub machine: Machine,
    /// The PE file's subsystem.
    pub subsystem: Subsystem,
}

/// The driver of an image; `None` if it is no EFI image.
///
/// # Errors
/// [`Error::EfiSignature`], [`Error::EfiCompression`], [`Error::Truncated`] if the driver does not lie in the
/// image, [`Error::Compressed`], and [`Error::NotPe`]. Offsets count from the start of the file.
pub fn driver<'a>(image: &Image<'a>) -> Option<Result<Driver<'a>>> {
    match image.header() {
        Header::Efi(header) => Some(take(image, &header)),
        _ => None,
    }
}

fn take<'a>(image: &Image<'a>, header: &EfiHeader) -> Result<Driver<'a>> {
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
        Compression::NONE => {
            let (machine, subsystem) = pe::fields(stored).ok_or(Error::NotPe { offset })?;
            Ok(Driver { bytes: Cow::Borrowed(stored), compression: None, machine, subsystem })
        }
        Compression::UEFI => decompress(stored, offset),
        Compression(found) => Err(Error::EfiCompression { offset: image.offset() + 0x0c, found }),
    }
}

fn decompress<'a>(stored: &[u8], offset: usize) -> Result<Driver<'a>> {
    let with = |variant| {
        let bytes = compression::decompress(stored, variant).map_err(|error| error.moved(offset))?;
        let (machine, subsystem) = pe::fields(&bytes).ok_or(Error::NotPe { offset })?;
        Ok(Driver { bytes: Cow::Owned(bytes), compression: Some(variant), machine, subsystem })
    };
    // If neither makes a PE file, what is wrong with the one that it should be is of interest.
    with(Variant::Uefi).or_else(|error| with(Variant::Tiano).map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ImageSpec;

    /// The smallest PE file that has all that is looked at.
    fn pe_file() -> Vec<u8> {
        let mut file = vec![0; 0x200];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x40;
        file[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
        file[0x58..0x5a].copy_from_slice(&[0x0b, 0x02]);
        file[0x9c] = 0x0b;
        file
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
    fn only_efi_images_have_one() {
        let file = ImageSpec::pc_at(1, 2).build();
        assert!(driver(&Image::parse(&file, 0).unwrap()).is_none());
    }

    #[test]
    fn what_is_no_driver_is_an_error_with_its_place() {
        assert_eq!(of(&image(0, b"not a PE file")), Err(Error::NotPe { offset: 0x100 }));
        assert!(matches!(of(&image(2, b"")), Err(Error::EfiCompression { offset: 0x0c, found: 2 })));
        // A header of 8 bytes of 90h claims more than there is.
        assert!(matches!(of(&image(1, b"")), Err(Error::Compressed { offset: 0x104, .. })));
        let mut outside = image(0, &pe_file());
        outside[0x17] = 0x20;
        assert!(matches!(of(&outside), Err(Error::Truncated { offset: 0x2000, .. })));
        let mut broken = image(0, &pe_file());
        broken[6] = 1;
        assert!(matches!(of(&broken), Err(Error::EfiSignature { offset: 4, found: 0x0001_0ef1 })));
    }
}
