//! Functions that go and come: removal, rescan, and what the hot-plug driver makes of a link that
//! goes down (`pciehp`).

use super::{State, Task};
use crate::machine::simulated::bridge::{express, slot};
use crate::machine::simulated::hardware::Notice;
use crate::machine::simulated::registers::dword;
use pcicfg::Address;
use std::time::Duration;

/// How long the kernel waits for a function that isn't ready when it looks for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

impl State {
    /// Forgets a function, what is below it, and its virtual functions.
    pub(super) fn remove(&mut self, address: Address) {
        for below in self.hardware.children(address) {
            self.remove(below);
        }
        let virtual_functions: Vec<_> =
            self.known.iter().filter(|(_, k)| k.physfn == Some(address)).map(|(&a, _)| a).collect();
        for address in virtual_functions {
            self.kernel.devices.remove(&address);
        }
        self.kernel.devices.remove(&address);
    }

    /// Looks for functions on a function's bus and on those below.
    pub(super) fn rescan_bus_of(&mut self, address: Address) {
        let on_bus = match self.hardware.parent(address) {
            Some(bridge) => self.hardware.children(bridge),
            None => self.hardware.addresses().into_iter().filter(|other| other.same_bus(address)).collect(),
        };
        self.scan(&on_bus);
    }

    fn scan(&mut self, on_bus: &[Address]) {
        for &address in on_bus {
            let is_virtual = self.known.get(&address).is_some_and(|known| known.physfn.is_some());
            if !is_virtual && !self.kernel.devices.contains_key(&address) {
                self.find(address);
            }
        }
        for &bridge in on_bus {
            if self.kernel.devices.contains_key(&bridge) && self.hardware.is_bridge(bridge) {
                self.subordinate_scanned(bridge);
                let below = self.hardware.children(bridge);
                self.scan(&below);
            }
        }
    }

    /// `pci_scan_device` and what follows it. Whether a function was found.
    fn find(&mut self, address: Address) -> bool {
        let mut delay = 1_u64;
        let mut id = self.read_dword(address, 0);
        while id & 0xffff == 1 {
            if Duration::from_millis(delay) > PATIENCE {
                self.log(address, &format!("not ready after {}ms; giving up", delay - 1));
                return false;
            }
            if delay > 1_000 {
                self.log(address, &format!("not ready after {}ms; waiting", delay - 1));
            }
            self.sleep(Duration::from_millis(delay));
            delay *= 2;
            id = self.read_dword(address, 0);
        }
        if delay > 1_000 {
            self.log(address, &format!("ready after {}ms", delay - 1));
        }
        if id == !0 {
            return false;
        }
        let header_type = (self.read_dword(address, 0x0c) >> 16) as u8 & 0x7f;
        let class = self.read_dword(address, 8) >> 8;
        let kind = if self.hardware.places(address).is_some_and(|places| places.express.is_some()) {
            "PCIe"
        } else {
            "conventional PCI"
        };
        let ids = format!(
            "[{:04x}:{:04x}] type {header_type:02x} class {class:#08x} {kind}",
            id & 0xffff,
            id >> 16
        );
        self.log(address, &ids);
        if header_type > 2 {
            self.log(address, &format!("unknown header type {header_type:02x}, ignoring device"));
            return false;
        }
        self.assign(address);
        self.add_device(address, true);
        self.bind(address);
        true
    }

    /// Gives a function that has lost its addresses those that it had, and a bridge its buses.
    fn assign(&mut self, address: Address) {
        let Some(image) = self.known.get(&address).map(|known| known.image.clone()) else { return };
        let last = if self.hardware.is_bridge(address) { 0x30 } else { 0x24 };
        for at in (0x10..=last).step_by(4) {
            let wanted = dword(&image, at);
            if self.read_dword(address, at) != wanted {
                self.write(address, at, &wanted.to_le_bytes());
            }
        }
        if self.hardware.is_bridge(address) {
            self.write(address, 4, &0x0107_u16.to_le_bytes());
        }
    }

    /// The driver that the function's ids ask for binds.
    fn bind(&mut self, address: Address) {
        let Some(driver) = self.known.get(&address).and_then(|known| known.native_driver.clone()) else {
            return;
        };
        let command = self.read_word(address, 4);
        self.write(address, 4, &(command | 6).to_le_bytes());
        if let Some(device) = self.kernel.devices.get_mut(&address) {
            device.driver = Some(driver);
            device.power_state = "D0".into();
        }
    }

    /// What a port tells is answered as `pciehp` does: a link that went down is a card that was
    /// pulled, and everything below is removed. What comes up is found anew.
    pub(in super::super) fn hot_plug(&mut self, port: Address, notice: Notice) {
        if self.kernel.ignoring == Some(port) {
            return;
        }
        let Some(name) = self.slot_name(port) else { return };
        self.clear_slot_events(port);
        match notice {
            Notice::LinkDown => {
                self.log(port, &format!("pciehp: Slot({name}): Link Down"));
                for below in self.hardware.children(port) {
                    self.remove(below);
                }
                // The kernel may learn of it only when the link is up again.
                self.look_below(port, &name);
            }
            Notice::LinkUp => self.look_below(port, &name),
            Notice::Absent => self.log(port, &format!("pciehp: Slot({name}): Card not present")),
        }
    }

    /// Plans to look for functions below a port whose link is active.
    fn look_below(&mut self, port: Address, name: &str) {
        let Some(at) = self.hardware.places(port).and_then(|places| places.express) else { return };
        let active = self
            .hardware
            .registers(port)
            .is_some_and(|registers| dword(registers, at + express::LINK_CONTROL) >> 16 & 0x2000 != 0);
        let empty = !self.hardware.children(port).iter().any(|a| self.kernel.devices.contains_key(a));
        if active && empty && !self.kernel.tasks.iter().any(|task| task.port == port) {
            self.log(port, &format!("pciehp: Slot({name}): Card present"));
            self.log(port, &format!("pciehp: Slot({name}): Link Up"));
            let time = self.now.saturating_add(Duration::from_millis(100));
            self.kernel.tasks.push(Task { time, port, until: time.saturating_add(PATIENCE) });
        }
    }

    /// Does what kernel threads have to do now. Whether there was anything.
    pub(in super::super) fn run_due_tasks(&mut self) -> bool {
        let Some(index) = self.kernel.tasks.iter().position(|task| task.time <= self.now) else {
            return false;
        };
        let task = self.kernel.tasks.remove(index);
        let below = self.hardware.children(task.port);
        // The first function tells whether they are ready; the kernel looks again later.
        let mut id = [0xff; 4];
        if let Some(&first) = below.first() {
            self.hardware.read_config(self.now, first, 0, &mut id);
        }
        if id[0] == 0xff || id[..2] == [1, 0] {
            if self.now < task.until {
                let time = self.now.saturating_add(Duration::from_millis(100));
                self.kernel.tasks.push(Task { time, ..task });
            }
        } else {
            self.scan(&below);
        }
        true
    }

    /// Clears the events of a port's slot, as who has seen them does.
    pub(super) fn clear_slot_events(&mut self, port: Address) {
        if let Some(at) = self.hardware.places(port).and_then(|places| places.express) {
            let events = slot::LINK_CHANGED | slot::PRESENCE;
            self.hardware.set_hardware_bits(port, at + express::SLOT_STATUS, events, 0);
        }
    }
}
