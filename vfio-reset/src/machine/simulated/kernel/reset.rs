//! How the kernel resets a function: save, the methods in turn, wait, restore.

use super::methods::Method;
use super::{State, path};
use crate::error::{Error, Result};
use crate::machine::KernelReset;
use crate::machine::simulated::bridge::{express, link_status};
use crate::machine::simulated::registers::{dword, has_link_below, word};
use pcicfg::Address;
use std::io;
use std::time::Duration;

const BRIDGE_CONTROL: u16 = 0x3e;
const SECONDARY_BUS_RESET: u16 = 1 << 6;

fn millis(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// An error number.
pub(super) type Errno = i32;

impl State {
    /// `echo 1 > reset`, and wait for as long as `budget`.
    ///
    /// What the kernel does after the budget is done at once, with its times in the future: the
    /// function stays locked until then, and the log shows each message at its time.
    pub(in super::super) fn kernel_reset(
        &mut self,
        address: Address,
        budget: Duration,
    ) -> Result<KernelReset> {
        let start = self.now;
        let has_file = self.kernel.devices.get(&address).is_some_and(|device| device.reset_methods.is_some());
        if !has_file {
            return Err(Error::write(path(address, "reset"), io::Error::from_raw_os_error(libc::ENOENT)));
        }
        let locked = self.lock_end(address);
        if locked.saturating_sub(start) > budget {
            self.sleep(budget);
            return Ok(KernelReset::StillRunning);
        }
        self.wait_for_lock(address);
        let result = self.reset_function(address);
        let end = self.now;
        if end.saturating_sub(start) > budget {
            self.now = start.saturating_add(budget);
            if let Some(device) = self.kernel.devices.get_mut(&address) {
                device.locked_until = end;
            }
            return Ok(KernelReset::StillRunning);
        }
        Ok(match result {
            Ok(()) => KernelReset::Done,
            Err(errno) => KernelReset::Failed { errno },
        })
    }

    /// When the locks that a write to the function or its attributes takes are free: its own, and
    /// those of functions directly below, whose resets lock the bridge above.
    fn lock_end(&self, address: Address) -> Duration {
        self.hardware
            .children(address)
            .iter()
            .chain([&address])
            .filter_map(|address| self.kernel.devices.get(address))
            .map(|device| device.locked_until)
            .max()
            .unwrap_or_default()
    }

    /// Waits until no reset holds the function.
    pub(in super::super) fn wait_for_lock(&mut self, address: Address) {
        let wait = self.lock_end(address).saturating_sub(self.now);
        if wait > Duration::ZERO {
            self.sleep(wait);
        }
    }

    /// `pci_reset_function`.
    pub(super) fn reset_function(&mut self, address: Address) -> std::result::Result<(), Errno> {
        let Some(device) = self.kernel.devices.get(&address) else { return Err(libc::ENODEV) };
        if device.reset_methods.as_ref().is_none_or(Vec::is_empty) {
            return Err(libc::ENOTTY);
        }
        let driver = device.driver.clone();
        // These drivers take part in a reset, and the kernel says nothing then.
        let prepares =
            driver.as_deref().is_none_or(|driver| matches!(driver, "nvme" | "mlx5_core" | "ice" | "hns3"));
        self.resume(address);
        if !prepares {
            self.log(address, "resetting");
        }
        self.set_d0(address);
        self.save_registers(address);
        // No decoding, no bus mastering, no interrupts.
        self.write(address, 4, &0x0400_u16.to_le_bytes());
        let result = self.run_methods(address);
        self.restore_registers(address);
        if !prepares {
            self.log(address, "reset done");
        }
        self.suspend_if_idle(address);
        result
    }

    /// `__pci_reset_function_locked`: the methods in turn, until one is not merely impossible.
    pub(super) fn run_methods(&mut self, address: Address) -> std::result::Result<(), Errno> {
        let Some(device) = self.kernel.devices.get(&address) else { return Err(libc::ENODEV) };
        let names = device.reset_methods.clone().unwrap_or_default();
        let mut result = Err(libc::ENOTTY);
        for method in names.iter().filter_map(|name| name.parse().ok()) {
            result = self.run(address, method);
            if result != Err(libc::ENOTTY) {
                break;
            }
        }
        result
    }

    fn run(&mut self, address: Address, method: Method) -> std::result::Result<(), Errno> {
        match method {
            Method::Flr => self.flr(address),
            Method::AfFlr => self.af_flr(address),
            Method::Pm => self.pm(address),
            Method::Bus => self.bus(address),
            Method::DeviceSpecific | Method::Acpi | Method::CxlBus => Err(libc::ENOTTY),
            Method::VfioReset | Method::HotReset | Method::Vendor => Err(libc::ENOTTY),
        }
    }

    fn place(
        &self,
        address: Address,
        which: impl Fn(&super::super::registers::Places) -> Option<u16>,
    ) -> Option<u16> {
        self.hardware.places(address).and_then(which)
    }

    /// `pcie_flr`.
    fn flr(&mut self, address: Address) -> std::result::Result<(), Errno> {
        let at = self.place(address, |p| p.express).ok_or(libc::ENOTTY)?;
        if !self.pending_transactions_end(address, at + 0x0a, 0x0020) {
            self.log(
                address,
                "timed out waiting for pending transaction; performing function level reset anyway",
            );
        }
        let control = self.read_word(address, at + 8);
        self.write(address, at + 8, &(control | 0x8000).to_le_bytes());
        if self.known.get(&address).is_some_and(|known| word(&known.image, 6) & 1 != 0) {
            return Ok(());
        }
        self.sleep(millis(100));
        self.wait_ready(address, "FLR", 60_000)
    }

    /// `pci_af_flr`.
    fn af_flr(&mut self, address: Address) -> std::result::Result<(), Errno> {
        let at = self.place(address, |p| p.af).ok_or(libc::ENOTTY)?;
        if !self.pending_transactions_end(address, at + 4, 0x0100) {
            self.log(
                address,
                "timed out waiting for pending transaction; performing AF function level reset anyway",
            );
        }
        self.write(address, at + 4, &[1]);
        self.sleep(millis(100));
        self.wait_ready(address, "AF_FLR", 60_000)
    }

    /// Four looks at Transactions Pending.
    fn pending_transactions_end(&mut self, address: Address, register: u16, bit: u16) -> bool {
        for wait in [0, 100, 200, 400] {
            self.sleep(millis(wait));
            if self.read_word(address, register) & bit == 0 {
                return true;
            }
        }
        false
    }

    /// `pci_pm_reset`.
    fn pm(&mut self, address: Address) -> std::result::Result<(), Errno> {
        let at = self.place(address, |p| p.pm).ok_or(libc::ENOTTY)?;
        if self.kernel.devices.get(&address).is_some_and(|device| device.power_state != "D0") {
            return Err(libc::EINVAL);
        }
        let control = self.read_word(address, at + 4) & !3;
        self.write(address, at + 4, &(control | 3).to_le_bytes());
        self.sleep(millis(10));
        self.write(address, at + 4, &control.to_le_bytes());
        self.sleep(millis(10));
        self.wait_ready(address, "PM D3hot->D0", 60_000)
    }

    /// `pci_reset_bus_function`: by the slot if the function has one for itself, else by the bridge.
    fn bus(&mut self, address: Address) -> std::result::Result<(), Errno> {
        let (Some(device), Some(bridge)) =
            (self.kernel.devices.get(&address).cloned(), self.hardware.parent(address))
        else {
            return Err(libc::ENOTTY);
        };
        if self.slot_reset_possible(address, &device) {
            self.kernel.ignoring = Some(bridge);
            let result = self.secondary_bus_reset(bridge, address);
            self.settle();
            self.clear_slot_events(bridge);
            self.kernel.ignoring = None;
            if result.is_ok() {
                return result;
            }
        }
        if self.parent_reset_possible(address, &device) {
            return self.secondary_bus_reset(bridge, address);
        }
        Err(libc::ENOTTY)
    }

    /// `pci_bridge_secondary_bus_reset`, then the wait for the first function below.
    pub(super) fn secondary_bus_reset(
        &mut self,
        bridge: Address,
        first: Address,
    ) -> std::result::Result<(), Errno> {
        let control = self.read_word(bridge, BRIDGE_CONTROL);
        self.write(bridge, BRIDGE_CONTROL, &(control | SECONDARY_BUS_RESET).to_le_bytes());
        self.sleep(millis(2));
        self.write(bridge, BRIDGE_CONTROL, &(control & !SECONDARY_BUS_RESET).to_le_bytes());
        let tag = "bus reset";
        let Some(at) = self.place(bridge, |p| p.express) else {
            self.sleep(millis(1_100));
            return Ok(());
        };
        if !has_link_below(self.read_word(bridge, at + 2)) {
            return Ok(());
        }
        let capabilities = self.read_dword(bridge, at + express::LINK_CAPABILITIES);
        let reports = capabilities & 1 << 20 != 0;
        if capabilities & 0xf <= 2 {
            self.sleep(millis(100));
            if self.wait_ready(first, tag, 900).is_ok() {
                return Ok(());
            }
            if !reports || !self.link_active(bridge, at) {
                return Err(libc::ENOTTY);
            }
            return self.wait_ready(first, tag, 59_000);
        }
        if reports {
            if !self.wait_for_link(bridge, at) {
                self.log(bridge, "Data Link Layer Link Active not set in 100 msec");
                return Err(libc::ENOTTY);
            }
            self.sleep(millis(100));
        } else {
            self.sleep(millis(1_100));
        }
        self.wait_ready(first, tag, 59_900)
    }

    fn link_active(&mut self, bridge: Address, at: u16) -> bool {
        self.read_word(bridge, at + express::LINK_STATUS) & link_status::ACTIVE != 0
    }

    /// `pcie_wait_for_link_delay`.
    fn wait_for_link(&mut self, bridge: Address, at: u16) -> bool {
        self.sleep(millis(20));
        let end = self.now.saturating_add(millis(1_000));
        while !self.link_active(bridge, at) {
            if self.now >= end {
                // From 6.5 to 6.10 a link that could not be trained again was taken for a good one.
                return self.retrain_at_lowest_speed(bridge, at) || self.takes_failed_retrain_for_good();
            }
            self.sleep(millis(1));
        }
        true
    }

    fn takes_failed_retrain_for_good(&self) -> bool {
        let release = self.kernel.host.kernel.as_deref().unwrap_or_default();
        let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        matches!((numbers.next(), numbers.next()), (Some(6), Some(5..=10)))
    }

    /// `pcie_failed_link_retrain`: a link that is down and has tried is trained at 2.5 GT/s.
    fn retrain_at_lowest_speed(&mut self, bridge: Address, at: u16) -> bool {
        let reports = self.read_dword(bridge, at + express::LINK_CAPABILITIES) & 1 << 20 != 0;
        let status = self.read_word(bridge, at + express::LINK_STATUS);
        let tried = status & link_status::BANDWIDTH_MANAGEMENT != 0 && status & link_status::ACTIVE == 0;
        if !reports || !tried || self.read_word(bridge, at + 2) & 0xf < 2 {
            return false;
        }
        self.log(bridge, "broken device, retraining non-functional downstream link at 2.5GT/s");
        let target = self.read_word(bridge, at + express::LINK_CONTROL_2);
        self.write(bridge, at + express::LINK_CONTROL_2, &(target & !0xf | 1).to_le_bytes());
        let control = self.read_word(bridge, at + express::LINK_CONTROL);
        self.write(bridge, at + express::LINK_CONTROL, &(control | 0x20).to_le_bytes());
        let end = self.now.saturating_add(millis(1_000));
        while !self.link_active(bridge, at) {
            if self.now >= end {
                self.log(bridge, "retraining failed");
                self.write(bridge, at + express::LINK_CONTROL_2, &target.to_le_bytes());
                return false;
            }
            self.sleep(millis(1));
        }
        true
    }

    /// `pci_dev_wait`: looks after 0, 1, 3, 7 ... ms, up to `timeout` milliseconds.
    fn wait_ready(&mut self, address: Address, tag: &str, timeout: u64) -> std::result::Result<(), Errno> {
        let by_id =
            self.retry_is_visible(address) && self.known.get(&address).is_some_and(|k| k.physfn.is_none());
        let bridge = self.hardware.parent(address).filter(|_| self.place(address, |p| p.express).is_some());
        let mut retrain = bridge.and_then(|bridge| Some((bridge, self.place(bridge, |p| p.express)?)));
        let mut delay = 1;
        loop {
            let ready = if by_id {
                let id = self.read_dword(address, 0);
                id != !0 && id & 0xffff != 1
            } else {
                self.read_dword(address, 4) != !0
            };
            if ready {
                break;
            }
            if delay > timeout {
                self.log(address, &format!("not ready {}ms after {tag}; giving up", delay - 1));
                return Err(libc::ENOTTY);
            }
            if delay > 1_000 {
                if let Some((bridge, at)) = retrain.take()
                    && self.retrain_at_lowest_speed(bridge, at)
                {
                    delay = 1;
                    continue;
                }
                self.log(address, &format!("not ready {}ms after {tag}; waiting", delay - 1));
            }
            self.sleep(millis(delay));
            delay *= 2;
        }
        if delay > 1_000 {
            self.log(address, &format!("ready {}ms after {tag}", delay - 1));
        }
        Ok(())
    }

    /// Whether the root port above has RRS Software Visibility enabled.
    fn retry_is_visible(&mut self, address: Address) -> bool {
        let mut top = address;
        while let Some(parent) = self.hardware.parent(top) {
            top = parent;
        }
        let Some(at) = self.place(top, |p| p.express) else { return false };
        self.hardware.registers(top).is_some_and(|registers| {
            top != address
                && word(registers, at + 2) >> 4 & 0xf == 4
                && dword(registers, at + express::ROOT_CONTROL) & 0x10 != 0
        })
    }

    /// `pci_set_power_state(D0)`.
    pub(super) fn set_d0(&mut self, address: Address) {
        if let Some(at) = self.place(address, |p| p.pm) {
            let control = self.read_word(address, at + 4);
            if control == !0 {
                self.inaccessible(address, "D0");
                return;
            }
            if control & 3 != 0 {
                self.write(address, at + 4, &(control & !3).to_le_bytes());
                self.sleep(millis(10));
            }
        }
        self.set_power_state(address, "D0");
    }

    fn inaccessible(&mut self, address: Address, to: &str) {
        let from = self.kernel.devices.get(&address).map(|d| d.power_state.clone()).unwrap_or_default();
        self.log(address, &format!("Unable to change power state from {from} to {to}, device inaccessible"));
        if to == "D0" {
            self.set_power_state(address, "D3cold");
        }
    }

    fn set_power_state(&mut self, address: Address, state: &str) {
        if let Some(device) = self.kernel.devices.get_mut(&address) {
            device.power_state = state.into();
        }
    }

    /// vfio-pci wakes an idle device, and gives it back what sleep has cost it.
    pub(super) fn resume(&mut self, address: Address) {
        let asleep = self.kernel.devices.get(&address).is_some_and(|device| device.power_state == "D3hot");
        if asleep {
            self.set_d0(address);
            self.restore_registers(address);
        }
    }

    /// vfio-pci lets a device sleep that nobody has open.
    pub(super) fn suspend_if_idle(&mut self, address: Address) {
        let Some(device) = self.kernel.devices.get(&address) else { return };
        let in_use = self.kernel.vfio.awake.contains(&address)
            || self.users(address).iter().any(|user| matches!(user, crate::machine::DeviceUser::Vfio { .. }));
        let idle = device.driver.as_deref() == Some("vfio-pci") && device.auto_suspend && !in_use;
        if !idle || device.power_state == "D3hot" {
            return;
        }
        let Some(at) = self.place(address, |p| p.pm) else { return };
        let control = self.read_word(address, at + 4);
        if control == !0 {
            self.inaccessible(address, "D3hot");
            return;
        }
        self.save_registers(address);
        self.write(address, at + 4, &(control | 3).to_le_bytes());
        self.sleep(millis(10));
        self.set_power_state(address, "D3hot");
    }
}
