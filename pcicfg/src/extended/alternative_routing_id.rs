//! Alternative Routing-ID Interpretation (000Eh): function numbers above 7 (PCI Express Base 6.0,
//! 7.8.8).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// ARI Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AriCapability: u16 {
        /// Function groups for Multi-Function Virtual Channel.
        const MFVC_FUNCTION_GROUPS_CAPABILITY = 1 << 0;
        /// Function groups for Access Control Services.
        const ACS_FUNCTION_GROUPS_CAPABILITY = 1 << 1;
        const _ = !0;
    }

    /// ARI Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AriControl: u16 {
        /// Multi-Function Virtual Channel arbitrates by function groups.
        const MFVC_FUNCTION_GROUPS_ENABLE = 1 << 0;
        /// Access Control Services work by function groups.
        const ACS_FUNCTION_GROUPS_ENABLE = 1 << 1;
        const _ = !0;
    }
}

impl AriCapability {
    /// Next Function Number: the next higher function of the device; 0 for none.
    #[must_use]
    pub const fn next_function_number(self) -> u8 {
        (self.bits() >> 8) as u8
    }
}

impl AriControl {
    /// The function's group, 0 to 7.
    #[must_use]
    pub const fn function_group(self) -> u8 {
        (self.bits() >> 4) as u8 & 7
    }
}

/// The ARI capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x0e, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::AlternativeRoutingId(ari) = entry.decode()? else { panic!() };
/// assert_eq!(ari.capability().next_function_number(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlternativeRoutingId<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> AlternativeRoutingId<'a> {
    /// Offset of ARI Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of ARI Control from the capability's start.
    pub const CONTROL: u16 = 0x06;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// ARI Capability.
    #[must_use]
    pub const fn capability(self) -> AriCapability {
        AriCapability::from_bits_retain(word::<4, 8>(self.bytes))
    }

    /// ARI Control.
    #[must_use]
    pub const fn control(self) -> AriControl {
        AriControl::from_bits_retain(word::<6, 8>(self.bytes))
    }
}
