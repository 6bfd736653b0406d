//! Message Signaled Interrupts (05h) (PCI Express Base 6.0, 7.7.1).

use super::registers::{dword_at, first, word_at};
use crate::config_space::Truncated;
use bitflags::bitflags;

bitflags! {
    /// MSI Message Control, offset 2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MsiMessageControl: u16 {
        /// The function interrupts by message and not by INTx.
        const MSI_ENABLE = 1 << 0;
        /// The address has 64 bits: every register behind it stands four bytes later.
        const ADDRESS_64_BIT_CAPABLE = 1 << 7;
        /// There are Mask Bits and Pending Bits.
        const PER_VECTOR_MASKING_CAPABLE = 1 << 8;
        /// The data can have 32 bits.
        const EXTENDED_MESSAGE_DATA_CAPABLE = 1 << 9;
        /// The data has 32 bits.
        const EXTENDED_MESSAGE_DATA_ENABLE = 1 << 10;
        const _ = !0;
    }
}

impl MsiMessageControl {
    /// How many vectors the function asks for, 1 to 32; `None` for a reserved code.
    #[must_use]
    pub const fn multiple_message_capable(self) -> Option<u8> {
        vectors(self.bits() >> 1)
    }

    /// How many vectors the function was given, 1 to 32; `None` for a reserved code.
    #[must_use]
    pub const fn multiple_message_enable(self) -> Option<u8> {
        vectors(self.bits() >> 4)
    }

    /// Where Message Data stands, from the capability's start.
    #[must_use]
    pub const fn message_data_offset(self) -> u16 {
        0x08 + self.upper_address_bytes()
    }

    /// Where Mask Bits stands, from the capability's start; `None` without per-vector masking.
    #[must_use]
    pub const fn mask_bits_offset(self) -> Option<u16> {
        if !self.contains(Self::PER_VECTOR_MASKING_CAPABLE) {
            return None;
        }
        Some(0x0c + self.upper_address_bytes())
    }

    /// Where Pending Bits stands, from the capability's start; `None` without per-vector masking.
    #[must_use]
    pub const fn pending_bits_offset(self) -> Option<u16> {
        if !self.contains(Self::PER_VECTOR_MASKING_CAPABLE) {
            return None;
        }
        Some(0x10 + self.upper_address_bytes())
    }

    /// How many bytes a capability with these flags takes: 10 to 24.
    #[must_use]
    pub const fn size(self) -> u16 {
        let data = if self.contains(Self::PER_VECTOR_MASKING_CAPABLE) {
            12
        } else if self.contains(Self::EXTENDED_MESSAGE_DATA_CAPABLE) {
            4
        } else {
            2
        };
        self.message_data_offset() + data
    }

    const fn upper_address_bytes(self) -> u16 {
        if self.contains(Self::ADDRESS_64_BIT_CAPABLE) { 4 } else { 0 }
    }
}

const fn vectors(code: u16) -> Option<u8> {
    match code & 7 {
        code @ 0..=5 => Some(1 << code),
        _ => None,
    }
}

/// The MSI capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x05, 0x00, 0x81, 0x00, 0x00, 0x10, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00, 0x25, 0x49,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::Msi(msi) = entry.decode()? else { panic!() };
/// assert_eq!((msi.message_address(), msi.message_data()), (0xfee0_1000, 0x4925));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Msi<'a> {
    bytes: &'a [u8],
    control: MsiMessageControl,
    offset: u16,
}

impl<'a> Msi<'a> {
    /// Offset of Message Control from the capability's start.
    pub const MESSAGE_CONTROL: u16 = 2;
    /// Offset of Message Address from the capability's start. Where the registers behind it stand,
    /// [`MsiMessageControl`] says.
    pub const MESSAGE_ADDRESS: u16 = 4;
    /// Offset of Message Upper Address from the capability's start, if the address has 64 bits.
    pub const MESSAGE_UPPER_ADDRESS: u16 = 8;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        let control = word_at(first(bytes, offset, 4)?, Self::MESSAGE_CONTROL).unwrap_or(0);
        let control = MsiMessageControl::from_bits_retain(control);
        Ok(Self { bytes: first(bytes, offset, control.size())?, control, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Message Control.
    #[must_use]
    pub const fn message_control(self) -> MsiMessageControl {
        self.control
    }

    /// Message Address and Message Upper Address: where the function writes its message.
    #[must_use]
    pub fn message_address(self) -> u64 {
        let low = dword_at(self.bytes, Self::MESSAGE_ADDRESS).unwrap_or(0);
        let high = match self.control.contains(MsiMessageControl::ADDRESS_64_BIT_CAPABLE) {
            true => dword_at(self.bytes, Self::MESSAGE_UPPER_ADDRESS).unwrap_or(0),
            false => 0,
        };
        u64::from(high) << 32 | u64::from(low)
    }

    /// Message Data: what the function writes for its first vector.
    #[must_use]
    pub fn message_data(self) -> u16 {
        word_at(self.bytes, self.control.message_data_offset()).unwrap_or(0)
    }

    /// Extended Message Data: the upper half of the data, where the function has it.
    #[must_use]
    pub fn extended_message_data(self) -> Option<u16> {
        if !self.control.contains(MsiMessageControl::EXTENDED_MESSAGE_DATA_CAPABLE) {
            return None;
        }
        word_at(self.bytes, self.control.message_data_offset() + 2)
    }

    /// Mask Bits, one for each vector; `None` without per-vector masking.
    #[must_use]
    pub fn mask_bits(self) -> Option<u32> {
        dword_at(self.bytes, self.control.mask_bits_offset()?)
    }

    /// Pending Bits, one for each vector; `None` without per-vector masking.
    #[must_use]
    pub fn pending_bits(self) -> Option<u32> {
        dword_at(self.bytes, self.control.pending_bits_offset()?)
    }
}
