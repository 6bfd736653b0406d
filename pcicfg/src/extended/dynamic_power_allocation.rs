//! Dynamic Power Allocation (0016h): substates of D0 with less power (PCI Express Base 6.0, 7.9.12).

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// DPA Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DpaCapability: u32 {
        const _ = !0;
    }

    /// DPA Status, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DpaStatus: u16 {
        /// The substate can be chosen; write 1 to clear.
        const SUBSTATE_CONTROL_ENABLED = 1 << 8;
        const _ = !0;
    }

    /// DPA Control, offset 0Eh.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DpaControl: u16 {
        const _ = !0;
    }
}

impl DpaCapability {
    /// Substate_Max: the last substate; there is one more than this.
    #[must_use]
    pub const fn substate_max(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }

    /// Transition Latency Unit; `None` for the reserved code.
    #[must_use]
    pub const fn transition_latency_unit(self) -> Option<Duration> {
        let code = self.bits() >> 8 & 0x3;
        match code {
            0 => Some(Duration::from_millis(1)),
            1 => Some(Duration::from_millis(10)),
            2 => Some(Duration::from_millis(100)),
            _ => None,
        }
    }

    /// Power Allocation Scale: what one unit of an allocation stands for, in milliwatts.
    #[must_use]
    pub const fn power_allocation_scale_milliwatts(self) -> u32 {
        let code = self.bits() >> 12 & 0x3;
        [10_000, 1_000, 100, 10][(code & 3) as usize]
    }

    /// Transition Latency Value 0 (Xlcy0), in units.
    #[must_use]
    pub const fn transition_latency_value_0(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// Transition Latency Value 1 (Xlcy1), in units.
    #[must_use]
    pub const fn transition_latency_value_1(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl DpaStatus {
    /// Substate Status: the current substate.
    #[must_use]
    pub const fn substate_status(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }
}

impl DpaControl {
    /// Substate Control: the substate that was chosen.
    #[must_use]
    pub const fn substate_control(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }
}

/// The Dynamic Power Allocation capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x16, 0x00, 0x01, 0x00, 0x01, 0x11, 0x02, 0x05, 0x02, 0x00, 0x00, 0x00, 0x01, 0x01, 0x01, 0x00,
///     0x28, 0x14,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DynamicPowerAllocation(power) = entry.decode()? else { panic!() };
/// assert_eq!(power.power_allocation_milliwatts().collect::<Vec<_>>(), [40_000, 20_000]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicPowerAllocation<'a> {
    fixed: &'a [u8; 0x10],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> DynamicPowerAllocation<'a> {
    /// Offset of DPA Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of DPA Latency Indicator from the capability's start.
    pub const LATENCY_INDICATOR: u16 = 0x08;
    /// Offset of DPA Status from the capability's start.
    pub const STATUS: u16 = 0x0c;
    /// Offset of DPA Control from the capability's start.
    pub const CONTROL: u16 = 0x0e;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// DPA Capability.
    #[must_use]
    pub const fn capability(self) -> DpaCapability {
        DpaCapability::from_bits_retain(dword::<0x04, 0x10>(self.fixed))
    }

    /// DPA Latency Indicator: for each substate a bit: which of the two latencies it has.
    #[must_use]
    pub const fn latency_indicator(self) -> u32 {
        dword::<0x08, 0x10>(self.fixed)
    }

    /// DPA Status.
    #[must_use]
    pub const fn status(self) -> DpaStatus {
        DpaStatus::from_bits_retain(word::<0x0c, 0x10>(self.fixed))
    }

    /// DPA Control.
    #[must_use]
    pub const fn control(self) -> DpaControl {
        DpaControl::from_bits_retain(word::<0x0e, 0x10>(self.fixed))
    }

    /// Offset of the DPA Power Allocation Array from the capability's start.
    pub const POWER_ALLOCATION_ARRAY: u16 = 0x10;

    /// The power that each substate has, in milliwatts: at most 32, and as many as can be read.
    pub fn power_allocation_milliwatts(self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        let count = usize::from(self.capability().substate_max()) + 1;
        let scale = self.capability().power_allocation_scale_milliwatts();
        let array = self.bytes.get(usize::from(Self::POWER_ALLOCATION_ARRAY)..).unwrap_or_default();
        array.iter().take(count).map(move |&units| u32::from(units) * scale)
    }

    /// How long the way to a substate takes; `None` for one that does not exist.
    #[must_use]
    pub fn transition_latency(self, substate: u8) -> Option<Duration> {
        let capability = self.capability();
        if substate > capability.substate_max() {
            return None;
        }
        let value = match self.latency_indicator() >> substate & 1 {
            0 => capability.transition_latency_value_0(),
            _ => capability.transition_latency_value_1(),
        };
        Some(capability.transition_latency_unit()? * u32::from(value))
    }
}
