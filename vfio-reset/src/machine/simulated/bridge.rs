//! A bridge: a function with something below, its link and its slot.

use super::function::StandardFunction;
use super::model::FunctionModel;
use super::registers::{dword, word};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Registers of a PCI Express capability, from its first byte.
pub(super) mod express {
    pub(in super::super) const LINK_CAPABILITIES: u16 = 0x0c;
    pub(in super::super) const LINK_CONTROL: u16 = 0x10;
    pub(in super::super) const LINK_STATUS: u16 = 0x12;
    pub(in super::super) const SLOT_CAPABILITIES: u16 = 0x14;
    pub(in super::super) const SLOT_CONTROL: u16 = 0x18;
    pub(in super::super) const SLOT_STATUS: u16 = 0x1a;
    pub(in super::super) const ROOT_CONTROL: u16 = 0x1c;
    pub(in super::super) const LINK_CONTROL_2: u16 = 0x30;
}

/// Bits of Link Status.
pub(super) mod link_status {
    pub(in super::super) const TRAINING: u16 = 1 << 11;
    pub(in super::super) const ACTIVE: u16 = 1 << 13;
    pub(in super::super) const BANDWIDTH_MANAGEMENT: u16 = 1 << 14;
}

/// Bits of Slot Control and Slot Status.
pub(super) mod slot {
    pub(in super::super) const PRESENCE: u16 = 1 << 3;
    pub(in super::super) const COMMAND_COMPLETED: u16 = 1 << 4;
    pub(in super::super) const INTERRUPTS: u16 = 1 << 5;
    pub(in super::super) const PRESENT: u16 = 1 << 6;
    pub(in super::super) const POWER_INDICATOR: u16 = 3 << 8;
    pub(in super::super) const POWER_INDICATOR_ON: u16 = 1 << 8;
    pub(in super::super) const POWER_OFF: u16 = 1 << 10;
    pub(in super::super) const LINK_CHANGED: u16 = 1 << 8;
    pub(in super::super) const LINK_CHANGED_ENABLE: u16 = 1 << 12;
}

pub(super) const SECONDARY_BUS_RESET: u16 = 1 << 6;
pub(super) const LINK_DISABLE: u16 = 1 << 4;
pub(super) const BRIDGE_CONTROL: u16 = 0x3e;

/// A slot's power as the hardware has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Power {
    On,
    Off,
    /// Power and power indicator were switched off: the board lets go of the card.
    Unplugged,
}

/// The link below a port.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) up: bool,
    pub(super) training_until: Option<Duration>,
    /// What it trains to unless someone limits it: the code of the speed, and lanes.
    pub(super) speed: u8,
    pub(super) width: u8,
    pub(super) power: Power,
}

/// A bridge: a function with something below.
pub(super) struct Bridge {
    pub(super) function: StandardFunction,
    pub(super) link: Option<Link>,
    /// Header dwords that must be written before writes are forwarded; see
    /// [`Behaviour::windows_corrupt_after_reset`](super::Behaviour::windows_corrupt_after_reset).
    pub(super) lost: u16,
}

/// The bits of a bridge that do something when they change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Controls {
    pub(super) bridge: u16,
    pub(super) link: u16,
    pub(super) slot: u16,
}

impl Bridge {
    pub(super) fn registers(&self) -> &[u8] {
        self.function.registers()
    }

    pub(super) fn express(&self) -> Option<u16> {
        self.function.bits().places.express
    }

    pub(super) fn word(&self, register: u16) -> u16 {
        self.express().map_or(0, |at| word(self.registers(), at + register))
    }

    pub(super) fn controls(&self) -> Controls {
        Controls {
            bridge: word(self.registers(), BRIDGE_CONTROL),
            link: self.word(express::LINK_CONTROL),
            slot: self.word(express::SLOT_CONTROL),
        }
    }

    pub(super) fn set(&mut self, register: u16, mask: u16, value: u16) {
        if let Some(at) = self.express() {
            self.function.set_hardware_bits(at + register, mask, value);
        }
    }

    /// Whether Link Status can say that the link is active.
    pub(super) fn reports_active(&self) -> bool {
        self.express()
            .is_some_and(|at| dword(self.registers(), at + express::LINK_CAPABILITIES) & 1 << 20 != 0)
    }

    /// Whether there is a slot that can be plugged while the machine runs.
    pub(super) fn hot_plug(&self) -> bool {
        self.express().is_some_and(|at| {
            word(self.registers(), at + 2) & 0x100 != 0
                && dword(self.registers(), at + express::SLOT_CAPABILITIES) & 0x40 != 0
        })
    }

    /// Whether the slot's power can be switched.
    pub(super) fn power_control(&self) -> bool {
        self.express().is_some_and(|at| {
            word(self.registers(), at + 2) & 0x100 != 0
                && dword(self.registers(), at + express::SLOT_CAPABILITIES) & 2 != 0
        })
    }

    /// Shows in Link Status what the link is.
    pub(super) fn show_link(&mut self) {
        let reports = self.reports_active();
        let Some(link) = &self.link else { return };
        let active = if link.up && reports { link_status::ACTIVE } else { 0 };
        let training = if link.training_until.is_some() { link_status::TRAINING } else { 0 };
        self.set(express::LINK_STATUS, link_status::ACTIVE | link_status::TRAINING, active | training);
    }
}
