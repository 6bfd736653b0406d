//! The functions to print, in lspci's order.

use super::known::Known;
use super::sparse::{Space, Sparse};
use pcicfg::lspci::{Subject, System};
use pcicfg::{Address, dump};
use std::path::Path;
use vfio_reset::Error;
use vfio_reset::modules::Modules;

/// All functions, sorted by address; those at the same address as the text has them.
pub(super) struct Functions {
    spaces: Sparse,
    entries: Vec<Entry>,
    /// What the system knows of each, by [`Entry::index`]; empty for a dump.
    known: Vec<Known>,
    /// Which modules could drive a function; empty where that is not printed.
    modules: Modules,
    /// Some function is not in domain 0, be it printed or not.
    domains: bool,
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
        Self {
            spaces: Sparse::default(),
            entries: Vec::new(),
            known: Vec::new(),
            modules: Modules::default(),
            domains: false,
        }
    }

    /// Those of a system with these modules.
    pub(super) fn with_modules(modules: Modules) -> Self {
        Self { modules, ..Self::new() }
    }

    pub(super) fn push(&mut self, address: Address, bytes: &[u8]) {
        let (start, index) = (self.spaces.push(bytes), self.entries.len() as u32);
        self.domains |= address.domain() != 0;
        self.entries.push(Entry { address, start, length: bytes.len() as u16, index });
    }

    /// Adds a function of a system.
    pub(super) fn push_known(&mut self, address: Address, bytes: &[u8], mut known: Known) {
        known.find_modules(&self.modules);
        self.push(address, bytes);
        self.known.push(known);
    }

    /// Tells of a function that is not printed.
    pub(super) fn pass(&mut self, address: Address) {
        self.domains |= address.domain() != 0;
    }

    pub(super) fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.address);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether any function is in a domain other than 0: then lspci prints all domains.
    pub(super) fn have_domains(&self) -> bool {
        self.domains
    }

    /// Whether there is a function at `address`; they are sorted.
    pub(super) fn has(&self, address: Address) -> bool {
        self.entries.binary_search_by_key(&address, |entry| entry.address).is_ok()
    }

    /// The addresses that more than one function has, each once; they are sorted.
    pub(super) fn repeated(&self) -> impl Iterator<Item = Address> {
        let runs = self.entries.chunk_by(|one, other| one.address == other.address);
        runs.filter(|run| run.len() > 1).filter_map(|run| Some(run.first()?.address))
    }

    /// Shows function `index` to `show`.
    pub(super) fn with(&self, index: usize, room: &mut Space, show: impl FnOnce(&Subject<'_>)) {
        let Some(entry) = self.entries.get(index) else { return };
        let bytes = self.spaces.get(entry.start, entry.length.into(), room);
        let subject = Subject::new(entry.address, bytes);
        let Some(known) = self.known.get(entry.index as usize) else { return show(&subject) };
        let modules: Vec<&str> = known.modules.iter().map(String::as_str).collect();
        let mut system = System::default();
        known.fill(&mut system);
        system.modules = &modules;
        show(&subject.with_system(&system));
    }
}

pub(super) fn malformed(file: &Path, error: dump::DumpError) -> Error {
    Error::Malformed {
        file: file.to_path_buf(),
        line: error.line as usize,
        column: error.column as usize,
        message: error.kind.to_string(),
    }
}
