//! Configuration space: sysfs's `config`.
//!
//! The kernel serves an aligned access of 1, 2 or 4 bytes as one access on the bus, and splits every
//! other. So a register is read and written with one `pread` or `pwrite` of its own width.

use crate::machine::Detail;
use pcicfg::extended::ExtendedCapabilityId;
use pcicfg::header::HeaderType;
use pcicfg::{ConfigRead, ConfigSpace};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All that can be read: 64 bytes without `CAP_SYS_ADMIN` (128 of a CardBus bridge), else 256 or 4096.
pub(super) fn read_all(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; ConfigSpace::EXTENDED];
    let length = read_at(file, 0, &mut bytes)?;
    bytes.truncate(length);
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// How many bytes are read of a function.
///
/// Each dword is an access on the bus, and takes most of a microsecond there: 4096 bytes of each of some thousand functions
/// are seconds.
pub(super) const fn most(detail: Detail) -> usize {
    match detail {
        Detail::All => ConfigSpace::EXTENDED,
        Detail::Listing => ConfigSpace::CONVENTIONAL,
    }
}

/// Whether a list of functions needs no more than these bytes: of a CXL port it needs all. Takes no lock and no memory.
pub(super) fn is_enough_for_listing(bytes: &[u8], file: &File) -> bool {
    bytes.len() < ConfigSpace::CONVENTIONAL || !may_be_cxl_port(bytes, file)
}

/// Whether a function is a bridge with a vendor-specific structure, as CXL ports are.
fn may_be_cxl_port(conventional: &[u8], file: &File) -> bool {
    let Ok(space) = ConfigSpace::new(conventional) else { return true };
    if space.header().header_type() != HeaderType::Bridge || space.pci_express().is_none() {
        return false;
    }
    let found = Registers(file).find_extended_capability(ExtendedCapabilityId::DESIGNATED_VENDOR_SPECIFIC);
    // Where the list cannot be followed to its end, the whole space decides.
    found.map_or(true, |at| at.is_some())
}

/// A `config` file, register by register.
struct Registers<'f>(&'f File);

impl ConfigRead for Registers<'_> {
    type Error = io::Error;

    fn read(&self, offset: u16, bytes: &mut [u8]) -> io::Result<()> {
        match read_at(self.0, offset, bytes)? == bytes.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// The `config` files that registers were last read or written through.
///
/// A wait or a verification makes hundreds of accesses to the same few functions; opening and closing
/// the file around each would take longer than the access. A file that was opened before its function
/// was removed fails from then on, so after an error it is opened anew.
#[derive(Debug, Default)]
pub(super) struct OpenFiles {
    files: Mutex<HashMap<PathBuf, Arc<File>>>,
}

impl OpenFiles {
    /// A reset hits a handful of functions; more files than this are not kept.
    const MOST: usize = 64;

    /// Closes them all: functions come and go.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Fills `bytes` from `offset`; `false` if they cannot be reached.
    pub(super) fn read(&self, path: &Path, offset: u16, bytes: &mut [u8]) -> io::Result<bool> {
        self.with(path, |file| Ok(read_at(file, offset, bytes)? == bytes.len()))
    }

    /// Writes `bytes` at `offset` as one access; `false` if they cannot be reached.
    pub(super) fn write(&self, path: &Path, offset: u16, bytes: &[u8]) -> io::Result<bool> {
        let width = bytes.len();
        if !matches!(width, 1 | 2 | 4) || !usize::from(offset).is_multiple_of(width) {
            // The kernel would split it, and a register would see two writes.
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{width} bytes at {offset:#05x} are not one access: it takes 1, 2 or 4 bytes, aligned"
                ),
            ));
        }
        // A write past the end of a regular file, which a made-up tree has, would make it longer.
        self.with(path, |file| match file.write_at(bytes, offset.into()) {
            Ok(written) => Ok(written == width),
            // The file is open for reading alone, because more was not allowed.
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => {
                Err(io::Error::from_raw_os_error(libc::EACCES))
            }
            Err(error) => Err(error),
        })
    }

    fn with<T>(&self, path: &Path, mut act: impl FnMut(&File) -> io::Result<T>) -> io::Result<T> {
        if let Some(file) = self.kept(path) {
            match act(&file) {
                Ok(value) => return Ok(value),
                Err(_) => drop(self.lock().remove(path)),
            }
        }
        let file = Arc::new(open(path)?);
        let value = act(&file)?;
        let mut files = self.lock();
        if files.len() >= Self::MOST {
            files.clear();
        }
        files.insert(path.to_path_buf(), file);
        Ok(value)
    }

    fn kept(&self, path: &Path) -> Option<Arc<File>> {
        self.lock().get(path).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<File>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For reading and writing; for reading alone where that is all that is allowed.
fn open(path: &Path) -> io::Result<File> {
    match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        result => result,
    }
}

/// Fills `bytes` from `offset` as far as they can be read; gives their number.
pub(super) fn read_at(file: &File, offset: u16, bytes: &mut [u8]) -> io::Result<usize> {
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
