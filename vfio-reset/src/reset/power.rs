//! Keeps functions awake while they are worked on.
//!
//! vfio-pci lets an unused function fall asleep (runtime suspend, D3hot or even D3cold). A function
//! that the kernel puts to sleep or wakes up in the middle of a reset is saved or restored wrongly.

use crate::machine::{Attribute, Machine};
use crate::plan::PlannedFunction;
use pcicfg::Address;

/// The functions whose `power/control` was changed.
pub(super) struct Hold<'m> {
    machine: &'m dyn Machine,
    held: Vec<(Address, String)>,
}

impl<'m> Hold<'m> {
    /// Writes `on` where it says otherwise. Where that is not possible the function is taken as it
    /// is: verification tells whether it mattered.
    pub(super) fn new(machine: &'m dyn Machine, functions: &[PlannedFunction]) -> Self {
        let mut held = Vec::new();
        for function in functions {
            let Ok(Some(before)) = machine.attribute(function.address, Attribute::PowerControl) else {
                continue;
            };
            let before = before.trim().to_string();
            if before != "on"
                && machine.set_attribute(function.address, Attribute::PowerControl, "on").is_ok()
            {
                held.push((function.address, before));
            }
        }
        Self { machine, held }
    }

    /// Leaves everything as it is, and says so: the kernel holds the functions, and a write would wait
    /// for it.
    pub(super) fn abandon(self, notes: &mut Vec<String>) {
        for (address, before) in &self.held {
            notes.push(format!("power/control of {address} stays `on`, it was `{before}`"));
        }
    }

    /// Writes what was there before.
    pub(super) fn release(self, notes: &mut Vec<String>) {
        for (address, before) in self.held.iter().rev() {
            if let Err(error) = self.machine.set_attribute(*address, Attribute::PowerControl, before) {
                notes.push(format!("power/control of {address} stays `on`: {error}"));
            }
        }
    }
}
