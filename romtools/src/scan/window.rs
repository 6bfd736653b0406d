//! Reading a source window by window, and finding the words in it.

use std::io;

use crate::source::{ReadAt, fill};

/// Bytes that are read at once: they fit into a processor's own cache.
pub(super) const SIZE: usize = 128 << 10;

/// Bytes that are looked at together. In random data one of a hundred blocks holds a word.
const BLOCK: usize = 1024;

/// The words that something begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// `55 AA`, at an even offset.
    OptionRom,
    /// `NPDS` or `RGIS`, at a multiple of 4.
    PrivateStructure,
    /// `VFCT`, at a multiple of 4.
    Vfct,
    /// `NVGI`, at a multiple of 4.
    Nvgi,
}

const OPTION_ROM: u32 = 0xaa55;
const VFCT: u32 = u32::from_le_bytes(*b"VFCT");
const NVGI: u32 = u32::from_le_bytes(*b"NVGI");
const NPDS: u32 = u32::from_le_bytes(*b"NPDS");
const RGIS: u32 = u32::from_le_bytes(*b"RGIS");

/// Bytes in front of a window that stay in memory: private images begin so far in front of their data structure, at most.
pub(super) const KEPT: usize = 4 << 10;

/// What is in memory of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window<'a> {
    begin: u64,
    bytes: &'a [u8],
}

impl<'a> Window<'a> {
    /// So many bytes from `offset` on, if all are there.
    pub(super) fn get(&self, offset: u64, length: usize) -> Option<&'a [u8]> {
        let at = usize::try_from(offset.checked_sub(self.begin)?).ok()?;
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// The bytes in front of `offset`, as far as they are there and not more than [`KEPT`].
    pub(super) fn before(&self, offset: u64) -> &'a [u8] {
        let end =
            usize::try_from(offset.saturating_sub(self.begin)).unwrap_or(usize::MAX).min(self.bytes.len());
        &self.bytes[end.saturating_sub(KEPT)..end]
    }
}

/// What [`for_each`] comes upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A word, where, and what is in memory around it.
    Word(u64, Word, Window<'a>),
    /// So many bytes are done.
    Position(u64),
}

/// Reads the source to its end, or to `length`, and tells each word in the order of the offsets.
pub(super) fn for_each<S: ReadAt + ?Sized>(
    source: &S,
    length: u64,
    step: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut memory = vec![0; KEPT + SIZE];
    let (mut position, mut kept) = (0, 0);
    while position < length {
        let want = usize::try_from(length - position).unwrap_or(SIZE).min(SIZE);
        let have = fill(source, position, &mut memory[KEPT..KEPT + want])?;
        if have == 0 {
            break;
        }
        let window = Window { begin: position - kept as u64, bytes: &memory[KEPT - kept..KEPT + have] };
        for (index, block) in memory[KEPT..KEPT + have].chunks(BLOCK).enumerate() {
            if may_hold_a_word(block) {
                words(block, position + (index * BLOCK) as u64, window, step)?;
            }
        }
        // All words begin at even offsets, and windows do: none lies in two of them.
        position += have as u64;
        step(Step::Position(position))?;
        if have < SIZE {
            break;
        }
        memory.copy_within(SIZE.., 0);
        kept = KEPT;
    }
    Ok(())
}

/// If a block holds a word. Without a branch and with numbers of one width, so that it becomes vector code.
fn may_hold_a_word(block: &[u8]) -> bool {
    let (words, rest) = block.as_chunks::<4>();
    let mut any = 0;
    for &word in words {
        let word = u32::from_le_bytes(word);
        any |= u32::from(word & 0xffff == OPTION_ROM)
            | u32::from(word >> 16 == OPTION_ROM)
            | u32::from(word == VFCT)
            | u32::from(word == NVGI)
            | u32::from(word == NPDS)
            | u32::from(word == RGIS);
    }
    any != 0 || !rest.is_empty()
}

/// The words of a block, one by one.
fn words(
    block: &[u8],
    offset: u64,
    window: Window<'_>,
    step: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for (index, pair) in block.chunks_exact(2).enumerate() {
        let at = 2 * index;
        if pair == [0x55, 0xaa] {
            step(Step::Word(offset + at as u64, Word::OptionRom, window))?;
        }
        let long = if at.is_multiple_of(4) { block.get(at..at + 4) } else { None };
        let word = match long {
            Some(b"VFCT") => Word::Vfct,
            Some(b"NVGI") => Word::Nvgi,
            Some(b"NPDS" | b"RGIS") => Word::PrivateStructure,
            _ => continue,
        };
        step(Step::Word(offset + at as u64, word, window))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn found(bytes: &[u8]) -> Vec<(u64, Word)> {
        let mut found = Vec::new();
        for_each(bytes, bytes.len() as u64, &mut |step| {
            if let Step::Word(offset, word, _) = step {
                found.push((offset, word));
            }
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn words_are_found_at_their_boundaries_and_no_others() {
        for at in 0..8 {
            let mut bytes = vec![0; 3 * BLOCK];
            bytes[BLOCK + at..][..2].copy_from_slice(&[0x55, 0xaa]);
            bytes[2 * BLOCK + at..][..4].copy_from_slice(b"VFCT");
            let found = found(&bytes);
            let rom = (BLOCK as u64 + at as u64, Word::OptionRom);
            let table = (2 * BLOCK as u64 + at as u64, Word::Vfct);
            assert_eq!(found.contains(&rom), at % 2 == 0);
            assert_eq!(found.contains(&table), at % 4 == 0);
        }
    }

    #[test]
    fn nothing_is_lost_between_windows_and_at_the_end() {
        for at in [SIZE - 4, SIZE - 2, SIZE, 2 * SIZE - 2, 2 * SIZE + 4] {
            let mut bytes = vec![0; 2 * SIZE + 6];
            bytes[at..at + 2].copy_from_slice(&[0x55, 0xaa]);
            assert_eq!(found(&bytes), [(at as u64, Word::OptionRom)]);
        }
        assert_eq!(found(&[0x55, 0xaa]), [(0, Word::OptionRom)]);
        assert_eq!(found(&[0x55]), []);
    }

    #[test]
    fn a_window_holds_what_stands_around_a_word() {
        let length = 2 * SIZE + 100;
        let mut bytes: Vec<u8> = (0..length).map(|at| (at / 2 % 0x50) as u8).collect();
        for at in [0, 64, SIZE, SIZE + 8, 2 * SIZE, 2 * SIZE + 96] {
            bytes[at..at + 4].copy_from_slice(b"NPDS");
        }
        let mut count = 0;
        for_each(&bytes[..], length as u64, &mut |step| {
            let Step::Word(offset, _, window) = step else { return Ok(()) };
            let at = usize::try_from(offset).unwrap();
            assert_eq!(window.before(offset), &bytes[at.saturating_sub(KEPT)..at]);
            assert_eq!(window.get(offset, 4), Some(&b"NPDS"[..]));
            assert_eq!(window.get(offset, SIZE + 1), None);
            count += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(count, 6);
    }

    proptest! {
        #[test]
        fn the_fast_look_misses_nothing(
            length in 0usize..5000,
            marks in vec((0usize..5000, 0usize..5), 0..9),
        ) {
            let mut bytes = vec![0xaa; length];
            for (at, word) in marks {
                let word: &[u8] = [&b"VFCT"[..], b"NVGI", b"NPDS", b"RGIS", &[0x55, 0xaa]][word];
                if at + word.len() <= length {
                    bytes[at..at + word.len()].copy_from_slice(word);
                }
            }
            let mut slow = Vec::new();
            let window = Window { begin: 0, bytes: &bytes };
            words(&bytes, 0, window, &mut |step| {
                if let Step::Word(offset, word, _) = step {
                    slow.push((offset, word));
                }
                Ok(())
            }).unwrap();
            prop_assert_eq!(found(&bytes), slow);
        }
    }
}
