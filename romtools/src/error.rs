//! Why bytes are not the ROM, image or structure they were taken for.

use std::fmt;

use crate::compression;
use crate::printable::Printable;

/// How an ACPI VFCT table begins.
const TABLE: [u8; 2] = *b"VF";

/// What `romtools` returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be read: the message says what and where, [`Error::advice`] what now.
///
/// Offsets count from the start of the file.
///
/// ```
/// let error = romtools::Rom::parse(&[0xff; 4096]).unwrap_err();
/// assert!(error.to_string().contains("it begins with ff ff"));
/// assert!(error.advice().contains("decode"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No image begins at any 512-byte boundary of the file.
    #[error("no option ROM in these {length} bytes{}", Beginning(*first))]
    NotARom {
        /// The length of the file in bytes.
        length: usize,
        /// Its first two bytes, where it has as many.
        first: Option<[u8; 2]>,
    },
    /// A structure begins inside the file and ends behind it.
    #[error("the {what} at offset {offset:#x} needs {needed} bytes, the file has {available} there")]
    Truncated {
        /// The structure's name.
        what: &'static str,
        /// Where it begins.
        offset: usize,
        /// Its length in bytes.
        needed: usize,
        /// What the file has from `offset` on; 0 when `offset` is behind its end.
        available: usize,
    },
    /// Where an image should begin, the first two bytes are not `55 AA` (or one of NVIDIA's words).
    #[error("invalid ROM header signature at offset {offset:#x}: expecting 55 aa, got {}", Hex(found))]
    HeaderSignature {
        /// Where the image should begin.
        offset: usize,
        /// What is there.
        found: [u8; 2],
    },
    /// The header's pointer at 18h does not lead to `PCIR` (or one of NVIDIA's words).
    #[error(
        "invalid PCI Data Structure signature at offset {offset:#x} (image at {image:#x}): expecting \"PCIR\", got {}",
        Hex(found)
    )]
    StructureSignature {
        /// Where the image begins.
        image: usize,
        /// Where its data structure should be.
        offset: usize,
        /// What is there.
        found: [u8; 4],
    },
    /// A file holds no ACPI table with this signature.
    #[error("no ACPI table {} in these {length} bytes", Printable(signature))]
    NoTable {
        /// The signature that was looked for.
        signature: [u8; 4],
        /// The length of the file in bytes.
        length: usize,
        /// Its first four bytes, where it has as many.
        first: Option<[u8; 4]>,
    },
    /// A hexadecimal dump of an ACPI table has a gap.
    #[error(
        "line {line} of the dump has the bytes from {found:#x} on, and those from {expected:#x} on should follow"
    )]
    HexDump {
        /// The line, from 1.
        line: usize,
        /// Where the line begins in the file.
        offset: usize,
        /// The offset that should stand there.
        expected: usize,
        /// The offset that stands there.
        found: usize,
    },
    /// An EFI image without 00000EF1h.
    #[error("the EFI signature at offset {offset:#x} is {found:08x} instead of 00000ef1")]
    EfiSignature {
        /// Where it should be.
        offset: usize,
        /// What is there.
        found: u32,
    },
    /// An EFI image in a reserved compression.
    #[error("the EFI compression type {found:x}h at offset {offset:#x} is reserved")]
    EfiCompression {
        /// Where it is.
        offset: usize,
        /// What is there.
        found: u16,
    },
    /// The driver of an EFI image is no PE file, also not when decompressed.
    #[error("the EFI driver at offset {offset:#x} is no PE file")]
    NotPe {
        /// Where it, or its compressed form, begins.
        offset: usize,
    },
    /// The drivers in front of this one were enough.
    #[error(
        "the EFI driver at offset {offset:#x} is not decompressed: with it, this file's would have more than {} MiB",
        most >> 20
    )]
    TooManyDrivers {
        /// Where its compressed form begins.
        offset: usize,
        /// The limit for a file.
        most: usize,
    },
    /// There is more to be compressed than anyone decompresses.
    #[error("{length:#x} bytes are too many to compress: {most:#x} is the most")]
    TooLong {
        /// How many bytes.
        length: usize,
        /// The limit.
        most: usize,
    },
    /// Compressed data is damaged.
    #[error("the compressed data {defect} (at offset {offset:#x})")]
    Compressed {
        /// Where in it.
        offset: usize,
        /// What is wrong.
        defect: compression::Defect,
    },
}

impl Error {
    /// The offset in the file that the error is about.
    #[must_use]
    pub fn offset(&self) -> usize {
        match *self {
            Self::NotARom { .. } | Self::NoTable { .. } | Self::TooLong { .. } => 0,
            Self::Truncated { offset, .. }
            | Self::HexDump { offset, .. }
            | Self::HeaderSignature { offset, .. }
            | Self::StructureSignature { offset, .. }
            | Self::EfiSignature { offset, .. }
            | Self::EfiCompression { offset, .. }
            | Self::NotPe { offset }
            | Self::TooManyDrivers { offset, .. }
            | Self::Compressed { offset, .. } => offset,
        }
    }

    /// The same where what it is about begins at `by` of the file.
    pub(crate) fn moved(mut self, by: usize) -> Self {
        if let Self::Truncated { offset, .. } | Self::Compressed { offset, .. } = &mut self {
            *offset += by;
        }
        self
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotARom { first: None, .. } => "the dump failed: read the ROM again",
            Self::NotARom { first: Some([0xff, 0xff]), .. } => {
                "the device did not decode its ROM (in D3, memory decode off, or its link down): wake or \
                 rebind it and dump again, or use a ROM file from elsewhere"
            }
            Self::NotARom { first: Some([0, 0]), .. } => {
                "there is no ROM chip behind the BAR (as on an APU), or the shadow was cleared: look for the \
                 image in the ACPI VFCT table or in the board's firmware"
            }
            Self::NotARom { first: Some(TABLE), .. } => {
                "this is an ACPI VFCT table: `romtools vfct info` shows the images in it, `romtools vfct extract` \
                 writes them to files"
            }
            Self::NotARom { .. } => {
                "check that this is a ROM dump and not RAM, a script or a packed BIOS update; unpack it first \
                 if it is packed"
            }
            Self::Truncated { .. } => "the file is cut short or a pointer is damaged: dump the ROM again",
            Self::HeaderSignature { .. } => {
                "no image follows here: the chain's last-image bit is missing, as in a shadow or VFCT dump, or \
                 the dump is damaged"
            }
            Self::NoTable { first: None, .. } => "the dump failed: read the table again, as root",
            Self::NoTable { first: Some([0x55, 0xaa, ..]), .. } => {
                "this is an option ROM itself: `romtools info` shows it, and a VM takes it as it is"
            }
            Self::NoTable { .. } => {
                "give it the table itself (/sys/firmware/acpi/tables/VFCT of the host with the GPU, copied by \
                 root) or what `acpidump` writes there"
            }
            Self::HexDump { .. } => "lines are missing or out of order: dump the table again",
            Self::StructureSignature { .. } => {
                "this is a ROM from before PCI, a stray 55 aa in other data, or a damaged dump: compare it \
                 with a second dump"
            }
            Self::TooManyDrivers { .. } => {
                "no real ROM has as much, this file may be made to fill a disk: cut the ROM out of it with `romtools cut`"
            }
            Self::TooLong { .. } => "no option ROM is this large: check that this is the driver",
            Self::EfiSignature { .. } => {
                "a tool that writes a checksum at byte 6 destroys the signature: start from the unedited file"
            }
            Self::EfiCompression { .. } | Self::NotPe { .. } => {
                "the driver in this image is damaged: dump the ROM again"
            }
            Self::Compressed { defect: compression::Defect::TooManyBlocks { .. }, .. } => {
                "no encoder makes such data, it is damaged or was made to keep tools busy: dump the ROM again"
            }
            Self::Compressed { .. } => "the driver in this image is damaged: dump the ROM again",
        }
    }
}

/// What [`crate::cut`] and [`crate::fix`] say of an image that the file does not hold whole.
pub(crate) fn cut_short(offset: usize, length: usize, available: usize) -> String {
    format!("the image at {offset:x}h has {length:x}h bytes, and the file only {available:x}h of them")
}

/// Bytes as people write them: `55 aa`.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// How a file begins, where it has a beginning.
struct Beginning(Option<[u8; 2]>);

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => Ok(()),
            Some(first) => {
                write!(f, ": it begins with {}, and no image at any 512-byte boundary", Hex(first))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_and_where() {
        let error = Error::StructureSignature { image: 0x200, offset: 0x240, found: [0, 1, 2, 0xff] };
        assert_eq!(
            error.to_string(),
            "invalid PCI Data Structure signature at offset 0x240 (image at 0x200): \
             expecting \"PCIR\", got 00 01 02 ff"
        );
        assert_eq!(error.offset(), 0x240);
        let error = Error::NotARom { length: 0, first: None };
        assert_eq!(error.to_string(), "no option ROM in these 0 bytes");
        let error = Error::NotARom { length: 512, first: Some([0xff, 0xff]) };
        assert!(error.to_string().ends_with("it begins with ff ff, and no image at any 512-byte boundary"));
    }

    #[test]
    fn each_dead_pattern_has_its_own_advice() {
        let advice = |first| Error::NotARom { length: 2, first }.advice();
        let all = [advice(None), advice(Some([0xff; 2])), advice(Some([0; 2])), advice(Some(*b"MZ"))];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b), "{a}");
        }
    }
}
