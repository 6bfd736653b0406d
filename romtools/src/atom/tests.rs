use super::*;
use crate::testing::atom::{AtomSpec, COMMAND, DATA, FIRMWARE_INFO, HEADER, PART_NUMBER, PCIR};
use crate::{Rom, check as rom_check, text as rom_text};

mod properties;

fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut image = AtomSpec::phoenix().build();
    image[at..at + bytes.len()].copy_from_slice(bytes);
    image
}

fn ids(image: &[u8]) -> Vec<(&'static str, usize)> {
    let mut found = Vec::new();
    check(image, PCIR as u16, |offset, problem| found.push((problem.id(), offset)));
    found
}

#[test]
fn a_phoenix_apu_says_what_it_is() {
    let image = AtomSpec::phoenix().build();
    let atom = AtomBios::parse(&image).unwrap();
    assert_eq!(atom.part_number(), Some(&b"113-PHXGENERIC-001"[..]));
    assert_eq!(atom.version(), Some(&b"022.012.000.027.000001"[..]));
    assert_eq!(atom.product_name(), Some(&b"AMD AMD_PHOENIX_GENERIC"[..]));
    assert_eq!(atom.bootup_message(), Some(&b"AMD AMD_PHOENIX_GENERIC"[..]));
    assert_eq!(atom.config_filename(), Some(&b"EXAMPLE.bin"[..]));
    let strings: Vec<_> = atom.strings().skip(1).collect();
    assert_eq!(strings, [&b"PHOENIX"[..], b"PCI_EXPRESS", b"DDR5"]);
    assert_eq!(atom.build_date().unwrap().to_string(), "2023-09-15 12:20:39");
    let header = atom.header();
    assert_eq!((header.offset, header.structure_size), (HEADER as u16, 0x2c));
    assert_eq!(header.generation(), Some(Generation::AtomFirmware));
    assert_eq!((header.subsystem_vendor_id, header.subsystem_id), (0x1002, 0x0b37));
    assert_eq!(header.pci_info_offset, PCIR as u16);
    assert_eq!(header.psp_directory_table_offset, Some(0));
    assert_eq!(atom.psp_directory(), None);
    assert_eq!(atom.checksum_byte(), Some(image[0x21]));
    assert_eq!(ids(&image), []);
}

#[test]
fn the_two_generations_name_their_tables_differently() {
    let named = |spec: AtomSpec| {
        let image = spec.build();
        let atom = AtomBios::parse(&image).unwrap();
        let tables = |master: MasterTable<'_>| {
            master.tables().map(|t| (t.index, t.name.unwrap_or_default())).collect::<Vec<_>>()
        };
        (tables(atom.data_tables()), tables(atom.command_tables()))
    };
    assert_eq!(
        named(AtomSpec::phoenix()),
        (vec![(4, "firmwareinfo"), (28, "vram_info")], vec![(0, "asic_init"), (80, "getvoltageinfo")])
    );
    assert_eq!(
        named(AtomSpec::polaris()),
        (vec![(4, "FirmwareInfo"), (28, "VRAM_Info")], vec![(0, "ASIC_Init"), (80, "GetVoltageInfo")])
    );
    assert_eq!(
        named(AtomSpec { revision: (3, 1), ..AtomSpec::phoenix() }).0,
        [(4, ""), (28, "")],
        "an unknown form has no names"
    );
}

#[test]
fn firmware_info_is_read_by_its_revision() {
    let phoenix = AtomSpec::phoenix().build();
    let info = AtomBios::parse(&phoenix).unwrap().firmware_info().unwrap();
    assert_eq!(info.firmware_revision, 0x160c_001b);
    assert_eq!((info.bootup_engine_clock, info.bootup_memory_clock), (Some(20_000), Some(30_050)));
    assert_eq!((info.bios_scratch_register_start, info.is_posted()), (Some(0x4c), true));
    assert_eq!((info.bootup_vddc, info.bootup_mvddc), (Some(900), None));

    let polaris = AtomSpec::polaris().build();
    let info = AtomBios::parse(&polaris).unwrap().firmware_info().unwrap();
    assert_eq!((info.bootup_vddc, info.bootup_mvddc), (Some(900), Some(1550)));
    assert_eq!((info.bios_scratch_register_start, info.is_posted()), (None, false));

    // 3.5 has reserved words where clocks and voltages were.
    let info = FirmwareInfo::parse(&with(FIRMWARE_INFO + 3, &[5])[FIRMWARE_INFO..]).unwrap();
    assert_eq!((info.bootup_engine_clock, info.bootup_vddc), (None, None));
    assert_eq!(info.bios_scratch_register_start, Some(0x4c));
    // 1.1 has no voltage.
    let mut old = polaris[FIRMWARE_INFO..].to_vec();
    old[2..4].copy_from_slice(&[1, 1]);
    assert_eq!(FirmwareInfo::parse(&old).unwrap().bootup_vddc, None);
    old[2] = 9;
    assert_eq!(FirmwareInfo::parse(&old), None);
    assert_eq!(FirmwareInfo::parse(&polaris[FIRMWARE_INFO..FIRMWARE_INFO + 0x50]), None);
}

#[test]
fn dates_have_two_forms_and_everything_else_is_none() {
    let date = |text: &str| {
        let image = with(0x50, format!("{text:\0<20}").as_bytes());
        AtomBios::parse(&image).unwrap().build_date().map(|date| date.to_string())
    };
    assert_eq!(date("01/14/19 00:38\0\x009").as_deref(), Some("2019-01-14 00:38"));
    assert_eq!(date("12/31/06,23:59:59").as_deref(), Some("2006-12-31 23:59:59"));
    for none in ["", "13/14/19 00:38", "00/14/19 00:38", "01/32/19 00:38", "01/14/19 24:00", "01-14-19 00:38"]
    {
        assert_eq!(date(none), None, "{none}");
    }
    assert_eq!(date("01/14/19,00:38:6"), None);
}

#[test]
fn texts_that_are_missing_or_cut_are_none() {
    // No strings: the part number is at its old place.
    let image = with(0x2f, &[0]);
    let atom = AtomBios::parse(&image).unwrap();
    assert_eq!((atom.strings().count(), atom.product_name()), (0, None));
    assert_eq!(atom.part_number(), Some(&b"113-PHXGENERIC-001"[..]));
    // No pointer: the strings are there, too.
    let image = with(0x6e, &[0, 0]);
    assert_eq!(AtomBios::parse(&image).unwrap().strings().count(), 4);
    // An empty part number, as MSI's RX 580 has it.
    let mut strings = AtomSpec::polaris();
    strings.strings[0] = "";
    let image = strings.build();
    let atom = AtomBios::parse(&image).unwrap();
    assert_eq!((atom.part_number(), atom.product_name()), (None, Some(&b"D00035 Polaris20"[..])));
    // A pointer behind the image.
    let image = with(0x6e, &[0xff, 0xff]);
    let atom = AtomBios::parse(&image).unwrap();
    assert_eq!((atom.strings().count(), atom.part_number(), atom.product_name()), (0, None, None));
    // A text without an end.
    let mut image = with(0x6e, &[0x00, 0x03]);
    image[0x300..].fill(b'A');
    assert_eq!(AtomBios::parse(&image).unwrap().part_number(), None);
    let image = with(PART_NUMBER + 70, &[b'x'; 20]);
    assert_eq!(AtomBios::parse(&image).unwrap().version(), None);
}

#[test]
fn what_is_no_atom_bios_says_why() {
    assert_eq!(AtomBios::parse(&with(0x30, b"x")), Err(NotAtom::NoMagic));
    assert_eq!(AtomBios::parse(&[]), Err(NotAtom::NoMagic));
    for (bytes, pointer) in [([0, 0], 0), ([0xff, 0xff], 0xffff), ([0x50, 0x01], 0x150)] {
        let image = with(0x48, &bytes);
        assert_eq!(AtomBios::parse(&image), Err(NotAtom::NoHeader { pointer }));
        assert_eq!(ids(&image), [("atom-no-header", 0x48)]);
    }
    let image = AtomSpec::phoenix().build();
    assert!(AtomBios::parse(&image[..HEADER + 0x21]).is_err());
    assert!(AtomBios::parse(&image[..HEADER + 0x22]).is_ok());
    assert_eq!(ids(b"an image of another vendor"), []);
}

#[test]
fn only_a_signature_makes_a_psp_directory() {
    let mut image = with(HEADER + 0x24, &[0xc0, 0x03, 0, 0]);
    assert_eq!(AtomBios::parse(&image).unwrap().psp_directory(), None);
    image[0x3c0..0x3c4].copy_from_slice(b"$PSP");
    assert_eq!(AtomBios::parse(&image).unwrap().psp_directory(), Some(0x3c0));
    let polaris = AtomSpec::polaris().build();
    assert_eq!(AtomBios::parse(&polaris).unwrap().header().psp_directory_table_offset, None);
}

#[test]
fn what_a_driver_would_trip_over_is_told() {
    assert_eq!(ids(&with(HEADER + 0x1c, &[0, 1])), [("atom-pci-info", HEADER)]);
    assert_eq!(ids(&with(HEADER + 4, b"MOTA")), [("atom-byte-swapped", HEADER)]);
    assert_eq!(ids(&with(HEADER + 2, &[3])), [("atom-unknown-revision", HEADER)]);
    assert_eq!(ids(&with(HEADER + 0x20, &[0, 0])), [("atom-no-master-table", HEADER)]);
    assert_eq!(ids(&with(HEADER + 0x1e, &[0xfe, 0x03])), [("atom-no-master-table", HEADER)]);
    assert_eq!(ids(&with(DATA + 4, &[0xfd, 0x03])), [("atom-tables-outside", DATA)]);
    assert_eq!(ids(&with(COMMAND + 4, &[0xff, 0xff])), [("atom-tables-outside", COMMAND)]);
    // A table that claims more than there is, as real ones do.
    assert_eq!(ids(&with(FIRMWARE_INFO, &[0xff, 0xff])), []);
}

#[test]
fn a_master_table_ends_with_the_image() {
    let image = with(DATA, &[0xff, 0xff]);
    let atom = AtomBios::parse(&image).unwrap();
    assert_eq!(atom.data_tables().capacity(), (0xffff - 4) / 2);
    assert!(atom.data_tables().tables().count() <= (image.len() - DATA) / 2);
    let image = with(DATA, &[3, 0]);
    assert_eq!(AtomBios::parse(&image).unwrap().data_tables().capacity(), 0);
}

#[test]
fn a_rom_shows_and_checks_it() {
    let image = AtomSpec::phoenix().build();
    let rom = Rom::parse(&image).unwrap();
    assert_eq!(rom_check::findings(&rom), []);
    let lines = rom_text::info(&rom).to_string();
    assert!(
        lines.contains(
            "\tATOM BIOS: part number 113-PHXGENERIC-001, version 022.012.000.027.000001, built 2023-09-15 12:20:39\n\
             \t\t\"AMD AMD_PHOENIX_GENERIC\", PHOENIX, PCI_EXPRESS, DDR5, subsystem 1002:0b37\n\
             \t\tHeader @194h, revision 2.3 (atomfirmware): 2 data and 2 command tables\n\
             \t\tFirmware info 3.4: engine 200.00 MHz, memory 300.50 MHz, VDDC 900 mV, scratch registers from 4ch, \
             has run (a copy, not the flash)\n"
        ),
        "{lines}"
    );
    let lines = rom_text::info_with_tables(&rom).to_string();
    assert!(
        lines.contains(
            "\t\tData tables @200h, revision 2.1, room for 35:\n\
             \t\t\t 4 firmwareinfo @320h, revision 3.4, length 6ch\n\
             \t\t\t28 vram_info @38ch, revision 1.2, length 8h\n\
             \t\tCommand tables @260h, revision 2.1, room for 81:\n"
        ),
        "{lines}"
    );
    let image = with(HEADER + 0x1c, &[0, 1]);
    let found = rom_check::findings(&Rom::parse(&image).unwrap());
    assert!(found.iter().any(|f| (f.problem().id(), f.offset()) == ("atom-pci-info", HEADER)));
}

#[test]
fn problems_have_ids_of_their_own_and_advice() {
    let all = [
        Problem::NoHeader { pointer: 1 },
        Problem::ByteSwapped,
        Problem::UnknownRevision { revision: 3 },
        Problem::PciInfo { atom: 1, rom: 2 },
        Problem::NoMasterTable { which: "data", offset: 1 },
        Problem::TablesOutside { which: "data", count: 2, first: 1 },
    ];
    let ids: std::collections::BTreeSet<_> = all.iter().map(Problem::id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.iter().all(|p| p.id().starts_with("atom-") && !p.advice().is_empty()));
    assert_eq!(all[5].to_string(), "2 data table(s) are not in the image, the first of them number 1");
}
