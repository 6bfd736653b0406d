//! Power Management.

use super::{Body, Text, bits, index};

/// In mA.
const AUXILIARY_CURRENT: [u16; 8] = [0, 55, 100, 160, 220, 270, 320, 375];

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    let capabilities = body.flags();
    text.str("Power Management version ").dec(bits(capabilities, 0, 3).into()).end();
    if !body.details() {
        return;
    }
    text.str("\t\tFlags:")
        .flags(capabilities, &[("PMEClk", 3), ("DSI", 5), ("D1", 9), ("D2", 10)])
        .str(" AuxCurrent=")
        .dec(AUXILIARY_CURRENT[index(capabilities, 6, 3)].into())
        .str("mA PME");
    for (name, bit) in [("(D0", 11), (",D1", 12), (",D2", 13), (",D3hot", 14), (",D3cold", 15)] {
        text.flag(name, capabilities >> bit & 1 != 0);
    }
    text.str(")\n");
    if !body.has(4, 4) {
        return;
    }
    let status = u32::from(body.u16(4));
    text.str("\t\tStatus: D")
        .dec(bits(status, 0, 2).into())
        .flags(status, &[("NoSoftRst", 3), ("PME-Enable", 8)])
        .str(" DSel=")
        .dec(bits(status, 9, 4).into())
        .str(" DScale=")
        .dec(bits(status, 13, 2).into())
        .flags(status, &[("PME", 15)])
        .end();
    let bridge = body.u8(6);
    if bridge != 0 {
        text.str("\t\tBridge:").flags(bridge.into(), &[("PM", 7)]);
        // The flag says B3, the bit B2.
        text.flag(" B3", bridge & 0x40 == 0).end();
    }
}
