//! Reading around a place: from the window that is in memory where it lies in there, else from the source, which is paid for.

use std::io;

use super::window::Window;
use crate::source::{self, ReadAt};

/// What a read of the source costs at least, in bytes: a small one takes as long as one of a block.
const LEAST: u64 = 512;

/// What may be read of the source beside the windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: u64,
    /// How many looks there was nothing left for.
    pub(super) refused: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self { left: bytes, refused: 0 }
    }

    /// Takes the price of so many bytes; `false` where nothing is left.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        let may = self.left > 0;
        self.charge(bytes);
        self.refused += u64::from(!may);
        may
    }

    /// The price of what was read already.
    pub(super) fn charge(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes.max(LEAST));
    }
}

/// A source, with a window of it in memory.
pub(super) struct Near<'a, S: ?Sized> {
    pub(super) source: &'a S,
    pub(super) window: Window<'a>,
    pub(super) budget: &'a mut Budget,
}

impl<S: ReadAt + ?Sized> Near<'_, S> {
    /// Fills `buffer` from `offset` on, as far as there is something: nothing, too, where it may not be read.
    pub(super) fn fill(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(bytes) = self.window.get(offset, buffer.len()) {
            buffer.copy_from_slice(bytes);
            return Ok(bytes.len());
        }
        if !self.budget.take(buffer.len() as u64) {
            return Ok(0);
        }
        source::fill(self.source, offset, buffer)
    }
}
