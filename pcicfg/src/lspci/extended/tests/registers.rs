//! Each bit of each register, by itself: which flag it sets, and which field it belongs to.
//!
//! The tests beside the code show whole capabilities; these find two bits that were swapped, or a
//! field that is too short.

use super::{space, written};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// How a field is written.
#[derive(Clone, Copy)]
enum As {
    Decimal,
    /// Decimal, and one more than what the register holds.
    Count,
    /// Hexadecimal with at least this many digits.
    Hex(usize),
}
use As::{Count, Decimal, Hex};

/// What a bit sets, by its number in the dword; names are parted by `|`.
type Flag<'a> = (u32, &'a str);
/// Where a field begins in the dword, how many bits it has, and what stands before it.
type Field<'a> = (u32, u32, &'a str, As);
/// Which dword of the capability a register is in, which of the dword's bits are its, and what they are.
type Row<'a> = (usize, Range<u32>, &'a [Flag<'a>], &'a [Field<'a>]);

/// A register in a capability that has these dwords.
struct Register<'a> {
    list: &'a [u32],
    dword: usize,
    bits: Range<u32>,
    flags: &'a [Flag<'a>],
    fields: &'a [Field<'a>],
}

impl Register<'_> {
    fn text(&self, value: u32) -> String {
        let mut list: Vec<u32> = self.list.into();
        let mask = if self.bits.len() == 32 { !0 } else { ((1 << self.bits.len()) - 1) << self.bits.start };
        list[self.dword] = list[self.dword] & !mask | value;
        // A root port: AER and Multicast have most to say of one.
        written(&space(&list), 2, Some(4))
    }

    fn assert(&self) {
        let none = self.text(0);
        for bit in self.bits.clone() {
            let text = self.text(1 << bit);
            let names = self.flags.iter().find(|(number, _)| *number == bit).map_or("", |(_, names)| names);
            let mut count = none.matches('+').count();
            for name in names.split('|').filter(|name| !name.is_empty()) {
                let is_set = |text: &str| [' ', '\t'].iter().any(|c| text.contains(&format!("{c}{name}+")));
                assert!(is_set(&text), "bit {bit} sets {name}:\n{text}");
                assert!(!is_set(&none), "only bit {bit} sets {name}:\n{none}");
                count += 1;
            }
            let is_field = |&(low, width, ..): &Field<'_>| (low..low + width).contains(&bit);
            // A field may make room for more flags, as a count does.
            if !names.is_empty() || !self.fields.iter().any(is_field) {
                assert_eq!(text.matches('+').count(), count, "bit {bit} sets {names:?} only:\n{text}");
            }
        }
        for &(low, width, before, style) in self.fields {
            let max = (1 << width) - 1;
            for value in [0, 1, max >> 1, max] {
                let text = self.text(value << low);
                let number = match style {
                    Decimal => format!("{value}"),
                    Count => format!("{}", value + 1),
                    Hex(digits) => format!("{value:0digits$x}"),
                };
                let is_there = |(at, _): (usize, &str)| {
                    let after = text[at + before.len()..].strip_prefix(&number);
                    after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_hexdigit()))
                };
                let found = text.match_indices(before).any(is_there);
                assert!(found, "{before}{number}:\n{text}");
            }
        }
    }
}

/// Registers of one capability.
fn assert_registers(list: &[u32], registers: &[Row<'_>]) {
    for (dword, bits, flags, fields) in registers {
        Register { list, dword: *dword, bits: bits.clone(), flags, fields }.assert();
    }
}

const ALL: Range<u32> = 0..32;
const LOW: Range<u32> = 0..16;
const HIGH: Range<u32> = 16..32;

#[test]
fn error_reporting() {
    const UNCORRECTABLE: &[(u32, &str)] = &[
        (4, "DLP"),
        (5, "SDES"),
        (12, "TLP"),
        (13, "FCP"),
        (14, "CmpltTO"),
        (15, "CmpltAbrt"),
        (16, "UnxCmplt"),
        (17, "RxOF"),
        (18, "MalfTLP"),
        (19, "ECRC"),
        (20, "UnsupReq"),
        (21, "ACSViol"),
        (22, "UncorrIntErr"),
        (23, "BlockedTLP"),
        (24, "AtomicOpBlocked"),
        (25, "TLPBlockedErr"),
        (26, "PoisonTLPBlocked"),
        (27, "DMWrReqBlocked"),
        (28, "IDECheck"),
        (29, "MisIDETLP"),
        (30, "PCRC_CHECK"),
        (31, "TLPXlatBlocked"),
    ];
    const CORRECTABLE: &[(u32, &str)] = &[
        (0, "RxErr"),
        (6, "BadTLP"),
        (7, "BadDLLP"),
        (8, "Rollover"),
        (12, "Timeout"),
        (13, "AdvNonFatalErr"),
        (14, "CorrIntErr"),
        (15, "HeaderOF"),
    ];
    const CONTROL: &[(u32, &str)] = &[
        (5, "ECRCGenCap"),
        (6, "ECRCGenEn"),
        (7, "ECRCChkCap"),
        (8, "ECRCChkEn"),
        (9, "MultHdrRecCap"),
        (10, "MultHdrRecEn"),
        (11, "TLPPfxPres"),
        (12, "HdrLogCap"),
    ];
    const ROOT_STATUS: &[(u32, &str)] = &[
        (0, "CERcvd"),
        (1, "MultCERcvd"),
        (2, "UERcvd"),
        (3, "MultUERcvd"),
        (4, "FirstFatal"),
        (5, "NonFatalMsg"),
        (6, "FatalMsg"),
    ];
    assert_registers(
        &[0x0001_0001, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[
            (1, ALL, UNCORRECTABLE, &[]),
            (2, ALL, UNCORRECTABLE, &[]),
            (3, ALL, UNCORRECTABLE, &[]),
            (4, ALL, CORRECTABLE, &[]),
            (5, ALL, CORRECTABLE, &[]),
            (6, ALL, CONTROL, &[(0, 5, "First Error Pointer: ", Hex(2))]),
            (11, ALL, &[(0, "CERptEn"), (1, "NFERptEn"), (2, "FERptEn")], &[]),
            (12, ALL, ROOT_STATUS, &[(27, 5, "IntMsgNum ", Decimal)]),
            (13, ALL, &[], &[(0, 16, "ERR_COR: ", Hex(4)), (16, 16, "ERR_FATAL/NONFATAL: ", Hex(4))]),
        ],
    );
}

#[test]
fn containment() {
    const CAPABILITY: &[(u32, &str)] =
        &[(5, "RPExt"), (6, "PoisonedTLP"), (7, "SwTrigger"), (12, "DL_ActiveErr")];
    const CONTROL: &[(u32, &str)] = &[
        (18, "Cmpl"),
        (19, "INT"),
        (20, "ErrCor"),
        (21, "PoisonedTLP"),
        (22, "SwTrigger"),
        (23, "DL_ActiveErr"),
    ];
    assert_registers(
        &[0x0001_001d, 0, 0],
        &[
            (1, LOW, CAPABILITY, &[(0, 5, "IntMsgNum ", Decimal), (8, 4, "RP PIO Log ", Decimal)]),
            (1, HIGH, CONTROL, &[(16, 2, "Trigger:", Hex(1))]),
            (
                2,
                LOW,
                &[(0, "Trigger"), (3, "INT"), (4, "RPBusy")],
                &[(1, 2, "Reason:", Hex(2)), (5, 2, "TriggerExt:", Hex(2)), (8, 5, "RP PIO ErrPtr:", Hex(2))],
            ),
            (2, HIGH, &[], &[(16, 16, "Source:\t", Hex(4))]),
        ],
    );
}

#[test]
fn routing_and_translation() {
    const ACS: [&str; 7] =
        ["SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl", "DirectTrans"];
    let capability: Vec<_> = (0..).zip(ACS).collect();
    let control: Vec<_> = (16..).zip(ACS).collect();
    assert_registers(&[0x0001_000d, 0], &[(1, LOW, &capability, &[]), (1, HIGH, &control, &[])]);
    assert_registers(
        &[0x0001_000e, 0],
        &[
            (1, LOW, &[(0, "MFVC"), (1, "ACS")], &[(8, 8, "Next Function: ", Decimal)]),
            (1, HIGH, &[(16, "MFVC"), (17, "ACS")], &[(20, 3, "Function Group: ", Decimal)]),
        ],
    );
    assert_registers(
        &[0x0001_000f, 0],
        &[
            (1, LOW, &[], &[(0, 5, "Invalidate Queue Depth: ", Hex(2))]),
            (1, HIGH, &[(31, "Enable")], &[(16, 5, "Smallest Translation Unit: ", Hex(2))]),
        ],
    );
    assert_registers(
        &[0x0001_0013, 0, 0, 0],
        &[
            (1, LOW, &[(0, "Enable"), (1, "Reset")], &[]),
            (1, HIGH, &[(16, "RF"), (17, "UPRGI"), (24, "Stopped"), (31, "PASID")], &[]),
        ],
    );
    assert_registers(
        &[0x0001_001b, 0],
        &[
            (1, LOW, &[(1, "Exec"), (2, "Priv")], &[(8, 5, "Max PASID Width: ", Hex(2))]),
            (1, HIGH, &[(16, "Enable"), (17, "Exec"), (18, "Priv")], &[]),
        ],
    );
}

#[test]
fn virtual_functions() {
    const CONTROL: &[(u32, &str)] = &[
        (0, "Enable"),
        (1, "Migration"),
        (2, "Interrupt"),
        (3, "MSE"),
        (4, "ARIHierarchy"),
        (5, "10BitTagReq"),
    ];
    assert_registers(
        &[0x0001_0010, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[
            (1, ALL, &[(0, "Migration"), (2, "10BitTagReq")], &[(21, 11, "IntMsgNum ", Decimal)]),
            (2, LOW, CONTROL, &[]),
            (2, HIGH, &[(16, "Migration")], &[]),
            (3, ALL, &[], &[(0, 16, "Initial VFs: ", Decimal), (16, 16, "Total VFs: ", Decimal)]),
            (
                4,
                ALL,
                &[],
                &[(0, 16, "Number of VFs: ", Decimal), (16, 8, "Function Dependency Link: ", Hex(2))],
            ),
            (5, ALL, &[], &[(0, 16, "VF offset: ", Decimal), (16, 16, "stride: ", Decimal)]),
            (6, ALL, &[], &[(16, 16, "Device ID: ", Hex(4))]),
            (15, ALL, &[], &[(0, 3, "BIR: ", Hex(1))]),
        ],
    );
    assert_registers(&[0x0001_0015, 0, 0x20], &[(2, 0..3, &[], &[(0, 3, "BAR ", Decimal)])]);
}

#[test]
fn fabric() {
    const PORT: &[(u32, &str)] = &[
        (0, "Fixed"),
        (1, "WRR32"),
        (2, "WRR64"),
        (3, "WRR128"),
        (4, "??4"),
        (5, "??5"),
        (6, "??6"),
        (7, "??7"),
    ];
    const CHANNEL: &[(u32, &str)] = &[
        (0, "Fixed"),
        (1, "WRR32"),
        (2, "WRR64"),
        (3, "WRR128"),
        (4, "TWRR128"),
        (5, "WRR256"),
        (6, "??6"),
        (7, "??7"),
        (15, "RejSnoopTrans"),
    ];
    assert_registers(
        &[0x0001_0002, 0, 0, 0, 0, 0, 0],
        &[
            (1, ALL, &[], &[(4, 3, "LPEVC=", Decimal)]),
            (2, ALL, PORT, &[]),
            (3, LOW, &[], &[]),
            (3, HIGH, &[(16, "InProgress")], &[]),
            (4, ALL, CHANNEL, &[(24, 8, "PATOffset=", Hex(2)), (16, 7, "MaxTimeSlots=", Count)]),
            (5, ALL, &[(31, "Enable")], &[(24, 3, "ID=", Decimal), (0, 8, "TC/VC=", Hex(2))]),
            (6, HIGH, &[(16, "InProgress"), (17, "NegoPending")], &[]),
        ],
    );
    assert_registers(
        &[0x0001_0005, 0x0000_0100, 0, 0, 0, 0, 0, 0],
        &[
            (1, HIGH, &[], &[(24, 8, "PortNumber=", Hex(2)), (16, 8, "ComponentID=", Hex(2))]),
            (
                4,
                ALL,
                &[(0, "LinkValid"), (2, "AssocRCRB")],
                &[(24, 8, "TargetPort=", Hex(2)), (16, 8, "TargetComponent=", Hex(2))],
            ),
        ],
    );
    assert_registers(
        &[0x0001_0005, 0x0000_0100, 0, 0, 2, 0, 0, 0],
        &[(6, 12..32, &[], &[(20, 8, "Addr:\t", Hex(2))])],
    );
    assert_registers(
        &[0x0002_0007, 0, 0x0001_0000],
        &[
            (2, 8..16, &[], &[(8, 8, "AssociatedBusNumbers: ", Hex(2))]),
            (2, 16..24, &[], &[(16, 8, "AssociatedBusNumbers: 00-", Hex(2))]),
        ],
    );
    assert_registers(
        &[0x0001_0012, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[
            (1, LOW, &[(15, "ECRCRegen")], &[(0, 6, "MaxGroups ", Count)]),
            (1, HIGH, &[(31, "Enable")], &[(16, 6, "NumGroups ", Count)]),
            (2, ALL, &[], &[(0, 6, "IndexPos ", Decimal)]),
            (10, ALL, &[], &[(0, 6, "OverlaySize ", Decimal)]),
        ],
    );
}

#[test]
fn links() {
    assert_registers(
        &[0x0001_0019, 0, 0, 0],
        &[(1, ALL, &[(0, "PerformEqu"), (1, "LnkEquIntrruptEn")], &[])],
    );
    const EQUALIZATION: [(u32, &str); 5] =
        [(0, "EquComplete"), (1, "EquPhase1"), (2, "EquPhase2"), (3, "EquPhase3"), (4, "LinkEquRequest")];
    assert_registers(&[0x0001_0026, 0, 0, 0, 0, 0, 0], &[(3, ALL, &EQUALIZATION, &[])]);
    let status_32gt =
        [(5, "ModTsRecv"), (8, "TxPrecodeOn"), (9, "TxPrecodeReq"), (10, "NoEqualizationNeededRecv")];
    const CAPABILITIES_32GT: &[(u32, &str)] = &[
        (0, "EqualizationBypass"),
        (1, "NoEqualizationNeeded"),
        (8, "ModTsMode0"),
        (9, "ModTsMode1"),
        (10, "ModTsMode2"),
    ];
    assert_registers(
        &[0x0001_002a, 0, 0, 0, 0, 0, 0, 0],
        &[
            (1, ALL, CAPABILITIES_32GT, &[]),
            (2, ALL, &[(0, "EqualizationBypassDis"), (1, "NoEqualizationNeededDis")], &[]),
            (3, ALL, &[&EQUALIZATION[..], &status_32gt].concat(), &[]),
        ],
    );
    let status_64gt = [(5, "TxPrecodeOn"), (6, "TxPrecodeReq"), (7, "NoEqualizationNeededRecv")];
    assert_registers(&[0x0001_0031, 0, 0, 0], &[(3, ALL, &[&EQUALIZATION[..], &status_64gt].concat(), &[])]);
    assert_registers(
        &[0x0001_0027, 0],
        &[(1, LOW, &[(0, "Uses Driver")], &[]), (1, HIGH, &[(16, "MargReady"), (17, "MargSoftReady")], &[])],
    );
}

#[test]
fn times() {
    const STATES: [(u32, &str); 4] =
        [(0, "PCI-PM_L1.2"), (1, "PCI-PM_L1.1"), (2, "ASPM_L1.2"), (3, "ASPM_L1.1")];
    let capabilities = [&STATES[..], &[(4, "L1_PM_Substates")]].concat();
    assert_registers(&[0x0001_001e, 0, 0, 0], &[(1, ALL, &capabilities, &[]), (2, ALL, &STATES, &[])]);
    assert_registers(
        &[0x0001_001e, 5, 0, 0],
        &[
            (1, 8..16, &[], &[(8, 8, "PortCommonModeRestoreTime=", Decimal)]),
            (2, 8..26, &[], &[(8, 8, "T_CommonMode=", Decimal), (16, 10, "LTR1.2_Threshold=", Decimal)]),
        ],
    );
    assert_registers(
        &[0x0001_001f, 0, 0],
        &[
            (1, ALL, &[(0, "Requester"), (1, "Responder"), (2, "Root")], &[]),
            (2, ALL, &[(0, "Enabled"), (1, "RootSelected")], &[]),
        ],
    );
}

#[test]
fn device_3_and_objects() {
    const CAPABILITIES: &[(u32, &str)] = &[
        (0, "DMWr Request Routing"),
        (1, "14-Bit Tag Completer"),
        (2, "14-Bit Tag Requester"),
        (3, "L0p"),
        (10, "UIO Mem RdWr Completer"),
        (11, "UIO Mem RdWr Requester"),
    ];
    const CONTROL: &[(u32, &str)] = &[
        (0, "DMWr Requester"),
        (1, "DMWr Egress Blocking"),
        (2, "14-Bit Tag Requester"),
        (3, "L0p"),
        (7, "UIO Mem RdWr Requester"),
    ];
    assert_registers(
        &[0x0001_002f, 0, 0x100, 0],
        &[
            (1, ALL, CAPABILITIES, &[]),
            (2, 0..8, CONTROL, &[]),
            (3, LOW, &[(3, "Segment Captured"), (4, "Remote L0p")], &[]),
        ],
    );
    assert_registers(
        &[0x0001_002e, 1, 0, 0, 0, 0],
        &[
            (1, 1..32, &[], &[(1, 11, "IntMsgNum ", Decimal)]),
            (2, ALL, &[(1, "IntEn")], &[]),
            (3, ALL, &[(0, "Busy"), (1, "IntSta"), (2, "Error"), (31, "ObjectReady")], &[]),
        ],
    );
    assert_registers(&[0x0001_0036, 0x10, 0, 0, 0, 0], &[(2, ALL, &[], &[(0, 3, "BAR", Decimal)])]);
}

#[test]
fn flits() {
    assert_registers(
        &[0x0001_0032, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[
            (
                1,
                ALL,
                &[(0, "Valid"), (13, "More entries"), (14, "Unrecognized flit"), (15, "FEC uncorrectable")],
                &[(16, 8, "SyndParityGrp0: ", Hex(2)), (24, 8, "SyndCheckGrp0: ", Hex(2))],
            ),
            (
                3,
                LOW,
                &[(0, "Flit Error Counter En"), (1, "Flit Error Counter Interrupt En")],
                &[(2, 2, "Events to count: ", Decimal), (4, 8, "Trigger Event on Error Count: ", Hex(2))],
            ),
            (
                3,
                HIGH,
                &[(18, "Interrupt Generated based on Trigger Event Count")],
                &[(24, 8, "FlitErr: ", Decimal)],
            ),
            (4, ALL, &[(0, "En")], &[]),
            (6, ALL, &[], &[(0, 16, "Invalid Flit Counter: ", Decimal)]),
        ],
    );
    const CONTROL: &[(u32, &str)] = &[
        (0, "En"),
        (1, "Tx"),
        (2, "Rx"),
        (6, "2.5GT/s"),
        (7, "5.0GT/s"),
        (8, "8.0GT/s"),
        (9, "16.0GT/s"),
        (10, "32.0GT/s"),
        (11, "64.0GT/s"),
    ];
    const ORDERED_SETS: &[(u32, &str)] = &[
        (0, "En"),
        (1, "Tx"),
        (2, "Rx"),
        (16, "TS0"),
        (17, "TS1"),
        (18, "TS2"),
        (19, "SKP"),
        (20, "EIEOS"),
        (21, "EIOS"),
        (22, "SDS"),
        (23, "Poll"),
        (24, "Conf"),
        (25, "L0"),
        (26, "NoEq"),
        (27, "Eq01"),
        (28, "Eq2"),
        (29, "Eq3"),
    ];
    assert_registers(
        &[0x0001_0034, 0, 0, 0, 0, 0, 0, 0, 0],
        &[
            (
                2,
                ALL,
                CONTROL,
                &[(16, 5, "Number of errors: ", Decimal), (21, 8, "Spacing between errors: ", Decimal)],
            ),
            (3, ALL, &[], &[(5, 7, "Offset: ", Decimal), (12, 8, "Magnitude: ", Decimal)]),
            (5, ALL, ORDERED_SETS, &[]),
            (6, ALL, &[], &[(0, 16, "Bytes: ", Hex(4)), (16, 16, "Lanes: ", Hex(4))]),
        ],
    );
}

#[test]
fn encryption() {
    const CAPABILITY: &[(u32, &str)] = &[
        (2, "FlowThru"),
        (3, "PartHdr"),
        (4, "Aggr"),
        (5, "PCPC"),
        (6, "IDE_KM"),
        (7, "SelCfg"),
        (24, "TeeLim"),
        (25, "XT"),
    ];
    assert_registers(
        &[0x0001_0030, 0, 0],
        &[(1, 2..32, CAPABILITY, &[(13, 3, "TCs=", Count)]), (2, ALL, &[(2, "FTEn")], &[])],
    );
    assert_registers(
        &[0x0001_0030, 1, 0, 0, 0],
        &[
            (1, 13..16, &[], &[(13, 3, "Lnk=", Count)]),
            (3, ALL, &[(0, "En|PCRC"), (1, "XT")], &[(19, 3, "' TC", Decimal), (24, 8, "TC0 ID", Decimal)]),
            (4, ALL, &[(31, "RecvChkFail")], &[]),
        ],
    );
    assert_registers(
        &[0x0001_0030, 2, 0, 0, 0, 0, 0, 0],
        &[
            (1, 16..24, &[], &[(16, 8, "Sel=", Count)]),
            (3, ALL, &[], &[(0, 4, "RID#=", Decimal)]),
            (
                4,
                ALL,
                &[(0, "En"), (1, "XT"), (8, "PCRC"), (9, "CFG"), (23, "TeeLim")],
                &[(19, 3, "' TC", Decimal), (24, 8, "TeeLim- ID", Decimal)],
            ),
            (5, ALL, &[(31, "RecvChkFail")], &[]),
            (6, ALL, &[], &[(8, 16, "Limit=", Hex(1))]),
            (7, ALL, &[(0, "Valid")], &[(8, 16, "Base=", Hex(1)), (24, 8, "SegBase=", Hex(1))]),
        ],
    );
    assert_registers(&[0x0001_0030, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0], &[(8, ALL, &[(0, "Valid")], &[])]);
}

#[test]
fn cxl_devices() {
    const CONTROL: &[(u32, &str)] = &[(0, "Cache"), (1, "IO"), (2, "Mem"), (11, "CacheClean"), (14, "Viral")];
    const CONTROL_2: &[(u32, &str)] = &[
        (0, "DisableCaching|InitRst|DesiredVolatileHDMStateAfterHotReset"),
        (1, "InitCacheWB&Inval|InitRst"),
        (2, "RstMemClrEn|DesiredVolatileHDMStateAfterHotReset"),
    ];
    const CAPABILITY_3: &[(u32, &str)] =
        &[(0, "ColdReset|HotReset"), (1, "WarmReset|HotReset"), (2, "HotResetConfigurability")];
    assert_registers(
        &[0x0001_0023, 0x03c2_1e98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[
            (
                2,
                HIGH,
                &[(16, "Cache"), (17, "IO"), (18, "Mem"), (19, "MemHWInit"), (30, "Viral")],
                &[(20, 2, "HDMCount ", Decimal)],
            ),
            (3, LOW, CONTROL, &[(3, 5, "CacheSFCov ", Decimal), (8, 3, "CacheSFGran ", Decimal)]),
            (3, HIGH, &[(30, "Viral")], &[]),
            (4, LOW, CONTROL_2, &[]),
            (4, HIGH, &[(17, "ResetComplete"), (18, "ResetError"), (31, "PMComplete")], &[]),
            (7, ALL, &[(0, "Valid"), (1, "Active")], &[]),
            (11, ALL, &[(0, "Valid"), (1, "Active")], &[]),
            (14, ALL, CAPABILITY_3, &[]),
        ],
    );
}

#[test]
fn cxl_ports() {
    const PORT_CONTROL: &[(u32, &str)] =
        &[(0, "UnmaskSBR"), (1, "UnmaskLinkDisable"), (2, "AltMem"), (3, "AltBME"), (14, "ViralEnable")];
    assert_registers(
        &[0x0001_0023, 0x0280_1e98, 3, 0, 0, 0, 0, 0, 0, 0],
        &[
            // Bits 1 and 3 are lspci's, not the specification's.
            (2, HIGH, &[(17, "PMComplete"), (19, "PMComplete")], &[]),
            (3, LOW, PORT_CONTROL, &[]),
        ],
    );
    const BUS_CAPABILITY: &[(u32, &str)] = &[
        (16, "Cache"),
        (17, "IO"),
        (18, "Mem"),
        (21, "68BFlit"),
        (22, "MltLogDev"),
        (29, "256BFlit"),
        (30, "PBRFlit"),
    ];
    const BUS_CONTROL: &[(u32, &str)] = &[
        (0, "Cache"),
        (1, "IO"),
        (2, "Mem"),
        (3, "SynHdrByp"),
        (4, "DrftBuf"),
        (5, "68BFlit"),
        (6, "MltLogDev"),
        (7, "RCD"),
        (8, "Retimer1"),
        (9, "Retimer2"),
        (13, "256BFlit"),
        (14, "PBRFlit"),
    ];
    const BUS_STATUS: &[(u32, &str)] = &[
        (16, "Cache"),
        (17, "IO"),
        (18, "Mem"),
        (19, "SynHdrByp"),
        (20, "DrftBuf"),
        (21, "68BFlit"),
        (22, "MltLogDev"),
        (29, "256BFlit"),
        (30, "PBRFlit"),
    ];
    assert_registers(
        &[0x0001_0023, 0x0202_1e98, 7, 0, 0, 0, 0, 0],
        &[
            (2, HIGH, BUS_CAPABILITY, &[]),
            (3, LOW, BUS_CONTROL, &[]),
            (3, HIGH, BUS_STATUS, &[]),
            (4, ALL, &[], &[(0, 24, "Received FB Data: ", Hex(6))]),
            (5, ALL, &[(0, "NOPHint")], &[]),
            (6, ALL, &[(0, "NOPHint")], &[]),
            (7, ALL, &[], &[(0, 2, "NOPHintInfo: ", Hex(1))]),
        ],
    );
}
