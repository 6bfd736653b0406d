//! What sysfs says of a function: its links and attributes.
//!
//! Some 20 system calls a function, 14 for a list of them. What is absent is a fact too; only the absence of the function
//! itself is an error.

use super::open_folder::{Failed, Folder};
use super::sysfs;
use crate::machine::{FunctionFacts, KnownAs, ResetMethods, Resource};
use pcicfg::Address;
use pcicfg::ConfigSpace;
use pcicfg::header::{ClassCode, Presence};
use std::io;
use std::path::Path;

/// How many virtual functions a physical one can have (`TotalVFs` has 16 bits).
const MAX_VIRTFNS: usize = 0x1_0000;

/// What is looked for, beside what every function may have and every command needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// `virtfn0` and so on: only where there is an SR-IOV capability.
    virtual_functions: bool,
    /// `boot_vga`: only of a display.
    boot_vga: bool,
    /// `resource` and `label`.
    resources: bool,
}

impl Wanted {
    /// Nothing is known: everything is looked for.
    pub(super) const EVERYTHING: Self = Self { virtual_functions: true, boot_vga: true, resources: true };

    /// What a list of functions does not show is left out.
    pub(super) const LISTING: Self = Self { virtual_functions: false, boot_vga: false, resources: false };

    /// Everything but what cannot be there by the word of the configuration space.
    pub(super) fn by(config: &[u8]) -> Self {
        let Ok(space) = ConfigSpace::new(config) else { return Self::EVERYTHING };
        let header = space.header();
        if header.presence() != Presence::Present {
            return Self::EVERYTHING;
        }
        let seen_whole = space.size() == ConfigSpace::EXTENDED;
        Self {
            virtual_functions: !seen_whole || space.sr_iov().is_some(),
            // 00: a display from before there were class codes (`pci_is_vga`).
            boot_vga: matches!(header.class_code().base, 0x00 | 0x03),
            resources: true,
        }
    }
}

/// The facts in a function's `folder`, all but the slot.
pub(super) fn read(folder: &Folder<'_>, wanted: Wanted) -> Result<FunctionFacts, Failed> {
    let attribute = |name: &str| folder.attribute(name);
    let link = |name: &str| folder.link_name(name);

    let parent = match folder.target() {
        Ok(target) => parent(&target),
        // A folder instead of a link: some other view of sysfs. Bus numbers decide then.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => None,
        Err(e) => return Err((folder.path(), e)),
    };
    let reset_methods = match attribute("reset_method")? {
        Some(list) => ResetMethods::Listed(list.split_whitespace().map(str::to_owned).collect()),
        // Both appear together since 5.15; `reset` alone is an older kernel that does not say how.
        None if folder.has("reset") => ResetMethods::Unknown,
        None => ResetMethods::NoFile,
    };
    let mut virtfns = Vec::new();
    while wanted.virtual_functions
        && virtfns.len() < MAX_VIRTFNS
        && let Some(name) = link(&format!("virtfn{}", virtfns.len()))?
        && let Some(address) = sysfs::address(&name)
    {
        virtfns.push(address);
    }
    let (mut resources, mut label) = (Vec::new(), None);
    if wanted.resources {
        resources = attribute("resource")?.map_or_else(Vec::new, |text| self::resources(&text));
        label = attribute("label")?.filter(|label| !label.is_empty());
    }
    Ok(FunctionFacts {
        parent,
        driver: link("driver")?,
        iommu_group: link("iommu_group")?.and_then(|name| name.parse().ok()),
        reset_methods,
        power_state: attribute("power_state")?,
        physfn: link("physfn")?.as_deref().and_then(sysfs::address),
        virtfns,
        boot_vga: wanted.boot_vga && attribute("boot_vga")?.as_deref() == Some("1"),
        slot: None,
        resources,
        label,
    })
}

/// What the kernel has found at a function's address; what it does not say is all-ones.
pub(super) fn known_as(folder: &Folder<'_>) -> Result<KnownAs, Failed> {
    let number = |name: &str| -> Result<u32, Failed> {
        let text = folder.attribute(name)?;
        let digits = text.as_deref().and_then(|text| text.strip_prefix("0x"));
        Ok(digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(u32::MAX))
    };
    Ok(KnownAs {
        vendor_id: number("vendor")? as u16,
        device_id: number("device")? as u16,
        class_code: ClassCode::from_u32(number("class")?),
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
