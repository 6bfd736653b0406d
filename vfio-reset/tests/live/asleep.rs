//! A file that whoever opens it sleeps at, as at the configuration space of a function that somebody resets.
#![allow(unsafe_code, reason = "a lease is asked for with a call that the standard library has not")]

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// Keeps a file for as long as it lives. Whoever has waited goes on then, and reads the file.
pub(crate) struct Asleep(File);

impl Asleep {
    /// Takes a lease on the file. The kernel lets nobody open it until that is given back, for 45 s at most.
    pub(crate) fn at(path: &Path) -> Self {
        let file = File::options().read(true).write(true).open(path).unwrap();
        // SAFETY: the call touches no memory. The signal tells that somebody waits, and would end this process.
        unsafe { libc::signal(libc::SIGIO, libc::SIG_IGN) };
        let end = Instant::now() + Duration::from_secs(60);
        // SAFETY: the call touches no memory.
        while unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) } == -1 {
            let error = Error::last_os_error();
            // A process that another test has just started may still have it open.
            assert!(
                error.kind() == ErrorKind::WouldBlock && Instant::now() < end,
                "{}: {error}",
                path.display()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(file)
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        // SAFETY: the call touches no memory.
        unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
    }
}
