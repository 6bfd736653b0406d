//! Little-endian reads that cannot run off: `None` where the bytes end.

/// `N` bytes at `at`.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The byte at `at`.
pub(crate) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// The 16-bit word at `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

/// The 32-bit word at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_little_endian_and_end_with_the_bytes() {
        let bytes = [0x34, 0x12, 0x78, 0x56];
        assert_eq!(u8_at(&bytes, 3), Some(0x56));
        assert_eq!(u16_at(&bytes, 1), Some(0x7812));
        assert_eq!(u32_at(&bytes, 0), Some(0x5678_1234));
        assert_eq!(u8_at(&bytes, 4), None);
        assert_eq!(u16_at(&bytes, 3), None);
        assert_eq!(u32_at(&bytes, 1), None);
        assert_eq!(u16_at(&bytes, usize::MAX), None);
    }
}
