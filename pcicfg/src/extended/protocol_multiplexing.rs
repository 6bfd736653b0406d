//! Protocol Multiplexing (001Ah): other protocols on the same link (PCI Express Base 4.0, appendix G;
//! dropped in 5.0).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// PMUX Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PmuxCapability: u32 {
        /// At 2.5 GT/s.
        const SPEED_2_5_GT_SUPPORTED = 1 << 8;
        /// At 5 GT/s.
        const SPEED_5_GT_SUPPORTED = 1 << 9;
        /// At 8 GT/s.
        const SPEED_8_GT_SUPPORTED = 1 << 10;
        /// At 16 GT/s.
        const SPEED_16_GT_SUPPORTED = 1 << 11;
        const _ = !0;
    }

    /// PMUX Control, offset 08h: which protocol each channel carries, as an index of the array from 1;
    /// 0 for none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PmuxControl: u32 {
        const _ = !0;
    }

    /// PMUX Status, offset 0Ch: why a channel carries nothing.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PmuxStatus: u32 {
        /// Channel 0 Disabled Link Speed.
        const CHANNEL_0_DISABLED_LINK_SPEED = 1 << 0;
        /// Channel 0 Disabled Link Width.
        const CHANNEL_0_DISABLED_LINK_WIDTH = 1 << 1;
        /// Channel 0 Disabled Protocol Specific.
        const CHANNEL_0_DISABLED_PROTOCOL_SPECIFIC = 1 << 2;
        /// Channel 1 Disabled Link Speed.
        const CHANNEL_1_DISABLED_LINK_SPEED = 1 << 8;
        /// Channel 1 Disabled Link Width.
        const CHANNEL_1_DISABLED_LINK_WIDTH = 1 << 9;
        /// Channel 1 Disabled Protocol Specific.
        const CHANNEL_1_DISABLED_PROTOCOL_SPECIFIC = 1 << 10;
        /// Channel 2 Disabled Link Speed.
        const CHANNEL_2_DISABLED_LINK_SPEED = 1 << 16;
        /// Channel 2 Disabled Link Width.
        const CHANNEL_2_DISABLED_LINK_WIDTH = 1 << 17;
        /// Channel 2 Disabled Protocol Specific.
        const CHANNEL_2_DISABLED_PROTOCOL_SPECIFIC = 1 << 18;
        /// Channel 3 Disabled Link Speed.
        const CHANNEL_3_DISABLED_LINK_SPEED = 1 << 24;
        /// Channel 3 Disabled Link Width.
        const CHANNEL_3_DISABLED_LINK_WIDTH = 1 << 25;
        /// Channel 3 Disabled Protocol Specific.
        const CHANNEL_3_DISABLED_PROTOCOL_SPECIFIC = 1 << 26;
        const _ = !0;
    }
}

impl PmuxCapability {
    /// PMUX Protocol Array Size: how many protocols the function knows.
    #[must_use]
    pub const fn protocol_array_size(self) -> u8 {
        (self.bits() & 0x3f) as u8
    }
}

impl PmuxControl {
    /// PMUX Channel 0 Assignment.
    #[must_use]
    pub const fn channel_0_assignment(self) -> u8 {
        (self.bits() & 0x3f) as u8
    }

    /// PMUX Channel 1 Assignment.
    #[must_use]
    pub const fn channel_1_assignment(self) -> u8 {
        (self.bits() >> 8 & 0x3f) as u8
    }

    /// PMUX Channel 2 Assignment.
    #[must_use]
    pub const fn channel_2_assignment(self) -> u8 {
        (self.bits() >> 16 & 0x3f) as u8
    }

    /// PMUX Channel 3 Assignment.
    #[must_use]
    pub const fn channel_3_assignment(self) -> u8 {
        (self.bits() >> 24 & 0x3f) as u8
    }
}

/// An entry of the PMUX Protocol Array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PmuxProtocol {
    /// Protocol ID.
    pub protocol_id: u16,
    /// Authority ID: the vendor that defines the protocol.
    pub authority_id: u16,
}

/// The Protocol Multiplexing capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x1a, 0x00, 0x01, 0x00, 0x01, 0x04, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x34, 0x12, 0x86, 0x80,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::ProtocolMultiplexing(multiplexing) = entry.decode()? else { panic!() };
/// assert_eq!(multiplexing.protocols().next().unwrap().authority_id, 0x8086);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolMultiplexing<'a> {
    fixed: &'a [u8; 0x10],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> ProtocolMultiplexing<'a> {
    /// Offset of PMUX Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of PMUX Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of PMUX Status from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// PMUX Capability.
    #[must_use]
    pub const fn capability(self) -> PmuxCapability {
        PmuxCapability::from_bits_retain(dword::<0x04, 0x10>(self.fixed))
    }

    /// PMUX Control.
    #[must_use]
    pub const fn control(self) -> PmuxControl {
        PmuxControl::from_bits_retain(dword::<0x08, 0x10>(self.fixed))
    }

    /// PMUX Status.
    #[must_use]
    pub const fn status(self) -> PmuxStatus {
        PmuxStatus::from_bits_retain(dword::<0x0c, 0x10>(self.fixed))
    }

    /// Offset of the PMUX Protocol Array from the capability's start.
    pub const PROTOCOL_ARRAY: u16 = 0x10;

    /// The PMUX Protocol Array: as many entries as its size says and can be read.
    pub fn protocols(self) -> impl Iterator<Item = PmuxProtocol> + Clone + use<'a> {
        (0..u16::from(self.capability().protocol_array_size())).map_while(move |index| {
            let entry = dword_at(self.bytes, Self::PROTOCOL_ARRAY + 4 * index)?;
            Some(PmuxProtocol { protocol_id: entry as u16, authority_id: (entry >> 16) as u16 })
        })
    }
}
