//! PCI Express: slots and root ports.

use super::{Body, Text, bits, index};

/// A power limit: a value and how many decimal places it has. The values from f0h on without places
/// have meanings of their own.
pub(super) fn write_power_limit(text: &mut Text, value: u32, places: u32) {
    match (value, places) {
        (0xff, 0) => text.str(">600W"),
        (0xf0..=0xfe, 0) => text.dec(250 + 25 * (u64::from(value) - 0xf0)).str("W"),
        _ => text.thousandths(u64::from(value) * 10u64.pow(3 - (places & 3))).str("W"),
    };
}

pub(super) fn write_slot(text: &mut Text, body: Body<'_, '_>) {
    let capabilities = body.u32(0x14);
    text.flag("\t\tSltCap:\tAttnBtn", capabilities & 1 != 0)
        .flags(
            capabilities,
            &[("PwrCtrl", 1), ("MRL", 2), ("AttnInd", 3), ("PwrInd", 4), ("HotPlug", 6), ("Surprise", 5)],
        )
        .str("\n\t\t\tSlot #")
        .dec((capabilities >> 19).into())
        .str(", PowerLimit ");
    write_power_limit(text, bits(capabilities, 7, 8), bits(capabilities, 15, 2));
    text.str(";").flags(capabilities, &[("Interlock", 17), ("NoCompl", 18)]);

    const INDICATOR: [&str; 4] = ["Unknown,", "On,", "Blink,", "Off,"];
    let control = u32::from(body.u16(0x18));
    text.str("\n\t\tSltCtl:\tEnable:")
        .flags(
            control,
            &[
                ("AttnBtn", 0),
                ("PwrFlt", 1),
                ("MRL", 2),
                ("PresDet", 3),
                ("CmdCplt", 4),
                ("HPIrq", 5),
                ("LinkChg", 12),
            ],
        )
        .str("\n\t\t\tControl: AttnInd ")
        .str(INDICATOR[index(control, 6, 2)])
        .str(" PwrInd ")
        .str(INDICATOR[index(control, 8, 2)])
        .flags(control, &[("Power", 10), ("Interlock", 11)]);

    let status = u32::from(body.u16(0x1a));
    text.str("\n\t\tSltSta:\tStatus:")
        .flags(
            status,
            &[("AttnBtn", 0), ("PowerFlt", 1), ("MRL", 5), ("CmdCplt", 4), ("PresDet", 6), ("Interlock", 7)],
        )
        .str("\n\t\t\tChanged:")
        .flags(status, &[("MRL", 2), ("PresDet", 3), ("LinkState", 8)])
        .end();
}

pub(super) fn write_root(text: &mut Text, body: Body<'_, '_>) {
    text.str("\t\tRootCap:").flags(body.u16(0x1e).into(), &[("CRSVisible", 0)]);
    text.str("\n\t\tRootCtl:").flags(
        body.u16(0x1c).into(),
        &[("ErrCorrectable", 0), ("ErrNon-Fatal", 1), ("ErrFatal", 2), ("PMEIntEna", 3), ("CRSVisible", 4)],
    );
    let status = body.u32(0x20);
    text.str("\n\t\tRootSta: PME ReqID ").hex4(status as u16).str(",");
    text.flags(status, &[("PMEStatus", 16), ("PMEPending", 17)]).end();
}
