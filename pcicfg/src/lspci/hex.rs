//! The bytes: `-x`, `-xxx`, `-xxxx`.

use super::{Subject, Text};

pub(super) fn write(text: &mut Text, subject: &Subject<'_>, level: u8) {
    if !subject.has_header() {
        text.str("WARNING: Cannot show hex-dump of the config space\n");
        return;
    }
    // The header of a CardBus bridge is twice as long.
    let header = if subject.header_type() == 2 && subject.has(64, 64) { 128 } else { 64 };
    let length = match level {
        0..=2 => header,
        _ if !subject.has(0, 256) => header,
        4.. if subject.has(0, 4096) => 4096,
        _ => 256,
    };
    let bytes = subject.bytes().get(..length).unwrap_or_default();
    for (row, bytes) in bytes.chunks(16).enumerate() {
        text.hex(2, 16 * row as u64).str(":");
        for &byte in bytes {
            text.str(" ").hex2(byte);
        }
        text.end();
    }
}
