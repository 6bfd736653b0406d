//! Latency Tolerance Reporting (0018h): what the platform may do to an upstream port's device (PCI
//! Express Base 6.0, 7.8.2).

use crate::capability::registers::scaled_nanoseconds;
use crate::config_space::{Truncated, dword, fixed, word};
use core::time::Duration;

/// A latency as the register has it: a ten-bit value and a three-bit scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxLatency(pub u16);

impl MaxLatency {
    /// The latency; `None` for a reserved scale.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        scaled_nanoseconds((self.0 & 0x3ff) as u32, (self.0 >> 10 & 7) as u32)
    }
}

/// The Latency Tolerance Reporting capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x18, 0x00, 0x01, 0x00, 0x03, 0x10, 0x03, 0x10,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::LatencyToleranceReporting(ltr) = entry.decode()? else { panic!() };
/// assert_eq!(ltr.max_snoop_latency().duration().unwrap().as_nanos(), 3 << 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyToleranceReporting<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> LatencyToleranceReporting<'a> {
    /// Offset of Max Snoop Latency from the capability's start. Some devices take only dwords: write it
    /// together with Max No-Snoop Latency.
    pub const MAX_SNOOP_LATENCY: u16 = 4;
    /// Offset of Max No-Snoop Latency from the capability's start.
    pub const MAX_NO_SNOOP_LATENCY: u16 = 6;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Both registers as the dword that a restore writes.
    #[must_use]
    pub const fn max_latencies(self) -> u32 {
        dword::<4, 8>(self.bytes)
    }

    /// Max Snoop Latency.
    #[must_use]
    pub const fn max_snoop_latency(self) -> MaxLatency {
        MaxLatency(word::<4, 8>(self.bytes))
    }

    /// Max No-Snoop Latency.
    #[must_use]
    pub const fn max_no_snoop_latency(self) -> MaxLatency {
        MaxLatency(word::<6, 8>(self.bytes))
    }
}
