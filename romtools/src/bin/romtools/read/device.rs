//! What sysfs says about a function, as far as it matters to its ROM.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use pcicfg::Address;

use super::Failure;
use crate::number::Ids;

/// A function of this host.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) address: Address,
    /// Its folder in sysfs.
    pub(super) path: PathBuf,
    pub(super) ids: Option<Ids>,
    /// Base class and sub-class.
    class: Option<u16>,
    /// The firmware's display, whose ROM is in the shadow.
    pub(super) is_boot_display: bool,
    /// If what the kernel shows as its ROM is the shadow: so for the boot display of a BIOS.
    pub(super) rom_is_shadow: bool,
}

impl Device {
    pub(super) fn find(root: &Path, address: Address) -> Result<Self, Failure> {
        let devices = root.join("sys/bus/pci/devices");
        let path = devices.join(address.to_string());
        if !path.is_dir() {
            let has_pci = devices.is_dir();
            return Err(Failure::NoDevice { has_pci });
        }
        let number = |name| {
            let text = fs::read_to_string(path.join(name)).ok()?;
            u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
        };
        let id = |name| u16::try_from(number(name)?).ok();
        Ok(Self {
            address,
            ids: id("vendor").zip(id("device")).map(|(vendor, device)| Ids { vendor, device }),
            class: number("class").map(|class| (class >> 8) as u16),
            is_boot_display: number("boot_vga") == Some(1),
            rom_is_shadow: rom_begin(&path) == Some(0xc_0000),
            path,
        })
    }

    /// A display controller of AMD's: only these are in the VFCT table.
    pub(super) fn is_amd_display(&self) -> bool {
        self.ids.is_some_and(|ids| ids.vendor == 0x1002) && self.class.is_some_and(|class| class >> 8 == 3)
    }

    pub(super) fn ids_text(&self) -> String {
        self.ids.map_or("unknown".into(), |ids| format!("{:04x}:{:04x}", ids.vendor, ids.device))
    }

    /// Why its ROM may not be readable now.
    pub(super) fn state(&self) -> State {
        let text = |name| fs::read_to_string(self.path.join(name)).unwrap_or_default();
        let config = fs::read(self.path.join("config")).unwrap_or_default();
        let power = text("power_state");
        if config.get(..2) == Some(&[0xff, 0xff]) {
            State::Silent
        } else if power.trim().starts_with("D3") {
            State::Asleep
        } else if config.get(4).is_some_and(|command| command & 2 == 0) {
            State::NotDecoding
        } else if self.is_boot_display {
            State::BootDisplay
        } else {
            State::Unknown
        }
    }
}

/// Where the kernel maps the ROM: the seventh line of `resource`, as begin, end and flags.
fn rom_begin(path: &Path) -> Option<u64> {
    let text = fs::read_to_string(path.join("resource")).ok()?;
    let begin = text.lines().nth(6)?.split_whitespace().next()?;
    u64::from_str_radix(begin.strip_prefix("0x")?, 16).ok()
}

/// `0000:01:00.0 (10de:1c03)`
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.ids_text())
    }
}

/// What is known of a function whose ROM cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its configuration space reads all-ones.
    Silent,
    /// It is in D3.
    Asleep,
    /// Its Command register has memory decoding off.
    NotDecoding,
    /// It is the firmware's display.
    BootDisplay,
    /// Nothing of these.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_word_for_a_shadow_is_its_place() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("sys/bus/pci/devices/0000:00:05.0");
        fs::create_dir_all(&path).unwrap();
        let device = || Device::find(root.path(), "00:05.0".parse().unwrap()).unwrap();
        assert!(!device().rom_is_shadow);
        let line = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
        let rom = "0x00000000000c0000 0x00000000000dffff 0x0000000000000212\n";
        fs::write(path.join("resource"), [&line.repeat(6), rom].concat()).unwrap();
        assert!(device().rom_is_shadow);
    }

    #[test]
    fn the_surest_reason_is_told_first() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("sys/bus/pci/devices/0000:00:05.0");
        fs::create_dir_all(&path).unwrap();
        let state = || Device::find(root.path(), "00:05.0".parse().unwrap()).unwrap().state();
        assert_eq!(state(), State::Unknown);
        fs::write(path.join("boot_vga"), "1\n").unwrap();
        assert_eq!(state(), State::BootDisplay);
        fs::write(path.join("config"), [0x86, 0x80, 0xd3, 0x10, 5, 0]).unwrap();
        assert_eq!(state(), State::NotDecoding);
        fs::write(path.join("power_state"), "D3hot\n").unwrap();
        assert_eq!(state(), State::Asleep);
        fs::write(path.join("config"), [0xff; 64]).unwrap();
        assert_eq!(state(), State::Silent);
    }
}
