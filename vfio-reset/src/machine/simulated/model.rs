//! What a simulated function is to whoever drives it.
//!
//! One model object is driven in two ways: in process and in virtual time by the simulated machine,
//! and over the vfio-user protocol, where QEMU shows it to a real guest kernel. So a model never
//! sleeps and never asks a clock: the time is handed in with every access, and a delay is a
//! timestamp that later accesses are compared with.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a reset reaches a function as.
///
/// In descriptions of machines they are written as the kernel names the method that causes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ResetKind {
    /// A hot reset, by the Secondary Bus Reset of a bridge above or by a link that went down
    /// (PCI Express Base 6.0, 6.6.1).
    #[serde(rename = "bus")]
    Conventional,
    /// Initiate Function Level Reset in Device Control (6.6.2).
    #[serde(rename = "flr")]
    FunctionLevel,
    /// Initiate FLR in the Advanced Features capability (PCI-SIG, Conventional Advanced Caps ECN).
    #[serde(rename = "af_flr")]
    AdvancedFeatures,
    /// From D3hot to D0 with No_Soft_Reset clear (5.3.1.4).
    #[serde(rename = "pm")]
    D3hotToD0,
    /// The slot's power was off.
    #[serde(rename = "power_cycle")]
    PowerCycle,
}

impl ResetKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Conventional, Self::FunctionLevel, Self::AdvancedFeatures, Self::D3hotToD0, Self::PowerCycle];
}

/// How a read ends on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The bytes are what the function said.
    Successful,
    /// Request Retry Status: there, and not ready. What the processor sees depends on the root port.
    RequestRetry,
    /// No one answered, or with Unsupported Request: the processor sees all-ones.
    Unanswered,
}

/// A PCI function with behaviour.
pub trait FunctionModel: Send {
    /// How many bytes of configuration space it has: 256 or 4096.
    fn config_size(&self) -> usize;

    /// Fills `bytes` from `offset` of its configuration space, as one read at the time `now`.
    ///
    /// The bytes are meaningful only with [`Completion::Successful`]; past the end they are zero.
    fn read_config(&mut self, now: Duration, offset: u16, bytes: &mut [u8]) -> Completion;

    /// Writes `bytes` to `offset` of its configuration space, as one write at the time `now`.
    ///
    /// Answers with the reset that the write has caused, if it has: what is below a bridge, and the
    /// virtual functions of a physical one, are reset with it.
    fn write_config(&mut self, now: Duration, offset: u16, bytes: &[u8]) -> Option<ResetKind>;

    /// Fills `bytes` from `offset` of the memory or the ports behind Base Address Register `bar`.
    fn read_bar(&mut self, now: Duration, bar: u8, offset: u64, bytes: &mut [u8]) -> Completion;

    /// Writes `bytes` to `offset` of the memory or the ports behind Base Address Register `bar`.
    fn write_bar(&mut self, now: Duration, bar: u8, offset: u64, bytes: &[u8]);

    /// A reset reaches the function, or is over if it takes time, at the time `now`.
    fn reset(&mut self, now: Duration, kind: ResetKind);

    /// What its registers hold, whether or not it answers now. For looking at, not the way a
    /// processor reads.
    fn registers(&self) -> &[u8];

    /// Sets the bits of `mask` in the word at `offset` to those of `value`, as the hardware around
    /// the function does: the link was trained, an error was seen.
    fn set_hardware_bits(&mut self, offset: u16, mask: u16, value: u16);

    /// Whether it would answer a read at the time `now`.
    fn answers(&self, now: Duration) -> bool;

    /// Its state, for [`load`](Self::load).
    fn save(&self) -> serde_json::Value;

    /// Takes a state over that [`save`](Self::save) gave, of a model made from the same description.
    ///
    /// # Errors
    /// What is wrong with the state; the model is unchanged then.
    fn load(&mut self, state: &serde_json::Value) -> Result<(), String>;
}
