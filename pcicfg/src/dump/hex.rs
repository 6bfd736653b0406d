//! Hexadecimal digits, fast.

/// In [`VALUE`]: no digit.
const NONE: u8 = 0xff;

/// The value of each hexadecimal digit.
static VALUE: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut digit = 0;
    while digit < 10 {
        table[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    let mut letter = 0;
    while letter < 6 {
        table[b'a' as usize + letter] = 10 + letter as u8;
        table[b'A' as usize + letter] = 10 + letter as u8;
        letter += 1;
    }
    table
};

/// The value of a digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    let value = VALUE[usize::from(byte)];
    (value != NONE).then_some(value)
}

/// The byte that two digits make.
pub(super) fn byte(high: u8, low: u8) -> Option<u8> {
    Some(digit(high)? << 4 | digit(low)?)
}

/// The number at the start of `text`, at most 8 digits of it, and how many digits it has.
pub(super) fn number(text: &[u8]) -> (u32, usize) {
    let mut value = 0;
    let mut digits = 0;
    for &byte in text.iter().take(8) {
        let Some(digit) = digit(byte) else { break };
        value = value << 4 | u32::from(digit);
        digits += 1;
    }
    (value, digits)
}

/// A row as lspci writes it.
pub(super) struct Row {
    pub(super) offset: usize,
    pub(super) bytes: [u8; 16],
    /// How many bytes of text it took, its line end included.
    pub(super) length: usize,
}

/// Where a row as lspci writes it begins in a line that ends with it, behind something else and a space: a log's
/// time, say.
pub(super) fn row_at_the_end(line: &[u8]) -> Option<usize> {
    let colon = line.len().checked_sub(1 + 48)?;
    let (before, rest) = line.split_at_checked(colon)?;
    // Rows begin at multiples of sixteen, and their first cell is behind the colon: few lines come further.
    if !before.ends_with(b"0") || !rest.starts_with(b": ") {
        return None;
    }
    let wrong = |cell: &[u8; 3]| cell[0] != b' ' || byte(cell[1], cell[2]).is_none();
    if rest.get(1..)?.as_chunks::<3>().0.iter().any(wrong) {
        return None;
    }
    let digits = before.iter().rev().take_while(|byte| digit(**byte).is_some()).count();
    let begin = before.len() - digits;
    let blank = before.get(..begin)?.last().is_some_and(u8::is_ascii_whitespace);
    ((2..=3).contains(&digits) && blank).then_some(begin)
}

/// The bytes of a row of zeros.
const ZEROS: &[u8; 48] = b" 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";

/// Whether these are the [`ZEROS`]: the difference of all bytes at once, in a few wide instructions.
#[inline]
fn is_zeros(cells: &[u8; 48]) -> bool {
    cells.iter().zip(ZEROS).fold(0, |all, (cell, zero)| all | (cell ^ zero)) == 0
}

/// The row at the start of `text`, if it is exactly what lspci writes: an offset of two or three
/// digits, a colon, sixteen times a space and a byte, LF or CRLF.
#[inline]
pub(super) fn row(text: &[u8]) -> Option<Row> {
    let (offset, rest) = match text {
        [a, b, b':', rest @ ..] => (usize::from(byte(*a, *b)?), rest),
        [a, b, c, b':', rest @ ..] => (usize::from(digit(*a)?) << 8 | usize::from(byte(*b, *c)?), rest),
        _ => return None,
    };
    let (cells, rest) = rest.split_first_chunk::<48>()?;
    let after = match rest {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => return None,
    };
    let length = text.len() - rest.len() + after;
    let mut bytes = [0; 16];
    // Nine rows in ten of an extended configuration space are zeros.
    if is_zeros(cells) {
        return Some(Row { offset, bytes, length });
    }
    // One test for all sixteen: an error leaves a bit in `wrong`.
    let mut wrong = 0;
    let (triples, _) = cells.as_chunks::<3>();
    for (byte, &[space, high, low]) in bytes.iter_mut().zip(triples) {
        let (high, low) = (VALUE[usize::from(high)], VALUE[usize::from(low)]);
        wrong |= (space ^ b' ') | ((high | low) & 0xf0);
        *byte = high << 4 | low;
    }
    (wrong == 0).then_some(Row { offset, bytes, length })
}

/// How many bytes of text a row above ffh has.
pub(super) const LONG_ROW: usize = 53;

/// How many rows of zeros the text begins with, the first one at `offset`, each exactly as lspci writes it.
/// Only above ffh, where offsets have three digits: there are the long runs.
pub(super) fn zero_rows(text: &[u8], offset: usize) -> usize {
    const LOWER: &[u8; 16] = b"0123456789abcdef";
    if !(0x100..0x1000).contains(&offset) || offset & 0xf != 0 {
        return 0;
    }
    let (rows, _) = text.as_chunks::<LONG_ROW>();
    let expected = (offset..0x1000).step_by(16);
    let digit = |offset: usize, shift: u32| LOWER[offset >> shift & 0xf];
    expected
        .zip(rows)
        .take_while(|(offset, row)| {
            let [a, b, c, colon, cells @ .., end] = row;
            let start = [digit(*offset, 8), digit(*offset, 4), b'0', b':'];
            [*a, *b, *c, *colon] == start && is_zeros(cells) && *end == b'\n'
        })
        .count()
}

/// How many bytes of `text` precede the first newline; all if there is none.
pub(super) fn line_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    const NEWLINES: u64 = u64::from_ne_bytes([b'\n'; 8]);
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let zero = u64::from_le_bytes(*word) ^ NEWLINES;
        // The lowest bit set is in the first byte of `zero` that is 0.
        let found = zero.wrapping_sub(ONES) & !zero & HIGHS;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let scanned = text.len() - rest.len();
    scanned + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use proptest::prelude::*;

    #[test]
    fn digits_are_those_of_both_cases_and_no_others() {
        for byte in 0..=255u8 {
            let expected = char::from(byte).to_digit(16).filter(|_| byte.is_ascii()).map(|v| v as u8);
            assert_eq!(digit(byte), expected, "{byte:#x}");
        }
    }

    #[test]
    fn numbers_end_at_the_first_other_byte_and_at_eight_digits() {
        assert_eq!(number(b"1aF: "), (0x1af, 3));
        assert_eq!(number(b"x"), (0, 0));
        assert_eq!(number(b""), (0, 0));
        assert_eq!(number(b"123456789"), (0x1234_5678, 8));
    }

    #[test]
    fn a_row_as_lspci_writes_it_is_read_at_once() {
        let text = b"e0: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d eE Ff\nmore";
        let found = row(text).unwrap();
        assert_eq!(found.offset, 0xe0);
        assert_eq!(found.bytes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xee, 0xff]);
        assert_eq!(&text[found.length..], b"more");

        let text = b"f10: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\r\n";
        let found = row(text).unwrap();
        assert_eq!((found.offset, found.bytes, found.length), (0xf10, [0xff; 16], text.len()));
    }

    #[test]
    fn a_row_that_differs_in_any_byte_is_left_to_the_slow_path() {
        let good = b"e0: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n";
        for at in 0..good.len() {
            for wrong in [b'g', b'/', b'`', b'\t', 0, 0xff] {
                let mut text = *good;
                text[at] = wrong;
                assert!(row(&text).is_none(), "{wrong:#x} at {at}");
            }
            assert!(row(&good[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_run_of_zeros_ends_at_the_first_row_that_is_another() {
        let zeros = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
        let rows = |from: usize, count: usize| -> String {
            (0..count).map(|row| format!("{:02x}: {zeros}\n", from + 16 * row)).collect()
        };
        assert_eq!(zero_rows(rows(0x100, 3).as_bytes(), 0x100), 3);
        assert_eq!(zero_rows(rows(0xff0, 2).as_bytes(), 0xff0), 1, "a space has 4096 bytes");
        assert_eq!(zero_rows(rows(0xf0, 2).as_bytes(), 0xf0), 0, "two digits");
        assert_eq!(zero_rows(rows(0x110, 2).as_bytes(), 0x100), 0, "another offset");
        assert_eq!(zero_rows(rows(0x100, 2).as_bytes(), 0x104), 0, "within a row");
        let text = rows(0x220, 2);
        for at in LONG_ROW..2 * LONG_ROW {
            let mut text = text.clone().into_bytes();
            text[at] ^= 1;
            assert_eq!(zero_rows(&text, 0x220), 1, "changed at {at}");
            assert_eq!(zero_rows(&text[..at], 0x220), 1, "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn the_line_ends_at_the_first_newline(text in "[ -~\n\u{0}\u{b}]{0,40}") {
            let expected = text.find('\n').unwrap_or(text.len());
            prop_assert_eq!(line_length(text.as_bytes()), expected);
        }
    }
}
