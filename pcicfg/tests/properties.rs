//! Whatever the bytes are: nothing panics, no walk goes on for ever or comes back to a capability.

#[path = "common/exercise.rs"]
mod exercise;
#[path = "common/lists.rs"]
mod lists;

use exercise::exercise;
use lists::{lists, size};
use pcicfg::ConfigSpace;
use pcicfg::capability::CapabilityId;
use pcicfg::extended::ExtendedCapabilityId;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Walks, decodes and calls everything; checks what must hold for any bytes.
fn check(bytes: &[u8]) {
    let space = ConfigSpace::new(bytes).expect("64 to 4096 bytes");
    let found = exercise(space);
    assert!(found.capabilities.len() <= 48, "there are 48 dwords from 40h to ffh");
    assert!(found.extended_capabilities.len() <= 960, "there are 960 dwords from 100h to fffh");
    for list in [&found.capabilities, &found.extended_capabilities] {
        assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), list.len(), "each at most once");
    }
    assert!(found.capabilities.iter().all(|&at| (0x40..0x100).contains(&at)));
    assert!(found.extended_capabilities.iter().all(|&at| (0x100..0x1000).contains(&at)));
    assert!(space.capabilities().count() <= 49, "and one defect");
    assert!(space.extended_capabilities().count() <= 961, "and one defect");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes(bytes in size().prop_flat_map(|size| vec(any::<u8>(), size))) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_bytes_with_lists(bytes in lists()) {
        check(&bytes);
    }

    #[test]
    fn one_byte_everywhere(byte in any::<u8>(), size in size()) {
        check(&vec![byte; size]);
    }
}

/// Each id with a view, at each distance from the end of the space, in zeros and in ones.
#[test]
fn every_view_at_the_end_of_the_space() {
    for fill in [0x00, 0xff, 0x5a] {
        for id in 0..=0x16u8 {
            for at in (0x40..0x100).step_by(4) {
                for size in [at + 2, at + 3, at + 4, at + 7, 256] {
                    let mut bytes = vec![fill; size];
                    bytes[0x06] = 0x10;
                    bytes[0x0e] = at as u8 >> 2 & 1;
                    bytes[0x34] = at as u8;
                    bytes[at] = id;
                    bytes[at + 1] = 0;
                    check(&bytes);
                }
            }
        }
        for id in 0..=0x3bu16 {
            for size in (0x104..0x180).chain([0x1ff, 0x200, 0x201]) {
                let mut bytes = vec![fill; size];
                bytes[0x0e] = 0;
                bytes[0x100..0x104].copy_from_slice(&(u32::from(id) | 1 << 16).to_le_bytes());
                check(&bytes);
            }
        }
    }
}

/// The same for what one id has several of: CXL, HyperTransport, virtio and Intel.
#[test]
fn every_kind_within_an_id_at_the_end_of_the_space() {
    for fill in [0x00, 0xff, 0x5a] {
        for id in 0..=0x0bu8 {
            for size in 0x10a..0x160 {
                let mut bytes = vec![fill; size];
                bytes[0x0e] = 0;
                bytes[0x100..0x108].copy_from_slice(&[0x23, 0x00, 0x01, 0x00, 0x98, 0x1e, 0x82, 0x05]);
                bytes[0x108..0x10a].copy_from_slice(&[id, 0x00]);
                check(&bytes);
            }
        }
        for kind in 0..=0xffu8 {
            for size in [0x44, 0x48, 0x4c, 0x50, 0x54, 0x58, 0x5c, 0x60] {
                let mut bytes = vec![fill; size];
                bytes[0x06] = 0x10;
                bytes[0x0e] = 0;
                bytes[0x34] = 0x40;
                bytes[0x40..0x44].copy_from_slice(&[0x08, 0x00, 0x02, kind]);
                check(&bytes);
                for id in [[0xf4, 0x1a, 0x41, 0x10], [0x86, 0x80, 0x04, 0x01]] {
                    bytes[0x00..0x04].copy_from_slice(&id);
                    bytes[0x40..0x44].copy_from_slice(&[0x09, 0x00, (size - 0x40) as u8, kind]);
                    check(&bytes);
                }
            }
        }
    }
}

#[test]
fn every_id_of_the_specification_has_a_name() {
    for id in 0..=0xff {
        assert_eq!(CapabilityId(id).name().is_some(), id <= 0x15, "{id:#04x}");
    }
    for id in 0..=0xffff {
        assert_eq!(ExtendedCapabilityId(id).name().is_some(), id <= 0x3a, "{id:#06x}");
    }
}

/// A new accessor has to be called by `exercise`, or its panics are not found.
#[test]
fn every_accessor_is_exercised() {
    fn sources(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("the crate's own sources") {
            let path = entry.expect("the crate's own sources").path();
            if path.is_dir() {
                sources(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(path).expect("the crate's own sources"));
            }
        }
    }
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut text = std::fs::read_to_string(source.join("header.rs")).expect("the crate's own sources");
    for folder in ["capability", "extended"] {
        sources(&source.join(folder), &mut text);
    }
    let exercise = concat!(include_str!("common/exercise.rs"), include_str!("common/views.rs"));
    let words: BTreeSet<_> = exercise.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).collect();
    let missing: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.trim_start_matches("const ").strip_prefix("fn "))
        .filter_map(|line| line.split_once("(self"))
        .map(|(name, _)| name.split('<').next().unwrap_or(name))
        .filter(|name| !words.contains(name))
        .collect();
    assert!(missing.is_empty(), "not in tests/common/exercise.rs: {missing:?}");
}
