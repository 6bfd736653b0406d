//! The system management unit (SMU), which runs clocks, voltages and power states.
//!
//! It is asked through a mailbox: the answer is cleared, the argument and the message are written, and
//! the answer comes. Linux `drivers/gpu/drm/amd/pm/swsmu/smu_cmn.c`.

use super::soc15::{
    Bases, MP1_C2PMSG_53, MP1_C2PMSG_54, MP1_C2PMSG_66, MP1_C2PMSG_75, MP1_C2PMSG_82, MP1_C2PMSG_90,
};
use crate::vendor::device::{Device, Found};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{Failure, StepResult};
use crate::vendor::register::Register;
use std::fmt;
use std::time::Duration;

/// A mailbox of the SMU.
#[derive(Clone, Copy, Debug)]
pub struct Mailbox {
    /// Where the message is written.
    pub message: Register,
    /// Where the argument is written, and the result is read.
    pub argument: Register,
    /// Where the answer is.
    pub response: Register,
    /// How long an answer may take.
    pub patience: Patience,
}

/// A message. The same number means another thing on another family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub id: u32,
    /// What the driver calls it.
    pub name: &'static str,
}

impl Message {
    /// A message.
    #[must_use]
    pub const fn new(name: &'static str, id: u32) -> Self {
        Self { id, name }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#x})", self.name, self.id)
    }
}

/// What the SMU says to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Done,
    /// No answer came.
    None,
    /// The mailbox reads all-ones.
    Dead,
    /// Another answer; its number.
    Other(u32),
}

impl Answer {
    /// The answer's number when a message was done.
    const OK: u32 = 1;

    fn of(response: u32) -> Self {
        match response {
            Self::OK => Self::Done,
            0 => Self::None,
            u32::MAX => Self::Dead,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => write!(f, "1, done"),
            Self::None => write!(f, "nothing in time"),
            Self::Dead => write!(f, "all-ones: nobody is there"),
            Self::Other(0xff) => write!(f, "0xff, failed"),
            Self::Other(0xfe) => write!(f, "0xfe, unknown message"),
            Self::Other(0xfd) => write!(f, "0xfd, not allowed now"),
            Self::Other(0xfc) => write!(f, "0xfc, busy"),
            Self::Other(other) => write!(f, "{other:#x}"),
        }
    }
}

/// As long as the recorded runs wait: 100 ms, looked at every microsecond.
pub const RECORDED: Patience = Patience::looks(100_001, Duration::from_micros(1));
/// As long as amdgpu waits: 2 s (`__smu_cmn_poll_stat`).
pub const AMDGPU: Patience = Patience::looks(200_001, Duration::from_micros(10));

impl Mailbox {
    /// The mailbox of most families.
    #[must_use]
    pub const fn new(bases: &Bases, patience: Patience) -> Self {
        Self {
            message: MP1_C2PMSG_66.at(bases),
            argument: MP1_C2PMSG_82.at(bases),
            response: MP1_C2PMSG_90.at(bases),
            patience,
        }
    }

    /// The mailbox for debugging, which takes messages that the driver's does not know.
    #[must_use]
    pub const fn for_debugging(bases: &Bases) -> Self {
        Self {
            message: MP1_C2PMSG_75.at(bases),
            argument: MP1_C2PMSG_53.at(bases),
            response: MP1_C2PMSG_54.at(bases),
            patience: AMDGPU,
        }
    }

    /// Waits until the mailbox is free, and gives the answer to the message before.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn ready(&self, device: &mut Device<'_>) -> StepResult<Answer> {
        let found = device.look_for(Condition::not_zero(self.response), self.patience)?;
        Ok(Answer::of(match found {
            Found::Yes(response) | Found::No { last: response, .. } => response,
        }))
    }

    /// The answer as it is now.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn answer(&self, device: &mut Device<'_>) -> StepResult<Answer> {
        Ok(Answer::of(device.read(self.response)?))
    }

    /// Sends a message and waits for the answer.
    ///
    /// A mailbox that still has the refusal of another message in it is free. One that is empty has a
    /// message that nobody has answered: nothing is sent then.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn send(&self, device: &mut Device<'_>, message: Message, argument: u32) -> StepResult<Answer> {
        device.group(format!("SMU message {message}, argument {argument:#x}"), |device| {
            match self.ready(device)? {
                busy @ (Answer::None | Answer::Dead) => return Ok(busy),
                Answer::Done | Answer::Other(_) => {}
            }
            self.post(device, message, argument)?;
            self.ready(device)
        })
    }

    /// Writes a message to the mailbox, and does not wait.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn post(&self, device: &mut Device<'_>, message: Message, argument: u32) -> StepResult {
        device.write(self.response, 0)?;
        device.write(self.argument, argument)?;
        device.write(self.message, message.id)
    }

    /// Sends a message that must be done.
    ///
    /// # Errors
    /// [`Failure::Rejected`] with any other answer, [`Failure::Unanswered`] with none, [`Failure::Dead`] if nobody is
    /// there.
    pub fn must(&self, device: &mut Device<'_>, message: Message, argument: u32) -> StepResult {
        match self.send(device, message, argument)? {
            Answer::Done => Ok(()),
            answer => Err(self.rejected(message, answer).into()),
        }
    }

    /// Sends a message whose answer does not matter, and notes it.
    ///
    /// # Errors
    /// When the mailbox cannot be accessed.
    pub fn may(&self, device: &mut Device<'_>, message: Message, argument: u32) -> StepResult {
        let answer = self.send(device, message, argument)?;
        if answer != Answer::Done {
            device.note(format!(
                "the SMU answered message {message} with {answer}; the reset goes on without it"
            ));
        }
        Ok(())
    }

    /// A message that was not done.
    #[must_use]
    pub fn rejected(&self, message: Message, answer: Answer) -> Failure {
        let message = message.to_string();
        match answer {
            Answer::None => Failure::Unanswered { firmware: "SMU", message, within: self.patience.total },
            Answer::Dead => Failure::Dead { register: self.response },
            answer => Failure::Rejected { firmware: "SMU", message, answer: answer.to_string() },
        }
    }
}
