//! What decompresses EFI drivers: ours, and the one that is on crates.io.

#![expect(deprecated, reason = "the peer's makers want all of their firmware to be used instead")]

use romtools::compression::{self, HEADER, MAXIMUM_SIZE, Sizes, Variant};
use uefi_decompress::{DecompressionAlgorithm, decompress_into_with_algo};

/// Ours; `None` where it finds the stream damaged.
#[must_use]
pub fn ours(stream: &[u8], variant: Variant) -> Option<Vec<u8>> {
    compression::decompress(stream, variant).ok()
}

/// `mu_uefi_decompress`, with what a caller of it must do for the same result: look at the lengths, and
/// provide the memory.
#[must_use]
pub fn peer(stream: &[u8], variant: Variant) -> Option<Vec<u8>> {
    let sizes = Sizes::parse(stream).ok()?;
    if sizes.original > MAXIMUM_SIZE || sizes.compressed > stream.len() - HEADER {
        return None;
    }
    let algorithm = match variant {
        Variant::Uefi => DecompressionAlgorithm::UefiDecompress,
        Variant::Tiano => DecompressionAlgorithm::TianoDecompress,
    };
    let mut output = vec![0; sizes.original];
    decompress_into_with_algo(stream, &mut output, algorithm).ok()?;
    Some(output)
}
