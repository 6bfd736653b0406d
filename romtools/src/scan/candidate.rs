//! A closer look at a place where a word was found: is it worth to be read whole?

use std::io;

use super::near::Near;
use crate::bytes::{array_at, u8_at, u16_at, u32_at};
use crate::pcir::StructureSignature;
use crate::source::ReadAt;
use crate::{Signature, header};

/// What begins at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A header whose pointer leads to a data structure.
    Image,
    /// A header without one, whose entry point is a jump.
    Isa,
}

/// What kind of a ROM may begin at `offset`.
pub(super) fn rom<S: ReadAt + ?Sized>(near: &mut Near<'_, S>, offset: u64) -> io::Result<Option<Kind>> {
    let mut bytes = [0; header::LENGTH];
    if near.fill(offset, &mut bytes)? < bytes.len() {
        return Ok(None);
    }
    let pointer = u16_at(&bytes, 0x18).unwrap_or_default();
    let mut structure = [0; 4];
    let have = near.fill(offset + u64::from(pointer), &mut structure)?;
    if have == structure.len() && StructureSignature::from_bytes(structure).is_some() {
        return Ok(Some(Kind::Image));
    }
    // A jump, or a return at once, as QEMU's boot ROMs have it.
    let jumps = matches!(u8_at(&bytes, 3), Some(0xe9 | 0xeb | 0xcb));
    let is_isa = jumps && u8_at(&bytes, 2) != Some(0);
    Ok(is_isa.then_some(Kind::Isa))
}

/// Where the private image begins whose data structure is at `offset`: twelve times as far in front of it, at most, as
/// was ever seen.
pub(super) fn private_image<S: ?Sized>(near: &mut Near<'_, S>, offset: u64) -> Option<u64> {
    // All is in memory, but every fourth byte of a hostile file could ask for a look through as much.
    let bytes = near.window.before(offset);
    if !near.budget.take(bytes.len() as u64) {
        return None;
    }
    let have = bytes.len();
    // Structures begin at multiples of 4, images at those of their structure.
    for distance in (header::LENGTH..=have).filter(|distance| distance % 4 == 0) {
        let at = have - distance;
        let signature = array_at(bytes, at).and_then(Signature::from_bytes);
        let is_private = signature.is_some_and(|signature| signature != Signature::OptionRom);
        if is_private && u16_at(bytes, at + 0x18).map(usize::from) == Some(distance) {
            return Some(offset - distance as u64);
        }
    }
    None
}

/// The length of the VFCT table at `offset`, if its header can be one's.
pub(super) fn vfct<S: ReadAt + ?Sized>(
    near: &mut Near<'_, S>,
    offset: u64,
    end: u64,
) -> io::Result<Option<u32>> {
    /// Bytes in front of the first image: the ACPI header and VFCT's own.
    const HEADER: usize = 0x4c;
    let mut bytes = [0; HEADER];
    if near.fill(offset, &mut bytes)? < HEADER || array_at(&bytes, 0) != Some(*b"VFCT") {
        return Ok(None);
    }
    let length = u32_at(&bytes, 4).unwrap_or_default();
    let images = u32_at(&bytes, 0x34).unwrap_or_default();
    // The creator's id is text, which tells a table from a list of table names.
    let is_text = bytes[0x0a..0x18].iter().all(|&byte| byte == 0 || byte == b' ' || byte.is_ascii_graphic());
    let fits = u64::from(length) <= end.saturating_sub(offset) && length <= 16 << 20;
    Ok((fits && is_text && images as usize >= HEADER && images < length).then_some(length))
}
