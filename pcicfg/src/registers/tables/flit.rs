//! Links in flit mode: logs, measurement, errors made on purpose.

use crate::extended::{
    FberMeasurementControl, FlitErrorCounterControl, FlitErrorInjectionControl1, FlitErrorLog1, FlitLogging,
    OrderedSetErrorInjectionControl1,
};
use crate::registers::table::{FieldRow, Register, dword, flags, hex, named, number, word};
use crate::registers::{RegisterMap, Structure};

const WIDTH: &[&str] = &["x1", "x2", "x4", "x8", "x16"];

static LOGGING: &[Register] = &[
    dword("Flit Error Log 1", 0x04)
        .flags(flags::<FlitErrorLog1>)
        .fields(&[
            named("Link Width", 7 << 1, WIDTH),
            number("Flit Offset", 0xf << 4),
            number("Consecutive Errors", 0x1f << 8),
            hex("Syndrome Parity 0", 0xff << 16),
            hex("Syndrome Check 0", 0xff << 24),
        ])
        .rw1cs(1)
        .status(!0),
    dword("Flit Error Log 2", 0x08)
        .fields(&[
            hex("Syndrome Parity 1", 0xff),
            hex("Syndrome Check 1", 0xff << 8),
            hex("Syndrome Parity 2", 0xff << 16),
            hex("Syndrome Check 2", 0xff << 24),
        ])
        .status(!0),
    word("Flit Error Counter Control", 0x0c)
        .flags(flags::<FlitErrorCounterControl>)
        .fields(&[number("Events to Count", 3 << 2), number("Trigger Event on Error Count", 0xff << 4)])
        .rw(0xfff),
    word("Flit Error Counter Status", 0x0e)
        .fields(&[named("Link Width", 7, WIDTH), number("Flit Error Counter", 0xff << 8)])
        .status(0xffff),
    dword("FBER Measurement Control", 0x10)
        .flags(flags::<FberMeasurementControl>)
        .fields(&[number("Granularity", 3 << 2)])
        .rw(0xd)
        .acts(1 << 1),
    dword("FBER Measurement Status 1", 0x14).fields(&[number("Flit Counter", !0)]).status(!0),
    dword("FBER Measurement Status 2", 0x18).fields(&[number("Invalid Flit Counter", 0xffff)]).status(!0),
];
static LANE_COUNTER: &[Register] = &[word("FBER Lane Correctable Counter", 0).status(0xffff)];

pub(super) fn place_logging(map: &mut RegisterMap, structure: Structure) {
    map.place(structure, LOGGING);
    for lane in 0..16 {
        map.place_entry(structure, LANE_COUNTER, FlitLogging::MEASUREMENT_STATUS_3 + 2 * lane, lane);
    }
}

pub(super) static PERFORMANCE: &[Register] = &[
    dword("Flit Performance Measurement Capability", 0x04),
    dword("Flit Performance Measurement Control", 0x08).unknown(),
    dword("Flit Performance Measurement Status", 0x0c).unknown().status(!0),
];

const INJECTION: &[&str] = &["none", "in progress", "completed", "error"];
const ORDERED_SETS: &[FieldRow] = &[
    named("TS0", 3, INJECTION),
    named("TS1", 3 << 2, INJECTION),
    named("TS2", 3 << 4, INJECTION),
    named("SKP", 3 << 6, INJECTION),
    named("EIEOS", 3 << 8, INJECTION),
    named("EIOS", 3 << 10, INJECTION),
    named("SDS", 3 << 12, INJECTION),
    named("Polling", 3 << 14, INJECTION),
    named("Configuration", 3 << 16, INJECTION),
    named("L0", 3 << 18, INJECTION),
    named("Recovery", 3 << 20, INJECTION),
    named("Equalization Phases 0 and 1", 3 << 22, INJECTION),
    named("Equalization Phase 2", 3 << 24, INJECTION),
    named("Equalization Phase 3", 3 << 26, INJECTION),
];

pub(super) static ERROR_INJECTION: &[Register] = &[
    dword("Flit Error Injection Capability", 0x04),
    dword("Flit Error Injection Control 1", 0x08)
        .flags(flags::<FlitErrorInjectionControl1>)
        .fields(&[
            number("Number of Errors", 0x1f << 16),
            number("Spacing", 0xff << 21),
            named(
                "Flit Type",
                7 << 29,
                &["any", "any but idle", "payload", "NOP", "idle", "payload with sequence number"],
            ),
        ])
        .rw(0xffff_0fc7 | 0x1f << 16),
    dword("Flit Error Injection Control 2", 0x0c)
        .fields(&[
            number("Consecutive Error Injection", 7),
            number("Error Type", 3 << 3),
            number("Error Offset", 0x7f << 5),
            hex("Error Magnitude", 0xff << 12),
        ])
        .rw(0x000f_ffff),
    dword("Flit Error Injection Status", 0x10)
        .fields(&[named("TX", 3, INJECTION), named("RX", 3 << 2, INJECTION)])
        .status(!0),
    dword("Ordered Set Error Injection Control 1", 0x14)
        .flags(flags::<OrderedSetErrorInjectionControl1>)
        .fields(&[number("Number of Errors", 0x1f << 3), number("Spacing", 0xff << 8)])
        .rw(0x3fff_ffff),
    dword("Ordered Set Error Injection Control 2", 0x18)
        .fields(&[hex("Error Injection Bytes", 0xffff), hex("Lane Number for Error Injection", 0xffff << 16)])
        .rw(!0),
    dword("Ordered Set Error Tx Injection Status", 0x1c).fields(ORDERED_SETS).status(!0),
    dword("Ordered Set Error Rx Injection Status", 0x20).fields(ORDERED_SETS).status(!0),
];

pub(super) static NOP_FLIT: &[Register] = &[
    dword("NOP Flit Capabilities", 0x04),
    dword("NOP Flit Control 1", 0x08).unknown(),
    dword("NOP Flit Control 2", 0x0c).unknown(),
    dword("NOP Flit Status", 0x10).unknown().status(!0),
];
