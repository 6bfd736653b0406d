//! L1 PM Substates (001Eh): deeper sleep of the link (PCI Express Base 6.0, 7.8.3).

use crate::capability::registers::scaled_nanoseconds;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// L1 PM Substates Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct L1PmSubstatesCapabilities: u32 {
        /// PCI-PM L1.2 is supported.
        const PCI_PM_L1_2_SUPPORTED = 1 << 0;
        /// PCI-PM L1.1 is supported.
        const PCI_PM_L1_1_SUPPORTED = 1 << 1;
        /// ASPM L1.2 is supported.
        const ASPM_L1_2_SUPPORTED = 1 << 2;
        /// ASPM L1.1 is supported.
        const ASPM_L1_1_SUPPORTED = 1 << 3;
        /// L1 PM Substates are supported at all.
        const L1_PM_SUBSTATES_SUPPORTED = 1 << 4;
        /// Link Activation is supported.
        const LINK_ACTIVATION_SUPPORTED = 1 << 5;
        const _ = !0;
    }

    /// L1 PM Substates Control 1, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct L1PmSubstatesControl1: u32 {
        /// PCI-PM L1.2 is used.
        const PCI_PM_L1_2_ENABLE = 1 << 0;
        /// PCI-PM L1.1 is used.
        const PCI_PM_L1_1_ENABLE = 1 << 1;
        /// ASPM L1.2 is used.
        const ASPM_L1_2_ENABLE = 1 << 2;
        /// ASPM L1.1 is used.
        const ASPM_L1_1_ENABLE = 1 << 3;
        /// The end of a Link Activation interrupts.
        const LINK_ACTIVATION_INTERRUPT_ENABLE = 1 << 4;
        /// The link is kept out of the substates.
        const LINK_ACTIVATION_CONTROL = 1 << 5;
        const _ = !0;
    }

    /// L1 PM Substates Control 2, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct L1PmSubstatesControl2: u32 {
        const _ = !0;
    }
}

/// T_POWER_ON: `value` times 2, 10 or 100 us; the fourth scale is reserved.
const fn t_power_on(value: u32, scale: u32) -> Option<Duration> {
    let step = match scale & 3 {
        0 => 2,
        1 => 10,
        2 => 100,
        _ => return None,
    };
    Some(Duration::from_micros((value & 0x1f) as u64 * step))
}

impl L1PmSubstatesCapabilities {
    /// Port Common_Mode_Restore_Time: how long the port needs to settle after L1.2.
    #[must_use]
    pub const fn port_common_mode_restore_time(self) -> Duration {
        Duration::from_micros((self.bits() >> 8 & 0xff) as u64)
    }

    /// Port T_POWER_ON: how long the other end of the link has to wait in L1.2.Exit; `None` for the
    /// reserved scale.
    #[must_use]
    pub const fn port_t_power_on(self) -> Option<Duration> {
        t_power_on(self.bits() >> 19, self.bits() >> 16)
    }
}

impl L1PmSubstatesControl1 {
    /// The four bits that let the link into a substate.
    pub const ENABLES: Self = Self::PCI_PM_L1_2_ENABLE
        .union(Self::PCI_PM_L1_1_ENABLE)
        .union(Self::ASPM_L1_2_ENABLE)
        .union(Self::ASPM_L1_1_ENABLE);
    /// The two bits that let the link into L1.2.
    pub const L1_2_ENABLES: Self = Self::PCI_PM_L1_2_ENABLE.union(Self::ASPM_L1_2_ENABLE);

    /// Common_Mode_Restore_Time (downstream ports).
    #[must_use]
    pub const fn common_mode_restore_time(self) -> Duration {
        Duration::from_micros((self.bits() >> 8 & 0xff) as u64)
    }

    /// LTR_L1.2_THRESHOLD: the latency tolerance from which on L1.2 and not L1.1 is entered; `None`
    /// for a reserved scale.
    #[must_use]
    pub const fn ltr_l1_2_threshold(self) -> Option<Duration> {
        scaled_nanoseconds(self.bits() >> 16 & 0x3ff, self.bits() >> 29)
    }
}

impl L1PmSubstatesControl2 {
    /// T_POWER_ON; `None` for the reserved scale.
    #[must_use]
    pub const fn t_power_on(self) -> Option<Duration> {
        t_power_on(self.bits() >> 3, self.bits())
    }
}

/// The L1 PM Substates capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x1e, 0x00, 0x01, 0x00, 0x1f, 0x28, 0x28, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::L1PmSubstates(substates) = entry.decode()? else { panic!() };
/// assert_eq!(substates.capabilities().port_common_mode_restore_time().as_micros(), 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1PmSubstates<'a> {
    bytes: &'a [u8; 16],
    offset: u16,
}

impl<'a> L1PmSubstates<'a> {
    /// Offset of L1 PM Substates Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of L1 PM Substates Control 1 from the capability's start.
    pub const CONTROL_1: u16 = 0x08;
    /// Offset of L1 PM Substates Control 2 from the capability's start.
    pub const CONTROL_2: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// L1 PM Substates Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> L1PmSubstatesCapabilities {
        L1PmSubstatesCapabilities::from_bits_retain(dword::<0x04, 16>(self.bytes))
    }

    /// L1 PM Substates Control 1.
    #[must_use]
    pub const fn control_1(self) -> L1PmSubstatesControl1 {
        L1PmSubstatesControl1::from_bits_retain(dword::<0x08, 16>(self.bytes))
    }

    /// L1 PM Substates Control 2.
    #[must_use]
    pub const fn control_2(self) -> L1PmSubstatesControl2 {
        L1PmSubstatesControl2::from_bits_retain(dword::<0x0c, 16>(self.bytes))
    }
}
