//! Configuration space: sysfs's `config`.
//!
//! The kernel serves an aligned access of 1, 2 or 4 bytes as one access on the bus, and splits every
//! other. So a register is read and written with one `pread` or `pwrite` of its own width.

use pcicfg::ConfigSpace;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// All that can be read: 64 bytes without `CAP_SYS_ADMIN` (128 of a CardBus bridge), else 256 or 4096.
pub(super) fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; ConfigSpace::EXTENDED];
    let length = read_at(&File::open(path)?, 0, &mut bytes)?;
    bytes.truncate(length);
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Fills `bytes` from `offset`; `false` if they cannot be reached.
pub(super) fn read(path: &Path, offset: u16, bytes: &mut [u8]) -> io::Result<bool> {
    Ok(read_at(&File::open(path)?, offset, bytes)? == bytes.len())
}

/// Writes `bytes` at `offset` as one access; `false` if they cannot be reached.
pub(super) fn write(path: &Path, offset: u16, bytes: &[u8]) -> io::Result<bool> {
    let width = bytes.len();
    if !matches!(width, 1 | 2 | 4) || !usize::from(offset).is_multiple_of(width) {
        // The kernel would split it, and a register would see two writes.
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{width} bytes at {offset:#05x} are not one access: it takes 1, 2 or 4 bytes, aligned"),
        ));
    }
    let file = File::options().write(true).open(path)?;
    // A write past the end of a regular file, which a made-up tree has, would make it longer.
    Ok(file.write_at(bytes, offset.into())? == width)
}

fn read_at(file: &File, offset: u16, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], u64::from(offset) + length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}
