//! What is odd about a file as it would be given to a virtual machine.

use super::{Finding, Problem};
use crate::firmware::{Firmware, Walk};
use crate::{CodeType, Rom};

/// The size that OVMF reads, in bytes: a page. QEMU makes the ROM BAR the file's size, rounded up to a power of two.
const PAGE: usize = 0x1000;

/// How many bytes must be put behind a ROM so that the guest's firmware reads it: OVMF under QEMU does not read a ROM of
/// 2 KiB or less, SeaBIOS does. 0 where nothing is needed.
#[must_use]
pub fn padding(rom: &Rom<'_>) -> usize {
    let length = rom.file().len();
    let walk = Walk::of(Firmware::Ovmf, rom);
    let has_driver = walk.is_some_and(|mut walk| walk.any(|image| image.code_type() == CodeType::EFI));
    if has_driver && length <= PAGE / 2 { PAGE - length } else { 0 }
}

/// What keeps a ROM that is whole from working as a virtual machine's `romfile=`, beside what [`super::findings`] tells of
/// any ROM.
#[must_use]
pub fn as_romfile(rom: &Rom<'_>) -> Vec<Finding> {
    let length = rom.file().len();
    let small = padding(rom) != 0;
    small.then(|| Finding::new(0, Problem::SmallFile { length })).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::testing::ImageSpec;

    fn efi(blocks: u16) -> Vec<u8> {
        ImageSpec { blocks, last: true, ..ImageSpec::efi(1, 2) }.build()
    }

    #[test]
    fn a_driver_in_2_kib_needs_padding() {
        for (blocks, missing) in [(2, 0xc00), (4, 0x800), (5, 0), (8, 0)] {
            let file = efi(blocks);
            let rom = Rom::parse(&file).unwrap();
            assert_eq!(padding(&rom), missing, "{blocks}");
            let ids: Vec<_> = as_romfile(&rom).iter().map(|finding| finding.problem().id()).collect();
            assert_eq!(ids.contains(&"small-file"), missing != 0);
            let said = check::guests(&rom).to_string();
            assert_eq!(said.contains(", once the file is padded to 4 KiB\n"), missing != 0, "{said}");
        }
    }

    #[test]
    fn a_bios_reads_a_small_file() {
        let file = ImageSpec { last: true, ..ImageSpec::pc_at(1, 2) }.build();
        assert_eq!(padding(&Rom::parse(&file).unwrap()), 0);
    }
}
