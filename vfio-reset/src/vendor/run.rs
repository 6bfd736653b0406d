//! Runs a sequence against a model, in the engine that resets real devices.

use super::devices::{DeviceEntry, Devices};
use super::family::Family;
use super::model::ModelHost;
use super::trace::Trace;
use crate::error::Result;
use crate::inventory::Inventory;
use crate::machine::Machine;
use crate::method::MethodName;
use crate::plan::{Decision, Override, Plan, Request};
use crate::quirk::Quirks;
use crate::report::{Outcome, Report};
use crate::reset::{Options, reset};
use pcicfg::Address;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// What came of a run against a model.
#[derive(Debug)]
pub struct Run {
    /// The family whose sequence was taken, if there is one for the device.
    pub family: Option<&'static Family>,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub text: String,
    /// Every access.
    pub trace: Trace,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
    /// What to do now.
    pub next: Vec<String>,
    /// The time it took, by the model's clock.
    pub time: Duration,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The device was reset, and everything around it is as it was.
    Reset,
    /// The sequence went through, and nothing shows that it reset anything.
    Unproven,
    /// Nothing was reset, because there is nothing to reset.
    NotNeeded,
    /// Nothing was reset, because it would do harm, or because there is no sequence for the device.
    Refused,
    /// It did not work.
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reset => "reset",
            Self::Unproven => "unproven",
            Self::NotNeeded => "not-needed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        })
    }
}

/// Takes the sequence for a model's device, as `reset --method vendor` takes it for a real one.
///
/// # Errors
/// When the model cannot be read as a machine.
pub fn run(host: &ModelHost, devices: &Devices, budget: Duration) -> Result<Run> {
    run_on(host, host.address(), devices, budget)
}

/// Takes the vendor sequence for a function of a machine whatever other ways there are, experimental ones
/// included.
///
/// # Errors
/// When the machine cannot be read, or has no such function.
pub fn run_on(machine: &dyn Machine, address: Address, devices: &Devices, budget: Duration) -> Result<Run> {
    let quirks = Quirks::built_in().with_sequences(devices.clone());
    let inventory = Inventory::read(machine)?;
    let function = inventory.function(address)?;
    let family = crate::method::sequence_for(function, &quirks);
    let warning = quirks.sequences().find(function.ids()).and_then(DeviceEntry::warning);
    let mut request = Request::new(address).method(MethodName::Vendor);
    // A model is what experimental sequences are tried on.
    request.allow = vec![Override::Experimental];
    request.budget = budget;
    let plan = Plan::new(&inventory, &quirks, &request)?;
    let stopped = |verdict, text: String| Run {
        family,
        verdict,
        text,
        trace: Trace::default(),
        notes: warning.clone().into_iter().collect(),
        next: Vec::new(),
        time: Duration::ZERO,
    };
    let action = match &plan.decision {
        Decision::Act(action) => action,
        Decision::Refuse { refusals, .. } => {
            let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
            return Ok(stopped(Verdict::Refused, reasons.join("; ")));
        }
        Decision::NoMethod => {
            let (vendor, device) = function.ids();
            let text = format!("no vendor sequence is known for {vendor:04x}:{device:04x}");
            return Ok(stopped(Verdict::Refused, text));
        }
        Decision::NotPresent => {
            return Ok(stopped(Verdict::Failed, "the device does not answer".to_string()));
        }
    };
    let begin = machine.clock().now();
    let mut report = reset(machine, action, Options::default(), &mut |_| {})?;
    Ok(Run {
        family,
        verdict: match report.outcome {
            Outcome::Verified => Verdict::Reset,
            Outcome::Unproven => Verdict::Unproven,
            Outcome::NotNeeded => Verdict::NotNeeded,
            Outcome::NoMethod | Outcome::NotTouched => Verdict::Refused,
            _ => Verdict::Failed,
        },
        text: text(&report),
        trace: report.trace.take().unwrap_or_default(),
        notes: warning.into_iter().chain(report.notes).collect(),
        next: report.next,
        time: machine.clock().now().saturating_sub(begin),
    })
}

/// What decided: the step that failed, or what the last step of the sequence found.
fn text(report: &Report) -> String {
    use crate::plan::StepName;
    if let Some(difference) = report.differences().next() {
        return format!(
            "{} {} was {}, is {}",
            difference.address, difference.what, difference.expected, difference.found
        );
    }
    let deciding = match report.outcome {
        Outcome::Verified | Outcome::Unproven => report.step(StepName::PostCheck),
        // The step that stopped it; what follows is the clean-up.
        Outcome::NotNeeded => report.step(StepName::Precheck),
        _ => report.steps.iter().find(|step| !step.ok),
    };
    deciding.map_or_else(|| report.outcome.to_string(), |step| step.text.clone())
}

/// The trace, and what came of it: a line `RESULT reset|unproven|not-needed|refused|failed: text` at the end.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.trace)?;
        for note in &self.notes {
            writeln!(f, "# note: {note}")?;
        }
        for next in &self.next {
            writeln!(f, "# next: {next}")?;
        }
        write!(f, "RESULT {}: {}", self.verdict, self.text)
    }
}

impl ModelHost {
    /// The machine's name and what its device shows, for the head of a trace.
    #[must_use]
    pub fn headline(&self) -> String {
        let model = self.model();
        let (vendor, device) = model.ids();
        format!("{} {vendor:04x}:{device:04x} {}", Machine::name(self), model.text())
    }
}
