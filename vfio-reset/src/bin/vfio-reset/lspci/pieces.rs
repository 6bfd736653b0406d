//! A large dump in pieces: its text never stands in memory as a whole.

use super::cut;
use super::functions::{Functions, Keep};
use super::input::{Input, Progress};
use super::reading::{Reading, name};
use crate::output::Output;
use pcicfg::dump;
use std::path::Path;
use vfio_reset::Error;

/// How much is read of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Text that is read at once: it fits the processor's cache together with what becomes of it.
    piece: usize,
    /// Text that is read at once where no function begins. It is cut at a line end then; no function has so much text
    /// below its slot line.
    longest: usize,
    /// What is unpacked: a packed file can be a thousand times smaller.
    unpacked: u64,
    /// How many functions are kept. They take at most 4 KiB each, so this is also a limit for memory.
    pub(super) functions: usize,
}

const LIMITS: Limits =
    Limits { piece: 256 << 10, longest: 4 << 20, unpacked: 1 << 30, functions: 4 * dump::MAX_FUNCTIONS };

/// Reads a file with lspci's text. The pieces end before a slot line, where no function goes on.
pub(super) fn read(file: &Path, keep: Keep, output: &Output) -> Result<Functions, Error> {
    let input = Input::open(file, LIMITS.unpacked).map_err(|error| Error::read(file, error))?;
    let again = input.again;
    read_within(&LIMITS, input, file, Reading::new(keep, again, LIMITS.functions), output)?.end(file, output)
}

fn read_within(
    limits: &Limits,
    mut input: Input,
    file: &Path,
    mut reading: Reading,
    output: &Output,
) -> Result<Reading, Error> {
    let mut text = Vec::with_capacity(limits.piece);
    // Where the text in memory begins in the file, and whether in the middle of a line.
    let (mut offset, mut in_line) = (0, false);
    while !reading.is_full() {
        // Less than a piece is left from last time. Where no piece may end, the text doubles, so that it is
        // not searched again and again.
        let wanted = limits.piece.saturating_sub(text.len()).max(text.len());
        let progress = input.read(wanted, &mut text).map_err(|error| Error::read(file, error))?;
        if let Progress::Lost(what) = &progress {
            output.warn(format!("{}: dropped {what}", name(file)));
        }
        let last = progress != Progress::More;
        if in_line {
            // What is left of a line that was too long means nothing, whatever it looks like.
            let newline = text.iter().position(|&byte| byte == b'\n');
            let end = newline.map_or(text.len(), |newline| newline + 1);
            reading.pass(text.get(..end).unwrap_or_default(), offset);
            text.drain(..end);
            offset += end as u64;
            in_line = newline.is_none();
        }
        let end = match cut::before_slot(&text) {
            _ if last => text.len(),
            0 if text.len() >= limits.longest => match cut::before_line(&text) {
                0 => {
                    output.warn(format!(
                        "{}: dropped the end of a line of more than {} bytes",
                        name(file),
                        text.len()
                    ));
                    in_line = true;
                    text.len()
                }
                end => end,
            },
            end => end,
        };
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
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const QUIET: Output = Output { json: false, quiet: true, verbose: 0 };
    const ROW: &str = "00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00";

    fn read(text: &str, limits: Limits) -> Reading {
        let input = Input::of_stream(std::io::Cursor::new(text.to_owned()), limits.unpacked).unwrap();
        let reading = Reading::new(Keep::All, false, limits.functions);
        read_within(&limits, input, Path::new("-"), reading, &QUIET).unwrap()
    }

    const SMALL: Limits = Limits { piece: 64, longest: 256, unpacked: 1 << 20, functions: 10 };

    fn functions(numbers: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        for number in numbers {
            let _ = write!(text, "{:02x}:{:02x}.{} x\n{ROW}\n\n", number >> 8, number >> 3 & 31, number & 7);
        }
        text
    }

    #[test]
    fn more_functions_than_are_kept_are_told_with_their_line() {
        let all = read(&functions(0..10), SMALL);
        assert_eq!((all.functions().len(), all.is_full()), (10, false));
        let more = read(&functions(0..25), SMALL);
        assert_eq!((more.functions().len(), more.is_full()), (10, true));
        assert_eq!(
            more.messages(Path::new("-")),
            [
                "standard input:31:1: dropped the functions from here on: there are more than 10 in all; split the text"
            ]
        );
    }

    #[test]
    fn a_line_longer_than_a_piece_may_be_is_one_line() {
        let long = format!("{} 00:1f.0 x\n", "y".repeat(1000).as_str());
        for before in ["", "00:01.0 ", "00: "] {
            let text = format!("{}{before}{long}{}", functions(0..2), functions(2..4));
            let read = read(&text, SMALL);
            assert_eq!(read.functions().len(), 4, "{before}");
        }
        // What is cut off would be a function, were it a line.
        let tail = format!("{}00:1f.0 z\n{ROW}\n", "y".repeat(256));
        assert_eq!(read(&format!("{}{tail}", functions(0..2)), SMALL).functions().len(), 2);
    }

    #[test]
    fn text_without_a_function_is_cut_between_lines() {
        let text = format!("{}{}{}", "a log\n".repeat(500), functions(0..3), "a log\n".repeat(500));
        let read = read(&text, SMALL);
        assert_eq!(read.functions().len(), 3);
        assert!(read.messages(Path::new("-")).is_empty());
    }

    #[test]
    fn what_a_piece_without_functions_drops_is_told_all_the_same() {
        let text = format!(
            "{}{}00:05.0 no rows\n{}01:3f.0 x\n{ROW}\n{}\n\n80: 11 22\n",
            functions(0..1),
            "a log\n".repeat(100),
            "a log\n".repeat(100),
            "a log\n".repeat(100),
        );
        let messages = read(&text, SMALL).messages(Path::new("-"));
        let lines: Vec<&str> = messages.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(lines, ["input:104:1:", "input:205:1:", "input:309:1:"], "{messages:#?}");
    }
}
