//! What sysfs says of a function: its links and attributes.
//!
//! About 15 system calls a function. What is absent is a fact too; only the absence of the function
//! itself is an error.

use super::sysfs;
use crate::machine::{FunctionFacts, ResetMethods, Resource};
use pcicfg::Address;
use std::io;
use std::path::{Path, PathBuf};

/// How many virtual functions a physical one can have (`TotalVFs` has 16 bits).
const MAX_VIRTFNS: usize = 0x1_0000;

/// The facts in a function's `folder`, all but the slot; an error comes with its path.
pub(super) fn read(folder: &Path) -> Result<FunctionFacts, (PathBuf, io::Error)> {
    let at = |name: &str| folder.join(name);
    let attribute = |name: &str| sysfs::read(&at(name)).map_err(|e| (at(name), e));
    let link = |name: &str| sysfs::link_name(&at(name)).map_err(|e| (at(name), e));

    let parent = match std::fs::read_link(folder) {
        Ok(target) => parent(&target),
        // A folder instead of a link: some other view of sysfs. Bus numbers decide then.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => None,
        Err(e) => return Err((folder.to_path_buf(), e)),
    };
    let reset_methods = match attribute("reset_method")? {
        Some(list) => ResetMethods::Listed(list.split_whitespace().map(str::to_owned).collect()),
        // Both appear together since 5.15; `reset` alone is an older kernel that does not say how.
        None if sysfs::exists(&at("reset")) => ResetMethods::Unknown,
        None => ResetMethods::NoFile,
    };
    let mut virtfns = Vec::new();
    while virtfns.len() < MAX_VIRTFNS
        && let Some(name) = link(&format!("virtfn{}", virtfns.len()))?
        && let Some(address) = sysfs::address(&name)
    {
        virtfns.push(address);
    }
    Ok(FunctionFacts {
        parent,
        driver: link("driver")?,
        iommu_group: link("iommu_group")?.and_then(|name| name.parse().ok()),
        reset_methods,
        power_state: attribute("power_state")?,
        physfn: link("physfn")?.as_deref().and_then(sysfs::address),
        virtfns,
        boot_vga: attribute("boot_vga")?.as_deref() == Some("1"),
        slot: None,
        resources: attribute("resource")?.map_or_else(Vec::new, |text| resources(&text)),
        label: attribute("label")?.filter(|label| !label.is_empty()),
    })
}

/// The bridge above the function that a link like
/// `../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0` leads to.
///
/// Only the folder right above counts: with a `pci10000:e0` in between, a new domain begins (VMD), and
/// what is above is not a bridge.
fn parent(target: &Path) -> Option<Address> {
    sysfs::address(target.parent()?.file_name()?.to_str()?)
}

/// The lines of `resource`: BARs 0 to 5, the ROM, and a bridge's four windows.
///
/// A kernel with SR-IOV puts the six BARs of the virtual functions between the ROM and the windows;
/// they are left out.
pub(super) fn resources(text: &str) -> Vec<Resource> {
    let mut list: Vec<_> = text.lines().map_while(resource).collect();
    if list.len() >= 13 {
        list.drain(7..13);
    }
    list
}

/// `0x00000000fc500000 0x00000000fc507fff 0x0000000000040200`: first and last address, flags.
fn resource(line: &str) -> Option<Resource> {
    let mut numbers = line.split_ascii_whitespace().map(|word| {
        let digits = word.strip_prefix("0x")?;
        // from_str_radix takes a sign.
        if digits.starts_with('+') { None } else { u64::from_str_radix(digits, 16).ok() }
    });
    Some(Resource { start: numbers.next()??, end: numbers.next()??, flags: numbers.next()?? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_parent_is_the_folder_right_above() {
        let parent = |target: &str| super::parent(Path::new(target)).map(|a| a.to_string());
        assert_eq!(
            parent("../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0").as_deref(),
            Some("0000:00:01.0")
        );
        assert_eq!(parent("../../../devices/pci0000:00/0000:00:01.0"), None);
        assert_eq!(
            parent("../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0"),
            None,
            "VMD begins a domain of its own"
        );
        assert_eq!(parent("x"), None);
        assert_eq!(parent(""), None);
    }

    fn file(lines: usize) -> String {
        (0..lines).map(|i| format!("0x{i:016x} 0x{:016x} 0x0000000000000200\n", i + 1)).collect()
    }

    #[test]
    fn the_windows_follow_the_rom_with_or_without_sr_iov() {
        let starts = |lines| resources(&file(lines)).iter().map(|r| r.start).collect::<Vec<_>>();
        assert_eq!(starts(7), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(starts(13), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(starts(11), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(starts(17), [0, 1, 2, 3, 4, 5, 6, 13, 14, 15, 16]);
    }

    proptest! {
        #[test]
        fn any_resource_file_is_read_without_panic(text in "(0x[0-9a-f+]{0,18}[ \n]?|.|\n){0,80}") {
            prop_assert!(resources(&text).len() <= text.lines().count());
        }

        #[test]
        fn any_link_is_read_without_panic(text in "[0-9a-f:./]{0,60}") {
            let _ = super::parent(Path::new(&text));
        }
    }
}
