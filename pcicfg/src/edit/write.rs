//! A write, and doing it.

use crate::access::ConfigWrite;
use alloc::vec::Vec;
use core::fmt;

/// A write to configuration space: one access of one, two or four bytes, aligned to its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Write {
    /// Where.
    pub offset: u16,
    /// How many bytes: 1, 2 or 4.
    pub width: u8,
    /// What.
    pub value: u32,
}

impl Write {
    /// Does it.
    ///
    /// # Errors
    /// When the access fails.
    pub fn apply<F: ConfigWrite + ?Sized>(&self, function: &F) -> Result<(), F::Error> {
        match self.width {
            1 => function.write_u8(self.offset, self.value as u8),
            2 => function.write_u16(self.offset, self.value as u16),
            _ => function.write_u32(self.offset, self.value),
        }
    }

    /// All in one, if together they fill what one access can reach.
    fn of_all(parts: &[Self]) -> Option<Self> {
        if let [only] = parts {
            return Some(*only);
        }
        let offset = parts.iter().map(|part| part.offset).min()?;
        let end = parts.iter().map(|part| part.offset + u16::from(part.width)).max()?;
        // No two overlap.
        let filled: u16 = parts.iter().map(|part| u16::from(part.width)).sum();
        if !matches!(filled, 2 | 4) || end - offset != filled || !offset.is_multiple_of(filled) {
            return None;
        }
        let shift = |part: &Self| 8 * u32::from(part.offset - offset);
        let value = parts.iter().fold(0, |value, part| value | part.value << shift(part));
        Some(Self { offset, width: filled as u8, value })
    }

    /// Whether all bytes of another write are in this one, with the same values.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let Some(start) = other.offset.checked_sub(self.offset) else { return false };
        if start + u16::from(other.width) > u16::from(self.width) {
            return false;
        }
        let mask = u32::MAX >> (32 - 8 * u32::from(other.width.clamp(1, 4)));
        self.value >> (8 * u32::from(start)) & mask == other.value
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = 2 * usize::from(self.width);
        write!(f, "{:0digits$x} to the {} bytes at {:#05x}", self.value, self.width, self.offset)
    }
}

/// The fewest writes that do the same in the same order.
pub(super) fn fewest(writes: &[Write]) -> Vec<Write> {
    /// The last of the writes that do a beginning of the list.
    struct Last {
        write: Write,
        /// How many of the list it does.
        does: usize,
        /// How many writes there are with it.
        count: usize,
    }
    let mut beginnings: Vec<Last> = Vec::with_capacity(writes.len());
    for end in 1..=writes.len() {
        // Bytes, four of them, are the most that share a write.
        let choices = (1..=end.min(4)).filter_map(|does| {
            let write = Write::of_all(writes.get(end - does..end)?)?;
            let before = end.checked_sub(does + 1).and_then(|index| beginnings.get(index));
            Some(Last { write, does, count: before.map_or(0, |before| before.count) + 1 })
        });
        beginnings.extend(choices.min_by_key(|last| last.count));
    }
    let mut fewest = Vec::new();
    let mut rest = beginnings.as_slice();
    while let Some(last) = rest.last() {
        fewest.push(last.write);
        rest = rest.get(..rest.len().saturating_sub(last.does)).unwrap_or_default();
    }
    fewest.reverse();
    fewest
}

/// A write that failed. Those before it were done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplyError<E> {
    /// Which one of the list, counted from 0.
    pub index: usize,
    /// The write.
    pub write: Write,
    /// How the access failed.
    pub error: E,
}

impl<E: fmt::Display> fmt::Display for ApplyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.write, self.error)
    }
}

impl<E: core::error::Error + 'static> core::error::Error for ApplyError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Does the writes, in their order.
///
/// # Errors
/// With the first that fails.
pub fn apply<F: ConfigWrite + ?Sized>(writes: &[Write], function: &F) -> Result<(), ApplyError<F::Error>> {
    for (index, write) in writes.iter().enumerate() {
        write.apply(function).map_err(|error| ApplyError { index, write: *write, error })?;
    }
    Ok(())
}
