//! Virtual Channel, Multi-Function Virtual Channel and Streamlined Virtual Channel.

use crate::extended::{
    ArbitrationTable, PortVcCapability2, PortVcControl, PortVcStatus, StreamlinedVirtualChannel,
    VcResourceCapability, VcResourceControl, VcResourceStatus, VirtualChannel,
};
use crate::registers::table::{
    FieldRow, Register, address, computed, dword, flags, hex, named, number, plus_1, word,
};
use crate::registers::{RegisterMap, Structure};

/// The number of a bit in the capability.
const ARBITRATION: &[&str] = &[
    "hardware-fixed",
    "WRR, 32 phases",
    "WRR, 64 phases",
    "WRR, 128 phases",
    "time-based WRR, 128 phases",
    "WRR, 256 phases",
];

static PORT: &[Register] = &[
    dword("Port VC Capability 1", 0x04).fields(&[
        number("Extended VC Count", 7),
        number("Low Priority Extended VC Count", 7 << 4),
        named("Reference Clock", 3 << 8, &["100 ns"]),
        named("Port Arbitration Table Entry Size", 3 << 10, &["1 bit", "2 bits", "4 bits", "8 bits"]),
    ]),
    dword("Port VC Capability 2", 0x08).flags(flags::<PortVcCapability2>).fields(&[address(
        "VC Arbitration Table Offset",
        0xff << 24,
        -20,
    )]),
    word("Port VC Control", 0x0c)
        .flags(flags::<PortVcControl>)
        .fields(&[named("VC Arbitration Select", 7 << 1, ARBITRATION.split_at(4).0)])
        .rw(0xe)
        .acts(1),
    word("Port VC Status", 0x0e).flags(flags::<PortVcStatus>).status(0xffff).rsvdz(),
];

const RESOURCE_CONTROL: &[FieldRow] = &[
    hex("TC/VC Map", 0xff),
    named("Port Arbitration Select", 7 << 17, ARBITRATION),
    number("VC ID", 7 << 24),
];

const fn resource(map: u32, id_and_enable: u32) -> [Register; 3] {
    [
        dword("VC Resource Capability", 0x00).flags(flags::<VcResourceCapability>).fields(
            const {
                &[
                    computed("Maximum Time Slots", 0x7f << 16, plus_1),
                    address("Port Arbitration Table Offset", 0xff << 24, -20),
                ]
            },
        ),
        dword("VC Resource Control", 0x04)
            .flags(flags::<VcResourceControl>)
            .fields(RESOURCE_CONTROL)
            .rw(map | 7 << 17 | id_and_enable)
            .acts(1 << 16),
        word("VC Resource Status", 0x0a).flags(flags::<VcResourceStatus>).status(0xffff).rsvdz(),
    ]
}

/// The first channel is always on, is number 0, and has traffic class 0, bit 0 of the map; the others never
/// have it.
static FIRST_RESOURCE: &[Register] = &resource(0xfe, 0);
static RESOURCE: &[Register] = &resource(0xfe, 1 << 31 | 7 << 24);

static VC_TABLE: Register = dword("VC Arbitration Table", 0).rw(!0);
static PORT_TABLE: Register = dword("Port Arbitration Table", 0).rw(!0);

pub(super) fn place(map: &mut RegisterMap, structure: Structure, channels: VirtualChannel<'_>) {
    map.place(structure, PORT);
    for (index, _) in (0..).zip(channels.resources()) {
        let at = VirtualChannel::RESOURCE_CAPABILITY + VirtualChannel::RESOURCE_SIZE * index;
        map.place_entry(structure, if index == 0 { FIRST_RESOURCE } else { RESOURCE }, at, index);
    }
    let rows = |table: ArbitrationTable| {
        (0..table.length.div_ceil(4)).map(move |row| (row, table.offset.saturating_add(4 * row)))
    };
    for (row, at) in channels.vc_arbitration_table().into_iter().flat_map(rows) {
        map.place_later(structure, &VC_TABLE, at, (row, None));
    }
    for (index, resource) in (0..).zip(channels.resources()) {
        for (row, at) in resource.arbitration_table.into_iter().flat_map(rows) {
            map.place_later(structure, &PORT_TABLE, at, (index, Some(row)));
        }
    }
}

static STREAMLINED: &[Register] = &[
    dword("SVC Port Capability 1", 0x04).fields(&[number("Extended VC Count", 7)]),
    dword("SVC Port Capability 2", 0x08),
    dword("SVC Port Control", 0x0c).unknown(),
    dword("SVC Port Status", 0x10).unknown().status(!0),
];
static STREAMLINED_RESOURCE: &[Register] = &[
    dword("SVC VC Resource Capability", 0x00),
    dword("SVC VC Resource Control", 0x04).unknown(),
    dword("SVC VC Resource Status", 0x08).unknown().status(!0),
];

pub(super) fn place_streamlined(
    map: &mut RegisterMap,
    structure: Structure,
    channels: StreamlinedVirtualChannel<'_>,
) {
    map.place(structure, STREAMLINED);
    for (index, _) in (0..).zip(channels.resources()) {
        let at = StreamlinedVirtualChannel::RESOURCES + 12 * index;
        map.place_entry(structure, STREAMLINED_RESOURCE, at, index);
    }
}
