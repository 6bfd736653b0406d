//! The platform security processor (PSP), which can reset the whole card: mode 1.
//!
//! Mode 1 needs neither the SMU nor a VBIOS. Configuration space may be gone afterwards. Linux
//! `drivers/gpu/drm/amd/amdgpu/psp_v11_0.c`, `psp_v11_0_mode1_reset`.

use super::soc15::{Bases, MP0_C2PMSG_33, MP0_C2PMSG_35, MP0_C2PMSG_64, MP0_C2PMSG_81};
use crate::vendor::device::{Device, Found};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{Failure, StepResult, Stop};
use crate::vendor::register::Register;
use std::time::Duration;

/// The mailboxes of the PSP.
#[derive(Clone, Copy, Debug)]
pub struct Psp {
    command: Register,
    answer: Register,
    bootloader: Register,
    sign_of_life: Register,
}

/// A mode 1 reset that the PSP was asked for, and what its mailboxes said before.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The answer was set already, from an earlier reset.
    is_answer_stale: bool,
    /// The secure part showed its sign of life.
    was_alive: bool,
    /// State of the boot loader.
    bootloader: u32,
}

/// Bits of the command mailbox that say that it is ready: bit 31, and no status.
const READY: (u32, u32) = (0x8000_ffff, 0x8000_0000);
/// Bits of the command mailbox that hold what came of a command; 0 is well.
const STATUS: u32 = 0xffff;
/// The command to reset the card.
const MODE1_RESET: u32 = 0x0007_0000;
/// Set in the answer, and in the boot loader's state.
const DONE: u32 = 1 << 31;
/// The PSP is not to be asked anything meanwhile.
const MODE1_TIME: Duration = Duration::from_millis(500);
const LOOKS: Patience = Patience::looks(100_000, Duration::from_micros(1));
const BOOT_LOOKS: Patience = Patience::looks(1_001, Duration::from_millis(10));
/// What it means that the boot loader does not get ready.
const NOT_BOOTED: &str =
    "the card was reset, and its boot loader did not get ready: no driver can start it as it is";

/// The longest time that the PSP is waited for before and after a mode 1 reset: sign of life, mailbox,
/// acknowledgement and boot loader.
pub const CEILING: Duration =
    LOOKS.total.saturating_mul(3).saturating_add(MODE1_TIME).saturating_add(BOOT_LOOKS.total);

impl Psp {
    /// The mailboxes of a card whose blocks are there.
    #[must_use]
    pub const fn new(bases: &Bases) -> Self {
        Self {
            command: MP0_C2PMSG_64.at(bases),
            answer: MP0_C2PMSG_33.at(bases),
            bootloader: MP0_C2PMSG_35.at(bases),
            sign_of_life: MP0_C2PMSG_81.at(bases),
        }
    }

    /// Waits until the PSP's secure part shows its sign of life, and gives whether it does. It shows
    /// none as long as no driver has started it.
    ///
    /// # Errors
    /// [`Failure::Dead`] if the register is all-ones all the time.
    pub fn is_alive(&self, device: &mut Device<'_>) -> StepResult<bool> {
        match device.look_for(Condition::not_zero(self.sign_of_life), LOOKS)? {
            Found::Yes(_) => Ok(true),
            Found::No { last: u32::MAX, .. } => Err(Failure::Dead { register: self.sign_of_life }.into()),
            Found::No { .. } => Ok(false),
        }
    }

    /// Waits until a command can be given, and gives whether it can.
    ///
    /// # Errors
    /// When the mailbox cannot be accessed.
    pub fn is_ready(&self, device: &mut Device<'_>) -> StepResult<bool> {
        let found = device.look_for(Condition::bits(self.command, READY.0, READY.1), LOOKS)?;
        Ok(matches!(found, Found::Yes(_)))
    }

    /// Whether the boot loader waits for a driver now.
    ///
    /// # Errors
    /// [`Failure::Dead`] if the register is all-ones.
    pub fn bootloader_is_ready(&self, device: &mut Device<'_>) -> StepResult<bool> {
        Ok(device.read_alive(self.bootloader)? & DONE != 0)
    }

    /// Has the PSP reset the card, and waits as long as it must not be asked.
    ///
    /// # Errors
    /// When the mailboxes cannot be accessed.
    pub fn mode1_reset(&self, device: &mut Device<'_>) -> StepResult<Asked> {
        let is_answer_stale = device.read_alive(self.answer)? & DONE != 0;
        let was_alive = !matches!(device.read(self.sign_of_life)?, 0 | u32::MAX);
        let bootloader = device.read_alive(self.bootloader)?;
        device.group("PSP command mode 1 reset", |device| device.write(self.command, MODE1_RESET))?;
        device.pause(MODE1_TIME);
        Ok(Asked { is_answer_stale, was_alive, bootloader })
    }

    /// Waits until the PSP says that the card was reset. All-ones is no answer, and a card that has lost
    /// its configuration gets as much of it back as it needs to answer.
    ///
    /// An answer that was there before the command says nothing: then a sign of life that was there must be gone.
    /// Where there was none, the command must have been taken, without a status that refuses it; only a mailbox that
    /// was cleared proves more, as one that is ready reads the same before and after.
    ///
    /// # Errors
    /// When it does not say so in time; [`Failure::NotReset`] when nothing has changed since the command.
    pub fn wait_for_mode1(&self, device: &mut Device<'_>, asked: Asked) -> StepResult {
        device.keep_decoding()?;
        let acknowledged = device.wait(Condition::bits(self.answer, DONE, DONE), LOOKS);
        explained(
            device,
            acknowledged,
            "the PSP did not acknowledge the reset: it may not have happened at all",
        )?;
        if !asked.is_answer_stale {
            device.prove("the PSP acknowledged it (C2PMSG_33)");
            return Ok(());
        }
        let sign_of_life = device.read_alive(self.sign_of_life)?;
        if asked.was_alive && sign_of_life == 0 {
            device.prove("the PSP has to be started anew (C2PMSG_81 is 0)");
            return Ok(());
        }
        let command = device.read_alive(self.command)?;
        if !asked.was_alive && command == 0 {
            device.prove("the PSP's command mailbox was cleared (C2PMSG_64 is 0)");
            return Ok(());
        }
        if !asked.was_alive && command != MODE1_RESET && command & STATUS == 0 {
            device.note(
                "the PSP's acknowledgement is an earlier reset's, and its mailbox is as before the command",
            );
            return Ok(());
        }
        Err(Failure::NotReset(format!(
            "the PSP's acknowledgement (C2PMSG_33) is an earlier reset's, its sign of life (C2PMSG_81) is \
             {sign_of_life:#x}, and its command mailbox (C2PMSG_64) reads {command:#010x}"
        ))
        .into())
    }

    /// As [`wait_for_bootloader`](Self::wait_for_bootloader), on cards whose recorded runs know nothing of the
    /// boot loader's state: a register that has read 0 before the reset and reads 0 all the time after it is
    /// noted only.
    ///
    /// # Errors
    /// When it does not get ready, and the register has said something else than 0.
    pub fn wait_for_bootloader_if_shown(&self, device: &mut Device<'_>, asked: Asked) -> StepResult {
        match device.look_for(Condition::bits(self.bootloader, DONE, DONE), BOOT_LOOKS)? {
            Found::Yes(_) => Ok(()),
            Found::No { last: u32::MAX, .. } => Err(Failure::Dead { register: self.bootloader }.into()),
            Found::No { last: 0, .. } if asked.bootloader == 0 => {
                device.note(
                    "the PSP's boot loader does not say whether it is ready (C2PMSG_35 is 0, as before the reset)",
                );
                Ok(())
            }
            Found::No { last, waited } => {
                device.note(NOT_BOOTED);
                let condition = Condition::bits(self.bootloader, DONE, DONE);
                Err(Failure::Timeout { condition, waited, last }.into())
            }
        }
    }

    /// Mode 1 stops the PSP's secure part, and nobody but a driver starts it: its sign of life must be gone.
    ///
    /// # Errors
    /// [`Failure::NotReset`] when it is not.
    pub fn must_be_stopped(&self, device: &mut Device<'_>) -> StepResult {
        let sign_of_life = device.read_alive(self.sign_of_life)?;
        if sign_of_life == 0 {
            device.prove("the PSP has to be started anew (C2PMSG_81 is 0)");
            return Ok(());
        }
        Err(Failure::NotReset(format!(
            "the PSP still shows the sign of life of before (C2PMSG_81 is {sign_of_life:#x})"
        ))
        .into())
    }

    /// Waits until the boot loader is ready for a driver: 10 s at most, 1.8 s are usual.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn wait_for_bootloader(&self, device: &mut Device<'_>) -> StepResult {
        let ready = device.wait(Condition::bits(self.bootloader, DONE, DONE), BOOT_LOOKS);
        explained(device, ready, NOT_BOOTED)
    }
}

/// Says what it means that a wait was in vain.
fn explained(device: &mut Device<'_>, result: StepResult<u32>, meaning: &str) -> StepResult {
    if matches!(result, Err(Stop::Failed(Failure::Timeout { .. }))) {
        device.note(meaning);
    }
    result.map(drop)
}

/// The PSP shows no sign of life: the card is as a reset leaves it.
pub(super) fn not_started() -> Stop {
    Stop::NotNeeded(
        "the PSP shows no sign of life (C2PMSG_81 is 0): no driver has started the card since its last reset"
            .to_string(),
    )
}
