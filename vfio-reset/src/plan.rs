//! What a reset would do: which method, why that one, what else it hits, and what forbids it.
//!
//! A [`Plan`] is a value made from an [`Inventory`] alone. It can be printed, compared and kept; the
//! engine ([`crate::reset`]) executes its [`Action`] without looking at the inventory again.

mod action;
mod contradiction;
mod refusal;
mod vfio;

use crate::error::{Error, Result};
use crate::inventory::{Inventory, InventoryFunction};
use crate::machine::DeviceUser;
use crate::machine::vfio::VfioInterface;
use crate::method::{self, Availability, MethodName, Reason};
use crate::quirk::{Effect, Quirks};
use crate::vendor::devices::DeviceEntry;
use crate::vendor::family::{Family, Rank};
use pcicfg::Address;
use pcicfg::header::Presence;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

pub use action::{Action, PlannedFunction, PlannedStep, ResetAct, StepName};
pub(crate) use action::{LINK_CEILING, PENDING_LOOKS, cannot_be_saved, list};
pub use refusal::{Override, Refusal, RefusalCode, restore_refusals};
pub use vfio::{HotResetMember, Ownership, opening_refusals};

/// What the user asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The function.
    pub address: Address,
    /// The method; `None` leaves the choice to the plan.
    pub method: Option<MethodName>,
    /// Who does it; `None` leaves the choice to the plan.
    pub via: Option<Via>,
    /// For a direct bus reset: the bridge that asserts it, if not the nearest.
    pub bridge: Option<Address>,
    /// For a reset by VFIO: the interface; `None` leaves the choice to the plan.
    pub vfio: Option<VfioInterface>,
    /// Refusals that the user overrides.
    pub allow: Vec<Override>,
    /// How long the whole reset may take.
    pub budget: Duration,
}

impl Request {
    /// The time a reset may take unless the user says otherwise: what comes back at all comes back
    /// within a few seconds; the kernel alone would wait 65 to 139.
    pub const DEFAULT_BUDGET: Duration = Duration::from_secs(30);

    /// Asks for whatever works best.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            method: None,
            via: None,
            bridge: None,
            vfio: None,
            allow: Vec::new(),
            budget: Self::DEFAULT_BUDGET,
        }
    }

    /// Asks for one method.
    #[must_use]
    pub fn method(mut self, method: MethodName) -> Self {
        self.method = Some(method);
        self
    }

    /// Says who does it.
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = Some(via);
        self
    }

    fn allows(&self, wanted: Override) -> bool {
        self.allow.contains(&wanted)
    }
}

/// Who carries a reset out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The kernel, through `reset_method` and `reset`.
    Kernel,
    /// The kernel, asked by who has the function open through VFIO.
    Vfio,
    /// We, through writes to configuration space.
    Direct,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "kernel",
            Self::Vfio => "vfio",
            Self::Direct => "direct",
        })
    }
}

/// What can reset a function, and what would be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The machine, as the user named it.
    pub machine: String,
    /// The function.
    pub address: Address,
    /// Its IOMMU group.
    pub iommu_group: Option<u32>,
    /// Whether it answers.
    pub presence: Presence,
    /// Every method of the kernel, in the kernel's order.
    pub methods: Vec<MethodPlan>,
    /// The functions that VFIO's hot reset would hit, and whose they are; `None` where there can be none.
    pub hot_reset: Option<Vec<HotResetMember>>,
    /// The vendor sequence for the function, if there is one.
    pub vendor: Option<MethodPlan>,
    /// Every way that was looked at, in the order of preference, with what speaks against it.
    pub candidates: Vec<Candidate>,
    /// What is to be done.
    pub decision: Decision,
    /// What the user should know besides.
    pub notes: Vec<String>,
}

/// What can be said of one method of the kernel.
#[derive(Clone, Debug)]
pub struct MethodPlan {
    /// Whether it can be used, and why.
    pub availability: Availability,
    /// The other functions that it would reset.
    pub affects: Vec<Affected>,
    /// The shortest time it takes.
    pub floor: Duration,
    /// The longest time the kernel takes over it.
    pub ceiling: Duration,
}

/// Another function that would be reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// Where it is.
    pub address: Address,
    /// Its vendor and device id.
    pub ids: (u16, u16),
    /// Its IOMMU group.
    pub iommu_group: Option<u32>,
    /// The driver that is bound.
    pub driver: Option<String>,
    /// Who on the host depends on it.
    pub users: Vec<DeviceUser>,
}

impl Affected {
    fn of(function: InventoryFunction<'_>) -> Self {
        Self {
            address: function.address(),
            ids: function.ids(),
            iommu_group: function.facts().iommu_group,
            driver: function.facts().driver.clone(),
            users: function.users().to_vec(),
        }
    }
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match (&self.driver, self.iommu_group) {
            (Some(driver), Some(group)) => write!(f, " (driver {driver}, IOMMU group {group})"),
            (Some(driver), None) => write!(f, " (driver {driver})"),
            (None, Some(group)) => write!(f, " (no driver, IOMMU group {group})"),
            (None, None) => write!(f, " (no driver)"),
        }
    }
}

/// One way to reset the function, and what speaks against it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The method.
    pub method: MethodName,
    /// Who would do it.
    pub via: Via,
    /// Why it cannot work at all; nothing overrides that.
    pub impossible: Option<String>,
    /// Why it is refused.
    pub refusals: Vec<Refusal>,
    /// Field reports speak against it; it comes last.
    pub last_resort: Option<String>,
}

impl Candidate {
    /// Whether nothing speaks against it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.impossible.is_none() && self.refusals.is_empty()
    }

    /// Everything that speaks against it, in a sentence.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        if let Some(reason) = &self.impossible {
            return Some(reason.clone());
        }
        let reasons: Vec<&str> = self.refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Decision {
    /// This.
    Act(Box<Action>),
    /// Nothing: it would do harm.
    Refuse {
        /// The way that came nearest.
        method: MethodName,
        /// Who would have done it.
        via: Via,
        /// Why not.
        refusals: Vec<Refusal>,
    },
    /// Nothing: no method can work.
    NoMethod,
    /// Nothing: the function does not answer, so its state cannot be saved, and nobody could tell
    /// whether a reset helped.
    NotPresent,
}

impl Plan {
    /// Plans a reset.
    ///
    /// # Errors
    /// When the request contradicts itself, there is no such function, or the bridge that was asked for is not
    /// above it; [`Error::BeingReset`] when somebody resets one of the functions that decide about it, whose registers
    /// nobody knows then.
    pub fn new(inventory: &Inventory, quirks: &Quirks, request: &Request) -> Result<Self> {
        // Who takes an inventory as it comes must not have a plan made of registers that nobody could read.
        Self::concerned(inventory, request)?;
        let function = inventory.function(request.address)?;
        let bridge = asserting_bridge(function, request)?;
        let plan_for = |availability: Availability| {
            let method = availability.method.method();
            MethodPlan {
                affects: affected(function, method.scope(function, quirks), function.parent()),
                floor: method.floor(function, quirks),
                ceiling: match (method.name, method::sequence_for(function, quirks)) {
                    (MethodName::Vendor, Some(family)) => family.ceiling,
                    _ => method.ceiling,
                },
                availability,
            }
        };
        let methods: Vec<MethodPlan> =
            method::availability(function, quirks).into_iter().map(plan_for).collect();
        let vendor = method::sequence_for(function, quirks)
            .map(|_| plan_for(MethodName::Vendor.method().availability(function, quirks)));
        let stale =
            methods.iter().map(|method| &method.availability).filter(|availability| availability.stale);
        let stale = stale.map(|availability| availability.method).collect();
        let context = Context { function, quirks, request, bridge, stale };
        let candidates = context.candidates(&methods);
        let decision = context.decide(&candidates);
        Ok(Self {
            machine: inventory.machine().to_string(),
            address: request.address,
            iommu_group: function.facts().iommu_group,
            presence: function.presence(),
            hot_reset: method::HOT_RESET.probe(function, quirks).ok().map(|_| vfio::hot_reset_set(function)),
            methods,
            vendor,
            notes: context.notes(&decision, &candidates),
            decision,
            candidates,
        })
    }

    /// Why the vendor sequence is not what would be done, for whoever asked for its family by name; `None` if
    /// it is, if it is what is refused, or if the notes say why.
    #[must_use]
    pub fn sequence_passed_over(&self, family: &Family) -> Option<String> {
        let chosen = match &self.decision {
            Decision::Act(action) => (action.method, action.via),
            Decision::Refuse { method, via, .. } => (*method, *via),
            Decision::NoMethod | Decision::NotPresent => return None,
        };
        if chosen.0 == MethodName::Vendor {
            return None;
        }
        if matches!(self.decision, Decision::Act(_)) && passed_over(&self.candidates, chosen).is_some() {
            // The notes say so.
            return None;
        }
        let sequence = self.candidates.iter().find(|candidate| candidate.method == MethodName::Vendor);
        let why = match sequence.map(Candidate::why_not) {
            None => "another way was asked for".to_string(),
            Some(Some(why)) => why,
            Some(None) => format!("{} ({}) comes before it; --method vendor takes it", chosen.0, chosen.1),
        };
        Some(format!("the sequence of {}, which was asked for, is not taken: {why}", family.name))
    }

    /// The functions whose users ([`Inventory::read_users`]) matter to a plan for `request`.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn concerned(inventory: &Inventory, request: &Request) -> Result<Vec<Address>> {
        let function = inventory.function(request.address)?;
        // What a bridge would hit cannot be told while it is reset itself.
        inventory.must_be_settled([request.address])?;
        let bridge = asserting_bridge(function, request)?;
        let mut addresses = vec![function.address()];
        addresses.extend(same_device(function).into_iter().map(InventoryFunction::address));
        let below = if function.is_bridge() { function.below() } else { Vec::new() };
        addresses.extend(below.into_iter().map(InventoryFunction::address));
        if let Some(bridge) = bridge {
            addresses.extend(bridge.below().into_iter().map(InventoryFunction::address));
        }
        addresses.extend(function.facts().virtfns.iter().copied());
        // Whoever has a function of a group open has the group.
        let groups: Vec<Address> = vfio::group_members(inventory, &addresses).collect();
        addresses.extend(groups);
        addresses.sort();
        addresses.dedup();
        inventory.must_be_settled(addresses.iter().copied())?;
        Ok(addresses)
    }
}

/// What D3hot does to the cards whose sequence comes before any bus reset.
const KEEPS_STATE: &str =
    "pm resets nothing here: AMD's GPUs keep what they hold through D3hot, although No_Soft_Reset is clear";

/// The first way that nothing speaks against; those that field reports speak against come last.
fn best(candidates: &[Candidate]) -> Option<&Candidate> {
    let mut usable = candidates.iter().filter(|candidate| candidate.is_usable());
    let first = usable.clone().next();
    usable.find(|candidate| candidate.last_resort.is_none()).or(first)
}

/// Why a sequence was passed over that comes before what was chosen; with the words that override it.
fn passed_over(candidates: &[Candidate], chosen: (MethodName, Via)) -> Option<String> {
    let chosen = candidates.iter().position(|candidate| (candidate.method, candidate.via) == chosen)?;
    let sequence = candidates[..chosen].iter().find(|candidate| candidate.method == MethodName::Vendor)?;
    let why = sequence.why_not()?;
    let words: Option<Vec<&str>> =
        sequence.refusals.iter().map(|refusal| refusal.overridden_by.map(Override::as_str)).collect();
    let words = words.filter(|words| !words.is_empty());
    Some(words.map_or_else(|| why.clone(), |words| format!("{why} (--allow {} takes it)", words.join(","))))
}

/// The refusal of a sequence that is not passed over, with the other way out of it.
fn refuse_at(sequence: &Candidate, other: Option<&Candidate>) -> Decision {
    let mut refusals = sequence.refusals.clone();
    if let Some(other) = other {
        let risk = other.last_resort.as_deref().unwrap_or("which often leaves such a card dead");
        for refusal in refusals.iter_mut().filter(|refusal| refusal.code == RefusalCode::Experimental) {
            refusal.remedy = format!(
                "{}; or choose another way by name, --method {}, {risk}",
                refusal.remedy, other.method
            );
        }
    }
    Decision::Refuse { method: sequence.method, via: sequence.via, refusals }
}

/// The bridge that a direct bus reset would use, if the request is one that can be planned for.
fn asserting_bridge<'i>(
    function: InventoryFunction<'i>,
    request: &Request,
) -> Result<Option<InventoryFunction<'i>>> {
    request.check()?;
    match request.bridge {
        None => Ok(function.parent()),
        Some(wanted) => match function.ancestors().find(|bridge| bridge.address() == wanted) {
            Some(bridge) => Ok(Some(bridge)),
            None => Err(Error::NotAbove {
                bridge: wanted,
                address: function.address(),
                above: function.ancestors().map(InventoryFunction::address).collect(),
            }),
        },
    }
}

/// The other functions that a method hits.
fn affected(
    function: InventoryFunction<'_>,
    scope: method::Scope,
    bridge: Option<InventoryFunction<'_>>,
) -> Vec<Affected> {
    let hit = match scope {
        method::Scope::Function => hit_with(function),
        method::Scope::Device => same_device(function),
        method::Scope::Bus => bridge.map_or_else(Vec::new, InventoryFunction::below),
        method::Scope::CxlBus => {
            let port = bridge.filter(|bridge| bridge.space().cxl_port().is_some());
            port.map_or_else(Vec::new, InventoryFunction::below)
        }
    };
    hit.into_iter().filter(|other| other.address() != function.address()).map(Affected::of).collect()
}

/// What goes down with a function: all below a bridge, a physical function's virtual functions.
fn hit_with(function: InventoryFunction<'_>) -> Vec<InventoryFunction<'_>> {
    if function.is_bridge() {
        return function.below();
    }
    let inventory = function.inventory();
    function.facts().virtfns.iter().filter_map(|&address| inventory.function(address).ok()).collect()
}

/// The function and the others of its device.
fn same_device(function: InventoryFunction<'_>) -> Vec<InventoryFunction<'_>> {
    let others = function.siblings().filter(|other| other.address().same_device(function.address()));
    std::iter::once(function).chain(others).collect()
}

/// What every decision looks at.
struct Context<'a> {
    function: InventoryFunction<'a>,
    quirks: &'a Quirks,
    request: &'a Request,
    bridge: Option<InventoryFunction<'a>>,
    stale: Vec<MethodName>,
}

/// The ways in the order of preference: the kernel's methods in the kernel's order, since the kernel
/// locks, saves and knows its quirks; then the kernel through VFIO, which is the only one that resets
/// several functions together; then our own writes. A vendor sequence stands in one of two places, which its
/// family says ([`Rank`]). D3hot comes after both: it resets least, and nothing at all on most of the cards
/// that have a sequence.
const PREFERENCE: [(Via, MethodName); 15] = [
    (Via::Kernel, MethodName::DeviceSpecific),
    (Via::Direct, MethodName::Vendor),
    (Via::Kernel, MethodName::Flr),
    (Via::Kernel, MethodName::AfFlr),
    (Via::Direct, MethodName::Vendor),
    (Via::Kernel, MethodName::Pm),
    (Via::Kernel, MethodName::Bus),
    (Via::Kernel, MethodName::CxlBus),
    // The firmware's method waits for nothing and is rarely tested.
    (Via::Kernel, MethodName::Acpi),
    (Via::Vfio, MethodName::VfioReset),
    (Via::Vfio, MethodName::HotReset),
    (Via::Direct, MethodName::Flr),
    (Via::Direct, MethodName::AfFlr),
    (Via::Direct, MethodName::Pm),
    (Via::Direct, MethodName::Bus),
];

impl Context<'_> {
    fn candidates(&self, methods: &[MethodPlan]) -> Vec<Candidate> {
        let first = PREFERENCE.iter().position(|&(_, method)| method == MethodName::Vendor);
        let is_early = self.family().is_some_and(|family| family.rank == Rank::BeforeFlr);
        let wanted = PREFERENCE.iter().enumerate().filter(|&(place, (via, method))| {
            self.request.via.is_none_or(|wanted| wanted == *via)
                && self.request.method.is_none_or(|wanted| wanted == *method)
                && (*method != MethodName::Vendor || is_early == (Some(place) == first))
        });
        let candidate = |(_, &(via, method)): (usize, &(Via, MethodName))| {
            let availability = methods
                .iter()
                .map(|plan| &plan.availability)
                .find(|availability| availability.method == method);
            let impossible = match via {
                Via::Kernel => availability.and_then(|availability| self.impossible_for_kernel(availability)),
                Via::Vfio => self.impossible_for_vfio(method),
                Via::Direct => self.impossible_for_us(method),
            };
            let refusals =
                if impossible.is_none() { self.refusals(method, via, availability) } else { Vec::new() };
            Candidate { method, via, impossible, refusals, last_resort: self.last_resort(method) }
        };
        wanted.map(candidate).collect()
    }

    fn impossible_for_kernel(&self, availability: &Availability) -> Option<String> {
        (!availability.available).then(|| availability.reason.to_string())
    }

    fn impossible_for_us(&self, method: MethodName) -> Option<String> {
        if self.function.presence() != Presence::Present {
            return Some(Reason::NotPresent(self.function.presence()).to_string());
        }
        match method {
            MethodName::Bus => match self.bridge {
                // Whoever shares the bus is a matter of refusals, and a quirk can be overridden.
                Some(_) => None,
                None => Some(match method.method().probe(self.function, self.quirks) {
                    Err(reason) => reason.to_string(),
                    Ok(_) => Reason::RootBus.to_string(),
                }),
            },
            // A quirk forbids a function level reset that the function could do; the quirk against
            // power management says that there is no reset to be had.
            MethodName::Flr | MethodName::AfFlr => match method.method().probe(self.function, self.quirks) {
                Ok(_) | Err(Reason::Quirk(_)) => None,
                Err(reason) => Some(reason.to_string()),
            },
            MethodName::Pm => {
                let probed = method.method().probe(self.function, self.quirks);
                probed.err().map(|reason| reason.to_string())
            }
            MethodName::Vendor => self.impossible_for_sequence(),
            MethodName::DeviceSpecific | MethodName::Acpi | MethodName::CxlBus => {
                Some("only the kernel can do that".to_string())
            }
            MethodName::VfioReset | MethodName::HotReset => Some("only VFIO can do that".to_string()),
        }
    }

    fn family(&self) -> Option<&'static Family> {
        method::sequence_for(self.function, self.quirks)
    }

    fn impossible_for_sequence(&self) -> Option<String> {
        let probed = MethodName::Vendor.method().probe(self.function, self.quirks);
        probed.err().map(|reason| reason.to_string())
    }

    /// Why a method comes after all others.
    fn last_resort(&self, method: MethodName) -> Option<String> {
        // What VFIO asks for is one of the kernel's methods in the end.
        let method = match method {
            MethodName::HotReset => MethodName::Bus,
            MethodName::VfioReset => method::first_method(self.function, self.quirks)?,
            other => other,
        };
        let of_table = self.quirks.of(self.function).find_map(|quirk| match &quirk.effect {
            Effect::DoesNotReturn { methods, .. } if methods.contains(&method) => Some(String::from(quirk)),
            _ => None,
        });
        // The kernel knows it of displays of class 0300 alone (quirk_no_pm_reset); the same cards without a
        // connector are of class 0380 or 1200.
        let family = self.family().filter(|family| family.rank == Rank::BeforeBus);
        of_table.or_else(|| family.filter(|_| method == MethodName::Pm).map(|_| KEEPS_STATE.to_string()))
    }

    /// The sequence that must not be passed over: what comes after it resets nothing, or makes it impossible.
    /// Under lockdown nobody can take it.
    fn barrier(&self, candidates: &[Candidate]) -> Option<usize> {
        self.family().filter(|family| family.rank == Rank::BeforeBus)?;
        let is_refused = |candidate: &Candidate| {
            let lockdown = candidate.refusals.iter().any(|refusal| refusal.code == RefusalCode::Lockdown);
            candidate.impossible.is_none() && !candidate.refusals.is_empty() && !lockdown
        };
        candidates
            .iter()
            .position(|candidate| candidate.method == MethodName::Vendor && is_refused(candidate))
    }

    fn decide(&self, candidates: &[Candidate]) -> Decision {
        if self.function.presence() != Presence::Present {
            return Decision::NotPresent;
        }
        let barrier = self.barrier(candidates);
        let (within, beyond) = candidates.split_at(barrier.map_or(candidates.len(), |at| at + 1));
        if let Some(best) = best(within) {
            return self.within_budget(self.action(best.method, best.via));
        }
        if let Some(sequence) = within.last().filter(|_| barrier.is_some()) {
            return refuse_at(sequence, best(beyond));
        }
        // What VFIO asks for first, that everything be its own, is a remedy more than a refusal: a way that
        // could be overridden is nearer.
        let possible = || candidates.iter().filter(|candidate| candidate.impossible.is_none());
        match possible().find(|candidate| candidate.via != Via::Vfio).or_else(|| possible().next()) {
            Some(nearest) => Decision::Refuse {
                method: nearest.method,
                via: nearest.via,
                refusals: nearest.refusals.clone(),
            },
            None => Decision::NoMethod,
        }
    }

    /// The action, unless it cannot end in time: it would be broken off in the middle.
    fn within_budget(&self, action: Action) -> Decision {
        match self.refuse_budget(&action) {
            None => Decision::Act(Box::new(action)),
            Some(refusal) => {
                Decision::Refuse { method: action.method, via: action.via, refusals: vec![refusal] }
            }
        }
    }

    fn notes(&self, decision: &Decision, candidates: &[Candidate]) -> Vec<String> {
        let mut notes = Vec::new();
        for quirk in self.quirks.of(self.function) {
            if let Effect::DoesNotReturn { methods, next } = &quirk.effect {
                let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
                notes.push(format!("{} leaves it dead: {}; {next}", names.join(" or "), String::from(quirk)));
            }
        }
        if self.function.facts().boot_vga {
            notes.push("the firmware used this display to boot with".to_string());
        }
        if self.function.facts().power_state.as_deref() == Some("D3cold") {
            notes.push(
                "the kernel has it in D3cold, switched off; `echo on > power/control` for it and every port above \
                 keeps it on"
                    .to_string(),
            );
        }
        if let Decision::Act(action) = decision {
            notes.extend(self.hot_plug_note(action));
            notes.extend(self.sequence_note(action, candidates));
        }
        notes
    }

    /// Why a vendor sequence was chosen, that one would be spoilt, or why one was passed over.
    fn sequence_note(&self, action: &Action, candidates: &[Candidate]) -> Vec<String> {
        let Some(family) = self.family() else { return Vec::new() };
        if action.method == MethodName::Vendor {
            let mut notes = vec![format!("the vendor sequence comes {}", family.rank.why())];
            notes.extend(self.quirks.sequences().find(self.function.ids()).and_then(DeviceEntry::warning));
            return notes;
        }
        if let Some(passed_over) = passed_over(candidates, (action.method, action.via)) {
            return vec![format!(
                "there is a vendor sequence ({}), and it is not taken: {passed_over}",
                family.name
            )];
        }
        let possible = self.impossible_for_sequence().is_none() && family.rank == Rank::BeforeBus;
        let reached = action.reset_method(|| method::first_method(self.function, self.quirks));
        let note = match reached {
            MethodName::Pm => format!("{KEEPS_STATE}; there is a vendor sequence (--method vendor)"),
            method if method.method().scope != method::Scope::Function => {
                "there is a vendor sequence (--method vendor): try that first, a bus reset often makes it impossible"
                    .to_string()
            }
            _ => return Vec::new(),
        };
        if possible { vec![note] } else { Vec::new() }
    }

    fn hot_plug_note(&self, action: &Action) -> Option<String> {
        let ResetAct::SecondaryBus { bridge, .. } = action.act else { return None };
        self.bridge?.space().pci_express().filter(|express| express.hot_plug_capable())?;
        Some(format!(
            "{bridge} is a hot-plug port: its notifications are switched off meanwhile, or the kernel would take the \
             device for unplugged"
        ))
    }
}
