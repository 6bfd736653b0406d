//! Alternate Protocol (002Bh): what a link could carry instead of PCI Express, such as CXL (PCI Express
//! Base 6.0, 7.9.20).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// Alternate Protocol Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AlternateProtocolCapabilities: u32 {
        /// The Selective Enable Mask exists.
        const SELECTIVE_ENABLE_SUPPORTED = 1 << 8;
        const _ = !0;
    }

    /// Alternate Protocol Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AlternateProtocolControl: u32 {
        /// Alternate protocols are negotiated.
        const NEGOTIATION_GLOBAL_ENABLE = 1 << 8;
        const _ = !0;
    }

    /// Alternate Protocol Data 1, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AlternateProtocolData1: u32 {
        const _ = !0;
    }

    /// Alternate Protocol Data 2, offset 10h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AlternateProtocolData2: u32 {
        const _ = !0;
    }
}

impl AlternateProtocolCapabilities {
    /// Alternate Protocol Count, PCI Express included.
    #[must_use]
    pub const fn count(self) -> u8 {
        (self.bits() & 0xff) as u8
    }
}

impl AlternateProtocolControl {
    /// Alternate Protocol Index Select: which one the data registers show.
    #[must_use]
    pub const fn index_select(self) -> u8 {
        (self.bits() & 0xff) as u8
    }
}

impl AlternateProtocolData1 {
    /// Alternate Protocol Usage Information.
    #[must_use]
    pub const fn usage_information(self) -> u8 {
        (self.bits() & 0x7) as u8
    }

    /// Alternate Protocol Details.
    #[must_use]
    pub const fn details(self) -> u16 {
        (self.bits() >> 5 & 0x7ff) as u16
    }

    /// Alternate Protocol Vendor ID.
    #[must_use]
    pub const fn vendor_id(self) -> u16 {
        (self.bits() >> 16) as u16
    }
}

impl AlternateProtocolData2 {
    /// Modified TS Information 2.
    #[must_use]
    pub const fn modified_ts_information_2(self) -> u32 {
        self.bits() & 0xffffff
    }
}

/// The Alternate Protocol capability.
///
/// The registers' places are confirmed; the split of the two data registers is from the specification
/// alone.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x2b, 0x00, 0x01, 0x00, 0x02, 0x01, 0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x98, 0x1e,
///     0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::AlternateProtocol(protocol) = entry.decode()? else { panic!() };
/// assert_eq!(protocol.data_1().vendor_id(), 0x1e98);
/// assert_eq!(protocol.selective_enable_mask(), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlternateProtocol<'a> {
    fixed: &'a [u8; 0x14],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> AlternateProtocol<'a> {
    /// Offset of Alternate Protocol Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of Alternate Protocol Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of Alternate Protocol Data 1 from the capability's start.
    pub const DATA_1: u16 = 0x0c;
    /// Offset of Alternate Protocol Data 2 from the capability's start.
    pub const DATA_2: u16 = 0x10;
    /// Offset of Alternate Protocol Selective Enable Mask, whether it exists or not from the
    /// capability's start.
    pub const SELECTIVE_ENABLE_MASK: u16 = 0x14;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Alternate Protocol Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> AlternateProtocolCapabilities {
        AlternateProtocolCapabilities::from_bits_retain(dword::<0x04, 0x14>(self.fixed))
    }

    /// Alternate Protocol Control.
    #[must_use]
    pub const fn control(self) -> AlternateProtocolControl {
        AlternateProtocolControl::from_bits_retain(dword::<0x08, 0x14>(self.fixed))
    }

    /// Alternate Protocol Data 1.
    #[must_use]
    pub const fn data_1(self) -> AlternateProtocolData1 {
        AlternateProtocolData1::from_bits_retain(dword::<0x0c, 0x14>(self.fixed))
    }

    /// Alternate Protocol Data 2.
    #[must_use]
    pub const fn data_2(self) -> AlternateProtocolData2 {
        AlternateProtocolData2::from_bits_retain(dword::<0x10, 0x14>(self.fixed))
    }

    /// Alternate Protocol Selective Enable Mask, whether it exists or not; `None` if it cannot be read.
    #[must_use]
    pub fn selective_enable_mask_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::SELECTIVE_ENABLE_MASK)
    }

    /// Alternate Protocol Selective Enable Mask: one bit for each protocol; `None` where there is no such
    /// choice.
    #[must_use]
    pub fn selective_enable_mask(self) -> Option<u32> {
        if !self.capabilities().contains(AlternateProtocolCapabilities::SELECTIVE_ENABLE_SUPPORTED) {
            return None;
        }
        self.selective_enable_mask_register()
    }
}
