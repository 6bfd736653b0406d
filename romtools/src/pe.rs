//! What the EFI header repeats of a PE file.

use crate::bytes::{array_at, u16_at, u32_at};
use crate::header::{Machine, Subsystem};

/// The two fields, from the headers of a PE file; `None` if it is none.
pub(crate) fn fields(file: &[u8]) -> Option<(Machine, Subsystem)> {
    if array_at(file, 0) != Some(*b"MZ") {
        return None;
    }
    let at = usize::try_from(u32_at(file, 0x3c)?).ok()?;
    let headers = file.get(at..)?;
    // The optional header follows 24 bytes of signature and COFF header; in PE32 and PE32+ alike, the
    // subsystem stands at its 44h.
    let is_optional_header = matches!(u16_at(headers, 24), Some(0x010b | 0x020b));
    if array_at(headers, 0) != Some(*b"PE\0\0") || !is_optional_header {
        return None;
    }
    Some((Machine(u16_at(headers, 4)?), Subsystem(u16_at(headers, 24 + 0x44)?)))
}
