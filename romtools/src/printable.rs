//! Text from untrusted bytes, fit for a terminal.

use std::fmt;

/// Bytes as text: what is not printable ASCII is a dot, and NULs and spaces at the end are left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printable<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
        self.0[..end].iter().try_for_each(|&byte| {
            fmt::Write::write_char(f, if matches!(byte, b' '..=b'~') { byte.into() } else { '.' })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(Printable(b"A M I \0\0").to_string(), "A M I");
        assert_eq!(Printable(b"\x1b[2Jx\xff\0y").to_string(), ".[2Jx..y");
        assert_eq!(Printable(b"\0\0 ").to_string(), "");
    }
}
