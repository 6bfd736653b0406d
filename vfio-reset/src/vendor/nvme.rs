//! NVMe: the controller is disabled before a function level reset.
//!
//! Some controllers hang if they are reset while they are enabled. Registers: NVM Express Base 2.0, 3.1.3;
//! order: Linux 6.18 `drivers/pci/quirks.c`, `nvme_disable_and_flr`. A controller that does not let itself be
//! disabled is not reset: that is what makes it hang.

use super::device::{Device, FUNCTION_LEVEL_RESET};
use super::family::{Family, Rank, Reach, Rehearsal};
use super::operation::{Condition, Patience};
use super::outcome::{StepResult, Stop};
use super::register::{Field, Register};
use super::sequence::{ResetSequence, Step};
use std::time::Duration;

const BAR: u8 = 0;
/// As far as the controller's own registers go that are used here.
const REGISTERS: u64 = 0x40;

/// Capabilities, the lower half; CAP.TO is the longest time to become ready or not ready, in 500 ms.
const TIMEOUT: Field = Register::bar("CAP", BAR, 0x00).field("TO", 0xff00_0000);
const CONFIGURATION: Register = Register::bar("CC", BAR, 0x14);
const ENABLE: Field = CONFIGURATION.bit("EN", 0);
const SHUTDOWN: Field = CONFIGURATION.field("SHN", 0xc000);
const READY: Field = Register::bar("CSTS", BAR, 0x1c).bit("RDY", 0);

/// With the longest that CAP.TO can say.
const DISABLE_CEILING: Duration = disable_patience(0xff).total;

/// One look every 100 ms, as the kernel; (TO + 1) * 500 ms in all, at most 128 s.
const fn disable_patience(units: u32) -> Patience {
    Patience::looks(5 * (units + 1) + 1, Duration::from_millis(100))
}

/// The class code of an NVMe controller: mass storage, NVM, NVM Express.
const NVM_EXPRESS: u32 = 0x01_0802;

/// A reset of an NVMe controller.
#[derive(Debug, Default)]
pub struct NvmeDisable;

impl ResetSequence for NvmeDisable {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        device.must_answer()?;
        let class = device.saved()?.header().class_code().to_u32();
        if class != NVM_EXPRESS {
            return Err(Stop::Refused(format!("its class is {class:06x}, and that is no NVMe controller")));
        }
        device.open(BAR, REGISTERS).map(drop)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        let can = device.saved()?.pci_express().is_some_and(|express| express.function_level_reset_capable());
        if can { Ok(()) } else { Err(Stop::Refused("it announces no function level reset".to_string())) }
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        let configuration = device.read_alive(CONFIGURATION)?;
        if ENABLE.of(configuration) == 0 {
            return Ok(());
        }
        let units = device.get(TIMEOUT)?;
        device.write(CONFIGURATION, configuration & !(ENABLE.mask | SHUTDOWN.mask))?;
        device.wait(Condition::field(READY, 0), disable_patience(units)).map(drop)
    }

    fn deed(&self) -> String {
        "disabled, then function level reset".to_string()
    }
}

/// NVMe controllers that hang if they are reset while they are enabled.
pub static NVME_DISABLE: Family = Family {
    name: "nvme-disable",
    title: "NVMe controllers that must be disabled before a reset (Samsung SM961, PM961)",
    deed: "disabled (CC.EN = 0, CSTS.RDY = 0), then a function level reset",
    source: "Linux 6.18 drivers/pci/quirks.c, nvme_disable_and_flr; NVM Express Base 2.0, 3.1.3",
    experimental: None,
    reach: Reach::Function,
    rank: Rank::BeforeFlr,
    bars: &[BAR],
    floors: &[(Step::Await, 100)],
    ceiling: DISABLE_CEILING.saturating_add(FUNCTION_LEVEL_RESET),
    sequence: || Box::new(NvmeDisable),
    rehearsals: &[Rehearsal { title: "the controller is enabled", model: "nvme" }],
};
