//! Disks of a function that are mounted, swapped to, or part of something else.
//!
//! A disk is used through itself, its partitions, and whatever is stacked on either (LVM, RAID, LUKS,
//! bcache: `holders`). Btrfs and ZFS have their own view of devices: the former is asked in sysfs, the
//! latter only shows in that nobody else may open the device exclusively.

use super::mounts::{self, Mount};
use super::{of_class, or_none};
use crate::error::{Error, Result};
use crate::machine::DeviceUser;
use crate::machine::live::sysfs;
use pcicfg::Address;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How much of `mountinfo` is read: a host with ten thousand containers has a few MiB.
const LIMIT: u64 = 64 << 20;

/// Adds the users of the function's disks.
pub(super) fn users(root: &Path, address: Address, users: &mut Vec<DeviceUser>) -> Result<()> {
    let mut names = of_class(root, "block", address)?;
    for name in names.clone() {
        names.extend(multipath_head(&name));
    }
    if names.is_empty() {
        return Ok(());
    }
    let host = Host::read(root)?;
    let mut seen = BTreeSet::new();
    // Partitions sort behind their disk, and a disk counts as used when a partition is.
    for name in names.iter().rev() {
        let before = users.len();
        host.add(name, &mut seen, users)?;
        let folder = host.folder(name);
        let partition_is_used = users.iter().any(|user| sysfs::exists(&folder.join(device(user))));
        if users.len() == before && !partition_is_used && host.is_held(name) {
            users.push(DeviceUser::Holder {
                device: name.clone(),
                holder: "something that has it to itself, such as a ZFS pool".into(),
            });
        }
    }
    users.sort_by(|a, b| device(a).cmp(device(b)));
    Ok(())
}

/// The disk that file systems see, for the path `nvme0c1n1` through one controller: `nvme0n1`. That
/// disk is in `/sys/devices/virtual` and of no function.
fn multipath_head(name: &str) -> Option<String> {
    let (subsystem, rest) = name.strip_prefix("nvme")?.split_once('c')?;
    let (controller, namespace) = rest.split_once('n')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (number(subsystem) && number(controller) && number(namespace))
        .then(|| format!("nvme{subsystem}n{namespace}"))
}

fn device(user: &DeviceUser) -> &str {
    match user {
        DeviceUser::Mount { device, .. }
        | DeviceUser::Swap { device }
        | DeviceUser::Holder { device, .. } => device,
        DeviceUser::Network { .. } | DeviceUser::Vfio { .. } => "",
    }
}

/// What the host as a whole has mounted and swaps to.
struct Host<'a> {
    root: &'a Path,
    mounts: Vec<Mount>,
    swaps: Vec<String>,
}

impl<'a> Host<'a> {
    fn read(root: &'a Path) -> Result<Self> {
        let text = |name: &str| {
            let path = root.join(name);
            or_none(sysfs::read_long(&path, LIMIT), path)
        };
        let mut mounts = mounts::parse_mountinfo(&text("proc/self/mountinfo")?);
        if mounts.is_empty() {
            mounts = mounts::parse_mounts(&text("proc/mounts")?);
        }
        Ok(Self { root, mounts, swaps: mounts::parse_swaps(&text("proc/swaps")?) })
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join("sys/class/block").join(name)
    }

    /// Adds what uses the block device, its partitions, and what is stacked on them.
    fn add(&self, name: &str, seen: &mut BTreeSet<String>, users: &mut Vec<DeviceUser>) -> Result<()> {
        // Each once: a RAID over two partitions of one disk is found twice, and a loop would never end.
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let folder = self.folder(&name);
            self.add_direct(&name, &folder, users)?;
            for holder in self.names(folder.join("holders"))? {
                let named = match self.attribute(self.folder(&holder).join("dm/name"))? {
                    title if title.is_empty() => holder.clone(),
                    title => format!("{title} ({holder})"),
                };
                users.push(DeviceUser::Holder { device: name.clone(), holder: named });
                open.push(holder);
            }
            // Partitions of something stacked, or of a multipath disk, are of no function in sysfs.
            for part in self.names(folder.clone())? {
                if part.starts_with(&name) && sysfs::exists(&folder.join(&part).join("partition")) {
                    open.push(part);
                }
            }
        }
        Ok(())
    }

    /// Adds what has the block device itself mounted or swaps to it.
    fn add_direct(&self, name: &str, folder: &Path, users: &mut Vec<DeviceUser>) -> Result<()> {
        let number = self.attribute(folder.join("dev"))?;
        let mut sources = vec![format!("/dev/{name}")];
        let title = self.attribute(folder.join("dm/name"))?;
        if !title.is_empty() {
            sources.push(format!("/dev/mapper/{title}"));
        }
        for mount in &self.mounts {
            if (!number.is_empty() && mount.number == number) || sources.contains(&mount.source) {
                let user = DeviceUser::Mount { device: name.to_owned(), path: mount.path.clone() };
                // Bind mounts and namespaces show a path more than once.
                if !users.contains(&user) {
                    users.push(user);
                }
            }
        }
        if self.swaps.iter().any(|swap| sources.contains(swap)) {
            users.push(DeviceUser::Swap { device: name.to_owned() });
        }
        // All devices of a mounted btrfs; `mountinfo` names only one of them.
        for volume in self.names(self.root.join("sys/fs/btrfs"))? {
            if sysfs::exists(&self.root.join("sys/fs/btrfs").join(&volume).join("devices").join(name)) {
                users.push(DeviceUser::Holder {
                    device: name.to_owned(),
                    holder: format!("the btrfs {volume}"),
                });
            }
        }
        Ok(())
    }

    /// Whether somebody has the block device to himself: ZFS has, and tells nobody.
    fn is_held(&self, name: &str) -> bool {
        let path = self.root.join("dev").join(name);
        // Reading only: that neither changes the device nor has udev look at it again.
        let open = File::options().read(true).custom_flags(libc::O_EXCL | libc::O_NONBLOCK).open(path);
        open.is_err_and(|e| e.raw_os_error() == Some(libc::EBUSY))
    }

    fn attribute(&self, path: PathBuf) -> Result<String> {
        or_none(sysfs::read(&path), path)
    }

    fn names(&self, path: PathBuf) -> Result<Vec<String>> {
        sysfs::names(&path).map_err(|e| Error::read(path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_multipath_disk_leads_to_the_disk() {
        assert_eq!(multipath_head("nvme0c1n2").as_deref(), Some("nvme0n2"));
        for name in ["nvme0n1", "nvme0c1n1p1", "sda", "nvmecn", "nvme0c1"] {
            assert_eq!(multipath_head(name), None, "{name}");
        }
    }
}
