//! The kernel's reset methods and when it offers each (`pci_reset_fn_methods`).

use super::{KernelDevice, State};
use crate::machine::simulated::description::QuirkFlag;
use crate::machine::simulated::registers::{dword, word};
use crate::method::METHODS;
pub(super) use crate::method::MethodName as Method;
use crate::quirk::{Effect, Quirks};
use pcicfg::{Address, ConfigSpace};
use std::sync::LazyLock;

/// The program's own table of the kernel's quirks.
static QUIRKS: LazyLock<Quirks> = LazyLock::new(Quirks::built_in);

/// The kernel's own quirks by id; those of the description come on top.
fn quirk_by_id(quirk: QuirkFlag, image: &[u8], on_root_bus: bool) -> bool {
    let effect = match quirk {
        QuirkFlag::BusReset => Effect::NoBusReset,
        QuirkFlag::Flr => Effect::NoFlr,
        QuirkFlag::PmReset => Effect::NoPmReset,
    };
    ConfigSpace::new(image).is_ok_and(|space| QUIRKS.names(space, on_root_bus, &effect))
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
        METHODS
            .iter()
            .map(|method| method.name)
            .filter(|&method| self.supports(address, device, method))
            .collect()
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
            Method::VfioReset | Method::HotReset | Method::Vendor => false,
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
