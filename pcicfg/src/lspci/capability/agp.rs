//! Accelerated Graphics Port.

use super::{Body, Text, bits};

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    let version = bits(body.flags(), 4, 4);
    text.str("AGP version ").hex(0, version.into()).str(".").hex(0, bits(body.flags(), 0, 4).into()).end();
    if !body.details() || !body.has(4, 8) {
        return;
    }
    let status = body.u32(4);
    // The rates mean four times as much.
    let agp3 = version >= 3 && status & 8 != 0;
    write_requests(text.str("\t\tStatus: RQ="), status);
    text.flags(status, &[("Iso", 16)]);
    write_sizes(text, status);
    text.flags(
        status,
        &[("SBA", 9), ("ITACoh", 8), ("GART64", 7), ("HTrans", 6), ("64bit", 5), ("FW", 4), ("AGP3", 3)],
    );
    write_rates(text, status, agp3);
    let command = body.u32(8);
    write_requests(text.str("\t\tCommand: RQ="), command);
    write_sizes(text, command);
    text.flags(command, &[("SBA", 9), ("AGP", 8), ("GART64", 7), ("64bit", 5), ("FW", 4)]);
    write_rates(text, command, agp3);
}

fn write_requests(text: &mut Text, register: u32) {
    text.dec(u64::from(register >> 24) + 1);
}

fn write_sizes(text: &mut Text, register: u32) {
    text.str(" ArqSz=").dec(bits(register, 13, 3).into()).str(" Cal=").dec(bits(register, 10, 3).into());
}

fn write_rates(text: &mut Text, register: u32, agp3: bool) {
    text.str(" Rate=");
    let mut separator = "";
    for bit in (0..3).filter(|bit| register >> bit & 1 != 0) {
        text.str(separator).str("x").dec(1 << if agp3 { bit + 2 } else { bit });
        separator = ",";
    }
    text.str(if separator.is_empty() { "<none>\n" } else { "\n" });
}
