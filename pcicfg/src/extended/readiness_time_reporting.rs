//! Readiness Time Reporting (0022h): how long a function really needs after a reset (PCI Express Base
//! 6.0, 7.9.16; 7.9.17 in 4.0 and 5.0).
//!
//! A time given here replaces the fixed wait of the specification (100 ms, 10 ms from D3hot).

use crate::capability::registers::scaled_nanoseconds;
use crate::config_space::{Truncated, dword, fixed};
use core::time::Duration;

/// A time as the registers have it: a nine-bit value and a three-bit scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadinessTime(pub u16);

impl ReadinessTime {
    /// Value times 32 to the power of scale nanoseconds; `None` for a scale that is not permitted.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        scaled_nanoseconds((self.0 & 0x1ff) as u32, (self.0 >> 9 & 7) as u32)
    }
}

/// The Readiness Time Reporting capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x22, 0x00, 0x01, 0x00, 0x1e, 0x48, 0x61, 0x80, 0x64, 0xf2, 0x1f, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::ReadinessTimeReporting(times) = entry.decode()? else { panic!() };
/// assert_eq!(times.flr_time().duration().unwrap().as_nanos(), 3_200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadinessTimeReporting<'a> {
    bytes: &'a [u8; 12],
    offset: u16,
}

impl<'a> ReadinessTimeReporting<'a> {
    /// Offset of Readiness Time Reporting 1 from the capability's start.
    pub const REPORTING_1: u16 = 4;
    /// Offset of Readiness Time Reporting 2 from the capability's start.
    pub const REPORTING_2: u16 = 8;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Whether the times mean anything yet (Valid): trust none while it is clear.
    #[must_use]
    pub const fn valid(self) -> bool {
        dword::<4, 12>(self.bytes) >> 31 != 0
    }

    /// Reset Time: from the end of a conventional reset until the function is ready.
    #[must_use]
    pub const fn reset_time(self) -> ReadinessTime {
        ReadinessTime((dword::<4, 12>(self.bytes) & 0xfff) as u16)
    }

    /// DL_Up Time: from the link coming up until the function is ready.
    #[must_use]
    pub const fn dl_up_time(self) -> ReadinessTime {
        ReadinessTime((dword::<4, 12>(self.bytes) >> 12 & 0xfff) as u16)
    }

    /// FLR Time: from a Function Level Reset until the function is ready.
    #[must_use]
    pub const fn flr_time(self) -> ReadinessTime {
        ReadinessTime((dword::<8, 12>(self.bytes) & 0xfff) as u16)
    }

    /// D3hot to D0 Time: from the way back to D0 until the function is ready.
    #[must_use]
    pub const fn d3hot_to_d0_time(self) -> ReadinessTime {
        ReadinessTime((dword::<8, 12>(self.bytes) >> 12 & 0xfff) as u16)
    }
}
