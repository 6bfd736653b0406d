//! PCI Express (10h).

use crate::capability::{
    DeviceCapabilities, DeviceCapabilities2, DeviceControl, DeviceControl2, DevicePortType, DeviceStatus,
    LinkCapabilities, LinkCapabilities2, LinkControl, LinkControl2, LinkSpeed, LinkStatus, LinkStatus2,
    PciExpress, PciExpressCapabilities, RootCapabilities, RootControl, RootStatus, SlotCapabilities,
    SlotCapabilities2, SlotControl, SlotStatus,
};
use crate::registers::table::{
    FieldRow, Register, bytes, coded, computed, duration, dword, flags, lanes, milliwatts, named, number,
    routing_id, word,
};
use crate::registers::{RegisterMap, Structure, Value};
use core::time::Duration;

static EXPRESS: &[Register] = &[
    word("PCI Express Capabilities", PciExpress::CAPABILITIES).flags(flags::<PciExpressCapabilities>).fields(
        &[
            number("Version", 0xf),
            computed("Device/Port Type", 0xf0, port_type),
            number("Interrupt Message Number", 0x1f << 9),
        ],
    ),
    dword("Device Capabilities", PciExpress::DEVICE_CAPABILITIES).flags(flags::<DeviceCapabilities>).fields(
        &[
            bytes("Max Payload Size Supported", 7, payload),
            number("Phantom Functions Supported", 3 << 3),
            duration("Endpoint L0s Acceptable Latency", 7 << 6, |code| l0s_latency(code, "no limit")),
            duration("Endpoint L1 Acceptable Latency", 7 << 9, |code| l1_latency(code, "no limit")),
            milliwatts("Captured Slot Power Limit", 0x3ff << 18, power_limit),
        ],
    ),
    // All but Aux Power Detected is status.
    word("Device Status", PciExpress::DEVICE_STATUS)
        .flags(flags::<DeviceStatus>)
        .status(0x20)
        .rw1c(0x4f)
        .rsvdz(),
];

const CONTROL_FIELDS: &[FieldRow] =
    &[bytes("Max Payload Size", 7 << 5, payload), bytes("Max Read Request Size", 7 << 12, payload)];
const fn device_control(flags: fn(usize) -> Option<(&'static str, u32)>) -> Register {
    word("Device Control", PciExpress::DEVICE_CONTROL)
        .flags(flags)
        .fields(CONTROL_FIELDS)
        .rw(0x7fff)
        .rws(1 << 10)
}
/// With Function Level Reset.
static CONTROL_WITH_RESET: &[Register] = &[device_control(flags::<DeviceControl>).acts(1 << 15)];
/// Without it, bit 15 is reserved.
static CONTROL_WITHOUT_RESET: &[Register] = &[device_control(control_without_reset)];
/// In a bridge to a conventional bus, bit 15 is another.
static CONTROL_OF_BRIDGE: &[Register] = &[device_control(control_of_bridge).rw(1 << 15)];

fn control_without_reset(index: usize) -> Option<(&'static str, u32)> {
    let (name, mask) = flags::<DeviceControl>(index)?;
    let initiate = u32::from(DeviceControl::INITIATE_FUNCTION_LEVEL_RESET.bits());
    Some(if mask == initiate { ("", mask) } else { (name, mask) })
}

fn control_of_bridge(index: usize) -> Option<(&'static str, u32)> {
    let (name, mask) = flags::<DeviceControl>(index)?;
    let initiate = u32::from(DeviceControl::INITIATE_FUNCTION_LEVEL_RESET.bits());
    Some(if mask == initiate { ("BRIDGE_CONFIGURATION_RETRY_ENABLE", mask) } else { (name, mask) })
}

pub(super) const ASPM: &[&str] = &["off", "L0s", "L1", "L0s+L1"];

static LINK: &[Register] = &[
    dword("Link Capabilities", PciExpress::LINK_CAPABILITIES).flags(flags::<LinkCapabilities>).fields(&[
        computed("Max Link Speed", 0xf, speed),
        lanes("Maximum Link Width", 0x3f << 4, width),
        named("ASPM Support", 3 << 10, ASPM),
        duration("L0s Exit Latency", 7 << 12, |code| l0s_latency(code, "more than 4 us")),
        duration("L1 Exit Latency", 7 << 15, |code| l1_latency(code, "more than 64 us")),
        number("Port Number", 0xff << 24),
    ]),
    word("Link Control", PciExpress::LINK_CONTROL)
        .flags(flags::<LinkControl>)
        .fields(&[
            named("ASPM Control", 3, ASPM),
            named("DRS Signaling Control", 3 << 14, &["not reported", "interrupt", "FRS message"]),
        ])
        .rw(0xffdb)
        .acts(1 << 5),
    // Speed, width and Data Link Layer Link Active are what a reset must bring back: no mere status.
    word("Link Status", PciExpress::LINK_STATUS)
        .flags(flags::<LinkStatus>)
        .fields(&[
            computed("Current Link Speed", 0xf, speed),
            lanes("Negotiated Link Width", 0x3f << 4, width),
        ])
        .status(1 << 11)
        .rw1c(0xc000)
        .rsvdz(),
];

const INDICATOR: &[&str] = &["", "on", "blinking", "off"];

static SLOT: &[Register] = &[
    dword("Slot Capabilities", PciExpress::SLOT_CAPABILITIES).flags(flags::<SlotCapabilities>).fields(&[
        milliwatts("Slot Power Limit", 0x3ff << 7, power_limit),
        number("Physical Slot Number", 0x1fff << 19),
    ]),
    word("Slot Control", PciExpress::SLOT_CONTROL)
        .flags(flags::<SlotControl>)
        .fields(&[
            named("Attention Indicator", 3 << 6, INDICATOR),
            named("Power Indicator", 3 << 8, INDICATOR),
        ])
        .rw(0x77ff)
        .acts(1 << 11),
    word("Slot Status", PciExpress::SLOT_STATUS).flags(flags::<SlotStatus>).rw1c(0x11f).rsvdz(),
];

static ROOT: &[Register] = &[
    word("Root Control", PciExpress::ROOT_CONTROL).flags(flags::<RootControl>).rw(0x3f),
    word("Root Capabilities", PciExpress::ROOT_CAPABILITIES).flags(flags::<RootCapabilities>),
    dword("Root Status", PciExpress::ROOT_STATUS)
        .flags(flags::<RootStatus>)
        .fields(&[routing_id("PME Requester ID", 0xffff)])
        .rw1c(1 << 16)
        .status(!0)
        .rsvdz(),
];

static EXPRESS_2: &[Register] = &[
    dword("Device Capabilities 2", PciExpress::DEVICE_CAPABILITIES_2)
        .flags(flags::<DeviceCapabilities2>)
        .fields(&[
            named("LN System CLS", 3 << 14, &["not supported", "64 bytes", "128 bytes"]),
            computed("Max End-End TLP Prefixes", 3 << 22, |code| {
                Value::Number(if code == 0 { 4 } else { code.into() })
            }),
            named(
                "Emergency Power Reduction Supported",
                3 << 24,
                &["not supported", "device-specific mechanism", "form factor mechanism or device-specific"],
            ),
            computed("DMWr Lengths Supported", 3 << 29, |code| Value::Number(code.into())),
        ]),
    word("Device Control 2", PciExpress::DEVICE_CONTROL_2)
        .flags(flags::<DeviceControl2>)
        .fields(&[
            coded(
                "Completion Timeout Value",
                0xf,
                &[
                    (0x0, "50 us to 50 ms"),
                    (0x1, "50 us to 100 us"),
                    (0x2, "1 ms to 10 ms"),
                    (0x5, "16 ms to 55 ms"),
                    (0x6, "65 ms to 210 ms"),
                    (0x9, "260 ms to 900 ms"),
                    (0xa, "1 s to 3.5 s"),
                    (0xd, "4 s to 13 s"),
                    (0xe, "17 s to 64 s"),
                ],
            ),
            named(
                "OBFF Enable",
                3 << 13,
                &["disabled", "message, variation A", "message, variation B", "WAKE#"],
            ),
        ])
        .rw(0xffff),
    word("Device Status 2", PciExpress::DEVICE_STATUS_2).status(0xffff).rsvdz(),
];

static LINK_2: &[Register] = &[
    dword("Link Capabilities 2", PciExpress::LINK_CAPABILITIES_2).flags(flags::<LinkCapabilities2>).fields(
        &[
            computed("Lower SKP OS Generation Supported", 0x7f << 9, speeds),
            computed("Lower SKP OS Reception Supported", 0x7f << 16, speeds),
        ],
    ),
    // Selectable De-emphasis is HwInit.
    word("Link Control 2", PciExpress::LINK_CONTROL_2)
        .flags(flags::<LinkControl2>)
        .fields(&[
            computed("Target Link Speed", 0xf, speed),
            number("Transmit Margin", 7 << 7),
            number("Compliance Preset", 0xf << 12),
        ])
        .rws(0xffbf),
    word("Link Status 2", PciExpress::LINK_STATUS_2)
        .flags(flags::<LinkStatus2>)
        .fields(&[
            named(
                "Crosslink Resolution",
                3 << 8,
                &["not supported", "upstream port", "downstream port", "not completed"],
            ),
            coded(
                "Downstream Component Presence",
                7 << 12,
                &[
                    (0, "link down, presence not determined"),
                    (1, "link down, not present"),
                    (2, "link down, present"),
                    (4, "link up, present"),
                    (5, "link up, present, DRS received"),
                ],
            ),
        ])
        .sticky(0x1e)
        .status(0x3f)
        .rw1cs(1 << 5)
        .rw1c(1 << 15)
        .rsvdz(),
];

static SLOT_2: &[Register] = &[
    dword("Slot Capabilities 2", PciExpress::SLOT_CAPABILITIES_2).flags(flags::<SlotCapabilities2>),
    word("Slot Control 2", PciExpress::SLOT_CONTROL_2).fields(RESERVED),
    word("Slot Status 2", PciExpress::SLOT_STATUS_2).fields(RESERVED).status(0xffff).rsvdz(),
];
const RESERVED: &[FieldRow] = &[];

fn payload(code: u32) -> Value {
    if code < 6 { Value::Bytes(128 << code) } else { Value::Reserved(code) }
}

/// Bit 0 for 2.5 GT/s.
pub(super) fn speeds(vector: u32) -> Value {
    // Where Link Capabilities 2 has them.
    Value::Speeds(LinkCapabilities2::from_bits_retain(vector << 1).supported_link_speeds())
}

pub(super) fn speed(code: u32) -> Value {
    match LinkSpeed::from_code(code as u8) {
        Some(speed) => Value::Name(speed.name()),
        None => Value::Reserved(code),
    }
}

pub(super) fn width(code: u32) -> Value {
    Value::Lanes(code as u8)
}

/// 64 ns, doubled by each code; the last code has a name.
pub(super) fn l0s_latency(code: u32, last: &'static str) -> Value {
    if code < 7 { Value::Duration(Duration::from_nanos(64 << code)) } else { Value::Name(last) }
}

/// 1 us, doubled by each code; the last code has a name.
pub(super) fn l1_latency(code: u32, last: &'static str) -> Value {
    if code < 7 { Value::Duration(Duration::from_micros(1 << code)) } else { Value::Name(last) }
}

/// Eight bits of value, two of scale.
fn power_limit(code: u32) -> Value {
    Value::Milliwatts(SlotCapabilities::from_bits_retain(code << 7).slot_power_limit())
}

fn port_type(code: u32) -> Value {
    match DevicePortType::from_code(code as u8).name() {
        Some(name) => Value::Name(name),
        None => Value::Reserved(code),
    }
}

/// Which registers there are depends on the kind of function: the view's accessors decide.
pub(super) fn place(map: &mut RegisterMap, structure: Structure, express: PciExpress<'_>) {
    let control = match express.device_port_type() {
        DevicePortType::PciExpressToPciBridge => CONTROL_OF_BRIDGE,
        _ if express.function_level_reset_capable() => CONTROL_WITH_RESET,
        _ => CONTROL_WITHOUT_RESET,
    };
    for (exists, table) in [
        (true, EXPRESS),
        (true, control),
        (express.link_capabilities().is_some(), LINK),
        (express.slot_capabilities().is_some(), SLOT),
        (express.root_control().is_some(), ROOT),
        (express.device_capabilities_2().is_some(), EXPRESS_2),
        (express.link_capabilities_2().is_some(), LINK_2),
        (express.slot_capabilities_2().is_some(), SLOT_2),
    ] {
        if exists {
            map.place(structure, table);
        }
    }
}
