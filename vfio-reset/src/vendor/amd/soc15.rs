//! Where the register blocks of a GPU since Vega are, and the registers that several families use.
//!
//! A register's address is the base of a segment of its block plus an offset, both in dwords. The
//! bases are fixed on Vega, and are told by the card itself since Navi ([`super::discovery`]).
//! Names and offsets: amdgpu `include/asic_reg/{mp,thm,nbio}/`, bases: `*_ip_offset.h`, Linux 6.12.

use crate::vendor::register::{Register, Window};

/// A register block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// The platform security processor (PSP).
    Mp0,
    /// The system management unit (SMU).
    Mp1,
    /// The interface to PCI Express, NBIF or NBIO.
    Nbio,
}

/// How many segments a block has at most.
pub const SEGMENTS: usize = 5;

/// The bases of the blocks' segments, in dwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bases {
    /// Of [`Block::Mp0`].
    pub mp0: [u32; SEGMENTS],
    /// Of [`Block::Mp1`].
    pub mp1: [u32; SEGMENTS],
    /// Of [`Block::Nbio`].
    pub nbio: [u32; SEGMENTS],
}

/// The bases of the first segments, which are the same on every card so far.
pub const STATIC: Bases =
    Bases { mp0: [0x1_6000, 0, 0, 0, 0], mp1: [0x1_6000, 0, 0, 0, 0], nbio: [0x0, 0x14, 0xd20, 0x1_0400, 0] };

/// A register of a block.
#[derive(Clone, Copy, Debug)]
pub struct Soc15 {
    name: &'static str,
    block: Block,
    segment: usize,
    dword: u32,
}

impl Soc15 {
    /// A register at an offset in a segment.
    #[must_use]
    pub const fn new(name: &'static str, block: Block, segment: usize, dword: u32) -> Self {
        Self { name, block, segment, dword }
    }

    /// The segment that it is in.
    #[must_use]
    pub const fn segment(self) -> usize {
        self.segment
    }

    /// The register of a card whose blocks are there.
    #[must_use]
    pub const fn at(self, bases: &Bases) -> Register {
        let block = match self.block {
            Block::Mp0 => &bases.mp0,
            Block::Mp1 => &bases.mp1,
            Block::Nbio => &bases.nbio,
        };
        // Bases are bounded where they are read, and tables here name segments that exist.
        Register::mmio(self.name, 4 * (block[self.segment] + self.dword))
    }
}

/// Answer of the PSP's secure part to a mode 1 reset.
pub const MP0_C2PMSG_33: Soc15 = Soc15::new("MP0_SMN_C2PMSG_33", Block::Mp0, 0, 0x61);
/// State of the PSP's boot loader.
pub const MP0_C2PMSG_35: Soc15 = Soc15::new("MP0_SMN_C2PMSG_35", Block::Mp0, 0, 0x63);
/// Commands to the PSP's secure part.
pub const MP0_C2PMSG_64: Soc15 = Soc15::new("MP0_SMN_C2PMSG_64", Block::Mp0, 0, 0x80);
/// Sign of life of the PSP's secure part.
pub const MP0_C2PMSG_81: Soc15 = Soc15::new("MP0_SMN_C2PMSG_81", Block::Mp0, 0, 0x91);
/// Argument of a message to the SMU's mailbox for debugging.
pub const MP1_C2PMSG_53: Soc15 = Soc15::new("MP1_SMN_C2PMSG_53", Block::Mp1, 0, 0x275);
/// Where the SMU's mailbox for debugging has its response.
pub const MP1_C2PMSG_54: Soc15 = Soc15::new("MP1_SMN_C2PMSG_54", Block::Mp1, 0, 0x276);
/// Message to the SMU's mailbox for debugging.
pub const MP1_C2PMSG_75: Soc15 = Soc15::new("MP1_SMN_C2PMSG_75", Block::Mp1, 0, 0x28b);
/// Message to the SMU.
pub const MP1_C2PMSG_66: Soc15 = Soc15::new("MP1_SMN_C2PMSG_66", Block::Mp1, 0, 0x282);
/// Argument of a message to the SMU, and its result.
pub const MP1_C2PMSG_82: Soc15 = Soc15::new("MP1_SMN_C2PMSG_82", Block::Mp1, 0, 0x292);
/// The SMU's answer to a message.
pub const MP1_C2PMSG_90: Soc15 = Soc15::new("MP1_SMN_C2PMSG_90", Block::Mp1, 0, 0x29a);
/// The size of video memory in MiB.
pub const CONFIG_MEMSIZE: Soc15 = Soc15::new("RCC_CONFIG_MEMSIZE", Block::Nbio, 2, 0xc3);
/// Control of BACO in the interface to PCI Express.
pub const BACO_CNTL: Soc15 = Soc15::new("BACO_CNTL", Block::Nbio, 2, 0x10b);
/// Whether the interface to PCI Express lets anyone at video memory.
pub const BIF_FB_EN: Soc15 = Soc15::new("BIF_FB_EN", Block::Nbio, 2, 0xff);
/// Doorbells.
pub const BIF_DOORBELL_CNTL: Soc15 = Soc15::new("BIF_DOORBELL_CNTL", Block::Nbio, 2, 0xfc);

/// The system management network, through the second index and data registers.
pub static SMN: Window = Window {
    space: "smn",
    index: Register::mmio("PCIE_INDEX2", 0x38),
    data: Register::mmio("PCIE_DATA2", 0x3c),
    read_back: true,
};

/// What driver and VBIOS tell each other: scratch registers that survive every reset but a power cycle.
pub mod scratch {
    use crate::vendor::register::{Field, Register};

    /// The VBIOS's state of displays, and whether the engine hangs.
    pub const BIOS_SCRATCH_3: Register = Register::mmio("BIOS_SCRATCH_3", 0x13c);
    /// Told to the VBIOS before a reset: the graphics engine hangs.
    pub const ENGINE_HUNG: Field = BIOS_SCRATCH_3.bit("ASIC_GUI_ENGINE_HUNG", 29);
    /// With 7, tells the next driver that the VBIOS has set the card up; 0 has it do that again.
    pub const BIOS_SCRATCH_6: Register = Register::mmio("BIOS_SCRATCH_6", 0x148);
    /// See [`BIOS_SCRATCH_6`].
    pub const BIOS_SCRATCH_7: Register = Register::mmio("BIOS_SCRATCH_7", 0x14c);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::register::Place;

    #[test]
    fn registers_are_where_the_headers_of_amdgpu_put_them() {
        for (register, byte) in [
            (MP0_C2PMSG_33, 0x5_8184),
            (MP0_C2PMSG_35, 0x5_818c),
            (MP0_C2PMSG_64, 0x5_8200),
            (MP0_C2PMSG_81, 0x5_8244),
            (MP1_C2PMSG_53, 0x5_89d4),
            (MP1_C2PMSG_54, 0x5_89d8),
            (MP1_C2PMSG_75, 0x5_8a2c),
            (MP1_C2PMSG_66, 0x5_8a08),
            (MP1_C2PMSG_82, 0x5_8a48),
            (MP1_C2PMSG_90, 0x5_8a68),
            (CONFIG_MEMSIZE, 0x378c),
            (BACO_CNTL, 0x38ac),
            (BIF_FB_EN, 0x387c),
            (BIF_DOORBELL_CNTL, 0x3870),
        ] {
            let register = register.at(&STATIC);
            assert_eq!(register.place, Place::Mmio { offset: byte }, "{register}");
        }
    }
}
