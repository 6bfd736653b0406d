//! Writes saved state back.

use super::wait::Readiness;
use super::{Engine, StepResult, Stop};
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
        let found = match function.read_u32(0) {
            Err(error) if error.is_gone() => None,
            id => Some(id?),
        };
        if found.is_none() || found != expected || function.read_u32(4)? == 0xffff_ffff {
            summary.absent.push(saved.address);
            continue;
        }
        let writes = sequence(saved, bridges);
        apply(machine, saved.address, &writes, Raised::Keep, &mut summary)?;
        summary.functions += 1;
    }
    Ok(summary)
}

pub(super) fn sequence(saved: &SavedFunction, bridges: BridgeHeaders) -> Vec<RegisterWrite> {
    saved.space().map_or_else(Vec::new, |space| restore_sequence(space, saved.is_virtual, bridges))
}

/// What happens to bits that are cleared by writing 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Raised {
    /// They are cleared: the reset raised them.
    Clear,
    /// They stay: nothing was reset, so they tell of something real.
    Keep,
}

/// Makes the writes that are needed; one that fails does not keep the others from being made, unless the
/// function is gone.
fn apply(
    machine: &dyn Machine,
    address: Address,
    writes: &[RegisterWrite],
    raised: Raised,
    summary: &mut RestoreSummary,
) -> Result<()> {
    let function = Function::new(machine, address);
    let mut failure = Ok(());
    for (index, write) in writes.iter().enumerate() {
        let result = match write.rule {
            WriteRule::ClearRaised if raised == Raised::Keep => continue,
            WriteRule::IfDifferent if write.compare == 0 => {
                match is_on_the_way(&function, write, &writes[index + 1..]) {
                    Ok(false) => continue,
                    Ok(true) => put(machine, &function, write),
                    Err(error) => Err(error),
                }
            }
            _ => put(machine, &function, write),
        };
        match result {
            Ok(false) => {}
            Ok(true) => {
                summary.written.push((address, *write));
                if !write.settle.is_zero() {
                    machine.clock().sleep(write.settle);
                }
            }
            Err(error) if error.is_gone() => return failure.and(Err(error)),
            Err(error) => failure = failure.and(Err(error)),
        }
    }
    failure
}

/// Whether a passing value has to be written: only if something up to the register's final value is not
/// as it should be. On a function that is as it was, nothing is switched off and on again.
fn is_on_the_way(function: &Function<'_>, passing: &RegisterWrite, after: &[RegisterWrite]) -> Result<bool> {
    let last = after.iter().position(|write| write.offset == passing.offset && write.compare != 0);
    for write in after.iter().take(last.map_or(0, |last| last + 1)).filter(|write| write.compare != 0) {
        if read_register(function, write)? & write.compare != write.value & write.compare {
            return Ok(true);
        }
    }
    Ok(false)
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
    /// The bridge that asserted the reset was not reset itself. ASPM is switched on at the upstream end of
    /// its link first (PCI Express Base 6.0, 5.4.1.3), once the downstream end is set up; hot-plug
    /// notification comes last of all, when nothing is left that could be taken for an event.
    pub(super) fn restore(&mut self) -> StepResult<String> {
        let Some(saved) = self.saved.take() else { return Ok("nothing was saved".to_string()) };
        let result = self.restore_saved(&saved);
        self.saved = Some(saved);
        let summary = result?;
        let (writes, functions) = (summary.written.len(), summary.functions);
        let registers = if writes == 1 { "register" } else { "registers" };
        Ok(match functions {
            1 => format!("{writes} {registers} written"),
            many => format!("{writes} {registers} of {many} functions written"),
        })
    }

    /// Brings back only the port that asserted the reset.
    pub(super) fn restore_port(&mut self) -> Result<()> {
        let ResetAct::SecondaryBus { bridge, .. } = self.action.act else { return Ok(()) };
        let Some(saved) = self.saved.as_ref().and_then(|saved| saved.function(bridge)) else { return Ok(()) };
        let parts = Parts::of(saved, sequence(saved, self.options.bridge_headers));
        let summary = &mut RestoreSummary::default();
        let early = apply(self.machine, bridge, &parts.early, Raised::Keep, summary);
        let link = apply(self.machine, bridge, &parts.link, Raised::Keep, summary);
        let slot = apply(self.machine, bridge, &parts.slot, Raised::Clear, summary);
        early.and(link).and(slot)
    }

    fn restore_saved(&mut self, saved: &SavedState) -> StepResult<RestoreSummary> {
        let mut summary = RestoreSummary::default();
        let asserting = match self.action.act {
            ResetAct::SecondaryBus { bridge, .. } | ResetAct::HotReset { bridge, .. } => {
                saved.function(bridge)
            }
            _ => None,
        };
        let port = asserting
            .map(|bridge| (bridge.address, Parts::of(bridge, sequence(bridge, self.options.bridge_headers))));
        // What fails at one function must not keep the others, and the port's notification, from being
        // restored.
        let mut failure = Ok(());
        if let Some((bridge, parts)) = &port {
            failure = failure.and(apply(self.machine, *bridge, &parts.early, Raised::Keep, &mut summary));
            summary.functions += 1;
        }
        let mut links = Vec::new();
        let action = self.action;
        for planned in action.functions.iter().filter(|planned| planned.is_reset) {
            let Some(function) = saved.function(planned.address) else { continue };
            // What is below a bridge can be reached only now that the bridge is restored.
            match self.wait_ready(planned) {
                Ok(Readiness::Ready) => {}
                Ok(Readiness::Late { .. }) | Err(Stop::Outcome(..)) => {
                    self.unanswered.push(planned.address);
                    summary.absent.push(planned.address);
                    continue;
                }
                Err(Stop::Error(error)) => {
                    self.unanswered.push(planned.address);
                    failure = failure.and(Err(error));
                    continue;
                }
            }
            let mut writes = sequence(function, self.options.bridge_headers);
            if port.as_ref().is_some_and(|(bridge, _)| planned.parent == Some(*bridge)) {
                let parts = Parts::of(function, writes);
                links.push((planned.address, parts.link));
                writes = parts.early;
                writes.extend(parts.slot);
            }
            failure = failure.and(apply(self.machine, planned.address, &writes, Raised::Clear, &mut summary));
            summary.functions += 1;
        }
        if let Some((bridge, parts)) = &port {
            failure = failure.and(apply(self.machine, *bridge, &parts.link, Raised::Keep, &mut summary));
            for (address, link) in &links {
                failure = failure.and(apply(self.machine, *address, link, Raised::Clear, &mut summary));
            }
            failure = failure.and(apply(self.machine, *bridge, &parts.slot, Raised::Clear, &mut summary));
        }
        failure?;
        Ok(summary)
    }
}

/// A function's writes by when they go back around a bus reset.
struct Parts {
    early: Vec<RegisterWrite>,
    /// Link Control.
    link: Vec<RegisterWrite>,
    /// Slot Status and Slot Control.
    slot: Vec<RegisterWrite>,
}

impl Parts {
    fn of(saved: &SavedFunction, writes: Vec<RegisterWrite>) -> Self {
        let mut parts = Self { early: Vec::new(), link: Vec::new(), slot: Vec::new() };
        let express = saved.space().and_then(|space| space.pci_express());
        let at = |register: u16| express.map(|express| express.offset() + register);
        for write in writes {
            let offset = Some(write.offset);
            if offset == at(PciExpress::LINK_CONTROL) && write.compare != 0 {
                parts.link.push(write);
            } else if offset == at(PciExpress::SLOT_STATUS) || offset == at(PciExpress::SLOT_CONTROL) {
                parts.slot.push(write);
            } else {
                parts.early.push(write);
            }
        }
        parts
    }
}
