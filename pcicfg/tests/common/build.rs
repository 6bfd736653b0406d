//! Configuration spaces for tests, built byte by byte.

use pcicfg::ConfigSpace;

/// The view of bytes that a test made.
pub(crate) fn view(bytes: &[u8]) -> ConfigSpace<'_> {
    ConfigSpace::new(bytes).expect("64 to 4096 bytes")
}

/// Writes `value` at `at`.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A type 0 function of `size` bytes, 1b36:0010, whose capability list begins at `pointer`.
pub(crate) fn endpoint(size: usize, pointer: u8) -> Vec<u8> {
    let mut bytes = vec![0; size];
    put(&mut bytes, 0x00, &[0x36, 0x1b, 0x10, 0x00]);
    put(&mut bytes, 0x06, &[0x10, 0x00]);
    put(&mut bytes, 0x34, &[pointer]);
    bytes
}
