//! What keeps firmware from loading a PE file: the rules of edk2's loader, which most firmware is built with.

use super::Pe;

/// More memory than any driver takes: 256 MiB.
const PLAUSIBLE_IMAGE: u32 = 256 << 20;
/// More data directories than the specification has.
const DIRECTORIES: u32 = 16;

/// What is wrong. All numbers are bytes, from the start of the PE file or of the loaded image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The headers end outside of the file.
    #[error("its headers take {size_of_headers:x}h bytes, and there are only {available:x}h")]
    Headers {
        /// `SizeOfHeaders`.
        size_of_headers: u32,
        /// Bytes of the file.
        available: usize,
    },
    /// The section table ends outside of the file.
    #[error("its headers have only {found} of its {expected} sections")]
    SectionTable {
        /// `NumberOfSections`.
        expected: u16,
        /// How many are in the file.
        found: usize,
    },
    /// More data directories than there are.
    #[error("it claims {found} data directories: 16 is the most")]
    Directories {
        /// `NumberOfRvaAndSizes`.
        found: u32,
    },
    /// A section's data ends outside of the file.
    #[error("section {} (the first is 1) ends at {end:x}h, and there are only {available:x}h bytes", index + 1)]
    SectionData {
        /// Which one, from 0.
        index: usize,
        /// Where its data ends.
        end: u64,
        /// Bytes of the file.
        available: usize,
    },
    /// A section is loaded outside of the image.
    #[error("section {} (the first is 1) ends at {end:x}h of an image of {size_of_image:x}h bytes", index + 1)]
    SectionOutside {
        /// Which one, from 0.
        index: usize,
        /// Where it ends when loaded.
        end: u64,
        /// `SizeOfImage`.
        size_of_image: u32,
    },
    /// It wants more memory than a driver does.
    #[error("it claims to take {size_of_image:x}h bytes when loaded, more than any driver")]
    SizeOfImage {
        /// `SizeOfImage`.
        size_of_image: u32,
    },
    /// It begins to run outside of itself.
    #[error("it begins to run at {entry:x}h of an image of {size_of_image:x}h bytes")]
    EntryPoint {
        /// `AddressOfEntryPoint`.
        entry: u32,
        /// `SizeOfImage`.
        size_of_image: u32,
    },
    /// Its signature ends outside of the file.
    #[error("its signature ends at {end:x}h, and there are only {available:x}h bytes")]
    CertificateTable {
        /// Where it ends.
        end: u64,
        /// Bytes of the file.
        available: usize,
    },
}

impl Defect {
    /// If firmware does not load such a file at all.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::SizeOfImage { .. })
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Headers { .. } => "pe-headers",
            Self::SectionTable { .. } => "pe-section-table",
            Self::Directories { .. } => "pe-directories",
            Self::SectionData { .. } => "pe-section-data",
            Self::SectionOutside { .. } => "pe-section-outside",
            Self::SizeOfImage { .. } => "pe-size-of-image",
            Self::EntryPoint { .. } => "pe-entry-point",
            Self::CertificateTable { .. } => "pe-certificate-table",
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::SizeOfImage { .. } => {
                "a guest with little memory cannot load it: compare the driver with that of a second dump"
            }
            Self::CertificateTable { .. } => {
                "firmware does not load it: its signature was cut off when the driver was taken out or padded; dump \
                 the ROM again"
            }
            _ => "firmware does not load it: the driver is damaged or cut short; dump the ROM again",
        }
    }
}

impl Pe<'_> {
    /// Everything that keeps firmware from loading it, with the offset in the file of what says so. Of sections that
    /// are wrong in the same way, the first.
    #[must_use]
    pub fn defects(&self) -> Vec<(usize, Defect)> {
        let mut found = Vec::new();
        let optional = self.headers + Self::OPTIONAL;
        let (available, size_of_image) = (self.file.len(), self.size_of_image);
        let is_outside = |end: u64| end > available as u64;
        if is_outside(self.size_of_headers.into()) {
            let size_of_headers = self.size_of_headers;
            found.push((optional + 0x3c, Defect::Headers { size_of_headers, available }));
        }
        let sections = self.sections().count();
        if sections < usize::from(self.number_of_sections) {
            let expected = self.number_of_sections;
            found.push((self.headers + 6, Defect::SectionTable { expected, found: sections }));
        }
        if self.number_of_rva_and_sizes > DIRECTORIES {
            let directories = Defect::Directories { found: self.number_of_rva_and_sizes };
            found.push((self.directories() - 4, directories));
        }
        if size_of_image > PLAUSIBLE_IMAGE {
            found.push((optional + 0x38, Defect::SizeOfImage { size_of_image }));
        }
        let entry = self.address_of_entry_point;
        if entry >= size_of_image {
            found.push((optional + 0x10, Defect::EntryPoint { entry, size_of_image }));
        }
        let mut sections = self.sections().enumerate();
        let outside =
            sections.find(|(_, section)| section.raw_data.length != 0 && is_outside(section.raw_data.end()));
        found.extend(outside.map(|(index, section)| {
            let end = section.raw_data.end();
            (section.offset, Defect::SectionData { index, end, available })
        }));
        let mut sections = self.sections().enumerate();
        let outside = sections.find(|(_, section)| section.virtual_end() > u64::from(size_of_image));
        found.extend(outside.map(|(index, section)| {
            let end = section.virtual_end();
            (section.offset, Defect::SectionOutside { index, end, size_of_image })
        }));
        if let Some(end) = self.certificate_table().map(super::Place::end).filter(|&end| is_outside(end)) {
            let at = self.directories() + 8 * Self::CERTIFICATE_TABLE as usize;
            found.push((at, Defect::CertificateTable { end, available }));
        }
        found
    }
}
