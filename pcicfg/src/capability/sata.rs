//! Serial ATA Data/Index Configuration (12h): where an AHCI controller has its index and data registers
//! (Serial ATA AHCI 1.3, 2.4).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// SATA Capability Revision, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SataRevision: u8 {
        const _ = !0;
    }

    /// SATA Capability 1 (SATACR1), offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SataBar: u32 {
        const _ = !0;
    }
}

impl SataRevision {
    /// Minor Revision.
    #[must_use]
    pub const fn minor_revision(self) -> u8 {
        self.bits() & 0xf
    }

    /// Major Revision.
    #[must_use]
    pub const fn major_revision(self) -> u8 {
        self.bits() >> 4
    }
}

impl SataBar {
    /// BAR Location.
    #[must_use]
    pub const fn bar_location(self) -> SataBarLocation {
        let code = self.bits() & 0xf;
        SataBarLocation::from_code(code as u8)
    }

    /// BAR Offset: where the pair of registers begins in what the register decodes, in bytes.
    #[must_use]
    pub const fn bar_offset(self) -> u32 {
        let code = self.bits() >> 4 & 0xfffff;
        code * 4
    }
}

/// Where the index and data registers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SataBarLocation {
    /// In what this register decodes, 0 to 5.
    Bar(u8),
    /// In configuration space, in the two dwords behind SATACR1.
    ConfigurationSpace,
    /// A code without a meaning.
    Reserved(u8),
}

impl SataBarLocation {
    const fn from_code(code: u8) -> Self {
        match code {
            4..=9 => Self::Bar(code - 4),
            15 => Self::ConfigurationSpace,
            other => Self::Reserved(other),
        }
    }
}

/// The Serial ATA Data/Index Configuration capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x12, 0x00, 0x10, 0x00, 0x48, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::Sata(sata) = entry.decode()? else { panic!() };
/// assert_eq!(sata.bar().bar_offset(), 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sata<'a> {
    fixed: &'a [u8; 0x8],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> Sata<'a> {
    /// Offset of SATA Revision from the capability's start.
    pub const REVISION: u16 = 0x02;
    /// Offset of SATA Capability 1 from the capability's start.
    pub const BAR: u16 = 0x04;
    /// Offset of Index, where it is in configuration space from the capability's start.
    pub const INDEX: u16 = 0x08;
    /// Offset of Data, where it is in configuration space from the capability's start.
    pub const DATA: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// SATA Revision.
    #[must_use]
    pub const fn revision(self) -> SataRevision {
        SataRevision::from_bits_retain(self.fixed[0x02])
    }

    /// SATA Capability 1.
    #[must_use]
    pub const fn bar(self) -> SataBar {
        SataBar::from_bits_retain(dword::<0x04, 0x8>(self.fixed))
    }

    /// Index, where it is in configuration space; `None` if it cannot be read.
    #[must_use]
    pub fn index_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::INDEX)
    }

    /// Data, where it is in configuration space; `None` if it cannot be read.
    #[must_use]
    pub fn data_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::DATA)
    }

    /// The Index and Data registers; `None` unless they are in configuration space.
    #[must_use]
    pub fn index_data_pair(self) -> Option<(u32, u32)> {
        match self.bar().bar_location() {
            SataBarLocation::ConfigurationSpace => Some((self.index_register()?, self.data_register()?)),
            _ => None,
        }
    }
}
