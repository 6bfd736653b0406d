//! The Designated Vendor-Specific capabilities of Compute Express Link (Compute Express Link 3.1, 8.1).

use crate::extended::{
    Cxl, CxlCapability, CxlCapability3, CxlControl, CxlControl2, CxlFlexBusCapability, CxlFlexBusControl,
    CxlFlexBusPort, CxlFlexBusStatus, CxlGpfTime, CxlPortControl, CxlPortStatus, CxlRangeSizeLow,
    CxlRegisterLocator, CxlStatus, CxlStatus2,
};
use crate::registers::table::{
    FieldRow, Register, address, bit, byte, coded, duration, dword, flags, hex, milliwatts, named, number,
    word,
};
use crate::registers::{RegisterMap, Structure, Value};

static DEVICE: &[Register] = &[
    word("CXL Capability", 0x0a).flags(flags::<CxlCapability>).fields(&[
        number("HDM Count", 3 << 4),
        duration("CXL Reset Timeout", 7 << 8, |code| {
            let timeout = CxlCapability::from_bits_retain((code as u16) << 8).cxl_reset_timeout();
            timeout.map_or(Value::Reserved(code), Value::Duration)
        }),
    ]),
    // CXL.io is always on.
    word("CXL Control", 0x0c)
        .flags(flags::<CxlControl>)
        .fields(&[number("Cache SF Coverage", 0x1f << 3), number("Cache SF Granularity", 7 << 8)])
        .rwl(0x4ffd),
    word("CXL Status", 0x0e).flags(flags::<CxlStatus>).rw1cs(1 << 14).rsvdz(),
    word("CXL Control 2", 0x10).flags(flags::<CxlControl2>).rw(0x19).acts(0x6),
    word("CXL Status 2", 0x12).flags(flags::<CxlStatus2>).status(0xffff).rsvdz(),
    word("CXL Lock", 0x14).fields(&[bit("Config Lock", 0)]).rwl(1),
    word("CXL Capability 2", 0x16).fields(&[
        coded("Cache Size Unit", 0xf, &[(0, "not reported"), (1, "64 KiB"), (2, "1 MiB")]),
        number("Cache Size Units", 0xff << 8),
    ]),
    dword("CXL Range 1 Size High", 0x18),
    range_size("CXL Range 1 Size Low", 0x1c),
    dword("CXL Range 1 Base High", 0x20).rwl(!0),
    range_base("CXL Range 1 Base Low", 0x24),
    dword("CXL Range 2 Size High", 0x28),
    range_size("CXL Range 2 Size Low", 0x2c),
    dword("CXL Range 2 Base High", 0x30).rwl(!0),
    range_base("CXL Range 2 Base Low", 0x34),
];
/// Since revision 2.
static DEVICE_3: &[Register] = &[word("CXL Capability 3", 0x38).flags(flags::<CxlCapability3>)];

const fn range_size(name: &'static str, at: u16) -> Register {
    dword(name, at)
        .flags(flags::<CxlRangeSizeLow>)
        .fields(
            const {
                &[
                    named("Media Type", 7 << 2, &["volatile", "non-volatile", "told by CDAT"]),
                    named("Memory Class", 7 << 5, &["memory", "storage", "told by CDAT"]),
                    named("Desired Interleave", 0x1f << 8, &["none", "256 bytes", "4 KiB"]),
                    duration("Memory Active Timeout", 7 << 13, |code| {
                        let timeout = CxlRangeSizeLow::from_bits_retain(code << 13).memory_active_timeout();
                        timeout.map_or(Value::Reserved(code), Value::Duration)
                    }),
                    address("Memory Size, lower half", 0xf << 28, 0),
                ]
            },
        )
        .status(1 << 1)
}

const fn range_base(name: &'static str, at: u16) -> Register {
    dword(name, at).fields(const { &[address("Memory Base, lower half", 0xf << 28, 0)] }).rwl(0xf << 28)
}

static FUNCTION_MAP: &[Register] =
    &[dword("Non-CXL Function Map Register", 0x0c).fields(&[hex("Functions", !0)])];

static PORT_EXTENSIONS: &[Register] = &[
    word("CXL Port Status", 0x0a).flags(flags::<CxlPortStatus>).rw1cs(1 << 14).status(1).rsvdz(),
    word("CXL Port Control", 0x0c).flags(flags::<CxlPortControl>).rw(0x400f),
    byte("Alternate Bus Base", 0x0e).rw(0xff),
    byte("Alternate Bus Limit", 0x0f).rw(0xff),
    word("Alternate Memory Base", 0x10).fields(&[address("Memory Base", 0xfff0, 16)]).rw(0xfff0),
    word("Alternate Memory Limit", 0x12).fields(&[address("Memory Limit", 0xfff0, 16)]).rw(0xfff0),
    word("Alternate Prefetchable Memory Base", 0x14).fields(&[address("Memory Base", 0xfff0, 16)]).rw(0xfff0),
    word("Alternate Prefetchable Memory Limit", 0x16)
        .fields(&[address("Memory Limit", 0xfff0, 16)])
        .rw(0xfff0),
    dword("Alternate Prefetchable Memory Base High", 0x18).rw(!0),
    dword("Alternate Prefetchable Memory Limit High", 0x1c).rw(!0),
    dword("CXL RCRB Base", 0x20)
        .fields(&[bit("Enable", 0), address("RCRB Base Address", 0xffff_e000, 0)])
        .rw(0xffff_e001),
    dword("CXL RCRB Base High", 0x24).rw(!0),
];

const GPF_TIME: &[FieldRow] = &[duration("Time", 0xf0f, |code| {
    CxlGpfTime::from_bits_retain(code as u16).duration().map_or(Value::Reserved(code), Value::Duration)
})];

static PORT_GPF: &[Register] = &[
    word("GPF Phase 1 Control", 0x0c).fields(GPF_TIME).rw(0xf0f),
    word("GPF Phase 2 Control", 0x0e).fields(GPF_TIME).rw(0xf0f),
];

static DEVICE_GPF: &[Register] = &[
    word("GPF Phase 2 Duration", 0x0a).fields(GPF_TIME),
    dword("GPF Phase 2 Power", 0x0c).fields(&[milliwatts("Power", !0, Value::Milliwatts)]),
];

static FLEX_BUS: &[Register] = &[
    word("DVSEC Flex Bus Port Capability", 0x0a).flags(flags::<CxlFlexBusCapability>),
    word("DVSEC Flex Bus Port Control", 0x0c).flags(flags::<CxlFlexBusControl>).rw(0x63fd),
    word("DVSEC Flex Bus Port Status", 0x0e).flags(flags::<CxlFlexBusStatus>).status(0xffff),
];
static FLEX_BUS_TS_DATA: &[Register] = &[dword(
    "DVSEC Flex Bus Port Received Modified TS Data Phase 1",
    CxlFlexBusPort::RECEIVED_MODIFIED_TS_DATA,
)
.fields(&[hex("Data", 0x00ff_ffff)])
.status(!0)];
static FLEX_BUS_2: &[Register] = &[
    dword("DVSEC Flex Bus Port Capability 2", CxlFlexBusPort::CAPABILITY_2),
    dword("DVSEC Flex Bus Port Control 2", CxlFlexBusPort::CONTROL_2).unknown(),
    dword("DVSEC Flex Bus Port Status 2", CxlFlexBusPort::STATUS_2).unknown().status(!0),
];

static LOCATOR: &[Register] = &[
    dword("Register Block Locator, lower half", 0).fields(&[
        number("Register BIR", 7),
        coded(
            "Register Block Identifier",
            0xff << 8,
            &[
                (0, "empty"),
                (1, "component registers"),
                (2, "BAR virtualization ACL"),
                (3, "CXL device registers"),
                (4, "CPMU registers"),
                (0xff, "designated vendor-specific"),
            ],
        ),
        address("Register Block Offset", 0xffff_0000, 0),
    ]),
    dword("Register Block Locator, upper half", 4).fields(&[hex("Register Block Offset, upper half", !0)]),
];

static MULTI_LOGICAL_DEVICE: &[Register] =
    &[word("Number of LDs Supported", 0x0a).fields(&[number("Number of LDs", 0xffff)])];

pub(super) fn place(map: &mut RegisterMap, structure: Structure, cxl: Cxl<'_>) {
    let table = match cxl {
        Cxl::Device(device) => {
            if device.capability_3().is_some() {
                map.place(structure, DEVICE_3);
            }
            DEVICE
        }
        Cxl::NonCxlFunctionMap(functions) => {
            for (index, _) in (0..).zip(functions.registers()) {
                map.place_entry(structure, FUNCTION_MAP, 4 * index, index);
            }
            return;
        }
        Cxl::PortExtensions(_) => PORT_EXTENSIONS,
        Cxl::PortGpf(_) => PORT_GPF,
        Cxl::DeviceGpf(_) => DEVICE_GPF,
        Cxl::FlexBusPort(port) => {
            let length = port.dvsec_length();
            if length >= CxlFlexBusPort::CAPABILITY_2 {
                map.place(structure, FLEX_BUS_TS_DATA);
            }
            if length >= CxlFlexBusPort::STATUS_2 + 4 {
                map.place(structure, FLEX_BUS_2);
            }
            FLEX_BUS
        }
        Cxl::RegisterLocator(locator) => {
            for (index, _) in (0..).zip(locator.blocks()) {
                map.place_entry(structure, LOCATOR, CxlRegisterLocator::BLOCKS + 8 * index, index);
            }
            return;
        }
        Cxl::MultiLogicalDevice(_) => MULTI_LOGICAL_DEVICE,
    };
    map.place(structure, table);
}
