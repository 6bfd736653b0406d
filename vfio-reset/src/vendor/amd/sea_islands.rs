//! Bonaire and Hawaii (Sea Islands): the reset register in configuration space, as QEMU does it.
//!
//! The SMC is stopped afterwards. A reset that leaves it running leaves it on the state of before. Source:
//! QEMU 7.2 `hw/vfio/pci-quirks.c`, `vfio_radeon_reset`.

use super::polaris::{CONFIG_MEMSIZE, idle_smc, look_at_smc, reset_by_configuration, wait_for_memory_size};
use super::{MMIO, REMEDY, open, polaris};
use crate::vendor::device::Device;
use crate::vendor::family::{Family, Rank, Reach, Rehearsal};
use crate::vendor::outcome::{StepResult, Stop};
use crate::vendor::register::{Field, Register, Window};
use crate::vendor::sequence::ResetSequence;

/// The SMC's space.
static SMC: Window = Window {
    space: "smc",
    index: Register::mmio("SMC_IND_INDEX_0", 0x200),
    data: Register::mmio("SMC_IND_DATA_0", 0x204),
    read_back: false,
};

const SMC_RESET: Field = SMC.register("SMC_SYSCON_RESET_CNTL", 0x8000_0000).bit("rst_reg", 0);
const SMC_CLOCK_DISABLED: Field = SMC.register("SMC_SYSCON_CLOCK_CNTL_0", 0x8000_0004).bit("ck_disable", 0);
const SMC_PROGRAM_COUNTER: Register = SMC.register("SMC_PC_C", 0x8000_0370);
/// With the fuse: whether the reset is of graphics alone, or of the audio function too.
const GFX_ONLY: Field = SMC.register("0xc0000010", 0xc000_0010).bit("bit 1", 1);
const GFX_ONLY_FUSE: Field = SMC.register("0xc00c0000", 0xc00c_0000).bit("bit 6", 6);

/// A reset of a Bonaire or a Hawaii.
#[derive(Debug, Default)]
pub struct SeaIslands;

impl ResetSequence for SeaIslands {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        open(device)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        let Some(why) = idle_smc(device, SMC_CLOCK_DISABLED, SMC_PROGRAM_COUNTER)? else { return Ok(()) };
        Err(Stop::NotNeeded(format!(
            "the SMC runs no firmware ({why}): no driver has started the card since its last reset"
        )))
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        // The two must differ: then graphics alone are reset.
        let fuse = device.get(GFX_ONLY_FUSE)?;
        let now = device.get(GFX_ONLY)?;
        if now == fuse { device.set(GFX_ONLY, 1 - now) } else { Ok(()) }
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        reset_by_configuration(device)
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        wait_for_memory_size(device)
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.read_alive(CONFIG_MEMSIZE)?;
        look_at_smc(device, SMC_CLOCK_DISABLED, SMC_PROGRAM_COUNTER)?;
        device.set(SMC_RESET, 1)?;
        device.set(SMC_CLOCK_DISABLED, 1)?;
        device.read_alive(CONFIG_MEMSIZE).map(drop)
    }

    fn deed(&self) -> String {
        "reset by the register in configuration space, the SMC stopped".to_string()
    }

    fn remedy(&self) -> String {
        REMEDY.to_string()
    }
}

/// Bonaire and Hawaii.
pub static SEA_ISLANDS: Family = Family {
    name: "sea-islands",
    title: "AMD Bonaire and Hawaii (Radeon R7 260, R9 290, 390)",
    deed: "reset by a register in configuration space, then the SMC is stopped",
    source: "QEMU 7.2 hw/vfio/pci-quirks.c, vfio_radeon_reset",
    experimental: Some("taken from QEMU, and neither recorded nor tried on a card by us"),
    reach: Reach::Device,
    rank: Rank::BeforeBus,
    bars: &[MMIO],
    floors: &[],
    ceiling: polaris::CONFIGURATION_CEILING,
    sequence: || Box::new(SeaIslands),
    rehearsals: &[Rehearsal { title: "the SMC runs", model: "hawaii" }],
};
