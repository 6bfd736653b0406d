//! AGP (02h) and AGP 8x (0Eh): the graphics port of the time before PCI Express (AGP 3.0, 5.1).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// AGP Status, offset 04h: what the function can do.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AgpStatus: u32 {
        /// Rate 1x; in AGP 3 mode 4x.
        const RATE_1X = 1 << 0;
        /// Rate 2x; in AGP 3 mode 8x.
        const RATE_2X = 1 << 1;
        /// Rate 4x; reserved in AGP 3 mode.
        const RATE_4X = 1 << 2;
        /// The bus runs in AGP 3 mode, which decides what the rates mean.
        const AGP_3_MODE = 1 << 3;
        /// Fast writes.
        const FAST_WRITES = 1 << 4;
        /// Addresses beyond 4 GiB.
        const OVER_4_GB = 1 << 5;
        /// The host's own accesses through the aperture are not translated.
        const HOST_TRANSLATION_DISABLED = 1 << 6;
        /// Entries of the translation table can have 64 bits.
        const GART_64_BIT = 1 << 7;
        /// Accesses through the aperture are always coherent.
        const IN_APERTURE_COHERENCY = 1 << 8;
        /// Sideband addressing.
        const SIDEBAND_ADDRESSING = 1 << 9;
        /// Isochronous transactions.
        const ISOCHRONOUS_SUPPORT = 1 << 16;
        const _ = !0;
    }

    /// AGP Command, offset 08h: what the function does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AgpCommand: u32 {
        /// Rate 1x; in AGP 3 mode 4x.
        const RATE_1X = 1 << 0;
        /// Rate 2x; in AGP 3 mode 8x.
        const RATE_2X = 1 << 1;
        /// Rate 4x; reserved in AGP 3 mode.
        const RATE_4X = 1 << 2;
        /// Fast writes.
        const FAST_WRITES = 1 << 4;
        /// Addresses beyond 4 GiB.
        const OVER_4_GB = 1 << 5;
        /// Entries of the translation table have 64 bits.
        const GART_64_BIT = 1 << 7;
        /// The function begins AGP transactions.
        const AGP_ENABLE = 1 << 8;
        /// Sideband addressing.
        const SIDEBAND_ADDRESSING = 1 << 9;
        const _ = !0;
    }
}

/// 4 to the power of (1 + code) milliseconds.
const fn calibration_cycle(code: u32) -> Option<Duration> {
    if code <= 3 { Some(Duration::from_millis(4 << (2 * code))) } else { None }
}

impl AgpStatus {
    /// Calibration Cycle: how often the function calibrates its bus; `None` if it need not, or for a
    /// reserved code.
    #[must_use]
    pub const fn calibration_cycle(self) -> Option<Duration> {
        calibration_cycle(self.bits() >> 10 & 0x7)
    }

    /// ARQSZ: the request size that suits the function best, in bytes.
    #[must_use]
    pub const fn optimum_request_size(self) -> u16 {
        let code = self.bits() >> 13 & 0x7;
        1 << (code + 4)
    }

    /// RQ: how many requests the function can hold, 1 to 256.
    #[must_use]
    pub const fn maximum_requests(self) -> u16 {
        let code = self.bits() >> 24;
        code as u16 + 1
    }
}

impl AgpCommand {
    /// Calibration Cycle: how often the function calibrates its bus; `None` if it need not, or for a
    /// reserved code.
    #[must_use]
    pub const fn calibration_cycle(self) -> Option<Duration> {
        calibration_cycle(self.bits() >> 10 & 0x7)
    }

    /// PARQSZ: the request size to be used, in bytes.
    #[must_use]
    pub const fn optimum_request_size(self) -> u16 {
        let code = self.bits() >> 13 & 0x7;
        1 << (code + 4)
    }

    /// PRQ: how many requests may be under way, 1 to 256.
    #[must_use]
    pub const fn maximum_requests(self) -> u16 {
        let code = self.bits() >> 24;
        code as u16 + 1
    }
}

/// The AGP capability, or that of an AGP 8x bridge.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x02, 0x00, 0x30, 0x00, 0x0b, 0x02, 0x00, 0x1f, 0x02, 0x01, 0x00, 0x1f,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::Agp(agp) = entry.decode()? else { panic!() };
/// assert_eq!(agp.major_revision(), 3);
/// assert_eq!(agp.status().maximum_requests(), 32);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agp<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> Agp<'a> {
    /// Offset of AGP Revision from the capability's start.
    pub const REVISION: u16 = 0x02;
    /// Offset of AGP Status from the capability's start.
    pub const STATUS: u16 = 0x04;
    /// Offset of AGP Command from the capability's start.
    pub const COMMAND: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// AGP Revision: the major number in the upper half, the minor one in the lower.
    #[must_use]
    pub const fn revision(self) -> u8 {
        self.bytes[0x02]
    }

    /// AGP Status.
    #[must_use]
    pub const fn status(self) -> AgpStatus {
        AgpStatus::from_bits_retain(dword::<0x04, 0xc>(self.bytes))
    }

    /// AGP Command.
    #[must_use]
    pub const fn command(self) -> AgpCommand {
        AgpCommand::from_bits_retain(dword::<0x08, 0xc>(self.bytes))
    }

    /// The specification's major revision.
    #[must_use]
    pub const fn major_revision(self) -> u8 {
        self.revision() >> 4
    }

    /// The specification's minor revision.
    #[must_use]
    pub const fn minor_revision(self) -> u8 {
        self.revision() & 0xf
    }
}
