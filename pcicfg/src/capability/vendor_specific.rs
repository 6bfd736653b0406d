//! Vendor Specific (09h): bytes of which only the length has a common meaning (PCI Express Base 6.0,
//! 7.9.4).

use super::{IntelCapabilities, Virtio};
use crate::config_space::{Truncated, fixed};

/// The Vendor Specific capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x09, 0x00, 0x05, 0xde, 0xad,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::VendorSpecific(vendor) = entry.decode()? else { panic!() };
/// assert_eq!(vendor.data(), [0xde, 0xad]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorSpecific<'a> {
    length: u8,
    bytes: &'a [u8],
    offset: u16,
    id: u32,
}

impl<'a> VendorSpecific<'a> {
    /// Offset of Capability Length from the capability's start.
    pub const LENGTH: u16 = 2;
    /// Offset of the first byte whose meaning is the vendor's.
    pub const DATA: u16 = 3;

    /// `id` is the dword at offset 0 of the function's space.
    pub(crate) fn new(bytes: &'a [u8], offset: u16, id: u32) -> Result<Self, Truncated> {
        let &[_, _, length] = fixed(bytes, offset)?;
        Ok(Self { length, bytes: bytes.get(..usize::from(length)).unwrap_or(bytes), offset, id })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Capability Length: what the capability says that it takes, in bytes. It may be any value.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// The vendor's bytes, behind the length: as many as that claims, less if they cannot be read.
    #[must_use]
    pub fn data(self) -> &'a [u8] {
        self.bytes.get(usize::from(Self::DATA)..).unwrap_or_default()
    }

    /// The fields, if the function is a virtio device (vendor 1af4, device 1000 to 107f) and the capability
    /// is long enough.
    #[must_use]
    pub fn virtio(self) -> Option<Virtio<'a>> {
        match (self.id as u16, self.id >> 16) {
            (0x1af4, 0x1000..=0x107f) => Virtio::new(self.bytes, self.offset).ok(),
            _ => None,
        }
    }

    /// The fields, if the function is Intel's (vendor 8086) and the capability is long enough.
    #[must_use]
    pub fn intel(self) -> Option<IntelCapabilities<'a>> {
        match self.id as u16 {
            0x8086 => IntelCapabilities::new(self.bytes, self.offset).ok(),
            _ => None,
        }
    }
}
