//! Where lspci's names come from.

use super::LspciArguments;
use crate::output::Output;
use pcicfg::header::ClassCode;
use pcicfg::lspci::{Names, NoNames};
use std::io::Read as _;
use std::path::Path;
use vfio_reset::pci_ids::PciIds;

/// The names that the options ask for. With `-n` none are looked up unless `-i` says where: lspci
/// reads its file even then, for the names of programming interfaces alone.
pub(super) fn open(arguments: &LspciArguments, output: &Output) -> Box<dyn Names> {
    if let Some(file) = &arguments.names
        && let Err(error) = readable(file)
    {
        output.warn(format!("{}: {error}; numbers are printed instead of names", file.display()));
    }
    match &arguments.names {
        Some(file) => Box::new(PciIdsNames(PciIds::only(file.clone()))),
        None if arguments.numbers == 1 => Box::new(NoNames),
        None => Box::new(PciIdsNames(PciIds::load())),
    }
}

/// Whether something can be read there; a folder can only be opened.
fn readable(file: &Path) -> std::io::Result<()> {
    std::fs::File::open(file)?.read(&mut [0]).map(drop)
}

struct PciIdsNames(PciIds);

impl Names for PciIdsNames {
    fn vendor(&self, vendor: u16) -> Option<&str> {
        self.0.vendor(vendor)
    }

    fn device(&self, vendor: u16, device: u16) -> Option<&str> {
        self.0.device(vendor, device)
    }

    fn subsystem(&self, vendor: u16, device: u16, subsystem: (u16, u16)) -> Option<&str> {
        self.0.subsystem(vendor, device, subsystem)
    }

    fn base_class(&self, base: u8) -> Option<&str> {
        self.0.base_class(base)
    }

    fn sub_class(&self, base: u8, sub: u8) -> Option<&str> {
        self.0.sub_class(base, sub)
    }

    fn interface(&self, base: u8, sub: u8, interface: u8) -> Option<&str> {
        self.0.interface(ClassCode { base, sub, interface })
    }
}
