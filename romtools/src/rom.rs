//! A whole file: its chains, and the data before, between and behind them.
//!
//! The first chain need not begin at 0: dumps of a whole flash chip put a container in front. NVIDIA's says where
//! the ROM begins, and what looks like an image inside of it is none. What
//! follows a chain's last image is looked through at 512-byte boundaries, because copies and
//! private images behind "last" are common; each that is found is a chain of its own.
//!
//! ```
//! use romtools::rom::Content;
//! use romtools::Rom;
//!
//! // From before PCI: no data structure, only a length and code.
//! let mut file = vec![0xffu8; 1024];
//! file[..4].copy_from_slice(&[0x55, 0xaa, 1, 0xcb]);
//! let rom = Rom::parse(&file)?;
//! assert!(rom.chains().is_empty());
//! assert_eq!(rom.legacy().unwrap().length(), 512);
//! let behind: Vec<_> = rom.data().collect();
//! assert_eq!((behind[0].offset, behind[0].content()), (512, Content::Padding(0xff)));
//! # Ok::<(), romtools::Error>(())
//! ```

mod data;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use crate::bytes::{array_at, u8_at};
use crate::edit::is_for_firmware;
use crate::expansion::Headers;
use crate::image::BLOCK;
use crate::nvidia::Ifr;
use crate::{Chain, CodeType, Error, Image, Result, Signature, checksum};

pub use data::{Content, Data};

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rom<'a> {
    file: &'a [u8],
    legacy: Option<LegacyImage<'a>>,
    chains: Vec<Chain<'a>>,
}

impl<'a> Rom<'a> {
    /// Looks through a file: in time linear in its length, and never failing over a part of it.
    ///
    /// # Errors
    /// [`Error::NotARom`] if no image begins at any 512-byte boundary.
    pub fn parse(file: &'a [u8]) -> Result<Self> {
        let mut chains = Vec::new();
        // A ROM whose container is of an odd length has its blocks at odd places.
        let begin = behind_container(file).unwrap_or(0);
        let mut offset = begin;
        while offset < file.len() {
            // A walk that finds nothing allocates nothing.
            let chain = Chain::walk(file, offset);
            offset = begin + (chain.end() - begin).next_multiple_of(BLOCK).max(offset - begin + BLOCK);
            if !chain.images().is_empty() {
                chains.push(chain);
            }
        }
        let legacy = match chains.first() {
            Some(chain) => LegacyImage::parse(&file[..chain.offset()]),
            None => LegacyImage::parse(file),
        };
        if chains.is_empty() && legacy.is_none() {
            return Err(Error::NotARom { length: file.len(), first: array_at(file, 0) });
        }
        Ok(Self { file, legacy, chains })
    }

    /// The file's bytes.
    #[must_use]
    pub fn file(&self) -> &'a [u8] {
        self.file
    }

    /// The chains, in the order of the file.
    #[must_use]
    pub fn chains(&self) -> &[Chain<'a>] {
        &self.chains
    }

    /// The chain that firmware would run: the first that has an image for it, and not a vendor's private ones alone.
    #[must_use]
    pub fn chain_for_firmware(&self) -> Option<&Chain<'a>> {
        self.chains.iter().find(|chain| chain.images().iter().any(is_for_firmware))
    }

    /// The images of all chains.
    pub fn images(&self) -> impl Iterator<Item = &Image<'a>> {
        self.chains.iter().flat_map(Chain::images)
    }

    /// An image at the start of the file that has no PCI Data Structure.
    #[must_use]
    pub fn legacy(&self) -> Option<LegacyImage<'a>> {
        self.legacy
    }

    /// What is in no image, in the order of the file.
    pub fn data(&self) -> impl Iterator<Item = Data<'a>> {
        let file = self.file;
        let end = self.chains.last().map_or(0, Chain::end).max(self.legacy.map_or(0, |l| l.bytes().len()));
        self.legacy
            .map(|legacy| (0, legacy.bytes().len()))
            .into_iter()
            .chain(self.chains.iter().map(|chain| (chain.offset(), chain.end())))
            .scan(0, |at, (begin, end)| Some((std::mem::replace(at, end), begin)))
            .chain([(end, file.len())])
            .filter(|(begin, end)| begin < end)
            .flat_map(move |(begin, end)| Data { offset: begin, bytes: &file[begin..end] }.parts())
    }

    /// For each chain, if it is an earlier one again: many flash chips hold a second copy, for the case
    /// that the first is damaged. In time linear in the file's length.
    #[must_use]
    pub fn copies(&self) -> Vec<Option<CopyOf>> {
        let mut first: HashMap<Shape<'_, 'a>, &Chain<'a>> = HashMap::new();
        let mut copies = Vec::with_capacity(self.chains.len());
        for chain in &self.chains {
            let earlier = *first.entry(Shape(chain.images())).or_insert(chain);
            let bytes = |chain: &Chain<'_>| &self.file[chain.offset()..chain.end()];
            copies.push((earlier.offset() != chain.offset()).then(|| CopyOf {
                offset: earlier.offset(),
                differing: bytes(earlier).iter().zip(bytes(chain)).filter(|(a, b)| a != b).count(),
            }));
        }
        copies
    }
}

/// Where the ROM begins by NVIDIA's container, which a dump of the whole flash begins with; `None` where that leads
/// to no image that firmware could run: then the ROM is looked for as in any file.
fn behind_container(file: &[u8]) -> Option<usize> {
    let offset = Ifr::parse(file)?.image_offset(file)?;
    Image::parse(file, offset).is_ok_and(|image| is_for_firmware(&image)).then_some(offset)
}

/// What two chains must have in common to be copies: lengths, code types and ids of their images.
struct Shape<'s, 'a>(&'s [Image<'a>]);

impl Shape<'_, '_> {
    fn fields(&self) -> impl Iterator<Item = (usize, CodeType, u16, u16)> {
        self.0.iter().map(|image| {
            let pcir = image.structure();
            (image.length(), pcir.code_type, pcir.vendor_id, pcir.device_id)
        })
    }
}

impl PartialEq for Shape<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        self.fields().eq(other.fields())
    }
}

impl Eq for Shape<'_, '_> {}

impl Hash for Shape<'_, '_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fields().for_each(|fields| fields.hash(state));
    }
}

/// Which chain another one is a copy of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyOf {
    /// Where the earlier chain begins in the file.
    pub offset: usize,
    /// How many bytes differ, as far as both are there.
    pub differing: usize,
}

/// An option ROM from before PCI: a signature, a length and code (the ISA and BIOS Boot Specification's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyImage<'a> {
    bytes: &'a [u8],
    initialization_size: u8,
}

impl<'a> LegacyImage<'a> {
    fn parse(file: &'a [u8]) -> Option<Self> {
        let signature = Signature::from_bytes(array_at(file, 0)?)?;
        let initialization_size = u8_at(file, 2)?;
        (signature == Signature::OptionRom).then(|| Self {
            bytes: &file[..(usize::from(initialization_size) * BLOCK).min(file.len())],
            initialization_size,
        })
    }

    /// The length in bytes that the image claims at 02h.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::from(self.initialization_size) * BLOCK
    }

    /// The image's bytes, as far as the file has them.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// If the image claims more bytes than the file has, or than are left before the first chain.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.bytes.len() < self.length()
    }

    /// Its expansion headers: what a BIOS can boot from.
    #[must_use]
    pub fn pnp_headers(&self) -> Headers<'a> {
        Headers::new(self.bytes)
    }

    /// The sum of its bytes. A BIOS wants 0; some adapters fill the checksum in when they are flashed.
    #[must_use]
    pub fn sum(&self) -> u8 {
        checksum::sum(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stop;
    use crate::testing::ImageSpec;

    fn last(spec: ImageSpec) -> Vec<u8> {
        ImageSpec { last: true, ..spec }.build()
    }

    fn data<'a>(rom: &Rom<'a>) -> Vec<(usize, usize, Content)> {
        rom.data().map(|d| (d.offset, d.bytes.len(), d.content())).collect()
    }

    #[test]
    fn a_rom_that_begins_later_has_its_container_in_front() {
        let mut file = vec![0; 2 * BLOCK];
        file[..4].copy_from_slice(b"NVGI");
        file.extend(last(ImageSpec::pc_at(0x10de, 1)));
        let rom = Rom::parse(&file).unwrap();
        assert_eq!(rom.chains()[0].offset(), 2 * BLOCK);
        assert_eq!(data(&rom), [(0, 2 * BLOCK, Content::Nvgi)]);
        assert_eq!(rom.legacy(), None);
    }

    #[test]
    fn a_container_that_leads_to_a_private_image_hides_no_rom() {
        let rom = last(ImageSpec::pc_at(0x10de, 1));
        let private = last(ImageSpec { code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) });
        let mut file = [&[0; BLOCK][..], &rom, &[0xff; 0x104], &private].concat();
        let leads_to = |file: &mut Vec<u8>, to: u32| {
            file[..16].copy_from_slice(b"NVGI\x00\x01\x08\x00\x10\x00\x00\x00\x00\x00\x00\x00");
            file[12..16].copy_from_slice(&to.to_le_bytes());
        };
        leads_to(&mut file, 0x704);
        let parsed = Rom::parse(&file).unwrap();
        assert_eq!(parsed.chain_for_firmware().unwrap().offset(), BLOCK);
        let pointer = crate::check::findings(&parsed).iter().find_map(|finding| match finding.problem() {
            crate::Problem::ContainerPointer { says } => Some(*says),
            _ => None,
        });
        assert_eq!(pointer, Some(0x704));
        // What `cut` makes of it is the ROM, as the advice says.
        assert_eq!(crate::cut::cut(&parsed, &crate::cut::Options::default()).unwrap().bytes, rom);
        leads_to(&mut file, 0x200);
        let parsed = Rom::parse(&file).unwrap();
        let findings = crate::check::findings(&parsed);
        assert!(!findings.iter().any(|finding| finding.problem().id() == "container-pointer"));
    }

    #[test]
    fn images_behind_last_and_copies_are_chains_of_their_own() {
        let mut file = last(ImageSpec::pc_at(0x1000, 0x72));
        file.extend(last(ImageSpec { code_type: 0xff, ..ImageSpec::pc_at(0x1000, 0) }));
        let behind = file.len();
        file.extend([0xff; 3 * BLOCK]);
        file.extend(last(ImageSpec::efi(0x1000, 0x72)));
        file.extend(b"-----BEGIN CERTIFICATE-----");
        let rom = Rom::parse(&file).unwrap();
        assert_eq!(rom.chains().len(), 3);
        assert!(rom.chains().iter().all(|c| c.stop() == Stop::LastImage && c.images().len() == 1));
        assert_eq!(
            data(&rom),
            [(behind, 3 * BLOCK, Content::Padding(0xff)), (file.len() - 27, 27, Content::Certificate)]
        );
    }

    #[test]
    fn a_second_copy_is_told_and_what_differs_in_it() {
        let first = [ImageSpec::pc_at(0x10de, 1).build(), last(ImageSpec::efi(0x10de, 1))].concat();
        let mut second = first.clone();
        second[0x300] ^= 1;
        let other = last(ImageSpec::efi(0x10de, 2));
        let pad = vec![0xff; BLOCK];
        let file = [&first[..], &pad, &other, &pad, &first, &pad, &second].concat();
        let rom = Rom::parse(&file).unwrap();
        let differing: Vec<_> = rom.copies().iter().map(|copy| copy.map(|copy| copy.differing)).collect();
        assert_eq!(differing, [None, None, Some(0), Some(1)]);
        assert!(rom.copies().iter().flatten().all(|copy| copy.offset == 0));
    }

    #[test]
    fn a_legacy_rom_in_front_of_a_chain_ends_where_that_begins() {
        let mut file = vec![0; BLOCK];
        file[..3].copy_from_slice(&[0x55, 0xaa, 9]);
        file.extend(last(ImageSpec::pc_at(1, 2)));
        let rom = Rom::parse(&file).unwrap();
        let legacy = rom.legacy().unwrap();
        assert!(legacy.is_truncated());
        assert_eq!((legacy.bytes().len(), rom.chains()[0].offset()), (BLOCK, BLOCK));
        assert_eq!(data(&rom), []);
    }

    #[test]
    fn a_legacy_rom_may_be_cut_or_empty() {
        let rom = Rom::parse(&[0x55, 0xaa, 2]).unwrap();
        assert!(rom.legacy().unwrap().is_truncated());
        let rom = Rom::parse(&[0x55, 0xaa, 0, 7]).unwrap();
        assert_eq!(rom.legacy().unwrap().length(), 0);
        assert_eq!(data(&rom), [(0, 4, Content::Unknown)]);
    }

    #[test]
    fn images_begin_at_block_boundaries_only() {
        for before in [1, BLOCK - 1, BLOCK + 1] {
            let file = [vec![0; before], last(ImageSpec::pc_at(1, 2))].concat();
            assert!(Rom::parse(&file).is_err(), "{before}");
        }
    }

    #[test]
    fn what_holds_no_image_is_not_a_rom() {
        for file in [&[][..], &[0x55], &[0x55, 0xaa], &[0xff; 4096], b"#!/bin/sh"] {
            assert!(matches!(Rom::parse(file), Err(Error::NotARom { length, .. }) if length == file.len()));
        }
    }
}
