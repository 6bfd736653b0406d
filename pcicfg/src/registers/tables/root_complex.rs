//! What is inside of a root complex.

use super::express::{ASPM, l0s_latency, l1_latency, speed, speeds, width};
use crate::extended::{
    EventCollectorAssociation, RcrbCapabilities, RcrbControl, RootComplexLinkControl,
    RootComplexLinkDeclaration, RootComplexLinkDescription,
};
use crate::registers::table::{
    Register, byte, computed, duration, dword, flags, hex, id, lanes, named, number, word,
};
use crate::registers::{RegisterMap, Structure};

static LINK_DECLARATION: &[Register] = &[dword("Element Self Description", 0x04).fields(&[
    named(
        "Element Type",
        0xf,
        &["configuration space element", "system egress port", "internal root complex link"],
    ),
    number("Number of Link Entries", 0xff << 8),
    number("Component ID", 0xff << 16),
    number("Port Number", 0xff << 24),
])];
static LINK_ENTRY: &[Register] = &[
    dword("Link Description", 0x00)
        .flags(flags::<RootComplexLinkDescription>)
        .fields(&[number("Target Component ID", 0xff << 16), number("Target Port Number", 0xff << 24)]),
    dword("Link Address, lower half", 0x08),
    dword("Link Address, upper half", 0x0c),
];

pub(super) fn place_links(
    map: &mut RegisterMap,
    structure: Structure,
    links: RootComplexLinkDeclaration<'_>,
) {
    type Links<'a> = RootComplexLinkDeclaration<'a>;
    map.place(structure, LINK_DECLARATION);
    for (index, _) in (0..).zip(links.entries()) {
        map.place_entry(structure, LINK_ENTRY, Links::LINK_ENTRIES + Links::LINK_ENTRY_SIZE * index, index);
    }
}

pub(super) static INTERNAL_LINK: &[Register] = &[
    dword("Root Complex Link Capabilities", 0x04).fields(&[
        computed("Max Link Speed", 0xf, speed),
        lanes("Maximum Link Width", 0x3f << 4, width),
        named("ASPM Support", 3 << 10, ASPM),
        duration("L0s Exit Latency", 7 << 12, |code| l0s_latency(code, "more than 4 us")),
        duration("L1 Exit Latency", 7 << 15, |code| l1_latency(code, "more than 64 us")),
        computed("Supported Link Speeds Vector", 0x7f << 18, speeds),
    ]),
    word("Root Complex Link Control", 0x08)
        .flags(flags::<RootComplexLinkControl>)
        .fields(&[named("ASPM Control", 3, ASPM)])
        .rw(0x83),
    word("Root Complex Link Status", 0x0a).fields(&[
        computed("Current Link Speed", 0xf, speed),
        lanes("Negotiated Link Width", 0x3f << 4, width),
    ]),
];

static EVENT_COLLECTOR: &[Register] =
    &[dword("Association Bitmap for RCiEPs", 0x04).fields(&[hex("Devices", !0)])];
static ASSOCIATED_BUSES: &[Register] = &[byte("RCEC Next Bus", 0x09), byte("RCEC Last Bus", 0x0a)];

pub(super) fn place_event_collector(
    map: &mut RegisterMap,
    structure: Structure,
    collector: EventCollectorAssociation<'_>,
) {
    map.place(structure, EVENT_COLLECTOR);
    if collector.associated_bus_numbers().is_some() {
        map.place(structure, ASSOCIATED_BUSES);
    }
}

pub(super) static REGISTER_BLOCK: &[Register] = &[
    word("RCRB Vendor ID", 0x04).fields(&[id("Vendor", 0xffff)]),
    word("RCRB Device ID", 0x06).fields(&[id("Device", 0xffff)]),
    dword("RCRB Capabilities", 0x08).flags(flags::<RcrbCapabilities>),
    dword("RCRB Control", 0x0c).flags(flags::<RcrbControl>).rw(1),
];

pub(super) static ACCESS_CORRELATION: &[Register] = &[dword("Device Correlation", 0x04).unknown()];
