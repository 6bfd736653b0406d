//! The kernel's reset methods and when it offers each (`pci_reset_fn_methods`).

use super::{KernelDevice, State};
use crate::machine::simulated::description::QuirkFlag;
use crate::machine::simulated::registers::{dword, word};
use pcicfg::Address;

/// A reset method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    DeviceSpecific,
    Acpi,
    Flr,
    AfFlr,
    Pm,
    Bus,
    CxlBus,
}

impl Method {
    /// All of them in the kernel's order.
    pub(super) const ALL: [Self; 7] =
        [Self::DeviceSpecific, Self::Acpi, Self::Flr, Self::AfFlr, Self::Pm, Self::Bus, Self::CxlBus];

    /// The name in `reset_method`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DeviceSpecific => "device_specific",
            Self::Acpi => "acpi",
            Self::Flr => "flr",
            Self::AfFlr => "af_flr",
            Self::Pm => "pm",
            Self::Bus => "bus",
            Self::CxlBus => "cxl_bus",
        }
    }

    /// The method of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// The kernel's own quirks by id, as of 6.12; those of the description come on top.
fn quirk_by_id(quirk: QuirkFlag, registers: &[u8], on_root_bus: bool) -> bool {
    let (vendor, device) = (word(registers, 0), word(registers, 2));
    let class = dword(registers, 8) >> 8;
    match quirk {
        QuirkFlag::BusReset => matches!(
            (vendor, device),
            (0x168c, 0x0030 | 0x0032 | 0x003c | 0x0033 | 0x0034 | 0x003e)
                | (0x177d, 0xa100)
                | (0x104c, 0xb005)
                | (0x1b21, 0x1164)
                | (0x10de, 0x22ce | 0x22d0 | 0x2340..=0x237f)
                | (0x17cb, 0x1103 | 0x1107 | 0x0308)
        ),
        QuirkFlag::Flr => matches!(
            (vendor, device),
            (0x1022, 0x1487 | 0x148c | 0x149c | 0x7901)
                | (0x8086, 0x1502 | 0x1503)
                | (0x14c3, 0x0616 | 0x7925)
        ),
        QuirkFlag::PmReset => {
            let ati_display = vendor == 0x1002 && class >> 8 == 0x0300 && !on_root_bus;
            ati_display || matches!((vendor, device), (0x15b3, 0xcb84 | 0xcf6c | 0xcf70 | 0xcf80))
        }
    }
}

impl State {
    /// Whether the kernel knows this to be broken.
    pub(super) fn quirk(&self, address: Address, quirk: QuirkFlag) -> bool {
        let described = self.known.get(&address).is_some_and(|known| known.quirks.contains(&quirk));
        let on_root_bus = self.hardware.parent(address).is_none();
        described
            || self.known.get(&address).is_some_and(|known| quirk_by_id(quirk, &known.image, on_root_bus))
    }

    /// The methods that the kernel would find now, in its order.
    pub(super) fn supported_methods(&self, address: Address, device: &KernelDevice) -> Vec<Method> {
        Method::ALL.into_iter().filter(|&method| self.supports(address, device, method)).collect()
    }

    /// A method's probe.
    pub(super) fn supports(&self, address: Address, device: &KernelDevice, method: Method) -> bool {
        let Some(places) = self.hardware.places(address) else { return false };
        let Some(registers) = self.known.get(&address).map(|known| &known.image[..]) else { return false };
        match method {
            Method::Flr => {
                places.express.is_some_and(|at| dword(registers, at + 4) & 1 << 28 != 0)
                    && !self.quirk(address, QuirkFlag::Flr)
            }
            Method::AfFlr => {
                places.af.is_some_and(|at| word(registers, at + 2) & 0x0300 == 0x0300)
                    && !self.quirk(address, QuirkFlag::Flr)
            }
            Method::Pm => {
                places.pm.is_some_and(|at| word(registers, at + 4) & 8 == 0)
                    && !self.quirk(address, QuirkFlag::PmReset)
            }
            Method::Bus => {
                self.slot_reset_possible(address, device) || self.parent_reset_possible(address, device)
            }
            Method::DeviceSpecific | Method::Acpi | Method::CxlBus => false,
        }
    }

    /// `pci_dev_reset_slot_function`: the function has a hot-plug slot for itself.
    pub(super) fn slot_reset_possible(&self, address: Address, device: &KernelDevice) -> bool {
        let slot = self.hardware.parent(address).and_then(|port| {
            // While the kernel boots, its hot-plug drivers have registered no slots yet.
            (self.kernel.slots && address.device() == 0).then(|| self.slot_name(port)).flatten()
        });
        slot.is_some()
            && !device.multi_function
            && !device.has_subordinate
            && !self.quirk(address, QuirkFlag::BusReset)
    }

    /// `pci_parent_bus_reset`: there is a bridge above, and no other function on the bus.
    pub(super) fn parent_reset_possible(&self, address: Address, device: &KernelDevice) -> bool {
        self.hardware.parent(address).is_some()
            && !device.has_subordinate
            && !self.quirk(address, QuirkFlag::BusReset)
            && !self.kernel.devices.keys().any(|&other| other != address && other.same_bus(address))
    }
}
