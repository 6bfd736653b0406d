//! Network adapters that need a handshake around a function level reset: Chelsio T4, Huawei HINIC.

use super::bus::Width;
use super::device::{DECODING, Device, FUNCTION_LEVEL_RESET, WORKING_COMMAND};
use super::family::{Family, Rank, Reach, Rehearsal};
use super::operation::{Condition, Patience};
use super::outcome::{StepResult, Stop};
use super::register::Register;
use super::sequence::{ResetSequence, Step};
use pcicfg::header::Command;
use std::time::Duration;

const COMMAND: u16 = 0x04;
/// Message Control of MSI-X: MSI-X Enable and Function Mask.
const MSI_X_ENABLE: u32 = 1 << 15;
const MSI_X_FUNCTION_MASK: u32 = 1 << 14;

/// A reset of a Chelsio T4. It finishes what is on its way before it resets itself, for which it must
/// master the bus and have MSI-X. Source: Linux 6.18 `drivers/pci/quirks.c`, `reset_chelsio_generic_dev`.
#[derive(Debug, Default)]
pub struct ChelsioT4;

impl ResetSequence for ChelsioT4 {
    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        let command = WORKING_COMMAND | Command::BUS_MASTER;
        device.write_config(COMMAND, Width::Word, u32::from(command.bits()))?;
        let Some(at) = device.saved()?.msi_x().map(|msi_x| msi_x.offset()) else { return Ok(()) };
        let control = device.read_config(at + 2, Width::Word)?;
        if control & MSI_X_ENABLE == 0 {
            let enabled = control | MSI_X_ENABLE | MSI_X_FUNCTION_MASK;
            device.write_config(at + 2, Width::Word, enabled)?;
        }
        Ok(())
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        device.write_config(COMMAND, Width::Word, u32::from(WORKING_COMMAND.bits()))
    }

    fn deed(&self) -> String {
        "drained, then function level reset".to_string()
    }
}

/// Chelsio T4.
pub static CHELSIO_T4: Family = Family {
    name: "chelsio-t4",
    title: "Chelsio T4 network adapters",
    deed: "bus mastering and MSI-X on, so that it can drain, then a function level reset",
    source: "Linux 6.18 drivers/pci/quirks.c, reset_chelsio_generic_dev",
    experimental: Some("taken from the kernel, and neither recorded nor tried by us"),
    reach: Reach::Function,
    rank: Rank::BeforeFlr,
    bars: &[],
    floors: &[(Step::Await, 100)],
    ceiling: FUNCTION_LEVEL_RESET,
    sequence: || Box::new(ChelsioT4),
    rehearsals: &[Rehearsal { title: "MSI-X is off", model: "chelsio_t4" }],
};

/// The registers of a HINIC virtual function are big-endian.
mod hinic {
    use super::Register;

    pub(super) const BAR: u8 = 0;
    pub(super) const REGISTERS: u64 = 0x1004;
    /// Its firmware: bit 30, it can be reset.
    pub(super) const FIRMWARE: Register = Register::bar("HINIC_VF_FLR_TYPE", BAR, 0x1000);
    pub(super) const CAN_RESET: u32 = (1u32 << 30).swap_bytes();
    /// Doorbell attributes: bit 18 is set by whoever resets it, and cleared by its firmware.
    pub(super) const OPERATION: Register = Register::bar("HINIC_VF_OP", BAR, 0xe80);
    pub(super) const RESETTING: u32 = (1u32 << 18).swap_bytes();
}

/// How long its firmware may take: 15 s, as the kernel waits.
const ACKNOWLEDGEMENT: Patience = Patience::looks(751, Duration::from_millis(20));

/// A reset of a Huawei HINIC virtual function. Source: Linux 6.18 `drivers/pci/quirks.c`,
/// `reset_hinic_vf_dev`.
#[derive(Debug, Default)]
pub struct HinicVf;

impl ResetSequence for HinicVf {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        device.must_answer()?;
        device.open(hinic::BAR, hinic::REGISTERS).map(drop)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        if device.read_alive(hinic::FIRMWARE)? & hinic::CAN_RESET == 0 {
            return Err(Stop::Refused("its firmware says that it cannot be reset".to_string()));
        }
        Ok(())
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        let resetting = hinic::OPERATION.field("bit 18, big-endian", hinic::RESETTING);
        device.set(resetting, 1)
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        device.wait_after_function_level_reset()?;
        // It learns its bus and device number, which its answers carry, from a write.
        device.write_config(0x00, Width::Word, 0)?;
        device.keep_decoding()?;
        let done = Condition::bits(hinic::OPERATION, hinic::RESETTING, 0);
        device.wait(done, ACKNOWLEDGEMENT)?;
        device.prove("its firmware acknowledges it");
        Ok(())
    }

    fn deed(&self) -> String {
        "function level reset, acknowledged by the firmware".to_string()
    }
}

/// Virtual functions of Huawei HINIC.
pub static HINIC_VF: Family = Family {
    name: "hinic-vf",
    title: "virtual functions of Huawei HINIC",
    deed: "a function level reset that the firmware acknowledges",
    source: "Linux 6.18 drivers/pci/quirks.c, reset_hinic_vf_dev",
    experimental: Some("taken from the kernel, and neither recorded nor tried by us"),
    reach: Reach::Function,
    rank: Rank::BeforeFlr,
    bars: &[hinic::BAR],
    floors: &[(Step::Await, 100)],
    ceiling: FUNCTION_LEVEL_RESET.saturating_add(DECODING.total).saturating_add(ACKNOWLEDGEMENT.total),
    sequence: || Box::new(HinicVf),
    rehearsals: &[Rehearsal { title: "the firmware acknowledges", model: "hinic_vf" }],
};
