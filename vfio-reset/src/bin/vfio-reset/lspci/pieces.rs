//! A large dump in pieces: its text never stands in memory as a whole.

use super::functions::{Functions, Keep};
use super::input::{Input, Progress};
use super::reading::{Reading, name};
use crate::output::Output;
use pcicfg::dump::{self, Pieces};
use std::path::Path;
use vfio_reset::Error;

/// What is unpacked: a packed file can be a thousand times smaller.
const UNPACKED: u64 = 1 << 30;
/// How many functions are kept. They take at most 4 KiB each, so this is also a limit for memory.
const FUNCTIONS: usize = 4 * dump::MAX_FUNCTIONS;

/// Reads a file with lspci's text.
pub(super) fn read(file: &Path, keep: Keep, output: &Output) -> Result<Functions, Error> {
    let input = Input::open(file, UNPACKED).map_err(|error| Error::named(file, error))?;
    let pieces = if keep == Keep::Header { Pieces::of_headers() } else { Pieces::new() };
    let reading = Reading::new(keep, input.again, FUNCTIONS);
    read_within(pieces, input, file, reading, output)?.end(file, output)
}

fn read_within(
    pieces: Pieces,
    mut input: Input,
    file: &Path,
    mut reading: Reading,
    output: &Output,
) -> Result<Reading, Error> {
    let mut pieces = pieces;
    loop {
        let wanted = pieces.wanted();
        let progress = input.read(wanted, pieces.text()).map_err(|error| Error::named(file, error))?;
        if let Progress::Lost(what) = &progress {
            output.warn(format!("{}: dropped {what}", name(file)));
        }
        let end = progress != Progress::More;
        while let Some(piece) = pieces.cut(end) {
            if piece.cuts_line {
                let length = piece.text.len();
                output.warn(format!("{}: dropped the end of a line of more than {length} bytes", name(file)));
            }
            reading.add(&piece);
            if reading.is_full() {
                return Ok(reading);
            }
        }
        if end {
            return Ok(reading);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const QUIET: Output = Output { json: false, quiet: true, verbose: 0 };
    const ROW: &str = "00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00";

    /// Reads a text in pieces of 64 bytes, and keeps ten functions.
    fn read(text: &str) -> Reading {
        let input = Input::of_stream(std::io::Cursor::new(text.to_owned()), UNPACKED).unwrap();
        let pieces = Pieces::new().with_lengths(64, 256);
        read_within(pieces, input, Path::new("-"), Reading::new(Keep::All, false, 10), &QUIET).unwrap()
    }

    fn functions(numbers: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        for number in numbers {
            let _ = write!(text, "{:02x}:{:02x}.{} x\n{ROW}\n\n", number >> 8, number >> 3 & 31, number & 7);
        }
        text
    }

    #[test]
    fn more_functions_than_are_kept_are_told_with_their_line() {
        let all = read(&functions(0..10));
        assert_eq!((all.functions().len(), all.is_full()), (10, false));
        let more = read(&functions(0..25));
        assert_eq!((more.functions().len(), more.is_full()), (10, true));
        assert_eq!(
            more.messages(Path::new("-")),
            [
                "standard input:31:1: dropped the functions from here on: there are more than 10 in all; split the text"
            ]
        );
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
        let messages = read(&text).messages(Path::new("-"));
        let lines: Vec<&str> = messages.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(lines, ["input:104:1:", "input:205:1:", "input:309:1:"], "{messages:#?}");
    }
}
