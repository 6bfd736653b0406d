//! What is about power and time: Power Budgeting, Dynamic Power Allocation, Latency Tolerance Reporting,
//! L1 PM Substates, Readiness Time Reporting.

use crate::extended::{
    DpaCapability, DpaStatus, DynamicPowerAllocation, L1PmSubstatesCapabilities, L1PmSubstatesControl1,
    L1PmSubstatesControl2, MaxLatency, PowerBudgetingCapability, ReadinessTime,
};
use crate::registers::table::{
    FieldRow, Register, bit, byte, coded, duration, dword, flags, hex, milliwatts, named, number, word,
};
use crate::registers::{RegisterMap, Structure, Value};
use core::time::Duration;

/// A time, or a code without one.
fn time(duration: Option<Duration>, code: u32) -> Value {
    duration.map_or(Value::Reserved(code), Value::Duration)
}

pub(super) static POWER_BUDGETING: &[Register] = &[
    byte("Power Budgeting Data Select", 0x04).rw(0xff),
    dword("Power Budgeting Data", 0x08)
        .fields(&[
            number("Base Power", 0xff),
            named("Data Scale", 3 << 8, &["1 W", "0.1 W", "0.01 W", "0.001 W"]),
            number("PM Sub State", 7 << 10),
            named("PM State", 3 << 13, &["D0", "D1", "D2", "D3"]),
            coded(
                "Operating Condition",
                7 << 15,
                &[
                    (0, "PME Aux"),
                    (1, "auxiliary"),
                    (2, "idle"),
                    (3, "sustained"),
                    (4, "sustained, emergency power reduction"),
                    (5, "maximum, emergency power reduction"),
                    (7, "maximum"),
                ],
            ),
            coded("Power Rail", 7 << 18, &[(0, "12 V"), (1, "3.3 V"), (2, "1.5 V or 1.8 V"), (7, "thermal")]),
        ])
        .status(!0),
    byte("Power Budget Capability", 0x0c).flags(flags::<PowerBudgetingCapability>),
];

static DPA: &[Register] = &[
    dword("DPA Capability", 0x04).fields(&[
        number("Substate Max", 0x1f),
        duration("Transition Latency Unit", 3 << 8, |code| {
            time(DpaCapability::from_bits_retain(code << 8).transition_latency_unit(), code)
        }),
        milliwatts("Power Allocation Scale", 3 << 12, |code| {
            Value::Milliwatts(DpaCapability::from_bits_retain(code << 12).power_allocation_scale_milliwatts())
        }),
        number("Transition Latency Value 0", 0xff << 16),
        number("Transition Latency Value 1", 0xff << 24),
    ]),
    dword("DPA Latency Indicator", 0x08).fields(&[hex("Transition Latency Indicator", !0)]),
    word("DPA Status", 0x0c)
        .flags(flags::<DpaStatus>)
        .fields(&[number("Substate Status", 0x1f)])
        .rw1c(1 << 8)
        .status(0x1f)
        .rsvdz(),
    word("DPA Control", 0x0e).fields(&[number("Substate Control", 0x1f)]).rw(0x1f),
];
static DPA_ALLOCATION: &[Register] = &[byte("DPA Power Allocation", 0)];

pub(super) fn place_allocation(map: &mut RegisterMap, structure: Structure, dpa: DynamicPowerAllocation<'_>) {
    map.place(structure, DPA);
    for (index, _) in (0..).zip(dpa.power_allocation_milliwatts()) {
        map.place_entry(
            structure,
            DPA_ALLOCATION,
            DynamicPowerAllocation::POWER_ALLOCATION_ARRAY + index,
            index,
        );
    }
}

const LATENCY: &[FieldRow] =
    &[duration("Latency", 0x1fff, |code| time(MaxLatency(code as u16).duration(), code))];

pub(super) static LTR: &[Register] = &[
    word("Max Snoop Latency", 4).fields(LATENCY).rw(0x1fff).whole_dword(),
    word("Max No-Snoop Latency", 6).fields(LATENCY).rw(0x1fff).whole_dword(),
];

pub(super) static L1_PM_SUBSTATES: &[Register] = &[
    dword("L1 PM Substates Capabilities", 4).flags(flags::<L1PmSubstatesCapabilities>).fields(&[
        duration("Port Common Mode Restore Time", 0xff << 8, microseconds),
        duration("Port T_POWER_ON", 0xfb << 16, |code| {
            time(L1PmSubstatesCapabilities::from_bits_retain(code << 16).port_t_power_on(), code)
        }),
    ]),
    dword("L1 PM Substates Control 1", 8)
        .flags(flags::<L1PmSubstatesControl1>)
        .fields(&[
            duration("Common Mode Restore Time", 0xff << 8, microseconds),
            duration("LTR_L1.2_THRESHOLD", 0xe3ff << 16, |code| {
                time(L1PmSubstatesControl1::from_bits_retain(code << 16).ltr_l1_2_threshold(), code)
            }),
        ])
        .rw(0xe3ff_ff3f),
    dword("L1 PM Substates Control 2", 12)
        .fields(&[duration("T_POWER_ON", 0xfb, |code| {
            time(L1PmSubstatesControl2::from_bits_retain(code).t_power_on(), code)
        })])
        .rw(0xfb),
];

fn microseconds(code: u32) -> Value {
    Value::Duration(Duration::from_micros(code.into()))
}

fn ready(code: u32) -> Value {
    time(ReadinessTime(code as u16).duration(), code)
}

pub(super) static READINESS: &[Register] = &[
    dword("Readiness Time Reporting 1", 4).fields(&[
        duration("Reset Time", 0xfff, ready),
        duration("DL_Up Time", 0xfff << 12, ready),
        bit("Valid", 31),
    ]),
    dword("Readiness Time Reporting 2", 8)
        .fields(&[duration("FLR Time", 0xfff, ready), duration("D3hot to D0 Time", 0xfff << 12, ready)]),
];
