//! Network interfaces of a function that are up.

use super::{of_class, or_none};
use crate::error::Result;
use crate::machine::DeviceUser;
use crate::machine::live::sysfs;
use pcicfg::Address;
use std::path::Path;

/// `IFF_UP` of `flags`: somebody switched the interface on.
const UP: u32 = 1;

/// Adds the function's interfaces that are up.
pub(super) fn users(root: &Path, address: Address, users: &mut Vec<DeviceUser>) -> Result<()> {
    for interface in of_class(root, "net", address)? {
        let attribute = |name: &str| {
            let path = root.join("sys/class/net").join(&interface).join(name);
            or_none(sysfs::read(&path), path)
        };
        if is_up(&attribute("operstate")?, &attribute("flags")?) {
            users.push(DeviceUser::Network { interface });
        }
    }
    Ok(())
}

/// Whether packets may pass: an interface that is switched on without a cable (`down`) has no user yet;
/// some drivers never say (`unknown`), then the switch decides.
fn is_up(operstate: &str, flags: &str) -> bool {
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).unwrap_or(0);
    match operstate {
        "up" | "dormant" | "testing" => true,
        "down" | "notpresent" | "lowerlayerdown" => false,
        _ => flags & UP != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_decides_and_the_switch_where_there_is_none() {
        assert!(is_up("up", "0x1003"));
        assert!(!is_up("down", "0x1003"));
        assert!(is_up("unknown", "0x1003"));
        assert!(!is_up("unknown", "0x1002"));
        assert!(is_up("", "0x1"));
        assert!(!is_up("", "junk"));
    }
}
