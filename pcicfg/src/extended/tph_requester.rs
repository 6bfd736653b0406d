//! TPH Requester (0017h): hints for caches (PCI Express Base 6.0, 7.9.13).

use crate::capability::registers::word_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// TPH Requester Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TphCapability: u32 {
        /// Hints without steering tags.
        const NO_ST_MODE_SUPPORTED = 1 << 0;
        /// A steering tag for each interrupt vector.
        const INTERRUPT_VECTOR_MODE_SUPPORTED = 1 << 1;
        /// Steering tags as the device likes.
        const DEVICE_SPECIFIC_MODE_SUPPORTED = 1 << 2;
        /// Steering tags of 16 bits.
        const EXTENDED_TPH_REQUESTER_SUPPORTED = 1 << 8;
        const _ = !0;
    }

    /// TPH Requester Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TphControl: u32 {
        const _ = !0;
    }
}

/// Where the table of steering tags is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SteeringTableLocation {
    /// Nowhere.
    NotPresent,
    /// In the capability.
    Capability,
    /// In the MSI-X table.
    MsiXTable,
    /// The fourth code.
    Reserved,
}

impl TphCapability {
    /// Where the table of steering tags is.
    #[must_use]
    pub const fn st_table_location(self) -> SteeringTableLocation {
        match self.bits() >> 9 & 3 {
            0 => SteeringTableLocation::NotPresent,
            1 => SteeringTableLocation::Capability,
            2 => SteeringTableLocation::MsiXTable,
            _ => SteeringTableLocation::Reserved,
        }
    }

    /// How many tags the table holds, 1 to 2048 (the register holds one less).
    #[must_use]
    pub const fn st_table_size(self) -> u16 {
        (self.bits() >> 16 & 0x7ff) as u16 + 1
    }
}

impl TphControl {
    /// ST Mode Select.
    #[must_use]
    pub const fn st_mode_select(self) -> SteeringTagMode {
        match self.bits() as u8 & 7 {
            0 => SteeringTagMode::NoTags,
            1 => SteeringTagMode::InterruptVector,
            2 => SteeringTagMode::DeviceSpecific,
            other => SteeringTagMode::Reserved(other),
        }
    }

    /// TPH Requester Enable.
    #[must_use]
    pub const fn tph_requester_enable(self) -> TphRequesterEnable {
        match self.bits() >> 8 & 3 {
            0 => TphRequesterEnable::Off,
            1 => TphRequesterEnable::Tph,
            3 => TphRequesterEnable::TphAndExtendedTph,
            _ => TphRequesterEnable::Reserved,
        }
    }
}

/// How a function chooses its steering tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SteeringTagMode {
    /// There are none.
    NoTags,
    /// By the number of the interrupt.
    InterruptVector,
    /// In its own way.
    DeviceSpecific,
    /// A code without a meaning.
    Reserved(u8),
}

/// Which hints a function may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TphRequesterEnable {
    /// None.
    Off,
    /// Hints with tags of eight bits.
    Tph,
    /// And with tags of sixteen.
    TphAndExtendedTph,
    /// The third code.
    Reserved,
}

/// The TPH Requester capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x17, 0x00, 0x01, 0x00, 0x01, 0x02, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::TphRequester(tph) = entry.decode()? else { panic!() };
/// assert_eq!(tph.st_table().count(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TphRequester<'a> {
    fixed: &'a [u8; 12],
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> TphRequester<'a> {
    /// Offset of TPH Requester Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of TPH Requester Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of the table of steering tags, where it is here, from the capability's start.
    pub const ST_TABLE: u16 = 0x0c;
    /// The most tags that the table can have here, by the specification.
    pub const ST_TABLE_MAX: u16 = 64;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// TPH Requester Capability.
    #[must_use]
    pub const fn capability(self) -> TphCapability {
        TphCapability::from_bits_retain(dword::<4, 12>(self.fixed))
    }

    /// TPH Requester Control.
    #[must_use]
    pub const fn control(self) -> TphControl {
        TphControl::from_bits_retain(dword::<8, 12>(self.fixed))
    }

    /// The steering tags, the extended half in the high byte: none unless the table is in the
    /// capability, at most [`ST_TABLE_MAX`](Self::ST_TABLE_MAX) and no more than can be read.
    pub fn st_table(self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        let count = match self.capability().st_table_location() {
            SteeringTableLocation::Capability => self.capability().st_table_size().min(Self::ST_TABLE_MAX),
            _ => 0,
        };
        (0..count).map_while(move |index| word_at(self.bytes, Self::ST_TABLE + 2 * index))
    }
}
