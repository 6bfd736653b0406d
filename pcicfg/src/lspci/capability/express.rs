//! PCI Express: what the function is, and its Device registers.

use super::super::bars;
use super::{Body, Text, bits, express_link, express_port, index};

/// Device/Port Type, by number: lspci knows more of some than of others.
pub(super) mod port {
    pub(crate) const ENDPOINT: u8 = 0;
    pub(crate) const LEGACY_ENDPOINT: u8 = 1;
    pub(crate) const ROOT_PORT: u8 = 4;
    pub(crate) const UPSTREAM: u8 = 5;
    pub(crate) const DOWNSTREAM: u8 = 6;
    pub(crate) const TO_PCI: u8 = 7;
    pub(crate) const FROM_PCI: u8 = 8;
    pub(crate) const INTEGRATED_ENDPOINT: u8 = 9;
    pub(crate) const EVENT_COLLECTOR: u8 = 10;
}
use port::*;

const L0S: [&str; 8] = ["<64ns", "<128ns", "<256ns", "<512ns", "<1us", "<2us", "<4us", "unlimited"];
const L1: [&str; 8] = ["<1us", "<2us", "<4us", "<8us", "<16us", "<32us", "<64us", "unlimited"];

/// A latency of L0s, in the encoding of Device and Link Capabilities.
pub(super) fn latency_l0s(register: u32, bit: u32) -> &'static str {
    L0S[index(register, bit, 3)]
}

/// A latency of L1, in the encoding of Device and Link Capabilities.
pub(super) fn latency_l1(register: u32, bit: u32) -> &'static str {
    L1[index(register, bit, 3)]
}

/// Device/Port Type in PCI Express Capabilities.
pub(super) fn kind(flags: u16) -> u8 {
    (flags >> 4 & 0xf) as u8
}

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    let flags = body.flags();
    let kind = kind(body.flags);
    let slot = matches!(kind, ROOT_PORT | DOWNSTREAM | FROM_PCI) && flags & 1 << 8 != 0;
    let link = !matches!(kind, INTEGRATED_ENDPOINT | EVENT_COLLECTOR);
    let root = matches!(kind, ROOT_PORT | EVENT_COLLECTOR);
    text.str("Express ");
    if body.details() {
        text.str("(v").dec(bits(flags, 0, 4).into()).str(") ");
    }
    match kind {
        ENDPOINT => text.str("Endpoint"),
        LEGACY_ENDPOINT => text.str("Legacy Endpoint"),
        ROOT_PORT => text.flag("Root Port (Slot", slot).str(")"),
        UPSTREAM => text.str("Upstream Port"),
        DOWNSTREAM => text.flag("Downstream Port (Slot", slot).str(")"),
        TO_PCI => text.str("PCI-Express to PCI/PCI-X Bridge"),
        FROM_PCI => text.flag("PCI/PCI-X to PCI-Express Bridge (Slot", slot).str(")"),
        INTEGRATED_ENDPOINT => text.str("Root Complex Integrated Endpoint"),
        EVENT_COLLECTOR => text.str("Root Complex Event Collector"),
        _ => text.str("Unknown type ").dec(kind.into()),
    };
    text.str(", IntMsgNum ").dec(bits(flags, 9, 5).into());
    text.str(if flags & 1 << 15 != 0 { ", FLIT Mode Supported\n" } else { "\n" });
    let size = match (root, slot) {
        (true, _) => 32,
        (false, true) => 24,
        (false, false) => 16,
    };
    if !body.details() || !body.has(4, size) {
        return;
    }
    write_device(text, body, kind);
    if link {
        express_link::write(text, body, kind);
    } else if let Some(link) = body.subject.system().and_then(|system| system.restricted_link) {
        express_link::write_restricted(text, link);
    }
    if slot {
        express_port::write_slot(text, body);
    }
    if root {
        express_port::write_root(text, body);
    }
    // The registers from 24h on came with version 2.
    if bits(flags, 0, 4) >= 2 && body.has(0x24, if slot { 24 } else { 16 }) {
        write_device_2(text, body, kind);
        if link {
            express_link::write_2(text, body, kind);
        }
    }
}

fn write_device(text: &mut Text, body: Body<'_, '_>, kind: u8) {
    let capabilities = body.u32(4);
    text.str("\t\tDevCap:\tMaxPayload ").dec(128 << bits(capabilities, 0, 3));
    text.str(" bytes, PhantFunc ").dec((1 << bits(capabilities, 3, 2)) - 1);
    if matches!(kind, ENDPOINT | LEGACY_ENDPOINT) {
        text.str(", Latency L0s ").str(latency_l0s(capabilities, 6));
        text.str(", L1 ").str(latency_l1(capabilities, 9));
    }
    text.flag("\n\t\t\tExtTag", capabilities & 1 << 5 != 0);
    if matches!(kind, ENDPOINT | LEGACY_ENDPOINT | UPSTREAM | TO_PCI) {
        text.flags(capabilities, &[("AttnBtn", 12), ("AttnInd", 13), ("PwrInd", 14)]);
    }
    text.flags(capabilities, &[("RBE", 15)]);
    let may_reset = matches!(kind, ENDPOINT | LEGACY_ENDPOINT | INTEGRATED_ENDPOINT);
    if may_reset {
        text.flags(capabilities, &[("FLReset", 28)]);
    }
    if matches!(kind, ENDPOINT | UPSTREAM | TO_PCI) {
        text.str(" SlotPowerLimit ");
        express_port::write_power_limit(text, bits(capabilities, 18, 8), bits(capabilities, 26, 2));
    }
    text.flags(capabilities, &[("TEE-IO", 30)]);

    let control = u32::from(body.u16(8));
    text.str("\n\t\tDevCtl:\tCorrErr")
        .flag("", control & 1 != 0)
        .flags(control, &[("NonFatalErr", 1), ("FatalErr", 2), ("UnsupReq", 3)])
        .flag("\n\t\t\tRlxdOrd", control & 1 << 4 != 0)
        .flags(control, &[("ExtTag", 8), ("PhantFunc", 9), ("AuxPwr", 10), ("NoSnoop", 11)]);
    if kind == TO_PCI {
        text.flags(control, &[("BrConfRtry", 15)]);
    }
    if may_reset && capabilities & 1 << 28 != 0 {
        text.flags(control, &[("FLReset", 15)]);
    }
    text.str("\n\t\t\tMaxPayload ").dec(128 << bits(control, 5, 3));
    text.str(" bytes, MaxReadReq ").dec(128 << bits(control, 12, 3));

    let status = u32::from(body.u16(0xa));
    text.flag(" bytes\n\t\tDevSta:\tCorrErr", status & 1 != 0)
        .flags(
            status,
            &[("NonFatalErr", 1), ("FatalErr", 2), ("UnsupReq", 3), ("AuxPwr", 4), ("TransPend", 5)],
        )
        .end();
}

fn timeout_range(capabilities: u32) -> &'static str {
    match bits(capabilities, 0, 4) {
        0 => "Not Supported",
        1 => "Range A",
        2 => "Range B",
        3 => "Range AB",
        6 => "Range BC",
        7 => "Range ABC",
        14 => "Range BCD",
        15 => "Range ABCD",
        _ => "Unknown",
    }
}

fn timeout(control: u32) -> &'static str {
    match bits(control, 0, 4) {
        0 => "50us to 50ms",
        1 => "50us to 100us",
        2 => "1ms to 10ms",
        5 => "16ms to 55ms",
        6 => "65ms to 210ms",
        9 => "260ms to 900ms",
        10 => "1s to 3.5s",
        13 => "4s to 13s",
        14 => "17s to 64s",
        _ => "Unknown",
    }
}

fn write_device_2(text: &mut Text, body: Body<'_, '_>, kind: u8) {
    let port = matches!(kind, ROOT_PORT | UPSTREAM | DOWNSTREAM);
    let forwards = matches!(kind, ROOT_PORT | DOWNSTREAM);
    write_capabilities_2(text, body.u32(0x24), kind, has_memory(body));

    let control = u32::from(body.u16(0x28));
    text.str("\t\tDevCtl2: Completion Timeout: ").str(timeout(control)).str(",");
    text.flags(control, &[("TimeoutDis", 4)]);
    if forwards {
        text.flags(control, &[("ARIFwd", 5)]);
    }
    text.end();
    let requests = matches!(kind, ROOT_PORT | ENDPOINT | INTEGRATED_ENDPOINT | LEGACY_ENDPOINT);
    if port || requests {
        text.str("\t\t\t AtomicOpsCtl:");
        if requests {
            text.flags(control, &[("ReqEn", 6)]);
        }
        if port {
            text.flags(control, &[("EgressBlck", 7)]);
        }
        text.end();
    }
    text.str("\t\t\t")
        .flags(control, &[("IDOReq", 8), ("IDOCompl", 9), ("LTR", 10), ("EmergencyPowerReductionReq", 11)])
        .str("\n\t\t\t")
        .flags(control, &[("10BitTagReq", 12)])
        .str(" OBFF ")
        .str(["Disabled", "Via message A", "Via message B", "Via WAKE#"][index(control, 13, 2)])
        .str(",")
        .flags(control, &[("EETLPPrefixBlk", 15)])
        .end();
}

fn write_capabilities_2(text: &mut Text, capabilities: u32, kind: u8, has_memory: bool) {
    text.str("\t\tDevCap2: Completion Timeout: ")
        .str(timeout_range(capabilities))
        .str(",")
        .flags(capabilities, &[("TimeoutDis", 4), ("NROPrPrP", 10), ("LTR", 11)])
        .str("\n\t\t\t")
        .flags(capabilities, &[("10BitTagComp", 16), ("10BitTagReq", 17)])
        .str(" OBFF ")
        .str(["Not Supported", "Via message", "Via WAKE#", "Via message/WAKE#"][index(capabilities, 18, 2)])
        .str(",")
        .flags(capabilities, &[("ExtFmt", 20), ("EETLPPrefix", 21)]);
    if capabilities & 1 << 21 != 0 {
        // 0 means 4.
        let prefixes = (bits(capabilities, 22, 2) + 3) % 4 + 1;
        text.str(", MaxEETLPPrefixes ").dec(prefixes.into());
    }
    const REDUCTION: [&str; 4] = ["Not Supported", "Dev Specific", "Form Factor Dev Specific", "Reserved"];
    text.str("\n\t\t\t EmergencyPowerReduction ")
        .str(REDUCTION[index(capabilities, 24, 2)])
        .str(",")
        .flags(capabilities, &[("EmergencyPowerReductionInit", 26)])
        .str("\n\t\t\t")
        .flags(capabilities, &[("FRS", 31)]);
    if kind == ROOT_PORT {
        const LINES: [&str; 4] = ["Not Supported", "64byte cachelines", "128byte cachelines", "Reserved"];
        text.str(" LN System CLS ").str(LINES[index(capabilities, 14, 2)]).str(",");
    }
    if matches!(kind, ROOT_PORT | ENDPOINT) {
        const HINTS: [&str; 4] =
            [" TPHComp- ExtTPHComp-", " TPHComp+ ExtTPHComp-", " ", " TPHComp+ ExtTPHComp+"];
        text.str(HINTS[index(capabilities, 12, 2)]);
    }
    if matches!(kind, ROOT_PORT | DOWNSTREAM) {
        text.flags(capabilities, &[("ARIFwd", 5)]);
    }
    text.end();
    let port = matches!(kind, ROOT_PORT | UPSTREAM | DOWNSTREAM);
    if port || has_memory {
        text.str("\t\t\t AtomicOpsCap:");
        if port {
            text.flags(capabilities, &[("Routing", 6)]);
        }
        if kind == ROOT_PORT || has_memory {
            text.flags(capabilities, &[("32bit", 7), ("64bit", 8), ("128bitCAS", 9)]);
        }
        text.end();
    }
}

/// Whether a base address register of the function decodes memory.
fn has_memory(body: Body<'_, '_>) -> bool {
    bars::bases(body.subject)
        .iter()
        .any(|base| (base.address != 0 || base.size != 0) && base.address & 1 == 0)
}
