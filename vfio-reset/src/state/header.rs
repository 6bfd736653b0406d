//! **Which dwords of a header are restored**, of an endpoint and of a bridge.
//!
//! Command is not here: [`super::registers`] writes it last of all.

use super::{RegisterWrite, WriteRule};
use pcicfg::ConfigSpace;
use pcicfg::header::{BridgeControl, HeaderType};
use std::time::Duration;

/// Bit 10 of Bridge Control, Discard Timer Status: cleared by writing 1, so it is neither written
/// nor compared.
const DISCARD_TIMER_STATUS: u16 = 1 << 10;

/// A dword of the header: its number, the bits that may be written, and its name.
struct HeaderDword {
    number: u16,
    writable: u32,
    name: &'static str,
}

const fn dword(number: u16, writable: u32, name: &'static str) -> HeaderDword {
    HeaderDword { number, writable, name }
}

const BIST_STAYS_OFF: u32 = 0x00ff_ffff;

/// Type 0, in the order in which they go back: BARs after what is above them, as the kernel does.
const ENDPOINT: &[HeaderDword] = &[
    dword(15, !0, "Interrupt Line"),
    dword(12, !0, "Expansion ROM Base Address"),
    dword(10, !0, "Cardbus CIS Pointer"),
    dword(9, !0, "Base Address 5"),
    dword(8, !0, "Base Address 4"),
    dword(7, !0, "Base Address 3"),
    dword(6, !0, "Base Address 2"),
    dword(5, !0, "Base Address 1"),
    dword(4, !0, "Base Address 0"),
    dword(3, BIST_STAYS_OFF, "Cache Line Size"),
];

/// Type 1: all sixteen but Command, in one pass. What is read-only among them ignores the write;
/// some bridges need to see it.
const BRIDGE: &[HeaderDword] = &[
    dword(
        15,
        !(((BridgeControl::SECONDARY_BUS_RESET.bits() | DISCARD_TIMER_STATUS) as u32) << 16),
        "Bridge Control",
    ),
    dword(14, !0, "Expansion ROM Base Address"),
    dword(13, !0, "Capabilities Pointer"),
    dword(12, !0, "I/O Base and Limit Upper 16 Bits"),
    dword(11, !0, "Prefetchable Limit Upper 32 Bits"),
    dword(10, !0, "Prefetchable Base Upper 32 Bits"),
    dword(9, !0, "Prefetchable Memory Base and Limit"),
    dword(8, !0, "Memory Base and Limit"),
    // The upper half is Secondary Status, cleared by writing 1.
    dword(7, 0x0000_ffff, "I/O Base and Limit"),
    dword(6, !0, "Bus Numbers"),
    dword(5, !0, "Base Address 1"),
    dword(4, !0, "Base Address 0"),
    dword(3, BIST_STAYS_OFF, "Cache Line Size"),
    dword(2, !0, "Class Code"),
    dword(0, !0, "Vendor ID"),
];

/// Whether a bridge's header is rewritten even where it already reads right.
///
/// `IfDifferent` is what the kernel does for most of it, and exists to show what that breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BridgeHeaders {
    /// All dwords, unconditionally.
    #[default]
    Forced,
    /// Only dwords that read differently.
    IfDifferent,
}

/// The header's writes, in order.
pub(super) fn writes(image: ConfigSpace<'_>, bridges: BridgeHeaders) -> Vec<RegisterWrite> {
    let (dwords, rule) = match (image.header().header_type(), bridges) {
        (HeaderType::Endpoint, _) => (ENDPOINT, WriteRule::IfDifferent),
        (HeaderType::Bridge, BridgeHeaders::Forced) => (BRIDGE, WriteRule::Always),
        (HeaderType::Bridge, BridgeHeaders::IfDifferent) => (BRIDGE, WriteRule::IfDifferent),
        // A CardBus bridge's windows end beyond 64 bytes, and no one passes one through.
        (HeaderType::CardBus | HeaderType::Unknown(_), _) => (&[][..], WriteRule::IfDifferent),
    };
    let write = |dword: &HeaderDword| {
        let offset = dword.number * 4;
        let value = image.read_u32(offset)? & dword.writable;
        Some(RegisterWrite {
            register: dword.name,
            offset,
            width: 4,
            value,
            compare: dword.writable,
            rule,
            settle: Duration::ZERO,
        })
    };
    dwords.iter().filter_map(write).collect()
}
