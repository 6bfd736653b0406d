//! The header's registers, by its type.

use crate::ConfigSpace;
use crate::bar::{Bar, Bars};
use crate::header::{BridgeControl, CardBusBridgeControl, Command, HeaderType, SecondaryStatus, Status};
use crate::registers::names::Index;
use crate::registers::table::{
    FieldRow, Register, address, bit, byte, bytes, dword, flags, hex, id, named, number, word,
};
use crate::registers::{RegisterMap, Structure, Value};

const DEVSEL: FieldRow = named("DEVSEL Timing", 3 << 9, &["fast", "medium", "slow"]);

/// What every type has.
static COMMON: &[Register] = &[
    word("Vendor ID", 0x00).fields(&[id("Vendor", 0xffff)]),
    word("Device ID", 0x02).fields(&[id("Device", 0xffff)]),
    // IDSEL Stepping is hardwired since PCI 3.0.
    word("Command", 0x04).flags(flags::<Command>).rw(0x077f),
    word("Status", 0x06).flags(flags::<Status>).fields(&[DEVSEL]).status(1 << 3).rw1c(0xf900).rsvdz(),
    byte("Revision ID", 0x08),
    byte("Programming Interface", 0x09),
    word("Class Code", 0x0a).fields(&[hex("Sub-Class", 0xff), hex("Base Class", 0xff00)]),
    byte("Cache Line Size", 0x0c).fields(&[bytes("Cache Line", 0xff, dwords)]).rw(0xff),
    byte("Latency Timer", 0x0d).rw(0xff),
    byte("Header Type", 0x0e).fields(&[number("Layout", 0x7f), bit("Multi-Function", 7)]),
    byte("BIST", 0x0f)
        .fields(&[number("Completion Code", 0x0f), bit("Start BIST", 6), bit("BIST Capable", 7)])
        .acts(1 << 6),
];

fn dwords(code: u32) -> Value {
    Value::Bytes(4 * u64::from(code))
}

const ROM: &[FieldRow] = &[
    bit("Expansion ROM Enable", 0),
    named(
        "Expansion ROM Validation Status",
        7 << 1,
        &[
            "not supported",
            "in progress",
            "valid contents, trust not tested",
            "valid and trusted contents",
            "invalid contents",
            "valid and untrusted contents",
            "warning: valid, trust not tested",
            "warning: valid and trusted",
        ],
    ),
    hex("Expansion ROM Validation Details", 0xf << 4),
    address("Expansion ROM Address", 0xffff_f800, 0),
];

const fn rom(at: u16) -> Register {
    dword("Expansion ROM Base Address", at).fields(ROM).rw(0xffff_f801)
}

static ENDPOINT: &[Register] = &[
    dword("Cardbus CIS Pointer", 0x28),
    word("Subsystem Vendor ID", 0x2c).fields(&[id("Subsystem Vendor", 0xffff)]),
    word("Subsystem ID", 0x2e).fields(&[id("Subsystem", 0xffff)]),
    rom(0x30),
    byte("Capabilities Pointer", 0x34),
    byte("Interrupt Line", 0x3c).rw(0xff),
    byte("Interrupt Pin", 0x3d).fields(&[PIN]),
    byte("Min_Gnt", 0x3e),
    byte("Max_Lat", 0x3f),
];

const PIN: FieldRow = named("Interrupt", 0xff, &["none", "INTA", "INTB", "INTC", "INTD"]);

const WIDE_IO: &[&str] = &["16-bit", "32-bit"];
const WIDE_MEMORY: &[&str] = &["32-bit", "64-bit"];

static BRIDGE: &[Register] = &[
    byte("Primary Bus Number", 0x18).rw(0xff),
    byte("Secondary Bus Number", 0x19).rw(0xff),
    byte("Subordinate Bus Number", 0x1a).rw(0xff),
    byte("Secondary Latency Timer", 0x1b).rw(0xff),
    byte("I/O Base", 0x1c)
        .fields(&[named("I/O Addressing Capability", 0xf, WIDE_IO), address("I/O Base Address", 0xf0, 8)])
        .rw(0xf0),
    byte("I/O Limit", 0x1d)
        .fields(&[named("I/O Addressing Capability", 0xf, WIDE_IO), address("I/O Limit Address", 0xf0, 8)])
        .rw(0xf0),
    word("Secondary Status", 0x1e).flags(flags::<SecondaryStatus>).fields(&[DEVSEL]).rw1c(0xf900).rsvdz(),
    word("Memory Base", 0x20).fields(&[address("Memory Base Address", 0xfff0, 16)]).rw(0xfff0),
    word("Memory Limit", 0x22).fields(&[address("Memory Limit Address", 0xfff0, 16)]).rw(0xfff0),
    word("Prefetchable Memory Base", 0x24)
        .fields(&[
            named("Prefetchable Addressing Capability", 0xf, WIDE_MEMORY),
            address("Prefetchable Base Address", 0xfff0, 16),
        ])
        .rw(0xfff0),
    word("Prefetchable Memory Limit", 0x26)
        .fields(&[
            named("Prefetchable Addressing Capability", 0xf, WIDE_MEMORY),
            address("Prefetchable Limit Address", 0xfff0, 16),
        ])
        .rw(0xfff0),
    dword("Prefetchable Base Upper 32 Bits", 0x28).rw(!0),
    dword("Prefetchable Limit Upper 32 Bits", 0x2c).rw(!0),
    word("I/O Base Upper 16 Bits", 0x30).rw(0xffff),
    word("I/O Limit Upper 16 Bits", 0x32).rw(0xffff),
    byte("Capabilities Pointer", 0x34),
    rom(0x38),
    byte("Interrupt Line", 0x3c).rw(0xff),
    byte("Interrupt Pin", 0x3d).fields(&[PIN]),
    // Bit 10 is Discard Timer Status, an error.
    word("Bridge Control", 0x3e).flags(flags::<BridgeControl>).rw(0x0bff).rw1c(1 << 10),
];

const MEMORY_WINDOW: u32 = 0xffff_f000;
const IO_WINDOW: u32 = 0xffff_fffc;

const fn memory_window(name: &'static str, at: u16) -> Register {
    dword(name, at).fields(const { &[address("Address", MEMORY_WINDOW, 0)] }).rw(MEMORY_WINDOW)
}

const fn io_window(name: &'static str, at: u16) -> Register {
    dword(name, at)
        .fields(const { &[named("I/O Addressing Capability", 3, WIDE_IO), address("Address", IO_WINDOW, 0)] })
        .rw(IO_WINDOW)
}

static CARD_BUS: &[Register] = &[
    dword("CardBus Socket Base Address", 0x10)
        .fields(&[address("Address", MEMORY_WINDOW, 0)])
        .rw(MEMORY_WINDOW),
    byte("Capabilities Pointer", 0x14),
    word("Secondary Status", 0x16).flags(flags::<SecondaryStatus>).fields(&[DEVSEL]).rw1c(0xf900).rsvdz(),
    byte("Primary Bus Number", 0x18).rw(0xff),
    byte("CardBus Bus Number", 0x19).rw(0xff),
    byte("Subordinate Bus Number", 0x1a).rw(0xff),
    byte("CardBus Latency Timer", 0x1b).rw(0xff),
    memory_window("Memory Base 0", 0x1c),
    memory_window("Memory Limit 0", 0x20),
    memory_window("Memory Base 1", 0x24),
    memory_window("Memory Limit 1", 0x28),
    io_window("I/O Base 0", 0x2c),
    io_window("I/O Limit 0", 0x30),
    io_window("I/O Base 1", 0x34),
    io_window("I/O Limit 1", 0x38),
    byte("Interrupt Line", 0x3c).rw(0xff),
    byte("Interrupt Pin", 0x3d).fields(&[PIN]),
    // Its bits are others than those of a type 1 header: a name of its own keeps the two apart.
    word("CardBus Bridge Control", 0x3e).flags(flags::<CardBusBridgeControl>).rw(0x07ef),
    word("Subsystem Vendor ID", 0x40).fields(&[id("Subsystem Vendor", 0xffff)]),
    word("Subsystem ID", 0x42).fields(&[id("Subsystem", 0xffff)]),
    dword("PC Card 16-Bit IF Legacy Mode Base Address", 0x44)
        .fields(&[address("Address", 0xffff_fffe, 0)])
        .rw(0xffff_fffe),
];

const SPACE: FieldRow = named("Space", 1, &["memory", "I/O"]);
const MEMORY_BAR: &[FieldRow] = &[
    SPACE,
    named("Type", 3 << 1, &["32-bit", "below 1 MiB", "64-bit"]),
    bit("Prefetchable", 3),
    address("Address", 0xffff_fff0, 0),
];
const IO_BAR: &[FieldRow] = &[SPACE, address("Address", 0xffff_fffc, 0)];

/// A Base Address Register: as one of memory, as one of I/O ports, and as the upper half of the one before.
struct BarRegisters {
    memory: Register,
    io: Register,
    upper: Register,
}

const fn bar(name: &'static str, at: u16) -> BarRegisters {
    BarRegisters {
        memory: dword(name, at).fields(MEMORY_BAR).rw(0xffff_fff0),
        io: dword(name, at).fields(IO_BAR).rw(0xffff_fffc),
        upper: dword(name, at).fields(const { &[hex("Address, upper half", !0)] }).rw(!0),
    }
}

static BARS: [BarRegisters; 6] = [
    bar("Base Address 0", 0x10),
    bar("Base Address 1", 0x14),
    bar("Base Address 2", 0x18),
    bar("Base Address 3", 0x1c),
    bar("Base Address 4", 0x20),
    bar("Base Address 5", 0x24),
];

static VF_BARS: [BarRegisters; 6] = [
    bar("VF Base Address 0", 0x24),
    bar("VF Base Address 1", 0x28),
    bar("VF Base Address 2", 0x2c),
    bar("VF Base Address 3", 0x30),
    bar("VF Base Address 4", 0x34),
    bar("VF Base Address 5", 0x38),
];

pub(in crate::registers) fn place(map: &mut RegisterMap, space: ConfigSpace<'_>) {
    map.place(Structure::Header, COMMON);
    match space.header().header_type() {
        HeaderType::Endpoint => {
            place_bars(map, Structure::Header, &BARS, space.header().bars());
            map.place(Structure::Header, ENDPOINT);
        }
        HeaderType::Bridge => {
            place_bars(map, Structure::Header, BARS.split_at(2).0, space.header().bars());
            map.place(Structure::Header, BRIDGE);
        }
        HeaderType::CardBus => map.place(Structure::Header, CARD_BUS),
        // Nobody knows what stands there.
        HeaderType::Unknown(_) => {}
    }
}

/// Places the Base Address Registers of the SR-IOV capability.
pub(super) fn place_vf_bars(map: &mut RegisterMap, structure: Structure, bars: Bars<'_>) {
    place_bars(map, structure, &VF_BARS, bars);
}

fn place_bars(
    map: &mut RegisterMap,
    structure: Structure,
    registers: &'static [BarRegisters],
    bars: Bars<'_>,
) {
    for found in bars {
        let mut place = |index: usize, which: fn(&'static BarRegisters) -> &'static Register| {
            if let Some(register) = registers.get(index).map(which) {
                map.place_one(structure, register, register.at, Index::default());
            }
        };
        let index = usize::from(found.index);
        match found.bar {
            Bar::Io { .. } => place(index, |bar| &bar.io),
            Bar::Memory64 { .. } => {
                place(index, |bar| &bar.memory);
                place(index + 1, |bar| &bar.upper);
            }
            Bar::Unset | Bar::Memory32 { .. } | Bar::Broken64 | Bar::Reserved { .. } => {
                place(index, |bar| &bar.memory);
            }
        }
    }
}
