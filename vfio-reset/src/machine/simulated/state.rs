//! The whole machine at one moment: hardware, kernel and time.

use super::ACCESS_TIME;
use super::bars::Base;
use super::description::Description;
use super::function::StandardFunction;
use super::hardware::Hardware;
use super::kernel::{Kernel, Known};
use crate::error::{Error, Result};
use crate::machine::{DeviceUser, FunctionFacts, Lockdown, ResetMethods, Resource};
use pcicfg::Address;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// The kernel's flags of a resource, `IORESOURCE_*`.
mod flag {
    pub(super) const IO: u64 = 0x100;
    pub(super) const MEM: u64 = 0x200;
    pub(super) const PREFETCH: u64 = 0x2000;
    pub(super) const READONLY: u64 = 0x4000;
    pub(super) const SIZEALIGN: u64 = 0x4_0000;
    pub(super) const MEM_64: u64 = 0x10_0000;
}

/// The latest time that a state may have: ten years after the machine was booted.
const LATEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// That a time in a state can have come to be.
///
/// # Errors
/// When it is too late.
pub(super) fn possible_time(what: &str, time: Duration) -> std::result::Result<(), String> {
    if time > LATEST {
        return Err(format!("{what} is {} s: expected ten years at most", time.as_secs()));
    }
    Ok(())
}

/// The machine at one moment.
pub(super) struct State {
    pub(super) now: Duration,
    pub(super) hardware: Hardware,
    pub(super) kernel: Kernel,
    /// What is true of a function whether or not the kernel knows it.
    pub(super) known: BTreeMap<Address, Known>,
}

impl State {
    /// The machine that was described, a while after it was booted.
    pub(super) fn new(description: Description) -> Self {
        let mut hardware = Hardware::new();
        let mut known = BTreeMap::new();
        let mut virtual_functions = Vec::new();
        for f in description.functions {
            if let Some((of, number)) = f.virtual_of {
                virtual_functions.push((f.address, of, number));
            }
            let is_virtual = f.virtual_of.is_some();
            let image = f.image.clone();
            let function = StandardFunction::new(f.image, &f.sizes, is_virtual, &f.resets, f.behaviour)
                .with_mmio(f.mmio);
            hardware.add(f.address, f.parent, function);
            let facts = Known {
                image,
                driver: f.driver,
                native_driver: f.native_driver,
                iommu_group: f.iommu_group,
                physfn: f.virtual_of.map(|(of, _)| of),
                boot_vga: f.boot_vga,
                label: f.label,
                users: f.users,
                reset_methods: f.reset_methods,
                rescanned: f.rescanned,
                quirks: f.quirks,
            };
            known.insert(f.address, facts);
        }
        for (address, of, number) in virtual_functions {
            hardware.set_virtual(address, of, number);
        }
        hardware.power_up();
        let mut kernel = Kernel::new(description.host, description.idle_d3);
        kernel.vfio.interrupt_remapping = description.interrupt_remapping;
        // A while after boot: the log's times look like a host's.
        let mut this = Self { now: Duration::from_secs(100), hardware, kernel, known };
        this.boot();
        this
    }

    /// Lets time go by, and what happens in it happen at its time.
    pub(super) fn sleep(&mut self, time: Duration) {
        let end = self.now.saturating_add(time);
        self.settle();
        while let Some(event) = self.next_event().filter(|&event| event <= end) {
            self.now = self.now.max(event);
            self.settle();
        }
        self.now = self.now.max(end);
        self.settle();
    }

    fn next_event(&self) -> Option<Duration> {
        self.hardware.next_event().into_iter().chain(self.kernel.next_task()).min()
    }

    /// Lets everything happen that is due, the kernel's answers to hot-plug events included.
    pub(super) fn settle(&mut self) {
        loop {
            self.hardware.advance(self.now);
            let notices = self.hardware.take_notices();
            let nothing = notices.is_empty();
            for (port, notice) in notices {
                self.hot_plug(port, notice);
            }
            let idle = !self.run_due_tasks();
            if nothing && idle {
                break;
            }
        }
    }

    /// A read as the processor makes it.
    pub(super) fn read(&mut self, address: Address, offset: u16, bytes: &mut [u8]) {
        self.sleep(ACCESS_TIME);
        self.hardware.read_config(self.now, address, offset, bytes);
    }

    /// A write as the processor makes it.
    pub(super) fn write(&mut self, address: Address, offset: u16, bytes: &[u8]) {
        self.sleep(ACCESS_TIME);
        self.hardware.write_config(self.now, address, offset, bytes);
        self.settle();
    }

    /// A read from user space: dword by dword, and each is an access of its own.
    pub(super) fn user_read(&mut self, address: Address, offset: u16, bytes: &mut [u8]) {
        /// What each further dword of one long read takes: much less than the way through the kernel.
        const FURTHER: Duration = Duration::from_nanos(10);
        let (mut at, mut rest) = (offset, bytes);
        let mut time = ACCESS_TIME;
        while !rest.is_empty() {
            let count = (4 - usize::from(at % 4)).min(rest.len());
            let (dword, after) = rest.split_at_mut(count);
            self.sleep(std::mem::replace(&mut time, FURTHER));
            self.hardware.read_config(self.now, address, at, dword);
            (at, rest) = (at.wrapping_add(count as u16), after);
        }
    }

    /// A read of memory or ports as the processor makes it, dword by dword.
    pub(super) fn read_bar(&mut self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) {
        for (at, dword) in (offset..).step_by(4).zip(bytes.chunks_mut(4)) {
            self.sleep(ACCESS_TIME);
            self.hardware.read_bar(self.now, address, bar, at, dword);
        }
    }

    /// A write to memory or ports as the processor makes it, dword by dword.
    pub(super) fn write_bar(&mut self, address: Address, bar: u8, offset: u64, bytes: &[u8]) {
        for (at, dword) in (offset..).step_by(4).zip(bytes.chunks(4)) {
            self.sleep(ACCESS_TIME);
            self.hardware.write_bar(self.now, address, bar, at, dword);
        }
    }

    /// A write from user space: refused under lockdown, and kept waiting while the kernel resets the
    /// function or something below it.
    ///
    /// # Errors
    /// When the kernel is locked down, or the width is no access.
    pub(super) fn user_write(&mut self, address: Address, offset: u16, bytes: &[u8]) -> Result<()> {
        let refused =
            |errno| Error::write(super::kernel::path(address, "config"), io::Error::from_raw_os_error(errno));
        if self.kernel.host.lockdown != Lockdown::None {
            return Err(refused(libc::EPERM));
        }
        if !matches!(bytes.len(), 1 | 2 | 4) {
            return Err(refused(libc::EINVAL));
        }
        self.wait_for_lock(address);
        self.write(address, offset, bytes);
        Ok(())
    }

    /// How much of a function's configuration space there is.
    pub(super) fn config_size(&self, address: Address) -> usize {
        self.hardware.registers(address).map_or(0, <[u8]>::len)
    }

    /// That an access stays within configuration space.
    ///
    /// # Errors
    /// When it doesn't.
    pub(super) fn check_reach(&self, address: Address, offset: u16, length: usize) -> Result<()> {
        let size = self.config_size(address);
        if usize::from(offset) + length > size {
            return Err(Error::ConfigOutOfReach { address, offset, length, size });
        }
        Ok(())
    }

    /// What the kernel knows of a function.
    pub(super) fn facts(&self, address: Address) -> FunctionFacts {
        let (Some(device), Some(known)) = (self.kernel.devices.get(&address), self.known.get(&address))
        else {
            return FunctionFacts::default();
        };
        let virtfns = self
            .known
            .iter()
            .filter(|(a, k)| k.physfn == Some(address) && self.kernel.devices.contains_key(a));
        let parent = self.hardware.parent(address);
        FunctionFacts {
            parent,
            driver: device.driver.clone(),
            iommu_group: known.iommu_group,
            reset_methods: match &device.reset_methods {
                None => ResetMethods::NoFile,
                Some(methods) => ResetMethods::Listed(methods.clone()),
            },
            power_state: Some(device.power_state.clone()),
            physfn: known.physfn,
            virtfns: virtfns.map(|(&address, _)| address).collect(),
            boot_vga: known.boot_vga,
            slot: parent.filter(|_| address.device() == 0).and_then(|port| self.slot_name(port)),
            resources: device.resources.clone(),
            label: known.label.clone(),
        }
    }

    /// Who depends on a function.
    pub(super) fn users(&self, address: Address) -> Vec<DeviceUser> {
        // A device that was found anew has no one left who uses it.
        let anew = self.kernel.devices.get(&address).is_none_or(|device| device.found_anew);
        self.known.get(&address).filter(|_| !anew).map(|known| known.users.clone()).unwrap_or_default()
    }

    /// The address ranges that a function's registers say it has.
    pub(super) fn resources(&self, address: Address) -> Vec<Resource> {
        let Some(function) = self.hardware.standard(address) else { return Vec::new() };
        use super::model::FunctionModel;
        let registers = function.registers();
        let mut resources = vec![Resource::default(); 7];
        for base in function.bits().bases.iter().filter(|base| base.index <= Base::ROM) {
            let start = base.address(registers);
            if start == 0 {
                continue;
            }
            let low = u64::from(super::registers::dword(registers, base.at) & 0xf);
            let flags = match (base.index, base.io) {
                (Base::ROM, _) => flag::MEM | flag::PREFETCH | flag::READONLY | flag::SIZEALIGN,
                (_, true) => flag::IO | flag::SIZEALIGN | low & 3,
                (_, false) => {
                    let prefetch = if low & 8 != 0 { flag::PREFETCH } else { 0 };
                    let wide = if base.wide { flag::MEM_64 } else { 0 };
                    flag::MEM | flag::SIZEALIGN | low | prefetch | wide
                }
            };
            resources[usize::from(base.index)] =
                Resource { start, end: start.saturating_add(base.size - 1), flags };
        }
        if function.bits().places.bridge
            && let Ok(space) = pcicfg::ConfigSpace::new(registers)
            && let Some(bridge) = space.header().bridge()
        {
            for (window, flags) in [
                (bridge.io_window(), flag::IO),
                (bridge.memory_window(), flag::MEM),
                (bridge.prefetchable_window(), flag::MEM | flag::PREFETCH | flag::MEM_64),
            ] {
                let range = window.map(|w| Resource { start: w.base, end: w.limit, flags });
                resources.push(range.unwrap_or_default());
            }
        }
        resources
    }

    /// The state as JSON.
    pub(super) fn save(&self, name: &str) -> serde_json::Value {
        serde_json::json!({
            "schema": 1,
            "machine": name,
            "now": self.now,
            "hardware": self.hardware.save(),
            "kernel": self.kernel.save(),
        })
    }

    /// Takes over a state that [`save`](Self::save) gave.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn load(&mut self, name: &str, state: &serde_json::Value) -> std::result::Result<(), String> {
        let part = |key: &str| state.get(key).ok_or_else(|| format!("it has no {key:?}"));
        if part("schema")? != 1 {
            return Err("its schema is not 1".into());
        }
        let other = part("machine")?;
        if other != name {
            return Err(format!("it is the state of {other}"));
        }
        let now = Duration::deserialize(part("now")?).map_err(|error| error.to_string())?;
        possible_time("now", now)?;
        let mut kernel = self.kernel.load(part("kernel")?)?;
        kernel.devices.retain(|address, _| self.known.contains_key(address));
        self.hardware.load(part("hardware")?)?;
        self.kernel = kernel;
        self.now = now;
        Ok(())
    }
}
