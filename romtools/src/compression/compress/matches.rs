//! Earlier places with the same bytes: hash chains over the window.

use super::super::{MAXIMUM_MATCH, MINIMUM_MATCH};

/// Bits of the hash of three bytes.
const HASH_BITS: u32 = 15;
/// Places that are tried for a position.
const DEPTH: usize = 192;
/// A match of this length is taken without a look at what else there is, also within it.
const LONG: usize = 128;
/// There is no earlier place.
const NONE: u32 = u32::MAX;

/// A match: its length, and how far back it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) length: u16,
    pub(super) distance: u32,
}

/// The matches of a piece.
#[derive(Debug)]
pub(super) struct Matches {
    /// By position: where its matches begin in the list, and behind the last position, where they end.
    begins: Vec<u32>,
    list: Vec<Match>,
}

impl Matches {
    /// The matches at a position: each is longer than the one before it, and farther back.
    pub(super) fn at(&self, position: usize) -> &[Match] {
        match self.begins.get(position..position + 2) {
            Some(&[begin, end]) => &self.list[begin as usize..end as usize],
            _ => &[],
        }
    }
}

/// Finds matches, position by position.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    bytes: &'a [u8],
    position: usize,
    /// By hash: the last place.
    heads: Vec<u32>,
    /// By place, modulo the window: the place before it with the same hash.
    chain: Vec<u32>,
}

impl<'a> Finder<'a> {
    /// For these bytes, and a window whose size is a power of two.
    pub(super) fn new(bytes: &'a [u8], window: usize) -> Self {
        let chain = vec![NONE; window.min(bytes.len().next_power_of_two())];
        Self { bytes, position: 0, heads: vec![NONE; 1 << HASH_BITS], chain }
    }

    /// The matches of the next positions, which end with them.
    pub(super) fn matches(&mut self, positions: usize) -> Matches {
        let end = self.bytes.len().min(self.position + positions);
        let mut found = Matches { begins: vec![0], list: Vec::new() };
        let mut skip = 0;
        while self.position < end {
            if skip > 0 {
                skip -= 1;
            } else {
                let before = found.list.len();
                self.find(end, &mut found.list);
                let longest = found.list[before..].last().map_or(0, |longest| usize::from(longest.length));
                if longest >= LONG {
                    found.list.drain(before..found.list.len() - 1);
                    skip = longest - 1;
                }
            }
            self.insert();
            self.position += 1;
            found.begins.push(found.list.len() as u32);
        }
        found
    }

    fn find(&self, end: usize, list: &mut Vec<Match>) {
        let here = &self.bytes[self.position..end];
        let here = &here[..here.len().min(MAXIMUM_MATCH)];
        let Some(hash) = hash(here) else { return };
        let mut longest = MINIMUM_MATCH - 1;
        let mut place = self.heads[hash];
        for _ in 0..DEPTH {
            let distance = self.position.wrapping_sub(place as usize);
            if place == NONE || distance > self.chain.len() {
                return;
            }
            let there = &self.bytes[place as usize..];
            // The last byte of what is needed for a longer one decides most often.
            if there[longest] == here[longest] {
                let length = here.iter().zip(there).take_while(|(a, b)| a == b).count();
                if length > longest {
                    longest = length;
                    list.push(Match { length: length as u16, distance: distance as u32 });
                    if length == here.len() {
                        return;
                    }
                }
            }
            place = self.chain[place as usize & (self.chain.len() - 1)];
        }
    }

    fn insert(&mut self) {
        if let Some(hash) = hash(&self.bytes[self.position..]) {
            let mask = self.chain.len() - 1;
            self.chain[self.position & mask] = self.heads[hash];
            self.heads[hash] = self.position as u32;
        }
    }
}

fn hash(bytes: &[u8]) -> Option<usize> {
    let &[a, b, c, ..] = bytes else { return None };
    let number = u32::from_le_bytes([a, b, c, 0]);
    Some((number.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize)
}
