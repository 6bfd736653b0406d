//! Everything that is odd about the structures that a header leads to.

use super::pxe::UndiRomId;
use super::{Headers, LENGTH, PnpHeader, Problem, Stop};
use crate::header::Header;
use crate::image::BLOCK;
use crate::{Image, open_firmware};

/// Reports what is odd about a whole image, each with its place in it.
pub(crate) fn check(image: &Image<'_>, mut report: impl FnMut(usize, Problem)) {
    let bytes = image.bytes();
    if let Header::PcAt(_) = image.header() {
        headers(bytes, &mut report);
        undi(bytes, &mut report);
    }
    if let Header::OpenFirmware(header) = image.header() {
        fcode(bytes, header.fcode_offset, &mut report);
    }
    let Some(fields) = image.structure().revision_3 else { return };
    let at = usize::from(image.structure().pointer);
    let run_time = usize::from(fields.maximum_run_time_image_length) * BLOCK;
    if run_time > image.length() {
        report(at, Problem::RunTimeLength { run_time, length: image.length() });
    }
    for (what, pointer) in [
        ("configuration utility code header", fields.configuration_utility_code_header),
        ("DMTF CLP entry point", fields.dmtf_clp_entry_point),
    ] {
        if usize::from(pointer) >= bytes.len() {
            report(at, Problem::PointerOutside { what, pointer });
        }
    }
}

/// The expansion headers of an image, with or without a PCI Data Structure.
pub(crate) fn headers(image: &[u8], report: &mut impl FnMut(usize, Problem)) {
    let mut headers = Headers::new(image);
    let mut last = super::POINTER;
    for header in headers.by_ref() {
        last = header.offset.into();
        one(image, &header, report);
    }
    let problem = match headers.into_stop() {
        Stop::End => return,
        Stop::Outside { pointer } => Problem::PnpOutside { pointer },
        Stop::NotPnp { pointer, .. } => Problem::NotPnp { pointer },
        Stop::Loop { pointer } => Problem::PnpLoop { pointer },
        Stop::TooMany { .. } => Problem::TooManyPnp,
    };
    report(last, problem);
}

fn one(image: &[u8], header: &PnpHeader<'_>, report: &mut impl FnMut(usize, Problem)) {
    let at = usize::from(header.offset);
    let length = 16 * usize::from(header.length);
    match header.sum() {
        Some(0) if length == LENGTH => {}
        Some(sum) if length == LENGTH => report(at, Problem::PnpChecksum { sum }),
        _ => report(at, Problem::PnpLength { length }),
    }
    let names =
        [("manufacturer's name", header.manufacturer_string), ("product's name", header.product_name_string)];
    for (what, pointer) in header.vectors().into_iter().chain(names) {
        if usize::from(pointer) >= image.len() {
            report(at, Problem::PointerOutside { what, pointer });
        }
    }
}

fn undi(image: &[u8], report: &mut impl FnMut(usize, Problem)) {
    let Some(undi) = UndiRomId::parse(image) else { return };
    let at = usize::from(undi.offset);
    match undi.sum {
        _ if undi.length < UndiRomId::LENGTH => report(at, Problem::UndiLength { length: undi.length }),
        None => report(at, Problem::UndiLength { length: undi.length }),
        Some(0) => {}
        Some(sum) => report(at, Problem::UndiChecksum { sum }),
    }
    if usize::from(undi.loader) >= image.len() {
        report(at, Problem::PointerOutside { what: "UNDI loader", pointer: undi.loader });
    }
}

fn fcode(image: &[u8], pointer: u16, report: &mut impl FnMut(usize, Problem)) {
    let Some(fcode) = open_firmware::Fcode::parse(image, pointer) else {
        return report(2, Problem::PointerOutside { what: "FCode program", pointer });
    };
    let at = usize::from(pointer);
    if fcode.start_name().is_none() {
        // Nothing of such a header can be trusted.
        return report(at, Problem::FcodeStart { found: fcode.start });
    }
    match fcode.sum {
        None => {
            let available = image.len() - at;
            report(at, Problem::FcodeLength { length: fcode.length, available });
        }
        Some(sum) if sum != fcode.checksum => {
            report(at, Problem::FcodeChecksum { checksum: fcode.checksum, sum });
        }
        Some(_) => {}
    }
}
