//! What is true of the host as a whole.

use super::sysfs;
use crate::error::{Error, Result};
use crate::machine::{HostFacts, Lockdown};
use std::path::Path;

pub(super) fn read(root: &Path) -> Result<HostFacts> {
    let release = root.join("proc/sys/kernel/osrelease");
    let kernel = sysfs::read(&release).map_err(|e| Error::read(&release, e))?;
    let path = root.join("sys/kernel/security/lockdown");
    let lockdown = sysfs::read(&path).map_err(|e| Error::read(&path, e))?;
    let lockdown = lockdown.as_deref().map_or(Lockdown::None, state);
    Ok(HostFacts { kernel, lockdown, vfio: Some(super::vfio::facts(root)) })
}

/// The kernel's word for a lockdown that forbids writing configuration space; `None` if it does not.
pub(super) fn locked_down(root: &Path) -> Option<&'static str> {
    match read(root).ok()?.lockdown {
        Lockdown::None => None,
        Lockdown::Integrity => Some("integrity"),
        Lockdown::Confidentiality => Some("confidentiality"),
    }
}

/// The state in a list such as `none [integrity] confidentiality`.
fn state(list: &str) -> Lockdown {
    match list.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
        Some(("integrity", _)) => Lockdown::Integrity,
        Some(("confidentiality", _)) => Lockdown::Confidentiality,
        _ => Lockdown::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_the_one_in_brackets() {
        assert_eq!(state("[none] integrity confidentiality"), Lockdown::None);
        assert_eq!(state("none [integrity] confidentiality"), Lockdown::Integrity);
        assert_eq!(state("none integrity [confidentiality]"), Lockdown::Confidentiality);
        assert_eq!(state("]["), Lockdown::None);
        assert_eq!(state(""), Lockdown::None);
    }
}
