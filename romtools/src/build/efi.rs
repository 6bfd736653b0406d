//! EFI images: header, structure, device list, PE file, padding.

use super::{Builder, Error, blocks};
use crate::CodeType;
use crate::compression::{self, Variant};
use crate::edit::Editor;
use crate::header::{Compression, EfiHeader};
use crate::image::BLOCK;
use crate::pe::Pe;

/// Where the structure is: behind the header, on a 4-byte boundary.
const STRUCTURE: usize = 0x1c;

impl Builder<'_> {
    pub(super) fn efi_image(&self, part: usize, file: &[u8], compress: bool) -> Result<Editor, Error> {
        let pe = Pe::parse(file).ok_or(Error::NotPe { part })?;
        let (machine, subsystem) = (pe.machine, pe.subsystem);
        if !subsystem.is_driver() {
            return Err(Error::NotADriver { part, subsystem: subsystem.0 });
        }
        // Its length does not depend on what it says.
        let structure = self.structure(part, CodeType::EFI, 0, 0)?.len();
        let image_offset = (STRUCTURE + structure).next_multiple_of(8);
        let offset = u16::try_from(image_offset).map_err(|_| Error::Edit {
            part,
            error: crate::edit::Error::NoRoom { reason: "the EFI image offset has 16 bits" },
        })?;
        let stored = if compress {
            compression::compress(file, Variant::Uefi).map_err(|error| Error::Compression { part, error })?
        } else {
            file.to_vec()
        };
        let compression = if compress { Compression::UEFI } else { Compression::NONE };
        let blocks = blocks(part, image_offset + stored.len())?;

        let mut image = Vec::with_capacity(usize::from(blocks) * BLOCK);
        image.extend([0x55, 0xaa]);
        image.extend(blocks.to_le_bytes());
        image.extend(EfiHeader::SIGNATURE.to_le_bytes());
        image.extend(subsystem.0.to_le_bytes());
        image.extend(machine.0.to_le_bytes());
        image.extend(compression.0.to_le_bytes());
        image.extend([0; 8]);
        image.extend(offset.to_le_bytes());
        image.extend((STRUCTURE as u16).to_le_bytes());
        image.resize(STRUCTURE, 0);
        image.extend(self.structure(part, CodeType::EFI, blocks, 0)?);
        image.resize(image_offset, 0);
        image.extend(stored);
        image.resize(usize::from(blocks) * BLOCK, 0xff);
        Editor::new(image).map_err(|error| Error::NotAnImage { part, error })
    }
}
