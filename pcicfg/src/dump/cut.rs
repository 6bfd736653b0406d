//! Where a long text may be cut: what is in one piece then means the same alone.

use super::hex;
use super::read::{Slot, trimmed, unquoted};

/// Where a piece of this text may end, before the last slot line: 0 if nowhere.
pub(super) fn before_slot(text: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(newline) = text.get(..end).and_then(|text| text.iter().rposition(|&byte| byte == b'\n')) {
        if begins_with_slot(text.get(newline + 1..).unwrap_or_default()) {
            return newline + 1;
        }
        end = newline;
    }
    0
}

/// Where the last line of this text begins: 0 if there is only one.
pub(super) fn before_line(text: &[u8]) -> usize {
    text.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1)
}

/// Whether a text begins with a slot line, quoted or not. One that is cut off right behind its numbers is none: others
/// may follow.
pub(super) fn begins_with_slot(text: &[u8]) -> bool {
    let unquoted = unquoted(text);
    // Most lines are rows, and few bytes tell that they are no slot lines: their ends need not be found.
    let may_be = match unquoted {
        [_, _, b':', b' ', ..] | [_, _, _, b':', ..] => false,
        [first, ..] => first.is_ascii_hexdigit() || matches!(first, b'S' | b'D'),
        [] => false,
    };
    if !may_be {
        return false;
    }
    let line = unquoted.get(..hex::line_length(unquoted)).unwrap_or_default();
    let cut_off = line.len() == unquoted.len();
    Slot::read(trimmed(line)).is_some_and(|slot| !cut_off || slot.end < line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_where_the_next_function_begins() {
        let text = b"00:00.0 a\n00: 01\n\n00:01.0 b\n00: 02\n\n0000:00:02.0 c\n00: 03\n";
        let end = before_slot(text);
        assert!(text[end..].starts_with(b"0000:00:02.0"), "{end}");
        assert!(text[before_slot(&text[..end])..].starts_with(b"00:01.0"));
        for (text, end) in [
            (&b"00:00.0 a\n00: 01\n\n10: 02\n"[..], 0),
            (b"00:00.0 a\r\n00: 01\r\n\r\n00:01.0 b\r\n", 21),
            (b"00:00.0\n00: 01\n00:01.0\n00: 01\n", 15),
            (b"> 00:00.0 a\n> 00: 01\n> \n> > 00:01.0 b\n", 24),
            (b"&gt; 00:00.0 a\n&gt; 00: 01\n&gt;\n&gt; 00:01.0 b\n", 32),
            (b"x\n\xc2\xa000:01.0 b\n", 2),
            (b"x\nSlot:\t00:01.0\n", 2),
            (b"x\n00:1f.8 dropped, and its rows\n", 2),
            // Cut off: `00:01.05` would be none.
            (b"\n\n00:01.0", 0),
            (b"", 0),
        ] {
            assert_eq!(before_slot(text), end, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_last_line_is_found() {
        assert_eq!(before_line(b"a\nb\nc"), 4);
        assert_eq!(before_line(b"abc"), 0);
    }
}
