//! Power Management (01h): the D-states (PCI Bus Power Management Interface 1.2, 3.2; PCI Express
//! Base 6.0, 7.5.2).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

/// A function's power state as its Power Management registers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PowerState {
    /// On.
    D0,
    /// Light sleep.
    D1,
    /// Deeper sleep.
    D2,
    /// Asleep; configuration space answers.
    D3hot,
}

bitflags! {
    /// Power Management Capabilities, offset 2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PowerManagementCapabilities: u16 {
        /// The function supports D1.
        const D1_SUPPORT = 1 << 9;
        /// The function supports D2.
        const D2_SUPPORT = 1 << 10;
        const _ = !0;
    }

    /// Power Management Control/Status, offset 4.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PowerManagementControlStatus: u16 {
        /// The function keeps its state from D3hot to D0: a turn through D3hot does **not** reset it.
        const NO_SOFT_RESET = 1 << 3;
        /// The function may assert PME#.
        const PME_ENABLE = 1 << 8;
        /// The function wants to assert PME#; write 1 to clear.
        const PME_STATUS = 1 << 15;
        const _ = !0;
    }
}

impl PowerManagementControlStatus {
    /// The bits that hold the power state.
    pub const POWER_STATE_MASK: u16 = 0x3;

    /// The power state the function is in.
    #[must_use]
    pub const fn power_state(self) -> PowerState {
        match self.bits() & Self::POWER_STATE_MASK {
            0 => PowerState::D0,
            1 => PowerState::D1,
            2 => PowerState::D2,
            _ => PowerState::D3hot,
        }
    }

    /// The same register with another power state, and without clearing PME Status.
    #[must_use]
    pub fn with_power_state(self, state: PowerState) -> Self {
        let kept = self.difference(Self::PME_STATUS).bits() & !Self::POWER_STATE_MASK;
        Self::from_bits_retain(kept | state as u16)
    }

    /// Whether the function keeps its state from D3hot to D0.
    #[must_use]
    pub const fn no_soft_reset(self) -> bool {
        self.contains(Self::NO_SOFT_RESET)
    }
}

/// The Power Management capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerManagement<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> PowerManagement<'a> {
    /// Offset of Power Management Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 2;
    /// Offset of Power Management Control/Status from the capability's start.
    pub const CONTROL_STATUS: u16 = 4;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Power Management Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> PowerManagementCapabilities {
        PowerManagementCapabilities::from_bits_retain(word::<2, 8>(self.bytes))
    }

    /// Power Management Control/Status.
    #[must_use]
    pub const fn control_status(self) -> PowerManagementControlStatus {
        PowerManagementControlStatus::from_bits_retain(word::<4, 8>(self.bytes))
    }
}
