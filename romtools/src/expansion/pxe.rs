//! What network ROMs have beside `$PnP`: the structure by which PXE finds the driver, and iPXE's own.
//!
//! The word at 16h leads to `UNDI`, the UNDI ROM ID structure (Preboot Execution Environment Specification 2.1,
//! section 3.1); that at 10h, in images that iPXE built, to `iPXE`. Both words count only where they lead there.
//!
//! ```
//! use romtools::expansion::pxe::UndiRomId;
//!
//! let mut image = [0u8; 0x60];
//! image[0x16] = 0x40;
//! image[0x40..0x56].copy_from_slice(b"UNDI\x16\0\0\0\x01\x02\0\x05\0\x10\0\x20\0\x30PCIR");
//! let undi = UndiRomId::parse(&image).unwrap();
//! assert_eq!((undi.undi_revision, undi.loader, &undi.bus_type), ([2, 1, 0], 0x0500, b"PCIR"));
//! assert_ne!(undi.sum, Some(0)); // PXE would not take it
//! ```

use crate::bytes::{array_at, u8_at, u16_at, u32_at};

/// The UNDI ROM ID structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndiRomId {
    /// Where it begins in the image.
    pub offset: u16,
    /// Structure Length in bytes: 16h.
    pub length: u8,
    /// Structure Revision: 0.
    pub revision: u8,
    /// The version of the interface, major number first: 2.1.0.
    pub undi_revision: [u8; 3],
    /// Offset of the loader's entry point in the image.
    pub loader: u16,
    /// Bytes of stack that the driver needs.
    pub stack_size: u16,
    /// Bytes of data that it needs.
    pub data_size: u16,
    /// Bytes of code that it needs.
    pub code_size: u16,
    /// Bus Type: `PCIR`, `ISA `, `PCCR` or `USBR`.
    pub bus_type: [u8; 4],
    /// The sum of its bytes, which must be zero; `None` if its length reaches out of the image.
    pub sum: Option<u8>,
}

impl UndiRomId {
    /// Bytes of the structure.
    pub const LENGTH: u8 = 0x16;

    /// That of a PC-AT image, if it has one.
    #[must_use]
    pub fn parse(image: &[u8]) -> Option<Self> {
        let (offset, bytes) = at(image, 0x16, *b"UNDI")?;
        let [patch, minor, major] = array_at(bytes, 7)?;
        let length = u8_at(bytes, 4)?;
        Some(Self {
            offset,
            length,
            revision: u8_at(bytes, 6)?,
            undi_revision: [major, minor, patch],
            loader: u16_at(bytes, 0x0a)?,
            stack_size: u16_at(bytes, 0x0c)?,
            data_size: u16_at(bytes, 0x0e)?,
            code_size: u16_at(bytes, 0x10)?,
            bus_type: array_at(bytes, 0x12)?,
            sum: bytes.get(..length.into()).map(crate::checksum::sum),
        })
    }
}

/// iPXE's header: not a standard's, and read by iPXE's own code and tools only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpxeHeader {
    /// Where it begins in the image.
    pub offset: u16,
    /// Its length in bytes: 0Ch.
    pub length: u8,
    /// How many 512-byte units stay in memory when the BIOS has room elsewhere for the rest.
    pub shrunk_length: u8,
    /// A number of the build: images built together have the same.
    pub build_id: u32,
    /// The sum of its bytes, which must be zero; `None` if its length reaches out of the image.
    pub sum: Option<u8>,
}

impl IpxeHeader {
    /// That of a PC-AT image, if it has one.
    #[must_use]
    pub fn parse(image: &[u8]) -> Option<Self> {
        let (offset, bytes) = at(image, 0x10, *b"iPXE")?;
        let length = u8_at(bytes, 4)?;
        Some(Self {
            offset,
            length,
            shrunk_length: u8_at(bytes, 6)?,
            build_id: u32_at(bytes, 8)?,
            sum: bytes.get(..length.into()).map(crate::checksum::sum),
        })
    }
}

/// What the pointer at `pointer` leads to, if it begins so.
fn at(image: &[u8], pointer: usize, signature: [u8; 4]) -> Option<(u16, &[u8])> {
    let offset = u16_at(image, pointer)?;
    let bytes = image.get(offset.into()..)?;
    bytes.starts_with(&signature).then_some((offset, bytes))
}
