//! Only the lines of a dump that a short listing needs.
//!
//! What `lspci -n` prints stands in the header. The rows below it, a hundred times more text, need not be
//! stored byte by byte.

use alloc::vec::Vec;

use super::cut;
use super::read::unquoted;

/// The first offset above the header.
const HEADER: usize = 0x40;

/// Copies the lines of `text` to `kept`, but for the rows that go on from the header's last one without a gap, each
/// exactly as lspci writes it. Returns whether that shows the same headers, and has a warning wherever `text` has one:
/// a hole, a byte that is none and any other line stay.
pub(super) fn headers(text: &[u8], kept: &mut Vec<u8>) -> bool {
    kept.clear();
    let mut rest = text;
    // The offset that the next row must have, and whether rows of this function were left out.
    let (mut next, mut left_out) = (None, false);
    while !rest.is_empty() {
        if let Some(offset) = next
            && let Some(length) = row_at(rest, offset)
        {
            rest = rest.get(length..).unwrap_or_default();
            (next, left_out) = (Some(offset + 16), true);
            continue;
        }
        if left_out {
            if cut::begins_with_slot(rest) {
                left_out = false;
            } else if unquoted(rest).first().is_some_and(|&byte| byte.is_ascii_hexdigit() || !byte.is_ascii())
            {
                // A row perhaps, below an empty line: whether it goes on depends on those that were left out.
                return false;
            }
        }
        next = row_at(rest, HEADER - 16).map(|_| HEADER);
        let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |newline| newline + 1);
        let (line, after) = rest.split_at(length);
        kept.extend_from_slice(line);
        rest = after;
    }
    true
}

/// The length of the row at `offset` that the text begins with, if it is exactly as lspci writes it.
#[inline]
fn row_at(text: &[u8], offset: usize) -> Option<usize> {
    let digit = |shift: u32| b"0123456789abcdef"[offset >> shift & 0xf];
    let rest = match offset {
        0..0x100 => text.strip_prefix(&[digit(4), b'0', b':'])?,
        0x100..0x1000 => text.strip_prefix(&[digit(8), digit(4), b'0', b':'])?,
        _ => return None,
    };
    let (cells, after) = rest.split_first_chunk::<48>()?;
    let length = text.len() - after.len() + 1;
    (after.first() == Some(&b'\n') && are_cells(cells)).then_some(length)
}

/// Whether these are sixteen times a space and two digits: all bytes at once, in a few wide instructions.
#[inline]
fn are_cells(cells: &[u8; 48]) -> bool {
    /// All ones where a space belongs.
    const SPACES: [u8; 48] = {
        let mut spaces = [0; 48];
        let mut at = 0;
        while at < 48 {
            spaces[at] = 0xff;
            at += 3;
        }
        spaces
    };
    let wrong = |byte: u8| {
        let digit = byte.wrapping_sub(b'0') < 10;
        let letter = (byte | 0x20).wrapping_sub(b'a') < 6;
        if digit | letter { 0 } else { 0xff }
    };
    let check = |all, (&byte, space): (&u8, &u8)| all | (space & (byte ^ b' ')) | (!space & wrong(byte));
    cells.iter().zip(&SPACES).fold(0, check) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::{Warning, read};
    use alloc::string::String;
    use alloc::{borrow::ToOwned as _, format};
    use proptest::prelude::*;

    const CELLS: &str = "00 11 22 33 44 55 66 77 88 99 aa bb cc dd EE ff";

    fn skimmed(text: &str) -> String {
        let mut kept = b"before".to_vec();
        let as_good = headers(text.as_bytes(), &mut kept);
        if !as_good {
            return "all of it is needed".to_owned();
        }
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn rows_that_go_on_from_the_header_are_left_out_and_all_else_stays() {
        let rows = |offsets: &[&str]| -> String {
            offsets.iter().map(|offset| format!("{offset}: {CELLS}\n")).collect()
        };
        let header = format!("00:00.0 x\n{}", rows(&["00", "10", "20", "30"]));
        let all: Vec<String> = (0x40..0x1000).step_by(16).map(|offset| format!("{offset:02x}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(skimmed(&format!("{header}{}\n", rows(&all))), format!("{header}\n"));
        for kept in [
            rows(&["50"]),
            rows(&["1000"]),
            format!("\n40: {CELLS}\n"),
            format!("40: {CELLS} \n"),
            format!("40: {CELLS}\r\n"),
            format!("40: {}\n", CELLS.replace("bb", "bz")),
            "\tCapabilities: [40] x\n".to_owned() + &rows(&["40"]),
            // A short row, an empty line and a slot line, together as long as a row.
            "40: 86 80 00 00\n\n04:00.0 Class 0300 zzzzzzzzz zz zz zz\n".to_owned(),
        ] {
            assert_eq!(skimmed(&format!("{header}{kept}")), format!("{header}{kept}"));
        }
        let (two, other) = (rows(&["40", "50"]), header.replace("00:00.0", "00:01.0"));
        for end in ["", "\n", "\r\n", "\n\n> \n", "\n\tSome text\n"] {
            assert_eq!(skimmed(&format!("{header}{two}{end}{other}")), format!("{header}{end}{other}"));
        }
        // Whether it goes on depends on what was left out.
        for row in ["\n40: 00\n", "\n> 60: 00\n", "\n\u{a0}60: 00\n", "x\n\n40: 00\n"] {
            assert_eq!(skimmed(&format!("{header}{two}{row}{other}")), "all of it is needed", "{row}");
        }
        assert_eq!(skimmed(&rows(&["40", "50"])), rows(&["40", "50"]), "no header");
    }

    /// What is seen of a text: of each function address, line and header; or what is told of it.
    fn seen(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Vec<Warning>> {
        let (dump, _) = read::parse(text, true);
        if !dump.warnings().is_empty() {
            return Err(dump.warnings().to_vec());
        }
        let header = |bytes: &[u8]| bytes.get(..HEADER.min(bytes.len())).unwrap_or_default().to_vec();
        Ok(dump
            .functions()
            .map(|f| {
                let name = format!("{} {} {}", f.address(), f.description(), f.present().min(HEADER));
                (name, header(f.bytes()))
            })
            .collect())
    }

    /// Lines that look like a dump, and what may become of one.
    fn text() -> impl Strategy<Value = String> {
        let row = |cells: usize| {
            (0..0x14usize, prop::collection::vec("[0-9a-fA-F]{2}", cells))
                .prop_map(|(row, cells)| format!("{:02x}: {}\n", row * 16, cells.join(" ")))
        };
        let function = (0usize..=20, "[0-9a-f]").prop_map(|(rows, digit)| {
            let row =
                |row: usize| format!("{:02x}: {}\n", row * 16, [digit.repeat(2).as_str(); 16].join(" "));
            format!("0{digit}:00.0 x\n{}\n", (0..rows).map(row).collect::<String>())
        });
        let line = prop_oneof![
            4 => function,
            2 => row(16),
            1 => (0usize..20).prop_flat_map(row),
            1 => "[0-9a-f]{2}:[01][0-9a-f]\\.[0-7] [a-z0-9 ]{0,40}\n",
            1 => Just("\n".to_owned()),
            1 => Just("\tCapabilities: [40] x\n".to_owned()),
        ];
        let edit = (any::<prop::sample::Index>(), prop_oneof![Just('\n'), Just(' '), Just('z'), Just('0')]);
        (prop::collection::vec(line, 1..8), prop::collection::vec(edit, 0..4)).prop_map(|(lines, edits)| {
            let mut text: Vec<char> = lines.concat().chars().collect();
            for (at, other) in edits {
                let at = at.index(text.len());
                text[at] = other;
            }
            text.into_iter().collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_text_is_read_the_same_or_told_of_with_and_without(text in text()) {
            let mut kept = Vec::new();
            let as_good = headers(text.as_bytes(), &mut kept);
            // Where it is not, or something is to be told, all of the text is read.
            if let (true, Ok(skimmed)) = (as_good, seen(&kept)) {
                prop_assert_eq!(Ok(skimmed), seen(text.as_bytes()));
            }
        }
    }
}
