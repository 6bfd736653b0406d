//! Room for a longer device list: whole blocks, where nothing that is pointed at moves.
//!
//! What looks like padding at the end of an image may be its data, so it is never used. An EFI
//! image gets a block in front of its PE file, which the header finds by an offset. Any other gets it behind its end.

use super::{Change, Editor, Error};
use crate::bytes::u16_at;
use crate::header::{EfiHeader, Header};
use crate::image::BLOCK;
use crate::pcir::LENGTH_REVISION_3;

/// Bytes of a revision 3 structure.
const STRUCTURE: usize = LENGTH_REVISION_3 as usize;

const WHY: &str = "room for the device list";
const NEWER: &str = "a device list needs revision 3";

impl Editor {
    /// Puts the list into new blocks, and where the structure is too old to point at it, a newer structure.
    pub(super) fn place_device_list(&mut self, list: &[u8], why: &'static str) -> Result<(), Error> {
        let image = self.image()?;
        if image.is_truncated() {
            return Err(Error::NoRoom { reason: "the image is cut short" });
        }
        let moves = image.structure().revision_3.is_none();
        if moves && image.npde().is_some() {
            return Err(Error::NoRoom { reason: "NVIDIA's extension is bound to a structure of revision 0" });
        }
        let old = usize::from(image.structure().pointer);
        // AMD's driver finds the structure by the ATOM header.
        let atom = image.atom().map(|atom| *atom.header());
        let atom = atom.filter(|header| usize::from(header.pci_info_offset) == old);
        let at = self.grow(if moves { STRUCTURE } else { 0 } + list.len())?;
        let (begin, list_at) = if moves { (at, at + STRUCTURE) } else { (old, at) };
        let reach = |to: usize| u16::try_from(to).map_err(|_| Error::OutOfReach { at: list_at });
        let (begin, list_pointer) = (reach(begin)?.to_le_bytes(), reach(list_at - begin)?.to_le_bytes());
        if moves {
            let newer = self.newer_structure(old, list_pointer).ok_or(Error::Overlap)?;
            self.put(at, &newer, "PCI Data Structure", NEWER);
            self.put(0x18, &begin, "Pointer to PCI Data Structure", NEWER);
            if let Some(header) = atom {
                self.put(usize::from(header.offset) + 0x1c, &begin, "ATOM PCI Info Offset", NEWER);
            }
        } else {
            self.put_in_structure(8, &list_pointer, "Device List Pointer", why)?;
        }
        self.put(list_at, list, "Device List", why);
        Ok(())
    }

    /// The structure at `at`, made one of revision 3.
    fn newer_structure(&self, at: usize, list_pointer: [u8; 2]) -> Option<[u8; STRUCTURE]> {
        let mut newer = [0; STRUCTURE];
        newer[..0x18].copy_from_slice(self.bytes.get(at..at + 0x18)?);
        newer[0x08..0x0a].copy_from_slice(&list_pointer);
        newer[0x0a..0x0d].copy_from_slice(&[STRUCTURE as u8, 0, 3]);
        let is_pc_at = matches!(self.image().ok()?.header(), Header::PcAt(_));
        // The maximum run-time image length: that of a PC-AT image is not known to be less.
        let run_time = if is_pc_at { [newer[0x10], newer[0x11]] } else { [0; 2] };
        newer[0x16..0x18].copy_from_slice(&run_time);
        Some(newer)
    }

    /// New blocks with room for `needed` bytes, on a 4-byte boundary; where that room begins.
    fn grow(&mut self, needed: usize) -> Result<usize, Error> {
        let image = self.image()?;
        let (length, header) = (image.length(), image.header());
        // Up to three bytes to the boundary, and one at the end for a checksum.
        let blocks = (needed + 4).div_ceil(BLOCK);
        let at = match header {
            Header::Efi(efi) => self.in_front_of_pe(&efi, blocks)?,
            _ => length,
        };
        self.set_length(length / BLOCK + blocks, WHY)?;
        match header {
            Header::Efi(efi) => {
                self.put_initialization_size(usize::from(efi.initialization_size) + blocks, false, WHY)?;
            }
            // What is not copied needs no room in the copy.
            Header::PcAt(pc_at) if usize::from(pc_at.initialization_size) * BLOCK >= length => {
                self.put_initialization_size(usize::from(pc_at.initialization_size) + blocks, true, WHY)?;
            }
            _ => {}
        }
        let new = vec![0xff; blocks * BLOCK];
        self.bytes.splice(at..at, new.iter().copied());
        self.changes.push(Change { offset: at, old: Vec::new(), new, field: "Image", why: WHY.into() });
        Ok(at.next_multiple_of(4))
    }

    /// Moves the start of the PE file by `blocks`; where it was.
    fn in_front_of_pe(&mut self, efi: &EfiHeader, blocks: usize) -> Result<usize, Error> {
        let at = usize::from(efi.image_offset);
        let image = self.image()?;
        let pcir = image.structure();
        let mut end = usize::from(pcir.pointer) + usize::from(pcir.length);
        if let Some(npde) = image.npde() {
            end = pcir.extension_offset() + usize::from(npde.length);
        }
        if end > at || at > self.bytes.len() {
            return Err(Error::NoRoom { reason: "the PCI Data Structure does not end before the PE file" });
        }
        // Whatever points behind `at` would point at something else.
        let others = [
            u16_at(&self.bytes, 0x1a).filter(|_| pcir.pointer >= 0x1c),
            pcir.revision_3.map(|r| r.configuration_utility_code_header),
            pcir.revision_3.map(|r| r.dmtf_clp_entry_point),
        ];
        if others.into_iter().flatten().any(|pointer| usize::from(pointer) >= at) {
            return Err(Error::NoRoom {
                reason: "the header points at something behind the PE file's start",
            });
        }
        let offset = u16::try_from(at + blocks * BLOCK)
            .map_err(|_| Error::NoRoom { reason: "the EFI image offset has 16 bits" })?;
        self.put(0x16, &offset.to_le_bytes(), "EFI Image Offset", WHY);
        Ok(at)
    }
}
