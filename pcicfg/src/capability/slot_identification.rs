//! Slot Identification (04h): which slots a bridge leads to (PCI-to-PCI Bridge 1.2, chapter 13).

use crate::config_space::{Truncated, fixed};
use bitflags::bitflags;

bitflags! {
    /// Expansion Slot, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ExpansionSlot: u8 {
        /// The bridge is the first of its chassis: the chassis number is its own to keep.
        const FIRST_IN_CHASSIS = 1 << 5;
        const _ = !0;
    }
}

impl ExpansionSlot {
    /// Expansion Slots Provided: how many slots there are on the secondary bus.
    #[must_use]
    pub const fn expansion_slots_provided(self) -> u8 {
        self.bits() & 0x1f
    }
}

/// The Slot Identification capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x04, 0x00, 0x23, 0x07,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::SlotIdentification(slots) = entry.decode()? else { panic!() };
/// assert_eq!(slots.expansion_slot().expansion_slots_provided(), 3);
/// assert_eq!(slots.chassis_number(), 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotIdentification<'a> {
    bytes: &'a [u8; 0x4],
    offset: u16,
}

impl<'a> SlotIdentification<'a> {
    /// Offset of Expansion Slot from the capability's start.
    pub const EXPANSION_SLOT: u16 = 0x02;
    /// Offset of Chassis Number from the capability's start.
    pub const CHASSIS_NUMBER: u16 = 0x03;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Expansion Slot.
    #[must_use]
    pub const fn expansion_slot(self) -> ExpansionSlot {
        ExpansionSlot::from_bits_retain(self.bytes[0x02])
    }

    /// Chassis Number.
    #[must_use]
    pub const fn chassis_number(self) -> u8 {
        self.bytes[0x03]
    }
}
