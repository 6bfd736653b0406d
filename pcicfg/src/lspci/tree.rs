//! The functions as a tree of buses: `-t`; the bridges above each: `-P`.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::names::Naming;
use super::{Identifiers, Names, Subject, Text};
use crate::address::Address;

/// lspci's lines end here; what would be longer ends in dots.
const LINE: usize = 1023;
/// As many levels as a domain has buses.
const DEEPEST: usize = 256;

/// What the tree needs of a function.
#[derive(Clone, Copy, Debug)]
struct Function {
    address: Address,
    vendor: u16,
    device: u16,
    wanted: bool,
    /// The bridge that it is.
    bridge: Option<usize>,
    /// What the kernel found it behind.
    parent: Option<Address>,
}

/// A bridge, or the root of a domain.
#[derive(Clone, Debug)]
struct Bridge {
    domain: u32,
    secondary: u8,
    subordinate: u8,
    /// `None` of a root.
    function: Option<usize>,
    buses: Vec<Bus>,
}

#[derive(Clone, Debug)]
struct Bus {
    domain: u32,
    number: u8,
    functions: Vec<usize>,
}

/// The functions of a machine, as lspci hangs them together: where the kernel says so, below their parents, else by the
/// bus numbers in their bridges.
///
/// ```
/// use pcicfg::{Address, lspci::{Identifiers, NoNames, Subject, Text, Topology}};
/// let mut tree = Topology::new();
/// tree.push(&Subject::new(Address::from_devfn(0, 0, 0), &[0; 64]), true);
/// tree.push(&Subject::new(Address::from_devfn(0, 0, 0x10), &[0; 64]), true);
/// let mut text = Text::new();
/// tree.write(&mut text, false, Identifiers::Numbers, &NoNames);
/// assert_eq!(text.to_str(), "-[0000:00]-+-00.0\n           \\-02.0\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Topology {
    functions: Vec<Function>,
    bridges: Vec<Bridge>,
}

impl Topology {
    /// A tree without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function; they come in the order of their addresses. Only those that are `wanted` are
    /// shown, with the bridges above them and all below them.
    pub fn push(&mut self, subject: &Subject<'_>, wanted: bool) {
        let address = subject.address();
        let number = self.functions.len();
        let kind = if subject.has_header() { subject.header_type() } else { 0xff };
        let is_bridge = subject.class() >> 8 == 0x06 && matches!(kind, 1 | 2);
        if is_bridge {
            self.bridges.push(Bridge {
                domain: address.domain(),
                // At the same place in both kinds of header.
                secondary: subject.u8(0x19),
                subordinate: subject.u8(0x1a),
                function: Some(number),
                buses: Vec::new(),
            });
        }
        self.functions.push(Function {
            address,
            vendor: subject.vendor_id(),
            device: subject.device_id(),
            wanted,
            bridge: is_bridge.then(|| self.bridges.len() - 1),
            parent: subject.system().and_then(|system| system.parent),
        });
    }

    /// The bridge that the kernel found a function behind.
    fn bridge_above(&self, function: &Function) -> Option<usize> {
        let parent = function.parent?;
        let index = self.functions.binary_search_by_key(&parent, |other| other.address).ok()?;
        self.functions.get(index)?.bridge
    }

    /// The bridge above each function by the bus numbers alone: of several the last. Bridges that lead to their own bus
    /// are passed over in the domains of `lost`, which are sorted.
    fn above(&self, lost: &[u32]) -> Vec<Option<usize>> {
        let mut above = vec![None; self.functions.len()];
        // Domain by domain, so that one table of buses is enough: a text can have as many domains as functions.
        let mut functions: Vec<usize> = (0..self.functions.len()).collect();
        functions.sort_by_key(|&index| self.functions.get(index).map(|function| function.address.domain()));
        let mut bridges: Vec<(usize, &Bridge)> = self.bridges.iter().enumerate().collect();
        bridges.sort_by_key(|(_, bridge)| bridge.domain);
        let mut functions = functions.into_iter().peekable();
        for bridges in bridges.chunk_by(|(_, one), (_, other)| one.domain == other.domain) {
            let Some((_, Bridge { domain, .. })) = bridges.first() else { continue };
            let is_lost = lost.binary_search(domain).is_ok();
            let mut buses = [None; 256];
            for (index, bridge) in bridges {
                let led = bridge.secondary..=bridge.subordinate;
                let own = bridge.function.and_then(|function| self.functions.get(function));
                if is_lost && own.is_some_and(|own| led.contains(&own.address.bus())) {
                    continue;
                }
                for bus in led {
                    buses[usize::from(bus)] = Some(*index);
                }
            }
            let at = |index: &usize| self.functions.get(*index).map(|function| function.address);
            while let Some(index) =
                functions.next_if(|index| at(index).is_some_and(|at| at.domain() <= *domain))
            {
                if let (Some(at), Some(place)) = (at(&index), above.get_mut(index))
                    && at.domain() == *domain
                {
                    *place = buses[usize::from(at.bus())];
                }
            }
        }
        above
    }

    /// The bridges above each function.
    #[must_use]
    pub fn paths(&self) -> Paths {
        let grown = Grown::new(self);
        let above = |place: &usize| grown.bridges.get(*place).and_then(|bridge| bridge.function);
        Paths {
            addresses: self.functions.iter().map(|function| function.address).collect(),
            above: grown.places.iter().map(above).collect(),
        }
    }

    /// Writes the tree; with names or numbers of the functions if `verbose`.
    pub fn write(&self, text: &mut Text, verbose: bool, identifiers: Identifiers, names: &dyn Names) {
        let mut grown = Grown::new(self);
        grown.mark();
        let naming = verbose.then_some(Naming { identifiers, names });
        for root in 0..grown.roots {
            let mut writer = Writer { grown: &grown, out: text, line: Text::new(), naming };
            writer.bridge(root, false);
        }
    }
}

/// The bridges above each function of a [`Topology`], for [`Subject::below`]; made by [`Topology::paths`].
#[derive(Clone, Debug, Default)]
pub struct Paths {
    addresses: Vec<Address>,
    /// Of each function, the bridge right above it.
    above: Vec<Option<usize>>,
}

impl Paths {
    /// The bridges above function `index` in the order in which the tree got them, the one on the root bus
    /// first. Bridges that lead to each other in a ring are there once.
    #[must_use]
    pub fn of(&self, index: usize) -> Vec<Address> {
        let mut path = Vec::new();
        let mut at = index;
        while let Some(bridge) = self.above.get(at).copied().flatten()
            && bridge != index
            && !path.contains(&bridge)
        {
            path.push(bridge);
            at = bridge;
        }
        path.iter().rev().filter_map(|bridge| self.addresses.get(*bridge).copied()).collect()
    }
}

/// The tree with every function on its bus. The roots come first, then the bridges.
struct Grown<'t> {
    functions: &'t [Function],
    bridges: Vec<Bridge>,
    roots: usize,
    /// Of each function: the bridge that it is behind.
    places: Vec<usize>,
    /// Of each function: it or something below it is wanted.
    shown: Vec<bool>,
}

impl<'t> Grown<'t> {
    fn new(tree: &'t Topology) -> Self {
        let grown = Self::build(tree, &[]);
        let empty = |bridge: &Bridge| bridge.buses.is_empty().then_some(bridge.domain);
        let lost: Vec<u32> = grown.bridges.iter().take(grown.roots).filter_map(empty).collect();
        if lost.is_empty() { grown } else { Self::build(tree, &lost) }
    }

    /// Hangs the bridges up. In the domains of `lost`, bridges that lead to their own bus, as those do that
    /// nobody has set up, are passed over: nothing would be left below the root. (lspci crashes there.)
    fn build(tree: &'t Topology, lost: &[u32]) -> Self {
        let mut roots = BTreeMap::new();
        for function in &tree.functions {
            roots.entry(function.address.domain()).or_insert(0);
        }
        let mut bridges = Vec::with_capacity(roots.len() + tree.bridges.len());
        for (index, (&domain, root)) in roots.iter_mut().enumerate() {
            *root = index;
            bridges.push(Bridge {
                domain,
                secondary: 0,
                subordinate: u8::MAX,
                function: None,
                buses: Vec::new(),
            });
        }
        for bridge in &tree.bridges {
            let bus = Bus { domain: bridge.domain, number: bridge.secondary, functions: Vec::new() };
            bridges.push(Bridge { buses: vec![bus], ..bridge.clone() });
        }
        let above = tree.above(lost);
        let (functions, roots_len) = (&tree.functions, roots.len());
        let mut grown = Self { functions, bridges, roots: roots_len, places: Vec::new(), shown: Vec::new() };
        for (index, (function, above)) in functions.iter().zip(above).enumerate() {
            let (number, bus) = (function.address.domain(), function.address.bus());
            if let Some(place) = tree.bridge_above(function) {
                grown.places.push(roots_len + place);
                // Virtual functions on a bus of their own are where the physical one is.
                if let Some(bus) = grown.bridges[roots_len + place].buses.first_mut() {
                    bus.functions.push(index);
                }
                continue;
            }
            // Every function's domain is there.
            let root = roots.get(&number).copied().unwrap_or(0);
            let place = above.map_or(root, |bridge| roots_len + bridge);
            grown.places.push(place);
            grown.insert(place, number, bus, index);
        }
        grown
    }

    fn insert(&mut self, bridge: usize, domain: u32, number: u8, function: usize) {
        let buses = &mut self.bridges[bridge].buses;
        match buses.iter_mut().find(|bus| bus.number == number) {
            Some(bus) => bus.functions.push(function),
            None => buses.push(Bus { domain, number, functions: vec![function] }),
        }
    }

    /// Finds the functions that are shown: those wanted and the bridges above them.
    fn mark(&mut self) {
        self.shown = self.functions.iter().map(|function| function.wanted).collect();
        // Bridges mostly come before what is below them, so that one round is enough.
        for _ in 0..DEEPEST {
            let mut changed = false;
            for bridge in self.bridges.iter().rev() {
                let Some(function) = bridge.function.filter(|function| !self.shown[*function]) else {
                    continue;
                };
                let mut below = bridge.buses.iter().flat_map(|bus| &bus.functions);
                self.shown[function] = below.any(|index| self.shown[*index]);
                changed |= self.shown[function];
            }
            if !changed {
                return;
            }
        }
    }
}

/// Writes a tree line by line; what stands above a line goes on in it as `|` or a blank.
struct Writer<'w, 't> {
    grown: &'w Grown<'t>,
    out: &'w mut Text,
    line: Text,
    naming: Option<Naming<'w>>,
}

impl Writer<'_, '_> {
    fn end_line(&mut self) {
        let bytes = self.line.as_bytes();
        let cut = bytes.len() >= LINE;
        for &byte in bytes.get(..LINE - 1).filter(|_| cut).unwrap_or(bytes) {
            self.out.byte(byte);
        }
        self.out.str(if cut { "...\n" } else { "\n" });
        let mut next = Text::with_capacity(self.line.len());
        for &byte in self.line.as_bytes() {
            next.byte(if matches!(byte, b'+' | b'|') { b'|' } else { b' ' });
        }
        self.line = next;
    }

    /// Writes a bridge's buses; `whole` if all that is below is shown.
    fn bridge(&mut self, index: usize, whole: bool) {
        let grown = self.grown;
        let Some(bridge) = grown.bridges.get(index) else { return };
        let start = self.line.len();
        self.line.str("-");
        let shown: Vec<&Bus> = bridge
            .buses
            .iter()
            .filter(|bus| whole || bus.functions.iter().any(|function| grown.shown[*function]))
            .collect();
        if shown.is_empty() {
            self.end_line();
        }
        let single = bridge.buses.len() == 1;
        for (number, bus) in shown.iter().enumerate() {
            let before = self.line.len();
            let (domain, bus_number) = (bus.domain, bus.number);
            if !single || bridge.function.is_none() {
                let branch = match (shown.len(), number + 1 == shown.len()) {
                    (1, _) => "[",
                    (_, true) => "\\-[",
                    (_, false) => "+-[",
                };
                self.line.str(branch).hex(4, domain.into()).str(":").hex2(bus_number).str("]-");
            }
            self.bus(bus, whole);
            self.line.truncate(before);
        }
        self.line.truncate(start);
    }

    fn bus(&mut self, bus: &Bus, whole: bool) {
        let grown = self.grown;
        let shown: Vec<usize> =
            bus.functions.iter().copied().filter(|function| whole || grown.shown[*function]).collect();
        if shown.is_empty() {
            self.end_line();
        }
        for (number, &function) in shown.iter().enumerate() {
            let branch = match (shown.len(), number + 1 == shown.len()) {
                (1, _) => "--",
                (_, true) => "\\-",
                (_, false) => "+-",
            };
            let before = self.line.len();
            self.line.str(branch);
            self.function(function, whole || grown.functions[function].wanted);
            self.line.truncate(before);
        }
    }

    fn function(&mut self, index: usize, whole: bool) {
        let grown = self.grown;
        let function = &grown.functions[index];
        let address = function.address;
        self.line.hex2(address.device()).str(".").hex(0, address.function().into());
        if let Some(bridge) = function.bridge {
            let place = grown.roots + bridge;
            let (secondary, subordinate) = (grown.bridges[place].secondary, grown.bridges[place].subordinate);
            let line = self.line.str("-");
            if secondary == subordinate && secondary != 0 {
                line.str("[").hex2(secondary).str("]-");
            } else if secondary != 0 {
                line.str("[").hex2(secondary).str("-").hex2(subordinate).str("]-");
            }
            self.bridge(place, whole);
            return;
        }
        if let Some(naming) = self.naming {
            self.line.str("  ");
            naming.vendor_and_device(&mut self.line, function.vendor, function.device);
        }
        self.end_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lspci::NoNames;
    use alloc::string::ToString;

    #[test]
    fn bridges_that_nobody_has_set_up_hide_nothing() {
        let mut tree = Topology::new();
        let mut bridge = [0; 64];
        (bridge[0x0b], bridge[0x0e]) = (6, 1);
        tree.push(&Subject::new(Address::from_devfn(0, 0, 0), &[0; 64]), true);
        tree.push(&Subject::new(Address::from_devfn(0, 0, 0x08), &bridge), true);
        let mut text = Text::new();
        tree.write(&mut text, true, Identifiers::Numbers, &NoNames);
        assert_eq!(text.to_str(), "-[0000:00]-+-00.0  0000:0000\n           \\-01.0--\n");
    }

    #[test]
    fn the_buses_of_a_domain_are_behind_its_own_bridges() {
        let mut tree = Topology::new();
        let mut bridge = [0; 64];
        (bridge[0x0b], bridge[0x0e], bridge[0x19], bridge[0x1a]) = (6, 1, 1, 1);
        // Domains 1 and 3 have a bridge to bus 1; in domains 0, 2 and 4 it is a root bus.
        for domain in 0..5 {
            let first = if domain % 2 == 1 { bridge } else { [0; 64] };
            tree.push(&Subject::new(Address::from_devfn(domain, 0, 0), &first), true);
            tree.push(&Subject::new(Address::from_devfn(domain, 1, 0), &[0; 64]), true);
        }
        let paths = tree.paths();
        let above =
            |domain: usize| paths.of(2 * domain + 1).iter().map(Address::to_string).collect::<Vec<_>>();
        assert_eq!(above(1), ["0001:00:00.0"]);
        assert_eq!(above(3), ["0003:00:00.0"]);
        assert!([0, 2, 4].iter().all(|&domain| above(domain).is_empty()));
    }

    #[test]
    fn paths_lead_from_the_root_down_and_end_where_bridges_are_a_ring() {
        let mut tree = Topology::new();
        let bridge = |secondary: u8, subordinate: u8| {
            let mut bytes = [0; 64];
            (bytes[0x0b], bytes[0x0e], bytes[0x19], bytes[0x1a]) = (6, 1, secondary, subordinate);
            bytes
        };
        for (bus, bytes) in [(0, bridge(1, 2)), (1, bridge(2, 2)), (2, [0; 64])] {
            tree.push(&Subject::new(Address::from_devfn(0, bus, 8), &bytes), true);
        }
        let paths = tree.paths();
        let shown = |index| paths.of(index).iter().map(Address::to_string).collect::<Vec<_>>();
        assert_eq!(shown(0), [""; 0]);
        assert_eq!(shown(2), ["0000:00:01.0", "0000:01:01.0"]);
        assert_eq!(shown(3), [""; 0], "there is no such function");

        let mut ring = Topology::new();
        for (bus, bytes) in [(0, [0; 64]), (1, bridge(2, 2)), (2, bridge(1, 1)), (2, [0; 64])] {
            ring.push(&Subject::new(Address::from_devfn(0, bus, 8), &bytes), true);
        }
        assert_eq!(ring.paths().of(1).len(), 1);
        assert_eq!(ring.paths().of(3).len(), 2);
    }

    #[test]
    fn a_line_that_is_too_long_ends_in_dots() {
        let mut tree = Topology::new();
        for bus in 0..=255u8 {
            let mut bridge = [0; 64];
            (bridge[0x0b], bridge[0x0e], bridge[0x19], bridge[0x1a]) = (6, 1, bus.saturating_add(1), 0xff);
            tree.push(&Subject::new(Address::from_devfn(0, bus, 0), &bridge), true);
        }
        let mut text = Text::new();
        tree.write(&mut text, false, Identifiers::Numbers, &NoNames);
        let first = text.to_str().lines().next().map(str::len);
        assert_eq!(first, Some(LINE - 1 + "...".len()));
    }
}
