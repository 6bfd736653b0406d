//! A text that is read in pieces, wherever they end, shows what it shows as a whole; and of headers alone the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

// Shared with the property tests.
#[path = "../../pcicfg/tests/common/pieces.rs"]
mod pieces;

// In front of the text: the length of a piece in bytes, the longest one in units of 16, and three steps in which it comes.
fuzz_target!(|input: &[u8]| {
    let Some((&[piece, longest, count, ref steps @ ..], text)) = input.split_first_chunk::<6>() else {
        return;
    };
    let steps = steps.get(..usize::from(count) % 4).unwrap_or_default();
    pieces::check(text, usize::from(piece) * 4, usize::from(longest) * 16, steps);
});
