//! What tells of time: Latency Tolerance Reporting, L1 PM Substates, Precision Time Measurement.

use super::flags::{Flags, Write, bits};
use super::{Body, unreadable};
use crate::config_space::{dword, word};
use crate::lspci::Text;

pub(super) fn tolerance(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    text.str("\t\tMax snoop latency: ").dec(nanoseconds(word::<0x04, _>(registers))).str("ns\n");
    text.str("\t\tMax no snoop latency: ").dec(nanoseconds(word::<0x06, _>(registers))).str("ns\n");
}

/// A latency of ten bits and a scale in powers of 32. The reserved scale 7 counts eights: what a
/// 32-bit number shifted by 35 is on lspci's machines.
fn nanoseconds(latency: u16) -> u64 {
    let scale = u32::from(latency >> 10 & 7);
    u64::from(latency & 0x3ff) * u64::from(1u32.wrapping_shl(5 * scale))
}

static L1_CAPABILITIES: Flags<5> = Flags::new(
    "\t\tL1SubCap: PCI-PM_L1.2~ PCI-PM_L1.1~ ASPM_L1.2~ ASPM_L1.1~ L1_PM_Substates~\n",
    [0, 1, 2, 3, 4],
);
static L1_CONTROL: Flags<4> =
    Flags::new("\t\tL1SubCtl1: PCI-PM_L1.2~ PCI-PM_L1.1~ ASPM_L1.2~ ASPM_L1.1~\n", [0, 1, 2, 3]);

pub(super) fn l1_pm_substates(text: &mut Text, body: Body<'_>) {
    const PCI_PM_L1_2: u32 = 1 << 0;
    const ASPM_L1_2: u32 = 1 << 2;
    let Some(registers) = body.registers::<0x10>() else { return unreadable(text) };
    let capabilities = dword::<0x04, _>(registers);
    let has_l1_2 = capabilities & (PCI_PM_L1_2 | ASPM_L1_2) != 0;
    text.signs(&L1_CAPABILITIES, capabilities);
    if has_l1_2 {
        text.str("\t\t\t  PortCommonModeRestoreTime=").dec(bits(capabilities, 8, 8).into());
        text.str("us PortTPowerOnTime=");
        power_on_time(text, bits(capabilities, 16, 2), bits(capabilities, 19, 5));
        text.end();
    }
    let control_1 = dword::<0x08, _>(registers);
    text.signs(&L1_CONTROL, control_1);
    if has_l1_2 {
        text.str("\t\t\t   T_CommonMode=").dec(bits(control_1, 8, 8).into()).str("us");
        if capabilities & ASPM_L1_2 != 0 {
            text.str(" LTR1.2_Threshold=");
            match bits(control_1, 29, 3) {
                scale @ 0..=5 => text.dec(u64::from(bits(control_1, 16, 10)) << (5 * scale)).str("ns"),
                _ => text.str("<error>"),
            };
        }
        text.end();
    }
    text.str("\t\tL1SubCtl2:");
    if has_l1_2 {
        let control_2 = dword::<0x0c, _>(registers);
        text.str(" T_PwrOn=");
        power_on_time(text, bits(control_2, 0, 2), bits(control_2, 3, 5));
    }
    text.end();
}

fn power_on_time(text: &mut Text, scale: u32, value: u32) {
    let unit = match scale {
        0 => 2,
        1 => 10,
        2 => 100,
        _ => {
            text.str("<error>");
            return;
        }
    };
    text.dec((unit * value).into()).str("us");
}

static PTM_CAPABILITY: Flags<3> = Flags::new("\t\tPTMCap: Requester~ Responder~ Root~\n", [0, 1, 2]);
static PTM_CONTROL: Flags<2> = Flags::new("\t\tPTMControl: Enabled~ RootSelected~\n", [0, 1]);

pub(super) fn precision_time_measurement(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x0c>() else { return unreadable(text) };
    text.signs(&PTM_CAPABILITY, dword::<0x04, _>(registers)).str("\t\tPTMClockGranularity: ");
    granularity(text, registers[0x05], "Unimplemented");
    text.signs(&PTM_CONTROL, dword::<0x08, _>(registers)).str("\t\tPTMEffectiveGranularity: ");
    granularity(text, registers[0x09], "Unknown");
}

fn granularity(text: &mut Text, nanoseconds: u8, zero: &str) {
    match nanoseconds {
        0 => text.str(zero),
        0xff => text.str("Greater than 254ns"),
        _ => text.dec(nanoseconds.into()).str("ns"),
    };
    text.end();
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};
    use alloc::format;

    #[test]
    fn ltr_in_nanoseconds() {
        let name = "\tCapabilities: [100 v1] Latency Tolerance Reporting\n";
        let lines = |snoop: u64, no_snoop: u64| {
            format!("{name}\t\tMax snoop latency: {snoop}ns\n\t\tMax no snoop latency: {no_snoop}ns\n")
        };
        assert_eq!(shown(&[0x0001_0018, 0x0847_1003]), lines(3 << 20, 71 << 10));
        assert_eq!(shown(&[0x0001_0018, 0x17ff_83ff]), lines(1023, 1023 << 25));
        assert_eq!(shown(&[0x0001_0018, 0x1c01_1bff]), lines(1023 << 30, 8));
        assert_cut_off(&[0x0001_0018, 0], "");
    }

    #[test]
    fn l1_pm_substates() {
        let list = [0x0001_001e, 0x0028_281f, 0x603e_3c0f, 0x0000_0028];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] L1 PM Substates\n\
             \t\tL1SubCap: PCI-PM_L1.2+ PCI-PM_L1.1+ ASPM_L1.2+ ASPM_L1.1+ L1_PM_Substates+\n\
             \t\t\t  PortCommonModeRestoreTime=40us PortTPowerOnTime=10us\n\
             \t\tL1SubCtl1: PCI-PM_L1.2+ PCI-PM_L1.1+ ASPM_L1.2+ ASPM_L1.1+\n\
             \t\t\t   T_CommonMode=60us LTR1.2_Threshold=2031616ns\n\
             \t\tL1SubCtl2: T_PwrOn=10us\n"
        );
        assert_cut_off(&list, "\t\t<unreadable>\n");
        assert_eq!(
            shown(&[0x0001_001e, 0x00ff_0004, 0xdfff_0000, 0x0000_00fb]),
            "\tCapabilities: [100 v1] L1 PM Substates\n\
             \t\tL1SubCap: PCI-PM_L1.2- PCI-PM_L1.1- ASPM_L1.2+ ASPM_L1.1- L1_PM_Substates-\n\
             \t\t\t  PortCommonModeRestoreTime=0us PortTPowerOnTime=<error>\n\
             \t\tL1SubCtl1: PCI-PM_L1.2- PCI-PM_L1.1- ASPM_L1.2- ASPM_L1.1-\n\
             \t\t\t   T_CommonMode=0us LTR1.2_Threshold=<error>\n\
             \t\tL1SubCtl2: T_PwrOn=<error>\n"
        );
        // Without L1.2 there are no times, and the second control register has nothing to show.
        assert_eq!(
            shown(&[0x0001_001e, 0x0000_0012, 0x0000_0002, 0x0000_00ff]),
            "\tCapabilities: [100 v1] L1 PM Substates\n\
             \t\tL1SubCap: PCI-PM_L1.2- PCI-PM_L1.1+ ASPM_L1.2- ASPM_L1.1- L1_PM_Substates+\n\
             \t\tL1SubCtl1: PCI-PM_L1.2- PCI-PM_L1.1+ ASPM_L1.2- ASPM_L1.1-\n\
             \t\tL1SubCtl2:\n"
        );
    }

    #[test]
    fn power_on_times() {
        for (scale, unit) in [(0, 2), (1, 10), (2, 100)] {
            for value in [0, 1, 2, 4, 8, 16, 31] {
                let text = shown(&[0x0001_001e, 1 | scale << 16 | value << 19, 0, scale | value << 3]);
                let time = unit * value;
                assert!(text.contains(&format!(" PortTPowerOnTime={time}us\n")), "{text}");
                assert!(text.ends_with(&format!(" T_PwrOn={time}us\n")), "{text}");
            }
        }
    }

    #[test]
    fn ptm() {
        let list = [0x0001_001f, 0x0000_1007, 0x0000_ff03];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Precision Time Measurement\n\
             \t\tPTMCap: Requester+ Responder+ Root+\n\
             \t\tPTMClockGranularity: 16ns\n\
             \t\tPTMControl: Enabled+ RootSelected+\n\
             \t\tPTMEffectiveGranularity: Greater than 254ns\n"
        );
        assert_cut_off(&list, "\t\t<unreadable>\n");
        let zero = shown(&[0x0001_001f, 0, 0]);
        assert!(zero.contains("PTMClockGranularity: Unimplemented\n"), "{zero}");
        assert!(zero.ends_with("PTMEffectiveGranularity: Unknown\n"), "{zero}");
    }
}
