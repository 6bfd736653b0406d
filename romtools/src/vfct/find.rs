//! The record for a function.

use super::{Location, Record, Table};

/// A function that a video BIOS is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Function {
    /// Where it is now.
    pub location: Location,
    /// Its vendor and device id; `None` if they are not known, as for a table from another host.
    pub ids: Option<(u16, u16)>,
}

impl Function {
    /// A function that is there now, with its ids where they are known.
    #[must_use]
    pub fn new(location: Location, ids: Option<(u16, u16)>) -> Self {
        Self { location, ids }
    }
}

/// The record for a function, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found<'a> {
    /// The record.
    pub record: Record<'a>,
    /// If the record has the function's bus number. Where it has not, buses were renumbered since the
    /// firmware made the table (`pci=realloc`, `pci=assign-busses`): Linux up to 2025 finds no video BIOS then.
    pub bus_matches: bool,
    /// If an earlier record differs from the function in the bus number alone: what `amdgpu` of 2026
    /// takes, as it stops at the first record whose ids, device and function number match.
    pub earlier: bool,
    /// If a later record would do as well: only where no bus number matches.
    pub ambiguous: bool,
}

impl<'a> Table<'a> {
    /// The record for a function: ids, device and function number must match; the bus number decides
    /// between several. Without known ids the bus must match, because nothing else tells cards apart.
    #[must_use]
    pub fn find(&self, function: Function) -> Option<Found<'a>> {
        let location = function.location;
        let mut candidates = self.records().filter(|record| {
            let ids_match = match function.ids {
                Some(ids) => ids == (record.vendor_id, record.device_id),
                None => location.pci_bus == record.location.pci_bus,
            };
            ids_match && record.image_length != 0 && location.matches_but_for_bus(&record.location)
        });
        let first = candidates.next()?;
        if first.location == location {
            return Some(Found { record: first, bus_matches: true, earlier: false, ambiguous: false });
        }
        let mut others = candidates.peekable();
        let ambiguous = others.peek().is_some();
        Some(match others.find(|record| record.location == location) {
            Some(record) => Found { record, bus_matches: true, earlier: true, ambiguous: false },
            None => Found { record: first, bus_matches: false, earlier: false, ambiguous },
        })
    }
}
