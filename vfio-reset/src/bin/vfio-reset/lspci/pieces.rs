//! A large dump in pieces: its text never stands in memory as a whole. It comes from a file, a pipe or standard input,
//! packed by gzip or not.

use super::functions::{Functions, Keep, malformed};
use super::skim;
use crate::output::Output;
use flate2::read::MultiGzDecoder;
use pcicfg::dump::{Dump, DumpError, DumpErrorKind, Warning, WarningKind};
use std::fs::File;
use std::io::IsTerminal as _;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use vfio_reset::Error;

/// Text that is read at once: it fits the processor's cache together with what becomes of it.
const PIECE: usize = 256 << 10;
/// Text that is read even if no piece may end in it. More than that is no dump, and is cut where it is.
const LONGEST: usize = 256 << 20;
/// What is unpacked at most: a packed file can be a thousand times smaller.
const UNPACKED: u64 = 1 << 30;
/// How many warnings are printed; the others are counted.
const PRINTED: usize = 20;

/// Reads a file with lspci's text. The pieces end before a slot line that follows an empty line, where
/// no function goes on.
pub(super) fn read(file: &Path, keep: Keep, output: &Output) -> Result<Functions, Error> {
    let fail = |error| Error::read(file, error);
    let mut input = Input::open(file).map_err(fail)?;
    let mut reading = Reading {
        functions: Functions::new(),
        keep,
        lines: (!input.again).then(Vec::new),
        skimmed: Vec::new(),
        notes: Vec::new(),
        omitted: 0,
        error: None,
    };
    let mut text = Vec::with_capacity(PIECE);
    // Where the text in memory begins in the file.
    let mut offset = 0;
    loop {
        // Less than a piece is left from last time. Where no piece may end, the text doubles, so that it is
        // not searched again and again.
        let wanted = PIECE.saturating_sub(text.len()).max(text.len());
        let before = text.len();
        let read = Read::by_ref(&mut input.stream).take(wanted as u64).read_to_end(&mut text);
        if let Err(error) = read {
            if !input.packed || offset + text.len() as u64 == 0 {
                return Err(fail(error));
            }
            output.warn(format!("{}: dropped the rest, which cannot be unpacked: {error}", name(file)));
        }
        let last = text.len() - before < wanted;
        let end = if last || text.len() > LONGEST { text.len() } else { cut(&text) };
        // Nothing at all is a text, too: an empty one.
        if end > 0 || last && offset == 0 {
            reading.piece(text.get(..end).unwrap_or_default(), offset, last && offset == 0);
            text.drain(..end);
            offset += end as u64;
        }
        if last {
            break;
        }
    }
    reading.end(file, output)
}

/// Where the text comes from.
struct Input {
    stream: Box<dyn Read>,
    /// It is unpacked while it is read.
    packed: bool,
    /// It can be read a second time.
    again: bool,
}

impl Input {
    fn open(file: &Path) -> std::io::Result<Self> {
        if file == Path::new("-") {
            let stdin = std::io::stdin().lock();
            if stdin.is_terminal() {
                eprintln!("reading a dump from the terminal; it ends with Ctrl-D");
            }
            return Self::of_stream(stdin);
        }
        let stream = File::open(file)?;
        // Whatever is no file may be read only once: a pipe, `<(ssh host lspci -xxxx)`.
        if !stream.metadata()?.is_file() {
            return Self::of_stream(stream);
        }
        let mut start = [0; 2];
        let length = std::os::unix::fs::FileExt::read_at(&stream, &mut start, 0)?;
        match start.get(..length) == Some(&GZIP) {
            true => Ok(Self::packed(stream)),
            false => Ok(Self { stream: Box::new(stream), packed: false, again: true }),
        }
    }

    fn of_stream(stream: impl Read + 'static) -> std::io::Result<Self> {
        let mut stream = BufReader::with_capacity(PIECE, stream);
        match stream.fill_buf()?.starts_with(&GZIP) {
            true => Ok(Self::packed(stream)),
            false => Ok(Self { stream: Box::new(stream), packed: false, again: false }),
        }
    }

    fn packed(stream: impl Read + 'static) -> Self {
        let stream = Box::new(MultiGzDecoder::new(stream).take(UNPACKED));
        Self { stream, packed: true, again: false }
    }
}

/// What a file packed by gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What the input is called in a message.
fn name(file: &Path) -> std::path::Display<'_> {
    if file == Path::new("-") { Path::new("standard input").display() } else { file.display() }
}

/// Where a piece of this text may end: 0 if nowhere.
fn cut(text: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(newline) = text.get(..end).and_then(|text| text.iter().rposition(|&byte| byte == b'\n')) {
        let before = text.get(..newline).unwrap_or_default();
        let empty_line = before.ends_with(b"\n") || before.ends_with(b"\n\r");
        if empty_line && begins_with_slot(text.get(newline + 1..).unwrap_or_default()) {
            return newline + 1;
        }
        end = newline;
    }
    0
}

/// Whether a text begins with `bus:device.function` and a space, with a domain of four digits or more
/// or without.
fn begins_with_slot(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let slot = match (digits, text.get(digits)) {
        (4..=8, Some(b':')) => text.get(digits + 1..).unwrap_or_default(),
        _ => text,
    };
    let is_digit = |at: usize| slot.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is = |at: usize, byte: u8| slot.get(at) == Some(&byte);
    is_digit(0)
        && is_digit(1)
        && is(2, b':')
        && is_digit(3)
        && is_digit(4)
        && is(5, b'.')
        && is_digit(6)
        && is(7, b' ')
}

/// What is known so far.
struct Reading {
    functions: Functions,
    keep: Keep,
    /// Where each piece began, and how many lines stood before it; `None` if they can be counted in the file later.
    lines: Option<Vec<(u64, u32)>>,
    /// Room for the lines that are needed of a piece.
    skimmed: Vec<u8>,
    /// What was dropped or assumed, and where its piece begins.
    notes: Vec<(u64, Warning)>,
    omitted: usize,
    /// What was wrong with the first piece without functions.
    error: Option<(u64, DumpError)>,
}

impl Reading {
    fn piece(&mut self, text: &[u8], offset: u64, whole: bool) {
        if let Some(lines) = &mut self.lines {
            let (_, before) = lines.pop().unwrap_or_default();
            lines.push((offset, before));
            let more = text.iter().filter(|&&byte| byte == b'\n').count() as u32;
            // Where the next piece begins is not known yet.
            lines.push((u64::MAX, before.saturating_add(more)));
        }
        let dump = match self.parse(text) {
            Ok(dump) => dump,
            Err(error) => {
                if let DumpErrorKind::NoRows { address } = error.kind {
                    let kind = WarningKind::NoRows { address };
                    self.notes.push((offset, Warning { line: error.line, column: error.column, kind }));
                }
                self.error.get_or_insert((offset, error));
                return;
            }
        };
        // Rows that have no slot line are a function only where there is no other.
        let assumed = dump.warnings().iter().any(|warning| warning.kind == WarningKind::AssumedAddress);
        if !assumed || whole {
            for function in &dump {
                let present = function.bytes().get(..function.present()).unwrap_or_default();
                let kept = present.get(..self.keep.bytes()).unwrap_or(present);
                self.functions.push(function.address(), kept);
            }
        }
        for warning in dump.warnings() {
            let mut warning = *warning;
            if warning.kind == WarningKind::AssumedAddress && !whole {
                warning.kind = WarningKind::NoSlot;
            }
            self.notes.push((offset, warning));
        }
        self.omitted += dump.warnings_omitted();
    }

    /// Reads as much of the text as is needed; all of it if there is anything to be told, for the line
    /// numbers.
    fn parse(&mut self, text: &[u8]) -> Result<Dump, DumpError> {
        if self.keep == Keep::Header {
            skim::headers(text, &mut self.skimmed);
            if let Ok(dump) = Dump::parse(&self.skimmed)
                && dump.warnings().is_empty()
            {
                return Ok(dump);
            }
        }
        Dump::parse(text)
    }

    fn end(mut self, file: &Path, output: &Output) -> Result<Functions, Error> {
        self.functions.sort();
        if let (0, Some((offset, mut error))) = (self.functions.len(), self.error) {
            error.line = error.line.saturating_add(self.lines_before(file, 0..offset));
            return Err(malformed(Path::new(&name(file).to_string()), error));
        }
        self.print(file, output);
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

    fn print(&self, file: &Path, output: &Output) {
        // A slot without rows in one piece may have them in another.
        let empty = |warning: &Warning| match warning.kind {
            WarningKind::NoRows { address } => self.functions.has(address),
            _ => false,
        };
        let notes: Vec<_> = self.notes.iter().filter(|(_, warning)| !empty(warning)).collect();
        let (mut line, mut counted) = (0, 0);
        for (offset, warning) in notes.iter().take(PRINTED) {
            // What a reader looks for in an editor is the line in the file.
            line += self.lines_before(file, counted..*offset);
            counted = *offset;
            let at = line.saturating_add(warning.line);
            output.warn(format!("{}:{at}:{}: {}", name(file), warning.column, warning.kind));
        }
        let more = notes.len().saturating_sub(PRINTED) + self.omitted;
        if more > 0 {
            output.warn(format!("{}: {more} more of such", name(file)));
        }
        // Those of one piece are told with their lines above.
        let told = |address| {
            let same =
                |kind| matches!(kind, WarningKind::Repeated { address: other, .. } if other == address);
            self.notes.iter().any(|(_, warning)| same(warning.kind))
        };
        let mut repeated = self.functions.repeated().filter(|address| !told(*address));
        if let Some(first) = repeated.next() {
            let others = repeated.count();
            output.warn(format!(
                "{}: {first} and {others} other functions are there more than once; each is printed as often",
                name(file)
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_where_no_function_goes_on() {
        let text = b"00:00.0 a\n00: 01\n\n00:01.0 b\n00: 02\n\n0000:00:02.0 c\n00: 03\n";
        let end = cut(text);
        assert!(text[end..].starts_with(b"0000:00:02.0"), "{end}");
        assert!(text[cut(&text[..end])..].starts_with(b"00:01.0"));
        assert_eq!(cut(b"00:00.0 a\n00: 01\n\n10: 02\n"), 0);
        assert_eq!(cut(b"00:00.0 a\r\n00: 01\r\n\r\n00:01.0 b\r\n"), 21);
        assert_eq!(cut(b"\n\n00:01.0"), 0, "cut off");
        assert_eq!(cut(b""), 0);
    }
}
