//! The reader: one pass, a fast path for rows as lspci writes them, a tolerant one for the rest.

use alloc::string::String;
use alloc::vec::Vec;

use super::hex::{self, Row};
use super::write::write_clean;
use super::{Dump, DumpError, DumpErrorKind, Entry, MAX_FUNCTIONS, MAX_WARNINGS, Warning, WarningKind};
use crate::address::Address;
use crate::config_space::ConfigSpace;

const END: usize = ConfigSpace::EXTENDED;
/// What a hole may take at any time: this, and [`SPARSE_FACTOR`] times the text read so far.
const SPARSE_FREE: usize = 64 << 10;
const SPARSE_FACTOR: usize = 8;

/// What packed files begin with, and what unpacks them.
const PACKED: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
];

/// What the text shows, and what is wrong with it as a whole. Where it is only a part of a text, rows without a slot line
/// are never taken for a function: it may stand in another part.
pub(super) fn parse(text: &[u8], part: bool) -> (Dump, Option<DumpError>) {
    let mut reader = Reader::new(text);
    while reader.at < text.len() && reader.beyond.is_none() {
        if reader.place == Place::Open {
            reader.rows();
        }
        reader.any_line();
    }
    reader.end(part)
}

/// Where in the grammar the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// No slot line or row yet.
    Start,
    /// Below a slot line.
    Open,
    /// Below the empty line that ends a function.
    Ended,
    /// Below a slot line that was dropped.
    Dropped,
}

/// The function being read; its bytes are the last in [`Reader::bytes`].
struct Function {
    address: Address,
    line: u32,
    column: u32,
    start: usize,
    description: (usize, usize),
    /// It has no slot line.
    assumed: bool,
}

struct Reader<'t> {
    text: &'t [u8],
    /// What was read of `text`.
    at: usize,
    /// The number of the line at `at`, from 1.
    line: u32,
    place: Place,
    function: Option<Function>,
    /// For each sixteen bytes of the function, one bit for each that a row gave.
    given: [u16; END / 16],
    /// The warning about rows of no function stands already.
    told: bool,
    /// Slot lines without rows.
    empty: Vec<(Address, u32, u32)>,
    assumed: bool,
    /// The first function beyond [`MAX_FUNCTIONS`].
    beyond: Option<DumpError>,
    /// Where a row stands behind a prefix.
    prefixed: Option<(u32, u32)>,
    dump: Dump,
}

impl<'t> Reader<'t> {
    fn new(text: &'t [u8]) -> Self {
        let dump = Dump { bytes: Vec::with_capacity(text.len() / 3), ..Dump::default() };
        // A byte order mark is no part of the first line.
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self {
            text,
            at,
            line: 1,
            place: Place::Start,
            function: None,
            given: [0; END / 16],
            told: false,
            empty: Vec::new(),
            assumed: false,
            beyond: None,
            prefixed: None,
            dump,
        }
    }

    /// The fast path: as many rows as stand here just as lspci writes them.
    fn rows(&mut self) {
        loop {
            self.zero_rows();
            let Some(row) = hex::row(self.text.get(self.at..).unwrap_or_default()) else { return };
            self.whole_row(&row, 0);
            self.at += row.length;
            self.line = self.line.saturating_add(1);
        }
    }

    /// The faster path: rows of zeros that go on where the function is.
    fn zero_rows(&mut self) {
        let present = self.present();
        let count = hex::zero_rows(self.text.get(self.at..).unwrap_or_default(), present);
        if count == 0 {
            return;
        }
        self.dump.bytes.resize(self.dump.bytes.len() + 16 * count, 0);
        let first = present >> 4;
        self.given.get_mut(first..first + count).unwrap_or_default().fill(0xffff);
        self.at += hex::LONG_ROW * count;
        self.line = self.line.saturating_add(count as u32);
    }

    /// A row as lspci writes it, below a slot line.
    fn whole_row(&mut self, row: &Row, column: usize) {
        if row.offset == self.present() && row.offset & 0xf == 0 {
            self.dump.bytes.extend_from_slice(&row.bytes);
            if let Some(given) = self.given.get_mut(row.offset >> 4) {
                *given = 0xffff;
            }
        } else if self.may_begin(row.offset, column) {
            let (kept, dropped) = row.bytes.split_at(row.bytes.len().min(END - row.offset));
            self.store(row.offset, kept);
            if !dropped.is_empty() {
                self.warn(column, WarningKind::BeyondEnd { offset: END as u32 });
            }
        }
    }

    /// A line of any kind.
    fn any_line(&mut self) {
        let text = self.text.get(self.at..).unwrap_or_default();
        if text.is_empty() {
            return;
        }
        let length = hex::line_length(text);
        let line = text.get(..length).unwrap_or_default();
        let body = unquoted(line);
        let column = line.len() - body.len();
        let body = trimmed(body);
        if body.is_empty() {
            if self.place == Place::Open {
                self.place = Place::Ended;
            }
        } else if let Some(row) = self.quoted_row(column) {
            self.whole_row(&row, column);
        } else if let Some(slot) = Slot::read(body) {
            self.slot(slot, body, column);
        } else if let Some((offset, bytes)) = row_start(body) {
            self.row(offset, body, bytes, column);
        } else if self.prefixed.is_none()
            && let Some(prefix) = hex::row_at_the_end(body)
        {
            self.warn(column + prefix, WarningKind::Prefixed);
            self.prefixed = Some((self.line, position(column + prefix)));
        }
        self.at += (length + 1).min(text.len());
        self.line = self.line.saturating_add(1);
    }

    /// A row as lspci writes it, at a column of this line.
    fn quoted_row(&self, column: usize) -> Option<Row> {
        let text = self.text.get(self.at + column..)?;
        if self.place == Place::Open { hex::row(text) } else { None }
    }

    fn slot(&mut self, slot: Slot, body: &[u8], column: usize) {
        self.finish();
        self.told = false;
        let Some(address) = slot.address else {
            self.warn(column + slot.start, WarningKind::NoSuchFunction);
            (self.place, self.told) = (Place::Dropped, true);
            return;
        };
        let begin = self.dump.descriptions.len();
        let description = String::from_utf8_lossy(body.get(slot.end..).unwrap_or_default());
        // A String takes everything.
        let _ = write_clean(&mut self.dump.descriptions, &description);
        self.function = Some(Function {
            address,
            line: self.line,
            column: position(column + slot.start),
            start: self.dump.bytes.len(),
            description: (begin, self.dump.descriptions.len()),
            assumed: false,
        });
        self.place = Place::Open;
    }

    fn row(&mut self, offset: u32, body: &[u8], bytes: usize, column: usize) {
        let cells = printable_end(body.get(bytes..).unwrap_or_default());
        let Some((mut byte, mut rest)) = cell(cells) else {
            if self.place == Place::Open {
                self.warn(column + bytes, WarningKind::NoByte);
            }
            return;
        };
        let mut offset = usize::try_from(offset).unwrap_or(usize::MAX);
        match self.place {
            Place::Open => {}
            // Double-spaced text goes on where it stopped.
            Place::Ended if offset == self.present() => self.place = Place::Open,
            Place::Start if offset == 0 => self.assume(column),
            _ => {
                if !core::mem::replace(&mut self.told, true) {
                    self.warn(column, WarningKind::NoSlot);
                }
                return;
            }
        }
        if !self.may_begin(offset, column) {
            return;
        }
        loop {
            if offset >= END {
                self.warn(column, WarningKind::BeyondEnd { offset: offset as u32 });
                return;
            }
            self.store(offset, &[byte]);
            offset += 1;
            match cell(rest) {
                Some(next) => (byte, rest) = next,
                None => break,
            }
        }
        if !rest.is_empty() {
            self.warn(column + bytes + cells.len() - rest.len(), WarningKind::TrailingText);
        }
    }

    /// Begins a function for rows that have no slot line.
    fn assume(&mut self, column: usize) {
        self.warn(column, WarningKind::AssumedAddress);
        let end = self.dump.descriptions.len();
        self.function = Some(Function {
            address: Address::from_devfn(0, 0, 0),
            line: self.line,
            column: position(column),
            start: self.dump.bytes.len(),
            description: (end, end),
            assumed: true,
        });
        self.place = Place::Open;
    }

    /// How many bytes the function has so far.
    fn present(&self) -> usize {
        self.function.as_ref().map_or(0, |function| self.dump.bytes.len() - function.start)
    }

    /// Whether a row may begin at `offset`: the hole before it is not too much for the text. (Nothing is
    /// stored of a row beyond [`END`].)
    fn may_begin(&mut self, offset: usize, column: usize) -> bool {
        let hole = offset.saturating_sub(self.present());
        let allowed = hole == 0
            || offset >= END
            || self.dump.bytes.len() + hole <= SPARSE_FREE + SPARSE_FACTOR * self.at;
        if !allowed {
            self.warn(column, WarningKind::TooSparse { offset: offset as u16 });
        }
        allowed
    }

    /// Puts bytes into the function; they end at [`END`] at most.
    fn store(&mut self, offset: usize, bytes: &[u8]) {
        let Some(function) = &self.function else { return };
        let begin = function.start + offset;
        let end = begin + bytes.len();
        if end > self.dump.bytes.len() {
            self.dump.bytes.resize(end, 0xff);
        }
        if let Some(place) = self.dump.bytes.get_mut(begin..end) {
            place.copy_from_slice(bytes);
        }
        for at in offset..offset + bytes.len() {
            if let Some(given) = self.given.get_mut(at >> 4) {
                *given |= 1 << (at & 0xf);
            }
        }
    }

    /// Ends the function being read.
    fn finish(&mut self) {
        let present = self.present();
        let Some(function) = self.function.take() else { return };
        if present == 0 {
            self.empty.push((function.address, function.line, function.column));
            return;
        }
        if self.dump.entries.len() == MAX_FUNCTIONS {
            let (line, column) = (function.line, function.column);
            self.beyond = Some(DumpError { line, column, kind: DumpErrorKind::TooManyFunctions });
            return;
        }
        let rows = present.div_ceil(16);
        let mut missing = 0;
        let mut first = None;
        for (row, given) in self.given.iter_mut().take(rows).enumerate() {
            // Bits for what is beyond the function's last byte count as given.
            let beyond = if present - row * 16 < 16 { 0xffffu16 << (present & 0xf) } else { 0 };
            let holes = !(core::mem::take(given) | beyond);
            if holes != 0 {
                missing += holes.count_ones() as u16;
                first.get_or_insert(row as u16 * 16 + holes.trailing_zeros() as u16);
            }
        }
        if let Some(offset) = first {
            let kind = WarningKind::Hole { offset, missing };
            self.push(Warning { line: function.line, column: function.column, kind });
        }
        let size = present.max(64);
        self.dump.bytes.resize(function.start + size, 0xff);
        self.assumed |= function.assumed;
        self.dump.entries.push(Entry {
            address: function.address,
            line: function.line,
            present: present as u16,
            size: size as u16,
            start: function.start,
            description: function.description,
        });
    }

    fn end(mut self, part: bool) -> (Dump, Option<DumpError>) {
        self.finish();
        if self.assumed && (self.dump.entries.len() > 1 || part) {
            // The rows at the start were something else: there is a real dump in the text, or may be.
            self.dump.entries.remove(0);
            for warning in &mut self.dump.warnings {
                if warning.kind == WarningKind::AssumedAddress {
                    warning.kind = WarningKind::NoSlot;
                }
            }
        }
        let error = match self.beyond {
            None if self.dump.entries.is_empty() => Some(self.error()),
            beyond => beyond,
        };
        self.compare();
        self.dump.warnings.sort_by_key(|warning| (warning.line, warning.column));
        (self.dump, error)
    }

    /// Finds the slots that are there twice, and those that nowhere have rows.
    fn compare(&mut self) {
        let mut sorted: Vec<(Address, u32)> =
            self.dump.entries.iter().map(|entry| (entry.address, entry.line)).collect();
        sorted.sort_unstable();
        let mut first = None;
        for &(address, line) in &sorted {
            match first {
                Some((known, first)) if known == address => {
                    self.push(Warning { line, column: 1, kind: WarningKind::Repeated { address, first } });
                }
                _ => first = Some((address, line)),
            }
        }
        for (address, line, column) in core::mem::take(&mut self.empty) {
            if sorted.binary_search_by_key(&address, |&(known, _)| known).is_err() {
                self.push(Warning { line, column, kind: WarningKind::NoRows { address } });
            }
        }
    }

    /// What to say of a text without functions.
    fn error(&self) -> DumpError {
        let text = self.text;
        let at = |at: usize, kind| {
            let before = text.get(..at).unwrap_or_default();
            let lines = before.iter().filter(|&&byte| byte == b'\n').count();
            let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
            DumpError { line: position(lines), column: position(at - line_start), kind }
        };
        if let Some((_, program)) = PACKED.iter().find(|(start, _)| text.starts_with(start)) {
            return at(0, DumpErrorKind::Compressed { program });
        }
        if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            return at(0, DumpErrorKind::Utf16);
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            return at(0, DumpErrorKind::Empty);
        }
        if let Some((line, column)) = self.prefixed {
            return DumpError { line, column, kind: DumpErrorKind::Prefixed };
        }
        if let Some(&(address, line, column)) = self.empty.first() {
            return DumpError { line, column, kind: DumpErrorKind::NoRows { address } };
        }
        for warning in &self.dump.warnings {
            let kind = match warning.kind {
                WarningKind::NoSlot => DumpErrorKind::NoSlot,
                WarningKind::NoSuchFunction => DumpErrorKind::NoSuchFunction,
                _ => continue,
            };
            return DumpError { line: warning.line, column: warning.column, kind };
        }
        // Escape begins the colours of a terminal log.
        let control = |&byte: &u8| byte < b' ' && !byte.is_ascii_whitespace() && byte != 0x1b;
        if let Some(found) = text.iter().position(control) {
            return at(found, DumpErrorKind::Binary { byte: text[found] });
        }
        at(0, DumpErrorKind::NoFunction)
    }

    /// Leaves a warning at a column of this line, from 0.
    fn warn(&mut self, column: usize, kind: WarningKind) {
        self.push(Warning { line: self.line, column: position(column), kind });
    }

    fn push(&mut self, warning: Warning) {
        if self.dump.warnings.len() < MAX_WARNINGS {
            self.dump.warnings.push(warning);
        } else {
            self.dump.warnings_omitted += 1;
        }
    }
}

/// A position from 1, of an index from 0.
fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

/// `[domain:]bus:device.function` at the start of a line.
pub(super) struct Slot {
    /// `None` if device or function are too high.
    address: Option<Address>,
    /// Where it begins and ends in the line.
    start: usize,
    pub(super) end: usize,
}

impl Slot {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        // The two forms of `lspci -vm`.
        let line = [&b"Slot:"[..], b"Device:"].iter().find_map(|tag| body.strip_prefix(*tag));
        let line = line.map_or(body, unindented);
        let (mut domain, mut rest) = (0, line);
        let (number, digits) = hex::number(line);
        if digits >= 4 {
            (domain, rest) = (number, line.get(digits..)?.strip_prefix(b":")?);
        }
        let [bus1, bus2, b':', device1, device2, b'.', function, rest @ ..] = rest else { return None };
        let bus = hex::byte(*bus1, *bus2)?;
        let device = hex::byte(*device1, *device2)?;
        let function = hex::digit(*function)?;
        if !rest.is_empty() && unindented(rest).len() == rest.len() {
            return None;
        }
        Some(Self {
            address: Address::new(domain, bus, device, function),
            start: body.len() - line.len(),
            end: body.len() - rest.len(),
        })
    }
}

/// The offset of a row, and where in the line its bytes begin.
fn row_start(body: &[u8]) -> Option<(u32, usize)> {
    let (offset, digits) = hex::number(body);
    if digits < 2 {
        return None;
    }
    let after = body.get(digits..)?.strip_prefix(b":")?;
    let bytes = unindented(after);
    (bytes.len() < after.len()).then_some((offset, body.len() - bytes.len()))
}

/// The byte at the start of a row's rest, and what follows it; a byte ends with white space or the row.
fn cell(rest: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, after @ ..] = rest else { return None };
    let byte = hex::byte(*high, *low)?;
    let next = unindented(after);
    (after.is_empty() || next.len() < after.len()).then_some((byte, next))
}

/// `text` without the white space at its start.
fn unindented(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b' ' | b'\t', rest @ ..] => rest,
            // A no-break space in UTF-8.
            [0xc2, 0xa0, rest @ ..] => rest,
            _ => return text,
        }
    }
}

/// `line` without indentation at its start, and what mail programs quote with, and patches; all of it also as HTML.
pub(super) fn unquoted(mut line: &[u8]) -> &[u8] {
    loop {
        line = match unindented(line) {
            [b'>' | b'|' | b'}' | b'%' | b'+', rest @ ..] | [b'&', b'g', b't', b';', rest @ ..] => rest,
            rest => return rest,
        }
    }
}

/// `text` without the white space at its end.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii_end();
    while let Some(rest) = text.strip_suffix(b"\xc2\xa0") {
        text = rest.trim_ascii_end();
    }
    text
}

/// A row without what quoted-printable mail leaves at its end.
fn printable_end(row: &[u8]) -> &[u8] {
    let mut row = row;
    while let Some(rest) =
        [&b"=0D"[..], b"=0A", b"=20", b"=09", b"="].iter().find_map(|end| row.strip_suffix(*end))
    {
        row = trimmed(rest);
    }
    row
}

#[cfg(test)]
mod tests;
