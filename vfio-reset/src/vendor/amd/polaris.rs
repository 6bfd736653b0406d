//! Polaris 10, 11 and 12: BACO (bus active, chip off) where the board can, else the reset register in
//! configuration space.
//!
//! Sources: gnif/vendor-reset 084881c, `polaris10_reset`; Linux 6.12 amdgpu `vi.c` (`vi_asic_pci_config_reset`)
//! and `pm/powerplay/hwmgr/polaris_baco.c`.

mod tables;

use super::table;
use super::{REMEDY, open};
use crate::vendor::device::{DECODING, Device};
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

/// The longest time that a reset through configuration space takes.
pub(super) const CONFIGURATION_CEILING: Duration =
    RESET_TIME.saturating_add(RESET_PATIENCE.total).saturating_add(DECODING.total.saturating_mul(2));

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
    /// How many of the tables have begun, those before and the one that switches it off.
    begun: usize,
}

impl Polaris {
    /// Takes back what can be taken back of a card that was not switched off, and tells what stays.
    ///
    /// Video memory is opened only as long as nothing was done to what is behind it: memory that is held in
    /// reset, or whose clock stands, hangs whoever asks for it.
    fn take_back(&self, device: &mut Device<'_>, framebuffer: u32) -> StepResult {
        if self.begun > tables::BEFORE.len() {
            table::run(device, "take back the switching off", tables::BACK)?;
        }
        if self.begun > tables::STOP_PLLS_AT {
            device.note(
                "what was done before the card could be switched off stays: video memory is shut (BIF_FB_EN), in reset \
                 and without its clock, the pads are released; only switching the card off and on brings that back",
            );
            return Ok(());
        }
        if self.begun > tables::REJECT_REQUESTS_AT {
            table::run(device, "let requests to video memory in", tables::ACCEPT_REQUESTS)?;
            device.write(baco::FB_EN, framebuffer)?;
        }
        device.note("the pads that were released stay so, and what runs on the bus clock, until the VBIOS sets the card up anew");
        Ok(())
    }

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

/// Why the SMC runs no firmware, if it does not.
pub(super) fn idle_smc(
    device: &mut Device<'_>,
    clock_disabled: Field,
    program_counter: Register,
) -> StepResult<Option<String>> {
    let stopped = device.get(clock_disabled)? == 1;
    let at = device.read_alive(program_counter)?;
    Ok(match stopped {
        true => Some("its clock is stopped".to_string()),
        false => (at < SMC_FIRMWARE).then(|| format!("it is in its ROM, at {at:#x}")),
    })
}

/// After a reset through configuration space, which nothing acknowledges: an SMC that ran before and does
/// not any more was reset.
pub(super) fn look_at_smc(
    device: &mut Device<'_>,
    clock_disabled: Field,
    program_counter: Register,
) -> StepResult {
    if let Some(why) = idle_smc(device, clock_disabled, program_counter)? {
        device.prove(format!("the SMC runs no firmware any more ({why})"));
    }
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
        let Some(why) = idle_smc(device, SMC_CLOCK_DISABLED, SMC_PROGRAM_COUNTER)? else { return Ok(()) };
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
            self.begun += 1;
            table::run(device, title, table)?;
        }
        self.begun += 1;
        table::run(device, "switch the card off", tables::ENTER)?;
        self.framebuffer = None;
        Ok(())
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        if !self.by_baco {
            return wait_for_memory_size(device);
        }
        device.pause(OFF_TIME);
        device.keep_decoding()?;
        table::run(device, "switch the card on", tables::EXIT)?;
        device.prove("the chip was seen switched off, and on again (BACO_MODE)");
        table::run(device, "have the next driver set the card up anew", tables::CLEAN)
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.read_alive(CONFIG_MEMSIZE)?;
        if !self.by_baco {
            look_at_smc(device, SMC_CLOCK_DISABLED, SMC_PROGRAM_COUNTER)?;
        }
        self.unmark(device)?;
        device.read_alive(CONFIG_MEMSIZE).map(drop)
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(framebuffer) = self.framebuffer {
            if device.get(baco::POWER_OFF)? == 1 {
                // Half off is worse than on. Video memory stays shut, as after a reset that went well: it has
                // lost its settings. If this does not work either, the first failure says enough.
                let _ = table::run(device, "switch the card on", tables::EXIT);
                device.note("video memory stays shut (BIF_FB_EN) until the VBIOS sets the card up anew");
            } else {
                self.take_back(device, framebuffer)?;
            }
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

/// Everything that a way through BACO waits for, each wait in vain but for its last look.
const CEILING: Duration = {
    let mut time = OFF_TIME.saturating_add(DECODING.total.saturating_mul(2));
    let mut at = 0;
    while at < tables::BEFORE.len() {
        time = time.saturating_add(table::ceiling(tables::BEFORE[at].1));
        at += 1;
    }
    time.saturating_add(table::ceiling(tables::ENTER)).saturating_add(table::ceiling(tables::EXIT))
};

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
    ceiling: CEILING,
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
