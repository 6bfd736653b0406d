//! What a reset by a vendor sequence would write.
//!
//! The sequence is taken against its family's models, each of which goes another way, with the configuration
//! space of the device itself: offsets of capabilities and the values that are kept are the device's. What its
//! registers behind the Base Address Registers hold, only a reset asks.

use super::device::WORKING_COMMAND;
use super::devices::Devices;
use super::family::{Family, Rehearsal};
use super::model::{Model, ModelHost};
use super::run::{Verdict, run};
use super::trace::{Direction, Entry, Event};
use crate::error::Result;
use crate::inventory::{Inventory, InventoryFunction};
use crate::plan::{Action, PlannedFunction};
use pcicfg::ConfigSpace;
use pcicfg::capability::{PowerManagement, PowerState};
use pcicfg::header::Command;
use std::path::Path;
use std::time::Duration;

/// The device that would be reset.
#[derive(Clone, Copy, Debug)]
pub struct Target<'i> {
    /// Configuration space, as far as it can be read.
    pub config: &'i [u8],
    /// Vendor and device id.
    pub ids: (u16, u16),
    /// Whether it is a virtual function.
    pub is_virtual: bool,
}

impl<'i> Target<'i> {
    /// A function of a machine.
    #[must_use]
    pub fn of(function: InventoryFunction<'i>) -> Self {
        let (config, ids) = (function.space().bytes(), function.ids());
        Self { config, ids, is_virtual: function.is_virtual() }
    }

    /// Whether capabilities can be seen: without `CAP_SYS_ADMIN` the kernel shows 64 bytes.
    #[must_use]
    pub fn has_capabilities(&self) -> bool {
        self.config.len() >= ConfigSpace::CONVENTIONAL
    }
}

/// One of the ways that a sequence can go.
#[derive(Clone, Debug)]
pub struct Way {
    /// What is so if it goes this way.
    pub title: &'static str,
    /// How it ends.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub text: String,
    /// What is written, in order.
    pub writes: Vec<PlannedWrite>,
}

/// Something that would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedWrite {
    /// In which step of the reset; `undo` is what follows a failure.
    pub step: String,
    /// What: in words, or as a line of a trace.
    pub text: String,
    /// It is an access: one of those that the writes in words consist of, index registers included, or one that
    /// a read needs.
    pub is_access: bool,
}

impl PlannedWrite {
    fn new(step: &str, text: String, is_access: bool) -> Self {
        Self { step: step.to_string(), text, is_access }
    }
}

/// What a reset would write, for each way that there is a model of.
///
/// # Errors
/// When a model cannot be used.
pub fn ways(family: &'static Family, action: &Action, inventory: &Inventory) -> Result<Vec<Way>> {
    let target = Target::of(inventory.function(action.address)?);
    let functions = || action.functions.iter().filter(|planned| planned.is_reset);
    let way = |rehearsal: &Rehearsal| {
        let mut way = of_sequence(family, rehearsal, &target)?;
        let mut writes = Vec::new();
        for planned in functions().rev() {
            before(action, planned, inventory.function(planned.address)?.space(), &mut writes);
        }
        writes.append(&mut way.writes);
        for planned in functions() {
            after(planned, inventory.function(planned.address)?.space(), &mut writes);
        }
        Ok(Way { writes, ..way })
    };
    family.rehearsals.iter().map(way).collect()
}

/// What is written to a function before the sequence: it is woken and stopped.
fn before(
    action: &Action,
    planned: &PlannedFunction,
    space: ConfigSpace<'_>,
    writes: &mut Vec<PlannedWrite>,
) {
    let address = planned.address;
    let mut say = |text| writes.push(PlannedWrite::new("quiesce", text, false));
    if let Some((offset, state)) = asleep(space) {
        say(format!("{address}: PMCSR (config {offset:#x}) from {state:?} to D0"));
    }
    let command = match address == action.address {
        true => WORKING_COMMAND,
        false => Command::INTERRUPT_DISABLE,
    };
    say(format!("{address}: Command (config 0x4) = {:#x}", command.bits()));
}

/// What is written to a function after the sequence, however it ends.
fn after(planned: &PlannedFunction, space: ConfigSpace<'_>, writes: &mut Vec<PlannedWrite>) {
    let address = planned.address;
    let mut say = |text| writes.push(PlannedWrite::new("restore", text, false));
    let command = space.header().command().bits();
    say(format!(
        "{address}: what reads otherwise than before gets its saved value, last Command (config 0x4) = {command:#x}"
    ));
    if let Some((offset, state)) = asleep(space) {
        say(format!("{address}: PMCSR (config {offset:#x}) from D0 to {state:?}"));
    }
}

fn asleep(space: ConfigSpace<'_>) -> Option<(u16, PowerState)> {
    let pm = space.power_management()?;
    let state = pm.control_status().power_state();
    (state != PowerState::D0).then(|| (pm.offset() + PowerManagement::CONTROL_STATUS, state))
}

fn of_sequence(family: &'static Family, rehearsal: &Rehearsal, target: &Target<'_>) -> Result<Way> {
    /// More than any sequence takes on a model.
    const BUDGET: Duration = Duration::from_secs(300);
    let model = Model::shipped(rehearsal.model)?;
    let mut devices = Devices::default();
    devices.treat(target.ids, family, Path::new(rehearsal.model));
    let host = ModelHost::in_place_of(&model, rehearsal.model.to_string(), target);
    let run = run(&host, &devices, BUDGET)?;
    let mut step = String::new();
    let mut writes = Vec::new();
    for entry in run.trace.entries() {
        let events = match entry {
            Entry::Step(next) => {
                step = next.to_string();
                continue;
            }
            Entry::Call(what) => {
                step.clone_from(what);
                continue;
            }
            Entry::Operation { operation, .. } => {
                if operation.is_write() {
                    writes.push(PlannedWrite::new(&step, operation.to_string(), false));
                }
                continue;
            }
            Entry::Event(event) => std::slice::from_ref(event),
            Entry::Repeated { events, .. } => events.as_slice(),
        };
        for event in events.iter().filter(|event| is_write(event)) {
            let write = PlannedWrite::new(&step, event.to_string(), true);
            // Looks at a register that differ in what they find are alike in how they get there.
            if matches!(entry, Entry::Event(_)) || writes.last() != Some(&write) {
                writes.push(write);
            }
        }
    }
    Ok(Way { title: rehearsal.title, verdict: run.verdict, text: run.text, writes })
}

fn is_write(event: &Event) -> bool {
    let (Event::Bar { direction, .. } | Event::Config { direction, .. }) = event else { return false };
    *direction == Direction::Write
}
