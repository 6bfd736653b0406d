//! The first bytes of two ROMs as their owners posted them, decoded to what the owners reported.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::from_hex;
use romtools::check::{self, Answer};
use romtools::expansion::{Headers, Stop};
use romtools::{CodeType, Rom, Severity, text};

const ASM1061: &str = include_str!("field_logs/asm1061.hexdump.txt");
const PHOENIX: &str = include_str!("field_logs/phoenix.xxd.txt");

/// "ROM 4.20", a legacy BIOS image alone: the controller of a NAS, which is not UEFI-capable.
#[test]
fn the_asm1061_has_rom_4_20_of_type_0_only() {
    let bytes = from_hex(ASM1061);
    let rom = Rom::parse(&bytes).unwrap();
    let images: Vec<_> = rom.images().collect();
    assert_eq!(images.len(), 1);
    let pcir = images[0].structure();
    assert_eq!((pcir.vendor_id, pcir.device_id, pcir.vendor_rom_revision), (0x1b21, 0x0612, 0x0420));
    assert_eq!(pcir.code_type, CodeType::X86_PC_AT);
    assert_eq!((images[0].length(), images[0].is_last()), (0x9400, true));
    assert_eq!(pcir.revision_3.unwrap().maximum_run_time_image_length, 0x41);
    assert_eq!(pcir.device_list().collect::<Vec<_>>(), [0x0611, 0x0612, 0x0601, 0x0602, 0x0614, 0x0615]);
    assert!(matches!(check::guests(&rom).uefi, Answer::No));

    // One header for each disk, and only the first 512 bytes were posted.
    let mut headers = images[0].pnp_headers();
    let first = headers.next().unwrap();
    assert_eq!(first.product_name(), Some(&b"Asmedia 106X SATA/PATA Controller Ver 4.20"[..]));
    assert_eq!(first.manufacturer_name(), Some(&b"Asmedia Technologies, Inc."[..]));
    assert_eq!((first.boot_connection_vector, first.disconnect_vector), (0x414, 0x454));
    assert_eq!(headers.by_ref().count(), 7);
    assert_eq!(headers.stop(), Some(Stop::Outside { pointer: 0x1fc }));

    // Its own code sets the headers' checksums when it starts.
    assert!(Headers::new(&bytes).all(|header| header.checksum == 0 && header.sum() != Some(0)));
    assert!(first.indicators.device_driver_initialization_model());
    let lines = text::info(&rom).to_string();
    assert!(
        lines.contains("\" by \"Asmedia Technologies, Inc.\", checksum not set yet (sum 14h)\n"),
        "{lines}"
    );

    // The only defect of the excerpt is that it is one.
    let findings = check::findings(&rom);
    let defects: Vec<_> = findings.iter().filter(|finding| finding.severity() == Severity::Defect).collect();
    assert_eq!(defects.len(), 1);
    assert_eq!(defects[0].problem().id(), "truncated");
}

/// The video BIOS of an APU, from its VFCT table.
#[test]
fn the_phoenix_has_the_part_number_and_version_that_were_reported() {
    let bytes = from_hex(PHOENIX);
    let rom = Rom::parse(&bytes).unwrap();
    let image = rom.images().next().unwrap();
    assert!(image.structure().is_for(0x1002, 0x1900));
    assert_eq!((image.length(), image.code_type(), image.is_last()), (0x4200, CodeType::X86_PC_AT, true));
    let atom = image.atom().unwrap();
    assert_eq!(atom.part_number(), Some(&b"113-PHXGENERIC-001"[..]));
    assert_eq!(atom.version(), Some(&b"022.012.000.027.000001"[..]));
    let lines = text::info(&rom).to_string();
    assert!(
        lines.contains("\tATOM BIOS: part number 113-PHXGENERIC-001, version 022.012.000.027.000001, built "),
        "{lines}"
    );
}
