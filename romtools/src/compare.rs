//! Two ROMs, compared by what they are made of.
//!
//! Images are matched by their kind (signature and code type), in the order of the files: a ROM that was
//! cut out of a dump matches the dump, and one whose ids were edited matches itself. Of a pair, fields
//! are compared by name and all other bytes as ranges. The code of EFI images is compared from where
//! it begins, so a header that grew is one difference and not a thousand. Their drivers are decompressed and compared
//! by the parts of the PE file, so that one byte of code is one byte, and a driver that is only stored otherwise is the
//! same.
//!
//! ```
//! use romtools::{Rom, compare};
//! # let mut one = vec![0u8; 512];
//! # one[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # one[0x18] = 0x1c;
//! # one[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
//! let mut two = one.clone();
//! two[0x22] = 0x11; // the device id
//! two[0x100] = 7; // code
//!
//! let comparison = compare::compare(&Rom::parse(&one).unwrap(), &Rom::parse(&two).unwrap());
//! assert!(!comparison.is_same());
//! let pair = &comparison.pairs[0];
//! assert_eq!(pair.fields[0].name, "Device ID");
//! assert_eq!((pair.fields[0].first.as_str(), pair.fields[0].second.as_str()), ("0612", "0611"));
//! assert_eq!((pair.ranges[0].first, pair.ranges[0].length), (0x100, 1));
//! ```

use std::collections::{HashMap, VecDeque};

use crate::efi::Drivers;
use crate::header::Header;
use crate::rom::{Content, Data};
use crate::{CodeType, Image, Rom};

mod driver;
mod fields;
mod ranges;

pub use driver::{DriverPair, PartPair, Stored};
pub use ranges::Range;

/// What is different.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// Images that are in both, also where they are the same.
    pub pairs: Vec<Pair>,
    /// Images of the first file that have no match.
    pub only_first: Vec<Only>,
    /// Images of the second file that have no match.
    pub only_second: Vec<Only>,
    /// Bytes in no image that differ, in the order of the files.
    pub data: Vec<DataPair>,
}

impl Comparison {
    /// If nothing is different: neither images nor what is around them.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.is_same_rom() && self.data.is_empty()
    }

    /// If the images are the same, whatever is around them.
    #[must_use]
    pub fn is_same_rom(&self) -> bool {
        self.pairs.iter().all(Pair::is_same) && self.only_first.is_empty() && self.only_second.is_empty()
    }
}

/// An image of each file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair {
    /// The code type; `None` for a ROM from before PCI.
    pub code_type: Option<CodeType>,
    /// Where it is in the first file.
    pub first: usize,
    /// Where it is in the second file.
    pub second: usize,
    /// Fields that differ.
    pub fields: Vec<Field>,
    /// Bytes that differ and are none of these fields.
    pub ranges: Vec<Range>,
    /// The drivers of two EFI images, if both can be read and the images differ.
    pub driver: Option<DriverPair>,
}

impl Pair {
    /// If the images are the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.fields.is_empty() && self.ranges.is_empty()
    }
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its name, in the specification's words.
    pub name: &'static str,
    /// In the first file.
    pub first: String,
    /// In the second file.
    pub second: String,
}

/// An image without a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Only {
    /// Where it is in its file.
    pub offset: usize,
    /// Its length in bytes.
    pub length: usize,
    /// The code type; `None` for a ROM from before PCI.
    pub code_type: Option<CodeType>,
    /// Vendor and device id, where it has them.
    pub ids: Option<(u16, u16)>,
}

/// Bytes in no image of either file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataPair {
    /// Those of the first file.
    pub first: Option<DataSummary>,
    /// Those of the second file.
    pub second: Option<DataSummary>,
}

/// What such bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataSummary {
    /// Where they begin.
    pub offset: usize,
    /// How many they are.
    pub length: usize,
    /// What they are.
    pub content: Content,
}

impl From<&Data<'_>> for DataSummary {
    fn from(data: &Data<'_>) -> Self {
        Self { offset: data.offset, length: data.bytes.len(), content: data.content() }
    }
}

/// Compares two files.
#[must_use]
pub fn compare(first: &Rom<'_>, second: &Rom<'_>) -> Comparison {
    let mut result = Comparison {
        pairs: Vec::new(),
        only_first: Vec::new(),
        only_second: Vec::new(),
        data: data(first, second),
    };
    match (first.legacy(), second.legacy()) {
        (Some(a), Some(b)) => result.pairs.push(Pair {
            code_type: None,
            first: 0,
            second: 0,
            fields: fields::different(fields::of_legacy(&a), fields::of_legacy(&b)),
            ranges: ranges::between(a.bytes(), b.bytes(), std::slice::from_ref(&(0..3))),
            driver: None,
        }),
        (a, b) => {
            let only = |length| Only { offset: 0, length, code_type: None, ids: None };
            result.only_first.extend(a.map(|a| only(a.bytes().len())));
            result.only_second.extend(b.map(|b| only(b.bytes().len())));
        }
    }
    let mut drivers = Drivers::new();
    // Of each kind the images that are left, in the order of the file: a hostile file has a hundred thousand.
    let mut left: HashMap<_, VecDeque<&Image<'_>>> = HashMap::new();
    for image in second.images() {
        left.entry(kind(image)).or_default().push_back(image);
    }
    for image in first.images() {
        match left.get_mut(&kind(image)).and_then(VecDeque::pop_front) {
            Some(twin) => result.pairs.push(pair(image, twin, &mut drivers)),
            None => result.only_first.push(only(image)),
        }
    }
    result.only_second.extend(left.into_values().flatten().map(only));
    result.only_second.sort_by_key(|only| only.offset);
    result
}

fn kind(image: &Image<'_>) -> ([u8; 2], CodeType) {
    (image.signature().bytes(), image.code_type())
}

fn only(image: &Image<'_>) -> Only {
    let pcir = image.structure();
    Only {
        offset: image.offset(),
        length: image.bytes().len(),
        code_type: Some(image.code_type()),
        ids: Some((pcir.vendor_id, pcir.device_id)),
    }
}

fn pair(first: &Image<'_>, second: &Image<'_>, drivers: &mut Drivers) -> Pair {
    let fields = fields::different(fields::of(first), fields::of(second));
    let ranges = match (first.header(), second.header()) {
        (Header::Efi(a), Header::Efi(b)) if a.image_offset != b.image_offset => {
            let (a_at, b_at) = (usize::from(a.image_offset), usize::from(b.image_offset));
            let code = |image: &Image<'_>, at| image.bytes().get(at..).unwrap_or_default().to_vec();
            let ranges = ranges::between(&code(first, a_at), &code(second, b_at), &[]);
            ranges.into_iter().map(|range| range.moved(a_at, b_at)).collect()
        }
        _ => ranges::between(first.bytes(), second.bytes(), &fields::places(first, second)),
    };
    let is_same = fields.is_empty() && ranges.is_empty();
    let mut driver = |image| if is_same { None } else { drivers.driver(image)?.ok() };
    let begins = [first.offset(), second.offset()];
    let driver = driver(first).zip(driver(second)).and_then(|(a, b)| driver::compare(&a, &b, begins));
    let (code_type, [first, second]) = (Some(first.code_type()), begins);
    Pair { code_type, first, second, fields, ranges, driver }
}

/// What stands around the images, in order.
fn data(first: &Rom<'_>, second: &Rom<'_>) -> Vec<DataPair> {
    let (a, b): (Vec<_>, Vec<_>) = (first.data().collect(), second.data().collect());
    // In front of the first image there may be something in one of them only.
    let front = |rom: &Rom<'_>, data: &[Data<'_>]| {
        let begin = rom.images().next().map_or(0, Image::offset);
        data.iter().position(|data| data.offset >= begin).unwrap_or(data.len())
    };
    let (a_front, b_front) = (front(first, &a), front(second, &b));
    let mut pairs = aligned(&a[..a_front], &b[..b_front]);
    pairs.extend(aligned(&a[a_front..], &b[b_front..]));
    pairs
}

fn aligned(a: &[Data<'_>], b: &[Data<'_>]) -> Vec<DataPair> {
    (0..a.len().max(b.len()))
        .map(|index| (a.get(index), b.get(index)))
        .filter(|(a, b)| a.map(|a| a.bytes) != b.map(|b| b.bytes))
        .map(|(a, b)| DataPair { first: a.map(DataSummary::from), second: b.map(DataSummary::from) })
        .collect()
}

#[cfg(test)]
mod tests;
