//! The image for a function in this host's VFCT table.

use std::fs;
use std::io;
use std::path::Path;

use romtools::acpi;
use romtools::vfct::{self, Function, Location};

use super::device::Device;
use super::failure::Failure;

/// The image that Linux would find for the function.
pub(super) fn read(root: &Path, device: &Device) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(root.join("sys/firmware/acpi/tables/VFCT")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::NoTable,
        io::ErrorKind::PermissionDenied => Failure::Permission,
        _ => Failure::Read(error),
    })?;
    let found = acpi::find(&bytes, vfct::SIGNATURE).map_err(Failure::Table)?;
    let table = vfct::Table::parse(&found.bytes).map_err(Failure::Table)?;
    let address = device.address;
    let location = Location {
        pci_bus: address.bus().into(),
        pci_device: address.device().into(),
        pci_function: address.function().into(),
    };
    let ids = device.ids.map(|ids| (ids.vendor, ids.device));
    let found = table.find(Function::new(location, ids)).ok_or(Failure::NotInTable)?;
    Ok(found.record.image().to_vec())
}
