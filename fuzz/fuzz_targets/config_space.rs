//! The walks, every accessor of every view, lspci's text in all its forms, and the tree, from arbitrary bytes.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use pcicfg::defect::Defects;
use pcicfg::dump::Dump;
use pcicfg::lspci::{
    Filter, Identifiers, Names, NoNames, Options, Resource, Subject, System, Text, Topology, write_function,
};
use pcicfg::{Address, ConfigSpace};

// Shared with the property tests, which check that no accessor is missing in it.
#[path = "../../pcicfg/tests/common/exercise.rs"]
mod exercise;

/// What a function's text may have: every register of 4096 bytes in words, and its hex rows.
const LONGEST: usize = 512 << 10;

/// Names for whatever has an even number.
struct Even;

impl Names for Even {
    fn vendor(&self, vendor: u16) -> Option<&str> {
        vendor.is_multiple_of(2).then_some("Vendor \"& Sons\" \\")
    }

    fn device(&self, _: u16, device: u16) -> Option<&str> {
        device.is_multiple_of(2).then_some("Dévice")
    }

    fn base_class(&self, base: u8) -> Option<&str> {
        base.is_multiple_of(2).then_some("Class")
    }

    fn sub_class(&self, base: u8, sub: u8) -> Option<&str> {
        (base ^ sub).is_multiple_of(2).then_some("Sub class")
    }
}

fuzz_target!(|bytes: &[u8]| {
    views(bytes);
    defects(bytes);
    text(bytes);
    tree(bytes);
});

/// The guarded walks and the typed views.
fn views(bytes: &[u8]) {
    let Ok(space) = ConfigSpace::new(bytes) else {
        assert!(!(64..=4096).contains(&bytes.len()));
        return;
    };
    let found = exercise::exercise(space);
    for (list, places) in [(&found.capabilities, 0x40..0x100), (&found.extended_capabilities, 0x100..0x1000)]
    {
        assert!(list.iter().all(|at| at % 4 == 0 && places.contains(at)));
        assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), list.len(), "each at most once");
    }
    // No more than there are dwords, and one defect.
    assert!(space.capabilities().count() <= 48 + 1);
    assert!(space.extended_capabilities().count() <= 960 + 1);
}

/// What is wrong with it, each with its place.
fn defects(bytes: &[u8]) {
    let mut count = 0;
    for defect in Defects::of(bytes) {
        assert!(defect.offset() < 0x1000 && !defect.to_string().is_empty());
        count += 1;
    }
    // A few of the header, two for each capability, and the ends of both lists.
    assert!(count <= 16 + 2 * (48 + 960));
}

/// What lspci would print: all of it, and in one of its other ways.
fn text(bytes: &[u8]) {
    let address = Address::from_devfn(0, 3, 0);
    let subject = Subject::new(address, bytes);
    let mut text = Text::new();
    write_function(&mut text, &subject, &Options::numeric().verbose(3), &NoNames);
    check_shape(&text, bytes, 3);
    let ended = text.as_bytes().ends_with(b"\n\n");

    let way = bytes.last().copied().unwrap_or_default() ^ bytes.len() as u8;
    let mut options = Options::default().verbose(way & 3);
    options.identifiers = if way & 4 == 0 { Identifiers::Names } else { Identifiers::Both };
    text.clear();
    write_function(&mut text, &subject, &options, &Even);
    check_shape(&text, bytes, way & 3);

    // The kernel's own strings have no form that could be checked.
    let system = system(bytes);
    (options.machine, options.kernel) = (way >> 3 & 3, way & 32 != 0);
    text.clear();
    write_function(&mut text, &subject.with_system(&system), &options, &Even);
    assert!(text.as_bytes().ends_with(b"\n") && text.len() < LONGEST);

    // The hex rows are the bytes, whatever text stands above them; a line that is not ended takes the first.
    text.clear();
    write_function(&mut text, &subject, &Options::numeric().verbose(3).hex(4), &NoNames);
    if bytes.len() >= 64 && ended && !breaks_lines(bytes) {
        let dump = Dump::parse(text.as_bytes()).expect("lspci's text is a dump");
        let function = dump.get(0).expect("with a function in it");
        assert_eq!((dump.len(), function.address()), (1, address), "{}", text.to_str());
        let present = function.present();
        assert!(matches!(present, 64 | 128 | 256 | 4096));
        assert!(present <= bytes.len());
        assert_eq!(function.bytes().get(..present), bytes.get(..present));
    }
}

/// Whether the interrupt pin is printed as a line break: lspci prints a letter for any number.
fn breaks_lines(bytes: &[u8]) -> bool {
    bytes.get(0x3d).is_some_and(|pin| (b'A' - 1).wrapping_add(*pin) == b'\n')
}

/// The address begins the first line, a tab each other one, and an empty line is the last if there are others.
fn check_shape(text: &Text, bytes: &[u8], verbose: u8) {
    assert!(text.len() < LONGEST);
    let text = text.as_bytes();
    assert!(text.starts_with(b"03:00.0 ") && text.ends_with(b"\n"));
    if breaks_lines(bytes) {
        return;
    }
    let mut lines: Vec<&[u8]> =
        text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n').skip(1).collect();
    if verbose > 0 {
        // lspci does not end the line of a capability of which it says nothing: PCI-X of a CardBus bridge, and
        // those whose registers cannot be read.
        let unsaid = |line: &[u8]| line.starts_with(b"\tCapabilities: [") && line.ends_with(b"] ");
        assert!(lines.pop().is_some_and(|last| last.is_empty() || unsaid(last)));
        // A virtio capability that lspci gives up on goes on with its length in the next line.
        let starts: [&[u8]; 3] = [b"\t", b"!!!", b"Len="];
        let good = |line: &&[u8]| starts.iter().any(|start| line.starts_with(start));
        assert!(lines.iter().all(good), "{}", String::from_utf8_lossy(text));
    } else {
        assert!(lines.is_empty());
    }
}

/// A system that knows of the function what the bytes say.
fn system(bytes: &[u8]) -> System<'static> {
    const RESOURCES: [Resource; 3] = [
        Resource { start: 0xe000, end: 0xe0ff, flags: 0x40101 },
        Resource { start: 0x38_0000_0000, end: 0x38_ffff_ffff, flags: 0x14220c },
        Resource { start: 0, end: 0, flags: 0 },
    ];
    let chosen = bytes.last().copied().unwrap_or_default();
    let mut system = System::default();
    system.irq = (chosen & 1 != 0).then_some(u32::from(chosen));
    system.resources = RESOURCES.get(..usize::from(chosen >> 1) % 4).unwrap_or_default();
    system.numa_node = (chosen & 8 != 0).then_some(-1);
    system.iommu_group = (chosen & 16 != 0).then_some("17");
    system.physical_slot = (chosen & 32 != 0).then_some("2");
    system.driver = (chosen & 64 != 0).then_some("vfio-pci");
    system.modules = if chosen & 128 != 0 { &["nvme", "nvme", "vfio_pci"] } else { &[] };
    system
}

/// Each 64 bytes are the header of a function; its last bytes say where it is.
fn tree(bytes: &[u8]) {
    let mut functions: Vec<_> = bytes
        .chunks(64)
        .map(|header| {
            let at = |from_the_end: usize| header.iter().rev().nth(from_the_end).copied().unwrap_or_default();
            (Address::from_devfn(u32::from(at(2) & 1), at(1) & 7, at(0)), header)
        })
        .collect();
    functions.sort_by_key(|(address, _)| *address);
    let mut filter = Filter::default();
    filter.slot("0:").expect("a bus");
    let (mut all, mut some) = (Topology::new(), Topology::new());
    for (address, header) in &functions {
        let subject = Subject::new(*address, header);
        all.push(&subject, true);
        some.push(&subject, filter.matches(&subject));
    }
    for tree in [all, some] {
        let mut text = Text::new();
        tree.write(&mut text, bytes.len().is_multiple_of(2), Identifiers::Both, &Even);
        assert!(text.is_empty() || text.as_bytes().ends_with(b"\n"));
        assert!(text.as_bytes().split(|&byte| byte == b'\n').all(|line| line.len() <= 1022 + 3));
    }
}
