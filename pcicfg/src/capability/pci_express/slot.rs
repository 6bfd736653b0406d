//! Slot Capabilities, Control and Status, and their second set.

use bitflags::bitflags;

bitflags! {
    /// Slot Capabilities, offset 14h (PCI Express Base 6.0, 7.5.3.9).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SlotCapabilities: u32 {
        /// There is an attention button.
        const ATTENTION_BUTTON_PRESENT = 1 << 0;
        /// Software can switch the slot's power.
        const POWER_CONTROLLER_PRESENT = 1 << 1;
        /// There is a sensor for the manually operated retention latch.
        const MRL_SENSOR_PRESENT = 1 << 2;
        /// There is an attention indicator.
        const ATTENTION_INDICATOR_PRESENT = 1 << 3;
        /// There is a power indicator.
        const POWER_INDICATOR_PRESENT = 1 << 4;
        /// The adapter may be removed without notice.
        const HOT_PLUG_SURPRISE = 1 << 5;
        /// The slot supports hot-plug operations.
        const HOT_PLUG_CAPABLE = 1 << 6;
        /// There is an electromechanical interlock.
        const ELECTROMECHANICAL_INTERLOCK_PRESENT = 1 << 17;
        /// Commands complete at once and do not say so.
        const NO_COMMAND_COMPLETED_SUPPORT = 1 << 18;
        const _ = !0;
    }

    /// Slot Control, offset 18h (PCI Express Base 6.0, 7.5.3.10).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SlotControl: u16 {
        /// The attention button is notified.
        const ATTENTION_BUTTON_PRESSED_ENABLE = 1 << 0;
        /// Power faults are notified.
        const POWER_FAULT_DETECTED_ENABLE = 1 << 1;
        /// The latch's sensor is notified.
        const MRL_SENSOR_CHANGED_ENABLE = 1 << 2;
        /// Coming and going adapters are notified.
        const PRESENCE_DETECT_CHANGED_ENABLE = 1 << 3;
        /// The end of a command is notified.
        const COMMAND_COMPLETED_INTERRUPT_ENABLE = 1 << 4;
        /// Hot-plug events interrupt.
        const HOT_PLUG_INTERRUPT_ENABLE = 1 << 5;
        /// The slot's power is off; only with [`SlotCapabilities::POWER_CONTROLLER_PRESENT`].
        const POWER_CONTROLLER_CONTROL = 1 << 10;
        /// Writing 1 toggles the interlock; reads 0.
        const ELECTROMECHANICAL_INTERLOCK_CONTROL = 1 << 11;
        /// A link that goes up or down is notified.
        const DATA_LINK_LAYER_STATE_CHANGED_ENABLE = 1 << 12;
        /// Set_Slot_Power_Limit is not sent when the link comes up.
        const AUTO_SLOT_POWER_LIMIT_DISABLE = 1 << 13;
        /// Presence is told by the pins alone, not by the link's receiver.
        const IN_BAND_PRESENCE_DETECT_DISABLE = 1 << 14;
        const _ = !0;
    }

    /// Slot Status, offset 1Ah (PCI Express Base 6.0, 7.5.3.11).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SlotStatus: u16 {
        /// The attention button was pressed; write 1 to clear.
        const ATTENTION_BUTTON_PRESSED = 1 << 0;
        /// The power controller saw a fault; write 1 to clear.
        const POWER_FAULT_DETECTED = 1 << 1;
        /// The latch was opened or closed; write 1 to clear.
        const MRL_SENSOR_CHANGED = 1 << 2;
        /// An adapter came or went; write 1 to clear.
        const PRESENCE_DETECT_CHANGED = 1 << 3;
        /// The last command is done; write 1 to clear.
        const COMMAND_COMPLETED = 1 << 4;
        /// The latch is open.
        const MRL_SENSOR_STATE = 1 << 5;
        /// An adapter is in the slot.
        const PRESENCE_DETECT_STATE = 1 << 6;
        /// The interlock is engaged.
        const ELECTROMECHANICAL_INTERLOCK_STATUS = 1 << 7;
        /// The link went up or down; write 1 to clear.
        const DATA_LINK_LAYER_STATE_CHANGED = 1 << 8;
        const _ = !0;
    }

    /// Slot Capabilities 2, offset 34h (PCI Express Base 6.0, 7.5.3.21).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SlotCapabilities2: u32 {
        /// In-band presence detection can be disabled.
        const IN_BAND_PRESENCE_DETECT_DISABLE_SUPPORTED = 1 << 0;
        const _ = !0;
    }
}

/// A slot power limit in milliwatts: `value` times 1, 0.1, 0.01 or 0.001 W; at scale 0 the values from
/// F0h on are steps of 25 W above 250 W (PCI Express Base 6.0, 7.5.3.9).
pub(super) const fn power_limit(value: u32, scale: u32) -> u32 {
    match (scale, value) {
        (0, 0xf0..) => 250_000 + 25_000 * (value - 0xf0),
        (0, _) => value * 1_000,
        (1, _) => value * 100,
        (2, _) => value * 10,
        _ => value,
    }
}

impl SlotCapabilities {
    /// The power that the slot can give, in milliwatts. FFh at scale 0, which says "more than 600 W",
    /// gives 625 W.
    #[must_use]
    pub const fn slot_power_limit(self) -> u32 {
        power_limit(self.bits() >> 7 & 0xff, self.bits() >> 15 & 3)
    }

    /// The number on the chassis; 0 for a device that is soldered down.
    #[must_use]
    pub const fn physical_slot_number(self) -> u16 {
        (self.bits() >> 19) as u16
    }
}

/// A slot's light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Indicator {
    /// The reserved code, which a slot without the light reads.
    Reserved,
    /// On.
    On,
    /// Blinking.
    Blink,
    /// Off.
    Off,
}

impl Indicator {
    const fn from_code(code: u16) -> Self {
        match code & 3 {
            0 => Self::Reserved,
            1 => Self::On,
            2 => Self::Blink,
            _ => Self::Off,
        }
    }
}

impl SlotControl {
    /// Every notification: what has to be off while a reset takes the link down on purpose.
    pub const NOTIFICATION_ENABLES: Self = Self::ATTENTION_BUTTON_PRESSED_ENABLE
        .union(Self::POWER_FAULT_DETECTED_ENABLE)
        .union(Self::MRL_SENSOR_CHANGED_ENABLE)
        .union(Self::PRESENCE_DETECT_CHANGED_ENABLE)
        .union(Self::COMMAND_COMPLETED_INTERRUPT_ENABLE)
        .union(Self::HOT_PLUG_INTERRUPT_ENABLE)
        .union(Self::DATA_LINK_LAYER_STATE_CHANGED_ENABLE);

    /// The attention indicator.
    #[must_use]
    pub const fn attention_indicator(self) -> Indicator {
        Indicator::from_code(self.bits() >> 6)
    }

    /// The power indicator.
    #[must_use]
    pub const fn power_indicator(self) -> Indicator {
        Indicator::from_code(self.bits() >> 8)
    }
}
