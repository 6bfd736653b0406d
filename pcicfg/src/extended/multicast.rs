//! Multicast (0012h): one request to many (PCI Express Base 6.0, 7.9.11).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Multicast Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MulticastCapability: u16 {
        /// MC_ECRC_Regeneration_Supported.
        const ECRC_REGENERATION_SUPPORTED = 1 << 15;
        const _ = !0;
    }

    /// Multicast Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MulticastControl: u16 {
        /// MC_Enable.
        const ENABLE = 1 << 15;
        const _ = !0;
    }

    /// MC_Base_Address, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MulticastBaseAddress: u64 {
        const _ = !0;
    }

    /// MC_Overlay_BAR, offset 28h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MulticastOverlay: u64 {
        const _ = !0;
    }
}

impl MulticastCapability {
    /// MC_Max_Group: how many groups there can be, 1 to 64.
    #[must_use]
    pub const fn max_group(self) -> u8 {
        let code = self.bits() & 0x3f;
        code as u8 + 1
    }

    /// MC_Window_Size_Requested: 2 to the power of this, in bytes; endpoints only.
    #[must_use]
    pub const fn window_size_requested(self) -> u8 {
        (self.bits() >> 8 & 0x3f) as u8
    }
}

impl MulticastControl {
    /// MC_Num_Group: how many groups there are, 1 to 64.
    #[must_use]
    pub const fn num_group(self) -> u8 {
        let code = self.bits() & 0x3f;
        code as u8 + 1
    }
}

impl MulticastBaseAddress {
    /// MC_Index_Position: which bit of an address is the lowest of the group's number.
    #[must_use]
    pub const fn index_position(self) -> u8 {
        (self.bits() & 0x3f) as u8
    }

    /// MC_Base_Address: where the first group's window begins.
    #[must_use]
    pub const fn base_address(self) -> u64 {
        self.bits() & !0xfff
    }
}

impl MulticastOverlay {
    /// MC_Overlay_Size: 2 to the power of this, in bytes; less than 6 for off.
    #[must_use]
    pub const fn overlay_size(self) -> u8 {
        (self.bits() & 0x3f) as u8
    }

    /// MC_Overlay_BAR: the address that replaces the multicast one.
    #[must_use]
    pub const fn overlay_base_address(self) -> u64 {
        self.bits() & !0x3f
    }
}

/// The Multicast capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x12, 0x00, 0x01, 0x00, 0x3f, 0x80, 0x07, 0x80, 0x0c, 0x00, 0x00, 0xe0, 0x01, 0x00, 0x00, 0x00,
///     0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::Multicast(multicast) = entry.decode()? else { panic!() };
/// assert_eq!(multicast.control().num_group(), 8);
/// assert_eq!(multicast.base_address().base_address(), 0x1_e000_0000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multicast<'a> {
    fixed: &'a [u8; 0x28],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> Multicast<'a> {
    /// Offset of Multicast Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of Multicast Control from the capability's start.
    pub const CONTROL: u16 = 0x06;
    /// Offset of MC_Base_Address from the capability's start.
    pub const BASE_ADDRESS: u16 = 0x08;
    /// Offset of MC_Receive from the capability's start.
    pub const RECEIVE: u16 = 0x10;
    /// Offset of MC_Block_All from the capability's start.
    pub const BLOCK_ALL: u16 = 0x18;
    /// Offset of MC_Block_Untranslated from the capability's start.
    pub const BLOCK_UNTRANSLATED: u16 = 0x20;
    /// Offset of MC_Overlay_BAR, lower half from the capability's start.
    pub const OVERLAY_LOW: u16 = 0x28;
    /// Offset of MC_Overlay_BAR, upper half from the capability's start.
    pub const OVERLAY_HIGH: u16 = 0x2c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Multicast Capability.
    #[must_use]
    pub const fn capability(self) -> MulticastCapability {
        MulticastCapability::from_bits_retain(word::<0x04, 0x28>(self.fixed))
    }

    /// Multicast Control.
    #[must_use]
    pub const fn control(self) -> MulticastControl {
        MulticastControl::from_bits_retain(word::<0x06, 0x28>(self.fixed))
    }

    /// MC_Base_Address.
    #[must_use]
    pub const fn base_address(self) -> MulticastBaseAddress {
        MulticastBaseAddress::from_bits_retain(
            (dword::<0x0c, 0x28>(self.fixed) as u64) << 32 | dword::<0x08, 0x28>(self.fixed) as u64,
        )
    }

    /// MC_Receive: one bit for each group that is taken in.
    #[must_use]
    pub const fn receive(self) -> u64 {
        (dword::<0x14, 0x28>(self.fixed) as u64) << 32 | dword::<0x10, 0x28>(self.fixed) as u64
    }

    /// MC_Block_All: one bit for each group that must not leave.
    #[must_use]
    pub const fn block_all(self) -> u64 {
        (dword::<0x1c, 0x28>(self.fixed) as u64) << 32 | dword::<0x18, 0x28>(self.fixed) as u64
    }

    /// MC_Block_Untranslated: one bit for each group whose untranslated requests must not leave.
    #[must_use]
    pub const fn block_untranslated(self) -> u64 {
        (dword::<0x24, 0x28>(self.fixed) as u64) << 32 | dword::<0x20, 0x28>(self.fixed) as u64
    }

    /// MC_Overlay_BAR, lower half; `None` if it cannot be read.
    #[must_use]
    pub fn overlay_low(self) -> Option<u32> {
        dword_at(self.bytes, Self::OVERLAY_LOW)
    }

    /// MC_Overlay_BAR, upper half; `None` if it cannot be read.
    #[must_use]
    pub fn overlay_high(self) -> Option<u32> {
        dword_at(self.bytes, Self::OVERLAY_HIGH)
    }

    /// MC_Overlay_BAR, of the dwords behind the common part: root ports and switch ports have it, in other
    /// functions something else stands there.
    #[must_use]
    pub fn overlay(self) -> Option<MulticastOverlay> {
        let (low, high) = (self.overlay_low()?, self.overlay_high()?);
        Some(MulticastOverlay::from_bits_retain(u64::from(high) << 32 | u64::from(low)))
    }
}
