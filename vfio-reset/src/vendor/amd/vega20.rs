//! Vega 20 (and MI100): mode 1 by the PSP; where the PSP does not do it, BACO by the SMU.
//!
//! Source: gnif/vendor-reset 084881c, `vega20_reset`. It marks the engine as hung at byte 0xc, a slip:
//! the register is BIOS_SCRATCH_3, at 0x13c.
//!
//! Two things are as in the recorded runs, which the writes are compared with, value by value, and not as
//! amdgpu does them. BIOS_SCRATCH_3 is written as a whole: amdgpu, and every other family here, changes bit 29
//! and leaves alone what the VBIOS noted of the displays. And after BACO the mark stays until the VBIOS sets
//! the card up anew. After a failure the register gets back what it held.
//!
//! The register bases of an MI100 are those of a Vega 20 for everything that is used here: Linux 6.12
//! `drivers/gpu/drm/amd/include/arct_ip_offset.h`, `MP0_BASE` and `MP1_BASE` 0x16000, `NBIF0_BASE` 0, 0x14, 0xd20,
//! 0x10400.

use super::psp::{self, Asked, Psp, not_started};
use super::smu::{self, Mailbox, Message};
use super::soc15::{BACO_CNTL, CONFIG_MEMSIZE, STATIC, scratch};
use super::{REMEDY, open};
use crate::vendor::device::{DECODING, Device};
use crate::vendor::family::{Family, Rank, Reach, Rehearsal};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{Failure, StepResult, Stop};
use crate::vendor::register::{Field, Register};
use crate::vendor::sequence::{ResetSequence, Step};
use std::time::Duration;

/// The chip is off.
const MODE: Field = BACO_CNTL.at(&STATIC).bit("BACO_MODE", 8);
/// BACO in the thermal block, segment base 0x16600, dword 0x81; bit 31 lets the SMU begin.
const THM_BACO_ALLOWED: Field = Register::mmio("THM_BACO_CNTL", 4 * (0x1_6600 + 0x81)).bit("bit 31", 31);

/// All-ones while the card is away.
const MEMORY_SIZE: Register = CONFIG_MEMSIZE.at(&STATIC);
const LOOKS: Patience = Patience::looks(100_000, Duration::from_micros(1));

const ENTER_BACO: Message = Message::new("EnterBaco", 0x25);
const EXIT_BACO: Message = Message::new("ExitBaco", 0x58);

/// The SMU answers before the chip is off or on.
const BACO_PATIENCE: Patience = Patience::looks(100_000, Duration::from_micros(1));

/// A reset of a Vega 20 or an MI100.
#[derive(Debug)]
pub struct Vega20 {
    smu: Mailbox,
    psp: Psp,
    /// The SMU's messages for BACO are known.
    has_baco: bool,
    /// The PSP was asked.
    asked: Option<Asked>,
    /// The PSP did not do it: BACO did.
    by_baco: bool,
    /// What BIOS_SCRATCH_3 held before the engine was marked as hung.
    before_mark: Option<u32>,
}

impl Vega20 {
    /// A reset of a Vega 20 that has not begun.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            smu: Mailbox::new(&STATIC, smu::RECORDED),
            psp: Psp::new(&STATIC),
            has_baco: true,
            asked: None,
            by_baco: false,
            before_mark: None,
        }
    }

    /// A reset of an MI100 (Arcturus) that has not begun: its SMU has other messages for BACO.
    #[must_use]
    pub const fn mi100() -> Self {
        Self { has_baco: false, ..Self::new() }
    }

    fn baco(&mut self, device: &mut Device<'_>) -> StepResult {
        self.by_baco = true;
        if device.get(MODE)? == 0 {
            device.set(THM_BACO_ALLOWED, 1)?;
            self.smu.must(device, ENTER_BACO, 0)?;
            device.wait(Condition::field(MODE, 1), BACO_PATIENCE)?;
        }
        self.smu.must(device, EXIT_BACO, 0)?;
        device.wait(Condition::field(MODE, 0), BACO_PATIENCE)?;
        device.prove("the chip was seen switched off, and on again (BACO_MODE)");
        Ok(())
    }

    /// What is tried when the PSP did not do it.
    fn instead(&mut self, device: &mut Device<'_>, why: &str, failure: Stop) -> StepResult {
        if !self.has_baco {
            return Err(failure);
        }
        device.note(format!("{why}; the card is switched off and on by the SMU instead (BACO)"));
        self.baco(device)
    }
}

impl Default for Vega20 {
    fn default() -> Self {
        Self::new()
    }
}

impl ResetSequence for Vega20 {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        open(device)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.psp.is_alive(device)? { Ok(()) } else { Err(not_started()) }
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        device.read_alive(MODE.register)?;
        device.read_alive(MEMORY_SIZE)?;
        self.before_mark = Some(device.read_alive(scratch::BIOS_SCRATCH_3)?);
        device.write(scratch::BIOS_SCRATCH_3, scratch::ENGINE_HUNG.bits(1))
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.psp.is_ready(device)? {
            self.asked = Some(self.psp.mode1_reset(device)?);
            return Ok(());
        }
        let failure = Failure::Unexpected("the PSP is not ready for a command (C2PMSG_64)".to_string());
        self.instead(device, "the PSP is not ready for a mode 1 reset", failure.into())
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(asked) = self.asked {
            match self.psp.wait_for_mode1(device, asked) {
                Ok(()) => {}
                Err(failure @ Stop::Failed(Failure::Timeout { .. } | Failure::NotReset(_))) => {
                    self.instead(device, "the PSP did not acknowledge the mode 1 reset", failure)?;
                }
                stopped => return stopped,
            }
        }
        device.keep_decoding()?;
        device.wait(Condition::answers(MEMORY_SIZE), LOOKS)?;
        match self.asked {
            Some(asked) if !self.by_baco => self.psp.wait_for_bootloader_if_shown(device, asked),
            _ => Ok(()),
        }
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.read_alive(MEMORY_SIZE)?;
        if self.by_baco {
            device.write(scratch::BIOS_SCRATCH_6, 0)?;
            device.write(scratch::BIOS_SCRATCH_7, 0)?;
        } else {
            device.write(scratch::BIOS_SCRATCH_3, 0)?;
        }
        device.read_alive(MEMORY_SIZE).map(drop)
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(before) = self.before_mark {
            device.read_alive(MEMORY_SIZE)?;
            device.write(scratch::BIOS_SCRATCH_3, before & !scratch::ENGINE_HUNG.mask)?;
        }
        Ok(())
    }

    fn deed(&self) -> String {
        let deed = match self.by_baco {
            true => "switched off and on by the SMU (BACO)",
            false => "mode 1 reset by the PSP",
        };
        deed.to_string()
    }

    fn remedy(&self) -> String {
        REMEDY.to_string()
    }
}

/// Mode 1 in vain, then BACO: two messages, each of which waits twice.
const CEILING: Duration = psp::CEILING
    .saturating_add(smu::RECORDED.total.saturating_mul(4))
    .saturating_add(BACO_PATIENCE.total.saturating_mul(2))
    .saturating_add(LOOKS.total)
    .saturating_add(DECODING.total.saturating_mul(3));

/// Vega 20.
pub static VEGA20: Family = Family {
    name: "vega20",
    title: "AMD Vega 20 (Radeon VII, Instinct MI50 and MI60)",
    deed: "mode 1 by the PSP; if that fails, switched off and on by the SMU (BACO)",
    source: "gnif/vendor-reset 084881c, vega20_reset",
    experimental: None,
    reach: Reach::Device,
    rank: Rank::BeforeBus,
    bars: &[super::MMIO],
    // BACO takes less than a millisecond.
    floors: &[],
    ceiling: CEILING,
    sequence: || Box::new(Vega20::new()),
    rehearsals: &[
        Rehearsal { title: "the PSP is ready", model: "vega20_mode1" },
        Rehearsal { title: "the PSP is not ready", model: "vega20_baco" },
        Rehearsal { title: "the PSP does not acknowledge", model: "vega20_psp_silent" },
        Rehearsal { title: "the PSP is not ready, and the SMU refuses", model: "vega20_refuses" },
    ],
};

/// MI100, which is reset like a Vega 20 as long as the PSP does it.
pub static MI100: Family = Family {
    name: "mi100",
    title: "AMD Instinct MI100 (Arcturus)",
    deed: "mode 1 by the PSP",
    source: "gnif/vendor-reset 084881c, vega20_reset, without its BACO, whose messages mean other things to this SMU",
    experimental: None,
    reach: Reach::Device,
    rank: Rank::BeforeBus,
    bars: &[super::MMIO],
    floors: &[(Step::Trigger, 500)],
    ceiling: CEILING,
    sequence: || Box::new(Vega20::mi100()),
    rehearsals: &[
        Rehearsal { title: "the PSP is ready", model: "mi100_mode1" },
        Rehearsal { title: "the PSP does not acknowledge", model: "mi100_psp_silent" },
    ],
};
