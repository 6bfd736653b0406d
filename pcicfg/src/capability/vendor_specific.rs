//! Vendor Specific (09h): bytes of which only the length has a common meaning (PCI Express Base 6.0,
//! 7.9.4).

use crate::config_space::{Truncated, fixed};

/// The Vendor Specific capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorSpecific<'a> {
    length: u8,
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> VendorSpecific<'a> {
    /// Offset of Capability Length from the capability's start.
    pub const LENGTH: u16 = 2;
    /// Offset of the first byte whose meaning is the vendor's.
    pub const DATA: u16 = 3;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        let &[_, _, length] = fixed(bytes, offset)?;
        Ok(Self { length, bytes: bytes.get(..usize::from(length)).unwrap_or(bytes), offset })
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
}
