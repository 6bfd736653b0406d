//! Which images must sum to zero, and which do.
//!
//! Only PC-AT images must: a BIOS refuses them otherwise, and 301 of 301 real ones pass. EFI
//! images need no checksum, and most real ones do not sum to zero.
//!
//! ```
//! use romtools::checksum;
//!
//! assert_eq!(checksum::sum(&[0xff, 0x02]), 1);
//! ```

use crate::{CodeType, Image};

mod place;
mod structures;

pub use place::place;
pub(crate) use place::{place_in, place_set_aside_in};

/// The sum of all bytes, modulo 256.
#[must_use]
pub fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// What the sum of an image's bytes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It must be zero, and is.
    Good,
    /// It must be zero, and is not: the image is damaged or was edited.
    Wrong {
        /// The sum.
        sum: u8,
    },
    /// It may be anything for this code type.
    NotRequired {
        /// The sum.
        sum: u8,
    },
    /// The file does not hold the whole image.
    Truncated,
}

/// If images of this type must sum to zero.
#[must_use]
pub fn is_required(code_type: CodeType) -> bool {
    code_type == CodeType::X86_PC_AT
}

/// The verdict on one image.
#[must_use]
pub fn verdict(image: &Image<'_>) -> Verdict {
    if image.is_truncated() || image.length() == 0 {
        return Verdict::Truncated;
    }
    let required =
        is_required(image.code_type()) && !image.npde().is_some_and(|npde| npde.checksum_disabled());
    match sum(image.bytes()) {
        sum if !required => Verdict::NotRequired { sum },
        0 => Verdict::Good,
        sum => Verdict::Wrong { sum },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ImageSpec, NpdeSpec};

    fn of(file: &[u8]) -> Verdict {
        Image::parse(file, 0).unwrap().checksum()
    }

    #[test]
    fn pc_at_images_must_sum_to_zero() {
        let mut file = ImageSpec::pc_at(1, 2).build();
        assert_eq!(of(&file), Verdict::Good);
        file[0x100] = file[0x100].wrapping_add(3);
        assert_eq!(of(&file), Verdict::Wrong { sum: 3 });
        file.pop();
        assert_eq!(of(&file), Verdict::Truncated);
    }

    #[test]
    fn other_code_types_need_not() {
        for code_type in [1, 2, 0x70, 0xe0, 0xff] {
            let mut file = ImageSpec { code_type, ..ImageSpec::pc_at(1, 2) }.build();
            file[0x1f0] = 1;
            assert!(matches!(of(&file), Verdict::NotRequired { .. }), "{code_type:x}");
        }
    }

    #[test]
    fn nvidia_can_take_the_checksum_off_an_image() {
        let npde = Some(NpdeSpec { blocks: 2, last: true });
        let mut file = ImageSpec { npde, ..ImageSpec::pc_at(0x10de, 2) }.build();
        file[0x1f0] = file[0x1f0].wrapping_add(1);
        assert_eq!(of(&file), Verdict::Wrong { sum: 1 });
        // Bit 2 of the extension's flags; the structure has 18h bytes, and the extension is on the next 16.
        file[0x4b] |= 4;
        assert_eq!(of(&file), Verdict::NotRequired { sum: 5 });
    }

    #[test]
    fn efi_images_need_not() {
        let mut file = ImageSpec::efi(1, 2).build();
        file[0x1f0] = file[0x1f0].wrapping_add(1);
        assert!(matches!(of(&file), Verdict::NotRequired { .. }));
    }
}
