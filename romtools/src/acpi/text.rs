//! Tables as hexadecimal text: what `acpidump`, `iasl` and `xxd` write.
//!
//! A line is an offset, a colon, up to 16 bytes and, two spaces behind them, what they are as
//! characters. A table begins with a line of offset 0. Headings (`VFCT @ 0x0000000000000000`) and
//! everything else that is no such line are passed over: people paste around dumps.

use std::borrow::Cow;

use super::{Found, LENGTH};
use crate::{Error, Result};

/// Bytes of a line.
const LINE: usize = 16;
/// Digits of an offset: `acpidump` writes four or more, `xxd` eight. Any such number fits a `usize`.
const MOST_DIGITS: usize = 8;

/// The first table with this signature; `None` if the file has no line of a dump, or none of this table.
pub(super) fn find(file: &[u8], signature: [u8; 4]) -> Result<Option<Found<'_>>> {
    let mut found: Option<Found<'_>> = None;
    // The table whose lines are being read is the one that was looked for, and is not complete yet.
    let mut open = false;
    let mut offset = 0;
    for (number, line) in file.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let begin = offset;
        offset += line.len();
        let Some((at, bytes)) = parse(line) else {
            // Between two lines of a table stands nothing, but a table ends where something else stands.
            open = false;
            continue;
        };
        let bytes = bytes.as_slice();
        if at == 0 {
            open = false;
            if bytes.starts_with(&signature) {
                match &mut found {
                    Some(found) => found.others += 1,
                    None => {
                        found = Some(Found { bytes: Cow::Owned(bytes.to_vec()), offset: begin, others: 0 });
                        open = true;
                    }
                }
            }
        } else if let (true, Some(found)) = (open, &mut found) {
            let expected = found.bytes.len();
            if at != expected {
                return Err(Error::HexDump { line: number + 1, offset: begin, expected, found: at });
            }
            found.bytes.to_mut().extend_from_slice(bytes);
        }
    }
    Ok(found.filter(|found| found.bytes.len() >= LENGTH))
}

/// The bytes of one line.
struct Line {
    bytes: [u8; LINE],
    length: usize,
}

impl Line {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A line's offset and bytes; `None` if it is no line of a dump.
fn parse(line: &[u8]) -> Option<(usize, Line)> {
    let line = line.trim_ascii_start();
    let colon =
        line.iter().take(MOST_DIGITS + 1).position(|&byte| byte == b':').filter(|&colon| colon >= 4)?;
    let offset = line[..colon]
        .iter()
        .try_fold(0, |offset, &character| Some(offset << 4 | usize::from(digit(character)?)))?;
    let mut rest = line[colon + 1..].strip_prefix(b" ")?;
    let mut parsed = Line { bytes: [0; LINE], length: 0 };
    while parsed.length < LINE {
        let [high, low, behind @ ..] = rest else { break };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { break };
        parsed.bytes[parsed.length] = high << 4 | low;
        parsed.length += 1;
        // `acpidump` has a space behind each byte, `xxd` behind each second one. Two end the bytes.
        rest = behind.strip_prefix(b" ").unwrap_or(behind);
    }
    (parsed.length > 0).then_some((offset, parsed))
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
