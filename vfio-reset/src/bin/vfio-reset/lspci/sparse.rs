//! Configuration spaces without their zeros.
//!
//! Most rows of an extended configuration space are zero. Leaving them out takes a quarter of the memory,
//! and with it most of the page faults, which took longer than reading the text.

const ROW: usize = 16;
const ROWS: usize = 4096 / ROW;

/// Spaces one after the other: each a bit for every row, then the rows that are not zero.
#[derive(Debug, Default)]
pub(super) struct Sparse(Vec<u8>);

/// Room for one space.
pub(super) struct Space([u8; ROWS * ROW]);

impl Space {
    pub(super) fn new() -> Self {
        Self([0; ROWS * ROW])
    }
}

impl Sparse {
    /// Stores a space of at most 4096 bytes; returns where.
    pub(super) fn push(&mut self, bytes: &[u8]) -> usize {
        let start = self.0.len();
        let rows = bytes.len().div_ceil(ROW).min(ROWS);
        self.0.resize(start + rows.div_ceil(8), 0);
        let (whole, part) = bytes.as_chunks::<ROW>();
        let mut padded = [0; ROW];
        padded[..part.len()].copy_from_slice(part);
        for (index, row) in whole.iter().chain([&padded]).take(rows).enumerate() {
            if u128::from_ne_bytes(*row) != 0 {
                self.0[start + index / 8] |= 1 << (index % 8);
                self.0.extend_from_slice(row);
            }
        }
        start
    }

    /// The space of `length` bytes that was stored at `start`.
    pub(super) fn get<'r>(&self, start: usize, length: usize, room: &'r mut Space) -> &'r [u8] {
        let rows = length.div_ceil(ROW).min(ROWS);
        let marks = rows.div_ceil(8);
        let stored = self.0.get(start..).unwrap_or_default();
        let (marks, rest) = stored.split_at(marks.min(stored.len()));
        let mut filled = rest.as_chunks::<ROW>().0.iter();
        let (room, _) = room.0.as_chunks_mut::<ROW>();
        for (index, row) in room.iter_mut().enumerate().take(rows) {
            let marked = marks.get(index / 8).is_some_and(|mark| mark >> (index % 8) & 1 != 0);
            *row = if marked { filled.next().copied().unwrap_or_default() } else { [0; ROW] };
        }
        room.as_flattened().get(..length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spaces_come_back_as_they_were(
            spaces in prop::collection::vec(
                prop::collection::vec(prop_oneof![9 => Just(0u8), 1 => any::<u8>()], 0..=4096), 0..4),
        ) {
            let mut sparse = Sparse::default();
            let places: Vec<usize> = spaces.iter().map(|space| sparse.push(space)).collect();
            let mut room = Space::new();
            for (space, start) in spaces.iter().zip(places).rev() {
                prop_assert_eq!(sparse.get(start, space.len(), &mut room), &space[..]);
            }
        }
    }
}
