//! What several files of tests need: small machines, and a machine that gets in the way.
#![allow(dead_code, reason = "each file of tests uses a part")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use pcicfg::Address;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::machine::vfio::{Opened, VfioRequest};
use vfio_reset::machine::{
    Attribute, Clock, DeviceUser, FunctionFacts, HostFacts, KernelReset, LogLine, LogMark, MachineKind,
};
use vfio_reset::method::{Availability, MethodName};
use vfio_reset::plan::{Action, Decision, Override, Plan, RefusalCode, Request, StepName, Via};
use vfio_reset::quirk::Quirks;
use vfio_reset::report::Report;
use vfio_reset::reset::Options;
use vfio_reset::{Error, Inventory, Machine, Result};

pub(crate) fn at(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A machine of these `[[function]]` tables.
pub(crate) fn machine(functions: &str) -> Simulated {
    machine_of("", functions)
}

/// A machine with facts of its host.
pub(crate) fn machine_of(host: &str, functions: &str) -> Simulated {
    Simulated::from_toml(&format!("schema = 1\n{host}\n{functions}"), "test.toml").unwrap()
}

/// A root port at 00:01.0 with bus 1 below; `express` is what its capability says besides.
pub(crate) fn port(express: &str) -> String {
    bridge("0000:00:01.0", 1, 1, "root_port", express)
}

/// A port with buses below.
pub(crate) fn bridge(address: &str, secondary: u8, subordinate: u8, kind: &str, express: &str) -> String {
    format!(
        r#"
[[function]]
address = "{address}"
vendor = 0x8086
device = 0x54ba
class = 0x060400
command = 0x0507
bridge = {{ secondary = {secondary}, subordinate = {subordinate}, memory = [0x80000000, 0x8fffffff] }}
capabilities = [
  {{ power_management = {{ no_soft_reset = true }} }},
  {{ msi = {{ address = 0xfee00258, data = 0x42 }} }},
  {{ pci_express = {{ port = "{kind}", max_speed = 3, max_width = 4, link_active_reporting = true, device_control = 0x002f{express} }} }},
  "aer",
]
driver = "pcieport"
"#
    )
}

/// An endpoint with ids of nobody, a BAR, and `capabilities`; `more` are lines of the table.
pub(crate) fn endpoint(address: &str, capabilities: &str, more: &str) -> String {
    device(address, 0x1234, 0x5678, 0x01_08_02, capabilities, more)
}

pub(crate) fn device(
    address: &str,
    vendor: u16,
    device: u16,
    class: u32,
    capabilities: &str,
    more: &str,
) -> String {
    let function: u32 = address[address.len() - 1..].parse().unwrap();
    let base = 0x8010_0000 + function * 0x1_0000;
    format!(
        r#"
[[function]]
address = "{address}"
vendor = {vendor}
device = {device}
class = {class}
command = 0x0506
bars = [{{ bar = 0, address = {base}, size = 0x1000 }}]
capabilities = [{capabilities}]
{more}
"#
    )
}

/// The capabilities of an endpoint that can do everything.
pub(crate) const ALL: &str = r#"
  { power_management = {} },
  { advanced_features = { flr = true } },
  { pci_express = { flr = true, max_speed = 3, max_width = 4, device_control = 0x2810 } },
  { msi = { wide = true, maskable = true, address = 0xfee00258, data = 0x42 } },
  "aer",
"#;

/// A port with a device below that every method works on.
pub(crate) fn simple() -> Simulated {
    machine(&(port("") + &endpoint("0000:01:00.0", ALL, "driver = \"vfio-pci\"")))
}

/// All of a function's availabilities.
pub(crate) fn availability(machine: &dyn Machine, address: &str) -> Vec<Availability> {
    let inventory = Inventory::read(machine).unwrap();
    let function = inventory.function(at(address)).unwrap();
    vfio_reset::method::availability(function, &Quirks::built_in())
}

pub(crate) fn availability_of(machine: &dyn Machine, address: &str, method: MethodName) -> Availability {
    let all = availability(machine, address);
    all.into_iter().find(|one| one.method == method).unwrap()
}

pub(crate) fn request(address: &str, method: MethodName, via: Via) -> Request {
    Request::new(at(address)).method(method).via(via)
}

/// A request that overrides everything that can be overridden.
pub(crate) fn forced(address: &str, method: MethodName, via: Via) -> Request {
    Request { allow: Override::ALL.to_vec(), ..request(address, method, via) }
}

/// The plan, with everybody asked who uses what it would hit.
pub(crate) fn plan(machine: &dyn Machine, request: &Request) -> Plan {
    let mut inventory = Inventory::read(machine).unwrap();
    let concerned = Plan::concerned(&inventory, request).unwrap();
    inventory.read_users(machine, concerned).unwrap();
    Plan::new(&inventory, &Quirks::built_in(), request).unwrap()
}

/// The action that is planned.
pub(crate) fn action(machine: &dyn Machine, request: &Request) -> Action {
    match plan(machine, request).decision {
        Decision::Act(action) => *action,
        other => panic!("nothing is done: {other:#?}"),
    }
}

/// Why the plan refuses; empty if it acts.
pub(crate) fn refused(machine: &dyn Machine, request: &Request) -> Vec<(RefusalCode, Option<Override>)> {
    match plan(machine, request).decision {
        Decision::Refuse { refusals, .. } => {
            refusals.iter().map(|refusal| (refusal.code, refusal.overridden_by)).collect()
        }
        Decision::Act(_) => Vec::new(),
        other => panic!("neither refused nor done: {other:#?}"),
    }
}

pub(crate) fn try_reset(machine: &dyn Machine, request: &Request, options: Options) -> Result<Report> {
    let action = action(machine, request);
    vfio_reset::reset::reset(machine, &action, options, &mut |_| {})
}

pub(crate) fn reset(machine: &dyn Machine, request: &Request) -> Report {
    try_reset(machine, request, Options::default()).unwrap()
}

/// The text of a step that was taken.
pub(crate) fn text(report: &Report, name: StepName) -> &str {
    &report.step(name).unwrap_or_else(|| panic!("no {name}: {report:#?}")).text
}

pub(crate) fn names(report: &Report) -> Vec<StepName> {
    report.steps.iter().map(|step| step.name).collect()
}

pub(crate) fn word(machine: &dyn Machine, address: &str, offset: u16) -> u16 {
    let mut bytes = [0; 2];
    machine.read_config(at(address), offset, &mut bytes).unwrap();
    u16::from_le_bytes(bytes)
}

pub(crate) fn dword(machine: &dyn Machine, address: &str, offset: u16) -> u32 {
    u32::from(word(machine, address, offset)) | u32::from(word(machine, address, offset + 2)) << 16
}

/// Where a function's PCI Express capability is.
pub(crate) fn express(machine: &dyn Machine, address: &str) -> u16 {
    let config = machine.config(at(address)).unwrap();
    pcicfg::ConfigSpace::new(&config).unwrap().pci_express().unwrap().offset()
}

/// The configuration spaces of all functions, without what hardware alone writes: status registers.
pub(crate) fn image(machine: &dyn Machine) -> Vec<(Address, Vec<u8>)> {
    let masked = |address| {
        let mut config = machine.config(address).unwrap();
        let space = pcicfg::ConfigSpace::new(&config).unwrap();
        let mut status = vec![(0x06, 2)];
        if let Some(express) = space.pci_express() {
            let at = usize::from(express.offset());
            status.extend([(at + 0x0a, 2), (at + 0x12, 2), (at + 0x1a, 2), (at + 0x20, 4)]);
        }
        for (start, length) in status {
            for byte in config.iter_mut().skip(start).take(length) {
                *byte = 0;
            }
        }
        (address, config)
    };
    machine.functions().unwrap().into_iter().map(masked).collect()
}

/// Says where two images differ.
pub(crate) fn differences(before: &[(Address, Vec<u8>)], after: &[(Address, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    if before.len() != after.len() {
        found.push(format!("{} functions, and {} now", before.len(), after.len()));
    }
    for ((address, before), (other, after)) in before.iter().zip(after) {
        assert_eq!(address, other);
        for (offset, (before, after)) in before.iter().zip(after).enumerate() {
            if before != after {
                found.push(format!("{address} {offset:03x}: {before:02x} -> {after:02x}"));
            }
        }
    }
    found
}

/// The folder with the lab's recordings, where it is at hand.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("VFIO_RESET_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// A write that went through a [`Meddled`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) address: Address,
    pub(crate) offset: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Write {
    /// Whether it reaches the byte at `offset`.
    pub(crate) fn byte(&self, address: &str, offset: u16) -> Option<u8> {
        let index = offset.checked_sub(self.offset)?;
        (self.address == at(address)).then(|| self.bytes.get(usize::from(index)).copied()).flatten()
    }
}

type FailWrite = Box<dyn Fn(usize, &Write) -> bool + Send + Sync>;
type ChangeFacts = Box<dyn Fn(Address, &mut FunctionFacts) + Send + Sync>;
type FakeReset = Box<dyn Fn(&Simulated) -> Result<KernelReset> + Send + Sync>;
type ChangeRead = Box<dyn Fn(&Simulated, Address, u16, &mut [u8]) + Send + Sync>;
type FailAttribute = Box<dyn Fn(usize, Attribute, &str) -> bool + Send + Sync>;

/// A simulated machine with somebody between it and the engine, who takes notes and gets in the way.
pub(crate) struct Meddled {
    pub(crate) inner: Simulated,
    pub(crate) host: Option<HostFacts>,
    pub(crate) users: Vec<(Address, DeviceUser)>,
    pub(crate) change_facts: Option<ChangeFacts>,
    /// Changes what was read of configuration space.
    pub(crate) change_read: Option<ChangeRead>,
    /// Fails a write to configuration space with EPERM, by its number from 0.
    pub(crate) fail_write: Option<FailWrite>,
    /// Fails a write to an attribute with EACCES, by its number from 0.
    pub(crate) fail_attribute: Option<FailAttribute>,
    /// Answers in the kernel's place.
    pub(crate) kernel_reset: Option<FakeReset>,
    writes: Mutex<Vec<Write>>,
    attributes: Mutex<Vec<(Address, Attribute, String)>>,
}

impl Meddled {
    pub(crate) fn new(inner: Simulated) -> Self {
        Self {
            inner,
            host: None,
            users: Vec::new(),
            change_facts: None,
            change_read: None,
            fail_write: None,
            fail_attribute: None,
            kernel_reset: None,
            writes: Mutex::new(Vec::new()),
            attributes: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn change_facts(
        mut self,
        change: impl Fn(Address, &mut FunctionFacts) + Send + Sync + 'static,
    ) -> Self {
        self.change_facts = Some(Box::new(change));
        self
    }

    pub(crate) fn change_read(
        mut self,
        change: impl Fn(&Simulated, Address, u16, &mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        self.change_read = Some(Box::new(change));
        self
    }

    pub(crate) fn fail_write(mut self, fail: impl Fn(usize, &Write) -> bool + Send + Sync + 'static) -> Self {
        self.fail_write = Some(Box::new(fail));
        self
    }

    pub(crate) fn fail_attribute(
        mut self,
        fail: impl Fn(usize, Attribute, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.fail_attribute = Some(Box::new(fail));
        self
    }

    pub(crate) fn kernel_reset(
        mut self,
        answer: impl Fn(&Simulated) -> Result<KernelReset> + Send + Sync + 'static,
    ) -> Self {
        self.kernel_reset = Some(Box::new(answer));
        self
    }

    pub(crate) fn user(mut self, address: &str, user: DeviceUser) -> Self {
        self.users.push((at(address), user));
        self
    }

    /// The writes so far, those that failed included.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.writes.lock().unwrap().clone()
    }

    pub(crate) fn attributes(&self) -> Vec<(Address, Attribute, String)> {
        self.attributes.lock().unwrap().clone()
    }
}

impl Machine for Meddled {
    fn kind(&self) -> MachineKind {
        self.inner.kind()
    }

    fn name(&self) -> String {
        self.inner.name()
    }

    fn host(&self) -> Result<HostFacts> {
        self.host.clone().map_or_else(|| self.inner.host(), Ok)
    }

    fn functions(&self) -> Result<Vec<Address>> {
        self.inner.functions()
    }

    fn facts(&self, address: Address) -> Result<FunctionFacts> {
        let mut facts = self.inner.facts(address)?;
        if let Some(change) = &self.change_facts {
            change(address, &mut facts);
        }
        Ok(facts)
    }

    fn users(&self, address: Address) -> Result<Vec<DeviceUser>> {
        let mut users = self.inner.users(address)?;
        users.extend(self.users.iter().filter(|(at, _)| *at == address).map(|(_, user)| user.clone()));
        Ok(users)
    }

    fn config(&self, address: Address) -> Result<Vec<u8>> {
        self.inner.config(address)
    }

    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()> {
        self.inner.read_config(address, offset, bytes)?;
        if let Some(change) = &self.change_read {
            change(&self.inner, address, offset, bytes);
        }
        Ok(())
    }

    fn write_config(&self, address: Address, offset: u16, bytes: &[u8]) -> Result<()> {
        let write = Write { address, offset, bytes: bytes.to_vec() };
        let number = {
            let mut writes = self.writes.lock().unwrap();
            writes.push(write.clone());
            writes.len() - 1
        };
        if self.fail_write.as_ref().is_some_and(|fail| fail(number, &write)) {
            return Err(Error::write("config", std::io::Error::from_raw_os_error(libc::EPERM)));
        }
        self.inner.write_config(address, offset, bytes)
    }

    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.inner.read_bar(address, bar, offset, bytes)
    }

    fn write_bar(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()> {
        self.inner.write_bar(address, bar, offset, bytes)
    }

    fn attribute(&self, address: Address, attribute: Attribute) -> Result<Option<String>> {
        self.inner.attribute(address, attribute)
    }

    fn set_attribute(&self, address: Address, attribute: Attribute, value: &str) -> Result<()> {
        let number = {
            let mut attributes = self.attributes.lock().unwrap();
            attributes.push((address, attribute, value.to_string()));
            attributes.len() - 1
        };
        if self.fail_attribute.as_ref().is_some_and(|fail| fail(number, attribute, value)) {
            return Err(Error::write("attribute", std::io::Error::from_raw_os_error(libc::EACCES)));
        }
        self.inner.set_attribute(address, attribute, value)
    }

    fn kernel_reset(&self, address: Address, budget: Duration) -> Result<KernelReset> {
        match &self.kernel_reset {
            Some(answer) => answer(&self.inner),
            None => self.inner.kernel_reset(address, budget),
        }
    }

    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
        self.inner.open_vfio(request)
    }

    fn kernel_log_mark(&self) -> LogMark {
        self.inner.kernel_log_mark()
    }

    fn kernel_log(&self, mark: LogMark) -> Result<Vec<LogLine>> {
        self.inner.kernel_log(mark)
    }

    fn clock(&self) -> &dyn Clock {
        self.inner.clock()
    }
}

pub(crate) mod recording;

/// A file that a model of the tests names.
pub(crate) fn blob(name: &str) -> Vec<u8> {
    let own = format!("tests/vendor/{name}");
    std::fs::read(own).or_else(|_| std::fs::read(format!("src/vendor/models/{name}"))).unwrap()
}

/// A shipped model with some changes, as JSON; `tests/vendor/README.md` says how they are written.
pub(crate) fn changed(model: &str, changes: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let text = std::fs::read_to_string(format!("src/vendor/models/{model}.json")).unwrap();
    let mut model: Value = serde_json::from_str(&text).unwrap();
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let place = |register: &Value| {
        let digits = register["off"].as_str().unwrap().trim_start_matches("0x").to_string();
        (register["space"].clone(), u64::from_str_radix(&digits, 16).unwrap())
    };
    let Some(changes) = changes.as_object() else { return model };
    for (key, value) in changes {
        match key.as_str() {
            "drop_regs" => {
                let named = |entry: &Value| place(&serde_json::json!({ "space": entry[0], "off": entry[1] }));
                let dropped: Vec<_> = value.as_array().unwrap().iter().map(named).collect();
                let kept = list(&model, "regs").into_iter().filter(|r| !dropped.contains(&place(r)));
                model["regs"] = kept.collect::<Vec<_>>().into();
            }
            "drop_triggers" | "triggers" | "regs" => {}
            _ => model[key] = value.clone(),
        }
    }
    if let Some(registers) = changes.get("regs").and_then(Value::as_array) {
        let mut kept = list(&model, "regs");
        kept.retain(|known| !registers.iter().any(|register| place(register) == place(known)));
        kept.extend(registers.iter().cloned());
        model["regs"] = kept.into();
    }
    let dropped: Vec<usize> = changes
        .get("drop_triggers")
        .and_then(Value::as_array)
        .map_or_else(Vec::new, |list| list.iter().map(|at| at.as_u64().unwrap() as usize).collect());
    let triggers = list(&model, "triggers").into_iter().enumerate();
    let mut kept: Vec<Value> =
        triggers.filter(|(at, _)| !dropped.contains(at)).map(|(_, trigger)| trigger).collect();
    kept.extend(changes.get("triggers").and_then(Value::as_array).cloned().unwrap_or_default());
    model["triggers"] = kept.into();
    model
}
