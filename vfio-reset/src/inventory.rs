//! What is there: functions, their configuration space, and how they hang together.
//!
//! An [`Inventory`] is a value read once from a [`Machine`]. Everything that decides anything
//! works on it, so that a recorded host gives the same answers as the host itself.

use crate::error::{Error, Result};
use crate::machine::{
    Detail, DeviceUser, FunctionFacts, FunctionRead, HostFacts, KnownAs, Machine, MachineKind, Reading,
};
use pcicfg::extended::SrIovControl;
use pcicfg::header::{ClassCode, HeaderType, Presence};
use pcicfg::{Address, ConfigSpace};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The functions of a machine with all that is known of them.
#[derive(Clone, Debug)]
pub struct Inventory {
    machine: String,
    kind: MachineKind,
    host: HostFacts,
    /// In address order.
    entries: Vec<Entry>,
    /// The entry of the bridge whose secondary bus is this one.
    bridge_to: HashMap<(u32, u8), usize>,
    /// How long functions were waited for that somebody resets.
    patience: Duration,
}

#[derive(Clone, Debug)]
struct Entry {
    address: Address,
    /// At least 64 bytes; what could not be read is all-ones.
    config: Vec<u8>,
    /// Somebody was resetting the function, so that nobody could read it: what the operating system knows it as.
    being_reset: Option<KnownAs>,
    facts: FunctionFacts,
    parent: Option<usize>,
    children: Vec<usize>,
    users: Vec<DeviceUser>,
}

impl Entry {
    fn new(read: FunctionRead) -> Self {
        let FunctionRead { address, config, facts } = read;
        let (children, users) = (Vec::new(), Vec::new());
        let (config, being_reset) = match config {
            Reading::Bytes(bytes) => (bytes, None),
            Reading::BeingReset(known_as) => (Vec::new(), Some(known_as)),
        };
        Self { address, config: padded(config), being_reset, facts, parent: None, children, users }
    }
}

/// How long functions are waited for that somebody resets, if nothing else is said. Most resets have ended by then.
pub const PATIENCE: Duration = Duration::from_secs(2);

impl Inventory {
    /// Reads a machine.
    ///
    /// A function that vanishes while it is being read is left out, as if it had vanished before. One that somebody
    /// resets is waited for, for [`PATIENCE`] at most; then it is in the inventory without its configuration space
    /// ([`InventoryFunction::is_being_reset`]).
    ///
    /// # Errors
    /// When the functions cannot be listed at all.
    pub fn read(machine: &dyn Machine) -> Result<Self> {
        Self::read_within(machine, PATIENCE)
    }

    /// As [`read`](Self::read), but waits for functions that somebody resets for at most `patience`, all together.
    ///
    /// # Errors
    /// When the functions cannot be listed at all.
    pub fn read_within(machine: &dyn Machine, patience: Duration) -> Result<Self> {
        Self::assembled(machine, Self::entries(machine, Detail::All, patience)?, patience)
    }

    /// Reads only as much of a machine as a list of its functions needs: see [`Detail::Listing`].
    ///
    /// Ids, states and the availability of methods are those of [`read`](Self::read). No plan shall be made
    /// from it.
    ///
    /// # Errors
    /// When the functions cannot be listed at all.
    pub fn read_for_listing(machine: &dyn Machine) -> Result<Self> {
        let begin = machine.clock().now();
        let mut entries = Self::entries(machine, Detail::Listing, PATIENCE)?;
        // The device id of virtual functions stands in an extended capability of the physical one.
        let silent = |entry: &&Entry| space(&entry.config).header().id() == 0xffff_ffff;
        let physical: BTreeSet<Address> =
            entries.iter().filter(silent).filter_map(|entry| entry.facts.physfn).collect();
        // What could not be read is not waited for a second time.
        let index = |address: &Address| entries.binary_search_by_key(address, |entry| entry.address).ok();
        let is_known = |address: &Address| index(address).is_some_and(|at| entries[at].being_reset.is_none());
        let physical: Vec<Address> = physical.into_iter().filter(is_known).collect();
        let left = PATIENCE.saturating_sub(machine.clock().now().saturating_sub(begin));
        for read in machine.read_functions(&physical, Detail::All, left)? {
            let index = entries.binary_search_by_key(&read.address, |entry| entry.address);
            if let (Ok(index), Reading::Bytes(config)) = (index, read.config) {
                entries[index].config = padded(config);
            }
        }
        Self::assembled(machine, entries, PATIENCE)
    }

    fn assembled(machine: &dyn Machine, entries: Vec<Entry>, patience: Duration) -> Result<Self> {
        Ok(Self::assemble(machine.name(), machine.kind(), machine.host()?, entries, patience))
    }

    fn entries(machine: &dyn Machine, detail: Detail, patience: Duration) -> Result<Vec<Entry>> {
        let addresses = machine.functions()?;
        in_parts(&addresses, threads(machine, addresses.len()), &|part| {
            let read = machine.read_functions(part, detail, patience)?;
            Ok(read.into_iter().map(Entry::new).collect())
        })
    }

    fn assemble(
        machine: String,
        kind: MachineKind,
        host: HostFacts,
        mut entries: Vec<Entry>,
        patience: Duration,
    ) -> Self {
        entries.sort_by_key(|entry| entry.address);
        entries.dedup_by_key(|entry| entry.address);
        let mut bridge_to = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let Some(bridge) = space(&entry.config).header().bridge() else { continue };
            let secondary = bridge.secondary_bus_number();
            // An unconfigured bridge has bus 0 below it, which is never true; and a bridge cannot
            // have its own bus below itself.
            if secondary != 0 && secondary != entry.address.bus() {
                bridge_to.entry((entry.address.domain(), secondary)).or_insert(index);
            }
        }
        let mut inventory = Self { machine, kind, host, entries, bridge_to, patience };
        inventory.find_virtual_functions();
        inventory.link();
        inventory
    }

    /// Where nobody recorded which functions are virtual (a dump alone), the SR-IOV capability tells:
    /// a virtual function shows no ids, and its routing id is one of those its physical function has
    /// given out.
    fn find_virtual_functions(&mut self) {
        let physical: Vec<(Address, VirtualFunctions)> = self
            .entries
            .iter()
            .filter_map(|entry| {
                Some((entry.address, VirtualFunctions::of(entry.address, space(&entry.config))?))
            })
            .collect();
        if physical.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for entry in &mut self.entries {
            let is_silent = space(&entry.config).header().id() == 0xffff_ffff
                && space(&entry.config).read_u32(4) != Some(0xffff_ffff);
            if !is_silent || entry.facts.physfn.is_some() {
                continue;
            }
            let owner = physical.iter().find(|(_, functions)| functions.contain(entry.address));
            if let Some(&(owner, _)) = owner {
                entry.facts.physfn = Some(owner);
                found.push((owner, entry.address));
            }
        }
        for (owner, address) in found {
            if let Some(index) = self.position(owner) {
                let virtfns = &mut self.entries[index].facts.virtfns;
                if !virtfns.contains(&address) {
                    virtfns.push(address);
                }
            }
        }
    }

    /// Finds each function's parent, and from that each bridge's children.
    fn link(&mut self) {
        for index in 0..self.entries.len() {
            let parent = self.find_parent(index).filter(|&parent| !self.is_above(index, parent));
            self.entries[index].parent = parent;
            if let Some(parent) = parent {
                self.entries[parent].children.push(index);
            }
        }
    }

    fn find_parent(&self, index: usize) -> Option<usize> {
        let entry = &self.entries[index];
        // The kernel's word first, then, for a virtual function, where its physical function sits
        // (its own bus number may be one that no bridge has), then the bus number.
        if let Some(parent) = entry.facts.parent.and_then(|address| self.position(address)) {
            return Some(parent);
        }
        let at = entry.facts.physfn.unwrap_or(entry.address);
        self.bridge_to.get(&(at.domain(), at.bus())).copied()
    }

    /// Whether `index` is already among the ancestors of `candidate`: bus numbers are the device's
    /// word, and may form a ring.
    fn is_above(&self, index: usize, candidate: usize) -> bool {
        let mut at = Some(candidate);
        for _ in 0..=self.entries.len() {
            match at {
                None => return false,
                Some(here) if here == index => return true,
                Some(here) => at = self.entries[here].parent,
            }
        }
        true
    }

    fn position(&self, address: Address) -> Option<usize> {
        self.entries.binary_search_by_key(&address, |entry| entry.address).ok()
    }

    /// The machine, as the user named it.
    #[must_use]
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// Which kind of machine it was read from.
    #[must_use]
    pub fn kind(&self) -> MachineKind {
        self.kind
    }

    /// What is true of the host as a whole.
    #[must_use]
    pub fn host(&self) -> &HostFacts {
        &self.host
    }

    /// The functions, in address order.
    pub fn functions(&self) -> impl ExactSizeIterator<Item = InventoryFunction<'_>> {
        (0..self.entries.len()).map(|index| InventoryFunction { inventory: self, index })
    }

    /// The function at `address`.
    ///
    /// # Errors
    /// [`Error::NoSuchFunction`] if there is none.
    pub fn function(&self, address: Address) -> Result<InventoryFunction<'_>> {
        match self.position(address) {
            Some(index) => Ok(InventoryFunction { inventory: self, index }),
            None => Err(Error::NoSuchFunction { address, machine: self.machine.clone() }),
        }
    }

    /// That nobody resets any of these functions, nor what decides about them: the physical function of a virtual one, a
    /// bridge above. Functions that are not there count for nothing.
    ///
    /// # Errors
    /// [`Error::BeingReset`] with the first one that somebody resets.
    pub fn must_be_settled(&self, addresses: impl IntoIterator<Item = Address>) -> Result<()> {
        for function in addresses.into_iter().filter_map(|address| self.function(address).ok()) {
            let physical = function.facts().physfn.and_then(|address| self.function(address).ok());
            let bridges = [Some(function), physical].into_iter().flatten();
            let mut needed = bridges.flat_map(|below| std::iter::once(below).chain(below.ancestors()));
            if let Some(needed) = needed.find(|needed| needed.is_being_reset()) {
                return Err(Error::BeingReset { address: needed.address(), budget: self.patience });
            }
        }
        Ok(())
    }

    /// Reads who on the host depends on any of `addresses` (mounted disks, a running VM).
    ///
    /// That is slow on a live host, so it is done only for the functions that a plan may hit.
    ///
    /// # Errors
    /// When the machine cannot be asked.
    pub fn read_users(
        &mut self,
        machine: &dyn Machine,
        addresses: impl IntoIterator<Item = Address>,
    ) -> Result<()> {
        for address in addresses {
            if let Some(index) = self.position(address) {
                self.entries[index].users = machine.users(address)?;
            }
        }
        Ok(())
    }
}

/// One function of an [`Inventory`].
#[derive(Clone, Copy, Debug)]
pub struct InventoryFunction<'i> {
    inventory: &'i Inventory,
    index: usize,
}

impl<'i> InventoryFunction<'i> {
    fn entry(self) -> &'i Entry {
        &self.inventory.entries[self.index]
    }

    fn at(self, index: usize) -> Self {
        Self { inventory: self.inventory, index }
    }

    /// Where it is.
    #[must_use]
    pub fn address(self) -> Address {
        self.entry().address
    }

    /// The inventory it belongs to.
    #[must_use]
    pub fn inventory(self) -> &'i Inventory {
        self.inventory
    }

    /// Its configuration space as it was read.
    #[must_use]
    pub fn space(self) -> ConfigSpace<'i> {
        space(&self.entry().config)
    }

    /// What the operating system knows of it.
    #[must_use]
    pub fn facts(self) -> &'i FunctionFacts {
        &self.entry().facts
    }

    /// Who on the host depends on it, as far as [`Inventory::read_users`] was asked.
    #[must_use]
    pub fn users(self) -> &'i [DeviceUser] {
        &self.entry().users
    }

    /// The bridge above.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        self.entry().parent.map(|index| self.at(index))
    }

    /// The bridges above, the nearest first.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |bridge| bridge.parent())
    }

    /// Whether no bridge is above.
    #[must_use]
    pub fn on_root_bus(self) -> bool {
        self.entry().parent.is_none()
    }

    /// Whether nobody could read it for as long as it was waited for, because somebody was resetting it (or it came up
    /// from D3cold). Then nothing is known of its configuration space: it reads all-ones here, and that says nothing.
    #[must_use]
    pub fn is_being_reset(self) -> bool {
        self.entry().being_reset.is_some()
    }

    /// Whether it is a PCI-to-PCI bridge or a port.
    #[must_use]
    pub fn is_bridge(self) -> bool {
        const PCI_TO_PCI: (u8, u8) = (0x06, 0x04);
        match self.entry().being_reset {
            Some(known_as) => (known_as.class_code.base, known_as.class_code.sub) == PCI_TO_PCI,
            None => self.space().header().header_type() == HeaderType::Bridge,
        }
    }

    /// Whether it is a virtual function.
    #[must_use]
    pub fn is_virtual(self) -> bool {
        self.facts().physfn.is_some()
    }

    /// Whether it answers: for a virtual function, whose ids read all-ones by specification, what
    /// its Command and Status say.
    #[must_use]
    pub fn presence(self) -> Presence {
        let space = self.space();
        if self.is_virtual() {
            return if space.read_u32(4) == Some(0xffff_ffff) { Presence::Absent } else { Presence::Present };
        }
        space.header().presence()
    }

    /// Vendor and device id; of a function that is being reset, what the operating system knows.
    ///
    /// A virtual function's registers read `ffff`; its ids are the physical function's vendor and
    /// the SR-IOV capability's VF Device ID.
    #[must_use]
    pub fn ids(self) -> (u16, u16) {
        if let Some(known_as) = self.entry().being_reset {
            return (known_as.vendor_id, known_as.device_id);
        }
        let header = self.space().header();
        let read = (header.vendor_id(), header.device_id());
        if read != (0xffff, 0xffff) {
            return read;
        }
        let Some(physical) = self.facts().physfn.and_then(|at| self.inventory.function(at).ok()) else {
            return read;
        };
        if let Some(known_as) = physical.entry().being_reset {
            return (known_as.vendor_id, read.1);
        }
        match physical.space().sr_iov() {
            Some(sr_iov) => (physical.space().header().vendor_id(), sr_iov.vf_device_id()),
            None => read,
        }
    }

    /// Its class code; of a function that is being reset, what the operating system knows.
    #[must_use]
    pub fn class_code(self) -> ClassCode {
        match self.entry().being_reset {
            Some(known_as) => known_as.class_code,
            None => self.space().header().class_code(),
        }
    }

    /// The functions right below a bridge, in address order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.entry().children.iter().map(move |&index| self.at(index))
    }

    /// All functions below a bridge, each bridge before what is below it.
    #[must_use]
    pub fn below(self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut open: Vec<usize> = self.entry().children.iter().rev().copied().collect();
        while let Some(index) = open.pop() {
            found.push(self.at(index));
            open.extend(self.inventory.entries[index].children.iter().rev());
        }
        found
    }

    /// The other functions on the same bus, virtual ones included.
    pub fn siblings(self) -> impl Iterator<Item = Self> {
        let inventory = self.inventory;
        let own = self.index;
        let family: &'i [usize] = match self.entry().parent {
            Some(parent) => &inventory.entries[parent].children,
            None => &[],
        };
        let address = self.address();
        let below = family
            .iter()
            .copied()
            .filter(move |&index| index != own && inventory.entries[index].address.same_bus(address));
        // On a root bus there is no bridge to ask: the bus number tells.
        let root = self.on_root_bus().then(|| {
            (0..inventory.entries.len()).filter(move |&index| {
                index != own
                    && inventory.entries[index].parent.is_none()
                    && inventory.entries[index].address.same_bus(address)
            })
        });
        below.chain(root.into_iter().flatten()).map(move |index| self.at(index))
    }
}

/// The routing ids that a physical function has given to its virtual functions.
struct VirtualFunctions {
    domain: u32,
    first: u32,
    stride: u32,
    count: u32,
}

impl VirtualFunctions {
    fn of(address: Address, space: ConfigSpace<'_>) -> Option<Self> {
        let sr_iov = space.sr_iov().filter(|sr_iov| sr_iov.control().contains(SrIovControl::VF_ENABLE))?;
        let own = u32::from(address.bus()) << 8 | u32::from(address.devfn());
        Some(Self {
            domain: address.domain(),
            first: own + u32::from(sr_iov.first_vf_offset()),
            stride: u32::from(sr_iov.vf_stride()),
            count: u32::from(sr_iov.num_vfs()),
        })
    }

    fn contain(&self, address: Address) -> bool {
        let id = u32::from(address.bus()) << 8 | u32::from(address.devfn());
        let Some(distance) = id.checked_sub(self.first) else { return false };
        address.domain() == self.domain
            && match self.stride {
                // With one virtual function the stride has no meaning.
                0 => distance == 0 && self.count > 0,
                stride => distance % stride == 0 && distance / stride < self.count,
            }
    }
}

/// How many threads read so many functions. Only a live host has anything to wait for, and a simulated one
/// would not be the same in every run.
fn threads(machine: &dyn Machine, functions: usize) -> usize {
    /// A thread that reads fewer takes longer to begin than it saves.
    const LEAST: usize = 128;
    const MOST: usize = 8;
    match machine.kind() {
        MachineKind::Live => {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            processors.min(MOST).min(functions / LEAST).max(1)
        }
        _ => 1,
    }
}

/// What `read` makes of the addresses, in their order; read in parts by so many threads.
fn in_parts(
    addresses: &[Address],
    threads: usize,
    read: &(dyn Fn(&[Address]) -> Result<Vec<Entry>> + Sync),
) -> Result<Vec<Entry>> {
    if threads < 2 {
        return read(addresses);
    }
    let parts = addresses.chunks(addresses.len().div_ceil(threads).max(1));
    std::thread::scope(|scope| {
        // Where no thread can be had, this one reads.
        let begin =
            |part| std::thread::Builder::new().spawn_scoped(scope, move || read(part)).map_err(|_| part);
        let reading: Vec<_> = parts.map(begin).collect();
        let mut entries = Vec::with_capacity(addresses.len());
        for part in reading {
            entries.extend(match part {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(part) => read(part),
            }?);
        }
        Ok(entries)
    })
}

fn padded(mut config: Vec<u8>) -> Vec<u8> {
    config.truncate(ConfigSpace::EXTENDED);
    if config.len() < 64 {
        config.resize(64, 0xff);
    }
    config
}

/// What stands in for a space of fewer than 64 bytes, which no constructor of an entry lets through.
const ABSENT: ConfigSpace<'static> = match ConfigSpace::new(&[0xff; 64]) {
    Ok(space) => space,
    Err(_) => unreachable!(),
};

fn space(config: &[u8]) -> ConfigSpace<'_> {
    ConfigSpace::new(config).unwrap_or(ABSENT)
}
