//! Navi 10, 12 and 14: mode 1 by the PSP, with register bases that the card tells itself.
//!
//! Sources: gnif/vendor-reset 084881c, `navi10_reset`; Linux 6.12 amdgpu `psp_v11_0.c`.

use super::psp::{self, Asked, Psp};
use super::smu::{self, Answer, Mailbox, Message};
use super::soc15::{Bases, CONFIG_MEMSIZE, SMN, STATIC, scratch};
use super::{REMEDY, discovery, open};
use crate::vendor::device::{DECODING, Device, Found};
use crate::vendor::family::{Family, Rank, Reach, Rehearsal};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{StepResult, Stop};
use crate::vendor::register::{Field, Register};
use crate::vendor::sequence::{ResetSequence, Step};
use std::time::Duration;

/// The SMU's firmware takes messages.
const MP1_INTERRUPTS: Field = SMN.register("MP1_FIRMWARE_FLAGS", 0x03b1_0024).bit("INTERRUPTS_ENABLED", 0);
/// Resets the SMU while its bit 0 is set.
const MP1_PUB_CTRL: Register = SMN.register("MP1_PUB_CTRL", 0x03b1_0b14);

const DISALLOW_GFX_OFF: Message = Message::new("DisallowGfxOff", 0x2a);
const PREPARE_FOR_RESET: Message = Message::new("PrepareMp1ForReset", 0x33);

const LOOKS: Patience = Patience::looks(100_000, Duration::from_micros(1));

/// A reset of a Navi 10, 12 or 14.
#[derive(Debug)]
pub struct Navi1x {
    smu: Mailbox,
    psp: Psp,
    memory_size: Register,
    /// The SMU's firmware takes messages.
    smu_is_up: bool,
    /// The engine is marked as hung.
    marked: bool,
    /// The PSP was asked for the reset.
    asked: Option<Asked>,
}

impl Navi1x {
    /// A reset that has not begun.
    #[must_use]
    pub const fn new() -> Self {
        Self::with(&STATIC)
    }

    const fn with(bases: &Bases) -> Self {
        Self {
            smu: Mailbox::new(bases, smu::RECORDED),
            psp: Psp::new(bases),
            memory_size: CONFIG_MEMSIZE.at(bases),
            smu_is_up: false,
            marked: false,
            asked: None,
        }
    }

    /// An SMU that is up and does not answer is reset by itself, so that it can prepare for the reset of
    /// the card. Mode 1 works without.
    fn revive_smu(&self, device: &mut Device<'_>) -> StepResult {
        let came_back = device.group("reset the SMU", |device| {
            device.write(MP1_PUB_CTRL, 1)?;
            device.write(MP1_PUB_CTRL, 0)?;
            device.look_for(Condition::field(MP1_INTERRUPTS, 1), LOOKS)
        })?;
        if !matches!(came_back, Found::Yes(_)) || self.smu.ready(device)? != Answer::Done {
            device.note(
                "the SMU did not come back from its own reset; the reset of the card goes on without it",
            );
        }
        Ok(())
    }
}

impl Default for Navi1x {
    fn default() -> Self {
        Self::new()
    }
}

impl ResetSequence for Navi1x {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        open(device)?;
        *self = Self::with(&discovery::find_bases(device)?);
        Ok(())
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        let alive = self.psp.is_alive(device)?;
        self.smu_is_up = device.get(MP1_INTERRUPTS)? == 1;
        if !alive && !self.smu_is_up && self.psp.bootloader_is_ready(device)? {
            return Err(Stop::NotNeeded(
                "neither PSP nor SMU runs, and the boot loader waits: no driver has started the card since its last \
                 reset"
                    .to_string(),
            ));
        }
        Ok(())
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        device.write(scratch::BIOS_SCRATCH_6, 0)?;
        device.write(scratch::BIOS_SCRATCH_7, 0)?;
        if self.smu_is_up {
            if device.read_alive(self.smu.response)? != 1 {
                self.revive_smu(device)?;
            }
            self.smu.may(device, DISALLOW_GFX_OFF, 0)?;
            self.smu.may(device, PREPARE_FOR_RESET, 0)?;
        }
        self.marked = true;
        device.set(scratch::ENGINE_HUNG, 1)
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        if !self.psp.is_ready(device)? {
            // The recorded runs go on, as vendor-reset does; amdgpu gives up. A PSP that does nothing then is
            // found out afterwards.
            device.note(
                "the PSP does not say that it is ready for a command (C2PMSG_64); it is given all the same",
            );
        }
        self.asked = Some(self.psp.mode1_reset(device)?);
        Ok(())
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(asked) = self.asked {
            self.psp.wait_for_mode1(device, asked)?;
        }
        device.wait(Condition::answers(self.memory_size), LOOKS)?;
        self.psp.wait_for_bootloader(device)?;
        self.psp.must_be_stopped(device)
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.set(scratch::ENGINE_HUNG, 0)?;
        device.read_alive(self.memory_size).map(drop)
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.marked {
            device.set(scratch::ENGINE_HUNG, 0)?;
        }
        Ok(())
    }

    fn deed(&self) -> String {
        "mode 1 reset by the PSP".to_string()
    }

    fn remedy(&self) -> String {
        REMEDY.to_string()
    }
}

/// The SMU's own reset, two messages after it, each of which waits twice, mode 1, and the card's return.
const CEILING: Duration = smu::RECORDED
    .total
    .saturating_mul(5)
    .saturating_add(LOOKS.total.saturating_mul(2))
    .saturating_add(psp::CEILING)
    .saturating_add(DECODING.total.saturating_mul(2));

/// Navi 10, 12 and 14.
pub static NAVI1X: Family = Family {
    name: "navi1x",
    title: "AMD Navi 10, 12 and 14 (Radeon RX 5000)",
    deed: "mode 1 by the PSP",
    source: "gnif/vendor-reset 084881c, navi10_reset; Linux 6.12 amdgpu psp_v11_0.c",
    experimental: None,
    reach: Reach::Device,
    rank: Rank::BeforeBus,
    bars: &[super::MMIO],
    floors: &[(Step::Trigger, 500)],
    ceiling: CEILING,
    sequence: || Box::new(Navi1x::new()),
    rehearsals: &[
        Rehearsal { title: "PSP and SMU answer", model: "navi10" },
        Rehearsal { title: "the SMU runs and does not answer", model: "navi10_smu_silent" },
        Rehearsal { title: "the PSP does not acknowledge", model: "navi10_psp_silent" },
    ],
};
