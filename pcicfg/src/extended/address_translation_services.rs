//! Address Translation Services (000Fh): a function that asks the IOMMU beforehand (PCI Express Base 6.0,
//! 10.5.1).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// ATS Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AtsCapability: u16 {
        /// Translation requests are aligned to 4 KiB.
        const PAGE_ALIGNED_REQUEST = 1 << 5;
        /// Invalidations for all PASIDs at once.
        const GLOBAL_INVALIDATE_SUPPORTED = 1 << 6;
        /// Translation requests may carry Relaxed Ordering.
        const RELAXED_ORDERING_SUPPORTED = 1 << 7;
        const _ = !0;
    }

    /// ATS Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AtsControl: u16 {
        /// The function may cache translations.
        const ENABLE = 1 << 15;
        const _ = !0;
    }
}

impl AtsCapability {
    /// Invalidate Queue Depth: how many invalidations may be under way, 1 to 32.
    #[must_use]
    pub const fn invalidate_queue_depth(self) -> u8 {
        match self.bits() as u8 & 0x1f {
            0 => 32,
            depth => depth,
        }
    }
}

impl AtsControl {
    /// Smallest Translation Unit in bytes: 4 KiB and up.
    #[must_use]
    pub const fn smallest_translation_unit(self) -> u64 {
        1 << ((self.bits() & 0x1f) + 12)
    }
}

/// The Address Translation Services capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x0f, 0x00, 0x01, 0x00, 0x60, 0x00, 0x00, 0x80,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::AddressTranslationServices(ats) = entry.decode()? else { panic!() };
/// assert!(ats.control().contains(pcicfg::extended::AtsControl::ENABLE));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressTranslationServices<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> AddressTranslationServices<'a> {
    /// Offset of ATS Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of ATS Control from the capability's start.
    pub const CONTROL: u16 = 0x06;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// ATS Capability.
    #[must_use]
    pub const fn capability(self) -> AtsCapability {
        AtsCapability::from_bits_retain(word::<4, 8>(self.bytes))
    }

    /// ATS Control.
    #[must_use]
    pub const fn control(self) -> AtsControl {
        AtsControl::from_bits_retain(word::<6, 8>(self.bytes))
    }
}
