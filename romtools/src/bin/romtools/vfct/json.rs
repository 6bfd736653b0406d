//! The documents of `vfct info` and `vfct extract`, schema 1.

use std::path::Path;

use romtools::vfct::{Record, Table};
use romtools::{Finding, Rom};
use serde::Serialize;

use super::source::Source;
use crate::json::{ChainJson, FindingJson, SCHEMA, id, name};

/// What `vfct info` says.
#[derive(Serialize)]
pub(super) struct Info<'a> {
    schema: u32,
    file: String,
    table: TableJson,
    images: Vec<InfoImage<'a>>,
    findings: Vec<FindingJson>,
}

impl<'a> Info<'a> {
    pub(super) fn new(source: &Source<'a>, findings: &[Finding]) -> Self {
        Self {
            schema: SCHEMA,
            file: name(source.path),
            table: TableJson::new(source),
            images: source.table.records().map(|record| InfoImage::from(&record)).collect(),
            findings: findings.iter().map(FindingJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct TableJson {
    offset: usize,
    others: usize,
    length: u32,
    available: usize,
    revision: u8,
    oem_id: String,
    oem_table_id: String,
    oem_revision: u32,
    creator_id: String,
    creator_revision: u32,
    /// `null` if the table is cut.
    sum: Option<u8>,
    uuid: String,
    uuid_name: Option<&'static str>,
    vbios_image_offset: u32,
    lib1_image_offset: u32,
}

impl TableJson {
    fn new(source: &Source<'_>) -> Self {
        let table: &Table<'_> = &source.table;
        let header = table.header();
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes.trim_ascii_end()).trim_end_matches('\0').into();
        Self {
            offset: source.offset,
            others: source.others,
            length: header.length,
            available: table.bytes().len(),
            revision: header.revision,
            oem_id: text(&header.oem_id),
            oem_table_id: text(&header.oem_table_id),
            oem_revision: header.oem_revision,
            creator_id: text(&header.creator_id),
            creator_revision: header.creator_revision,
            sum: table.sum(),
            uuid: table.uuid().to_string(),
            uuid_name: table.uuid().name(),
            vbios_image_offset: table.vbios_image_offset(),
            lib1_image_offset: table.lib1_image_offset(),
        }
    }
}

#[derive(Serialize)]
struct InfoImage<'a> {
    #[serde(flatten)]
    image: ImageJson,
    chains: Vec<ChainJson<'a>>,
}

impl<'a> From<&Record<'a>> for InfoImage<'a> {
    fn from(record: &Record<'a>) -> Self {
        let rom = Rom::parse(record.image());
        let chains = rom.iter().flat_map(ChainJson::of).collect();
        Self { image: ImageJson::from(record), chains }
    }
}

#[derive(Serialize)]
struct ImageJson {
    offset: usize,
    bus: u32,
    device: u32,
    function: u32,
    vendor_id: String,
    device_id: String,
    subsystem_vendor_id: String,
    subsystem_id: String,
    revision: u32,
    length: u32,
    truncated: bool,
}

impl From<&Record<'_>> for ImageJson {
    fn from(record: &Record<'_>) -> Self {
        Self {
            offset: record.offset,
            bus: record.location.pci_bus,
            device: record.location.pci_device,
            function: record.location.pci_function,
            vendor_id: id(record.vendor_id),
            device_id: id(record.device_id),
            subsystem_vendor_id: id(record.subsystem_vendor_id),
            subsystem_id: id(record.subsystem_id),
            revision: record.revision,
            length: record.image_length,
            truncated: record.is_truncated(),
        }
    }
}

/// What `vfct extract` says.
#[derive(Serialize)]
pub(super) struct Extract {
    schema: u32,
    file: String,
    images: Vec<ExtractImage>,
    findings: Vec<FindingJson>,
}

impl Extract {
    pub(super) fn new(source: &Source<'_>, images: Vec<ExtractImage>, findings: &[Finding]) -> Self {
        Self {
            schema: SCHEMA,
            file: name(source.path),
            images,
            findings: findings.iter().map(FindingJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ExtractImage {
    /// The file; `null` if none was written.
    path: Option<String>,
    /// Why none was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    image: ImageJson,
}

impl ExtractImage {
    pub(super) fn new(record: &Record<'_>, path: &Path, error: Option<String>) -> Self {
        let path = error.is_none().then(|| name(path));
        Self { path, error, image: ImageJson::from(record) }
    }
}
