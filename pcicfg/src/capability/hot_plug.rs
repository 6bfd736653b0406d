//! PCI Hot-Plug (0Ch): the window to a standard hot-plug controller (SHPC 1.0, 3.4).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// What the controller wants, offset 03h. The two bits are where QEMU's device model has them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HotPlugPending: u8 {
        /// CSP: a system error of the controller is pending.
        const CONTROLLER_SERR_PENDING = 1 << 2;
        /// CIP: an interrupt of the controller is pending.
        const CONTROLLER_INTERRUPT_PENDING = 1 << 3;
        const _ = !0;
    }
}

/// The PCI Hot-Plug capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x0c, 0x00, 0x05, 0x08, 0x01, 0x02, 0x03, 0x04,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::HotPlug(hot_plug) = entry.decode()? else { panic!() };
/// assert_eq!((hot_plug.dword_select(), hot_plug.dword_data()), (5, 0x0403_0201));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotPlug<'a> {
    bytes: &'a [u8; 0x8],
    offset: u16,
}

impl<'a> HotPlug<'a> {
    /// Offset of DWORD Select from the capability's start.
    pub const DWORD_SELECT: u16 = 0x02;
    /// Offset of Controller Pending from the capability's start.
    pub const PENDING: u16 = 0x03;
    /// Offset of DWORD Data from the capability's start.
    pub const DWORD_DATA: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// DWORD Select: which dword of the controller's registers DWORD Data shows.
    #[must_use]
    pub const fn dword_select(self) -> u8 {
        self.bytes[0x02]
    }

    /// Controller Pending.
    #[must_use]
    pub const fn pending(self) -> HotPlugPending {
        HotPlugPending::from_bits_retain(self.bytes[0x03])
    }

    /// DWORD Data.
    #[must_use]
    pub const fn dword_data(self) -> u32 {
        dword::<0x04, 0x8>(self.bytes)
    }
}
