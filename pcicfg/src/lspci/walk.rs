//! lspci's walk of the capability list: no lower bound for pointers, each position once.

use super::Subject;

pub(super) const SUBSYSTEM: u8 = 0x0d;
const CAPABILITIES_LIST: u16 = 1 << 4;

/// A step of the list as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A capability; `flags` is the word after id and next.
    Capability { at: usize, id: u8, flags: u16 },
    /// The list goes on where nothing can be read.
    Unreadable,
    /// The list comes back to where it has been.
    Looped { at: usize },
    /// Id ff: nothing answers here.
    Broken { at: usize },
}

/// The list that begins at the pointer at `pointer`.
pub(super) struct Walk<'s, 'a> {
    subject: &'s Subject<'a>,
    at: usize,
    visited: Visited,
}

impl<'s, 'a> Walk<'s, 'a> {
    pub(super) fn new(subject: &'s Subject<'a>, pointer: usize) -> Self {
        let listed = subject.status() & CAPABILITIES_LIST != 0;
        let at = if listed { usize::from(subject.u8(pointer) & !3) } else { 0 };
        Self { subject, at, visited: Visited::default() }
    }
}

impl Iterator for Walk<'_, '_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let at = core::mem::take(&mut self.at);
        if at == 0 {
            return None;
        }
        if !self.subject.has(at, 4) {
            return Some(Step::Unreadable);
        }
        let id = self.subject.u8(at);
        if !self.visited.insert(at) {
            return Some(Step::Looped { at });
        }
        if id == 0xff {
            return Some(Step::Broken { at });
        }
        self.at = usize::from(self.subject.u8(at + 1) & !3);
        Some(Step::Capability { at, id, flags: self.subject.u16(at + 2) })
    }
}

/// The first capability with this id, as libpci finds it: it reads what cannot be read as ff.
pub(super) fn find(subject: &Subject<'_>, id: u8) -> Option<usize> {
    if subject.status() & CAPABILITIES_LIST == 0 {
        return None;
    }
    let mut visited = Visited::default();
    let mut at = usize::from(subject.u8(0x34) & !3);
    while at != 0 && visited.insert(at) {
        match subject.u8(at) {
            0xff => return None,
            found if found == id => return Some(at),
            _ => at = usize::from(subject.u8(at + 1) & !3),
        }
    }
    None
}

/// The positions of the list that were visited: multiples of 4 below 256.
#[derive(Default)]
struct Visited(u64);

impl Visited {
    /// Whether the position is new.
    fn insert(&mut self, at: usize) -> bool {
        let bit = 1 << (at / 4 % 64);
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }
}
