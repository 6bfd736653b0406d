//! Where a long text may be cut: what is in one piece then means the same alone.

/// Where a piece of this text may end, before the last slot line: 0 if nowhere.
pub(super) fn before_slot(text: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(newline) = text.get(..end).and_then(|text| text.iter().rposition(|&byte| byte == b'\n')) {
        if begins_with_slot(unquoted(text.get(newline + 1..).unwrap_or_default())) {
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

/// A line without what mails quote with.
pub(super) fn unquoted(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'>' | b'|' | b'}' | b'%' | b'+', rest @ ..]
    | [b'&', b'g', b't', b';', rest @ ..] = line
    {
        line = rest;
    }
    line
}

/// Whether a text begins with `bus:device.function` and a space or a line end, with a domain of four digits or more or
/// without.
pub(super) fn begins_with_slot(text: &[u8]) -> bool {
    let digits = text.iter().take(9).take_while(|byte| byte.is_ascii_hexdigit()).count();
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
        && (is(7, b' ') || is(7, b'\n') || is(7, b'\r'))
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
        assert_eq!(before_slot(b"00:00.0 a\n00: 01\n\n10: 02\n"), 0);
        assert_eq!(before_slot(b"00:00.0 a\r\n00: 01\r\n\r\n00:01.0 b\r\n"), 21);
        assert_eq!(before_slot(b"00:00.0\n00: 01\n00:01.0\n00: 01\n"), 15, "no empty line, no name");
        assert_eq!(before_slot(b"> 00:00.0 a\n> 00: 01\n> \n> > 00:01.0 b\n"), 24);
        assert_eq!(before_slot(b"&gt; 00:00.0 a\n&gt; 00: 01\n&gt;\n&gt; 00:01.0 b\n"), 32);
        assert_eq!(before_slot(b"\n\n00:01.0"), 0, "cut off");
        assert_eq!(before_slot(b""), 0);
        assert_eq!(before_line(b"a\nb\nc"), 4);
        assert_eq!(before_line(b"abc"), 0);
    }
}
