//! NVIDIA's container: what is in front of the ROM in a dump of the whole flash.
//!
//! It begins with "init from ROM" (IFR): writes that the GPU does by itself when it gets power, before
//! any firmware runs. Firmware that reads the ROM through the GPU never sees it; a `romfile` that begins
//! with it is none. Source: NVIDIA's open-gpu-kernel-modules, layout only.

use crate::bytes::u32_at;

/// The IFR header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ifr {
    /// IFR version: 1, 2 or 3.
    pub version: u8,
    /// Bytes of the fixed part.
    pub fixed_data_size: u16,
    /// Bytes of all IFR data.
    pub total_data_size: u32,
}

impl Ifr {
    /// The signature, `NVGI`.
    pub const SIGNATURE: [u8; 4] = *b"NVGI";
    /// The signature of the ROM directory that version 3 leads to.
    const ROM_DIRECTORY: u32 = u32::from_le_bytes(*b"RFRD");

    /// Reads the header that `bytes` begin with.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(&Self::SIGNATURE) {
            return None;
        }
        let (fixed1, fixed2) = (u32_at(bytes, 4)?, u32_at(bytes, 8)?);
        let [_, version, low, high] = fixed1.to_le_bytes();
        Some(Self {
            version,
            // 15 bits: the highest is a flag.
            fixed_data_size: u16::from_le_bytes([low, high]) & 0x7fff,
            total_data_size: fixed2 & 0x000f_ffff,
        })
    }

    /// Where the ROM begins, from the start of the container; `None` for an unknown version, or if
    /// what leads there is not in `container` (the container's bytes, as far as they are there).
    #[must_use]
    pub fn image_offset(&self, container: &[u8]) -> Option<usize> {
        let at = |offset: usize| u32_at(container, offset).and_then(|word| usize::try_from(word).ok());
        let offset = match self.version {
            1 | 2 => at(usize::from(self.fixed_data_size) + 4)?,
            3 => {
                let flash_status = at(usize::try_from(self.total_data_size).ok()?)?;
                let rom_directory = flash_status.checked_add(0x1000)?;
                if u32_at(container, rom_directory)? != Self::ROM_DIRECTORY {
                    return None;
                }
                at(rom_directory.checked_add(8)?)?
            }
            _ => return None,
        };
        offset.is_multiple_of(4).then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(container: &mut [u8], words: &[(usize, u32)]) {
        for &(at, word) in words {
            container[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Version 1, as a GK107 has it.
    fn version_1() -> Vec<u8> {
        let mut container = vec![0; 0x400];
        container[..4].copy_from_slice(b"NVGI");
        words(&mut container, &[(4, 0x8010_01f4), (8, 0x80), (0x14, 0x400)]);
        container
    }

    /// Version 3, as Turing and Ampere have it, with small numbers.
    fn version_3() -> Vec<u8> {
        let mut container = vec![0; 0x3000];
        container[..4].copy_from_slice(b"NVGI");
        words(&mut container, &[(4, 0x8024_036e), (8, 0xfff0_032c), (0x32c, 0x1000), (0x2008, 0x2800)]);
        container[0x2000..0x2004].copy_from_slice(b"RFRD");
        container
    }

    #[test]
    fn the_first_versions_have_the_offset_behind_the_fixed_part() {
        let container = version_1();
        let ifr = Ifr::parse(&container).unwrap();
        assert_eq!((ifr.version, ifr.fixed_data_size, ifr.total_data_size), (1, 0x10, 0x80));
        assert_eq!(ifr.image_offset(&container), Some(0x400));
    }

    #[test]
    fn version_3_leads_through_the_rom_directory() {
        let mut container = version_3();
        let ifr = Ifr::parse(&container).unwrap();
        assert_eq!((ifr.version, ifr.total_data_size), (3, 0x32c));
        assert_eq!(ifr.image_offset(&container), Some(0x2800));
        container[0x2000] = b'X';
        assert_eq!(ifr.image_offset(&container), None);
        assert_eq!(ifr.image_offset(&container[..0x2004]), None);
    }

    #[test]
    fn what_does_not_add_up_leads_nowhere() {
        assert_eq!(Ifr::parse(b"NVGJ\0\0\0\0\0\0\0\0"), None);
        assert_eq!(Ifr::parse(b"NVGI\0\0\0\0\0\0\0"), None);
        let mut container = version_1();
        container[5] = 4;
        assert_eq!(Ifr::parse(&container).unwrap().image_offset(&container), None, "an unknown version");
        let mut container = version_1();
        container[0x14] = 2;
        assert_eq!(
            Ifr::parse(&container).unwrap().image_offset(&container),
            None,
            "not on a 4-byte boundary"
        );
        let mut container = version_3();
        words(&mut container, &[(0x32c, u32::MAX)]);
        assert_eq!(Ifr::parse(&container).unwrap().image_offset(&container), None);
    }
}
