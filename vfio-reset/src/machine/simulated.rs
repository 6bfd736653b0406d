//! A machine that exists in memory: devices with behaviour, in virtual time, deterministic.
//!
//! ```
//! use std::time::Duration;
//! use vfio_reset::machine::{Clock, Machine};
//! use vfio_reset::machine::simulated::Simulated;
//!
//! let host = Simulated::open("zoo")?;
//! let nvme = "01:00.0".parse()?;
//! let mut id = [0; 4];
//! host.read_config(nvme, 0, &mut id)?;
//! assert_eq!(id, [0x36, 0x1b, 0x10, 0x00]);
//!
//! // Initiate Function Level Reset: the function is away for a while, and has lost its Command.
//! host.write_config(nvme, 0x54, &[0x10, 0xa8])?;
//! host.read_config(nvme, 0, &mut id)?;
//! assert_eq!(id, [0xff; 4]);
//! host.sleep(Duration::from_millis(100));
//! let mut command = [0; 2];
//! host.read_config(nvme, 4, &mut command)?;
//! assert_eq!(command, [0; 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A machine of one's own is a TOML text. Bus numbers say what is below what; a function is made from
//! facts, or from a whole image (`config`, as `lspci -xxxx` prints it); [`Behaviour`] is what is odd
//! about it. The shipped ones, in `simulated/machines/`, show the rest of the format.
//!
//! ```
//! # use std::time::Duration;
//! # use vfio_reset::machine::{KernelReset, Machine};
//! # use vfio_reset::machine::simulated::Simulated;
//! let host = Simulated::from_toml(r#"
//!     schema = 1
//!     [host]
//!     kernel = "6.12.0"
//!
//!     [[function]]
//!     address = "00:01.0"
//!     vendor = 0x8086
//!     device = 0x1901
//!     class = 0x060400
//!     command = 0x0007
//!     bridge = { secondary = 1, subordinate = 1, memory = [0xe0000000, 0xe00fffff] }
//!     capabilities = [{ pci_express = { port = "root_port", max_speed = 3, link_active_reporting = true } }]
//!     driver = "pcieport"
//!
//!     [[function]]
//!     address = "01:00.0"
//!     vendor = 0x144d
//!     device = 0xa808
//!     class = 0x010802
//!     command = 0x0006
//!     bars = [{ bar = 0, kind = "memory64", address = 0xe0000000, size = 0x4000 }]
//!     capabilities = [{ power_management = { no_soft_reset = true } }, { pci_express = { flr = true, max_speed = 3 } }]
//!     driver = "vfio-pci"
//!     behaviour = { dies_on = ["flr"], link_dies = true }
//! "#, "mine.toml")?;
//! let reset = host.kernel_reset("01:00.0".parse()?, Duration::from_secs(600))?;
//! assert_eq!(reset, KernelReset::Failed { errno: 25 }); // ENOTTY, after more than a minute
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The parts, from the device up: a [`model`] is one function behind a small trait, `function` the
//! standard one; `bridge` a bridge with its link and slot, `hardware` what
//! connects them; `kernel` the Linux kernel above them;
//! `description` the text that a machine is made from; [`faults`] what can be odd about it.

mod bars;
mod bridge;
mod builder;
mod description;
pub mod faults;
mod function;
mod hardware;
mod image;
mod kernel;
mod machines;
pub mod model;
mod registers;
#[cfg(feature = "serve")]
pub mod serve;
mod state;
mod vfio;

use crate::error::{Error, Result};
use crate::machine::vfio::{Opened, VfioRequest};
use crate::machine::{
    Attribute, Clock, DeviceUser, FunctionFacts, HostFacts, KernelReset, LogLine, LogMark, Machine,
    MachineKind, check_bar_access,
};
use description::Description;
use pcicfg::{Address, ConfigSpace};
use state::State;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use faults::{Behaviour, Errno, VfioFaults};
pub use function::StandardFunction;
pub use model::{FunctionModel, ResetKind};

/// What one access to configuration space takes.
const ACCESS_TIME: Duration = Duration::from_micros(1);

/// A machine that exists in memory.
pub struct Simulated {
    name: String,
    state: Mutex<State>,
}

impl Simulated {
    /// The machine that is shipped under this name, with or without `sim:` before it, or the one
    /// that the file at this path describes.
    ///
    /// # Errors
    /// When there is no such machine or file, or the file describes no possible machine.
    pub fn open(name_or_path: &str) -> Result<Self> {
        let name = name_or_path.strip_prefix("sim:").unwrap_or(name_or_path);
        if let Some(text) = machines::text(name) {
            return Self::from_toml(text, format!("sim:{name}"));
        }
        let path = Path::new(name);
        if path.extension().is_none_or(|extension| extension != "toml") {
            return Err(Error::NoSuchMachine {
                name: name_or_path.to_string(),
                reason: format!(
                    "shipped are {}; a path to a description ends in .toml",
                    Self::names().join(", ")
                ),
            });
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::named(path, error))?;
        Self::from_toml(&text, name)
    }

    /// The machine that a description describes. `file` is how the machine is named, and the file in
    /// messages.
    ///
    /// # Errors
    /// When it describes no possible machine: where in the text, and why.
    pub fn from_toml(text: &str, file: impl Into<String>) -> Result<Self> {
        let name = file.into();
        let description = Description::parse(text, Path::new(&name))?;
        let name = if name.is_empty() { description.name.clone() } else { name };
        Ok(Self { name, state: Mutex::new(State::new(description)) })
    }

    /// The shipped machine that mirrors the project's own lab: 43 functions of QEMU's.
    ///
    /// # Panics
    /// Never: that it can be read is tested.
    #[must_use]
    pub fn zoo() -> Self {
        Self::open("zoo").expect("a shipped machine is a possible one")
    }

    /// The names of the shipped machines.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        machines::NAMES.iter().map(|(name, _)| *name).collect()
    }

    /// The machine with a function that behaves like this. For tests.
    ///
    /// # Panics
    /// When there is no such function, or it has a model of its own.
    #[must_use]
    pub fn with(self, address: &str, behaviour: Behaviour) -> Self {
        let address = address.parse().expect("an address");
        self.set_behaviour(address, behaviour).expect("a function of the machine");
        self
    }

    /// Lets a function behave like this from now on.
    ///
    /// # Errors
    /// When there is no such function, or it has a model of its own.
    pub fn set_behaviour(&self, address: Address, behaviour: Behaviour) -> Result<()> {
        let found = self.lock().hardware.set_behaviour(address, behaviour);
        if found { Ok(()) } else { Err(self.no_such(address)) }
    }

    /// Puts a model in the place of a function that is no bridge.
    ///
    /// # Errors
    /// When there is no such function, or it is a bridge.
    pub fn set_model(&self, address: Address, model: Box<dyn FunctionModel>) -> Result<()> {
        let found = self.lock().replace(address, model);
        if found { Ok(()) } else { Err(self.no_such(address)) }
    }

    /// The machine's state, time and kernel included, as JSON; for [`load_state`](Self::load_state).
    #[must_use]
    pub fn save_state(&self) -> serde_json::Value {
        self.lock().save(&self.name)
    }

    /// Takes over a state that [`save_state`](Self::save_state) of the same machine gave.
    ///
    /// # Errors
    /// [`Error::Malformed`] with `file` when it is no state, or another machine's; the machine should
    /// not be used any more then.
    pub fn load_state(&self, state: &serde_json::Value, file: impl AsRef<Path>) -> Result<()> {
        self.lock().load(&self.name, state).map_err(|message| Error::Malformed {
            file: file.as_ref().to_path_buf(),
            line: 0,
            column: 0,
            message: format!("this is no state of {}: {message}; delete it to begin anew", self.name),
        })
    }

    /// Does something with the function itself, past the bridges above it: for whoever plays those.
    ///
    /// # Errors
    /// When there is no such function.
    #[cfg(feature = "serve")]
    fn with_model<R>(&self, address: Address, act: impl FnOnce(&mut dyn FunctionModel) -> R) -> Result<R> {
        match self.lock().hardware.model_mut(address) {
            Some(model) => Ok(act(model)),
            None => Err(self.no_such(address)),
        }
    }

    /// How a function behaves, unless it has a model of its own.
    #[cfg(feature = "serve")]
    fn behaviour(&self, address: Address) -> Option<Behaviour> {
        self.lock().hardware.standard(address).map(|function| function.behaviour().clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state holds no invariant that a panic elsewhere could have broken half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_such(&self, address: Address) -> Error {
        Error::NoSuchFunction { address, machine: self.name.clone() }
    }

    /// The state, if the kernel knows the function.
    fn of(&self, address: Address) -> Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.kernel.devices.contains_key(&address) { Ok(state) } else { Err(self.no_such(address)) }
    }
}

/// The offset and the stride of the virtual functions in an image with SR-IOV.
fn sriov_layout(image: &[u8]) -> Option<(u16, u16)> {
    let space = ConfigSpace::new(image).ok()?;
    let sriov =
        space.extended_capabilities().map_while(std::result::Result::ok).find(|c| c.id().0 == 0x10)?;
    let at = sriov.offset();
    Some((registers::word(image, at + 0x14), registers::word(image, at + 0x16)))
}

impl Clock for Simulated {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep(&self, time: Duration) {
        self.lock().sleep(time);
    }
}

impl Machine for Simulated {
    fn kind(&self) -> MachineKind {
        MachineKind::Simulated
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn host(&self) -> Result<HostFacts> {
        Ok(self.lock().kernel.host.clone())
    }

    fn functions(&self) -> Result<Vec<Address>> {
        Ok(self.lock().kernel.devices.keys().copied().collect())
    }

    fn facts(&self, address: Address) -> Result<FunctionFacts> {
        self.of(address).map(|state| state.facts(address))
    }

    fn users(&self, address: Address) -> Result<Vec<DeviceUser>> {
        self.of(address).map(|state| state.users(address))
    }

    fn config(&self, address: Address) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.of(address)?.config_size(address)];
        self.read_config(address, 0, &mut bytes)?;
        Ok(bytes)
    }

    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()> {
        let mut state = self.of(address)?;
        state.check_reach(address, offset, bytes.len())?;
        state.user_read(address, offset, bytes);
        Ok(())
    }

    fn write_config(&self, address: Address, offset: u16, bytes: &[u8]) -> Result<()> {
        let mut state = self.of(address)?;
        state.check_reach(address, offset, bytes.len())?;
        state.user_write(address, offset, bytes)
    }

    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let mut state = self.of(address)?;
        check_bar_access(address, bar, offset, bytes.len())?;
        state.read_bar(address, bar, offset, bytes);
        Ok(())
    }

    fn write_bar(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut state = self.of(address)?;
        check_bar_access(address, bar, offset, bytes.len())?;
        state.write_bar(address, bar, offset, bytes);
        Ok(())
    }

    fn attribute(&self, address: Address, attribute: Attribute) -> Result<Option<String>> {
        self.of(address)?.attribute(address, attribute)
    }

    fn set_attribute(&self, address: Address, attribute: Attribute, value: &str) -> Result<()> {
        self.of(address)?.set_attribute(address, attribute, value)
    }

    fn kernel_reset(&self, address: Address, budget: Duration) -> Result<KernelReset> {
        self.of(address)?.kernel_reset(address, budget)
    }

    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
        vfio::open(self, request)
    }

    fn kernel_log_mark(&self) -> LogMark {
        self.lock().log_mark()
    }

    fn kernel_log(&self, mark: LogMark) -> Result<Vec<LogLine>> {
        Ok(self.lock().log_since(mark))
    }

    fn clock(&self) -> &dyn Clock {
        self
    }
}
