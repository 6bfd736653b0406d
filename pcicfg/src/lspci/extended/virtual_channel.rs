//! Virtual Channel, alone or beside the multi-function one.

use super::Body;
use super::flags::{Flags, Write, bit, bits};
use crate::config_space::{dword, word};
use crate::lspci::Text;

/// How a port picks a channel. The codes without a name are shown only where one is offered.
const PORT_ARBITRATIONS: [&str; 8] = ["Fixed", "WRR32", "WRR64", "WRR128", "??4", "??5", "??6", "??7"];
/// How a channel picks a port.
const CHANNEL_ARBITRATIONS: [&str; 8] =
    ["Fixed", "WRR32", "WRR64", "WRR128", "TWRR128", "WRR256", "??6", "??7"];

static PORT_OFFERED: Flags<4> = Flags::new("Arb:\tFixed~ WRR32~ WRR64~ WRR128~", [0, 1, 2, 3]);
static CHANNEL_OFFERED: Flags<6> =
    Flags::new("Arb:\tFixed~ WRR32~ WRR64~ WRR128~ TWRR128~ WRR256~", [0, 1, 2, 3, 4, 5]);
static PORT_STATUS: Flags<1> = Flags::new("\t\tStatus:\tInProgress~\n", [0]);
static CHANNEL_CAPABILITY: Flags<1> = Flags::new(" RejSnoopTrans~\n\t\t\t", [15]);
static CHANNEL_CONTROL: Flags<1> = Flags::new("\n\t\t\tCtrl:\tEnable~ ID=", [31]);
static CHANNEL_STATUS: Flags<2> = Flags::new("\t\t\tStatus:\tNegoPending~ InProgress~\n", [1, 0]);

pub(super) fn fields(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x1c>() else { return };
    let capability_1 = dword::<0x04, _>(registers);
    let capability_2 = dword::<0x08, _>(registers);
    text.str("\t\tCaps:\tLPEVC=").dec(bits(capability_1, 4, 3).into());
    text.str(" RefClk=").named(&["100ns"], bits(capability_1, 8, 2));
    text.str(" PATEntryBits=").dec(1 << bits(capability_1, 10, 2)).end();
    text.str("\t\t").signs(&PORT_OFFERED, capability_2);
    offered_without_name(text, &PORT_ARBITRATIONS, capability_2);
    let control = u32::from(word::<0x0c, _>(registers));
    text.str("\n\t\tCtrl:\tArbSelect=").named(&PORT_ARBITRATIONS, bits(control, 1, 3)).end();
    text.signs(&PORT_STATUS, word::<0x0e, _>(registers));
    let table = bits(capability_2, 24, 8);
    if table != 0 {
        let at = u32::from(body.offset) + 16 * table;
        text.str("\t\tPort Arbitration Table [").hex(1, at.into()).str("] <?>\n");
    }
    for index in 0..=bits(capability_1, 0, 3) {
        text.str("\t\tVC").dec(index.into()).str(":\t");
        match body.block::<12>(0x10 + 12 * index as usize) {
            Some(registers) => channel(text, registers),
            None => _ = text.str("<unreadable>\n"),
        }
    }
}

fn channel(text: &mut Text, registers: &[u8; 12]) {
    let capability = dword::<0, _>(registers);
    let table = bits(capability, 24, 8) as u8;
    text.str("Caps:\tPATOffset=").hex2(table);
    text.str(" MaxTimeSlots=").dec(u64::from(bits(capability, 16, 7)) + 1);
    text.signs(&CHANNEL_CAPABILITY, capability).signs(&CHANNEL_OFFERED, capability);
    offered_without_name(text, &CHANNEL_ARBITRATIONS, capability);
    let control = dword::<4, _>(registers);
    text.signs(&CHANNEL_CONTROL, control).dec(bits(control, 24, 3).into());
    text.str(" ArbSelect=").named(&CHANNEL_ARBITRATIONS, bits(control, 17, 3));
    text.str(" TC/VC=").hex2(control as u8).end();
    text.signs(&CHANNEL_STATUS, word::<10, _>(registers));
    if table != 0 {
        text.str("\t\t\tPort Arbitration Table <?>\n");
    }
}

fn offered_without_name(text: &mut Text, names: &[&str; 8], offered: u32) {
    for (name, code) in names.iter().zip(0..) {
        if name.starts_with('?') && bit(offered, code) {
            text.str(" ").flag(name, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};

    #[test]
    fn channels_that_are_cut_off_are_unreadable() {
        let list = [
            0x0001_0009,
            0x0000_0d12,
            0x0300_0041,
            0x0001_0008,
            0x0240_80a1,
            0x8504_00ff,
            0x0003_0000,
            0x0000_0000,
            0x0000_0000,
        ];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Virtual Channel\n\
             \t\tCaps:\tLPEVC=1 RefClk=??1 PATEntryBits=8\n\
             \t\tArb:\tFixed+ WRR32- WRR64- WRR128- ??6+\n\
             \t\tCtrl:\tArbSelect=??4\n\
             \t\tStatus:\tInProgress+\n\
             \t\tPort Arbitration Table [130] <?>\n\
             \t\tVC0:\tCaps:\tPATOffset=02 MaxTimeSlots=65 RejSnoopTrans+\n\
             \t\t\tArb:\tFixed+ WRR32- WRR64- WRR128- TWRR128- WRR256+ ??7+\n\
             \t\t\tCtrl:\tEnable+ ID=5 ArbSelect=WRR64 TC/VC=ff\n\
             \t\t\tStatus:\tNegoPending+ InProgress+\n\
             \t\t\tPort Arbitration Table <?>\n\
             \t\tVC1:\t<unreadable>\n\
             \t\tVC2:\t<unreadable>\n"
        );
        assert_cut_off(&list[..7], "");
        let plain = shown(&[0x0001_0002, 0, 0, 0, 0, 0x8000_0001, 0, 0]);
        assert_eq!(
            plain,
            "\tCapabilities: [100 v1] Virtual Channel\n\
             \t\tCaps:\tLPEVC=0 RefClk=100ns PATEntryBits=1\n\
             \t\tArb:\tFixed- WRR32- WRR64- WRR128-\n\
             \t\tCtrl:\tArbSelect=Fixed\n\
             \t\tStatus:\tInProgress-\n\
             \t\tVC0:\tCaps:\tPATOffset=00 MaxTimeSlots=1 RejSnoopTrans-\n\
             \t\t\tArb:\tFixed- WRR32- WRR64- WRR128- TWRR128- WRR256-\n\
             \t\t\tCtrl:\tEnable+ ID=0 ArbSelect=Fixed TC/VC=01\n\
             \t\t\tStatus:\tNegoPending- InProgress-\n"
        );
    }
}
