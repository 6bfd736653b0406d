//! Page Request Interface (0013h): a function that asks for pages (PCI Express Base 6.0, 10.5.2).

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Page Request Control, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PageRequestControl: u16 {
        /// The function may request pages.
        const ENABLE = 1 << 0;
        /// Writing 1 while disabled resets the interface; reads 0.
        const RESET = 1 << 1;
        const _ = !0;
    }

    /// Page Request Status, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PageRequestStatus: u16 {
        /// A response said that requests fail; write 1 to clear.
        const RESPONSE_FAILURE = 1 << 0;
        /// A response to no request came; write 1 to clear.
        const UNEXPECTED_PAGE_REQUEST_GROUP_INDEX = 1 << 1;
        /// The interface is disabled and every request was answered.
        const STOPPED = 1 << 8;
        /// Responses have to carry the PASID of their request.
        const PRG_RESPONSE_PASID_REQUIRED = 1 << 15;
        const _ = !0;
    }
}

/// The Page Request Interface capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x13, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x01, 0x20, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PageRequestInterface(requests) = entry.decode()? else { panic!() };
/// assert_eq!(requests.outstanding_page_request_capacity(), 32);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequestInterface<'a> {
    bytes: &'a [u8; 16],
    offset: u16,
}

impl<'a> PageRequestInterface<'a> {
    /// Offset of Page Request Control from the capability's start.
    pub const CONTROL: u16 = 0x04;
    /// Offset of Page Request Status from the capability's start.
    pub const STATUS: u16 = 0x06;
    /// Offset of Outstanding Page Request Capacity from the capability's start.
    pub const OUTSTANDING_CAPACITY: u16 = 0x08;
    /// Offset of Outstanding Page Request Allocation from the capability's start.
    pub const OUTSTANDING_ALLOCATION: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Page Request Control.
    #[must_use]
    pub const fn control(self) -> PageRequestControl {
        PageRequestControl::from_bits_retain(word::<4, 16>(self.bytes))
    }

    /// Page Request Status.
    #[must_use]
    pub const fn status(self) -> PageRequestStatus {
        PageRequestStatus::from_bits_retain(word::<6, 16>(self.bytes))
    }

    /// Outstanding Page Request Capacity: how many the function can have under way.
    #[must_use]
    pub const fn outstanding_page_request_capacity(self) -> u32 {
        dword::<8, 16>(self.bytes)
    }

    /// Outstanding Page Request Allocation: how many it may have under way.
    #[must_use]
    pub const fn outstanding_page_request_allocation(self) -> u32 {
        dword::<12, 16>(self.bytes)
    }
}
