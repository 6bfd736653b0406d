//! Vital Product Data (03h): a window to a small memory with part and serial numbers (PCI Local Bus
//! 3.0, appendix I).
//!
//! The data themselves are not in configuration space: each dword has to be asked for by a write.

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// VPD Address, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VpdAddressRegister: u16 {
        /// Completion: written 0 for a read, the function sets it when the data are there; written 1
        /// for a write, the function clears it when the data are stored.
        const F = 1 << 15;
        const _ = !0;
    }
}

impl VpdAddressRegister {
    /// VPD Address: which byte of the memory, a multiple of four.
    #[must_use]
    pub const fn vpd_address(self) -> u16 {
        self.bits() & 0x7fff
    }
}

/// The Vital Product Data capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x03, 0x00, 0x04, 0x80, 0x12, 0x34, 0x56, 0x78,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::VitalProductData(vpd) = entry.decode()? else { panic!() };
/// assert_eq!((vpd.address().vpd_address(), vpd.data()), (4, 0x7856_3412));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VitalProductData<'a> {
    bytes: &'a [u8; 0x8],
    offset: u16,
}

impl<'a> VitalProductData<'a> {
    /// Offset of VPD Address from the capability's start.
    pub const ADDRESS: u16 = 0x02;
    /// Offset of VPD Data from the capability's start.
    pub const DATA: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// VPD Address.
    #[must_use]
    pub const fn address(self) -> VpdAddressRegister {
        VpdAddressRegister::from_bits_retain(word::<0x02, 0x8>(self.bytes))
    }

    /// VPD Data: what was last read, or is to be written.
    #[must_use]
    pub const fn data(self) -> u32 {
        dword::<0x04, 0x8>(self.bytes)
    }
}
