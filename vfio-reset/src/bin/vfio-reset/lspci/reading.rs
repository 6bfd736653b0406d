//! What the pieces of a dump show together, and what is told of them.

use super::functions::{Functions, Keep, malformed};
use crate::output::Output;
use pcicfg::Address;
use pcicfg::dump::{Dump, DumpError, DumpErrorKind, Piece, Warning, WarningKind};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use vfio_reset::Error;

/// How many warnings are printed; the others are counted.
const PRINTED: usize = 20;
/// How many warnings are kept: some are dropped in the end.
const KEPT: usize = 10_000;

/// What the input is called in a message.
pub(super) fn name(file: &Path) -> std::path::Display<'_> {
    if file == Path::new("-") { Path::new("standard input").display() } else { file.display() }
}

/// What is known so far.
pub(super) struct Reading {
    functions: Functions,
    keep: Keep,
    /// How many functions are kept.
    most: usize,
    /// Where each piece began, and how many lines stood before it; `None` if they can be counted in the file later.
    lines: Option<Vec<(u64, u32)>>,
    /// What was dropped or assumed, and where its piece begins.
    notes: Vec<(u64, Warning)>,
    omitted: usize,
    /// The addresses that are there twice in one piece, which is told with their lines.
    repeated: BTreeSet<Address>,
    /// A dump behind a prefix was told.
    prefixed: bool,
    /// What was wrong with the first piece without functions.
    error: Option<(u64, DumpError)>,
    /// Where functions were dropped because there are too many.
    beyond: Option<(u64, u32)>,
}

impl Reading {
    /// Nothing yet, of an input that can be read `again` or not; of each function so much is kept, and so many functions.
    pub(super) fn new(keep: Keep, again: bool, most: usize) -> Self {
        Self {
            functions: Functions::new(),
            keep,
            most,
            lines: (!again).then(Vec::new),
            notes: Vec::new(),
            omitted: 0,
            repeated: BTreeSet::new(),
            prefixed: false,
            error: None,
            beyond: None,
        }
    }

    /// Whether there are more functions than are kept.
    pub(super) fn is_full(&self) -> bool {
        self.beyond.is_some()
    }

    /// Counts the lines of a piece.
    fn count(&mut self, piece: &Piece<'_>) {
        if let Some(lines) = &mut self.lines {
            let (_, before) = lines.pop().unwrap_or_default();
            lines.push((piece.offset, before));
            let more = piece.text.iter().filter(|&&byte| byte == b'\n').count() as u32;
            // Where the next piece begins is not known yet.
            lines.push((u64::MAX, before.saturating_add(more)));
        }
    }

    /// Takes what a piece shows.
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        self.count(piece);
        let (dump, offset) = (&piece.dump, piece.offset);
        self.keep(dump, offset);
        for warning in dump.warnings() {
            match warning.kind {
                WarningKind::Repeated { address, .. } => drop(self.repeated.insert(address)),
                // Every piece of a log has one.
                WarningKind::Prefixed if std::mem::replace(&mut self.prefixed, true) => continue,
                _ => {}
            }
            if self.notes.len() < KEPT {
                self.notes.push((offset, *warning));
            } else {
                self.omitted += 1;
            }
        }
        self.omitted += dump.warnings_omitted();
        let Some(error) = piece.error else { return };
        if error.kind == DumpErrorKind::TooManyFunctions {
            self.beyond.get_or_insert((offset, error.line));
            return;
        }
        // That some part of a log is only text says less than what is wrong with another.
        match &mut self.error {
            Some((_, known)) if !matches!(known.kind, DumpErrorKind::NoFunction | DumpErrorKind::Empty) => {}
            Some(_) if error.kind == DumpErrorKind::NoFunction => {}
            place => *place = Some((offset, error)),
        }
    }

    fn keep(&mut self, dump: &Dump, offset: u64) {
        for function in dump {
            if self.functions.len() == self.most {
                self.beyond = Some((offset, function.line()));
                return;
            }
            let present = function.bytes().get(..function.present()).unwrap_or_default();
            let kept = present.get(..self.keep.bytes()).unwrap_or(present);
            self.functions.push(function.address(), kept);
        }
    }

    /// The functions, once all pieces were read.
    ///
    /// # Errors
    /// There are none.
    pub(super) fn end(mut self, file: &Path, output: &Output) -> Result<Functions, Error> {
        self.functions.sort();
        if let (0, Some((offset, mut error))) = (self.functions.len(), self.error) {
            error.line = error.line.saturating_add(self.lines_before(file, 0..offset));
            return Err(malformed(Path::new(&name(file).to_string()), error));
        }
        for message in self.messages(file) {
            output.warn(message);
        }
        Ok(self.functions)
    }

    /// How many lines end in this part of the input.
    fn lines_before(&self, file: &Path, part: Range<u64>) -> u32 {
        let Some(counted) = &self.lines else { return lines(file, part) };
        let at = |offset: u64| {
            let index = counted.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
            counted.get(index).map_or(0, |(_, lines)| *lines)
        };
        at(part.end) - at(part.start)
    }

    /// What was dropped or assumed; the functions are sorted.
    pub(super) fn messages(&self, file: &Path) -> Vec<String> {
        let mut messages = Vec::new();
        // A slot without rows in one piece may have them in another.
        let empty = |warning: &Warning| match warning.kind {
            WarningKind::NoRows { address } => self.functions.has(address),
            _ => false,
        };
        let notes: Vec<_> = self.notes.iter().filter(|(_, warning)| !empty(warning)).collect();
        let (mut line, mut counted) = (0u32, 0);
        for (offset, warning) in notes.iter().take(PRINTED) {
            // What a reader looks for in an editor is the line in the file.
            line = line.saturating_add(self.lines_before(file, counted..*offset));
            counted = *offset;
            let at = line.saturating_add(warning.line);
            let kind = match warning.kind {
                WarningKind::Repeated { address, first } => {
                    WarningKind::Repeated { address, first: line.saturating_add(first) }
                }
                kind => kind,
            };
            messages.push(format!("{}:{at}:{}: {kind}", name(file), warning.column));
        }
        let more = notes.len().saturating_sub(PRINTED) + self.omitted;
        if more > 0 {
            messages.push(format!("{}: {more} more of such", name(file)));
        }
        // Those of one piece are told with their lines above.
        let mut repeated = self.functions.repeated().filter(|address| !self.repeated.contains(address));
        if let Some(first) = repeated.next() {
            let which = match repeated.count() {
                0 => format!("{first} is"),
                others => format!("{first} and {others} other functions are"),
            };
            messages.push(format!("{}: {which} there more than once; each is printed as often", name(file)));
        }
        if let Some((offset, line)) = self.beyond {
            let at = line.saturating_add(self.lines_before(file, 0..offset));
            messages.push(format!(
                "{}:{at}:1: dropped the functions from here on: there are more than {} in all; split the text",
                name(file),
                self.functions.len()
            ));
        }
        messages
    }

    #[cfg(test)]
    pub(super) fn functions(&self) -> &Functions {
        &self.functions
    }
}

/// How many lines end within a part of a file.
fn lines(file: &Path, part: Range<u64>) -> u32 {
    use std::io::{Seek, SeekFrom};
    let count = || {
        let mut stream = File::open(file).ok()?;
        stream.seek(SeekFrom::Start(part.start)).ok()?;
        let mut rest = BufReader::new(stream.take(part.end - part.start));
        let mut count = 0u32;
        loop {
            let text = rest.fill_buf().ok()?;
            if text.is_empty() {
                return Some(count);
            }
            let newlines = text.iter().filter(|&&byte| byte == b'\n').count();
            count = count.saturating_add(newlines as u32);
            let length = text.len();
            rest.consume(length);
        }
    };
    if part.is_empty() { 0 } else { count().unwrap_or(0) }
}
