//! The capabilities of the first 256 bytes whose registers always stand at the same place.

use crate::capability::{
    AdvancedFeaturesCapabilities, AdvancedFeaturesControl, AdvancedFeaturesStatus, AgpCommand, AgpStatus,
    BridgeSupportExtensions, CapabilityId, ExpansionSlot, FpbCapabilities, FpbMemHighVectorControl1,
    FpbMemLowVectorControl, FpbRidVectorControl1, HotPlugPending, HotSwapControlStatus, IommuBaseAddressLow,
    IommuCapabilityHeader, IommuMiscellaneousInformation0, IommuRange, MsiXMessageControl, PciXBridgeStatus,
    PciXCommand, PciXSecondaryStatus, PciXStatus, PowerManagementCapabilities, PowerManagementControlStatus,
    VpdAddressRegister,
};
use crate::registers::Value;
use crate::registers::table::{
    FieldRow, Register, address, byte, bytes, coded, computed, duration, dword, flags, hex, id, milliamperes,
    named, number, plus_1, routing_id, word,
};

/// The registers of a capability; none for one that has a table elsewhere, or none at all.
pub(super) fn of(id: CapabilityId) -> &'static [Register] {
    match id {
        CapabilityId::POWER_MANAGEMENT => POWER_MANAGEMENT,
        CapabilityId::AGP | CapabilityId::AGP_8X => AGP,
        CapabilityId::VITAL_PRODUCT_DATA => VITAL_PRODUCT_DATA,
        CapabilityId::SLOT_IDENTIFICATION => SLOT_IDENTIFICATION,
        CapabilityId::COMPACT_PCI_HOT_SWAP => COMPACT_PCI_HOT_SWAP,
        CapabilityId::DEBUG_PORT => DEBUG_PORT,
        CapabilityId::COMPACT_PCI_RESOURCE_CONTROL => COMPACT_PCI_RESOURCE_CONTROL,
        CapabilityId::HOT_PLUG => HOT_PLUG,
        CapabilityId::BRIDGE_SUBSYSTEM_VENDOR_ID => BRIDGE_SUBSYSTEM,
        CapabilityId::SECURE_DEVICE => SECURE_DEVICE,
        CapabilityId::MSI_X => MSI_X,
        CapabilityId::SATA => SATA,
        CapabilityId::ADVANCED_FEATURES => ADVANCED_FEATURES,
        CapabilityId::FLATTENING_PORTAL_BRIDGE => FLATTENING_PORTAL_BRIDGE,
        _ => &[],
    }
}

/// What Data says.
const DATA: &[&str] = &[
    "D0 power consumed",
    "D1 power consumed",
    "D2 power consumed",
    "D3 power consumed",
    "D0 power dissipated",
    "D1 power dissipated",
    "D2 power dissipated",
    "D3 power dissipated",
    "common logic power consumed",
];

static POWER_MANAGEMENT: &[Register] = &[
    word("Power Management Capabilities", 2)
        .flags(flags::<PowerManagementCapabilities>)
        .fields(&[number("Version", 7), milliamperes("Aux Current", 7 << 6, aux_current)]),
    word("Power Management Control/Status", 4)
        .flags(flags::<PowerManagementControlStatus>)
        .fields(&[
            named("Power State", 3, &["D0", "D1", "D2", "D3hot"]),
            named("Data Select", 0xf << 9, DATA),
            named("Data Scale", 3 << 13, &["unknown", "0.1 W", "0.01 W", "0.001 W"]),
        ])
        .rw(0x1e03)
        .rws(1 << 8)
        .rw1cs(1 << 15),
    byte("Bridge Support Extensions", 6).flags(flags::<BridgeSupportExtensions>),
    byte("Power Management Data", 7).status(0xff),
];

/// Bits 1 and 0 are the clock, bits 3 and 2 the mode.
const BUS_MODES: &[&str] = &[
    "conventional PCI",
    "PCI-X 66 MHz",
    "PCI-X 100 MHz",
    "PCI-X 133 MHz",
    "",
    "PCI-X 66 MHz, ECC",
    "PCI-X 100 MHz, ECC",
    "PCI-X 133 MHz, ECC",
    "",
    "PCI-X 266, 66 MHz",
    "PCI-X 266, 100 MHz",
    "PCI-X 266, 133 MHz",
    "",
    "PCI-X 533, 66 MHz",
    "PCI-X 533, 100 MHz",
    "PCI-X 533, 133 MHz",
];

fn aux_current(code: u32) -> Value {
    Value::Milliamperes(PowerManagementCapabilities::from_bits_retain((code as u16) << 6).aux_current())
}

const AGP_TRANSFERS: &[FieldRow] = &[
    duration("Calibration Cycle", 7 << 10, calibration_cycle),
    bytes("Optimum Request Size", 7 << 13, |code| Value::Bytes(16 << code)),
    computed("Maximum Requests", 0xff << 24, plus_1),
];

fn calibration_cycle(code: u32) -> Value {
    match (AgpStatus::from_bits_retain(code << 10).calibration_cycle(), code) {
        (Some(cycle), _) => Value::Duration(cycle),
        (None, 7) => Value::Name("none needed"),
        (None, _) => Value::Reserved(code),
    }
}

static AGP: &[Register] = &[
    byte("AGP Revision", 0x02).fields(&[number("Minor Revision", 0xf), number("Major Revision", 0xf0)]),
    dword("AGP Status", 0x04).flags(flags::<AgpStatus>).fields(AGP_TRANSFERS),
    dword("AGP Command", 0x08).flags(flags::<AgpCommand>).fields(AGP_TRANSFERS).rw(0xff00_ffb7),
];

static VITAL_PRODUCT_DATA: &[Register] = &[
    word("VPD Address", 0x02)
        .flags(flags::<VpdAddressRegister>)
        .fields(&[hex("Address", 0x7fff)])
        .rw(0xffff)
        .status(0xffff),
    dword("VPD Data", 0x04).rw(!0).status(!0),
];

static SLOT_IDENTIFICATION: &[Register] = &[
    byte("Expansion Slot", 0x02)
        .flags(flags::<ExpansionSlot>)
        .fields(&[number("Expansion Slots Provided", 0x1f)]),
    byte("Chassis Number", 0x03).rw(0xff),
];

static COMPACT_PCI_HOT_SWAP: &[Register] = &[byte("Hot Swap Control and Status", 0x02)
    .flags(flags::<HotSwapControlStatus>)
    .fields(&[named("Programming Interface", 3 << 4, &["EXT, INS, LOO, EIM", "also DHA, PIE"])])
    .rw(0x0b)
    .rw1c(0xc0)
    .status(0xff)];

static DEBUG_PORT: &[Register] = &[word("Debug Port Location", 0x02).fields(&[
    address("Debug Port Offset", 0x1fff, 0),
    named("BAR Number", 7 << 13, &["", "BAR 0", "BAR 1", "BAR 2", "BAR 3", "BAR 4", "BAR 5"]),
])];

static COMPACT_PCI_RESOURCE_CONTROL: &[Register] = &[word("Central Resource Control", 0x02).unknown()];

static HOT_PLUG: &[Register] = &[
    byte("DWORD Select", 0x02).rw(0xff).status(0xff),
    byte("Controller Pending", 0x03).flags(flags::<HotPlugPending>).status(0xff),
    dword("DWORD Data", 0x04).rw(!0).status(!0),
];

static BRIDGE_SUBSYSTEM: &[Register] = &[
    word("Bridge Subsystem Vendor ID", 4).fields(&[id("Subsystem Vendor", 0xffff)]),
    word("Bridge Subsystem ID", 6).fields(&[id("Subsystem", 0xffff)]),
];

static SECURE_DEVICE: &[Register] = &[
    word("IOMMU Capability Header", 0x02).flags(flags::<IommuCapabilityHeader>).fields(&[
        coded("Capability Block Type", 7, &[(3, "IOMMU")]),
        number("Capability Block Revision", 0xf8),
    ]),
    dword("Base Address Low", 0x04)
        .flags(flags::<IommuBaseAddressLow>)
        .fields(&[address("Base Address", 0xffff_c000, 0)])
        .rwl(0xffff_c001),
    dword("Base Address High", 0x08).rwl(!0),
    dword("IOMMU Range", 0x0c).flags(flags::<IommuRange>).fields(&[
        number("Unit ID", 0x1f),
        hex("Bus Number", 0xff00),
        hex("First Device", 0x00ff_0000),
        hex("Last Device", 0xff00_0000),
    ]),
    dword("Miscellaneous Information 0", 0x10).flags(flags::<IommuMiscellaneousInformation0>).fields(&[
        number("MSI Message Number", 0x1f),
        coded("Guest Virtual Address Size", 7 << 5, &[(2, "48 bits"), (4, "57 bits")]),
        number("Physical Address Size", 0x7f00),
        number("Virtual Address Size", 0x003f_8000),
        number("PPR MSI Message Number", 0xf800_0000),
    ]),
];

/// Which exists with Capability Extension.
pub(super) static SECURE_DEVICE_EXTENSION: &[Register] =
    &[dword("Miscellaneous Information 1", 0x14).fields(&[number("GA MSI Message Number", 0x1f)])];

const TABLE: &[FieldRow] = &[number("BAR", 7), address("Offset", !7, 0)];

static MSI_X: &[Register] = &[
    word("MSI-X Message Control", 2)
        .flags(flags::<MsiXMessageControl>)
        .fields(&[computed("Table Size", 0x7ff, plus_1)])
        .rw(0xc000),
    dword("MSI-X Table Offset", 4).fields(TABLE),
    dword("MSI-X Pending Bit Array Offset", 8).fields(TABLE),
];

static SATA: &[Register] = &[
    byte("SATA Revision", 0x02).fields(&[number("Minor Revision", 0xf), number("Major Revision", 0xf0)]),
    dword("SATA Capability 1", 0x04).fields(&[
        coded(
            "BAR Location",
            0xf,
            &[
                (4, "BAR 0"),
                (5, "BAR 1"),
                (6, "BAR 2"),
                (7, "BAR 3"),
                (8, "BAR 4"),
                (9, "BAR 5"),
                (15, "configuration space"),
            ],
        ),
        address("BAR Offset", 0x00ff_fff0, -2),
    ]),
];

/// Where the pair of registers is in configuration space.
pub(super) static SATA_INDEX_DATA: &[Register] =
    &[dword("SATA Index", 0x08).rw(!0).status(!0), dword("SATA Data", 0x0c).rw(!0).status(!0)];

static ADVANCED_FEATURES: &[Register] = &[
    byte("AF Length", 2),
    byte("AF Capabilities", 3).flags(flags::<AdvancedFeaturesCapabilities>),
    byte("AF Control", 4).flags(flags::<AdvancedFeaturesControl>).acts(1),
    byte("AF Status", 5).flags(flags::<AdvancedFeaturesStatus>).status(0xff),
];

pub(super) static PCI_X: &[Register] = &[
    word("PCI-X Command", 2)
        .flags(flags::<PciXCommand>)
        .fields(&[
            bytes("Maximum Memory Read Byte Count", 3 << 2, read_count),
            computed("Maximum Outstanding Split Transactions", 7 << 4, splits),
            number("Version", 3 << 12),
        ])
        .rw(0x7f),
    dword("PCI-X Status", 4)
        .flags(flags::<PciXStatus>)
        .fields(&[
            routing_id("Routing ID", 0xffff),
            bytes("Designed Maximum Memory Read Byte Count", 3 << 21, read_count),
            computed("Designed Maximum Outstanding Split Transactions", 7 << 23, splits),
            bytes("Designed Maximum Cumulative Read Size", 7 << 26, |code| Value::Bytes(1024 << code)),
        ])
        .rw1c(1 << 18 | 1 << 19 | 1 << 29),
];

fn read_count(code: u32) -> Value {
    Value::Bytes(512 << code)
}

fn splits(code: u32) -> Value {
    let command = PciXCommand::from_bits_retain((code as u16) << 4);
    Value::Number(command.maximum_outstanding_split_transactions().into())
}

const SPLIT_CONTROL: &[FieldRow] = &[
    number("Split Transaction Capacity", 0xffff),
    number("Split Transaction Commitment Limit", 0xffff_0000),
];

pub(super) static PCI_X_BRIDGE: &[Register] = &[
    word("PCI-X Secondary Status", 2)
        .flags(flags::<PciXSecondaryStatus>)
        .fields(&[named("Secondary Bus Mode and Frequency", 0xf << 6, BUS_MODES), number("Version", 3 << 12)])
        .rw1c(0x3c),
    dword("PCI-X Bridge Status", 4)
        .flags(flags::<PciXBridgeStatus>)
        .fields(&[routing_id("Routing ID", 0xffff)])
        .rw1c(0x003c_0000),
    dword("Upstream Split Transaction Control", 8).fields(SPLIT_CONTROL).rw(0xffff_0000),
    dword("Downstream Split Transaction Control", 12).fields(SPLIT_CONTROL).rw(0xffff_0000),
];

/// Of which the last code that has a size is `largest`.
fn vector_size(code: u32, largest: u32) -> Value {
    if code <= largest { Value::Number(256 << code) } else { Value::Reserved(code) }
}

static FLATTENING_PORTAL_BRIDGE: &[Register] = &[
    dword("FPB Capabilities", 0x04).flags(flags::<FpbCapabilities>).fields(&[
        computed("Num Sec Dev", 0x1f << 3, plus_1),
        computed("RID Vector Size Supported", 7 << 8, |code| vector_size(code, 2)),
        computed("MEM Low Vector Size Supported", 7 << 16, |code| vector_size(code, 4)),
        computed("MEM High Vector Size Supported", 7 << 24, |code| vector_size(code, 7)),
    ]),
    dword("FPB RID Vector Control 1", 0x08)
        .flags(flags::<FpbRidVectorControl1>)
        .fields(&[
            coded("RID Vector Granularity", 0xf << 4, &[(0, "8 RIDs"), (3, "64 RIDs"), (5, "256 RIDs")]),
            address("RID Vector Start", 0xfff8_0000, -16),
        ])
        .rw(0xfff8_00f1),
    dword("FPB RID Vector Control 2", 0x0c).fields(&[address("RID Secondary Start", 0xfff8, 0)]).rw(0xfff8),
    dword("FPB MEM Low Vector Control", 0x10)
        .flags(flags::<FpbMemLowVectorControl>)
        .fields(&[
            bytes("MEM Low Vector Granularity", 0xf << 4, |code| match code {
                0..=4 => Value::Bytes(1 << (20 + code)),
                _ => Value::Reserved(code),
            }),
            address("MEM Low Vector Start", 0xfff0_0000, 0),
        ])
        .rw(0xfff0_00f1),
    dword("FPB MEM High Vector Control 1", 0x14)
        .flags(flags::<FpbMemHighVectorControl1>)
        .fields(&[
            bytes("MEM High Vector Granularity", 0xf << 4, |code| match code {
                0..=7 => Value::Bytes(1 << (28 + code)),
                _ => Value::Reserved(code),
            }),
            address("MEM High Vector Start, lower half", 0xf000_0000, 0),
        ])
        .rw(0xf000_00f1),
    dword("FPB MEM High Vector Control 2", 0x18)
        .fields(&[hex("MEM High Vector Start, upper half", !0)])
        .rw(!0),
    dword("FPB Vector Access Control", 0x1c)
        .fields(&[
            number("Vector Access Offset", 0xff),
            named("Vector Select", 3 << 14, &["RID", "MEM Low", "MEM High"]),
        ])
        .rw(0xc0ff),
    dword("FPB Vector Access Data", 0x20).rw(!0).status(!0),
];
