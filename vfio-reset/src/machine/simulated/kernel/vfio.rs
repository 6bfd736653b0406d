//! VFIO above the simulated hardware: groups and who owns them, device sets, and the resets that opening and
//! closing are (`vfio_main.c`, `vfio_pci_core.c`).

use super::State;
use super::reset::Errno;
use super::saved::SavedRegister;
use crate::error::{Error, Result};
use crate::machine::simulated::description::QuirkFlag;
use crate::machine::vfio::{
    HotResetSet, OpenedFunction, SetMember, VfioError, VfioEvent, VfioInterface, VfioOperation, VfioRequest,
    is_vfio_driver,
};
use crate::machine::{DeviceUser, KernelReset};
use pcicfg::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What VFIO remembers while something is open.
#[derive(Default)]
pub(in super::super) struct Vfio {
    pub(in super::super) interrupt_remapping: bool,
    /// What is open, by the function that it was opened for.
    open: BTreeMap<Address, OpenSet>,
    /// Functions that are kept awake because they are open.
    pub(super) awake: BTreeSet<Address>,
    /// Functions that were closed without a reset (`needs_reset`).
    dirty: BTreeSet<Address>,
    /// How often each request was made of a function, for answers that are other than they would be.
    asked: BTreeMap<(Address, &'static str), usize>,
}

/// A function that is open, and what was opened with it.
#[derive(Clone)]
struct OpenSet {
    interface: VfioInterface,
    /// Groups that are open besides its own, or that hold a function bound to the same iommufd.
    groups: BTreeSet<u32>,
    /// The function first.
    functions: Vec<OpenFunction>,
}

/// An open function.
#[derive(Clone)]
struct OpenFunction {
    address: Address,
    /// The kernel found a method that worked when it was opened.
    can_reset: bool,
    /// Its registers as they were then, which it gets back when it is closed.
    saved: Option<Vec<SavedRegister>>,
}

/// How opening went, within its budget or not.
pub(in super::super) enum Outcome {
    Open(Vec<OpenedFunction>),
    StillRunning,
}

/// What keeps a group from being viable: any driver but these.
fn is_harmless(driver: Option<&str>) -> bool {
    driver.is_none_or(|driver| is_vfio_driver(driver) || matches!(driver, "pci-stub" | "pcieport"))
}

impl State {
    /// Opens a function.
    pub(in super::super) fn vfio_open(&mut self, request: &VfioRequest<'_>) -> Result<Outcome> {
        let address = request.address;
        self.vfio_files(request)?;
        let start = self.now;
        let mut groups: BTreeSet<u32> = self.group_of(address).into_iter().collect();
        let mut wanted = vec![address];
        for &other in request.also {
            let Some(group) = self.group_of(other) else { continue };
            if groups.insert(group) && request.interface == VfioInterface::Cdev {
                wanted.push(other);
            }
        }
        let mut set = OpenSet { interface: request.interface, groups, functions: Vec::new() };
        let mut failure = None;
        for function in wanted {
            let fault = self.fault(function, "open").map_or(Ok(()), Err);
            if let Err(errno) = fault.and_then(|()| self.vfio_may_open(function, request.interface)) {
                let operation = match request.interface {
                    VfioInterface::Group => VfioOperation::GetDevice,
                    VfioInterface::Cdev => VfioOperation::BindIommufd,
                };
                failure = Some(VfioError::new(function, operation, errno));
                break;
            }
            let open = self.vfio_enable(function);
            set.functions.push(open);
        }
        if failure.is_some() {
            self.vfio_close_all(&set.functions);
        }
        let end = self.now;
        if end.saturating_sub(start) > request.budget {
            self.leave_running(address, start.saturating_add(request.budget), end);
            return Ok(Outcome::StillRunning);
        }
        match failure {
            Some(error) if set.functions.is_empty() => return Err(error.into()),
            Some(error) => return Err(error.after_opening().into()),
            None => {}
        }
        let opened =
            |open: &OpenFunction| OpenedFunction { address: open.address, can_reset: open.can_reset };
        let functions = set.functions.iter().map(opened).collect();
        self.kernel.vfio.open.insert(address, set);
        Ok(Outcome::Open(functions))
    }

    /// The files that are opened before any function is: they are there, and nobody else has them.
    fn vfio_files(&self, request: &VfioRequest<'_>) -> Result<()> {
        use VfioOperation as Op;
        let address = request.address;
        let refused = |at, operation, errno| Err(Error::from(VfioError::new(at, operation, errno)));
        let is_group = request.interface == VfioInterface::Group;
        let (open_host, open_file) =
            if is_group { (Op::OpenContainer, Op::OpenGroup) } else { (Op::OpenIommufd, Op::OpenCdev) };
        if !self.kernel.host.vfio.unwrap_or_default().offers(request.interface) {
            return refused(address, open_host, libc::ENOENT);
        }
        for function in [address].into_iter().chain(request.also.iter().copied()) {
            let bound = |member: Address| self.driver_of(member).is_some_and(is_vfio_driver);
            let Some(group) = self.group_of(function) else {
                return refused(function, open_file, libc::ENOENT);
            };
            let members = self.members_of(group);
            let has_file = match is_group {
                true => members.iter().any(|&member| bound(member)),
                false => bound(function) && !self.has_no_device_file(function),
            };
            if !has_file {
                return refused(function, open_file, libc::ENOENT);
            }
            if is_group && self.vfio_in_use(function, group, &members).is_some() {
                return refused(function, open_file, libc::EBUSY);
            }
            // The kernel only asks this of the group that it opens a function of.
            if is_group && function == address && !self.is_viable(&members) {
                return refused(function, Op::GroupViable, 0);
            }
        }
        if is_group && !self.kernel.vfio.interrupt_remapping {
            return refused(address, Op::SetIommu, libc::EPERM);
        }
        Ok(())
    }

    /// What `VFIO_GROUP_GET_DEVICE_FD` or `VFIO_DEVICE_BIND_IOMMUFD` answers before it resets.
    fn vfio_may_open(&self, function: Address, interface: VfioInterface) -> std::result::Result<(), Errno> {
        if interface == VfioInterface::Cdev {
            let group = self.group_of(function).ok_or(libc::ENODEV)?;
            let members = self.members_of(group);
            match self.vfio_in_use(function, group, &members) {
                // `vfio_device_block_group`
                Some((VfioInterface::Group, _)) => return Err(libc::EBUSY),
                // `vfio_df_open`
                Some((VfioInterface::Cdev, true)) => return Err(libc::EINVAL),
                // `iommu_device_claim_dma_owner`
                Some((VfioInterface::Cdev, false)) => return Err(libc::EPERM),
                None => {}
            }
            if !self.is_viable(&members) || !self.kernel.vfio.interrupt_remapping {
                return Err(libc::EPERM);
            }
        }
        if !self.driver_of(function).is_some_and(is_vfio_driver) {
            return Err(libc::ENODEV);
        }
        let physical = self.known.get(&function).and_then(|known| known.physfn);
        match physical.is_some_and(|physical| self.driver_of(physical).is_some_and(is_vfio_driver)) {
            true => Err(libc::EACCES),
            false => Ok(()),
        }
    }

    fn is_viable(&self, members: &[Address]) -> bool {
        members.iter().all(|&member| is_harmless(self.driver_of(member)))
    }

    fn has_no_device_file(&self, function: Address) -> bool {
        self.hardware.standard(function).is_some_and(|found| found.behaviour().vfio.no_device_file)
    }

    /// By which interface somebody has the group open already, and whether it is this function.
    fn vfio_in_use(
        &self,
        function: Address,
        group: u32,
        members: &[Address],
    ) -> Option<(VfioInterface, bool)> {
        if let Some(open) = self.kernel.vfio.open.values().find(|open| open.groups.contains(&group)) {
            return Some((open.interface, open.functions.iter().any(|open| open.address == function)));
        }
        let has_user =
            |member: Address| self.users(member).iter().any(|user| matches!(user, DeviceUser::Vfio { .. }));
        // A virtual machine takes what the host offers, and groups where it can choose.
        let facts = self.kernel.host.vfio.unwrap_or_default();
        let interface = if facts.group { VfioInterface::Group } else { VfioInterface::Cdev };
        members.iter().any(|&member| has_user(member)).then(|| (interface, has_user(function)))
    }

    /// `vfio_pci_core_enable`: wakes, resets, switches on.
    fn vfio_enable(&mut self, address: Address) -> OpenFunction {
        self.wait_for_lock(address);
        self.resume(address);
        self.kernel.vfio.awake.insert(address);
        self.set_d0(address);
        // What is saved, and comes back at the end, masters nothing.
        let command = self.read_word(address, 4);
        if command != u16::MAX && command & 4 != 0 {
            self.write(address, 4, &(command & !4).to_le_bytes());
        }
        let listed = self.kernel.devices.get(&address).and_then(|device| device.reset_methods.clone());
        let can_reset = listed.is_some_and(|list| !list.is_empty()) && self.reset_function(address).is_ok();
        let has_memory = self.resources(address).iter().any(|resource| resource.flags & 0x200 != 0);
        let command = self.read_word(address, 4);
        let on = command | if has_memory { 2 } else { 0 };
        if command != u16::MAX && command != on {
            self.write(address, 4, &on.to_le_bytes());
        }
        self.save_registers(address);
        let saved = self.saved_registers(address);
        OpenFunction { address, can_reset, saved }
    }

    /// Closes functions, the one they were opened for last.
    fn vfio_close_all(&mut self, functions: &[OpenFunction]) {
        for (left, function) in functions.iter().enumerate().rev() {
            let set = self.reset_set(function.address);
            let mut others = functions[..left]
                .iter()
                .chain(self.kernel.vfio.open.values().flat_map(|open| &open.functions));
            let is_last = !others.any(|other| set.contains(&other.address));
            self.vfio_disable(function, &set, is_last);
        }
    }

    /// `vfio_pci_core_disable`: resets it once more, if it can. When nobody has one of the set open any more, and
    /// one was left without a reset, the whole set is reset if it is all VFIO's (`vfio_pci_dev_set_try_reset`).
    fn vfio_disable(&mut self, function: &OpenFunction, set: &[Address], is_last: bool) {
        let address = function.address;
        self.set_d0(address);
        let command = self.read_word(address, 4);
        if command != u16::MAX {
            self.write(address, 4, &0x0400_u16.to_le_bytes());
        }
        self.kernel.vfio.dirty.insert(address);
        if function.can_reset && self.run_methods(address).is_ok() {
            self.kernel.vfio.dirty.remove(&address);
        }
        self.load_registers(address, function.saved.clone());
        self.restore_registers(address);
        let all_ours = !set.is_empty()
            && set.iter().all(|&member| self.driver_of(member).is_some_and(is_vfio_driver))
            && !self.is_virtual(address);
        let needed = set.iter().any(|member| self.kernel.vfio.dirty.contains(member));
        if is_last
            && needed
            && all_ours
            && self.bus_can_be_reset(address)
            && self.reset_bus_of(address, set).is_ok()
        {
            self.kernel.vfio.dirty.retain(|member| !set.contains(member));
        }
        self.kernel.vfio.awake.remove(&address);
        self.suspend_if_idle(address);
    }

    /// `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`; `None` if somebody else's reset holds the set for longer than the budget.
    pub(in super::super) fn vfio_hot_reset_set(
        &mut self,
        address: Address,
        budget: Duration,
    ) -> Result<Option<HotResetSet>> {
        let failed = |errno| Err(VfioError::new(address, VfioOperation::HotResetInfo, errno).into());
        let locked = |member: &Address| self.kernel.devices.get(member).map(|device| device.locked_until);
        let until = self.reset_set(address).iter().filter_map(locked).max().unwrap_or_default();
        let wait = until.saturating_sub(self.now);
        self.sleep(wait.min(budget));
        if wait > budget {
            return Ok(None);
        }
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
        Ok(Some(HotResetSet { functions: functions.collect() }))
    }

    /// `VFIO_DEVICE_RESET`
    pub(in super::super) fn vfio_reset(&mut self, address: Address, budget: Duration) -> KernelReset {
        let open = self.kernel.vfio.open.get(&address).and_then(|open| open.functions.first());
        let can_reset = open.is_some_and(|open| open.can_reset);
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
            state.vfio_close_all(&open.functions);
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
