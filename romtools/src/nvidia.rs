//! What NVIDIA adds: an extension of the PCI Data Structure, a container, and a table in the image.
//!
//! [`Npde`] overrules length and last-image bit, [`Ifr`] is what a flash dump begins with, and [`Bit`]
//! knows the version of the video BIOS.
//!
//! An `NPDE` structure lies behind `PCIR`, at the next 16-byte boundary of the file. NVIDIA's drivers
//! walk by it: the EFI image says "last" in `PCIR`, for the firmware, and "not last" in `NPDE`, for
//! the driver, which goes on to the private images behind it (header `VN`, structure `NPDS`).
//! Source: NVIDIA's open-gpu-kernel-modules and Linux' nova-core, layout only.
//!
//! ```
//! use romtools::Npde;
//!
//! let bytes = b"NPDE\x00\x01\x10\x00\x8a\x00\x00\x01\0\0\0\0";
//! let npde = Npde::parse(bytes).unwrap();
//! assert_eq!(npde.sub_image_length, 0x8a); // 512-byte units
//! assert_eq!(npde.last, Some(false));
//! assert!(npde.private_images_follow());
//! ```

use crate::bytes::{array_at, u8_at, u16_at};

pub(crate) mod bit;
mod ifr;

pub use bit::{Bit, Token, Version};
pub use ifr::Ifr;

/// The NVIDIA PCI Data Structure Extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Npde {
    /// 0100h or 0101h in real ROMs.
    pub revision: u16,
    /// Bytes of this structure: 0Ch, 10h or 14h in real ROMs.
    pub length: u16,
    /// Sub-image length in 512-byte units: replaces `PCIR`'s image length.
    pub sub_image_length: u16,
    /// Bit 7 of the byte at 0Ah, where the structure is long enough to have it: replaces `PCIR`'s last-image bit.
    pub last: Option<bool>,
    /// The byte at 0Bh, where there is one.
    pub flags: Option<u8>,
}

impl Npde {
    /// Bytes of the shortest form that is known, and all that are read.
    pub(crate) const SHORTEST: usize = 0x0c;

    /// Reads the extension that `bytes` begin with; `None` if they do not begin with one, or end inside it.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if array_at(bytes, 0) != Some(*b"NPDE") {
            return None;
        }
        let length = u16_at(bytes, 6)?;
        Some(Self {
            revision: u16_at(bytes, 4)?,
            length,
            sub_image_length: u16_at(bytes, 8)?,
            last: (length > 0x0a).then(|| u8_at(bytes, 0x0a)).flatten().map(|last| last & 0x80 != 0),
            flags: (length > 0x0b).then(|| u8_at(bytes, 0x0b)).flatten(),
        })
    }

    /// Flag 0: images that only NVIDIA's driver reads follow.
    #[must_use]
    pub fn private_images_follow(&self) -> bool {
        self.flags.is_some_and(|flags| flags & 1 != 0)
    }

    /// Flag 2: the image need not sum to zero.
    #[must_use]
    pub fn checksum_disabled(&self) -> bool {
        self.flags.is_some_and(|flags| flags & 4 != 0)
    }

    /// The extension's verdict on "last": its own bit, or for the short form a sub-image that is
    /// shorter than `PCIR`'s image is not the last (a length of 0 is none); otherwise what `PCIR` says.
    #[must_use]
    pub fn is_last(&self, pcir_image_length: u16, pcir_is_last: bool) -> bool {
        let is_whole = self.sub_image_length == 0 || self.sub_image_length >= pcir_image_length;
        self.last.unwrap_or(is_whole && pcir_is_last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_has_no_last_bit_of_its_own() {
        let npde = Npde::parse(b"NPDE\x00\x01\x0a\x00\x10\x00\x80\x00").unwrap();
        assert_eq!((npde.last, npde.flags), (None, None));
        assert!(!npde.is_last(0x20, true), "shorter than PCIR's image: another follows");
        assert!(npde.is_last(0x10, true));
        assert!(!npde.is_last(0x10, false));
        let none = Npde::parse(b"NPDE\x00\x01\x0a\x00\x00\x00\x80\x00").unwrap();
        assert!(none.is_last(0x10, true) && !none.is_last(0x10, false), "a length of 0 overrules nothing");
    }

    #[test]
    fn the_long_form_overrules_pcir_both_ways() {
        let last = Npde::parse(b"NPDE\x01\x01\x14\x00\x10\x00\x80\x04").unwrap();
        assert!(last.is_last(0x10, false) && last.checksum_disabled());
        let more = Npde::parse(b"NPDE\x01\x01\x14\x00\x10\x00\x00\x01").unwrap();
        assert!(!more.is_last(0x10, true) && more.private_images_follow());
    }

    #[test]
    fn cut_or_foreign_bytes_are_no_extension() {
        assert_eq!(Npde::parse(b"NPDE\x00\x01\x0a\x00\x10"), None);
        assert_eq!(Npde::parse(b"NPDS\x00\x01\x0a\x00\x10\x00\x80\x00"), None);
        assert_eq!(Npde::parse(b""), None);
    }
}
