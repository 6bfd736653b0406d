//! A VFCT table, a dump of tables, or text: no panic; records are in order and in the table, no byte is part of two images;
//! no two have one name; every finding is inside the table; a record's function is found again.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use romtools::acpi;
use romtools::vfct::{self, Function, MOST_RECORDS, Names, Table};
use vfio_reset_fuzz::{printed, within};

fuzz_target!(|file: &[u8]| {
    // A dump that is text is decoded, and names are kept.
    within(4 * file.len() + (64 << 10), || read(file));
    written(file);
});

fn read(file: &[u8]) {
    let found = match acpi::find(file, vfct::SIGNATURE) {
        Ok(found) => found,
        Err(error) => {
            assert!(error.offset() <= file.len(), "{error}");
            return;
        }
    };
    assert!(found.bytes.len() <= file.len() && found.offset < file.len());
    let Ok(table) = Table::parse(&found.bytes) else { return };
    let bytes = table.bytes();
    let (mut names, mut seen, mut end, mut count) = (Names::default(), HashSet::new(), 0, 0);
    for record in table.records() {
        assert!(record.offset >= end, "records overlap");
        end = record.image_offset() + record.image().len();
        assert_eq!(&bytes[record.image_offset()..end], record.image());
        assert!(seen.insert(names.name(&record)), "a name twice");
        count += 1;
        // What is looked for by a record's own words is found, if there is something.
        let ids = Some((record.vendor_id, record.device_id));
        let again = table.find(Function::new(record.location, ids));
        let found = again.is_some_and(|again| again.bus_matches && again.record.location == record.location);
        assert!(found || record.image_length == 0);
    }
    assert!(count <= MOST_RECORDS);
    for finding in vfct::findings(&table) {
        assert!(finding.offset() <= bytes.len(), "{finding}");
        assert!(!finding.problem().advice().is_empty());
    }
    assert!(printed(vfct::text::info_with_tables(&table)) <= 4096 + 64 * bytes.len());
}

/// Bytes that are made a table come back from the text that `acpidump` makes of them.
fn written(bytes: &[u8]) {
    let Some(rest) = bytes.get(8..0x1000.min(bytes.len())).filter(|rest| rest.len() + 8 >= acpi::LENGTH)
    else {
        return;
    };
    let length = (rest.len() + 8) as u32;
    let table = [&vfct::SIGNATURE[..], &length.to_le_bytes(), rest].concat();
    let mut text = String::from("SSDT @ 0x0000000000000000\n    0000: 53 53 44 54                ....\n\n");
    text += "VFCT @ 0x0000000000000000\n";
    for (line, bytes) in table.chunks(16).enumerate() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X} ")).collect();
        let characters: String =
            bytes.iter().map(|byte| if byte.is_ascii_graphic() { *byte as char } else { '.' }).collect();
        text += &format!("    {:04X}: {hex:<48} {characters}\n", line * 16);
    }
    let found = acpi::find(text.as_bytes(), vfct::SIGNATURE).expect("a dump of a table holds it");
    assert_eq!(found.bytes, table);
    let again = acpi::find(&table, vfct::SIGNATURE).expect("a table holds itself");
    assert_eq!((&again.bytes[..], again.offset), (&table[..], 0));
}
