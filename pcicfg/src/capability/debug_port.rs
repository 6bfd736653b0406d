//! Debug port (0Ah): where a USB 2 controller has its debug registers (EHCI 1.0, appendix C).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Where the debug registers are, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DebugPortLocation: u16 {
        const _ = !0;
    }
}

impl DebugPortLocation {
    /// Debug Port Offset: from the start of what the register decodes, in bytes.
    #[must_use]
    pub const fn debug_port_offset(self) -> u16 {
        self.bits() & 0x1fff
    }

    /// BAR#: 1 for the register at 10h, to 6 for the one at 24h.
    #[must_use]
    pub const fn bar_number(self) -> u8 {
        (self.bits() >> 13) as u8
    }
}

/// The Debug port capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x0a, 0x00, 0xa0, 0x20,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::DebugPort(port) = entry.decode()? else { panic!() };
/// assert_eq!((port.location().bar_number(), port.location().debug_port_offset()), (1, 0xa0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebugPort<'a> {
    bytes: &'a [u8; 0x4],
    offset: u16,
}

impl<'a> DebugPort<'a> {
    /// Offset of Debug Port Location from the capability's start.
    pub const LOCATION: u16 = 0x02;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Debug Port Location.
    #[must_use]
    pub const fn location(self) -> DebugPortLocation {
        DebugPortLocation::from_bits_retain(word::<0x02, 0x4>(self.bytes))
    }
}
