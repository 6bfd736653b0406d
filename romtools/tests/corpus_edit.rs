//! Real ROMs, cut, fixed, built again and compared. See `corpus.rs` for where they are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{corpus, roms};
use romtools::build::{Builder, Part};
use romtools::fix::{self, Fixes};
use romtools::rom::Content;
use romtools::{CodeType, Rom, Severity, Stop, check, compare, cut};

/// What is cut out of any dump is a ROM that begins at 0, ends with its last image, and has the same images.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn what_is_cut_out_is_the_same_rom_and_nothing_else() {
    let mut shorter = 0;
    for (name, bytes) in roms(&corpus()) {
        let rom = Rom::parse(&bytes).unwrap();
        let cut = cut::cut(&rom, &cut::Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let out = Rom::parse(cut.bytes).unwrap();
        assert_eq!(out.data().count(), 0, "{name}");
        assert!(out.chains().first().is_none_or(|chain| chain.offset() == 0), "{name}");
        let comparison = compare::compare(&out, &rom);
        assert!(comparison.pairs.iter().all(compare::Pair::is_same), "{name}: {comparison:?}");
        assert_eq!(comparison.only_first, [], "{name}");
        shorter += usize::from(cut.bytes.len() < bytes.len());
        assert!(check::findings(&out).iter().all(|f| f.severity() < Severity::Defect), "{name}");
    }
    // NVIDIA's containers, AMD's second halves, padding.
    assert!(shorter > 10, "{shorter}");
}

/// These ROMs are good: there is nothing to correct in them.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn good_roms_need_no_fix() {
    for (name, bytes) in roms(&corpus()) {
        let rom = Rom::parse(&bytes).unwrap();
        // Adapters that fill the checksum in when they are flashed.
        if rom.legacy().is_some_and(|legacy| legacy.sum() != 0) {
            continue;
        }
        let fixed = match fix::apply(&rom, &Fixes::default().checksum(true)) {
            // Nothing in it has a checksum.
            Err(fix::Error::AppliesToNothing { .. }) => {
                let is_pc_at = |image: &romtools::Image<'_>| image.code_type() == CodeType::X86_PC_AT;
                assert!(!rom.chain_for_firmware().unwrap().images().iter().any(is_pc_at), "{name}");
                continue;
            }
            fixed => fixed.unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        assert_eq!((fixed.changes.len(), fixed.bytes == bytes), (0, true), "{name}");
    }
}

/// The ids of every image, in place of others: the checksum follows, the code stays.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn other_ids_change_ids_and_checksums_only() {
    for (name, bytes) in roms(&corpus()) {
        let rom = Rom::parse(&bytes).unwrap();
        if rom.chains().is_empty() {
            continue;
        }
        let fixes = Fixes::default().vendor_id(0x1234).device_ids(vec![0x1111]);
        let fixed = fix::apply(&rom, &fixes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let new = Rom::parse(&fixed.bytes).unwrap();
        for pair in compare::compare(&rom, &new).pairs {
            assert_eq!(pair.ranges, [], "{name}");
            for field in pair.fields {
                let named = ["Vendor ID", "Device ID", "Device List Pointer", "Device List"];
                assert!(named.contains(&field.name), "{name}: {field:?}");
            }
        }
        assert!(check::findings(&new).iter().all(|f| f.severity() < Severity::Defect), "{name}");
    }
}

/// Taken apart and put together, a chain is what it was.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn images_put_together_again_are_the_chain() {
    let mut built = 0;
    for (name, bytes) in roms(&corpus()) {
        let rom = Rom::parse(&bytes).unwrap();
        let [chain] = rom.chains() else { continue };
        let around = rom.data().any(|data| !matches!(data.content(), Content::Padding(_)));
        // NVIDIA's chain may end before its private images: "last" is set anew there.
        if around || chain.stop() != Stop::LastImage {
            continue;
        }
        let mut builder = Builder::new(0, Vec::new());
        for image in chain.images() {
            builder = builder.part(Part::Images(image.bytes()));
        }
        let again = builder.build().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(again == bytes[chain.offset()..chain.end()], "{name}");
        built += 1;
    }
    assert!(built > 50, "{built}");
}
