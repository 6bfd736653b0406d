//! Captured Data (003Ah) (PCI Express Base 7.0).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};

/// The Captured Data capability.
///
/// No public source confirms its layout, nor its length: these are the dwords behind the header.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x3a, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::CapturedData(captured) = entry.decode()? else { panic!() };
/// assert_eq!(captured.dword(1), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedData<'a> {
    fixed: &'a [u8; 0x8],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> CapturedData<'a> {
    /// Offset of Captured Data, first dword from the capability's start.
    pub const FIRST: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Captured Data, first dword.
    #[must_use]
    pub const fn first_dword(self) -> u32 {
        dword::<0x04, 0x8>(self.fixed)
    }

    /// A dword behind the header, by its number; `None` if it cannot be read. What follows the capability
    /// is not told apart from it.
    #[must_use]
    pub fn dword(self, index: u8) -> Option<u32> {
        dword_at(self.bytes, Self::FIRST + 4 * u16::from(index))
    }
}
