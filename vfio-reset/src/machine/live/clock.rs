//! The host's monotonic clock.

use crate::machine::Clock;
use std::time::{Duration, Instant};

/// `CLOCK_MONOTONIC`, counted from when the machine was opened.
///
/// A sleep ends at most the kernel's timer slack (50 µs) and a scheduling delay late; the standard
/// library sleeps with `clock_nanosleep` and goes on after signals.
#[derive(Clone, Copy, Debug)]
pub(super) struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_never_short() {
        let clock = MonotonicClock::new();
        let before = clock.now();
        clock.sleep(Duration::from_millis(3));
        assert!(clock.now() - before >= Duration::from_millis(3));
    }
}
