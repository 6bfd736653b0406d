//! Carries a planned reset out: save, act, wait, restore, verify.
//!
//! The engine executes an [`Action`] step by step and reports each with its time. It never goes on
//! to another method by itself: what did not come back from one reset rarely does from the next, and
//! the user shall know which one it was.

mod diagnosis;
mod direct;
mod evidence;
mod kernel;
mod power;
mod restore;
mod vendor;
mod verify;
mod vfio;
mod wait;

use crate::error::{Error, Result};
use crate::machine::{Function, LogMark, Machine};
use crate::plan::{Action, PlannedFunction, ResetAct, StepName, cannot_be_saved};
use crate::report::{Outcome, Report, StepReport};
use crate::state::SavedState;
use crate::state::header::BridgeHeaders;
use pcicfg::{Address, ConfigRead, ConfigSpace};
use std::cell::Cell;
use std::time::Duration;

pub use restore::{RestoreSummary, restore_state};
pub use verify::verify_state;
use wait::Deadline;

/// How an action is carried out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Leaves the restore step out, to show what it is for. For tests only: the function is left
    /// without BARs.
    pub skip_restore: bool,
    /// How bridges' headers are written back.
    pub bridge_headers: BridgeHeaders,
}

/// What the engine tells while it works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins.
    Begin {
        /// Which.
        name: StepName,
        /// What is done.
        text: &'a str,
    },
    /// A step is over.
    End(&'a StepReport),
    /// Still waiting for a function.
    Waiting {
        /// The function.
        address: Address,
        /// For how long.
        time: Duration,
        /// What its Vendor and Device ID read.
        id: u32,
    },
}

/// Takes the engine's events.
pub type Observer<'o> = dyn FnMut(Event<'_>) + 'o;

/// Why a step ends the reset.
enum Stop {
    /// With this outcome; the text is the step's result.
    Outcome(Outcome, String),
    /// The machine failed.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

type StepResult<T> = std::result::Result<T, Stop>;

/// Resets a function.
///
/// # Errors
/// When the machine refuses before anything was touched (permission, the function is gone). Once
/// something was touched, a failure is part of the [`Report`].
pub fn reset(
    machine: &dyn Machine,
    action: &Action,
    options: Options,
    observer: &mut Observer<'_>,
) -> Result<Report> {
    let mut engine = Engine {
        machine,
        action,
        options,
        observer,
        deadline: Deadline::new(machine.clock(), action.budget),
        log_mark: machine.kernel_log_mark(),
        touched: Cell::new(false),
        steps: Vec::new(),
        verification: Vec::new(),
        notes: Vec::new(),
        saved: None,
        hopeless: false,
        marked: false,
        effect: None,
        status_cleared: false,
        opened_in_vain: false,
        removed: false,
        unanswered: Vec::new(),
        trace: None,
        advice: Vec::new(),
        is_unproven: false,
        proof: None,
    };
    let power = power::Hold::new(machine, &action.functions);
    let result = engine.run();
    match &result {
        Err(Stop::Outcome(Outcome::KernelStillWaiting, _)) => power.abandon(&mut engine.notes),
        _ => power.release(&mut engine.notes),
    }
    engine.report(result)
}

struct Engine<'e, 'o> {
    machine: &'e dyn Machine,
    action: &'e Action,
    options: Options,
    observer: &'e mut Observer<'o>,
    deadline: Deadline<'e>,
    log_mark: LogMark,
    /// Something was changed: from now on an error is an outcome.
    touched: Cell<bool>,
    steps: Vec<StepReport>,
    verification: Vec<crate::report::Check>,
    notes: Vec<String>,
    saved: Option<SavedState>,
    /// Something did not come back: nobody else is waited for.
    hopeless: bool,
    /// Interrupt Disable is set in the target's Command, and its reset would clear it.
    marked: bool,
    /// Whether the reset was seen to reset anything, where that can be seen.
    effect: Option<crate::report::Check>,
    /// An error bit that was set in the target's Device Status was cleared by its reset.
    status_cleared: bool,
    /// Whether functions were opened through VFIO, and closed again because another could not be.
    opened_in_vain: bool,
    /// The kernel has removed a function meanwhile.
    removed: bool,
    /// Functions that did not come back, other than the target.
    unanswered: Vec<Address>,
    /// Of a vendor sequence: every access, and what is next after its failure.
    trace: Option<crate::vendor::Trace>,
    advice: Vec<String>,
    /// A vendor sequence went through, and nothing shows that it reset anything.
    is_unproven: bool,
    /// What shows that a vendor sequence reset the device.
    proof: Option<String>,
}

impl Engine<'_, '_> {
    fn run(&mut self) -> StepResult<Outcome> {
        self.step(StepName::Check, |engine| engine.check())?;
        self.step(StepName::Save, |engine| engine.save())?;
        match self.action.act {
            ResetAct::Kernel => self.kernel()?,
            ResetAct::VfioReset { .. } | ResetAct::HotReset { .. } => self.vfio()?,
            _ => self.direct()?,
        }
        self.step(StepName::Verify, |engine| {
            engine.verify()?;
            let differences = engine.verification.iter().filter(|check| !check.ok).count();
            match differences {
                0 => Ok(format!("{} comparisons, all as before", engine.verification.len())),
                1 => Ok("1 difference".to_string()),
                many => Ok(format!("{many} differences")),
            }
        })?;
        let all_well = self.verification.iter().all(|check| check.ok);
        Ok(match (all_well, self.is_unproven) {
            (true, false) => Outcome::Verified,
            (true, true) => Outcome::Unproven,
            (false, _) => Outcome::Different,
        })
    }

    /// Takes a step, with what the plan says of it; the closure gives what came of it.
    fn step(&mut self, name: StepName, act: impl FnOnce(&mut Self) -> StepResult<String>) -> StepResult<()> {
        let action = self.action;
        let planned = action.steps.iter().find(|step| step.name == name);
        let text = planned.map_or("", |step| step.text.as_str());
        let floor = planned.map_or(Duration::ZERO, |step| step.floor);
        (self.observer)(Event::Begin { name, text });
        let begin = self.machine.clock().now();
        let result = act(self);
        let time = self.machine.clock().now().saturating_sub(begin);
        let (ok, text) = match &result {
            Ok(text) => (true, text.clone()),
            Err(Stop::Outcome(outcome, text)) => (*outcome == Outcome::NotNeeded, text.clone()),
            Err(Stop::Error(error)) => (false, error.to_string()),
        };
        self.steps.push(StepReport { name, text, time, floor, ok });
        if let Some(step) = self.steps.last() {
            (self.observer)(Event::End(step));
        }
        result.map(drop)
    }

    fn function(&self, address: Address) -> Function<'_> {
        Function::new(self.machine, address)
    }

    /// Everything must still be there and be the same as when it was planned.
    fn check(&mut self) -> StepResult<String> {
        for planned in &self.action.functions {
            let found = self.function(planned.address).read_u32(0)?;
            let is_there = match planned.is_virtual {
                true => self.function(planned.address).read_u32(4)? != 0xffff_ffff,
                false => found == id_dword(planned.ids),
            };
            if !is_there {
                return Err(Stop::Outcome(
                    Outcome::NotTouched,
                    format!(
                        "{} reads {found:08x}, and was {:04x}:{:04x} when this was planned",
                        planned.address, planned.ids.0, planned.ids.1
                    ),
                ));
            }
            if !planned.is_reset {
                continue;
            }
            // Whoever bound a driver since then is using the function now.
            let driver = self.machine.facts(planned.address)?.driver;
            if driver != planned.driver {
                let name = |driver: &Option<String>| driver.clone().unwrap_or_else(|| "none".to_string());
                return Err(Stop::Outcome(
                    Outcome::NotTouched,
                    format!(
                        "the driver of {} is {} now, and was {} when this was planned",
                        planned.address,
                        name(&driver),
                        name(&planned.driver)
                    ),
                ));
            }
        }
        Ok(match self.action.functions.len() {
            1 => "it answers with the ids it had".to_string(),
            many => format!("all {many} functions answer with the ids they had"),
        })
    }

    fn save(&mut self) -> StepResult<String> {
        let functions = self.action.functions.iter().map(|function| (function.address, function.is_virtual));
        let saved = SavedState::save(self.machine, self.action.address, functions)?;
        let bytes: usize = saved.functions.iter().map(|function| function.config.len()).sum();
        let text = match saved.functions.len() {
            1 => format!("{bytes} bytes"),
            many => format!("{bytes} bytes of {many} functions"),
        };
        if let Some(short) = saved.functions.iter().find(|function| function.config.len() < 256) {
            return Err(Stop::Error(Error::ConfigOutOfReach {
                address: short.address,
                offset: short.config.len() as u16,
                length: 256 - short.config.len(),
                size: short.config.len(),
            }));
        }
        for function in &saved.functions {
            let is_express = function.space().is_some_and(|space| space.pci_express().is_some());
            if is_express && function.config.len() == ConfigSpace::CONVENTIONAL {
                self.notes.push(format!(
                    "{} shows 256 of its 4096 bytes of configuration space: its extended capabilities are neither \
                     restored nor verified",
                    function.address
                ));
            }
        }
        self.saved = Some(saved);
        let silent = self.action.act.silent(&self.action.functions);
        if !silent.is_empty() {
            self.notes.push(cannot_be_saved(&silent));
        }
        Ok(text)
    }

    fn target(&self) -> Option<&PlannedFunction> {
        self.action.target()
    }

    fn report(mut self, result: StepResult<Outcome>) -> Result<Report> {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(Stop::Outcome(outcome, _)) => outcome,
            Err(Stop::Error(error)) if !self.touched.get() => return Err(error),
            Err(Stop::Error(error)) => {
                self.notes.push(format!("stopped by an error in the middle: {error}"));
                Outcome::Failed
            }
        };
        let kernel_log = self.machine.kernel_log(self.log_mark).unwrap_or_default();
        let finding = self.findings(outcome);
        self.notes.extend(finding);
        let next = self.next(outcome);
        let evidence = matches!(outcome, Outcome::Verified | Outcome::Different | Outcome::Unproven)
            .then(|| self.evidence());
        Ok(Report {
            evidence,
            address: self.action.address,
            method: self.action.method,
            via: self.action.via,
            outcome,
            steps: self.steps,
            verification: self.verification,
            notes: self.notes,
            next,
            kernel_log,
            trace: self.trace,
        })
    }
}

/// Vendor and device id as the dword at offset 0.
fn id_dword((vendor, device): (u16, u16)) -> u32 {
    u32::from(device) << 16 | u32::from(vendor)
}
