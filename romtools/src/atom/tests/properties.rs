//! Whatever the bytes, every list ends and everything that is shown is in the image.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{AtomBios, check};
use crate::testing::atom::AtomSpec;
use crate::{Rom, text};

fn holds(image: &[u8]) -> Result<(), TestCaseError> {
    check(image, 0, |offset, problem| {
        assert!(offset <= usize::from(u16::MAX), "{problem}");
    });
    let Ok(atom) = AtomBios::parse(image) else { return Ok(()) };
    for text in [
        atom.part_number(),
        atom.product_name(),
        atom.version(),
        atom.config_filename(),
        atom.bootup_message(),
    ] {
        prop_assert!(text.is_none_or(|text| !text.is_empty() && text.len() < 128));
    }
    prop_assert!(atom.strings().map(|text| text.len() + 1).sum::<usize>() <= image.len());
    for master in [atom.data_tables(), atom.command_tables()] {
        for table in master.tables() {
            prop_assert!(table.index < master.capacity() && table.offset != 0);
            prop_assert_eq!(table.header.is_some(), usize::from(table.offset) + 4 <= image.len());
        }
        prop_assert!(master.tables().count() <= image.len() / 2);
    }
    let _ = (atom.firmware_info(), atom.build_date(), atom.psp_directory());
    if let Ok(rom) = Rom::parse(image) {
        prop_assert!(!text::info_with_tables(&rom).to_string().is_empty());
    }
    Ok(())
}

proptest! {
    #[test]
    fn damaged_images(
        phoenix in any::<bool>(),
        edits in vec((any::<Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(3)]), 0..24),
        cut in any::<Index>(),
        cuts in any::<bool>(),
    ) {
        let spec = if phoenix { AtomSpec::phoenix() } else { AtomSpec::polaris() };
        let mut image = spec.build();
        let length = image.len();
        for (at, byte) in edits {
            image[at.index(length)] = byte;
        }
        if cuts {
            image.truncate(cut.index(length));
        }
        holds(&image)?;
    }

    #[test]
    fn any_bytes_behind_the_magic(tail in vec(any::<u8>(), 0..1200), pointer in 0u16..1300) {
        let mut image = vec![0; 0x60];
        image[..2].copy_from_slice(&[0x55, 0xaa]);
        image[0x30..0x3a].copy_from_slice(b" 761295520");
        image[0x48..0x4a].copy_from_slice(&pointer.to_le_bytes());
        image.extend(tail);
        let at = usize::from(pointer) + 4;
        if at + 4 <= image.len() {
            image[at..at + 4].copy_from_slice(b"ATOM");
        }
        holds(&image)?;
    }
}
