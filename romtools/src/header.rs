//! The fields at the start of an image, which depend on its code type.
//!
//! All images share the signature at 00h and the pointer to the PCI Data Structure at 18h. What lies
//! between is the PC-AT's entry point, EFI's description of a PE file, or Open Firmware's pointer to
//! its program (PCI Firmware Specification 3.3, section 5.1; UEFI 2.10, section 14.4.2).
//!
//! ```
//! use romtools::{CodeType, Header};
//!
//! let mut image = [0u8; 0x1a];
//! image[..0x0e].copy_from_slice(b"\x55\xaa\x8a\x00\xf1\x0e\x00\x00\x0b\x00\x64\x86\x01\x00");
//! image[0x16] = 0x58;
//! let Some(Header::Efi(efi)) = Header::parse(&image, CodeType::EFI) else { panic!() };
//! assert!(efi.has_signature());
//! assert_eq!((efi.machine.name(), efi.image_offset), (Some("X64"), 0x58));
//! ```

use std::fmt;

use crate::bytes::{array_at, u8_at, u16_at, u32_at};
use crate::{CodeType, expansion};

/// Bytes that every image begins with: up to and including the pointer at 18h.
pub const LENGTH: usize = 0x1a;

/// The header fields of one code type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Header {
    /// Code type 0.
    PcAt(PcAtHeader),
    /// Code type 1.
    OpenFirmware(OpenFirmwareHeader),
    /// Code type 3.
    Efi(EfiHeader),
    /// Any other: nothing is known between the signature and the pointer at 18h.
    Opaque,
}

impl Header {
    /// Reads the header of an image with this code type; `None` if `image` has less than [`LENGTH`] bytes.
    #[must_use]
    pub fn parse(image: &[u8], code_type: CodeType) -> Option<Self> {
        let header = image.get(..LENGTH)?;
        Some(match code_type {
            CodeType::X86_PC_AT => Self::PcAt(PcAtHeader::parse(header)?),
            CodeType::OPEN_FIRMWARE => {
                Self::OpenFirmware(OpenFirmwareHeader { fcode_offset: u16_at(header, 2)? })
            }
            CodeType::EFI => Self::Efi(EfiHeader::parse(header)?),
            _ => Self::Opaque,
        })
    }
}

/// The header of a PC-AT image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PcAtHeader {
    /// Initialization Size in 512-byte units. The ROM's own code may lower it at run time, so a
    /// shadow can differ from the flash here.
    pub initialization_size: u8,
    /// The entry point for INIT at 03h, usually a jump: three bytes of code.
    pub entry_point: [u8; 3],
    /// The word at 1Ah: the first expansion header, but only if it leads to `$PnP`. Two in three
    /// ROMs have their own code or data here.
    pub expansion_header_pointer: Option<u16>,
}

impl PcAtHeader {
    fn parse(header: &[u8]) -> Option<Self> {
        Some(Self {
            initialization_size: u8_at(header, 2)?,
            entry_point: array_at(header, 3)?,
            expansion_header_pointer: None,
        })
    }

    /// Looks behind the common header, for the pointer that only counts where it leads to `$PnP`.
    pub(crate) fn with_expansion(mut self, image: &[u8]) -> Self {
        self.expansion_header_pointer = expansion::first(image);
        self
    }
}

/// The header of an Open Firmware image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFirmwareHeader {
    /// Pointer to the FCode program at 02h, from the start of the image.
    pub fcode_offset: u16,
}

/// The header of an EFI image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfiHeader {
    /// Initialization Size in 512-byte units; at most the image length, and mostly equal to it.
    pub initialization_size: u16,
    /// 00000EF1h.
    pub signature: u32,
    /// Subsystem of the PE file.
    pub subsystem: Subsystem,
    /// Machine type of the PE file.
    pub machine: Machine,
    /// Compression of the PE file.
    pub compression: Compression,
    /// Where the PE file, or its compressed form, begins, from the start of the image.
    pub image_offset: u16,
}

impl EfiHeader {
    /// The EFI signature at 04h.
    pub const SIGNATURE: u32 = 0x0000_0ef1;

    fn parse(header: &[u8]) -> Option<Self> {
        Some(Self {
            initialization_size: u16_at(header, 2)?,
            signature: u32_at(header, 4)?,
            subsystem: Subsystem(u16_at(header, 8)?),
            machine: Machine(u16_at(header, 0x0a)?),
            compression: Compression(u16_at(header, 0x0c)?),
            image_offset: u16_at(header, 0x16)?,
        })
    }

    /// If the signature is [`EfiHeader::SIGNATURE`]: firmware skips the image otherwise.
    #[must_use]
    pub fn has_signature(&self) -> bool {
        self.signature == Self::SIGNATURE
    }
}

/// Subsystem of a PE file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subsystem(pub u16);

impl Subsystem {
    /// A short name, `None` for an unknown one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0a => "Application",
            0x0b => "Boot",
            0x0c => "Runtime",
            _ => return None,
        })
    }

    /// If firmware starts it: a boot service or run-time driver, not an application.
    #[must_use]
    pub fn is_driver(self) -> bool {
        matches!(self.0, 0x0b | 0x0c)
    }
}

/// Machine type of a PE file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Machine(pub u16);

impl Machine {
    /// x86 with 64 bits: what nearly all guests are.
    pub const X64: Self = Self(0x8664);
    /// EFI byte code, which any UEFI firmware runs.
    pub const EBC: Self = Self(0x0ebc);

    /// A short name, `None` for an unknown one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x014c => "IA32",
            0x0200 => "IA64",
            0x0ebc => "EBC",
            0x8664 => "X64",
            0x01c2 => "ARM",
            0xaa64 => "ARM64",
            0x5032 => "RISC-V 32",
            0x5064 => "RISC-V 64",
            0x5128 => "RISC-V 128",
            0x6232 => "LoongArch 32",
            0x6264 => "LoongArch 64",
            _ => return None,
        })
    }
}

/// `X64`, or `machine 1234h`.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "machine {:x}h", self.0),
        }
    }
}

/// How the PE file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Compression(pub u16);

impl Compression {
    /// As it is.
    pub const NONE: Self = Self(0);
    /// The UEFI compression algorithm.
    pub const UEFI: Self = Self(1);

    /// A short name, `None` for a reserved value, which firmware refuses.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "none",
            Self::UEFI => "UEFI",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ImageSpec;

    #[test]
    fn each_code_type_has_its_own_fields() {
        let pc_at = ImageSpec::pc_at(1, 2).build();
        let Some(Header::PcAt(header)) = Header::parse(&pc_at, CodeType::X86_PC_AT) else { panic!() };
        assert_eq!(usize::from(header.initialization_size) * 512, pc_at.len());
        assert_eq!(header.entry_point[0], 0xe9);

        let efi = ImageSpec::efi(1, 2).build();
        let Some(Header::Efi(header)) = Header::parse(&efi, CodeType::EFI) else { panic!() };
        assert!(header.has_signature() && header.subsystem.is_driver());
        assert_eq!(header.compression.name(), Some("none"));

        let mut fcode = [0u8; LENGTH];
        fcode[2] = 0x34;
        assert_eq!(
            Header::parse(&fcode, CodeType::OPEN_FIRMWARE),
            Some(Header::OpenFirmware(OpenFirmwareHeader { fcode_offset: 0x34 }))
        );
        assert_eq!(Header::parse(&fcode, CodeType::HP_PA_RISC), Some(Header::Opaque));
        assert_eq!(Header::parse(&fcode[1..], CodeType::EFI), None);
    }

    #[test]
    fn the_word_at_1a_counts_only_if_it_leads_to_pnp() {
        let mut image = ImageSpec::pc_at(1, 2).build();
        image[0x1a] = 0x80;
        let header = |image: &[u8]| PcAtHeader::parse(image).unwrap().with_expansion(image);
        assert_eq!(header(&image).expansion_header_pointer, None);
        image[0x80..0x84].copy_from_slice(b"$PnP");
        assert_eq!(header(&image).expansion_header_pointer, Some(0x80));
        image[0x1a..0x1c].fill(0xff);
        assert_eq!(header(&image).expansion_header_pointer, None);
    }
}
