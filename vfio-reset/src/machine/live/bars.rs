//! What is behind the BARs: sysfs's `resourceN` and `rom`.
//!
//! | the range is | way | why |
//! |---|---|---|
//! | memory | `resourceN`, mapped | opening it does nothing to the function; with vfio-pci bound and idle it may be mapped too |
//! | memory, and lockdown forbids to map it | none | lockdown allows VFIO, but **opening and closing reset the function**: that is for the user to ask for |
//! | ports | `resourceN`, read and written | |
//! | the expansion ROM | `rom`: switched on, read, switched off | |
//!
//! A mapped range of a function that was unplugged raises `SIGBUS`, which ends the process; so before each register it is
//! looked whether the function answers, decodes memory and is awake (`live/mapped.rs`). A function that merely does not
//! answer reads all-ones.

use super::config::OpenFiles;
use super::mapped::{Memory, registers};
use super::sys::Mapping;
use super::{facts, host, sysfs};
use crate::error::{Error, Result};
use crate::machine::{Resource, check_bar_access};
use pcicfg::{Address, ConfigSpace};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The kernel's `IORESOURCE_IO`.
const PORTS: u64 = 0x100;

/// How a range is reached.
enum Way {
    Mapped(Memory),
    Ports(File),
    Rom(File),
}

/// The ranges that were last read or written.
#[derive(Default)]
pub(super) struct OpenBars {
    ways: Mutex<HashMap<(Address, u8), Arc<Bar>>>,
}

impl std::fmt::Debug for OpenBars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.lock().keys()).finish()
    }
}

struct Bar {
    size: u64,
    way: Way,
}

/// An access, for messages and checks.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    pub(super) root: &'a Path,
    pub(super) config: &'a OpenFiles,
    pub(super) address: Address,
    pub(super) bar: u8,
    pub(super) offset: u64,
}

impl OpenBars {
    /// Lets go of them all: functions come and go, and a reset wants VFIO for itself.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Fills `bytes`; all-ones where no one answers.
    pub(super) fn read(&self, access: Access<'_>, bytes: &mut [u8]) -> Result<()> {
        check_bar_access(access.address, access.bar, access.offset, bytes.len())?;
        let bar = self.bar(access, bytes.len())?;
        match &bar.way {
            // All of the range is mapped.
            Way::Mapped(memory) => {
                memory.read(access.offset, bytes, |at, to| access.config(at, to), |_, _| Ok(()))
            }
            Way::Ports(file) => {
                for (at, part) in registers(access.offset, bytes.len()) {
                    file.read_exact_at(&mut bytes[part], at).map_err(|e| access.refused(bytes.len(), e))?;
                }
                Ok(())
            }
            Way::Rom(file) => {
                read_rom(file, access.offset, bytes).map_err(|e| access.refused(bytes.len(), e))
            }
        }
    }

    /// Writes `bytes`; lost where no one takes them.
    pub(super) fn write(&self, access: Access<'_>, bytes: &[u8]) -> Result<()> {
        check_bar_access(access.address, access.bar, access.offset, bytes.len())?;
        let bar = self.bar(access, bytes.len())?;
        match &bar.way {
            Way::Mapped(memory) => memory.write(access.offset, bytes, |at, to| access.config(at, to)),
            Way::Ports(file) => {
                for (at, part) in registers(access.offset, bytes.len()) {
                    file.write_all_at(&bytes[part], at).map_err(|e| access.refused(bytes.len(), e))?;
                }
                Ok(())
            }
            // An expansion ROM takes no writes.
            Way::Rom(_) => Ok(()),
        }
    }

    fn bar(&self, access: Access<'_>, length: usize) -> Result<Arc<Bar>> {
        let key = (access.address, access.bar);
        let kept = self.lock().get(&key).cloned();
        let bar = match kept {
            Some(bar) => bar,
            None => {
                let bar = Arc::new(access.open().map_err(|error| match error {
                    // It was about the range, and is about this access.
                    Error::BarOutOfReach { address, bar, offset, length: 0, reason } => {
                        Error::BarOutOfReach { address, bar, offset, length, reason }
                    }
                    other => other,
                })?);
                self.lock().insert(key, bar.clone());
                bar
            }
        };
        if access.offset + length as u64 > bar.size {
            return Err(access.out_of_reach(length, format!("it has {:#x} bytes", bar.size)));
        }
        Ok(bar)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Address, u8), Arc<Bar>>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access<'_> {
    fn folder(&self) -> PathBuf {
        self.root.join(format!("sys/bus/pci/devices/{}", self.address))
    }

    fn out_of_reach(&self, length: usize, reason: String) -> Error {
        let Self { address, bar, offset, .. } = *self;
        Error::BarOutOfReach { address, bar, offset, length, reason }
    }

    fn open(&self) -> Result<Bar> {
        let path = self.folder().join("resource");
        let text = sysfs::read(&path).map_err(|e| Error::read(&path, e))?.unwrap_or_default();
        let resource = facts::resources(&text).get(usize::from(self.bar)).copied().unwrap_or_default();
        let Some(size) = size(resource) else {
            return Err(self.out_of_reach(0, "the function has no such BAR, or it has no address".to_owned()));
        };
        let file = writable(&self.path()).map_err(|e| self.refused(0, e))?;
        let way = match self.bar {
            6 => Way::Rom(file),
            _ if resource.flags & PORTS != 0 => Way::Ports(file),
            _ => self.map(&file, resource, size)?,
        };
        Ok(Bar { size, way })
    }

    fn map(&self, file: &File, resource: Resource, size: u64) -> Result<Way> {
        // The kernel maps whole pages; a small BAR begins within one.
        let start = (resource.start % page_size()) as usize;
        let mapping = Mapping::new(file.as_fd(), 0, start, size).map_err(|e| self.refused(0, e))?;
        let path = self.folder().join("config");
        let mut config = [0; 256];
        let all = self.config.read(&path, 0, &mut config).map_err(|e| Error::read(&path, e))?;
        let space = ConfigSpace::new(&config).ok().filter(|_| all);
        let is_virtual = sysfs::exists(&self.folder().join("physfn"));
        Ok(Way::Mapped(Memory::new(vec![(0, mapping)], space, is_virtual)))
    }

    /// The file in the function's folder.
    fn path(&self) -> PathBuf {
        match self.bar {
            6 => self.folder().join("rom"),
            bar => self.folder().join(format!("resource{bar}")),
        }
    }

    fn refused(&self, length: usize, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::PermissionDenied {
            return match host::locked_down(self.root) {
                Some(lockdown) => Error::BarLockedDown { path: self.path(), lockdown, source: error },
                None => Error::read(self.path(), error),
            };
        }
        let reason = match error.raw_os_error() {
            Some(libc::EINVAL | libc::EBUSY) => {
                "a driver has claimed the range; unbind it, or bind the function to vfio-pci".to_owned()
            }
            Some(libc::ENOENT) => "there is no such range".to_owned(),
            _ => error.to_string(),
        };
        self.out_of_reach(length, reason)
    }

    fn config(&self, offset: u16, bytes: &mut [u8]) -> Result<()> {
        let path = self.folder().join("config");
        bytes.fill(0xff);
        self.config.read(&path, offset, bytes).map(drop).map_err(|e| Error::read(&path, e))
    }
}

fn size(resource: Resource) -> Option<u64> {
    if resource.start == 0 && resource.end == 0 {
        return None;
    }
    resource.end.checked_sub(resource.start)?.checked_add(1)
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

fn writable(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(path)
}

/// `rom` shows nothing until `1` was written to it, and is switched off again whatever the read says. The kernel takes
/// anything but these two bytes for "on", so the newline belongs to it.
fn read_rom(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.write_all_at(b"1\n", 0)?;
    let read = file.read_exact_at(bytes, offset);
    file.write_all_at(b"0\n", 0)?;
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_without_an_address_has_no_size() {
        let resource = |start, end| Resource { start, end, flags: 0x200 };
        assert_eq!(size(resource(0, 0)), None);
        assert_eq!(size(resource(0x1000, 0x1fff)), Some(0x1000));
        assert_eq!(size(resource(0x2000, 0x1fff)), None);
        assert_eq!(size(resource(5, 0)), None);
    }
}
