//! What is behind the BARs: sysfs's `resourceN` and `rom`, and VFIO where the kernel does not let us map.
//!
//! | the range is | way | why |
//! |---|---|---|
//! | memory | `resourceN`, mapped | opening it does nothing to the function; with vfio-pci bound and idle it may be mapped too |
//! | memory, and lockdown forbids to map it | VFIO, by system calls | lockdown allows VFIO; **opening and closing reset the function** |
//! | ports | `resourceN`, read and written | |
//! | the expansion ROM | `rom`: switched on, read, switched off | |
//!
//! A mapped range of a function that was unplugged raises `SIGBUS`, which ends the process; the check before
//! each access (the function answers, Memory Space is on, it is in D0) leaves a window of a microsecond. A
//! function that merely does not answer reads all-ones.

use super::config::OpenFiles;
use super::sys::Mapping;
use super::{facts, host, sysfs, vfio};
use crate::error::{Error, Result};
use crate::machine::vfio::{Opened, RegionIndex, VfioDevice, VfioInterface, VfioRequest};
use crate::machine::{Resource, check_bar_access};
use pcicfg::capability::PowerManagement;
use pcicfg::header::Command;
use pcicfg::{Address, ConfigSpace};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long opening a function through VFIO, and with it a reset, may take for the sake of a register.
const OPENING: Duration = Duration::from_secs(10);

/// The kernel's `IORESOURCE_IO`.
const PORTS: u64 = 0x100;

/// What lockdown or a driver keeps us from.
enum Way {
    Mapped(Mapping),
    Ports(File),
    Rom(File),
    Vfio(Mutex<Box<dyn VfioDevice>>),
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
    /// Power Management's control and status, if there is one.
    power_register: Option<u16>,
    /// A virtual function has no Memory Space bit of its own.
    is_virtual: bool,
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
            Way::Mapped(mapping) => {
                bytes.fill(0xff);
                if access.decodes(&bar)? {
                    for (at, part) in parts(access.offset, bytes.len()) {
                        mapping.read(at, &mut bytes[part]);
                    }
                }
                Ok(())
            }
            Way::Ports(file) => {
                for (at, part) in parts(access.offset, bytes.len()) {
                    file.read_exact_at(&mut bytes[part], at).map_err(|e| access.refused(bytes.len(), e))?;
                }
                Ok(())
            }
            Way::Rom(file) => {
                read_rom(file, access.offset, bytes).map_err(|e| access.refused(bytes.len(), e))
            }
            Way::Vfio(device) => {
                let region = access.region()?;
                let device = device.lock().unwrap_or_else(PoisonError::into_inner);
                match device.read_region(region, access.offset, bytes) {
                    // No one answers, or Memory Space is off.
                    Err(error) if error.errno() == Some(libc::EIO) => {
                        bytes.fill(0xff);
                        Ok(())
                    }
                    result => result,
                }
            }
        }
    }

    /// Writes `bytes`; lost where no one takes them.
    pub(super) fn write(&self, access: Access<'_>, bytes: &[u8]) -> Result<()> {
        check_bar_access(access.address, access.bar, access.offset, bytes.len())?;
        let bar = self.bar(access, bytes.len())?;
        match &bar.way {
            Way::Mapped(mapping) => {
                if access.decodes(&bar)? {
                    for (at, part) in parts(access.offset, bytes.len()) {
                        mapping.write(at, &bytes[part]);
                    }
                }
                Ok(())
            }
            Way::Ports(file) => {
                for (at, part) in parts(access.offset, bytes.len()) {
                    file.write_all_at(&bytes[part], at).map_err(|e| access.refused(bytes.len(), e))?;
                }
                Ok(())
            }
            // An expansion ROM takes no writes.
            Way::Rom(_) => Ok(()),
            Way::Vfio(device) => {
                let region = access.region()?;
                let device = device.lock().unwrap_or_else(PoisonError::into_inner);
                match device.write_region(region, access.offset, bytes) {
                    Err(error) if error.errno() == Some(libc::EIO) => Ok(()),
                    result => result,
                }
            }
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

    fn region(&self) -> Result<RegionIndex> {
        RegionIndex::behind(self.bar).ok_or_else(|| self.out_of_reach(0, "there is no such BAR".to_owned()))
    }

    fn open(&self) -> Result<Bar> {
        let path = self.folder().join("resource");
        let text = sysfs::read(&path).map_err(|e| Error::read(&path, e))?.unwrap_or_default();
        let resource = facts::resources(&text).get(usize::from(self.bar)).copied().unwrap_or_default();
        let Some(size) = size(resource) else {
            return Err(self.out_of_reach(0, "the function has no such BAR, or it has no address".to_owned()));
        };
        let way = match self.bar {
            6 => {
                let path = self.folder().join("rom");
                Way::Rom(writable(&path).map_err(|e| self.refused(0, e))?)
            }
            _ => {
                let file = writable(&self.folder().join(format!("resource{}", self.bar)))
                    .map_err(|e| self.refused(0, e))?;
                if resource.flags & PORTS != 0 { Way::Ports(file) } else { self.map(&file, resource, size)? }
            }
        };
        let path = self.folder().join("config");
        let mut config = [0; 256];
        let all = self.config.read(&path, 0, &mut config).map_err(|e| Error::read(&path, e))?;
        let space = ConfigSpace::new(&config).ok().filter(|_| all);
        let pm = space.and_then(|space| space.power_management());
        Ok(Bar {
            size,
            power_register: pm.map(|pm| pm.offset() + PowerManagement::CONTROL_STATUS),
            is_virtual: sysfs::exists(&self.folder().join("physfn")),
            way,
        })
    }

    fn map(&self, file: &File, resource: Resource, size: u64) -> Result<Way> {
        // The kernel maps whole pages; a small BAR begins within one.
        let start = (resource.start % page_size()) as usize;
        match Mapping::new(file.as_fd(), 0, start, size) {
            Ok(mapping) => Ok(Way::Mapped(mapping)),
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                if host::locked_down(self.root).is_none() {
                    return Err(self.refused(0, error));
                }
                self.by_vfio()
            }
            Err(error) => Err(self.refused(0, error)),
        }
    }

    fn by_vfio(&self) -> Result<Way> {
        let interface = vfio::facts(self.root).preferred().unwrap_or(VfioInterface::Group);
        let request = VfioRequest { address: self.address, interface, also: &[], budget: OPENING };
        match vfio::open(self.root, &request)? {
            Opened::Open(device) => Ok(Way::Vfio(Mutex::new(device))),
            Opened::StillRunning => {
                Err(self.out_of_reach(0, "the kernel still resets the function for it".to_owned()))
            }
        }
    }

    fn refused(&self, length: usize, error: io::Error) -> Error {
        let reason = match error.raw_os_error() {
            Some(libc::EINVAL | libc::EBUSY) => {
                "a driver has claimed the range; unbind it, or bind the function to vfio-pci".to_owned()
            }
            Some(libc::EPERM | libc::EACCES) => "root is needed".to_owned(),
            Some(libc::ENOENT) => "there is no such range".to_owned(),
            _ => error.to_string(),
        };
        self.out_of_reach(length, reason)
    }

    /// Whether an access would reach the function: it answers, decodes memory, and is awake.
    fn decodes(&self, bar: &Bar) -> Result<bool> {
        let path = self.folder().join("config");
        let mut bytes = [0xff; 4];
        let mut read = |offset, width: usize| {
            self.config.read(&path, offset, &mut bytes[..width]).map_err(|e| Error::read(&path, e))?;
            Ok::<u32, Error>(u32::from_le_bytes(bytes))
        };
        let command = read(4, 4)?;
        let on = u32::from(Command::MEMORY_SPACE.bits());
        if command == u32::MAX || (command & on == 0 && !bar.is_virtual) {
            return Ok(false);
        }
        // The lowest two bits are the state, and 0 is D0.
        Ok(match bar.power_register {
            Some(offset) => read(offset, 2)? & 3 == 0,
            None => true,
        })
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

/// An access in parts of at most four bytes: where each is, and which of the bytes.
pub(super) fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let width = match length - done {
            0 => return None,
            1 => 1,
            2 | 3 => 2,
            _ => 4,
        };
        let part = (offset + done as u64, done..done + width);
        done += width;
        Some(part)
    })
}

/// `rom` shows nothing until `1` was written to it, and is switched off again whatever the read says.
fn read_rom(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.write_all_at(b"1", 0)?;
    let read = file.read_exact_at(bytes, offset);
    file.write_all_at(b"0", 0)?;
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_split_into_registers() {
        let parts = |offset, length| parts(offset, length).collect::<Vec<_>>();
        assert_eq!(parts(8, 4), [(8, 0..4)]);
        assert_eq!(parts(8, 11), [(8, 0..4), (12, 4..8), (16, 8..10), (18, 10..11)]);
        assert_eq!(parts(3, 1), [(3, 0..1)]);
        assert!(parts(0, 0).is_empty());
    }

    #[test]
    fn a_range_without_an_address_has_no_size() {
        let resource = |start, end| Resource { start, end, flags: 0x200 };
        assert_eq!(size(resource(0, 0)), None);
        assert_eq!(size(resource(0x1000, 0x1fff)), Some(0x1000));
        assert_eq!(size(resource(0x2000, 0x1fff)), None);
        assert_eq!(size(resource(5, 0)), None);
    }
}
