//! How a sequence ends.

use super::operation::{Condition, Time};
use super::register::Register;
use super::sequence::Step;
use crate::error::Error;
use std::fmt;
use std::time::Duration;

/// How a sequence ended.
#[derive(Debug)]
pub enum Outcome {
    /// The sequence went through.
    Done {
        /// By what the device was reset.
        how: String,
        /// What shows that it was; without it nothing does.
        proof: Option<String>,
    },
    /// Nothing was reset, because there is nothing to reset: no driver has started the device since its
    /// last reset.
    NotNeeded {
        /// How that is known.
        why: String,
    },
    /// Nothing was reset, because this sequence is not for the device as it is.
    Refused {
        /// Why.
        why: String,
    },
    /// It did not work. Whether the device is usable is not known.
    Failed {
        /// In which step.
        step: Step,
        /// Why.
        failure: Failure,
        /// What is next.
        next: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { how, proof: Some(_) } => f.write_str(how),
            Self::Done { how, proof: None } => {
                write!(f, "{how}: asked for; nothing shows whether it happened")
            }
            Self::NotNeeded { why } | Self::Refused { why } => f.write_str(why),
            Self::Failed { step, failure, .. } => write!(f, "{failure} (in the step {step:?})"),
        }
    }
}

/// What a step gives.
pub type StepResult<T = ()> = Result<T, Stop>;

/// Why a sequence ends before its last step.
#[derive(Debug)]
pub enum Stop {
    /// There is nothing to reset; why.
    NotNeeded(String),
    /// It must not be done; why.
    Refused(String),
    /// It did not work.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(Failure::Access(error))
    }
}

/// Why a step did not work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody answers.
    #[error("{register} reads all-ones: nobody answers there")]
    Dead {
        /// Where it was asked.
        register: Register,
    },
    /// What was waited for did not come.
    #[error("waited {} until {condition}, in vain: it reads {last:#010x}", Time(*waited))]
    Timeout {
        /// What.
        condition: Condition,
        /// For how long.
        waited: Duration,
        /// What the register said last.
        last: u32,
    },
    /// A firmware refused a message.
    #[error("the {firmware} answered message {message} with {answer}")]
    Rejected {
        /// Which firmware.
        firmware: &'static str,
        /// The message.
        message: String,
        /// What it said.
        answer: String,
    },
    /// A firmware did not answer a message, or takes none.
    #[error(
        "the {firmware} did not answer message {message} within {}: it hangs, or its firmware is not running",
        Time(*within)
    )]
    Unanswered {
        /// Which firmware.
        firmware: &'static str,
        /// The message.
        message: String,
        /// In which time.
        within: Duration,
    },
    /// The time for the whole reset is over.
    #[error("the time budget was over before {condition}: it reads {last:#010x}")]
    Budget {
        /// What was waited for.
        condition: Condition,
        /// What the register said last.
        last: u32,
    },
    /// The device was asked to reset itself, and works on as before.
    #[error("nothing was reset: {0}")]
    NotReset(String),
    /// The device is not what the sequence is for.
    #[error("{0}")]
    Unexpected(String),
    /// The machine does not let us at the device.
    #[error(transparent)]
    Access(Error),
}
