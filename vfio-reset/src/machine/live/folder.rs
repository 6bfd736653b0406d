//! What lspci reads of a running system: the folder with its PCI functions.
//!
//! lspci prints of each function what the kernel takes it for, and what only the kernel knows: interrupt, memory node,
//! driver, slot. Reading costs a system call or three a fact, so the caller says which facts it prints, and for functions
//! that are not printed asks for nothing more than their ids.

use super::sysfs;
use crate::error::{Error, Result};
use crate::machine::Resource;
use pcicfg::Address;
use pcicfg::lspci::{Identity, RestrictedLink};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The most that Vital Product Data can be: addresses have 15 bits.
const VITAL_PRODUCT_DATA: usize = 0x8000;

/// The folder `/sys/bus/pci`, or one that looks like it: `devices` and `slots`.
///
/// ```no_run
/// use vfio_reset::machine::live::PciFolder;
///
/// let folder = PciFolder::default();
/// for address in folder.functions()? {
///     println!("{address} {:?}", folder.identity(address));
/// }
/// # Ok::<(), vfio_reset::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PciFolder {
    path: PathBuf,
}

impl Default for PciFolder {
    fn default() -> Self {
        Self::at("/sys/bus/pci")
    }
}

/// What the kernel knows of a function, as far as lspci prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PciFacts {
    /// The interrupt that it is routed to.
    pub irq: Option<u32>,
    /// The lines of `resource`: the Base Address Registers, the ROM, then a bridge's windows.
    pub resources: Vec<Resource>,
    /// The memory node it is near to.
    pub numa_node: Option<i32>,
    /// Its IOMMU group.
    pub iommu_group: Option<String>,
    /// Its node in the device tree.
    pub device_tree_node: Option<String>,
    /// The link of a CXL 1.1 device.
    pub restricted_link: Option<RestrictedLink>,
}

impl PciFolder {
    /// A folder that looks like `/sys/bus/pci`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn file(&self, address: Address, name: &str) -> PathBuf {
        let mut path = self.path.join("devices");
        path.push(address.to_string());
        path.push(name);
        path
    }

    /// The functions there are, sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn functions(&self) -> Result<Vec<Address>> {
        let path = self.path.join("devices");
        let fail = |error| Error::read(&path, error);
        let mut addresses = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(fail)? {
            addresses.extend(entry.map_err(fail)?.file_name().to_str().and_then(sysfs::address));
        }
        addresses.sort_unstable();
        Ok(addresses)
    }

    /// The bytes of configuration space from 0 on, at most `length`; fewer where more may not be read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn config(&self, address: Address, length: usize) -> Result<Vec<u8>> {
        let path = self.file(address, "config");
        read_up_to(&path, length).map_err(|error| Error::read(path, error))
    }

    /// What the kernel takes the function for; `None` if it does not say.
    #[must_use]
    pub fn identity(&self, address: Address) -> Option<Identity> {
        let value = |name| self.number(address, name);
        let class = value("class")?;
        Some(Identity {
            vendor_id: value("vendor")? as u16,
            device_id: value("device")? as u16,
            class: (class >> 8) as u16,
            interface: class as u8,
            revision: value("revision").map(|revision| revision as u8),
            subsystem: value("subsystem_vendor")
                .map(|vendor| (vendor as u16, value("subsystem_device").unwrap_or(0) as u16)),
        })
    }

    /// What the kernel knows of the function besides. What is not there is not known.
    #[must_use]
    pub fn facts(&self, address: Address) -> PciFacts {
        let resources = self.text(address, "resource");
        PciFacts {
            irq: self.number(address, "irq").and_then(|irq| u32::try_from(irq).ok()),
            resources: resources.map_or_else(Vec::new, |text| super::facts::resources(&text)),
            numa_node: self.number(address, "numa_node").map(|node| node as i32).filter(|node| *node != -1),
            iommu_group: self.link_name(address, "iommu_group"),
            device_tree_node: self.link(address, "of_node").map(|path| path.display().to_string()),
            restricted_link: self.restricted_link(address),
        }
    }

    /// The driver that is bound.
    #[must_use]
    pub fn driver(&self, address: Address) -> Option<String> {
        self.link_name(address, "driver")
    }

    /// What the firmware calls the function, line end included.
    #[must_use]
    pub fn label(&self, address: Address) -> Option<String> {
        self.text(address, "label")
    }

    /// The name by which kernel modules say that they can drive the function.
    #[must_use]
    pub fn modalias(&self, address: Address) -> Option<String> {
        self.text(address, "modalias").map(|text| text.trim_end().to_owned())
    }

    /// The function right above, if it is one.
    #[must_use]
    pub fn parent(&self, address: Address) -> Option<Address> {
        let folder = std::fs::canonicalize(self.file(address, "")).ok()?;
        let above = folder.parent()?;
        let parent = sysfs::address(above.file_name()?.to_str()?)?;
        // A folder of that name somewhere else is something else.
        (std::fs::canonicalize(self.file(parent, "")).ok()? == above).then_some(parent)
    }

    /// The function's Vital Product Data, as much as can be read. Only root may, and reading can take a second.
    #[must_use]
    pub fn vital_product_data(&self, address: Address) -> Option<Vec<u8>> {
        read_up_to(&self.file(address, "vpd"), VITAL_PRODUCT_DATA).ok()
    }

    /// The physical slots by the device in them: domain, bus, device. A slot of a whole bus is in none of them.
    #[must_use]
    pub fn slots(&self) -> HashMap<(u32, u8, u8), String> {
        let folder = self.path.join("slots");
        let mut slots = HashMap::new();
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let address = sysfs::read(&folder.join(&name).join("address")).ok().flatten();
            let Some(address) = address.filter(|_| !name.starts_with('.')) else { continue };
            let mut parts = address.split(':').map(|part| u32::from_str_radix(part.trim(), 16).ok());
            if let (Some(Some(domain)), Some(Some(bus)), Some(Some(device))) =
                (parts.next(), parts.next(), parts.next())
                && let (Ok(bus), Ok(device)) = (u8::try_from(bus), u8::try_from(device))
            {
                slots.entry((domain, bus, device)).or_insert(name);
            }
        }
        slots
    }

    fn text(&self, address: Address, name: &str) -> Option<String> {
        let text = read_up_to(&self.file(address, name), sysfs::PAGE).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    fn number(&self, address: Address, name: &str) -> Option<i64> {
        number(&self.text(address, name)?)
    }

    fn restricted_link(&self, address: Address) -> Option<RestrictedLink> {
        let value = |name| {
            let text = self.text(address, name)?;
            let digits = text.trim().trim_start_matches("0x");
            u32::from_str_radix(digits, 16).ok()
        };
        Some(RestrictedLink {
            capabilities: value("rcd_link_cap")?,
            control: value("rcd_link_ctrl").unwrap_or(0) as u16,
            status: value("rcd_link_status").unwrap_or(0) as u16,
        })
    }

    /// Where a link leads, if it leads somewhere.
    fn link(&self, address: Address, name: &str) -> Option<PathBuf> {
        let path = self.file(address, name);
        std::fs::read_link(&path).ok()?;
        std::fs::canonicalize(path).ok()
    }

    fn link_name(&self, address: Address, name: &str) -> Option<String> {
        Some(self.link(address, name)?.file_name()?.to_string_lossy().into_owned())
    }
}

/// A number as sysfs writes it: hexadecimal with `0x`, else decimal; what follows does not count.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (radix, digits) = digits.strip_prefix("0x").map_or((10, digits), |digits| (16, digits));
    let end = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
    let value = i64::from_str_radix(digits.get(..end)?, radix).ok()?;
    Some(if negative { -value } else { value })
}

/// At most `length` bytes of a file.
fn read_up_to(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = vec![0; length];
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What could be read until here is what there is.
            Err(_) if read > 0 => break,
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_sysfs_writes_them() {
        assert_eq!(number("0x1b21\n"), Some(0x1b21));
        assert_eq!(number("-1\n"), Some(-1));
        assert_eq!(number("17"), Some(17));
        assert_eq!(number("0\n"), Some(0));
        assert_eq!(number("\n"), None);
        assert_eq!(number("0x"), None);
        assert_eq!(number(""), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_none(text in ".{0,30}") {
            let _ = number(&text);
        }
    }
}
