//! Precision Time Measurement (001Fh) (PCI Express Base 6.0, 7.9.15).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// PTM Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PtmCapability: u32 {
        /// The function can ask for the time.
        const REQUESTER_CAPABLE = 1 << 0;
        /// The function can tell the time.
        const RESPONDER_CAPABLE = 1 << 1;
        /// The function can be the source of the time.
        const ROOT_CAPABLE = 1 << 2;
        /// Enhanced PTM.
        const EPTM_CAPABLE = 1 << 3;
        /// The byte order of Propagation Delay can be chosen.
        const PROPAGATION_DELAY_ADAPTATION_CAPABLE = 1 << 4;
        const _ = !0;
    }

    /// PTM Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PtmControl: u32 {
        /// The mechanism is on.
        const ENABLE = 1 << 0;
        /// The function is the source of the time.
        const ROOT_SELECT = 1 << 1;
        const _ = !0;
    }
}

/// How exact a clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockGranularity {
    /// Not known, or there is no clock.
    Unknown,
    /// Nanoseconds, 1 to 254.
    Nanoseconds(u8),
    /// More than 254 ns.
    Above254Nanoseconds,
}

impl ClockGranularity {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Unknown,
            255 => Self::Above254Nanoseconds,
            nanoseconds => Self::Nanoseconds(nanoseconds),
        }
    }
}

impl PtmCapability {
    /// Local Clock Granularity.
    #[must_use]
    pub const fn local_clock_granularity(self) -> ClockGranularity {
        ClockGranularity::from_code((self.bits() >> 8) as u8)
    }
}

impl PtmControl {
    /// Effective Granularity.
    #[must_use]
    pub const fn effective_granularity(self) -> ClockGranularity {
        ClockGranularity::from_code((self.bits() >> 8) as u8)
    }
}

/// The Precision Time Measurement capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x1f, 0x00, 0x01, 0x00, 0x06, 0x10, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PrecisionTimeMeasurement(ptm) = entry.decode()? else { panic!() };
/// assert!(ptm.control().contains(pcicfg::extended::PtmControl::ENABLE));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrecisionTimeMeasurement<'a> {
    bytes: &'a [u8; 12],
    offset: u16,
}

impl<'a> PrecisionTimeMeasurement<'a> {
    /// Offset of PTM Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of PTM Control from the capability's start.
    pub const CONTROL: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// PTM Capability.
    #[must_use]
    pub const fn capability(self) -> PtmCapability {
        PtmCapability::from_bits_retain(dword::<4, 12>(self.bytes))
    }

    /// PTM Control.
    #[must_use]
    pub const fn control(self) -> PtmControl {
        PtmControl::from_bits_retain(dword::<8, 12>(self.bytes))
    }
}
