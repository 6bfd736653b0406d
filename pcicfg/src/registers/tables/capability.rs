//! Which registers a capability of the first 256 bytes has.

use super::{conventional, express, hyper_transport, vendor};
use crate::capability::{
    Capability, CapabilityEntry, EnhancedAllocation, EnhancedAllocationFlags, IommuCapabilityHeader, Msi,
    MsiMessageControl,
};
use crate::registers::names::Index;
use crate::registers::table::{
    FieldRow, Register, address, bit, byte, computed, dword, flags, hex, named, number, word,
};
use crate::registers::{RegisterMap, Structure, Value};

/// What every capability begins with.
static HEADER: &[Register] = &[byte("Capability ID", 0), byte("Next Capability Pointer", 1)];

fn structure(entry: CapabilityEntry<'_>) -> Structure {
    Structure::Capability { id: entry.id(), offset: entry.offset() }
}

/// Notes the capability, and places what it begins with.
pub(in crate::registers) fn place_head(map: &mut RegisterMap, entry: CapabilityEntry<'_>) {
    map.structures.push(structure(entry));
    map.place(structure(entry), HEADER);
}

/// Places its other registers.
pub(in crate::registers) fn place(map: &mut RegisterMap, entry: CapabilityEntry<'_>) {
    let structure = structure(entry);
    let Ok(capability) = entry.decode() else { return };
    match capability {
        Capability::Msi(msi) => place_msi(map, structure, msi),
        Capability::PciX(_) => map.place(structure, conventional::PCI_X),
        Capability::PciXBridge(_) => map.place(structure, conventional::PCI_X_BRIDGE),
        Capability::VendorSpecific(specific) => vendor::place(map, structure, specific),
        Capability::PciExpress(capability) => express::place(map, structure, capability),
        Capability::EnhancedAllocation(allocation) => place_enhanced_allocation(map, structure, allocation),
        Capability::HyperTransport(link) => hyper_transport::place(map, structure, link),
        Capability::SecureDevice(iommu) => {
            map.place(structure, conventional::of(entry.id()));
            if iommu.header().contains(IommuCapabilityHeader::CAPABILITY_EXTENSION) {
                map.place(structure, conventional::SECURE_DEVICE_EXTENSION);
            }
        }
        Capability::Sata(sata) => {
            map.place(structure, conventional::of(entry.id()));
            if sata.index_data_pair().is_some() {
                map.place(structure, conventional::SATA_INDEX_DATA);
            }
        }
        _ => map.place(structure, conventional::of(entry.id())),
    }
}

fn vectors(code: u32) -> Value {
    match code {
        0..=5 => Value::Number(1 << code),
        _ => Value::Reserved(code),
    }
}

static MSI_CONTROL: &[Register] = &[
    word("MSI Message Control", 2)
        .flags(flags::<MsiMessageControl>)
        .fields(&[
            computed("Multiple Message Capable", 7 << 1, vectors),
            computed("Multiple Message Enable", 7 << 4, vectors),
        ])
        .rw(0x0471),
    dword("MSI Message Address", 4).fields(&[address("Address", 0xffff_fffc, 0)]).rw(0xffff_fffc),
];
static MSI_UPPER_ADDRESS: &[Register] = &[dword("MSI Message Upper Address", 8).rw(!0)];
static MSI_DATA: Register = word("MSI Message Data", 0).rw(0xffff);
static MSI_EXTENDED_DATA: Register = word("MSI Extended Message Data", 0).rw(0xffff);
static MSI_MASK: Register = dword("MSI Mask Bits", 0).rw(!0);
static MSI_PENDING: Register = dword("MSI Pending Bits", 0).status(!0);

fn place_msi(map: &mut RegisterMap, structure: Structure, msi: Msi<'_>) {
    let control = msi.message_control();
    let mut place = |register: &'static Register, at: u16| {
        map.place_one(structure, register, at, Index::default());
    };
    place(&MSI_DATA, control.message_data_offset());
    if control.contains(MsiMessageControl::EXTENDED_MESSAGE_DATA_CAPABLE) {
        place(&MSI_EXTENDED_DATA, control.message_data_offset() + 2);
    }
    if let (Some(mask), Some(pending)) = (control.mask_bits_offset(), control.pending_bits_offset()) {
        place(&MSI_MASK, mask);
        place(&MSI_PENDING, pending);
    }
    map.place(structure, MSI_CONTROL);
    if control.contains(MsiMessageControl::ADDRESS_64_BIT_CAPABLE) {
        map.place(structure, MSI_UPPER_ADDRESS);
    }
}

static ENHANCED_ALLOCATION: &[Register] =
    &[word("EA Number of Entries", 2).fields(&[number("Num Entries", 0x3f)])];
static FIXED_BUS_NUMBERS: &[Register] =
    &[byte("Fixed Secondary Bus Number", 4), byte("Fixed Subordinate Bus Number", 5)];

const PROPERTIES: &[&str] = &[
    "memory",
    "prefetchable memory",
    "I/O",
    "VF prefetchable memory",
    "VF memory",
    "memory behind bridge",
    "prefetchable memory behind bridge",
    "I/O behind bridge",
];

/// The last three codes count from the end.
fn properties(code: u32) -> Value {
    match code {
        0xfd => Value::Name("unavailable memory"),
        0xfe => Value::Name("unavailable I/O"),
        0xff => Value::Name("unavailable"),
        _ => PROPERTIES.get(code as usize).map_or(Value::Reserved(code), |name| Value::Name(name)),
    }
}

const EA_FIELDS: &[FieldRow] = &[
    number("Entry Size", 7),
    named(
        "BAR Equivalent Indicator",
        0xf << 4,
        &[
            "BAR 0",
            "BAR 1",
            "BAR 2",
            "BAR 3",
            "BAR 4",
            "BAR 5",
            "behind bridge",
            "not indicated",
            "expansion ROM",
            "VF BAR 0",
            "VF BAR 1",
            "VF BAR 2",
            "VF BAR 3",
            "VF BAR 4",
            "VF BAR 5",
        ],
    ),
    computed("Primary Properties", 0xff << 8, properties),
    computed("Secondary Properties", 0xff << 16, properties),
];
static EA_ENTRY: Register =
    dword("EA Entry", 0).flags(flags::<EnhancedAllocationFlags>).fields(EA_FIELDS).rw(1 << 31);

const WIDE: FieldRow = bit("64-Bit", 1);
const fn ea_low(name: &'static str, writable: u32) -> Register {
    dword(name, 0).fields(const { &[WIDE, address("Address", 0xffff_fffc, 0)] }).rw(writable)
}
const fn ea_high(name: &'static str, writable: u32) -> Register {
    dword(name, 0).fields(const { &[hex("Address, upper half", !0)] }).rw(writable)
}

/// Base, MaxOffset and their upper halves: of entries that cannot be written, and of those that can.
static EA_ADDRESSES: [[Register; 4]; 2] = [
    [
        ea_low("EA Base", 0),
        ea_low("EA MaxOffset", 0),
        ea_high("EA Base Upper 32 Bits", 0),
        ea_high("EA MaxOffset Upper 32 Bits", 0),
    ],
    [
        ea_low("EA Base", 0xffff_fffc),
        ea_low("EA MaxOffset", 0xffff_fffc),
        ea_high("EA Base Upper 32 Bits", !0),
        ea_high("EA MaxOffset Upper 32 Bits", !0),
    ],
];

fn place_enhanced_allocation(
    map: &mut RegisterMap,
    structure: Structure,
    allocation: EnhancedAllocation<'_>,
) {
    map.place(structure, ENHANCED_ALLOCATION);
    if allocation.fixed_bus_numbers().is_some() {
        map.place(structure, FIXED_BUS_NUMBERS);
    }
    for (index, entry) in (0..).zip(allocation.entries()) {
        let index = Index(Some(index), None);
        let start = entry.offset.saturating_sub(structure.offset());
        map.place_one(structure, &EA_ENTRY, start, index);
        let writable = entry.flags.contains(EnhancedAllocationFlags::WRITABLE);
        let [base, max_offset, base_high, max_offset_high] = &EA_ADDRESSES[usize::from(writable)];
        // The upper halves follow the lower ones, where they exist.
        let registers = [
            (true, base),
            (true, max_offset),
            (entry.base_is_64_bit, base_high),
            (entry.max_offset_is_64_bit, max_offset_high),
        ];
        let existing = registers.into_iter().filter(|(exists, _)| *exists);
        for (number, (_, register)) in (1..=u16::from(entry.flags.entry_size())).zip(existing) {
            map.place_one(structure, register, start + 4 * number, index);
        }
    }
}
