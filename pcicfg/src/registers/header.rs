//! The registers of the header, by its type.

use super::{Field, Register, RegisterMap, Structure, bits, byte, dword, field, word};
use crate::ConfigSpace;
use crate::header::{BridgeControl, Command, HeaderType, Status};

/// Interrupt Status and the errors.
const STATUS_BITS: u32 = 0xf908;
/// The errors, at the same places as in Status.
const SECONDARY_STATUS_BITS: u32 = 0xf900;

/// What every type has.
const COMMON: &[Register] = &[
    word("Vendor ID", 0x00),
    word("Device ID", 0x02),
    word("Command", 0x04).flags(bits::<Command>),
    word("Status", 0x06).flags(bits::<Status>).status(STATUS_BITS),
    byte("Revision ID", 0x08),
    byte("Programming Interface", 0x09),
    word("Class Code", 0x0a),
    byte("Cache Line Size", 0x0c),
    byte("Latency Timer", 0x0d),
    byte("Header Type", 0x0e).fields(&[field("Layout", 0x7f), field("Multi-Function", 0x80)]),
    byte("BIST", 0x0f),
];

const ROM: &[Field] = &[field("Expansion ROM Enable", 1)];

const ENDPOINT: &[Register] = &[
    dword("Base Address 0", 0x10),
    dword("Base Address 1", 0x14),
    dword("Base Address 2", 0x18),
    dword("Base Address 3", 0x1c),
    dword("Base Address 4", 0x20),
    dword("Base Address 5", 0x24),
    dword("Cardbus CIS Pointer", 0x28),
    word("Subsystem Vendor ID", 0x2c),
    word("Subsystem ID", 0x2e),
    dword("Expansion ROM Base Address", 0x30).fields(ROM),
    byte("Capabilities Pointer", 0x34),
    byte("Interrupt Line", 0x3c),
    byte("Interrupt Pin", 0x3d),
    byte("Min_Gnt", 0x3e),
    byte("Max_Lat", 0x3f),
];

const SECONDARY_STATUS: &[Field] = &[
    field("66 MHz Capable", 1 << 5),
    field("Fast Back-to-Back Capable", 1 << 7),
    field("Master Data Parity Error", 1 << 8),
    field("DEVSEL Timing", 3 << 9),
    field("Signaled Target Abort", 1 << 11),
    field("Received Target Abort", 1 << 12),
    field("Received Master Abort", 1 << 13),
    field("Received System Error", 1 << 14),
    field("Detected Parity Error", 1 << 15),
];

const BRIDGE: &[Register] = &[
    dword("Base Address 0", 0x10),
    dword("Base Address 1", 0x14),
    byte("Primary Bus Number", 0x18),
    byte("Secondary Bus Number", 0x19),
    byte("Subordinate Bus Number", 0x1a),
    byte("Secondary Latency Timer", 0x1b),
    byte("I/O Base", 0x1c),
    byte("I/O Limit", 0x1d),
    word("Secondary Status", 0x1e).fields(SECONDARY_STATUS).status(SECONDARY_STATUS_BITS),
    word("Memory Base", 0x20),
    word("Memory Limit", 0x22),
    word("Prefetchable Memory Base", 0x24),
    word("Prefetchable Memory Limit", 0x26),
    dword("Prefetchable Base Upper 32 Bits", 0x28),
    dword("Prefetchable Limit Upper 32 Bits", 0x2c),
    word("I/O Base Upper 16 Bits", 0x30),
    word("I/O Limit Upper 16 Bits", 0x32),
    byte("Capabilities Pointer", 0x34),
    dword("Expansion ROM Base Address", 0x38).fields(ROM),
    byte("Interrupt Line", 0x3c),
    byte("Interrupt Pin", 0x3d),
    // Bit 10 is Discard Timer Status, an error.
    word("Bridge Control", 0x3e).flags(bits::<BridgeControl>).status(1 << 10),
];

const CARD_BUS: &[Register] = &[
    dword("CardBus Socket Base Address", 0x10),
    byte("Capabilities Pointer", 0x14),
    word("Secondary Status", 0x16).fields(SECONDARY_STATUS).status(SECONDARY_STATUS_BITS),
    byte("Primary Bus Number", 0x18),
    byte("CardBus Bus Number", 0x19),
    byte("Subordinate Bus Number", 0x1a),
    byte("CardBus Latency Timer", 0x1b),
    dword("Memory Base 0", 0x1c),
    dword("Memory Limit 0", 0x20),
    dword("Memory Base 1", 0x24),
    dword("Memory Limit 1", 0x28),
    dword("I/O Base 0", 0x2c),
    dword("I/O Limit 0", 0x30),
    dword("I/O Base 1", 0x34),
    dword("I/O Limit 1", 0x38),
    byte("Interrupt Line", 0x3c),
    byte("Interrupt Pin", 0x3d),
    // Its bits are others than those of a type 1 header: a name of its own keeps the two apart.
    word("CardBus Bridge Control", 0x3e),
];

pub(super) fn place(map: &mut RegisterMap, space: ConfigSpace<'_>) {
    map.place(Structure::Header, COMMON);
    match space.header().header_type() {
        HeaderType::Endpoint => map.place(Structure::Header, ENDPOINT),
        HeaderType::Bridge => map.place(Structure::Header, BRIDGE),
        HeaderType::CardBus => map.place(Structure::Header, CARD_BUS),
        // Nobody knows what stands there.
        HeaderType::Unknown(_) => {}
    }
}
