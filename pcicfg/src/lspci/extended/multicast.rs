//! Multicast.

use super::Body;
use super::flags::{Flags, Write};
use crate::capability::DevicePortType;
use crate::config_space::{dword, word};
use crate::lspci::Text;

static CONTROL: Flags<1> = Flags::new(", Enable~\n", [15]);

pub(super) fn fields(text: &mut Text, body: Body<'_>) {
    type Port = DevicePortType;
    let Some(registers) = body.registers::<0x34>() else { return };
    let is_endpoint = matches!(body.port, Some(Port::Endpoint | Port::RootComplexIntegratedEndpoint));
    let capability = word::<0x04, _>(registers);
    text.str("\t\tMcastCap: MaxGroups ").dec(u64::from(capability & 0x3f) + 1);
    // Only what a port has ends the line.
    if is_endpoint {
        let size = u32::from(capability >> 8 & 0x3f);
        text.str(", WindowSz ").dec(size.into()).str(" (").signed(power_of_two(size)).str(" bytes)");
    } else if matches!(body.port, Some(Port::RootPort | Port::UpstreamPort | Port::DownstreamPort)) {
        text.flag(", ECRCRegen", capability & 0x8000 != 0).end();
    }
    let control = word::<0x06, _>(registers);
    text.str("\t\tMcastCtl: NumGroups ").dec(u64::from(control & 0x3f) + 1).signs(&CONTROL, control);
    let base = qword(dword::<0x08, _>(registers), dword::<0x0c, _>(registers));
    text.str("\t\tMcastBAR: IndexPos ").dec(base & 0x3f).str(", BaseAddr ").hex16(base & !0xfff).end();
    let receive = qword(dword::<0x10, _>(registers), dword::<0x14, _>(registers));
    text.str("\t\tMcastReceiveVec:      ").hex16(receive).end();
    let block = qword(dword::<0x18, _>(registers), dword::<0x1c, _>(registers));
    text.str("\t\tMcastBlockAllVec:     ").hex16(block).end();
    let block_untranslated = qword(dword::<0x20, _>(registers), dword::<0x24, _>(registers));
    text.str("\t\tMcastBlockUntransVec: ").hex16(block_untranslated).end();
    if is_endpoint {
        return;
    }
    let overlay = qword(dword::<0x28, _>(registers), dword::<0x2c, _>(registers));
    let size = overlay as u32 & 0x3f;
    text.str("\t\tMcastOverlayBAR: OverlaySize ").dec(size.into());
    if size >= 6 {
        text.str(" (").signed(power_of_two(size)).str(" bytes)");
    } else {
        text.str(" (disabled)");
    }
    text.str(", BaseAddr ").hex16(overlay & !0x3f).end();
}

/// Two to the power of `exponent` as an `int` on lspci's machines has it: beyond 30 it is no size.
const fn power_of_two(exponent: u32) -> i64 {
    1i32.wrapping_shl(exponent) as i64
}

const fn qword(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown_in};

    const LIST: [u32; 13] = [
        0x0001_0012,
        0x8003_9f3f,
        0xfe00_001a,
        0x0000_0001,
        0x8000_0001,
        0,
        0,
        0x10,
        0xf,
        0,
        0xd000_0007,
        2,
        0,
    ];

    #[test]
    fn a_port_regenerates_and_overlays() {
        let fields = "\tCapabilities: [100 v1] Multicast\n\
            \t\tMcastCap: MaxGroups 64, ECRCRegen+\n\
            \t\tMcastCtl: NumGroups 4, Enable+\n\
            \t\tMcastBAR: IndexPos 26, BaseAddr 00000001fe000000\n\
            \t\tMcastReceiveVec:      0000000080000001\n\
            \t\tMcastBlockAllVec:     0000001000000000\n\
            \t\tMcastBlockUntransVec: 000000000000000f\n\
            \t\tMcastOverlayBAR: OverlaySize 7 (128 bytes), BaseAddr 00000002d0000000\n";
        assert_eq!(shown_in(4, &LIST), fields);
        assert_eq!(shown_in(6, &LIST), fields);
        assert_cut_off(&LIST, "");
        let mut list = LIST;
        list[10] = 0xd000_0005;
        let disabled = fields.replace("7 (128 bytes)", "5 (disabled)");
        assert_eq!(shown_in(5, &list), disabled);
        // A bridge has neither a window nor regeneration, and so no end of the line.
        assert_eq!(shown_in(7, &list), disabled.replace(", ECRCRegen+\n", ""));
    }

    #[test]
    fn an_endpoint_has_a_window() {
        let fields = "\tCapabilities: [100 v1] Multicast\n\
            \t\tMcastCap: MaxGroups 64, WindowSz 31 (-2147483648 bytes)\
            \t\tMcastCtl: NumGroups 4, Enable+\n\
            \t\tMcastBAR: IndexPos 26, BaseAddr 00000001fe000000\n\
            \t\tMcastReceiveVec:      0000000080000001\n\
            \t\tMcastBlockAllVec:     0000001000000000\n\
            \t\tMcastBlockUntransVec: 000000000000000f\n";
        assert_eq!(shown_in(0, &LIST), fields);
        let mut list = LIST;
        list[1] = 0x8003_943f;
        assert_eq!(shown_in(9, &list), fields.replace("31 (-2147483648", "20 (1048576"));
    }
}
