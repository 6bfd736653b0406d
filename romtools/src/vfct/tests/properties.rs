//! Whatever the bytes, the walk ends, stays in the table, and no byte is part of two images.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::build::{RecordSpec, table};
use crate::acpi;
use crate::vfct::{Location, MOST_RECORDS, Names, Table, findings, text};

fn spec() -> impl Strategy<Value = RecordSpec> {
    let location = (0u32..3, 0u32..2, 0u32..2).prop_map(|(pci_bus, pci_device, pci_function)| Location {
        pci_bus,
        pci_device,
        pci_function,
    });
    let image = prop_oneof![vec(any::<u8>(), 0..80), Just(super::record(1, 0x67df).image)];
    // An id that is not zero, so that no record is one of zeros.
    (location, (1u16..4, 0u16..2), image).prop_map(|(location, ids, image)| RecordSpec {
        location,
        ids,
        image,
    })
}

/// A table, then bytes overwritten, mostly where lengths and offsets are, and the end cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x1c), Just(0x4c)];
    (vec(spec(), 0..5), vec((any::<Index>(), any::<bool>(), byte), 0..12), any::<Index>(), any::<bool>())
        .prop_map(|(specs, edits, cut, cuts)| {
            let mut file = table(&specs);
            for (at, early, byte) in edits {
                let at = at.index(if early { file.len().min(0x70) } else { file.len() });
                file[at] = byte;
            }
            if cuts {
                file.truncate(cut.index(file.len()));
            }
            file
        })
}

fn holds(file: &[u8]) -> Result<(), TestCaseError> {
    let Ok(found) = acpi::find(file, super::SIGNATURE) else { return Ok(()) };
    // What is decoded from text is never more than the text.
    prop_assert!(found.bytes.len() <= file.len() && found.offset < file.len());
    let Ok(vfct) = Table::parse(&found.bytes) else { return Ok(()) };
    let mut names = Names::default();
    let mut seen = std::collections::HashSet::new();
    let (mut at, mut count) = (0, 0);
    for record in vfct.records() {
        prop_assert!(record.offset >= at);
        at = record.image_offset() + record.image().len();
        prop_assert_eq!(&vfct.bytes()[record.image_offset()..at], record.image());
        prop_assert!(record.image().len() as u64 <= u64::from(record.image_length));
        prop_assert!(seen.insert(names.name(&record)), "a name twice");
        count += 1;
    }
    prop_assert!(count <= MOST_RECORDS);
    prop_assert!(!text::info(&vfct).to_string().is_empty());
    for finding in findings(&vfct) {
        prop_assert!(finding.offset() <= vfct.bytes().len(), "{}", finding);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes(mut file in vec(any::<u8>(), 0..512)) {
        holds(&file)?;
        if file.len() > 4 {
            file[..4].copy_from_slice(b"VFCT");
            holds(&file)?;
        }
    }

    #[test]
    fn any_text(text in "(VFCT @ 0x0|[ ]{0,4}[0-9a-f]{3,9}: ([0-9A-F]{2} ){0,17} x|0000: 56 46 43 54 24 00|\n){0,40}") {
        holds(text.as_bytes())?;
    }

    #[test]
    fn damaged_tables(file in damaged()) {
        holds(&file)?;
    }

    #[test]
    fn built_then_parsed(specs in vec(spec(), 0..6)) {
        let file = table(&specs);
        let vfct = Table::parse(&file).unwrap();
        let parsed: Vec<_> = vfct
            .records()
            .map(|r| RecordSpec {
                location: r.location,
                ids: (r.vendor_id, r.device_id),
                image: r.image().to_vec(),
            })
            .collect();
        prop_assert_eq!(parsed, specs);
        prop_assert_eq!(vfct.sum(), Some(0));
    }
}
