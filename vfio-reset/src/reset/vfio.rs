//! Resets that VFIO is asked for: open, reset, close, restore.
//!
//! Opening and closing are resets themselves, and take as long; the report has each as a step. What the
//! kernel restores after a hot reset is each function's header and capabilities as it saved them, which is
//! without what it lost before; so everything that was saved by us is written back and compared, the
//! bridge above included. Under lockdown nobody may write configuration space; VFIO is allowed then, so it is
//! left at what the kernel brings back, and compared.

use super::{Engine, StepResult, Stop};
use crate::error::Error;
use crate::machine::KernelReset;
use crate::machine::vfio::{
    Closing, HotResetSet, Opened, SetMember, VfioDevice, VfioError, VfioEvent, VfioInterface, VfioOperation,
    VfioRequest, is_vfio_driver,
};
use crate::plan::{ResetAct, StepName, list};
use crate::report::Outcome;
use pcicfg::header::Presence;
use pcicfg::{Address, ConfigRead};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often something is asked for again that somebody else is at, and how long after.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// What is found out while functions are open.
#[derive(Default)]
struct Course {
    /// How often each function was reset.
    resets: BTreeMap<Address, usize>,
    /// Whether the whole set can be reset when it is closed, if that was found out.
    resettable: Option<bool>,
    /// Whether closing made other resets than those counted, or may have.
    more: bool,
    /// Whether functions were opened and closed again before, which is not counted.
    again: bool,
}

impl Course {
    fn count(&mut self, functions: impl IntoIterator<Item = Address>) {
        for address in functions {
            *self.resets.entry(address).or_default() += 1;
        }
    }

    /// How often what was reset more than once; `None` if nothing was.
    fn note(&self) -> Option<String> {
        let mut by_number: BTreeMap<usize, Vec<Address>> = BTreeMap::new();
        for (&address, &number) in self.resets.iter().filter(|(_, number)| **number > 1) {
            by_number.entry(number).or_default().push(address);
        }
        let part = |(number, addresses): (&usize, &Vec<Address>)| {
            let was = if addresses.len() == 1 { "was" } else { "were" };
            let when = if self.again { "after that" } else { "in all" };
            format!("{} {was} reset {number} times {when}", list(addresses))
        };
        let parts: Vec<String> = by_number.iter().rev().map(part).collect();
        (!parts.is_empty()).then(|| {
            format!("{}: opening and closing a function through VFIO are resets, too", parts.join(", "))
        })
    }
}

impl<'e> Engine<'e, '_> {
    pub(super) fn vfio(&mut self) -> StepResult<()> {
        let result = self.through_vfio();
        if !self.touched.get() {
            return result;
        }
        if matches!(result, Err(Stop::Outcome(Outcome::KernelStillWaiting, _))) {
            self.notes.push(self.nothing_written_back());
            return result;
        }
        if self.options.skip_restore {
            self.notes.push("the restore step was left out on request (test switch)".to_owned());
            return result;
        }
        match result {
            Ok(()) => {
                self.step(StepName::WaitReady, |engine| engine.wait_target())?;
                self.note_revived();
                if self.action.locked_down {
                    self.notes.push(
                        "the kernel is locked down, so nothing was written back: what is compared is what the kernel \
                         itself brought back"
                            .to_owned(),
                    );
                    return Ok(());
                }
                self.step(StepName::Restore, |engine| engine.restore_all())
            }
            Err(stop) if self.action.locked_down => {
                self.notes.push("the kernel is locked down, so nothing was written back".to_owned());
                Err(stop)
            }
            Err(stop) => {
                self.hopeless = true;
                let _ = self.step(StepName::Restore, |engine| engine.restore());
                Err(stop)
            }
        }
    }

    /// The kernel may write what it has saved; what we have saved is lost with this process.
    fn nothing_written_back(&self) -> String {
        let reset = self.action.functions.iter().filter(|planned| planned.is_reset);
        let names: Vec<Address> = reset.map(|planned| planned.address).collect();
        format!(
            "nothing is written back while the kernel is at it: Command and what else the kernel does not restore of {} \
             will not be as before; `vfio-reset save` before a reset like this keeps it for `vfio-reset restore`",
            list(&names)
        )
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
        // What was touched before was opened in vain.
        let mut course = Course { again: self.opened_in_vain, ..Course::default() };
        course.count(with_own_reset(&*device));
        let reset = self.ask_and_reset(&mut *device, &mut course);
        if matches!(reset, Err(Stop::Outcome(Outcome::KernelStillWaiting, _))) {
            // Dropped, it is closed by a process of its own once the kernel lets it.
            return reset;
        }
        for event in device.events().unwrap_or_default() {
            self.note_event(event);
        }
        let closed = self.step(StepName::Close, |engine| engine.close_vfio(device, &mut course));
        self.notes.extend(course.note());
        match (reset, closed) {
            // Whatever failed before: while the kernel is at it, nobody may write.
            (Err(before), Err(Stop::Outcome(Outcome::KernelStillWaiting, text))) => Err(Stop::Outcome(
                Outcome::KernelStillWaiting,
                match before {
                    Stop::Outcome(_, before) => format!("{before}; then {text}"),
                    Stop::Error(before) => format!("{before}; then {text}"),
                },
            )),
            // "Nothing was reset" is not true of what opening and closing have reset.
            (Err(Stop::Outcome(Outcome::NoMethod, text)), _)
                if course.again || course.more || !course.resets.is_empty() =>
            {
                Err(Stop::Outcome(Outcome::Failed, text))
            }
            (reset, closed) => reset.and(closed),
        }
    }

    /// Of what did not answer before, and does now.
    fn note_revived(&mut self) {
        let silent = self.action.act.silent(&self.action.functions);
        let answers = |address: &Address| {
            let id = self.function(*address).read_u32(0).unwrap_or(u32::MAX);
            Presence::of(id) == Presence::Present
        };
        let revived: Vec<Address> = silent.into_iter().filter(answers).collect();
        if !revived.is_empty() {
            let (answers, its) = if revived.len() == 1 { ("answers", "it") } else { ("answer", "them") };
            self.notes.push(format!(
                "{} {answers} now, without the state from before: have the kernel set {its} up anew (echo 1 > remove, \
                 then rescan)",
                list(&revived)
            ));
        }
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
        let (machine, action) = (self.machine, self.action);
        let address = action.address;
        let (also, fallback): (&[Address], _) = match &action.act {
            ResetAct::HotReset { also, fallback, .. } => (also, *fallback),
            ResetAct::VfioReset { fallback, .. } => (&[], *fallback),
            _ => (&[], None),
        };
        let deadline = self.deadline;
        let mut interface = self.interface();
        let mut tries = 1;
        let opened = loop {
            let request = VfioRequest { address, interface, also, budget: deadline.remaining() };
            match machine.open_vfio(&request) {
                Err(Error::Vfio(error)) if error.touched => {
                    // What was opened is closed again, and may be asked for once more; but it was reset, and
                    // twice as often by every further try: there is one.
                    self.touched.set(true);
                    self.notes.push(format!(
                        "what could be opened before {} was reset by that, and by being closed again",
                        error.address
                    ));
                    let first = !std::mem::replace(&mut self.opened_in_vain, true);
                    if error.errno != libc::EAGAIN || !first || !self.may_try_again(&mut tries) {
                        return Err(Stop::Outcome(Outcome::Failed, error.to_string()));
                    }
                }
                Err(error) if error.errno() == Some(libc::EAGAIN) && self.may_try_again(&mut tries) => {}
                Err(Error::Vfio(error))
                    if fallback.is_some_and(|other| other != interface) && error.has_no_file() =>
                {
                    interface = fallback.unwrap_or(interface);
                    self.notes.push(format!(
                        "{} has no VFIO device file of its own; its group was opened instead",
                        error.address
                    ));
                }
                // What was reset by an earlier try wants to be restored.
                Err(error) if self.touched.get() => {
                    return Err(Stop::Outcome(Outcome::Failed, error.to_string()));
                }
                result => break result?,
            }
        };
        self.touched.set(true);
        match opened {
            Opened::StillRunning => Err(self.still_running("the reset that opening it through VFIO is")),
            Opened::Open(device) => {
                let own: Vec<Address> = with_own_reset(&*device).collect();
                let what = match (own.as_slice(), device.opened().len()) {
                    ([], 1) => "open; the kernel has no reset for it alone, so opening it did nothing to it"
                        .to_owned(),
                    ([], _) => "open; the kernel has no reset for any of them alone, so opening did nothing"
                        .to_owned(),
                    (_, 1) => "open, and reset by that".to_owned(),
                    (own, _) => format!("open, and {} reset by that", list(own)),
                };
                Ok((device, format!("{what}{}", after(tries))))
            }
        }
    }

    fn ask_and_reset(&mut self, device: &mut dyn VfioDevice, course: &mut Course) -> StepResult<()> {
        let mut hit = vec![self.action.address];
        if matches!(self.action.act, ResetAct::HotReset { .. }) {
            self.step(StepName::Ask, |engine| {
                let (set, text) = engine.ask(device, course)?;
                hit = set;
                Ok(text)
            })?;
        }
        self.step(StepName::Reset, |engine| {
            let text = engine.reset_by_vfio(device, course)?;
            course.count(hit);
            Ok(text)
        })
    }

    /// What would be hit must be what was planned, and ours.
    fn ask(&mut self, device: &dyn VfioDevice, course: &mut Course) -> StepResult<(Vec<Address>, String)> {
        let mut tries = 1;
        let set = loop {
            match device.hot_reset_set(self.deadline.remaining()) {
                Err(error) if error.errno() == Some(libc::EAGAIN) && self.may_try_again(&mut tries) => {}
                Err(error) => {
                    // Neither slot nor bus can be reset, or one there can be bound to no VFIO driver: closing
                    // resets no bus either.
                    if matches!(error.errno(), Some(libc::ENODEV | libc::EPERM)) {
                        course.resettable = Some(false);
                    }
                    return Err(self.refused_by_vfio(error));
                }
                Ok(None) => {
                    return Err(Stop::Outcome(
                        Outcome::KernelStillWaiting,
                        format!(
                            "which functions a hot reset would hit the kernel does not say while somebody opens or closes                              one of them, and the budget of {:.1} s is over; it was not asked for",
                            self.action.budget.as_secs_f64()
                        ),
                    ));
                }
                Ok(Some(set)) => break set,
            }
        };
        let unbound = self.unbound(set.functions.iter().map(|member| member.address));
        let is_ours = set.strangers().next().is_none();
        course.resettable = match unbound.is_empty() {
            true => is_ours.then_some(true),
            false => Some(false),
        };
        if !is_ours {
            return Err(Stop::Outcome(Outcome::Failed, self.describe_strangers(&set)));
        }
        let planned: BTreeSet<Address> = match &self.action.act {
            ResetAct::HotReset { set, .. } => set.iter().copied().collect(),
            _ => BTreeSet::new(),
        };
        let hit: Vec<Address> = set.functions.iter().map(|member| member.address).collect();
        let unplanned: Vec<Address> =
            hit.iter().copied().filter(|address| !planned.contains(address)).collect();
        if !unplanned.is_empty() {
            return Err(Stop::Outcome(
                Outcome::Failed,
                format!(
                    "a hot reset would hit {} too, which came after this was planned; it was not asked for: plan again",
                    list(&unplanned)
                ),
            ));
        }
        let text = match hit.len() {
            1 => format!("it alone, and it is ours{}", after(tries)),
            many => format!("{many} functions, all ours{}", after(tries)),
        };
        Ok((hit, text))
    }

    /// Who is in the way. What is to be done about each is for a plan to say, which sees who uses it.
    fn describe_strangers(&self, set: &HotResetSet) -> String {
        let names: Vec<String> = set.strangers().map(|member| self.describe_stranger(member)).collect();
        format!(
            "a hot reset would hit {}, and VFIO resets only what is owned; it was not asked for: something has changed, \
             and `plan` says what can be done about each",
            names.join(" and ")
        )
    }

    fn driver(&self, address: Address) -> Option<String> {
        self.machine.facts(address).ok().and_then(|facts| facts.driver)
    }

    fn describe_stranger(&self, member: &SetMember) -> String {
        let driver = self.driver(member.address);
        let driver = driver.map_or_else(|| "no driver".to_owned(), |driver| format!("driver {driver}"));
        match member.group {
            Some(group) => format!("{} (IOMMU group {group}, {driver})", member.address),
            None => format!("{} ({driver})", member.address),
        }
    }

    fn reset_by_vfio(&mut self, device: &mut dyn VfioDevice, course: &mut Course) -> StepResult<String> {
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
                    // What it says of the reset that was asked for is true of the one at the end.
                    match errno {
                        libc::ENODEV => course.resettable = Some(false),
                        libc::EINVAL => course.resettable = None,
                        _ => {}
                    }
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
            let set: &[Address] = match &self.action.act {
                ResetAct::HotReset { set, .. } => set,
                _ => &[],
            };
            let unbound = self.unbound(set.iter().copied());
            if !unbound.is_empty() {
                text = format!("{text}; not bound to a VFIO driver now: {}", unbound.join(", "));
            }
        }
        Stop::Outcome(outcome, text)
    }

    /// The functions that are not bound to a VFIO driver now.
    fn unbound(&self, functions: impl Iterator<Item = Address>) -> Vec<String> {
        functions
            .filter_map(|address| {
                let driver = self.machine.facts(address).ok()?.driver;
                let bound = driver.as_deref().is_some_and(is_vfio_driver);
                let name = driver.unwrap_or_else(|| "no driver".to_owned());
                (!bound).then(|| format!("{address} ({name})"))
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

    fn close_vfio(&mut self, device: Box<dyn VfioDevice + 'e>, course: &mut Course) -> StepResult<String> {
        let own: Vec<Address> = with_own_reset(&*device).collect();
        let opened = device.opened().len();
        let closing = Closing::of(device.opened(), course.resettable);
        match device.close(self.deadline.remaining())? {
            KernelReset::Done => {}
            KernelReset::StillRunning => return Err(self.still_running("the reset that closing it is")),
            // close(2) tells of no reset; what it does tell is a defect of ours.
            KernelReset::Failed { errno } => {
                let error = VfioError::new(self.action.address, VfioOperation::Close, errno);
                return Err(Stop::Error(error.into()));
            }
        }
        course.count(own.iter().copied());
        let by_itself = match own.as_slice() {
            [] => String::new(),
            _ if opened == 1 => ", and reset by that".to_owned(),
            own => format!(", and {} reset by that", list(own)),
        };
        course.more = closing != Closing::OwnResets;
        let by_the_set = match closing {
            Closing::OwnResets => "",
            Closing::WholeSet if own.is_empty() => ", and everything reset once more by that",
            Closing::WholeSet => ", then everything once more",
            Closing::Unknown => "; the kernel may have reset the bus",
        };
        if closing == Closing::WholeSet
            && let ResetAct::HotReset { set, .. } = &self.action.act
        {
            course.count(set.iter().copied());
        }
        Ok(format!("closed{by_itself}{by_the_set}"))
    }
}

/// The functions that opening resets, and closing.
fn with_own_reset(device: &dyn VfioDevice) -> impl Iterator<Item = Address> {
    device.opened().iter().filter(|function| function.can_reset).map(|function| function.address)
}

/// How often it was asked for, if more than once.
fn after(tries: usize) -> String {
    if tries > 1 { format!(" (asked {tries} times)") } else { String::new() }
}
