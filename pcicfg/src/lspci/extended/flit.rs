//! Flit Logging and Flit Error Injection.

use super::Body;
use super::device_3::link_width;
use super::flags::{Flags, Write, bits};
use crate::config_space::{dword, word};
use crate::lspci::Text;

static LOG_VALID: Flags<1> = Flags::new("\t\tLog1:      Valid~, Link Width: ", [0]);
static LOG_ERRORS: Flags<3> = Flags::new(
    "\n\t\t\t   More entries~ Unrecognized flit~ FEC uncorrectable~\n\
     \t\t\t   SyndParityGrp0: ",
    [13, 14, 15],
);
static COUNTER_CONTROL: Flags<2> = Flags::new(
    "\t\tCntCtl:    Flit Error Counter En~ Flit Error Counter Interrupt En~\n\
     \t\t\t   Events to count: ",
    [0, 1],
);
// Bit 2 belongs to the link width too; lspci takes it for both.
static COUNTER_STATUS: Flags<1> =
    Flags::new("\n\t\t\t   Interrupt Generated based on Trigger Event Count~, FlitErr: ", [2]);
static MEASUREMENT_CONTROL: Flags<1> = Flags::new("\t\tMeasCtl:   En~ Granularity: ", [0]);

/// The eight lines with two lanes each, the numbers to come.
const LANES: [[&str; 2]; 8] = [
    ["\t\tMeasSts3:  Lane0:  ", ", Lane1:  "],
    ["\t\tMeasSts4:  Lane2:  ", ", Lane3:  "],
    ["\t\tMeasSts5:  Lane4:  ", ", Lane5:  "],
    ["\t\tMeasSts6:  Lane6:  ", ", Lane7:  "],
    ["\t\tMeasSts7:  Lane8:  ", ", Lane9:  "],
    ["\t\tMeasSts8:  Lane10: ", ", Lane11: "],
    ["\t\tMeasSts9:  Lane12: ", ", Lane13: "],
    ["\t\tMeasSts10: Lane14: ", ", Lane15: "],
];

pub(super) fn logging(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x3c>() else { return };
    let log = dword::<0x04, _>(registers);
    link_width(text.signs(&LOG_VALID, log), bits(log, 1, 3));
    let [parity, check] = [registers[0x06], registers[0x07]];
    text.signs(&LOG_ERRORS, log).hex2(parity).str(", SyndCheckGrp0: ").hex2(check).end();
    text.str("\t\tLog2:      SyndParityGrp1: ").hex2(registers[0x08]);
    text.str(", SyndCheckGrp1: ").hex2(registers[0x09]).end();
    text.str("\t\t\t   SyndParityGrp2: ").hex2(registers[0x0a]);
    text.str(", SyndCheckGrp2: ").hex2(registers[0x0b]).end();
    let control = u32::from(word::<0x0c, _>(registers));
    text.signs(&COUNTER_CONTROL, control).dec(bits(control, 2, 2).into());
    text.str(", Trigger Event on Error Count: ").hex2(bits(control, 4, 8) as u8).end();
    let status = u32::from(word::<0x0e, _>(registers));
    link_width(text.str("\t\tCntSts:    Link Width when Error Counter Started "), bits(status, 0, 3));
    text.signs(&COUNTER_STATUS, status).dec(bits(status, 8, 8).into()).end();
    let measurement = dword::<0x10, _>(registers);
    let granularity = ["all", "even", "odd", "mismatch"];
    text.signs(&MEASUREMENT_CONTROL, measurement).named(&granularity, bits(measurement, 2, 2)).end();
    text.str("\t\tMeasSts1:  Flit Counter: ").dec(dword::<0x14, _>(registers).into()).end();
    text.str("\t\tMeasSts2:  Invalid Flit Counter: ").dec(word::<0x18, _>(registers).into()).end();
    let (_, counters) = registers.split_at(0x1c);
    for ([even, odd], counters) in LANES.into_iter().zip(counters.as_chunks::<4>().0) {
        right_aligned(text.str(even), word::<0, _>(counters));
        right_aligned(text.str(odd), word::<2, _>(counters));
        text.end();
    }
}

/// A number with spaces before it up to five characters.
fn right_aligned(text: &mut Text, value: u16) {
    let digits = value.checked_ilog10().unwrap_or(0) as usize;
    text.str("    ".get(digits..).unwrap_or_default()).dec(value.into());
}

static INJECTION_CONTROL: Flags<9> = Flags::new(
    "\t\tFlitEiCtl1:   En~ Tx~ Rx~ 2.5GT/s~ 5.0GT/s~ 8.0GT/s~ 16.0GT/s~ 32.0GT/s~ 64.0GT/s~\n\
     \t\t\t      Number of errors: ",
    [0, 1, 2, 6, 7, 8, 9, 10, 11],
);
static ORDERED_SETS: Flags<17> = Flags::new(
    "\t\tFlitEiOsCtl1: En~ Tx~ Rx~ TS0~ TS1~ TS2~ SKP~ EIEOS~ EIOS~\n\
     \t\t\t      SDS~ Poll~ Conf~ L0~ NoEq~ Eq01~ Eq2~ Eq3~\n",
    [0, 1, 2, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29],
);
const FLIT_TYPES: [&str; 4] = ["any", "any non-IDLE", "only payload", "only NOP"];
const ERROR_TYPES: [&str; 4] =
    ["random", "correctable single group", "correctable three groups", "uncorrectable"];
const INJECTION_STATES: [&str; 4] = ["not started", "started", "completed", "error"];

/// What is injected into which ordered set or state, in the order of the status registers' bit pairs.
const TARGETS: [&str; 14] = [
    "TS0: ",
    ", TS1: ",
    ", TS2: ",
    "\n\t\t\t      SKP: ",
    ", EIEOS: ",
    ", EIOS: ",
    "\n\t\t\t      SDS: ",
    ", Polling: ",
    ", Configuration: ",
    "\n\t\t\t      L0: ",
    ", non-EQ recovery: ",
    ", Eq01: ",
    "\n\t\t\t      Eq2: ",
    ", Eq3: ",
];

pub(super) fn error_injection(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x24>() else { return };
    let control_1 = dword::<0x08, _>(registers);
    text.signs(&INJECTION_CONTROL, control_1).dec(bits(control_1, 16, 5).into());
    text.str(", Spacing between errors: ").dec(bits(control_1, 21, 8).into());
    text.str(", Flit Type: ").named(&FLIT_TYPES, bits(control_1, 29, 2)).end();
    let control_2 = dword::<0x0c, _>(registers);
    text.str("\t\tFlitEiCtl2:   Consecutive: ");
    match bits(control_2, 0, 3) {
        0 => text.str("none"),
        7 => text.str("pseudo-random"),
        4 => text.str("Unknown (4)"),
        count => text.dec(count.into()),
    };
    text.str(", Type: ").named(&ERROR_TYPES, bits(control_2, 3, 2));
    text.str(", Offset: ").dec(bits(control_2, 5, 7).into());
    text.str(", Magnitude: ").dec(bits(control_2, 12, 8).into()).end();
    let status = dword::<0x10, _>(registers);
    text.str("\t\tFlitEiSts:    Tx: ").named(&INJECTION_STATES, bits(status, 0, 2));
    text.str(", Rx: ").named(&INJECTION_STATES, bits(status, 2, 2)).end();
    text.signs(&ORDERED_SETS, dword::<0x14, _>(registers));
    text.str("\t\tFlitEiOsCtl2: Bytes: ").hex4(word::<0x18, _>(registers));
    text.str(", Lanes: ").hex4(word::<0x1a, _>(registers)).end();
    ordered_sets(text.str("\t\tFlitEiOsTx:   "), dword::<0x1c, _>(registers));
    ordered_sets(text.str("\t\tFlitEiOsRx:   "), dword::<0x20, _>(registers));
}

fn ordered_sets(text: &mut Text, status: u32) {
    for (target, index) in TARGETS.into_iter().zip(0..) {
        text.str(target).named(&INJECTION_STATES, bits(status, 2 * index, 2));
    }
    text.end();
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};
    use alloc::format;

    #[test]
    fn the_log_has_its_numbers_aligned() {
        let list = [
            0x0001_0032,
            0x0201_6009,
            0x0605_0403,
            0xff05_0ffe,
            0x0000_0009,
            123_456,
            0x0007_0007,
            0x0001_ffff,
            0x000a_0000,
            0x0064_03e8,
            0,
            0,
            0,
            0,
            0x2710_0001,
        ];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Flit Logging\n\
             \t\tLog1:      Valid+, Link Width: x16\n\
             \t\t\t   More entries+ Unrecognized flit+ FEC uncorrectable-\n\
             \t\t\t   SyndParityGrp0: 01, SyndCheckGrp0: 02\n\
             \t\tLog2:      SyndParityGrp1: 03, SyndCheckGrp1: 04\n\
             \t\t\t   SyndParityGrp2: 05, SyndCheckGrp2: 06\n\
             \t\tCntCtl:    Flit Error Counter En- Flit Error Counter Interrupt En+\n\
             \t\t\t   Events to count: 3, Trigger Event on Error Count: ff\n\
             \t\tCntSts:    Link Width when Error Counter Started Unknown (5)\n\
             \t\t\t   Interrupt Generated based on Trigger Event Count+, FlitErr: 255\n\
             \t\tMeasCtl:   En+ Granularity: odd\n\
             \t\tMeasSts1:  Flit Counter: 123456\n\
             \t\tMeasSts2:  Invalid Flit Counter: 7\n\
             \t\tMeasSts3:  Lane0:  65535, Lane1:      1\n\
             \t\tMeasSts4:  Lane2:      0, Lane3:     10\n\
             \t\tMeasSts5:  Lane4:   1000, Lane5:    100\n\
             \t\tMeasSts6:  Lane6:      0, Lane7:      0\n\
             \t\tMeasSts7:  Lane8:      0, Lane9:      0\n\
             \t\tMeasSts8:  Lane10:     0, Lane11:     0\n\
             \t\tMeasSts9:  Lane12:     0, Lane13:     0\n\
             \t\tMeasSts10: Lane14:     1, Lane15: 10000\n"
        );
        assert_cut_off(&list, "");
    }

    #[test]
    fn error_injection() {
        let list = [
            0x0001_0034,
            0,
            0x61e3_0bc5,
            0x0007_f3ef,
            0x0000_000e,
            0x2a55_0003,
            0x8001_00ff,
            0x0000_00e4,
            0x0e40_0000,
        ];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Flit Error Injection\n\
             \t\tFlitEiCtl1:   En+ Tx- Rx+ 2.5GT/s+ 5.0GT/s+ 8.0GT/s+ 16.0GT/s+ 32.0GT/s- 64.0GT/s+\n\
             \t\t\t      Number of errors: 3, Spacing between errors: 15, Flit Type: only NOP\n\
             \t\tFlitEiCtl2:   Consecutive: pseudo-random, Type: correctable single group, Offset: 31, \
             Magnitude: 127\n\
             \t\tFlitEiSts:    Tx: completed, Rx: error\n\
             \t\tFlitEiOsCtl1: En+ Tx+ Rx- TS0+ TS1- TS2+ SKP- EIEOS+ EIOS-\n\
             \t\t\t      SDS+ Poll- Conf- L0+ NoEq- Eq01+ Eq2- Eq3+\n\
             \t\tFlitEiOsCtl2: Bytes: 00ff, Lanes: 8001\n\
             \t\tFlitEiOsTx:   TS0: not started, TS1: started, TS2: completed\n\
             \t\t\t      SKP: error, EIEOS: not started, EIOS: not started\n\
             \t\t\t      SDS: not started, Polling: not started, Configuration: not started\n\
             \t\t\t      L0: not started, non-EQ recovery: not started, Eq01: not started\n\
             \t\t\t      Eq2: not started, Eq3: not started\n\
             \t\tFlitEiOsRx:   TS0: not started, TS1: not started, TS2: not started\n\
             \t\t\t      SKP: not started, EIEOS: not started, EIOS: not started\n\
             \t\t\t      SDS: not started, Polling: not started, Configuration: not started\n\
             \t\t\t      L0: not started, non-EQ recovery: not started, Eq01: started\n\
             \t\t\t      Eq2: completed, Eq3: error\n"
        );
        assert_cut_off(&list, "");
        let last = shown(&[0x0001_0034, 0, 0, 0x18, 0, 0, 0, 0, 0]);
        assert!(last.contains("Type: uncorrectable, "), "{last}");
        for (code, text) in [(0, "none"), (3, "3"), (4, "Unknown (4)"), (6, "6")] {
            let shown = shown(&[0x0001_0034, 0, 0, code, 0, 0, 0, 0, 0]);
            assert!(shown.contains(&format!("Consecutive: {text}, Type: random, ")), "{shown}");
        }
    }
}
