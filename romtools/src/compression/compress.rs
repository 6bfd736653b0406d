//! From bytes to stream.
//!
//! The bytes are taken in pieces. Each is parsed once with guessed prices; where its symbols change, it
//! is divided into blocks, and each block is parsed again, a few times, with the prices of its own codes.

use super::{MAXIMUM_SIZE, Variant};
use crate::{Error, Result};
use block::{Histogram, Plan};
use matches::{Finder, Matches};
use parse::Prices;
use write::BitWriter;

mod block;
mod lengths;
mod matches;
mod parse;
#[cfg(test)]
mod tests;
mod write;

/// Bytes that are parsed together, and so the most that a block has. Fewer than a block may have symbols.
const PIECE: usize = 65535;
/// Symbols after which a block may end.
const STEP: usize = 512;
/// How often a block is parsed with the prices that it had the time before.
const ROUNDS: usize = 3;

/// Compresses bytes to a stream: its header and, behind that, the bits.
///
/// Matches are chosen for the fewest bits, which takes about a second a megabyte and, beside input and output,
/// a few megabytes of memory.
///
/// ```
/// use romtools::compression::{self, Variant};
///
/// let stream = compression::compress(&[0x90; 5000], Variant::Uefi)?;
/// assert!(stream.len() < 50);
/// assert_eq!(compression::decompress(&stream, Variant::Uefi)?, [0x90; 5000]);
/// # Ok::<(), romtools::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooLong`] for more than [`MAXIMUM_SIZE`] bytes, which nobody would decompress.
pub fn compress(bytes: &[u8], variant: Variant) -> Result<Vec<u8>> {
    if bytes.len() > MAXIMUM_SIZE {
        return Err(Error::TooLong { length: bytes.len(), most: MAXIMUM_SIZE });
    }
    let mut out = BitWriter::new();
    let mut finder = Finder::new(bytes, variant.window());
    let mut begin = 0;
    while begin < bytes.len() {
        let piece = &bytes[begin..bytes.len().min(begin + PIECE)];
        let matches = finder.matches(piece.len());
        write_piece(&mut out, piece, &matches, variant);
        begin += piece.len();
    }
    Ok(out.finish(bytes.len()))
}

fn write_piece(out: &mut BitWriter, piece: &[u8], matches: &Matches, variant: Variant) {
    let mut begin = 0;
    for length in divide(piece, matches, variant) {
        let range = begin..begin + length;
        let mut tokens = parse::parse(piece, matches, range.clone(), &Prices::guessed(&piece[range.clone()]));
        let mut plan = Plan::new(&tokens.iter().collect(), variant);
        for _ in 0..ROUNDS {
            let again = parse::parse(piece, matches, range.clone(), &Prices::of(&plan.histogram));
            let better = Plan::new(&again.iter().collect(), variant);
            if better.bits() >= plan.bits() {
                break;
            }
            (tokens, plan) = (again, better);
        }
        plan.write(out, &tokens);
        begin = range.end;
    }
}

/// Where blocks end: a step of symbols begins a block where a code of its own pays.
fn divide(piece: &[u8], matches: &Matches, variant: Variant) -> Vec<usize> {
    let tokens = parse::parse(piece, matches, 0..piece.len(), &Prices::guessed(piece));
    let bits = |histogram: &Histogram| Plan::new(histogram, variant).bits();
    let mut blocks = Vec::new();
    let mut last: Option<(Histogram, u64)> = None;
    for step in tokens.chunks(STEP) {
        let length: usize = step.iter().map(|token| token.length()).sum();
        let histogram: Histogram = step.iter().collect();
        let alone = bits(&histogram);
        if let (Some((before, bits_before)), Some(block)) = (&mut last, blocks.last_mut()) {
            let together = before.with(&histogram);
            let bits_together = bits(&together);
            if bits_together <= *bits_before + alone {
                (*before, *bits_before) = (together, bits_together);
                *block += length;
                continue;
            }
        }
        last = Some((histogram, alone));
        blocks.push(length);
    }
    blocks
}
