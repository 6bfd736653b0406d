//! Root Complex Link Declaration and Event Collector Endpoint Association.

use super::Body;
use super::flags::{Flags, Write, bit, bits};
use crate::config_space::dword;
use crate::lspci::Text;

static ASSOCIATED: Flags<1> = Flags::new(" AssocRCRB~ LinkType=", [2]);
static VALID: Flags<1> = Flags::new(" LinkValid~\n", [0]);

pub(super) fn links(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return };
    let element = dword::<0x04, _>(registers);
    text.str("\t\tDesc:\tPortNumber=").hex2((element >> 24) as u8);
    text.str(" ComponentID=").hex2((element >> 16) as u8);
    text.str(" EltType=").named(&["Config", "Egress", "Internal"], bits(element, 0, 8)).end();
    for index in 0..bits(element, 8, 8) {
        text.str("\t\tLink").dec(index.into()).str(":\t");
        let Some(link) = body.block::<0x10>(0x10 + 0x10 * index as usize) else {
            text.str("<unreadable>\n");
            return;
        };
        let description = dword::<0, _>(link);
        let (low, high) = (dword::<8, _>(link), dword::<12, _>(link));
        let is_config = bit(description, 1);
        text.str("Desc:\tTargetPort=").hex2((description >> 24) as u8);
        text.str(" TargetComponent=").hex2((description >> 16) as u8).signs(&ASSOCIATED, description);
        text.str(if is_config { "Config" } else { "MemMapped" }).signs(&VALID, description);
        text.str("\t\t\tAddr:\t");
        if is_config {
            // How many bits the bus number has; none means all eight.
            let width = match low & 7 {
                0 => 8,
                width => width,
            };
            text.hex2(bits(low, 20, width) as u8).str(":").hex2(bits(low, 15, 5) as u8);
            text.str(".").dec(bits(low, 12, 3).into()).str("  CfgSpace=");
        }
        text.hex8(high).hex8(low).end();
    }
}

pub(super) fn event_collector(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x0c>() else { return };
    let shows_none = body.verbose > 2;
    text.str("\t\tRCiEPBitmap: ");
    match dword::<0x04, _>(registers) {
        0 if shows_none => _ = text.str("00000000 [none]"),
        0 => _ = text.str("[none]"),
        bitmap => devices(text, bitmap),
    }
    text.end();
    // The bus range came with version 2.
    if body.version < 2 {
        return;
    }
    let (first, last) = (registers[0x09], registers[0x0a]);
    text.str("\t\tAssociatedBusNumbers: ");
    match (first, last) {
        (0xff, 0) if shows_none => text.str("ff-00 [none]"),
        (0xff, 0) => text.str("[none]"),
        _ => text.hex2(first).str("-").hex2(last),
    };
    text.end();
}

/// The device numbers in `bitmap` as ranges. A range that ends with device 31 keeps its end to
/// itself: lspci says where a range ends when it meets the first device behind it.
fn devices(text: &mut Text, bitmap: u32) {
    text.str("RCiEP at Device(s):");
    let mut separator = " ";
    let mut length = 0;
    for device in 0..32 {
        if bit(bitmap, device) {
            if length == 0 {
                text.str(separator).dec(device.into());
                separator = ", ";
            }
            length += 1;
        } else {
            if length > 1 {
                text.str("-").dec(u64::from(device) - 1);
            }
            length = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown, shown_in_full};
    use alloc::format;

    #[test]
    fn links_to_memory_and_to_functions() {
        let list = [
            0x0001_0005,
            0x0201_0403,
            0,
            0,
            0x0104_0005,
            0,
            0xfed1_8000,
            0,
            0x0002_0002,
            0,
            0x0ff5_1000,
            0x1,
            0x0002_0002,
            0,
            0x0ff5_1002,
            0x1,
        ];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Root Complex Link\n\
             \t\tDesc:\tPortNumber=02 ComponentID=01 EltType=??3\n\
             \t\tLink0:\tDesc:\tTargetPort=01 TargetComponent=04 AssocRCRB+ LinkType=MemMapped LinkValid+\n\
             \t\t\tAddr:\t00000000fed18000\n\
             \t\tLink1:\tDesc:\tTargetPort=00 TargetComponent=02 AssocRCRB- LinkType=Config LinkValid-\n\
             \t\t\tAddr:\tff:0a.1  CfgSpace=000000010ff51000\n\
             \t\tLink2:\tDesc:\tTargetPort=00 TargetComponent=02 AssocRCRB- LinkType=Config LinkValid-\n\
             \t\t\tAddr:\t03:0a.1  CfgSpace=000000010ff51002\n\
             \t\tLink3:\t<unreadable>\n"
        );
        assert_cut_off(&list[..4], "");
        let egress = shown(&[0x0001_0005, 0x0000_0001, 0, 0]);
        assert!(egress.ends_with("EltType=Egress\n"), "{egress}");
    }

    #[test]
    fn event_collector_ranges() {
        let name = "\tCapabilities: [100 v1] Root Complex Event Collector Endpoint Association\n";
        let list = [0x0001_0007, 0xe000_0a77, 0x0000_0000];
        assert_eq!(shown(&list), format!("{name}\t\tRCiEPBitmap: RCiEP at Device(s): 0-2, 4-6, 9, 11, 29\n"));
        assert_cut_off(&list, "");
        assert_eq!(shown(&[0x0001_0007, 0, 0]), format!("{name}\t\tRCiEPBitmap: [none]\n"));
        let name = name.replace("v1", "v2");
        let buses = "\t\tAssociatedBusNumbers:";
        assert_eq!(
            shown(&[0x0002_0007, 1, 0x0007_0500]),
            format!("{name}\t\tRCiEPBitmap: RCiEP at Device(s): 0\n{buses} 05-07\n")
        );
        let none = [0x0002_0007, 0, 0x0000_ff00];
        assert_eq!(shown(&none), format!("{name}\t\tRCiEPBitmap: [none]\n{buses} [none]\n"));
        assert_eq!(
            shown_in_full(&none),
            format!("{name}\t\tRCiEPBitmap: 00000000 [none]\n{buses} ff-00 [none]\n")
        );
    }
}
