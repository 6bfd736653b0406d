//! Spaces for property tests.

use proptest::collection::vec;
use proptest::prelude::*;

/// The sizes of spaces, and any other.
pub(crate) fn size() -> impl Strategy<Value = usize> {
    prop_oneof![Just(64usize), Just(128usize), Just(256usize), Just(4096usize), 64usize..=300, 64usize..=4096,]
}

/// Bytes whose lists lead somewhere: capabilities with ids that have a view, at many places.
pub(crate) fn lists() -> impl Strategy<Value = Vec<u8>> {
    let traditional = vec((0x10u8..0x3f, 0u8..=0x15, any::<u8>()), 0..12);
    let extended = vec((0x40usize..0x400, 0u16..=0x3a, any::<u16>(), any::<u8>()), 0..16);
    (size().prop_flat_map(|size| vec(any::<u8>(), size)), any::<bool>(), traditional, extended).prop_map(
        |(mut bytes, zero, traditional, extended)| {
            if zero {
                bytes.fill(0);
            }
            let end = bytes.len();
            bytes[0x06] |= 0x10;
            bytes[0x0e] %= 3;
            let mut pointer = if bytes[0x0e] == 2 { 0x14 } else { 0x34 };
            for (dword, id, device_type) in traditional {
                let at = usize::from(dword) * 4;
                bytes[pointer] = at as u8;
                if at + 4 > end {
                    return bytes;
                }
                bytes[at] = id;
                bytes[at + 2] = device_type;
                pointer = at + 1;
            }
            let mut at = 0x100;
            for (dword, id, word, version) in extended {
                let next = dword * 4;
                if at + 8 > end {
                    break;
                }
                let header = u32::from(id) | u32::from(version & 0xf) << 16 | (next as u32) << 20;
                bytes[at..at + 4].copy_from_slice(&header.to_le_bytes());
                bytes[at + 4..at + 6].copy_from_slice(&word.to_le_bytes());
                at = next;
            }
            bytes
        },
    )
}
