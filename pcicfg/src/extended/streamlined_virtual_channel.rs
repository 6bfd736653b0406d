//! Streamlined Virtual Channel (0035h): virtual channels without arbitration tables (PCI Express Base
//! 6.1, 7.9.29).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// SVC Port Capability 1, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SvcPortCapability1: u32 {
        const _ = !0;
    }
}

impl SvcPortCapability1 {
    /// SVC Extended VC Count: how many channels there are beside VC0.
    #[must_use]
    pub const fn extended_vc_count(self) -> u8 {
        (self.bits() & 0x7) as u8
    }
}

/// A channel's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SvcResource {
    /// SVC VC Resource Capability.
    pub capability: u32,
    /// SVC VC Resource Control.
    pub control: u32,
    /// SVC VC Resource Status.
    pub status: u32,
}

/// The Streamlined Virtual Channel capability.
///
/// The count and where the registers stand have two public sources; the bits in them have none, and are
/// not named.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x35, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::StreamlinedVirtualChannel(channels) = entry.decode()? else { panic!() };
/// assert_eq!(channels.resources().next().unwrap().control, 0x8000_00ff);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamlinedVirtualChannel<'a> {
    fixed: &'a [u8; 0x14],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> StreamlinedVirtualChannel<'a> {
    /// Offset of SVC Port Capability 1 from the capability's start.
    pub const PORT_CAPABILITY_1: u16 = 0x04;
    /// Offset of SVC Port Capability 2 from the capability's start.
    pub const PORT_CAPABILITY_2: u16 = 0x08;
    /// Offset of SVC Port Control from the capability's start.
    pub const PORT_CONTROL: u16 = 0x0c;
    /// Offset of SVC Port Status from the capability's start.
    pub const PORT_STATUS: u16 = 0x10;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// SVC Port Capability 1.
    #[must_use]
    pub const fn port_capability_1(self) -> SvcPortCapability1 {
        SvcPortCapability1::from_bits_retain(dword::<0x04, 0x14>(self.fixed))
    }

    /// SVC Port Capability 2.
    #[must_use]
    pub const fn port_capability_2(self) -> u32 {
        dword::<0x08, 0x14>(self.fixed)
    }

    /// SVC Port Control.
    #[must_use]
    pub const fn port_control(self) -> u32 {
        dword::<0x0c, 0x14>(self.fixed)
    }

    /// SVC Port Status.
    #[must_use]
    pub const fn port_status(self) -> u32 {
        dword::<0x10, 0x14>(self.fixed)
    }

    /// Offset of the first channel's registers from the capability's start.
    pub const RESOURCES: u16 = 0x14;

    /// The channels: at most eight, and as many as can be read.
    pub fn resources(self) -> impl Iterator<Item = SvcResource> + Clone + use<'a> {
        let count = u16::from(self.port_capability_1().extended_vc_count()) + 1;
        (0..count).map_while(move |index| {
            let at = Self::RESOURCES + 12 * index;
            Some(SvcResource {
                capability: dword_at(self.bytes, at)?,
                control: dword_at(self.bytes, at + 4)?,
                status: dword_at(self.bytes, at + 8)?,
            })
        })
    }
}
