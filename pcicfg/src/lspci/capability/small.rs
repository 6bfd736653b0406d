//! Capabilities of a line or two.

use super::super::names::Naming;
use super::{Body, Text, bits};

pub(super) fn write_slot_id(text: &mut Text, body: Body<'_, '_>) {
    text.str("Slot ID: ")
        .dec(bits(body.flags(), 0, 5).into())
        .str(" slots,")
        .flags(body.flags(), &[("First", 5)]);
    text.str(", chassis ").hex2((body.flags >> 8) as u8).end();
}

pub(super) fn write_debug_port(text: &mut Text, body: Body<'_, '_>) {
    text.str("Debug port: BAR=").dec((body.flags >> 13).into());
    text.str(" offset=").hex4(body.flags & 0x1fff).end();
}

pub(super) fn write_subsystem(text: &mut Text, body: Body<'_, '_>, naming: Naming<'_>) {
    // lspci does not end the line otherwise.
    if body.has(0, 8) {
        text.str("Subsystem: ");
        let device = (body.subject.vendor_id(), body.subject.device_id());
        naming.subsystem(text, device, (body.u16(4), body.u16(6)));
        text.end();
    }
}

pub(super) fn write_sata(text: &mut Text, body: Body<'_, '_>) {
    text.str("SATA HBA v").dec(bits(body.flags(), 4, 4).into()).str(".").dec(bits(body.flags(), 0, 4).into());
    if body.details() && body.has(4, 4) {
        let place = body.u32(4);
        match bits(place, 0, 4) {
            bar @ 4..=9 => {
                text.str(" BAR").dec((bar - 4).into()).str(" Offset=").hex8(bits(place, 4, 20));
            }
            15 => _ = text.str(" InCfgSpace"),
            bar => _ = text.str(" BAR??").dec(bar.into()),
        }
    }
    text.end();
}

pub(super) fn write_advanced_features(text: &mut Text, body: Body<'_, '_>) {
    text.str("PCI Advanced Features\n");
    if body.details() && body.has(3, 3) {
        text.str("\t\tAFCap:").flags(body.u8(3).into(), &[("TP", 0), ("FLR", 1)]);
        text.str("\n\t\tAFCtrl:").flags(body.u8(4).into(), &[("FLR", 0)]);
        text.str("\n\t\tAFStatus:").flags(body.u8(5).into(), &[("TP", 0)]).end();
    }
}
