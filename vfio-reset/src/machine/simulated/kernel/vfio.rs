//! VFIO above the simulated hardware: groups and who owns them, device sets, and the resets that opening and
//! closing are (`vfio_main.c`, `vfio_pci_core.c`).

use super::State;
use super::reset::Errno;
use crate::error::{Error, Result};
use crate::machine::simulated::description::QuirkFlag;
use crate::machine::vfio::{
    HotResetSet, SetMember, VfioError, VfioEvent, VfioInterface, VfioOperation, VfioRequest, is_vfio_driver,
};
use crate::machine::{DeviceUser, KernelReset};
use pcicfg::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What VFIO remembers while something is open.
#[derive(Default)]
pub(in super::super) struct Vfio {
    pub(in super::super) interrupt_remapping: bool,
    open: BTreeMap<Address, OpenFunction>,
    /// How often each request was made of a function, for answers that are other than they would be.
    asked: BTreeMap<(Address, &'static str), usize>,
}

/// A function that is open.
#[derive(Clone)]
struct OpenFunction {
    interface: VfioInterface,
    /// Groups that are open besides its own, or that hold a function bound to the same iommufd.
    groups: BTreeSet<u32>,
    /// Other functions that were opened with it.
    also: Vec<Address>,
    /// The kernel found a method that worked when it was opened.
    can_reset: bool,
}

/// How opening went, within its budget or not.
pub(in super::super) enum OpenedFunction {
    Open { can_reset: bool },
    StillRunning,
}

/// What keeps a group from being viable: any driver but these.
fn is_harmless(driver: Option<&str>) -> bool {
    driver.is_none_or(|driver| is_vfio_driver(driver) || matches!(driver, "pci-stub" | "pcieport"))
}

impl State {
    /// Opens a function.
    pub(in super::super) fn vfio_open(&mut self, request: &VfioRequest<'_>) -> Result<OpenedFunction> {
        let address = request.address;
        self.vfio_may_open(request)?;
        let start = self.now;
        let mut groups: BTreeSet<u32> = self.group_of(address).into_iter().collect();
        let mut opened = vec![address];
        for &other in request.also {
            let Some(group) = self.group_of(other) else { continue };
            if groups.insert(group) && request.interface == VfioInterface::Cdev {
                opened.push(other);
            }
        }
        let mut can_reset = false;
        for &function in opened.iter().rev() {
            if let Some(errno) = self.fault(function, "open") {
                let operation = match request.interface {
                    VfioInterface::Group => VfioOperation::GetDevice,
                    VfioInterface::Cdev => VfioOperation::BindIommufd,
                };
                return Err(VfioError::new(function, operation, errno).into());
            }
            can_reset = self.vfio_enable(function);
        }
        let end = self.now;
        let also = opened.into_iter().skip(1).collect();
        let function = OpenFunction { interface: request.interface, groups, also, can_reset };
        if end.saturating_sub(start) > request.budget {
            self.leave_running(address, start.saturating_add(request.budget), end);
            return Ok(OpenedFunction::StillRunning);
        }
        self.kernel.vfio.open.insert(address, function);
        Ok(OpenedFunction::Open { can_reset })
    }

    /// That VFIO lets the function be opened.
    fn vfio_may_open(&self, request: &VfioRequest<'_>) -> Result<()> {
        use VfioOperation as Op;
        let address = request.address;
        let refused = |operation, errno| Err(Error::from(VfioError::new(address, operation, errno)));
        let facts = self.kernel.host.vfio.unwrap_or_default();
        let (open_file, open_group, bind) = match request.interface {
            VfioInterface::Group => (Op::OpenContainer, Op::OpenGroup, Op::SetIommu),
            VfioInterface::Cdev => (Op::OpenIommufd, Op::OpenCdev, Op::BindIommufd),
        };
        if !facts.offers(request.interface) {
            return refused(open_file, libc::ENOENT);
        }
        for &function in request.also.iter().chain([&address]) {
            let bound = |&member: &Address| self.driver_of(member).is_some_and(is_vfio_driver);
            let Some(group) = self.group_of(function) else { return refused(open_group, libc::ENOENT) };
            let members = self.members_of(group);
            let has_file = match request.interface {
                VfioInterface::Group => members.iter().any(bound),
                VfioInterface::Cdev => bound(&function),
            };
            if !has_file {
                return refused(open_group, libc::ENOENT);
            }
            let has_user = |&member: &Address| {
                self.users(member).iter().any(|user| matches!(user, DeviceUser::Vfio { .. }))
            };
            let is_open = self.kernel.vfio.open.values().any(|open| open.groups.contains(&group));
            if is_open || members.iter().any(has_user) {
                let operation = if request.interface == VfioInterface::Group { open_group } else { bind };
                return refused(operation, libc::EBUSY);
            }
            // The kernel only asks this of the group that it opens a function of.
            let viable = members.iter().all(|&member| is_harmless(self.driver_of(member)));
            if !viable && function == address {
                return match request.interface {
                    VfioInterface::Group => refused(Op::GroupViable, 0),
                    VfioInterface::Cdev => refused(bind, libc::EBUSY),
                };
            }
        }
        if !self.kernel.vfio.interrupt_remapping {
            return refused(bind, libc::EPERM);
        }
        let get = if request.interface == VfioInterface::Group { Op::GetDevice } else { bind };
        if !self.driver_of(address).is_some_and(is_vfio_driver) {
            return refused(get, libc::ENODEV);
        }
        let physical = self.known.get(&address).and_then(|known| known.physfn);
        if physical.is_some_and(|physical| self.driver_of(physical).is_some_and(is_vfio_driver)) {
            return refused(get, libc::EACCES);
        }
        Ok(())
    }

    /// `vfio_pci_core_enable`: wakes, resets, switches on. Whether there is a reset that works.
    fn vfio_enable(&mut self, address: Address) -> bool {
        self.wait_for_lock(address);
        self.resume(address);
        self.set_d0(address);
        let listed = self.kernel.devices.get(&address).and_then(|device| device.reset_methods.clone());
        let works = listed.is_some_and(|list| !list.is_empty()) && self.reset_function(address).is_ok();
        let has_memory = self.resources(address).iter().any(|resource| resource.flags & 0x200 != 0);
        let command = self.read_word(address, 4);
        let on = command & !4 | if has_memory { 2 } else { 0 };
        if command != u16::MAX && command != on {
            self.write(address, 4, &on.to_le_bytes());
        }
        works
    }

    /// `vfio_pci_core_disable`: resets once more; and where the function has no reset of its own, its bus, if
    /// all on it are VFIO's.
    fn vfio_disable(&mut self, address: Address, can_reset: bool) {
        let command = self.read_word(address, 4);
        if command != u16::MAX {
            self.write(address, 4, &(command & !4).to_le_bytes());
        }
        let done = can_reset && self.reset_function(address).is_ok();
        let set = self.reset_set(address);
        let all_ours = !set.is_empty()
            && set.iter().all(|&member| self.driver_of(member).is_some_and(is_vfio_driver))
            && !self.is_virtual(address);
        if !done && all_ours && self.bus_can_be_reset(address) {
            let _ = self.reset_bus_of(address, &set);
        }
        self.suspend_if_idle(address);
    }

    /// `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`
    pub(in super::super) fn vfio_hot_reset_set(&mut self, address: Address) -> Result<HotResetSet> {
        let failed = |errno| Err(VfioError::new(address, VfioOperation::HotResetInfo, errno).into());
        if let Some(errno) = self.fault(address, "hot_reset_info") {
            return failed(errno);
        }
        if !self.bus_can_be_reset(address) {
            return failed(libc::ENODEV);
        }
        let set = self.reset_set(address);
        if set.iter().any(|&member| self.group_of(member).is_none()) {
            return failed(libc::EPERM);
        }
        let functions = set.into_iter().map(|member| SetMember {
            address: member,
            group: self.group_of(member),
            owned: self.owns(address, member),
        });
        Ok(HotResetSet { functions: functions.collect() })
    }

    /// `VFIO_DEVICE_RESET`
    pub(in super::super) fn vfio_reset(&mut self, address: Address, budget: Duration) -> KernelReset {
        let can_reset = self.kernel.vfio.open.get(&address).is_some_and(|open| open.can_reset);
        self.within(address, budget, |state| {
            if let Some(errno) = state.fault(address, "reset") {
                return Err(errno);
            }
            if can_reset { state.reset_function(address) } else { Err(libc::EINVAL) }
        })
    }

    /// `VFIO_DEVICE_PCI_HOT_RESET`
    pub(in super::super) fn vfio_hot_reset(&mut self, address: Address, budget: Duration) -> KernelReset {
        self.within(address, budget, |state| {
            if let Some(errno) = state.fault(address, "hot_reset") {
                return Err(errno);
            }
            if !state.bus_can_be_reset(address) {
                return Err(libc::ENODEV);
            }
            let set = state.reset_set(address);
            let in_device_set = |&member: &Address| {
                state.driver_of(member).is_some_and(is_vfio_driver)
                    && (member == address || !state.is_virtual(address) && !state.is_virtual(member))
                    && state.owns(address, member)
            };
            if !set.iter().all(in_device_set) {
                return Err(libc::EINVAL);
            }
            state.reset_bus_of(address, &set)
        })
    }

    /// Closes a function.
    pub(in super::super) fn vfio_close(&mut self, address: Address, budget: Duration) -> KernelReset {
        let Some(open) = self.kernel.vfio.open.remove(&address) else { return KernelReset::Done };
        self.within(address, budget, |state| {
            for other in open.also {
                state.vfio_disable(other, true);
            }
            state.vfio_disable(address, open.can_reset);
            Ok(())
        })
    }

    /// What the kernel has told of an open function since this was last asked.
    pub(in super::super) fn vfio_events(&mut self, address: Address) -> Vec<VfioEvent> {
        let first = self.count(address, "events") == 0;
        let faults = self.hardware.standard(address).map(|function| &function.behaviour().vfio);
        faults.filter(|_| first).map(|faults| faults.events.clone()).unwrap_or_default()
    }

    /// Does what may take longer than the budget: then it is done, and the time is that of the budget's end.
    fn within(
        &mut self,
        address: Address,
        budget: Duration,
        act: impl FnOnce(&mut Self) -> std::result::Result<(), Errno>,
    ) -> KernelReset {
        let start = self.now;
        let result = act(self);
        let end = self.now;
        if end.saturating_sub(start) > budget {
            self.leave_running(address, start.saturating_add(budget), end);
            return KernelReset::StillRunning;
        }
        match result {
            Ok(()) => KernelReset::Done,
            Err(errno) => KernelReset::Failed { errno },
        }
    }

    fn leave_running(&mut self, address: Address, now: Duration, end: Duration) {
        self.now = now;
        if let Some(device) = self.kernel.devices.get_mut(&address) {
            device.locked_until = end;
        }
    }

    /// `pci_reset_bus`: all are saved and stopped, the bus is reset, all are restored.
    fn reset_bus_of(&mut self, address: Address, set: &[Address]) -> std::result::Result<(), Errno> {
        let (Some(bridge), Some(&first)) = (self.hardware.parent(address), set.first()) else {
            return Err(libc::ENODEV);
        };
        for &member in set {
            self.resume(member);
            self.set_d0(member);
            self.save_registers(member);
            self.write(member, 4, &0x0400_u16.to_le_bytes());
        }
        self.kernel.ignoring = Some(bridge);
        let result = self.secondary_bus_reset(bridge, first);
        self.settle();
        self.clear_slot_events(bridge);
        self.kernel.ignoring = None;
        for &member in set {
            self.restore_registers(member);
        }
        result
    }

    /// The functions that a reset of the function's bus hits: all that the kernel knows there.
    fn reset_set(&self, address: Address) -> Vec<Address> {
        let Some(bridge) = self.hardware.parent(address) else { return Vec::new() };
        let below = self.hardware.children(bridge);
        below.into_iter().filter(|below| self.kernel.devices.contains_key(below)).collect()
    }

    /// `pci_probe_reset_slot`, `pci_probe_reset_bus`
    fn bus_can_be_reset(&self, address: Address) -> bool {
        let Some(bridge) = self.hardware.parent(address) else { return false };
        let set = self.reset_set(address);
        !set.iter().chain([&bridge]).any(|&member| self.quirk(member, QuirkFlag::BusReset))
    }

    fn owns(&self, opened: Address, member: Address) -> bool {
        let Some(open) = self.kernel.vfio.open.get(&opened) else { return false };
        let bound =
            open.interface == VfioInterface::Group || is_vfio_driver(self.driver_of(member).unwrap_or(""));
        bound && self.group_of(member).is_some_and(|group| open.groups.contains(&group))
    }

    fn driver_of(&self, address: Address) -> Option<&str> {
        self.kernel.devices.get(&address)?.driver.as_deref()
    }

    fn group_of(&self, address: Address) -> Option<u32> {
        self.known.get(&address)?.iommu_group
    }

    fn members_of(&self, group: u32) -> Vec<Address> {
        let known = |address: &&Address| self.group_of(**address) == Some(group);
        self.kernel.devices.keys().filter(known).copied().collect()
    }

    fn is_virtual(&self, address: Address) -> bool {
        self.known.get(&address).is_some_and(|known| known.physfn.is_some())
    }

    /// How often a request was made before.
    fn count(&mut self, address: Address, request: &'static str) -> usize {
        let asked = self.kernel.vfio.asked.entry((address, request)).or_default();
        *asked += 1;
        *asked - 1
    }

    /// What is answered to a request in place of what would be.
    fn fault(&mut self, address: Address, request: &'static str) -> Option<Errno> {
        let number = self.count(address, request);
        let faults = &self.hardware.standard(address)?.behaviour().vfio;
        let list = match request {
            "open" => &faults.open,
            "hot_reset_info" => &faults.hot_reset_info,
            "reset" => &faults.reset,
            _ => &faults.hot_reset,
        };
        list.get(number).map(|errno| errno.number())
    }
}
