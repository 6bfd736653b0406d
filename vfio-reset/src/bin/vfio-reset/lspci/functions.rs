//! The functions to print, in lspci's order.

use super::LspciArguments;
use super::sparse::{Space, Sparse};
use crate::args::Global;
use crate::output::Output;
use crate::session::Session;
use pcicfg::lspci::{Resource, Subject, System};
use pcicfg::{Address, dump};
use std::path::Path;
use vfio_reset::machine::FunctionFacts;
use vfio_reset::{Error, Machine};

/// All functions, sorted by address; those at the same address as the text has them.
pub(super) struct Functions {
    spaces: Sparse,
    entries: Vec<Entry>,
    /// By [`Entry::index`]; empty for a dump.
    facts: Vec<FunctionFacts>,
}

struct Entry {
    address: Address,
    start: usize,
    length: u16,
    /// The how manieth it was.
    index: u32,
}

/// How much of each function is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Header,
    Conventional,
    All,
}

impl Keep {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Header => 64,
            // A bridge's subsystem is in a capability, and the last may reach beyond the 256 bytes.
            Self::Conventional => 256 + 4,
            Self::All => 4096,
        }
    }
}

impl Functions {
    pub(super) fn new() -> Self {
        Self { spaces: Sparse::default(), entries: Vec::new(), facts: Vec::new() }
    }

    pub(super) fn push(&mut self, address: Address, bytes: &[u8]) {
        let (start, index) = (self.spaces.push(bytes), self.entries.len() as u32);
        self.entries.push(Entry { address, start, length: bytes.len() as u16, index });
    }

    pub(super) fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.address);
    }

    /// The functions of the machine that the global options name.
    pub(super) fn of_machine(
        global: &Global,
        output: &Output,
        _arguments: &LspciArguments,
    ) -> Result<Self, Error> {
        let session = Session::open(global, output)?;
        let machine: &dyn Machine = session.machine();
        let mut functions = Self::new();
        for address in machine.functions()? {
            functions.push(address, &machine.config(address)?);
            functions.facts.push(machine.facts(address)?);
        }
        functions.sort();
        Ok(functions)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether any function is in a domain other than 0: then lspci prints all domains.
    pub(super) fn have_domains(&self) -> bool {
        self.entries.last().is_some_and(|entry| entry.address.domain() != 0)
    }

    /// Whether there is a function at `address`; they are sorted.
    pub(super) fn has(&self, address: Address) -> bool {
        self.entries.binary_search_by_key(&address, |entry| entry.address).is_ok()
    }

    /// Shows function `index` to `show`.
    pub(super) fn with(&self, index: usize, room: &mut Space, show: impl FnOnce(&Subject<'_>)) {
        let Some(entry) = self.entries.get(index) else { return };
        let bytes = self.spaces.get(entry.start, entry.length.into(), room);
        let subject = Subject::new(entry.address, bytes);
        let Some(facts) = self.facts.get(entry.index as usize) else { return show(&subject) };
        let resources: Vec<Resource> = facts.resources.iter().map(resource).collect();
        let group = facts.iommu_group.map(|group| group.to_string());
        let mut system = System::default();
        system.resources = &resources;
        system.iommu_group = group.as_deref();
        system.physical_slot = facts.slot.as_deref();
        system.label = facts.label.as_deref();
        system.driver = facts.driver.as_deref();
        show(&subject.with_system(&system));
    }
}

fn resource(resource: &vfio_reset::machine::Resource) -> Resource {
    Resource { start: resource.start, end: resource.end, flags: resource.flags }
}

pub(super) fn malformed(file: &Path, error: dump::DumpError) -> Error {
    Error::Malformed {
        file: file.to_path_buf(),
        line: error.line as usize,
        column: error.column as usize,
        message: error.kind.to_string(),
    }
}
