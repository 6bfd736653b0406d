//! The fields of an image by name, and where they stand.

use std::ops::Range;

use super::Field;
use crate::checksum::{self, Verdict};
use crate::header::Header;
use crate::image::BLOCK;
use crate::{Image, LegacyImage};

pub(super) type Named = (&'static str, String);

/// The fields of an image. Numbers are hexadecimal.
pub(super) fn of(image: &Image<'_>) -> Vec<Named> {
    let pcir = image.structure();
    let list: Vec<_> = pcir.device_list().map(|id| format!("{id:04x}")).collect();
    let mut fields = vec![
        ("Vendor ID", format!("{:04x}", pcir.vendor_id)),
        ("Device ID", format!("{:04x}", pcir.device_id)),
        ("Device List Pointer", format!("{:x}h", pcir.device_list_pointer)),
        ("Device List", if list.is_empty() { "none".into() } else { list.join(" ") }),
        ("Class Code", pcir.class_code.to_string()),
        ("Image Length", format!("{:x}h", usize::from(pcir.image_length) * BLOCK)),
        ("Vendor ROM Revision Level", format!("{:04x}", pcir.vendor_rom_revision)),
        ("Last Image Indicator", format!("{:02x}", pcir.indicator.0)),
        ("PCI Data Structure", format!("{} at {:x}h", pcir.signature.as_str(), pcir.pointer)),
        ("PCI Data Structure Revision", format!("{:x}", pcir.revision)),
        ("PCI Data Structure Length", format!("{:x}h", pcir.length)),
    ];
    if let Some(newer) = pcir.revision_3 {
        fields.extend([
            ("Maximum Run-time Image Length", format!("{:x}h", newer.maximum_run_time_image_length)),
            ("Configuration Utility Code Header", format!("{:x}h", newer.configuration_utility_code_header)),
            ("DMTF CLP Entry Point", format!("{:x}h", newer.dmtf_clp_entry_point)),
        ]);
    }
    of_header(image.header(), &mut fields);
    if let Some(npde) = image.npde() {
        let bits = |bits: Option<u8>| bits.map_or("none".into(), |bits| format!("{bits:02x}"));
        fields.extend([
            ("NPDE Revision", format!("{:04x}", npde.revision)),
            ("NPDE Sub-image Length", format!("{:x}h", npde.sub_image_length)),
            ("NPDE Last Image", bits(npde.last.map(|last| if last { 0x80 } else { 0 }))),
            ("NPDE Flags", bits(npde.flags)),
        ]);
    }
    if checksum::is_required(image.code_type()) {
        fields.push((
            "Checksum",
            match image.checksum() {
                Verdict::Good => "good".into(),
                Verdict::Truncated => "the image is cut short".into(),
                Verdict::Wrong { sum } => format!("wrong (sum {sum:02x}h)"),
                Verdict::NotRequired { sum } => format!("not required (sum {sum:02x}h)"),
            },
        ));
    }
    fields
}

fn of_header(header: Header, fields: &mut Vec<Named>) {
    match header {
        Header::PcAt(header) => {
            let [a, b, c] = header.entry_point;
            fields.push(("Initialization Size", format!("{:x}h", header.initialization_size)));
            fields.push(("Entry Point for INIT", format!("{a:02x} {b:02x} {c:02x}")));
            let pnp = header.expansion_header_pointer;
            fields.push(("Expansion Header Pointer", pnp.map_or("none".into(), |at| format!("{at:x}h"))));
        }
        Header::Efi(header) => fields.extend([
            ("Initialization Size", format!("{:x}h", header.initialization_size)),
            ("EFI Signature", format!("{:08x}", header.signature)),
            ("EFI Subsystem", format!("{:x}h", header.subsystem.0)),
            ("EFI Machine Type", format!("{:04x}", header.machine.0)),
            ("EFI Compression Type", format!("{:x}h", header.compression.0)),
            ("EFI Image Offset", format!("{:x}h", header.image_offset)),
        ]),
        Header::OpenFirmware(header) => {
            fields.push(("FCode Offset", format!("{:x}h", header.fcode_offset)));
        }
        Header::Opaque => {}
    }
}

/// The fields of a ROM from before PCI.
pub(super) fn of_legacy(legacy: &LegacyImage<'_>) -> Vec<Named> {
    vec![
        ("Initialization Size", format!("{:x}h", legacy.length())),
        ("Checksum", format!("sum {:02x}h", legacy.sum())),
    ]
}

/// The fields that differ. One that only one image has differs from "none".
pub(super) fn different(first: Vec<Named>, second: Vec<Named>) -> Vec<Field> {
    let find =
        |fields: &[Named], name| fields.iter().find(|field| field.0 == name).map(|field| field.1.clone());
    let none = || "none".to_string();
    let mut fields: Vec<_> = first
        .iter()
        .map(|(name, value)| Field {
            name,
            first: value.clone(),
            second: find(&second, *name).unwrap_or_else(none),
        })
        .collect();
    let more = second.iter().filter(|(name, _)| find(&first, *name).is_none());
    fields.extend(more.map(|(name, value)| Field { name, first: none(), second: value.clone() }));
    fields.retain(|field| field.first != field.second);
    fields
}

/// Bytes that are fields in both images, sorted: the header, and the structure with what belongs to it.
pub(super) fn places(first: &Image<'_>, second: &Image<'_>) -> Vec<Range<usize>> {
    // The word at 1Ah is a field only where it leads to $PnP, so as a byte range it belongs to the code.
    // What a PC-AT image has between 06h and 18h is its own.
    let mut places = match (first.header(), second.header()) {
        (Header::PcAt(_), Header::PcAt(_)) => vec![0..6, 0x18..0x1a],
        (Header::Efi(_), Header::Efi(_)) => vec![0..0x0e, 0x16..0x1a],
        _ => vec![0..2, 0x18..0x1a],
    };
    let (a, b) = (first.structure(), second.structure());
    if a.pointer == b.pointer {
        let begin = usize::from(a.pointer);
        // What is reserved in the older form is no field.
        let is_newer = a.revision_3.is_some() && b.revision_3.is_some();
        places.push(begin..begin + if is_newer { 0x1c } else { 0x16 });
        let lists = (a.device_list(), b.device_list());
        if a.has_device_list() && a.device_list_pointer == b.device_list_pointer {
            let at = begin + usize::from(a.device_list_pointer);
            // Up to the shorter one's end: behind it, one of them has something else.
            let entries = lists.0.count().min(lists.1.count());
            places.push(at..at + 2 * entries);
        }
    }
    if checksum::is_required(first.code_type()) && !first.is_truncated() && !second.is_truncated() {
        let place = checksum::place(first.bytes());
        if let Some(at) = place.filter(|_| place == checksum::place(second.bytes())) {
            places.push(at..at + 1);
        }
    }
    places.sort_by_key(|place| place.start);
    places
}
