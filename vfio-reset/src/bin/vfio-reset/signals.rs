//! Signals wait while a device is between reset and restore.
//!
//! A program that ends there leaves a device without BARs and a port with its hot-plug notification off.
//! So what would end it (an interrupt from the terminal, a lost connection, a service that is stopped) is
//! held back until the state is written back, which the budget bounds, and acts then.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// While this lives, the signals wait.
pub(crate) struct Blocked {
    before: Option<libc::sigset_t>,
}

impl Blocked {
    pub(crate) fn new() -> Self {
        let mut set = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` makes the set that the other calls read; `before` is read only where the
        // call that fills it says that it did.
        let before = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            match libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr()) {
                0 => Some(before.assume_init()),
                _ => None,
            }
        };
        Self { before }
    }

    /// Waits for one of the signals.
    #[cfg(feature = "serve")]
    pub(crate) fn wait(&self) {
        let mut set = MaybeUninit::uninit();
        let mut signal = 0;
        // SAFETY: `pthread_sigmask` with no new set fills the one that `sigwait` reads, with the signals that are
        // blocked, and both write only to what lives here.
        unsafe {
            if libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set.as_mut_ptr()) == 0 {
                libc::sigwait(set.as_ptr(), &raw mut signal);
            }
        }
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
