//! Writes saved state back.

use super::wait::Readiness;
use super::{Engine, StepResult};
use crate::error::Result;
use crate::machine::{Function, Machine};
use crate::plan::ResetAct;
use crate::state::header::BridgeHeaders;
use crate::state::{RegisterWrite, SavedFunction, SavedState, WriteRule, restore_sequence};
use pcicfg::capability::PciExpress;
use pcicfg::{Address, ConfigRead, ConfigWrite};
use std::time::Duration;

/// What a restore did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreSummary {
    /// How many functions were restored.
    pub functions: usize,
    /// The writes that were made.
    pub written: Vec<(Address, RegisterWrite)>,
    /// Functions that do not answer with the ids they were saved with.
    pub absent: Vec<Address>,
}

/// Writes a saved state back to functions that answer with the ids they were saved with.
///
/// # Errors
/// When configuration space cannot be read or written.
pub fn restore_state(
    machine: &dyn Machine,
    state: &SavedState,
    bridges: BridgeHeaders,
) -> Result<RestoreSummary> {
    let mut summary = RestoreSummary::default();
    for saved in &state.functions {
        let function = Function::new(machine, saved.address);
        let expected = saved.space().and_then(|space| space.read_u32(0));
        if Some(function.read_u32(0)?) != expected || function.read_u32(4)? == 0xffff_ffff {
            summary.absent.push(saved.address);
            continue;
        }
        let writes = sequence(saved, bridges);
        apply(machine, saved.address, &writes, &mut summary)?;
        summary.functions += 1;
    }
    Ok(summary)
}

pub(super) fn sequence(saved: &SavedFunction, bridges: BridgeHeaders) -> Vec<RegisterWrite> {
    saved.space().map_or_else(Vec::new, |space| restore_sequence(space, saved.is_virtual, bridges))
}

fn apply(
    machine: &dyn Machine,
    address: Address,
    writes: &[RegisterWrite],
    summary: &mut RestoreSummary,
) -> Result<()> {
    let function = Function::new(machine, address);
    for write in writes {
        if put(machine, &function, write)? {
            summary.written.push((address, *write));
            if !write.settle.is_zero() {
                machine.clock().sleep(write.settle);
            }
        }
    }
    Ok(())
}

/// Writes one register if its rule says so; gives whether it was written.
fn put(machine: &dyn Machine, function: &Function<'_>, write: &RegisterWrite) -> Result<bool> {
    match write.rule {
        WriteRule::Always => write_register(function, write, write.value)?,
        WriteRule::ClearRaised => {
            let raised = read_register(function, write)?;
            // All-ones is nobody answering, not everything raised.
            if raised == 0 || raised == all_ones(write.width) {
                return Ok(false);
            }
            write_register(function, write, raised)?;
        }
        WriteRule::IfDifferent => {
            let compared = if write.compare == 0 { all_ones(write.width) } else { write.compare };
            if read_register(function, write)? & compared == write.value & compared {
                return Ok(false);
            }
            write_register(function, write, write.value)?;
        }
    }
    // A BAR may take a moment after a reset until it keeps what is written (as the kernel retries).
    if is_base_address(write) {
        const RETRIES: u32 = 10;
        for _ in 0..RETRIES {
            if read_register(function, write)? & write.compare == write.value & write.compare {
                break;
            }
            machine.clock().sleep(Duration::from_millis(1));
            write_register(function, write, write.value)?;
        }
    }
    Ok(true)
}

fn is_base_address(write: &RegisterWrite) -> bool {
    (0x10..0x28).contains(&write.offset) && write.rule == WriteRule::IfDifferent
}

fn all_ones(width: u8) -> u32 {
    u32::MAX >> (32 - 8 * u32::from(width.clamp(1, 4)))
}

pub(super) fn read_register(function: &Function<'_>, write: &RegisterWrite) -> Result<u32> {
    Ok(match write.width {
        1 => u32::from(function.read_u8(write.offset)?),
        2 => u32::from(function.read_u16(write.offset)?),
        _ => function.read_u32(write.offset)?,
    })
}

fn write_register(function: &Function<'_>, write: &RegisterWrite, value: u32) -> Result<()> {
    let bytes = value.to_le_bytes();
    function.write(write.offset, &bytes[..usize::from(write.width.clamp(1, 4))])
}

impl Engine<'_, '_> {
    /// Brings everything that was reset back, bridges before what is below them.
    ///
    /// The bridge that asserted the reset was not reset itself. Its link control and its hot-plug
    /// notification go back last: ASPM wants both ends set up, and events may be acted upon only when
    /// everything is in place.
    pub(super) fn restore(&mut self) -> StepResult<String> {
        let Some(saved) = self.saved.take() else { return Ok("nothing was saved".to_string()) };
        let result = self.restore_saved(&saved);
        self.saved = Some(saved);
        let summary = result?;
        let (writes, functions) = (summary.written.len(), summary.functions);
        Ok(match functions {
            1 => format!("{writes} registers written"),
            many => format!("{writes} registers of {many} functions written"),
        })
    }

    /// Brings back only the port that asserted the reset.
    pub(super) fn restore_port(&mut self) -> Result<()> {
        let ResetAct::SecondaryBus { bridge, .. } = self.action.act else { return Ok(()) };
        let Some(saved) = self.saved.as_ref().and_then(|saved| saved.function(bridge)) else { return Ok(()) };
        let writes = sequence(saved, self.options.bridge_headers);
        apply(self.machine, bridge, &writes, &mut RestoreSummary::default())
    }

    fn restore_saved(&mut self, saved: &SavedState) -> StepResult<RestoreSummary> {
        let mut summary = RestoreSummary::default();
        let asserting = match self.action.act {
            ResetAct::SecondaryBus { bridge, .. } => saved.function(bridge),
            _ => None,
        };
        // What cannot be written to one function must not keep the others, and the port's
        // notification, from being restored.
        let mut failure = Ok(());
        let mut late = Vec::new();
        if let Some(bridge) = asserting {
            let (early, kept) = split_late(bridge, sequence(bridge, self.options.bridge_headers));
            late = kept;
            failure = failure.and(apply(self.machine, bridge.address, &early, &mut summary));
            summary.functions += 1;
        }
        let action = self.action;
        for planned in action.functions.iter().filter(|planned| planned.is_reset) {
            let Some(function) = saved.function(planned.address) else { continue };
            // What is below a bridge can be reached only now that the bridge is restored.
            if let Readiness::Late { .. } = self.wait_ready(planned)? {
                self.unanswered.push(planned.address);
                summary.absent.push(planned.address);
                continue;
            }
            let writes = sequence(function, self.options.bridge_headers);
            failure = failure.and(apply(self.machine, planned.address, &writes, &mut summary));
            summary.functions += 1;
        }
        if let Some(bridge) = asserting {
            failure = failure.and(apply(self.machine, bridge.address, &late, &mut summary));
        }
        failure?;
        Ok(summary)
    }
}

/// Takes out of a bridge's writes those that come last: Link Control, and from Slot Status on.
fn split_late(
    bridge: &SavedFunction,
    writes: Vec<RegisterWrite>,
) -> (Vec<RegisterWrite>, Vec<RegisterWrite>) {
    let Some(express) = bridge.space().and_then(|space| space.pci_express()) else {
        return (writes, Vec::new());
    };
    let at = |register: u16| express.offset() + register;
    let late = |write: &RegisterWrite| {
        write.offset == at(PciExpress::LINK_CONTROL)
            || write.offset == at(PciExpress::SLOT_STATUS)
            || write.offset == at(PciExpress::SLOT_CONTROL)
    };
    let (late, early) = writes.into_iter().partition(late);
    (early, late)
}
