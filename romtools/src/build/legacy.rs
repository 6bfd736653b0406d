//! PC-AT images: those with a PCI Data Structure get the ids, those from before PCI get a structure.

use super::{Builder, Error, WHY, blocks, whole};
use crate::bytes::{array_at, u8_at, u16_at};
use crate::edit::Editor;
use crate::image::BLOCK;
use crate::{CodeType, Image, Signature};

impl Builder<'_> {
    pub(super) fn legacy_image(&self, part: usize, file: &[u8]) -> Result<Editor, Error> {
        match Image::parse(file, 0) {
            Ok(image) if image.code_type() == CodeType::X86_PC_AT => {
                padding_only(part, file, image.bytes().len())?;
                let mut editor = whole(part, &image)?;
                self.set_fields(&mut editor).map_err(|error| Error::Edit { part, error })?;
                Ok(editor)
            }
            Ok(image) => Err(Error::NotLegacy { part, code_type: image.code_type() }),
            Err(error) => {
                let signature = array_at(file, 0).and_then(Signature::from_bytes);
                if signature != Some(Signature::OptionRom) || file.len() < crate::header::LENGTH {
                    return Err(Error::NotAnImage { part, error });
                }
                self.isa_image(part, file)
            }
        }
    }

    fn set_fields(&self, editor: &mut Editor) -> Result<(), crate::edit::Error> {
        editor.set_vendor_id(self.vendor_id, WHY)?;
        editor.set_device_ids(&self.device_ids, WHY)?;
        if let Some(class) = self.class_code {
            editor.set_class_code(class, WHY)?;
        }
        if let Some(revision) = self.vendor_rom_revision {
            editor.set_vendor_rom_revision(revision, WHY)?;
        }
        // An assembler leaves it out.
        editor.correct_checksum(true)
    }

    /// A structure behind the code of an ISA ROM. Trailing zeros may be its data, so nothing is put there.
    fn isa_image(&self, part: usize, file: &[u8]) -> Result<Editor, Error> {
        let claimed = usize::from(u8_at(file, 2).unwrap_or_default()) * BLOCK;
        let code = &file[..claimed.min(file.len())];
        padding_only(part, file, code.len())?;
        match u16_at(file, 0x18).unwrap_or_default() {
            0 => {}
            found => return Err(Error::PointerOccupied { part, found }),
        }
        let code = if code.len() < crate::header::LENGTH { file } else { code };
        let at = code.len().next_multiple_of(4);
        let Ok(pointer) = u16::try_from(at) else {
            return Err(Error::PointerOutOfReach { part, length: code.len() });
        };
        let structure = self.structure(part, CodeType::X86_PC_AT, 0, 0)?.len();
        // One byte at the end for the checksum.
        let length = (at + structure + 1).max(claimed);
        let blocks = blocks(part, length)?;
        let most = usize::from(u8::MAX) * BLOCK;
        let size = u8::try_from(blocks).map_err(|_| Error::ImageTooLong { part, length, most })?;

        let mut image = code.to_vec();
        image[2] = size;
        image[0x18..0x1a].copy_from_slice(&pointer.to_le_bytes());
        image.resize(at, 0);
        image.extend(self.structure(part, CodeType::X86_PC_AT, blocks, blocks)?);
        image.resize(usize::from(blocks) * BLOCK, 0xff);
        let mut editor = Editor::new(image).map_err(|error| Error::NotAnImage { part, error })?;
        editor.correct_checksum(true).map_err(|error| Error::Edit { part, error })?;
        Ok(editor)
    }
}

/// Refuses a file that holds something behind its image.
fn padding_only(part: usize, file: &[u8], end: usize) -> Result<(), Error> {
    match file.get(end..) {
        Some([first, rest @ ..]) if rest.iter().any(|byte| byte != first) => {
            Err(Error::OtherData { part, offset: end })
        }
        _ => Ok(()),
    }
}
