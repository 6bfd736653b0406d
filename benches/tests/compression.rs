//! Our compressor and decompressor, against the decompressor that others use.

use benches::{code, corpus, decompressors};
use romtools::compression::{self, Variant};

const BOTH: [Variant; 2] = [Variant::Uefi, Variant::Tiano];

/// Code, and what makes codes of few symbols and matches of every distance.
fn inputs() -> Vec<Vec<u8>> {
    let code = code::machine_code(3, 40_000);
    let far: Vec<u8> = (0..3).flat_map(|_| code[..9_000].to_vec()).collect();
    let everything: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    vec![vec![7], vec![0; 5_000], b"abcabcabcabcabcabcabd".to_vec(), everything, far, code]
}

#[test]
fn what_we_compress_others_decompress() {
    for input in inputs() {
        for variant in BOTH {
            let stream = compression::compress(&input, variant).expect("less than 16 MiB");
            assert_eq!(decompressors::peer(&stream, variant).as_ref(), Some(&input), "{variant:?}");
            assert_eq!(decompressors::ours(&stream, variant).as_ref(), Some(&input), "{variant:?}");
        }
    }
}

/// Neither has a checksum to go by: each may take a damaged stream that the other refuses. Where both take it, no byte
/// of ours is another one.
#[test]
fn of_a_damaged_stream_no_two_drivers_are_made() {
    let stream =
        compression::compress(&code::machine_code(4, 6_000), Variant::Uefi).expect("less than 16 MiB");
    let mut both = 0;
    for at in 8 * compression::HEADER..8 * stream.len() {
        if at % 13 != 0 {
            continue;
        }
        let mut damaged = stream.clone();
        damaged[at / 8] ^= 0x80 >> (at % 8);
        if let (Some(ours), Some(theirs)) =
            (decompressors::ours(&damaged, Variant::Uefi), decompressors::peer(&damaged, Variant::Uefi))
        {
            assert_eq!(ours, theirs, "bit {at}");
            both += 1;
        }
    }
    assert!(both > 100, "{both} streams that both take");
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn real_drivers_come_out_alike() {
    let drivers = corpus::compressed_drivers();
    assert!(!drivers.is_empty());
    for stream in drivers {
        let ours = decompressors::ours(&stream, Variant::Uefi);
        assert!(ours.as_ref().is_some_and(|driver| driver.starts_with(b"MZ")));
        assert_eq!(ours, decompressors::peer(&stream, Variant::Uefi));
    }
}
