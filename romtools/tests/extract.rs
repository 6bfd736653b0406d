//! `romtools extract`: what is written, under which names, and what is said about the rest.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::bench::Bench;
use common::driver::driver;
use romtools::build::{Builder, Part};

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

/// An EFI image whose few bytes become almost 16 MiB that are no driver.
fn bomb() -> Vec<u8> {
    // A block of the literal 0, and one of 65,535 matches of 256 bytes that take no bits.
    let block = |symbols: u128, character: u128| symbols << 36 | character << 8;
    let bits = (block(1, 0) << 52 | block(0, 509)) << 24;
    let stream =
        [&13u32.to_le_bytes(), &(1u32 + 256 * 65_535).to_le_bytes(), &bits.to_be_bytes()[..13]].concat();
    let mut image = rom(true);
    let at = usize::from(u16::from_le_bytes([image[0x16], image[0x17]]));
    image[at..at + stream.len()].copy_from_slice(&stream);
    image
}

#[test]
fn a_file_cannot_become_more_than_64_mib_of_drivers() {
    let bench = Bench::new();
    bench.file("a.rom", &bomb().repeat(6));
    let document = bench.json("extract --json a.rom", 7);
    let files = document["files"].as_array().unwrap();
    let errors: Vec<_> = files.iter().filter_map(|file| file["error"].as_str()).collect();
    assert_eq!(errors.len(), 6);
    assert!(errors[..4].iter().all(|error| error.contains("no PE file")), "{errors:?}");
    assert!(errors[4..].iter().all(|error| error.contains("more than 64 MiB")), "{errors:?}");
    assert!(bench.names().iter().all(|name| name.ends_with(".rom")));
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

#[test]
fn a_driver_that_no_firmware_loads_is_not_written() {
    let bench = Bench::new();
    let mut broken = driver();
    // It begins to run behind its end.
    broken[0x6b] = 0x7f;
    let part = Part::Efi { file: &broken, compress: true };
    let rom = Builder::new(0x1234, vec![0x1111]).part(part).build().unwrap();
    bench.file("a.rom", &rom);
    assert!(
        bench.error("extract a.rom", 7).contains("the EFI driver is broken: it begins to run at 7f001000h")
    );
    assert_eq!(bench.names(), ["a.rom", "image-0.rom"]);
    // For whoever repairs it.
    let error = bench.error("extract a.rom --damaged --force", 7);
    assert!(error.contains("warning: ./image-0.efi: the EFI driver is broken"), "{error}");
    assert_eq!(bench.read("image-0.efi"), broken);
    let document = bench.json("check --json a.rom", 7);
    // The first is about the file, which is small.
    let finding = &document["findings"][1];
    assert_eq!((&finding["id"], &finding["severity"]), (&"pe-entry-point".into(), &"defect".into()));
    assert_eq!((&finding["offset"], &document["uefi_guest"]["answer"]), (&0x38.into(), &"refused".into()));
    assert_eq!(document["uefi_guest"]["signed"], false);
}

#[test]
fn info_says_what_the_driver_is() {
    let bench = Bench::new();
    bench.file("a.rom", &rom(true));
    let document = bench.json("info --json a.rom", 0);
    let described = &document["chains"][0]["images"][0]["efi"]["driver"];
    assert_eq!((&described["compression"], &described["size"]), (&"uefi".into(), &driver().len().into()));
    assert_eq!((&described["signed"], &described["format"]), (&false.into(), &"PE32+".into()));
    assert!(bench.out("info a.rom", 0).contains("\t\tEFI: Driver: PE32+ of 200h bytes, decompressed from "));
    assert!(bench.out("check a.rom", 0).contains("\nSecure Boot: no, the driver is not signed"));
}
