//! Polaris 10, 11 and 12: BACO (bus active, chip off) where the board can, else the reset register in
//! configuration space.
//!
//! Sources: gnif/vendor-reset 084881c, `polaris10_reset`; Linux 6.12 amdgpu `vi.c` (`vi_asic_pci_config_reset`)
//! and `pm/powerplay/hwmgr/polaris_baco.c`.

mod tables;

use super::table;
use super::{REMEDY, open};
use crate::vendor::device::Device;
use crate::vendor::family::{Family, Rank, Reach, Rehearsal};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{StepResult, Stop};
use crate::vendor::register::{Field, Register, Window};
use crate::vendor::sequence::ResetSequence;
use std::time::Duration;
use tables::baco;

/// The SMC's own registers, through the pair that is meant for drivers.
pub(super) static SMC: Window = Window {
    space: "smc",
    index: Register::mmio("SMC_IND_INDEX_11", 0x6b0),
    data: Register::mmio("SMC_IND_DATA_11", 0x6b4),
    read_back: false,
};

/// The SMC's clock is stopped.
const SMC_CLOCK_DISABLED: Field = SMC.register("SMC_SYSCON_CLOCK_CNTL_0", 0x8000_0004).bit("ck_disable", 0);
/// Where the SMC's program is.
const SMC_PROGRAM_COUNTER: Register = SMC.register("SMC_PC_C", 0x8000_0370);
/// Below it the SMC is still in its ROM: nobody has loaded its firmware.
const SMC_FIRMWARE: u32 = 0x2_0100;

/// The size of video memory in MiB.
pub(super) const CONFIG_MEMSIZE: Register = Register::mmio("CONFIG_MEMSIZE", 0x5428);
/// Told to the VBIOS before a reset: the graphics engine hangs.
const ENGINE_HUNG: Field = Register::mmio("BIOS_SCRATCH_3", 0x1730).bit("ASIC_GUI_ENGINE_HUNG", 29);
/// The board can switch the chip off: a strap for PowerXpress (PX).
const BACO_CAPABLE: Field = Register::mmio("CC_BIF_BX_FUSESTRAP0", 0x535c).bit("STRAP_BIF_PX_CAPABLE", 1);

/// A dword of configuration space that resets the chip when this is written to it.
const RESET_REGISTER: Register = Register::config("reset register", 0x7c);
/// What resets the chip.
const RESET_KEY: u32 = 0x39d5_e86b;
/// Nobody is to ask the chip anything so long.
const RESET_TIME: Duration = Duration::from_micros(100);
const RESET_PATIENCE: Patience = Patience::looks(100_000, Duration::from_micros(1));

/// The regulators need this long between off and on.
const OFF_TIME: Duration = Duration::from_millis(20);

/// A reset of a Polaris.
#[derive(Debug, Default)]
pub struct Polaris {
    /// By BACO, or else through configuration space.
    by_baco: bool,
    /// The engine is marked as hung.
    marked: bool,
    /// What BIF_FB_EN held, while the card is being switched off.
    framebuffer: Option<u32>,
}

impl Polaris {
    fn unmark(&mut self, device: &mut Device<'_>) -> StepResult {
        device.set(ENGINE_HUNG, 0)?;
        self.marked = false;
        Ok(())
    }
}

/// Writes the key to the reset register, and waits until the chip answers again.
pub(super) fn reset_by_configuration(device: &mut Device<'_>) -> StepResult {
    device.write(RESET_REGISTER, RESET_KEY)?;
    device.pause(RESET_TIME);
    Ok(())
}

/// The chip is back when the size of its memory can be read.
pub(super) fn wait_for_memory_size(device: &mut Device<'_>) -> StepResult {
    device.keep_decoding()?;
    device.wait(Condition::answers(CONFIG_MEMSIZE), RESET_PATIENCE).map(drop)
}

impl ResetSequence for Polaris {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        open(device)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        let stopped = device.get(SMC_CLOCK_DISABLED)? == 1;
        let program_counter = device.read_alive(SMC_PROGRAM_COUNTER)?;
        let why = match (stopped, program_counter) {
            (true, _) => "its clock is stopped".to_string(),
            (false, at) if at < SMC_FIRMWARE => format!("it is in its ROM, at {at:#x}"),
            _ => return Ok(()),
        };
        Err(Stop::NotNeeded(format!(
            "the SMC runs no firmware ({why}): no driver has started the card since its last reset"
        )))
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        self.marked = true;
        device.set(ENGINE_HUNG, 1)?;
        self.by_baco = device.get(BACO_CAPABLE)? == 1;
        Ok(())
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        if !self.by_baco {
            return reset_by_configuration(device);
        }
        if device.get(baco::MODE)? == 1 {
            return Ok(());
        }
        self.framebuffer = Some(device.read_alive(baco::FB_EN)?);
        for (title, table) in tables::BEFORE {
            table::run(device, title, table)?;
        }
        table::run(device, "switch the card off", tables::ENTER)?;
        self.framebuffer = None;
        Ok(())
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        if !self.by_baco {
            return wait_for_memory_size(device);
        }
        device.pause(OFF_TIME);
        table::run(device, "switch the card on", tables::EXIT)?;
        table::run(device, "have the next driver set the card up anew", tables::CLEAN)
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.read_alive(CONFIG_MEMSIZE)?;
        self.unmark(device)
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(framebuffer) = self.framebuffer {
            // Half off is worse than on; if that does not work either, the first failure says enough.
            if device.get(baco::POWER_OFF)? == 1 {
                let _ = table::run(device, "switch the card on", tables::EXIT);
            }
            device.write(baco::FB_EN, framebuffer)?;
        }
        if self.marked {
            self.unmark(device)?;
        }
        Ok(())
    }

    fn deed(&self) -> String {
        match self.by_baco {
            true => "switched off and on (BACO)".to_string(),
            false => "reset by the register in configuration space".to_string(),
        }
    }

    fn remedy(&self) -> String {
        REMEDY.to_string()
    }
}

/// Polaris 10, 11 and 12.
pub static POLARIS: Family = Family {
    name: "polaris",
    title: "AMD Polaris 10, 11 and 12 (Radeon RX 400 and 500)",
    deed: "switched off and on (BACO), or reset by a register in configuration space",
    source: "gnif/vendor-reset 084881c, polaris10_reset; Linux 6.12 amdgpu polaris_baco.c, vi.c",
    experimental: None,
    reach: Reach::Device,
    rank: Rank::BeforeBus,
    bars: &[super::MMIO],
    // Without BACO it is over in less than a millisecond.
    floors: &[],
    ceiling: Duration::from_secs(30),
    sequence: || Box::new(Polaris::default()),
    rehearsals: &[
        Rehearsal { title: "the board can switch the chip off", model: "polaris10_baco" },
        Rehearsal { title: "it cannot", model: "polaris10_config" },
        Rehearsal {
            title: "it can, and the chip does not let itself be switched off",
            model: "polaris10_stays_on",
        },
    ],
};
