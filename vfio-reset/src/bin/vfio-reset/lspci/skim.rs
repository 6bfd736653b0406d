//! Only the lines of a dump that a short listing needs.
//!
//! What `lspci -n` prints stands in the header. The rows below it, a hundred times more text, need not be
//! read digit by digit.

/// Copies the lines of `text` to `kept`, but for rows above the header that have the shape of lspci's.
pub(super) fn headers(text: &[u8], kept: &mut Vec<u8>) {
    kept.clear();
    let mut rest = text;
    while !rest.is_empty() {
        match row_above_header(rest) {
            Some(length) => rest = rest.get(length..).unwrap_or_default(),
            None => {
                let length =
                    rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |newline| newline + 1);
                let (line, after) = rest.split_at(length);
                kept.extend_from_slice(line);
                rest = after;
            }
        }
    }
}

/// The length of the row of sixteen bytes at 40h or above that the text begins with: its digits may be
/// anything that is no line end.
fn row_above_header(text: &[u8]) -> Option<usize> {
    let length = match text {
        [b'4'..=b'9' | b'a'..=b'f', b'0', b':', b' ', ..] => 52,
        [b'1'..=b'9' | b'a'..=b'f', _, b'0', b':', b' ', ..] => 53,
        _ => return None,
    };
    let spaced = |at: usize| text.get(at) == Some(&b' ');
    // The last of the bytes is where it should be, and the line ends there.
    (text.get(length - 1) == Some(&b'\n') && spaced(length - 4) && spaced(length - 7) && spaced(length - 25))
        .then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_above_the_header_are_left_out_and_all_else_stays() {
        let row = "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff";
        let text = format!(
            "00:00.0 x\n00: {row}\n30: {row}\n40: {row}\nf0: {row}\n100: {row}\nff0: {row}\n\n40: {row} \n\
             50: 00\n60: {row}\r\n\tCapabilities\n70: {row}"
        );
        let mut kept = b"before".to_vec();
        headers(text.as_bytes(), &mut kept);
        let expected = format!(
            "00:00.0 x\n00: {row}\n30: {row}\n\n40: {row} \n50: 00\n60: {row}\r\n\tCapabilities\n70: {row}"
        );
        assert_eq!(String::from_utf8(kept).unwrap(), expected);
    }
}
