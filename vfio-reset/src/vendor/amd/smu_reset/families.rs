//! The families that the SMU resets: messages, arguments, waits.
//!
//! On every APU the mailbox is at 0x58a08, 0x58a48 and 0x58a68 (bytes of BAR 5). Raven to Rembrandt and Strix
//! have it in segment 0 of MP1, whose base is 0x16000. Phoenix has it in segment 1 (`smu_v13_0_4_ppt.c`), and
//! tells 0x16000 for that one: whoever drives a Radeon 760M without Linux reads it so, at the place where a
//! trace of amdgpu shows the same accesses.

use super::{CEILING, Delivery, Mode, Parameters, SmuReset};
use crate::vendor::amd::MMIO;
use crate::vendor::amd::smu::Message;
use crate::vendor::family::{Family, Rank, Reach, Rehearsal};
use crate::vendor::sequence::Step;
use std::time::Duration;

/// What GfxDeviceDriverReset is asked for.
const MODE_2: u32 = 2;
/// The SMU resets the card within this time.
const MODE_1_TIME: Duration = Duration::from_millis(500);

/// Never seen at work by us, and nobody has recorded it.
const UNSEEN: &str = "taken from amdgpu, and neither recorded nor tried on a card by us";
/// Mode 2 leaves the USB controllers and the PSP alone, which are functions of the same device.
const UNSEEN_APU: &str = "taken from amdgpu, and neither recorded nor tried by us; mode 2 spares the PSP, so it may not \
     help where a guest has left the PSP in a bad state";

const fn mode_2(name: &'static str, id: u32) -> Parameters {
    Parameters {
        mode: Mode::Two,
        message: Message::new(name, id),
        argument: MODE_2,
        delivery: Delivery::Answered,
        settle: Duration::ZERO,
        firmware: None,
        psp_can: false,
    }
}

const fn mode_1(id: u32, delivery: Delivery) -> Parameters {
    Parameters {
        mode: Mode::One,
        message: Message::new("Mode1Reset", id),
        argument: 0,
        delivery,
        settle: MODE_1_TIME,
        firmware: None,
        psp_can: false,
    }
}

/// What all of them have in common.
const fn family(
    name: &'static str,
    title: &'static str,
    deed: &'static str,
    source: &'static str,
    rehearsals: &'static [Rehearsal],
) -> Family {
    Family {
        name,
        title,
        deed,
        source,
        experimental: Some(UNSEEN),
        reach: Reach::Device,
        rank: Rank::BeforeBus,
        bars: &[MMIO],
        floors: &[],
        ceiling: CEILING,
        sequence: || Box::new(SmuReset::new(&RAVEN_RESET)),
        rehearsals,
    }
}

static RAVEN_RESET: Parameters = mode_2("DeviceDriverReset", 0x1e);

/// AMD Raven, Picasso and Raven 2 (APUs).
pub static RAVEN: Family = Family {
    experimental: Some(UNSEEN_APU),
    reach: Reach::Function,
    sequence: || Box::new(SmuReset::new(&RAVEN_RESET)),
    ..family(
        "raven",
        "AMD Raven, Picasso and Raven 2 (APUs)",
        "mode 2 by the SMU (graphics and DMA engines only)",
        "Linux 6.12 amdgpu smu10_hwmgr.c, smu10_asic_reset",
        &[Rehearsal { title: "the SMU answers", model: "raven_mode2" }],
    )
};

static RENOIR_RESET: Parameters = Parameters { mode: Mode::OneByPsp, ..mode_2("GfxDeviceDriverReset", 0x1e) };

/// AMD Renoir, Lucienne, Cezanne and Barcelo (APUs).
pub static RENOIR: Family = Family {
    sequence: || Box::new(SmuReset::new(&RENOIR_RESET)),
    ..family(
        "renoir",
        "AMD Renoir, Lucienne, Cezanne and Barcelo (APUs)",
        "mode 1 by the PSP; mode 2 by the SMU if the PSP is not ready",
        "Linux 6.12 amdgpu psp_v12_0.c, psp_v12_0_mode1_reset; renoir_ppt.c",
        &[
            Rehearsal { title: "the PSP is ready", model: "renoir_mode1" },
            Rehearsal { title: "the PSP is not ready", model: "renoir_mode2" },
        ],
    )
};

static VAN_GOGH_RESET: Parameters = Parameters {
    delivery: Delivery::Unanswered,
    settle: Duration::from_millis(10),
    ..mode_2("GfxDeviceDriverReset", 0x14)
};

/// AMD Van Gogh (Steam Deck).
pub static VAN_GOGH: Family = Family {
    experimental: Some(UNSEEN_APU),
    reach: Reach::Function,
    sequence: || Box::new(SmuReset::new(&VAN_GOGH_RESET)),
    floors: &[(Step::Trigger, 10)],
    ..family(
        "vangogh",
        "AMD Van Gogh (Steam Deck)",
        "mode 2 by the SMU (graphics and DMA engines only)",
        "Linux 6.12 amdgpu vangogh_ppt.c, vangogh_mode2_reset",
        &[Rehearsal { title: "the SMU takes messages", model: "vangogh_mode2" }],
    )
};

static REMBRANDT_RESET: Parameters = mode_2("GfxDeviceDriverReset", 0x11);

/// AMD Rembrandt and Mendocino (APUs: Radeon 680M, 610M).
pub static REMBRANDT: Family = Family {
    experimental: Some(UNSEEN_APU),
    reach: Reach::Function,
    sequence: || Box::new(SmuReset::new(&REMBRANDT_RESET)),
    ..family(
        "rembrandt",
        "AMD Rembrandt and Mendocino (APUs: Radeon 680M, 610M)",
        "mode 2 by the SMU (graphics and DMA engines only)",
        "Linux 6.12 amdgpu yellow_carp_ppt.c, yellow_carp_mode2_reset",
        &[Rehearsal { title: "the SMU answers", model: "rembrandt_mode2" }],
    )
};

static PHOENIX_RESET: Parameters = mode_2("GfxDeviceDriverReset", 0x11);

/// AMD Phoenix and Hawk Point (APUs: Radeon 780M).
pub static PHOENIX: Family = Family {
    experimental: Some(UNSEEN_APU),
    reach: Reach::Function,
    sequence: || Box::new(SmuReset::new(&PHOENIX_RESET)),
    ..family(
        "phoenix",
        "AMD Phoenix and Hawk Point (APUs: Radeon 780M)",
        "mode 2 by the SMU (graphics and DMA engines only)",
        "Linux 6.12 amdgpu smu_v13_0_4_ppt.c, smu_v13_0_4_mode2_reset",
        &[Rehearsal { title: "the SMU answers", model: "phoenix_mode2" }],
    )
};

static STRIX_RESET: Parameters = mode_2("GfxDeviceDriverReset", 0x11);

/// AMD Strix Point, Strix Halo and Krackan (APUs: Radeon 890M, 8060S).
pub static STRIX: Family = Family {
    experimental: Some(UNSEEN_APU),
    reach: Reach::Function,
    sequence: || Box::new(SmuReset::new(&STRIX_RESET)),
    ..family(
        "strix",
        "AMD Strix Point, Strix Halo and Krackan (APUs: Radeon 890M, 8060S)",
        "mode 2 by the SMU (graphics and DMA engines only)",
        "Linux 6.12 amdgpu smu_v14_0_0_ppt.c, smu_v14_0_0_mode2_reset",
        &[Rehearsal { title: "the SMU answers", model: "strix_mode2" }],
    )
};

static NAVI2X_RESET: Parameters =
    Parameters { firmware: Some(0x003a_1a00), psp_can: true, ..mode_1(0x30, Delivery::Answered) };

/// AMD Navi 21, 22, 23 and 24 (Radeon RX 6000).
pub static NAVI2X: Family = Family {
    floors: &[(Step::Trigger, 500)],
    sequence: || Box::new(SmuReset::new(&NAVI2X_RESET)),
    ..family(
        "navi2x",
        "AMD Navi 21, 22, 23 and 24 (Radeon RX 6000)",
        "mode 1 by the SMU; by the PSP if the SMU is halted or its firmware too old",
        "Linux 6.12 amdgpu sienna_cichlid_ppt.c, smu_v11_0.c; psp_v11_0.c, psp_v11_0_mode1_reset",
        &[Rehearsal { title: "SMU and PSP answer", model: "navi2x_mode1" }],
    )
};

static NAVI31_RESET: Parameters =
    Parameters { firmware: Some(0x004e_2900), ..mode_1(0x2f, Delivery::Answered) };

/// AMD Navi 31 (Radeon RX 7900).
pub static NAVI31: Family = Family {
    floors: &[(Step::Trigger, 500)],
    sequence: || Box::new(SmuReset::new(&NAVI31_RESET)),
    ..family(
        "navi31",
        "AMD Navi 31 (Radeon RX 7900)",
        "mode 1 by the SMU",
        "Linux 6.12 amdgpu smu_v13_0_0_ppt.c, smu_v13_0_0_mode1_reset",
        &[Rehearsal { title: "SMU and PSP answer", model: "navi31_mode1" }],
    )
};

static NAVI32_RESET: Parameters = mode_1(0x2, Delivery::Debug);

/// AMD Navi 32 (Radeon RX 7700 and 7800).
pub static NAVI32: Family = Family {
    floors: &[(Step::Trigger, 500)],
    sequence: || Box::new(SmuReset::new(&NAVI32_RESET)),
    ..family(
        "navi32",
        "AMD Navi 32 (Radeon RX 7700 and 7800)",
        "mode 1 by the SMU",
        "Linux 6.12 amdgpu smu_v13_0_0_ppt.c, smu_v13_0_0_mode1_reset, MP1 13.0.10",
        &[Rehearsal { title: "SMU and PSP answer", model: "navi32_mode1" }],
    )
};

static NAVI33_RESET: Parameters = mode_1(0x2f, Delivery::Answered);

/// AMD Navi 33 (Radeon RX 7600).
pub static NAVI33: Family = Family {
    floors: &[(Step::Trigger, 500)],
    sequence: || Box::new(SmuReset::new(&NAVI33_RESET)),
    ..family(
        "navi33",
        "AMD Navi 33 (Radeon RX 7600)",
        "mode 1 by the SMU",
        "Linux 6.12 amdgpu smu_v13_0_7_ppt.c",
        &[Rehearsal { title: "SMU and PSP answer", model: "navi33_mode1" }],
    )
};
