//! Devices that need a little around a function level reset, or one without an announcement: the kernel's
//! device-specific table.
//!
//! Source: Linux 6.18 `drivers/pci/quirks.c`, `pci_dev_reset_methods`. The kernel takes these by itself
//! (method `device_specific`) wherever it is asked; here they are for kernels that lack an entry, for `--via
//! direct`, and for devices that users add.

use super::device::{Device, FUNCTION_LEVEL_RESET};
use super::family::{Family, Rank, Reach, Rehearsal};
use super::outcome::StepResult;
use super::sequence::{ResetSequence, Step};
use std::time::Duration;

/// A function level reset, whether or not the function announces that it can: nothing but the standard.
#[derive(Debug, Default)]
pub struct Unannounced;

impl ResetSequence for Unannounced {}

/// Intel 82599: the physical function alone announces what its virtual functions can do too.
pub static INTEL_82599_VF: Family = Family {
    name: "intel-82599-vf",
    title: "virtual functions of the Intel 82599",
    deed: "a function level reset that no capability announces",
    source: "Linux 6.18 drivers/pci/quirks.c, reset_intel_82599_sfp_virtfn",
    experimental: None,
    reach: Reach::Function,
    rank: Rank::BeforeFlr,
    bars: &[],
    floors: &[(Step::Await, 100)],
    ceiling: FUNCTION_LEVEL_RESET,
    sequence: || Box::new(Unannounced),
    rehearsals: &[Rehearsal { title: "the function comes back", model: "intel_82599_vf" }],
};

/// A function level reset after which the device says too early that it is ready.
#[derive(Debug, Default)]
pub struct Delayed;

/// What the device needs after it has answered.
const DELAY: Duration = Duration::from_millis(250);

impl ResetSequence for Delayed {
    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        device.wait_after_function_level_reset()?;
        device.pause(DELAY);
        Ok(())
    }

    fn deed(&self) -> String {
        "function level reset, and 250 ms".to_string()
    }
}

/// NVMe controllers that are not ready when they say so.
pub static FLR_DELAY: Family = Family {
    name: "flr-delay",
    title: "NVMe controllers that are late after a reset (Intel P3700, P4500, P4600; Solidigm P44 Pro)",
    deed: "a function level reset, then 250 ms more",
    source: "Linux 6.18 drivers/pci/quirks.c, delay_250ms_after_flr",
    experimental: None,
    reach: Reach::Function,
    rank: Rank::BeforeFlr,
    bars: &[],
    floors: &[(Step::Await, 350)],
    ceiling: FUNCTION_LEVEL_RESET.saturating_add(DELAY),
    sequence: || Box::new(Delayed),
    rehearsals: &[Rehearsal { title: "the function comes back", model: "flr_delay" }],
};
