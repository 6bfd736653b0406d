//! What a system knows of its functions, as lspci prints it.

use super::LspciArguments;
use super::functions::{Functions, Keep};
use crate::args::Global;
use crate::output::Output;
use crate::session::Session;
use pcicfg::capability::CapabilityId;
use pcicfg::lspci::{Filter, Identity, Resource, RestrictedLink, Subject, System};
use pcicfg::{Address, ConfigSpace};
use std::collections::HashMap;
use std::path::PathBuf;
use vfio_reset::machine::live::PciFolder;
use vfio_reset::modules::Modules;
use vfio_reset::{Error, Machine};

/// What a system knows of a function.
#[derive(Debug, Default)]
pub(super) struct Known {
    identity: Option<Identity>,
    irq: Option<u32>,
    resources: Vec<Resource>,
    numa_node: Option<i32>,
    iommu_group: Option<String>,
    physical_slot: Option<String>,
    label: Option<String>,
    device_tree_node: Option<String>,
    driver: Option<String>,
    modalias: Option<String>,
    pub(super) modules: Vec<String>,
    vital_product_data: Option<Vec<u8>>,
    restricted_link: Option<RestrictedLink>,
    parent: Option<Address>,
}

impl Known {
    pub(super) fn fill<'a>(&'a self, system: &mut System<'a>) {
        system.identity = self.identity;
        system.irq = self.irq;
        system.resources = &self.resources;
        system.numa_node = self.numa_node;
        system.iommu_group = self.iommu_group.as_deref();
        system.physical_slot = self.physical_slot.as_deref();
        system.label = self.label.as_deref();
        system.device_tree_node = self.device_tree_node.as_deref();
        system.driver = self.driver.as_deref();
        system.vital_product_data = self.vital_product_data.as_deref();
        system.restricted_link = self.restricted_link;
        system.parent = self.parent;
    }

    pub(super) fn find_modules(&mut self, modules: &Modules) {
        let name = self.modalias.take();
        let mut found = name.map_or_else(Vec::new, |name| modules.of(&name));
        found.dedup();
        self.modules = found.into_iter().map(str::to_owned).collect();
    }
}

/// How the functions are printed, as far as it matters for reading them.
struct Wanted<'o> {
    arguments: &'o LspciArguments,
    output: &'o Output,
    verbose: u8,
    filter: Filter,
    keep: Keep,
}

impl Wanted<'_> {
    /// Everything of a function is printed.
    fn details(&self) -> bool {
        self.verbose > 0 || self.output.json
    }

    fn drivers(&self) -> bool {
        self.arguments.drivers(self.verbose) || self.output.json
    }

    fn modules(&self) -> Result<Modules, Error> {
        match &self.arguments.modules {
            _ if !self.drivers() => Ok(Modules::default()),
            Some(file) => Modules::open(file),
            None => Ok(Modules::of_kernel()),
        }
    }
}

/// The functions of this host or of another folder if one is named, else those of the machine that the global options
/// name.
///
/// # Errors
/// They cannot be listed or read.
pub(super) fn read(
    global: &Global,
    output: &Output,
    arguments: &LspciArguments,
    folder: Option<PathBuf>,
) -> Result<Functions, Error> {
    let (filter, keep) = (arguments.filter(), arguments.keep(global.verbose, output.json));
    let wanted = Wanted { arguments, output, verbose: global.verbose, filter, keep };
    match folder {
        Some(path) => of_folder(&PciFolder::at(path), &wanted),
        None if global.machine == "live" => of_folder(&PciFolder::default(), &wanted),
        None => of_machine(Session::open(global, output)?.machine(), &wanted),
    }
}

fn of_machine(machine: &dyn Machine, wanted: &Wanted<'_>) -> Result<Functions, Error> {
    let mut functions = Functions::with_modules(wanted.modules()?);
    let kernel_sees = !wanted.arguments.bus_centric();
    for address in machine.functions()? {
        let facts = machine.facts(address)?;
        let resource = |resource: &vfio_reset::machine::Resource| Resource {
            start: resource.start,
            end: resource.end,
            flags: resource.flags,
        };
        let known = Known {
            resources: facts.resources.iter().filter(|_| kernel_sees).map(resource).collect(),
            iommu_group: facts.iommu_group.map(|group| group.to_string()),
            physical_slot: facts.slot,
            label: facts.label.map(|label| label + "\n"),
            driver: facts.driver,
            parent: facts.parent.filter(|_| kernel_sees),
            ..Known::default()
        };
        functions.push_known(address, &machine.config(address)?, known);
    }
    functions.sort();
    Ok(functions)
}

/// Reads of each function only what is printed: a function that sleeps would be woken, and one that is not printed need
/// not be touched at all.
fn of_folder(folder: &PciFolder, wanted: &Wanted<'_>) -> Result<Functions, Error> {
    let mut functions = Functions::with_modules(wanted.modules()?);
    let all = wanted.arguments.topology();
    let slots = if wanted.details() { folder.slots() } else { HashMap::new() };
    for address in folder.functions()? {
        let identity = folder.identity(address).filter(|_| !wanted.arguments.bus_centric());
        let mut system = System::default();
        system.identity = identity;
        let is_wanted = |bytes| wanted.filter.matches(&Subject::new(address, bytes).with_system(&system));
        if identity.is_some() && !all && !is_wanted(&[]) {
            functions.pass(address);
            continue;
        }
        let bytes = folder.config(address, wanted.keep.bytes()).unwrap_or_else(|error| {
            wanted.output.warn(format!("{error}; what the kernel knows of {address} is printed"));
            Vec::new()
        });
        let known = if is_wanted(&bytes) {
            let slot = slots.get(&(address.domain(), address.bus(), address.device()));
            known(
                folder,
                address,
                wanted,
                Known { identity, physical_slot: slot.cloned(), ..Known::default() },
                &bytes,
            )
        } else {
            Known { identity, ..Known::default() }
        };
        let parent = if all && !wanted.arguments.bus_centric() { folder.parent(address) } else { None };
        functions.push_known(address, &bytes, Known { parent, ..known });
    }
    functions.sort();
    Ok(functions)
}

fn known(folder: &PciFolder, address: Address, wanted: &Wanted<'_>, start: Known, bytes: &[u8]) -> Known {
    let mut known = start;
    if wanted.drivers() {
        known.driver = folder.driver(address);
        known.modalias = folder.modalias(address);
        known.label = folder.label(address);
    }
    if wanted.details() {
        let facts = folder.facts(address);
        if !wanted.arguments.bus_centric() {
            known.irq = facts.irq;
            let resource =
                |r: &vfio_reset::machine::Resource| Resource { start: r.start, end: r.end, flags: r.flags };
            known.resources = facts.resources.iter().map(resource).collect();
        }
        known.numa_node = facts.numa_node;
        known.iommu_group = facts.iommu_group;
        known.device_tree_node = facts.device_tree_node;
        known.restricted_link = facts.restricted_link;
    }
    if wanted.verbose > 1 && has_vital_product_data(bytes) {
        known.vital_product_data = folder.vital_product_data(address);
    }
    known
}

/// Whether a function has the capability: reading the data can take a second, and is an adventure for some devices.
fn has_vital_product_data(bytes: &[u8]) -> bool {
    let Ok(space) = ConfigSpace::new(bytes) else { return false };
    let mut capabilities = space.capabilities().map_while(Result::ok);
    capabilities.any(|capability| capability.id() == CapabilityId::VITAL_PRODUCT_DATA)
}
