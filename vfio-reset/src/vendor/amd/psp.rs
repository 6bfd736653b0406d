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

/// Bits of the command mailbox that say that it is ready: bit 31, and no status.
const READY: (u32, u32) = (0x8000_ffff, 0x8000_0000);
/// The command to reset the card.
const MODE1_RESET: u32 = 0x0007_0000;
/// Set in the answer, and in the boot loader's state.
const DONE: u32 = 1 << 31;
/// The PSP is not to be asked anything meanwhile.
const MODE1_TIME: Duration = Duration::from_millis(500);
const LOOKS: Patience = Patience::looks(100_000, Duration::from_micros(1));

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
    /// When the mailbox cannot be accessed.
    pub fn mode1_reset(&self, device: &mut Device<'_>) -> StepResult {
        device.group("PSP command mode 1 reset", |device| device.write(self.command, MODE1_RESET))?;
        device.pause(MODE1_TIME);
        Ok(())
    }

    /// Waits until the PSP says that the card was reset. All-ones is no answer, and a card that has lost
    /// its configuration gets as much of it back as it needs to answer.
    ///
    /// # Errors
    /// When it does not say so in time.
    pub fn wait_for_mode1(&self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        let acknowledged = device.wait(Condition::bits(self.answer, DONE, DONE), LOOKS);
        explained(
            device,
            acknowledged,
            "the PSP did not acknowledge the reset: it may not have happened at all",
        )
    }

    /// Waits until the boot loader is ready for a driver: 10 s at most, 1.8 s are usual.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn wait_for_bootloader(&self, device: &mut Device<'_>) -> StepResult {
        let patience = Patience::looks(1_001, Duration::from_millis(10));
        let ready = device.wait(Condition::bits(self.bootloader, DONE, DONE), patience);
        explained(
            device,
            ready,
            "the card was reset, and its boot loader did not get ready: no driver can start it as it is",
        )
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
