//! The UEFI compression algorithm, in both of its variants: bytes to stream and back.
//!
//! It is LZ77 with block-wise canonical Huffman codes (UEFI 2.10, section 19): three of them a block,
//! one for literals and match lengths, one for the positions of matches, and one that packs the code
//! lengths of the first. The *Tiano* variant of edk2 differs in one number, the width of the
//! position alphabet, which widens the window from 8 KiB to 512 KiB. Neither stream says which it is,
//! and neither has a checksum: whoever decompresses a driver should look at what came out.
//!
//! ```
//! use romtools::compression::{self, HEADER, Sizes, Variant};
//!
//! let driver = [&b"MZ"[..], &[0x90; 4000]].concat();
//! let stream = compression::compress(&driver, Variant::Uefi)?;
//! let sizes = Sizes::parse(&stream)?;
//! assert_eq!((HEADER + sizes.compressed, sizes.original), (stream.len(), 4002));
//! // What stands behind it, such as the padding of an image, is not looked at.
//! let padded = [&stream[..], &[0xff; 100]].concat();
//! assert_eq!(compression::decompress(&padded, Variant::Uefi)?, driver);
//! # Ok::<(), romtools::Error>(())
//! ```

use crate::bytes::u32_at;
use crate::{Error, Result};

mod bits;
mod code;
mod compress;
mod decompress;
mod tables;

pub use code::CodeKind;
pub use compress::compress;
pub use decompress::decompress;
pub(crate) use decompress::{Decompressed, decode};

/// Bytes in front of the bit stream: its length, and the length of what it becomes.
pub const HEADER: usize = 8;

/// The most that is decompressed, in bytes: UEFI's limit of an option ROM, 16 MiB.
///
/// A stream may claim up to 4 GiB, and a few dozen bytes can become as much.
pub const MAXIMUM_SIZE: usize = 16 << 20;

/// The most blocks that a stream may have for so many bytes of output.
///
/// A block needs its three codes, however few symbols follow: a stream that has a block for each symbol takes hundreds of
/// times longer than its output is worth. An encoder begins a block where new codes pay for themselves, which takes
/// hundreds of symbols: edk2's has some thousands in a block, [`compress`] 512, but for the last of each 64 KiB. A block for
/// every 64 bytes is eight times more than any needs, and a small stream may have a few for nothing.
const fn most_blocks(original: usize) -> usize {
    original / 64 + 16
}

/// Symbols of the character code: 256 literals, then the match lengths from 3 to 256.
const CHARACTERS: usize = 510;
/// The literals among them.
const LITERALS: u32 = 256;
/// A symbol is this much more than its match length.
const MATCH_BIAS: u32 = 253;
/// The shortest match.
const MINIMUM_MATCH: usize = 3;
/// The longest match.
const MAXIMUM_MATCH: usize = 256;
/// More symbols of a position code than either variant can name.
const POSITIONS: usize = 32;
/// Symbols of the code that packs code lengths: three runs of zeros, then the lengths from 1 to 16.
const LENGTHS: usize = 19;

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// UEFI's own, also called EFI 1.1: what firmware decompresses in an option ROM.
    Uefi,
    /// edk2's for firmware volumes, with a larger window.
    Tiano,
}

impl Variant {
    /// Bits in which a block gives the number of its position code lengths: the whole difference.
    const fn position_bits(self) -> u32 {
        match self {
            Self::Uefi => 4,
            Self::Tiano => 5,
        }
    }

    /// How far back a match may be, in bytes.
    const fn window(self) -> usize {
        match self {
            Self::Uefi => 8 << 10,
            Self::Tiano => 512 << 10,
        }
    }
}

/// The two lengths that a stream begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of the bit stream, behind this header.
    pub compressed: usize,
    /// Bytes of what it becomes.
    pub original: usize,
}

impl Sizes {
    /// Reads the header of a stream. Nothing is checked.
    ///
    /// # Errors
    /// [`Error::Truncated`] where there are less than [`HEADER`] bytes.
    pub fn parse(stream: &[u8]) -> Result<Self> {
        let sizes = u32_at(stream, 0).zip(u32_at(stream, 4));
        let (compressed, original) = sizes.ok_or(Error::Truncated {
            what: "header of the compressed data",
            offset: 0,
            needed: HEADER,
            available: stream.len(),
        })?;
        Ok(Self { compressed: compressed as usize, original: original as usize })
    }
}

/// What is wrong with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The header claims more than [`MAXIMUM_SIZE`].
    #[error("claims to become {original:x}h bytes, more than the limit of {MAXIMUM_SIZE:x}h")]
    TooLarge {
        /// The claim.
        original: usize,
    },
    /// The bits end before the output is complete.
    #[error("ends after {made:x}h of {original:x}h bytes")]
    Ends {
        /// What was made.
        made: usize,
        /// What the header claims.
        original: usize,
    },
    /// More blocks than any encoder makes of so few bytes: it was made to keep a decoder busy.
    #[error(
        "is cut into more than {most} blocks, far too many for the {original:x}h bytes that it claims to become"
    )]
    TooManyBlocks {
        /// The limit for so many bytes.
        most: usize,
        /// What the header claims.
        original: usize,
    },
    /// A match begins before the output does.
    #[error("copies from {distance:x}h bytes back where there are only {made:x}h")]
    BeforeStart {
        /// How far back.
        distance: usize,
        /// What was made until then.
        made: usize,
    },
    /// A code length that no code has.
    #[error("has a {kind} code with a length of {length} bits: 16 is the most")]
    CodeLength {
        /// Which code.
        kind: CodeKind,
        /// The length.
        length: u32,
    },
    /// The lengths do not make a code.
    #[error("has a {kind} code that uses {used:x}h of the 10000h places")]
    CodeSpace {
        /// Which code.
        kind: CodeKind,
        /// Of 10000h.
        used: u32,
    },
    /// A symbol that is not in the alphabet.
    #[error("has a {kind} code with the symbol {symbol}, which does not exist")]
    Symbol {
        /// Which code.
        kind: CodeKind,
        /// The symbol.
        symbol: u32,
    },
}
