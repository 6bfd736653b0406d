//! The shadow: physical memory at C0000h, where a firmware copies the ROM of its display to.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use romtools::source::{self, Seekable};

use super::device::Device;
use super::failure::Failure;

/// Where the shadow is.
const BEGIN: u64 = 0xc_0000;
/// The room that the platform has for it, up to DFFFFh.
const LENGTH: usize = 0x2_0000;

/// The ROM in the shadow, up to the end of its chain.
pub(super) fn shadow(root: &Path, memory: Option<&Path>, device: &Device) -> Result<Vec<u8>, Failure> {
    // A copy of memory may come from another host, where the function was another one.
    if memory.is_none() && !device.is_boot_display {
        return Err(Failure::NotBootDisplay);
    }
    let live = root.join("dev/mem");
    let file = File::open(memory.unwrap_or(&live)).map_err(|error| explained(error, root, memory))?;
    source::read_rom(&Seekable::new(file), BEGIN, LENGTH).map_err(|error| explained(error, root, memory))
}

fn explained(error: io::Error, root: &Path, memory: Option<&Path>) -> Failure {
    match error.kind() {
        _ if memory.is_some() => Failure::Read(error),
        io::ErrorKind::NotFound => Failure::NoMemory,
        io::ErrorKind::PermissionDenied if is_locked_down(root) => Failure::Lockdown,
        io::ErrorKind::PermissionDenied => Failure::Permission,
        _ => Failure::Read(error),
    }
}

/// `none [integrity] confidentiality`: the one in brackets is in force.
fn is_locked_down(root: &Path) -> bool {
    let text = fs::read_to_string(root.join("sys/kernel/security/lockdown")).unwrap_or_default();
    text.contains("[integrity]") || text.contains("[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_lockdown_only_where_that_is_in_force() {
        let root = tempfile::tempdir().unwrap();
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(explained(denied(), root.path(), None), Failure::Permission));
        let security = root.path().join("sys/kernel/security");
        fs::create_dir_all(&security).unwrap();
        fs::write(security.join("lockdown"), "[none] integrity confidentiality\n").unwrap();
        assert!(matches!(explained(denied(), root.path(), None), Failure::Permission));
        fs::write(security.join("lockdown"), "none [integrity] confidentiality\n").unwrap();
        assert!(matches!(explained(denied(), root.path(), None), Failure::Lockdown));
        assert!(matches!(explained(denied(), root.path(), Some(Path::new("copy"))), Failure::Read(_)));
    }
}
