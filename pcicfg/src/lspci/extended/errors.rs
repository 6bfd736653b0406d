//! Advanced Error Reporting and Downstream Port Containment.

use super::Body;
use super::flags::{Flags, Write, bits};
use crate::capability::DevicePortType;
use crate::config_space::{dword, word};
use crate::lspci::Text;

/// Status, mask and severity of what cannot be corrected.
static UNCORRECTABLE: Flags<22> = Flags::new(
    "\tDLP~ SDES~ TLP~ FCP~ CmpltTO~ CmpltAbrt~ UnxCmplt~ RxOF~ MalfTLP~\n\
     \t\t\tECRC~ UnsupReq~ ACSViol~ UncorrIntErr~ BlockedTLP~ AtomicOpBlocked~ TLPBlockedErr~\n\
     \t\t\tPoisonTLPBlocked~ DMWrReqBlocked~ IDECheck~ MisIDETLP~ PCRC_CHECK~ TLPXlatBlocked~\n",
    [4, 5, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31],
);

/// Status and mask of what was corrected.
static CORRECTABLE: Flags<8> = Flags::new(
    "\tRxErr~ BadTLP~ BadDLLP~ Rollover~ Timeout~ AdvNonFatalErr~ CorrIntErr~ HeaderOF~\n",
    [0, 6, 7, 8, 12, 13, 14, 15],
);

static CONTROL: Flags<8> = Flags::new(
    ", ECRCGenCap~ ECRCGenEn~ ECRCChkCap~ ECRCChkEn~\n\
     \t\t\tMultHdrRecCap~ MultHdrRecEn~ TLPPfxPres~ HdrLogCap~\n",
    [5, 6, 7, 8, 9, 10, 11, 12],
);

static ROOT_COMMAND: Flags<3> = Flags::new("\t\tRootCmd: CERptEn~ NFERptEn~ FERptEn~\n", [0, 1, 2]);

static ROOT_STATUS: Flags<7> = Flags::new(
    "\t\tRootSta: CERcvd~ MultCERcvd~ UERcvd~ MultUERcvd~\n\
     \t\t\t FirstFatal~ NonFatalMsg~ FatalMsg~ IntMsgNum ",
    [0, 1, 2, 3, 4, 5, 6],
);

pub(super) fn advanced_error_reporting(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x2c>() else { return };
    text.str("\t\tUESta:").signs(&UNCORRECTABLE, dword::<0x04, _>(registers));
    text.str("\t\tUEMsk:").signs(&UNCORRECTABLE, dword::<0x08, _>(registers));
    text.str("\t\tUESvrt:").signs(&UNCORRECTABLE, dword::<0x0c, _>(registers));
    text.str("\t\tCESta:").signs(&CORRECTABLE, dword::<0x10, _>(registers));
    text.str("\t\tCEMsk:").signs(&CORRECTABLE, dword::<0x14, _>(registers));
    let control = dword::<0x18, _>(registers);
    text.str("\t\tAERCap:\tFirst Error Pointer: ").hex2(bits(control, 0, 5) as u8).signs(&CONTROL, control);
    text.str("\t\tHeaderLog: ").hex8(dword::<0x1c, _>(registers));
    text.str(" ").hex8(dword::<0x20, _>(registers));
    text.str(" ").hex8(dword::<0x24, _>(registers));
    text.str(" ").hex8(dword::<0x28, _>(registers)).end();
    if body.port.is_some_and(DevicePortType::is_root) {
        root(text, body);
    }
}

fn root(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x38>() else { return };
    text.signs(&ROOT_COMMAND, dword::<0x2c, _>(registers));
    let status = dword::<0x30, _>(registers);
    text.signs(&ROOT_STATUS, status).dec(bits(status, 27, 5).into()).end();
    text.str("\t\tErrorSrc: ERR_COR: ").hex4(word::<0x34, _>(registers));
    text.str(" ERR_FATAL/NONFATAL: ").hex4(word::<0x36, _>(registers)).end();
}

static DPC_CAPABILITY: Flags<3> = Flags::new(", RPExt~ PoisonedTLP~ SwTrigger~ RP PIO Log ", [5, 6, 7]);
static DPC_ACTIVE: Flags<1> = Flags::new(", DL_ActiveErr~\n", [12]);
static DPC_CONTROL: Flags<6> =
    Flags::new(" Cmpl~ INT~ ErrCor~ PoisonedTLP~ SwTrigger~ DL_ActiveErr~\n", [2, 3, 4, 5, 6, 7]);
static DPC_TRIGGER: Flags<1> = Flags::new("\t\tDpcSta:\tTrigger~ Reason:", [0]);
static DPC_STATUS: Flags<2> = Flags::new(" INT~ RPBusy~ TriggerExt:", [3, 4]);

pub(super) fn downstream_port_containment(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x0c>() else { return };
    let capability = u32::from(word::<0x04, _>(registers));
    text.str("\t\tDpcCap:\tIntMsgNum ").dec(bits(capability, 0, 5).into());
    text.signs(&DPC_CAPABILITY, capability).dec(bits(capability, 8, 4).into()).signs(&DPC_ACTIVE, capability);
    let control = u32::from(word::<0x06, _>(registers));
    text.str("\t\tDpcCtl:\tTrigger:").hex(1, bits(control, 0, 2).into()).signs(&DPC_CONTROL, control);
    let status = u32::from(word::<0x08, _>(registers));
    text.signs(&DPC_TRIGGER, status).hex2(bits(status, 1, 2) as u8);
    text.signs(&DPC_STATUS, status).hex2(bits(status, 5, 2) as u8);
    text.str(" RP PIO ErrPtr:").hex2(bits(status, 8, 5) as u8).end();
    text.str("\t\tSource:\t").hex4(word::<0x0a, _>(registers)).end();
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown, shown_in};
    use alloc::format;

    #[test]
    fn aer_of_a_root_port_and_of_an_endpoint() {
        let list = [
            0x0002_0001,
            0x0010_0010,
            0xffff_ffff,
            0x0046_2030,
            0x0000_a001,
            0x0000_5141,
            0x0000_1ab4,
            0x4a00_0001,
            0x0000_0f0f,
            0xdead_beef,
            0x0123_4567,
            0x0000_0005,
            0x0800_0051,
            0x0100_00e8,
        ];
        let all = "DLP+ SDES+ TLP+ FCP+ CmpltTO+ CmpltAbrt+ UnxCmplt+ RxOF+ MalfTLP+\n\
            \t\t\tECRC+ UnsupReq+ ACSViol+ UncorrIntErr+ BlockedTLP+ AtomicOpBlocked+ TLPBlockedErr+\n\
            \t\t\tPoisonTLPBlocked+ DMWrReqBlocked+ IDECheck+ MisIDETLP+ PCRC_CHECK+ TLPXlatBlocked+\n";
        let fields = format!(
            "\tCapabilities: [100 v2] Advanced Error Reporting\n\
             \t\tUESta:\tDLP+ SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP-\n\
             \t\t\tECRC- UnsupReq+ ACSViol- UncorrIntErr- BlockedTLP- AtomicOpBlocked- TLPBlockedErr-\n\
             \t\t\tPoisonTLPBlocked- DMWrReqBlocked- IDECheck- MisIDETLP- PCRC_CHECK- TLPXlatBlocked-\n\
             \t\tUEMsk:\t{all}\
             \t\tUESvrt:\tDLP+ SDES+ TLP- FCP+ CmpltTO- CmpltAbrt- UnxCmplt- RxOF+ MalfTLP+\n\
             \t\t\tECRC- UnsupReq- ACSViol- UncorrIntErr+ BlockedTLP- AtomicOpBlocked- TLPBlockedErr-\n\
             \t\t\tPoisonTLPBlocked- DMWrReqBlocked- IDECheck- MisIDETLP- PCRC_CHECK- TLPXlatBlocked-\n\
             \t\tCESta:\tRxErr+ BadTLP- BadDLLP- Rollover- Timeout- AdvNonFatalErr+ CorrIntErr- HeaderOF+\n\
             \t\tCEMsk:\tRxErr+ BadTLP+ BadDLLP- Rollover+ Timeout+ AdvNonFatalErr- CorrIntErr+ HeaderOF-\n\
             \t\tAERCap:\tFirst Error Pointer: 14, ECRCGenCap+ ECRCGenEn- ECRCChkCap+ ECRCChkEn-\n\
             \t\t\tMultHdrRecCap+ MultHdrRecEn- TLPPfxPres+ HdrLogCap+\n\
             \t\tHeaderLog: 4a000001 00000f0f deadbeef 01234567\n"
        );
        assert_eq!(shown(&list), fields);
        let root = "\t\tRootCmd: CERptEn+ NFERptEn- FERptEn+\n\
            \t\tRootSta: CERcvd+ MultCERcvd- UERcvd- MultUERcvd-\n\
            \t\t\t FirstFatal+ NonFatalMsg- FatalMsg+ IntMsgNum 1\n\
            \t\tErrorSrc: ERR_COR: 00e8 ERR_FATAL/NONFATAL: 0100\n";
        assert_eq!(shown_in(4, &list), format!("{fields}{root}"));
        assert_eq!(shown_in(10, &list), format!("{fields}{root}"));
        assert_eq!(shown_in(4, &list[..13]), fields, "the root's part is cut off");
        assert_eq!(shown(&list[..11]), fields, "an endpoint ends with the header log");
        assert_cut_off(&list[..11], "");
    }

    #[test]
    fn dpc() {
        let list = [0x0001_001d, 0x0039_14e9, 0x00e8_1f55];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Downstream Port Containment\n\
             \t\tDpcCap:\tIntMsgNum 9, RPExt+ PoisonedTLP+ SwTrigger+ RP PIO Log 4, DL_ActiveErr+\n\
             \t\tDpcCtl:\tTrigger:1 Cmpl- INT+ ErrCor+ PoisonedTLP+ SwTrigger- DL_ActiveErr-\n\
             \t\tDpcSta:\tTrigger+ Reason:02 INT- RPBusy+ TriggerExt:02 RP PIO ErrPtr:1f\n\
             \t\tSource:\t00e8\n"
        );
        assert_cut_off(&list, "");
    }
}
