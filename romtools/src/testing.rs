//! Images made by hand, for the tests: the smallest ROM that is right in every field.

pub(crate) mod atom;
pub(crate) mod pe;

use crate::checksum;
use crate::image::BLOCK;

/// Where the built images have their data structure: edk2's place, behind header and padding.
pub(crate) const PCIR: usize = 0x1c;

/// NVIDIA's extension, behind the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NpdeSpec {
    pub(crate) blocks: u16,
    pub(crate) last: bool,
}

/// What an image shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageSpec {
    pub(crate) code_type: u8,
    pub(crate) vendor_id: u16,
    pub(crate) device_id: u16,
    pub(crate) class: [u8; 3],
    pub(crate) revision: u8,
    pub(crate) devices: Vec<u16>,
    pub(crate) blocks: u16,
    pub(crate) run_time_blocks: u16,
    pub(crate) last: bool,
    pub(crate) npde: Option<NpdeSpec>,
    pub(crate) fill: u8,
    /// What an EFI image has at its image offset, 100h, as far as there is room.
    pub(crate) driver: Vec<u8>,
}

impl ImageSpec {
    /// A PC-AT image of two blocks that does not say "last".
    pub(crate) fn pc_at(vendor_id: u16, device_id: u16) -> Self {
        Self {
            code_type: 0,
            vendor_id,
            device_id,
            class: [3, 0, 0],
            revision: 0,
            devices: Vec::new(),
            blocks: 2,
            run_time_blocks: 0,
            last: false,
            npde: None,
            fill: 0x90,
            driver: Vec::new(),
        }
    }

    /// An uncompressed EFI driver for X64, likewise.
    pub(crate) fn efi(vendor_id: u16, device_id: u16) -> Self {
        let driver = pe::PeSpec::driver().build();
        Self { code_type: 3, revision: 3, driver, ..Self::pc_at(vendor_id, device_id) }
    }

    /// The bytes; a PC-AT image sums to zero. At least one block, also where `blocks` is 0.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut image = vec![self.fill; usize::from(self.blocks.max(1)) * BLOCK];
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        let [low, high] = self.blocks.to_le_bytes();
        put(0, &[0; PCIR]);
        put(0, &[0x55, 0xaa, low]);
        if self.code_type == 3 {
            put(3, &[high, 0xf1, 0x0e, 0, 0, 0x0b, 0, 0x64, 0x86, 0, 0]);
            put(0x16, &0x100u16.to_le_bytes());
            let room = usize::from(self.blocks.max(1)) * BLOCK - 0x100;
            put(0x100, &self.driver[..self.driver.len().min(room)]);
        } else {
            put(3, &[0xe9, 0x00, 0x01]);
        }
        put(0x18, &[PCIR as u8, 0]);

        let length: u8 = if self.revision >= 3 { 0x1c } else { 0x18 };
        let npde_at = (PCIR + usize::from(length)).next_multiple_of(16);
        let list_at = npde_at + 0x10;
        let [base, sub, interface] = self.class;
        put(PCIR, b"PCIR");
        put(PCIR + 4, &self.vendor_id.to_le_bytes());
        put(PCIR + 6, &self.device_id.to_le_bytes());
        let pointer = if self.devices.is_empty() { 0 } else { (list_at - PCIR) as u16 };
        put(PCIR + 8, &pointer.to_le_bytes());
        put(PCIR + 0x0a, &[length, 0, self.revision, interface, sub, base]);
        put(PCIR + 0x10, &self.blocks.to_le_bytes());
        put(PCIR + 0x12, &0x0420u16.to_le_bytes());
        put(PCIR + 0x14, &[self.code_type, if self.last { 0x80 } else { 0 }]);
        put(PCIR + 0x16, &self.run_time_blocks.to_le_bytes());
        if self.revision >= 3 {
            put(PCIR + 0x18, &[0; 4]);
        }
        if let Some(npde) = self.npde {
            put(npde_at, b"NPDE\x00\x01\x10\x00");
            put(npde_at + 8, &npde.blocks.to_le_bytes());
            put(npde_at + 10, &[if npde.last { 0x80 } else { 0 }, 1, 0, 0, 0, 0]);
        }
        for (i, id) in self.devices.iter().chain([&0]).enumerate() {
            put(list_at + 2 * i, &id.to_le_bytes());
        }
        if self.code_type == 0 {
            let end = image.len() - 1;
            image[end] = 0;
            image[end] = checksum::sum(&image).wrapping_neg();
        }
        image
    }
}

/// A driver for this processor, and padding up to `length`.
pub(crate) fn pe(machine: u16, subsystem: u16, length: usize) -> Vec<u8> {
    let mut file = pe::PeSpec { machine, subsystem, ..pe::PeSpec::driver() }.build();
    file.resize(length.max(file.len()), 0);
    file
}
