//! The lines about these structures in `romtools info`.

use std::fmt;

use super::pxe::{IpxeHeader, UndiRomId};
use super::{Headers, PnpHeader};
use crate::header::Header;
use crate::image::BLOCK;
use crate::printable::Printable;
use crate::{Image, open_firmware};

/// What the header of an image leads to.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, image: &Image<'_>) -> fmt::Result {
    let bytes = image.bytes();
    if let Header::PcAt(_) = image.header() {
        write_headers(f, bytes)?;
        if let Some(undi) = UndiRomId::parse(bytes) {
            write_undi(f, &undi)?;
        }
        if let Some(ipxe) = IpxeHeader::parse(bytes) {
            write!(f, "\tiPXE header @{:x}h: build {:08x}", ipxe.offset, ipxe.build_id)?;
            if ipxe.shrunk_length != 0 {
                write!(f, ", shrinks to {:x}h", usize::from(ipxe.shrunk_length) * BLOCK)?;
            }
            write_sum(f, ipxe.sum)?;
        }
    }
    if let Header::OpenFirmware(header) = image.header()
        && let Some(fcode) = open_firmware::Fcode::parse(bytes, header.fcode_offset)
    {
        write_fcode(f, header.fcode_offset, &fcode)?;
    }
    let Some(fields) = image.structure().revision_3 else { return Ok(()) };
    for (what, pointer) in [
        ("Configuration utility code header", fields.configuration_utility_code_header),
        ("DMTF CLP entry point", fields.dmtf_clp_entry_point),
    ] {
        if pointer != 0 {
            writeln!(f, "\t{what} @{pointer:x}h of the image")?;
        }
    }
    Ok(())
}

/// The expansion headers of an image, with or without a PCI Data Structure.
pub(crate) fn write_headers(f: &mut fmt::Formatter<'_>, image: &[u8]) -> fmt::Result {
    let mut before: Option<PnpHeader<'_>> = None;
    for header in Headers::new(image) {
        write!(f, "\tPnP header @{:x}h: ", header.offset)?;
        // ROMs for several disks repeat their names.
        let names = |header: &PnpHeader<'_>| (header.manufacturer_string, header.product_name_string);
        if before.is_some_and(|before| names(&before) == names(&header)) {
            write!(f, "the same names")?;
        } else {
            match header.product_name() {
                Some(name) => write!(f, "\"{}\"", Printable(name))?,
                None => write!(f, "no name")?,
            }
            if let Some(name) = header.manufacturer_name() {
                write!(f, " by \"{}\"", Printable(name))?;
            }
        }
        match header.sum() {
            Some(sum) if sum != 0 && header.checksum == 0 => {
                writeln!(f, ", checksum not set yet (sum {sum:02x}h)")?;
            }
            sum => write_sum(f, sum)?,
        }
        write!(f, "\t\tDevice type {}", header.device_type)?;
        if !header.device_id.is_none() {
            write!(f, ", id {}", header.device_id)?;
        }
        for (what, vector) in header.vectors() {
            if vector != 0 {
                write!(f, ", {what} {vector:x}h")?;
            }
        }
        writeln!(f)?;
        before = Some(header);
    }
    Ok(())
}

fn write_undi(f: &mut fmt::Formatter<'_>, undi: &UndiRomId) -> fmt::Result {
    let [major, minor, patch] = undi.undi_revision;
    write!(f, "\tPXE: UNDI {major}.{minor}.{patch} @{:x}h, loader {:x}h", undi.offset, undi.loader)?;
    write!(f, ", code {:x}h, data {:x}h, stack {:x}h", undi.code_size, undi.data_size, undi.stack_size)?;
    write_sum(f, undi.sum)
}

fn write_fcode(f: &mut fmt::Formatter<'_>, pointer: u16, fcode: &open_firmware::Fcode) -> fmt::Result {
    write!(f, "\tFCode program @{pointer:x}h: ")?;
    let Some(start) = fcode.start_name() else {
        return writeln!(f, "no program, it begins with {:02x}h", fcode.start);
    };
    write!(f, "{start}, {:x}h bytes", fcode.length)?;
    match fcode.sum {
        Some(sum) if sum == fcode.checksum => writeln!(f, ", checksum good"),
        Some(sum) => writeln!(f, ", checksum WRONG (sum {sum:04x}h, should be {:04x}h)", fcode.checksum),
        None => writeln!(f, ", which are not all in the image"),
    }
}

/// Ends a line; a sum that is as it should be is not worth a word.
fn write_sum(f: &mut fmt::Formatter<'_>, sum: Option<u8>) -> fmt::Result {
    match sum {
        Some(0) => writeln!(f),
        Some(sum) => writeln!(f, ", checksum WRONG (sum {sum:02x}h, should be 00h)"),
        None => writeln!(f, ", not wholly in the image"),
    }
}
