//! The walk, the names, and what holds for any bytes.

mod registers;

use super::write;
use crate::Address;
use crate::lspci::{Subject, Text};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use proptest::prelude::*;

/// What is written for a space.
fn written(bytes: &[u8], verbose: u8, express: Option<u8>) -> String {
    let mut text = Text::new();
    write(&mut text, &Subject::new(Address::from_devfn(0, 0, 0), bytes), verbose, express);
    text.to_str().to_string()
}

/// A space that ends with the last of these dwords, the first of them at 100h.
fn space(dwords: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0; 0x100];
    bytes.extend(dwords.iter().flat_map(|dword| dword.to_le_bytes()));
    bytes
}

/// What `-vv` shows of a list that begins with these dwords, in an endpoint.
pub(super) fn shown(dwords: &[u32]) -> String {
    shown_in(0, dwords)
}

/// The same in a function of another Device/Port Type.
pub(super) fn shown_in(express: u8, dwords: &[u32]) -> String {
    written(&space(dwords), 2, Some(express))
}

/// The same with `-vvv`.
pub(super) fn shown_in_full(dwords: &[u32]) -> String {
    written(&space(dwords), 3, Some(0))
}

/// Asserts that with the last dword gone, the capability has its name and this.
#[track_caller]
pub(super) fn assert_cut_off(dwords: &[u32], expected: &str) {
    let (_, rest) = dwords.split_last().expect("a capability");
    let text = shown(rest);
    let (_, fields) = text.split_once('\n').expect("a line for the name");
    assert_eq!(fields, expected);
}

#[test]
fn capabilities_without_fields_have_their_name() {
    let names = [
        (0x00, "Null"),
        (0x04, "Power Budgeting <?>"),
        (0x06, "Root Complex Internal Link <?>"),
        (0x08, "Multi-Function Virtual Channel <?>"),
        (0x0a, "Root Complex Register Block <?>"),
        (0x0c, "Extended Capability ID 0xc"),
        (0x11, "Multi-Root I/O Virtualization <?>"),
        (0x14, "Extended Capability ID 0x14"),
        (0x16, "Dynamic Power Allocation <?>"),
        (0x1a, "Protocol Multiplexing <?>"),
        (0x1c, "LN Requester <?>"),
        (0x20, "PCI Express over M_PHY <?>"),
        (0x21, "FRS Queueing <?>"),
        (0x22, "Readiness Time Reporting <?>"),
        (0x25, "Data Link Feature <?>"),
        (0x28, "Hierarchy ID <?>"),
        (0x29, "Native PCIe Enclosure Management <?>"),
        (0x2b, "Extended Capability ID 0x2b"),
        (0x2c, "Extended Capability ID 0x2c"),
        (0x2d, "Extended Capability ID 0x2d"),
        (0x33, "Extended Capability ID 0x33"),
        (0x35, "Extended Capability ID 0x35"),
        (0x37, "Extended Capability ID 0x37"),
        (0x38, "Extended Capability ID 0x38"),
        (0x39, "Extended Capability ID 0x39"),
        (0x3a, "Extended Capability ID 0x3a"),
        (0xffff, "Extended Capability ID 0xffff"),
    ];
    for (id, name) in names {
        let list = [0x000c_0000 | id, !0, !0];
        assert_eq!(shown(&list), format!("\tCapabilities: [100 v12] {name}\n"));
        assert_eq!(written(&space(&list), 1, None), format!("\tCapabilities: [100] {name}\n"));
    }
}

#[test]
fn one_v_shows_names_only() {
    let list = [0x1081_0018, 0x1001_1001, 0x0001_000d, 0x007f_007f];
    assert_eq!(
        written(&space(&list), 1, None),
        "\tCapabilities: [100] Latency Tolerance Reporting\n\
         \tCapabilities: [108] Access Control Services\n"
    );
}

#[test]
fn the_list_ends_where_nothing_can_be_read() {
    let name = "\tCapabilities: [100 v1] Null\n";
    assert_eq!(written(&[0; 0x100], 2, None), "");
    assert_eq!(written(&[1; 0x103], 2, None), "");
    assert_eq!(shown(&[0]), "");
    assert_eq!(shown(&[0xffff_ffff]), "");
    assert_eq!(shown(&[0x1041_0000]), name);
    assert_eq!(shown(&[0x1041_0000, 0]), name);
    assert_eq!(shown(&[0x1041_0000, 0xffff_ffff]), name);
    assert_eq!(shown(&[0xffc1_0000, 0]), name);
}

#[test]
fn a_pointer_loses_its_low_bits_and_may_go_below_100() {
    let mut bytes = space(&[0x0431_0000]);
    bytes[0x40..0x44].copy_from_slice(&[0x10, 0x00, 0x02, 0x10]);
    assert_eq!(
        written(&bytes, 2, None),
        "\tCapabilities: [100 v1] Null\n\
         \tCapabilities: [040 v2] Single Root I/O Virtualization (SR-IOV)\n\
         \t\tIOVCap:\tMigration- 10BitTagReq- IntMsgNum 0\n\
         \t\tIOVCtl:\tEnable- Migration- Interrupt- MSE- ARIHierarchy- 10BitTagReq-\n\
         \t\tIOVSta:\tMigration-\n\
         \t\tInitial VFs: 0, Total VFs: 0, Number of VFs: 0, Function Dependency Link: 00\n\
         \t\tVF offset: 0, stride: 0, Device ID: 0000\n\
         \t\tSupported Page Size: 00000000, System Page Size: 00000000\n\
         \t\tVF Migration: offset: 00000000, BIR: 0\n\
         \tCapabilities: [100 v1] <chain looped>\n"
    );
}

#[test]
fn a_loop_is_named_where_it_closes() {
    assert_eq!(
        shown(&[0x1001_0000]),
        "\tCapabilities: [100 v1] Null\n\
         \tCapabilities: [100 v1] <chain looped>\n"
    );
    // 104h names itself, not the list's beginning.
    assert_eq!(
        shown(&[0x1041_0000, 0x1042_002b]),
        "\tCapabilities: [100 v1] Null\n\
         \tCapabilities: [104 v2] Extended Capability ID 0x2b\n\
         \tCapabilities: [104 v2] <chain looped>\n"
    );
}

/// Spaces whose capabilities have the ids that are decoded and bodies that say anything.
fn lists() -> impl Strategy<Value = Vec<u8>> {
    let capability = (0u32..0x3c, 0u32..16, 4usize..0x60, prop::bool::ANY);
    (prop::collection::vec(any::<u8>(), 0..=4096), prop::collection::vec(capability, 0..40)).prop_map(
        |(mut bytes, capabilities)| {
            let mut at = 0x100;
            for (id, version, len, cxl) in capabilities {
                let next = at + (len & !3);
                let header = id | version << 16 | (next as u32) << 20;
                if let Some(place) = bytes.get_mut(at..at + 4) {
                    place.copy_from_slice(&header.to_le_bytes());
                }
                if let Some(place) = bytes.get_mut(at + 4..at + 6).filter(|_| cxl && id == 0x23) {
                    place.copy_from_slice(&super::cxl::VENDOR.to_le_bytes());
                }
                at = next;
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn any_bytes_make_bounded_text(bytes in lists(), verbose in 0u8..5, express in any::<Option<u8>>()) {
        let text = written(&bytes, verbose, express);
        let capabilities = text.matches("\tCapabilities: [").count();
        prop_assert!(capabilities <= 1024 + 1);
        // No structure says more of a byte than IDE does.
        prop_assert!(text.len() <= capabilities * 0x1_0000);
        prop_assert!(text.is_ascii());
        if verbose < 2 {
            prop_assert_eq!(text.matches("\n\t\t").count(), 0);
        }
    }

    #[test]
    fn one_v_shows_what_two_show_without_the_fields(bytes in lists()) {
        let two: String = written(&bytes, 2, None)
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("\t\t"))
            .collect();
        let mut without_versions = String::new();
        for (index, part) in two.split("\tCapabilities: [").enumerate() {
            if index > 0 {
                let (offset, rest) = part.split_once(' ').expect("a version");
                let (_, rest) = rest.split_once(']').expect("a bracket");
                without_versions += &format!("\tCapabilities: [{offset}]{rest}");
            }
        }
        prop_assert_eq!(without_versions, written(&bytes, 1, None));
    }
}
