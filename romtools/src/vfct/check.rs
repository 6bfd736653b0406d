//! Everything that is odd about a table.

use std::collections::HashSet;

use super::{LENGTH, Location, Problem, Record, Stop, Table, Uuid};
use crate::atom::{AtomBios, NotAtom};
use crate::efi::Drivers;
use crate::{Finding, Rom, Signature, check};

/// AMD's vendor id, which was ATI's.
const AMD: u16 = 0x1002;

/// Everything that is odd about a table and the images in it, in the order of the table.
///
/// Offsets count from the start of the table, also those of what is odd inside an image.
#[must_use]
pub fn findings(table: &Table<'_>) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    found.table(table);
    let mut seen = HashSet::new();
    let mut images = 0;
    // One limit for the table: each of its images could become as much as a whole file may.
    let mut drivers = Drivers::new();
    for record in table.records() {
        found.record(table, &record);
        if record.image_length == 0 {
            continue;
        }
        images += 1;
        let key: (Location, _, _) = (record.location, record.vendor_id, record.device_id);
        if !seen.insert(key) {
            found.push(record.offset, Problem::Duplicate { location: record.location });
        }
        if !record.is_truncated() {
            found.image(&record, &mut drivers);
        }
    }
    if images == 0 {
        found.push(LENGTH.min(table.bytes().len()), Problem::NoImage);
    }
    found.stop(table);
    found.lib1(table);
    found.0.sort_by_key(Finding::offset);
    found.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn push(&mut self, offset: usize, problem: Problem) {
        self.0.push(Finding::new(offset, check::Problem::Vfct(problem)));
    }

    fn table(&mut self, table: &Table<'_>) {
        let (length, available) = (table.length(), table.bytes().len());
        if length < LENGTH {
            self.push(4, Problem::TooShort { length });
        } else if length > available {
            self.push(0, Problem::Truncated { length, available });
        } else if length < available {
            self.push(length, Problem::Longer { more: available - length });
        }
        // The sum over a length that cannot be says nothing.
        if let Some(sum) = table.sum().filter(|&sum| sum != 0 && length >= LENGTH) {
            self.push(9, Problem::Checksum { sum });
        }
        if table.uuid().name().is_none() {
            self.push(0x24, Problem::UnknownUuid { uuid: table.uuid() });
        }
        if usize::try_from(table.vbios_image_offset()) != Ok(LENGTH) {
            self.push(0x34, Problem::FirstRecord { offset: table.vbios_image_offset() });
        }
        if table.reserved() != [0; 4] {
            self.push(0x3c, Problem::Reserved);
        }
    }

    fn record(&mut self, table: &Table<'_>, record: &Record<'_>) {
        let Record { offset, location, image_length: length, .. } = *record;
        if !location.is_possible() {
            self.push(offset, Problem::ImpossibleLocation { location });
        }
        if length == 0 {
            self.push(offset, Problem::EmptyRecord { location });
        } else if record.is_truncated() {
            let available = record.image().len();
            self.push(offset, Problem::ImageTruncated { location, length, available });
        } else if record.end() > table.limit() {
            self.push(offset, Problem::PastTable { location, more: record.end() - table.limit() });
        }
    }

    fn image(&mut self, record: &Record<'_>, drivers: &mut Drivers) {
        // Drivers look at the first two bytes only: a ROM that begins later is none to them.
        let is_rom = record.image().starts_with(&Signature::OptionRom.bytes());
        let Some(rom) = Rom::parse(record.image()).ok().filter(|_| is_rom) else {
            self.push(record.image_offset(), Problem::NotARom { location: record.location });
            return;
        };
        // Damaged ones of AMD's are told as such by the image's own check.
        if record.vendor_id == AMD && matches!(AtomBios::parse(record.image()), Err(NotAtom::NoMagic)) {
            self.push(record.image_offset(), Problem::NotAtom { location: record.location });
        }
        let ids = (record.vendor_id, record.device_id);
        let is_for = |image: &crate::Image<'_>| image.structure().is_for(ids.0, ids.1);
        if let Some(first) = rom.images().next().filter(|_| !rom.images().any(is_for)) {
            let image = (first.structure().vendor_id, first.structure().device_id);
            self.push(record.offset, Problem::Ids { record: ids, image });
        }
        for finding in check::findings_with(&rom, Some(drivers)) {
            // Firmware copies the PC-AT image here and leaves out the EFI image behind it, if the card has one.
            if !matches!(finding.problem(), check::Problem::ContinuesPastEnd) {
                self.0.push(Finding::new(record.image_offset() + finding.offset(), *finding.problem()));
            }
        }
    }

    fn stop(&mut self, table: &Table<'_>) {
        match table.records().into_stop() {
            Stop::HeaderTruncated { offset, available } => {
                self.push(offset, Problem::HeaderTruncated { available });
            }
            Stop::TooMany { offset } => self.push(offset, Problem::TooManyRecords),
            // A length that is wrong has its own finding.
            Stop::EndOfTable if table.uuid() == Uuid::AMD && table.length() == table.bytes().len() => {
                self.push(table.limit(), Problem::NoTerminator);
            }
            _ => {}
        }
    }

    fn lib1(&mut self, table: &Table<'_>) {
        let offset = table.lib1_image_offset();
        match table.lib1() {
            _ if offset == 0 => {}
            None => self.push(0x38, Problem::Lib1Outside { offset }),
            Some(record) if record.is_truncated() => {
                let (length, available) = (record.image_length, record.image().len());
                self.push(record.offset, Problem::Lib1Truncated { length, available });
            }
            Some(_) => {}
        }
    }
}
