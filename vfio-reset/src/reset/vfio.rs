//! Resets that VFIO is asked for: open, reset, close, restore.
//!
//! Opening and closing are resets themselves, and take as long; the report has each as a step. What the
//! kernel restores after a hot reset is each function's header and capabilities as it saved them, which is
//! without what it lost before; so everything that was saved by us is written back and compared, the
//! bridge above included.

use super::{Engine, StepResult, Stop};
use crate::error::Error;
use crate::machine::KernelReset;
use crate::machine::vfio::{
    Opened, SetMember, VfioDevice, VfioError, VfioEvent, VfioInterface, VfioOperation, VfioRequest,
    is_vfio_driver,
};
use crate::plan::{ResetAct, StepName};
use crate::report::Outcome;
use pcicfg::Address;
use std::time::Duration;

/// How often something is asked for again that somebody else is at, and how long after.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

impl<'e> Engine<'e, '_> {
    pub(super) fn vfio(&mut self) -> StepResult<()> {
        let result = self.through_vfio();
        if matches!(result, Err(Stop::Outcome(Outcome::KernelStillWaiting, _))) || !self.touched.get() {
            return result;
        }
        if self.options.skip_restore {
            self.notes.push("the restore step was left out on request (test switch)".to_owned());
            return result;
        }
        match result {
            Ok(()) => {
                self.step(StepName::WaitReady, |engine| engine.wait_target())?;
                self.step(StepName::Restore, |engine| engine.restore_all())
            }
            Err(stop) => {
                self.hopeless = true;
                let _ = self.step(StepName::Restore, |engine| engine.restore());
                Err(stop)
            }
        }
    }

    /// Open, reset, close. Closing is tried whatever came before, unless the kernel still sleeps.
    fn through_vfio(&mut self) -> StepResult<()> {
        let mut opened = None;
        self.step(StepName::Open, |engine| {
            let (device, text) = engine.open_vfio()?;
            opened = Some(device);
            Ok(text)
        })?;
        let Some(mut device) = opened else { return Ok(()) };
        let mut resets = usize::from(device.can_reset());
        let reset = self.ask_and_reset(&mut *device, &mut resets);
        if matches!(reset, Err(Stop::Outcome(Outcome::KernelStillWaiting, _))) {
            // Dropped, it is closed by a process of its own once the kernel lets it.
            return reset;
        }
        for event in device.events().unwrap_or_default() {
            self.note_event(event);
        }
        let closed = self.step(StepName::Close, |engine| engine.close_vfio(device, &mut resets));
        if resets > 1 {
            self.notes.push(format!(
                "{} was reset {resets} times in all: opening and closing a function through VFIO are resets, too",
                self.action.address
            ));
        }
        reset.and(closed)
    }

    fn note_event(&mut self, event: VfioEvent) {
        self.notes.push(format!("{}: {event}", self.action.address));
    }

    fn interface(&self) -> VfioInterface {
        match self.action.act {
            ResetAct::HotReset { interface, .. } | ResetAct::VfioReset { interface, .. } => interface,
            _ => VfioInterface::Group,
        }
    }

    fn open_vfio(&mut self) -> StepResult<(Box<dyn VfioDevice + 'e>, String)> {
        let (machine, action, interface) = (self.machine, self.action, self.interface());
        let address = action.address;
        let also: &[Address] = match &action.act {
            ResetAct::HotReset { also, .. } => also,
            _ => &[],
        };
        let deadline = self.deadline;
        let request = || VfioRequest { address, interface, also, budget: deadline.remaining() };
        let mut tries = 1;
        let opened = loop {
            match machine.open_vfio(&request()) {
                Err(error) if error.errno() == Some(libc::EAGAIN) && self.may_try_again(&mut tries) => {}
                result => break result?,
            }
        };
        self.touched.set(true);
        match opened {
            Opened::StillRunning => Err(self.still_running("the reset that opening it through VFIO is")),
            Opened::Open(device) => {
                let what = match device.can_reset() {
                    true => "open, and reset by that",
                    false => "open; the kernel has no reset for it alone, so opening it did nothing to it",
                };
                Ok((device, format!("{what}{}", after(tries))))
            }
        }
    }

    fn ask_and_reset(&mut self, device: &mut dyn VfioDevice, resets: &mut usize) -> StepResult<()> {
        if matches!(self.action.act, ResetAct::HotReset { .. }) {
            self.step(StepName::Ask, |engine| engine.ask(device))?;
        }
        self.step(StepName::Reset, |engine| {
            let text = engine.reset_by_vfio(device)?;
            *resets += 1;
            Ok(text)
        })
    }

    /// What would be hit must be what was planned, and ours.
    fn ask(&mut self, device: &dyn VfioDevice) -> StepResult<String> {
        let mut tries = 1;
        let set = loop {
            match device.hot_reset_set() {
                Err(error) if error.errno() == Some(libc::EAGAIN) && self.may_try_again(&mut tries) => {}
                Err(error) => return Err(self.refused_by_vfio(error)),
                Ok(set) => break set,
            }
        };
        let strangers: Vec<SetMember> = set.strangers().copied().collect();
        if !strangers.is_empty() {
            let names: Vec<String> = strangers.iter().map(|member| self.describe_stranger(member)).collect();
            return Err(Stop::Outcome(
                Outcome::Failed,
                format!(
                    "a hot reset would hit {}, and VFIO resets only what is owned: bind it to vfio-pci, or leave both \
                     alone; it was not asked for",
                    names.join(", ")
                ),
            ));
        }
        let planned = |address| self.action.functions.iter().any(|function| function.address == address);
        let unplanned: Vec<String> = set
            .functions
            .iter()
            .filter(|member| !planned(member.address))
            .map(|member| member.address.to_string())
            .collect();
        if !unplanned.is_empty() {
            return Err(Stop::Outcome(
                Outcome::Failed,
                format!(
                    "a hot reset would hit {} too, which came after this was planned; it was not asked for: plan again",
                    unplanned.join(", ")
                ),
            ));
        }
        Ok(match set.functions.len() {
            1 => format!("it alone, and it is ours{}", after(tries)),
            many => format!("{many} functions, all ours{}", after(tries)),
        })
    }

    fn describe_stranger(&self, member: &SetMember) -> String {
        let driver = self.machine.facts(member.address).ok().and_then(|facts| facts.driver);
        let driver = driver.map_or_else(|| "no driver".to_owned(), |driver| format!("driver {driver}"));
        match member.group {
            Some(group) => format!("{} (IOMMU group {group}, {driver})", member.address),
            None => format!("{} ({driver})", member.address),
        }
    }

    fn reset_by_vfio(&mut self, device: &mut dyn VfioDevice) -> StepResult<String> {
        let is_hot = matches!(self.action.act, ResetAct::HotReset { .. });
        let operation = if is_hot { VfioOperation::HotReset } else { VfioOperation::DeviceReset };
        let mut tries = 1;
        loop {
            let budget = self.deadline.remaining();
            let result = if is_hot { device.hot_reset(budget)? } else { device.reset(budget)? };
            match result {
                KernelReset::Done => return Ok(format!("the kernel says it is done{}", after(tries))),
                KernelReset::StillRunning => return Err(self.still_running(&self.deed())),
                KernelReset::Failed { errno: libc::EAGAIN | libc::EBUSY }
                    if self.may_try_again(&mut tries) => {}
                KernelReset::Failed { errno } => {
                    let error = VfioError::new(self.action.address, operation, errno);
                    return Err(self.explain_vfio(&error, tries));
                }
            }
        }
    }

    /// Waits a moment before the next try; `false` if there were enough.
    fn may_try_again(&self, tries: &mut usize) -> bool {
        if *tries >= TRIES || self.deadline.is_over() {
            return false;
        }
        *tries += 1;
        self.machine.clock().sleep(PAUSE.min(self.deadline.remaining()));
        true
    }

    fn refused_by_vfio(&self, error: Error) -> Stop {
        match error {
            Error::Vfio(error) => self.explain_vfio(&error, 1),
            other => Stop::Error(other),
        }
    }

    /// What the kernel's answer means for the function.
    fn explain_vfio(&self, error: &VfioError, tries: usize) -> Stop {
        let lost = self.target_is_lost();
        let mut text = format!("{error}{}", after(tries));
        let outcome = match (error.operation, error.errno) {
            _ if lost => Outcome::Lost,
            (VfioOperation::DeviceReset, libc::EINVAL) | (_, libc::ENODEV) => Outcome::NoMethod,
            (VfioOperation::HotResetInfo, libc::EPERM) => Outcome::NoMethod,
            _ => Outcome::Failed,
        };
        if lost {
            text = format!("{text}; {}: {}", self.action.address, self.describe_silence(self.target_id()));
        } else if (error.operation, error.errno) == (VfioOperation::HotReset, libc::EINVAL) {
            let unbound = self.unbound();
            if !unbound.is_empty() {
                text = format!("{text}; not bound to a VFIO driver now: {}", unbound.join(", "));
            }
        }
        Stop::Outcome(outcome, text)
    }

    /// The functions of the set that are not bound to a VFIO driver now.
    fn unbound(&self) -> Vec<String> {
        let reset = self.action.functions.iter().filter(|planned| planned.is_reset);
        reset
            .filter_map(|planned| {
                let driver = self.machine.facts(planned.address).ok()?.driver;
                let bound = driver.as_deref().is_some_and(is_vfio_driver);
                let name = driver.unwrap_or_else(|| "no driver".to_owned());
                (!bound).then(|| format!("{} ({name})", planned.address))
            })
            .collect()
    }

    fn still_running(&self, what: &str) -> Stop {
        Stop::Outcome(
            Outcome::KernelStillWaiting,
            format!(
                "{} did not come back from {what} within the budget of {:.1} s, and the kernel is still waiting for it",
                self.action.address,
                self.action.budget.as_secs_f64()
            ),
        )
    }

    fn close_vfio(&mut self, device: Box<dyn VfioDevice + 'e>, resets: &mut usize) -> StepResult<String> {
        let resets_alone = device.can_reset();
        match device.close(self.deadline.remaining())? {
            KernelReset::Done if resets_alone => {
                *resets += 1;
                Ok("closed, and reset by that".to_owned())
            }
            KernelReset::Done if matches!(self.action.act, ResetAct::HotReset { .. }) => {
                *resets += 1;
                Ok("closed, and everything reset once more by that".to_owned())
            }
            KernelReset::Done => Ok("closed".to_owned()),
            KernelReset::StillRunning => Err(self.still_running("the reset that closing it is")),
            // close(2) tells of no reset; what it does tell is a defect of ours.
            KernelReset::Failed { errno } => {
                Err(Stop::Error(VfioError::new(self.action.address, VfioOperation::GetDevice, errno).into()))
            }
        }
    }
}

/// How often it was asked for, if more than once.
fn after(tries: usize) -> String {
    if tries > 1 { format!(" (asked {tries} times)") } else { String::new() }
}
