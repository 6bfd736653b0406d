use super::*;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

/// A space with a bridge or endpoint header, Power Management, MSI, PCI Express and AER.
fn sample(bridge: bool) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[..16].copy_from_slice(&[
        0x86,
        0x80,
        0x34,
        0x12,
        0x07,
        0x01,
        0x10,
        0,
        0,
        0,
        0,
        2,
        0,
        0,
        u8::from(bridge),
        0,
    ]);
    bytes[0x34] = 0x40;
    bytes[0x40..0x48].copy_from_slice(&[0x01, 0x50, 0x03, 0, 0x08, 0, 0, 0]);
    bytes[0x50..0x54].copy_from_slice(&[0x05, 0x70, 0x80, 0]);
    bytes[0x70..0x74].copy_from_slice(&[0x10, 0, if bridge { 0x42 } else { 0x02 }, 0]);
    bytes[0x100..0x104].copy_from_slice(&[0x01, 0, 0x02, 0]);
    bytes
}

fn lines(old: &[u8], new: &[u8]) -> Vec<String> {
    let space = |bytes| ConfigSpace::new(bytes).expect("64 to 4096 bytes");
    diff(space(old), space(new)).iter().map(ToString::to_string).collect()
}

fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut new = sample(false);
    new[at..at + bytes.len()].copy_from_slice(bytes);
    new
}

#[test]
fn a_difference_names_register_and_bits() {
    let old = sample(false);
    for (at, bytes, expected) in [
        (0x04, &[0x03, 0x00][..], "Command at 004: 0107 -> 0003, Bus Master -, SERR Enable -"),
        (0x44, &[0x0b], "Power Management Control/Status at 044: 0008 -> 000b, Power State D0 -> D3hot"),
        (0x78, &[0x20], "Device Control at 078: 0000 -> 0020, Max Payload Size 128 bytes -> 256 bytes"),
        (0x10, &[0, 0, 0, 0xfe], "Base Address 0 at 010: 00000000 -> fe000000"),
        (0xf4, &[1], "dword at 0f4: 00000000 -> 00000001"),
        (
            0x104,
            &[0, 0, 0x10],
            "Uncorrectable Error Status at 104: 00000000 -> 00100000, Unsupported Request Error +",
        ),
    ] {
        assert_eq!(lines(&old, &changed(at, bytes)), [expected]);
    }
}

#[test]
fn what_hardware_changes_is_marked() {
    let old = sample(false);
    let status = |at, bytes: &[u8]| {
        let new = changed(at, bytes);
        let space = |bytes| ConfigSpace::new(bytes).expect("4096 bytes");
        diff(space(&old), space(&new)).iter().map(Difference::is_status).collect::<Vec<_>>()
    };
    assert_eq!(status(0x06, &[0x10, 0x20]), [true], "an error in Status");
    assert_eq!(status(0x7a, &[0x20]), [true], "Transactions Pending");
    assert_eq!(status(0x82, &[0x00, 0x08]), [true], "Link Training");
    assert_eq!(status(0x82, &[0x41, 0x00]), [false], "speed and width matter");
    assert_eq!(status(0x04, &[0]), [false], "Command");
}

#[test]
fn a_capability_that_vanished_is_told() {
    let old = sample(false);
    let new = changed(0x51, &[0]);
    assert_eq!(lines(&old, &new), ["Next Capability Pointer at 051: 70 -> 00", "PCI Express at 070 is gone"]);
}

#[test]
fn bytes_of_a_vendor_have_their_structure() {
    let mut old = sample(false);
    old[0x51] = 0x70;
    old[0x71] = 0xa0;
    old[0xa0..0xa3].copy_from_slice(&[0x09, 0, 0x10]);
    let mut new = old.clone();
    new[0xa8] = 1;
    let space = |bytes| ConfigSpace::new(bytes).expect("4096 bytes");
    let found = diff(space(&old), space(&new));
    let [Difference::Register(register)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        register.structure.map(|structure| structure.to_string()).as_deref(),
        Some("Vendor Specific at 0a0")
    );
    assert_eq!(register.register, None);
}

#[test]
fn a_register_that_one_space_cuts_off_is_compared_as_far_as_it_goes() {
    let old = sample(false);
    let mut new = sample(false);
    new.truncate(0x75);
    new[0x74] = 1;
    // Device Capabilities, of which one byte is left.
    assert_eq!(lines(&old, &new), ["byte at 074: 00 -> 01"]);
}

#[test]
fn functions_are_matched_by_address() {
    let address = |text: &str| text.parse::<Address>().expect("an address");
    let all_ones = vec![0xff; 256];
    let old = Spaces::from([
        (address("00:00.0"), sample(false)),
        (address("00:01.0"), sample(true)),
        (address("00:02.0"), sample(false)),
        (address("00:03.0"), all_ones.clone()),
    ]);
    let new = Spaces::from([
        (address("00:00.0"), sample(false)),
        (address("00:01.0"), all_ones.clone()),
        (address("00:03.0"), all_ones),
        (address("00:04.0"), sample(false)),
    ]);
    let found = compare(&old, &new);
    assert!(found[0].1.is_equal());
    assert_eq!(found[1].1, FunctionDifference::Silent { side: Side::New });
    assert_eq!(found[2].1, FunctionDifference::OnlyIn { side: Side::Old });
    assert!(found[3].1.is_equal(), "all-ones in both");
    assert_eq!(found[4].1, FunctionDifference::OnlyIn { side: Side::New });
}

#[test]
fn functions_whose_space_cannot_be_read_never_count_as_equal() {
    let address: Address = "00:01.0".parse().unwrap();
    let of = |bytes: &[u8]| Spaces::from([(address, bytes.to_vec())]);
    let whole = sample(false);
    for (old, new) in [(&whole[..], &[][..]), (&[], &whole), (&[1; 10], &[1; 10]), (&[], &[])] {
        let found = compare(&of(old), &of(new));
        let expected = FunctionDifference::Unreadable { old: old.len(), new: new.len() };
        assert_eq!(found, [(address, expected.clone())]);
        assert!(!expected.is_equal() && !expected.without_status().is_equal());
    }
}

/// Spaces that get past the header's first checks more often than chance would have it.
fn spaces() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![Just(64usize), Just(256), Just(4096), 64usize..=4096];
    let edits = prop::collection::vec((0usize..4096, any::<u8>()), 0..60);
    let base = prop_oneof![
        Just(sample(false)),
        Just(sample(true)),
        prop::collection::vec(any::<u8>(), 4096),
        Just(vec![0xff; 4096]),
    ];
    (base, size, edits).prop_map(|(mut bytes, size, edits)| {
        for (at, value) in edits {
            bytes[at] = value;
        }
        bytes.truncate(size);
        bytes
    })
}

/// The same difference, seen from the other side.
fn reversed(difference: Difference) -> Difference {
    match difference {
        Difference::Capability { only_in, capability, offset } => {
            let only_in = if only_in == Side::Old { Side::New } else { Side::Old };
            Difference::Capability { only_in, capability, offset }
        }
        Difference::Register(register) => Difference::Register(RegisterDifference {
            old: register.new,
            new: register.old,
            fields: register
                .fields
                .into_iter()
                .map(|field| FieldChange { old: field.new, new: field.old, ..field })
                .collect(),
            ..register
        }),
    }
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(bytes in spaces()) {
        prop_assert_eq!(lines(&bytes, &bytes), Vec::<String>::new());
    }

    #[test]
    fn turning_around_turns_each_difference_around(old in spaces(), new in spaces()) {
        let (a, b) = (ConfigSpace::new(&old).unwrap(), ConfigSpace::new(&new).unwrap());
        let mut forth: Vec<String> = diff(a, b).into_iter().map(|d| format!("{:?}", reversed(d))).collect();
        let mut back: Vec<String> = diff(b, a).into_iter().map(|d| format!("{d:?}")).collect();
        forth.sort();
        back.sort();
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn applying_the_differences_gives_the_other(old in spaces(), new in spaces()) {
        let (a, b) = (ConfigSpace::new(&old).unwrap(), ConfigSpace::new(&new).unwrap());
        let size = old.len().min(new.len());
        let mut bytes = old.clone();
        for difference in diff(a, b) {
            let Difference::Register(register) = difference else { continue };
            prop_assert_ne!(register.old, register.new);
            let (at, width) = (usize::from(register.offset), usize::from(register.width));
            prop_assert_eq!(&bytes[at..at + width], &register.old.to_le_bytes()[..width]);
            bytes[at..at + width].copy_from_slice(&register.new.to_le_bytes()[..width]);
        }
        prop_assert_eq!(&bytes[..size], &new[..size]);
    }
}
