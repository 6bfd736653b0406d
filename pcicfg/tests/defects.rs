//! What is found wrong with a function, and what is not.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::capability::{CapabilityId, ChainDefect};
use pcicfg::extended::ExtendedCapabilityId;
use pcicfg::{Defect, Defects, Dump, Truncated};
use proptest::prelude::*;

fn found(bytes: &[u8]) -> Vec<Defect> {
    Defects::of(bytes).collect()
}

/// The only defect, with its sentence.
#[track_caller]
fn only(bytes: &[u8]) -> (Defect, u16, String) {
    let found = found(bytes);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0], found[0].offset(), found[0].to_string())
}

/// An extended capability's header.
fn extended(id: u16, version: u8, next: u16) -> [u8; 4] {
    (u32::from(id) | u32::from(version) << 16 | u32::from(next) << 20).to_le_bytes()
}

#[test]
fn a_sound_function_has_none() {
    let mut bytes = endpoint(4096, 0x40);
    put(&mut bytes, 0x10, &[0x04, 0, 0, 0xf0, 1, 0, 0, 0]);
    put(&mut bytes, 0x40, &[0x01, 0x50]);
    put(&mut bytes, 0x50, &[0x10, 0x00, 0x02, 0x00]);
    put(&mut bytes, 0x100, &extended(0x0018, 1, 0x108));
    put(&mut bytes, 0x108, &extended(0x0003, 1, 0));
    assert_eq!(found(&bytes), []);
    assert_eq!(view(&bytes[..256]).defects().count(), 0);
}

#[test]
fn a_header_that_is_cut_off_is_one_defect() {
    for size in [0, 1, 16, 63] {
        let (defect, offset, text) = only(&endpoint(64, 0x40)[..size]);
        assert_eq!((defect, usize::from(offset)), (Defect::HeaderCutOff { size: size as u16 }, size));
        assert_eq!(text, format!("only {size} of the header's 64 bytes can be read"));
    }
}

#[test]
fn all_ones_are_one_defect_whatever_the_size() {
    for size in [64, 128, 255, 256, 4096] {
        assert_eq!(only(&vec![0xff; size]).0, Defect::AllOnes);
    }
    // A virtual function has no ids of its own, and all else is sound.
    let mut bytes = endpoint(256, 0);
    put(&mut bytes, 0, &[0xff; 4]);
    assert_eq!(found(&bytes), []);
}

#[test]
fn a_function_that_is_not_ready_is_told_by_its_vendor() {
    let mut bytes = vec![0xff; 256];
    put(&mut bytes, 0, &[0x01, 0x00]);
    let (defect, offset, text) = only(&bytes);
    assert_eq!((defect, offset), (Defect::NotReady, 0));
    assert_eq!(text, "the vendor at 0x000 reads 0001, Request Retry Status: the function is not ready yet");
}

#[test]
fn ids_that_the_kernel_takes_for_an_empty_slot_are_told() {
    for id in [[0; 4], [0xff, 0xff, 0, 0], [0, 0, 0xff, 0xff]] {
        let mut bytes = endpoint(64, 0);
        put(&mut bytes, 0, &id);
        assert_eq!(only(&bytes).0, Defect::NoFunction { id: u32::from_le_bytes(id) });
    }
}

#[test]
fn the_header_type_must_be_known_and_go_with_the_class() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x0e, &[0x83]);
    let (defect, offset, _) = only(&bytes);
    assert_eq!((defect, offset), (Defect::UnknownHeaderType { kind: 3 }, 0x0e));

    let mut bytes = endpoint(64, 0);
    put(&mut bytes, 0x0a, &[0x04, 0x06]);
    let (defect, offset, text) = only(&bytes);
    assert_eq!((defect, offset), (Defect::ClassMismatch { class: 0x0604, kind: 0 }, 0x0a));
    assert_eq!(text, "the class at 0x00a reads 0604, which a header of type 0 cannot have");
    put(&mut bytes, 0x0e, &[1]);
    assert_eq!(found(&bytes), []);
    put(&mut bytes, 0x0a, &[0x00, 0x02]);
    assert_eq!(only(&bytes).0, Defect::ClassMismatch { class: 0x0200, kind: 1 });
}

#[test]
fn base_address_registers_are_checked() {
    let mut bytes = endpoint(64, 0);
    put(&mut bytes, 0x14, &[0x06, 0, 0, 0xf0]);
    put(&mut bytes, 0x24, &[0x0c, 0, 0, 0xf0]);
    let defects = [Defect::ReservedBarType { index: 1 }, Defect::Broken64BitBar { index: 5 }];
    assert_eq!(found(&bytes), defects);
    assert_eq!(defects.map(Defect::offset), [0x14, 0x24]);
    assert_eq!(
        defects[1].to_string(),
        "BAR 5 at 0x024 is a 64-bit one in the last slot: its upper half is missing"
    );
}

#[test]
fn both_lists_are_looked_at_and_unaligned_pointers_told() {
    let mut bytes = endpoint(4096, 0x42);
    put(&mut bytes, 0x40, &[0x01, 0x51]);
    put(&mut bytes, 0x50, &[0x05, 0x40]);
    put(&mut bytes, 0x100, &extended(0x0003, 1, 0x203));
    put(&mut bytes, 0x200, &extended(0x0003, 1, 0x040));
    assert_eq!(
        found(&bytes),
        [
            Defect::UnalignedPointer { holder: 0x34, pointer: 0x42 },
            Defect::UnalignedPointer { holder: 0x41, pointer: 0x51 },
            Defect::Chain(ChainDefect::Looped { holder: 0x51, pointer: 0x40 }),
            Defect::UnalignedPointer { holder: 0x102, pointer: 0x203 },
            Defect::Chain(ChainDefect::Below { holder: 0x202, pointer: 0x40 }),
        ]
    );
}

#[test]
fn what_the_end_cuts_off_is_told_with_its_name() {
    let mut bytes = endpoint(256, 0xfc);
    put(&mut bytes, 0xfc, &[0x10, 0x00, 0x02, 0x00]);
    let (defect, offset, text) = only(&bytes);
    let Defect::CapabilityCutOff { id: CapabilityId::PCI_EXPRESS, truncated } = defect else {
        panic!("{defect:?}")
    };
    assert_eq!((offset, truncated.offset, truncated.available), (0xfc, 0xfc, 4));
    assert_eq!(text, format!("the end of the space cuts PCI Express off: {truncated}"));

    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x000d, 1, 0xffc));
    put(&mut bytes, 0xffc, &extended(0x000d, 1, 0));
    assert_eq!(
        only(&bytes).0,
        Defect::ExtendedCapabilityCutOff {
            id: ExtendedCapabilityId::ACCESS_CONTROL_SERVICES,
            truncated: Truncated { offset: 0xffc, needed: 8, available: 4 },
        }
    );
}

#[test]
fn an_extended_space_that_repeats_the_first_bytes_is_told() {
    assert_eq!(only(&endpoint(256, 0).repeat(16)).0, Defect::Aliased);
}

#[test]
fn of_a_dump_only_what_it_gives_counts() {
    let dump = Dump::parse(b"00:00.0 x\n00: 36 1b 10 00\n").unwrap();
    let function = dump.get(0).unwrap();
    assert!(function.defects().eq([Defect::HeaderCutOff { size: 4 }]));
    // As a space of 64 bytes, what is missing reads as ff.
    assert!(function.config_space().defects().eq([Defect::UnknownHeaderType { kind: 0x7f }]));
}

proptest! {
    #[test]
    fn the_list_ends_and_every_offset_is_within_reach(
        head in prop::collection::vec(any::<u8>(), 0..=512),
        size in 0usize..=4200,
        kind in 0u8..4,
    ) {
        let mut bytes = head;
        bytes.resize(size, 0);
        if let Some(byte) = bytes.get_mut(0x0e) {
            *byte = kind;
        }
        let all: Vec<Defect> = Defects::of(&bytes).collect();
        // One of the header's each, and for every dword of the space a pointer and a capability.
        prop_assert!(all.len() <= 16 + 2 * 1024);
        for defect in all {
            prop_assert!(usize::from(defect.offset()) <= size.min(4096), "{defect:?}");
            prop_assert!(!defect.to_string().is_empty());
        }
    }
}
