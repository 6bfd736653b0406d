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
        /// PME# needs the PCI clock (not on PCI Express).
        const PME_CLOCK = 1 << 3;
        /// The function is ready at once when it returns to D0: no wait is needed.
        const IMMEDIATE_READINESS_ON_RETURN_TO_D0 = 1 << 4;
        /// The function needs its driver to initialise it before a generic one can use it.
        const DEVICE_SPECIFIC_INITIALIZATION = 1 << 5;
        /// The function supports D1.
        const D1_SUPPORT = 1 << 9;
        /// The function supports D2.
        const D2_SUPPORT = 1 << 10;
        /// The function can assert PME# in D0.
        const PME_SUPPORT_D0 = 1 << 11;
        /// The function can assert PME# in D1.
        const PME_SUPPORT_D1 = 1 << 12;
        /// The function can assert PME# in D2.
        const PME_SUPPORT_D2 = 1 << 13;
        /// The function can assert PME# in D3hot.
        const PME_SUPPORT_D3_HOT = 1 << 14;
        /// The function can assert PME# in D3cold.
        const PME_SUPPORT_D3_COLD = 1 << 15;
        const _ = !0;
    }

    /// Bridge Support Extensions, offset 6 (not on PCI Express).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct BridgeSupportExtensions: u8 {
        /// In D3hot the secondary bus's clock is stopped (B2), not its power cut (B3).
        const B2_B3 = 1 << 6;
        /// The bridge's power state governs the secondary bus's.
        const BUS_POWER_CLOCK_CONTROL_ENABLE = 1 << 7;
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

impl PowerManagementCapabilities {
    /// The version of the interface: 3 for PCI Bus Power Management 1.2 and PCI Express.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.bits() as u8 & 7
    }

    /// Aux_Current: what the function draws from the auxiliary supply in D3cold, in milliamperes.
    #[must_use]
    pub const fn aux_current(self) -> u16 {
        [0, 55, 100, 160, 220, 270, 320, 375][(self.bits() >> 6 & 7) as usize]
    }

    /// Whether the function can assert PME# in a state. For D3cold see
    /// [`PME_SUPPORT_D3_COLD`](Self::PME_SUPPORT_D3_COLD).
    #[must_use]
    pub const fn pme_support(self, state: PowerState) -> bool {
        self.contains(match state {
            PowerState::D0 => Self::PME_SUPPORT_D0,
            PowerState::D1 => Self::PME_SUPPORT_D1,
            PowerState::D2 => Self::PME_SUPPORT_D2,
            PowerState::D3hot => Self::PME_SUPPORT_D3_HOT,
        })
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

    /// Data_Select: which datum Data shows.
    #[must_use]
    pub const fn data_select(self) -> PowerManagementDatum {
        match (self.bits() >> 9 & 0xf) as u8 {
            0 => PowerManagementDatum::Consumed(PowerState::D0),
            1 => PowerManagementDatum::Consumed(PowerState::D1),
            2 => PowerManagementDatum::Consumed(PowerState::D2),
            3 => PowerManagementDatum::Consumed(PowerState::D3hot),
            4 => PowerManagementDatum::Dissipated(PowerState::D0),
            5 => PowerManagementDatum::Dissipated(PowerState::D1),
            6 => PowerManagementDatum::Dissipated(PowerState::D2),
            7 => PowerManagementDatum::Dissipated(PowerState::D3hot),
            8 => PowerManagementDatum::CommonLogicConsumed,
            other => PowerManagementDatum::Reserved(other),
        }
    }

    /// Data_Scale: what one unit of the datum is, in milliwatts; `None` if the function does not tell, as
    /// one without Data.
    #[must_use]
    pub const fn data_scale_milliwatts(self) -> Option<u8> {
        match self.bits() >> 13 & 3 {
            1 => Some(100),
            2 => Some(10),
            3 => Some(1),
            _ => None,
        }
    }

    /// Whether the function keeps its state from D3hot to D0.
    #[must_use]
    pub const fn no_soft_reset(self) -> bool {
        self.contains(Self::NO_SOFT_RESET)
    }
}

/// What Data of a function says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PowerManagementDatum {
    /// The power that it draws in a state.
    Consumed(PowerState),
    /// The power that becomes heat in it.
    Dissipated(PowerState),
    /// What all functions of the device draw together; in function 0 alone.
    CommonLogicConsumed,
    /// A code without a meaning.
    Reserved(u8),
}

/// The Power Management capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x01, 0x00, 0xc3, 0xcb, 0x08, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::PowerManagement(pm) = entry.decode()? else { panic!() };
/// assert!(pm.control_status().no_soft_reset());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// Offset of Bridge Support Extensions from the capability's start.
    pub const BRIDGE_SUPPORT_EXTENSIONS: u16 = 6;
    /// Offset of Data from the capability's start.
    pub const DATA: u16 = 7;

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

    /// Bridge Support Extensions.
    #[must_use]
    pub const fn bridge_support_extensions(self) -> BridgeSupportExtensions {
        BridgeSupportExtensions::from_bits_retain(self.bytes[6])
    }

    /// Data: the datum that Data_Select asks for.
    #[must_use]
    pub const fn data(self) -> u8 {
        self.bytes[7]
    }

    /// Data with its scale: the power that Data_Select asks for, in milliwatts; `None` if the function
    /// does not tell.
    #[must_use]
    pub const fn data_milliwatts(self) -> Option<u32> {
        match self.control_status().data_scale_milliwatts() {
            Some(unit) => Some(self.data() as u32 * unit as u32),
            None => None,
        }
    }
}
