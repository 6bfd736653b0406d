//! What the firmware of a virtual machine comes to when it goes through a ROM.
//!
//! Both kinds begin with the first `55 AA` and step by the image length of `PCIR`; neither knows NVIDIA's extension. What
//! they do where something else stands differs, and decides what is started:
//!
//! | | edk2, and so OVMF | SeaBIOS |
//! |---|---|---|
//! | no `55 AA` where the next image should begin | looks 512 bytes further, up to the end | gives up |
//! | the pointer to `PCIR` is no multiple of 4 | gives up | goes on |
//! | an image that is longer than what is left of the ROM BAR | gives up | takes it all the same |
//!
//! QEMU makes the ROM BAR the file's size, rounded up to a power of two, and fills it up with zeros: a file that is cut
//! short by less than that is taken by both.
//!
//! Read from edk2's `PciOptionRomSupport.c` (`LoadOpRomImage`) and SeaBIOS' `optionroms.c` (`map_pcirom`), and QEMU's `pci.c`
//! (`pci_add_option_rom`).

use std::fmt;

use crate::edit::is_for_firmware;
use crate::image::BLOCK;
use crate::pcir::StructureSignature;
use crate::{Chain, Image, Rom, Signature};

/// A firmware of virtual machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Firmware {
    /// edk2 for QEMU: UEFI.
    Ovmf,
    /// The BIOS of QEMU.
    SeaBios,
}

/// `OVMF`, `SeaBIOS`.
impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ovmf => "OVMF",
            Self::SeaBios => "SeaBIOS",
        })
    }
}

/// Why a walk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halt {
    /// An image says that it is the last.
    LastImage,
    /// There is no `55 AA`, up to the end for edk2.
    NoImage,
    /// The header does not lead to `PCIR`.
    NoStructure,
    /// The header's pointer is no multiple of 4.
    Unaligned,
    /// An image claims no length.
    ZeroLength,
    /// An image claims more than is left of the ROM BAR.
    Truncated,
}

/// What stands there, as the end of "OVMF stops at 0h, where ...".
impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastImage => "an image says that it is the last",
            Self::NoImage => "no 55 aa is",
            Self::NoStructure => "a header leads to no PCI Data Structure",
            Self::Unaligned => "the pointer to the PCI Data Structure is not a multiple of 4",
            Self::ZeroLength => "an image claims no length",
            Self::Truncated => "an image is longer than what is left of the ROM BAR",
        })
    }
}

/// The images that a firmware comes to, with the lengths that `PCIR` gives them, without allocation.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    firmware: Firmware,
    file: &'a [u8],
    next: usize,
    /// Where the ROM BAR ends.
    end: usize,
    has_begun: bool,
    halt: Option<(usize, Halt)>,
}

impl<'a> Walk<'a> {
    /// Begins at `offset` of `file`.
    pub(crate) fn new(firmware: Firmware, file: &'a [u8], offset: usize) -> Self {
        // What is in front of it is cut off before QEMU sees the file.
        let end = offset + file.len().saturating_sub(offset).next_power_of_two();
        Self { firmware, file, next: offset, end, has_begun: false, halt: None }
    }

    /// Begins where a virtual machine's firmware does once [`crate::cut`] has taken the ROM out of the file.
    pub(crate) fn of(firmware: Firmware, rom: &Rom<'a>) -> Option<Self> {
        rom.chain_for_firmware().map(|chain| Self::new(firmware, rom.file(), begin(chain)))
    }

    /// Where it ended and why; `None` until it has.
    pub(crate) fn halt(&self) -> Option<(usize, Halt)> {
        self.halt
    }

    /// The next image, or why there is none.
    fn step(&mut self) -> Result<Image<'a>, Halt> {
        while !self.file.get(self.next..).is_some_and(|rest| rest.starts_with(&Signature::OptionRom.bytes()))
        {
            let goes_on = self.firmware == Firmware::Ovmf && self.has_begun;
            if !goes_on || self.next >= self.file.len() {
                return Err(Halt::NoImage);
            }
            self.next += BLOCK;
        }
        self.has_begun = true;
        let image = Image::parse_as_firmware(self.file, self.next).map_err(|_| Halt::NoStructure)?;
        let edk2 = self.firmware == Firmware::Ovmf;
        match image.structure() {
            pcir if pcir.signature != StructureSignature::Pcir => Err(Halt::NoStructure),
            pcir if edk2 && !pcir.pointer.is_multiple_of(4) => Err(Halt::Unaligned),
            _ if edk2 && image.length() > self.end.saturating_sub(self.next) => Err(Halt::Truncated),
            _ => Ok(image),
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Image<'a>;

    fn next(&mut self) -> Option<Image<'a>> {
        if self.halt.is_some() {
            return None;
        }
        match self.step() {
            Ok(image) => {
                if image.structure().indicator.is_last() {
                    self.halt = Some((self.next, Halt::LastImage));
                } else if image.length() == 0 {
                    self.halt = Some((self.next, Halt::ZeroLength));
                }
                self.next += image.length();
                Some(image)
            }
            Err(halt) => {
                self.halt = Some((self.next.min(self.file.len()), halt));
                None
            }
        }
    }
}

/// Where firmware begins with a chain: at its first `55 AA`, also of an image that is not for it.
pub(crate) fn begin(chain: &Chain<'_>) -> usize {
    let first = chain.images().iter().find(|image| image.signature() == Signature::OptionRom);
    first.map_or(chain.offset(), Image::offset)
}

/// The images that one firmware or the other looks at, in the order of the file.
pub(crate) fn looked_at<'a>(rom: &Rom<'a>) -> Vec<Image<'a>> {
    let walks = [Firmware::Ovmf, Firmware::SeaBios].map(|firmware| Walk::of(firmware, rom));
    let mut images: Vec<_> = walks.into_iter().flatten().flatten().filter(is_for_firmware).collect();
    images.sort_by_key(Image::offset);
    images.dedup_by_key(|image| image.offset());
    images
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ImageSpec, NpdeSpec, PCIR};

    fn walk(firmware: Firmware, file: &[u8]) -> (Vec<usize>, (usize, Halt)) {
        let mut walk = Walk::new(firmware, file, 0);
        let offsets = walk.by_ref().map(|image| image.offset()).collect();
        (offsets, walk.halt().unwrap())
    }

    fn both(file: &[u8]) -> [(Vec<usize>, (usize, Halt)); 2] {
        [walk(Firmware::Ovmf, file), walk(Firmware::SeaBios, file)]
    }

    fn last() -> Vec<u8> {
        ImageSpec { last: true, ..ImageSpec::efi(1, 2) }.build()
    }

    #[test]
    fn a_chain_that_is_right_is_walked_alike() {
        let file = [ImageSpec::pc_at(1, 2).build(), last()].concat();
        let expected = (vec![0, 0x400], (0x400, Halt::LastImage));
        assert_eq!(both(&file), [expected.clone(), expected]);
    }

    #[test]
    fn edk2_looks_on_behind_a_gap_and_seabios_does_not() {
        let file = [ImageSpec::pc_at(1, 2).build(), vec![0xff; 512], last()].concat();
        let [edk2, seabios] = both(&file);
        assert_eq!(edk2, (vec![0, 0x600], (0x600, Halt::LastImage)));
        assert_eq!(seabios, (vec![0], (0x400, Halt::NoImage)));
        let file = [ImageSpec::pc_at(1, 2).build(), vec![0xff; 700]].concat();
        assert_eq!(walk(Firmware::Ovmf, &file), (vec![0], (file.len(), Halt::NoImage)));
        // In front of the first image, neither does.
        let nothing = (vec![], (0, Halt::NoImage));
        assert_eq!(both(&[vec![0; 512], last()].concat()), [nothing.clone(), nothing]);
    }

    #[test]
    fn nvidia_s_private_images_are_a_gap() {
        let mut private = ImageSpec { code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) }.build();
        private[..2].copy_from_slice(b"VN");
        private[PCIR..PCIR + 4].copy_from_slice(b"NPDS");
        let file = [ImageSpec::pc_at(1, 2).build(), private, last()].concat();
        let [edk2, seabios] = both(&file);
        assert_eq!(edk2, (vec![0, 0x800], (0x800, Halt::LastImage)));
        assert_eq!(seabios, (vec![0], (0x400, Halt::NoImage)));
    }

    #[test]
    fn an_unaligned_pointer_stops_edk2_alone() {
        let mut first = ImageSpec::pc_at(1, 2).build();
        first.copy_within(PCIR..PCIR + 0x18, PCIR + 2);
        first[0x18] += 2;
        let [edk2, seabios] = both(&[first, last()].concat());
        assert_eq!(edk2, (vec![], (0, Halt::Unaligned)));
        assert_eq!(seabios, (vec![0, 0x400], (0x400, Halt::LastImage)));
    }

    #[test]
    fn nvidia_s_extension_is_not_looked_at() {
        let npde = Some(NpdeSpec { blocks: 2, last: true });
        let first = ImageSpec { npde, blocks: 4, ..ImageSpec::pc_at(1, 2) }.build();
        // By the extension, the driver begins at 400h, by `PCIR` at 800h.
        let file = [&first[..0x400], &last(), &last()].concat();
        let expected = (vec![0, 0x800], (0x800, Halt::LastImage));
        assert_eq!(both(&file), [expected.clone(), expected]);
    }

    #[test]
    fn a_walk_ends_with_an_image_of_no_length_and_with_the_file() {
        let zero = ImageSpec { blocks: 0, ..ImageSpec::pc_at(1, 2) }.build();
        let expected = (vec![0], (0, Halt::ZeroLength));
        assert_eq!(both(&zero), [expected.clone(), expected]);
    }

    #[test]
    fn edk2_goes_by_the_size_of_the_bar_and_not_of_the_file() {
        // 3ffh bytes are in a BAR of 400h, and the image has as many.
        let image = ImageSpec::pc_at(1, 2).build();
        let expected = (vec![0], (0x3ff, Halt::NoImage));
        assert_eq!(both(&image[..0x3ff]), [expected.clone(), expected]);
        let [edk2, seabios] = both(&image[..0x200]);
        assert_eq!(edk2, (vec![], (0, Halt::Truncated)));
        assert_eq!(seabios, (vec![0], (0x200, Halt::NoImage)));
        // The second image has what the first one left of 800h.
        let file = [ImageSpec::pc_at(1, 2).build(), last()].concat();
        assert_eq!(walk(Firmware::Ovmf, &file[..0x700]), (vec![0, 0x400], (0x400, Halt::LastImage)));
        let file = [ImageSpec::pc_at(1, 2).build(), ImageSpec { blocks: 4, ..ImageSpec::efi(1, 2) }.build()]
            .concat();
        assert_eq!(walk(Firmware::Ovmf, &file[..0x700]), (vec![0], (0x400, Halt::Truncated)));
        // Without what is in front of the ROM, the file and the BAR are smaller.
        let behind = [vec![0; 0x400], image[..0x200].to_vec()].concat();
        let mut walk = Walk::new(Firmware::Ovmf, &behind, 0x400);
        assert!(walk.next().is_none());
        assert_eq!(walk.halt(), Some((0x400, Halt::Truncated)));
    }
}
