//! What two ends of a link negotiate: Secondary PCI Express, the physical layers, Lane Margining, Data
//! Link Feature, other protocols on the same link.

use super::express::{l1_latency, speeds};
use crate::ConfigSpace;
use crate::extended::{
    AlternateProtocol, AlternateProtocolCapabilities, AlternateProtocolControl, DataLinkFeatures,
    ExtendedCapability, LaneMargining, LinkControl3, MPcieCapabilities, MPciePhyControlAddress,
    MPciePhyControlData, MPcieStatus, MarginingLaneControlStatus, MarginingPortCapabilities,
    MarginingPortStatus, PhysicalLayer16, PhysicalLayer16Status, PhysicalLayer32,
    PhysicalLayer32Capabilities, PhysicalLayer32Control, PhysicalLayer32Status, PhysicalLayer64,
    PhysicalLayer64Status, PhysicalLayer128, PmuxCapability, PmuxStatus, ProtocolMultiplexing,
    SecondaryPciExpress,
};
use crate::registers::table::{
    FieldRow, Register, byte, coded, computed, duration, dword, flags, hex, id, named, number, word,
};
use crate::registers::{RegisterMap, Structure};

static SECONDARY: &[Register] = &[
    dword("Link Control 3", 0x04)
        .flags(flags::<LinkControl3>)
        .fields(&[computed("Enable Lower SKP OS Generation Vector", 0x7f << 9, speeds)])
        .rw(0xfe03),
    dword("Lane Error Status", 0x08).fields(&[hex("Lanes", !0)]).rw1cs(!0),
];
static SECONDARY_LANE: &[Register] = &[word("Lane Equalization Control", 0).fields(&[
    number("Downstream Port Transmitter Preset", 0xf),
    number("Downstream Port Receiver Preset Hint", 7 << 4),
    number("Upstream Port Transmitter Preset", 0xf << 8),
    number("Upstream Port Receiver Preset Hint", 7 << 12),
])];

const PRESETS: &[FieldRow] =
    &[number("Downstream Port Transmitter Preset", 0xf), number("Upstream Port Transmitter Preset", 0xf0)];

const fn lane(name: &'static str) -> Register {
    byte(name, 0).fields(PRESETS)
}

static LAYER_16: &[Register] = &[
    dword("16.0 GT/s Capabilities", 0x04),
    dword("16.0 GT/s Control", 0x08),
    dword("16.0 GT/s Status", 0x0c)
        .flags(flags::<PhysicalLayer16Status>)
        .sticky(0xf)
        .rw1cs(1 << 4)
        .status(!0)
        .rsvdz(),
    dword("16.0 GT/s Local Data Parity Mismatch Status", 0x10).fields(&[hex("Lanes", !0)]).rw1cs(!0),
    dword("16.0 GT/s First Retimer Data Parity Mismatch Status", 0x14).fields(&[hex("Lanes", !0)]).rw1cs(!0),
    dword("16.0 GT/s Second Retimer Data Parity Mismatch Status", 0x18).fields(&[hex("Lanes", !0)]).rw1cs(!0),
];
static LANE_16: &[Register] = &[lane("16.0 GT/s Lane Equalization Control")];

const USAGE_MODE: &[&str] = &["PCI Express", "training set messages", "alternate protocol negotiation"];
const TS_DATA_1: &[FieldRow] =
    &[named("Usage Mode", 7, USAGE_MODE), hex("Information 1", 0x1fff << 3), id("Vendor ID", 0xffff << 16)];
const TS_DATA_2: &[FieldRow] = &[
    hex("Information 2", 0x00ff_ffff),
    named(
        "Alternate Protocol Negotiation Status",
        3 << 24,
        &["not supported", "disabled", "failed", "successful"],
    ),
];

static LAYER_32: &[Register] = &[
    dword("32.0 GT/s Capabilities", 0x04).flags(flags::<PhysicalLayer32Capabilities>),
    dword("32.0 GT/s Control", 0x08)
        .flags(flags::<PhysicalLayer32Control>)
        .fields(&[named("Modified TS Usage Mode Selected", 7 << 8, USAGE_MODE)])
        .rws(0x703),
    dword("32.0 GT/s Status", 0x0c)
        .flags(flags::<PhysicalLayer32Status>)
        .fields(&[named(
            "Received Enhanced Link Behavior Control",
            3 << 6,
            &["full equalization", "bypass to highest rate", "no equalization needed", "modified TS1/TS2"],
        )])
        .sticky(0xf)
        .rw1cs(1 << 4)
        .status(!0)
        .rsvdz(),
    dword("Received Modified TS Data 1", 0x10).fields(TS_DATA_1).status(!0),
    dword("Received Modified TS Data 2", 0x14).fields(TS_DATA_2).status(!0),
    dword("Transmitted Modified TS Data 1", 0x18).fields(TS_DATA_1),
    dword("Transmitted Modified TS Data 2", 0x1c).fields(TS_DATA_2),
];
static LANE_32: &[Register] = &[lane("32.0 GT/s Lane Equalization Control")];

static LAYER_64: &[Register] = &[
    dword("64.0 GT/s Capabilities", 0x04),
    dword("64.0 GT/s Control", 0x08),
    dword("64.0 GT/s Status", 0x0c)
        .flags(flags::<PhysicalLayer64Status>)
        .sticky(0xf)
        .rw1cs(1 << 4)
        .status(!0)
        .rsvdz(),
];
static LANE_64: &[Register] = &[lane("64.0 GT/s Lane Equalization Control")];

static LAYER_128: &[Register] = &[
    dword("128.0 GT/s Capabilities", 0x04).fields(&[
        hex("Supported Link Speeds Vector 2", 0xff),
        hex("Lower SKP OS Generation Supported Speeds Vector 2", 0xff << 8),
        hex("Lower SKP OS Reception Supported Speeds Vector 2", 0xff << 16),
    ]),
    dword("128.0 GT/s Control", 0x08),
    dword("128.0 GT/s Status", 0x0c)
        .flags(flags::<PhysicalLayer64Status>)
        .sticky(0xf)
        .rw1cs(1 << 4)
        .status(!0)
        .rsvdz(),
];
static LANE_128: &[Register] = &[lane("128.0 GT/s Lane Equalization Control")];

static MARGINING: &[Register] = &[
    word("Margining Port Capabilities", 0x04).flags(flags::<MarginingPortCapabilities>),
    word("Margining Port Status", 0x06).flags(flags::<MarginingPortStatus>).status(0xffff),
];
const MARGINING_FIELDS: &[FieldRow] = &[
    named("Receiver Number", 7, &["broadcast", "Rx(A)", "Rx(B)", "Rx(C)", "Rx(D)", "Rx(E)", "Rx(F)"]),
    coded(
        "Margin Type",
        7 << 3,
        &[(1, "report"), (2, "set"), (3, "step time"), (4, "step voltage"), (7, "no command")],
    ),
    hex("Margin Payload", 0xff << 8),
];
static MARGINING_LANE: &[Register] = &[
    word("Margining Lane Control", 0x00)
        .flags(flags::<MarginingLaneControlStatus>)
        .fields(MARGINING_FIELDS)
        .rw(0xff7f),
    word("Margining Lane Status", 0x02)
        .flags(flags::<MarginingLaneControlStatus>)
        .fields(MARGINING_FIELDS)
        .status(0xffff),
];

/// Places a capability with a table of lanes: how many there are, the link's width says.
pub(super) fn place_lanes(
    map: &mut RegisterMap,
    structure: Structure,
    capability: ExtendedCapability<'_>,
    space: ConfigSpace<'_>,
) {
    type Typed<'a> = ExtendedCapability<'a>;
    let (table, lane, at, size): (_, &'static [Register], _, _) = match capability {
        Typed::SecondaryPciExpress(_) => {
            (SECONDARY, SECONDARY_LANE, SecondaryPciExpress::LANE_EQUALIZATION_CONTROL, 2)
        }
        Typed::PhysicalLayer16(_) => (LAYER_16, LANE_16, PhysicalLayer16::LANE_EQUALIZATION_CONTROL, 1),
        Typed::PhysicalLayer32(_) => (LAYER_32, LANE_32, PhysicalLayer32::LANE_EQUALIZATION_CONTROL, 1),
        Typed::PhysicalLayer64(_) => (LAYER_64, LANE_64, PhysicalLayer64::LANE_EQUALIZATION_CONTROL, 1),
        Typed::PhysicalLayer128(_) => (LAYER_128, LANE_128, PhysicalLayer128::LANE_EQUALIZATION_CONTROL, 1),
        Typed::LaneMargining(_) => (MARGINING, MARGINING_LANE, LaneMargining::LANES, 4),
        _ => return,
    };
    map.place(structure, table);
    let link = space.pci_express().and_then(|express| express.link_capabilities());
    let lanes = link.map_or(0, |link| link.maximum_link_width().lanes().min(32));
    for index in 0..u16::from(lanes) {
        map.place_entry(structure, lane, at + size * index, index);
    }
}

pub(super) static DATA_LINK_FEATURE: &[Register] = &[
    dword("Data Link Feature Capabilities", 0x04).flags(flags::<DataLinkFeatures>).fields(FEATURES),
    dword("Data Link Feature Status", 0x08).flags(flags::<DataLinkFeatures>).fields(FEATURES).status(!0),
];
const FEATURES: &[FieldRow] = &[
    number("Extended VC Count", 7 << 2),
    duration("L0p Exit Latency", 7 << 5, |code| l1_latency(code, "more than 64 us")),
];

static PMUX: &[Register] = &[
    dword("PMUX Capability", 0x04)
        .flags(flags::<PmuxCapability>)
        .fields(&[number("Protocol Array Size", 0x3f)]),
    dword("PMUX Control", 0x08)
        .fields(&[
            number("Channel 0 Assignment", 0x3f),
            number("Channel 1 Assignment", 0x3f << 8),
            number("Channel 2 Assignment", 0x3f << 16),
            number("Channel 3 Assignment", 0x3f << 24),
        ])
        .rw(0x3f3f_3f3f),
    dword("PMUX Status", 0x0c).flags(flags::<PmuxStatus>).status(!0),
];
static PMUX_PROTOCOL: &[Register] =
    &[dword("PMUX Protocol", 0).fields(&[hex("Protocol ID", 0xffff), id("Authority ID", 0xffff << 16)])];

pub(super) fn place_protocols(map: &mut RegisterMap, structure: Structure, pmux: ProtocolMultiplexing<'_>) {
    map.place(structure, PMUX);
    for (index, _) in (0..).zip(pmux.protocols()) {
        map.place_entry(structure, PMUX_PROTOCOL, ProtocolMultiplexing::PROTOCOL_ARRAY + 4 * index, index);
    }
}

static ALTERNATE: &[Register] = &[
    dword("Alternate Protocol Capabilities", 0x04)
        .flags(flags::<AlternateProtocolCapabilities>)
        .fields(&[number("Count", 0xff)]),
    dword("Alternate Protocol Control", 0x08)
        .flags(flags::<AlternateProtocolControl>)
        .fields(&[number("Index Select", 0xff)])
        .rw(0x1ff),
    dword("Alternate Protocol Data 1", 0x0c)
        .fields(&[number("Usage Information", 7), hex("Details", 0x7ff << 5), id("Vendor ID", 0xffff << 16)])
        .status(!0),
    dword("Alternate Protocol Data 2", 0x10)
        .fields(&[hex("Modified TS Information 2", 0x00ff_ffff)])
        .status(!0),
];
static ALTERNATE_MASK: &[Register] =
    &[dword("Alternate Protocol Selective Enable Mask", AlternateProtocol::SELECTIVE_ENABLE_MASK)
        .fields(&[hex("Protocols", !0)])
        .rw(!0)];

pub(super) fn place_alternate(map: &mut RegisterMap, structure: Structure, alternate: AlternateProtocol<'_>) {
    map.place(structure, ALTERNATE);
    if alternate.selective_enable_mask().is_some() {
        map.place(structure, ALTERNATE_MASK);
    }
}

const GEARS: &[&str] = &["", "HS-G1", "HS-G2"];

pub(super) static M_PCIE: &[Register] = &[
    dword("M-PCIe Capabilities", 0x04)
        .flags(flags::<MPcieCapabilities>)
        .fields(&[hex("Maximum TX Lane Width", 0xff << 16), hex("Maximum RX Lane Width", 0xff << 24)]),
    dword("M-PCIe Control", 0x08).fields(&[named("Target Link Speed", 3, GEARS)]).rw(3),
    dword("M-PCIe Status", 0x0c).flags(flags::<MPcieStatus>).fields(&[
        named("Current Link Speed", 3, GEARS),
        number("TX Lane Width", 0xff << 16),
        number("RX Lane Width", 0xff << 24),
    ]),
    dword("M-PCIe LANE Error Status", 0x10).fields(&[hex("Lanes", !0)]).rw1cs(!0),
    dword("M-PCIe Phy Control Address", 0x14)
        .flags(flags::<MPciePhyControlAddress>)
        .fields(&[
            hex("Lower Address", 0xff),
            hex("Upper Address", 0x3f << 16),
            named("Phy Location", 7 << 25, &["local", "remote"]),
        ])
        .unknown(),
    dword("M-PCIe Phy Control Data", 0x18)
        .flags(flags::<MPciePhyControlData>)
        .fields(&[hex("Phy Register Data", 0xff)])
        .status(!0)
        .unknown(),
];
