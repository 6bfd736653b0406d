use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::pe::PeSpec;

fn defects(file: &[u8]) -> Vec<(usize, Defect)> {
    Pe::parse(file).unwrap().defects()
}

#[test]
fn a_driver_is_what_its_headers_say_wherever_they_are() {
    for headers in [0x40, 0x80, 0xf8, 0x1004] {
        let file = PeSpec { headers, ..PeSpec::driver() }.build();
        let pe = Pe::parse(&file).unwrap();
        assert_eq!((pe.machine, pe.subsystem, pe.is_plus), (Machine::X64, Subsystem(0x0b), true));
        assert_eq!(pe.offset(), headers);
        let sections: Vec<_> =
            pe.sections().map(|section| (section.name(), section.raw_data.length)).collect();
        assert_eq!(sections, [(".text".to_string(), 0x20)]);
        assert_eq!((pe.end(), pe.is_signed()), (file.len() as u64, false));
        assert_eq!(pe.defects(), []);
    }
}

#[test]
fn a_signature_is_found_and_must_be_whole() {
    let spec = PeSpec { signature: vec![7; 0x30], ..PeSpec::driver() };
    let mut file = spec.build();
    let place = Pe::parse(&file).unwrap().certificate_table().unwrap();
    assert_eq!((place.offset as usize, place.length), (file.len() - 0x30, 0x30));
    assert_eq!(defects(&file), []);
    file.pop();
    let (end, available) = (file.len() as u64 + 1, file.len());
    assert_eq!(defects(&file), [(0x40 + 24 + 0x90, Defect::CertificateTable { end, available })]);
    // A file with fewer directories has none, whatever stands where it would be.
    file[0x40 + 24 + 0x6c] = 4;
    assert!(!Pe::parse(&file).unwrap().is_signed());
}

#[test]
fn what_a_loader_refuses_is_told_with_its_place() {
    let spec = PeSpec::driver();
    let with = |at: usize, bytes: &[u8]| {
        let mut file = spec.build();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        defects(&file)
    };
    let (optional, section, length) = (0x40 + 24, spec.section_table(), spec.build().len());
    let available = length;
    assert_eq!(
        with(optional + 0x3c, &[0, 2]),
        [(optional + 0x3c, Defect::Headers { size_of_headers: 0x200, available })]
    );
    // The code is where a second header would be.
    assert_eq!(with(0x46, &[9])[0], (0x46, Defect::SectionTable { expected: 9, found: 2 }));
    assert_eq!(with(optional + 0x6c, &[17]), [(optional + 0x6c, Defect::Directories { found: 17 })]);
    assert_eq!(
        with(optional + 0x10, &[0, 0x20]),
        [(optional + 0x10, Defect::EntryPoint { entry: 0x2000, size_of_image: 0x2000 })]
    );
    assert_eq!(
        with(optional + 0x38, &[0, 0, 0, 0x20]),
        [(optional + 0x38, Defect::SizeOfImage { size_of_image: 0x2000_0000 })]
    );
    let end = spec.code_at() as u64 + 0x120;
    assert_eq!(with(section + 16, &[0x20, 1]), [(section, Defect::SectionData { index: 0, end, available })]);
    assert_eq!(
        with(section + 8, &[1, 0x10]),
        [(section, Defect::SectionOutside { index: 0, end: 0x2001, size_of_image: 0x2000 })]
    );
    let cut = &spec.build()[..length - 1];
    assert!(matches!(defects(cut)[..], [(_, Defect::SectionData { .. })]));
}

#[test]
fn what_is_no_pe_file_is_none() {
    let file = PeSpec::driver().build();
    for (at, byte) in [(0, 0), (0x3c, 0x44), (0x3f, 0xff), (0x40, b'N'), (0x58, 0x07)] {
        let mut other = file.clone();
        other[at] = byte;
        assert_eq!(Pe::parse(&other), None, "{at:x}");
    }
    assert_eq!(Pe::parse(&file[..0xc0]), None);
}

proptest! {
    /// Whatever the headers say, nothing panics, and what is called whole is whole.
    #[test]
    fn any_bytes_are_looked_at(
        edits in vec((0usize..0x120, any::<u8>()), 0..12),
        cut in 0usize..0x140,
    ) {
        let mut file = PeSpec { signature: vec![1; 16], ..PeSpec::driver() }.build();
        for (at, byte) in edits {
            file[at] = byte;
        }
        file.truncate(file.len().saturating_sub(cut));
        if let Some(pe) = Pe::parse(&file) {
            let defects = pe.defects();
            prop_assert!(defects.iter().all(|(at, _)| *at < 2 * file.len() + 0x1_0000));
            if defects.is_empty() {
                let sections = pe.sections().filter(|section| section.raw_data.length != 0);
                prop_assert!(sections.map(|section| section.raw_data.end()).all(|end| end <= file.len() as u64));
                prop_assert_eq!(pe.sections().count(), usize::from(pe.number_of_sections));
            }
        }
    }
}
