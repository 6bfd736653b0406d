//! The trait that every vendor sequence implements; its provided methods are the standard's sequence.

use super::device::Device;
use super::outcome::{Failure, Outcome, StepResult, Stop};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The steps of a sequence, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Is the device what the sequence is for, and does it answer?
    Detect,
    /// Is there anything to reset, and may it be done now?
    Precheck,
    /// What must be true of the device before it is reset.
    Prepare,
    /// The reset begins.
    Trigger,
    /// The reset ends.
    Await,
    /// Was it reset, and is it usable?
    PostCheck,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Detect, Self::Precheck, Self::Prepare, Self::Trigger, Self::Await, Self::PostCheck];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Precheck => "precheck",
            Self::Prepare => "prepare",
            Self::Trigger => "trigger",
            Self::Await => "await",
            Self::PostCheck => "post-check",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a device of one family is reset.
///
/// The provided methods are a function level reset as the specification wants it (PCI Express Base
/// 6.0, 6.6.2), so a family shows only what is odd about it. Whoever drives a sequence
/// ([`crate::reset`]) has saved configuration space before, switched bus mastering off and memory
/// decoding on, and restores and verifies afterwards, also when a step fails.
pub trait ResetSequence {
    /// Is the device what the sequence is for, and does it answer? Changes nothing but index registers,
    /// without which there are no reads.
    ///
    /// # Errors
    /// When it does not answer, or is something else.
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        device.must_answer()
    }

    /// Is there anything to reset, and may it be done now? Changes nothing but index registers.
    ///
    /// # Errors
    /// [`Stop::NotNeeded`] or [`Stop::Refused`] with the reason.
    fn precheck(&mut self, _device: &mut Device<'_>) -> StepResult {
        Ok(())
    }

    /// Makes true what must be true of the device before it is reset, and asks its firmware what it can.
    ///
    /// # Errors
    /// When that cannot be had.
    fn prepare(&mut self, _device: &mut Device<'_>) -> StepResult {
        Ok(())
    }

    /// Begins the reset.
    ///
    /// # Errors
    /// When it cannot be begun.
    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        device.initiate_function_level_reset()
    }

    /// Waits until the reset is over.
    ///
    /// # Errors
    /// When that takes too long.
    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        device.wait_after_function_level_reset()
    }

    /// Was it reset, and is it usable? What shows that it was is told to the device
    /// ([`Device::prove`]), here or in the steps before; a sequence that goes through without is not
    /// reported as a reset.
    ///
    /// # Errors
    /// When it is not.
    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.must_answer()
    }

    /// After a failure: puts back what must not stay behind, as far as the device still listens.
    ///
    /// # Errors
    /// When that does not work either; the first failure is the one that counts.
    fn undo(&mut self, _device: &mut Device<'_>) -> StepResult {
        Ok(())
    }

    /// What was done to reset the device, for the sentence "reset: …".
    fn deed(&self) -> String {
        "function level reset".to_string()
    }

    /// What is next if a step fails.
    fn remedy(&self) -> String {
        "remove the device and rescan the bus, then suspend the host; if nothing helps, a power cycle is needed"
            .to_string()
    }
}

/// Takes one step.
///
/// # Errors
/// What stopped it.
pub fn take(sequence: &mut dyn ResetSequence, step: Step, device: &mut Device<'_>) -> StepResult {
    device.begin(step);
    match step {
        Step::Detect => sequence.detect(device),
        Step::Precheck => sequence.precheck(device),
        Step::Prepare => sequence.prepare(device),
        Step::Trigger => sequence.trigger(device),
        Step::Await => sequence.completion(device),
        Step::PostCheck => sequence.postcheck(device),
    }
}

/// After a failure: puts back what must not stay behind, as far as the device still listens. Whatever
/// comes of that, the failure is what counts.
pub fn undo(sequence: &mut dyn ResetSequence, device: &mut Device<'_>) {
    /// What it may take, beyond the budget.
    const TIME: Duration = Duration::from_secs(2);
    device.begin_undo(TIME);
    if sequence.undo(device).is_err() {
        device.note(
            "what the sequence had changed before could not be put back: the device does not listen any more",
        );
    }
}

/// What came of a sequence that `stop` has ended in `step`; without one it went through.
#[must_use]
pub fn conclude(sequence: &dyn ResetSequence, device: &Device<'_>, stop: Option<(Step, Stop)>) -> Outcome {
    match stop {
        None => Outcome::Done { how: sequence.deed(), proof: device.proof().map(str::to_string) },
        Some((_, Stop::NotNeeded(why))) => Outcome::NotNeeded { why },
        Some((_, Stop::Refused(why))) => Outcome::Refused { why },
        Some((step, Stop::Failed(failure))) => {
            let next = match &failure {
                Failure::Access(_) => "see to it that the device can be accessed, then try again".to_string(),
                Failure::Dead { .. } if step <= Step::Precheck => {
                    "the device did not answer before anything was tried: look at the port above it (`show`), and at the kernel log"
                        .to_string()
                }
                _ => sequence.remedy(),
            };
            Outcome::Failed { step, failure, next }
        }
    }
}
