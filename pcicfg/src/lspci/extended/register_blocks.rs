//! Data Object Exchange and the MMIO Register Block Locator.

use super::flags::{Flags, Write, bit, bits};
use super::{Body, unreadable};
use crate::config_space::dword;
use crate::lspci::Text;

static DOE_CAPABILITY: Flags<1> = Flags::new("\t\tDOECap: IntSup~\n", [0]);
static DOE_CONTROL: Flags<1> = Flags::new("\t\tDOECtl: IntEn~\n", [1]);
static DOE_STATUS: Flags<4> = Flags::new("\t\tDOESta: Busy~ IntSta~ Error~ ObjectReady~\n", [0, 1, 2, 31]);

pub(super) fn data_object_exchange(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x18>() else { return unreadable(text) };
    let capability = dword::<0x04, _>(registers);
    text.signs(&DOE_CAPABILITY, capability);
    if bit(capability, 0) {
        text.str("\t\t\tIntMsgNum ").dec(bits(capability, 1, 11).into()).end();
    }
    text.signs(&DOE_CONTROL, dword::<0x08, _>(registers));
    text.signs(&DOE_STATUS, dword::<0x0c, _>(registers));
}

pub(super) fn mmio_register_block_locator(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return unreadable(text) };
    let len = bits(dword::<0x04, _>(registers), 0, 12) as usize;
    if len > 0 && !body.reaches(0x08 + len) {
        return unreadable(text);
    }
    // Eight of the bytes are the header and this length. A length below that is no length: lspci
    // goes on to the end of the space.
    let count = (len / 8).checked_sub(1).unwrap_or(usize::MAX);
    for index in 0..count {
        let Some(locator) = body.block::<8>(0x08 + 8 * index) else { return unreadable(text) };
        let (low, high) = (dword::<0, _>(locator), dword::<4, _>(locator));
        let block = bits(low, 8, 8);
        let name = match block {
            0x00 => Some("Empty"),
            0x01 => Some("MCAP"),
            0xff => Some("MDVS"),
            _ => None,
        };
        text.str("\t\tLocator").dec(index as u64).str(": BIR: BAR").dec(bits(low, 0, 3).into());
        text.str(", ID: ").named_or(name, "Reserved", block);
        text.str(", offset: ").hex8(high).hex8(low & 0xffff_0000).end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};
    use alloc::format;

    #[test]
    fn doe() {
        let list = [0x0002_002e, 0x0000_000f, 0x0000_0002, 0x8000_0004, 0, 0];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v2] Data Object Exchange\n\
             \t\tDOECap: IntSup+\n\
             \t\t\tIntMsgNum 7\n\
             \t\tDOECtl: IntEn+\n\
             \t\tDOESta: Busy- IntSta- Error+ ObjectReady+\n"
        );
        assert_cut_off(&list, "\t\t<unreadable>\n");
        let quiet = shown(&[0x0002_002e, 0x0000_000e, 0, 3, 0, 0]);
        assert!(quiet.contains("IntSup-\n\t\tDOECtl: IntEn-\n\t\tDOESta: Busy+ IntSta+ "), "{quiet}");
    }

    #[test]
    fn locators() {
        let list = [0x0001_0036, 0x0000_0020, 0x0001_0102, 0x0000_0001, 0xabcd_ff00, 0, 0x0000_7705, 0, 0, 0];
        let lines = "\tCapabilities: [100 v1] MMIO Register Block Locator\n\
            \t\tLocator0: BIR: BAR2, ID: MCAP, offset: 0000000100010000\n\
            \t\tLocator1: BIR: BAR0, ID: MDVS, offset: 00000000abcd0000\n\
            \t\tLocator2: BIR: BAR5, ID: Reserved (119), offset: 0000000000000000\n";
        assert_eq!(shown(&list), lines);
        assert_cut_off(&list, "\t\t<unreadable>\n");
        // Without a length it goes on to the end.
        let mut list = list;
        list[1] = 0;
        assert_eq!(
            shown(&list),
            format!(
                "{lines}\t\tLocator3: BIR: BAR0, ID: Empty, offset: 0000000000000000\n\t\t<unreadable>\n"
            )
        );
    }
}
