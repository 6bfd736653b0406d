//! Processes that have a function's VFIO group or device open: running virtual machines.
//!
//! What other users' processes have open is only visible to root.

use crate::error::{Error, Result};
use crate::machine::DeviceUser;
use crate::machine::live::sysfs;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Adds the processes that have the function in `folder` open.
pub(super) fn users(root: &Path, folder: &Path, users: &mut Vec<DeviceUser>) -> Result<()> {
    let nodes = nodes(root, folder)?;
    if nodes.is_empty() {
        return Ok(());
    }
    let proc = root.join("proc");
    let names = sysfs::names(&proc).map_err(|e| Error::read(&proc, e))?;
    let mut pids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    for pid in pids {
        let process = proc.join(pid.to_string());
        // A process that ended meanwhile, or is not ours to see.
        let Ok(files) = std::fs::read_dir(process.join("fd")) else { continue };
        let has_it = |target: &OsStr| nodes.iter().any(|node| target.as_bytes().ends_with(node.as_bytes()));
        if files.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| has_it(to.as_os_str()))) {
            let command = sysfs::read(&process.join("comm")).ok().flatten().unwrap_or_default();
            users.push(DeviceUser::Vfio { pid, command });
        }
    }
    Ok(())
}

/// The device nodes through which the function can be opened, those that exist. As ends of a path: a
/// process in a jail sees them below another root.
fn nodes(root: &Path, folder: &Path) -> Result<Vec<String>> {
    let mut nodes = Vec::new();
    let group = folder.join("iommu_group");
    if let Some(group) = sysfs::link_name(&group).map_err(|e| Error::read(&group, e))? {
        nodes.push(format!("/dev/vfio/{group}"));
        nodes.push(format!("/dev/vfio/noiommu-{group}"));
    }
    let devices = folder.join("vfio-dev");
    for name in sysfs::names(&devices).map_err(|e| Error::read(&devices, e))? {
        nodes.push(format!("/dev/vfio/devices/{name}"));
    }
    nodes.retain(|node| sysfs::exists(&root.join(&node[1..])));
    Ok(nodes)
}
