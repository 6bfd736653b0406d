//! The lines about an ATOM BIOS in `romtools info`.

use std::fmt;

use super::{AtomBios, MasterTable};
use crate::printable::Printable;

/// What the BIOS is, in a few lines.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, atom: &AtomBios<'_>) -> fmt::Result {
    let header = atom.header();
    write!(f, "\tATOM BIOS: ")?;
    match atom.part_number() {
        Some(part_number) => write!(f, "part number {}", Printable(part_number))?,
        None => write!(f, "no part number")?,
    }
    if let Some(version) = atom.version() {
        write!(f, ", version {}", Printable(version))?;
    }
    if let Some(date) = atom.build_date() {
        write!(f, ", built {date}")?;
    }
    writeln!(f)?;
    write!(f, "\t\t")?;
    if let Some(name) = atom.product_name() {
        write!(f, "\"{}\", ", Printable(name))?;
    }
    for string in atom.strings().skip(1).filter(|string| !string.is_empty() && *string != b"0") {
        write!(f, "{}, ", Printable(string))?;
    }
    writeln!(f, "subsystem {:04x}:{:04x}", header.subsystem_vendor_id, header.subsystem_id)?;
    write!(
        f,
        "\t\tHeader @{:x}h, revision {}.{} ({}): {} data and {} command tables",
        header.offset,
        header.format_revision,
        header.content_revision,
        header.generation().map_or("unknown", |generation| generation.name()),
        atom.data_tables().tables().count(),
        atom.command_tables().tables().count(),
    )?;
    if let Some(psp) = atom.psp_directory() {
        write!(f, ", PSP directory @{psp:x}h")?;
    }
    writeln!(f)?;
    write_firmware_info(f, atom)
}

fn write_firmware_info(f: &mut fmt::Formatter<'_>, atom: &AtomBios<'_>) -> fmt::Result {
    let Some(info) = atom.firmware_info() else { return Ok(()) };
    write!(f, "\t\tFirmware info {}.{}:", info.header.format_revision, info.header.content_revision)?;
    let mut separator = "";
    let mut write = |text: fmt::Arguments<'_>| {
        let result = write!(f, "{separator} {text}");
        separator = ",";
        result
    };
    for (name, clock) in [("engine", info.bootup_engine_clock), ("memory", info.bootup_memory_clock)] {
        if let Some(clock) = clock {
            write(format_args!("{name} {}.{:02} MHz", clock / 100, clock % 100))?;
        }
    }
    for (name, voltage) in [
        ("VDDC", info.bootup_vddc),
        ("VDDCI", info.bootup_vddci),
        ("MVDDC", info.bootup_mvddc),
        ("VDDGFX", info.bootup_vddgfx),
    ] {
        if let Some(voltage) = voltage {
            write(format_args!("{name} {voltage} mV"))?;
        }
    }
    if let Some(start) = info.bios_scratch_register_start {
        write(format_args!("scratch registers from {start:x}h"))?;
    }
    if info.is_posted() {
        write(format_args!("has run (a copy, not the flash)"))?;
    }
    writeln!(f)
}

/// Every table, one a line.
pub(crate) fn write_tables(f: &mut fmt::Formatter<'_>, atom: &AtomBios<'_>) -> fmt::Result {
    write_master(f, "Data", &atom.data_tables())?;
    write_master(f, "Command", &atom.command_tables())
}

fn write_master(f: &mut fmt::Formatter<'_>, kind: &str, master: &MasterTable<'_>) -> fmt::Result {
    match master.header {
        None => return writeln!(f, "\t\t{kind} tables: not in the image"),
        Some(header) => writeln!(
            f,
            "\t\t{kind} tables @{:x}h, revision {}.{}, room for {}:",
            master.offset,
            header.format_revision,
            header.content_revision,
            master.capacity()
        )?,
    }
    for table in master.tables() {
        write!(f, "\t\t\t{:2} {}", table.index, table.name.unwrap_or("(not named)"))?;
        match table.header {
            Some(header) => writeln!(
                f,
                " @{:x}h, revision {}.{}, length {:x}h",
                table.offset, header.format_revision, header.content_revision, header.structure_size
            )?,
            None => writeln!(f, " @{:x}h, which is not in the image", table.offset)?,
        }
    }
    Ok(())
}
