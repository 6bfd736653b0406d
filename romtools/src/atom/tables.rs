//! The two master tables and what they list.

use crate::bytes::{u8_at, u16_at};

/// The header that every table begins with: four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableHeader {
    /// Structure size in bytes, this header included. Some data tables claim more than the image has.
    pub structure_size: u16,
    /// Format revision.
    pub format_revision: u8,
    /// Content revision.
    pub content_revision: u8,
}

impl TableHeader {
    /// Bytes of the header.
    pub(crate) const LENGTH: usize = 4;

    fn parse(image: &[u8], offset: u16) -> Option<Self> {
        let at = usize::from(offset);
        Some(Self {
            structure_size: u16_at(image, at)?,
            format_revision: u8_at(image, at + 2)?,
            content_revision: u8_at(image, at + 3)?,
        })
    }
}

/// A table of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MasterTable<'a> {
    /// Where it begins, by the ATOM header; 0 is nowhere.
    pub offset: u16,
    /// Its own header; `None` if that is not in the image.
    pub header: Option<TableHeader>,
    image: &'a [u8],
    names: &'static [&'static str],
}

impl<'a> MasterTable<'a> {
    pub(super) fn parse(image: &'a [u8], offset: u16, names: &'static [&'static str]) -> Self {
        let header = if offset == 0 { None } else { TableHeader::parse(image, offset) };
        Self { offset, header, image, names }
    }

    /// How many tables it has room for: 81 or 79 command tables and 35 data tables in real ROMs.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let size = self.header.map_or(0, |header| usize::from(header.structure_size));
        size.saturating_sub(TableHeader::LENGTH) / 2
    }

    /// The tables that exist, in the order of the list.
    #[must_use]
    pub fn tables(&self) -> Tables<'a> {
        Tables { master: *self, next: 0 }
    }
}

/// One table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its number in the master table.
    pub index: usize,
    /// What AMD's header files call it; `None` for one that they do not name.
    pub name: Option<&'static str>,
    /// Where it begins.
    pub offset: u16,
    /// Its header; `None` if that is not in the image.
    pub header: Option<TableHeader>,
}

/// The tables that a master table lists; entries of 0 are left out.
#[derive(Debug, Clone)]
pub struct Tables<'a> {
    master: MasterTable<'a>,
    next: usize,
}

impl Iterator for Tables<'_> {
    type Item = Table;

    fn next(&mut self) -> Option<Table> {
        let MasterTable { image, names, offset: begin, .. } = self.master;
        while self.next < self.master.capacity() {
            let index = self.next;
            self.next += 1;
            let offset = u16_at(image, usize::from(begin) + TableHeader::LENGTH + 2 * index)?;
            if offset != 0 {
                let name = names.get(index).copied().filter(|name| !name.is_empty());
                return Some(Table { index, name, offset, header: TableHeader::parse(image, offset) });
            }
        }
        None
    }
}

impl std::iter::FusedIterator for Tables<'_> {}
