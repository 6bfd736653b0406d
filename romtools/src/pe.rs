//! The PE file that an EFI driver is: its headers, sections and signature, as far as firmware looks at them.
//!
//! Fields are named as in the PE Format specification. Nothing is trusted: a view is made of any file whose
//! first headers are there, and [`Pe::defects`] says what keeps firmware from loading it.
//!
//! ```
//! use romtools::pe::Pe;
//!
//! assert!(Pe::parse(b"MZ and then no PE file").is_none());
//! ```

use crate::bytes::{array_at, u16_at, u32_at};
use crate::header::{Machine, Subsystem};

mod defect;
mod section;

pub use defect::Defect;
pub use section::{Section, Sections};

/// A view of a PE file: PE32 or PE32+.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pe<'a> {
    file: &'a [u8],
    /// Where `PE\0\0` is.
    headers: usize,
    /// If it is PE32+, with addresses of 64 bits.
    pub is_plus: bool,
    /// For which processor it is.
    pub machine: Machine,
    /// What it is: an application, a boot service driver, a run-time driver.
    pub subsystem: Subsystem,
    /// When it was made, in seconds since 1970; some builds have a digest or zero here.
    pub time_date_stamp: u32,
    /// How many sections it has.
    pub number_of_sections: u16,
    /// Bytes from the optional header to the section table.
    pub size_of_optional_header: u16,
    /// Where it begins to run, from the start of the loaded image.
    pub address_of_entry_point: u32,
    /// Bytes of memory that it takes when loaded.
    pub size_of_image: u32,
    /// Bytes of the file up to the first section.
    pub size_of_headers: u32,
    /// How many data directories it has.
    pub number_of_rva_and_sizes: u32,
}

/// Where in a file, and how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where they begin in the file.
    pub offset: u32,
    /// How many they are.
    pub length: u32,
}

impl Place {
    /// Where they end; it may be more than any file has.
    #[must_use]
    pub fn end(self) -> u64 {
        u64::from(self.offset) + u64::from(self.length)
    }
}

impl<'a> Pe<'a> {
    /// Bytes of signature and COFF header, in front of the optional header.
    const OPTIONAL: usize = 24;
    /// The place of the attribute certificate table among the data directories.
    const CERTIFICATE_TABLE: u32 = 4;

    /// The view of a file; `None` if its first headers are not those of a PE file.
    #[must_use]
    pub fn parse(file: &'a [u8]) -> Option<Self> {
        if array_at(file, 0) != Some(*b"MZ") {
            return None;
        }
        let headers = usize::try_from(u32_at(file, 0x3c)?).ok()?;
        let bytes = file.get(headers..)?;
        let is_plus = match u16_at(bytes, Self::OPTIONAL)? {
            0x010b => false,
            0x020b => true,
            _ => return None,
        };
        if array_at(bytes, 0) != Some(*b"PE\0\0") {
            return None;
        }
        let optional = bytes.get(Self::OPTIONAL..)?;
        Some(Self {
            file,
            headers,
            is_plus,
            machine: Machine(u16_at(bytes, 4)?),
            subsystem: Subsystem(u16_at(optional, 0x44)?),
            time_date_stamp: u32_at(bytes, 8)?,
            number_of_sections: u16_at(bytes, 6)?,
            size_of_optional_header: u16_at(bytes, 20)?,
            address_of_entry_point: u32_at(optional, 0x10)?,
            size_of_image: u32_at(optional, 0x38)?,
            size_of_headers: u32_at(optional, 0x3c)?,
            // In PE32+, four fields in front of it are twice as wide, and one is not there.
            number_of_rva_and_sizes: u32_at(optional, if is_plus { 0x6c } else { 0x5c })?,
        })
    }

    /// All bytes of the file.
    #[must_use]
    pub fn file(&self) -> &'a [u8] {
        self.file
    }

    /// Where `PE\0\0` is in the file.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.headers
    }

    /// Where the data directories begin in the file.
    fn directories(&self) -> usize {
        self.headers + Self::OPTIONAL + if self.is_plus { 0x70 } else { 0x60 }
    }

    /// The attribute certificate table: the signature that Secure Boot looks at. It may lie outside of the file.
    #[must_use]
    pub fn certificate_table(&self) -> Option<Place> {
        if self.number_of_rva_and_sizes <= Self::CERTIFICATE_TABLE {
            return None;
        }
        let at = self.directories() + 8 * Self::CERTIFICATE_TABLE as usize;
        let place = Place { offset: u32_at(self.file, at)?, length: u32_at(self.file, at + 4)? };
        (place.length != 0).then_some(place)
    }

    /// If it carries a signature, which is not verified.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.certificate_table().is_some()
    }

    /// Where the section table begins in the file.
    fn section_table(&self) -> usize {
        self.headers + Self::OPTIONAL + usize::from(self.size_of_optional_header)
    }

    /// Its sections, as far as their headers are in the file.
    #[must_use]
    pub fn sections(&self) -> Sections<'a> {
        Sections::new(self.file, self.section_table(), self.number_of_sections)
    }

    /// Where its last byte is: of headers, sections and signature. What follows is padding.
    #[must_use]
    pub fn end(&self) -> u64 {
        let sections = self.sections().map(|section| section.raw_data.end());
        let parts = sections.chain(self.certificate_table().map(Place::end));
        parts.max().unwrap_or_default().max(self.size_of_headers.into())
    }
}

#[cfg(test)]
mod tests;
