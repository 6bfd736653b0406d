//! What a function that translates addresses and tags its requests has: ATS, PRI, PASID, TPH.

use super::Body;
use super::flags::{Flags, Write, bit, bits};
use crate::config_space::{dword, word};
use crate::lspci::Text;

static ATS_CONTROL: Flags<1> = Flags::new("\t\tATSCtl:\tEnable~, Smallest Translation Unit: ", [15]);

pub(super) fn address_translation_services(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    let (capability, control) = (word::<0x04, _>(registers), word::<0x06, _>(registers));
    text.str("\t\tATSCap:\tInvalidate Queue Depth: ").hex2(capability as u8 & 0x1f).end();
    text.signs(&ATS_CONTROL, control).hex2(control as u8 & 0x1f).end();
}

static PRI_CONTROL: Flags<2> = Flags::new("\t\tPRICtl: Enable~ Reset~\n", [0, 1]);
static PRI_STATUS: Flags<4> = Flags::new("\t\tPRISta: RF~ UPRGI~ Stopped~ PASID~\n", [0, 1, 8, 15]);

pub(super) fn page_request_interface(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return };
    text.signs(&PRI_CONTROL, word::<0x04, _>(registers));
    text.signs(&PRI_STATUS, word::<0x06, _>(registers));
    text.str("\t\tPage Request Capacity: ").hex8(dword::<0x08, _>(registers));
    text.str(", Page Request Allocation: ").hex8(dword::<0x0c, _>(registers)).end();
}

static PASID_CAPABILITY: Flags<2> = Flags::new("\t\tPASIDCap: Exec~ Priv~, Max PASID Width: ", [1, 2]);
static PASID_CONTROL: Flags<3> = Flags::new("\t\tPASIDCtl: Enable~ Exec~ Priv~\n", [0, 1, 2]);

pub(super) fn pasid(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    let capability = word::<0x04, _>(registers);
    text.signs(&PASID_CAPABILITY, capability).hex2((capability >> 8) as u8 & 0x1f).end();
    text.signs(&PASID_CONTROL, word::<0x06, _>(registers));
}

pub(super) fn processing_hints(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    let capability = dword::<0x04, _>(registers);
    if bit(capability, 1) {
        text.str("\t\tInterrupt vector mode supported\n");
    }
    if bit(capability, 2) {
        text.str("\t\tDevice specific mode supported\n");
    }
    if bit(capability, 8) {
        text.str("\t\tExtended requester support\n");
    }
    text.str(match bits(capability, 9, 2) {
        0 => "\t\tNo steering table available\n",
        1 => "\t\tSteering table in TPH capability structure\n",
        2 => "\t\tSteering table in MSI-X table\n",
        _ => "\t\tReserved steering table location\n",
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};
    use alloc::format;

    #[test]
    fn ats() {
        let list = [0x0001_000f, 0x800c_0074];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Address Translation Service (ATS)\n\
             \t\tATSCap:\tInvalidate Queue Depth: 14\n\
             \t\tATSCtl:\tEnable+, Smallest Translation Unit: 0c\n"
        );
        assert_cut_off(&list, "");
    }

    #[test]
    fn pri() {
        let list = [0x0001_0013, 0x8102_0001, 0x0000_0200, 0x0000_0020];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Page Request Interface (PRI)\n\
             \t\tPRICtl: Enable+ Reset-\n\
             \t\tPRISta: RF- UPRGI+ Stopped+ PASID+\n\
             \t\tPage Request Capacity: 00000200, Page Request Allocation: 00000020\n"
        );
        assert_cut_off(&list, "");
    }

    #[test]
    fn pasid() {
        let list = [0x0001_001b, 0x0005_1404];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Process Address Space ID (PASID)\n\
             \t\tPASIDCap: Exec- Priv+, Max PASID Width: 14\n\
             \t\tPASIDCtl: Enable+ Exec- Priv+\n"
        );
        assert_cut_off(&list, "");
    }

    #[test]
    fn tph() {
        let list = [0x0001_0017, 0x0000_0306];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Transaction Processing Hints\n\
             \t\tInterrupt vector mode supported\n\
             \t\tDevice specific mode supported\n\
             \t\tExtended requester support\n\
             \t\tSteering table in TPH capability structure\n"
        );
        assert_cut_off(&list, "");
        for (location, line) in [
            (0, "No steering table available"),
            (2, "Steering table in MSI-X table"),
            (3, "Reserved steering table location"),
        ] {
            let text = shown(&[0x0001_0017, location << 9]);
            assert_eq!(text, format!("\tCapabilities: [100 v1] Transaction Processing Hints\n\t\t{line}\n"));
        }
    }
}
