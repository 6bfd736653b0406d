//! The two walks on lists that are broken in every way that is known (facts: what lspci, Linux and
//! vfio-pci do with each).

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::capability::{Capability, CapabilityId, ChainDefect};
use pcicfg::extended::{ExtendedCapability, ExtendedCapabilityId};
use pcicfg::{ConfigSpace, SizeError, Truncated};

/// The ids and offsets in the list's order, and the defect that ends it.
fn walk(space: ConfigSpace<'_>) -> (Vec<(u8, u16)>, Option<ChainDefect>) {
    let (mut found, mut defect) = (Vec::new(), None);
    for item in space.capabilities() {
        assert_eq!(defect, None, "nothing follows a defect");
        match item {
            Ok(entry) => found.push((entry.id().0, entry.offset())),
            Err(error) => defect = Some(error),
        }
    }
    (found, defect)
}

fn extended_walk(space: ConfigSpace<'_>) -> (Vec<(u16, u16)>, Option<ChainDefect>) {
    let (mut found, mut defect) = (Vec::new(), None);
    for item in space.extended_capabilities() {
        assert_eq!(defect, None, "nothing follows a defect");
        match item {
            Ok(entry) => found.push((entry.id().0, entry.offset())),
            Err(error) => defect = Some(error),
        }
    }
    (found, defect)
}

#[test]
fn a_sound_list() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x50]);
    put(&mut bytes, 0x50, &[0x05, 0x70]);
    put(&mut bytes, 0x70, &[0x10, 0x00]);
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40), (0x05, 0x50), (0x10, 0x70)], None));
}

#[test]
fn without_capabilities_list_in_status_there_is_no_list() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x06, &[0x00]);
    put(&mut bytes, 0x40, &[0x01, 0x00]);
    assert_eq!(walk(view(&bytes)), (vec![], None));
}

#[test]
fn a_null_pointer_is_an_empty_list() {
    assert_eq!(walk(view(&endpoint(256, 0x00))), (vec![], None));
    assert_eq!(walk(view(&endpoint(256, 0x03))), (vec![], None));
}

#[test]
fn a_pointers_low_bits_are_ignored() {
    let mut bytes = endpoint(256, 0x43);
    put(&mut bytes, 0x40, &[0x01, 0x52]);
    put(&mut bytes, 0x50, &[0x10, 0x01]);
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40), (0x10, 0x50)], None));
}

#[test]
fn a_pointer_into_the_header_ends_the_list() {
    let defect = ChainDefect::Below { holder: 0x34, pointer: 0x10 };
    assert_eq!(walk(view(&endpoint(256, 0x10))), (vec![], Some(defect)));

    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x3f]);
    let defect = ChainDefect::Below { holder: 0x41, pointer: 0x3c };
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40)], Some(defect)));
}

#[test]
fn a_list_of_one_that_points_to_itself() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x40]);
    let defect = ChainDefect::Looped { holder: 0x41, pointer: 0x40 };
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40)], Some(defect)));
    assert_eq!(defect.to_string(), "the capability list loops: the pointer at 0x041 leads back to 0x040");
}

#[test]
fn a_list_of_two_that_loops() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x50]);
    put(&mut bytes, 0x50, &[0x05, 0x40]);
    let defect = ChainDefect::Looped { holder: 0x51, pointer: 0x40 };
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40), (0x05, 0x50)], Some(defect)));
}

#[test]
fn the_longest_list() {
    let mut bytes = endpoint(256, 0x40);
    for at in (0x40..0x100).step_by(4) {
        put(&mut bytes, at, &[0x09, (at + 4) as u8]);
    }
    // The last one's pointer is 100h cut to eight bits: the end.
    let (found, defect) = walk(view(&bytes));
    assert_eq!((found.len(), defect), (48, None));
}

#[test]
fn an_id_of_all_ones_ends_the_list() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x50]);
    put(&mut bytes, 0x50, &[0xff, 0x60]);
    let defect = ChainDefect::AllOnes { holder: 0x41, pointer: 0x50 };
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40)], Some(defect)));
}

#[test]
fn a_64_byte_space_has_the_pointer_and_not_the_list() {
    let defect = ChainDefect::Unreadable { holder: 0x34, pointer: 0x40, size: 64 };
    assert_eq!(walk(view(&endpoint(64, 0x40))), (vec![], Some(defect)));
    assert_eq!(view(&endpoint(64, 0x40)).power_management(), None);
}

#[test]
fn a_128_byte_space_has_a_part_of_the_list() {
    let mut bytes = endpoint(128, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x7c]);
    put(&mut bytes, 0x7c, &[0x05, 0x80]);
    let defect = ChainDefect::Unreadable { holder: 0x7d, pointer: 0x80, size: 128 };
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x40), (0x05, 0x7c)], Some(defect)));
}

#[test]
fn a_space_that_ends_within_a_capabilitys_header() {
    let bytes = endpoint(65, 0x40);
    let defect = ChainDefect::Unreadable { holder: 0x34, pointer: 0x40, size: 65 };
    assert_eq!(walk(view(&bytes)), (vec![], Some(defect)));
}

#[test]
fn a_capability_that_the_end_cuts_off_is_found_and_not_decoded() {
    let mut bytes = endpoint(256, 0xfc);
    put(&mut bytes, 0xfc, &[0x01, 0x00, 0x03, 0x00]);
    let space = view(&bytes);
    let entry = space.capability(CapabilityId::POWER_MANAGEMENT).expect("it is in the list");
    let error = Truncated { offset: 0xfc, needed: 8, available: 4 };
    assert_eq!(entry.decode().map(|_| ()), Err(error));
    assert_eq!(error.to_string(), "the structure at 0x0fc needs 8 bytes, and only 4 can be read");
    assert_eq!(space.power_management(), None);
}

#[test]
fn a_capability_does_not_reach_into_the_extended_space() {
    let mut bytes = endpoint(4096, 0xfc);
    put(&mut bytes, 0xfc, &[0x01, 0x00, 0x03, 0x00, 0x08]);
    let entry = view(&bytes).capability(CapabilityId::POWER_MANAGEMENT).expect("it is in the list");
    assert_eq!(entry.bytes().len(), 4);
}

#[test]
fn a_cardbus_bridge_has_its_pointer_at_14h() {
    let mut bytes = endpoint(128, 0x50);
    put(&mut bytes, 0x0e, &[0x02]);
    put(&mut bytes, 0x14, &[0x44]);
    put(&mut bytes, 0x44, &[0x01, 0x14]);
    let defect = ChainDefect::Below { holder: 0x45, pointer: 0x14 };
    assert_eq!(walk(view(&bytes)), (vec![(0x01, 0x44)], Some(defect)));
}

#[test]
fn a_multi_function_bridge_has_its_pointer_at_34h() {
    let mut bytes = endpoint(256, 0x50);
    put(&mut bytes, 0x0e, &[0x81]);
    put(&mut bytes, 0x50, &[0x0d, 0x00]);
    assert_eq!(walk(view(&bytes)), (vec![(0x0d, 0x50)], None));
}

#[test]
fn an_unknown_header_has_no_list() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x0e, &[0x7f]);
    put(&mut bytes, 0x40, &[0x01, 0x00]);
    assert_eq!(walk(view(&bytes)), (vec![], None));
}

#[test]
fn a_space_of_all_ones_has_no_lists() {
    for size in [64, 128, 256, 4096] {
        let bytes = vec![0xff; size];
        assert_eq!(walk(view(&bytes)), (vec![], None));
        assert_eq!(extended_walk(view(&bytes)), (vec![], None));
    }
}

#[test]
fn sizes_that_are_no_configuration_space() {
    for size in [0, 16, 63, 4097] {
        assert_eq!(ConfigSpace::new(&vec![0; size]), Err(SizeError { size }));
    }
}

/// An extended capability's header.
fn extended(id: u16, version: u8, next: u16) -> [u8; 4] {
    (u32::from(id) | u32::from(version) << 16 | u32::from(next) << 20).to_le_bytes()
}

#[test]
fn a_sound_extended_list() {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 2, 0x148));
    put(&mut bytes, 0x148, &extended(0x0003, 1, 0xffc));
    put(&mut bytes, 0xffc, &extended(0x000d, 1, 0));
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100), (3, 0x148), (0xd, 0xffc)], None));
    let entry = view(&bytes).extended_capability(ExtendedCapabilityId::ADVANCED_ERROR_REPORTING);
    assert_eq!(entry.map(|entry| entry.version()), Some(2));
    let cut = view(&bytes).extended_capability(ExtendedCapabilityId::ACCESS_CONTROL_SERVICES);
    let error = Truncated { offset: 0xffc, needed: 8, available: 4 };
    assert_eq!(cut.map(|entry| entry.decode().map(|_| ())), Some(Err(error)));
}

#[test]
fn zero_or_all_ones_at_100h_is_no_extended_list() {
    let mut bytes = endpoint(4096, 0);
    assert_eq!(extended_walk(view(&bytes)), (vec![], None));
    put(&mut bytes, 0x100, &[0xff; 4]);
    assert_eq!(extended_walk(view(&bytes)), (vec![], None));
    assert_eq!(extended_walk(view(&endpoint(256, 0))), (vec![], None));
    assert_eq!(extended_walk(view(&endpoint(0x103, 0))), (vec![], None));
}

#[test]
fn a_mirror_of_the_first_256_bytes_is_no_extended_list() {
    // As an RS690 host bridge reads, 1002:7911: taken for a header, its id is a loop.
    let mut first = endpoint(256, 0);
    put(&mut first, 0x00, &[0x02, 0x10, 0x11, 0x79]);
    let mut bytes = first.repeat(16);
    assert_eq!(extended_walk(view(&bytes)), (vec![], None));
    // One block that differs, and it is no mirror.
    put(&mut bytes, 0xf00, &[0x00; 4]);
    assert_eq!(extended_walk(view(&bytes)), (vec![(0x1002, 0x100)], None));
}

#[test]
fn a_null_capability_at_the_start_keeps_the_list() {
    // The specification's way to hide the first one: id 0, and the pointer to the next.
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0, 0, 0x200));
    put(&mut bytes, 0x200, &extended(0x0018, 1, 0));
    assert_eq!(extended_walk(view(&bytes)), (vec![(0, 0x100), (0x18, 0x200)], None));
}

#[test]
fn an_extended_header_of_zero_ends_the_list() {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x200));
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100)], None));
}

#[test]
fn an_extended_pointer_below_100h_ends_the_list() {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x040));
    let defect = ChainDefect::Below { holder: 0x102, pointer: 0x40 };
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100)], Some(defect)));
}

#[test]
fn an_extended_pointers_low_bits_are_ignored() {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x203));
    put(&mut bytes, 0x200, &extended(0x0003, 1, 0x002));
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100), (3, 0x200)], None));
}

#[test]
fn extended_lists_that_loop() {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x100));
    let defect = ChainDefect::Looped { holder: 0x102, pointer: 0x100 };
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100)], Some(defect)));

    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x200));
    put(&mut bytes, 0x200, &extended(0x0003, 1, 0x100));
    let defect = ChainDefect::Looped { holder: 0x202, pointer: 0x100 };
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100), (3, 0x200)], Some(defect)));
}

#[test]
fn the_longest_extended_list() {
    let mut bytes = endpoint(4096, 0);
    for at in (0x100u16..0x1000).step_by(4) {
        let next = if at == 0xffc { 0x100 } else { at + 4 };
        put(&mut bytes, at.into(), &extended(0x000b, 1, next));
    }
    let (found, defect) = extended_walk(view(&bytes));
    assert_eq!(found.len(), 960);
    assert_eq!(defect, Some(ChainDefect::Looped { holder: 0xffe, pointer: 0x100 }));
}

#[test]
fn an_extended_header_of_all_ones_inside_the_list_is_a_defect() {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x200));
    put(&mut bytes, 0x200, &[0xff; 4]);
    let defect = ChainDefect::AllOnes { holder: 0x102, pointer: 0x200 };
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100)], Some(defect)));
}

#[test]
fn an_extended_list_that_goes_on_past_the_end() {
    let mut bytes = endpoint(0x200, 0);
    put(&mut bytes, 0x100, &extended(0x0001, 1, 0x1fc));
    put(&mut bytes, 0x1fc, &extended(0x0018, 1, 0x200));
    let defect = ChainDefect::Unreadable { holder: 0x1fe, pointer: 0x200, size: 0x200 };
    assert_eq!(extended_walk(view(&bytes)), (vec![(1, 0x100), (0x18, 0x1fc)], Some(defect)));
}

#[test]
fn ids_without_a_view_are_given_as_they_are() {
    let mut bytes = endpoint(4096, 0x40);
    put(&mut bytes, 0x40, &[0x16, 0x00]);
    put(&mut bytes, 0x100, &extended(0x003b, 2, 0));
    let space = view(&bytes);
    let entry = space.capabilities().next().expect("one").expect("sound");
    assert!(matches!(entry.decode(), Ok(Capability::Other(other)) if other == entry));
    let entry = space.extended_capabilities().next().expect("one").expect("sound");
    assert!(matches!(entry.decode(), Ok(ExtendedCapability::Other(other)) if other == entry));
}
