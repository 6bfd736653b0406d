//! The kernel log: `/dev/kmsg`.
//!
//! The kernel hands out one record a read; there is no way to ask for the number of the newest one
//! but to read them all, which takes milliseconds that a reset should not wait for. So the first mark
//! opens the log at its end, and what comes later is collected from there.

use crate::error::{Error, Result};
use crate::machine::{LogLine, LogMark};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most lines that are kept: a flood of errors must not eat the memory. The oldest go first.
const MAX_LINES: usize = 0x1_0000;

/// More than the kernel's longest record (8 KiB, `PRINTK_MESSAGE_MAX` and its escapes).
const BUFFER: usize = 0x4000;

/// The kernel log from the first mark on.
///
/// A mark is one more than the count of lines that were there when it was made; mark 0 is the
/// beginning of all that the kernel still has.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    state: Mutex<Option<State>>,
}

#[derive(Debug)]
struct State {
    file: File,
    parser: Parser,
    /// How many lines were dropped from the front of `parser.lines`.
    dropped: u64,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::new(None) }
    }

    /// The end of the log. Where there is no log, any mark is as good.
    pub(super) fn mark(&self) -> LogMark {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none()
            && let Ok(Some(mut file)) = self.open()
            && file.seek(SeekFrom::End(0)).is_ok()
        {
            *state = Some(State { file, parser: Parser::default(), dropped: 0 });
        }
        let Some(state) = &mut *state else { return LogMark(1) };
        // What cannot be read now is no reason to have no mark; reading from the mark will say so.
        let _ = drain(&mut state.file, &mut state.parser);
        state.shorten();
        LogMark(1 + state.dropped + state.parser.lines.len() as u64)
    }

    pub(super) fn since(&self, mark: LogMark) -> Result<Vec<LogLine>> {
        let error = |e| Error::read(&self.path, e);
        if mark == LogMark(0) {
            let Some(mut file) = self.open().map_err(error)? else { return Ok(Vec::new()) };
            let mut parser = Parser::default();
            drain(&mut file, &mut parser).map_err(error)?;
            return Ok(parser.lines);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = &mut *state else { return Ok(Vec::new()) };
        drain(&mut state.file, &mut state.parser).map_err(error)?;
        state.shorten();
        let skip = (mark.0 - 1).saturating_sub(state.dropped);
        Ok(state.parser.lines.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).cloned().collect())
    }

    /// The log; `None` where there is none, or none for us (`kernel.dmesg_restrict`).
    fn open(&self) -> io::Result<Option<File>> {
        match File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&self.path) {
            Ok(file) => Ok(Some(file)),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

impl State {
    fn shorten(&mut self) {
        let surplus = self.parser.lines.len().saturating_sub(MAX_LINES);
        self.parser.lines.drain(..surplus);
        self.dropped += surplus as u64;
    }
}

/// Reads what there is and no more.
fn drain(file: &mut impl Read, parser: &mut Parser) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    // A bound, for a kernel that writes quicker than we read.
    for _ in 0..2 * MAX_LINES {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => parser.feed(&buffer[..length]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // The kernel overwrote what came next; the read after this one goes on behind the gap.
            Err(e) if e.raw_os_error() == Some(libc::EPIPE) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Reads the format of `Documentation/ABI/testing/dev-kmsg`: `priority,sequence,microseconds,flags;text`,
/// then lines with a leading space (`SUBSYSTEM=pci`), which are left out.
///
/// Lines of user space (facility other than 0) are left out, too: anybody may claim anything there.
#[derive(Debug, Default)]
struct Parser {
    lines: Vec<LogLine>,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
}

impl Parser {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.rest);
            self.line(&line);
        }
        // A line without end is no record; it must not grow for ever.
        let room = BUFFER.saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn line(&mut self, line: &[u8]) {
        let Some((time, continues, text)) = record(line) else { return };
        let text = unescape(text);
        let mut parts = text.split('\n');
        if continues
            && let Some(last) = self.lines.last_mut()
            && let Some(first) = parts.next()
        {
            last.text.push_str(first);
        }
        self.lines.extend(parts.map(|text| LogLine { time, text: text.to_owned() }));
    }
}

/// Time, whether it goes on with the record before, and text, of a record of the kernel.
fn record(line: &[u8]) -> Option<(Duration, bool, &[u8])> {
    if line.first() == Some(&b' ') {
        return None;
    }
    let end = line.iter().position(|&byte| byte == b';')?;
    let mut fields = std::str::from_utf8(&line[..end]).ok()?.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let _sequence: u64 = fields.next()?.parse().ok()?;
    let time: u64 = fields.next()?.parse().ok()?;
    let flags = fields.next()?;
    let facility = priority >> 3;
    (facility == 0).then_some((Duration::from_micros(time), flags.contains('+'), &line[end + 1..]))
}

/// The text with its `\x0a` taken back: whatever is not printable ASCII comes so.
fn unescape(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match after {
            [b'x', digits @ ..] if byte == b'\\' => digits.first_chunk::<2>(),
            _ => None,
        };
        let value = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match value {
            Some(value) => (bytes.push(value), rest = &after[3..]),
            None => (bytes.push(byte), rest = after),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Vec<LogLine> {
        let mut parser = Parser::default();
        parser.feed(bytes);
        parser.lines
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        parse(bytes).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_record_is_time_and_text() {
        let lines = parse(
            b"4,1234,98765432,-;vfio-pci 0000:03:00.0: not ready 1023ms after bus reset; waiting\n \
              SUBSYSTEM=pci\n DEVICE=+pci:0000:03:00.0\n6,1235,98765433,-,caller=T1;next\n",
        );
        assert_eq!(
            lines,
            [
                LogLine {
                    time: Duration::from_micros(98_765_432),
                    text: "vfio-pci 0000:03:00.0: not ready 1023ms after bus reset; waiting".into()
                },
                LogLine { time: Duration::from_micros(98_765_433), text: "next".into() }
            ]
        );
    }

    #[test]
    fn what_user_space_wrote_is_left_out() {
        assert_eq!(texts(b"12,1,1,-;I am the kernel\n30,2,2,-;systemd\n3,3,3,-;really\n"), ["really"]);
    }

    #[test]
    fn escapes_are_taken_back_and_lines_split() {
        assert_eq!(texts(b"6,1,1,-;a\\x5cb\\xc3\\xa4\\x0asecond\\xzz\\x\n"), ["a\\bä", "second\\xzz\\x"]);
    }

    #[test]
    fn fragments_are_joined() {
        assert_eq!(texts(b"6,1,1,c;one\n6,2,2,+; two\n6,3,3,-;three\n"), ["one two", "three"]);
        assert_eq!(texts(b"6,2,2,+;alone\n"), ["alone"]);
    }

    /// A log whose reads go as the script says.
    struct Script(Vec<std::result::Result<&'static [u8], i32>>);

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::from_raw_os_error(libc::EAGAIN));
            }
            let bytes = self.0.remove(0).map_err(io::Error::from_raw_os_error)?;
            buffer[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn an_overrun_is_a_gap_and_no_end() {
        let mut parser = Parser::default();
        let mut script =
            Script(vec![Ok(b"6,1,1,-;a\n"), Err(libc::EPIPE), Err(libc::EINTR), Ok(b"6,9,9,-;b\n")]);
        drain(&mut script, &mut parser).unwrap();
        assert_eq!(parser.lines.len(), 2);
        assert!(drain(&mut Script(vec![Err(libc::EIO)]), &mut parser).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_lines(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), proptest::sample::select(b"0123456789,;-+ \\x\n".to_vec())], 0..400),
            cut in any::<proptest::sample::Index>(),
        ) {
            let whole = parse(&bytes);
            let mut parser = Parser::default();
            let at = cut.index(bytes.len() + 1);
            parser.feed(&bytes[..at]);
            parser.feed(&bytes[at..]);
            prop_assert_eq!(parser.lines, whole);
        }

        #[test]
        fn records_round_trip(time in 0u64..1 << 50, text in "[ -\\[\\]-~]{0,40}") {
            let lines = parse(format!("6,1,{time},-;{text}\n").as_bytes());
            prop_assert_eq!(lines, [LogLine { time: Duration::from_micros(time), text }]);
        }
    }
}
