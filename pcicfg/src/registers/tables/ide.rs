//! Integrity and Data Encryption.

use crate::extended::{
    IdeCapability, IdeControl, IdeStreamControl, IdeStreamStatus, IntegrityAndDataEncryption,
};
use crate::registers::table::{
    FieldRow, Register, address, bit, coded, computed, dword, flags, hex, named, number, plus_1, routing_id,
};
use crate::registers::{RegisterMap, Structure};

const ALGORITHM: &[(u32, &str)] = &[(0, "AES-GCM-256, 96-bit MAC")];
const AGGREGATION: &[&str] = &["none", "up to 2", "up to 4", "up to 8"];

static IDE: &[Register] = &[
    dword("IDE Capability", 0x04).flags(flags::<IdeCapability>).fields(&[
        coded("Supported Algorithms", 0x1f << 8, ALGORITHM),
        computed("Number of TCs Supported for Link IDE", 7 << 13, plus_1),
        computed("Number of Selective IDE Streams Supported", 0xff << 16, plus_1),
    ]),
    dword("IDE Control", 0x08).flags(flags::<IdeControl>).rw(1 << 2),
];

const STREAM_CONTROL: &[FieldRow] = &[
    named("Tx Aggregation Mode NPR", 3 << 2, AGGREGATION),
    named("Tx Aggregation Mode PR", 3 << 4, AGGREGATION),
    named("Tx Aggregation Mode CPL", 3 << 6, AGGREGATION),
    named(
        "Partial Header Encryption Mode",
        0xf << 10,
        &[
            "none",
            "address bits 17 to 2",
            "address bits 25 to 2",
            "address bits 33 to 2",
            "address bits 41 to 2",
        ],
    ),
    coded("Selected Algorithm", 0x1f << 14, ALGORITHM),
    number("TC", 7 << 19),
    number("Stream ID", 0xff << 24),
];
const STREAM_STATE: &[FieldRow] = &[coded("State", 0xf, &[(0, "insecure"), (2, "secure")])];

const fn stream_control(name: &'static str, at: u16) -> Register {
    dword(name, at).flags(flags::<IdeStreamControl>).fields(STREAM_CONTROL).rw(!0)
}

const fn stream_status(name: &'static str, at: u16) -> Register {
    dword(name, at).flags(flags::<IdeStreamStatus>).fields(STREAM_STATE).rw1cs(1 << 31).status(!0).rsvdz()
}

static LINK_STREAM: &[Register] =
    &[stream_control("Link IDE Stream Control", 0), stream_status("Link IDE Stream Status", 4)];

static SELECTIVE_STREAM: &[Register] = &[
    dword("Selective IDE Stream Capability", 0)
        .fields(&[number("Number of Address Association Register Blocks", 0xf)]),
    stream_control("Selective IDE Stream Control", 4),
    stream_status("Selective IDE Stream Status", 8),
    dword("IDE RID Association 1", 12).fields(&[routing_id("RID Limit", 0xffff << 8)]).rw(0x00ff_ff00),
    dword("IDE RID Association 2", 16)
        .fields(&[bit("Valid", 0), routing_id("RID Base", 0xffff << 8), hex("Segment Base", 0xff << 24)])
        .rw(0xffff_ff01),
];
static ADDRESS_ASSOCIATION: &[Register] = &[
    dword("IDE Address Association 1", 0)
        .fields(&[
            bit("Valid", 0),
            address("Memory Base, lower half", 0xfff << 8, 12),
            address("Memory Limit, lower half", 0xfff << 20, 0),
        ])
        .rw(0xffff_ff01),
    dword("IDE Address Association 2", 4).fields(&[hex("Memory Limit, upper half", !0)]).rw(!0),
    dword("IDE Address Association 3", 8).fields(&[hex("Memory Base, upper half", !0)]).rw(!0),
];

pub(super) fn place(map: &mut RegisterMap, structure: Structure, ide: IntegrityAndDataEncryption<'_>) {
    map.place(structure, IDE);
    let inside = |offset: u16| offset.saturating_sub(structure.offset());
    for (index, stream) in (0..).zip(ide.link_streams()) {
        map.place_entry(structure, LINK_STREAM, inside(stream.offset), index);
    }
    for (index, stream) in (0..).zip(ide.selective_streams()) {
        map.place_entry(structure, SELECTIVE_STREAM, inside(stream.offset()), index);
        for (block, _) in (0..).zip(stream.address_associations()) {
            let at = inside(stream.offset()) + 20 + 12 * block;
            map.place_inner(structure, ADDRESS_ASSOCIATION, at, (index, block));
        }
    }
}
