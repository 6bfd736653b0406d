//! Signals wait while something is switched on that must not stay so.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// An interrupt from the terminal, a service that is stopped, a lost connection.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// While this lives, these signals wait; then they end the program as if they came now. Those that whoever started the
/// program wants ignored (`nohup`) stay so. There can be one in the life of a program: afterwards nothing is held.
pub(super) struct Held {
    /// The last one that came; 0 for none.
    came: Arc<AtomicUsize>,
    /// Nothing is held any more.
    released: Arc<AtomicBool>,
}

impl Held {
    pub(super) fn new() -> io::Result<Self> {
        let this = Self { came: Arc::default(), released: Arc::default() };
        let ignored = ignored();
        for signal in SIGNALS.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0) {
            flag::register_usize(signal, this.came.clone(), signal as usize)?;
            // A handler stays for as long as the program lives.
            flag::register_conditional_default(signal, this.released.clone())?;
        }
        Ok(this)
    }

    /// Whether the program ends with this.
    pub(super) fn has_come(&self) -> bool {
        self.came.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.released.store(true, Ordering::SeqCst);
        let signal = self.came.load(Ordering::SeqCst);
        if signal != 0 {
            // It does not come back from that; if it did, the program would end all the same.
            let _ = low_level::emulate_default_handler(signal as i32);
        }
    }
}

/// The signals that this process ignores, a bit each, from 1 on. None where the system does not say.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
