//! MSI and MSI-X.

use super::{Body, Text, bits};

pub(super) fn write_msi(text: &mut Text, body: Body<'_, '_>) {
    let control = body.flags();
    text.str("MSI:")
        .flags(control, &[("Enable", 0)])
        .str(" Count=")
        .dec(1 << bits(control, 4, 3))
        .str("/")
        .dec(1 << bits(control, 1, 3))
        .flags(control, &[("Maskable", 8), ("64bit", 7)])
        .end();
    let wide = control & 1 << 7 != 0;
    // A high address shifts all that follows.
    let data = if wide { 12 } else { 8 };
    if !body.details() || !body.has(4, data - 2) {
        return;
    }
    text.str("\t\tAddress: ");
    if wide {
        text.hex8(body.u32(8));
    }
    text.hex8(body.u32(4)).str("  Data: ").hex4(body.u16(data)).end();
    if control & 1 << 8 != 0 && body.has(data + 4, 8) {
        text.str("\t\tMasking: ").hex8(body.u32(data + 4));
        text.str("  Pending: ").hex8(body.u32(data + 8)).end();
    }
}

pub(super) fn write_msi_x(text: &mut Text, body: Body<'_, '_>) {
    let control = body.flags();
    text.str("MSI-X:")
        .flags(control, &[("Enable", 15)])
        .str(" Count=")
        .dec(u64::from(bits(control, 0, 11)) + 1)
        .flags(control, &[("Masked", 14)])
        .end();
    if !body.details() || !body.has(4, 8) {
        return;
    }
    for (name, offset) in [("\t\tVector table: BAR=", 4), ("\t\tPBA: BAR=", 8)] {
        let place = body.u32(offset);
        text.str(name).dec((place & 7).into()).str(" offset=").hex8(place & !7).end();
    }
}
