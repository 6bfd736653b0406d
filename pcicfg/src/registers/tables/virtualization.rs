//! What a guest gets: SR-IOV and its kin, and the services of an IOMMU.

use super::header;
use crate::extended::{
    AtsCapability, AtsControl, PageRequestControl, PageRequestStatus, PasidCapability, PasidControl, SrIov,
    SrIovCapabilities, SrIovControl, SrIovStatus, SteeringTableLocation, TphCapability, TphRequester,
};
use crate::registers::table::{
    FieldRow, Register, address, byte, bytes, coded, computed, dword, flags, hex, id, named, number, plus_1,
    word,
};
use crate::registers::{RegisterMap, Structure, Value};

const PAGES: &[FieldRow] = &[hex("Page Sizes", !0)];

static SR_IOV: &[Register] = &[
    dword("SR-IOV Capabilities", 0x04)
        .flags(flags::<SrIovCapabilities>)
        .fields(&[number("VF Migration Interrupt Message Number", 0x7ff << 21)]),
    word("SR-IOV Control", 0x08).flags(flags::<SrIovControl>).rw(0x7f),
    word("SR-IOV Status", 0x0a).flags(flags::<SrIovStatus>).rw1c(1).status(0xffff).rsvdz(),
    word("InitialVFs", 0x0c),
    word("TotalVFs", 0x0e),
    word("NumVFs", 0x10).rw(0xffff),
    byte("Function Dependency Link", 0x12),
    word("First VF Offset", 0x14),
    word("VF Stride", 0x16),
    word("VF Device ID", 0x1a).fields(&[id("Device", 0xffff)]),
    dword("Supported Page Sizes", 0x1c).fields(PAGES),
    dword("System Page Size", 0x20).fields(PAGES).rw(!0),
    dword("VF Migration State Array Offset", 0x3c).fields(&[number("BAR", 7), address("Offset", !7, 0)]),
];

pub(super) fn place_sr_iov(map: &mut RegisterMap, structure: Structure, sr_iov: SrIov<'_>) {
    map.place(structure, SR_IOV);
    header::place_vf_bars(map, structure, sr_iov.vf_bars());
}

pub(super) static ATS: &[Register] = &[
    word("ATS Capability", 4).flags(flags::<AtsCapability>).fields(&[computed(
        "Invalidate Queue Depth",
        0x1f,
        |code| Value::Number(if code == 0 { 32 } else { code.into() }),
    )]),
    word("ATS Control", 6)
        .flags(flags::<AtsControl>)
        .fields(&[bytes("Smallest Translation Unit", 0x1f, |code| Value::Bytes(1 << (12 + (code & 0x1f))))])
        .rw(0x801f),
];

pub(super) static PAGE_REQUEST: &[Register] = &[
    word("Page Request Control", 4).flags(flags::<PageRequestControl>).rw(1).acts(1 << 1),
    // What is raised, and whether it has stopped; whether PASIDs are required is a capability.
    word("Page Request Status", 6).flags(flags::<PageRequestStatus>).rw1c(3).status(0x103).rsvdz(),
    dword("Outstanding Page Request Capacity", 8),
    dword("Outstanding Page Request Allocation", 12).rw(!0),
];

pub(super) static PASID: &[Register] = &[
    word("PASID Capability", 4)
        .flags(flags::<PasidCapability>)
        .fields(&[number("Max PASID Width", 0x1f << 8)]),
    word("PASID Control", 6).flags(flags::<PasidControl>).rw(0xf),
];

static TPH: &[Register] = &[
    dword("TPH Requester Capability", 4).flags(flags::<TphCapability>).fields(&[
        named("ST Table Location", 3 << 9, &["not present", "TPH capability", "MSI-X table"]),
        computed("ST Table Size", 0x7ff << 16, plus_1),
    ]),
    dword("TPH Requester Control", 8)
        .fields(&[
            named("ST Mode Select", 7, &["no ST", "interrupt vector", "device specific"]),
            coded("TPH Requester Enable", 3 << 8, &[(0, "off"), (1, "TPH"), (3, "TPH and extended TPH")]),
        ])
        .rw(0x307),
];
static STEERING_TAG: &[Register] =
    &[word("TPH Steering Tag", 0).fields(&[hex("ST Lower", 0xff), hex("ST Upper", 0xff00)]).rw(0xffff)];

pub(super) fn place_steering_tags(map: &mut RegisterMap, structure: Structure, tph: TphRequester<'_>) {
    map.place(structure, TPH);
    if tph.capability().st_table_location() != SteeringTableLocation::Capability {
        return;
    }
    for (index, _) in (0..).zip(tph.st_table()) {
        map.place_entry(structure, STEERING_TAG, TphRequester::ST_TABLE + 2 * index, index);
    }
}

pub(super) static MR_IOV: &[Register] = &[
    dword("MR-IOV Capabilities", 0x04).unknown(),
    dword("MR-IOV Control", 0x08).unknown(),
    dword("MR-IOV Status", 0x0c).unknown(),
];

pub(super) static SHADOW_FUNCTIONS: &[Register] =
    &[dword("Shadow Functions Capability", 0x04), dword("Shadow Functions Control", 0x08).unknown()];

pub(super) static SIOV: &[Register] = &[
    dword("SIOV Capabilities", 0x04),
    word("Total SDIs", 0x08),
    byte("SIOV Status", 0x0b).unknown(),
    word("First SDI Offset", 0x0c),
    word("SDI Stride", 0x0e),
];
