//! Has the kernel reset a function by one method alone.
//!
//! One method alone, because the kernel would go on to the next when one fails with `ENOTTY`, and it
//! fails with `ENOTTY` also when the function did not come back: then it resets a dead device again,
//! for up to 65 s each time, and nobody could say which method did what.

use super::wait::Readiness;
use super::{Engine, StepResult, Stop, id_dword};
use crate::machine::{Attribute, KernelReset};
use crate::method::Scope;
use crate::plan::StepName;
use crate::report::Outcome;
use pcicfg::ConfigRead;

impl Engine<'_, '_> {
    pub(super) fn kernel(&mut self) -> StepResult<()> {
        let mut former = None;
        self.step(StepName::SelectMethod, |engine| {
            let (list, text) = engine.select_method()?;
            former = list;
            Ok(text)
        })?;
        let reset = self.step(StepName::Reset, |engine| engine.kernel_reset());
        if matches!(reset, Err(Stop::Outcome(Outcome::KernelStillWaiting, _))) {
            // Writing the list back could block as long as the kernel waits.
            if let Some(list) = former {
                self.notes.push(format!(
                    "reset_method of {} still says `{}`; when the kernel has given up: echo {list} > reset_method",
                    self.action.address, self.action.method
                ));
            }
            return reset;
        }
        if let Some(list) = &former {
            // A list that cannot be put back is worth a note; how the reset went comes first.
            if self.step(StepName::PutListBack, |engine| engine.put_list_back(list)).is_err() {
                self.notes.push(format!(
                    "reset_method of {} still says `{}`, and could not be put back: echo {list} > reset_method",
                    self.action.address, self.action.method
                ));
            }
        }
        reset?;
        self.step(StepName::WaitReady, |engine| engine.wait_target())?;
        if self.action.functions.iter().filter(|function| function.is_reset && !function.is_virtual).count()
            > 1
            && self.action.method.method().scope == Scope::Function
        {
            // The kernel has restored the bridge that was asked for, and nothing below it.
            if self.action.locked_down {
                self.notes.push(
                    "the kernel is locked down, so nothing below the bridge was written back".to_string(),
                );
                return Ok(());
            }
            self.step(StepName::Restore, |engine| engine.restore())?;
        }
        Ok(())
    }

    /// Writes the method alone; gives the list to be put back, if there was another one.
    fn select_method(&mut self) -> StepResult<(Option<String>, String)> {
        let (address, method) = (self.action.address, self.action.method);
        let Some(list) = self.machine.attribute(address, Attribute::ResetMethod)? else {
            return Err(Stop::Outcome(
                Outcome::NoMethod,
                format!(
                    "{address} has no reset_method: the kernel knows no way to reset it, or is older than 5.15"
                ),
            ));
        };
        let list = list.trim().to_string();
        if self.would_be_alone(&list) {
            return Ok((None, format!("reset_method says `{list}`: nothing else would be tried")));
        }
        match self.machine.set_attribute(address, Attribute::ResetMethod, method.as_str()) {
            Ok(()) => {
                self.touched.set(true);
                Ok((Some(list.clone()), format!("reset_method said `{list}`")))
            }
            Err(error) if error.errno() == Some(libc::EINVAL) => Err(Stop::Outcome(
                Outcome::NoMethod,
                format!(
                    "the kernel does not take {method} for {address} (EINVAL) although it listed `{list}`: the entry was \
                     stale, made before the kernel knew the function's neighbours"
                ),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the kernel would do this method and nothing else with the list as it is: a stale entry
    /// after it is checked again, and does nothing.
    fn would_be_alone(&self, list: &str) -> bool {
        let mut names = list.split_ascii_whitespace();
        names.next() == Some(self.action.method.as_str()) && names.all(|name| self.is_stale(name))
    }

    fn is_stale(&self, name: &str) -> bool {
        self.action.stale.iter().any(|method| method.as_str() == name)
    }

    /// The list as it was; the kernel does not take a stale entry back.
    fn put_list_back(&mut self, list: &str) -> StepResult<String> {
        let names: Vec<&str> = list.split_ascii_whitespace().filter(|name| !self.is_stale(name)).collect();
        let kept = names.join(" ");
        self.machine.set_attribute(self.action.address, Attribute::ResetMethod, &kept)?;
        if kept != list {
            self.notes.push(format!(
                "reset_method said `{list}` and says `{kept}` now: the kernel does not take back an entry that was stale"
            ));
        }
        Ok(format!("reset_method says `{kept}`"))
    }

    fn kernel_reset(&mut self) -> StepResult<String> {
        let address = self.action.address;
        let result = self.machine.kernel_reset(address, self.deadline.remaining())?;
        self.touched.set(true);
        match result {
            KernelReset::Done => Ok("the kernel says it is done".to_string()),
            KernelReset::StillRunning => Err(Stop::Outcome(
                Outcome::KernelStillWaiting,
                format!(
                    "{address} did not come back from {} within the budget of {:.1} s, and the kernel is still waiting for it",
                    self.deed(),
                    self.action.budget.as_secs_f64()
                ),
            )),
            KernelReset::Failed { errno } => Err(self.explain(errno)),
        }
    }

    /// `ENOTTY` has three meanings: no method, a stale entry, or the reset was done and the function is
    /// lost. The function itself tells which.
    fn explain(&self, errno: i32) -> Stop {
        let address = self.action.address;
        if errno != libc::ENOTTY {
            let error = std::io::Error::from_raw_os_error(errno);
            let meaning = match errno {
                libc::EAGAIN => ": somebody else holds the device or a bridge above; try again",
                libc::EINVAL => ": the function is not in D0, or the kernel knows no reset for it",
                libc::EPERM | libc::EACCES => ": root is needed",
                libc::ENXIO => ": the function cannot be woken up",
                _ => "",
            };
            let lost = self.target_is_lost();
            let outcome = if lost { Outcome::Lost } else { Outcome::Failed };
            return Stop::Outcome(outcome, format!("the kernel failed to reset {address}: {error}{meaning}"));
        }
        if self.target_is_lost() {
            return Stop::Outcome(
                Outcome::Lost,
                format!(
                    "ENOTTY: {} was done, and {address} did not come back: {}",
                    self.deed(),
                    self.describe_silence(self.target_id())
                ),
            );
        }
        let could_be_stale = self.action.method.method().scope != Scope::Function;
        match self.method_list() {
            Some(list) if !list.trim().is_empty() && !could_be_stale => Stop::Outcome(
                Outcome::Failed,
                format!(
                    "ENOTTY: the kernel gave up on {}, and {address} answers now: it came back late, or was not reset \
                     at all; the kernel log tells",
                    self.deed()
                ),
            ),
            Some(list) if !list.trim().is_empty() => Stop::Outcome(
                Outcome::NoMethod,
                format!(
                    "ENOTTY: the entry `{}` of {address} is stale: the kernel listed it before it knew the function's \
                     neighbours, and checked again now; nothing was reset",
                    self.action.method
                ),
            ),
            _ => Stop::Outcome(
                Outcome::NoMethod,
                format!("ENOTTY: the kernel has no method for {address}; nothing was reset"),
            ),
        }
    }

    pub(super) fn target_is_lost(&self) -> bool {
        match self.target() {
            Some(target) if target.is_virtual => {
                self.function(target.address).read_u32(4).unwrap_or(u32::MAX) == u32::MAX
            }
            Some(target) => self.target_id() != id_dword(target.ids),
            None => false,
        }
    }

    /// The kernel waits itself, and takes some for ready that are not: all-ones under Request Retry
    /// Status software visibility, before 6.12.
    pub(super) fn wait_target(&mut self) -> StepResult<String> {
        let Some(target) = self.target().cloned() else { return Ok(String::new()) };
        match self.wait_ready(&target)? {
            Readiness::Ready => {
                self.look_for_evidence();
                Ok("it answers with its ids".to_string())
            }
            Readiness::Late { id } => Err(Stop::Outcome(
                Outcome::Lost,
                format!(
                    "the kernel says that {} is done, but {} did not come back: {}",
                    self.deed(),
                    target.address,
                    self.describe_silence(id)
                ),
            )),
        }
    }
}
