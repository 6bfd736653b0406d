//! Where the table comes from, and why there is none.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use pcicfg::Address;
use romtools::{acpi, vfct};

use super::TableArguments;
use crate::number::Ids;
use crate::{Outcome, input, json};

/// The kernel's copy of the table, below the root.
const KERNEL: &str = "sys/firmware/acpi/tables/VFCT";

/// A table that was read.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) table: vfct::Table<'a>,
    /// Where the table begins in the file.
    pub(super) offset: usize,
    /// How many more there are in the file.
    pub(super) others: usize,
    /// Where this host's `sys` is, if the table is this host's.
    pub(super) host: Option<&'a Path>,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Input(#[from] input::Failure),
    #[error("only root can read it")]
    Permission,
    #[error("this host has no VFCT table: {}", reason(.0))]
    Missing(Missing),
}

/// Why this host has no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    NoAcpi,
    VirtualMachine,
    NoAmdDisplay,
    LegacyBoot,
    Firmware,
}

fn reason(missing: &Missing) -> &'static str {
    match missing {
        Missing::NoAcpi => "it shows no ACPI tables at all",
        Missing::VirtualMachine => "it is a virtual machine",
        Missing::NoAmdDisplay => "it has no AMD display controller",
        Missing::LegacyBoot => "it was not booted by UEFI",
        Missing::Firmware => "its firmware made none",
    }
}

impl Failure {
    fn advice(&self) -> &'static str {
        match self {
            Self::Input(failure) if failure.is_folder() => {
                "give the file with the table, or none for this host's own"
            }
            Self::Input(failure) => failure.advice(),
            Self::Permission => "run it again as root: `sudo romtools vfct ...`",
            Self::Missing(Missing::NoAcpi) => {
                "in a container, run this on the host; or give it a copy of the table from there"
            }
            Self::Missing(Missing::VirtualMachine) => {
                "run this on the host: the table never exists in a guest, which is why a guest needs a romfile"
            }
            Self::Missing(Missing::NoAmdDisplay) => {
                "only AMD GPUs have their video BIOS there; others have it in their own ROM (`rom` of the device \
                 in sysfs) or in the board's firmware"
            }
            Self::Missing(Missing::LegacyBoot) => {
                "boot by UEFI with the CSM off and try again: legacy firmware makes no such table"
            }
            Self::Missing(Missing::Firmware) => {
                "some boards leave it out: read the card's own ROM (`rom` of the device in sysfs), or look for the \
                 image in the board's firmware update"
            }
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Input(failure) => failure.outcome(),
            Self::Permission => Outcome::Permission,
            Self::Missing(_) => Outcome::FileFailed,
        }
    }
}

/// Shows the table, or says why there is none: on the standard error, and as JSON where asked.
pub(super) fn with_table<W: Write>(
    out: &mut W,
    arguments: &TableArguments,
    as_json: bool,
    show: impl FnOnce(&mut W, &Source<'_>) -> io::Result<Outcome>,
) -> io::Result<Outcome> {
    let kernel = arguments.root.join(KERNEL);
    let path = arguments.path.as_ref().unwrap_or(&kernel);
    let host = arguments.path.is_none().then_some(&*arguments.root);
    let failure = match read(path, host) {
        Ok(bytes) => {
            let found = acpi::find(&bytes, vfct::SIGNATURE);
            let parsed = found.as_ref().map_err(|error| *error).and_then(|found| {
                let table = vfct::Table::parse(&found.bytes)?;
                Ok(Source { path, table, offset: found.offset, others: found.others, host })
            });
            match parsed {
                Ok(source) => return show(out, &source),
                Err(error) => Failure::Input(error.into()),
            }
        }
        Err(failure) => failure,
    };
    if as_json {
        json::write(out, &json::Failed::of(path, &failure, failure.advice()))?;
    }
    out.flush()?;
    input::complain(format_args!("{}: {failure}\n  next: {}", path.display(), failure.advice()));
    Ok(failure.outcome())
}

fn read(path: &Path, host: Option<&Path>) -> Result<Vec<u8>, Failure> {
    input::read(path).map_err(|failure| explained(failure, host))
}

/// For this host's own table, more is known than the system's word.
fn explained(failure: input::Failure, host: Option<&Path>) -> Failure {
    match (&failure, host) {
        (input::Failure::Read(error), Some(root)) => match error.kind() {
            io::ErrorKind::NotFound => Failure::Missing(missing(root)),
            io::ErrorKind::PermissionDenied => Failure::Permission,
            _ => Failure::Input(failure),
        },
        _ => Failure::Input(failure),
    }
}

/// Why this host shows no table, the surest reason first.
fn missing(root: &Path) -> Missing {
    let is_guest = || {
        let processors = fs::read_to_string(root.join("proc/cpuinfo")).unwrap_or_default();
        let mut flags = processors.lines().filter(|line| line.starts_with("flags")).take(1);
        flags.any(|line| line.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
    };
    let tables = root.join(KERNEL);
    if !tables.parent().is_some_and(Path::is_dir) {
        Missing::NoAcpi
    } else if is_guest() {
        Missing::VirtualMachine
    } else if !has_amd_display(root) {
        Missing::NoAmdDisplay
    } else if !root.join("sys/firmware/efi").is_dir() {
        Missing::LegacyBoot
    } else {
        Missing::Firmware
    }
}

fn has_amd_display(root: &Path) -> bool {
    let Ok(devices) = fs::read_dir(root.join("sys/bus/pci/devices")) else { return false };
    devices.flatten().any(|device| {
        let begins = |name: &str, with: &str| {
            fs::read_to_string(device.path().join(name)).is_ok_and(|value| value.starts_with(with))
        };
        begins("vendor", "0x1002") && begins("class", "0x03")
    })
}

/// The ids of one of this host's functions; `None` if it has no such function.
pub(super) fn ids(root: &Path, address: Address) -> Option<Ids> {
    let function = root.join("sys/bus/pci/devices").join(address.to_string());
    let id = |name: &str| {
        let value = fs::read_to_string(function.join(name)).ok()?;
        u16::from_str_radix(value.trim().strip_prefix("0x")?, 16).ok()
    };
    Some(Ids { vendor: id("vendor")?, device: id("device")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_permission_it_says_who_may() {
        let denied = || input::Failure::Read(io::ErrorKind::PermissionDenied.into());
        let failure = explained(denied(), Some(Path::new("/")));
        assert_eq!(
            (failure.to_string(), failure.outcome()),
            ("only root can read it".into(), Outcome::Permission)
        );
        assert!(failure.advice().contains("as root"));
        // A copy is a file like any other.
        let failure = explained(denied(), None);
        assert_eq!((failure.advice(), failure.outcome()), ("read it as root", Outcome::Permission));
    }
}
