//! What the kernel saves of a function's configuration space before a reset, and in which order it
//! writes it back (`pci_save_state`, `pci_restore_state`).

use super::State;
use crate::machine::simulated::registers::{dword, word};
use pcicfg::{Address, ConfigSpace};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A register and what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedRegister {
    offset: u16,
    width: u8,
    value: u32,
    /// Written back also if it reads as it should.
    forced: bool,
}

/// Collects registers in the order in which they are written back.
#[derive(Default)]
struct Order(Vec<SavedRegister>);

impl Order {
    fn word(&mut self, offset: u16) {
        self.0.push(SavedRegister { offset, width: 2, value: 0, forced: false });
    }

    fn dword(&mut self, offset: u16) {
        self.0.push(SavedRegister { offset, width: 4, value: 0, forced: false });
    }
}

/// The registers that the kernel saves, in the order in which it restores them.
fn order(image: &[u8]) -> Vec<SavedRegister> {
    let mut order = Order::default();
    let Ok(space) = ConfigSpace::new(image) else { return Vec::new() };
    let capability =
        |id: u8| space.capabilities().map_while(Result::ok).find(|c| c.id().0 == id).map(|c| c.offset());
    let extended = |id: u16| {
        space.extended_capabilities().map_while(Result::ok).find(|c| c.id().0 == id).map(|c| c.offset())
    };
    if let Some(at) = extended(0x18) {
        order.dword(at + 4);
    }
    if let Some(at) = extended(0x1e) {
        order.dword(at + 0x0c);
        order.dword(at + 8);
    }
    if let Some(at) = capability(0x10) {
        for register in [0x08, 0x10, 0x18, 0x1c, 0x28, 0x30, 0x38] {
            if usize::from(at + register) + 2 <= 256 {
                order.word(at + register);
            }
        }
    }
    if let Some(at) = extended(0x1b) {
        order.word(at + 6);
    }
    if let Some(at) = extended(0x13) {
        order.dword(at + 0x0c);
        order.word(at + 4);
    }
    if let Some(at) = extended(0x0f) {
        order.word(at + 6);
    }
    if let Some(at) = extended(0x02) {
        order.word(at + 0x0c);
        order.dword(at + 0x14);
    }
    if let Some(at) = extended(0x15) {
        for entry in 0..(dword(image, at + 8) >> 5 & 7).min(6) as u16 {
            order.dword(at + 8 + entry * 8);
        }
    }
    if let Some(at) = extended(0x1d) {
        order.word(at + 6);
    }
    if let Some(at) = extended(0x1f) {
        order.dword(at + 8);
    }
    if let Some(at) = extended(0x01) {
        for register in [0x08, 0x0c, 0x14, 0x18] {
            order.dword(at + register);
        }
    }
    let bridge = image.get(0x0e).is_some_and(|layout| layout & 0x7f == 1);
    for number in (0..16).rev() {
        order.dword(number * 4);
        if let (true, 9..=11, Some(last)) = (bridge, number, order.0.last_mut()) {
            last.forced = true;
        }
    }
    if let Some(at) = capability(0x07) {
        order.word(at + 2);
    }
    if let Some(at) = capability(0x05) {
        let control = word(image, at + 2);
        let wide = control & 0x80 != 0;
        order.dword(at + 4);
        if wide {
            order.dword(at + 8);
        }
        order.word(at + if wide { 12 } else { 8 });
        if control & 0x100 != 0 {
            order.dword(at + if wide { 16 } else { 12 });
        }
        order.word(at + 2);
    }
    if let Some(at) = capability(0x11) {
        order.word(at + 2);
    }
    if let Some(at) = extended(0x0d) {
        order.word(at + 6);
    }
    if let Some(at) = extended(0x10) {
        for bar in 0..6 {
            order.dword(at + 0x24 + bar * 4);
        }
        order.dword(at + 0x20);
        order.word(at + 0x10);
        order.word(at + 8);
    }
    order.0
}

impl State {
    /// Saves, unless nobody answers; then a later restore uses what was saved before.
    pub(super) fn save_registers(&mut self, address: Address) {
        if self.read_dword(address, 4) == !0 {
            self.log(address, "Device config space inaccessible; unable to save state");
            return;
        }
        let Some(image) = self.known.get(&address).map(|known| known.image.clone()) else { return };
        let mut registers = order(&image);
        for register in &mut registers {
            register.value = match register.width {
                2 => u32::from(self.read_word(address, register.offset)),
                _ => self.read_dword(address, register.offset),
            };
        }
        if let Some(device) = self.kernel.devices.get_mut(&address) {
            device.saved = Some(registers);
        }
    }

    /// What was saved of it last (`pci_store_saved_state`).
    pub(super) fn saved_registers(&self, address: Address) -> Option<Vec<SavedRegister>> {
        self.kernel.devices.get(&address)?.saved.clone()
    }

    /// Has what was saved once be what is restored next (`pci_load_saved_state`).
    pub(super) fn load_registers(&mut self, address: Address, saved: Option<Vec<SavedRegister>>) {
        if let (Some(saved), Some(device)) = (saved, self.kernel.devices.get_mut(&address)) {
            device.saved = Some(saved);
        }
    }

    /// Writes back what differs.
    pub(super) fn restore_registers(&mut self, address: Address) {
        let Some(saved) = self.kernel.devices.get(&address).and_then(|device| device.saved.clone()) else {
            return;
        };
        let sriov = self.hardware.places(address).and_then(|places| places.sriov);
        for SavedRegister { offset, width, value, forced } in saved {
            if width == 2 {
                if self.read_word(address, offset) != value as u16 {
                    self.write(address, offset, &(value as u16).to_le_bytes());
                    if sriov.is_some_and(|at| at + 8 == offset) && value & 1 != 0 {
                        self.sleep(Duration::from_millis(100));
                    }
                }
            } else if forced || self.read_dword(address, offset) != value {
                self.write(address, offset, &value.to_le_bytes());
            }
        }
    }

    /// A word of configuration space.
    pub(super) fn read_word(&mut self, address: Address, offset: u16) -> u16 {
        let mut bytes = [0; 2];
        self.read(address, offset, &mut bytes);
        u16::from_le_bytes(bytes)
    }

    /// A dword of configuration space.
    pub(super) fn read_dword(&mut self, address: Address, offset: u16) -> u32 {
        let mut bytes = [0; 4];
        self.read(address, offset, &mut bytes);
        u32::from_le_bytes(bytes)
    }
}
