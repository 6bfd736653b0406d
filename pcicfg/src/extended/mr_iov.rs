//! Multi-Root I/O Virtualization (0011h) (Multi-Root I/O Virtualization and Sharing 1.0, 4.2).

use crate::config_space::{Truncated, dword, fixed};

/// The Multi-Root I/O Virtualization capability.
///
/// No public source confirms its bits, and no device is known to have it: these are the first
/// registers, and no more.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x11, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::MrIov(mr_iov) = entry.decode()? else { panic!() };
/// assert_eq!(mr_iov.capabilities(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MrIov<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> MrIov<'a> {
    /// Offset of MR-IOV Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of MR-IOV Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of MR-IOV Status from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// MR-IOV Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> u32 {
        dword::<0x04, 0x10>(self.bytes)
    }

    /// MR-IOV Control.
    #[must_use]
    pub const fn control(self) -> u32 {
        dword::<0x08, 0x10>(self.bytes)
    }

    /// MR-IOV Status.
    #[must_use]
    pub const fn status(self) -> u32 {
        dword::<0x0c, 0x10>(self.bytes)
    }
}
