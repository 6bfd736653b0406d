//! The lines that `romtools vfct info` prints.
//!
//! ```
//! # let mut table = b"VFCT\x86\0\0\0\x01\0OEMID OEMTABLE\x01\0\0\0AMD \x01\0\0\0".to_vec();
//! # table.extend([0x32, 0x9b, 0xa3, 0x5d, 0xbd, 0xc6, 0xcf, 0x49, 0x95, 0xa6, 0xe8, 0xe4, 0x2e, 0xcd, 0x79, 0xa7]);
//! # table.extend(b"\x4c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
//! # table.extend(b"\xc5\0\0\0\0\0\0\0\0\0\0\0\x02\x10\x00\x19\0\0\0\0\x01\0\0\0\x02\0\0\0\x55\xaa");
//! # table.extend([0; 28]);
//! use romtools::vfct::{Table, text};
//!
//! // `table` is what `/sys/firmware/acpi/tables/VFCT` reads.
//! let vfct = Table::parse(&table)?;
//! assert!(text::info(&vfct).to_string().contains("0000:c5:00.0"));
//! # Ok::<(), romtools::Error>(())
//! ```

use std::fmt;

use super::{Record, Stop, Table};
use crate::printable::Printable;
use crate::{Rom, text};

/// Everything known about a table, in its order. The images' own offsets count from the start of each image.
pub fn info<'a>(table: &'a Table<'a>) -> impl fmt::Display + 'a {
    Info { table, tables: false }
}

/// Likewise, with a line for each table of an ATOM BIOS.
pub fn info_with_tables<'a>(table: &'a Table<'a>) -> impl fmt::Display + 'a {
    Info { table, tables: true }
}

struct Info<'a> {
    table: &'a Table<'a>,
    tables: bool,
}

impl fmt::Display for Info<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table;
        write_table(f, table)?;
        for record in table.records() {
            write_record(f, &record, self.tables)?;
        }
        match table.records().into_stop() {
            Stop::HeaderTruncated { offset, available } => {
                writeln!(f, "Record @{offset:x}h: the table ends after {available:x}h bytes of it")?;
            }
            Stop::TooMany { offset } => writeln!(f, "Record @{offset:x}h: too many records, not shown")?,
            Stop::EndOfTable | Stop::Terminator { .. } | Stop::Lib1 { .. } | Stop::ImageTruncated { .. } => {}
        }
        match (table.lib1_image_offset(), table.lib1()) {
            (0, _) => Ok(()),
            (offset, None) => writeln!(f, "Lib1 @{offset:x}h: not inside the table"),
            (offset, Some(lib1)) => {
                write!(f, "Lib1 @{offset:x}h: AMD's library for the GOP driver, ")?;
                write_length(f, &lib1)
            }
        }
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, table: &Table<'_>) -> fmt::Result {
    let header = table.header();
    writeln!(
        f,
        "ACPI VFCT table: length {:x}h, revision {}, OEM \"{}\" \"{}\", made by \"{}\"",
        header.length,
        header.revision,
        Printable(&header.oem_id),
        Printable(&header.oem_table_id),
        Printable(&header.creator_id)
    )?;
    writeln!(f, "\tUUID: {} ({})", table.uuid(), table.uuid().name().unwrap_or("unknown"))?;
    match table.sum() {
        Some(0) => writeln!(f, "\tChecksum good"),
        Some(sum) => writeln!(f, "\tChecksum WRONG (sum {sum:02x}h, should be 00h)"),
        None => writeln!(f, "\tOnly {:x}h bytes of the table are there", table.bytes().len()),
    }
}

fn write_record(f: &mut fmt::Formatter<'_>, record: &Record<'_>, tables: bool) -> fmt::Result {
    write!(
        f,
        "Record @{:x}h: for {}, vendor: {:04x}, device: {:04x}, ",
        record.offset, record.location, record.vendor_id, record.device_id
    )?;
    write_length(f, record)?;
    match Rom::parse(record.image()) {
        Ok(rom) => write!(f, "{}", text::info_in_vfct(&rom, tables)),
        Err(_) if record.image().is_empty() => Ok(()),
        Err(error) => writeln!(f, "\tNot an option ROM: {error}"),
    }
}

fn write_length(f: &mut fmt::Formatter<'_>, record: &Record<'_>) -> fmt::Result {
    match record.image_length {
        0 => writeln!(f, "no image"),
        length if record.is_truncated() => {
            writeln!(f, "image of {length:x}h bytes, but only {:x}h are there", record.image().len())
        }
        length => writeln!(f, "image of {length:x}h bytes @{:x}h", record.image_offset()),
    }
}
