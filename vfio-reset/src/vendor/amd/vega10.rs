//! Vega 10: BACO (bus active, chip off), which switches everything off but the interface to PCI Express.
//!
//! Sources: gnif/vendor-reset 084881c, `vega10_reset` (the order, and the SMU features that are switched
//! off before); Linux 6.12 `drivers/gpu/drm/amd/pm/powerplay/hwmgr/vega10_baco.c` (the tables).

use super::psp::{Asked, Psp, not_started};
use super::smu::{self, Answer, Mailbox, Message};
use super::soc15::{BACO_CNTL, BIF_DOORBELL_CNTL, BIF_FB_EN, CONFIG_MEMSIZE, STATIC, scratch};
use super::table::{self, Op};
use super::{REMEDY, open};
use crate::vendor::device::{DECODING, Device};
use crate::vendor::family::{Family, Rank, Reach, Rehearsal};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::StepResult;
use crate::vendor::register::Register;
use crate::vendor::sequence::{ResetSequence, Step};
use std::time::Duration;

/// Registers of BACO on both sides of the power that is switched.
mod baco {
    use super::{BACO_CNTL, BIF_DOORBELL_CNTL, BIF_FB_EN, Register, STATIC};
    use crate::vendor::register::Field;

    /// BACO in the interface to PCI Express.
    pub(super) const CONTROL: Register = BACO_CNTL.at(&STATIC);
    pub(super) const EN: Field = CONTROL.bit("BACO_EN", 0);
    pub(super) const LCLK_SWITCH: Field = CONTROL.bit("BACO_BIF_LCLK_SWITCH", 1);
    pub(super) const DUMMY_EN: Field = CONTROL.bit("BACO_DUMMY_EN", 2);
    pub(super) const POWER_OFF: Field = CONTROL.bit("BACO_POWER_OFF", 3);
    pub(super) const DSTATE_BYPASS: Field = CONTROL.bit("BACO_DSTATE_BYPASS", 5);
    pub(super) const RST_INTR_MASK: Field = CONTROL.bit("BACO_RST_INTR_MASK", 6);
    /// The chip is off.
    pub(super) const MODE: Field = CONTROL.bit("BACO_MODE", 8);
    pub(super) const FB_EN: Register = BIF_FB_EN.at(&STATIC);
    pub(super) const DOORBELL_MONITOR: Field = BIF_DOORBELL_CNTL.at(&STATIC).bit("DOORBELL_MONITOR_EN", 4);

    /// BACO in the thermal block, segment base 0x16600, dword 0x7c.
    const THM: Register = Register::mmio("THM_BACO_CNTL", 4 * (0x1_6600 + 0x7c));
    pub(super) const ISO_EN: Field = THM.bit("BACO_ISO_EN", 1);
    pub(super) const PWROKRAW: Field = THM.bit("BACO_PWROKRAW_CNTL", 2);
    pub(super) const RESET_EN: Field = THM.bit("BACO_RESET_EN", 3);
    pub(super) const VDCI_RESET: Field = THM.bit("BACO_SOC_VDCI_RESET", 4);
    pub(super) const SMNCLK_MUX: Field = THM.bit("BACO_SMNCLK_MUX", 5);
    pub(super) const REFCLK_OFF: Field = THM.bit("BACO_SOC_REFCLK_OFF", 6);
    pub(super) const AEB_ISO_EN: Field = THM.bit("BACO_AEB_ISO_EN", 7);
    pub(super) const EXIT: Field = THM.bit("BACO_EXIT", 8);
    pub(super) const ANA_ISO_EN: Field = THM.bit("BACO_ANA_ISO_EN", 9);
    pub(super) const SB_AXI_FENCE: Field = THM.bit("BACO_SB_AXI_FENCE", 30);
    /// The SMU has stopped everything.
    pub(super) const IDLE: Field = THM.bit("SOC_DOMAIN_IDLE", 31);
}

const SHUT_OUT: &[Op] = &[
    Op::Set(baco::DOORBELL_MONITOR, 1),
    Op::Write(baco::FB_EN, 0),
    Op::Set(baco::DSTATE_BYPASS, 1),
    Op::Set(baco::RST_INTR_MASK, 1),
];

const ENTER: &[Op] = &[
    Op::Until(baco::IDLE, 1),
    Op::Set(baco::EN, 1),
    Op::Set(baco::LCLK_SWITCH, 1),
    Op::Set(baco::DUMMY_EN, 1),
    Op::Set(baco::VDCI_RESET, 1),
    Op::Set(baco::SMNCLK_MUX, 1),
    Op::Set(baco::ISO_EN, 1),
    Op::Set(baco::AEB_ISO_EN, 1),
    Op::Set(baco::ANA_ISO_EN, 1),
    Op::Set(baco::REFCLK_OFF, 1),
    Op::Set(baco::POWER_OFF, 1),
    Op::Pause(Duration::from_millis(5)),
    Op::KeepDecoding,
    Op::Set(baco::RESET_EN, 1),
    Op::Set(baco::PWROKRAW, 0),
    Op::Until(baco::MODE, 1),
];

const EXIT: &[Op] = &[
    Op::Set(baco::POWER_OFF, 0),
    Op::Pause(Duration::from_millis(10)),
    Op::KeepDecoding,
    Op::Set(baco::REFCLK_OFF, 0),
    Op::Set(baco::ANA_ISO_EN, 0),
    Op::Set(baco::AEB_ISO_EN, 0),
    Op::Set(baco::ISO_EN, 0),
    Op::Set(baco::PWROKRAW, 1),
    Op::Set(baco::SMNCLK_MUX, 0),
    Op::Set(baco::VDCI_RESET, 0),
    Op::Set(baco::EXIT, 1),
    Op::Set(baco::RESET_EN, 0),
    Op::Until(baco::EXIT, 0),
    Op::Set(baco::SB_AXI_FENCE, 0),
    Op::Set(baco::DUMMY_EN, 0),
    Op::Set(baco::LCLK_SWITCH, 0),
    Op::Set(baco::EN, 0),
    Op::Until(baco::MODE, 0),
];

/// The regulators need this long between off and on.
const OFF_TIME: Duration = Duration::from_millis(20);

const GET_FEATURES: Message = Message::new("GetEnabledSmuFeatures", 0x6);
const DISABLE_FEATURES: Message = Message::new("DisableSmuFeatures", 0x5);
const DRIVER_RESET: Message = Message::new("GfxDeviceDriverReset", 0x45);
const ENTER_BACO: Message = Message::new("EnterBaco", 0x1e);

/// The SMU features that are switched off, one a message, in this order. A longer list, which also goes
/// round, bricks cards that Windows has used.
const FEATURES: [u32; 10] = [
    0x0080_0000,
    0x0001_0000,
    0x0000_4000,
    0x0000_8000,
    0x0800_0000,
    0x0000_0010,
    0x0000_0800,
    0x0000_1000,
    0x0000_2000,
    0x0008_0000,
];

/// All-ones while the card is away.
const MEMORY_SIZE: Register = CONFIG_MEMSIZE.at(&STATIC);
const LOOKS: Patience = Patience::looks(100_000, Duration::from_micros(1));

/// What the SMU does after [`DRIVER_RESET`] takes this long.
const DRIVER_RESET_TIME: Duration = Duration::from_millis(500);

/// A reset of a Vega 10.
#[derive(Debug)]
pub struct Vega10 {
    smu: Mailbox,
    psp: Psp,
    /// The card was found switched off.
    is_off: bool,
    /// The SMU is silent: the PSP does it.
    by_psp: bool,
    /// The PSP was asked.
    asked: Option<Asked>,
    /// What BIF_FB_EN held, while the card is being switched off.
    framebuffer: Option<u32>,
}

impl Vega10 {
    /// A reset that has not begun.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            smu: Mailbox::new(&STATIC, smu::RECORDED),
            psp: Psp::new(&STATIC),
            is_off: false,
            by_psp: false,
            asked: None,
            framebuffer: None,
        }
    }

    fn quiet_smu(&self, device: &mut Device<'_>, features: u32) -> StepResult {
        for feature in FEATURES.into_iter().filter(|feature| features & feature != 0) {
            self.smu.may(device, DISABLE_FEATURES, feature)?;
        }
        self.smu.may(device, DRIVER_RESET, 2)?;
        device.pause(DRIVER_RESET_TIME);
        Ok(())
    }
}

impl Default for Vega10 {
    fn default() -> Self {
        Self::new()
    }
}

impl ResetSequence for Vega10 {
    fn detect(&mut self, device: &mut Device<'_>) -> StepResult {
        open(device)
    }

    fn precheck(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.psp.is_alive(device)? { Ok(()) } else { Err(not_started()) }
    }

    fn prepare(&mut self, device: &mut Device<'_>) -> StepResult {
        self.is_off = device.get(baco::MODE)? == 1;
        match self.smu.send(device, GET_FEATURES, 0)? {
            Answer::Done => {
                // All-ones would be taken for every feature.
                let features = device.read_alive(self.smu.argument)?;
                self.quiet_smu(device, features)
            }
            // The way out of BACO does not need the SMU.
            answer if self.is_off => {
                device
                    .note(format!("the SMU answered {GET_FEATURES} with {answer}; the card is off already"));
                Ok(())
            }
            // A guest's driver halts the SMU when it is unloaded; the PSP can still reset the card.
            _ if self.psp.is_ready(device)? => {
                self.by_psp = true;
                Ok(())
            }
            answer => Err(self.smu.rejected(GET_FEATURES, answer).into()),
        }
    }

    fn trigger(&mut self, device: &mut Device<'_>) -> StepResult {
        if self.by_psp {
            self.asked = Some(self.psp.mode1_reset(device)?);
            return Ok(());
        }
        if self.is_off {
            return Ok(());
        }
        self.framebuffer = Some(device.read_alive(baco::FB_EN)?);
        table::run(device, "shut everyone out of the card", SHUT_OUT)?;
        self.smu.must(device, ENTER_BACO, 0)?;
        table::run(device, "switch the card off", ENTER)?;
        self.framebuffer = None;
        Ok(())
    }

    fn completion(&mut self, device: &mut Device<'_>) -> StepResult {
        if let Some(asked) = self.asked {
            self.psp.wait_for_mode1(device, asked)?;
        } else {
            device.pause(OFF_TIME);
            device.keep_decoding()?;
            table::run(device, "switch the card on", EXIT)?;
            device.prove("the chip was seen switched off, and on again (BACO_MODE)");
        }
        device.keep_decoding()?;
        device.wait(Condition::answers(MEMORY_SIZE), LOOKS).map(drop)
    }

    fn postcheck(&mut self, device: &mut Device<'_>) -> StepResult {
        device.keep_decoding()?;
        device.read_alive(MEMORY_SIZE)?;
        device.write(scratch::BIOS_SCRATCH_6, 0)?;
        device.write(scratch::BIOS_SCRATCH_7, 0)?;
        device.read_alive(MEMORY_SIZE).map(drop)
    }

    fn undo(&mut self, device: &mut Device<'_>) -> StepResult {
        let Some(framebuffer) = self.framebuffer else { return Ok(()) };
        // Half off is worse than on; if that does not work either, the first failure says enough.
        if device.get(baco::POWER_OFF)? == 1 {
            let _ = table::run(device, "switch the card on", EXIT);
        }
        device.set(baco::RST_INTR_MASK, 0)?;
        device.set(baco::DSTATE_BYPASS, 0)?;
        device.write(baco::FB_EN, framebuffer)?;
        device.set(baco::DOORBELL_MONITOR, 0)
    }

    fn deed(&self) -> String {
        let deed = if self.by_psp { "mode 1 reset by the PSP" } else { "switched off and on (BACO)" };
        deed.to_string()
    }

    fn remedy(&self) -> String {
        REMEDY.to_string()
    }
}

/// The way through BACO: the sign of life, a message for each feature and three more, each of which waits
/// twice, the tables, and the card's return. The way through the PSP is shorter.
const CEILING: Duration = LOOKS
    .total
    .saturating_mul(2)
    .saturating_add(smu::RECORDED.total.saturating_mul(2 * (FEATURES.len() as u32 + 3)))
    .saturating_add(DRIVER_RESET_TIME)
    .saturating_add(table::ceiling(ENTER))
    .saturating_add(OFF_TIME)
    .saturating_add(table::ceiling(EXIT))
    .saturating_add(DECODING.total.saturating_mul(3));

/// Vega 10.
pub static VEGA10: Family = Family {
    name: "vega10",
    title: "AMD Vega 10 (Radeon RX Vega 56 and 64)",
    deed: "switched off and on (BACO); by the PSP (mode 1) if the SMU is silent",
    source: "gnif/vendor-reset 084881c, vega10_reset; Linux 6.12 amdgpu vega10_baco.c",
    experimental: None,
    reach: Reach::Device,
    rank: Rank::BeforeBus,
    bars: &[super::MMIO],
    floors: &[(Step::Prepare, 500), (Step::Trigger, 5), (Step::Await, 30)],
    ceiling: CEILING,
    sequence: || Box::new(Vega10::new()),
    rehearsals: &[
        Rehearsal { title: "the SMU answers", model: "vega10" },
        Rehearsal { title: "the SMU is silent, and the PSP is ready", model: "vega10_smu_silent" },
        Rehearsal { title: "the card is switched off already", model: "vega10_off" },
        Rehearsal { title: "the card does not let itself be switched off", model: "vega10_stays_on" },
    ],
};
