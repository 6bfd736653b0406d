//! What is refused because it would hurt the host, and what the user may override.

use super::{Action, Affected, Context, Request, Via, affected};
use crate::inventory::{Inventory, InventoryFunction};
use crate::machine::vfio::is_vfio_driver;
use crate::machine::{DeviceUser, Lockdown};
use crate::method::{Availability, MethodName, Reason, Scope};
use crate::quirk::{Effect, Quirk, Quirks};
use crate::state::SavedState;
use pcicfg::bar::{Bar, IndexedBar};
use pcicfg::{Address, ConfigSpace};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// Why something is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The kind of reason.
    pub code: RefusalCode,
    /// The function that it is about.
    pub address: Address,
    /// The reason in a sentence.
    pub reason: String,
    /// What the user can do about it.
    pub remedy: String,
    /// The word after `--allow` that overrides it; `None` where nothing should.
    pub overridden_by: Option<Override>,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// A driver other than a VFIO one is bound to the function.
    Driver,
    /// Somebody uses the function: a mounted disk, swap, a running virtual machine.
    InUse,
    /// Another function that would be reset has a driver.
    SiblingDriver,
    /// A bus reset through a virtual function resets its physical function.
    VirtualFunction,
    /// The physical function's virtual functions would lose their state.
    VirtualFunctionsEnabled,
    /// A quirk forbids it.
    Quirk,
    /// The display that the host shows its console on.
    BootDisplay,
    /// The kernel is locked down: configuration space cannot be written.
    Lockdown,
    /// The kernel does not offer the method, and may know why.
    NotListed,
    /// The function is a bridge, and the kernel restores nothing of what is below it.
    Bridge,
    /// Saved state is not of this machine as it is now.
    OtherMachine,
    /// VFIO resets only what it owns, and this function is not ours.
    NotOwned,
    /// The vendor sequence was never compared with a recorded one.
    Experimental,
    /// The budget is shorter than the reset takes.
    Budget,
}

/// A word after `--allow`: which refusals the user overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Override {
    /// A driver is bound to the function.
    Driver,
    /// A virtual machine has the function open.
    InUse,
    /// Other functions that are reset too have drivers.
    Siblings,
    /// The function has virtual functions.
    VirtualFunctions,
    /// A quirk forbids the method.
    Quirk,
    /// The host may show its console on it.
    BootDisplay,
    /// The kernel does not list the method.
    NotListed,
    /// The function is a bridge with functions below it.
    Bridge,
    /// The saved state is of another machine, or of this one before it gave out addresses anew.
    OtherMachine,
    /// The vendor sequence is experimental.
    Experimental,
}

impl Override {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Driver,
        Self::InUse,
        Self::Siblings,
        Self::VirtualFunctions,
        Self::Quirk,
        Self::BootDisplay,
        Self::NotListed,
        Self::Bridge,
        Self::OtherMachine,
        Self::Experimental,
    ];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::InUse => "in-use",
            Self::Siblings => "siblings",
            Self::VirtualFunctions => "virtual-functions",
            Self::Quirk => "quirk",
            Self::BootDisplay => "boot-display",
            Self::NotListed => "not-listed",
            Self::Bridge => "bridge",
            Self::OtherMachine => "other-machine",
            Self::Experimental => "experimental",
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|word| word.as_str() == text)
            .ok_or_else(|| format!("nothing called {text:?} can be allowed: there are {}", words()))
    }
}

impl Context<'_> {
    /// What speaks against a way that could work, without what the user overrides.
    pub(super) fn refusals(
        &self,
        method: MethodName,
        via: Via,
        availability: Option<&Availability>,
    ) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if via == Via::Vfio {
            self.vfio_refusals(method, &mut refusals);
            refusals.retain(|refusal| refusal.overridden_by.is_none_or(|word| !self.request.allows(word)));
            return refusals;
        }
        self.refuse_for_host(method, via, availability, &mut refusals);
        self.refuse_for_function(&mut refusals);
        let scope = method.method().scope(self.function, self.quirks);
        let bridge = match via {
            Via::Kernel => self.function.parent(),
            Via::Direct | Via::Vfio => self.bridge,
        };
        if (scope == Scope::Function || via == Via::Kernel) && self.function.children().next().is_some() {
            refusals.push(self.refuse_bridge(method));
        }
        if scope != Scope::Function && self.function.is_virtual() {
            refusals.push(self.refuse_virtual_function());
        }
        for other in affected(self.function, scope, bridge) {
            self.refuse_for_other(&other, &mut refusals);
        }
        if (via, method) == (Via::Direct, MethodName::Bus) {
            self.refuse_no_bus_reset(&mut refusals);
        }
        if method == MethodName::Vendor {
            refusals.extend(self.refuse_experimental());
        }
        refusals.retain(|refusal| refusal.overridden_by.is_none_or(|word| !self.request.allows(word)));
        refusals
    }

    fn refuse_for_host(
        &self,
        method: MethodName,
        via: Via,
        availability: Option<&Availability>,
        refusals: &mut Vec<Refusal>,
    ) {
        let address = self.function.address();
        if via == Via::Kernel {
            return;
        }
        if self.function.inventory().host().lockdown != Lockdown::None {
            refusals.push(refuse_lockdown(address));
        }
        if let Err(Reason::Quirk(why)) = method.method().probe(self.function, self.quirks) {
            if method != MethodName::Bus {
                refusals.push(refuse_quirk(address, method, &why));
            }
        } else if method != MethodName::Bus
            && availability.is_some_and(|availability| matches!(availability.reason, Reason::NotListed(_)))
        {
            refusals.push(Refusal {
                code: RefusalCode::NotListed,
                address,
                reason: format!("the kernel does not offer {method} for it, and may know why"),
                remedy: "if you removed it from reset_method yourself, put it back or override this"
                    .to_string(),
                overridden_by: Some(Override::NotListed),
            });
        }
    }

    fn refuse_for_function(&self, refusals: &mut Vec<Refusal>) {
        let function = self.function;
        let address = function.address();
        if let Some(driver) = function.facts().driver.as_deref().filter(|driver| !releases(driver)) {
            refusals.push(Refusal {
                code: RefusalCode::Driver,
                address,
                reason: format!(
                    "{address} is in use by the host: the driver {driver} is bound, and would lose its device"
                ),
                remedy: format!("unbind it first: echo {address} > /sys/bus/pci/drivers/{driver}/unbind"),
                overridden_by: Some(Override::Driver),
            });
        }
        refuse_users(address, function.users(), Override::Driver, refusals);
        refuse_boot_display(function, refusals);
        if !function.facts().virtfns.is_empty() {
            refusals.push(refuse_virtual_functions(function));
        }
    }

    /// A sequence that nobody has compared with a recorded one is for those who ask for it.
    fn refuse_experimental(&self) -> Option<Refusal> {
        let family = self.family()?;
        let why = family.experimental?;
        Some(Refusal {
            code: RefusalCode::Experimental,
            address: self.function.address(),
            reason: format!("the sequence for {} is experimental: {why}", family.title),
            remedy: format!("look at it first (`vfio-reset vendor show {}`)", family.name),
            overridden_by: Some(Override::Experimental),
        })
    }

    /// A reset that cannot end within the budget would be broken off half-way.
    pub(super) fn refuse_budget(&self, action: &Action) -> Option<Refusal> {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
        let (floor, budget) = (ms(action.floor()), ms(action.budget));
        // The steps take some time besides.
        (action.floor() >= action.budget).then(|| Refusal {
            code: RefusalCode::Budget,
            address: action.address,
            reason: format!(
                "{} takes {floor:.1} ms at least, and the budget is {budget:.1} ms: it would be broken off in the middle",
                action.method
            ),
            remedy: format!("give it more than that: --budget {}ms, better a few seconds", floor.ceil() + 10.0),
            overridden_by: None,
        })
    }

    fn refuse_bridge(&self, method: MethodName) -> Refusal {
        let address = self.function.address();
        let below = self.function.below().len();
        Refusal {
            code: RefusalCode::Bridge,
            address,
            reason: format!(
                "{address} is a bridge: {method} resets everything below it ({below} {}), and the port's own driver may \
                 take the link going down for an unplugged device",
                if below == 1 { "function" } else { "functions" }
            ),
            remedy:
                "reset what is below it, or use --method bus --via direct, which saves and restores all of it"
                    .to_string(),
            overridden_by: Some(Override::Bridge),
        }
    }

    fn refuse_virtual_function(&self) -> Refusal {
        let address = self.function.address();
        let physical = self
            .function
            .facts()
            .physfn
            .map_or_else(|| "its physical function".to_string(), |at| at.to_string());
        Refusal {
            code: RefusalCode::VirtualFunction,
            address,
            reason: format!(
                "{address} is a virtual function: a bus reset would reset {physical} and all its virtual functions"
            ),
            remedy: "use flr, which every virtual function has".to_string(),
            overridden_by: None,
        }
    }

    fn refuse_for_other(&self, other: &Affected, refusals: &mut Vec<Refusal>) {
        // A physical function's virtual functions are counted once, at the physical function.
        let is_own_virtual = self.function.facts().virtfns.contains(&other.address);
        if let Some(driver) = other.driver.as_deref().filter(|driver| !releases(driver) && !is_own_virtual) {
            let group = other.iommu_group.map_or_else(String::new, |group| format!(", IOMMU group {group}"));
            refusals.push(Refusal {
                code: RefusalCode::SiblingDriver,
                address: other.address,
                reason: format!(
                    "{} would be reset too, and the host uses it (driver {driver}{group})",
                    other.address
                ),
                remedy: format!(
                    "unbind it first: echo {} > /sys/bus/pci/drivers/{driver}/unbind",
                    other.address
                ),
                overridden_by: Some(Override::Siblings),
            });
        }
        refuse_users(other.address, &other.users, Override::Siblings, refusals);
        if let Ok(function) = self.function.inventory().function(other.address) {
            refuse_boot_display(function, refusals);
        }
    }

    /// A quirk of any function below the bridge, or of the bridge itself.
    fn refuse_no_bus_reset(&self, refusals: &mut Vec<Refusal>) {
        let Some(bridge) = self.bridge else { return };
        let quirk = |function: InventoryFunction<'_>| -> Option<Refusal> {
            let quirk: &Quirk = self.quirks.find(function, |effect| *effect == Effect::NoBusReset)?;
            Some(refuse_quirk(function.address(), MethodName::Bus, &String::from(quirk)))
        };
        refusals.extend(quirk(bridge));
        refusals.extend(bridge.below().into_iter().filter_map(quirk));
    }
}

pub(super) fn refuse_virtual_functions(function: InventoryFunction<'_>) -> Refusal {
    let address = function.address();
    let count = function.facts().virtfns.len();
    Refusal {
        code: RefusalCode::VirtualFunctionsEnabled,
        address,
        reason: format!("{address} has {count} virtual functions, which would lose their state"),
        remedy: "switch them off first: echo 0 > sriov_numvfs".to_string(),
        overridden_by: Some(Override::VirtualFunctions),
    }
}

/// What speaks against writing a saved state back, without what is in `allow`.
///
/// A function that the machine does not have is no reason: nothing is written to it.
#[must_use]
pub fn restore_refusals(
    inventory: &Inventory,
    quirks: &Quirks,
    state: &SavedState,
    allow: &[Override],
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if inventory.machine() != state.machine {
        refusals.push(Refusal {
            code: RefusalCode::OtherMachine,
            address: state.address,
            reason: format!(
                "the state was saved from {}, and this is {}",
                state.machine,
                inventory.machine()
            ),
            remedy: "restore it on the machine it is from".to_string(),
            overridden_by: Some(Override::OtherMachine),
        });
    }
    for saved in &state.functions {
        let Ok(function) = inventory.function(saved.address) else { continue };
        let request = Request::new(saved.address);
        let context = Context { function, quirks, request: &request, bridge: None, stale: Vec::new() };
        if inventory.host().lockdown != Lockdown::None {
            refusals.push(refuse_lockdown(saved.address));
        }
        context.refuse_for_function(&mut refusals);
        refusals.extend(saved.space().and_then(|image| moved(function, image)));
    }
    refusals.retain(|refusal| refusal.overridden_by.is_none_or(|word| !allow.contains(&word)));
    refusals
}

/// A BAR that the kernel has put somewhere else since: the saved address may be another device's now.
fn moved(function: InventoryFunction<'_>, image: ConfigSpace<'_>) -> Option<Refusal> {
    let resources = &function.facts().resources;
    let differs = |bar: &IndexedBar| {
        let base = match bar.bar {
            Bar::Io { base } | Bar::Memory32 { base, .. } => u64::from(base),
            Bar::Memory64 { base, .. } => base,
            _ => return false,
        };
        let given = resources.get(usize::from(bar.index)).map_or(0, |resource| resource.start);
        // 0 is an address that was never given out, on either side.
        base != 0 && given != 0 && base != given
    };
    let bar = image.header().bars().find(differs)?;
    let address = function.address();
    Some(Refusal {
        code: RefusalCode::OtherMachine,
        address,
        reason: format!(
            "BAR {} of {address} was saved at another place than the kernel has given it now: what is there now would \
             be answered by two",
            bar.index
        ),
        remedy: "save anew; this state is of another boot or another host".to_string(),
        overridden_by: Some(Override::OtherMachine),
    })
}

fn refuse_lockdown(address: Address) -> Refusal {
    Refusal {
        code: RefusalCode::Lockdown,
        address,
        reason: "the kernel is locked down (Secure Boot): configuration space cannot be written".to_string(),
        remedy: "use --via kernel or --via vfio, which lockdown allows".to_string(),
        overridden_by: None,
    }
}

fn refuse_quirk(address: Address, method: MethodName, why: &str) -> Refusal {
    Refusal {
        code: RefusalCode::Quirk,
        address,
        reason: format!("{address} is known not to survive {method}: {why}"),
        remedy: "use another method".to_string(),
        overridden_by: Some(Override::Quirk),
    }
}

fn refuse_boot_display(function: InventoryFunction<'_>, refusals: &mut Vec<Refusal>) {
    let address = function.address();
    if function.facts().boot_vga && function.facts().driver.is_none() {
        refusals.push(Refusal {
            code: RefusalCode::BootDisplay,
            address,
            reason: format!(
                "the host may show its console on {address}: the firmware booted with it, and no driver took it over"
            ),
            remedy: "bind it to vfio-pci, which shows that the host does not need it".to_string(),
            overridden_by: Some(Override::BootDisplay),
        });
    }
}

/// `driver`: the word that overrides a driver at work on the function.
fn refuse_users(address: Address, users: &[DeviceUser], driver: Override, refusals: &mut Vec<Refusal>) {
    for user in users {
        let (remedy, overridden_by) = match user {
            DeviceUser::Mount { path, .. } => (format!("unmount it first: umount {path}"), None),
            DeviceUser::Swap { device } => (format!("switch it off first: swapoff /dev/{device}"), None),
            DeviceUser::Holder { holder, .. } => (format!("take it out of {holder} first"), None),
            DeviceUser::Network { interface } => {
                (format!("take it down first: ip link set {interface} down"), Some(driver))
            }
            DeviceUser::Vfio { .. } => ("stop the virtual machine first".to_string(), Some(Override::InUse)),
        };
        refusals.push(Refusal {
            code: RefusalCode::InUse,
            address,
            reason: format!("{address} is in use: {user}"),
            remedy,
            overridden_by,
        });
    }
}

/// Whether a driver is one that lets go of its function across a reset: the VFIO drivers, which have
/// no device state of their own while nobody has the function open, and the port driver.
fn releases(driver: &str) -> bool {
    matches!(driver, "pci-stub" | "pcieport" | "shpchp") || is_vfio_driver(driver)
}
