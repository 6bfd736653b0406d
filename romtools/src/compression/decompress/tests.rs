//! Streams written bit by bit, and what is wrong with damaged ones.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A stream of these bits, for this many bytes of output. Spaces are for the reader.
fn stream(original: usize, bits: &[&str]) -> Vec<u8> {
    let bits: Vec<u8> = bits.concat().bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
    let bytes: Vec<u8> =
        bits.chunks(8).map(|b| (0..8).fold(0, |n, i| n << 1 | b.get(i).unwrap_or(&0))).collect();
    let sizes = [bytes.len() as u32, original as u32].map(u32::to_le_bytes).concat();
    [sizes, bytes].concat()
}

/// A number of `width` bits.
fn number(value: usize, width: usize) -> String {
    format!("{value:0width$b}")
}

/// The head of a block: symbols, then a length code of one symbol.
fn head(symbols: usize, length_symbol: usize) -> String {
    number(symbols & 0xffff, 16) + "00000" + &number(length_symbol, 5)
}

/// A character code of one symbol.
fn only(character: usize) -> String {
    "000000000".to_string() + &number(character, 9)
}

/// A character code in which the first two bytes, 0 and 1, take a bit each; the length code's symbol is 3.
const ZERO_AND_ONE: &str = "000000010";
/// UEFI's position code with the one symbol 0.
const NEAREST: &str = "0000 0000";

fn defect(stream: &[u8], variant: Variant) -> (usize, Defect) {
    match decompress(stream, variant) {
        Err(Error::Compressed { offset, defect }) => (offset, defect),
        other => panic!("{other:?}"),
    }
}

#[test]
fn literals_and_matches_are_put_together() {
    let stream = stream(
        8 + 5 + 3,
        &[
            &head(8, 3),
            ZERO_AND_ONE,
            NEAREST,
            "00000101",
            // One match of 5 bytes from one back; one of 3 bytes from 3 back: symbol 2, then one bit.
            &head(1, 3),
            &only(5 + 253),
            NEAREST,
            &head(1, 3),
            &only(3 + 253),
            "0000 0010",
            "0",
        ],
    );
    let expected = [0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    assert_eq!(decompress(&stream, Variant::Uefi).unwrap(), expected);
}

#[test]
fn code_lengths_are_unpacked() {
    // The length code: symbols 0, 1, 2 (runs of zeros), 3 and 4 (lengths 1 and 2), of 2, 2, 3, 3, 2 bits
    // where two bits behind the third skip none.
    let lengths = ["00101", "010", "010", "011", "00", "011", "010"].concat();
    // By length, then symbol: 0 is 00, 1 is 01, 4 is 10, 2 is 110, 3 is 111.
    // Characters: 4 zeros (run of 4: 01 0001), byte 4 of length 1, byte 5 none, byte 6 of length 2, 20 zeros
    // (110 0...), byte 27 of length 2.
    let characters = ["000011100", "01 0001", "111", "00", "10", "110 000000000", "10"].concat();
    let block = [number(4, 16), lengths, characters].concat();
    let stream = stream(4, &[&block, NEAREST, "11 0 10 0"]);
    assert_eq!(decompress(&stream, Variant::Uefi).unwrap(), [27, 4, 6, 4]);
}

#[test]
fn the_variants_differ_in_the_width_of_position_lengths() {
    let block = head(3, 3) + ZERO_AND_ONE;
    let uefi = stream(3, &[&block, "0000 0000", "101"]);
    let tiano = stream(3, &[&block, "00000 00000", "101"]);
    assert_eq!(decompress(&uefi, Variant::Uefi).unwrap(), [1, 0, 1]);
    assert_eq!(decompress(&tiano, Variant::Tiano).unwrap(), [1, 0, 1]);
    assert_ne!(decompress(&tiano, Variant::Uefi).ok(), decompress(&tiano, Variant::Tiano).ok());
}

#[test]
fn a_block_of_0_symbols_has_65536() {
    let stream = stream(65536 + 1, &[&head(0, 3), &only(0x41), NEAREST, &head(1, 3), &only(0x42), NEAREST]);
    let output = decompress(&stream, Variant::Uefi).unwrap();
    assert!(output[..65536].iter().all(|byte| *byte == 0x41));
    assert_eq!(output[65536], 0x42);
}

#[test]
fn a_block_may_have_more_symbols_than_are_needed() {
    let stream = stream(2, &[&head(400, 3), ZERO_AND_ONE, NEAREST, &"10".repeat(200)]);
    assert_eq!(decompress(&stream, Variant::Uefi).unwrap(), [1, 0]);
}

#[test]
fn nothing_is_made_of_nothing() {
    assert_eq!(decompress(&[0; 8], Variant::Uefi).unwrap(), []);
    assert!(matches!(
        decompress(&[0; 7], Variant::Uefi),
        Err(Error::Truncated { needed: 8, available: 7, .. })
    ));
}

#[test]
fn what_follows_the_stream_is_not_read() {
    let mut stream = stream(3, &[&head(3, 3), ZERO_AND_ONE, NEAREST, "101"]);
    stream.extend([0xff; 100]);
    assert_eq!(decompress(&stream, Variant::Uefi).unwrap(), [1, 0, 1]);
}

#[test]
fn sizes_that_lie_are_told_from_damage() {
    let mut good = stream(3, &[&head(3, 3), ZERO_AND_ONE, NEAREST, "101"]);
    good[4] = 4;
    assert_eq!(defect(&good, Variant::Uefi).1, Defect::Ends { made: 3, original: 4 });
    good[4..8].copy_from_slice(&(MAXIMUM_SIZE as u32 + 1).to_le_bytes());
    assert_eq!(defect(&good, Variant::Uefi), (4, Defect::TooLarge { original: MAXIMUM_SIZE + 1 }));
    good[0] = 9;
    good[4..8].copy_from_slice(&3u32.to_le_bytes());
    assert!(matches!(decompress(&good, Variant::Uefi), Err(Error::Truncated { offset: 8, needed: 9, .. })));
}

#[test]
fn a_last_match_is_cut_off_where_the_output_ends() {
    // A match of 5 where 3 bytes are left: edk2's decoder stops after the third, and succeeds.
    for (literals, symbols) in [(1, 1), (1, 400)] {
        let long = stream(
            literals + 3,
            &[&head(literals, 3), &only(1), NEAREST, &head(symbols, 3), &only(5 + 253), NEAREST],
        );
        let decompressed = decode(&long, Variant::Uefi, &mut 0).unwrap();
        assert_eq!((decompressed.bytes, decompressed.beyond), (vec![1; literals + 3], 2));
    }
    let exact = stream(6, &[&head(1, 3), &only(1), NEAREST, &head(1, 3), &only(5 + 253), NEAREST]);
    assert_eq!(decode(&exact, Variant::Uefi, &mut 0).unwrap().beyond, 0);
}

/// A stream with a block for each symbol: of a code with 256 characters, each of 8 bits, the same one again and again.
fn one_symbol_a_block(blocks: usize) -> Vec<u8> {
    let block = head(1, 10) + &number(256, 9) + NEAREST + &number(0x41, 8);
    stream(blocks, &[&block.repeat(blocks)])
}

#[test]
fn a_block_for_each_symbol_is_refused_after_few_of_them() {
    assert_eq!(decompress(&one_symbol_a_block(16), Variant::Uefi).unwrap(), [0x41; 16]);
    let stream = one_symbol_a_block(6400);
    let mut blocks = 0;
    let refused = decode(&stream, Variant::Uefi, &mut blocks);
    let defect = Defect::TooManyBlocks { most: 116, original: 6400 };
    assert!(
        matches!(refused, Err(Error::Compressed { defect: found, .. }) if found == defect),
        "{refused:?}"
    );
    assert_eq!(blocks, 116);
}

#[test]
fn a_match_cannot_begin_before_the_output() {
    let stream = stream(9, &[&head(1, 3), &only(1), NEAREST, &head(1, 3), &only(8 + 253), "0000 0001"]);
    assert_eq!(
        defect(&stream, Variant::Uefi),
        (8 + 2 * 52 / 8, Defect::BeforeStart { distance: 2, made: 1 })
    );
    // The farthest that can be said.
    let stream = self::stream(9, &[&head(1, 3), &only(8 + 253), "00000 11111", &"1".repeat(32)]);
    let (_, Defect::BeforeStart { distance, made: 0 }) = defect(&stream, Variant::Tiano) else { panic!() };
    assert!(distance > MAXIMUM_SIZE);
}

#[test]
fn codes_that_are_none_are_refused() {
    let kind = CodeKind::Length;
    let symbol = |bits: &[&str]| defect(&stream(1, bits), Variant::Uefi).1;
    assert_eq!(symbol(&[&head(1, 19)]), Defect::Symbol { kind, symbol: 19 });
    // One symbol of length 1 leaves half of the space; three of them need more than there is.
    assert_eq!(symbol(&[&number(1, 16), "00001 001"]), Defect::CodeSpace { kind, used: 0x8000 });
    assert_eq!(symbol(&[&number(1, 16), "00011 001 001 001 00"]), Defect::CodeSpace { kind, used: 0x1_8000 });
    let kind = CodeKind::Character;
    assert_eq!(symbol(&[&head(1, 3), &only(510)]), Defect::Symbol { kind, symbol: 510 });
    assert_eq!(symbol(&[&head(1, 3), "111111111"]), Defect::Symbol { kind, symbol: 510 });
    let kind = CodeKind::Position;
    // 7 and ten more.
    assert_eq!(
        symbol(&[&head(1, 3), ZERO_AND_ONE, "0001 111 1111111111 0"]),
        Defect::CodeLength { kind, length: 17 }
    );
}

#[test]
fn a_small_stream_may_become_16_mib_and_not_more() {
    // 257 blocks of 65,536 matches of 256 bytes would be 4 GiB; the first has all that fits.
    let blocks = head(1, 3) + &only(7) + NEAREST + &(head(0, 3) + &only(509) + NEAREST);
    let output = decompress(&stream(MAXIMUM_SIZE - 255, &[&blocks]), Variant::Uefi).unwrap();
    assert!(output.iter().all(|byte| *byte == 7));
    assert_eq!(output.len(), MAXIMUM_SIZE - 255);
}

proptest! {
    #[test]
    fn any_bytes_are_decompressed_or_refused(
        bytes in vec(any::<u8>(), 0..600),
        original in 0u32..2000,
        tiano in any::<bool>(),
    ) {
        let sizes = [bytes.len() as u32, original].map(u32::to_le_bytes).concat();
        let variant = if tiano { Variant::Tiano } else { Variant::Uefi };
        match decompress(&[sizes, bytes.clone()].concat(), variant) {
            Ok(output) => prop_assert_eq!(output.len(), original as usize),
            Err(error) => prop_assert!(error.offset() <= HEADER + bytes.len(), "{}", error),
        }
    }
}
