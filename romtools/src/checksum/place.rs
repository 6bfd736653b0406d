//! Which byte of an image makes its sum zero.

use std::ops::Range;

use super::structures;
use crate::bytes::{array_at, u8_at, u16_at};

/// Bytes of a header, with the pointer at 1Ah.
const HEADER: usize = 0x1c;

/// AMD's place: behind "IBM" in an image with the ATI signature.
const ATOM: usize = 0x21;
/// The place of iPXE, Etherboot, SeaBIOS and QEMU: behind the entry jump.
const BEHIND_JUMP: usize = 6;

/// So many equal bytes, 00h or FFh, are taken for padding.
const PADDING: usize = 16;

/// Where the checksum byte of a PC-AT image is, from its start; `None` where there is no place for one.
///
/// The standard wants the sum, and names no byte. Vendors have their own: AMD's images have it at
/// 21h, what iPXE and SeaBIOS build at 06h, all others are taken to have it at their end. Where a structure is at the end (a
/// device list, `$PnP`, a vendor's table), the last byte of the padding nearest to it is taken. In an EFI image
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
    place_in(image, 0..image.len())
}

/// The same inside of a part of the image.
pub(crate) fn place_in(image: &[u8], part: Range<usize>) -> Option<usize> {
    let structures = structures::of(image);
    let end = part.end.checked_sub(1);
    builder_s_own(image, &part, &structures)
        .or_else(|| end.filter(|at| is_free(*at, &part, &structures)))
        .or_else(|| padding(image, part, &structures))
}

/// The same without the last byte of the part, unless that is padding: nobody says that it is no code.
pub(crate) fn place_set_aside_in(image: &[u8], part: Range<usize>) -> Option<usize> {
    let structures = structures::of(image);
    builder_s_own(image, &part, &structures).or_else(|| padding(image, part, &structures))
}

/// If a byte is in the part and in none of the structures.
fn is_free(at: usize, part: &Range<usize>, structures: &[Range<usize>]) -> bool {
    part.contains(&at) && !structures.iter().any(|used| used.contains(&at))
}

/// The byte that AMD, iPXE, SeaBIOS or QEMU set aside.
fn builder_s_own(image: &[u8], part: &Range<usize>, structures: &[Range<usize>]) -> Option<usize> {
    let own = if array_at(image, 0x30) == Some(*b" 761295520") {
        Some(ATOM)
    } else {
        is_behind_jump(image).then_some(BEHIND_JUMP)
    };
    own.filter(|at| is_free(*at, part, structures))
}

/// The last byte of padding that is in none of the structures, which are in order.
fn padding(image: &[u8], part: Range<usize>, structures: &[Range<usize>]) -> Option<usize> {
    // The fields that every header has are no padding, whatever they hold.
    let mut begin = part.start.max(HEADER);
    let mut found = None;
    for used in structures.iter().cloned().chain(std::iter::once(part.end..part.end)) {
        found = last_run(image, begin..used.start.min(part.end)).or(found);
        begin = begin.max(used.end);
    }
    found
}

/// Where the last run of padding in a gap ends.
fn last_run(image: &[u8], gap: Range<usize>) -> Option<usize> {
    let bytes = image.get(gap.clone())?;
    let is_padding =
        |bytes: &[u8]| matches!(bytes[0], 0 | 0xff) && bytes.iter().all(|byte| *byte == bytes[0]);
    bytes.windows(PADDING).rposition(is_padding).map(|run| gap.start + run + PADDING - 1)
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
    use crate::testing::{ImageSpec, PCIR};

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
    fn a_structure_at_the_end_keeps_its_bytes() {
        // A `$PnP` header in the last 32 bytes, code in front of it, and padding in front of that.
        let pnp = |padding: &[u8]| {
            with(&[
                (0x1a, &[0xe0, 0x03]),
                (0x1c, &[0x90; 0x14]),
                (0x3e0, b"$PnP\x01\x02"),
                (0x3e6, &[0; 26]),
                (0x300, padding),
            ])
        };
        assert_eq!(place(&pnp(&[0xff; 16])), Some(0x30f));
        assert_eq!(place(&pnp(&[0; 40])), Some(0x327));
        assert_eq!(place(&pnp(&[0xff; 15])), None, "what is shorter may be code");
        let list = ImageSpec { revision: 3, devices: vec![7], ..ImageSpec::pc_at(1, 2) };
        let mut image = list.build();
        // The list at the end, with its terminator; 90h is code.
        image[PCIR + 8..PCIR + 10].copy_from_slice(&(0x3fc - PCIR as u16).to_le_bytes());
        image[0x3fc..].copy_from_slice(&[7, 0, 0, 0]);
        assert_eq!(place(&image), None);
        image[0x200..0x240].fill(0xff);
        assert_eq!(place(&image), Some(0x23f));
    }

    #[test]
    fn a_part_has_a_place_of_its_own() {
        let image = with(&[(3, b"\xe9\x38\x3d\x84")]);
        assert_eq!(place_in(&image, 0..512), Some(6));
        assert_eq!(place_in(&image, 512..1024), Some(1023));
        assert_eq!(place_in(&image, 512..512), None);
    }

    #[test]
    fn short_images_have_one_too_and_empty_ones_none() {
        assert_eq!(place(&[0x55, 0xaa]), Some(1));
        assert_eq!(place(&[]), None);
    }
}
