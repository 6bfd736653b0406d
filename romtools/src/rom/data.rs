//! What is in no image: split into parts, each named for what it is.

use std::fmt;

use crate::image::BLOCK;
use crate::nvidia::Ifr;

/// Bytes that are in no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data<'a> {
    /// Where they begin in the file.
    pub offset: usize,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// What such bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// One byte over and over, mostly FFh.
    Padding(u8),
    /// NVIDIA's container, in front of the chain in a dump of the whole flash.
    Nvgi,
    /// A certificate as text, behind the ROM in some flash dumps.
    Certificate,
    /// Firmware of AMD's Platform Security Processor, with what it needs to start the card.
    Psp,
    /// Intel's code partition directory, with the signed firmware of its discrete GPUs.
    Cpd,
    /// Anything else.
    Unknown,
}

impl Content {
    /// A stable name for scripts.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Padding(_) => "padding",
            Self::Nvgi => "nvgi",
            Self::Certificate => "certificate",
            Self::Psp => "psp",
            Self::Cpd => "cpd",
            Self::Unknown => "unknown",
        }
    }
}

/// `padding (ff)`, `NVIDIA flash container (NVGI)`
impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Padding(byte) => return write!(f, "padding ({byte:02x})"),
            Self::Nvgi => "NVIDIA flash container (NVGI)",
            Self::Certificate => "certificate",
            Self::Psp => "AMD PSP firmware",
            Self::Cpd => "Intel code partition directory ($CPD)",
            Self::Unknown => "other data",
        })
    }
}

impl<'a> Data<'a> {
    /// What the bytes are.
    #[must_use]
    pub fn content(&self) -> Content {
        match *self.bytes {
            [first, ref rest @ ..] if rest.iter().all(|&byte| byte == first) => Content::Padding(first),
            [b'N', b'V', b'G', b'I', ..] => Content::Nvgi,
            [b'$', b'C', b'P', b'D', ..] => Content::Cpd,
            _ if self.bytes.trim_ascii_start().starts_with(b"-----BEGIN CERTIFICATE") => Content::Certificate,
            // Behind a directory or a table of addresses, the firmware itself has this in its header.
            _ if self.bytes.windows(4).any(|word| word == b"$PS1") => Content::Psp,
            _ => Content::Unknown,
        }
    }

    /// Header of NVIDIA's container, if that is what the bytes are.
    #[must_use]
    pub fn ifr(&self) -> Option<Ifr> {
        Ifr::parse(self.bytes)
    }

    /// The bytes in parts: padding in front of and behind other data is a part of its own, and so is
    /// a container.
    pub(super) fn parts(self) -> Parts<'a> {
        let padded = match self.bytes.last() {
            Some(last) => self.bytes.iter().rev().take_while(|&byte| byte == last).count(),
            None => 0,
        };
        Parts { rest: self, padded }
    }
}

/// The parts of data.
#[derive(Debug, Clone)]
pub(super) struct Parts<'a> {
    rest: Data<'a>,
    /// How many bytes at the end are the same.
    padded: usize,
}

impl<'a> Parts<'a> {
    /// Where the first part ends.
    fn end(&self) -> usize {
        let Data { offset, bytes } = self.rest;
        let length = bytes.len();
        let block_start = |at: usize| ((offset + at) / BLOCK * BLOCK).saturating_sub(offset);
        let Some(&first) = bytes.first() else { return 0 };
        let run = bytes.iter().take_while(|&&byte| byte == first).count();
        if run == length {
            return length;
        }
        // Whole blocks only: what follows may begin with the same byte.
        if block_start(run) >= BLOCK {
            return block_start(run);
        }
        let padding = (offset + length - self.padded).next_multiple_of(BLOCK) - offset;
        let end = if length.saturating_sub(padding) >= BLOCK { padding } else { length };
        match self.rest.ifr() {
            // A container has padding inside: it ends where it says that the ROM begins.
            Some(ifr) => ifr.image_offset(bytes).filter(|&at| 0 < at && at < length).unwrap_or(length),
            None => {
                let mut blocks = (block_start(BLOCK)..end).step_by(BLOCK).filter(|&at| at != 0);
                blocks.find(|&at| Ifr::parse(&bytes[at..]).is_some()).unwrap_or(end)
            }
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Data<'a>;

    fn next(&mut self) -> Option<Data<'a>> {
        let Data { offset, bytes } = self.rest;
        if bytes.is_empty() {
            return None;
        }
        // Never empty, so that this ends.
        let (part, rest) = bytes.split_at(self.end().clamp(1, bytes.len()));
        self.rest = Data { offset: offset + part.len(), bytes: rest };
        Some(Data { offset, bytes: part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(offset: usize, bytes: &[u8]) -> Vec<(usize, usize, Content)> {
        Data { offset, bytes }.parts().map(|part| (part.offset, part.bytes.len(), part.content())).collect()
    }

    /// An IFR container of version 1 whose ROM begins behind `length` bytes.
    fn container(length: u32) -> Vec<u8> {
        let mut bytes = vec![0xee; length as usize];
        bytes[..12].copy_from_slice(b"NVGI\xf4\x01\x10\x80\x80\0\0\0");
        bytes[0x14..0x18].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    #[test]
    fn padding_around_other_data_is_a_part_of_its_own() {
        let data = [&[0xff; 3 * BLOCK][..], b"\xff$PS1 firmware", &[7; BLOCK], &[0; BLOCK]].concat();
        let begin = 0x400;
        let firmware = 14 + BLOCK;
        // Padding begins and ends with a block of the file.
        let until = (begin + 3 * BLOCK + firmware).next_multiple_of(BLOCK);
        let all = begin + data.len();
        assert_eq!(
            parts(begin, &data),
            [
                (begin, 3 * BLOCK, Content::Padding(0xff)),
                (begin + 3 * BLOCK, all - begin - 3 * BLOCK, Content::Psp)
            ],
            "less than a block of padding at the end"
        );
        let data = [&data[..], &[0; BLOCK]].concat();
        assert_eq!(parts(begin, &data)[1], (begin + 3 * BLOCK, until - begin - 3 * BLOCK, Content::Psp));
        assert_eq!(parts(begin, &data)[2].2, Content::Padding(0));
        assert_eq!(parts(0, &[0xff; 7]), [(0, 7, Content::Padding(0xff))]);
        assert_eq!(parts(0, &[]), []);
    }

    #[test]
    fn a_container_ends_where_it_says_that_the_rom_begins() {
        let (first, second) = (container(0x400), container(0x600));
        let data = [&[0x11; 0x200][..], &[0x12; 0x200], &first, &second].concat();
        assert_eq!(
            parts(0x1000, &data),
            [
                (0x1000, 0x200, Content::Padding(0x11)),
                (0x1200, 0x200, Content::Padding(0x12)),
                (0x1400, 0x400, Content::Nvgi),
                (0x1800, 0x600, Content::Nvgi)
            ]
        );
        let mut nowhere = first;
        nowhere[0x14..0x18].copy_from_slice(&[0xff; 4]);
        nowhere[0x100..].fill(0);
        assert_eq!(parts(0, &nowhere), [(0, 0x400, Content::Nvgi)], "its own padding stays in it");
    }

    #[test]
    fn contents_have_names() {
        let content = |bytes: &[u8]| Data { offset: 0, bytes }.content();
        assert_eq!(content(b"$CPD\x04\0"), Content::Cpd);
        assert_eq!(content(b"\r\n-----BEGIN CERTIFICATE-----\n"), Content::Certificate);
        assert_eq!(content(b"ab"), Content::Unknown);
        let all = [
            Content::Padding(1),
            Content::Nvgi,
            Content::Certificate,
            Content::Psp,
            Content::Cpd,
            Content::Unknown,
        ];
        let ids: std::collections::BTreeSet<_> = all.iter().map(|content| content.id()).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!(all[0].to_string(), "padding (01)");
    }
}
