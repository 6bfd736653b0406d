//! PCI Express: the link.

use super::super::RestrictedLink;
use super::express::port::*;
use super::express::{latency_l0s, latency_l1};
use super::{Body, Text, bits, index};

fn speed(code: u32) -> &'static str {
    match code {
        1 => "2.5GT/s",
        2 => "5GT/s",
        3 => "8GT/s",
        4 => "16GT/s",
        5 => "32GT/s",
        6 => "64GT/s",
        8 => "128GT/s",
        _ => "unknown",
    }
}

/// What is there against what could be. A port above the link may well do more than what is below.
fn compared(kind: u8, status: u32, capability: u32) -> &'static str {
    if status > capability {
        " (overdriven)"
    } else if status == capability || matches!(kind, ROOT_PORT | DOWNSTREAM | FROM_PCI) {
        ""
    } else {
        " (downgraded)"
    }
}

pub(super) fn write(text: &mut Text, body: Body<'_, '_>, kind: u8) {
    let capabilities = body.u32(0xc);
    write_capabilities(text, capabilities);
    let control = u32::from(body.u16(0x10));
    write_power_management(text, control);
    if matches!(kind, ROOT_PORT | ENDPOINT | LEGACY_ENDPOINT | TO_PCI) {
        text.str(if control & 8 != 0 { " RCB 128 bytes," } else { " RCB 64 bytes," });
    }
    text.flags(control, &[("LnkDisable", 4), ("CommClk", 6)]);
    write_control(text, control);
    text.flags(control, &[("FltModeDis", 13)]).end();
    write_status(text, body.u16(0x12), capabilities, kind);
}

/// The link of a restricted CXL device, which the system reads from the root complex.
pub(super) fn write_restricted(text: &mut Text, link: RestrictedLink) {
    if link.capabilities == 0 {
        return;
    }
    write_capabilities(text, link.capabilities);
    let control = u32::from(link.control);
    write_power_management(text, control);
    text.flags(control, &[("Disabled", 4), ("CommClk", 6)]);
    write_control(text, control);
    text.end();
    write_status(text, link.status, link.capabilities, INTEGRATED_ENDPOINT);
}

fn write_capabilities(text: &mut Text, capabilities: u32) {
    let (top_speed, top_width) = (bits(capabilities, 0, 4), bits(capabilities, 4, 6));
    text.str("\t\tLnkCap:\tPort #").dec((capabilities >> 24).into());
    text.str(", Speed ").str(speed(top_speed)).str(", Width x").dec(top_width.into());
    let (l0s, l1) = (latency_l0s(capabilities, 12), latency_l1(capabilities, 15));
    match bits(capabilities, 10, 2) {
        0 => text.str(", ASPM not supported"),
        1 => text.str(", ASPM L0s, Exit Latency L0s ").str(l0s),
        2 => text.str(", ASPM L1, Exit Latency L1 ").str(l1),
        _ => text.str(", ASPM L0s L1, Exit Latency L0s ").str(l0s).str(", L1 ").str(l1),
    };
    text.flag("\n\t\t\tClockPM", capabilities & 1 << 18 != 0)
        .flags(capabilities, &[("Surprise", 19), ("LLActRep", 20), ("BwNot", 21), ("ASPMOptComp", 22)])
        .end();
}

fn write_power_management(text: &mut Text, control: u32) {
    text.str("\t\tLnkCtl:\tASPM ");
    text.str(["Disabled;", "L0s Enabled;", "L1 Enabled;", "L0s L1 Enabled;"][index(control, 0, 2)]);
}

fn write_control(text: &mut Text, control: u32) {
    text.flag("\n\t\t\tExtSynch", control & 1 << 7 != 0)
        .flags(control, &[("ClockPM", 8), ("AutWidDis", 9), ("BWInt", 10), ("AutBWInt", 11)]);
}

fn write_status(text: &mut Text, status: u16, capabilities: u32, kind: u8) {
    let status = u32::from(status);
    let (top_speed, top_width) = (bits(capabilities, 0, 4), bits(capabilities, 4, 6));
    let (speed_now, width_now) = (bits(status, 0, 4), bits(status, 4, 6));
    text.str("\t\tLnkSta:\tSpeed ").str(speed(speed_now)).str(compared(kind, speed_now, top_speed));
    text.str(", Width x").dec(width_now.into()).str(compared(kind, width_now, top_width));
    text.flag("\n\t\t\tTrErr", status & 1 << 10 != 0)
        .flags(status, &[("Train", 11), ("SlotClk", 12), ("DLActive", 13), ("BWMgmt", 14), ("ABWMgmt", 15)])
        .end();
}

/// The registers that came with version 2 of the capability.
pub(super) fn write_2(text: &mut Text, body: Body<'_, '_>, kind: u8) {
    let address = body.subject.address();
    let mut capabilities = 0;
    // Of a device with several functions, the first one controls the link.
    if !matches!(kind, ENDPOINT | LEGACY_ENDPOINT) || address.devfn() == 0 {
        capabilities = body.u32(0x2c);
        if capabilities != 0 {
            write_capabilities_2(text, capabilities);
        }
        write_control_2(text, body.u16(0x30).into(), kind);
    }

    let status = u32::from(body.u16(0x32));
    text.str("\t\tLnkSta2: Current De-emphasis Level: ")
        .str(if status & 1 == 0 { "-6dB," } else { "-3.5dB," })
        .flags(status, &[("EqualizationComplete", 1), ("EqualizationPhase1", 2)])
        .str("\n\t\t\t")
        .flags(
            status,
            &[("EqualizationPhase2", 3), ("EqualizationPhase3", 4), ("LinkEqualizationRequest", 5)],
        )
        .str("\n\t\t\t")
        .flags(status, &[("Retimer", 6), ("2Retimers", 7)])
        .str(" CrosslinkRes: ")
        .str(["unsupported,", "Upstream Port,", "Downstream Port,", "incomplete,"][index(status, 8, 2)])
        .flags(status, &[("FltMode", 10)]);
    if matches!(kind, ROOT_PORT | DOWNSTREAM | FROM_PCI) && capabilities & 1 << 31 != 0 {
        text.str(",").flags(status, &[("DRS", 15)]).str("\n\t\t\t DownstreamComp: ").str(
            match bits(status, 12, 3) {
                0 => "Link Down - Not Determined",
                1 => "Link Down - Not Present",
                2 => "Link Down - Present",
                4 => "Link Up - Present",
                5 => "Link Up - Present and DRS Received",
                _ => "Reserved",
            },
        );
    }
    text.end();
}

fn write_capabilities_2(text: &mut Text, capabilities: u32) {
    const SPEEDS: [&str; 8] = [
        "Unknown",
        "2.5GT/s",
        "2.5-5GT/s",
        "2.5-8GT/s",
        "2.5-16GT/s",
        "2.5-32GT/s",
        "2.5-64GT/s",
        "2.5-128GT/s",
    ];
    // The highest speed counts: those below it must be there.
    let highest = u32::BITS - bits(capabilities, 1, 7).leading_zeros();
    text.str("\t\tLnkCap2: Supported Link Speeds: ")
        .str(SPEEDS[highest as usize & 7])
        .str(",")
        .flags(capabilities, &[("Crosslink", 8), ("Retimer", 23), ("2Retimers", 24), ("DRS", 31)])
        .end();
}

fn write_control_2(text: &mut Text, control: u32, kind: u8) {
    text.str("\t\tLnkCtl2: Target Link Speed: ")
        .str(match bits(control, 0, 4) {
            // Hardwired to 0 where there is but one speed.
            0 => "2.5GT/s",
            7 | 9.. => "Unknown",
            code => speed(code),
        })
        .str(",")
        .flags(control, &[("EnterCompliance", 4), ("SpeedDis", 5)]);
    if kind == DOWNSTREAM {
        text.str(", Selectable De-emphasis: ").str(if control & 1 << 6 == 0 { "-6dB" } else { "-3.5dB" });
    }
    text.str("\n\t\t\t Transmit Margin: ")
        .str(match bits(control, 7, 3) {
            0 => "Normal Operating Range,",
            1 => "800-1200mV(full-swing)/400-700mV(half-swing),",
            2..=5 => "200-400mV(full-swing)/100-200mV(half-swing),",
            _ => "Unknown,",
        })
        .flags(control, &[("EnterModifiedCompliance", 10), ("ComplianceSOS", 11)])
        .str("\n\t\t\t Compliance Preset/De-emphasis: ")
        .str(match bits(control, 12, 4) {
            0 => "-6dB de-emphasis, 0dB preshoot\n",
            1 => "-3.5dB de-emphasis, 0dB preshoot\n",
            2 => "-4.4dB de-emphasis, 0dB preshoot\n",
            3 => "-2.5dB de-emphasis, 0dB preshoot\n",
            4 => "0dB de-emphasis, 0dB preshoot\n",
            5 => "0dB de-emphasis, 1.9dB preshoot\n",
            6 => "0dB de-emphasis, 2.5dB preshoot\n",
            7 => "-6.0dB de-emphasis, 3.5dB preshoot\n",
            8 => "-3.5dB de-emphasis, 3.5dB preshoot\n",
            9 => "0dB de-emphasis, 3.5dB preshoot\n",
            _ => "Unknown\n",
        });
}
