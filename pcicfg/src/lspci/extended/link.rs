//! The link's own capabilities: Secondary PCI Express, the physical layer at 16, 32 and 64 GT/s, and
//! Lane Margining. lspci leaves the tables with an entry for each lane out.

use super::flags::{Flags, Write, bit, bits};
use super::{Body, unreadable};
use crate::config_space::{dword, word};
use crate::lspci::Text;

static LINK_CONTROL_3: Flags<2> =
    Flags::new("\t\tLnkCtl3: LnkEquIntrruptEn~ PerformEqu~\n\t\tLaneErrStat: ", [1, 0]);

pub(super) fn secondary(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return };
    text.signs(&LINK_CONTROL_3, word::<0x04, _>(registers));
    let errors = u32::from(word::<0x08, _>(registers));
    if errors == 0 {
        text.str("0\n");
        return;
    }
    text.str("LaneErr at lane:");
    for lane in (0..16).filter(|&lane| bit(errors, lane)) {
        text.str(" ").dec(lane.into());
    }
    text.end();
}

/// How equalization went, the same in the three status registers, and what comes behind it.
macro_rules! equalization {
    ($name:literal, $rest:literal) => {
        concat!("\t\t", $name, ": EquComplete~ EquPhase1~ EquPhase2~ EquPhase3~ LinkEquRequest~\n", $rest)
    };
}

static STATUS_16GT: Flags<5> = Flags::new(equalization!("Phy16Sta", ""), [0, 1, 2, 3, 4]);

pub(super) fn physical_16gt(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x1c>() else { return unreadable(text) };
    text.signs(&STATUS_16GT, dword::<0x0c, _>(registers));
}

static CAPABILITIES_32GT: Flags<5> = Flags::new(
    "\t\tPhy32Cap: EqualizationBypass~ NoEqualizationNeeded~\n\
     \t\t\t  ModTsMode0~ ModTsMode1~ ModTsMode2~\n",
    [0, 1, 8, 9, 10],
);
static CONTROL_32GT: Flags<2> = Flags::new(
    "\t\tPhy32Ctl: EqualizationBypassDis~ NoEqualizationNeededDis~\n\
     \t\t\t  Modified TS Usage Mode: ",
    [0, 1],
);
static STATUS_32GT: Flags<5> = Flags::new(
    equalization!("Phy32Sta", "\t\t\t  Received Enhanced Link Behavior Control: "),
    [0, 1, 2, 3, 4],
);
static TRAINING_32GT: Flags<4> =
    Flags::new("\n\t\t\t  ModTsRecv~ TxPrecodeOn~ TxPrecodeReq~ NoEqualizationNeededRecv~\n", [5, 8, 9, 10]);
const USAGE_MODES: [&str; 3] = ["PCI Express", "Training Set Messages", "Alternate Protocol Negotiation"];
const LINK_BEHAVIORS: [&str; 4] = [
    "Full Equalization required",
    "Equalization bypass to highest rate support",
    "No Equalization Needed",
    "Modified TS1/TS2 Ordered Sets supported",
];

pub(super) fn physical_32gt(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x20>() else { return unreadable(text) };
    text.signs(&CAPABILITIES_32GT, dword::<0x04, _>(registers));
    let control = dword::<0x08, _>(registers);
    text.signs(&CONTROL_32GT, control).named(&USAGE_MODES, bits(control, 8, 3)).end();
    let status = dword::<0x0c, _>(registers);
    text.signs(&STATUS_32GT, status).named(&LINK_BEHAVIORS, bits(status, 6, 2));
    text.signs(&TRAINING_32GT, status);
}

static STATUS_64GT: Flags<8> = Flags::new(
    equalization!("Phy64Sta", "\t\t\t  TxPrecodeOn~ TxPrecodeReq~ NoEqualizationNeededRecv~\n"),
    [0, 1, 2, 3, 4, 5, 6, 7],
);

pub(super) fn physical_64gt(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return unreadable(text) };
    text.signs(&STATUS_64GT, dword::<0x0c, _>(registers));
}

static MARGINING_CAPABILITIES: Flags<1> = Flags::new("\t\tPortCap: Uses Driver~\n", [0]);
static MARGINING_STATUS: Flags<2> = Flags::new("\t\tPortSta: MargReady~ MargSoftReady~\n", [0, 1]);

pub(super) fn lane_margining(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    text.signs(&MARGINING_CAPABILITIES, word::<0x04, _>(registers));
    text.signs(&MARGINING_STATUS, word::<0x06, _>(registers));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};

    #[test]
    fn secondary_pci_express() {
        let list = [0x0001_0019, 0x0000_0002, 0x0001_8005, 0x7777_7777];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Secondary PCI Express\n\
             \t\tLnkCtl3: LnkEquIntrruptEn+ PerformEqu-\n\
             \t\tLaneErrStat: LaneErr at lane: 0 2 15\n"
        );
        assert_cut_off(&list, "");
        let none = shown(&[0x0001_0019, 1, 0, 0]);
        assert!(none.ends_with("LnkEquIntrruptEn- PerformEqu+\n\t\tLaneErrStat: 0\n"), "{none}");
    }

    #[test]
    fn physical_layers() {
        let list = [0x0001_0026, 0, 0, 0x0000_0015, 0, 0, 0];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Physical Layer 16.0 GT/s\n\
             \t\tPhy16Sta: EquComplete+ EquPhase1- EquPhase2+ EquPhase3- LinkEquRequest+\n"
        );
        assert_cut_off(&list, "\t\t<unreadable>\n");
        let list = [0x0001_002a, 0x0000_0502, 0x0000_0201, 0x0000_056a, 0, 0, 0, 0];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Physical Layer 32.0 GT/s\n\
             \t\tPhy32Cap: EqualizationBypass- NoEqualizationNeeded+\n\
             \t\t\t  ModTsMode0+ ModTsMode1- ModTsMode2+\n\
             \t\tPhy32Ctl: EqualizationBypassDis+ NoEqualizationNeededDis-\n\
             \t\t\t  Modified TS Usage Mode: Alternate Protocol Negotiation\n\
             \t\tPhy32Sta: EquComplete- EquPhase1+ EquPhase2- EquPhase3+ LinkEquRequest-\n\
             \t\t\t  Received Enhanced Link Behavior Control: Equalization bypass to highest rate support\n\
             \t\t\t  ModTsRecv+ TxPrecodeOn+ TxPrecodeReq- NoEqualizationNeededRecv+\n"
        );
        assert_cut_off(&list, "\t\t<unreadable>\n");
        let reserved = shown(&[0x0001_002a, 0, 0x0000_0700, 0, 0, 0, 0, 0]);
        assert!(reserved.contains("Modified TS Usage Mode: ??7\n"), "{reserved}");
        let list = [0x0001_0031, 0, 0, 0x0000_00a1];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Physical Layer 64.0 GT/s\n\
             \t\tPhy64Sta: EquComplete+ EquPhase1- EquPhase2- EquPhase3- LinkEquRequest-\n\
             \t\t\t  TxPrecodeOn+ TxPrecodeReq- NoEqualizationNeededRecv+\n"
        );
        assert_cut_off(&list, "\t\t<unreadable>\n");
    }

    #[test]
    fn margining() {
        let list = [0x0001_0027, 0x0002_0001];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Lane Margining at the Receiver\n\
             \t\tPortCap: Uses Driver+\n\
             \t\tPortSta: MargReady- MargSoftReady+\n"
        );
        assert_cut_off(&list, "");
    }
}
