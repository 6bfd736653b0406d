//! Power Budgeting (0004h): how much power a function takes, to be asked for entry by entry (PCI
//! Express Base 6.0, 7.8.1).
//!
//! What 6.0 added for more than 300 W (Extended Base Power, connectors) is not named here: no public
//! source confirms its bits.

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;
use core::num::NonZeroU32;

bitflags! {
    /// Power Budgeting Data, offset 08h: the entry that was selected; zero behind the last.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PowerBudgetingData: u32 {
        const _ = !0;
    }

    /// Power Budget Capability, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PowerBudgetingCapability: u8 {
        /// The system's budget has this power in it already.
        const SYSTEM_ALLOCATED = 1 << 0;
        const _ = !0;
    }
}

/// The state that an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PowerBudgetingPmState {
    /// D0.
    D0,
    /// D1.
    D1,
    /// D2.
    D2,
    /// D3.
    D3,
}

impl PowerBudgetingPmState {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::D0,
            1 => Self::D1,
            2 => Self::D2,
            _ => Self::D3,
        }
    }
}

/// What a function does while it takes that power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PowerBudgetingType {
    /// It may wake the system, on auxiliary power.
    PmeAux,
    /// It is on auxiliary power.
    Auxiliary,
    /// Nothing.
    Idle,
    /// Its work.
    Sustained,
    /// Its work, in the emergency power reduction state.
    SustainedEmergencyPowerReduction,
    /// As much as it can, in the emergency power reduction state.
    MaximumEmergencyPowerReduction,
    /// As much as it can.
    Maximum,
    /// A code without a meaning.
    Reserved(u8),
}

impl PowerBudgetingType {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::PmeAux,
            1 => Self::Auxiliary,
            2 => Self::Idle,
            3 => Self::Sustained,
            4 => Self::SustainedEmergencyPowerReduction,
            5 => Self::MaximumEmergencyPowerReduction,
            7 => Self::Maximum,
            other => Self::Reserved(other),
        }
    }
}

/// Where the power comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PowerBudgetingRail {
    /// 12 V.
    Volts12,
    /// 3.3 V.
    Volts3_3,
    /// 1.5 V or 1.8 V.
    Volts1_5Or1_8,
    /// Nowhere: it is what has to be cooled.
    Thermal,
    /// A code without a meaning.
    Reserved(u8),
}

impl PowerBudgetingRail {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Volts12,
            1 => Self::Volts3_3,
            2 => Self::Volts1_5Or1_8,
            7 => Self::Thermal,
            other => Self::Reserved(other),
        }
    }
}

impl PowerBudgetingData {
    /// Base Power.
    #[must_use]
    pub const fn base_power(self) -> u8 {
        (self.bits() & 0xff) as u8
    }

    /// Data Scale: Base Power is in watts divided by 10 to the power of this.
    #[must_use]
    pub const fn data_scale(self) -> u8 {
        (self.bits() >> 8 & 0x3) as u8
    }

    /// PM Sub State: 0 for the default one, else the device's own.
    #[must_use]
    pub const fn pm_sub_state(self) -> u8 {
        (self.bits() >> 10 & 0x7) as u8
    }

    /// PM State.
    #[must_use]
    pub const fn pm_state(self) -> PowerBudgetingPmState {
        PowerBudgetingPmState::from_code((self.bits() >> 13 & 0x3) as u8)
    }

    /// Type: the operating condition.
    #[must_use]
    pub const fn operating_condition(self) -> PowerBudgetingType {
        PowerBudgetingType::from_code((self.bits() >> 15 & 0x7) as u8)
    }

    /// Power Rail.
    #[must_use]
    pub const fn power_rail(self) -> PowerBudgetingRail {
        PowerBudgetingRail::from_code((self.bits() >> 18 & 0x7) as u8)
    }

    /// The power in milliwatts; `None` for nothing, and for codes beyond 300 W.
    #[must_use]
    pub const fn milliwatts(self) -> Option<NonZeroU32> {
        NonZeroU32::new(match (self.data_scale(), self.base_power()) {
            (0, 0xf0) => 250_000,
            (0, 0xf1) => 275_000,
            (0, 0xf2) => 300_000,
            (0, 0xf3..) => 0,
            (scale, base) => base as u32 * [1000, 100, 10, 1][(scale & 3) as usize],
        })
    }
}

/// The Power Budgeting capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x04, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfa, 0x81, 0x03, 0x00, 0x01,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PowerBudgeting(power) = entry.decode()? else { panic!() };
/// assert_eq!(power.data().milliwatts().unwrap().get(), 25_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerBudgeting<'a> {
    bytes: &'a [u8; 0xd],
    offset: u16,
}

impl<'a> PowerBudgeting<'a> {
    /// Offset of Power Budgeting Data Select from the capability's start.
    pub const DATA_SELECT: u16 = 0x04;
    /// Offset of Power Budgeting Data from the capability's start.
    pub const DATA: u16 = 0x08;
    /// Offset of Power Budget Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Power Budgeting Data Select: which entry Data shows.
    #[must_use]
    pub const fn data_select(self) -> u8 {
        self.bytes[0x04]
    }

    /// Power Budgeting Data.
    #[must_use]
    pub const fn data(self) -> PowerBudgetingData {
        PowerBudgetingData::from_bits_retain(dword::<0x08, 0xd>(self.bytes))
    }

    /// Power Budget Capability.
    #[must_use]
    pub const fn capability(self) -> PowerBudgetingCapability {
        PowerBudgetingCapability::from_bits_retain(self.bytes[0x0c])
    }
}
