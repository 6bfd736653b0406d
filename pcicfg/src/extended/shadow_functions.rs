//! Shadow Functions (002Dh): function numbers that lend their tags to another (PCI Express Base 6.0,
//! 7.9.25).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};

/// The Shadow Functions capability.
///
/// No public source confirms its bits: these are the registers, and no more.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x2d, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::ShadowFunctions(shadow) = entry.decode()? else { panic!() };
/// assert_eq!(shadow.instance(0), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShadowFunctions<'a> {
    fixed: &'a [u8; 0xc],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> ShadowFunctions<'a> {
    /// Offset of Shadow Functions Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of Shadow Functions Control from the capability's start.
    pub const CONTROL: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Shadow Functions Capability.
    #[must_use]
    pub const fn capability(self) -> u32 {
        dword::<0x04, 0xc>(self.fixed)
    }

    /// Shadow Functions Control.
    #[must_use]
    pub const fn control(self) -> u32 {
        dword::<0x08, 0xc>(self.fixed)
    }

    /// Offset of the first Shadow Functions Instance from the capability's start.
    pub const INSTANCES: u16 = 0x0c;

    /// A Shadow Functions Instance; `None` if it cannot be read. How many there are is not known here.
    #[must_use]
    pub fn instance(self, index: u8) -> Option<u32> {
        dword_at(self.bytes, Self::INSTANCES + 4 * u16::from(index))
    }
}
