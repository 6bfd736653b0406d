//! What happened: every step with its time, what verification found, and what is next.

use crate::machine::LogLine;
use crate::method::MethodName;
use crate::plan::{StepName, Via};
use crate::vendor::Trace;
use pcicfg::Address;
use pcicfg::registers::FieldChange;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// How a reset went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The function.
    pub address: Address,
    /// The method.
    pub method: MethodName,
    /// Who did it.
    pub via: Via,
    /// How it ended.
    pub outcome: Outcome,
    /// What was done, with times.
    pub steps: Vec<StepReport>,
    /// What was compared afterwards.
    pub verification: Vec<Check>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
    /// What to do now, in plain words; empty when all is well.
    pub next: Vec<String>,
    /// What the kernel said meanwhile.
    pub kernel_log: Vec<LogLine>,
    /// Whether the reset was seen to reset anything, where the function is back.
    pub evidence: Option<Evidence>,
    /// Of a vendor sequence: every access.
    pub trace: Option<Trace>,
}

/// Whether a reset was seen to reset anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Whether it was; `None` where it cannot be seen, as after most resets by the kernel.
    pub reset_seen: Option<bool>,
    /// What shows it, or why nothing can.
    pub text: String,
}

/// How a reset ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, and everything is as before.
    Verified,
    /// A vendor sequence went through and everything is as before, but nothing shows that anything was
    /// reset.
    Unproven,
    /// The function is back, and something is not as before.
    Different,
    /// The function did not come back.
    Lost,
    /// The budget is over, and the kernel still waits for the function.
    KernelStillWaiting,
    /// Nothing was reset, because there is nothing to reset: no driver has started the device since its
    /// last reset.
    NotNeeded,
    /// Something changed between plan and reset, or the function does not answer: nothing was
    /// touched.
    NotTouched,
    /// The kernel knows no method that works; nothing was reset.
    NoMethod,
    /// The kernel or the machine failed in another way; whether anything was reset is not known.
    Failed,
}

impl Outcome {
    /// The exit code of the program.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Verified | Self::NotNeeded => 0,
            Self::Failed => 1,
            Self::NoMethod => 4,
            Self::Lost | Self::KernelStillWaiting | Self::NotTouched => 6,
            Self::Different | Self::Unproven => 7,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "reset, restored and verified",
            Self::Unproven => "asked for a reset, and nothing shows whether it happened; restored",
            Self::Different => "back, but not as before",
            Self::Lost => "did not come back",
            Self::KernelStillWaiting => "did not come back in time; the kernel is still waiting for it",
            Self::NotNeeded => "needs no reset, and nothing was reset",
            Self::NotTouched => "nothing was touched",
            Self::NoMethod => "nothing was reset: the method does not work",
            Self::Failed => "failed",
        })
    }
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// Which.
    pub name: StepName,
    /// What was done, or what came of it.
    pub text: String,
    /// How long it took.
    pub time: Duration,
    /// The shortest time it could take.
    pub floor: Duration,
    /// Whether it did what it should.
    pub ok: bool,
}

impl StepReport {
    /// How much longer it took than it had to.
    #[must_use]
    pub fn excess(&self) -> Duration {
        self.time.saturating_sub(self.floor)
    }
}

/// One thing that was compared with what was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The function.
    pub address: Address,
    /// What was compared: a register's name, `link speed`, …
    pub what: String,
    /// Where the register is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u16>,
    /// What it was before.
    pub expected: String,
    /// What it is now.
    pub found: String,
    /// Whether they agree.
    pub ok: bool,
    /// Of a register that does not: the flags and fields that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

impl Check {
    /// The fields in words, each after a comma: `, Bus Master -`; empty if the values say as much.
    #[must_use]
    pub fn changes(&self) -> String {
        match self.fields.as_slice() {
            [only] if only.address => String::new(),
            fields => fields.iter().map(|field| format!(", {field}")).collect(),
        }
    }
}

impl Report {
    /// The step of that name, if it was taken.
    #[must_use]
    pub fn step(&self, name: StepName) -> Option<&StepReport> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The comparisons that failed.
    pub fn differences(&self) -> impl Iterator<Item = &Check> {
        self.verification.iter().filter(|check| !check.ok)
    }

    /// The time all steps took together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.steps.iter().map(|step| step.time).sum()
    }
}
