//! Process Address Space ID (001Bh) (PCI Express Base 6.0, 7.8.9).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// PASID Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PasidCapability: u16 {
        /// Requests can ask for execute permission.
        const EXECUTE_PERMISSION_SUPPORTED = 1 << 1;
        /// Requests can ask for privileged mode.
        const PRIVILEGED_MODE_SUPPORTED = 1 << 2;
        /// Translated requests can carry a PASID.
        const TRANSLATED_REQUESTS_WITH_PASID_SUPPORTED = 1 << 3;
        const _ = !0;
    }

    /// PASID Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PasidControl: u16 {
        /// Requests may carry a PASID.
        const PASID_ENABLE = 1 << 0;
        /// Requests may ask for execute permission.
        const EXECUTE_PERMISSION_ENABLE = 1 << 1;
        /// Requests may ask for privileged mode.
        const PRIVILEGED_MODE_ENABLE = 1 << 2;
        /// Translated requests may carry a PASID.
        const TRANSLATED_REQUESTS_WITH_PASID_ENABLE = 1 << 3;
        const _ = !0;
    }
}

impl PasidCapability {
    /// Max PASID Width in bits; by the specification at most 20.
    #[must_use]
    pub const fn max_pasid_width(self) -> u8 {
        (self.bits() >> 8) as u8 & 0x1f
    }
}

/// The PASID capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x1b, 0x00, 0x01, 0x00, 0x06, 0x14, 0x01, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::Pasid(pasid) = entry.decode()? else { panic!() };
/// assert_eq!(pasid.capability().max_pasid_width(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pasid<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> Pasid<'a> {
    /// Offset of PASID Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of PASID Control from the capability's start.
    pub const CONTROL: u16 = 0x06;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// PASID Capability.
    #[must_use]
    pub const fn capability(self) -> PasidCapability {
        PasidCapability::from_bits_retain(word::<4, 8>(self.bytes))
    }

    /// PASID Control.
    #[must_use]
    pub const fn control(self) -> PasidControl {
        PasidControl::from_bits_retain(word::<6, 8>(self.bytes))
    }
}
