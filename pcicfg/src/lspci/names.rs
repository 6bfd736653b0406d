//! Names of vendors, devices, subsystems and classes.

use super::{Identifiers, Text};

/// Where names come from, such as the system's `pci.ids`. A method that is left out knows no names.
pub trait Names {
    /// A vendor's name.
    fn vendor(&self, vendor: u16) -> Option<&str> {
        let _ = vendor;
        None
    }

    /// A device's name, without its vendor's.
    fn device(&self, vendor: u16, device: u16) -> Option<&str> {
        let _ = (vendor, device);
        None
    }

    /// The name of a subsystem (vendor and device) that is listed below this device.
    fn subsystem(&self, vendor: u16, device: u16, subsystem: (u16, u16)) -> Option<&str> {
        let _ = (vendor, device, subsystem);
        None
    }

    /// The name of a base class.
    fn base_class(&self, base: u8) -> Option<&str> {
        let _ = base;
        None
    }

    /// The name of a sub-class.
    fn sub_class(&self, base: u8, sub: u8) -> Option<&str> {
        let _ = (base, sub);
        None
    }

    /// The name of a programming interface.
    fn interface(&self, base: u8, sub: u8, interface: u8) -> Option<&str> {
        let _ = (base, sub, interface);
        None
    }
}

/// No names at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoNames;

impl Names for NoNames {}

/// How ids are printed, and with which names.
#[derive(Clone, Copy)]
pub(super) struct Naming<'a> {
    pub(super) identifiers: Identifiers,
    pub(super) names: &'a dyn Names,
}

impl Naming<'_> {
    /// A name for a number of four digits, or `unknown` and the number.
    fn one(self, text: &mut Text, number: u16, name: Option<&str>, unknown: &str) {
        match (self.identifiers, name) {
            (Identifiers::Numbers, _) => text.hex4(number),
            (Identifiers::Names, Some(name)) => text.str(name),
            (Identifiers::Names, None) => text.str(unknown).str(" ").hex4(number),
            (Identifiers::Both, _) => text.str(name.unwrap_or(unknown)).str(" [").hex4(number).str("]"),
        };
    }

    /// The names of vendor and device for their numbers.
    fn pair(self, text: &mut Text, ids: (u16, u16), vendor: Option<&str>, device: Option<&str>) {
        if self.identifiers == Identifiers::Numbers {
            text.hex4(ids.0).str(":").hex4(ids.1);
            return;
        }
        if let Some(vendor) = vendor {
            text.str(vendor).str(" ");
        }
        // A device's name means nothing without its vendor's.
        let device = vendor.and(device);
        text.str(device.unwrap_or("Device"));
        match (self.identifiers, vendor, device) {
            (Identifiers::Both, ..) => text.str(" [").hex4(ids.0).str(":").hex4(ids.1).str("]"),
            (_, None, _) => text.str(" ").hex4(ids.0).str(":").hex4(ids.1),
            (_, Some(_), None) => text.str(" ").hex4(ids.1),
            (_, Some(_), Some(_)) => text,
        };
    }

    /// Looks a name up, unless no names are wanted: then no table is read.
    fn look<'n>(self, find: impl FnOnce() -> Option<&'n str>) -> Option<&'n str> {
        if self.identifiers == Identifiers::Numbers { None } else { find() }
    }

    pub(super) fn class(self, text: &mut Text, class: u16) {
        let [base, sub] = class.to_be_bytes();
        match self.look(|| self.names.sub_class(base, sub)) {
            Some(name) => self.one(text, class, Some(name), ""),
            None => match self.look(|| self.names.base_class(base)) {
                // Only the base class has a name: the number tells the rest.
                Some(name) => {
                    Self { identifiers: Identifiers::Both, ..self }.one(text, class, Some(name), "");
                }
                None => self.one(text, class, None, "Class"),
            },
        }
    }

    pub(super) fn vendor(self, text: &mut Text, vendor: u16) {
        self.one(text, vendor, self.look(|| self.names.vendor(vendor)), "Vendor");
    }

    pub(super) fn device(self, text: &mut Text, vendor: u16, device: u16) {
        self.one(text, device, self.look(|| self.names.device(vendor, device)), "Device");
    }

    pub(super) fn vendor_and_device(self, text: &mut Text, vendor: u16, device: u16) {
        let names =
            (self.look(|| self.names.vendor(vendor)), self.look(|| self.names.device(vendor, device)));
        self.pair(text, (vendor, device), names.0, names.1);
    }

    pub(super) fn subsystem_vendor(self, text: &mut Text, vendor: u16) {
        self.one(text, vendor, self.look(|| self.names.vendor(vendor)), "Unknown vendor");
    }

    pub(super) fn subsystem_device(self, text: &mut Text, device: (u16, u16), subsystem: (u16, u16)) {
        self.one(text, subsystem.1, self.subsystem_name(device, subsystem), "Device");
    }

    pub(super) fn subsystem(self, text: &mut Text, device: (u16, u16), subsystem: (u16, u16)) {
        let vendor = self.look(|| self.names.vendor(subsystem.0));
        self.pair(text, subsystem, vendor, self.subsystem_name(device, subsystem));
    }

    fn subsystem_name(&self, device: (u16, u16), subsystem: (u16, u16)) -> Option<&str> {
        self.look(|| {
            let known = device.0 != 0 && device.1 != 0;
            let listed = if known { self.names.subsystem(device.0, device.1, subsystem) } else { None };
            listed
                // Some subsystems are the bare device.
                .or_else(|| if device == subsystem { self.names.device(device.0, device.1) } else { None })
        })
    }

    /// The name of a programming interface in brackets, with the number before it; nothing for
    /// interface 0 without a name. A name is given even where numbers are wanted.
    pub(super) fn interface(self, text: &mut Text, class: u16, interface: u8) {
        let [base, sub] = class.to_be_bytes();
        let name = self.names.interface(base, sub, interface);
        let ide = name.is_none() && class == 0x0101 && interface & 0x70 == 0;
        if interface == 0 && name.is_none() && !ide {
            return;
        }
        text.str(" (prog-if ").hex2(interface);
        if let Some(name) = name {
            text.str(" [").str(name).str("]");
        } else if ide {
            text.str(" [");
            let mut separator = "";
            for (bit, part) in
                [(0x80, "Master"), (0x08, "SecP"), (0x04, "SecO"), (0x02, "PriP"), (0x01, "PriO")]
            {
                if interface & bit != 0 {
                    text.str(separator).str(part);
                    separator = " ";
                }
            }
            text.str("]");
        }
        text.str(")");
    }
}
