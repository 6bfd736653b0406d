//! Waiting: through the machine's clock, inside a budget, for exactly the ids that were there.

use super::{Engine, Event, StepResult, id_dword};
use crate::machine::Clock;
use crate::plan::PlannedFunction;
use pcicfg::ConfigRead;
use std::time::Duration;

/// When the budget is over.
#[derive(Clone, Copy)]
pub(super) struct Deadline<'c> {
    clock: &'c dyn Clock,
    end: Duration,
}

impl<'c> Deadline<'c> {
    pub(super) fn new(clock: &'c dyn Clock, budget: Duration) -> Self {
        Self { clock, end: clock.now().saturating_add(budget) }
    }

    pub(super) fn remaining(&self) -> Duration {
        self.end.saturating_sub(self.clock.now())
    }

    /// The time of the clock when it is over.
    pub(super) fn end(&self) -> Duration {
        self.end
    }

    /// Something has begun that must not be broken off: it gets this long from now, whatever the budget.
    pub(super) fn grant(&mut self, time: Duration) {
        self.end = self.end.max(self.clock.now().saturating_add(time));
    }

    pub(super) fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }
}

/// How a wait for a function ended.
pub(super) enum Readiness {
    /// It answers with its ids.
    Ready,
    /// The budget is over; this is what its ids read last.
    Late { id: u32 },
}

/// How long to sleep between two looks: half a millisecond at first, so that a wait is at most that
/// much longer than it had to be; a device that takes seconds is not worth a busy processor.
fn interval(waited: Duration) -> Duration {
    match waited.as_millis() {
        0..1_000 => Duration::from_micros(500),
        1_000..10_000 => Duration::from_millis(1),
        _ => Duration::from_millis(10),
    }
}

/// The time that a neighbour gets beyond what the function that is to be reset needed: what the
/// specification grants before a device counts as broken, twice.
const NEIGHBOUR_PATIENCE: Duration = Duration::from_secs(2);

impl Engine<'_, '_> {
    /// Whether a function is the one that is to be reset, or a bridge on the way to it.
    pub(super) fn is_target_or_above(&self, planned: &PlannedFunction) -> bool {
        let functions = &self.action.functions;
        let mut at = self.target();
        for _ in 0..functions.len() {
            match at {
                Some(here) if here.address == planned.address => return true,
                Some(here) => at = functions.iter().find(|above| Some(above.address) == here.parent),
                None => return false,
            }
        }
        false
    }

    /// Waits until a function answers with exactly the ids it had.
    ///
    /// Request Retry Status (vendor 0001h), all-ones and anything else are all "not yet". A virtual
    /// function shows no ids: it is ready when Command and Status do not read all-ones. A function that
    /// the kernel has removed meanwhile does not come back by waiting.
    pub(super) fn wait_ready(&mut self, planned: &PlannedFunction) -> StepResult<Readiness> {
        const REPORT_EVERY: Duration = Duration::from_secs(1);
        let clock = self.machine.clock();
        let begin = clock.now();
        let mut report_at = REPORT_EVERY;
        // Once the function that matters is back, the others get a moment, not the rest of the budget:
        // every one of them waits for its restore.
        let patience = match self.is_target_or_above(planned) {
            true => Duration::MAX,
            false => NEIGHBOUR_PATIENCE,
        };
        loop {
            let id = match self.function(planned.address).read_u32(0) {
                Err(error) if error.is_gone() => return Ok(Readiness::Late { id: u32::MAX }),
                id => id?,
            };
            let ready = if planned.is_virtual {
                match self.function(planned.address).read_u32(4) {
                    Err(error) if error.is_gone() => false,
                    command => command? != 0xffff_ffff,
                }
            } else {
                id == id_dword(planned.ids)
            };
            if ready {
                return Ok(Readiness::Ready);
            }
            let waited = clock.now().saturating_sub(begin);
            if self.deadline.is_over() || self.hopeless || waited >= patience {
                return Ok(Readiness::Late { id });
            }
            if waited >= report_at {
                (self.observer)(Event::Waiting { address: planned.address, time: waited, id });
                report_at += REPORT_EVERY;
            }
            clock.sleep(interval(waited).min(self.deadline.remaining()));
        }
    }
}
