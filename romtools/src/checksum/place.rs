//! Which byte of an image makes its sum zero.

use crate::bytes::{array_at, u8_at, u16_at};

/// AMD's place: behind "IBM" in an image with the ATI signature.
const ATOM: usize = 0x21;
/// The place of iPXE, Etherboot, SeaBIOS and QEMU: behind the entry jump.
const BEHIND_JUMP: usize = 6;

/// Where the checksum byte of a PC-AT image is, from its start; `None` for an empty one.
///
/// The standard wants the sum, and names no byte. Vendors have their own: AMD's images have it at
/// 21h, what iPXE and SeaBIOS build at 06h, all others are taken to have it at their end. In an EFI image
/// 06h belongs to the signature, and no byte is due at all.
///
/// ```
/// use romtools::checksum;
///
/// let mut image = vec![0u8; 512];
/// image[..3].copy_from_slice(&[0x55, 0xaa, 1]);
/// assert_eq!(checksum::place(&image), Some(511));
/// image[0x30..0x3a].copy_from_slice(b" 761295520"); // what all ATI and AMD images have
/// assert_eq!(checksum::place(&image), Some(0x21));
/// ```
#[must_use]
pub fn place(image: &[u8]) -> Option<usize> {
    let end = image.len().checked_sub(1)?;
    if array_at(image, 0x30) == Some(*b" 761295520") {
        Some(ATOM)
    } else if is_behind_jump(image) {
        Some(BEHIND_JUMP)
    } else {
        Some(end)
    }
}

/// If the byte at 06h is one that a builder set aside: iPXE says who it is, and SeaBIOS leaves zeros
/// around it. NVIDIA's images have their version there.
fn is_behind_jump(image: &[u8]) -> bool {
    // A near jump takes three bytes, a short one two: both end in front of the byte.
    let jumps = matches!(u8_at(image, 3), Some(0xe9 | 0xeb));
    let ipxe = u16_at(image, 0x10).is_some_and(|at| array_at(image, usize::from(at)) == Some(*b"iPXE"));
    let alone = u8_at(image, BEHIND_JUMP) != Some(0)
        && array_at::<9>(image, BEHIND_JUMP + 1) == Some([0; 9])
        && (u8_at(image, 3) == Some(0xe9) || u8_at(image, 5) == Some(0));
    jumps && (ipxe || alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(edits: &[(usize, &[u8])]) -> Vec<u8> {
        let mut image = vec![0x90; 1024];
        image[..0x30].fill(0);
        image[..3].copy_from_slice(&[0x55, 0xaa, 2]);
        for (at, bytes) in edits {
            image[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        image
    }

    #[test]
    fn each_builder_has_its_own_place() {
        assert_eq!(place(&with(&[(3, b"\xe9\x00\x01")])), Some(1023));
        assert_eq!(place(&with(&[(0x30, b" 761295520"), (0x1e, b"IBM")])), Some(0x21));
        // SeaBIOS: E9 38 3D, the checksum, and nothing up to 10h.
        assert_eq!(place(&with(&[(3, b"\xe9\x38\x3d\x84")])), Some(6));
        // iPXE, whose checksum may be 0: its header is found by the pointer at 10h.
        assert_eq!(place(&with(&[(3, b"\xe9\xa2\x00\x00"), (0x10, &[0x9c]), (0x9c, b"iPXE")])), Some(6));
        // sgabios: a second jump is where the byte would be. NVIDIA: "7400".
        assert_eq!(place(&with(&[(3, b"\xe9\x4c\x0a\xe9\x46\x0a")])), Some(1023));
        assert_eq!(place(&with(&[(3, b"\xeb\x4b\x37\x34\x30\x30\xe9\x4c\x19\x77")])), Some(1023));
        // A return and no jump, and code in place of a jump.
        assert_eq!(place(&with(&[(3, b"\xcb\x00\x00\x07")])), Some(1023));
    }

    #[test]
    fn short_images_have_one_too_and_empty_ones_none() {
        assert_eq!(place(&[0x55, 0xaa]), Some(1));
        assert_eq!(place(&[]), None);
    }
}
