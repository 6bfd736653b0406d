//! What is to be done, step by step: the part of a plan that the engine executes.

use super::vfio::hot_reset_set;
use super::{Context, Via};
use crate::inventory::InventoryFunction;
use crate::machine::vfio::VfioInterface;
use crate::method::{self, MethodName, Scope, SecondaryBusWait};
use crate::quirk::{Effect, Quirk};
use crate::state::header::BridgeHeaders;
use crate::state::restore_sequence;
use crate::vendor::Family;
use crate::vendor::sequence::Step;
use pcicfg::Address;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// A reset that may be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The function.
    pub address: Address,
    /// The method.
    pub method: MethodName,
    /// Who does it.
    pub via: Via,
    /// What is done to reset it.
    pub act: ResetAct,
    /// The functions whose state is saved, restored and verified: each bridge before what is below.
    pub functions: Vec<PlannedFunction>,
    /// How long the whole may take.
    pub budget: Duration,
    /// The steps with their times.
    pub steps: Vec<PlannedStep>,
    /// What the kernel lists and cannot do: harmless to leave in the list, and refused when written.
    pub stale: Vec<MethodName>,
    /// The port or bridge above the function, which can tell why it is silent.
    pub port: Option<Address>,
    /// What is known to help if the function does not come back.
    pub remedies: Vec<String>,
    /// The kernel is locked down: what it does not bring back itself cannot be written back by us.
    pub locked_down: bool,
}

impl Action {
    /// The shortest time all steps take together.
    #[must_use]
    pub fn floor(&self) -> Duration {
        self.steps.iter().map(|step| step.floor).sum()
    }

    /// The method by which the function is reset in the end; `first` is what VFIO would take.
    pub(super) fn reset_method(&self, first: impl FnOnce() -> Option<MethodName>) -> MethodName {
        match self.method {
            MethodName::VfioReset => first().unwrap_or(self.method),
            method => method,
        }
    }

    /// The function that is to be reset.
    #[must_use]
    pub fn target(&self) -> Option<&PlannedFunction> {
        self.functions.iter().find(|function| function.address == self.address)
    }
}

/// What is done to reset the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetAct {
    /// Have the kernel do it: the method alone in `reset_method`, `reset`, the list put back.
    Kernel,
    /// Set Initiate Function Level Reset in Device Control.
    FunctionLevelReset {
        /// The time to the first access.
        settle: Duration,
    },
    /// Write the Advanced Features capability's control.
    AdvancedFeatures {
        /// The time to the first access.
        settle: Duration,
    },
    /// To D3hot and back to D0.
    PowerManagement {
        /// The time each transition takes.
        delay: Duration,
    },
    /// Open it through VFIO and ask for `VFIO_DEVICE_RESET`.
    VfioReset {
        /// How it is opened.
        interface: VfioInterface,
        /// How else, should it have no file for that.
        fallback: Option<VfioInterface>,
        /// The shortest time that opening it takes, and closing it: each is a reset.
        opening: Duration,
    },
    /// Open it through VFIO and ask for `VFIO_DEVICE_PCI_HOT_RESET`.
    HotReset {
        /// How it is opened.
        interface: VfioInterface,
        /// How else, should it have no file for that.
        fallback: Option<VfioInterface>,
        /// The bridge above everything that is reset.
        bridge: Address,
        /// One function of each further group, which must be owned as well.
        also: Vec<Address>,
        /// Every function that it hits, those that do not answer included.
        set: Vec<Address>,
        /// The shortest time that opening takes: the resets of all that are opened and have one of their own.
        opening: Duration,
        /// The shortest time that closing takes: those resets again, and one of the whole bus if one of the
        /// functions has none of its own.
        closing: Duration,
    },
    /// Set and clear Secondary Bus Reset.
    SecondaryBus {
        /// The bridge.
        bridge: Address,
        /// What to wait for afterwards.
        wait: SecondaryBusWait,
    },
    /// Take the steps of a vendor sequence.
    Vendor {
        /// Which.
        family: &'static Family,
    },
}

/// A function that a reset hits, as the engine needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFunction {
    /// Where it is.
    pub address: Address,
    /// The vendor and device id it must show when it is back.
    pub ids: (u16, u16),
    /// A virtual function shows no ids: Command and Status tell whether it is back.
    pub is_virtual: bool,
    /// The bridge above.
    pub parent: Option<Address>,
    /// The time it needs between D3hot and D0.
    pub d3hot_delay: Duration,
    /// The driver that was bound.
    pub driver: Option<String>,
    /// It is reset; otherwise it is the bridge that asserts the reset.
    pub is_reset: bool,
}

/// A step of a reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// Which.
    pub name: StepName,
    /// What is done, in a sentence.
    pub text: String,
    /// The shortest time it takes.
    pub floor: Duration,
    /// The longest time it may take.
    pub ceiling: Duration,
}

/// The steps there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// See whether everything is as it was when the plan was made.
    Check,
    /// Save configuration space.
    Save,
    /// Stop the functions: no bus mastering, no decoding; hot-plug notification off.
    Quiesce,
    /// Put the method alone into `reset_method`.
    SelectMethod,
    /// Open the function through VFIO.
    Open,
    /// Ask VFIO which functions it would reset.
    Ask,
    /// The reset itself.
    Reset,
    /// Close the function.
    Close,
    /// Wait for the link.
    WaitLink,
    /// Wait until the function answers with its ids.
    WaitReady,
    /// Write the saved state back.
    Restore,
    /// Put the list back into `reset_method`.
    PutListBack,
    /// Compare with what was before.
    Verify,
    /// Of a vendor sequence: see whether the device is what it is for, and answers.
    Detect,
    /// Of a vendor sequence: see whether there is anything to reset.
    Precheck,
    /// Of a vendor sequence: make true what must be true before.
    Prepare,
    /// Of a vendor sequence: begin.
    Trigger,
    /// Of a vendor sequence: wait until it is over.
    Await,
    /// Of a vendor sequence: see whether the device was reset and is usable.
    PostCheck,
}

impl From<Step> for StepName {
    fn from(step: Step) -> Self {
        match step {
            Step::Detect => Self::Detect,
            Step::Precheck => Self::Precheck,
            Step::Prepare => Self::Prepare,
            Step::Trigger => Self::Trigger,
            Step::Await => Self::Await,
            Step::PostCheck => Self::PostCheck,
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "check",
            Self::Save => "save",
            Self::Quiesce => "quiesce",
            Self::SelectMethod => "select method",
            Self::Open => "open",
            Self::Ask => "ask",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::WaitLink => "wait for link",
            Self::WaitReady => "wait until ready",
            Self::Restore => "restore",
            Self::PutListBack => "put list back",
            Self::Verify => "verify",
            Self::Detect => "detect",
            Self::Precheck => "precheck",
            Self::Prepare => "prepare",
            Self::Trigger => "trigger",
            Self::Await => "await",
            Self::PostCheck => "post-check",
        })
    }
}

/// The longest time a port may take to report its link as up. The specification wants 1 s (PCI Express
/// Base 6.0, 6.6.1), and the kernel gives up then; a device that trains later is late, not lost.
pub(crate) const LINK_CEILING: Duration = Duration::from_secs(3);

impl Context<'_> {
    /// The action for a way that nothing speaks against.
    pub(super) fn action(&self, method: MethodName, via: Via) -> Action {
        let act = self.act(method, via);
        let functions = self.functions(method, &act);
        let steps = self.steps(method, &act, &functions);
        Action {
            address: self.function.address(),
            method,
            via,
            act,
            functions,
            budget: self.request.budget,
            steps,
            stale: self.stale.clone(),
            port: self.function.parent().map(InventoryFunction::address),
            remedies: self.remedies(),
            locked_down: self.locked_down(),
        }
    }

    fn remedies(&self) -> Vec<String> {
        let remedy = |quirk: &Quirk| match &quirk.effect {
            Effect::DoesNotReturn { next, .. } => Some(next.clone()),
            _ => None,
        };
        self.quirks.of(self.function).filter_map(remedy).collect()
    }

    fn act(&self, method: MethodName, via: Via) -> ResetAct {
        let settle = method.method().floor(self.function, self.quirks);
        match (via, method, self.bridge) {
            (Via::Direct, MethodName::Flr, _) => ResetAct::FunctionLevelReset { settle },
            (Via::Direct, MethodName::AfFlr, _) => ResetAct::AdvancedFeatures { settle },
            (Via::Direct, MethodName::Pm, _) => {
                ResetAct::PowerManagement { delay: self.quirks.d3hot_delay(self.function) }
            }
            (Via::Direct, MethodName::Bus, Some(bridge)) => ResetAct::SecondaryBus {
                bridge: bridge.address(),
                wait: method::after_secondary_bus_reset(bridge, self.quirks),
            },
            (Via::Vfio, MethodName::HotReset, _) => self.hot_reset_act(settle),
            // An interface was found, or this were no way.
            (Via::Vfio, _, _) => ResetAct::VfioReset {
                interface: self.vfio_interface().unwrap_or(VfioInterface::Group),
                fallback: self.vfio_fallback(),
                opening: settle,
            },
            (Via::Direct, MethodName::Vendor, _) => {
                self.family().map_or(ResetAct::Kernel, |family| ResetAct::Vendor { family })
            }
            _ => ResetAct::Kernel,
        }
    }

    fn hot_reset_act(&self, settle: Duration) -> ResetAct {
        let interface = self.hot_reset_interface();
        let also = self.further_owners();
        let opened = self.opened_for_hot_reset(interface, &also);
        let own = opened.iter().map(|&function| MethodName::VfioReset.method().floor(function, self.quirks));
        let opening = own.sum();
        let all_have_own = opened.iter().all(|&function| self.has_own_reset(function));
        ResetAct::HotReset {
            interface,
            fallback: self.vfio_fallback(),
            bridge: self.function.parent().map_or(self.function.address(), InventoryFunction::address),
            also,
            set: hot_reset_set(self.function).iter().map(|member| member.function.address).collect(),
            opening,
            closing: if all_have_own { opening } else { opening + settle },
        }
    }

    fn has_own_reset(&self, function: InventoryFunction<'_>) -> bool {
        method::first_method(function, self.quirks).is_some()
    }

    fn functions(&self, method: MethodName, act: &ResetAct) -> Vec<PlannedFunction> {
        let planned = |function: InventoryFunction<'_>, is_reset| PlannedFunction {
            address: function.address(),
            ids: function.ids(),
            is_virtual: function.is_virtual(),
            parent: function.parent().map(InventoryFunction::address),
            d3hot_delay: self.quirks.d3hot_delay(function),
            driver: function.facts().driver.clone(),
            is_reset,
        };
        let present =
            |function: &InventoryFunction<'_>| function.presence() == pcicfg::header::Presence::Present;
        let scope = method.method().scope(self.function, self.quirks);
        if scope == Scope::Device {
            let all = super::same_device(self.function).into_iter().filter(present);
            return all.map(|function| planned(function, true)).collect();
        }
        if scope == Scope::Function {
            return std::iter::once(self.function)
                .chain(super::hit_with(self.function))
                .filter(present)
                .map(|function| planned(function, true))
                .collect();
        }
        let bridge = match act {
            ResetAct::SecondaryBus { .. } => self.bridge,
            _ => self.function.parent(),
        };
        let Some(bridge) = bridge else { return vec![planned(self.function, true)] };
        // What reads all-ones already has nothing to save, and is left alone.
        let below = bridge.below().into_iter().filter(present);
        std::iter::once(planned(bridge, false)).chain(below.map(|function| planned(function, true))).collect()
    }

    fn steps(&self, method: MethodName, act: &ResetAct, functions: &[PlannedFunction]) -> Vec<PlannedStep> {
        const SHORT: Duration = Duration::from_millis(10);
        let budget = self.request.budget;
        let address = self.function.address();
        let step = |name, text: String, floor: Duration, ceiling: Duration| PlannedStep {
            name,
            text,
            floor,
            ceiling: ceiling.max(floor),
        };
        let reset: Vec<&PlannedFunction> = functions.iter().filter(|function| function.is_reset).collect();
        let names = match reset.as_slice() {
            [one] => one.address.to_string(),
            many => format!("{} functions", many.len()),
        };
        let silent = act.silent(functions);
        let unsaved = match silent.as_slice() {
            [] => String::new(),
            many => format!("; {}", cannot_be_saved(many)),
        };
        let mut steps = vec![
            step(
                StepName::Check,
                format!("see whether {address} is still as it was when this was planned"),
                Duration::ZERO,
                SHORT,
            ),
            step(
                StepName::Save,
                format!("save the configuration space of {}{unsaved}", plural(functions.len(), "function")),
                Duration::ZERO,
                SHORT,
            ),
        ];
        let settle_restored = self.restore_floor(&reset);
        let restore = || {
            step(
                StepName::Restore,
                format!("write the saved state of {names} back, Command last"),
                settle_restored,
                SHORT,
            )
        };
        match act {
            ResetAct::Kernel => {
                let floor = method.method().floor(self.function, self.quirks);
                steps.extend([
                    step(
                        StepName::SelectMethod,
                        format!("write {method} alone to reset_method"),
                        Duration::ZERO,
                        SHORT,
                    ),
                    step(StepName::Reset, format!("have the kernel reset {address}"), floor, budget),
                    step(
                        StepName::PutListBack,
                        "write the former list to reset_method".to_string(),
                        Duration::ZERO,
                        SHORT,
                    ),
                    step(
                        StepName::WaitReady,
                        format!("wait until {address} answers with its ids"),
                        Duration::ZERO,
                        budget,
                    ),
                ]);
            }
            ResetAct::FunctionLevelReset { settle } => {
                steps.extend([
                    step(
                        StepName::Quiesce,
                        format!(
                            "stop {address}: Command = Interrupt Disable, then wait for pending transactions"
                        ),
                        Duration::ZERO,
                        PENDING_CEILING,
                    ),
                    step(
                        StepName::Reset,
                        "set Initiate Function Level Reset in Device Control".to_string(),
                        *settle,
                        *settle,
                    ),
                    step(
                        StepName::WaitReady,
                        format!("wait until {address} answers with its ids"),
                        Duration::ZERO,
                        budget,
                    ),
                    restore(),
                ]);
            }
            ResetAct::AdvancedFeatures { settle } => {
                steps.extend([
                    step(
                        StepName::Quiesce,
                        format!(
                            "stop {address}: Command = Interrupt Disable, then wait for pending transactions"
                        ),
                        Duration::ZERO,
                        PENDING_CEILING,
                    ),
                    step(
                        StepName::Reset,
                        "set Initiate FLR in Advanced Features Control".to_string(),
                        *settle,
                        *settle,
                    ),
                    step(
                        StepName::WaitReady,
                        format!("wait until {address} answers with its ids"),
                        Duration::ZERO,
                        budget,
                    ),
                    restore(),
                ]);
            }
            ResetAct::PowerManagement { delay } => {
                steps.extend([
                    step(
                        StepName::Quiesce,
                        format!("stop {address}: Command = Interrupt Disable"),
                        Duration::ZERO,
                        SHORT,
                    ),
                    step(
                        StepName::Reset,
                        format!("{address} to D3hot and back to D0"),
                        2 * *delay,
                        2 * *delay,
                    ),
                    step(
                        StepName::WaitReady,
                        format!("wait until {address} answers with its ids"),
                        Duration::ZERO,
                        budget,
                    ),
                    restore(),
                ]);
            }
            ResetAct::VfioReset { interface, opening, .. } => {
                let first = method::first_method(self.function, self.quirks);
                let by = first.map_or_else(String::new, |method| format!(", by {method}"));
                steps.extend([
                    step(
                        StepName::Open,
                        format!("open {address} through VFIO ({interface}): the kernel resets it, as at every first open{by}"),
                        *opening,
                        budget,
                    ),
                    step(StepName::Reset, format!("ask for VFIO_DEVICE_RESET of {address}{by}"), *opening, budget),
                    step(
                        StepName::Close,
                        "close it: the kernel resets it once more".to_string(),
                        *opening,
                        budget,
                    ),
                    step(
                        StepName::WaitReady,
                        format!("wait until {address} answers with its ids"),
                        Duration::ZERO,
                        budget,
                    ),
                ]);
                if !self.locked_down() {
                    steps.push(restore());
                }
            }
            ResetAct::Vendor { family } => {
                let text = |step_name: Step| match step_name {
                    Step::Detect => {
                        format!("see whether {address} is what the sequence for {} is for", family.name)
                    }
                    Step::Precheck => "see whether there is anything to reset".to_string(),
                    Step::Prepare => format!("prepare {address}"),
                    Step::Trigger => format!("{}: begin", family.deed),
                    Step::Await => "wait until that is over".to_string(),
                    Step::PostCheck => format!("see whether {address} is usable"),
                };
                steps.push(step(
                    StepName::Quiesce,
                    format!("stop {names}; {address} decodes memory and masters nothing"),
                    Duration::ZERO,
                    SHORT,
                ));
                steps.extend(Step::ALL.map(|name| {
                    step(name.into(), text(name), family.step_floor(name), family.ceiling.min(budget))
                }));
                steps.extend([
                    step(
                        StepName::WaitReady,
                        format!("wait until {names} {}", if reset.len() == 1 { "answers" } else { "answer" }),
                        Duration::ZERO,
                        budget,
                    ),
                    restore(),
                ]);
            }
            ResetAct::HotReset { interface, bridge, also, set, opening, closing, .. } => {
                let opened = self.opened_for_hot_reset(*interface, also);
                let own: Vec<Address> = opened
                    .iter()
                    .filter(|&&function| self.has_own_reset(function))
                    .map(|function| function.address())
                    .collect();
                let and = match also.len() {
                    0 => String::new(),
                    count => format!(" and {}", plural(count, "further group")),
                };
                let it = if opened.len() == 1 { "it".to_string() } else { list(&own) };
                let first = match own.as_slice() {
                    [] => String::new(),
                    _ => format!(": the kernel resets {it}, as at every first open"),
                };
                let again = match (own.as_slice(), own.len() == opened.len()) {
                    ([], _) => "everything once more, for want of another way".to_string(),
                    (_, true) => format!("{it} once more"),
                    (_, false) => format!("{it} once more, then everything for want of another way"),
                };
                let them = if opened.len() == 1 { "it" } else { "them" };
                let hit = match set.as_slice() {
                    [one] => one.to_string(),
                    many => format!("{} functions", many.len()),
                };
                steps.extend([
                    step(
                        StepName::Open,
                        format!("open {address}{and} through VFIO ({interface}){first}"),
                        *opening,
                        budget,
                    ),
                    step(
                        StepName::Ask,
                        format!("ask VFIO whether it would reset {hit}, and nothing else"),
                        Duration::ZERO,
                        SHORT,
                    ),
                    step(
                        StepName::Reset,
                        format!("ask for VFIO_DEVICE_PCI_HOT_RESET: everything below {bridge}"),
                        method.method().floor(self.function, self.quirks),
                        budget,
                    ),
                    step(
                        StepName::Close,
                        format!("close {them}: the kernel resets {again}"),
                        *closing,
                        budget,
                    ),
                    step(
                        StepName::WaitReady,
                        format!("wait until {address} answers with its ids"),
                        Duration::ZERO,
                        budget,
                    ),
                ]);
                if !self.locked_down() {
                    steps.push(step(
                        StepName::Restore,
                        format!(
                            "write the saved state of {bridge} and {names} back, bridges first, Command last"
                        ),
                        settle_restored,
                        SHORT,
                    ));
                }
            }
            ResetAct::SecondaryBus { bridge, wait } => {
                let hold = method::SECONDARY_BUS_RESET_HOLD;
                let answering = match reset.len() {
                    1 => format!("{names} answers with its ids"),
                    _ => format!("the functions right below {bridge} answer with their ids"),
                };
                steps.extend([
                    step(
                        StepName::Quiesce,
                        format!("stop {names}; hot-plug notification and ASPM of {bridge} off"),
                        Duration::ZERO,
                        SHORT,
                    ),
                    step(
                        StepName::Reset,
                        format!(
                            "set Secondary Bus Reset at {bridge}, hold it for {} ms, clear it",
                            hold.as_millis()
                        ),
                        hold,
                        hold,
                    ),
                ]);
                if wait.link_active {
                    steps.push(step(
                        StepName::WaitLink,
                        format!("wait for the link below {bridge}"),
                        Duration::ZERO,
                        LINK_CEILING,
                    ));
                }
                steps.extend([
                    step(StepName::WaitReady, format!("wait until {}", answering), wait.settle, budget),
                    step(
                        StepName::Restore,
                        format!(
                            "write the saved state of {bridge} and {names} back, bridges first, Command last"
                        ),
                        settle_restored,
                        SHORT,
                    ),
                ]);
            }
        }
        let compare = match (act.is_by_kernel(), self.locked_down()) {
            (true, true) => {
                "compare with what the kernel brought back: nothing else can be, it is locked down"
            }
            _ => "compare ids, header, every restored register, power state, link, and siblings",
        };
        steps.push(step(StepName::Verify, compare.to_string(), Duration::ZERO, SHORT));
        steps
    }
}

impl ResetAct {
    /// Whether the kernel does it, and restores what it has saved itself.
    pub(crate) fn is_by_kernel(&self) -> bool {
        matches!(self, Self::Kernel | Self::VfioReset { .. } | Self::HotReset { .. })
    }

    /// The functions that a hot reset hits and that do not answer now: nothing of them can be saved.
    pub(crate) fn silent(&self, functions: &[PlannedFunction]) -> Vec<Address> {
        let Self::HotReset { set, .. } = self else { return Vec::new() };
        let answers = |address: &Address| functions.iter().any(|planned| planned.address == *address);
        set.iter().copied().filter(|address| !answers(address)).collect()
    }
}

/// What is said of functions that do not answer and will be reset with others.
pub(crate) fn cannot_be_saved(silent: &[Address]) -> String {
    let (does, its) = if silent.len() == 1 { ("does", "its") } else { ("do", "their") };
    format!("{} {does} not answer; {its} state cannot be saved", list(silent))
}

/// Addresses in a sentence.
pub(crate) fn list(addresses: &[Address]) -> String {
    let names: Vec<String> = addresses.iter().map(Address::to_string).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

impl Context<'_> {
    /// The time that restored registers must be given: virtual functions are not there at once.
    fn restore_floor(&self, functions: &[&PlannedFunction]) -> Duration {
        let inventory = self.function.inventory();
        let known = functions.iter().filter_map(|planned| inventory.function(planned.address).ok());
        known
            .flat_map(|function| {
                restore_sequence(function.space(), function.is_virtual(), BridgeHeaders::Forced)
            })
            .map(|write| write.settle)
            .sum()
    }
}

/// The kernel looks at 0, 100, 300 and 700 ms (`pci_wait_for_pending`).
pub(crate) const PENDING_LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(200), Duration::from_millis(400)];
const PENDING_CEILING: Duration = Duration::from_millis(700);

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
