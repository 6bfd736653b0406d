//! A compressed stream, and bytes to compress: both variants make of a stream what the specification's own words make of
//! it, or neither makes anything; memory is bounded by what comes out; what is compressed comes back, also through an
//! EFI image.
#![no_main]

#[path = "../../romtools/tests/common/driver.rs"]
mod least;

use libfuzzer_sys::fuzz_target;
use romtools::build::{Builder, Part};
use romtools::compression::{self, MAXIMUM_SIZE, Sizes, Variant};
use romtools::{Rom, efi};
use vfio_reset_fuzz::{reference, within};

/// The reference takes its time: longer outputs are only made, and not compared.
const COMPARED: usize = 64 << 10;
/// What the decoder's own tables take, and more.
const TABLES: usize = 128 << 10;

fuzz_target!(|input: &[u8]| {
    stream(input, Variant::Uefi, 4);
    stream(input, Variant::Tiano, 5);
    // Compression takes its time: one of many inputs is compressed, and in one way.
    match input.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) % 32 {
        0 => bytes(input, Variant::Uefi),
        1 => bytes(input, Variant::Tiano),
        2 => driver(input, false),
        3 => driver(input, true),
        _ => {}
    }
});

fn stream(stream: &[u8], variant: Variant, position_bits: usize) {
    let claimed = Sizes::parse(stream).map_or(0, |sizes| sizes.original);
    let bound = if claimed > MAXIMUM_SIZE { 0 } else { claimed };
    let made = within(bound + TABLES, || compression::decompress(stream, variant));
    if claimed <= COMPARED {
        let expected = reference::decompress(stream, position_bits, COMPARED);
        assert!(made.as_ref().ok() == expected.as_ref(), "{variant:?}: {:?}", made.as_ref().err());
    }
    match made {
        Ok(bytes) => assert_eq!(bytes.len(), claimed),
        Err(error) => {
            assert!(error.offset() <= stream.len(), "{error}");
            assert!(!error.to_string().is_empty() && !error.advice().is_empty());
        }
    }
}

fn bytes(bytes: &[u8], variant: Variant) {
    let packed = compression::compress(bytes, variant).expect("few bytes can be compressed");
    let sizes = Sizes::parse(&packed).expect("a stream has its sizes");
    assert_eq!((sizes.compressed + compression::HEADER, sizes.original), (packed.len(), bytes.len()));
    // No bytes need more: a literal takes 8 bits, and a block's codes take some.
    assert!(packed.len() <= bytes.len() + bytes.len() / 8 + 512, "{} of {}", packed.len(), bytes.len());
    let again = compression::decompress(&packed, variant);
    assert!(again.as_deref() == Ok(bytes), "{:?}", again.err());
}

/// A PE file with these bytes for code, and the ROM that is made of it.
fn driver(code: &[u8], compress: bool) {
    let mut file = least::driver();
    file.extend(code);
    let rom = Builder::new(0x1234, vec![0x1111, 0x1112]).part(Part::Efi { file: &file, compress }).build();
    let rom = rom.expect("a driver makes a ROM");
    let rom = Rom::parse(&rom).expect("a built ROM is a ROM");
    let image = rom.images().next().expect("it has an image");
    let driver = efi::driver(image).expect("it is an EFI image").expect("its driver is whole");
    assert_eq!(driver.compression.is_some(), compress);
    assert!(driver.bytes.starts_with(&file));
    assert!(!compress || driver.bytes.len() == file.len());
}
