//! VFIO in a plan: whether it is there, whose the functions are, and what must change before it resets them.
//!
//! VFIO resets a slot or a bus only for whoever owns every function there: each bound to a VFIO driver, its
//! IOMMU group complete, and nobody else in it. "Depends on group 20 which is not owned" is what QEMU makes
//! of that; here every function is named with what is to be done about it.

use super::refusal::refuse_virtual_functions;
use super::{Affected, Context, Refusal, RefusalCode};
use crate::error::Result;
use crate::inventory::{Inventory, InventoryFunction};
use crate::machine::vfio::{VfioInterface, is_vfio_driver};
use crate::machine::{DeviceUser, Lockdown};
use crate::method::MethodName;
use pcicfg::Address;
use pcicfg::header::Presence;
use serde::Serialize;
use std::collections::BTreeSet;

/// The base class of bridges.
const BRIDGE: u8 = 0x06;

/// A function that a hot reset hits, the one that it is asked of included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotResetMember {
    /// The function.
    pub function: Affected,
    /// Whether it can be owned.
    pub ownership: Ownership,
}

/// Whether VFIO lets us own a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Ownership {
    /// It is ours for the asking: bound to a VFIO driver, in a complete group that nobody has open.
    Ours,
    /// It has no driver, or one that is not VFIO's.
    NotBound,
    /// Another process has it, or another function of its group, open.
    InUse {
        /// The process.
        pid: u32,
        /// Its name.
        command: String,
    },
    /// A driver of the host's has another function of its group.
    GroupNotViable {
        /// That function.
        other: Address,
        /// The driver.
        driver: String,
    },
    /// It has no IOMMU group.
    NoGroup,
    /// It is a bridge, and no VFIO driver binds to one.
    Bridge,
    /// It is a virtual function of another one in the set.
    Virtual,
}

impl Ownership {
    fn of(function: InventoryFunction<'_>) -> Self {
        if function.is_virtual() && !function.is_bridge() {
            return Self::Virtual;
        }
        Self::alone(function)
    }

    /// Of a function that would be opened or reset alone, as a virtual function may be.
    fn alone(function: InventoryFunction<'_>) -> Self {
        if function.is_bridge() {
            return Self::Bridge;
        }
        if function.facts().iommu_group.is_none() {
            return Self::NoGroup;
        }
        // First of all, or a driver would be bound to what a virtual machine has.
        if let Some((pid, command)) = group_of(function).find_map(|other| vfio_user(other.users())) {
            return Self::InUse { pid, command };
        }
        if !function.facts().driver.as_deref().is_some_and(is_vfio_driver) {
            return Self::NotBound;
        }
        for other in group_of(function) {
            let driver = other.facts().driver.as_deref();
            if let Some(driver) = driver.filter(|driver| !is_vfio_driver(driver) && !is_harmless(driver)) {
                return Self::GroupNotViable { other: other.address(), driver: driver.to_owned() };
            }
        }
        Self::Ours
    }

    /// Whether it is ours for the asking.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        *self == Self::Ours
    }

    /// In a few words, for a list.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Ours => "owned".to_owned(),
            Self::NotBound => "not owned: no VFIO driver".to_owned(),
            Self::InUse { pid, command } => {
                format!("not owned: process {pid} ({command}) has its group open")
            }
            Self::GroupNotViable { other, driver } => {
                format!("not owned: {driver} has {other}, of the same group")
            }
            Self::NoGroup => "cannot be owned: no IOMMU group".to_owned(),
            Self::Bridge => "cannot be owned: a bridge".to_owned(),
            Self::Virtual => "cannot be owned with others: a virtual function".to_owned(),
        }
    }
}

/// The functions of a function's IOMMU group, itself included; itself alone if it has none.
fn group_of(function: InventoryFunction<'_>) -> impl Iterator<Item = InventoryFunction<'_>> {
    let group = function.facts().iommu_group;
    let in_group = move |other: &InventoryFunction<'_>| {
        other.address() == function.address() || group.is_some() && other.facts().iommu_group == group
    };
    function.inventory().functions().filter(in_group)
}

/// What speaks against opening a function through VFIO, whether it can be reset alone or not. Of every function
/// in its IOMMU group the users must have been read ([`Plan::concerned`](super::Plan::concerned) names them).
///
/// # Errors
/// When there is no such function.
pub fn opening_refusals(inventory: &Inventory, address: Address) -> Result<Vec<Refusal>> {
    let function = inventory.function(address)?;
    let member = HotResetMember { function: Affected::of(function), ownership: Ownership::alone(function) };
    let mut refusals = Vec::new();
    refuse_member(function, &member, &mut refusals);
    if !function.facts().virtfns.is_empty() {
        // Opening is a reset, for whoever has them in use too.
        refusals.push(Refusal { overridden_by: None, ..refuse_virtual_functions(function) });
    }
    Ok(refusals)
}

/// Drivers that the kernel does not mind in a group that is given away.
fn is_harmless(driver: &str) -> bool {
    matches!(driver, "pci-stub" | "pcieport")
}

fn vfio_user(users: &[DeviceUser]) -> Option<(u32, String)> {
    users.iter().find_map(|user| match user {
        DeviceUser::Vfio { pid, command } => Some((*pid, command.clone())),
        _ => None,
    })
}

/// The functions that a hot reset of `function` hits, itself included, in address order.
pub(super) fn hot_reset_set(function: InventoryFunction<'_>) -> Vec<HotResetMember> {
    let below = function.parent().map_or_else(Vec::new, InventoryFunction::below);
    let mut members: Vec<HotResetMember> = below
        .into_iter()
        .map(|member| HotResetMember { function: Affected::of(member), ownership: Ownership::of(member) })
        .collect();
    members.sort_by_key(|member| member.function.address);
    members
}

impl Context<'_> {
    /// The interface that would be used.
    pub(super) fn vfio_interface(&self) -> std::result::Result<VfioInterface, String> {
        let Some(facts) = self.function.inventory().host().vfio else {
            return Err("nobody recorded whether this host has VFIO".to_owned());
        };
        let none = "this host has no VFIO: load it (modprobe vfio-pci)";
        match self.request.vfio {
            Some(wanted) if facts.offers(wanted) => Ok(wanted),
            Some(wanted) if facts.preferred().is_some() => {
                Err(format!("this host's VFIO has no {wanted} interface"))
            }
            _ => facts.preferred().ok_or_else(|| none.to_owned()),
        }
    }

    /// Why VFIO cannot do it at all.
    pub(super) fn impossible_for_vfio(&self, method: MethodName) -> Option<String> {
        if let Err(reason) = self.vfio_interface() {
            return Some(reason);
        }
        let probed = method.method().probe(self.function, self.quirks);
        probed.err().map(|reason| reason.to_string())
    }

    /// What speaks against asking VFIO.
    pub(super) fn vfio_refusals(&self, method: MethodName, refusals: &mut Vec<Refusal>) {
        let set = match method {
            MethodName::HotReset => hot_reset_set(self.function),
            _ => vec![HotResetMember {
                function: Affected::of(self.function),
                ownership: Ownership::alone(self.function),
            }],
        };
        for member in &set {
            refuse_member(self.function, member, refusals);
        }
        if !self.function.facts().virtfns.is_empty() {
            refusals.push(refuse_virtual_functions(self.function));
        }
    }

    /// One function of each further group that a hot reset needs: one that answers, where there is one.
    pub(super) fn further_owners(&self) -> Vec<Address> {
        let mut groups: BTreeSet<Option<u32>> = BTreeSet::from([self.function.facts().iommu_group]);
        let mut members = hot_reset_set(self.function);
        members.sort_by_key(|member| !self.answers(member.function.address));
        let owners = members.into_iter().filter(|member| groups.insert(member.function.iommu_group));
        let mut owners: Vec<Address> = owners.map(|member| member.function.address).collect();
        owners.sort();
        owners
    }

    fn answers(&self, address: Address) -> bool {
        let function = self.function.inventory().function(address);
        function.is_ok_and(|function| function.presence() == Presence::Present)
    }

    /// The interface for a hot reset: by groups where a function that does not answer would have to be opened
    /// otherwise, which is a reset that the kernel would wait a minute for.
    pub(super) fn hot_reset_interface(&self) -> VfioInterface {
        let found = self.vfio_interface().unwrap_or(VfioInterface::Group);
        let facts = self.function.inventory().host().vfio.unwrap_or_default();
        let all_answer = self.further_owners().into_iter().all(|owner| self.answers(owner));
        match found {
            VfioInterface::Cdev if !all_answer && facts.group && self.request.vfio.is_none() => {
                VfioInterface::Group
            }
            other => other,
        }
    }

    /// The interface for a function that the preferred one has no file for: where no IOMMU is, or an old variant
    /// driver. Not where the user has said which.
    pub(super) fn vfio_fallback(&self) -> Option<VfioInterface> {
        let facts = self.function.inventory().host().vfio.unwrap_or_default();
        (self.request.vfio.is_none() && facts.group).then_some(VfioInterface::Group)
    }

    /// The functions that are opened, which is a reset of each that has one of its own.
    pub(super) fn opened_for_hot_reset(
        &self,
        interface: VfioInterface,
        also: &[Address],
    ) -> Vec<InventoryFunction<'_>> {
        let inventory = self.function.inventory();
        let further = also.iter().filter(|_| interface == VfioInterface::Cdev);
        let further = further.filter_map(|&address| inventory.function(address).ok());
        std::iter::once(self.function).chain(further).collect()
    }

    /// Whether the kernel forbids everybody to write configuration space.
    pub(super) fn locked_down(&self) -> bool {
        self.function.inventory().host().lockdown != Lockdown::None
    }
}

/// The functions whose users decide whether VFIO gives `members` to us: they and all of their groups.
pub(super) fn group_members<'i>(
    inventory: &'i Inventory,
    members: &'i [Address],
) -> impl Iterator<Item = Address> + 'i {
    let group = |&address: &Address| inventory.function(address).ok()?.facts().iommu_group;
    let groups: BTreeSet<u32> = members.iter().filter_map(group).collect();
    inventory
        .functions()
        .filter(move |function| function.facts().iommu_group.is_some_and(|group| groups.contains(&group)))
        .map(InventoryFunction::address)
}

/// Why a function of a set is not ours, and what to do; `asked` is the one that the reset is asked of.
fn refuse_member(asked: InventoryFunction<'_>, member: &HotResetMember, refusals: &mut Vec<Refusal>) {
    let address = member.function.address;
    let own = address == asked.address();
    let group =
        member.function.iommu_group.map_or_else(String::new, |group| format!(" (IOMMU group {group})"));
    let role = match own {
        true => format!("{address}{group} is"),
        false => format!("{address}{group} would be reset too and is"),
    };
    let mut refuse = |code, reason: String, remedy: String| {
        refusals.push(Refusal { code, address, reason, remedy, overridden_by: None });
    };
    match &member.ownership {
        Ownership::Ours => {}
        Ownership::NotBound => refuse(
            RefusalCode::NotOwned,
            match &member.function.driver {
                Some(driver) => {
                    format!(
                        "{role} not ours: the driver {driver} is bound, and VFIO resets only what it owns"
                    )
                }
                None => format!("{role} not ours: no driver is bound, and VFIO resets only what it owns"),
            },
            give_to_vfio(asked, address),
        ),
        Ownership::InUse { pid, command } => refuse(
            RefusalCode::InUse,
            format!("{role} not ours: process {pid} ({command}) has the group open"),
            "stop the virtual machine first".to_owned(),
        ),
        Ownership::GroupNotViable { other, driver } => refuse(
            RefusalCode::NotOwned,
            format!("{role} not ours: {other} is in the same group, and the host uses it (driver {driver})"),
            give_to_vfio(asked, *other),
        ),
        Ownership::NoGroup => refuse(
            RefusalCode::NotOwned,
            format!("{role} not ours: it has no IOMMU group, so nobody can own it"),
            "switch the IOMMU on (in the firmware, and intel_iommu=on for Intel)".to_owned(),
        ),
        Ownership::Bridge => refuse(
            RefusalCode::NotOwned,
            format!("{role} a bridge, which VFIO cannot own"),
            match own {
                true => "leave it alone: VFIO is for what is below it".to_owned(),
                false => "use --method bus --via direct, which saves and restores bridges too".to_owned(),
            },
        ),
        Ownership::Virtual => refuse(
            RefusalCode::VirtualFunctionsEnabled,
            format!("{role} a virtual function, which VFIO never resets with others"),
            "switch virtual functions off first: echo 0 > sriov_numvfs".to_owned(),
        ),
    }
}

/// How `address`, which stands in the way of VFIO's having `asked`, gets out of it; or that it must stay.
fn give_to_vfio(asked: InventoryFunction<'_>, address: Address) -> String {
    let Ok(function) = asked.inventory().function(address) else { return bind_to_vfio(address, None) };
    let leave = if address == asked.address() { "leave it alone" } else { "leave both alone" };
    if let Some(user) = function.users().first() {
        return format!("{leave}: {user}");
    }
    let driver = function.facts().driver.as_deref();
    // No VFIO driver binds to a bridge, and none is needed: it must only have no other one.
    if let (true, Some(driver)) = (function.is_bridge(), driver) {
        return format!("take it from its driver: echo {address} > /sys/bus/pci/drivers/{driver}/unbind");
    }
    if is_chipset(function) {
        return format!("{leave}: {address} is part of the chipset, and the host needs it");
    }
    bind_to_vfio(address, driver)
}

/// The host bridge, the bridge to the legacy devices and what else of that class stands on a root bus. Behind a port
/// the class has what is passed through as well: non-transparent bridges, NVSwitch.
fn is_chipset(function: InventoryFunction<'_>) -> bool {
    let class = function.space().header().class_code();
    class.base == BRIDGE && (matches!(class.sub, 0x00 | 0x01) || function.parent().is_none())
}

/// The commands that give a function to vfio-pci.
fn bind_to_vfio(address: Address, driver: Option<&str>) -> String {
    let unbind = driver.map_or_else(String::new, |driver| {
        format!("echo {address} > /sys/bus/pci/drivers/{driver}/unbind; ")
    });
    format!(
        "bind it: echo vfio-pci > /sys/bus/pci/devices/{address}/driver_override; {unbind}echo {address} > \
         /sys/bus/pci/drivers_probe"
    )
}
