//! The fast loop: a few hundred symbols are decoded, then their bytes are put together.
//!
//! Literals and matches come in no order that a processor could guess. So the first half has no branch on
//! them: it notes every symbol as both, and moves on behind what it was. The second half has one turn a
//! match, and each copies a fixed number of bytes, which is enough for nearly all.
//!
//! Whatever is odd makes it give up and leave the symbols to the careful loop, which finds out what it is:
//! there is one place that decides what is an error.

use super::{Block, Decoder};
use crate::compression::tables::Entry;

/// Symbols that are decoded before their bytes are put together.
const AHEAD: usize = 256;
/// Bytes that are copied at once.
const CHUNK: usize = 16;
/// The same where a match is too close behind for that.
const HALF: usize = 8;
/// Bytes behind the output that copies may write.
pub(super) const SLACK: usize = 2 * CHUNK;

/// A match that was decoded.
#[derive(Debug, Clone, Copy)]
struct Match {
    /// The window where it was found.
    window: u64,
    entry: Entry,
    /// Its place among the symbols.
    symbol: u32,
}

/// The symbols that were decoded ahead.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// By symbol: the literal, if it is one.
    literals: [u8; AHEAD + CHUNK],
    matches: [Match; AHEAD],
}

impl Tokens {
    pub(super) fn new() -> Self {
        let none = Match { window: 0, entry: Entry::position(0, 0), symbol: 0 };
        Self { literals: [0; AHEAD + CHUNK], matches: [none; AHEAD] }
    }
}

impl Decoder<'_> {
    /// Decodes symbols of the block up to its end, the stream's last bytes, or anything odd.
    pub(super) fn fast(&mut self, block: &mut Block) {
        while block.symbols > 0 {
            let reader = self.reader;
            let (symbols, matches) = self.decode(block);
            let Some(made) = self.put(symbols, matches) else {
                self.reader = reader;
                return;
            };
            if symbols == 0 {
                return;
            }
            self.made = made;
            block.symbols -= symbols;
        }
    }

    /// Decodes up to [`AHEAD`] symbols; returns how many, and how many of them are matches.
    // On its own, it gets the registers that it needs.
    #[inline(never)]
    fn decode(&mut self, block: &Block) -> (usize, usize) {
        let mut reader = self.reader;
        let Tokens { literals, matches } = &mut self.tokens;
        let stop = block.symbols.min(AHEAD);
        let (mut symbols, mut found) = (0, 0);
        // A whole entry takes at most half of what is in the window after a refill. So the next one can be
        // looked up first: the refill then costs no time of its own.
        let mut inside = reader.refill_inside();
        while inside && symbols < stop {
            let window = reader.window();
            let mut entry = self.tables.look_up(window);
            inside = reader.refill_inside();
            if !inside {
                break;
            }
            let is_whole = entry.is_whole();
            if !is_whole {
                entry = self.tables.complete(entry, reader.window(), &block.characters, &block.positions);
            }
            literals[symbols % AHEAD] = entry.literal();
            matches[found % AHEAD] = Match { window: reader.window(), entry, symbol: symbols as u32 };
            symbols += 1;
            found += entry.matches();
            reader.consume(entry.bits());
            if !is_whole {
                inside = reader.refill_inside();
            }
        }
        self.reader = reader;
        (symbols, found)
    }

    /// Puts the bytes together; returns how many there are then, or nothing if something is odd.
    #[inline(never)]
    fn put(&mut self, symbols: usize, matches: usize) -> Option<usize> {
        let output = self.output.as_mut_slice();
        let mut made = self.made;
        let mut done = 0;
        for found in self.tokens.matches.get(..matches)? {
            let symbol = found.symbol as usize;
            let (run, length) = (symbol - done, found.entry.length());
            let distance = found.entry.distance(found.window);
            if made + run + length > self.original || distance > made + run {
                return None;
            }
            copy_literals(output, made, &self.tokens.literals, done, run);
            made += run;
            copy_match(output, made, distance, length);
            made += length;
            done = symbol + 1;
        }
        let run = symbols - done;
        if made + run > self.original {
            return None;
        }
        copy_literals(output, made, &self.tokens.literals, done, run);
        Some(made + run)
    }
}

/// Writes a run of literals, and then up to a chunk of other bytes.
#[inline(always)]
fn copy_literals(output: &mut [u8], at: usize, literals: &[u8; AHEAD + CHUNK], from: usize, run: usize) {
    output[at..at + CHUNK].copy_from_slice(&literals[from..from + CHUNK]);
    if run > CHUNK {
        output[at + CHUNK..at + run].copy_from_slice(&literals[from + CHUNK..from + run]);
    }
}

/// Copies a match, and then up to two chunks of other bytes.
#[inline(always)]
fn copy_match(output: &mut [u8], at: usize, distance: usize, length: usize) {
    let from = at - distance;
    if distance >= CHUNK {
        let region = &mut output[from..at + 2 * CHUNK];
        region.copy_within(..CHUNK, distance);
        region.copy_within(CHUNK..2 * CHUNK, distance + CHUNK);
        let mut moved = 2 * CHUNK;
        while moved < length {
            output.copy_within(from + moved..from + moved + CHUNK, at + moved);
            moved += CHUNK;
        }
    } else if distance > HALF {
        let mut moved = 0;
        while moved < length {
            output.copy_within(from + moved..from + moved + HALF, at + moved);
            moved += HALF;
        }
    } else {
        // So close that a copy would read what it writes: the few bytes over and over.
        let Period { mask, repeat, step } = PERIODS[distance];
        let mut bytes = [0; HALF];
        bytes.copy_from_slice(&output[from..from + HALF]);
        let bytes = (u64::from_le_bytes(bytes) & mask).wrapping_mul(repeat).to_le_bytes();
        let mut moved = 0;
        while moved < length {
            output[at + moved..at + moved + HALF].copy_from_slice(&bytes);
            moved += step;
        }
    }
}

/// How [`HALF`] bytes are made of fewer.
#[derive(Debug, Clone, Copy)]
struct Period {
    /// The bytes there are.
    mask: u64,
    /// Times this, they are repeated up to the end.
    repeat: u64,
    /// Bytes of whole repetitions.
    step: usize,
}

/// By distance.
const PERIODS: [Period; HALF + 1] = {
    let mut periods = [Period { mask: 0, repeat: 0, step: HALF }; HALF + 1];
    let mut distance = 1;
    while distance <= HALF {
        let mut at = 0;
        let mut repeat = 0;
        while at < HALF {
            repeat |= 1 << (8 * at);
            at += distance;
        }
        periods[distance] =
            Period { mask: u64::MAX >> (64 - 8 * distance), repeat, step: HALF / distance * distance };
        distance += 1;
    }
    periods
};
