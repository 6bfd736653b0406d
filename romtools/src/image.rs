//! One image of a chain: found, decoded, and bounded by the file.
//!
//! ```
//! use romtools::{Error, Image};
//!
//! let error = Image::parse(&[0u8; 512], 0).unwrap_err();
//! assert!(matches!(error, Error::HeaderSignature { offset: 0, .. }));
//! ```

use crate::atom::AtomBios;
use crate::bytes::{array_at, u16_at};
use crate::expansion::Headers;
use crate::header::{self, Header};
use crate::nvidia::Bit;
use crate::{CodeType, DataStructure, Error, Npde, Result, checksum};

/// Images begin at multiples of this, and lengths count in it: 512 bytes.
pub const BLOCK: usize = 512;

/// The two bytes that open an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signature {
    /// `55 AA`: the standard's.
    OptionRom,
    /// `56 4E` ("VN"): an image private to NVIDIA.
    Nvidia,
    /// `77 BB`: an image private to NVIDIA.
    Nvidia77bb,
}

impl Signature {
    /// The signature that these bytes are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 2]) -> Option<Self> {
        [Self::OptionRom, Self::Nvidia, Self::Nvidia77bb].into_iter().find(|s| s.bytes() == bytes)
    }

    /// The signature as it stands in the file.
    #[must_use]
    pub fn bytes(self) -> [u8; 2] {
        match self {
            Self::OptionRom => [0x55, 0xaa],
            Self::Nvidia => [0x56, 0x4e],
            Self::Nvidia77bb => [0x77, 0xbb],
        }
    }
}

/// One image. All offsets but [`Image::offset`] count from the start of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    offset: usize,
    bytes: &'a [u8],
    signature: Signature,
    header: Header,
    structure: DataStructure<'a>,
    npde: Option<Npde>,
}

impl<'a> Image<'a> {
    /// Reads the image that begins at `offset` of `file`.
    ///
    /// Its data structure must lie in the file; its body may be cut off ([`Image::is_truncated`]).
    ///
    /// # Errors
    /// [`Error::HeaderSignature`], [`Error::StructureSignature`], and [`Error::Truncated`].
    pub fn parse(file: &'a [u8], offset: usize) -> Result<Self> {
        Self::read(file, offset, true)
    }

    /// The same as firmware sees it, which does not know NVIDIA's extension.
    pub(crate) fn parse_as_firmware(file: &'a [u8], offset: usize) -> Result<Self> {
        Self::read(file, offset, false)
    }

    fn read(file: &'a [u8], offset: usize, with_extension: bool) -> Result<Self> {
        let rest = file.get(offset..).unwrap_or_default();
        let truncated =
            || Error::Truncated { what: "ROM header", offset, needed: header::LENGTH, available: rest.len() };
        let found = array_at(rest, 0).ok_or_else(truncated)?;
        let signature = Signature::from_bytes(found).ok_or(Error::HeaderSignature { offset, found })?;
        let pointer = u16_at(rest, 0x18).ok_or_else(truncated)?;
        let structure = DataStructure::parse(rest, offset, pointer)?;
        let header = Header::parse(rest, structure.code_type).ok_or_else(truncated)?;
        let npde = Npde::parse(rest.get(structure.extension_offset()..).unwrap_or_default())
            .filter(|_| with_extension);

        let mut image = Self { offset, bytes: rest, signature, header, structure, npde };
        // An extension behind the end that it gives the image is another image's, or none.
        image.npde = npde.filter(|_| structure.extension_offset() + Npde::SHORTEST <= image.length());
        image.bytes = &rest[..image.length().min(rest.len())];
        let mut end_of_list = image.bytes.len();
        if let Header::Efi(header) = header {
            // A list without an end does not go on into the driver.
            let driver = usize::from(header.image_offset);
            end_of_list =
                if structure.device_list_offset() < driver { end_of_list.min(driver) } else { end_of_list };
        }
        image.structure = structure.within(end_of_list);
        if let Header::PcAt(header) = header {
            image.header = Header::PcAt(header.with_expansion(image.bytes));
        }
        Ok(image)
    }

    /// Where the image begins in the file.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The length in bytes that the image claims: NVIDIA's extension decides over `PCIR`, unless it says 0.
    #[must_use]
    pub fn length(&self) -> usize {
        let blocks = match self.npde {
            Some(npde) if npde.sub_image_length != 0 => npde.sub_image_length,
            _ => self.structure.image_length,
        };
        usize::from(blocks) * BLOCK
    }

    /// The image's bytes, as far as the file has them.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// If the image claims more bytes than the file has.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.bytes.len() < self.length()
    }

    /// If the chain ends with this image: NVIDIA's extension decides over `PCIR`.
    #[must_use]
    pub fn is_last(&self) -> bool {
        let pcir = self.structure.indicator.is_last();
        self.npde.map_or(pcir, |npde| npde.is_last(self.structure.image_length, pcir))
    }

    /// The two bytes the image opens with.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// The header fields of its code type.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// Its PCI Data Structure.
    #[must_use]
    pub fn structure(&self) -> &DataStructure<'a> {
        &self.structure
    }

    /// NVIDIA's extension of the structure.
    #[must_use]
    pub fn npde(&self) -> Option<Npde> {
        self.npde
    }

    /// Its code type.
    #[must_use]
    pub fn code_type(&self) -> CodeType {
        self.structure.code_type
    }

    /// The table in it that tells its version: only NVIDIA's PC-AT images have one.
    #[must_use]
    pub fn bit(&self) -> Option<Bit<'a>> {
        if self.code_type() == CodeType::X86_PC_AT { Bit::find(self.bytes) } else { None }
    }

    /// Where Intel's code partition directory begins: the word at 1Ah leads to it in ROMs of its GPUs.
    #[must_use]
    pub fn code_partition_directory(&self) -> Option<u16> {
        let pointer = u16_at(self.bytes, 0x1a)?;
        (pointer != 0 && array_at(self.bytes, pointer.into()) == Some(*b"$CPD")).then_some(pointer)
    }

    /// Where the InfoROM, a small file system with the board's history, begins: in NVIDIA's private images.
    #[must_use]
    pub fn inforom(&self) -> Option<usize> {
        if self.code_type() != CodeType::NVIDIA_NBSI {
            return None;
        }
        let mut blocks = (0..self.bytes.len()).step_by(BLOCK);
        blocks.find(|&at| array_at(self.bytes, at) == Some(*b"JFFS"))
    }

    /// The ATOM BIOS in it: only PC-AT images of AMD's GPUs have one.
    #[must_use]
    pub fn atom(&self) -> Option<AtomBios<'a>> {
        AtomBios::parse(self.bytes).ok().filter(|_| self.code_type() == CodeType::X86_PC_AT)
    }

    /// Its expansion headers: what a BIOS can boot from. Only PC-AT images have any.
    #[must_use]
    pub fn pnp_headers(&self) -> Headers<'a> {
        if self.code_type() == CodeType::X86_PC_AT { Headers::new(self.bytes) } else { Headers::none() }
    }

    /// If its bytes sum up as its code type wants it.
    #[must_use]
    pub fn checksum(&self) -> checksum::Verdict {
        checksum::verdict(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ImageSpec, NpdeSpec};

    #[test]
    fn a_whole_image() {
        let mut file = vec![0xff; BLOCK];
        file.extend(ImageSpec { blocks: 3, last: true, ..ImageSpec::pc_at(0x1b21, 0x0612) }.build());
        file.extend([0xff; 7]);
        let image = Image::parse(&file, BLOCK).unwrap();
        assert_eq!((image.offset(), image.length(), image.bytes().len()), (BLOCK, 3 * BLOCK, 3 * BLOCK));
        assert_eq!(image.signature(), Signature::OptionRom);
        assert!(image.is_last() && !image.is_truncated());
    }

    #[test]
    fn a_cut_image_says_so() {
        let file = ImageSpec { blocks: 3, ..ImageSpec::pc_at(1, 2) }.build();
        let image = Image::parse(&file[..BLOCK + 1], 0).unwrap();
        assert!(image.is_truncated());
        assert_eq!((image.length(), image.bytes().len()), (3 * BLOCK, BLOCK + 1));
    }

    #[test]
    fn nvidia_overrules_length_and_last() {
        let spec = ImageSpec { blocks: 2, last: true, ..ImageSpec::pc_at(0x10de, 1) };
        let file = ImageSpec { npde: Some(NpdeSpec { blocks: 1, last: false }), ..spec.clone() }.build();
        let image = Image::parse(&file, 0).unwrap();
        assert!(image.structure().indicator.is_last() && !image.is_last());
        assert_eq!(image.length(), BLOCK);
        let file = ImageSpec { npde: Some(NpdeSpec { blocks: 0, last: true }), ..spec }.build();
        assert_eq!(Image::parse(&file, 0).unwrap().length(), 2 * BLOCK, "a length of 0 overrules nothing");
    }

    #[test]
    fn nvidia_s_extension_is_not_looked_for_in_the_structure_itself() {
        let mut file = ImageSpec { last: true, ..ImageSpec::pc_at(0x504e, 0x4544) }.build();
        // By this length the extension would be at 20h, where the ids say "NPDE".
        file[crate::testing::PCIR + 0x0a] = 1;
        assert_eq!(file[0x20..0x24], *b"NPDE");
        assert_eq!(Image::parse(&file, 0).unwrap().npde(), None);
    }

    #[test]
    fn nvidia_s_extension_is_in_its_image() {
        let npde = Some(NpdeSpec { blocks: 1, last: true });
        let mut file = ImageSpec { npde, ..ImageSpec::pc_at(0x10de, 1) }.build();
        let at = file.windows(4).position(|bytes| bytes == b"NPDE").unwrap();
        assert!(Image::parse(&file, 0).unwrap().npde().is_some());
        // The structure claims to reach into the second block, and the extension there, one block for the image.
        file.copy_within(at..at + 0x10, 0x240);
        file[at] = 0;
        file[crate::testing::PCIR + 0x0a..crate::testing::PCIR + 0x0c].copy_from_slice(&[0x20, 2]);
        let image = Image::parse(&file, 0).unwrap();
        assert_eq!((image.npde(), image.length()), (None, 2 * BLOCK));
    }

    #[test]
    fn a_device_list_does_not_run_into_the_driver() {
        let mut file = ImageSpec { devices: vec![7], last: true, ..ImageSpec::efi(1, 2) }.build();
        let list = Image::parse(&file, 0).unwrap().structure().device_list_offset();
        file[list..0x100].fill(0x11);
        let ids = Image::parse(&file, 0).unwrap().structure().device_list();
        assert_eq!((ids.clone().count(), ids.is_terminated()), ((0x100 - list) / 2, false));
    }

    #[test]
    fn nvidia_s_own_signatures_are_images_too() {
        for (word, structure) in [([0x56, 0x4e], *b"NPDS"), ([0x77, 0xbb], *b"RGIS")] {
            let mut file = ImageSpec { code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) }.build();
            let at = usize::from(u16_at(&file, 0x18).unwrap());
            file[..2].copy_from_slice(&word);
            file[at..at + 4].copy_from_slice(&structure);
            let image = Image::parse(&file, 0).unwrap();
            assert_eq!(image.signature().bytes(), word);
            assert_eq!(image.structure().signature.as_str().as_bytes(), structure);
            assert_eq!(image.header(), Header::Opaque);
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_place() {
        let file = ImageSpec::pc_at(1, 2).build();
        assert!(matches!(Image::parse(&file, 1), Err(Error::HeaderSignature { offset: 1, .. })));
        assert!(matches!(Image::parse(&file, file.len()), Err(Error::Truncated { available: 0, .. })));
        assert!(matches!(Image::parse(&file, usize::MAX), Err(Error::Truncated { available: 0, .. })));
        assert!(matches!(Image::parse(&file[..0x19], 0), Err(Error::Truncated { needed: 0x1a, .. })));
        let mut legacy = file;
        legacy[0x18..0x1a].copy_from_slice(&[0x42, 0]);
        assert!(matches!(Image::parse(&legacy, 0), Err(Error::StructureSignature { offset: 0x42, .. })));
    }
}
