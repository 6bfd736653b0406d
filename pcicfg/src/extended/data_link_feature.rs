//! Data Link Feature (0025h): what the two sides of a link told each other (PCI Express Base 6.0,
//! 7.7.4).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// Data Link Feature Capabilities (offset 04h, what this side can) and Status (offset 08h, what the
    /// other side can).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DataLinkFeatures: u32 {
        /// Scaled flow control.
        const SCALED_FLOW_CONTROL = 1 << 0;
        /// The function is ready at once.
        const IMMEDIATE_READINESS = 1 << 1;
        /// In Capabilities: the features are exchanged. In Status: what the other side told is valid.
        const EXCHANGE_ENABLE_OR_VALID = 1 << 31;
        const _ = !0;
    }
}

impl DataLinkFeatures {
    /// All the features.
    #[must_use]
    pub const fn features(self) -> u32 {
        self.bits() & 0x7fffff
    }

    /// Extended VC Count.
    #[must_use]
    pub const fn extended_vc_count(self) -> u8 {
        (self.bits() >> 2 & 0x7) as u8
    }

    /// The latest exit from L0p; `None` for more than 64 µs.
    #[must_use]
    pub const fn l0p_exit_latency(self) -> Option<Duration> {
        l0p_exit_latency(self.bits() >> 5 & 0x7)
    }
}

/// 1 µs, doubled by each code.
pub(super) const fn l0p_exit_latency(code: u32) -> Option<Duration> {
    if code < 7 { Some(Duration::from_micros(1 << code)) } else { None }
}

/// The Data Link Feature capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x25, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x80,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DataLinkFeature(link) = entry.decode()? else { panic!() };
/// assert!(link.remote_valid());
/// assert_eq!(link.status().features(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataLinkFeature<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> DataLinkFeature<'a> {
    /// Offset of Data Link Feature Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of Data Link Feature Status from the capability's start.
    pub const STATUS: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Data Link Feature Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> DataLinkFeatures {
        DataLinkFeatures::from_bits_retain(dword::<0x04, 0xc>(self.bytes))
    }

    /// Data Link Feature Status.
    #[must_use]
    pub const fn status(self) -> DataLinkFeatures {
        DataLinkFeatures::from_bits_retain(dword::<0x08, 0xc>(self.bytes))
    }

    /// Data Link Feature Exchange Enable.
    #[must_use]
    pub const fn exchange_enabled(self) -> bool {
        self.capabilities().contains(DataLinkFeatures::EXCHANGE_ENABLE_OR_VALID)
    }

    /// Remote Data Link Feature Supported Valid.
    #[must_use]
    pub const fn remote_valid(self) -> bool {
        self.status().contains(DataLinkFeatures::EXCHANGE_ENABLE_OR_VALID)
    }
}
