//! The tables as a whole: what must hold for every row, on functions with every capability.

use super::*;
use crate::capability::CapabilityId;
use crate::extended::ExtendedCapabilityId;
use alloc::collections::BTreeSet;
use alloc::vec;
use proptest::collection::vec as many;
use proptest::prelude::*;

/// Functions with capabilities of all kinds, far enough apart that they do not overlap, and bodies of any
/// bytes, of few, or of none.
pub(crate) fn functions() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        4 => many(any::<u8>(), 4096),
        2 => many(prop_oneof![4 => Just(0u8), 1 => any::<u8>()], 4096),
        1 => Just(vec![0; 4096]),
        1 => Just(vec![0xff; 4096]),
    ];
    let vendor = prop_oneof![Just(0x1af4_u16), Just(0x8086), any::<u16>()];
    let device = prop_oneof![Just(0x1041_u16), Just(0xa110), any::<u16>()];
    // The port types, and versions 1 and 2.
    let express = (0u8..12, 1u8..3, any::<bool>());
    let other = (0u8..=0x14).prop_map(|id| if id < 0x10 { id } else { id + 1 });
    let lists = (many(other, 0..4), many(0u16..=0x3a, 0..8), any::<u16>());
    (body, 0u8..3, vendor, device, express, lists).prop_map(
        |(mut bytes, kind, vendor, device, (port, version, slot), (capabilities, extended, dvsec))| {
            bytes[0..2].copy_from_slice(&vendor.to_le_bytes());
            bytes[2..4].copy_from_slice(&device.to_le_bytes());
            (bytes[0x06], bytes[0x0e]) = (bytes[0x06] | 0x10, kind);
            let mut pointer = if kind == 2 { 0x14 } else { 0x34 };
            // PCI Express takes 60 bytes, the others at most 36.
            let places = [0x40, 0x80, 0xa8, 0xd0, 0xf8];
            let ids = core::iter::once(0x10).chain(capabilities);
            for (at, id) in places.into_iter().zip(ids) {
                bytes[pointer] = at as u8;
                bytes[at] = id;
                if id == 0x10 {
                    bytes[at + 2] = version | port << 4;
                    bytes[at + 3] = bytes[at + 3] & !1 | u8::from(slot);
                }
                // One entry at most, so that nothing overlaps.
                if id == 0x14 {
                    bytes[at + 2] &= 1;
                }
                pointer = at + 1;
            }
            bytes[pointer] = 0;
            let mut at = 0x100;
            for (index, id) in extended.iter().enumerate() {
                let last = index + 1 == extended.len();
                let next = if last { 0 } else { at + 0x1c0 };
                let header = u32::from(*id) | 2 << 16 | (next as u32) << 20;
                bytes[at..at + 4].copy_from_slice(&header.to_le_bytes());
                if *id == 0x23 && dvsec & 1 == 0 {
                    // Compute Express Link.
                    bytes[at + 4..at + 6].copy_from_slice(&[0x98, 0x1e]);
                    bytes[at + 8..at + 10].copy_from_slice(&[(dvsec >> 1 & 0xf) as u8, 0]);
                }
                match id {
                    // As many entries as there is room for.
                    0x05 => bytes[at + 5] &= 0x0f,
                    0x23 | 0x36 => bytes[at + if *id == 0x23 { 7 } else { 5 }] = 0,
                    0x30 => bytes[at + 6] = 0,
                    _ => {}
                }
                at = next;
            }
            bytes
        },
    )
}

fn check(map: &RegisterMap, space: ConfigSpace<'_>) {
    let mut names = BTreeSet::new();
    for register in map.registers() {
        let name = register.name();
        let place = format!("{name} of {}", register.structure());
        assert!(register.offset().is_multiple_of(register.width().into()), "{place} is not aligned");
        assert!(names.insert(place.clone()), "there are two of {place}");
        let all = register.all_bits();
        let row = register.register;
        let masks = &row.masks;
        let written = masks.takes | masks.clears | masks.acts;
        let beyond = (written | masks.sticky) & !all & !row.status;
        assert_eq!(beyond, 0, "{place} has not so many bits");
        assert_eq!(masks.takes & masks.clears, 0, "{place}");
        assert_eq!((masks.takes | masks.clears) & masks.acts, 0, "{place}");
        assert_eq!(masks.locks & !masks.takes, 0, "{place}");
        let named = row.named_bits();
        assert_eq!(written & !named, 0, "{place} has bits without a name that can be written");
        let (mut keys, mut seen) = (BTreeSet::new(), 0u32);
        for field in register.fields() {
            let field_place = format!("{} of {place}", field.name());
            assert!(field.mask != 0 && field.mask & !all == 0, "{field_place}");
            assert_eq!(field.mask & seen, 0, "{field_place} overlaps");
            seen |= field.mask;
            let key = field.key().to_string();
            assert!(!key.is_empty() && !key.ends_with('_') && !key.contains("__"), "{field_place}: {key}");
            assert!(keys.insert(key), "{field_place}: two of its key");
            // TC0 of VC0 is always mapped.
            if field.name().is("TC/VC Map") {
                continue;
            }
            for (what, bits) in [
                ("takes", masks.takes),
                ("clears", masks.clears),
                ("acts", masks.acts),
                ("sticky", masks.sticky),
                ("locks", masks.locks),
            ] {
                let part = bits & field.mask;
                assert!(part == 0 || part == field.mask, "{field_place} is partly in {what}");
            }
        }
        let Some(value) = register.read(space) else { panic!("{place} cannot be read") };
        for field in register.fields() {
            let code = field.code(value);
            assert_eq!(field.bits_of(code), Some(value & field.mask), "{} of {place}", field.name());
            assert!(!field.value(value).to_string().is_empty());
            assert!(!field.value(!value).to_string().is_empty());
            assert_eq!(register.field(&field.name().to_string()).unwrap().mask, field.mask);
        }
        let found = map.find(&register.structure().to_string(), &name.to_string());
        assert!(found.is_ok_and(|found| found.is_same_as(register)), "{place}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_register_is_well_formed(bytes in functions(), size in prop_oneof![9 => Just(4096usize), 1 => 64usize..4096]) {
        let space = ConfigSpace::new(&bytes[..size]).unwrap();
        check(&registers(space), space);
    }

    #[test]
    fn any_bytes_have_registers_or_none(bytes in many(any::<u8>(), 64..=4096)) {
        let space = ConfigSpace::new(&bytes).unwrap();
        check(&registers(space), space);
    }
}

/// A function whose only capability beside PCI Express is this one, zeros but for `body` from its fourth
/// byte on.
fn with(structure: Structure, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[0..4].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00]);
    bytes[0x06] = 0x10;
    bytes[0x34] = 0xc0;
    bytes[0xc0..0xc4].copy_from_slice(&[0x10, 0x40, 0x42, 0x01]);
    let at = usize::from(structure.offset());
    match structure {
        Structure::Header => {}
        Structure::Capability { id, .. } => bytes[at] = id.0,
        Structure::Extended { id, .. } => {
            bytes[at..at + 4].copy_from_slice(&(u32::from(id.0) | 2 << 16).to_le_bytes());
        }
    }
    bytes[at + 4..at + 4 + body.len()].copy_from_slice(body);
    bytes
}

fn names(structure: Structure, body: &[u8]) -> Vec<String> {
    let bytes = with(structure, body);
    let space = ConfigSpace::new(&bytes).unwrap();
    let map = registers(space);
    map.of(structure).map(|register| register.name().to_string()).collect()
}

#[test]
fn every_capability_has_registers_of_its_own() {
    for id in 0x01..=0x15 {
        let structure = Structure::Capability { id: CapabilityId(id), offset: 0x40 };
        assert!(names(structure, &[]).len() > 2, "{structure} has its header and nothing more");
    }
    for id in (0x01..=0x3a).filter(|id| *id != 0x14) {
        let structure = Structure::Extended { id: ExtendedCapabilityId(id), offset: 0x100 };
        // A list without entries has no register; Number of Resizable BARs is one of an entry.
        let body = if matches!(id, 0x15 | 0x24) { vec![0, 0, 0, 0, 0x20, 0, 0, 0] } else { Vec::new() };
        assert!(names(structure, &body).len() > 1, "{structure} has its header and nothing more");
    }
}

#[test]
fn the_registers_of_a_list_have_numbers() {
    let structure = |id| Structure::Extended { id, offset: 0x100 };
    // One more channel than VC0, entries of one bit, and a table of 32 phases at 30h for the second.
    let mut body = [0; 0x30];
    body[0] = 0x01;
    body[0x18..0x1c].copy_from_slice(&[0x02, 0, 0, 0x03]);
    let channels = names(structure(ExtendedCapabilityId::VIRTUAL_CHANNEL), &body);
    for name in ["VC Resource Control [0]", "VC Resource Control [1]", "Port Arbitration Table [1][0]"] {
        assert!(channels.iter().any(|one| one == name), "{name} in {channels:?}");
    }
    assert!(!channels.iter().any(|one| one == "VC Resource Control [2]"));
    // One selective stream with one address block.
    let body = [0x02, 0, 0, 0, 0, 0, 0, 0, 0x01];
    let streams = names(structure(ExtendedCapabilityId::INTEGRITY_AND_DATA_ENCRYPTION), &body);
    assert!(streams.iter().any(|one| one == "IDE Address Association 3 [0][0]"), "{streams:?}");
}

#[test]
fn handles_lead_to_registers_of_their_type() {
    for (structure, name, mask) in handles::ALL {
        let mut bytes = with(*structure, &[]);
        // The header of a bridge has all of them; PCI Express stands elsewhere.
        let express = Structure::Capability { id: CapabilityId::PCI_EXPRESS, offset: 0x40 };
        let at = if *structure == express { 0x40 } else { 0xc0 };
        bytes[at + 2..at + 4].copy_from_slice(&[0x42, 0x01]);
        bytes[0x0e] = u8::from(!name.starts_with("PCI-X"));
        let space = ConfigSpace::new(&bytes).unwrap();
        let map = registers(space);
        let found = map.of(*structure).find(|register| register.name() == *name);
        let found = found.unwrap_or_else(|| panic!("{structure} has no {name}"));
        assert_eq!(found.all_bits(), *mask, "{name}");
    }
}

#[test]
fn names_are_found_with_their_places_and_without() {
    let vendor = Structure::Capability { id: CapabilityId::VENDOR_SPECIFIC, offset: 0x40 };
    let mut bytes = with(vendor, &[]);
    bytes[0x41] = 0x60;
    bytes[0x60..0x63].copy_from_slice(&[0x09, 0, 8]);
    let map = registers(ConfigSpace::new(&bytes).unwrap());
    assert_eq!(map.find("PCI Express", "device control").unwrap().offset(), 0xc8);
    assert_eq!(map.find("pci express at 0c0", "Device Control").unwrap().offset(), 0xc8);
    assert_eq!(map.find("Vendor Specific at 060", "Vendor Specific Length").unwrap().offset(), 0x62);
    for (structure, register, error) in [
        (
            "Vendor Specific",
            "Vendor Specific Length",
            "the function has several of \"Vendor Specific\": say which, Vendor Specific at 040 or Vendor Specific at 060",
        ),
        (
            "AER",
            "x",
            "the function has no \"AER\"; it has header, PCI Express, Vendor Specific, Vendor Specific",
        ),
        (
            "Vendor Specific at 060",
            "x",
            "Vendor Specific at 060 has no register \"x\" that can be read; it has Capability ID, Next Capability Pointer, Vendor Specific Length",
        ),
    ] {
        assert_eq!(map.find(structure, register).unwrap_err().to_string(), error);
    }
    let aer = Structure::Extended { id: ExtendedCapabilityId::ADVANCED_ERROR_REPORTING, offset: 0x100 };
    let bytes = with(aer, &[]);
    let map = registers(ConfigSpace::new(&bytes).unwrap());
    for name in ["AER", "Advanced Error Reporting", "Advanced Error Reporting (AER)", "aer at 100"] {
        assert_eq!(map.structure(name), Ok(aer));
    }
}

#[test]
fn what_stands_in_a_bar_decides_about_its_fields() {
    let mut bytes = with(Structure::Header, &[]);
    // I/O ports, memory of 64 bits with its upper half, memory of 32 bits.
    bytes[0x10..0x24]
        .copy_from_slice(&[0x01, 0xe0, 0, 0, 0x0c, 0, 0, 0xfe, 0x38, 0, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0]);
    let space = ConfigSpace::new(&bytes).unwrap();
    let map = registers(space);
    let says = |register: &str, field: &str| {
        let register = map.find("header", register).unwrap();
        register.field(field).map(|field| field.value(register.read(space).unwrap()).to_string())
    };
    assert_eq!(says("Base Address 0", "Address").as_deref(), Some("0xe000"));
    assert_eq!(says("Base Address 1", "Address").as_deref(), Some("0xfe000000"));
    assert_eq!(says("Base Address 1", "Type").as_deref(), Some("64-bit"));
    assert_eq!(says("Base Address 2", "Address, upper half").as_deref(), Some("0x38"));
    assert_eq!(says("Base Address 2", "Type"), None);
    assert_eq!(says("Base Address 3", "Prefetchable").as_deref(), Some("0"));
}
