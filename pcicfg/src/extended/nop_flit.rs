//! NOP Flit (0037h): what flits without a payload carry (PCI Express Base 7.0).

use crate::config_space::{Truncated, dword, fixed};

/// The NOP Flit capability.
///
/// One public source has the registers' places, and none their bits: they are not named.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x37, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
///     0x04, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::NopFlit(flit) = entry.decode()? else { panic!() };
/// assert_eq!(flit.control_2(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NopFlit<'a> {
    bytes: &'a [u8; 0x14],
    offset: u16,
}

impl<'a> NopFlit<'a> {
    /// Offset of NOP Flit Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of NOP Flit Control 1 from the capability's start.
    pub const CONTROL_1: u16 = 0x08;
    /// Offset of NOP Flit Control 2 from the capability's start.
    pub const CONTROL_2: u16 = 0x0c;
    /// Offset of NOP Flit Status from the capability's start.
    pub const STATUS: u16 = 0x10;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// NOP Flit Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> u32 {
        dword::<0x04, 0x14>(self.bytes)
    }

    /// NOP Flit Control 1.
    #[must_use]
    pub const fn control_1(self) -> u32 {
        dword::<0x08, 0x14>(self.bytes)
    }

    /// NOP Flit Control 2.
    #[must_use]
    pub const fn control_2(self) -> u32 {
        dword::<0x0c, 0x14>(self.bytes)
    }

    /// NOP Flit Status.
    #[must_use]
    pub const fn status(self) -> u32 {
        dword::<0x10, 0x14>(self.bytes)
    }
}
