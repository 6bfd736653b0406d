//! Device 3 (002Fh): what Device Capabilities and Control have no more room for (PCI Express Base 6.0,
//! 7.7.9).

use super::data_link_feature::l0p_exit_latency;
use crate::capability::LinkWidth;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// Device Capabilities 3, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceCapabilities3: u32 {
        /// Deferrable memory writes find their way.
        const DMWR_REQUEST_ROUTING_SUPPORTED = 1 << 0;
        /// Requests may have tags of 14 bits.
        const TAG_14_BIT_COMPLETER_SUPPORTED = 1 << 1;
        /// The function can make tags of 14 bits.
        const TAG_14_BIT_REQUESTER_SUPPORTED = 1 << 2;
        /// L0p Supported: the link can leave lanes idle.
        const RECEIVER_L0P_SUPPORTED = 1 << 3;
        /// Unordered I/O as a completer.
        const UIO_MEM_RD_WR_COMPLETER_SUPPORTED = 1 << 10;
        /// Unordered I/O as a requester.
        const UIO_MEM_RD_WR_REQUESTER_SUPPORTED = 1 << 11;
        const _ = !0;
    }

    /// Device Control 3, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceControl3: u32 {
        /// The function may make deferrable memory writes.
        const DMWR_REQUESTER_ENABLE = 1 << 0;
        /// They do not leave through this port.
        const DMWR_EGRESS_BLOCKING = 1 << 1;
        /// The function may make tags of 14 bits.
        const TAG_14_BIT_REQUESTER_ENABLE = 1 << 2;
        /// The link may leave lanes idle.
        const L0P_ENABLE = 1 << 3;
        /// The function may make unordered requests.
        const UIO_MEM_RD_WR_REQUESTER_ENABLE = 1 << 7;
        /// They may cross a boundary of 256 bytes.
        const UIO_REQUEST_256B_BOUNDARY_DISABLE = 1 << 8;
        const _ = !0;
    }

    /// Device Status 3, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceStatus3: u32 {
        /// The function knows its segment.
        const SEGMENT_CAPTURED = 1 << 3;
        /// The other side can leave lanes idle.
        const REMOTE_L0P_SUPPORTED = 1 << 4;
        const _ = !0;
    }
}

impl DeviceCapabilities3 {
    /// The port's latest exit from L0p; `None` for more than 64 µs.
    #[must_use]
    pub const fn port_l0p_exit_latency(self) -> Option<Duration> {
        l0p_exit_latency(self.bits() >> 4 & 0x7)
    }

    /// The retimers' latest exit from L0p; `None` for more than 64 µs.
    #[must_use]
    pub const fn retimer_l0p_exit_latency(self) -> Option<Duration> {
        l0p_exit_latency(self.bits() >> 7 & 0x7)
    }
}

impl DeviceControl3 {
    /// Target Link Width.
    #[must_use]
    pub const fn target_link_width(self) -> TargetLinkWidth {
        match (self.bits() >> 4 & 0x7) as u8 {
            7 => TargetLinkWidth::Dynamic,
            code => match width(code) {
                Some(width) => TargetLinkWidth::Fixed(width),
                None => TargetLinkWidth::Reserved(code),
            },
        }
    }
}

/// How many lanes of a link are to be in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetLinkWidth {
    /// So many.
    Fixed(LinkWidth),
    /// As many as the device finds right.
    Dynamic,
    /// A code without a meaning.
    Reserved(u8),
}

/// One lane, doubled by each code.
pub(super) const fn width(code: u8) -> Option<LinkWidth> {
    if code <= 4 { Some(LinkWidth(1 << code)) } else { None }
}

impl DeviceStatus3 {
    /// Initial Link Width: how many lanes training gave; `None` for a reserved code.
    #[must_use]
    pub const fn initial_link_width(self) -> Option<LinkWidth> {
        width((self.bits() & 0x7) as u8)
    }
}

/// The Device 3 capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x2f, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::Device3(device) = entry.decode()? else { panic!() };
/// assert_eq!(device.status().initial_link_width().unwrap().lanes(), 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device3<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> Device3<'a> {
    /// Offset of Device Capabilities 3 from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of Device Control 3 from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of Device Status 3 from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Device Capabilities 3.
    #[must_use]
    pub const fn capabilities(self) -> DeviceCapabilities3 {
        DeviceCapabilities3::from_bits_retain(dword::<0x04, 0x10>(self.bytes))
    }

    /// Device Control 3.
    #[must_use]
    pub const fn control(self) -> DeviceControl3 {
        DeviceControl3::from_bits_retain(dword::<0x08, 0x10>(self.bytes))
    }

    /// Device Status 3.
    #[must_use]
    pub const fn status(self) -> DeviceStatus3 {
        DeviceStatus3::from_bits_retain(dword::<0x0c, 0x10>(self.bytes))
    }
}
