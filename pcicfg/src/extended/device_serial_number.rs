//! Device Serial Number (0003h) (PCI Express Base 6.0, 7.9.3).

use crate::config_space::{Truncated, dword, fixed};
use core::fmt;

/// A serial number: an EUI-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(pub u64);

impl fmt::Display for SerialNumber {
    /// The eight bytes from the highest to the lowest, as `lspci` prints them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.to_be_bytes().iter().enumerate() {
            write!(f, "{}{byte:02x}", if index == 0 { "" } else { "-" })?;
        }
        Ok(())
    }
}

/// The Device Serial Number capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x03, 0x00, 0x01, 0x00, 0x56, 0x34, 0x12, 0xff, 0xff, 0x21, 0x1b, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DeviceSerialNumber(serial) = entry.decode()? else { panic!() };
/// assert_eq!(serial.serial_number().0, 0x001b_21ff_ff12_3456);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSerialNumber<'a> {
    bytes: &'a [u8; 12],
    offset: u16,
}

impl<'a> DeviceSerialNumber<'a> {
    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// The serial number; all functions of a device have the same.
    #[must_use]
    pub const fn serial_number(self) -> SerialNumber {
        SerialNumber((dword::<8, 12>(self.bytes) as u64) << 32 | dword::<4, 12>(self.bytes) as u64)
    }
}
