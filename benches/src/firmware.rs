//! A firmware image of the project's own: padding, packed data, and ROMs in between, as in a BIOS update.

use romtools::build::{Builder, Part};
use romtools::checksum;

use crate::random::Random;

/// Its length in bytes.
pub const LENGTH: usize = 64 << 20;

/// How many ROMs are in it.
pub const ROMS: usize = 16;

/// Vendor and device id of the ROMs.
const IDS: (u16, u16) = (0x1002, 0x164e);

/// A driver of so many bytes, with the headers of a PE file.
#[must_use]
pub fn driver(length: usize) -> Vec<u8> {
    let mut file = vec![0; length.max(0x200)];
    let mut random = Random::new(7);
    file[0x200..].iter_mut().for_each(|byte| *byte = random.next() as u8);
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
    file[0x58..0x5a].copy_from_slice(&[0x0b, 0x02]);
    // Where it begins to run, its size in memory, and that of its headers.
    file[0x68..0x6c].copy_from_slice(&0x1000u32.to_le_bytes());
    file[0x90..0x94].copy_from_slice(&(1u32 << 20).to_le_bytes());
    file[0x94..0x98].copy_from_slice(&0x200u32.to_le_bytes());
    file[0x9c] = 0x0b;
    file
}

/// A legacy image of so many bytes.
#[must_use]
pub fn legacy(length: usize) -> Vec<u8> {
    let mut image = vec![0x90; length];
    image[..0x1c].fill(0);
    image[..6].copy_from_slice(&[0x55, 0xaa, length.div_ceil(512) as u8, 0xe9, 0x20, 0]);
    let end = length - 1;
    image[end] = image[end].wrapping_sub(checksum::sum(&image));
    image
}

/// A ROM with a legacy image and four EFI drivers: a chain of five.
///
/// # Panics
/// Never: all parts are right.
#[must_use]
pub fn rom() -> Vec<u8> {
    let (code, driver) = (legacy(0x8000), driver(0x8000));
    let efi = Part::Efi { file: &driver, compress: false };
    let builder = Builder::new(IDS.0, vec![IDS.1, 0x1681]).part(Part::Legacy(&code));
    (0..4).fold(builder, |builder, _| builder.part(efi)).build().expect("parts that are right")
}

/// The image: a third of it is padding, the rest looks random, and the ROMs are spread over it at multiples of 4.
#[must_use]
pub fn image() -> Vec<u8> {
    let mut random = Random::new(42);
    let mut image = Vec::with_capacity(LENGTH);
    while image.len() < LENGTH {
        image.extend(random.next().to_le_bytes());
    }
    for third in image.chunks_mut(3 << 20) {
        let padding = third.len() / 3;
        third[..padding].fill(0xff);
    }
    let rom = rom();
    for index in 0..ROMS {
        let at = index * (LENGTH / ROMS) + 4 * (1 + index);
        image[at..at + rom.len()].copy_from_slice(&rom);
    }
    image
}
