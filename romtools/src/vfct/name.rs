//! File names for the images of a table.

use std::collections::HashMap;

use super::{Location, Record};

/// Gives each record of a table a file name of its own. Hand it the records in the order of the table, those without an image
/// left out.
///
/// The name says for which function the image is: two cards with the same ids do not get the same
/// name. Two records for the same function and ids are told apart by a number.
#[derive(Debug, Clone, Default)]
pub struct Names(HashMap<(Location, u16, u16), usize>);

impl Names {
    /// `vfct-0000:c5:00.0-1002-1900.rom`; the second time `vfct-0000:c5:00.0-1002-1900-2.rom`.
    pub fn name(&mut self, record: &Record<'_>) -> String {
        let Record { location, vendor_id, device_id, .. } = *record;
        let times = self.0.entry((location, vendor_id, device_id)).or_default();
        *times += 1;
        let again = if *times > 1 { format!("-{times}") } else { String::new() };
        format!("vfct-{location}-{vendor_id:04x}-{device_id:04x}{again}.rom")
    }
}
