//! Integrity and Data Encryption: the streams of a link, and those between two functions.

use super::flags::{Flags, Write, bit, bits};
use super::{Body, unreadable};
use crate::config_space::dword;
use crate::lspci::Text;

static CAPABILITY: Flags<6> =
    Flags::new(" FlowThru~ PartHdr~ Aggr~ PCPC~ IDE_KM~ SelCfg~ Alg='", [2, 3, 4, 5, 6, 7]);
static CAPABILITY_TEE: Flags<2> = Flags::new(" TeeLim~ XT~\n", [24, 25]);
static CONTROL: Flags<1> = Flags::new("\t\tIDECtl: FTEn~\n", [2]);
static STREAM: Flags<2> = Flags::new(" Ctl: En~ XT~ NPR", [0, 1]);
// lspci shows a link stream's Enable for its PCRC too.
static LINK_PCRC: Flags<1> = Flags::new(" PCRC~", [0]);
static SELECTIVE_PCRC: Flags<2> = Flags::new(" PCRC~ CFG~", [8, 9]);
static TEE_LIMITED: Flags<1> = Flags::new(" TeeLim~", [23]);
static CHECK_FAILED: Flags<1> = Flags::new(" RecvChkFail~\n", [31]);
static VALID: Flags<1> = Flags::new(": Valid~ Base=", [0]);

const AGGREGATIONS: [&str; 4] = ["-", "=2", "=4", "=8"];
const HEADER_ENCRYPTIONS: [&str; 5] = ["no", "17:2", "25:2", "33:2", "41:2"];
const STATES: [&str; 3] = ["insecure", "reserved", "secure"];

pub(super) fn fields(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x0c>() else { return unreadable(text) };
    let capability = dword::<0x04, _>(registers);
    let classes = bits(capability, 13, 3) + 1;
    let links = if bit(capability, 0) { classes } else { 0 };
    let selectives = if bit(capability, 1) { bits(capability, 16, 8) + 1 } else { 0 };
    text.str("\t\tIDECap: Lnk=").dec(links.into()).str(" Sel=").dec(selectives.into());
    algorithm(text.signs(&CAPABILITY, capability), bits(capability, 8, 5));
    text.str("' TCs=").dec(classes.into()).signs(&CAPABILITY_TEE, capability);
    text.signs(&CONTROL, dword::<0x08, _>(registers));
    if !body.reaches(0x0c + 8 * links as usize) {
        return unreadable(text);
    }
    let mut stream = Stream { body, at: 0x0c, kind: "LinkIDE#", index: 0 };
    for index in 0..links {
        stream.index = index;
        if stream.link(text).is_none() {
            return unreadable(text);
        }
    }
    stream.kind = "SelectiveIDE#";
    for index in 0..selectives {
        stream.index = index;
        if stream.selective(text).is_none() {
            return unreadable(text);
        }
    }
}

/// The registers of the streams, one after the other.
struct Stream<'a> {
    body: Body<'a>,
    /// Where the next register is, from the capability's start.
    at: usize,
    kind: &'static str,
    index: u32,
}

impl Stream<'_> {
    /// Begins the line of the register that is next.
    fn line<'t>(&self, text: &'t mut Text) -> &'t mut Text {
        text.str("\t\t");
        if self.body.verbose > 2 {
            text.str("[").hex(1, u64::from(self.body.offset) + self.at as u64).str("]");
        }
        text.str(self.kind).dec(self.index.into())
    }

    fn link(&mut self, text: &mut Text) -> Option<()> {
        let registers = self.body.block::<8>(self.at)?;
        let control = dword::<0, _>(registers);
        protection(self.line(text), control).signs(&LINK_PCRC, control);
        encryption(text, control);
        stream_id(text, control).end();
        self.at += 4;
        let status = dword::<4, _>(registers);
        self.line(text).str(" Sta: Status=").named(&STATES, bits(status, 0, 4)).signs(&CHECK_FAILED, status);
        self.at += 4;
        Some(())
    }

    fn selective(&mut self, text: &mut Text) -> Option<()> {
        let registers = self.body.block::<20>(self.at)?;
        let blocks = bits(dword::<0, _>(registers), 0, 4);
        self.line(text).str(" Cap: RID#=").dec(blocks.into()).end();
        self.at += 4;

        let control = dword::<4, _>(registers);
        protection(self.line(text), control).signs(&SELECTIVE_PCRC, control);
        encryption(text, control);
        text.signs(&TEE_LIMITED, control);
        stream_id(text, control).str(if bit(control, 22) { " Default\n" } else { "\n" });
        self.at += 4;

        let status = dword::<8, _>(registers);
        self.line(text).str(" Sta: ").named(&STATES, bits(status, 0, 4)).signs(&CHECK_FAILED, status);
        self.at += 4;

        let (limit, base) = (dword::<12, _>(registers), dword::<16, _>(registers));
        self.line(text).str(" RID").signs(&VALID, base).hex(1, bits(base, 8, 16).into());
        text.str(" Limit=").hex(1, bits(limit, 8, 16).into());
        text.str(" SegBase=").hex(1, bits(base, 24, 8).into()).end();
        self.at += 8;

        if blocks > 0 && !self.body.reaches(self.at + 12 * blocks as usize) {
            return None;
        }
        for block in 0..blocks {
            let registers = self.body.block::<12>(self.at)?;
            let low = dword::<0, _>(registers);
            let limit = u64::from(dword::<4, _>(registers)) << 32 | u64::from(low & 0xfff0_0000 | 0xf_ffff);
            let base = u64::from(dword::<8, _>(registers)) << 32 | u64::from(bits(low, 8, 12) << 20);
            self.line(text).str(" RID#").dec(block.into()).signs(&VALID, low).hex(1, base);
            text.str(" Limit=").hex(1, limit).end();
            self.at += 12;
        }
        Some(())
    }
}

/// Enable bits and how many requests share a check.
fn protection(text: &mut Text, control: u32) -> &mut Text {
    text.signs(&STREAM, control).named(&AGGREGATIONS, bits(control, 2, 2));
    text.str(" PR").named(&AGGREGATIONS, bits(control, 4, 2));
    text.str(" CPL").named(&AGGREGATIONS, bits(control, 6, 2))
}

/// What is encrypted, how, and for which traffic class.
fn encryption(text: &mut Text, control: u32) {
    text.str(" HdrEnc=").named(&HEADER_ENCRYPTIONS, bits(control, 10, 4));
    algorithm(text.str(" Alg='"), bits(control, 14, 5));
    text.str("' TC").dec(bits(control, 19, 3).into());
}

fn stream_id(text: &mut Text, control: u32) -> &mut Text {
    text.str(" ID").dec(bits(control, 24, 8).into())
}

fn algorithm(text: &mut Text, code: u32) {
    text.str(if code == 0 { "AES-GCM-256-96b" } else { "reserved" });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown, shown_in_full};
    use alloc::format;
    use alloc::string::ToString;

    /// One link stream, two selective ones; the first of these with an address range.
    const LIST: [u32; 18] = [
        0x0001_0030,
        0x0301_00e7,
        0x0000_0004, // capability, control
        0x0700_0871,
        0x8000_0002, // link stream
        0x0000_0001,
        0x05a8_5301,
        0x0000_0000,
        0x0000_ff00,
        0x0203_0001, // selective stream
        0x2000_1001,
        0x0000_0001,
        0x0000_0001, // its range
        0x0000_0000,
        0x0648_0002,
        0x0000_0003,
        0x0000_0000,
        0x0000_0000, // the other
    ];

    #[test]
    fn streams() {
        let lines = [
            "\tCapabilities: [100 v1] Integrity & Data Encryption\n\
             \t\tIDECap: Lnk=1 Sel=2 FlowThru+ PartHdr- Aggr- PCPC+ IDE_KM+ SelCfg+ Alg='AES-GCM-256-96b' \
             TCs=1 TeeLim+ XT+\n\
             \t\tIDECtl: FTEn+\n",
            "\t\tLinkIDE#0 Ctl: En+ XT- NPR- PR=8 CPL=2 PCRC+ HdrEnc=25:2 Alg='AES-GCM-256-96b' TC0 ID7\n",
            "\t\tLinkIDE#0 Sta: Status=secure RecvChkFail+\n",
            "\t\tSelectiveIDE#0 Cap: RID#=1\n",
            "\t\tSelectiveIDE#0 Ctl: En+ XT- NPR- PR- CPL- PCRC+ CFG+ HdrEnc=41:2 Alg='reserved' TC5 \
             TeeLim+ ID5\n",
            "\t\tSelectiveIDE#0 Sta: insecure RecvChkFail-\n",
            "\t\tSelectiveIDE#0 RID: Valid+ Base=300 Limit=ff SegBase=2\n",
            "\t\tSelectiveIDE#0 RID#0: Valid+ Base=101000000 Limit=1200fffff\n",
            "\t\tSelectiveIDE#1 Cap: RID#=0\n",
            "\t\tSelectiveIDE#1 Ctl: En- XT+ NPR- PR- CPL- PCRC- CFG- HdrEnc=no Alg='AES-GCM-256-96b' TC1 \
             TeeLim- ID6 Default\n",
            "\t\tSelectiveIDE#1 Sta: ??3 RecvChkFail-\n",
            "\t\tSelectiveIDE#1 RID: Valid- Base=0 Limit=0 SegBase=0\n",
        ];
        assert_eq!(shown(&LIST), lines.concat());
        // The registers' places are for -vvv.
        let places = ["10c", "110", "114", "118", "11c", "120", "128", "134", "138", "13c", "140"];
        let mut full = lines[0].to_string();
        for (line, place) in lines[1..].iter().zip(places) {
            full += &line.replacen("\t\t", &format!("\t\t[{place}]"), 1);
        }
        assert_eq!(shown_in_full(&LIST), full);
        // What is cut off, at each of the four places where lspci asks.
        for (len, count) in [(17, 8), (12, 7), (9, 3), (4, 1)] {
            let expected = lines[..count].concat() + "\t\t<unreadable>\n";
            assert_eq!(shown(&LIST[..len]), expected, "{len} dwords");
        }
        assert_cut_off(&LIST[..3], "\t\t<unreadable>\n");
    }

    #[test]
    fn without_streams_there_are_two_lines() {
        assert_eq!(
            shown(&[0x0001_0030, 0x00ff_e118, 0]),
            "\tCapabilities: [100 v1] Integrity & Data Encryption\n\
             \t\tIDECap: Lnk=0 Sel=0 FlowThru- PartHdr+ Aggr+ PCPC- IDE_KM- SelCfg- Alg='reserved' TCs=8 \
             TeeLim- XT-\n\
             \t\tIDECtl: FTEn-\n"
        );
    }

    #[test]
    fn codes_without_a_name() {
        for code in [1, 0x10, 0x1f] {
            let capability = shown(&[0x0001_0030, code << 8, 0]);
            assert!(capability.contains("SelCfg- Alg='reserved' TCs=1 "), "{capability}");
        }
        // Bits 7 and 13 are other fields' of the capability.
        let capability = shown(&[0x0001_0030, 1 << 13 | 1 << 7, 0]);
        assert!(capability.contains("SelCfg+ Alg='AES-GCM-256-96b' TCs=2 "), "{capability}");
        let link = shown(&[0x0001_0030, 1, 0, 0, 0x0000_0018]);
        assert!(link.ends_with(" Sta: Status=??8 RecvChkFail-\n"), "{link}");
        let selective = shown(&[0x0001_0030, 2, 0, 0, 0, 0x0000_0018, 0, 0]);
        assert!(selective.contains(" Sta: ??8 RecvChkFail-\n"), "{selective}");
    }

    #[test]
    fn coded_fields_of_a_stream() {
        let stream = |control| shown(&[0x0001_0030, 1, 0, control, 0]);
        for (code, name) in (0..).zip(["-", "=2", "=4", "=8"]) {
            for (low, field) in [(2, "NPR"), (4, "PR"), (6, "CPL")] {
                let text = stream(code << low);
                assert!(text.contains(&format!(" {field}{name} ")), "{text}");
            }
        }
        for (code, name) in [(0, "no"), (1, "17:2"), (2, "25:2"), (3, "33:2"), (4, "41:2"), (8, "??8")] {
            let text = stream(code << 10);
            assert!(text.contains(&format!(" HdrEnc={name} Alg='AES-GCM-256-96b' TC0 ")), "{text}");
        }
        for code in [1, 2, 4, 8, 16] {
            let text = stream(code << 14);
            assert!(text.contains(" HdrEnc=no Alg='reserved' TC0 "), "{text}");
        }
    }
}
