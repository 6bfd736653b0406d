//! Flit Performance Measurement (0033h): how much of a link in flit mode is used (PCI Express Base 6.0,
//! 7.8.13).

use crate::config_space::{Truncated, dword, fixed};

/// The Flit Performance Measurement capability.
///
/// No public source confirms its bits: these are the first registers, and no more.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x33, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::FlitPerformance(flits) = entry.decode()? else { panic!() };
/// assert_eq!(flits.control(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlitPerformance<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> FlitPerformance<'a> {
    /// Offset of Flit Performance Measurement Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of Flit Performance Measurement Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of Flit Performance Measurement Status from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Flit Performance Measurement Capability.
    #[must_use]
    pub const fn capability(self) -> u32 {
        dword::<0x04, 0x10>(self.bytes)
    }

    /// Flit Performance Measurement Control.
    #[must_use]
    pub const fn control(self) -> u32 {
        dword::<0x08, 0x10>(self.bytes)
    }

    /// Flit Performance Measurement Status.
    #[must_use]
    pub const fn status(self) -> u32 {
        dword::<0x0c, 0x10>(self.bytes)
    }
}
