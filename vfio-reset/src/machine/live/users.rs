//! Who on the host would notice if a function stopped working.
//!
//! A function is asked for itself: what hangs below a bridge is reported by the functions below it.
//! The exception is VMD, whose functions are in a domain of their own inside its folder: they are gone
//! when it is.
//!
//! Read anew on every call: a disk may have been mounted since.

mod block;
mod mounts;
mod network;
mod vfio;

use super::sysfs;
use crate::error::{Error, Result};
use crate::machine::DeviceUser;
use pcicfg::Address;
use std::io;
use std::path::{Path, PathBuf};

/// The users of the function, disks first.
pub(super) fn read(root: &Path, address: Address) -> Result<Vec<DeviceUser>> {
    let folder = root.join(format!("sys/bus/pci/devices/{address}"));
    let mut users = Vec::new();
    // Without a driver there is neither disk nor interface: that saves most functions the search.
    if sysfs::exists(&folder.join("driver")) {
        block::users(root, address, &mut users)?;
        network::users(root, address, &mut users)?;
    }
    vfio::users(root, &folder, &mut users)?;
    Ok(users)
}

/// The names in `/sys/class/<class>` that belong to the function.
fn of_class(root: &Path, class: &str, address: Address) -> Result<Vec<String>> {
    let folder = root.join("sys/class").join(class);
    let mut names = sysfs::names(&folder).map_err(|e| Error::read(&folder, e))?;
    let own = address.to_string();
    names.retain(|name| {
        // What vanished meanwhile has no user.
        std::fs::read_link(folder.join(name)).is_ok_and(|target| belongs(&target, &own))
    });
    Ok(names)
}

/// Whether a device in sysfs, such as `.../0000:00:01.0/0000:01:00.0/nvme/nvme0/nvme0n1`, is of the
/// function `own` and not of one below it.
fn belongs(target: &Path, own: &str) -> bool {
    let mut parts = target.components().map(|part| part.as_os_str().to_string_lossy());
    parts.any(|part| part == own) && parts.next().is_none_or(|part| sysfs::address(&part).is_none())
}

fn or_none<T: Default>(result: io::Result<Option<T>>, path: PathBuf) -> Result<T> {
    result.map(Option::unwrap_or_default).map_err(|e| Error::read(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_belongs_to_the_nearest_function_above_it() {
        let disk = "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/nvme/nvme0/nvme0n1";
        assert!(belongs(Path::new(disk), "0000:01:00.0"));
        assert!(!belongs(Path::new(disk), "0000:00:01.0"));
        assert!(!belongs(Path::new(disk), "0000:01:00.1"));
        let behind_vmd =
            "../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme1";
        assert!(belongs(Path::new(behind_vmd), "0000:00:0e.0"));
        assert!(belongs(Path::new(behind_vmd), "10000:e1:00.0"));
        assert!(!belongs(Path::new(behind_vmd), "10000:e0:06.0"));
    }
}
