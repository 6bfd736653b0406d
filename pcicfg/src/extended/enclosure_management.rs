//! Native PCIe Enclosure Management (0029h): the lights of a drive bay (PCI Express Base 6.0, 7.9.19).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// NPEM Capability (offset 04h, what there is), Control (offset 08h, what is on) and Status (offset
    /// 0Ch, what is done).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct NpemIndicators: u32 {
        /// In Capability: NPEM Capable. In Control: NPEM Enable. In Status: NPEM Command Completed;
        /// write 1 to clear.
        const CAPABLE_ENABLE_OR_COMPLETED = 1 << 0;
        /// In Capability: NPEM Reset Capable. In Control: NPEM Initiate Reset.
        const RESET = 1 << 1;
        /// OK.
        const OK = 1 << 2;
        /// Locate.
        const LOCATE = 1 << 3;
        /// Fail.
        const FAIL = 1 << 4;
        /// Rebuild.
        const REBUILD = 1 << 5;
        /// Predicted failure analysis.
        const PFA = 1 << 6;
        /// Hot spare.
        const HOT_SPARE = 1 << 7;
        /// In a critical array.
        const IN_A_CRITICAL_ARRAY = 1 << 8;
        /// In a failed array.
        const IN_A_FAILED_ARRAY = 1 << 9;
        /// Invalid device type.
        const INVALID_DEVICE_TYPE = 1 << 10;
        /// Disabled.
        const DISABLED = 1 << 11;
        const _ = !0;
    }
}

impl NpemIndicators {
    /// Enclosure-specific: bits of the bay's maker.
    #[must_use]
    pub const fn enclosure_specific(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

/// The Native PCIe Enclosure Management capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x29, 0x00, 0x01, 0x00, 0x1f, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::EnclosureManagement(bay) = entry.decode()? else { panic!() };
/// assert!(bay.enabled() && bay.command_completed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnclosureManagement<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> EnclosureManagement<'a> {
    /// Offset of NPEM Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of NPEM Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of NPEM Status from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// NPEM Capability.
    #[must_use]
    pub const fn capability(self) -> NpemIndicators {
        NpemIndicators::from_bits_retain(dword::<0x04, 0x10>(self.bytes))
    }

    /// NPEM Control.
    #[must_use]
    pub const fn control(self) -> NpemIndicators {
        NpemIndicators::from_bits_retain(dword::<0x08, 0x10>(self.bytes))
    }

    /// NPEM Status.
    #[must_use]
    pub const fn status(self) -> NpemIndicators {
        NpemIndicators::from_bits_retain(dword::<0x0c, 0x10>(self.bytes))
    }

    /// NPEM Enable.
    #[must_use]
    pub const fn enabled(self) -> bool {
        self.control().contains(NpemIndicators::CAPABLE_ENABLE_OR_COMPLETED)
    }

    /// NPEM Command Completed: the lights are as Control says.
    #[must_use]
    pub const fn command_completed(self) -> bool {
        self.status().contains(NpemIndicators::CAPABLE_ENABLE_OR_COMPLETED)
    }
}
