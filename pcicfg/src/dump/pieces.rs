//! A text of any length, read in pieces.

use alloc::vec::Vec;
use core::mem;

use super::{Dump, DumpError, cut, read, skim};

/// How much text is read at once: it fits a processor's cache together with what becomes of it.
const PIECE: usize = 256 << 10;
/// How much text is read at once where no function begins in it: no function has so much text below its slot line.
const LONGEST: usize = 4 << 20;

/// Reads a text of any length in pieces: a text of gigabytes takes no more memory than a few megabytes and what is
/// kept of its functions.
///
/// The text comes from the caller, who appends it to [`text`](Self::text). It is cut before slot lines, where no
/// function goes on, and each [`Piece`] then shows the functions that the whole text shows there. Only where a text
/// has no slot line for a long while is it cut elsewhere, first between lines.
///
/// Three things are told only of a piece, not of the text: that a slot is there [twice](super::WarningKind::Repeated) or
/// [has no rows](super::WarningKind::NoRows), and that there is [no function](super::DumpErrorKind::NoFunction); they
/// may be otherwise in another piece. Lines are counted from the piece's beginning.
///
/// ```
/// use pcicfg::dump::Pieces;
///
/// let text = b"00:01.0 x\n00: 86 80 40 2a\n\n00:02.0 y\n00: 86 80 41 2a\n";
/// let mut pieces = Pieces::new().with_lengths(16, 64);
/// let (mut source, mut ids) = (&text[..], Vec::new());
/// loop {
///     // Any `Read` does: `stream.by_ref().take(wanted as u64).read_to_end(pieces.text())`.
///     let (read, rest) = source.split_at(pieces.wanted().min(source.len()));
///     pieces.text().extend_from_slice(read);
///     source = rest;
///     let end = source.is_empty();
///     while let Some(piece) = pieces.cut(end) {
///         ids.extend(piece.dump.functions().map(|function| function.config_space().header().device_id()));
///     }
///     if end {
///         break;
///     }
/// }
/// assert_eq!(ids, [0x2a40, 0x2a41]);
/// ```
#[derive(Debug)]
pub struct Pieces {
    headers: bool,
    piece: usize,
    longest: usize,
    text: Vec<u8>,
    /// How much of `text` was returned.
    returned: usize,
    /// Where the rest of `text` begins in the whole.
    offset: u64,
    /// The rest begins in the middle of a line.
    in_line: bool,
    /// There is nothing to be cut off before more text comes.
    waiting: bool,
    ended: bool,
    /// Room for the lines that are needed of a piece.
    skimmed: Vec<u8>,
}

/// A part of a text, and what it shows; cut off by [`Pieces::cut`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Piece<'p> {
    /// Where the piece begins in the text, in bytes.
    pub offset: u64,
    /// The piece itself.
    pub text: &'p [u8],
    /// Its functions, with all warnings about this piece.
    pub dump: Dump,
    /// Why it shows no function, or not all: what [`Dump::parse`] would say of it. A piece without functions is
    /// nothing special in a log.
    pub error: Option<DumpError>,
    /// The piece ends in a line that has no end for as long as is read at once. What comes of that line later is
    /// returned as pieces that show nothing.
    pub cuts_line: bool,
}

impl Default for Pieces {
    fn default() -> Self {
        Self::new()
    }
}

impl Pieces {
    /// No text yet, of whose functions all is wanted.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            headers: false,
            piece: PIECE,
            longest: LONGEST,
            text: Vec::new(),
            returned: 0,
            offset: 0,
            in_line: false,
            waiting: false,
            ended: false,
            skimmed: Vec::new(),
        }
    }

    /// No text yet, of whose functions only the first 64 bytes are wanted: other rows are passed over wherever
    /// that changes no warning. Functions may still show more.
    #[must_use]
    pub const fn of_headers() -> Self {
        let mut pieces = Self::new();
        pieces.headers = true;
        pieces
    }

    /// How much text is read at once, 256 KiB if nothing is said, and how much where no function begins in it, 4 MiB.
    #[must_use]
    pub const fn with_lengths(mut self, piece: usize, longest: usize) -> Self {
        self.piece = if piece == 0 { 1 } else { piece };
        self.longest = if longest < self.piece { self.piece } else { longest };
        self
    }

    /// How much text to append before [`cut`](Self::cut) is called; any other amount does, too.
    #[must_use]
    pub fn wanted(&self) -> usize {
        // Less than a piece is left from last time. Where no piece may end, the text doubles, so that it is not
        // searched again and again.
        let rest = self.text.len() - self.returned;
        self.piece.saturating_sub(rest).max(rest)
    }

    /// Where to append text; what is there stays as it is.
    pub fn text(&mut self) -> &mut Vec<u8> {
        self.forget();
        self.waiting = false;
        &mut self.text
    }

    /// Cuts off a piece, and reads it: `None` if there is none before more text comes. `end` says that none comes.
    ///
    /// A text, be it an empty one, has at least one piece.
    pub fn cut(&mut self, end: bool) -> Option<Piece<'_>> {
        self.forget();
        if self.ended || self.waiting && !end {
            return None;
        }
        if self.in_line && !self.text.is_empty() {
            // What is left of a line that was too long means nothing, whatever it looks like.
            let newline = self.text.iter().position(|&byte| byte == b'\n');
            self.in_line = newline.is_none();
            let length = newline.map_or(self.text.len(), |newline| newline + 1);
            self.ended = end && length == self.text.len();
            return Some(self.taken(length, Dump::default(), None, false));
        }
        let (length, cuts_line) = self.length(end);
        self.ended = end;
        self.waiting = true;
        let first = self.offset == 0;
        if length == 0 && !(end && first) {
            return None;
        }
        let (dump, error) = self.read(length, !(end && first));
        Some(self.taken(length, dump, error, cuts_line))
    }

    /// How long the next piece is, and whether it ends in a line.
    fn length(&self, end: bool) -> (usize, bool) {
        let all = self.text.len();
        match cut::before_slot(&self.text) {
            _ if end => (all, false),
            0 if all >= self.longest => match cut::before_line(&self.text) {
                0 => (all, true),
                length => (length, false),
            },
            length => (length, false),
        }
    }

    /// Reads as much of the first `length` bytes as is needed; all of them if there is anything to be told, for the
    /// line numbers.
    fn read(&mut self, length: usize, part: bool) -> (Dump, Option<DumpError>) {
        let text = self.text.get(..length).unwrap_or_default();
        if self.headers && skim::headers(text, &mut self.skimmed) {
            let (dump, error) = read::parse(&self.skimmed, part);
            if error.is_none() && dump.warnings().is_empty() {
                return (dump, None);
            }
        }
        read::parse(text, part)
    }

    fn taken(&mut self, length: usize, dump: Dump, error: Option<DumpError>, cuts_line: bool) -> Piece<'_> {
        self.in_line |= cuts_line;
        self.returned = length;
        let offset = self.offset;
        self.offset += length as u64;
        Piece { offset, text: self.text.get(..length).unwrap_or_default(), dump, error, cuts_line }
    }

    /// Drops the text of the piece that was returned last.
    fn forget(&mut self) {
        self.text.drain(..mem::take(&mut self.returned));
    }
}

#[cfg(test)]
mod tests;
