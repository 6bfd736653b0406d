//! `romtools extract`: what is written, under which names, and what is said about the rest.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::bench::Bench;
use romtools::build::{Builder, Part};

/// The smallest PE file of a driver.
fn driver() -> Vec<u8> {
    let mut file = vec![0; 0x200];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
    file[0x58..0x5a].copy_from_slice(&[0x0b, 0x02]);
    file[0x9c] = 0x0b;
    file
}

fn rom(compress: bool) -> Vec<u8> {
    Builder::new(0x1234, vec![0x1111]).part(Part::Efi { file: &driver(), compress }).build().unwrap()
}

#[test]
fn images_and_drivers_are_written_and_nothing_is_replaced() {
    let bench = Bench::new();
    bench.file("a.rom", &[rom(true), rom(false)].concat());
    let text = bench.out("extract a.rom", 0);
    assert!(text.contains("image-0.efi: 512 bytes (EFI driver for X64, decompressed)\n"), "{text}");
    assert_eq!(
        bench.names(),
        ["a.rom", "chain-1-image-0.efi", "chain-1-image-0.rom", "image-0.efi", "image-0.rom"]
    );
    assert_eq!(bench.read("image-0.efi"), driver());
    assert_eq!(bench.read("image-0.rom"), rom(true));
    assert_eq!(bench.read("chain-1-image-0.rom"), rom(false));
    assert!(bench.error("extract a.rom", 1).contains("exists already"));
    bench.out("extract --force a.rom", 0);
}

#[test]
fn what_is_not_whole_is_a_defect_and_not_written() {
    let bench = Bench::new();
    let mut damaged = rom(true);
    // The compressed length.
    let at = usize::from(u16::from_le_bytes([damaged[0x16], damaged[0x17]]));
    damaged[at + 3] = 0x7f;
    bench.file("a.rom", &damaged);
    let document = bench.json("extract --json a.rom", 7);
    assert_eq!(document["files"][0]["length"], damaged.len());
    assert!(document["files"][1]["error"].as_str().unwrap().contains("compressed data"), "{document}");
    assert_eq!(bench.names(), ["a.rom", "image-0.rom"]);

    let bench = Bench::new();
    bench.file("cut.rom", &rom(true)[..500]);
    assert!(bench.error("extract cut.rom", 7).contains("not whole"));
    assert!(!bench.names().contains(&"image-0.rom".to_string()));
}
