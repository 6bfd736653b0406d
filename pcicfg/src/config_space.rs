//! A checked view of a function's configuration space.
//!
//! ```
//! use pcicfg::{ConfigSpace, SizeError};
//!
//! let mut bytes = [0; 256];
//! bytes[0x80..0x84].copy_from_slice(&[0x10, 0x28, 0x01, 0x00]);
//! let space = ConfigSpace::new(&bytes)?;
//! assert_eq!(space.read_u16(0x80), Some(0x2810));
//! // What is not there is no panic, and not all-ones either.
//! assert_eq!(space.read_u32(0xfe), None);
//! assert_eq!(ConfigSpace::new(&bytes[..60]), Err(SizeError { size: 60 }));
//! # Ok::<(), SizeError>(())
//! ```

use crate::capability::Capabilities;
use crate::defect::Defects;
use crate::extended::ExtendedCapabilities;
use crate::header::Header;
use core::fmt;

/// Why bytes cannot be a configuration space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a configuration space has 64 to 4096 bytes, not {size}")]
pub struct SizeError {
    /// How many bytes were given.
    pub size: usize,
}

/// A structure that the end of the readable bytes cuts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the structure at {offset:#05x} needs {needed} bytes, and only {available} can be read")]
pub struct Truncated {
    /// Where the structure begins, in configuration space.
    pub offset: u16,
    /// How many bytes it has.
    pub needed: u16,
    /// How many of them are there.
    pub available: u16,
}

/// The bytes of a function's configuration space, borrowed.
///
/// 64 bytes (what the kernel shows an unprivileged reader), 128 (the same of a CardBus bridge), 256
/// (conventional) or 4096 (extended) are usual; any length from 64 to 4096 is taken, because dumps
/// come cut off anywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConfigSpace<'a> {
    header: &'a [u8; 64],
    bytes: &'a [u8],
}

/// Ids and size: 4096 numbers would drown whatever a view stands in.
impl fmt::Debug for ConfigSpace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header();
        let (vendor, device) = (header.vendor_id(), header.device_id());
        write!(f, "ConfigSpace({vendor:04x}:{device:04x}, {} bytes)", self.size())
    }
}

impl<'a> ConfigSpace<'a> {
    /// The size of a conventional configuration space, in bytes.
    pub const CONVENTIONAL: usize = 256;
    /// The size of an extended configuration space, in bytes.
    pub const EXTENDED: usize = 4096;

    /// A view of `bytes`.
    ///
    /// # Errors
    /// [`SizeError`] unless there are 64 to 4096 bytes.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, SizeError> {
        if bytes.len() > Self::EXTENDED {
            return Err(SizeError { size: bytes.len() });
        }
        match bytes.first_chunk::<64>() {
            Some(header) => Ok(Self { header, bytes }),
            None => Err(SizeError { size: bytes.len() }),
        }
    }

    /// How many bytes can be read.
    #[must_use]
    pub const fn size(self) -> usize {
        self.bytes.len()
    }

    /// All the bytes.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The first 64 bytes, with names.
    #[must_use]
    pub const fn header(self) -> Header<'a> {
        Header::new(self.header)
    }

    /// The byte at `offset`, if it can be read.
    #[must_use]
    pub fn read_u8(self, offset: u16) -> Option<u8> {
        self.bytes.get(usize::from(offset)).copied()
    }

    /// The little-endian word at `offset`, if all of it can be read.
    #[must_use]
    pub fn read_u16(self, offset: u16) -> Option<u16> {
        self.chunk(offset).map(u16::from_le_bytes)
    }

    /// The little-endian dword at `offset`, if all of it can be read.
    #[must_use]
    pub fn read_u32(self, offset: u16) -> Option<u32> {
        self.chunk(offset).map(u32::from_le_bytes)
    }

    fn chunk<const N: usize>(self, offset: u16) -> Option<[u8; N]> {
        self.bytes.get(usize::from(offset)..)?.first_chunk::<N>().copied()
    }

    /// The capabilities in the list that begins at the Capabilities Pointer, in the list's order.
    #[must_use]
    pub fn capabilities(self) -> Capabilities<'a> {
        Capabilities::new(self)
    }

    /// The extended capabilities in the list that begins at 100h, in the list's order; none if the
    /// space ends before.
    #[must_use]
    pub fn extended_capabilities(self) -> ExtendedCapabilities<'a> {
        ExtendedCapabilities::new(self)
    }

    /// What is wrong with the function, in the order of the space; nothing of a sound one.
    #[must_use]
    pub fn defects(self) -> Defects<'a> {
        Defects::of(self.bytes)
    }
}

/// The first `N` bytes of a capability that begins at `offset`, or how many are missing.
pub(crate) fn fixed<const N: usize>(bytes: &[u8], offset: u16) -> Result<&[u8; N], Truncated> {
    bytes.first_chunk().ok_or(Truncated { offset, needed: N as u16, available: bytes.len() as u16 })
}

/// The little-endian word at `AT` of `bytes`; `AT + 2 <= N` is checked when compiling.
pub(crate) const fn word<const AT: usize, const N: usize>(bytes: &[u8; N]) -> u16 {
    const { assert!(AT + 2 <= N) };
    u16::from_le_bytes([bytes[AT], bytes[AT + 1]])
}

/// The little-endian dword at `AT` of `bytes`; `AT + 4 <= N` is checked when compiling.
pub(crate) const fn dword<const AT: usize, const N: usize>(bytes: &[u8; N]) -> u32 {
    const { assert!(AT + 4 <= N) };
    u32::from_le_bytes([bytes[AT], bytes[AT + 1], bytes[AT + 2], bytes[AT + 3]])
}
