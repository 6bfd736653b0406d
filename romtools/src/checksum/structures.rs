//! What in a PC-AT image is known to be in use: bytes that are read by somebody, and no place for a checksum.

use std::ops::Range;

use crate::expansion::Headers;
use crate::expansion::pxe::{IpxeHeader, UndiRomId};
use crate::nvidia::{Bit, Npde};
use crate::pcir::LENGTH_REVISION_0;
use crate::{CodeType, Image, atom};

/// The structures of an image, in its order; they may overlap and end behind it.
pub(super) fn of(image: &[u8]) -> Vec<Range<usize>> {
    let mut structures = Structures(Vec::new());
    if let Ok(image) = Image::parse(image, 0) {
        structures.of_the_standard(&image);
        if image.code_type() == CodeType::X86_PC_AT {
            structures.atom(&image);
        }
    }
    structures.expansion(image);
    structures.bit(image);
    structures.0.sort_unstable_by_key(|structure| structure.start);
    structures.0
}

struct Structures(Vec<Range<usize>>);

impl Structures {
    fn add(&mut self, offset: impl Into<usize>, length: impl Into<usize>) {
        let offset = offset.into();
        self.0.push(offset..offset.saturating_add(length.into()));
    }

    /// `PCIR`, its device list, and NVIDIA's extension.
    fn of_the_standard(&mut self, image: &Image<'_>) {
        let pcir = image.structure();
        self.add(pcir.pointer, pcir.length.max(LENGTH_REVISION_0));
        if pcir.has_device_list() {
            self.add(pcir.device_list_offset(), 2 * (pcir.device_list().count() + 1));
        }
        if let Some(npde) = image.npde() {
            self.add(pcir.extension_offset(), usize::from(npde.length).max(Npde::SHORTEST));
        }
    }

    /// What the header leads to: `$PnP` with the names that a BIOS shows, PXE's and iPXE's structures.
    fn expansion(&mut self, image: &[u8]) {
        for header in Headers::new(image) {
            self.add(header.offset, 16 * usize::from(header.length).max(2));
            for (pointer, name) in [
                (header.manufacturer_string, header.manufacturer_name()),
                (header.product_name_string, header.product_name()),
            ] {
                // With the zero that ends it.
                self.add(pointer, name.map_or(0, |name| name.len() + 1));
            }
        }
        if let Some(undi) = UndiRomId::parse(image) {
            self.add(undi.offset, undi.length);
        }
        if let Some(ipxe) = IpxeHeader::parse(image) {
            self.add(ipxe.offset, ipxe.length);
        }
    }

    /// NVIDIA's table, and what its tokens lead to.
    fn bit(&mut self, image: &[u8]) {
        let Some(bit) = Bit::find(image) else { return };
        let tokens = usize::from(bit.token_size) * usize::from(bit.token_entries);
        self.add(bit.offset, usize::from(bit.header_size) + tokens);
        for token in bit.tokens() {
            self.add(token.data_pointer, token.data_size);
        }
    }

    /// AMD's header and tables.
    fn atom(&mut self, image: &Image<'_>) {
        let Some(bios) = image.atom() else { return };
        self.add(bios.header().offset, bios.header().structure_size);
        for master in [bios.data_tables(), bios.command_tables()] {
            self.add(master.offset, atom::TableHeader::LENGTH + 2 * master.capacity());
            for table in master.tables() {
                self.add(table.offset, table.header.map_or(0, |header| header.structure_size));
            }
        }
    }
}
