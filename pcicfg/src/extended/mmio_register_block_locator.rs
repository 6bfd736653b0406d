//! MMIO Register Block Locator (0036h): blocks of registers in memory (PCI Express Base 6.1, 7.9.30).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// MRBL Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MrblCapabilities: u32 {
        const _ = !0;
    }
}

impl MrblCapabilities {
    /// MRBL Structure Length, in bytes: of the locators with the eight before them.
    #[must_use]
    pub const fn structure_length(self) -> u16 {
        (self.bits() & 0xfff) as u16
    }
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MmioRegisterBlockId {
    /// Nothing: the locator is empty.
    Empty,
    /// MMIO capabilities (MCAP).
    MmioCapabilities,
    /// Designated vendor-specific registers (MDVS).
    DesignatedVendorSpecific,
    /// A code without a meaning.
    Reserved(u8),
}

/// MRBL Locator: where a block of registers is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MmioRegisterBlock {
    /// Register BIR: which Base Address Register, 0 to 5.
    pub bar_index: u8,
    /// Register Block Identifier.
    pub id: MmioRegisterBlockId,
    /// Register Block Offset in what the register decodes, aligned to 64 KiB.
    pub block_offset: u64,
}

/// The MMIO Register Block Locator capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x36, 0x00, 0x01, 0x00, 0x10, 0x00, 0x00, 0x00, 0x02, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::MmioRegisterBlockLocator(locator) = entry.decode()? else { panic!() };
/// assert_eq!(locator.blocks().next().unwrap().block_offset, 0x1_0000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmioRegisterBlockLocator<'a> {
    fixed: &'a [u8; 0x8],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> MmioRegisterBlockLocator<'a> {
    /// Offset of MRBL Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// MRBL Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> MrblCapabilities {
        MrblCapabilities::from_bits_retain(dword::<0x04, 0x8>(self.fixed))
    }

    /// Offset of the first locator from the capability's start.
    pub const LOCATORS: u16 = 0x08;

    /// The locators: as many as the length says and can be read.
    pub fn blocks(self) -> impl Iterator<Item = MmioRegisterBlock> + Clone + use<'a> {
        let count = (self.capabilities().structure_length() / 8).saturating_sub(1);
        (0..count).map_while(move |index| {
            let low = dword_at(self.bytes, Self::LOCATORS + 8 * index)?;
            let high = dword_at(self.bytes, Self::LOCATORS + 8 * index + 4)?;
            Some(MmioRegisterBlock {
                bar_index: (low & 7) as u8,
                id: match (low >> 8) as u8 {
                    0x00 => MmioRegisterBlockId::Empty,
                    0x01 => MmioRegisterBlockId::MmioCapabilities,
                    0xff => MmioRegisterBlockId::DesignatedVendorSpecific,
                    other => MmioRegisterBlockId::Reserved(other),
                },
                block_offset: u64::from(high) << 32 | u64::from(low & 0xffff_0000),
            })
        })
    }
}
