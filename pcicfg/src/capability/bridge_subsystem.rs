//! PCI Bridge Subsystem Vendor ID (0Dh): the ids that a type 1 header has no place for (PCI-to-PCI
//! Bridge Architecture 1.2, 3.2.5.13).

use crate::config_space::{Truncated, fixed, word};

/// The Bridge Subsystem Vendor ID capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x0d, 0x00, 0x00, 0x00, 0xaa, 0x17, 0x34, 0x12,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::BridgeSubsystem(bridge) = entry.decode()? else { panic!() };
/// assert_eq!(bridge.subsystem_vendor_id(), 0x17aa);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgeSubsystem<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> BridgeSubsystem<'a> {
    /// Offset of Subsystem Vendor ID from the capability's start.
    pub const SUBSYSTEM_VENDOR_ID: u16 = 4;
    /// Offset of Subsystem ID from the capability's start.
    pub const SUBSYSTEM_ID: u16 = 6;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Subsystem Vendor ID.
    #[must_use]
    pub const fn subsystem_vendor_id(self) -> u16 {
        word::<4, 8>(self.bytes)
    }

    /// Subsystem ID.
    #[must_use]
    pub const fn subsystem_id(self) -> u16 {
        word::<6, 8>(self.bytes)
    }
}
