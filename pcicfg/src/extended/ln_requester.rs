//! LN Requester (001Ch): lightweight notification (PCI Express Base 5.0, 7.9.13; dropped in 6.0).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// LNR Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LnrCapability: u16 {
        /// Cache lines of 64 bytes.
        const LNR_64_SUPPORTED = 1 << 0;
        /// Cache lines of 128 bytes.
        const LNR_128_SUPPORTED = 1 << 1;
        const _ = !0;
    }

    /// LNR Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LnrControl: u16 {
        /// The function may register lines.
        const LNR_ENABLE = 1 << 0;
        /// Cache lines have 128 bytes, else 64.
        const LNR_CLS = 1 << 1;
        const _ = !0;
    }
}

impl LnrCapability {
    /// LNR Registration Max: 2 to the power of this lines can be registered.
    #[must_use]
    pub const fn registration_max(self) -> u8 {
        (self.bits() >> 8 & 0x1f) as u8
    }
}

impl LnrControl {
    /// LNR Registration Limit: 2 to the power of this lines may be registered.
    #[must_use]
    pub const fn registration_limit(self) -> u8 {
        (self.bits() >> 8 & 0x1f) as u8
    }
}

/// The LN Requester capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x1c, 0x00, 0x01, 0x00, 0x01, 0x13, 0x01, 0x0a,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::LnRequester(requester) = entry.decode()? else { panic!() };
/// assert_eq!(requester.control().registration_limit(), 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LnRequester<'a> {
    bytes: &'a [u8; 0x8],
    offset: u16,
}

impl<'a> LnRequester<'a> {
    /// Offset of LNR Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of LNR Control from the capability's start.
    pub const CONTROL: u16 = 0x06;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// LNR Capability.
    #[must_use]
    pub const fn capability(self) -> LnrCapability {
        LnrCapability::from_bits_retain(word::<0x04, 0x8>(self.bytes))
    }

    /// LNR Control.
    #[must_use]
    pub const fn control(self) -> LnrControl {
        LnrControl::from_bits_retain(word::<0x06, 0x8>(self.bytes))
    }
}
