//! Reading registers out of bytes whose length varies, and the encodings that several registers share.

use crate::config_space::Truncated;
use core::time::Duration;

/// The little-endian word at `at`, if it can be read.
pub(crate) fn word_at(bytes: &[u8], at: u16) -> Option<u16> {
    bytes.get(usize::from(at)..)?.first_chunk().copied().map(u16::from_le_bytes)
}

/// The little-endian dword at `at`, if it can be read.
pub(crate) fn dword_at(bytes: &[u8], at: u16) -> Option<u32> {
    bytes.get(usize::from(at)..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The first `needed` bytes of a structure that begins at `offset`, or how many are missing.
pub(crate) fn first(bytes: &[u8], offset: u16, needed: u16) -> Result<&[u8], Truncated> {
    bytes.get(..usize::from(needed)).ok_or(Truncated { offset, needed, available: bytes.len() as u16 })
}

/// `value` times 32 to the power of `scale` nanoseconds; scales 6 and 7 are reserved.
pub(crate) const fn scaled_nanoseconds(value: u32, scale: u32) -> Option<Duration> {
    match scale {
        0..=5 => Some(Duration::from_nanos((value as u64) << (5 * scale))),
        _ => None,
    }
}
