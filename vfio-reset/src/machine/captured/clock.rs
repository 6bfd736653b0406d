//! The clock of a machine on which nothing happens.

use crate::machine::Clock;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// Time that only passes when somebody waits, and then at once: a wait with a budget ends, and
/// nobody's real time is spent on a recording.
#[derive(Debug, Default)]
pub(super) struct Frozen(Mutex<Duration>);

impl Clock for Frozen {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, time: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(time);
    }
}
