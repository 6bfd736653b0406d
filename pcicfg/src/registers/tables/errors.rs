//! Advanced Error Reporting and Downstream Port Containment.

use crate::extended::{
    AdvancedErrorControl, AdvancedErrorReporting, CorrectableErrors, DownstreamPortContainment,
    DpcCapability, DpcControl, DpcStatus, RootErrorCommand, RootErrorStatus, RootPortPioErrors,
    UncorrectableErrors,
};
use crate::registers::table::{Register, computed, dword, flags, named, number, routing_id, word};
use crate::registers::{RegisterMap, Structure, Value};

const UNCORRECTABLE: u32 = 0xffff_f030;
const CORRECTABLE: u32 = 0xf1c1;

/// A log that hardware writes, and a reset leaves.
const fn log(name: &'static str, at: u16) -> Register {
    dword(name, at).sticky(!0).status(!0)
}

static ERROR_REPORTING: &[Register] = &[
    dword("Uncorrectable Error Status", 0x04)
        .flags(flags::<UncorrectableErrors>)
        .rw1cs(UNCORRECTABLE)
        .status(!0)
        .rsvdz(),
    dword("Uncorrectable Error Mask", 0x08).flags(flags::<UncorrectableErrors>).rws(UNCORRECTABLE),
    dword("Uncorrectable Error Severity", 0x0c).flags(flags::<UncorrectableErrors>).rws(UNCORRECTABLE),
    dword("Correctable Error Status", 0x10)
        .flags(flags::<CorrectableErrors>)
        .rw1cs(CORRECTABLE)
        .status(!0)
        .rsvdz(),
    dword("Correctable Error Mask", 0x14).flags(flags::<CorrectableErrors>).rws(CORRECTABLE),
    dword("Advanced Error Capabilities and Control", 0x18)
        .flags(flags::<AdvancedErrorControl>)
        .fields(&[number("First Error Pointer", 0x1f), number("Logged TLP Size", 0x1f << 19)])
        .rws(1 << 6 | 1 << 8 | 1 << 10)
        .sticky(0x1f | 1 << 11 | 1 << 18 | 0x1f << 19)
        .status(0x1f | 1 << 11 | 1 << 18 | 0x1f << 19),
    log("Header Log 1", 0x1c),
    log("Header Log 2", 0x20),
    log("Header Log 3", 0x24),
    log("Header Log 4", 0x28),
];

static ROOT_ERROR_REPORTING: &[Register] = &[
    dword("Root Error Command", 0x2c).flags(flags::<RootErrorCommand>).rw(0x7),
    dword("Root Error Status", 0x30)
        .flags(flags::<RootErrorStatus>)
        .fields(&[number("Interrupt Message Number", 0x1f << 27)])
        .rw1cs(0x7f)
        .status(0x07ff_ffff)
        .rsvdz(),
    word("Correctable Error Source ID", 0x34)
        .fields(&[routing_id("Source", 0xffff)])
        .sticky(0xffff)
        .status(0xffff),
    word("Uncorrectable Error Source ID", 0x36)
        .fields(&[routing_id("Source", 0xffff)])
        .sticky(0xffff)
        .status(0xffff),
];

static TLP_PREFIX_LOG: &[Register] = &[
    log("TLP Prefix Log 1", 0x38),
    log("TLP Prefix Log 2", 0x3c),
    log("TLP Prefix Log 3", 0x40),
    log("TLP Prefix Log 4", 0x44),
];

pub(super) fn place_error_reporting(
    map: &mut RegisterMap,
    structure: Structure,
    aer: AdvancedErrorReporting<'_>,
) {
    map.place(structure, ERROR_REPORTING);
    if aer.root_error_command().is_some() {
        map.place(structure, ROOT_ERROR_REPORTING);
    }
    if aer.tlp_prefix_log().is_some() {
        map.place(structure, TLP_PREFIX_LOG);
    }
}

static CONTAINMENT: &[Register] = &[
    // Bit 13 is the fifth of RP PIO Log Size.
    word("DPC Capability", 0x04).flags(flags::<DpcCapability>).fields(&[
        number("Interrupt Message Number", 0x1f),
        computed("RP PIO Log Size", 0xf << 8 | 1 << 13, |code| {
            Value::Number(u64::from(code & 0xf | code >> 1 & 0x10))
        }),
    ]),
    word("DPC Control", 0x06)
        .flags(flags::<DpcControl>)
        .fields(&[named("DPC Trigger Enable", 3, &["off", "fatal errors", "non-fatal and fatal errors"])])
        .rws(0x007)
        .rw(0x1b8)
        .acts(1 << 6),
    word("DPC Status", 0x08)
        .flags(flags::<DpcStatus>)
        .fields(&[
            named(
                "Trigger Reason",
                3 << 1,
                &["unmasked uncorrectable error", "ERR_NONFATAL", "ERR_FATAL", "see the extension"],
            ),
            named("Trigger Reason Extension", 3 << 5, &["RP PIO error", "software trigger"]),
            number("RP PIO First Error Pointer", 0x1f << 8),
        ])
        .sticky(0x1f66)
        .rw1cs(1 | 1 << 3 | 1 << 13)
        .status(0xffff)
        .rsvdz(),
    word("DPC Error Source ID", 0x0a).fields(&[routing_id("Source", 0xffff)]).sticky(0xffff).status(0xffff),
];

const PIO: u32 = 0x0007_0707;

static RP_PIO: &[Register] = &[
    dword("RP PIO Status", 0x0c).flags(flags::<RootPortPioErrors>).rw1cs(PIO).status(!0).rsvdz(),
    dword("RP PIO Mask", 0x10).flags(flags::<RootPortPioErrors>).rws(PIO),
    dword("RP PIO Severity", 0x14).flags(flags::<RootPortPioErrors>).rws(PIO),
    dword("RP PIO SysError", 0x18).flags(flags::<RootPortPioErrors>).rws(PIO),
    dword("RP PIO Exception", 0x1c).flags(flags::<RootPortPioErrors>).rws(PIO),
];
static RP_PIO_HEADER_LOG: &[Register] = &[
    log("RP PIO Header Log 1", 0x20),
    log("RP PIO Header Log 2", 0x24),
    log("RP PIO Header Log 3", 0x28),
    log("RP PIO Header Log 4", 0x2c),
];
static RP_PIO_IMP_SPEC_LOG: &[Register] = &[log("RP PIO ImpSpec Log", 0x30)];
static RP_PIO_TLP_PREFIX_LOG: &[Register] = &[log("RP PIO TLP Prefix Log", 0)];

pub(super) fn place_containment(
    map: &mut RegisterMap,
    structure: Structure,
    dpc: DownstreamPortContainment<'_>,
) {
    map.place(structure, CONTAINMENT);
    if !dpc.capability().contains(DpcCapability::RP_EXTENSIONS_FOR_DPC) {
        return;
    }
    map.place(structure, RP_PIO);
    if dpc.rp_pio_header_log().is_some() {
        map.place(structure, RP_PIO_HEADER_LOG);
    }
    if dpc.rp_pio_imp_spec_log().is_some() {
        map.place(structure, RP_PIO_IMP_SPEC_LOG);
    }
    for (index, _) in (0..).zip(dpc.rp_pio_tlp_prefix_log()) {
        let at = DownstreamPortContainment::RP_PIO_TLP_PREFIX_LOG + 4 * index;
        map.place_entry(structure, RP_PIO_TLP_PREFIX_LOG, at, index);
    }
}
