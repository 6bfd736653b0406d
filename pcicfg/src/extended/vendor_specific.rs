//! Vendor-Specific (000Bh) and Designated Vendor-Specific (0023h): registers of a vendor (PCI Express
//! Base 6.0, 7.9.5 and 7.9.6), and the one of them that decides about a reset.

use crate::capability::registers::word_at;
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

/// The Vendor-Specific extended capability: its id means something together with the function's vendor.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x0b, 0x00, 0x01, 0x00, 0xbc, 0x1a, 0xc2, 0x00, 0x11, 0x22, 0x33, 0x44,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::VendorSpecific(vendor) = entry.decode()? else { panic!() };
/// assert_eq!((vendor.vsec_id(), vendor.data()), (0x1abc, &[0x11, 0x22, 0x33, 0x44][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorSpecificExtended<'a> {
    fixed: &'a [u8; 8],
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> VendorSpecificExtended<'a> {
    /// Offset of Vendor-Specific Header from the capability's start.
    pub const HEADER: u16 = 4;
    /// Offset of the first byte whose meaning is the vendor's.
    pub const DATA: u16 = 8;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// VSEC ID.
    #[must_use]
    pub const fn vsec_id(self) -> u16 {
        word::<4, 8>(self.fixed)
    }

    /// VSEC Rev, 0 to 15.
    #[must_use]
    pub const fn vsec_revision(self) -> u8 {
        self.fixed[6] & 0xf
    }

    /// VSEC Length: what the capability says that it takes, in bytes, its headers included. It may be
    /// any value.
    #[must_use]
    pub const fn vsec_length(self) -> u16 {
        (dword::<4, 8>(self.fixed) >> 20) as u16
    }

    /// The vendor's bytes: as many as the length claims, less if they cannot be read.
    #[must_use]
    pub fn data(self) -> &'a [u8] {
        body(self.bytes, self.vsec_length(), Self::DATA)
    }
}

/// The Designated Vendor-Specific extended capability: its vendor may be another than the function's.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x23, 0x00, 0x01, 0x00, 0x86, 0x80, 0xc2, 0x00, 0x07, 0x00, 0x12, 0x34,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DesignatedVendorSpecific(vendor) = entry.decode()? else { panic!() };
/// assert_eq!((vendor.dvsec_vendor_id(), vendor.data()), (0x8086, &[0x12, 0x34][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesignatedVendorSpecific<'a> {
    fixed: &'a [u8; 10],
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> DesignatedVendorSpecific<'a> {
    /// Offset of Designated Vendor-Specific Header 1 from the capability's start.
    pub const HEADER_1: u16 = 4;
    /// Offset of Designated Vendor-Specific Header 2 from the capability's start.
    pub const HEADER_2: u16 = 8;
    /// Offset of the first byte whose meaning is the vendor's.
    pub const DATA: u16 = 10;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// DVSEC Vendor ID.
    #[must_use]
    pub const fn dvsec_vendor_id(self) -> u16 {
        word::<4, 10>(self.fixed)
    }

    /// DVSEC Revision, 0 to 15.
    #[must_use]
    pub const fn dvsec_revision(self) -> u8 {
        self.fixed[6] & 0xf
    }

    /// DVSEC Length: what the capability says that it takes, in bytes, its headers included. It may be
    /// any value.
    #[must_use]
    pub const fn dvsec_length(self) -> u16 {
        (dword::<4, 10>(self.fixed) >> 20) as u16
    }

    /// DVSEC ID.
    #[must_use]
    pub const fn dvsec_id(self) -> u16 {
        word::<8, 10>(self.fixed)
    }

    /// The vendor's bytes: as many as the length claims, less if they cannot be read.
    #[must_use]
    pub fn data(self) -> &'a [u8] {
        body(self.bytes, self.dvsec_length(), Self::DATA)
    }

    /// From the capability's first byte to the end of what can be read.
    pub(super) const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The registers of a CXL port, if it is that capability and they can be read.
    #[must_use]
    pub fn cxl_port(self) -> Option<CxlPort> {
        if (self.dvsec_vendor_id(), self.dvsec_id()) != (CxlPort::VENDOR_ID, CxlPort::DVSEC_ID) {
            return None;
        }
        let control = CxlPortControl::from_bits_retain(word_at(self.bytes, CxlPort::CONTROL)?);
        Some(CxlPort { control, offset: self.offset })
    }
}

bitflags! {
    /// CXL Port Control, offset 0Ch (Compute Express Link 3.0, 8.1.5.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlPortControl: u16 {
        /// Secondary Bus Reset in Bridge Control works. While clear, setting it does nothing on a
        /// CXL link.
        const UNMASK_SBR = 1 << 0;
        /// Link Disable in Link Control works.
        const UNMASK_LINK_DISABLE = 1 << 1;
        /// The alternate memory and ID space is in use.
        const ALT_MEMORY_AND_ID_SPACE_ENABLE = 1 << 2;
        /// Requests to the alternate memory may pass upstream.
        const ALT_BUS_MASTER_ENABLE = 1 << 3;
        /// The port takes part in viral handling of errors.
        const VIRAL_ENABLE = 1 << 14;
        const _ = !0;
    }
}

/// The CXL Extensions DVSEC for Ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlPort {
    control: CxlPortControl,
    offset: u16,
}

impl CxlPort {
    /// The vendor under which CXL defines its capabilities.
    pub const VENDOR_ID: u16 = 0x1e98;
    /// Its id among them.
    pub const DVSEC_ID: u16 = 3;
    /// Offset of CXL Port Control from the capability's start.
    pub const CONTROL: u16 = 0x0c;

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// CXL Port Control.
    #[must_use]
    pub const fn control(self) -> CxlPortControl {
        self.control
    }

    /// Whether a secondary bus reset does nothing.
    #[must_use]
    pub const fn secondary_bus_reset_masked(self) -> bool {
        !self.control.contains(CxlPortControl::UNMASK_SBR)
    }
}

fn body(bytes: &[u8], length: u16, data: u16) -> &[u8] {
    bytes.get(..usize::from(length)).unwrap_or(bytes).get(usize::from(data)..).unwrap_or_default()
}
