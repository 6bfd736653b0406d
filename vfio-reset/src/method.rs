//! Which methods can reset a function, and why the others cannot: the kernel's own rules.
//!
//! [`METHODS`] is the whole policy of `reset_method` on one screen: each method with what the kernel checks when it
//! enumerates a function, what it checks again when the reset is tried, and how long it takes.
//! Sources: Linux `drivers/pci/pci.c` (`pci_reset_fn_methods`, `pci_reset_bus_function`,
//! `pci_parent_bus_reset`, `pci_dev_reset_slot_function`), 6.12 and 6.18.

use crate::inventory::InventoryFunction;
use crate::machine::ResetMethods;
use crate::quirk::{Effect, Quirk, Quirks};
use crate::vendor::family::{Family, Reach};
use pcicfg::capability::{AdvancedFeaturesCapabilities, LinkSpeed, PciExpress};
use pcicfg::extended::{ReadinessTime, ReadinessTimeReporting};
use pcicfg::header::{Presence, Status};
use pcicfg::{Address, ConfigSpace};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A method's name, as `reset_method` spells it; the last two are VFIO's and never in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodName {
    /// A sequence that the kernel has for this very device.
    DeviceSpecific,
    /// The firmware's `_RST`.
    Acpi,
    /// Function Level Reset, by the PCI Express capability.
    Flr,
    /// Function Level Reset, by the Advanced Features capability.
    AfFlr,
    /// To D3hot and back.
    Pm,
    /// Secondary bus reset at the bridge above, or reset of the hot-plug slot.
    Bus,
    /// Secondary bus reset at a CXL port that masks it.
    CxlBus,
    /// `VFIO_DEVICE_RESET`: the kernel's methods in the order of its list, asked for by who has the function
    /// open.
    VfioReset,
    /// `VFIO_DEVICE_PCI_HOT_RESET`: the slot or the bus, by who owns every function there.
    HotReset,
    /// A sequence of register accesses that the device's maker knows.
    Vendor,
}

impl MethodName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DeviceSpecific,
        Self::Acpi,
        Self::Flr,
        Self::AfFlr,
        Self::Pm,
        Self::Bus,
        Self::CxlBus,
        Self::VfioReset,
        Self::HotReset,
        Self::Vendor,
    ];

    /// The name in `reset_method`, or what users type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceSpecific => "device_specific",
            Self::Acpi => "acpi",
            Self::Flr => "flr",
            Self::AfFlr => "af_flr",
            Self::Pm => "pm",
            Self::Bus => "bus",
            Self::CxlBus => "cxl_bus",
            Self::VfioReset => "vfio_reset",
            Self::HotReset => "hot_reset",
            Self::Vendor => "vendor",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn method(self) -> &'static Method {
        match self {
            Self::VfioReset => &VFIO_RESET,
            Self::HotReset => &HOT_RESET,
            Self::Vendor => &VENDOR,
            listed => &METHODS[listed as usize],
        }
    }

    /// Whether the kernel lists it in `reset_method`.
    #[must_use]
    pub const fn is_listed(self) -> bool {
        !matches!(self, Self::VfioReset | Self::HotReset | Self::Vendor)
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MethodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| format!("no reset method {text:?}: there are {}", names()))
    }
}

/// What a method resets besides the function it is used on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The function, and with a physical function its virtual functions.
    Function,
    /// Everything below the bridge above.
    Bus,
    /// Everything below the bridge above, if that is a CXL port.
    CxlBus,
    /// All functions of the device, those with the same bus and device number.
    Device,
}

/// One of the methods.
#[derive(Debug)]
pub struct Method {
    /// Its name.
    pub name: MethodName,
    /// What else it resets; of a vendor sequence, at most ([`Method::scope`]).
    pub scope: Scope,
    /// What the kernel checks when it enumerates the function and makes the list.
    enumerate: Probe,
    /// What the kernel checks when the reset is tried.
    execute: Probe,
    /// The shortest time it takes.
    floor: fn(InventoryFunction<'_>, &Quirks) -> Duration,
    /// The longest time the kernel takes before it gives up.
    pub ceiling: Duration,
}

type Probe = fn(InventoryFunction<'_>, &Quirks) -> Result<Reason, Reason>;

/// The sum of the kernel's sleeps before it gives up on a function (`pci_dev_wait`, doubling from
/// 1 ms to over 60 s).
const READY_CEILING: u64 = 65_535;

/// The kernel's methods in the kernel's order.
#[rustfmt::skip]
pub const METHODS: [Method; 7] = {
    use MethodName::{Acpi, AfFlr, Bus, CxlBus, DeviceSpecific, Flr, Pm};
    const fn ms(milliseconds: u64) -> Duration { Duration::from_millis(milliseconds) }
    [
        Method { name: DeviceSpecific, scope: Scope::Function, enumerate: device_specific, execute: device_specific, floor: flr_floor, ceiling: ms(800 + READY_CEILING) },
        Method { name: Acpi, scope: Scope::Function, enumerate: acpi, execute: acpi, floor: no_floor, ceiling: ms(1_000) },
        Method { name: Flr, scope: Scope::Function, enumerate: flr, execute: flr, floor: flr_floor, ceiling: ms(800 + READY_CEILING) },
        Method { name: AfFlr, scope: Scope::Function, enumerate: af_flr, execute: af_flr, floor: af_flr_floor, ceiling: ms(800 + READY_CEILING) },
        Method { name: Pm, scope: Scope::Function, enumerate: pm, execute: pm, floor: pm_floor, ceiling: ms(40 + READY_CEILING) },
        Method { name: Bus, scope: Scope::Bus, enumerate: bus_at_enumeration, execute: bus, floor: bus_floor, ceiling: ms(2 * (1_100 + READY_CEILING)) },
        Method { name: CxlBus, scope: Scope::CxlBus, enumerate: cxl_bus, execute: cxl_bus, floor: bus_floor, ceiling: ms(2 * (1_100 + READY_CEILING)) },
    ]
};

/// VFIO's reset of one function.
pub const VFIO_RESET: Method = Method {
    name: MethodName::VfioReset,
    scope: Scope::Function,
    enumerate: vfio_reset,
    execute: vfio_reset,
    floor: first_floor,
    ceiling: Duration::from_millis(800 + READY_CEILING),
};

/// VFIO's reset of a slot or a bus.
pub const HOT_RESET: Method = Method {
    name: MethodName::HotReset,
    scope: Scope::Bus,
    enumerate: hot_reset,
    execute: hot_reset,
    floor: bus_floor,
    ceiling: Duration::from_millis(2 * (1_100 + READY_CEILING)),
};

/// Our reset by the sequence that the device's maker knows; what it hits is the sequence's to say
/// ([`Method::scope`]).
pub const VENDOR: Method = Method {
    name: MethodName::Vendor,
    scope: Scope::Device,
    enumerate: vendor,
    execute: vendor,
    floor: vendor_floor,
    ceiling: Duration::from_millis(READY_CEILING),
};

impl Method {
    /// The shortest time the method takes on a function.
    #[must_use]
    pub fn floor(&self, function: InventoryFunction<'_>, quirks: &Quirks) -> Duration {
        (self.floor)(function, quirks)
    }

    /// What else the method resets, used on this function.
    #[must_use]
    pub fn scope(&self, function: InventoryFunction<'_>, quirks: &Quirks) -> Scope {
        match sequence_for(function, quirks).map(|family| family.reach) {
            Some(Reach::Function) if self.name == MethodName::Vendor => Scope::Function,
            _ => self.scope,
        }
    }

    /// What the kernel's rules say of the method now, whatever the kernel's list says.
    ///
    /// # Errors
    /// The reason why the rules forbid it.
    pub fn probe(&self, function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
        (self.execute)(function, quirks)
    }
}

/// What can be said of one method on one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// The method.
    pub method: MethodName,
    /// The kernel lists it in `reset_method`, or would.
    pub listed: bool,
    /// It is listed and can work.
    pub available: bool,
    /// It is listed and cannot work: the list was made before the kernel knew the siblings, and a
    /// reset with it ends in `ENOTTY`.
    pub stale: bool,
    /// Why.
    pub reason: Reason,
}

/// Why a method is available, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A register announces it.
    Announced(&'static str),
    /// The kernel has a sequence for this device.
    Sequence(String),
    /// We have a sequence for the device: what it does.
    VendorSequence(&'static Family),
    /// The kernel lists it, and there is nothing in configuration space to check.
    KernelSays,
    /// It is alone below its bridge.
    AloneBelow(Address),
    /// Its hot-plug slot can be reset.
    Slot(Address),
    /// The capability is not there.
    NoCapability(&'static str),
    /// Capabilities begin behind what can be read.
    NotReadable,
    /// The capability is there, and does not announce it.
    NotAnnounced(&'static str),
    /// No_Soft_Reset is set: the function keeps its state through D3hot.
    KeepsState,
    /// A rule of the quirk tables forbids it.
    Quirk(String),
    /// There is no bridge above.
    RootBus,
    /// The function sits on a bus whose bridge nobody recorded.
    UnknownBridge,
    /// It is a bridge itself.
    IsBridge,
    /// It is a bridge, and no VFIO driver binds to one.
    NotForVfio,
    /// Other functions share the bus.
    Siblings(Vec<Address>),
    /// Everything below the bridge is reset together.
    Together(Address),
    /// It is a virtual function: VFIO never resets one with others.
    Virtual,
    /// A function that would be reset too is known not to survive it.
    Survivor(Address, String),
    /// The kernel has no method that works for it alone.
    NoOwnReset,
    /// The kernel would use this one first.
    First(MethodName),
    /// Nothing says that there is such a thing.
    NothingKnown(&'static str),
    /// The function does not answer.
    NotPresent(Presence),
    /// The rules allow it, and the kernel does not list it.
    NotListed(Box<Reason>),
    /// The kernel lists it, and the rules as known here forbid it.
    ListedDespite(Box<Reason>),
    /// The kernel lists it, and the check at the time of the reset will fail.
    Stale(Box<Reason>),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Announced(what) => write!(f, "{what}"),
            Self::Sequence(sequence) => write!(f, "the kernel has a sequence for this device: {sequence}"),
            Self::VendorSequence(family) => write!(f, "{} ({})", family.deed, family.name),
            Self::KernelSays => write!(f, "the kernel lists it"),
            Self::AloneBelow(bridge) => write!(f, "the only function below {bridge}"),
            Self::Slot(port) => write!(f, "alone in the hot-plug slot of {port}"),
            Self::NoCapability(name) => write!(f, "there is no {name} capability"),
            Self::NotReadable => write!(f, "not known: without root the kernel shows no capabilities"),
            Self::NotAnnounced(what) => write!(f, "{what}"),
            Self::KeepsState => {
                write!(
                    f,
                    "No_Soft_Reset is set: the function keeps its state through D3hot, so nothing is reset"
                )
            }
            Self::Quirk(text) => write!(f, "known not to work: {text}"),
            Self::RootBus => write!(f, "it is on a root bus: no bridge above can reset it"),
            Self::UnknownBridge => write!(f, "the bridge above is not part of this recording"),
            Self::IsBridge => {
                write!(f, "it is a bridge: the kernel resets a bridge's bus, not the bridge, this way")
            }
            Self::NotForVfio => write!(f, "it is a bridge, which no VFIO driver binds to"),
            Self::Siblings(others) => {
                write!(f, "the bus is shared with {}, which would be reset too", Addresses(others))
            }
            Self::Together(bridge) => write!(f, "everything below {bridge} is reset together"),
            Self::Virtual => {
                write!(f, "it is a virtual function, which VFIO never resets with others; use flr")
            }
            Self::Survivor(address, text) => {
                write!(f, "{address} would be reset too, and is known not to survive that: {text}")
            }
            Self::NoOwnReset => {
                write!(f, "the kernel has no method that resets it alone, so VFIO refuses (EINVAL)")
            }
            Self::First(method) => write!(f, "the kernel would use {method}"),
            Self::NothingKnown(what) => write!(f, "{what}"),
            Self::NotPresent(Presence::RequestRetryStatus) => {
                write!(f, "the function is not ready (it answers with Request Retry Status)")
            }
            Self::NotPresent(_) => write!(f, "the function does not answer: its registers read all-ones"),
            Self::NotListed(reason) => write!(
                f,
                "not in reset_method although the rules allow it ({reason}): somebody removed it, or this kernel \
                 knows a reason"
            ),
            Self::ListedDespite(reason) => write!(f, "the kernel lists it although {reason}"),
            Self::Stale(reason) => write!(
                f,
                "the kernel listed it before it knew everything; a reset with it fails with ENOTTY, because {reason}"
            ),
        }
    }
}

/// A list of addresses in a sentence.
struct Addresses<'a>(&'a [Address]);

impl fmt::Display for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        for (index, address) in self.0.iter().take(SHOWN).enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{separator}{address}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What the kernel offers for a function, in the kernel's order: all seven methods, each with its
/// reason.
#[must_use]
pub fn availability(function: InventoryFunction<'_>, quirks: &Quirks) -> Vec<Availability> {
    METHODS.iter().map(|method| method.availability(function, quirks)).collect()
}

impl Method {
    /// What can be said of the method on a function.
    pub(crate) fn availability(&self, function: InventoryFunction<'_>, quirks: &Quirks) -> Availability {
        let now = match function.presence() {
            Presence::Present => self.probe(function, quirks),
            other => Err(Reason::NotPresent(other)),
        };
        let (listed, by_kernel) = match &function.facts().reset_methods {
            // No kernel is asked for what we do ourselves.
            _ if self.name == MethodName::Vendor => (now.is_ok(), false),
            ResetMethods::Unknown => {
                let answers = function.presence() == Presence::Present;
                (answers && (self.enumerate)(function, quirks).is_ok(), false)
            }
            ResetMethods::NoFile => (false, true),
            ResetMethods::Listed(names) => (names.iter().any(|name| name == self.name.as_str()), true),
        };
        let stale = listed && self.scope != Scope::Function && now.is_err();
        let present = !matches!(now, Err(Reason::NotPresent(_)));
        let reason = match now {
            Ok(reason) if listed => reason,
            Ok(reason) if by_kernel => Reason::NotListed(Box::new(reason)),
            // Only a prediction: the kernel would not list it, the rule for that is the reason.
            Ok(reason) => (self.enumerate)(function, quirks).err().unwrap_or(reason),
            Err(reason) if stale => Reason::Stale(Box::new(reason)),
            Err(reason @ Reason::NotPresent(_)) => reason,
            Err(Reason::NothingKnown(_) | Reason::NotReadable) if listed => Reason::KernelSays,
            Err(reason) if listed => Reason::ListedDespite(Box::new(reason)),
            Err(reason) => reason,
        };
        Availability { method: self.name, listed, available: listed && !stale && present, stale, reason }
    }
}

// --- the rules, one function each --------------------------------------------------------------------

fn forbidden_by(quirk: Option<&Quirk>) -> Result<(), Reason> {
    quirk.map_or(Ok(()), |quirk| Err(Reason::Quirk(quirk.into())))
}

/// Why a capability cannot be found: 64 bytes are all that the kernel shows without `CAP_SYS_ADMIN`.
fn missing(function: InventoryFunction<'_>, name: &'static str) -> Reason {
    let space = function.space();
    let has_list = space.header().status().contains(Status::CAPABILITIES_LIST);
    if has_list && space.size() <= 64 { Reason::NotReadable } else { Reason::NoCapability(name) }
}

fn device_specific(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    let quirk = quirks.find(function, |effect| matches!(effect, Effect::DeviceSpecific { .. }));
    match quirk.map(|quirk| &quirk.effect) {
        Some(Effect::DeviceSpecific { sequence, needs_flr }) => {
            if *needs_flr {
                flr(function, quirks)?;
            }
            Ok(Reason::Sequence(sequence.clone()))
        }
        _ => Err(Reason::NothingKnown("the kernel has no sequence for this device")),
    }
}

fn vendor(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    match sequence_for(function, quirks) {
        Some(family) => Ok(Reason::VendorSequence(family)),
        None => Err(Reason::NothingKnown("no vendor sequence is known for this device")),
    }
}

/// The family of devices whose sequence a function would be reset with.
#[must_use]
pub fn sequence_for(function: InventoryFunction<'_>, quirks: &Quirks) -> Option<&'static Family> {
    quirks.sequences().find(function.ids())?.family
}

fn acpi(_: InventoryFunction<'_>, _: &Quirks) -> Result<Reason, Reason> {
    Err(Reason::NothingKnown("the firmware has no reset (_RST) for it, as far as the kernel says"))
}

fn flr(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    let express = function.space().pci_express().ok_or_else(|| missing(function, "PCI Express"))?;
    if !express.function_level_reset_capable() {
        return Err(Reason::NotAnnounced(
            "Device Capabilities does not announce Function Level Reset (FLReset-)",
        ));
    }
    // Last, so that a quirk as the reason says that the function could do it otherwise.
    forbidden_by(quirks.find(function, |effect| *effect == Effect::NoFlr))?;
    Ok(Reason::Announced("Device Capabilities announces Function Level Reset"))
}

fn af_flr(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    let features =
        function.space().advanced_features().ok_or_else(|| missing(function, "Advanced Features"))?;
    let both = AdvancedFeaturesCapabilities::FUNCTION_LEVEL_RESET
        | AdvancedFeaturesCapabilities::TRANSACTIONS_PENDING;
    if !features.capabilities().contains(both) {
        return Err(Reason::NotAnnounced(
            "Advanced Features does not announce both FLR and Transactions Pending",
        ));
    }
    forbidden_by(quirks.find(function, |effect| *effect == Effect::NoFlr))?;
    Ok(Reason::Announced("Advanced Features announces FLR and Transactions Pending"))
}

fn pm(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    let pm = function.space().power_management().ok_or_else(|| missing(function, "Power Management"))?;
    forbidden_by(quirks.find(function, |effect| *effect == Effect::NoPmReset))?;
    if pm.control_status().no_soft_reset() {
        return Err(Reason::KeepsState);
    }
    Ok(Reason::Announced("No_Soft_Reset is clear: D3hot to D0 resets the function"))
}

/// When a function is enumerated, the kernel sees only what was enumerated before it, and does not
/// know yet that a bridge has a bus below: so the first function of every bus gets `bus`.
fn bus_at_enumeration(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    let bridge = bridge_above(function)?;
    no_bus_reset(function, quirks)?;
    // Virtual functions come last, when the slot is known and all siblings are there.
    if function.is_virtual() {
        return match slot(function) {
            Some(port) => Ok(Reason::Slot(port)),
            None => alone(function),
        };
    }
    let earlier: Vec<Address> = function
        .siblings()
        .filter(|sibling| !sibling.is_virtual() && sibling.address() < function.address())
        .map(InventoryFunction::address)
        .collect();
    if earlier.is_empty() { Ok(Reason::AloneBelow(bridge.address())) } else { Err(Reason::Siblings(earlier)) }
}

/// When the reset is tried, everything is known.
fn bus(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    bridge_above(function)?;
    no_bus_reset(function, quirks)?;
    if function.is_bridge() {
        return Err(Reason::IsBridge);
    }
    if let Some(port) = slot(function).filter(|_| !multi_function(function)) {
        return Ok(Reason::Slot(port));
    }
    alone(function)
}

fn cxl_bus(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    const NONE: &str = "the bridge above is no CXL port";
    let bridge = function.parent().ok_or(Reason::NothingKnown(NONE))?;
    if bridge.space().cxl_port().is_none() {
        return Err(Reason::NothingKnown(NONE));
    }
    bus(function, quirks)
}

/// `vfio_pci_core_enable` tries the list once: what works then, works.
fn vfio_reset(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    if function.is_bridge() {
        return Err(Reason::NotForVfio);
    }
    first_method(function, quirks).map(Reason::First).ok_or(Reason::NoOwnReset)
}

/// The method that the kernel would use if it were not told which: the first of its list that works.
#[must_use]
pub fn first_method(function: InventoryFunction<'_>, quirks: &Quirks) -> Option<MethodName> {
    let available: Vec<MethodName> = availability(function, quirks)
        .into_iter()
        .filter(|availability| availability.available)
        .map(|availability| availability.method)
        .collect();
    match &function.facts().reset_methods {
        ResetMethods::Listed(names) => {
            names.iter().filter_map(|name| name.parse().ok()).find(|name| available.contains(name))
        }
        _ => available.first().copied(),
    }
}

/// `pci_probe_reset_slot`, `pci_probe_reset_bus`: nothing there, nor the bridge, may be known to die of it.
fn hot_reset(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<Reason, Reason> {
    if function.is_bridge() {
        return Err(Reason::NotForVfio);
    }
    let bridge = bridge_above(function)?;
    if function.is_virtual() {
        return Err(Reason::Virtual);
    }
    no_bus_reset(function, quirks)?;
    for other in bridge.below().into_iter().chain([bridge]) {
        if let Some(quirk) = quirks.find(other, |effect| *effect == Effect::NoBusReset) {
            return Err(Reason::Survivor(other.address(), quirk.into()));
        }
    }
    Ok(Reason::Together(bridge.address()))
}

fn bridge_above(function: InventoryFunction<'_>) -> Result<InventoryFunction<'_>, Reason> {
    match function.parent() {
        Some(bridge) => Ok(bridge),
        None if function.address().bus() != 0 && function.facts().reset_methods == ResetMethods::Unknown => {
            Err(Reason::UnknownBridge)
        }
        None => Err(Reason::RootBus),
    }
}

fn no_bus_reset(function: InventoryFunction<'_>, quirks: &Quirks) -> Result<(), Reason> {
    forbidden_by(quirks.find(function, |effect| *effect == Effect::NoBusReset))
}

fn alone(function: InventoryFunction<'_>) -> Result<Reason, Reason> {
    let others: Vec<Address> = function.siblings().map(InventoryFunction::address).collect();
    match function.parent() {
        Some(bridge) if others.is_empty() => Ok(Reason::AloneBelow(bridge.address())),
        Some(_) => Err(Reason::Siblings(others)),
        None => Err(Reason::RootBus),
    }
}

/// The kernel's idea of a multi-function device; a virtual function never counts as one.
fn multi_function(function: InventoryFunction<'_>) -> bool {
    !function.is_virtual()
        && (function.space().header().multi_function() || function.address().function() != 0)
}

/// The port in whose hot-plug slot the function sits: slots of PCI Express ports hold device 0 only.
///
/// A port that could have a slot has none where the firmware kept hot-plug to itself: a kernel that was
/// asked knows.
fn slot(function: InventoryFunction<'_>) -> Option<Address> {
    let port = function.parent()?;
    let express = port.space().pci_express()?;
    let facts = function.facts();
    let has_driver = facts.slot.is_some() || facts.reset_methods == ResetMethods::Unknown;
    (has_driver && express.hot_plug_capable() && function.address().device() == 0).then(|| port.address())
}

// --- how long ----------------------------------------------------------------------------------------

fn no_floor(_: InventoryFunction<'_>, _: &Quirks) -> Duration {
    Duration::ZERO
}

fn first_floor(function: InventoryFunction<'_>, quirks: &Quirks) -> Duration {
    first_method(function, quirks).map_or(Duration::ZERO, |name| name.method().floor(function, quirks))
}

fn flr_floor(function: InventoryFunction<'_>, _: &Quirks) -> Duration {
    let space = function.space();
    if space.header().status().contains(Status::IMMEDIATE_READINESS) {
        return Duration::ZERO;
    }
    reported(space, ReadinessTimeReporting::flr_time).unwrap_or(FLR_TIME)
}

/// A time that the function itself reports; the kernel does not ask.
fn reported<'a>(
    space: ConfigSpace<'a>,
    time: fn(ReadinessTimeReporting<'a>) -> ReadinessTime,
) -> Option<Duration> {
    let times = space.readiness_time_reporting().filter(|times| times.valid())?;
    // No function may claim to need longer than what the specification grants all of them.
    time(times).duration().filter(|time| *time <= Duration::from_secs(1))
}

/// The time software gives a function after a function level reset (PCI Express Base 6.0, 6.6.2).
pub const FLR_TIME: Duration = Duration::from_millis(100);

fn af_flr_floor(_: InventoryFunction<'_>, _: &Quirks) -> Duration {
    FLR_TIME
}

fn pm_floor(function: InventoryFunction<'_>, quirks: &Quirks) -> Duration {
    2 * quirks.d3hot_delay(function)
}

fn vendor_floor(function: InventoryFunction<'_>, quirks: &Quirks) -> Duration {
    sequence_for(function, quirks).map_or(Duration::ZERO, Family::floor)
}

fn bus_floor(function: InventoryFunction<'_>, quirks: &Quirks) -> Duration {
    function.parent().map_or(Duration::ZERO, |bridge| secondary_bus_reset_floor(bridge, quirks))
}

/// How long Secondary Bus Reset is held: at least 1 ms (PCI Express Base 6.0, 7.5.1.3.13); Linux
/// and we take 2.
pub const SECONDARY_BUS_RESET_HOLD: Duration = Duration::from_millis(2);

/// The shortest time from the beginning of a secondary bus reset at `bridge` to the first access.
#[must_use]
pub fn secondary_bus_reset_floor(bridge: InventoryFunction<'_>, quirks: &Quirks) -> Duration {
    SECONDARY_BUS_RESET_HOLD + after_secondary_bus_reset(bridge, quirks).settle
}

/// What to wait for between the release of Secondary Bus Reset and the first access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondaryBusWait {
    /// The port says when its link is up: wait for that first.
    pub link_active: bool,
    /// Then this long: the slowest function below decides.
    pub settle: Duration,
}

/// What to wait for between the release of Secondary Bus Reset at `bridge` and the first access
/// (PCI Express Base 6.0, 6.6.1; Linux `pci_bridge_wait_for_secondary_bus`).
#[must_use]
pub fn after_secondary_bus_reset(bridge: InventoryFunction<'_>, quirks: &Quirks) -> SecondaryBusWait {
    /// What stands in for a link that nobody reports.
    const UNREPORTED: Duration = Duration::from_secs(1);
    let delay = |child: InventoryFunction<'_>| {
        let reported = reported(child.space(), ReadinessTimeReporting::reset_time);
        reported.unwrap_or_else(|| quirks.d3cold_delay(child))
    };
    let settle = bridge.children().map(delay).max().unwrap_or(Duration::from_millis(100));
    let Some(express) = bridge.space().pci_express().filter(|express| express.link_capabilities().is_some())
    else {
        // A conventional bus: 2^25 clocks (PCI Local Bus 3.0, 4.3.2), which Linux takes for 1 s.
        return SecondaryBusWait { link_active: false, settle: UNREPORTED + settle };
    };
    if express.data_link_layer_link_active_reporting_capable() {
        return SecondaryBusWait { link_active: true, settle };
    }
    // Up to 5 GT/s the time counts from the release of the reset, above from the end of training. A
    // port that does not name its speed counts as fast, as in the kernel.
    match max_link_speed(express) {
        Some(LinkSpeed::Gt2_5 | LinkSpeed::Gt5) => SecondaryBusWait { link_active: false, settle },
        _ => SecondaryBusWait { link_active: false, settle: UNREPORTED + settle },
    }
}

/// The highest speed a port supports: the vector of the second capability register, where there is
/// one, decides.
fn max_link_speed(express: PciExpress<'_>) -> Option<LinkSpeed> {
    let second = express.link_capabilities_2().and_then(|capabilities| capabilities.max_link_speed());
    second.or_else(|| express.link_capabilities()?.max_link_speed())
}
