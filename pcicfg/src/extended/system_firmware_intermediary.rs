//! System Firmware Intermediary (002Ch): a port whose slot the firmware looks after (PCI Express Base
//! 6.0, 7.9.22).

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// SFI Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SfiCapability: u16 {
        /// Presence can be told out of band.
        const SFI_OOB_PD_SUPPORTED = 1 << 0;
        const _ = !0;
    }

    /// SFI Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SfiControl: u16 {
        /// The presence that the operating system sees is masked.
        const SFI_PD_STATE_MASK = 1 << 0;
        /// The link state that the operating system sees is masked.
        const SFI_DLL_STATE_MASK = 1 << 1;
        const _ = !0;
    }
}

/// The System Firmware Intermediary capability.
///
/// Only what public sources agree about is named: of SFI Status the register alone.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x2c, 0x00, 0x01, 0x00, 0x01, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
///     0x36, 0x1b, 0x10, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::SystemFirmwareIntermediary(sfi) = entry.decode()? else { panic!() };
/// assert_eq!(sfi.cam_data(), 0x0010_1b36);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemFirmwareIntermediary<'a> {
    bytes: &'a [u8; 0x14],
    offset: u16,
}

impl<'a> SystemFirmwareIntermediary<'a> {
    /// Offset of SFI Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of SFI Control from the capability's start.
    pub const CONTROL: u16 = 0x06;
    /// Offset of SFI Status from the capability's start.
    pub const STATUS: u16 = 0x08;
    /// Offset of SFI CAM Address from the capability's start.
    pub const CAM_ADDRESS: u16 = 0x0c;
    /// Offset of SFI CAM Data from the capability's start.
    pub const CAM_DATA: u16 = 0x10;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// SFI Capability.
    #[must_use]
    pub const fn capability(self) -> SfiCapability {
        SfiCapability::from_bits_retain(word::<0x04, 0x14>(self.bytes))
    }

    /// SFI Control.
    #[must_use]
    pub const fn control(self) -> SfiControl {
        SfiControl::from_bits_retain(word::<0x06, 0x14>(self.bytes))
    }

    /// SFI Status.
    #[must_use]
    pub const fn status(self) -> u16 {
        word::<0x08, 0x14>(self.bytes)
    }

    /// SFI CAM Address: which register of a function below the next access is for.
    #[must_use]
    pub const fn cam_address(self) -> u32 {
        dword::<0x0c, 0x14>(self.bytes)
    }

    /// SFI CAM Data: the window to that register.
    #[must_use]
    pub const fn cam_data(self) -> u32 {
        dword::<0x10, 0x14>(self.bytes)
    }
}
