//! Scalable I/O Virtualization (0038h): device interfaces for guests without a virtual function each
//! (PCI Express Base 7.0).

use crate::config_space::{Truncated, dword, fixed, word};

/// The Scalable I/O Virtualization capability.
///
/// One public source has the registers' places, and none the bits of the first and of the status: they
/// are not named.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x38, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x08, 0x00, 0x01, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::ScalableIoVirtualization(siov) = entry.decode()? else { panic!() };
/// assert_eq!((siov.total_sdis(), siov.first_sdi_offset(), siov.sdi_stride()), (64, 8, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalableIoVirtualization<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> ScalableIoVirtualization<'a> {
    /// Offset of SIOV Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of Total SDIs from the capability's start.
    pub const TOTAL_SDIS: u16 = 0x08;
    /// Offset of SIOV Status from the capability's start.
    pub const STATUS: u16 = 0x0b;
    /// Offset of First SDI Offset from the capability's start.
    pub const FIRST_SDI_OFFSET: u16 = 0x0c;
    /// Offset of SDI Stride from the capability's start.
    pub const SDI_STRIDE: u16 = 0x0e;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// SIOV Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> u32 {
        dword::<0x04, 0x10>(self.bytes)
    }

    /// Total SDIs: how many interfaces there are.
    #[must_use]
    pub const fn total_sdis(self) -> u16 {
        word::<0x08, 0x10>(self.bytes)
    }

    /// SIOV Status.
    #[must_use]
    pub const fn status(self) -> u8 {
        self.bytes[0x0b]
    }

    /// First SDI Offset: what the first interface's routing id has more than the function's.
    #[must_use]
    pub const fn first_sdi_offset(self) -> u16 {
        word::<0x0c, 0x10>(self.bytes)
    }

    /// SDI Stride: from one interface's routing id to the next.
    #[must_use]
    pub const fn sdi_stride(self) -> u16 {
        word::<0x0e, 0x10>(self.bytes)
    }
}
