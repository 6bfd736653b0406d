//! The ATOM ROM header.

use crate::bytes::{array_at, u8_at, u16_at, u32_at};

/// Which of the two forms of tables a BIOS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Generation {
    /// Header revision 1.x: up to Polaris and Bristol Ridge.
    AtomBios,
    /// Header revision 2.x: Vega, Raven and newer.
    AtomFirmware,
}

impl Generation {
    /// The name that AMD's own files have.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AtomBios => "atombios",
            Self::AtomFirmware => "atomfirmware",
        }
    }
}

/// The ATOM ROM header, revisions 1.1, 2.1 to 2.3. What a longer one adds is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Where the header begins: the pointer at 48h.
    pub offset: u16,
    /// Structure size in bytes: 24h, 28h or 2Ch in real ROMs.
    pub structure_size: u16,
    /// Format revision: it decides the [`Generation`].
    pub format_revision: u8,
    /// Content revision.
    pub content_revision: u8,
    /// If the signature is `MOTA`, byte-swapped for PowerPC: `amdgpu` refuses it later on.
    pub is_byte_swapped: bool,
    /// BIOS run-time segment address: C000h, or 0 where no legacy BIOS is expected any more.
    pub bios_runtime_segment_address: u16,
    /// Protected mode info offset.
    pub protected_mode_info_offset: u16,
    /// Config filename offset: from which file AMD's tools built the BIOS.
    pub config_filename_offset: u16,
    /// CRC block offset.
    pub crc_block_offset: u16,
    /// BIOS boot-up message offset.
    pub bios_bootup_message_offset: u16,
    /// INT 10h offset.
    pub int10_offset: u16,
    /// PCI bus device initialization code.
    pub pci_bus_dev_init_code: u16,
    /// I/O base address.
    pub io_base_address: u16,
    /// Subsystem vendor id that the card shows.
    pub subsystem_vendor_id: u16,
    /// Subsystem id that the card shows.
    pub subsystem_id: u16,
    /// PCI info offset: where the PCI Data Structure is.
    pub pci_info_offset: u16,
    /// Master command table offset (in 2.x: master hardware function table).
    pub master_command_table_offset: u16,
    /// Master data table offset.
    pub master_data_table_offset: u16,
    /// PSP directory table offset, from structure size 28h on; 0 is none.
    pub psp_directory_table_offset: Option<u32>,
}

impl Header {
    /// Bytes that every revision has.
    const LENGTH: usize = 0x22;

    /// The header at `offset`; `None` if the image ends inside it, or it has not the signature.
    pub(super) fn parse(image: &[u8], offset: u16) -> Option<Self> {
        let bytes = image.get(usize::from(offset)..)?;
        let is_byte_swapped = match array_at(bytes, 4)? {
            [b'A', b'T', b'O', b'M'] => false,
            [b'M', b'O', b'T', b'A'] => true,
            _ => return None,
        };
        bytes.get(..Self::LENGTH)?;
        let word = |at| u16_at(bytes, at);
        let structure_size = word(0)?;
        Some(Self {
            offset,
            structure_size,
            format_revision: u8_at(bytes, 2)?,
            content_revision: u8_at(bytes, 3)?,
            is_byte_swapped,
            bios_runtime_segment_address: word(0x08)?,
            protected_mode_info_offset: word(0x0a)?,
            config_filename_offset: word(0x0c)?,
            crc_block_offset: word(0x0e)?,
            bios_bootup_message_offset: word(0x10)?,
            int10_offset: word(0x12)?,
            pci_bus_dev_init_code: word(0x14)?,
            io_base_address: word(0x16)?,
            subsystem_vendor_id: word(0x18)?,
            subsystem_id: word(0x1a)?,
            pci_info_offset: word(0x1c)?,
            master_command_table_offset: word(0x1e)?,
            master_data_table_offset: word(0x20)?,
            psp_directory_table_offset: (structure_size >= 0x28).then(|| u32_at(bytes, 0x24)).flatten(),
        })
    }

    /// Which form the tables have; `None` for a format revision that is not known.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        match self.format_revision {
            1 => Some(Generation::AtomBios),
            2 => Some(Generation::AtomFirmware),
            _ => None,
        }
    }
}
