//! What is compressed comes back, whatever it is.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::compression::{HEADER, decompress};

/// Its compressed length for each variant, behind the header.
fn comes_back(bytes: &[u8]) -> [usize; 2] {
    [Variant::Uefi, Variant::Tiano].map(|variant| {
        let stream = compress(bytes, variant).unwrap();
        assert!(decompress(&stream, variant).unwrap() == bytes, "{variant:?} {bytes:02x?}");
        stream.len() - HEADER
    })
}

/// Bytes without a pattern, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

#[test]
fn small_inputs_come_back() {
    for length in 0..40 {
        comes_back(&vec![7; length]);
        comes_back(&(0..length as u8).collect::<Vec<_>>());
        comes_back(&(0..length as u8).map(|at| at % 3).collect::<Vec<_>>());
    }
}

#[test]
fn a_run_becomes_almost_nothing() {
    for length in [255, 256, 257, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
        let [uefi, tiano] = comes_back(&vec![0xff; length]);
        assert!(uefi < 30 + length / 200 && tiano <= uefi + 2, "{length}: {uefi} {tiano}");
    }
}

#[test]
fn noise_grows_by_little() {
    let [uefi, tiano] = comes_back(&noise(200_000));
    assert!(uefi < 201_000 && tiano < 201_000, "{uefi} {tiano}");
}

#[test]
fn the_windows_reach_as_far_back_as_the_variants_allow() {
    // A piece of noise, and once more after a gap of noise that is just as wide as the window, or one more.
    let probe = &noise(600_000)[590_000..590_200];
    let with_gap = |distance: usize| [probe, &noise(distance - probe.len()), probe].concat();
    let lengths = |window: usize| [window, window + 1].map(|distance| comes_back(&with_gap(distance)));
    let [[inside, _], [outside, _]] = lengths(8 << 10);
    assert!(inside + 150 < outside, "{inside} {outside}");
    let [[_, inside], [_, outside]] = lengths(512 << 10);
    assert!(inside + 150 < outside, "{inside} {outside}");
}

#[test]
fn a_change_of_symbols_begins_a_block() {
    // Two halves of 16 different values each: four bits a byte if they have a code each, five if not.
    let bytes: Vec<u8> = noise(60_000)
        .iter()
        .zip(0..)
        .map(|(byte, at)| (byte & 15) + if at < 30_000 { 0 } else { 0x80 })
        .collect();
    let [uefi, _] = comes_back(&bytes);
    assert!(uefi < 31_000, "{uefi}");
}

#[test]
fn the_longest_codes_have_16_bits() {
    // Each count is the sum of all before it: without a limit, the longest code had 24 bits.
    let counts: Vec<u32> =
        std::iter::successors(Some((1, 1)), |(a, b)| Some((*b, a + b))).map(|(a, _)| a).take(25).collect();
    let lengths = lengths::limited(&counts);
    assert_eq!(lengths.iter().max(), Some(&16));
    let space: u32 = lengths.iter().map(|length| 1 << (16 - length)).sum();
    assert_eq!(space, 1 << 16);
}

/// Huffman's way, without a limit: the bits of all symbols together.
fn huffman_bits(counts: &[u32]) -> u64 {
    let mut nodes: Vec<u64> =
        counts.iter().filter(|count| **count > 0).map(|count| u64::from(*count)).collect();
    let mut bits = 0;
    while nodes.len() > 1 {
        nodes.sort_unstable_by(|a, b| b.cmp(a));
        let sum = nodes.pop().unwrap() + nodes.pop().unwrap();
        bits += sum;
        nodes.push(sum);
    }
    bits
}

/// Bytes as a program has them: runs, copies of what was before, from near and far, and new ones.
fn program() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        vec(any::<u8>(), 1..200).prop_map(|bytes| (bytes, 0, 0)),
        vec(0u8..4, 1..600).prop_map(|bytes| (bytes, 0, 0)),
        (any::<u8>(), 1usize..2000).prop_map(|(byte, length)| (vec![byte; length], 0, 0)),
        (any::<u32>(), 1usize..700).prop_map(|(back, length)| (Vec::new(), back as usize, length)),
    ];
    vec(part, 0..60).prop_map(|parts| {
        let mut bytes = Vec::new();
        for (new, back, length) in parts {
            bytes.extend(new);
            if !bytes.is_empty() {
                let from = bytes.len() - 1 - back % bytes.len();
                (from..from + length).for_each(|at| bytes.push(bytes[at]));
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_program_comes_back(bytes in program()) {
        comes_back(&bytes);
    }

    #[test]
    fn code_lengths_are_the_best_that_there_are(counts in vec(prop_oneof![Just(0), 500u32..2000], 2..300)) {
        prop_assume!(counts.iter().filter(|count| **count > 0).count() >= 2);
        let lengths = lengths::limited(&counts);
        let bits: u64 = lengths.iter().zip(&counts).map(|(length, count)| u64::from(*length) * u64::from(*count)).sum();
        // With counts as close as these, no code is longer than 16 bits by itself.
        prop_assert_eq!(bits, huffman_bits(&counts));
        prop_assert!(lengths.iter().zip(&counts).all(|(length, count)| (*length == 0) == (*count == 0)));
    }
}
