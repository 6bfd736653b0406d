//! GPUs that the SMU resets when it is asked: mode 1 (the whole card) of Navi 2x and 3x, mode 2 (graphics
//! and DMA engines only) of APUs.
//!
//! One sequence; what differs is a table, [`Parameters`]. Sources, all of Linux 6.12 amdgpu:
//! `pm/powerplay/hwmgr/smu10_hwmgr.c`, `pm/swsmu/smu11/{sienna_cichlid,vangogh}_ppt.c`,
//! `pm/swsmu/smu12/renoir_ppt.c`, `pm/swsmu/smu13/{smu_v13_0_0,smu_v13_0_4,smu_v13_0_7,yellow_carp}_ppt.c`,
//! `pm/swsmu/smu14/smu_v14_0_0_ppt.c`; which mode for which chip: `soc15.c`, `nv.c`, `soc21.c`; the PSP's
//! mode 1 of Renoir: `psp_v12_0.c`.

mod families;

pub use families::*;

use super::psp::{self, Asked, Psp, not_started};
use super::smu::{self, Answer, Mailbox, Message};
use super::soc15::{Bases, CONFIG_MEMSIZE, STATIC, scratch};
use super::{REMEDY, discovery, open};
use crate::vendor::device::{DECODING, Device};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{Failure, StepResult, Stop};
use crate::vendor::register::Register;
use crate::vendor::sequence::ResetSequence;
use std::time::Duration;

/// What differs from family to family.
#[derive(Debug)]
pub struct Parameters {
    /// How much is reset.
    pub mode: Mode,
    /// The message that does it.
    pub message: Message,
    /// Its argument.
    pub argument: u32,
    /// How the message gets to the SMU.
    pub delivery: Delivery,
    /// How long the GPU must not be asked anything afterwards.
    pub settle: Duration,
    /// The lowest version of the SMU's firmware that knows the message.
    pub firmware: Option<u32>,
    /// The PSP can do mode 1 where the SMU cannot: its firmware is too old, or a guest's driver has halted it.
    /// True of PSP 11 and 12; later ones have no such command.
    pub psp_can: bool,
}

/// How a message gets to the SMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Through the driver's mailbox, and the SMU answers.
    Answered,
    /// Through the driver's mailbox; the SMU resets the GPU before it could answer.
    Unanswered,
    /// Through the mailbox for debugging, which knows neither "free" nor an answer. amdgpu writes argument,
    /// message and then the response, and waits for nothing (`__smu_cmn_send_debug_msg`).
    Debug,
}

/// How much is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The whole card. Configuration space may be gone afterwards.
    One,
    /// Graphics and DMA engines: memory, display and PSP go on.
    Two,
    /// The whole GPU by the PSP; mode 2 by the SMU if the PSP is not ready.
    OneByPsp,
}

/// Gives the version of the SMU's firmware; the same number on every SMU since 11.
const GET_VERSION: Message = Message::new("GetSmuVersion", 0x2);

/// How long a card that is back may take to answer.
const LOOKS: Patience = Patience::looks(100_000, Duration::from_micros(1));

/// A reset that the SMU does.
#[derive(Debug)]
pub struct SmuReset {
    parameters: &'static Parameters,
    psp: Psp,
    driver: Mailbox,
    debug: Mailbox,
    /// The size of video memory, which reads all-ones while the card is away.
    memory_size: Register,
    /// The PSP does it.
    by_psp: bool,
    /// The PSP was asked.
    asked: Option<Asked>,
    /// The engine is marked as hung.
    marked: bool,
}

/// The longest time that one of these sequences takes: a message for the version and one for the reset, each of
/// which waits twice; the PSP; and the card's return.
pub(super) const CEILING: Duration = smu::AMDGPU
    .total
    .saturating_mul(4)
    .saturating_add(psp::CEILING)
    .saturating_add(LOOKS.total)
    .saturating_add(DECODING.total.saturating_mul(3));

impl SmuReset {
    /// A reset that has not begun.
    #[must_use]
    pub const fn new(parameters: &'static Parameters) -> Self {
        Self::with(parameters, &STATIC)
    }

    const fn with(parameters: &'static Parameters, bases: &Bases) -> Self {
        Self {
            parameters,
            psp: Psp::new(bases),
            driver: Mailbox::new(bases, smu::AMDGPU),
            debug: Mailbox::for_debugging(bases),
            memory_size: CONFIG_MEMSIZE.at(bases),
            by_psp: false,
            asked: None,
            marked: false,
        }
    }

    /// A card tells where its register blocks are. An APU is not asked: its table lies in the host's memory,
    /// and the mailboxes of all of them are at the same place ([`families`]).
    fn find_blocks(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.parameters.mode != Mode::One {
            return Ok(());
        }
        *self = Self::with(self.parameters, &discovery::find_bases(device)?);
        Ok(())
    }

    /// The firmware must know the message: to an older one the number means another thing.
    fn check_firmware(&self, device: &mut Device<'_>, lowest: u32) -> StepResult {
        self.driver.must(device, GET_VERSION, 0)?;
        let version = device.read_alive(self.driver.argument)?;
        if version >= lowest {
            return Ok(());
        }
        Err(Stop::Refused(format!(
            "the SMU's firmware is {}, and {} is known from {} on",
            Version(version),
            self.parameters.message,
            Version(lowest)
        )))
    }

    /// Whether the SMU can be asked; if not, the PSP is asked instead, where it has a mode 1 and is ready.
    fn choose(&mut self, device: &mut Device<'_>) -> StepResult {
        let Some(lowest) = self.parameters.firmware else { return Ok(()) };
        let stop = match self.check_firmware(device, lowest) {
            Err(
                stop @ (Stop::Refused(_)
                | Stop::Failed(Failure::Unanswered { .. } | Failure::Rejected { .. })),
            ) if self.parameters.psp_can => stop,
            result => return result,
        };
        if !self.psp.is_ready(device)? {
            device.note("the PSP is not ready for a mode 1 reset either (C2PMSG_64)");
            return Err(stop);
        }
        let why = match stop {
            Stop::Failed(failure) => failure.to_string(),
            Stop::Refused(why) | Stop::NotNeeded(why) => why,
        };
        device.note(format!("{why}; the PSP is asked for mode 1 instead"));
        self.by_psp = true;
        Ok(())
    }

    fn ask(&self, device: &mut Device<'_>) -> StepResult {
        let &Parameters { delivery, message, argument, settle, .. } = self.parameters;
        let text = format!("SMU message {message}, argument {argument:#x}, without an answer");
        match delivery {
            Delivery::Answered => self.driver.must(device, message, argument)?,
            Delivery::Unanswered => {
                match self.driver.ready(device)? {
                    answer @ (Answer::Dead | Answer::None) => {
                        return Err(self.driver.rejected(message, answer).into());
                    }
                    Answer::Done | Answer::Other(_) => {}
                }
                device.group(text, |device| self.driver.post(device, message, argument))?;
            }
            Delivery::Debug => device.group(text, |device| {
                device.write(self.debug.argument, argument)?;
                device.write(self.debug.message, message.id)?;
                device.write(self.debug.response, 0)
            })?,
        }
        if !settle.is_zero() {
            device.pause(settle);
        }
        Ok(())
    }

    /// Mode 2 leaves memory, display, PSP and configuration alone, and nothing that is the same on every APU
    /// tells graphics that were reset from graphics that are idle. What is left is the SMU's word; to a message
    /// that need not be answered it may say nothing.
    fn look_at_answer(&self, device: &mut Device<'_>) -> StepResult {
        match self.driver.answer(device)? {
            Answer::Done => device.prove("the SMU says that it is done"),
            Answer::None => {}
            answer => return Err(self.driver.rejected(self.parameters.message, answer).into()),
        }
        Ok(())
    }
}

impl ResetSequence for SmuReset {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        open(device)?;
        device.read_alive(self.memory_size)?;
        self.find_blocks(device)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        // An APU's PSP was started by the firmware: its sign of life says nothing of the GPU.
        if self.parameters.mode == Mode::One && !self.psp.is_alive(device)? {
            return Err(not_started());
        }
        Ok(())
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        self.choose(device)?;
        if self.parameters.mode == Mode::One {
            device.set(scratch::ENGINE_HUNG, 1)?;
            self.marked = true;
        }
        Ok(())
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.parameters.mode == Mode::OneByPsp {
            self.by_psp = self.psp.is_ready(device)?;
            if !self.by_psp {
                device.note("the PSP is not ready for a mode 1 reset; the SMU is asked for mode 2 instead");
            }
        }
        if self.by_psp {
            self.asked = Some(self.psp.mode1_reset(device)?);
            return Ok(());
        }
        self.ask(device)
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(asked) = self.asked {
            self.psp.wait_for_mode1(device, asked)?;
        }
        device.keep_decoding()?;
        device.wait(Condition::answers(self.memory_size), LOOKS)?;
        if self.parameters.mode == Mode::One {
            self.psp.wait_for_bootloader(device)?;
            // The SMU's answer says that it took the message, not that the card was reset.
            return self.psp.must_be_stopped(device);
        }
        if self.asked.is_none() {
            self.look_at_answer(device)?;
        }
        Ok(())
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.read_alive(self.memory_size)?;
        if self.marked {
            device.set(scratch::ENGINE_HUNG, 0)?;
            device.read_alive(self.memory_size)?;
        }
        if self.parameters.mode != Mode::One && !self.by_psp {
            device.note(
                "mode 2 resets graphics and DMA engines only; memory, display and PSP hold what the guest left there",
            );
        }
        Ok(())
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.marked {
            device.set(scratch::ENGINE_HUNG, 0)?;
        }
        Ok(())
    }

    fn deed(&self) -> String {
        match self.parameters.mode {
            _ if self.by_psp => "mode 1 reset by the PSP".to_string(),
            Mode::One => "mode 1 reset by the SMU".to_string(),
            _ => "mode 2 reset by the SMU".to_string(),
        }
    }

    fn remedy(&self) -> String {
        REMEDY.to_string()
    }
}

/// A firmware's version in parts.
struct Version(u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [patch, minor, major, _] = self.0.to_le_bytes();
        write!(f, "{major}.{minor}.{patch}")
    }
}
