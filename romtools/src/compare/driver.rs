//! The drivers in two EFI images, decompressed and compared by the parts of their PE files.

use super::{Field, Range, fields, ranges};
use crate::compression::Variant;
use crate::efi::Driver;
use crate::pe::{Pe, Place};

/// More sections than this are not told apart: no driver has as many.
const SECTIONS: u16 = 96;

/// The drivers of a pair of images, as far as they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverPair {
    /// How the first is stored.
    pub first: Stored,
    /// How the second is stored.
    pub second: Stored,
    /// Fields of the PE file that differ.
    pub fields: Vec<Field>,
    /// Parts of the PE file that differ, in the order of the first.
    pub parts: Vec<PartPair>,
}

impl DriverPair {
    /// If the same driver comes out, however it is stored.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.fields.is_empty() && self.parts.is_empty()
    }
}

/// How a driver is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Where it, or its compressed form, begins in its image.
    pub offset: usize,
    /// Bytes of the PE file, without padding behind it.
    pub length: usize,
    /// How it is compressed, if it is.
    pub compression: Option<Variant>,
}

/// A part of the PE file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartPair {
    /// `headers`, a section's name, `signature`, or `data` for what is in none of these.
    pub name: String,
    /// Where it is in the first driver, if that has it.
    pub first: Option<Place>,
    /// Where it is in the second driver, if that has it.
    pub second: Option<Place>,
    /// Where its bytes differ; offsets are those of the drivers.
    pub ranges: Vec<Range>,
}

/// Compares two drivers; `begins` is where their images do. Nothing if the headers cannot be read, which they were.
pub(super) fn compare(first: &Driver<'_>, second: &Driver<'_>, begins: [usize; 2]) -> Option<DriverPair> {
    let (a, b) = (first.pe()?, second.pe()?);
    let mut left: Vec<Option<Part>> = parts(&b).into_iter().map(Some).collect();
    let mut pairs = Vec::new();
    for part in parts(&a) {
        let twin = left.iter_mut().find(|other| other.as_ref().is_some_and(|other| other.name == part.name));
        let other = twin.and_then(Option::take);
        pairs.extend(pair(&a, &b, Some(part), other));
    }
    for other in left.into_iter().flatten() {
        pairs.extend(pair(&a, &b, None, Some(other)));
    }
    let stored = |driver: &Driver<'_>, pe: &Pe<'_>, begin| Stored {
        offset: driver.offset - begin,
        length: whole(pe),
        compression: driver.compression,
    };
    Some(DriverPair {
        first: stored(first, &a, begins[0]),
        second: stored(second, &b, begins[1]),
        fields: fields::different(named(&a), named(&b)),
        parts: pairs,
    })
}

struct Part {
    name: String,
    place: Place,
}

/// The parts of a PE file. No byte is in more of them than the file has bytes for.
fn parts(pe: &Pe<'_>) -> Vec<Part> {
    let whole = whole(pe);
    let place = |offset, length| Place { offset, length };
    let sections: u64 = pe.sections().map(|section| u64::from(section.raw_data.length)).sum();
    if pe.number_of_sections > SECTIONS || sections > whole as u64 {
        // Damaged, or made to keep somebody busy.
        return vec![Part { name: "data".into(), place: place(0, whole as u32) }];
    }
    let mut parts =
        vec![Part { name: "headers".into(), place: place(0, pe.size_of_headers.min(whole as u32)) }];
    parts.extend(pe.sections().map(|section| Part { name: section.name(), place: section.raw_data }));
    if let Some(place) = pe.certificate_table() {
        parts.push(Part { name: "signature".into(), place });
    }
    let end = pe.end().min(whole as u64) as u32;
    if whole as u32 > end {
        parts.push(Part { name: "data".into(), place: place(end, whole as u32 - end) });
    }
    parts
}

/// Bytes of the file; what is behind the last part counts unless it is one byte over and over.
fn whole(pe: &Pe<'_>) -> usize {
    let file = pe.file();
    let end = usize::try_from(pe.end()).unwrap_or(usize::MAX).min(file.len());
    match file[end..] {
        [first, ref rest @ ..] if rest.iter().any(|byte| *byte != first) => file.len(),
        _ => end,
    }
}

fn pair(a: &Pe<'_>, b: &Pe<'_>, first: Option<Part>, second: Option<Part>) -> Option<PartPair> {
    let bytes = |pe: &Pe<'_>, part: &Option<Part>| {
        let Some(Part { place, .. }) = part else { return Vec::new() };
        let (begin, length) = (place.offset as usize, place.length as usize);
        let rest = pe.file().get(begin..).unwrap_or_default();
        rest[..length.min(rest.len())].to_vec()
    };
    let found = ranges::between(&bytes(a, &first), &bytes(b, &second), &[]);
    let at = |part: &Option<Part>| part.as_ref().map_or(0, |part| part.place.offset as usize);
    let ranges: Vec<_> = found.into_iter().map(|range| range.moved(at(&first), at(&second))).collect();
    let is_in_both = first.is_some() && second.is_some();
    if ranges.is_empty() && is_in_both {
        return None;
    }
    let places = [&first, &second].map(|part| part.as_ref().map(|part| part.place));
    let name = first.or(second)?.name;
    Some(PartPair {
        name,
        first: places[0],
        second: places[1],
        ranges: if is_in_both { ranges } else { Vec::new() },
    })
}

fn named(pe: &Pe<'_>) -> Vec<fields::Named> {
    let signature = pe.certificate_table();
    vec![
        ("Machine", pe.machine.name().map_or_else(|| format!("{:x}h", pe.machine.0), str::to_string)),
        ("Subsystem", format!("{:x}h", pe.subsystem.0)),
        ("Format", if pe.is_plus { "PE32+".into() } else { "PE32".into() }),
        ("Time Date Stamp", format!("{:08x}", pe.time_date_stamp)),
        ("Address Of Entry Point", format!("{:x}h", pe.address_of_entry_point)),
        ("Size Of Image", format!("{:x}h", pe.size_of_image)),
        ("Number Of Sections", pe.number_of_sections.to_string()),
        ("Signature", signature.map_or("none".into(), |place| format!("{:x}h bytes", place.length))),
    ]
}
