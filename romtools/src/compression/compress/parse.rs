//! The choice of literals and matches that takes the fewest bits, for given prices.

use std::ops::Range;

use super::super::{CHARACTERS, LITERALS, MATCH_BIAS, MINIMUM_MATCH, POSITIONS};
use super::block::Histogram;
use super::matches::Matches;

/// A literal or a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Literal(u8),
    Match { length: u16, distance: u32 },
}

impl Token {
    /// How many bytes it stands for.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Literal(_) => 1,
            Self::Match { length, .. } => usize::from(*length),
        }
    }

    /// Its symbol of the character code.
    pub(super) fn character(&self) -> usize {
        match *self {
            Self::Literal(byte) => usize::from(byte),
            Self::Match { length, .. } => usize::from(length) + MATCH_BIAS as usize,
        }
    }
}

/// The symbol of a distance, how many bits follow it, and these bits.
pub(super) fn position(distance: u32) -> (usize, u32, u32) {
    let offset = distance - 1;
    let symbol = u32::BITS - offset.leading_zeros();
    let extra = symbol.saturating_sub(1);
    (symbol as usize, extra, offset & ((1 << extra) - 1))
}

/// A bit, in the unit of prices.
const BIT: u32 = 256;

/// What each symbol costs, in parts of a bit.
#[derive(Debug, Clone)]
pub(super) struct Prices {
    characters: [u32; CHARACTERS],
    /// With the bits that follow.
    positions: [u32; POSITIONS],
}

impl Prices {
    /// What it may cost to write these bytes, before anything is known but how often each occurs.
    pub(super) fn guessed(bytes: &[u8]) -> Self {
        let mut prices = Self { characters: [0; CHARACTERS], positions: [4 * BIT; POSITIONS] };
        let (literals, lengths) = prices.characters.split_at_mut(LITERALS as usize);
        let mut counts = [0; LITERALS as usize];
        bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        price(&counts, literals);
        for (price, length) in lengths.iter_mut().zip(MINIMUM_MATCH as u32..) {
            // Short matches are frequent.
            *price = (length.ilog2() + 3) * BIT;
        }
        prices.with_extra_bits()
    }

    /// What it cost when these were the symbols.
    pub(super) fn of(histogram: &Histogram) -> Self {
        let mut prices = Self { characters: [0; CHARACTERS], positions: [0; POSITIONS] };
        price(&histogram.characters, &mut prices.characters);
        price(&histogram.positions, &mut prices.positions);
        prices.with_extra_bits()
    }

    fn with_extra_bits(mut self) -> Self {
        for (price, extra) in self.positions[1..].iter_mut().zip(0..) {
            *price += extra * BIT;
        }
        self
    }
}

/// The bits of a symbol are the logarithm of how rare it is; one that does not occur is twice as rare as
/// one that occurs once.
fn price(counts: &[u32], prices: &mut [u32]) {
    let total: u32 = counts.iter().sum();
    for (&count, price) in counts.iter().zip(prices) {
        let share = f64::from(total.max(1)) / f64::from(count).max(0.5);
        *price = (share.log2() * f64::from(BIT)) as u32;
    }
}

/// The cheapest way to here.
#[derive(Debug, Clone, Copy)]
struct Step {
    price: u32,
    /// Of the match that leads here; 0 for a literal.
    distance: u32,
    length: u16,
}

/// The cheapest tokens for a range of a piece.
pub(super) fn parse(piece: &[u8], matches: &Matches, range: Range<usize>, prices: &Prices) -> Vec<Token> {
    let bytes = &piece[range.clone()];
    let mut steps = vec![Step { price: u32::MAX, distance: 0, length: 1 }; bytes.len() + 1];
    steps[0].price = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let here = steps[at].price;
        let mut offer = |length: usize, distance, price| {
            let step = &mut steps[at + length];
            if price < step.price {
                *step = Step { price, distance, length: length as u16 };
            }
        };
        offer(1, 0, here + prices.characters[usize::from(byte)]);
        let room = bytes.len() - at;
        let mut shortest = MINIMUM_MATCH;
        for found in matches.at(range.start + at) {
            let price = here + prices.positions[position(found.distance).0];
            let longest = usize::from(found.length).min(room);
            for length in shortest..=longest {
                offer(length, found.distance, price + prices.characters[length + MATCH_BIAS as usize]);
            }
            shortest = longest + 1;
        }
    }
    let mut tokens = Vec::new();
    let mut at = bytes.len();
    while at > 0 {
        let Step { distance, length, .. } = steps[at];
        at -= usize::from(length);
        tokens.push(if distance == 0 {
            Token::Literal(bytes[at])
        } else {
            Token::Match { length, distance }
        });
    }
    tokens.reverse();
    tokens
}
