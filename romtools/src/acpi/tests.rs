use super::*;

/// A table of `length` bytes that sums to zero, filled with its index.
fn table(signature: &[u8; 4], length: usize) -> Vec<u8> {
    let mut table: Vec<u8> = (0..length).map(|at| at as u8).collect();
    table[..4].copy_from_slice(signature);
    table[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    table[8..LENGTH].copy_from_slice(b"\x01\0OEMID OEMTABLE\x01\0\0\0AMD \x02\0\0\0");
    table[9] = crate::checksum::sum(&table).wrapping_neg();
    table
}

/// As `acpidump` prints it (acpica-tools 20200925).
fn acpidump(table: &[u8]) -> String {
    let mut text = format!("{} @ 0x0000000000000000\n", str::from_utf8(&table[..4]).unwrap());
    for (line, bytes) in table.chunks(16).enumerate() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X} ")).collect();
        // The characters look like bytes, which they are not.
        text += &format!("{:>8}: {hex:<48} {}\n", format!("{:04X}", line * 16), "41 42 43 44 ...");
    }
    text + "\n"
}

/// As `xxd` prints it.
fn xxd(table: &[u8]) -> String {
    let mut text = String::new();
    for (line, bytes) in table.chunks(16).enumerate() {
        let hex: String = bytes
            .chunks(2)
            .map(|two| two.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + " ")
            .collect();
        text += &format!("{:08x}: {hex:<40} 4142 4344\r\n", line * 16);
    }
    text
}

#[test]
fn the_header_is_read_as_the_specification_has_it() {
    let header = Header::parse(&table(b"VFCT", 100)).unwrap();
    assert_eq!((&header.signature, header.length, header.revision), (b"VFCT", 100, 1));
    assert_eq!((&header.oem_id, &header.oem_table_id, header.oem_revision), (b"OEMID ", b"OEMTABLE", 1));
    assert_eq!((&header.creator_id, header.creator_revision), (b"AMD ", 2));
    assert_eq!(Header::parse(&table(b"VFCT", 100)[..LENGTH - 1]), None);
}

#[test]
fn a_table_alone_is_the_file() {
    let file = table(b"VFCT", 100);
    let found = find(&file, *b"VFCT").unwrap();
    assert_eq!((&found.bytes[..], found.offset, found.others), (&file[..], 0, 0));
}

#[test]
fn tables_one_behind_the_other_are_walked() {
    let (facs, first, second) = (table(b"FACS", 64), table(b"VFCT", 100), table(b"VFCT", 50));
    let file = [&facs[..], &first, &facs, &second].concat();
    let found = find(&file, *b"VFCT").unwrap();
    assert_eq!((&found.bytes[..], found.offset, found.others), (&first[..], 64, 1));
    // What looks like one inside another is none.
    let mut outer = table(b"SSDT", 100);
    outer[50..54].copy_from_slice(b"VFCT");
    assert!(matches!(find(&outer, *b"VFCT"), Err(Error::NoTable { first: Some(f), .. }) if &f == b"SSDT"));
}

#[test]
fn data_that_is_no_table_is_searched_through() {
    let inner = table(b"VFCT", 100);
    let file = [&[0u8; 37][..], b"VFC", &inner, &[0xff; 9]].concat();
    let found = find(&file, *b"VFCT").unwrap();
    assert_eq!(found.offset, 40);
    // What follows is no table, so the length may be wrong: the table's reader shall see all of it.
    assert_eq!(found.bytes.len(), 109);
}

#[test]
fn a_length_that_lies_gives_the_rest_of_the_file() {
    for (length, bytes) in [(0u32, 100), (35, 100), (101, 100), (u32::MAX, 100), (99, 100), (100, 100)] {
        let mut file = table(b"VFCT", 100);
        file[4..8].copy_from_slice(&length.to_le_bytes());
        assert_eq!(find(&file, *b"VFCT").unwrap().bytes.len(), bytes, "{length}");
    }
}

#[test]
fn text_of_acpidump_and_xxd_is_decoded() {
    for length in [LENGTH, 100, 0x120, 0x10008] {
        let wanted = table(b"VFCT", length);
        let other = table(b"SSDT", 77);
        for text in [
            acpidump(&other) + &acpidump(&wanted) + &acpidump(&other),
            acpidump(&wanted).trim_end().into(),
            acpidump(&wanted).replace('\n', "\r\n"),
            format!("Here it is:\n\n{}Thanks: 12 34\n", acpidump(&wanted)),
            xxd(&wanted),
        ] {
            let found = find(text.as_bytes(), *b"VFCT").unwrap();
            assert_eq!(found.bytes, wanted, "{text}");
            let first = &text.as_bytes()[found.offset..].trim_ascii_start();
            assert!(first.starts_with(b"0000"), "{text}");
        }
        let twice = acpidump(&wanted) + &acpidump(&wanted);
        assert_eq!(find(twice.as_bytes(), *b"VFCT").unwrap().others, 1);
    }
}

#[test]
fn a_gap_in_text_has_a_line_number() {
    let text = acpidump(&table(b"VFCT", 100));
    let gap: String =
        text.split_inclusive('\n').enumerate().filter(|(i, _)| *i != 3).map(|(_, line)| line).collect();
    let error = find(gap.as_bytes(), *b"VFCT").unwrap_err();
    assert!(matches!(error, Error::HexDump { line: 4, expected: 0x20, found: 0x30, .. }), "{error:?}");
    assert_eq!(&gap.as_bytes()[error.offset()..][..9], b"    0030:");
    // In another table it does not matter.
    let other = gap.replace("VFCT", "SSDT").replace("56 46 43 54", "53 53 44 54");
    assert!(find((other + &text).as_bytes(), *b"VFCT").is_ok());
}

#[test]
fn what_holds_no_table_says_so() {
    for file in
        [&b""[..], b"VFC", b"VFCT", b"#!/bin/sh\n", b"0000: 56 46 43 54  VFCT", &[0; 4096], &[0xff; 99]]
    {
        let error = find(file, *b"VFCT").unwrap_err();
        assert!(matches!(error, Error::NoTable { length, .. } if length == file.len()), "{error:?}");
        assert!(error.to_string().contains("no ACPI table VFCT"));
    }
}
