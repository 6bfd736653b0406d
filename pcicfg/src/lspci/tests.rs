//! What holds for any bytes, and what only a running system knows.

use super::{Identifiers, NoNames, Options, Resource, Subject, System, Text, Topology, write_function};
use crate::Address;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use proptest::prelude::*;

/// More than any function can make of 4096 bytes.
const BOUND: usize = 8 << 20;

fn address() -> Address {
    Address::from_devfn(0, 3, 0)
}

fn write(subject: &Subject<'_>, options: &Options) -> String {
    let mut text = Text::new();
    write_function(&mut text, subject, options, &NoNames);
    text.to_str().to_string()
}

/// Bytes in which lists can begin: random ones have few pointers that lead anywhere.
fn space() -> impl Strategy<Value = Vec<u8>> {
    let link = (0u8..0x17, 0x10u8..=0xff);
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..=300),
        prop::collection::vec(any::<u8>(), 4096),
        prop::collection::vec(prop_oneof![4 => Just(0u8), 1 => any::<u8>()], 256),
    ];
    (bytes, 0u8..3, prop::collection::vec(link, 0..12)).prop_map(|(mut bytes, kind, links)| {
        if bytes.len() < 64 {
            return bytes;
        }
        (bytes[0x06], bytes[0x0e]) = (bytes[0x06] | 0x10, kind);
        let mut pointer = if kind == 2 { 0x14 } else { 0x34 };
        for (id, at) in links {
            let at = usize::from(at & !3);
            bytes[pointer] = at as u8;
            if at + 1 >= bytes.len() {
                break;
            }
            bytes[at] = id;
            pointer = at + 1;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes_make_bounded_text(bytes in space(), verbose in 0u8..4, hex in 0u8..5, machine in 0u8..3) {
        let subject = Subject::new(address(), &bytes);
        let mut options = Options::numeric().verbose(verbose).hex(hex);
        options.machine = machine;
        let text = write(&subject, &options);
        prop_assert!(text.len() < BOUND, "{}", text.len());
        let start = if machine > 0 && verbose > 0 { "Slot:\t03:00.0\n" } else { "03:00.0 " };
        prop_assert!(text.starts_with(start) || machine == 1, "{text}");
        prop_assert!(text.ends_with('\n'));
    }

    #[test]
    fn any_bridges_make_a_tree(
        functions in prop::collection::vec((0u32..3, 0u8..6, any::<u8>(), any::<bool>(), 0u8..8, 0u8..8), 0..40),
        some: bool,
    ) {
        let mut functions = functions;
        functions.sort();
        let mut tree = Topology::new();
        for &(domain, bus, devfn, bridge, secondary, subordinate) in &functions {
            let mut bytes = [0; 64];
            if bridge {
                (bytes[0x0b], bytes[0x0e], bytes[0x19], bytes[0x1a]) = (6, 1, secondary, subordinate);
            }
            tree.push(&Subject::new(Address::from_devfn(domain, bus, devfn), &bytes), !some || devfn & 1 == 0);
        }
        let mut text = Text::new();
        tree.write(&mut text, false, Identifiers::Numbers, &NoNames);
        // A function has one place, and each line ends at one, or at a bus without functions.
        prop_assert!(text.to_str().lines().count() <= 2 * functions.len() + 3);
    }
}

fn endpoint() -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..12].copy_from_slice(&[0x21, 0x1b, 0x12, 0x06, 0x02, 0, 0, 0, 2, 1, 6, 1]);
    bytes
}

#[test]
fn what_the_system_knows_is_printed_in_its_place() {
    let mut bytes = endpoint();
    bytes[0x10..0x14].copy_from_slice(&[0x04, 0, 0, 0xfe]);
    bytes[0x3d] = 1;
    let resources = [
        Resource { start: 0xfe00_0000, end: 0xfe00_3fff, flags: 0x14_0204 },
        Resource::default(),
        Resource { start: 0xc000, end: 0xc01f, flags: 0x4_0101 },
        Resource { start: 0xd000_0000, end: 0xd00f_ffff, flags: 0x4_0200 },
        Resource::default(),
        Resource::default(),
        Resource { start: 0xf000_0000, end: 0xf000_ffff, flags: 0x4_6200 },
    ];
    let system = System {
        irq: Some(35),
        resources: &resources,
        numa_node: Some(-2),
        iommu_group: Some("14"),
        physical_slot: Some("3-1"),
        driver: Some("ahci"),
        modules: &["ahci", "ahci", "vfio"],
        ..System::default()
    };
    let subject = Subject::new(address(), &bytes).with_system(&system);
    assert_eq!(
        write(&subject, &Options::numeric().verbose(2)),
        "03:00.0 0106: 1b21:0612 (rev 02) (prog-if 01)\n\
         \tPhysical Slot: 3-1\n\
         \tControl: I/O- Mem+ BusMaster- SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-\n\
         \tStatus: Cap- 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-\n\
         \tInterrupt: pin A routed to IRQ 35\n\
         \tNUMA node: -2\n\
         \tIOMMU group: 14\n\
         \tRegion 0: Memory at fe000000 (64-bit, non-prefetchable) [size=16K]\n\
         \tRegion 2: I/O ports at c000 [disabled] [size=32]\n\
         \tRegion 3: Memory at d0000000 (32-bit, non-prefetchable) [virtual] [size=1M]\n\
         \tExpansion ROM at f0000000 [virtual] [disabled] [size=64K]\n\
         \tKernel driver in use: ahci\n\
         \tKernel modules: ahci, vfio\n\n"
    );
    assert_eq!(
        write(&subject, &Options { kernel: true, ..Options::numeric() }),
        "03:00.0 0106: 1b21:0612 (rev 02)\n\tKernel driver in use: ahci\n\tKernel modules: ahci, vfio\n"
    );
}

#[test]
fn the_systems_windows_of_a_bridge_have_sizes() {
    let mut bytes = endpoint();
    (bytes[0x0a], bytes[0x0b], bytes[0x0e]) = (4, 6, 1);
    let mut resources = vec![Resource::default(); 17];
    resources[13] = Resource { start: 0xe000, end: 0xefff, flags: 0x101 };
    resources[15] = Resource { start: 0x38_0000_0000, end: 0x38_0fff_ffff, flags: 0x10_2200 };
    let system = System { resources: &resources, ..System::default() };
    let subject = Subject::new(address(), &bytes).with_system(&system);
    let text = write(&subject, &Options::numeric().verbose(1));
    assert!(text.contains("\tI/O behind bridge: e000-efff [size=4K] [16-bit]\n"), "{text}");
    assert!(text.contains("\tMemory behind bridge: 00000000-000fffff [disabled] [32-bit]\n"), "{text}");
    let window = "\tPrefetchable memory behind bridge: 3800000000-380fffffff [size=256M] [32-bit]\n";
    assert!(text.contains(window), "{text}");
}

#[test]
fn numbers_of_verbose_and_hex_beyond_the_highest_are_the_highest() {
    let bytes = vec![0; 4096];
    let subject = Subject::new(address(), &bytes);
    let options = |verbose, hex| Options::numeric().verbose(verbose).hex(hex);
    assert_eq!(write(&subject, &options(3, 4)), write(&subject, &options(200, 255)));
    assert!(write(&subject, &options(0, 4)).ends_with(&format!("ff0:{}\n\n", " 00".repeat(16))));
}
