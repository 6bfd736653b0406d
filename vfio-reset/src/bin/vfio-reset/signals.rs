//! Signals wait while a device is between reset and restore.
//!
//! A program that ends there leaves a device without BARs and a port with its hot-plug notification off.
//! So what would end it (an interrupt from the terminal, a lost connection, a service that is stopped) is
//! held back until the state is written back, which the budget bounds, and acts then.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// An interrupt from the terminal, a service that is stopped, a lost connection.
const SIGNALS: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// While this lives, the signals wait. Those that whoever started the program wants ignored (`nohup`) stay so.
pub(crate) struct Blocked {
    #[cfg(any(test, feature = "serve"))]
    blocked: libc::sigset_t,
    before: Option<libc::sigset_t>,
}

impl Blocked {
    pub(crate) fn new() -> Self {
        let mut set = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` makes the set that the other calls read; `before` is read only where the
        // call that fills it says that it did.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in SIGNALS {
                if !is_ignored(signal) {
                    libc::sigaddset(set.as_mut_ptr(), signal);
                }
            }
            let before = match libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr()) {
                0 => Some(before.assume_init()),
                _ => None,
            };
            Self {
                #[cfg(any(test, feature = "serve"))]
                blocked: set.assume_init(),
                before,
            }
        }
    }

    /// Whether one of the signals is waiting: whoever waits himself, for longer than a reset takes, stops then.
    pub(crate) fn pending(&self) -> bool {
        let mut set = MaybeUninit::uninit();
        // SAFETY: the set is read only where the call that fills it says that it did.
        unsafe {
            libc::sigpending(set.as_mut_ptr()) == 0
                && SIGNALS.iter().any(|&signal| libc::sigismember(set.as_ptr(), signal) == 1)
        }
    }

    /// Waits for one of the signals.
    #[cfg(any(test, feature = "serve"))]
    pub(crate) fn wait(&self) {
        let mut signal = 0;
        // SAFETY: the set is one that `sigemptyset` made, and the signal lives here.
        unsafe { libc::sigwait(&raw const self.blocked, &raw mut signal) };
    }
}

/// Whether a signal is ignored. Blocked, it would be kept all the same, and end who waits for it.
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call only fills the one that is read, where it says that it did.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: the mask is the one that this thread had.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_waits_and_can_be_seen_waiting() {
        let blocked = Blocked::new();
        assert!(!blocked.pending());
        // SAFETY: the signal is for this thread, which has just blocked it.
        unsafe { libc::raise(libc::SIGTERM) };
        assert!(blocked.pending());
        blocked.wait();
        assert!(!blocked.pending());
    }
}
