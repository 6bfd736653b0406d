use super::super::{NoNames, Options, Resource, System, write_function};
use super::*;
use crate::Address;
use crate::capability::CapabilityId;
use crate::extended::ExtendedCapabilityId;
use crate::registers::tests::functions;
use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec;
use proptest::collection::vec as many;
use proptest::prelude::*;

fn write(bytes: &[u8], options: &Options) -> Vec<u8> {
    let mut text = Text::new();
    text.str("what was there before\n");
    let resources = [Resource::default(); 7];
    let system = System {
        resources: &resources,
        driver: Some("vfio-pci"),
        label: Some("Onboard"),
        ..System::default()
    };
    let subject = Subject::new(Address::from_devfn(0, 3, 0), bytes).with_system(&system);
    write_function(&mut text, &subject, options, &NoNames);
    text.as_bytes().to_vec()
}

/// The text without our lines.
fn without(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines
        .filter(|line| !line.starts_with(b"\t\t+ ") && !line.starts_with(b"\t+ "))
        .flatten()
        .copied()
        .collect()
}

/// Our lines alone.
fn added(bytes: &[u8]) -> Vec<String> {
    let text = write(bytes, &Options::numeric().verbose(3).more(true));
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines = text.lines().filter(|line| line.starts_with("\t\t+ ") || line.starts_with("\t+ "));
    lines.map(|line| line.trim_start().trim_start_matches("+ ").to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn without_our_lines_the_text_is_lspcis(
        bytes in prop_oneof![4 => functions(), 1 => many(any::<u8>(), 0..=4096)],
        size in prop_oneof![4 => Just(4096usize), 1 => 0usize..4096], verbose in 0u8..5, hex in 0u8..5,
    ) {
        let bytes = bytes.get(..size).unwrap_or(&bytes);
        let options = Options::numeric().verbose(verbose).hex(hex);
        let more = write(bytes, &options.more(true));
        let plain = write(bytes, &options);
        prop_assert_eq!(without(&plain), &plain[..], "no line of lspci's looks like ours");
        prop_assert_eq!(without(&more), plain);
        prop_assert!(more.len() < 1 << 20);
    }
}

/// An endpoint with PCI Express at 40h, then one more capability at 80h or 100h.
fn endpoint(extended: bool, capability: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[0..4].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00]);
    (bytes[0x06], bytes[0x34]) = (0x10, 0x40);
    bytes[0x40..0x44].copy_from_slice(&[0x10, 0, 0x02, 0]);
    // Two lanes.
    bytes[0x4c] = 0x21;
    let at = if extended { 0x100 } else { 0x80 };
    if !extended {
        bytes[0x41] = 0x80;
    }
    bytes[at..at + capability.len()].copy_from_slice(capability);
    bytes
}

fn of(capability: &[u8]) -> Vec<String> {
    added(&endpoint(false, capability))
}

fn of_extended(capability: &[u8]) -> Vec<String> {
    added(&endpoint(true, capability))
}

#[test]
fn a_capability_that_lspci_does_not_know_is_named_and_shown() {
    // 512 bits of RIDs, of 8 each, from bus 33 on; the rest is off.
    let mut capability = [0; 0x24];
    capability[..12].copy_from_slice(&[0x15, 0, 0, 0, 0x01, 0x01, 0, 0, 0x01, 0, 0, 0x21]);
    assert_eq!(
        of(&capability),
        [
            "Flattening Portal Bridge",
            "FPB Capabilities: RID Decode Mechanism Supported+, MEM Low Decode Mechanism Supported-, MEM High Decode Mechanism Supported-, Num Sec Dev 1, RID Vector Size Supported 512, MEM Low Vector Size Supported 256, MEM High Vector Size Supported 256",
            "FPB RID Vector Control 1: RID Decode Mechanism Enable+, RID Vector Granularity 8 RIDs, RID Vector Start 0x2100",
            "FPB RID Vector Control 2: RID Secondary Start 0x0",
            "FPB MEM Low Vector Control: MEM Low Decode Mechanism Enable-, MEM Low Vector Granularity 1 MiB, MEM Low Vector Start 0x0",
            "FPB MEM High Vector Control 1: MEM High Decode Mechanism Enable-, MEM High Vector Granularity 256 MiB, MEM High Vector Start, lower half 0x0",
            "FPB MEM High Vector Control 2: MEM High Vector Start, upper half 0x0",
            "FPB Vector Access Control: Vector Access Offset 0, Vector Select RID",
            "FPB Vector Access Data: 0x00000000",
        ]
    );
    // Extended Capability ID 0x2b.
    let capability =
        [0x2b, 0, 1, 0, 0x02, 0x01, 0, 0, 0x01, 0x01, 0, 0, 0x62, 0, 0x98, 0x1e, 0x03, 0, 0, 0, 0x03];
    assert_eq!(
        of_extended(&capability),
        [
            "Alternate Protocol",
            "Alternate Protocol Capabilities: Selective Enable Supported+, Count 2",
            "Alternate Protocol Control: Negotiation Global Enable+, Index Select 1",
            "Alternate Protocol Data 1: Usage Information 2, Details 0x3, Vendor ID 1e98",
            "Alternate Protocol Data 2: Modified TS Information 2 0x3",
            "Alternate Protocol Selective Enable Mask: Protocols 0x3",
        ]
    );
}

#[test]
fn a_capability_that_lspci_only_names_is_shown_in_full() {
    // Ready 100 * 32^4 ns after a reset, 30 * 32^3 after the link came up.
    let times = [0x22, 0, 1, 0, 0x64, 0xe8, 0x61, 0x80, 0x0a, 0x04, 0, 0];
    assert_eq!(
        of_extended(&times),
        [
            "Readiness Time Reporting 1: Reset Time 104.8576 ms, DL_Up Time 983.04 us, Valid+",
            "Readiness Time Reporting 2: FLR Time 10.24 us, D3hot to D0 Time 0 ns",
        ]
    );
    // The entry 0: 25.5 W sustained from 12 V in D0.
    let budget = [0x04, 0, 1, 0, 0, 0, 0, 0, 0xff, 0x81, 0x01, 0, 0x01];
    assert_eq!(
        of_extended(&budget),
        [
            "Power Budgeting Data Select: 0x00",
            "Power Budgeting Data: Base Power 255, Data Scale 0.1 W, PM Sub State 0, PM State D0, Operating Condition sustained, Power Rail 12 V",
            "Power Budget Capability: System Allocated+",
        ]
    );
    // Three substates of 200, 100 and 100 units of 0.1 W.
    let allocation =
        [0x16, 0, 1, 0, 0x02, 0x21, 0x05, 0x0a, 0x02, 0, 0, 0, 0x01, 0x01, 0x01, 0, 200, 100, 100];
    assert_eq!(
        of_extended(&allocation),
        [
            "DPA Capability: Substate Max 2, Transition Latency Unit 10 ms, Power Allocation Scale 0.1 W, Transition Latency Value 0 5, Transition Latency Value 1 10",
            "DPA Latency Indicator: Transition Latency Indicator 0x2",
            "DPA Status: Substate Control Enabled+, Substate Status 1",
            "DPA Control: Substate Control 1",
            "DPA Power Allocation [0]: 0xc8",
            "DPA Power Allocation [1] to [2]: 0x64",
        ]
    );
    // FRS: a message of 02:00.1, whose FLR is done.
    let queue = [0x21, 0, 1, 0, 0x10, 0, 0x02, 0, 0x01, 0, 0x01, 0, 0x01, 0x02, 0x13, 0];
    assert_eq!(
        of_extended(&queue),
        [
            "FRS Queueing Capability: Queue Max Depth 16, Interrupt Message Number 2",
            "FRS Queueing Status: FRS Message Received+, FRS Message Overflow-",
            "FRS Queueing Control: FRS Interrupt Enable+",
            "FRS Message Queue: Function ID 02:00.1, Reason FLR completed, Depth 1",
        ]
    );
}

#[test]
fn of_what_lspci_decodes_in_part_the_rest_is_shown_if_it_is_not_zero() {
    for (capability, expected) in [
        // Data Select shows 5.
        (
            &[0x01, 0, 0x13, 0, 0, 0, 0, 5][..],
            &[
                "Power Management Capabilities: Immediate Readiness on Return to D0+",
                "Power Management Data: 0x05",
            ][..],
        ),
        (
            &[0x05, 0, 0x80, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x34, 0x12],
            &[
                "MSI Message Control: Extended Message Data Capable+, Extended Message Data Enable+",
                "MSI Extended Message Data: 0x1234",
            ],
        ),
        // HyperTransport: a type of which lspci has the name.
        (
            &[0x08, 0, 0, 0x90, 0x06, 0, 0, 0, 0x02, 0, 0, 0],
            &[
                "Command: Capability Type UnitID clumping",
                "Clumping Support: 0x00000006",
                "Clumping Enable: 0x00000002",
            ],
        ),
        (&[0x01, 0, 0x03, 0, 0, 0, 0, 0], &[]),
        (&[0x11, 0, 0x07, 0x80, 0, 0x20, 0, 0, 0, 0x30, 0, 0], &[]),
    ] {
        assert_eq!(of(capability), expected, "{capability:02x?}");
    }
}

#[test]
fn the_same_in_the_extended_list() {
    for (capability, expected) in [
        // ACS with I/O Request Blocking, requests to the port's memory redirected, two ports.
        (
            &[0x0d, 0, 1, 0, 0xa0, 0x02, 0xa0, 0x02, 0x03, 0, 0, 0][..],
            &[
                "ACS Capability: Enhanced Capability+, Egress Control Vector Size 2",
                "ACS Control: I/O Request Blocking+, Unclaimed Request Redirect-, DSP Memory Target Access redirected, USP Memory Target Access direct access",
                "ACS Egress Control Vector [0]: Ports 0x3",
            ][..],
        ),
        (
            &[0x0f, 0, 1, 0, 0x60, 0, 0, 0],
            &[
                "ATS Capability: Page Aligned Request+, Global Invalidate Supported+, Relaxed Ordering Supported-",
            ],
        ),
        // TPH with three tags in the capability, by interrupt vector.
        (
            &[0x17, 0, 1, 0, 0x03, 0x02, 0x02, 0, 0x01, 0x01, 0, 0, 0x05, 0, 0x05, 0, 0x06, 0],
            &[
                "TPH Requester Capability: No ST Mode Supported+, ST Table Size 3",
                "TPH Requester Control: ST Mode Select interrupt vector, TPH Requester Enable TPH",
                "TPH Steering Tag [0] to [1]: ST Lower 0x5, ST Upper 0x0",
                "TPH Steering Tag [2]: ST Lower 0x6, ST Upper 0x0",
            ],
        ),
        (
            &[0x19, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, 0x77, 0x77, 0x77],
            &[
                "Lane Equalization Control [0] to [1]: Downstream Port Transmitter Preset 7, Downstream Port Receiver Preset Hint 7, Upstream Port Transmitter Preset 7, Upstream Port Receiver Preset Hint 7",
            ],
        ),
        (
            &[0x1b, 0, 1, 0, 0x08, 0x14, 0x09, 0],
            &[
                "PASID Capability: Translated Requests with PASID Supported+",
                "PASID Control: Translated Requests with PASID Enable+",
            ],
        ),
        (
            &[0x1f, 0, 1, 0, 0x09, 0, 0, 0, 0, 0, 0, 0],
            &["PTM Capability: EPTM Capable+, Propagation Delay Adaptation Capable-"],
        ),
        (&[0x18, 0, 1, 0, 0x03, 0x10, 0x03, 0x10], &[]),
    ] {
        assert_eq!(of_extended(capability), expected, "{capability:02x?}");
    }
    // DPC of a root port, with an RP PIO error and its header.
    let mut dpc = vec![0; 0x30];
    dpc[..12].copy_from_slice(&[0x1d, 0, 1, 0, 0x20, 0x04, 0, 0x01, 0, 0, 0, 0]);
    dpc[0x0c..0x10].copy_from_slice(&[0, 0, 0x04, 0]);
    dpc[0x20..0x24].copy_from_slice(&[0x01, 0, 0, 0x04]);
    let mut port = endpoint(true, &dpc);
    port[0x42] = 0x42;
    assert_eq!(
        added(&port),
        [
            "DPC Capability: RP PIO Log Size 4",
            "DPC Control: SIG SFW Enable+",
            "RP PIO Status: CFG UR CPL-, CFG CA CPL-, CFG CTO-, I/O UR CPL-, I/O CA CPL-, I/O CTO-, MEM UR CPL-, MEM CA CPL-, MEM CTO+",
            "RP PIO Header Log 1: 0x04000001",
        ]
    );
    // AER of a function with End-End TLP prefixes.
    let mut aer = vec![0; 0x48];
    aer[..4].copy_from_slice(&[0x01, 0, 2, 0]);
    aer[0x18..0x1c].copy_from_slice(&[0x00, 0x08, 0x2c, 0]);
    aer[0x38..0x3c].copy_from_slice(&[0x78, 0x56, 0x34, 0x92]);
    let mut prefixes = endpoint(true, &aer);
    prefixes[0x66] = 0x20;
    assert_eq!(
        added(&prefixes),
        [
            "Advanced Error Capabilities and Control: TLP Logged In Flit Mode+, Logged TLP Size 5",
            "TLP Prefix Log 1: 0x92345678",
        ]
    );
    // A port with a slot: in-band presence detection can be turned off.
    let mut slot = endpoint(true, &[]);
    slot[0x42..0x44].copy_from_slice(&[0x62, 0x01]);
    slot[0x74] = 1;
    slot[0x59] = 0x40;
    assert_eq!(
        added(&slot),
        [
            "Slot Control: Auto Slot Power Limit Disable-, In Band Presence Detect Disable+",
            "Slot Capabilities 2: In Band Presence Detect Disable Supported+",
        ]
    );
    // An Intel port that has ACS Control where lspci does not look.
    let mut intel = endpoint(true, &[0x0d, 0, 1, 0, 0x1f, 0, 0, 0, 0x1d, 0, 0, 0]);
    intel[0..4].copy_from_slice(&[0x86, 0x80, 0x10, 0xa1]);
    let lines = added(&intel);
    assert!(
        lines[1].starts_with("ACS Control: Source Validation+, Translation Blocking-, P2P Request Redirect+"),
        "{lines:?}"
    );
}

#[test]
fn each_id_that_lspci_leaves_undecoded_is_shown() {
    for id in [0x06, 0x0b, 0x0c, 0x0e, 0x0f, 0x15] {
        let lines = of(&[id, 0, 0, 0, 0, 0, 0, 0]);
        assert!(!lines.is_empty(), "{id:#04x}");
    }
    let extended = [
        0x04, 0x06, 0x08, 0x0a, 0x0c, 0x11, 0x16, 0x1a, 0x1c, 0x20, 0x21, 0x22, 0x25, 0x28, 0x29, 0x2b, 0x2c,
    ];
    for id in extended.into_iter().chain([0x2d, 0x33, 0x35, 0x37, 0x38, 0x39, 0x3a]) {
        let lines = of_extended(&[id, 0, 1, 0, 0, 0, 0, 0]);
        assert!(!lines.is_empty(), "{id:#06x}");
    }
}

#[test]
fn of_cxl_1_1_lspci_has_the_name_alone() {
    // A device with CXL.io and CXL.mem, one range, both enabled, of DVSEC revisions 0 and 1.
    let mut device = vec![0; 0x38];
    device[..0x0e].copy_from_slice(&[0x23, 0, 1, 0, 0x98, 0x1e, 0x80, 0x03, 0, 0, 0x16, 0, 0x06, 0]);
    let lines = of_extended(&device);
    assert!(
        lines[0].starts_with("CXL Capability: Cache Capable-, I/O Capable+, MEM Capable+, MEM Hw Init Mode-")
            && lines[0].ends_with("HDM Count 1, CXL Reset Timeout 10 ms"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("CXL Control: Cache Enable-, I/O Enable+, MEM Enable+"), "{lines:?}");
    assert_eq!(lines.len(), 2, "the rest is zero: {lines:?}");
    device[6] |= 1;
    assert_eq!(of_extended(&device), [""; 0]);
}

#[test]
fn every_part_that_is_left_out_is_a_register() {
    let (mut parts_of, mut found) = (BTreeSet::new(), BTreeSet::new());
    let mut check = |structure: Structure, bytes: &[u8]| {
        let space = ConfigSpace::new(bytes).unwrap();
        let map = registers(space);
        let LeftOut::Parts(parts) = left_out(structure, space) else { return };
        for part in parts {
            let one = core::slice::from_ref(part);
            let bits = map.of(structure).filter(|register| left_out::mask(one, register) != 0);
            let bits = bits.fold(0, |bits, register| bits | register.all_bits());
            parts_of.insert((structure.name(), part.0));
            if bits & part.1 != 0 {
                found.insert((structure.name(), part.0));
            }
        }
    };
    // Bodies that switch everything on, as ports and endpoints, of several vendors.
    let ids = [(0x1b36_u16, 0x10_u16), (0x1af4, 0x1041), (0x8086, 0xa110)];
    for port in [0x02, 0x42, 0x62] {
        for (vendor, device) in ids {
            for kind in 0..2 {
                for dvsec in 0..10 {
                    let mut base = vec![0xff; 4096];
                    base[0..2].copy_from_slice(&vendor.to_le_bytes());
                    base[2..4].copy_from_slice(&device.to_le_bytes());
                    (base[0x06], base[0x0e], base[0x34]) = (0x10, kind, 0x40);
                    base[0x40..0x44].copy_from_slice(&[0x10, 0x80, port, 0x01]);
                    for id in 0x01..=0x15_u8 {
                        let mut bytes = base.clone();
                        bytes[0x80..0x84].copy_from_slice(&[id, 0, 0xff, [0xff, 5, 0][dvsec % 3]]);
                        let offset = if id == 0x10 { 0x40 } else { 0x80 };
                        check(Structure::Capability { id: CapabilityId(id), offset }, &bytes);
                    }
                    for id in 0x01..=0x3a_u16 {
                        let mut bytes = base.clone();
                        bytes[0x41] = 0;
                        bytes[0x100..0x104].copy_from_slice(&(u32::from(id) | 2 << 16).to_le_bytes());
                        match id {
                            0x23 => {
                                bytes[0x104..0x10a].copy_from_slice(&[
                                    0x98,
                                    0x1e,
                                    0xf2,
                                    0xff,
                                    dvsec as u8,
                                    0,
                                ]);
                            }
                            // The tables behind the registers.
                            0x02 | 0x08 | 0x09 => {
                                bytes[0x108..0x10c].copy_from_slice(&[0x0f, 0, 0, 0x08]);
                                bytes[0x110..0x114].copy_from_slice(&[0x02, 0, 0, 0x10]);
                            }
                            0x17 => bytes[0x104..0x108].copy_from_slice(&[0x07, 0x03, 0x02, 0]),
                            _ => {}
                        }
                        check(Structure::Extended { id: ExtendedCapabilityId(id), offset: 0x100 }, &bytes);
                    }
                }
            }
        }
    }
    let missing: Vec<_> = parts_of.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_wrong_is_told_at_the_end() {
    let mut bytes = endpoint(true, &[0x03, 0, 0x01, 0x10, 1, 2, 3, 4, 5, 6, 7, 8]);
    bytes[0x41] = 0x40;
    let text = write(&bytes, &Options::numeric().verbose(2).hex(1).more(true));
    let text = String::from_utf8_lossy(&text).into_owned();
    let notes = "\tCapabilities: [100 v1] <chain looped>\n\
        \t+ Note: the capability list loops: the pointer at 0x041 leads back to 0x040\n\
        \t+ Note: the capability list loops: the pointer at 0x102 leads back to 0x100\n\
        \tKernel driver in use: vfio-pci\n\
        00: 36 1b";
    assert!(text.contains(notes), "{text}");
}
