//! ACPI tables: the header that all of them share, and the files that they are dumped to.
//!
//! Three kinds of files hold tables: one table as the kernel shows it (`/sys/firmware/acpi/tables/`),
//! several of them one behind the other, and the text that `acpidump` and `iasl` write.
//! [`find`] takes any of the three. Layout: ACPI Specification 6.5, section 5.2.6.
//!
//! ```
//! # let mut table = b"VFCT\x24\0\0\0\x01\0OEMID OEMTABLE\x01\0\0\0AMD \x01\0\0\0".to_vec();
//! # table[9] = 0u8.wrapping_sub(romtools::checksum::sum(&table));
//! use romtools::acpi;
//!
//! // `table` is what `/sys/firmware/acpi/tables/VFCT` reads.
//! let found = acpi::find(&table, *b"VFCT")?;
//! let header = acpi::Header::parse(&found.bytes).unwrap();
//! assert_eq!((header.length, header.revision), (36, 1));
//! # Ok::<(), romtools::Error>(())
//! ```

use std::borrow::Cow;

use crate::bytes::{array_at, u8_at, u32_at};
use crate::{Error, Result};

mod text;

/// Bytes of the header.
pub const LENGTH: usize = 0x24;

/// The header of an ACPI table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Signature: which table it is.
    pub signature: [u8; 4],
    /// Length of the table in bytes, this header included.
    pub length: u32,
    /// Revision of the table's layout.
    pub revision: u8,
    /// What makes all bytes of the table sum to zero.
    pub checksum: u8,
    /// OEM ID.
    pub oem_id: [u8; 6],
    /// OEM Table ID.
    pub oem_table_id: [u8; 8],
    /// OEM Revision.
    pub oem_revision: u32,
    /// Creator ID: whose code made the table.
    pub creator_id: [u8; 4],
    /// Creator Revision.
    pub creator_revision: u32,
}

impl Header {
    /// Reads the header that `table` begins with; `None` if there are less than [`LENGTH`] bytes.
    #[must_use]
    pub fn parse(table: &[u8]) -> Option<Self> {
        Some(Self {
            signature: array_at(table, 0)?,
            length: u32_at(table, 4)?,
            revision: u8_at(table, 8)?,
            checksum: u8_at(table, 9)?,
            oem_id: array_at(table, 0x0a)?,
            oem_table_id: array_at(table, 0x10)?,
            oem_revision: u32_at(table, 0x18)?,
            creator_id: array_at(table, 0x1c)?,
            creator_revision: u32_at(table, 0x20)?,
        })
    }
}

/// A table in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The table and, if its length is not to be believed, what follows it. Text has been decoded.
    pub bytes: Cow<'a, [u8]>,
    /// Where it begins in the file; in text, where its first line does.
    pub offset: usize,
    /// How many more tables with this signature the file has. Linux' drivers read the first one.
    pub others: usize,
}

/// The first table with this signature in a file: a table alone, tables one behind the other, or text
/// as `acpidump` writes it. In time linear in the file's length.
///
/// # Errors
/// [`Error::NoTable`], and [`Error::HexDump`] for text whose lines do not fit together.
pub fn find(file: &[u8], signature: [u8; 4]) -> Result<Found<'_>> {
    // The length of a real table is below 16 MiB: its last byte is zero, and text has no such byte.
    let is_text = !file.iter().take(LENGTH).any(|&byte| byte == 0);
    let found = if is_text { text::find(file, signature)? } else { binary(file, signature) };
    found.ok_or(Error::NoTable { signature, length: file.len(), first: array_at(file, 0) })
}

/// Walks from table to table. Where that leads nowhere, the signature is searched for.
fn binary(file: &[u8], signature: [u8; 4]) -> Option<Found<'_>> {
    let mut found: Option<Found<'_>> = None;
    let mut at = 0;
    while at < file.len() {
        let rest = &file[at..];
        if !begins_like_a_table(rest) {
            at += match found {
                // Behind the table that was looked for, other data is its own affair.
                Some(_) => break,
                None => rest.windows(4).skip(1).position(|window| window == signature).map(|at| at + 1)?,
            };
            continue;
        }
        let length = length(rest);
        if rest.starts_with(&signature) {
            match &mut found {
                Some(found) => found.others += 1,
                None => {
                    let bytes = Cow::Borrowed(&rest[..end(rest)]);
                    found = Some(Found { bytes, offset: at, others: 0 });
                }
            }
        }
        at = at.saturating_add(length);
    }
    found
}

/// Where the table that begins `rest` ends: by its own word if the file agrees, else with the file.
fn end(rest: &[u8]) -> usize {
    match rest.get(length(rest)..) {
        Some(behind) if behind.is_empty() || begins_like_a_table(behind) => length(rest),
        _ => rest.len(),
    }
}

/// The length that a table claims. A claim below its own header is none: such a table ends with the file.
fn length(table: &[u8]) -> usize {
    match u32_at(table, 4).and_then(|length| usize::try_from(length).ok()) {
        Some(length) if length >= LENGTH => length,
        _ => table.len(),
    }
}

/// If four characters as in a signature and a length follow.
fn begins_like_a_table(bytes: &[u8]) -> bool {
    let is_name = |signature: [u8; 4]| {
        signature.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
    };
    bytes.len() >= LENGTH && array_at(bytes, 0).is_some_and(is_name)
}

#[cfg(test)]
mod tests;
