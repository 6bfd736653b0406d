//! A ROM with an ATOM BIOS, or bytes taken for one: no panic; texts are short, tables are numbered within their list and
//! have a header if and only if it is in the image; findings are inside the file; the text prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use romtools::atom::AtomBios;
use romtools::{Rom, check, text};
use vfio_reset_fuzz::printed;

fuzz_target!(|image: &[u8]| {
    if let Ok(atom) = AtomBios::parse(image) {
        let texts = [
            atom.part_number(),
            atom.product_name(),
            atom.version(),
            atom.config_filename(),
            atom.bootup_message(),
        ];
        assert!(texts.into_iter().flatten().all(|text| !text.is_empty() && text.len() < 128));
        assert!(atom.strings().map(|text| text.len() + 1).sum::<usize>() <= image.len());
        assert!(atom.psp_directory().is_none_or(|offset| offset + 4 <= image.len()));
        for master in [atom.data_tables(), atom.command_tables()] {
            let mut tables = 0;
            for table in master.tables() {
                assert!(table.index < master.capacity() && table.offset != 0);
                assert_eq!(table.header.is_some(), usize::from(table.offset) + 4 <= image.len());
                tables += 1;
            }
            assert!(tables <= image.len() / 2);
        }
        std::hint::black_box((atom.firmware_info(), atom.build_date()));
    }
    let Ok(rom) = Rom::parse(image) else { return };
    for finding in check::findings(&rom) {
        assert!(finding.offset() <= image.len(), "{finding}");
    }
    // A table has a line for its 2 bytes in the list.
    assert!(printed(text::info_with_tables(&rom)) <= 4096 + 64 * image.len());
    assert!(printed(check::guests(&rom)) < 1024);
});
