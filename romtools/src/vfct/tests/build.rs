//! Tables made by hand.

use crate::checksum;
use crate::testing::atom::AtomSpec;
use crate::vfct::{LENGTH, Location, Uuid};

/// What a record shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordSpec {
    pub(crate) location: Location,
    pub(crate) ids: (u16, u16),
    pub(crate) image: Vec<u8>,
}

/// A PC-AT image for this function that ends its chain.
pub(crate) fn record(bus: u32, device_id: u16) -> RecordSpec {
    RecordSpec {
        location: Location { pci_bus: bus, pci_device: 0, pci_function: 0 },
        ids: (0x1002, device_id),
        image: AtomSpec { device_id, ..AtomSpec::phoenix() }.build(),
    }
}

impl RecordSpec {
    pub(crate) fn build(&self) -> Vec<u8> {
        let Location { pci_bus, pci_device, pci_function } = self.location;
        let mut record = Vec::new();
        for word in [pci_bus, pci_device, pci_function] {
            record.extend(word.to_le_bytes());
        }
        for id in [self.ids.0, self.ids.1, 0, 0] {
            record.extend(id.to_le_bytes());
        }
        record.extend(1u32.to_le_bytes());
        record.extend((self.image.len() as u32).to_le_bytes());
        record.extend(&self.image);
        record
    }
}

/// A table in AMD's form: its records, and one of zeros.
pub(crate) fn table(records: &[RecordSpec]) -> Vec<u8> {
    let mut records: Vec<u8> = records.iter().flat_map(RecordSpec::build).collect();
    records.extend([0; 28]);
    around(&records)
}

/// A table in AMD's form around bytes that stand where the records do.
pub(crate) fn around(records: &[u8]) -> Vec<u8> {
    let mut table = b"VFCT\0\0\0\0\x01\0OEMID OEMTABLE\x01\0\0\0AMD \x02\0\0\0".to_vec();
    table.extend(Uuid::AMD.0);
    table.extend((LENGTH as u32).to_le_bytes());
    table.resize(LENGTH, 0);
    table.extend(records);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    summed(table)
}

/// The checksum, corrected after an edit.
pub(crate) fn summed(mut table: Vec<u8>) -> Vec<u8> {
    table[9] = table[9].wrapping_sub(checksum::sum(&table));
    table
}
