use super::*;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

const ROW: &str = "00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00";

fn functions(numbers: core::ops::Range<u8>) -> String {
    numbers.map(|number| format!("00:{number:02x}.0 x\n{ROW}\n\n")).collect()
}

/// Of each piece its offset, the devices of its functions, and whether it cuts a line.
fn read(text: &str, piece: usize, longest: usize) -> Vec<(u64, Vec<u8>, bool)> {
    let mut pieces = Pieces::new().with_lengths(piece, longest);
    let mut rest = text.as_bytes();
    let mut seen = vec![];
    loop {
        let (read, after) = rest.split_at(pieces.wanted().min(rest.len()));
        pieces.text().extend_from_slice(read);
        rest = after;
        while let Some(piece) = pieces.cut(rest.is_empty()) {
            let devices = piece.dump.functions().map(|function| function.address().device()).collect();
            seen.push((piece.offset, devices, piece.cuts_line));
        }
        if rest.is_empty() {
            return seen;
        }
    }
}

fn devices(pieces: &[(u64, Vec<u8>, bool)]) -> Vec<u8> {
    pieces.iter().flat_map(|(_, devices, _)| devices.clone()).collect()
}

#[test]
fn pieces_end_before_slot_lines() {
    let text = functions(0..4);
    assert_eq!(text.len(), 4 * 63);
    assert_eq!(read(&text, 1 << 20, 1 << 20), [(0, vec![0, 1, 2, 3], false)]);
    let two = [(0, vec![0, 1], false), (126, vec![2, 3], false)];
    assert_eq!(read(&text, 190, 1 << 20), two);
    assert_eq!(read("", 190, 1 << 20), [(0, vec![], false)], "a text has a piece");
}

#[test]
fn a_line_longer_than_is_read_at_once_is_one_line() {
    let long = format!("{} 00:1f.0 x\n", "y".repeat(1000));
    for before in ["", "00:01.0 ", "00: "] {
        let pieces = read(&format!("{}{before}{long}{}", functions(0..2), functions(2..4)), 64, 256);
        assert_eq!(devices(&pieces), [0, 1, 2, 3], "{before}");
        assert_eq!(pieces.iter().filter(|(_, _, cuts_line)| *cuts_line).count(), 1);
    }
    // What is cut off would be a function, were it a line.
    let tail = format!("{}00:1f.0 z\n{ROW}\n", "y".repeat(256));
    assert_eq!(devices(&read(&format!("{}{tail}", functions(0..2)), 64, 256)), [0, 1]);
}

#[test]
fn text_without_a_function_is_cut_between_lines() {
    let text = format!("{}{}{}", "a log\n".repeat(500), functions(0..3), "a log\n".repeat(500));
    let pieces = read(&text, 64, 256);
    assert_eq!(devices(&pieces), [0, 1, 2]);
    assert!(pieces.iter().all(|(_, _, cuts_line)| !cuts_line));
}

#[test]
fn the_text_in_memory_is_bounded() {
    let mut pieces = Pieces::new().with_lengths(64, 256);
    for _ in 0..1000 {
        let wanted = pieces.wanted();
        pieces.text().extend(core::iter::repeat_n(b'y', wanted));
        while pieces.cut(false).is_some() {}
        assert!(pieces.text.len() <= 512);
    }
}
