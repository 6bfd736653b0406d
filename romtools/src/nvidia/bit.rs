//! The BIOS Information Table: the way into everything in an NVIDIA video BIOS.
//!
//! A header with the signature `FF B8 "BIT" 00` lists tokens, each a pointer to data of one kind. Only
//! the internal-use token `i` is decoded: it has the version and the date. Source: NVIDIA's published
//! documentation of the table and Linux' nouveau, layout only.

use std::fmt;

use crate::bytes::{array_at, u8_at, u16_at};
use crate::checksum;

/// How an NVIDIA video BIOS writes its version: `86.06.63.00.46`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u8; 5]);

/// `86.06.63.00.46`: five hexadecimal numbers.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e] = self.0;
        write!(f, "{a:02X}.{b:02X}.{c:02X}.{d:02X}.{e:02X}")
    }
}

/// One token of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// What it is, mostly a letter.
    pub id: u8,
    /// The version of its data.
    pub data_version: u8,
    /// Bytes of its data.
    pub data_size: u16,
    /// Where its data is, from the start of the image.
    pub data_pointer: u16,
}

/// The BIOS Information Table of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bit<'a> {
    image: &'a [u8],
    /// Where the header begins.
    pub offset: usize,
    /// BCD version: 0100h.
    pub bcd_version: u16,
    /// Bytes of the header.
    pub header_size: u8,
    /// Bytes of a token.
    pub token_size: u8,
    /// How many tokens there are.
    pub token_entries: u8,
}

impl<'a> Bit<'a> {
    /// The signature.
    pub const SIGNATURE: [u8; 6] = *b"\xff\xb8BIT\0";
    /// Pointers in the image have 16 bits: the table is in reach of them.
    const WITHIN: usize = 0x1_0000;
    /// The token for internal use.
    const INTERNAL: u8 = b'i';

    /// Finds the table of an image. The header's own checksum tells it from a stray signature.
    #[must_use]
    pub fn find(image: &'a [u8]) -> Option<Self> {
        const ROW: usize = 64;
        let [first, second, ..] = Self::SIGNATURE;
        let within = &image[..image.len().min(Self::WITHIN)];
        (0..within.len()).step_by(ROW).find_map(|begin| {
            let end = within.len().min(begin + ROW);
            // A row without both bytes in turn, which nearly all are, is passed over as one.
            let pairs = within[begin..end].iter().zip(&within[begin + 1..]);
            let may_begin = pairs.fold(false, |may, (a, b)| may | (*a == first) & (*b == second));
            let mut places = if may_begin { begin..end } else { end..end };
            places
                .find_map(|at| within[at..].starts_with(&Self::SIGNATURE).then(|| Self::parse(image, at))?)
        })
    }

    fn parse(image: &'a [u8], offset: usize) -> Option<Self> {
        let bytes = image.get(offset..)?;
        let bit = Self {
            image,
            offset,
            bcd_version: u16_at(bytes, 6)?,
            header_size: u8_at(bytes, 8)?,
            token_size: u8_at(bytes, 9)?,
            token_entries: u8_at(bytes, 10)?,
        };
        let header = bytes.get(..bit.header_size.into())?;
        (header.len() >= 12 && bit.token_size >= 6 && checksum::sum(header) == 0).then_some(bit)
    }

    /// The tokens, as far as the image has them; at most 255.
    pub fn tokens(&self) -> impl Iterator<Item = Token> + 'a {
        let Self { image, offset, header_size, token_size, token_entries, .. } = *self;
        let first = offset + usize::from(header_size);
        (0..token_entries).map_while(move |index| {
            let at = first + usize::from(index) * usize::from(token_size);
            Some(Token {
                id: u8_at(image, at)?,
                data_version: u8_at(image, at + 1)?,
                data_size: u16_at(image, at + 2)?,
                data_pointer: u16_at(image, at + 4)?,
            })
        })
    }

    /// What the token for internal use leads to.
    fn internal(&self) -> Option<&'a [u8]> {
        let token = self.tokens().find(|token| token.id == Self::INTERNAL)?;
        let data = self.image.get(usize::from(token.data_pointer)..)?;
        data.get(..usize::from(token.data_size).min(data.len()))
    }

    /// The version that drivers read.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let [d, c, b, a, oem] = array_at(self.internal()?, 0)?;
        Some(Version([a, b, c, d, oem]))
    }

    /// The build date as it is written: `10/04/17`, month first.
    #[must_use]
    pub fn build_date(&self) -> Option<[u8; 8]> {
        let date: [u8; 8] = array_at(self.internal()?, 15)?;
        date.iter().all(|byte| byte.is_ascii_digit() || *byte == b'/').then_some(date)
    }

    /// The version in the text that the BIOS shows: `Version 86.06.63.00.46`. It is another one than
    /// [`Bit::version`] where a ROM was put together from two, or edited.
    #[must_use]
    pub fn version_text(&self) -> Option<Version> {
        const BEFORE: &[u8] = b"Version ";
        let within = &self.image[..self.image.len().min(Self::WITHIN)];
        let mut found = within.windows(BEFORE.len()).enumerate().filter(|(_, window)| *window == BEFORE);
        found.find_map(|(at, _)| parse_version(&within[at + BEFORE.len()..]))
    }
}

/// `86.06.63.00.46` at the start of a text.
fn parse_version(text: &[u8]) -> Option<Version> {
    let text: [u8; 14] = array_at(text, 0)?;
    let mut version = [0; 5];
    for (number, digits) in version.iter_mut().zip(text.chunks(3)) {
        let [high, low, dot @ ..] = digits else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *number = digit(*high)? << 4 | digit(*low)?;
        if !matches!(dot, [] | [b'.']) {
            return None;
        }
    }
    Some(Version(version))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Puts a table into an image, with a version in it and one in the text.
    pub(crate) fn put(image: &mut [u8], version: [u8; 5], text: &str) {
        const AT: usize = 0x100;
        image[AT..AT + 24]
            .copy_from_slice(b"\xff\xb8BIT\0\x00\x01\x0c\x06\x02\x00B\x02\x09\0\x80\x01i\x02\x20\0\x80\x01");
        image[AT + 11] = crate::checksum::sum(&image[AT..AT + 12]).wrapping_neg();
        let [a, b, c, d, e] = version;
        image[0x180..0x185].copy_from_slice(&[d, c, b, a, e]);
        image[0x18f..0x197].copy_from_slice(b"10/04/17");
        image[0x140..0x140 + text.len()].copy_from_slice(text.as_bytes());
    }

    fn image() -> Vec<u8> {
        let mut image = vec![0; 1024];
        put(&mut image, [0x86, 0x06, 0x63, 0, 0x46], "Version 86.06.63.00.4C \r\n");
        image
    }

    #[test]
    fn version_and_date_are_behind_the_internal_token() {
        let image = image();
        let bit = Bit::find(&image).unwrap();
        assert_eq!((bit.offset, bit.bcd_version, bit.tokens().count()), (0x100, 0x100, 2));
        assert_eq!(bit.version().unwrap().to_string(), "86.06.63.00.46");
        assert_eq!(bit.version_text().unwrap().to_string(), "86.06.63.00.4C");
        assert_eq!(bit.build_date(), Some(*b"10/04/17"));
    }

    #[test]
    fn a_stray_signature_is_no_table() {
        let mut damaged = image();
        damaged[0x10b] ^= 1;
        assert_eq!(Bit::find(&damaged), None);
        let mut first = image();
        first[0x40..0x46].copy_from_slice(&Bit::SIGNATURE);
        assert_eq!(Bit::find(&first).unwrap().offset, 0x100, "the next one is looked at, too");
        assert_eq!(Bit::find(&image()[..0x109]), None);
    }

    #[test]
    fn a_table_is_found_wherever_it_begins() {
        for more in 0..=64 {
            let image = [vec![0xff; more], image()].concat();
            assert_eq!(Bit::find(&image).map(|bit| bit.offset), Some(0x100 + more));
        }
    }

    #[test]
    fn pointers_lead_nowhere_but_into_the_image() {
        let mut far = image();
        far[0x116..0x118].copy_from_slice(&[0xff, 0xff]);
        let bit = Bit::find(&far).unwrap();
        assert_eq!((bit.version(), bit.build_date()), (None, None));
        let cut = &image()[..0x113];
        assert_eq!(Bit::find(cut).unwrap().tokens().count(), 1);
        let mut no_text = image();
        no_text[0x148] = b'x';
        assert_eq!(Bit::find(&no_text).unwrap().version_text(), None);
    }
}
