//! What is about one function: routing, identity, resources, mailboxes.

use super::express::l1_latency;
use crate::ConfigSpace;
use crate::capability::DevicePortType;
use crate::extended::{
    AccessControlServices, AcsCapability, AcsControl, AriCapability, AriControl, DeviceCapabilities3,
    DeviceControl3, DeviceStatus3, DoeCapabilities, DoeControl, DoeStatus, FrsQueueingControl,
    FrsQueueingStatus, LnrCapability, LnrControl, MmioRegisterBlockLocator, Multicast, MulticastCapability,
    MulticastControl, NpemIndicators, PtmCapability, PtmControl, ResizableBar, ResizableBarControl,
    SfiCapability, SfiControl,
};
use crate::registers::table::{
    FieldRow, Register, address, bytes, coded, computed, duration, dword, flags, hex, lanes, named, number,
    plus_1, routing_id, word,
};
use crate::registers::{RegisterMap, Structure, Value};

pub(super) static SERIAL_NUMBER: &[Register] = &[
    dword("Serial Number, lower half", 4).fields(&[hex("Lower half", !0)]),
    dword("Serial Number, upper half", 8).fields(&[hex("Upper half", !0)]),
];

const TARGETS: &[FieldRow] = &[
    named("DSP Memory Target Access", 3 << 8, &["direct access", "blocked", "redirected"]),
    named("USP Memory Target Access", 3 << 10, &["direct access", "blocked", "redirected"]),
];
const EGRESS_SIZE: &[FieldRow] = &[computed("Egress Control Vector Size", 0xff << 8, |code| {
    Value::Number(AcsCapability::from_bits_retain((code as u16) << 8).egress_control_vector_size().into())
})];
static ACS: &[Register] = &[
    word("ACS Capability", 4).flags(flags::<AcsCapability>).fields(EGRESS_SIZE),
    word("ACS Control", 6).flags(flags::<AcsControl>).fields(TARGETS).rw(0x1fff),
];
/// Where Intel has put them.
static ACS_INTEL: &[Register] = &[
    dword("ACS Capability", 4).flags(flags::<AcsCapability>).fields(EGRESS_SIZE),
    dword("ACS Control", 8).flags(flags::<AcsControl>).fields(TARGETS).rw(0x1fff),
];
static EGRESS_CONTROL_VECTOR: &[Register] =
    &[dword("ACS Egress Control Vector", 0).fields(&[hex("Ports", !0)]).rw(!0)];

pub(super) fn place_access_control(
    map: &mut RegisterMap,
    structure: Structure,
    acs: AccessControlServices<'_>,
) {
    map.place(structure, if acs.has_intel_layout() { ACS_INTEL } else { ACS });
    for (index, _) in (0..).zip(acs.egress_control_vector()) {
        let at = AccessControlServices::EGRESS_CONTROL_VECTOR + 4 * index;
        map.place_entry(structure, EGRESS_CONTROL_VECTOR, at, index);
    }
}

pub(super) static ARI: &[Register] = &[
    word("ARI Capability", 4)
        .flags(flags::<AriCapability>)
        .fields(&[number("Next Function Number", 0xff << 8)]),
    word("ARI Control", 6).flags(flags::<AriControl>).fields(&[number("Function Group", 7 << 4)]).rw(0x73),
];

static MULTICAST: &[Register] = &[
    word("Multicast Capability", 0x04)
        .flags(flags::<MulticastCapability>)
        .fields(&[computed("Max Group", 0x3f, plus_1), number("Window Size Requested", 0x3f << 8)]),
    word("Multicast Control", 0x06)
        .flags(flags::<MulticastControl>)
        .fields(&[computed("Num Group", 0x3f, plus_1)])
        .rw(0x803f),
    dword("MC_Base_Address, lower half", 0x08)
        .fields(&[number("Index Position", 0x3f), address("Base Address", 0xffff_f000, 0)])
        .rw(0xffff_f03f),
    dword("MC_Base_Address, upper half", 0x0c).fields(&[hex("Base Address, upper half", !0)]).rw(!0),
    dword("MC_Receive, lower half", 0x10).fields(&[hex("Groups 0 to 31", !0)]).rw(!0),
    dword("MC_Receive, upper half", 0x14).fields(&[hex("Groups 32 to 63", !0)]).rw(!0),
    dword("MC_Block_All, lower half", 0x18).fields(&[hex("Groups 0 to 31", !0)]).rw(!0),
    dword("MC_Block_All, upper half", 0x1c).fields(&[hex("Groups 32 to 63", !0)]).rw(!0),
    dword("MC_Block_Untranslated, lower half", 0x20).fields(&[hex("Groups 0 to 31", !0)]).rw(!0),
    dword("MC_Block_Untranslated, upper half", 0x24).fields(&[hex("Groups 32 to 63", !0)]).rw(!0),
];
static MULTICAST_OVERLAY: &[Register] = &[
    dword("MC_Overlay_BAR, lower half", Multicast::OVERLAY_LOW)
        .fields(&[number("Overlay Size", 0x3f), address("Overlay Address", 0xffff_ffc0, 0)])
        .rw(!0),
    dword("MC_Overlay_BAR, upper half", Multicast::OVERLAY_HIGH)
        .fields(&[hex("Overlay Address, upper half", !0)])
        .rw(!0),
];

pub(super) fn place_multicast(
    map: &mut RegisterMap,
    structure: Structure,
    multicast: Multicast<'_>,
    space: ConfigSpace<'_>,
) {
    map.place(structure, MULTICAST);
    // In other functions something else stands there.
    type Port = DevicePortType;
    let kind = space.pci_express().map(|express| express.device_port_type());
    let has_overlay = matches!(kind, Some(Port::RootPort | Port::UpstreamPort | Port::DownstreamPort));
    if has_overlay && multicast.overlay().is_some() {
        map.place(structure, MULTICAST_OVERLAY);
    }
}

static RESIZABLE_BAR: &[Register] = &[
    dword("Resizable BAR Capability", 0).fields(&[hex("Supported Sizes from 1 MiB", !0xf)]),
    dword("Resizable BAR Control", 4)
        .fields(&[
            number("BAR Index", 7),
            number("Number of Resizable BARs", 7 << 5),
            bytes("BAR Size", 0x3f << 8, |code| {
                let control = ResizableBarControl::from_bits_retain(code << 8);
                control.bar_size().map_or(Value::Reserved(code), Value::Bytes)
            }),
            hex("Supported Sizes from 256 TiB", 0xffff << 16),
        ])
        .rw(0x3f00),
];

pub(super) fn place_resizable_bars(map: &mut RegisterMap, structure: Structure, bars: ResizableBar<'_>) {
    for (index, _) in (0..).zip(bars.entries()) {
        map.place_entry(structure, RESIZABLE_BAR, ResizableBar::CAPABILITY + 8 * index, index);
    }
}

pub(super) static LN_REQUESTER: &[Register] = &[
    word("LNR Capability", 0x04).flags(flags::<LnrCapability>).fields(&[computed(
        "Registration Max",
        0x1f << 8,
        power_of_2,
    )]),
    word("LNR Control", 0x06)
        .flags(flags::<LnrControl>)
        .fields(&[computed("Registration Limit", 0x1f << 8, power_of_2)])
        .rw(0x1f03),
];

fn power_of_2(code: u32) -> Value {
    Value::Number(1 << (code & 0x1f))
}

fn granularity(code: u32) -> Value {
    match code {
        0 => Value::Name("unknown"),
        255 => Value::Name("more than 254 ns"),
        _ => Value::Duration(core::time::Duration::from_nanos(code.into())),
    }
}

pub(super) static PTM: &[Register] = &[
    dword("PTM Capability", 4).flags(flags::<PtmCapability>).fields(&[duration(
        "Local Clock Granularity",
        0xff << 8,
        granularity,
    )]),
    dword("PTM Control", 8)
        .flags(flags::<PtmControl>)
        .fields(&[duration("Effective Granularity", 0xff << 8, granularity)])
        .rw(0xff03),
];

pub(super) static FRS_QUEUEING: &[Register] = &[
    dword("FRS Queueing Capability", 0x04)
        .fields(&[number("Queue Max Depth", 0xfff), number("Interrupt Message Number", 0x1f << 16)]),
    word("FRS Queueing Status", 0x08).flags(flags::<FrsQueueingStatus>).rw1c(3).status(0xffff).rsvdz(),
    word("FRS Queueing Control", 0x0a).flags(flags::<FrsQueueingControl>).rw(1),
    // A write of whatever value takes the oldest message out.
    dword("FRS Message Queue", 0x0c)
        .fields(&[
            routing_id("Function ID", 0xffff),
            coded(
                "Reason",
                0xf << 16,
                &[
                    (1, "DRS message received"),
                    (2, "D3hot to D0 completed"),
                    (3, "FLR completed"),
                    (8, "VF enabled"),
                    (9, "VF disabled"),
                ],
            ),
            number("Depth", 0xfff << 20),
        ])
        .status(!0),
];

pub(super) static HIERARCHY_ID: &[Register] = &[
    dword("Hierarchy ID Status", 0x04).fields(&[routing_id("Message Requester ID", 0xffff)]).unknown(),
    dword("Hierarchy ID Data", 0x08)
        .fields(&[number("System GUID Authority ID", 0xff), number("Hierarchy ID", 0xffff << 16)])
        .rw(0xffff_00ff),
    dword("Hierarchy ID GUID 1", 0x0c).fields(&[hex("GUID", !0)]).rw(!0),
    dword("Hierarchy ID GUID 2", 0x10).fields(&[hex("GUID", !0)]).rw(!0),
    dword("Hierarchy ID GUID 3", 0x14).fields(&[hex("GUID", !0)]).rw(!0),
    dword("Hierarchy ID GUID 4", 0x18).fields(&[hex("GUID", !0)]).rw(!0),
    dword("Hierarchy ID GUID 5", 0x1c).fields(&[hex("GUID", !0)]).rw(!0),
];

const ENCLOSURE_SPECIFIC: &[FieldRow] = &[hex("Enclosure Specific", 0xff << 24)];

/// The indicators; the first two bits mean another thing in each register.
fn indicators(first: &'static str, second: &'static str, index: usize) -> Option<(&'static str, u32)> {
    let (name, mask) = flags::<NpemIndicators>(index)?;
    Some(match mask {
        1 => (first, mask),
        2 => (second, mask),
        _ => (name, mask),
    })
}

pub(super) static ENCLOSURE_MANAGEMENT: &[Register] = &[
    dword("NPEM Capability", 0x04)
        .flags(|index| indicators("NPEM_CAPABLE", "NPEM_RESET_CAPABLE", index))
        .fields(ENCLOSURE_SPECIFIC),
    dword("NPEM Control", 0x08)
        .flags(|index| indicators("NPEM_ENABLE", "NPEM_INITIATE_RESET", index))
        .fields(ENCLOSURE_SPECIFIC)
        .rw(0xff00_0ffd)
        .acts(1 << 1),
    dword("NPEM Status", 0x0c)
        .flags(|index| indicators("NPEM_COMMAND_COMPLETED", "", index).filter(|(_, mask)| *mask == 1))
        .fields(ENCLOSURE_SPECIFIC)
        .rw1c(1)
        .status(!0)
        .rsvdz(),
];

pub(super) static SYSTEM_FIRMWARE_INTERMEDIARY: &[Register] = &[
    word("SFI Capability", 0x04).flags(flags::<SfiCapability>),
    word("SFI Control", 0x06).flags(flags::<SfiControl>).rw(3),
    word("SFI Status", 0x08).status(0xffff).unknown(),
    dword("SFI CAM Address", 0x0c).rw(!0),
    dword("SFI CAM Data", 0x10).rw(!0).status(!0),
];

pub(super) static DATA_OBJECT_EXCHANGE: &[Register] = &[
    dword("DOE Capabilities", 0x04)
        .flags(flags::<DoeCapabilities>)
        .fields(&[number("Interrupt Message Number", 0x7ff << 1)]),
    dword("DOE Control", 0x08).flags(flags::<DoeControl>).rw(1 << 1).acts(1 | 1 << 31),
    dword("DOE Status", 0x0c).flags(flags::<DoeStatus>).rw1c(1 << 1).status(!0).rsvdz(),
    dword("DOE Write Data Mailbox", 0x10).rw(!0),
    // A write of whatever value takes the next dword.
    dword("DOE Read Data Mailbox", 0x14).status(!0),
];

fn link_width(code: u32) -> Value {
    if code <= 4 { Value::Lanes(1 << code) } else { Value::Reserved(code) }
}

pub(super) static DEVICE_3: &[Register] = &[
    dword("Device Capabilities 3", 0x04).flags(flags::<DeviceCapabilities3>).fields(&[
        duration("Port L0p Exit Latency", 7 << 4, |code| l1_latency(code, "more than 64 us")),
        duration("Retimer L0p Exit Latency", 7 << 7, |code| l1_latency(code, "more than 64 us")),
    ]),
    dword("Device Control 3", 0x08)
        .flags(flags::<DeviceControl3>)
        .fields(&[lanes("Target Link Width", 7 << 4, |code| match code {
            7 => Value::Name("dynamic"),
            _ => link_width(code),
        })])
        .rw(0x1ff),
    dword("Device Status 3", 0x0c)
        .flags(flags::<DeviceStatus3>)
        .fields(&[lanes("Initial Link Width", 7, link_width)])
        .status(!0),
];

static REGISTER_BLOCKS: &[Register] =
    &[dword("MRBL Capabilities", 0x04).fields(&[number("Structure Length", 0xfff)])];
static REGISTER_BLOCK: &[Register] = &[
    dword("MRBL Locator, lower half", 0).fields(&[
        number("Register BIR", 7),
        coded(
            "Register Block Identifier",
            0xff << 8,
            &[(0, "empty"), (1, "MMIO capabilities"), (0xff, "designated vendor-specific")],
        ),
        address("Register Block Offset", 0xffff_0000, 0),
    ]),
    dword("MRBL Locator, upper half", 4).fields(&[hex("Register Block Offset, upper half", !0)]),
];

pub(super) fn place_register_blocks(
    map: &mut RegisterMap,
    structure: Structure,
    locator: MmioRegisterBlockLocator<'_>,
) {
    map.place(structure, REGISTER_BLOCKS);
    for (index, _) in (0..).zip(locator.blocks()) {
        map.place_entry(structure, REGISTER_BLOCK, MmioRegisterBlockLocator::LOCATORS + 8 * index, index);
    }
}

pub(super) static CAPTURED_DATA: &[Register] = &[dword("Captured Data, first dword", 0x04).unknown()];
