//! What is done to a Polaris before it is switched off, and how it is switched off and on.
//!
//! Order, registers and values: Linux 6.12 amdgpu `pm/powerplay/hwmgr/polaris_baco.c`; names:
//! `include/asic_reg/{bif/bif_5_0,dce/dce_11_0,gmc/gmc_8_1,smu/smu_7_1_3}_{d,sh_mask}.h`. What has no
//! name there has its address for one.

use crate::vendor::amd::table::Op::{self, Pause, Set, Until, Write};
use crate::vendor::register::{Field, Register, Window};
use std::time::Duration;

/// Clocks and PLLs, through a pair of their own into the SMC's space.
static GCK: Window = Window {
    space: "smc",
    index: Register::mmio("GCK_SMC_IND_INDEX", 0x200),
    data: Register::mmio("GCK_SMC_IND_DATA", 0x204),
    read_back: false,
};

const fn us(microseconds: u64) -> Duration {
    Duration::from_micros(microseconds)
}

/// BACO in the interface to PCI Express.
pub(super) mod baco {
    use crate::vendor::register::{Field, Register};

    pub(super) const CONTROL: Register = Register::mmio("BACO_CNTL", 0x5394);
    pub(super) const EN: Field = CONTROL.bit("BACO_EN", 0);
    pub(super) const BCLK_OFF: Field = CONTROL.bit("BACO_BCLK_OFF", 1);
    pub(super) const ISO_DIS: Field = CONTROL.bit("BACO_ISO_DIS", 2);
    pub(crate) const POWER_OFF: Field = CONTROL.bit("BACO_POWER_OFF", 3);
    pub(super) const RESET_EN: Field = CONTROL.bit("BACO_RESET_EN", 4);
    /// The chip is off.
    pub(crate) const MODE: Field = CONTROL.bit("BACO_MODE", 6);
    pub(super) const ANA_ISO_DIS: Field = CONTROL.bit("BACO_ANA_ISO_DIS", 7);
    pub(super) const CONFIG_DONE: Field = CONTROL.bit("RCU_BIF_CONFIG_DONE", 8);
    pub(super) const PWRGOOD_BF: Field = CONTROL.bit("PWRGOOD_BF", 9);
    /// GPIO, memory, display.
    pub(super) const PWRGOOD: Field = CONTROL.field("PWRGOOD_GPIO, _MEM, _DVO", 7 << 10);
    pub(super) const SCLK_SWITCH: Field = CONTROL.bit("BACO_BIF_SCLK_SWITCH", 18);
    /// Whether anyone gets at video memory.
    pub(crate) const FB_EN: Register = Register::mmio("BIF_FB_EN", 0x5490);
}

const GENERIC_MASK: Register = Register::mmio("DC_GPIO_GENERIC_MASK", 0x1_2180);
const SYNCA_MASK: Register = Register::mmio("DC_GPIO_SYNCA_MASK", 0x1_2210);
const MPLL_CNTL_MODE: Register = Register::mmio("MPLL_CNTL_MODE", 0x2bb0);
const MPLL_BYPASSCLK_SEL: Register = GCK.register("MPLL_BYPASSCLK_SEL", 0xc050_019c);
const THM_CLK_CNTL: Register = GCK.register("THM_CLK_CNTL", 0xc050_01a8);
const MISC_CLK_CTRL: Register = GCK.register("MISC_CLK_CTRL", 0xc050_01ac);
/// Has no name in the headers; the tables of amdgpu use it by its number, dword 0xda2.
const MC_DA2: Register = Register::mmio("0xda2", 0x3688);

const RELEASE_PADS: &[Op] = &[
    Write(Register::mmio("GPIOPAD_EN", 0x610), 0),
    Write(Register::mmio("GPIOPAD_PD_EN", 0x64c), 0),
    Write(Register::mmio("GPIOPAD_PU_EN", 0x648), 0),
    Write(Register::mmio("GPIOPAD_MASK", 0x608), 0xff77_ffff),
    Write(Register::mmio("DC_GPIO_DVODATA_EN", 0x1_2198), 0),
    Write(Register::mmio("DC_GPIO_DVODATA_MASK", 0x1_2190), 0xffff_ffff),
    Write(Register::mmio("DC_GPIO_GENERIC_EN", 0x1_2188), 0),
    Set(GENERIC_MASK.field("GENERICA to GENERICG", 0x0333_3333), 0x0333_3333),
    Write(Register::mmio("DC_GPIO_SYNCA_EN", 0x1_2218), 0),
    Set(SYNCA_MASK.field("HSYNCA, VSYNCA", 0x0000_1111), 0x0000_1111),
];

const REJECT: Field = GCK.register("0xc0300024", 0xc030_0024).bit("bit 0", 0);
const REJECT_REQUESTS: &[Op] = &[Set(REJECT, 1), Write(baco::FB_EN, 0)];

const BYPASS_PLLS: &[Op] = &[
    Set(GCK.register("CG_SPLL_FUNC_CNTL", 0xc050_0140).bit("SPLL_BYPASS_EN", 3), 1),
    Set(GCK.register("0xc0500170", 0xc050_0170).bit("bit 26", 26), 1),
    Set(GCK.register("GCK_DFS_BYPASS_CNTL", 0xc050_0118).bit("BYPASSACLK", 7), 1),
    Set(MPLL_BYPASSCLK_SEL.field("MPLL_CLKOUT_SEL", 0xff00), 2),
    Set(MPLL_CNTL_MODE.bit("MPLL_SW_DIR_CONTROL", 8), 1),
    Set(MPLL_CNTL_MODE.bit("MPLL_MCLK_SEL", 11), 0),
];

const STOP_PLLS: &[Op] = &[
    Set(Register::mmio("DC_GPIO_PAD_STRENGTH_1", 0x1_2250).field("GENLK_STRENGTH_SP", 0xf0), 1),
    Pause(us(1)),
    Set(Register::mmio("MC_SEQ_DRAM", 0x2898).bit("RST_CTL", 28), 1),
    Set(GCK.register("0xc05002b0", 0xc050_02b0).bit("bit 4", 4), 1),
    Until(GCK.register("0xc05002b0", 0xc050_02b0).bit("bit 4", 4), 0),
    Set(GCK.register("0xc050032c", 0xc050_032c).bit("bit 4", 4), 1),
    Until(GCK.register("0xc050032c", 0xc050_032c).bit("bit 4", 4), 0),
    Set(GCK.register("0xc0500080", 0xc050_0080).bit("bit 0", 0), 1),
    Set(MC_DA2.bit("bit 6", 6), 0),
    Pause(us(3)),
    Set(MC_DA2.bit("bit 3", 3), 0),
    Set(MC_DA2.field("bits 21:8", 0x003f_ff00), 0x32),
    Pause(us(3)),
    Set(Register::mmio("MPLL_FUNC_CNTL_2", 0x2bbc).bit("ISO_DIS_P", 18), 0),
    Pause(us(5)),
];

const REQUEST_CLOCKS: &[Op] = &[
    Set(THM_CLK_CNTL.field("CMON_CLK_SEL", 0x00ff), 1),
    Set(THM_CLK_CNTL.field("TMON_CLK_SEL", 0xff00), 1),
    Set(MISC_CLK_CTRL.field("DEEP_SLEEP_CLK_SEL", 0x00ff), 1),
    Set(MISC_CLK_CTRL.field("ZCLK_SEL", 0xff00), 1),
    Set(GCK.register("CG_CLKPIN_CNTL", 0xc050_01a0).bit("BCLK_AS_XCLK", 2), 0),
    Set(GCK.register("CG_CLKPIN_CNTL_2", 0xc050_01a4).bit("FORCE_BIF_REFCLK_EN", 3), 0),
    Set(MPLL_BYPASSCLK_SEL.field("MPLL_CLKOUT_SEL", 0xff00), 4),
];

/// Takes the rejecting of [`REJECT_REQUESTS`] back; what BIF_FB_EN held comes after.
pub(super) const ACCEPT_REQUESTS: &[Op] = &[Set(REJECT, 0)];

/// Where in [`BEFORE`] requests to video memory begin to be rejected.
pub(super) const REJECT_REQUESTS_AT: usize = 1;
/// Where in [`BEFORE`] video memory is put in reset and PLLs are stopped.
pub(super) const STOP_PLLS_AT: usize = 3;

/// What is done before the card is switched off, in order. A PLL that does not stop is a failure:
/// whoever goes on then switches a running card off.
pub(super) const BEFORE: [(&str, &[Op]); 5] = [
    ("release the pads", RELEASE_PADS),
    ("reject requests to video memory", REJECT_REQUESTS),
    ("run on the bus clock", BYPASS_PLLS),
    ("stop the PLLs", STOP_PLLS),
    ("let go of the clocks", REQUEST_CLOCKS),
];

/// Switches the card off.
pub(super) const ENTER: &[Op] = &[
    Set(baco::EN, 1),
    Set(baco::SCLK_SWITCH, 1),
    Until(baco::SCLK_SWITCH, 1),
    Set(baco::BCLK_OFF, 1),
    Until(baco::BCLK_OFF, 1),
    Set(baco::ISO_DIS, 0),
    Until(baco::ISO_DIS, 0),
    Set(baco::ANA_ISO_DIS, 0),
    Until(baco::ANA_ISO_DIS, 0),
    Set(baco::POWER_OFF, 1),
    Until(baco::POWER_OFF, 1),
    Until(baco::MODE, 1),
];

/// Takes back what [`ENTER`] has done to a card that has kept its power.
pub(super) const BACK: &[Op] = &[
    Set(baco::BCLK_OFF, 0),
    Set(baco::ISO_DIS, 1),
    Set(baco::ANA_ISO_DIS, 1),
    Set(baco::SCLK_SWITCH, 0),
    Set(baco::EN, 0),
];

/// Switches the card on.
pub(super) const EXIT: &[Op] = &[
    Set(baco::RESET_EN, 1),
    Set(baco::BCLK_OFF, 0),
    Set(baco::POWER_OFF, 0),
    Until(baco::PWRGOOD_BF, 1),
    Set(baco::ISO_DIS, 1),
    Until(baco::PWRGOOD, 7),
    Set(baco::ANA_ISO_DIS, 1),
    Set(baco::SCLK_SWITCH, 0),
    Set(baco::RESET_EN, 0),
    Until(baco::CONFIG_DONE, 1),
    Set(baco::EN, 0),
    Until(baco::MODE, 0),
];

/// Tells the next driver that the card is not set up.
pub(super) const CLEAN: &[Op] =
    &[Write(Register::mmio("BIOS_SCRATCH_6", 0x173c), 0), Write(Register::mmio("BIOS_SCRATCH_7", 0x1740), 0)];
