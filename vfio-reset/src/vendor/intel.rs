//! Intel: the graphics of Ivy Bridge mobile processors.
//!
//! Source: Linux 6.18 `drivers/pci/quirks.c`, `reset_ivb_igd`. The panel is switched off before, or it is
//! left with power and without a signal.

use super::device::{AWAY, DECODING, Device};
use super::family::{Family, Rank, Reach, Rehearsal};
use super::operation::{Condition, Patience};
use super::outcome::StepResult;
use super::register::{Field, Register};
use super::sequence::ResetSequence;
use std::time::Duration;

const BAR: u8 = 0;
/// As far as the registers go that are used here.
const REGISTERS: u64 = 0xd_0104;

const MSG_CTL: Register = Register::bar("MSG_CTL", BAR, 0x4_5010);
const SOUTH_CHICKEN2: Register = Register::bar("SOUTH_CHICKEN2", BAR, 0xc_2004);
const PANEL_POWER: Field = Register::bar("PCH_PP_CONTROL", BAR, 0xc_7204).bit("POWER_TARGET_ON", 0);
const PANEL_STATUS: Register = Register::bar("PCH_PP_STATUS", BAR, 0xc_7200);
/// The panel is on, or its power goes up or down.
const PANEL_BUSY: u32 = 0xb000_0000;
const NSDE_PWR_STATE: Register = Register::bar("NSDE_PWR_STATE", BAR, 0xd_0100);

const PANEL_PATIENCE: Patience = Patience::looks(1_001, Duration::from_millis(10));

/// A reset of Ivy Bridge mobile graphics.
#[derive(Debug, Default)]
pub struct IvyBridge;

impl ResetSequence for IvyBridge {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        device.must_answer()?;
        device.open(BAR, REGISTERS)?;
        device.read_alive(PANEL_POWER.register).map(drop)
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        device.write(MSG_CTL, 0x2)?;
        device.write(SOUTH_CHICKEN2, 0x5)?;
        device.set(PANEL_POWER, 0)?;
        let off = Condition::bits(PANEL_STATUS, PANEL_BUSY, 0);
        device.wait(off, PANEL_PATIENCE).map(drop)
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        device.write(NSDE_PWR_STATE, 0x2)
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        device.wait_until_it_answers()
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.read_alive(PANEL_POWER.register).map(drop)
    }

    fn deed(&self) -> String {
        "panel off, then graphics reset".to_string()
    }
}

/// Ivy Bridge mobile graphics.
pub static IVY_BRIDGE: Family = Family {
    name: "intel-ivybridge",
    title: "Intel Ivy Bridge mobile graphics",
    deed: "the panel is switched off, then graphics are reset",
    source: "Linux 6.18 drivers/pci/quirks.c, reset_ivb_igd",
    experimental: Some("taken from the kernel, and neither recorded nor tried by us"),
    reach: Reach::Function,
    rank: Rank::BeforeFlr,
    bars: &[BAR],
    floors: &[],
    ceiling: PANEL_PATIENCE.total.saturating_add(AWAY.total).saturating_add(DECODING.total),
    sequence: || Box::new(IvyBridge),
    rehearsals: &[Rehearsal { title: "a panel is on", model: "intel_ivybridge" }],
};
