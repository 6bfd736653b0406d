use super::*;
use crate::Severity;
use crate::testing::ImageSpec;
use crate::testing::atom::AtomSpec;

mod build;
mod properties;

use build::{RecordSpec, around, record, summed, table};

fn ids(table: &[u8]) -> Vec<(&'static str, usize)> {
    findings(&Table::parse(table).unwrap()).iter().map(|f| (f.problem().id(), f.offset())).collect()
}

fn walk(table: &[u8]) -> (Vec<Record<'_>>, Stop) {
    let mut records = Table::parse(table).unwrap().records();
    (records.by_ref().collect(), records.stop().unwrap())
}

fn with_word(mut table: Vec<u8>, at: usize, word: u32) -> Vec<u8> {
    table[at..at + 4].copy_from_slice(&word.to_le_bytes());
    summed(table)
}

#[test]
fn a_good_table_is_read_in_whole_and_has_no_findings() {
    let specs = [record(1, 0x67df), record(0xf, 0x164e)];
    let file = table(&specs);
    let vfct = Table::parse(&file).unwrap();
    assert_eq!((vfct.length(), vfct.sum(), vfct.uuid()), (file.len(), Some(0), Uuid::AMD));
    assert_eq!(vfct.uuid().to_string(), "5da39b32-c6bd-49cf-95a6-e8e42ecd79a7");
    let (records, stop) = walk(&file);
    assert_eq!(stop, Stop::Terminator { offset: file.len() - 28 });
    for (record, spec) in records.iter().zip(&specs) {
        assert_eq!((record.location, (record.vendor_id, record.device_id)), (spec.location, spec.ids));
        assert_eq!((record.image(), record.is_truncated()), (&spec.image[..], false));
        assert_eq!(&file[record.image_offset()..record.end()], spec.image);
    }
    assert_eq!(records.len(), specs.len());
    assert_eq!(ids(&file), []);
}

#[test]
fn coreboot_s_form_ends_with_its_last_image() {
    let mut file = table(&[record(1, 0x67df)]);
    file.truncate(file.len() - 28);
    file[0x24..0x34].fill(0);
    let length = file.len() as u32;
    let file = with_word(file, 4, length);
    assert_eq!(Table::parse(&file).unwrap().uuid().name(), Some("coreboot"));
    assert_eq!((walk(&file).1, ids(&file)), (Stop::EndOfTable, vec![]));
}

#[test]
fn an_image_whose_chain_goes_on_is_normal_here() {
    let image = AtomSpec::polaris().build();
    assert_eq!(ids(&table(&[RecordSpec { image, ..record(1, 0x67df) }])), []);
}

#[test]
fn a_cut_table_gives_what_is_there() {
    let file = table(&[record(1, 0x67df), record(0xf, 0x164e)]);
    let second = LENGTH + 28 + 1024;
    let at = |length: usize| (walk(&file[..length]).0.len(), walk(&file[..length]).1, ids(&file[..length]));
    assert_eq!(
        at(second + 28 + 1023),
        (
            2,
            Stop::ImageTruncated { offset: second },
            vec![("vfct-truncated", 0), ("vfct-image-truncated", second)]
        )
    );
    assert_eq!(
        at(second + 27),
        (
            1,
            Stop::HeaderTruncated { offset: second, available: 27 },
            vec![("vfct-truncated", 0), ("vfct-header-truncated", second)]
        )
    );
    assert_eq!(at(second), (1, Stop::EndOfTable, vec![("vfct-truncated", 0)]));
    assert_eq!(at(LENGTH), (0, Stop::EndOfTable, vec![("vfct-truncated", 0), ("vfct-no-image", LENGTH)]));
    assert!(matches!(
        Table::parse(&file[..LENGTH - 1]),
        Err(Error::Truncated { needed: LENGTH, available: 0x4b, .. })
    ));
    assert!(matches!(Table::parse(&file[1..]), Err(Error::NoTable { .. })));
}

#[test]
fn lengths_that_lie_are_bounded_by_what_is_there() {
    let good = table(&[record(1, 0x67df)]);
    let length = good.len();
    // The table's.
    assert_eq!(ids(&with_word(good.clone(), 4, 75)), [("vfct-too-short", 4)]);
    assert_eq!(walk(&with_word(good.clone(), 4, 0)).0.len(), 1);
    assert_eq!(ids(&with_word(good.clone(), 4, u32::MAX)), [("vfct-truncated", 0)]);
    let inside = with_word(good.clone(), 4, 200);
    assert_eq!(
        ids(&inside).into_iter().filter(|(id, _)| *id != "vfct-checksum").collect::<Vec<_>>(),
        [("vfct-past-table", LENGTH), ("vfct-longer", 200)]
    );
    assert_eq!(walk(&inside).0[0].image().len(), 1024, "the image is whole");
    // The record's.
    let lies = with_word(good.clone(), LENGTH + 0x18, u32::MAX);
    assert_eq!(ids(&lies), [("vfct-image-truncated", LENGTH)]);
    assert_eq!(walk(&lies).0[0].image().len(), length - LENGTH - 28);
    // Less than the image: what follows is taken for a record, and the image says itself that it is cut.
    let short = ids(&with_word(good, LENGTH + 0x18, 512));
    assert!(short.contains(&("truncated", LENGTH + 28)), "{short:?}");
}

#[test]
fn records_of_zeros_are_passed_over_and_those_without_an_image_told() {
    let empty = RecordSpec { image: Vec::new(), ..record(3, 0x1638) };
    let zeros = vec![0; 56];
    let file = around(&[zeros.clone(), empty.build(), record(4, 0x1638).build(), zeros, vec![0; 5]].concat());
    let (records, stop) = walk(&file);
    assert_eq!(records.len(), 2);
    assert!(matches!(stop, Stop::Terminator { .. }));
    assert_eq!(ids(&file), [("vfct-empty-record", LENGTH + 56)]);
}

#[test]
fn offsets_in_the_header_are_followed_only_inside_the_table() {
    let good = table(&[record(1, 0x67df)]);
    for offset in [u32::MAX, good.len() as u32] {
        let file = with_word(good.clone(), 0x34, offset);
        assert_eq!(walk(&file), (vec![], Stop::EndOfTable));
        assert!(ids(&file).starts_with(&[("vfct-first-record", 0x34), ("vfct-no-image", LENGTH)]));
    }
    let later = around(&[vec![0xff; 9], record(1, 0x67df).build(), vec![0; 28]].concat());
    let later = with_word(later, 0x34, LENGTH as u32 + 9);
    assert_eq!(ids(&later), [("vfct-first-record", 0x34)]);
    assert_eq!(walk(&later).0.len(), 1);
    assert_eq!(ids(&with_word(good.clone(), 0x3c, 1)), [("vfct-reserved", 0x3c)]);
    assert_eq!(ids(&with_word(good, 0x24, 1)), [("vfct-unknown-uuid", 0x24)]);
}

#[test]
fn the_library_is_no_video_bios() {
    let records = [record(1, 0x67df), record(0, 0)].map(|r| r.build());
    let lib1 = LENGTH + records[0].len();
    let file = with_word(around(&records.concat()), 0x38, lib1 as u32);
    assert_eq!(walk(&file).0.len(), 1);
    assert_eq!(walk(&file).1, Stop::Lib1 { offset: lib1 });
    assert_eq!(Table::parse(&file).unwrap().lib1().unwrap().image().len(), 1024);
    assert_eq!(ids(&file), []);
    assert!(text::info(&Table::parse(&file).unwrap()).to_string().contains("AMD's library"));

    let cut = with_word(file.clone(), lib1 + 0x18, 1025);
    assert_eq!(ids(&cut), [("vfct-lib1-truncated", lib1)]);
    for outside in [file.len() - 27, 0x10, usize::MAX] {
        let outside = with_word(table(&[record(1, 0x67df)]), 0x38, outside as u32);
        assert_eq!(ids(&outside), [("vfct-lib1-outside", 0x38)]);
    }
}

#[test]
fn what_a_driver_would_trip_over_is_told() {
    let at = LENGTH;
    let wrong = RecordSpec { ids: (0x1002, 0x9999), ..record(1, 0x67df) };
    assert_eq!(ids(&table(&[wrong])), [("vfct-ids", at)]);
    let image = ImageSpec { last: true, ..ImageSpec::pc_at(0x1002, 0x67df) }.build();
    assert_eq!(ids(&table(&[RecordSpec { image, ..record(1, 0x67df) }])), [("vfct-not-atom", at + 28)]);
    let mut not_a_rom = record(1, 0x67df);
    not_a_rom.image[0] = 0;
    assert_eq!(ids(&table(&[not_a_rom])), [("vfct-not-a-rom", at + 28)]);
    let mut damaged = record(1, 0x67df);
    damaged.image[0x3ff] ^= 1;
    assert_eq!(ids(&table(&[damaged])), [("checksum", at + 28)]);
    let mut nowhere = record(1, 0x67df);
    nowhere.location.pci_device = 0x20;
    assert_eq!(ids(&table(&[nowhere])), [("vfct-impossible-location", at)]);
    let twice = table(&[record(1, 0x67df), record(1, 0x67df)]);
    assert_eq!(ids(&twice), [("vfct-duplicate", at + 28 + 1024)]);
    let mut sum = table(&[record(1, 0x67df)]);
    sum[0x10] ^= 1;
    assert_eq!(ids(&sum), [("vfct-checksum", 9)]);
    assert_eq!(ids(&table(&[])), [("vfct-no-image", at)]);
    let mut open = table(&[record(1, 0x67df)]);
    open.truncate(open.len() - 28);
    let length = open.len() as u32;
    assert_eq!(ids(&with_word(open, 4, length)), [("vfct-no-terminator", length as usize)]);
}

#[test]
fn the_number_of_records_is_bounded() {
    let one = RecordSpec { image: vec![0x55], ..record(1, 0x67df) }.build();
    let file = around(&one.repeat(MOST_RECORDS + 1));
    let (records, stop) = walk(&file);
    assert_eq!(records.len(), MOST_RECORDS);
    assert_eq!(stop, Stop::TooMany { offset: LENGTH + MOST_RECORDS * 29 });
    assert!(ids(&file).contains(&("vfct-too-many-records", LENGTH + MOST_RECORDS * 29)));
    assert!(text::info(&Table::parse(&file).unwrap()).to_string().contains("too many records"));
    let file = around(&one.repeat(MOST_RECORDS));
    assert_eq!(walk(&file).1, Stop::EndOfTable);
}

fn at(bus: u32) -> Location {
    Location { pci_bus: bus, pci_device: 0, pci_function: 0 }
}

#[test]
fn the_bus_decides_between_cards_of_a_kind() {
    let file = table(&[record(3, 0x73bf), record(0x2f, 0x73bf), record(0x30, 0x164e)]);
    let vfct = Table::parse(&file).unwrap();
    let find = |bus, id| vfct.find(Function { location: at(bus), ids: Some((0x1002, id)) });
    let found = find(3, 0x73bf).unwrap();
    assert_eq!((found.record.location.pci_bus, found.bus_matches, found.earlier), (3, true, false));
    let found = find(0x2f, 0x73bf).unwrap();
    assert_eq!((found.record.location.pci_bus, found.bus_matches, found.earlier), (0x2f, true, true));
    // Renumbered: the only card of its kind is sure, two of a kind are not.
    let found = find(0xc5, 0x164e).unwrap();
    assert_eq!((found.record.location.pci_bus, found.bus_matches, found.ambiguous), (0x30, false, false));
    let found = find(0xc5, 0x73bf).unwrap();
    assert_eq!((found.record.location.pci_bus, found.bus_matches, found.ambiguous), (3, false, true));
    assert_eq!(find(3, 0x1638), None);
}

#[test]
fn device_function_and_ids_must_match() {
    let file = table(&[record(3, 0x73bf)]);
    let vfct = Table::parse(&file).unwrap();
    let find = |location, ids| vfct.find(Function { location, ids });
    assert_eq!(find(Location { pci_device: 1, ..at(3) }, Some((0x1002, 0x73bf))), None);
    assert_eq!(find(Location { pci_function: 1, ..at(3) }, Some((0x1002, 0x73bf))), None);
    assert_eq!(find(at(3), Some((0x10de, 0x73bf))), None);
    // Without ids only the whole address tells.
    assert!(find(at(3), None).unwrap().bus_matches);
    assert_eq!(find(at(4), None), None);
    let empty = table(&[RecordSpec { image: Vec::new(), ..record(3, 0x73bf) }]);
    assert_eq!(Table::parse(&empty).unwrap().find(Function { location: at(3), ids: None }), None);
}

#[test]
fn names_say_for_which_function_and_never_collide() {
    let mut other = record(0xc5, 0x1900);
    other.location.pci_function = 1;
    let file = table(&[record(0xc5, 0x1900), record(0xc6, 0x1900), other, record(0xc5, 0x1900)]);
    let mut names = Names::default();
    let names: Vec<_> = Table::parse(&file).unwrap().records().map(|record| names.name(&record)).collect();
    assert_eq!(
        names,
        [
            "vfct-0000:c5:00.0-1002-1900.rom",
            "vfct-0000:c6:00.0-1002-1900.rom",
            "vfct-0000:c5:00.1-1002-1900.rom",
            "vfct-0000:c5:00.0-1002-1900-2.rom",
        ]
    );
}

#[test]
fn the_lines_of_info() {
    let image = ImageSpec::pc_at(0x1002, 0x67df).build();
    let file = table(&[RecordSpec { image, ..record(1, 0x67df) }]);
    assert_eq!(
        text::info(&Table::parse(&file).unwrap()).to_string(),
        "ACPI VFCT table: length 484h, revision 1, OEM \"OEMID\" \"OEMTABLE\", made by \"AMD\"\n\
         \tUUID: 5da39b32-c6bd-49cf-95a6-e8e42ecd79a7 (AMD)\n\
         \tChecksum good\n\
         Record @4ch: for 0000:01:00.0, vendor: 1002, device: 67df, image of 400h bytes @68h\n\
         Valid ROM signature found @0h, PCIR offset 1ch\n\
         \tPCIR: type 0 (x86 PC-AT), vendor: 1002, device: 67df, class: 030000\n\
         \tPCIR: revision 0, vendor revision: 420\n\
         \tImage length: 400h, checksum good\n\
         The chain continues on the card itself: VFCT tables hold its first image only\n"
    );
    let cut = text::info(&Table::parse(&file[..0x100]).unwrap()).to_string();
    assert!(cut.contains("\tOnly 100h bytes of the table are there\n"), "{cut}");
    assert!(cut.contains("image of 400h bytes, but only 98h are there\n"), "{cut}");
    let none = text::info(&Table::parse(&file[..LENGTH + 4]).unwrap()).to_string();
    assert!(none.ends_with("Record @4ch: the table ends after 4h bytes of it\n"), "{none}");
}

#[test]
fn problems_have_ids_of_their_own_and_advice() {
    let location = at(1);
    let all = [
        Problem::Truncated { length: 2, available: 1 },
        Problem::TooShort { length: 1 },
        Problem::Longer { more: 1 },
        Problem::Checksum { sum: 1 },
        Problem::UnknownUuid { uuid: Uuid([1; 16]) },
        Problem::Reserved,
        Problem::FirstRecord { offset: 1 },
        Problem::NoImage,
        Problem::HeaderTruncated { available: 1 },
        Problem::ImageTruncated { location, length: 2, available: 1 },
        Problem::PastTable { location, more: 1 },
        Problem::TooManyRecords,
        Problem::EmptyRecord { location },
        Problem::ImpossibleLocation { location },
        Problem::NotARom { location },
        Problem::NotAtom { location },
        Problem::Ids { record: (1, 2), image: (3, 4) },
        Problem::Duplicate { location },
        Problem::NoTerminator,
        Problem::Lib1Outside { offset: 1 },
        Problem::Lib1Truncated { length: 2, available: 1 },
    ];
    let ids: std::collections::BTreeSet<_> = all.iter().map(Problem::id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(ids.iter().all(|id| id.starts_with("vfct-")));
    assert!(all.iter().all(|p| !p.advice().is_empty() && p.severity() >= Severity::Note));
    assert_eq!(all[16].to_string(), "the record is for 0001:0002, its image for 0003:0004");
}
