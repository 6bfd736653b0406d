//! Takes the steps of a vendor sequence.

use super::{Engine, StepResult, Stop, id_dword};
use crate::report::Outcome;
use crate::vendor::bus::MachineBus;
use crate::vendor::outcome::{Outcome as SequenceOutcome, Stop as SequenceStop};
use crate::vendor::sequence::{Step, conclude, take, undo};
use crate::vendor::{Device, Family, ResetSequence};
use std::time::Duration;

impl Engine<'_, '_> {
    pub(super) fn run_sequence(&mut self, family: &'static Family) -> StepResult<()> {
        let Some(target) = self.target() else { return Ok(()) };
        let (address, is_virtual) = (target.address, target.is_virtual);
        let image = self.saved.as_ref().and_then(|saved| saved.function(address));
        let image = image.map(|function| function.config.clone()).unwrap_or_default();
        let mut bus = MachineBus::new(self.machine, address);
        let mut device = Device::new(&mut bus, image, is_virtual, self.deadline.end());
        let mut sequence = (family.sequence)();
        let result = self.take_steps(family, &mut *sequence, &mut device);
        if matches!(result, Err(Stop::Outcome(Outcome::Failed | Outcome::Lost, _))) {
            undo(&mut *sequence, &mut device);
        }
        device.put_index_back();
        let (trace, notes) = device.into_parts();
        self.trace = Some(trace);
        self.notes.extend(notes);
        result
    }

    fn take_steps(
        &mut self,
        family: &'static Family,
        sequence: &mut dyn ResetSequence,
        device: &mut Device<'_>,
    ) -> StepResult<()> {
        for step in Step::ALL {
            self.step(step.into(), |engine| {
                if step == Step::Trigger {
                    engine.point_of_no_return(family, device)?;
                }
                match take(sequence, step, device) {
                    Ok(()) => Ok(match step {
                        Step::Detect => family.title.to_string(),
                        Step::Precheck => "there is something to reset".to_string(),
                        Step::Prepare => "prepared".to_string(),
                        Step::Trigger => "begun".to_string(),
                        Step::Await => "over".to_string(),
                        Step::PostCheck => {
                            engine.proof = device.proof().map(str::to_string);
                            engine.is_unproven = engine.proof.is_none();
                            conclude(sequence, device, None).to_string()
                        }
                    }),
                    Err(stop) => Err(engine.stopped(sequence, device, step, stop)),
                }
            })?;
        }
        if self.is_unproven {
            self.advice.push(sequence.remedy());
        }
        Ok(())
    }

    /// What is triggered must be able to end: a card that was left half switched off is worse than one that was
    /// not reset. From here on the sequence has the least time that it takes, and some seconds for the answers.
    fn point_of_no_return(&mut self, family: &Family, device: &mut Device<'_>) -> StepResult<()> {
        /// What firmware may take to answer, beyond the times that are known.
        const ANSWERS: Duration = Duration::from_secs(2);
        let floor = [Step::Trigger, Step::Await, Step::PostCheck].map(|step| family.step_floor(step));
        let floor: Duration = floor.iter().sum();
        let remaining = self.deadline.remaining();
        if remaining.is_zero() || remaining < floor {
            self.advice.push("give it a larger --budget and try again: the device was not reset".to_string());
            return Err(Stop::Outcome(
                Outcome::Failed,
                format!(
                    "{} ms of the budget are left, and the reset takes {} ms at least: it was not begun",
                    remaining.as_millis(),
                    floor.as_millis()
                ),
            ));
        }
        self.deadline.grant(floor + ANSWERS);
        device.grant(floor + ANSWERS);
        Ok(())
    }

    /// What a sequence that has stopped means for the reset.
    fn stopped(
        &mut self,
        sequence: &dyn ResetSequence,
        device: &Device<'_>,
        step: Step,
        stop: SequenceStop,
    ) -> Stop {
        match conclude(sequence, device, Some((step, stop))) {
            SequenceOutcome::NotNeeded { why } => Stop::Outcome(Outcome::NotNeeded, why),
            SequenceOutcome::Refused { why } => {
                self.advice.push(
                    "the sequence is not for this device as it is: take another way (--method; `plan` shows them), or \
                     leave --family out"
                        .to_string(),
                );
                Stop::Outcome(Outcome::NoMethod, why)
            }
            SequenceOutcome::Failed { failure, next, .. } => {
                self.advice.push(next);
                let expected = self.target().map(|target| id_dword(target.ids));
                let is_virtual = self.target().is_some_and(|target| target.is_virtual);
                let answers = is_virtual || Some(self.target_id()) == expected;
                let outcome = if answers { Outcome::Failed } else { Outcome::Lost };
                Stop::Outcome(outcome, failure.to_string())
            }
            SequenceOutcome::Done { how, .. } => Stop::Outcome(Outcome::Failed, how),
        }
    }
}
