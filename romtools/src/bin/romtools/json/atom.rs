//! An ATOM BIOS as JSON.

use romtools::atom::{AtomBios, FirmwareInfo, MasterTable, Table, Tables};
use serde::{Serialize, Serializer};

use super::{hex, id};

#[derive(Serialize)]
pub(super) struct AtomJson<'a> {
    part_number: Option<String>,
    version: Option<String>,
    build_date: Option<String>,
    product_name: Option<String>,
    strings: Vec<String>,
    config_filename: Option<String>,
    bootup_message: Option<String>,
    header_offset: u16,
    header_size: u16,
    header_revision: String,
    generation: Option<&'static str>,
    subsystem_vendor_id: String,
    subsystem_id: String,
    bios_runtime_segment_address: String,
    io_base_address: u16,
    pci_info_offset: u16,
    psp_directory_table_offset: Option<u32>,
    checksum_byte: Option<u8>,
    data_tables: MasterTableJson<'a>,
    command_tables: MasterTableJson<'a>,
    firmware_info: Option<FirmwareInfoJson>,
}

/// What a BIOS says is not always ASCII.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn revision(format: u8, content: u8) -> String {
    format!("{format}.{content}")
}

impl<'a> From<&AtomBios<'a>> for AtomJson<'a> {
    fn from(atom: &AtomBios<'a>) -> Self {
        let header = atom.header();
        Self {
            part_number: atom.part_number().map(text),
            version: atom.version().map(text),
            build_date: atom.build_date().map(|date| date.to_string().replace(' ', "T")),
            product_name: atom.product_name().map(text),
            strings: atom.strings().map(text).collect(),
            config_filename: atom.config_filename().map(text),
            bootup_message: atom.bootup_message().map(text),
            header_offset: header.offset,
            header_size: header.structure_size,
            header_revision: revision(header.format_revision, header.content_revision),
            generation: header.generation().map(|generation| generation.name()),
            subsystem_vendor_id: id(header.subsystem_vendor_id),
            subsystem_id: id(header.subsystem_id),
            bios_runtime_segment_address: hex(&header.bios_runtime_segment_address.to_be_bytes()),
            io_base_address: header.io_base_address,
            pci_info_offset: header.pci_info_offset,
            psp_directory_table_offset: header.psp_directory_table_offset,
            checksum_byte: atom.checksum_byte(),
            data_tables: MasterTableJson::from(&atom.data_tables()),
            command_tables: MasterTableJson::from(&atom.command_tables()),
            firmware_info: atom.firmware_info().as_ref().map(FirmwareInfoJson::from),
        }
    }
}

/// Tables as they come: a hostile list is as long as its image, and is not copied.
fn tables<S: Serializer>(list: &Tables<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.clone().map(TableJson::from))
}

#[derive(Serialize)]
struct MasterTableJson<'a> {
    offset: u16,
    size: Option<u16>,
    revision: Option<String>,
    #[serde(serialize_with = "tables")]
    tables: Tables<'a>,
}

impl<'a> From<&MasterTable<'a>> for MasterTableJson<'a> {
    fn from(master: &MasterTable<'a>) -> Self {
        Self {
            offset: master.offset,
            size: master.header.map(|header| header.structure_size),
            revision: master.header.map(|header| revision(header.format_revision, header.content_revision)),
            tables: master.tables(),
        }
    }
}

#[derive(Serialize)]
struct TableJson {
    index: usize,
    name: Option<&'static str>,
    offset: u16,
    size: Option<u16>,
    revision: Option<String>,
}

impl From<Table> for TableJson {
    fn from(table: Table) -> Self {
        Self {
            index: table.index,
            name: table.name,
            offset: table.offset,
            size: table.header.map(|header| header.structure_size),
            revision: table.header.map(|header| revision(header.format_revision, header.content_revision)),
        }
    }
}

/// Clocks in 10 kHz, voltages in millivolts, as in the table.
#[derive(Serialize)]
struct FirmwareInfoJson {
    revision: String,
    firmware_revision: String,
    bootup_engine_clock_10khz: Option<u32>,
    bootup_memory_clock_10khz: Option<u32>,
    firmware_capability: u32,
    posted: bool,
    bios_scratch_register_start: Option<u32>,
    bootup_vddc_mv: Option<u16>,
    bootup_vddci_mv: Option<u16>,
    bootup_mvddc_mv: Option<u16>,
    bootup_vddgfx_mv: Option<u16>,
    memory_module_id: u8,
    cooling_solution_id: Option<u8>,
}

impl From<&FirmwareInfo> for FirmwareInfoJson {
    fn from(info: &FirmwareInfo) -> Self {
        let [major, minor, build, number] = info.firmware_revision.to_be_bytes();
        Self {
            revision: revision(info.header.format_revision, info.header.content_revision),
            firmware_revision: format!("{major}.{minor}.{build}.{number}"),
            bootup_engine_clock_10khz: info.bootup_engine_clock,
            bootup_memory_clock_10khz: info.bootup_memory_clock,
            firmware_capability: info.firmware_capability,
            posted: info.is_posted(),
            bios_scratch_register_start: info.bios_scratch_register_start,
            bootup_vddc_mv: info.bootup_vddc,
            bootup_vddci_mv: info.bootup_vddci,
            bootup_mvddc_mv: info.bootup_mvddc,
            bootup_vddgfx_mv: info.bootup_vddgfx,
            memory_module_id: info.memory_module_id,
            cooling_solution_id: info.cooling_solution_id,
        }
    }
}
