//! The PCI Data Structure: whose ROM an image is, how long, for which processor, and if it is the last.
//!
//! Revision 0 (PCI 2.x) has 18h bytes, revision 3 (PCI Firmware 3.x) 1Ch, among them a list of
//! further device ids that the image also serves. Names are those of the PCI Firmware Specification
//! 3.3, section 5.1.2. NVIDIA's private images carry the same layout under another signature.
//!
//! ```
//! use romtools::pcir::{CodeType, DataStructure};
//!
//! let image = b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x4a\0\x20\x04\0\x80\0\0";
//! let pcir = DataStructure::parse(image, 0, 0)?;
//! assert_eq!((pcir.vendor_id, pcir.device_id), (0x1b21, 0x0612));
//! assert_eq!(pcir.class_code.to_string(), "010400"); // offset 0Dh is byte-reversed on disk
//! assert_eq!(pcir.code_type, CodeType::X86_PC_AT);
//! assert!(pcir.indicator.is_last());
//! # Ok::<(), romtools::Error>(())
//! ```

use std::fmt;

use crate::bytes::{array_at, u8_at, u16_at};
use crate::{Error, Result};

/// Bytes of a revision 0 structure, and the least of any.
pub const LENGTH_REVISION_0: u16 = 0x18;
/// Bytes of a revision 3 structure.
pub const LENGTH_REVISION_3: u16 = 0x1c;

/// The four bytes that open the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StructureSignature {
    /// `PCIR`: the standard's.
    Pcir,
    /// `NPDS`: an image private to NVIDIA.
    Npds,
    /// `RGIS`: an image private to NVIDIA.
    Rgis,
}

impl StructureSignature {
    /// The signature that these bytes are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        [Self::Pcir, Self::Npds, Self::Rgis].into_iter().find(|s| s.as_str().as_bytes() == bytes)
    }

    /// The signature as it stands in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pcir => "PCIR",
            Self::Npds => "NPDS",
            Self::Rgis => "RGIS",
        }
    }
}

/// Code Type, offset 14h: which processor or environment runs the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeType(pub u8);

impl CodeType {
    /// Intel x86, PC-AT compatible: what a legacy BIOS or a CSM runs.
    pub const X86_PC_AT: Self = Self(0);
    /// Open Firmware standard for PCI: FCode.
    pub const OPEN_FIRMWARE: Self = Self(1);
    /// Hewlett-Packard PA-RISC.
    pub const HP_PA_RISC: Self = Self(2);
    /// Extensible Firmware Interface: what UEFI runs.
    pub const EFI: Self = Self(3);
    /// NVIDIA's NBSI data; reserved by PCI-SIG.
    pub const NVIDIA_NBSI: Self = Self(0x70);
    /// NVIDIA's extended image (firmware security code and data); reserved by PCI-SIG.
    pub const NVIDIA_EXTENDED: Self = Self(0xe0);
    /// "Not an image for any of these"; LSI's SAS2 adapters use it for what lies behind the last image.
    pub const NONE: Self = Self(0xff);

    /// A short name, `None` for a value that no one is known to use.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::X86_PC_AT => "x86 PC-AT",
            Self::OPEN_FIRMWARE => "Open Firmware",
            Self::HP_PA_RISC => "HP PA-RISC",
            Self::EFI => "EFI",
            Self::NVIDIA_NBSI => "NVIDIA NBSI",
            Self::NVIDIA_EXTENDED => "NVIDIA extended",
            Self::NONE => "none",
            _ => return None,
        })
    }
}

/// `0 (x86 PC-AT)`, `4 (unknown)`, hexadecimal.
impl fmt::Display for CodeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x} ({})", self.0, self.name().unwrap_or("unknown"))
    }
}

/// Last Image Indicator, offset 15h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Indicator(pub u8);

impl Indicator {
    /// Bit 7: no image follows this one. An NVIDIA extension can overrule it, see [`crate::Image::is_last`].
    #[must_use]
    pub fn is_last(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Bits 6:0, reserved. No ROM in a corpus of 365 sets one.
    #[must_use]
    pub fn reserved(self) -> u8 {
        self.0 & 0x7f
    }
}

/// Class Code, offset 0Dh, in the order of configuration space: interface first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClassCode {
    /// Base class: `03` is a display controller.
    pub base: u8,
    /// Sub-class.
    pub sub: u8,
    /// Programming interface.
    pub programming_interface: u8,
}

/// `030000`: base class, sub-class, programming interface.
impl fmt::Display for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}", self.base, self.sub, self.programming_interface)
    }
}

/// What revision 3 added behind the device list pointer, offsets 16h to 1Bh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision3 {
    /// Maximum Run-time Image Length in 512-byte units: what stays in memory after initialization.
    pub maximum_run_time_image_length: u16,
    /// Pointer to Configuration Utility Code Header, from the start of the image; 0 is none.
    pub configuration_utility_code_header: u16,
    /// Pointer to DMTF CLP Entry Point, from the start of the image; 0 is none.
    pub dmtf_clp_entry_point: u16,
}

/// A PCI Data Structure, decoded. Only [`DataStructure::device_list`] still looks at the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataStructure<'a> {
    /// Where the structure begins, from the start of its image: the header's pointer at 18h.
    ///
    /// The standard wants it on a 4-byte boundary, and edk2 and newer Linux kernels refuse others;
    /// real ROMs exist that break this.
    pub pointer: u16,
    /// `PCIR`, or one of NVIDIA's.
    pub signature: StructureSignature,
    /// Vendor Identification; also that of every id in the device list.
    pub vendor_id: u16,
    /// Device Identification. 0000:0000 exists in working ROMs.
    pub device_id: u16,
    /// Offset 08h as it is: the Device List Pointer from revision 3 on, before that a pointer to
    /// Vital Product Data, long obsolete.
    pub device_list_pointer: u16,
    /// PCI Data Structure Length in bytes.
    pub length: u16,
    /// PCI Data Structure Revision: 0 or 3.
    pub revision: u8,
    /// Class Code.
    pub class_code: ClassCode,
    /// Image Length in 512-byte units. What the walk steps by is [`crate::Image::length`].
    pub image_length: u16,
    /// Vendor ROM Revision Level: 0420h is what a vendor calls 4.20.
    pub vendor_rom_revision: u16,
    /// Code Type.
    pub code_type: CodeType,
    /// Last Image Indicator.
    pub indicator: Indicator,
    /// What only revision 3 has; `None` where the structure is older, or too short for it.
    pub revision_3: Option<Revision3>,
    list: &'a [u8],
}

impl<'a> DataStructure<'a> {
    /// Reads the structure at `pointer` of the image whose bytes begin `image`; these may run on to
    /// the end of the file. `image_offset` places errors in the file.
    ///
    /// # Errors
    /// [`Error::StructureSignature`] and [`Error::Truncated`].
    pub fn parse(image: &'a [u8], image_offset: usize, pointer: u16) -> Result<Self> {
        let at = usize::from(pointer);
        let bytes = image.get(at..).unwrap_or_default();
        let offset = image_offset + at;
        let truncated =
            |needed| Error::Truncated { what: "PCI Data Structure", offset, needed, available: bytes.len() };
        let found = array_at(bytes, 0).ok_or_else(|| truncated(usize::from(LENGTH_REVISION_0)))?;
        let signature = StructureSignature::from_bytes(found).ok_or(Error::StructureSignature {
            image: image_offset,
            offset,
            found,
        })?;
        Self::decode(bytes, pointer, signature).ok_or_else(|| truncated(usize::from(LENGTH_REVISION_0)))
    }

    fn decode(bytes: &'a [u8], pointer: u16, signature: StructureSignature) -> Option<Self> {
        bytes.get(..usize::from(LENGTH_REVISION_0))?;
        let [programming_interface, sub, base] = array_at(bytes, 0x0d)?;
        let (length, revision) = (u16_at(bytes, 0x0a)?, u8_at(bytes, 0x0c)?);
        let device_list_pointer = u16_at(bytes, 0x08)?;
        let is_revision_3 = revision >= 3;
        Some(Self {
            pointer,
            signature,
            vendor_id: u16_at(bytes, 0x04)?,
            device_id: u16_at(bytes, 0x06)?,
            device_list_pointer,
            length,
            revision,
            class_code: ClassCode { base, sub, programming_interface },
            image_length: u16_at(bytes, 0x10)?,
            vendor_rom_revision: u16_at(bytes, 0x12)?,
            code_type: CodeType(u8_at(bytes, 0x14)?),
            indicator: Indicator(u8_at(bytes, 0x15)?),
            // Offset 16h is there in both revisions, and reserved in the older one.
            revision_3: (is_revision_3 && length >= LENGTH_REVISION_3)
                .then(|| {
                    Some(Revision3 {
                        maximum_run_time_image_length: u16_at(bytes, 0x16)?,
                        configuration_utility_code_header: u16_at(bytes, 0x18)?,
                        dmtf_clp_entry_point: u16_at(bytes, 0x1a)?,
                    })
                })
                .flatten(),
            // A device list pointer of a revision 0 structure is an old VPD pointer.
            list: match device_list_pointer {
                0 => &[],
                _ if !is_revision_3 => &[],
                at => bytes.get(usize::from(at)..).unwrap_or_default(),
            },
        })
    }

    /// Where the device list begins, from the start of the image, if there is one.
    pub(crate) fn device_list_offset(&self) -> usize {
        usize::from(self.pointer) + usize::from(self.device_list_pointer)
    }

    /// Ends the device list with the image, or at what else it must not run into.
    pub(crate) fn within(mut self, end: usize) -> Self {
        let room = end.saturating_sub(self.device_list_offset()).min(self.list.len());
        self.list = &self.list[..room];
        self
    }

    /// Where NVIDIA's extension is, if there is one: on the next 16-byte boundary behind the structure, which is never
    /// shorter than its oldest form, whatever it says. NVIDIA aligns in terms of the whole ROM; images begin at
    /// multiples of 512, so it is the same.
    pub(crate) fn extension_offset(&self) -> usize {
        (usize::from(self.pointer) + usize::from(self.length.max(LENGTH_REVISION_0))).next_multiple_of(16)
    }

    /// If the structure has a device list: revision 3 or later, and a pointer that is not 0.
    #[must_use]
    pub fn has_device_list(&self) -> bool {
        self.revision >= 3 && self.device_list_pointer != 0
    }

    /// Further device ids of the same vendor that this image serves.
    #[must_use]
    pub fn device_list(&self) -> DeviceList<'a> {
        DeviceList { bytes: self.list }
    }

    /// If the image is for this device: the structure's own id or one in its list.
    #[must_use]
    pub fn is_for(&self, vendor_id: u16, device_id: u16) -> bool {
        self.vendor_id == vendor_id
            && (self.device_id == device_id || self.device_list().any(|id| id == device_id))
    }
}

/// The ids of a device list, up to its terminator (0000) or the end of the image.
#[derive(Debug, Clone)]
pub struct DeviceList<'a> {
    bytes: &'a [u8],
}

impl DeviceList<'_> {
    /// If the list ends with 0000, and not only because the image does.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.bytes.chunks_exact(2).any(|id| id == [0, 0])
    }
}

impl Iterator for DeviceList<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let id = u16_at(self.bytes, 0).filter(|&id| id != 0)?;
        self.bytes = &self.bytes[2..];
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ImageSpec;

    fn built(spec: ImageSpec) -> Vec<u8> {
        spec.build()
    }

    fn parse(image: &[u8]) -> DataStructure<'_> {
        DataStructure::parse(image, 0, u16_at(image, 0x18).unwrap()).unwrap().within(image.len())
    }

    #[test]
    fn revision_3_has_its_fields_and_its_list() {
        let image = built(ImageSpec {
            revision: 3,
            devices: vec![0x0611, 0x0612],
            run_time_blocks: 0x41,
            ..ImageSpec::pc_at(0x1b21, 0x0612)
        });
        let pcir = parse(&image);
        assert_eq!(pcir.length, LENGTH_REVISION_3);
        assert_eq!(pcir.revision_3.unwrap().maximum_run_time_image_length, 0x41);
        assert_eq!(pcir.device_list().collect::<Vec<_>>(), [0x0611, 0x0612]);
        assert!(pcir.device_list().is_terminated());
        assert!(pcir.is_for(0x1b21, 0x0611) && !pcir.is_for(0x1b22, 0x0611) && !pcir.is_for(0x1b21, 0x0613));
    }

    #[test]
    fn the_vpd_pointer_of_revision_0_is_not_a_device_list() {
        let mut image = built(ImageSpec { revision: 0, ..ImageSpec::pc_at(0x121a, 0x0005) });
        let at = usize::from(u16_at(&image, 0x18).unwrap());
        image[at + 8] = 0xa0;
        image[0x160] = 0x42;
        let pcir = parse(&image);
        assert_eq!((pcir.device_list_pointer, pcir.device_list().count()), (0xa0, 0));
        assert!(!pcir.has_device_list() && pcir.revision_3.is_none());
    }

    #[test]
    fn a_list_without_terminator_ends_with_the_image() {
        let mut image = built(ImageSpec { revision: 3, devices: vec![1], ..ImageSpec::efi(0x1002, 0x1900) });
        let at = usize::from(u16_at(&image, 0x18).unwrap());
        let list = at + usize::from(u16_at(&image, at + 8).unwrap());
        image[list..].fill(0x11);
        image.extend([0x11; 512]);
        let pcir =
            DataStructure::parse(&image, 0, u16_at(&image, 0x18).unwrap()).unwrap().within(image.len() - 512);
        assert_eq!(pcir.device_list().count(), (image.len() - 512 - list) / 2);
        assert!(!pcir.device_list().is_terminated());
    }

    #[test]
    fn a_list_pointer_behind_the_file_is_an_empty_list() {
        let mut image = built(ImageSpec { revision: 3, devices: vec![1], ..ImageSpec::efi(0x1002, 0x1900) });
        let at = usize::from(u16_at(&image, 0x18).unwrap());
        image[at + 8..at + 10].fill(0xff);
        assert_eq!(parse(&image).device_list().count(), 0);
    }

    #[test]
    fn errors_are_placed_in_the_file() {
        let image = [0u8; 64];
        assert_eq!(
            DataStructure::parse(&image, 0x400, 0x1c),
            Err(Error::StructureSignature { image: 0x400, offset: 0x41c, found: [0; 4] })
        );
        for pointer in [0x3e, 0xffff] {
            let error = DataStructure::parse(&image, 0x400, pointer).unwrap_err();
            assert_eq!(error.offset(), 0x400 + usize::from(pointer));
            assert!(matches!(error, Error::Truncated { needed: 0x18, .. }), "{error}");
        }
        let mut cut = built(ImageSpec::pc_at(1, 2));
        let at = u16_at(&cut, 0x18).unwrap();
        cut.truncate(usize::from(at) + 0x17);
        assert!(matches!(DataStructure::parse(&cut, 0, at), Err(Error::Truncated { available: 0x17, .. })));
    }

    #[test]
    fn names_are_what_forums_know() {
        assert_eq!(CodeType(0).to_string(), "0 (x86 PC-AT)");
        assert_eq!(CodeType(3).to_string(), "3 (EFI)");
        assert_eq!(CodeType(0xe0).to_string(), "e0 (NVIDIA extended)");
        assert_eq!(CodeType(4).to_string(), "4 (unknown)");
    }
}
