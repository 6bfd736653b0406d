//! The program in an Open Firmware image: FCode, with a header of its own.
//!
//! An FCode program begins with a start code, a format, a checksum and a length, the latter two with the high byte first
//! (IEEE 1275-1994, section 5.2.2.5). Its image has no other checksum.
//!
//! ```
//! use romtools::open_firmware::Fcode;
//!
//! // start1, format 8, checksum, length: then two bytes of program.
//! let image = b"\xf1\x08\x00\x13\x00\x00\x00\x0a\x12\x01";
//! let fcode = Fcode::parse(image, 0).unwrap();
//! assert_eq!((fcode.start_name(), fcode.length), (Some("start1"), 10));
//! assert_eq!(fcode.sum, Some(fcode.checksum));
//! ```

use crate::bytes::{array_at, u8_at};

/// Bytes of the header.
pub const LENGTH: usize = 8;

/// The header of an FCode program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fcode {
    /// The start code: F0h to F3h, or FDh of programs from before the standard.
    pub start: u8,
    /// Format: 8 since the standard.
    pub format: u8,
    /// Checksum: what the bytes behind the header sum to, modulo 65536.
    pub checksum: u16,
    /// The program's length in bytes, header included.
    pub length: u32,
    /// What they do sum to; `None` if they are not all in the image.
    pub sum: Option<u16>,
}

impl Fcode {
    /// Reads the program at `offset` of an image; `None` if its header is not in it.
    #[must_use]
    pub fn parse(image: &[u8], offset: u16) -> Option<Self> {
        let bytes = image.get(offset.into()..)?;
        let length = u32::from_be_bytes(array_at(bytes, 4)?);
        let body = usize::try_from(length).ok().and_then(|length| bytes.get(LENGTH..length));
        Some(Self {
            start: u8_at(bytes, 0)?,
            format: u8_at(bytes, 1)?,
            checksum: u16::from_be_bytes(array_at(bytes, 2)?),
            length,
            sum: body.map(|body| body.iter().fold(0, |sum: u16, &byte| sum.wrapping_add(byte.into()))),
        })
    }

    /// The start code's name; `None` if it is none. The names say how many bytes apart the code's bytes are.
    #[must_use]
    pub fn start_name(&self) -> Option<&'static str> {
        Some(match self.start {
            0xf0 => "start0",
            0xf1 => "start1",
            0xf2 => "start2",
            0xf3 => "start4",
            0xfd => "version1",
            _ => return None,
        })
    }
}
