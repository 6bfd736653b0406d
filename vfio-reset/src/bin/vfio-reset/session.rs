//! The machine a command works on, and what goes with it.

use crate::args::Global;
use crate::output::Output;
use pcicfg::Address;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vfio_reset::inventory::PATIENCE;
use vfio_reset::machine::captured::Captured;
use vfio_reset::machine::live::Live;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::machine::{Detail, Reading};
use vfio_reset::pci_ids::PciIds;
use vfio_reset::plan::{Plan, Refusal, Request, opening_refusals};
use vfio_reset::quirk::{Quirks, USER_DIRECTORY};
use vfio_reset::vendor::{Devices, Family, devices};
use vfio_reset::{Error, Inventory, Machine};

/// A machine that was opened for one command.
pub(crate) struct Session {
    machine: AnyMachine,
    state_file: Option<PathBuf>,
    pub(crate) quirks: Quirks,
    /// The family of vendor sequences that was asked for by name.
    family: Option<&'static Family>,
    names: OnceCell<PciIds>,
}

enum AnyMachine {
    Live(Live),
    Captured(Captured),
    Simulated(Simulated),
}

impl Session {
    pub(crate) fn open(global: &Global, output: &Output) -> Result<Self, Error> {
        let machine = AnyMachine::open(&global.machine)?;
        match (&machine, &global.machine_state) {
            (AnyMachine::Simulated(simulated), Some(file)) if file.exists() => {
                let text = std::fs::read_to_string(file).map_err(|error| Error::named(file, error))?;
                let state = serde_json::from_str(&text).map_err(|error| Error::Malformed {
                    file: file.clone(),
                    line: error.line(),
                    column: error.column(),
                    message: format!("not a simulated machine's state: {error}"),
                })?;
                simulated.load_state(&state, file)?;
            }
            // Before anything is done: that it cannot be kept would be told too late.
            (AnyMachine::Simulated(_), Some(file)) => must_have_folder(file)?,
            (AnyMachine::Simulated(_), _) | (_, None) => {}
            (_, Some(_)) => {
                output.warn("--machine-state is for simulated machines only, and is ignored");
            }
        }
        if let AnyMachine::Captured(captured) = &machine {
            for warning in captured.warnings() {
                output.warn(warning);
            }
        }
        Ok(Self {
            machine,
            state_file: global.machine_state.clone(),
            quirks: Quirks::load(Path::new(USER_DIRECTORY))?.with_sequences(vendor_devices(global)?),
            family: None,
            names: OnceCell::new(),
        })
    }

    /// Treats a device as one of a family of vendor sequences because the user says so.
    pub(crate) fn treat_as(&mut self, address: Address, family: &'static Family) -> Result<(), Error> {
        self.family = Some(family);
        // Whose ids are known need not be waited for here.
        let read = self.machine().read_functions(&[address], Detail::Listing, Duration::ZERO)?;
        let ids = match read.first().map(|read| &read.config) {
            None => return Err(Error::NoSuchFunction { address, machine: self.machine().name() }),
            Some(Reading::BeingReset(known_as)) => (known_as.vendor_id, known_as.device_id),
            Some(Reading::Bytes(config)) => {
                let id =
                    |at| config.get(at..at + 2).map_or(u16::MAX, |id| u16::from_le_bytes([id[0], id[1]]));
                (id(0), id(2))
            }
        };
        let mut devices = self.quirks.sequences().clone();
        // What a table says anyway needs no warning.
        if devices.find(ids).is_none_or(|entry| entry.family != Some(family)) {
            devices.treat(ids, family, Path::new("--family"));
            self.quirks = std::mem::take(&mut self.quirks).with_sequences(devices);
        }
        Ok(())
    }

    pub(crate) fn machine(&self) -> &dyn Machine {
        match &self.machine {
            AnyMachine::Live(live) => live,
            AnyMachine::Captured(captured) => captured,
            AnyMachine::Simulated(simulated) => simulated,
        }
    }

    /// A recording can be looked at, and nothing can be done to it.
    pub(crate) fn must_be_writable(&self, action: &'static str) -> Result<(), Error> {
        match &self.machine {
            AnyMachine::Captured(captured) => Err(Error::ReadOnly { machine: captured.name(), action }),
            AnyMachine::Live(_) | AnyMachine::Simulated(_) => Ok(()),
        }
    }

    /// How the program has to be called to work on this machine, for messages.
    pub(crate) fn program(&self) -> String {
        match &self.machine {
            AnyMachine::Live(live) if live.name() == "live" => "vfio-reset".to_string(),
            _ => format!("vfio-reset --machine {}", self.machine().name()),
        }
    }

    /// The names of vendors and devices, read when first asked for.
    pub(crate) fn names(&self) -> &PciIds {
        self.names.get_or_init(PciIds::load)
    }

    /// As much as a list of the functions needs.
    pub(crate) fn listing(&self) -> Result<Inventory, Error> {
        Inventory::read_for_listing(self.machine())
    }

    /// An inventory, and what `look` finds in it. If that needs a function that somebody resets, it is waited for within
    /// the budget; what else on the host is reset keeps nobody for longer than a moment.
    pub(crate) fn settled<T>(
        &self,
        budget: Duration,
        look: impl Fn(&Inventory) -> Result<T, Error>,
    ) -> Result<(Inventory, T), Error> {
        let machine = self.machine();
        let begin = machine.clock().now();
        let left = || budget.saturating_sub(machine.clock().now().saturating_sub(begin));
        loop {
            let inventory = Inventory::read_within(machine, left().min(PATIENCE))?;
            match look(&inventory) {
                Err(Error::BeingReset { address, .. }) => {
                    if left().is_zero() || !machine.is_readable(address, left())? {
                        return Err(Error::BeingReset { address, budget });
                    }
                }
                found => return found.map(|found| (inventory, found)),
            }
        }
    }

    /// Nobody resets the function now, or has not within the budget: else its registers cannot be read.
    pub(crate) fn must_be_readable(&self, address: Address, budget: Duration) -> Result<(), Error> {
        match self.machine().is_readable(address, budget)? {
            true => Ok(()),
            false => Err(Error::BeingReset { address, budget }),
        }
    }

    /// The inventory with everybody asked who uses what work on a function would hit.
    fn inventory_with_users(&self, request: &Request) -> Result<Inventory, Error> {
        let (mut inventory, concerned) =
            self.settled(request.budget, |inventory| Plan::concerned(inventory, request))?;
        inventory.read_users(self.machine(), concerned)?;
        Ok(inventory)
    }

    /// The plan for a request, with everybody asked who uses what it would hit.
    pub(crate) fn plan(&self, request: &Request) -> Result<(Inventory, Plan), Error> {
        let inventory = self.inventory_with_users(request)?;
        let mut plan = Plan::new(&inventory, &self.quirks, request)?;
        let passed_over = self.family.and_then(|family| plan.sequence_passed_over(family));
        plan.notes.extend(passed_over);
        Ok((inventory, plan))
    }

    /// What speaks against opening a device through VFIO.
    pub(crate) fn opening(
        &self,
        address: Address,
        budget: Duration,
    ) -> Result<(Inventory, Vec<Refusal>), Error> {
        let mut request = Request::new(address);
        request.budget = budget;
        let inventory = self.inventory_with_users(&request)?;
        let refusals = opening_refusals(&inventory, address)?;
        Ok((inventory, refusals))
    }

    /// Keeps a simulated machine's state for the next command.
    pub(crate) fn close(self) -> Result<(), Error> {
        if let (AnyMachine::Simulated(simulated), Some(file)) = (&self.machine, &self.state_file) {
            std::fs::write(file, simulated.save_state().to_string())
                .map_err(|error| Error::write(file, error))?;
        }
        Ok(())
    }
}

/// That a file can be made where it is wanted, as far as its folder goes.
fn must_have_folder(file: &Path) -> Result<(), Error> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Error::write(file, std::io::Error::from(std::io::ErrorKind::NotADirectory))),
        Err(error) => Err(Error::write(file, error)),
    }
}

/// The devices that vendor sequences are known for: the built-in ones, the administrator's, the user's.
pub(crate) fn vendor_devices(global: &Global) -> Result<Devices, Error> {
    let mut devices = Devices::load(Path::new(devices::USER_DIRECTORY))?;
    for file in &global.vendor_table {
        let text = std::fs::read_to_string(file).map_err(|error| Error::named(file, error))?;
        devices.add(&text, file)?;
    }
    Ok(devices)
}

impl AnyMachine {
    /// A host whose `sys` is below `root`.
    fn below(root: &Path, name: &str) -> Result<Self, Error> {
        let devices = root.join("sys/bus/pci/devices");
        if devices.is_dir() {
            return Ok(Self::Live(Live::with_root(root)));
        }
        Err(Error::NoSuchMachine {
            name: name.to_string(),
            reason: format!(
                "there is no folder {}; what follows `live:` is where a host's `/` is",
                devices.display()
            ),
        })
    }

    fn open(name: &str) -> Result<Self, Error> {
        if name == "live" {
            return Ok(Self::Live(Live::new()));
        }
        if let Some(root) = name.strip_prefix("live:") {
            return Self::below(Path::new(root), name);
        }
        if name.starts_with("sim:") || name.ends_with(".toml") {
            return Ok(Self::Simulated(Simulated::open(name)?));
        }
        let path = Path::new(name);
        if !path.exists() {
            let shipped: Vec<String> = Simulated::names().iter().map(|name| format!("sim:{name}")).collect();
            return Err(Error::NoSuchMachine {
                name: name.to_string(),
                reason: format!(
                    "there is no such file, and the machines that need none are live, {}",
                    shipped.join(", ")
                ),
            });
        }
        Ok(Self::Captured(Captured::open(path)?))
    }
}
