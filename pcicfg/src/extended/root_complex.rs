//! Root Complex Event Collector Endpoint Association (0007h), Root Complex Register Block header
//! (000Ah) and Configuration Access Correlation (000Ch) (PCI Express Base 6.0, 7.9.10 and 7.9.7;
//! Trusted Configuration Space ECN).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// RCRB Capabilities, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RcrbCapabilities: u32 {
        /// A "not yet ready" completion can be shown to software.
        const CONFIGURATION_RRS_SOFTWARE_VISIBILITY = 1 << 0;
        const _ = !0;
    }

    /// RCRB Control, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RcrbControl: u32 {
        /// A "not yet ready" completion is shown to software.
        const CONFIGURATION_RRS_SOFTWARE_VISIBILITY_ENABLE = 1 << 0;
        const _ = !0;
    }
}

/// RCEC Associated Bus Numbers: the buses beyond its own whose integrated endpoints report to a
/// collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AssociatedBusNumbers {
    /// RCEC Next Bus: the first of them; FFh for none.
    pub next_bus: u8,
    /// RCEC Last Bus: the last of them.
    pub last_bus: u8,
}

/// The Root Complex Event Collector Endpoint Association capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x07, 0x00, 0x02, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x10, 0x20, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::EventCollectorAssociation(events) = entry.decode()? else { panic!() };
/// assert_eq!(events.associated_bus_numbers().unwrap().last_bus, 0x20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCollectorAssociation<'a> {
    fixed: &'a [u8; 0x8],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> EventCollectorAssociation<'a> {
    /// Offset of Association Bitmap for RCiEPs from the capability's start.
    pub const BITMAP: u16 = 0x04;
    /// Offset of RCEC Associated Bus Numbers, whether the version has them or not from the capability's
    /// start.
    pub const ASSOCIATED_BUS_NUMBERS: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Association Bitmap for RCiEPs: one bit for each device number of the collector's bus.
    #[must_use]
    pub const fn association_bitmap(self) -> u32 {
        dword::<0x04, 0x8>(self.fixed)
    }

    /// RCEC Associated Bus Numbers, whether the version has them or not; `None` if it cannot be read.
    #[must_use]
    pub fn associated_bus_numbers_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::ASSOCIATED_BUS_NUMBERS)
    }

    /// The capability's version.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.fixed[2] & 0xf
    }

    /// RCEC Associated Bus Numbers; since version 2.
    #[must_use]
    pub fn associated_bus_numbers(self) -> Option<AssociatedBusNumbers> {
        if self.version() < 2 {
            return None;
        }
        let [_, next_bus, last_bus, _] = self.associated_bus_numbers_register()?.to_le_bytes();
        Some(AssociatedBusNumbers { next_bus, last_bus })
    }
}

/// The Root Complex Register Block header.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x0a, 0x00, 0x01, 0x00, 0x86, 0x80, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::RootComplexRegisterBlock(block) = entry.decode()? else { panic!() };
/// assert_eq!(block.vendor_id(), 0x8086);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootComplexRegisterBlock<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> RootComplexRegisterBlock<'a> {
    /// Offset of Vendor ID from the capability's start.
    pub const VENDOR_ID: u16 = 0x04;
    /// Offset of Device ID from the capability's start.
    pub const DEVICE_ID: u16 = 0x06;
    /// Offset of RCRB Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x08;
    /// Offset of RCRB Control from the capability's start.
    pub const CONTROL: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Vendor ID.
    #[must_use]
    pub const fn vendor_id(self) -> u16 {
        word::<0x04, 0x10>(self.bytes)
    }

    /// Device ID.
    #[must_use]
    pub const fn device_id(self) -> u16 {
        word::<0x06, 0x10>(self.bytes)
    }

    /// RCRB Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> RcrbCapabilities {
        RcrbCapabilities::from_bits_retain(dword::<0x08, 0x10>(self.bytes))
    }

    /// RCRB Control.
    #[must_use]
    pub const fn control(self) -> RcrbControl {
        RcrbControl::from_bits_retain(dword::<0x0c, 0x10>(self.bytes))
    }
}

/// The Configuration Access Correlation capability; the specification has dropped it.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x0c, 0x00, 0x01, 0x00, 0x44, 0x33, 0x22, 0x11,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::ConfigurationAccessCorrelation(correlation) = entry.decode()? else { panic!() };
/// assert_eq!(correlation.device_correlation(), 0x1122_3344);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigurationAccessCorrelation<'a> {
    bytes: &'a [u8; 0x8],
    offset: u16,
}

impl<'a> ConfigurationAccessCorrelation<'a> {
    /// Offset of Device Correlation from the capability's start.
    pub const DEVICE_CORRELATION: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Device Correlation.
    #[must_use]
    pub const fn device_correlation(self) -> u32 {
        dword::<0x04, 0x8>(self.bytes)
    }
}
