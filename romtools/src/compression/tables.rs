//! Tables that are indexed by the next bits of the stream, made once a block.
//!
//! Nine in ten matches have codes so short that length and position are found with one look. An entry
//! then says all of it: how many bits that is, how long the match is, and how many of the bits are the
//! position's own.

use super::code::Code;
use super::{CHARACTERS, LENGTHS, LITERALS, MATCH_BIAS, POSITIONS};

/// Bits that the table of characters is indexed by.
const CHARACTER_BITS: u32 = 12;
/// Bits that the table of positions is indexed by.
const POSITION_BITS: u32 = 8;
/// Bits that the table of code lengths is indexed by.
const LENGTH_BITS: u32 = 8;

/// What was found for the next bits.
///
/// | bits | of a literal | of a match |
/// |---|---|---|
/// | 5:0 | how many bits it took | the same, with those of the position |
/// | 15:8 | the byte | 12:8 how many bits of the position stand behind its code, 13 if one more stands above them |
/// | 24:16 | | the length |
/// | 31:29 | 0 | [`Entry::LONG`], [`Entry::PART`], [`Entry::MATCH`] |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    /// The code is longer than the table's index.
    const LONG: u32 = 1 << 31;
    /// A match, without its position yet.
    const PART: u32 = 1 << 29;
    /// A match.
    const MATCH: u32 = 1 << 30;

    /// A literal or a match length.
    fn character(symbol: u32, bits: u32) -> Self {
        Self(bits + if symbol < LITERALS { symbol << 8 } else { Self::MATCH | (symbol - MATCH_BIAS) << 16 })
    }

    /// A position: symbol 0 is one byte back; any other says how wide the number is that stands behind it
    /// without its topmost bit.
    pub(super) fn position(symbol: u32, bits: u32) -> Self {
        match symbol {
            0 => Self(bits),
            // More than 24 bits are farther back than any output reaches, and these fit the window.
            _ => {
                let extra = (symbol - 1).min(24);
                Self((1 << 13 | extra << 8 | extra) + bits)
            }
        }
    }

    /// A match length with its position.
    fn and(self, position: Self) -> Self {
        Self((self.0 & !Self::PART) + position.0)
    }

    /// If it is a whole literal or match.
    #[inline(always)]
    pub(super) fn is_whole(self) -> bool {
        self.0 & (Self::LONG | Self::PART) == 0
    }

    /// 1 for a match, 0 for a literal; it must be whole.
    #[inline(always)]
    pub(super) fn matches(self) -> usize {
        (self.0 >> 30) as usize
    }

    /// The number of bits it took are the low six; the next two are zero.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0
    }

    /// The byte of a literal.
    #[inline(always)]
    pub(super) fn literal(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// The length of a match.
    #[inline(always)]
    pub(super) fn length(self) -> usize {
        (self.0 >> 16 & 0x1ff) as usize
    }

    /// How far back a match or position is, which began where the window does.
    #[inline(always)]
    pub(super) fn distance(self, window: u64) -> usize {
        let extra = self.0 >> 8 & 0x1f;
        let below = window.wrapping_shl(self.0 - extra) >> 1;
        ((1 << 63 | below) >> (63 - extra)) as usize + (self.0 >> 13 & 1) as usize
    }
}

/// The tables of a block.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    characters: [Entry; 1 << CHARACTER_BITS],
    positions: [Entry; 1 << POSITION_BITS],
}

impl Tables {
    /// The most bits of an entry that is found whole: two fit the window.
    const MAXIMUM_BITS: u32 = 28;

    pub(super) fn new() -> Self {
        Self { characters: [Entry(0); 1 << CHARACTER_BITS], positions: [Entry(0); 1 << POSITION_BITS] }
    }

    /// Makes them the tables of these codes.
    pub(super) fn set(&mut self, characters: &Code<CHARACTERS>, positions: &Code<POSITIONS>) {
        let rest = fill(&mut self.positions, positions, POSITION_BITS, |place, symbol, bits| {
            place.fill(Entry::position(symbol, bits));
        });
        rest.fill(Entry(Entry::LONG));
        let rest = fill(&mut self.characters, characters, CHARACTER_BITS, |place, symbol, bits| {
            let character = Entry::character(symbol, bits);
            if character.matches() == 0 {
                return place.fill(character);
            }
            let part = Entry(character.0 | Entry::PART);
            let rest = fill(place, positions, CHARACTER_BITS - bits, |place, symbol, position_bits| {
                let entry = character.and(Entry::position(symbol, position_bits));
                place.fill(if entry.0 & 0x3f <= Self::MAXIMUM_BITS { entry } else { part });
            });
            rest.fill(part);
        });
        rest.fill(Entry(Entry::LONG));
    }

    /// What the window begins with: whole, or not.
    #[inline(always)]
    pub(super) fn look_up(&self, window: u64) -> Entry {
        self.characters[(window >> (64 - CHARACTER_BITS)) as usize]
    }

    /// Makes an entry that [`Tables::look_up`] gave whole; it takes [`super::bits::REFILLED`] bits at most.
    #[inline(never)]
    pub(super) fn complete(
        &self,
        entry: Entry,
        window: u64,
        characters: &Code<CHARACTERS>,
        positions: &Code<POSITIONS>,
    ) -> Entry {
        let character = if entry.0 & Entry::LONG == 0 {
            entry
        } else {
            let (symbol, bits) = characters.find(window);
            Entry::character(symbol, bits)
        };
        if character.0 & Entry::MATCH == 0 {
            return character;
        }
        let window = window.wrapping_shl(character.0);
        let position = self.positions[(window >> (64 - POSITION_BITS)) as usize];
        if position.0 & Entry::LONG == 0 {
            return character.and(position);
        }
        let (symbol, bits) = positions.find(window);
        character.and(Entry::position(symbol, bits))
    }
}

/// The table of the code that packs code lengths: by the next bits, a symbol and the bits it took.
#[derive(Debug, Clone)]
pub(super) struct LengthTable([(u8, u8); 1 << LENGTH_BITS]);

impl LengthTable {
    /// In place of the bits: the code is longer than the index.
    const LONG: u8 = u8::MAX;

    pub(super) fn new(code: &Code<LENGTHS>) -> Self {
        let mut table = [(0, Self::LONG); 1 << LENGTH_BITS];
        fill(&mut table, code, LENGTH_BITS, |place, symbol, bits| place.fill((symbol as u8, bits as u8)));
        Self(table)
    }

    /// The symbol that the window begins with, and its bits.
    #[inline(always)]
    pub(super) fn look_up(&self, window: u64, code: &Code<LENGTHS>) -> (u32, u32) {
        match self.0[(window >> (64 - LENGTH_BITS)) as usize] {
            (_, Self::LONG) => code.find(window),
            (symbol, bits) => (u32::from(symbol), u32::from(bits)),
        }
    }
}

/// Gives each symbol with a code of up to `index_bits` its part of a table; returns what is left for longer ones.
fn fill<'t, T, const SYMBOLS: usize>(
    table: &'t mut [T],
    code: &Code<SYMBOLS>,
    index_bits: u32,
    mut put: impl FnMut(&mut [T], u32, u32),
) -> &'t mut [T] {
    let mut rest = table;
    for (length, symbols) in code.by_length().take(index_bits as usize + 1) {
        for &symbol in symbols {
            // A code fills its space, and its symbols' parts the table.
            let Some((place, behind)) = rest.split_at_mut_checked(1 << (index_bits - length)) else {
                return &mut [];
            };
            put(place, u32::from(symbol), length);
            rest = behind;
        }
    }
    rest
}
