use super::*;
use proptest::prelude::*;

fn space(bytes: &[u8]) -> ConfigSpace<'_> {
    ConfigSpace::new(bytes).expect("64 to 4096 bytes")
}

#[test]
fn a_silent_function_is_not_described() {
    let all_ones = describe(space(&[0xff; 256]), false);
    assert_eq!(all_ones.silence, Some(Silence::AllOnes));
    assert!(all_ones.capabilities.is_empty() && all_ones.header.is_none());

    let mut bytes = [0xff; 256];
    bytes[..4].copy_from_slice(&[0x01, 0, 0xff, 0xff]);
    assert_eq!(describe(space(&bytes), false).silence, Some(Silence::NotReady));

    bytes[..4].copy_from_slice(&[0x86, 0x80, 0, 0]);
    assert_eq!(describe(space(&bytes), false).silence, Some(Silence::UnknownHeader(0x7f)));
}

#[test]
fn a_virtual_function_is_not_silent_for_its_ids() {
    let mut bytes = [0; 256];
    bytes[..4].fill(0xff);
    assert_eq!(describe(space(&bytes), true).silence, None);
    assert_eq!(describe(space(&bytes), false).silence, Some(Silence::AllOnes));
    assert_eq!(describe(space(&[0xff; 256]), true).silence, Some(Silence::AllOnes));
}

#[test]
fn a_broken_list_is_a_defect_with_its_place() {
    let mut bytes = [0; 256];
    bytes[..8].copy_from_slice(&[0x86, 0x80, 0, 0, 0, 0, 0x10, 0]);
    bytes[0x34] = 0x40;
    bytes[0x40..0x42].copy_from_slice(&[0x09, 0x40]);
    let description = describe(space(&bytes), false);
    assert_eq!(description.defects, ["the capability list loops: the pointer at 0x041 leads back to 0x040"]);
    assert_eq!(description.capabilities.len(), 1);
}

#[test]
fn power_management_says_what_a_pm_reset_would_do() {
    let mut bytes = [0; 256];
    bytes[..8].copy_from_slice(&[0x86, 0x80, 0, 0, 0, 0, 0x10, 0]);
    bytes[0x34] = 0x40;
    bytes[0x40..0x48].copy_from_slice(&[0x01, 0, 0x03, 0, 0x0b, 0, 0, 0]);
    let findings = &describe(space(&bytes), false).capabilities[0].findings;
    assert!(findings[0].notable && findings[0].text.contains("D3hot"), "{findings:?}");
    assert!(findings[1].text.starts_with("NoSoftRst+"), "{findings:?}");
}

#[test]
fn sizes_read_well() {
    assert_eq!(bytes(256 << 20), "256 MiB");
    assert_eq!(bytes(1 << 40), "1 TiB");
    assert_eq!(bytes(0), "0 bytes");
    assert_eq!(bytes(1000), "1000 bytes");
}

proptest! {
    #[test]
    fn any_bytes_can_be_described(
        mut bytes in prop::collection::vec(any::<u8>(), 64..=4096),
        kind in 0u8..4,
        plausible in any::<bool>(),
        is_virtual in any::<bool>(),
    ) {
        if plausible {
            bytes[..8].copy_from_slice(&[0x86, 0x80, 0x34, 0x12, 7, 1, 0x10, 0]);
            bytes[0x0e] = kind;
        }
        let description = describe(space(&bytes), is_virtual);
        prop_assert!(description.capabilities.len() <= 48 + 960);
        prop_assert!(header_registers(space(&bytes)).len() <= 64);
    }
}
