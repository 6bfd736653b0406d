//! The Linux kernel above the simulated hardware, as far as resets go: what it enumerated and when,
//! which reset methods it found then, how it resets, and what it logs.

mod attributes;
mod hotplug;
mod methods;
mod reset;
mod saved;
pub(super) mod vfio;

use super::description::QuirkFlag;
use super::model::FunctionModel;
use super::state::{State, possible_time};
use crate::machine::{DeviceUser, HostFacts, LogLine, LogMark, Resource};
use pcicfg::Address;
use saved::SavedRegister;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// What is true of a function whether or not the kernel knows it.
pub(super) struct Known {
    /// Its registers as the machine was found: where the kernel puts address ranges again.
    pub(super) image: Vec<u8>,
    pub(super) driver: Option<String>,
    pub(super) native_driver: Option<String>,
    pub(super) iommu_group: Option<u32>,
    pub(super) physfn: Option<Address>,
    pub(super) boot_vga: bool,
    pub(super) label: Option<String>,
    pub(super) users: Vec<DeviceUser>,
    pub(super) reset_methods: Option<Vec<String>>,
    pub(super) rescanned: bool,
    pub(super) quirks: BTreeSet<QuirkFlag>,
}

/// The kernel's object of a function. What user space has set in it is lost when the function is
/// removed and found anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KernelDevice {
    pub(super) driver: Option<String>,
    pub(super) driver_override: Option<String>,
    /// `None`: no `reset_method`, the kernel found none when the function was added.
    pub(super) reset_methods: Option<Vec<String>>,
    pub(super) power_state: String,
    /// `power/control` says `auto`.
    pub(super) auto_suspend: bool,
    pub(super) d3cold_allowed: bool,
    pub(super) resources: Vec<Resource>,
    /// The kernel has scanned the bus below: it is a bridge to the kernel too.
    pub(super) has_subordinate: bool,
    pub(super) multi_function: bool,
    /// It was removed and found again since the machine was booted.
    pub(super) found_anew: bool,
    /// Until then a reset holds the device.
    pub(super) locked_until: Duration,
    saved: Option<Vec<SavedRegister>>,
}

/// Something that a kernel thread will do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    time: Duration,
    /// The port below which the kernel looks for functions.
    port: Address,
    /// When it stops looking.
    until: Duration,
}

/// The kernel.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kernel {
    #[serde(skip)]
    pub(super) host: HostFacts,
    #[serde(skip)]
    idle_d3: bool,
    #[serde(with = "devices")]
    pub(super) devices: BTreeMap<Address, KernelDevice>,
    log: Vec<LogLine>,
    tasks: Vec<Task>,
    /// The hot-plug drivers have registered their slots.
    slots: bool,
    /// The port whose link changes the kernel ignores now, as it resets it.
    #[serde(skip)]
    ignoring: Option<Address>,
    /// Who has what open through VFIO: nobody, when a command begins.
    #[serde(skip)]
    pub(super) vfio: vfio::Vfio,
}

/// Addresses as keys of a JSON object.
mod devices {
    use super::{Address, BTreeMap, KernelDevice};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        devices: &BTreeMap<Address, KernelDevice>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let named: BTreeMap<_, _> =
            devices.iter().map(|(address, device)| (address.to_string(), device)).collect();
        named.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Address, KernelDevice>, D::Error> {
        BTreeMap::<String, KernelDevice>::deserialize(deserializer)?
            .into_iter()
            .map(|(name, device)| Ok((name.parse().map_err(serde::de::Error::custom)?, device)))
            .collect()
    }
}

/// A file of a function in sysfs.
pub(super) fn path(address: Address, file: &str) -> PathBuf {
    PathBuf::from(format!("/sys/bus/pci/devices/{address}/{file}"))
}

impl Kernel {
    /// A kernel that has seen no function yet.
    pub(super) fn new(host: HostFacts, idle_d3: bool) -> Self {
        Self {
            host,
            idle_d3,
            devices: BTreeMap::new(),
            log: Vec::new(),
            tasks: Vec::new(),
            slots: false,
            ignoring: None,
            vfio: vfio::Vfio::default(),
        }
    }

    /// When a kernel thread has something to do.
    pub(super) fn next_task(&self) -> Option<Duration> {
        self.tasks.iter().map(|task| task.time).min()
    }

    /// The state as JSON.
    pub(super) fn save(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The kernel of this machine in a state that [`save`](Self::save) gave.
    pub(super) fn load(&self, state: &serde_json::Value) -> Result<Self, String> {
        let mut loaded = Self::deserialize(state).map_err(|error| error.to_string())?;
        for (address, device) in &loaded.devices {
            possible_time(&format!("locked_until of {address}"), device.locked_until)?;
        }
        for task in &loaded.tasks {
            possible_time("the time of a task", task.time)?;
            // Until then the kernel looks ten times a second.
            if task.until > task.time.saturating_add(hotplug::PATIENCE) {
                return Err(format!("a task looks for {} for longer than a minute", task.port));
            }
        }
        loaded.host = self.host.clone();
        loaded.idle_d3 = self.idle_d3;
        loaded.vfio.interrupt_remapping = self.vfio.interrupt_remapping;
        Ok(loaded)
    }
}

impl State {
    /// Boots: the kernel enumerates the functions bus by bus, then its hot-plug drivers find their
    /// slots, then drivers enable virtual functions; then what the description says was removed and
    /// found again is.
    pub(super) fn boot(&mut self) {
        let all = self.hardware.addresses();
        let is_virtual = |state: &Self, address: Address| {
            state.known.get(&address).is_some_and(|known| known.physfn.is_some())
        };
        let roots: Vec<_> = all.iter().copied().filter(|&a| self.hardware.parent(a).is_none()).collect();
        self.boot_bus(&roots, &is_virtual);
        self.kernel.slots = true;
        // The ports' driver first: a slot is there only once it is bound.
        self.boot_drivers();
        for &address in &all {
            if !self.kernel.devices.contains_key(&address) {
                self.add_device(address, false);
            }
        }
        let again: Vec<_> =
            all.into_iter().filter(|a| self.known.get(a).is_some_and(|known| known.rescanned)).collect();
        for address in &again {
            self.kernel.devices.remove(address);
        }
        for address in again {
            self.add_device(address, false);
            self.subordinate_scanned(address);
        }
        self.boot_drivers();
    }

    /// Binds the drivers of everything that has none yet.
    fn boot_drivers(&mut self) {
        let unbound = self.kernel.devices.iter().filter(|(_, device)| device.driver.is_none());
        let unbound: Vec<_> = unbound.map(|(address, _)| *address).collect();
        for address in unbound {
            self.boot_driver(address);
        }
    }

    /// Enumerates a bus: its functions first, then what is below them.
    fn boot_bus(&mut self, functions: &[Address], is_virtual: &dyn Fn(&Self, Address) -> bool) {
        for &address in functions {
            self.add_device(address, false);
        }
        for &address in functions {
            if self.hardware.is_bridge(address) {
                let below: Vec<_> =
                    self.hardware.children(address).into_iter().filter(|&a| !is_virtual(self, a)).collect();
                self.subordinate_scanned(address);
                self.boot_bus(&below, is_virtual);
            }
        }
    }

    /// A bridge's bus gets an object of its own only once it is scanned, after the bridge was added.
    fn subordinate_scanned(&mut self, address: Address) {
        let is_bridge = self.hardware.is_bridge(address);
        if let Some(device) = self.kernel.devices.get_mut(&address) {
            device.has_subordinate = is_bridge;
        }
    }

    /// Gives a function that the kernel has just found its object. The methods are found before the
    /// function is on its bus's list, so of a device with several functions the first sees no other.
    fn add_device(&mut self, address: Address, found_anew: bool) {
        let header_type = self.hardware.registers(address).and_then(|r| r.get(0x0e)).copied().unwrap_or(0);
        let device = KernelDevice {
            driver: None,
            driver_override: None,
            reset_methods: None,
            power_state: "unknown".into(),
            auto_suspend: false,
            d3cold_allowed: true,
            resources: self.resources(address),
            has_subordinate: false,
            multi_function: header_type & 0x80 != 0,
            found_anew,
            locked_until: Duration::ZERO,
            saved: None,
        };
        let methods = self.supported_methods(address, &device);
        let described =
            self.known.get(&address).filter(|_| !found_anew).and_then(|k| k.reset_methods.clone());
        let methods = described.unwrap_or_else(|| methods.iter().map(|m| m.to_string()).collect());
        let is_virtual = self.known.get(&address).is_some_and(|known| known.physfn.is_some());
        let device = KernelDevice {
            reset_methods: (!methods.is_empty()).then_some(methods),
            multi_function: device.multi_function || (address.function() > 0 && !is_virtual),
            ..device
        };
        self.kernel.devices.insert(address, device);
    }

    /// Puts a model in the place of a function, as if it had been there when the kernel looked.
    pub(super) fn replace(&mut self, address: Address, model: Box<dyn FunctionModel>) -> bool {
        let image = model.registers().to_vec();
        let replaced = self.hardware.replace(address, model);
        if let (true, Some(known)) = (replaced, self.known.get_mut(&address)) {
            known.image = image;
            let device = self.kernel.devices.get(&address).cloned();
            if let Some(mut device) = device {
                let methods = self.supported_methods(address, &device);
                let names: Vec<_> = methods.iter().map(|method| method.to_string()).collect();
                device.reset_methods = (!names.is_empty()).then_some(names);
                self.kernel.devices.insert(address, device);
            }
        }
        replaced
    }

    /// The drivers are bound as the description says, and what they leave idle sleeps.
    fn boot_driver(&mut self, address: Address) {
        let driver = self.known.get(&address).and_then(|known| known.driver.clone());
        let asleep = self.hardware.standard(address).is_some_and(|f| f.power_state() == 3);
        let idle_d3 = self.kernel.idle_d3;
        let Some(device) = self.kernel.devices.get_mut(&address) else { return };
        let state = if asleep { "D3hot" } else { "D0" };
        device.power_state = if driver.is_some() { state.into() } else { "unknown".into() };
        let is_vfio = driver.as_deref() == Some("vfio-pci");
        device.auto_suspend = is_vfio && idle_d3;
        device.driver = driver;
        self.suspend_if_idle(address);
    }

    /// The name of a port's hot-plug slot.
    pub(super) fn slot_name(&self, port: Address) -> Option<String> {
        if !self.kernel.slots || !self.hardware.hot_plug(port) {
            return None;
        }
        let bound = self.kernel.devices.get(&port)?.driver.as_deref() == Some("pcieport");
        let at = self.hardware.places(port)?.express?;
        let capabilities = super::registers::dword(
            self.hardware.registers(port)?,
            at + super::bridge::express::SLOT_CAPABILITIES,
        );
        bound.then(|| (capabilities >> 19).to_string())
    }

    /// Adds a message to the kernel log.
    fn log(&mut self, address: Address, text: &str) {
        let driver = self.kernel.devices.get(&address).and_then(|device| device.driver.as_deref());
        let line = LogLine { time: self.now, text: format!("{} {address}: {text}", driver.unwrap_or("pci")) };
        // A reset that the caller did not wait for has logged what is yet to come.
        let at = self.kernel.log.partition_point(|other| other.time <= line.time);
        self.kernel.log.insert(at, line);
    }

    /// The place in the log where the next message goes.
    pub(super) fn log_mark(&self) -> LogMark {
        LogMark(self.kernel.log.partition_point(|line| line.time <= self.now) as u64)
    }

    /// The messages since a mark.
    pub(super) fn log_since(&self, mark: LogMark) -> Vec<LogLine> {
        let end = self.log_mark().0 as usize;
        let start = usize::try_from(mark.0).unwrap_or(end).min(end);
        self.kernel.log[start..end].to_vec()
    }
}
