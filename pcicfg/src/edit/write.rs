//! A write, and doing it.

use crate::access::ConfigWrite;
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

    /// Both in one, if they stand side by side and one access can reach them.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        let (low, high) = if self.offset < other.offset { (self, other) } else { (other, self) };
        let width = u16::from(low.width);
        let adjacent = low.width == high.width && low.offset + width == high.offset;
        if !adjacent || width > 2 || !low.offset.is_multiple_of(2 * width) {
            return None;
        }
        let value = low.value | high.value << (8 * u32::from(width));
        Some(Self { offset: low.offset, width: 2 * low.width, value })
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

/// A write that failed. Those before it were done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
