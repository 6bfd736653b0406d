//! The section table.

use super::Place;
use crate::bytes::{array_at, u32_at};
use crate::printable::Printable;

/// A section, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    name: [u8; 8],
    /// Where its header is in the file.
    pub offset: usize,
    /// Bytes of memory that it takes when loaded.
    pub virtual_size: u32,
    /// Where it is loaded, from the start of the loaded image.
    pub virtual_address: u32,
    /// Its bytes in the file.
    pub raw_data: Place,
}

impl Section {
    /// Bytes of a header.
    const LENGTH: usize = 40;

    fn parse(file: &[u8], offset: usize) -> Option<Self> {
        let header = file.get(offset..)?.first_chunk::<{ Self::LENGTH }>()?;
        Some(Self {
            name: array_at(header, 0)?,
            offset,
            virtual_size: u32_at(header, 8)?,
            virtual_address: u32_at(header, 12)?,
            raw_data: Place { offset: u32_at(header, 20)?, length: u32_at(header, 16)? },
        })
    }

    /// Its name, up to the first zero, with what cannot be printed replaced.
    #[must_use]
    pub fn name(&self) -> String {
        let length = self.name.iter().position(|&byte| byte == 0).unwrap_or(self.name.len());
        Printable(&self.name[..length]).to_string()
    }

    /// Where it ends when loaded, from the start of the loaded image.
    #[must_use]
    pub fn virtual_end(&self) -> u64 {
        u64::from(self.virtual_address) + u64::from(self.virtual_size)
    }
}

/// The sections of a PE file.
#[derive(Debug, Clone)]
pub struct Sections<'a> {
    file: &'a [u8],
    next: usize,
    left: u16,
}

impl<'a> Sections<'a> {
    pub(super) fn new(file: &'a [u8], table: usize, count: u16) -> Self {
        Self { file, next: table, left: count }
    }
}

impl Iterator for Sections<'_> {
    type Item = Section;

    fn next(&mut self) -> Option<Section> {
        self.left = self.left.checked_sub(1)?;
        let section = Section::parse(self.file, self.next)?;
        self.next += Section::LENGTH;
        Some(section)
    }
}
