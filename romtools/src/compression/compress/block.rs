//! A block: what its symbols are, what it takes, and how it is written.

use super::super::{CHARACTERS, LENGTHS, POSITIONS, Variant};
use super::lengths;
use super::parse::{Token, position};
use super::write::BitWriter;

/// How often each symbol occurs.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    pub(super) characters: [u32; CHARACTERS],
    pub(super) positions: [u32; POSITIONS],
    /// Bits that stand behind the positions.
    extra: u64,
}

impl<'t> FromIterator<&'t Token> for Histogram {
    fn from_iter<T: IntoIterator<Item = &'t Token>>(tokens: T) -> Self {
        let mut histogram = Self { characters: [0; CHARACTERS], positions: [0; POSITIONS], extra: 0 };
        for token in tokens {
            histogram.characters[token.character()] += 1;
            if let Token::Match { distance, .. } = *token {
                let (symbol, extra, _) = position(distance);
                histogram.positions[symbol] += 1;
                histogram.extra += u64::from(extra);
            }
        }
        histogram
    }
}

impl Histogram {
    /// Both together.
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        let add =
            |sum: &mut [u32], other: &[u32]| sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        add(&mut sum.characters, &other.characters);
        add(&mut sum.positions, &other.positions);
        sum.extra += other.extra;
        sum
    }
}

/// A code of a block.
#[derive(Debug, Clone)]
enum Code {
    /// One symbol, which takes no bits; also where none occurs.
    Single(usize),
    /// By symbol: its length.
    Lengths(Vec<u8>),
}

impl Code {
    fn new(counts: &[u32]) -> Self {
        let mut occurring =
            counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(symbol, _)| symbol);
        match (occurring.next(), occurring.next()) {
            (first, None) => Self::Single(first.unwrap_or(0)),
            _ => Self::Lengths(lengths::limited(counts)),
        }
    }

    /// What these symbols take.
    fn bits(&self, counts: &[u32]) -> u64 {
        match self {
            Self::Single(_) => 0,
            Self::Lengths(lengths) => {
                lengths.iter().zip(counts).map(|(length, count)| u64::from(*length) * u64::from(*count)).sum()
            }
        }
    }

    /// Its lengths, up to the last that is not 0; none for one symbol.
    fn used(&self) -> &[u8] {
        match self {
            Self::Single(_) => &[],
            Self::Lengths(lengths) => {
                let used = lengths.iter().rposition(|length| *length > 0).map_or(0, |last| last + 1);
                &lengths[..used]
            }
        }
    }
}

/// How the lengths of the character code are packed: symbols 0, 1 and 2 are zeros, the rest lengths.
#[derive(Debug, Clone, Copy)]
struct Packed {
    symbol: usize,
    /// The bits that follow, and how many.
    extra: (u32, u32),
}

fn pack(lengths: &[u8]) -> Vec<Packed> {
    let mut packed = Vec::new();
    let mut rest = lengths;
    while let [first, behind @ ..] = rest {
        if *first > 0 {
            packed.push(Packed { symbol: usize::from(*first) + 2, extra: (0, 0) });
            rest = behind;
            continue;
        }
        let zeros = rest.iter().take_while(|length| **length == 0).count();
        let (symbol, count, extra) = match zeros {
            // A run of 19 is too long for the short form and too short for the long one.
            1 | 2 | 19 => (0, 1, (0, 0)),
            3..=18 => (1, zeros, (zeros as u32 - 3, 4)),
            _ => (2, zeros, (zeros as u32 - 20, 9)),
        };
        packed.push(Packed { symbol, extra });
        rest = &rest[count..];
    }
    packed
}

/// The codes of a block, and what it takes.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) histogram: Histogram,
    variant: Variant,
    characters: Code,
    positions: Code,
    packed: Vec<Packed>,
    lengths: Code,
}

impl Plan {
    pub(super) fn new(histogram: &Histogram, variant: Variant) -> Self {
        let characters = Code::new(&histogram.characters);
        let positions = Code::new(&histogram.positions);
        let packed = pack(characters.used());
        let mut counts = [0; LENGTHS];
        packed.iter().for_each(|packed| counts[packed.symbol] += 1);
        let lengths = Code::new(&counts);
        Self { histogram: histogram.clone(), variant, characters, positions, packed, lengths }
    }

    /// The bits of the block.
    pub(super) fn bits(&self) -> u64 {
        // What does not depend on the symbols is left out.
        let mut counts = [0; LENGTHS];
        let mut bits = self.histogram.extra;
        for packed in &self.packed {
            counts[packed.symbol] += 1;
            bits += u64::from(packed.extra.1);
        }
        let plain =
            |code: &Code| code.used().iter().map(|length| u64::from(plain_length(*length).0)).sum::<u64>();
        bits + self.lengths.bits(&counts)
            + plain(&self.lengths)
            + plain(&self.positions)
            + self.characters.bits(&self.histogram.characters)
            + self.positions.bits(&self.histogram.positions)
    }

    /// Writes the block: its codes, then these tokens, whose histogram it was made of.
    pub(super) fn write(&self, out: &mut BitWriter, tokens: &[Token]) {
        // A block has no more symbols than bytes, and these are few enough for 16 bits.
        out.put(16, tokens.len() as u32);
        write_plain(out, &self.lengths, 5, Some(3));
        match self.characters {
            Code::Single(symbol) => {
                out.put(9, 0);
                out.put(9, symbol as u32);
            }
            Code::Lengths(_) => {
                out.put(9, self.characters.used().len() as u32);
                let lengths = Writer::new(&self.lengths);
                for Packed { symbol, extra: (number, bits) } in &self.packed {
                    lengths.put(out, *symbol);
                    out.put(*bits, *number);
                }
            }
        }
        write_plain(out, &self.positions, self.variant.position_bits(), None);
        let (characters, positions) = (Writer::new(&self.characters), Writer::new(&self.positions));
        for token in tokens {
            characters.put(out, token.character());
            if let Token::Match { distance, .. } = *token {
                let (symbol, bits, number) = position(distance);
                positions.put(out, symbol);
                out.put(bits, number);
            }
        }
    }
}

/// A code length that is packed by no code: how many bits, and which.
fn plain_length(length: u8) -> (u32, u32) {
    match u32::from(length) {
        length @ 0..=6 => (3, length),
        // Three ones, a one for each above 7, and a zero.
        length => (length - 3, (1 << (length - 3)) - 2),
    }
}

fn write_plain(out: &mut BitWriter, code: &Code, width: u32, run_at: Option<usize>) {
    if let Code::Single(symbol) = code {
        out.put(width, 0);
        out.put(width, *symbol as u32);
        return;
    }
    let lengths = code.used();
    out.put(width, lengths.len() as u32);
    let mut at = 0;
    while let Some(length) = lengths.get(at) {
        let (bits, number) = plain_length(*length);
        out.put(bits, number);
        at += 1;
        if run_at == Some(at) {
            let zeros = lengths[at..].iter().take(3).take_while(|length| **length == 0).count();
            out.put(2, zeros as u32);
            at += zeros;
        }
    }
}

/// Writes symbols of a code.
struct Writer<'a> {
    lengths: &'a [u8],
    codes: Vec<u16>,
}

impl<'a> Writer<'a> {
    fn new(code: &'a Code) -> Self {
        Self { lengths: code.used(), codes: lengths::codes(code.used()) }
    }

    fn put(&self, out: &mut BitWriter, symbol: usize) {
        // The one symbol of a code has no length, and takes no bits.
        if let (Some(length), Some(code)) = (self.lengths.get(symbol), self.codes.get(symbol)) {
            out.put(u32::from(*length), u32::from(*code));
        }
    }
}
