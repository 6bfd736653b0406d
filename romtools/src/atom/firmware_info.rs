//! The firmware information table, which every driver reads first.

use super::tables::TableHeader;
use crate::bytes::{u8_at, u16_at, u32_at};

/// What the card starts with. Fields that a revision does not have are `None`; voltages of 0 are not told.
///
/// Source: `ATOM_FIRMWARE_INFO` to `ATOM_FIRMWARE_INFO_V2_2` of `atombios.h`, and
/// `atom_firmware_info_v3_1` to `v3_5` of `atomfirmware.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirmwareInfo {
    /// The table's own header; the revision is 1.1 to 1.4, 2.1, 2.2, or 3.1 to 3.5.
    pub header: TableHeader,
    /// Firmware revision: the first four numbers of the version, a byte each.
    pub firmware_revision: u32,
    /// Boot-up engine clock (SCLK) in units of 10 kHz.
    pub bootup_engine_clock: Option<u32>,
    /// Boot-up memory clock (MCLK) in units of 10 kHz.
    pub bootup_memory_clock: Option<u32>,
    /// Firmware capability, 16 bits before revision 3.x.
    pub firmware_capability: u32,
    /// The dword address of the first BIOS scratch register, from 3.1 on.
    pub bios_scratch_register_start: Option<u32>,
    /// Boot-up voltage of the core (VDDC) in millivolts.
    pub bootup_vddc: Option<u16>,
    /// Boot-up voltage of the memory controller (VDDCI) in millivolts.
    pub bootup_vddci: Option<u16>,
    /// Boot-up voltage of the memory (MVDDC) in millivolts.
    pub bootup_mvddc: Option<u16>,
    /// Boot-up voltage of the graphics core (VDDGFX) in millivolts.
    pub bootup_vddgfx: Option<u16>,
    /// Which memory the board has.
    pub memory_module_id: u8,
    /// How it is cooled: 0 air, 1 liquid.
    pub cooling_solution_id: Option<u8>,
}

impl FirmwareInfo {
    /// Its number among the data tables.
    pub const INDEX: usize = 4;

    /// If the BIOS has run on this card: the bit is set in the copy that ran, not in the flash.
    #[must_use]
    pub fn is_posted(&self) -> bool {
        self.firmware_capability & 1 != 0
    }

    /// If the card can be split into virtual functions, by its BIOS (3.x).
    #[must_use]
    pub fn supports_gpu_virtualization(&self) -> bool {
        self.header.format_revision == 3 && self.firmware_capability & 2 != 0
    }

    /// Reads the table that `bytes` begin with; `None` if it is cut or has an unknown revision.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = TableHeader {
            structure_size: u16_at(bytes, 0)?,
            format_revision: u8_at(bytes, 2)?,
            content_revision: u8_at(bytes, 3)?,
        };
        match (header.format_revision, header.content_revision) {
            (1, 1..=4) | (2, 1..=2) => Self::legacy(bytes, header),
            (3, 1..=5) => Self::version_3(bytes, header),
            _ => None,
        }
    }

    fn legacy(bytes: &[u8], header: TableHeader) -> Option<Self> {
        let millivolts = |at, since| if since { voltage(bytes, at) } else { None };
        let is_2_2 = (header.format_revision, header.content_revision) == (2, 2);
        let has_vddc = header.format_revision == 2 || header.content_revision == 4;
        Some(Self {
            header,
            firmware_revision: u32_at(bytes, 0x04)?,
            bootup_engine_clock: Some(u32_at(bytes, 0x08)?),
            bootup_memory_clock: Some(u32_at(bytes, 0x0c)?),
            firmware_capability: u16_at(bytes, 0x50)?.into(),
            bios_scratch_register_start: None,
            bootup_vddc: millivolts(0x2e, has_vddc),
            bootup_vddci: millivolts(0x4e, is_2_2),
            bootup_mvddc: millivolts(0x5c, is_2_2),
            bootup_vddgfx: millivolts(0x5e, is_2_2),
            memory_module_id: u8_at(bytes, 0x58)?,
            cooling_solution_id: if is_2_2 { u8_at(bytes, 0x59) } else { None },
        })
    }

    fn version_3(bytes: &[u8], header: TableHeader) -> Option<Self> {
        // 3.5 has moved clocks and voltages elsewhere.
        let has_clocks = header.content_revision < 5;
        let clock = |at| if has_clocks { u32_at(bytes, at) } else { None };
        let millivolts = |at| if has_clocks { voltage(bytes, at) } else { None };
        Some(Self {
            header,
            firmware_revision: u32_at(bytes, 0x04)?,
            bootup_engine_clock: clock(0x08),
            bootup_memory_clock: clock(0x0c),
            firmware_capability: u32_at(bytes, 0x10)?,
            bios_scratch_register_start: Some(u32_at(bytes, 0x18)?),
            bootup_vddc: millivolts(0x1c),
            bootup_vddci: millivolts(0x1e),
            bootup_mvddc: millivolts(0x20),
            bootup_vddgfx: millivolts(0x22),
            memory_module_id: u8_at(bytes, 0x24)?,
            cooling_solution_id: Some(u8_at(bytes, 0x25)?),
        })
    }
}

fn voltage(bytes: &[u8], at: usize) -> Option<u16> {
    u16_at(bytes, at).filter(|&millivolts| millivolts != 0)
}
