//! Texts of an ATOM BIOS: part number, names, version, date.

use std::fmt;

use super::AtomBios;
use crate::bytes::{array_at, u8_at, u16_at};

/// The number of strings.
const COUNT: usize = 0x2f;
/// The pointer to them, 0 for [`PART_NUMBER`].
const POINTER: usize = 0x6e;
/// Where they begin without a pointer.
const PART_NUMBER: usize = 0x80;
/// The build date.
const DATE: usize = 0x50;
/// What precedes the version, and how far behind its beginning that begins: `ATOMBIOSBK-AMD VER`.
const VERSION: &[u8] = b"ATOMBIOSBK-AMD";
const VERSION_AT: usize = 18;
/// Where Linux looks for that.
const VERSION_WITHIN: std::ops::Range<usize> = 3..1024;
/// No text is longer; what has no end by then is none.
const LONGEST: usize = 128;

/// The NUL-terminated bytes at `at`.
fn text_at(image: &[u8], at: usize) -> Option<&[u8]> {
    let rest = image.get(at..)?;
    let rest = &rest[..rest.len().min(LONGEST)];
    rest.iter().position(|&byte| byte == 0).map(|end| &rest[..end])
}

/// Text without the line ends and spaces that pad it; `None` if nothing is left.
fn trimmed(text: &[u8]) -> Option<&[u8]> {
    Some(text.trim_ascii()).filter(|text| !text.is_empty())
}

impl<'a> AtomBios<'a> {
    /// The strings at the pointer at 6Eh: part number, ASIC, bus and memory type. Bytes, as they stand there.
    #[must_use]
    pub fn strings(&self) -> Strings<'a> {
        let at = match u16_at(self.image, POINTER) {
            None | Some(0) => PART_NUMBER,
            Some(pointer) => pointer.into(),
        };
        Strings { image: self.image, at, left: u8_at(self.image, COUNT).unwrap_or_default() }
    }

    /// The part number, as `amdgpu` prints it: `113-PHXGENERIC-001`. Some cards have an empty one.
    #[must_use]
    pub fn part_number(&self) -> Option<&'a [u8]> {
        let mut strings = self.strings();
        // A BIOS that counts no strings has this one all the same.
        let first = if strings.left == 0 { text_at(self.image, PART_NUMBER) } else { strings.next() };
        first.and_then(trimmed)
    }

    /// The name of the product, in the line behind the strings.
    #[must_use]
    pub fn product_name(&self) -> Option<&'a [u8]> {
        let mut strings = self.strings();
        if strings.left == 0 {
            return None;
        }
        strings.by_ref().for_each(drop);
        // Cut strings: what stands behind them is not known.
        (strings.left == 0).then(|| trimmed(text_at(self.image, strings.at)?)).flatten()
    }

    /// The version: `022.012.000.027.000001`.
    #[must_use]
    pub fn version(&self) -> Option<&'a [u8]> {
        let end = VERSION_WITHIN.end.min(self.image.len());
        let within = self.image.get(VERSION_WITHIN.start..end)?;
        let at = VERSION_WITHIN.start + within.windows(VERSION.len()).position(|window| window == VERSION)?;
        trimmed(text_at(self.image, at + VERSION_AT)?)
    }

    /// The file that the BIOS was built from, cut to twelve characters: `PHOENIX.bin`.
    #[must_use]
    pub fn config_filename(&self) -> Option<&'a [u8]> {
        match self.header.config_filename_offset {
            0 => None,
            at => trimmed(text_at(self.image, at.into())?),
        }
    }

    /// The message that the BIOS prints when it boots.
    #[must_use]
    pub fn bootup_message(&self) -> Option<&'a [u8]> {
        match self.header.bios_bootup_message_offset {
            0 => None,
            at => trimmed(text_at(self.image, at.into())?),
        }
    }

    /// When the BIOS was built; `None` if what stands at 50h is no date.
    #[must_use]
    pub fn build_date(&self) -> Option<BuildDate> {
        BuildDate::parse(self.image.get(DATE..)?)
    }
}

/// The strings of a BIOS, in their order; at most 255.
#[derive(Debug, Clone)]
pub struct Strings<'a> {
    image: &'a [u8],
    at: usize,
    left: u8,
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let text = text_at(self.image, self.at)?;
        self.left -= 1;
        self.at += text.len() + 1;
        Some(text)
    }
}

impl std::iter::FusedIterator for Strings<'_> {}

/// When a BIOS was built. Two digits stand for the year: ATOM is younger than 2000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuildDate {
    /// 2000 to 2099.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59; cards up to 2020 have none.
    pub second: Option<u8>,
}

impl BuildDate {
    /// `09/15/23,12:20:39` or `06/26/17 03:46`: month first.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let pair = |at| match array_at(bytes, at)? {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
            _ => None,
        };
        let is = |at, separators: &[u8]| bytes.get(at).is_some_and(|byte| separators.contains(byte));
        let date = Self {
            month: pair(0)?,
            day: pair(3)?,
            year: 2000 + u16::from(pair(6)?),
            hour: pair(9)?,
            minute: pair(12)?,
            second: if is(14, b":") { Some(pair(15)?) } else { None },
        };
        let is_date = is(2, b"/") && is(5, b"/") && is(8, b", ") && is(11, b":");
        let in_range = (1..=12).contains(&date.month)
            && (1..=31).contains(&date.day)
            && date.hour < 24
            && date.minute < 60
            && date.second.is_none_or(|second| second < 60);
        (is_date && in_range).then_some(date)
    }
}

/// `2023-09-15 12:20:39`
impl fmt::Display for BuildDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")?;
        second.map_or(Ok(()), |second| write!(f, ":{second:02}"))
    }
}
