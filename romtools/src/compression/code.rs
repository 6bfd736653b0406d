//! Canonical Huffman codes: a code is known by the lengths of its symbols.
//!
//! Codes are assigned by length, then by symbol. All of the code space must be used: lengths that leave
//! some of it over, or need more than there is, are damaged.

use std::fmt;

use super::Defect;

/// The longest code, in bits.
pub(super) const MAXIMUM_LENGTH: u32 = 16;

/// Which of a block's three codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeKind {
    /// Literals and match lengths.
    Character,
    /// How far back a match is.
    Position,
    /// The lengths of the character code.
    Length,
}

/// `character`, `position`, `length`.
impl fmt::Display for CodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "character",
            Self::Position => "position",
            Self::Length => "length",
        })
    }
}

/// The lengths of a code's symbols, given in the order of the symbols.
#[derive(Debug, Clone)]
pub(super) struct Lengths<const SYMBOLS: usize> {
    kind: CodeKind,
    symbols: [(u16, u8); SYMBOLS],
    used: usize,
    counts: [u16; MAXIMUM_LENGTH as usize + 1],
}

impl<const SYMBOLS: usize> Lengths<SYMBOLS> {
    pub(super) fn new(kind: CodeKind) -> Self {
        Self { kind, symbols: [(0, 0); SYMBOLS], used: 0, counts: [0; MAXIMUM_LENGTH as usize + 1] }
    }

    /// Adds the next symbol; one of length 0 does not occur.
    #[inline(always)]
    pub(super) fn push(&mut self, symbol: usize, length: u32) -> Result<(), Defect> {
        if length == 0 {
            return Ok(());
        }
        let kind = self.kind;
        if symbol >= SYMBOLS || self.used >= SYMBOLS {
            return Err(Defect::Symbol { kind, symbol: symbol as u32 });
        }
        let count = self.counts.get_mut(length as usize).ok_or(Defect::CodeLength { kind, length })?;
        *count += 1;
        self.symbols[self.used] = (symbol as u16, length as u8);
        self.used += 1;
        Ok(())
    }
}

/// A code of at most `SYMBOLS` symbols.
#[derive(Debug, Clone)]
pub(super) struct Code<const SYMBOLS: usize> {
    /// The symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
    /// By length: how many symbols have it. There is one of length 0, or none.
    counts: [u16; MAXIMUM_LENGTH as usize + 1],
}

impl<const SYMBOLS: usize> Code<SYMBOLS> {
    /// The code with one symbol, which takes no bits.
    pub(super) fn single(symbol: u16) -> Self {
        let mut code = Self { symbols: [0; SYMBOLS], counts: [0; MAXIMUM_LENGTH as usize + 1] };
        code.symbols[0] = symbol;
        code.counts[0] = 1;
        code
    }

    /// The canonical code with these lengths.
    pub(super) fn new(lengths: &Lengths<SYMBOLS>) -> Result<Self, Defect> {
        let counts = lengths.counts;
        let mut next = [0; MAXIMUM_LENGTH as usize + 1];
        let (mut space, mut rank) = (0, 0);
        for (length, &count) in counts.iter().enumerate() {
            next[length] = rank;
            rank += usize::from(count);
            space += u32::from(count) << (MAXIMUM_LENGTH as usize - length);
        }
        if space != 1 << MAXIMUM_LENGTH {
            return Err(Defect::CodeSpace { kind: lengths.kind, used: space });
        }
        let mut symbols = [0; SYMBOLS];
        for &(symbol, length) in &lengths.symbols[..lengths.used] {
            let rank = &mut next[usize::from(length)];
            symbols[*rank] = symbol;
            *rank += 1;
        }
        Ok(Self { symbols, counts })
    }

    /// The symbols in the order of their codes: those of each length in turn, from 0.
    pub(super) fn by_length(&self) -> impl Iterator<Item = (u32, &[u16])> {
        let mut rest = self.symbols.as_slice();
        (0..).zip(&self.counts).map(move |(length, &count)| {
            let (symbols, behind) = rest.split_at_checked(usize::from(count)).unwrap_or_default();
            rest = behind;
            (length, symbols)
        })
    }

    /// The symbol whose code the window begins with, and the code's length.
    pub(super) fn find(&self, window: u64) -> (u32, u32) {
        let next = (window >> (64 - MAXIMUM_LENGTH)) as u32;
        let (mut below, mut rank) = (0, 0);
        for (&count, length) in self.counts.iter().zip(0..) {
            let place = (next - below) >> (MAXIMUM_LENGTH - length);
            if place < u32::from(count) {
                return (u32::from(self.symbols[rank + place as usize]), length);
            }
            below += u32::from(count) << (MAXIMUM_LENGTH - length);
            rank += usize::from(count);
        }
        // Not reached: the codes fill the space.
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<const SYMBOLS: usize>(lengths: [u32; SYMBOLS]) -> Result<Code<SYMBOLS>, Defect> {
        let mut all = Lengths::new(CodeKind::Character);
        lengths.into_iter().enumerate().try_for_each(|(symbol, length)| all.push(symbol, length))?;
        Code::new(&all)
    }

    #[test]
    fn codes_go_by_length_then_by_symbol() {
        let code = code([3, 0, 1, 3, 2]).unwrap();
        let find = |bits: u64, width: u32| code.find(bits << (64 - width));
        assert_eq!(find(0b0, 1), (2, 1));
        assert_eq!(find(0b10, 2), (4, 2));
        assert_eq!(find(0b110, 3), (0, 3));
        assert_eq!(find(0b111, 3), (3, 3));
        let order: Vec<_> = code.by_length().flat_map(|(_, symbols)| symbols).collect();
        assert_eq!(order, [&2, &4, &0, &3]);
    }

    #[test]
    fn the_longest_codes_are_found() {
        let code = code::<17>(std::array::from_fn(|symbol| (symbol as u32 + 1).min(16))).unwrap();
        assert_eq!(code.find(u64::MAX), (16, 16));
        assert_eq!(code.find(u64::MAX - (1 << 48)), (15, 16));
        assert_eq!(code.find(0xfffc << 48), (14, 15));
    }

    #[test]
    fn a_single_symbol_takes_no_bits() {
        assert_eq!(Code::<4>::single(3).find(u64::MAX), (3, 0));
        assert_eq!(Code::<4>::single(3).by_length().next(), Some((0, &[3u16][..])));
    }

    #[test]
    fn lengths_that_make_no_code_are_refused() {
        let used = |lengths| match code::<3>(lengths) {
            Err(Defect::CodeSpace { used, .. }) => Some(used),
            _ => None,
        };
        assert_eq!(used([1, 0, 0]), Some(0x8000));
        assert_eq!(used([1, 1, 1]), Some(0x1_8000));
        assert_eq!(used([0, 0, 0]), Some(0));
        assert_eq!(used([2, 1, 2]), None);
        assert!(matches!(code([1, 17]), Err(Defect::CodeLength { length: 17, .. })));
    }

    #[test]
    fn a_symbol_outside_of_the_alphabet_is_refused() {
        let mut lengths = Lengths::<2>::new(CodeKind::Position);
        lengths.push(2, 0).unwrap();
        assert!(matches!(lengths.push(2, 1), Err(Defect::Symbol { symbol: 2, .. })));
    }
}
