//! PCI-X.

use super::{Body, Text, bits, index};

const OUTSTANDING: [u8; 8] = [1, 2, 3, 4, 8, 12, 16, 32];
const FREQUENCY: [&str; 8] = ["conv", "66MHz", "100MHz", "133MHz", "?4", "?5", "?6", "?7"];

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    match body.subject.header_type() {
        0 => write_device(text, body),
        1 => write_bridge(text, body),
        // lspci says nothing, and does not even end the line.
        _ => {}
    }
}

/// ` Dev=bus:device.function` of Status.
fn write_self(text: &mut Text, status: u32) {
    text.str(" Dev=").hex2((status >> 8) as u8).str(":").hex2(bits(status, 3, 5) as u8);
    text.str(".").dec(bits(status, 0, 3).into());
}

fn write_device(text: &mut Text, body: Body<'_, '_>) {
    text.str("PCI-X non-bridge device\n");
    if !body.details() || !body.has(4, 4) {
        return;
    }
    let command = body.flags();
    text.str("\t\tCommand:")
        .flags(command, &[("DPERE", 0), ("ERO", 1)])
        .str(" RBC=")
        .dec(512 << bits(command, 2, 2))
        .str(" OST=")
        .dec(OUTSTANDING[index(command, 4, 3)].into())
        .end();
    let status = body.u32(4);
    text.str("\t\tStatus:");
    write_self(text, status);
    text.flags(status, &[("64bit", 16), ("133MHz", 17), ("SCD", 18), ("USC", 19)])
        .str(" DC=")
        .str(if status & 1 << 20 != 0 { "bridge" } else { "simple" })
        .str(" DMMRBC=")
        .dec(512 << bits(status, 21, 2))
        .str(" DMOST=")
        .dec(OUTSTANDING[index(status, 23, 3)].into())
        .str(" DMCRS=")
        .dec(8 << bits(status, 26, 3))
        .flags(status, &[("RSCEM", 29), ("266MHz", 30), ("533MHz", 31)])
        .end();
}

fn write_bridge(text: &mut Text, body: Body<'_, '_>) {
    text.str("PCI-X bridge device\n");
    if !body.details() || !body.has(4, 12) {
        return;
    }
    let secondary = body.flags();
    text.str("\t\tSecondary Status:")
        .flags(secondary, &[("64bit", 0), ("133MHz", 1), ("SCD", 2), ("USC", 3), ("SCO", 4), ("SRD", 5)])
        .str(" Freq=")
        .str(FREQUENCY[index(secondary, 6, 3)])
        .end();
    let status = body.u32(4);
    text.str("\t\tStatus:");
    write_self(text, status);
    text.flags(status, &[("64bit", 16), ("133MHz", 17), ("SCD", 18), ("USC", 19), ("SCO", 20), ("SRD", 21)]);
    for (name, offset) in [("\n\t\tUpstream: Capacity=", 8), ("\n\t\tDownstream: Capacity=", 12)] {
        let control = body.u32(offset);
        text.str(name).dec((control & 0xffff).into());
        text.str(" CommitmentLimit=").dec((control >> 16).into());
    }
    text.end();
}
