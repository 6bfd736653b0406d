//! MSI-X (11h): message interrupts with a table in a BAR (PCI Express Base 6.0, 7.7.2).

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// MSI-X Message Control, offset 2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MsiXMessageControl: u16 {
        /// All vectors are masked.
        const FUNCTION_MASK = 1 << 14;
        /// The function interrupts by its table's messages and not by INTx or MSI.
        const MSI_X_ENABLE = 1 << 15;
        const _ = !0;
    }
}

impl MsiXMessageControl {
    /// How many vectors the table has, 1 to 2048 (the register holds one less).
    #[must_use]
    pub const fn table_size(self) -> u16 {
        (self.bits() & 0x7ff) + 1
    }
}

/// A place in a function's memory: Table Offset/Table BIR, or PBA Offset/PBA BIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BarOffset(pub u32);

impl BarOffset {
    /// Which BAR, 0 to 5; 6 and 7 are reserved.
    #[must_use]
    pub const fn bar_index(self) -> u8 {
        self.0 as u8 & 7
    }

    /// How many bytes from the BAR's first; a multiple of eight.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.0 & !7
    }
}

/// The MSI-X capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x11, 0x00, 0x07, 0x80, 0x02, 0x20, 0x00, 0x00, 0x02, 0x30, 0x00, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::MsiX(msi_x) = entry.decode()? else { panic!() };
/// assert_eq!((msi_x.table().bar_index(), msi_x.table().offset()), (2, 0x2000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsiX<'a> {
    bytes: &'a [u8; 12],
    offset: u16,
}

impl<'a> MsiX<'a> {
    /// Offset of Message Control from the capability's start.
    pub const MESSAGE_CONTROL: u16 = 2;
    /// Offset of Table Offset/Table BIR from the capability's start.
    pub const TABLE: u16 = 4;
    /// Offset of PBA Offset/PBA BIR from the capability's start.
    pub const PENDING_BIT_ARRAY: u16 = 8;
    /// The size of one entry of the table, in bytes.
    pub const TABLE_ENTRY_SIZE: u16 = 16;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Message Control.
    #[must_use]
    pub const fn message_control(self) -> MsiXMessageControl {
        MsiXMessageControl::from_bits_retain(word::<2, 12>(self.bytes))
    }

    /// Where the table is.
    #[must_use]
    pub const fn table(self) -> BarOffset {
        BarOffset(dword::<4, 12>(self.bytes))
    }

    /// Where the pending bit array is.
    #[must_use]
    pub const fn pending_bit_array(self) -> BarOffset {
        BarOffset(dword::<8, 12>(self.bytes))
    }
}
