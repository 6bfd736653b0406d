//! A file that whoever opens it sleeps at, as at the configuration space of a function that somebody resets.
#![allow(unsafe_code, reason = "a lease is asked for with a call that the standard library has not")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Keeps a file for as long as it lives. Whoever has waited goes on then, and reads the file.
pub(crate) struct Asleep(File);

impl Asleep {
    /// Takes a lease on the file. The kernel lets nobody open it until that is given back, for 45 s at most.
    pub(crate) fn at(path: &Path) -> Self {
        let file = File::options().read(true).write(true).open(path).unwrap();
        // SAFETY: neither call touches memory. The signal tells that somebody waits, and would end this process.
        let leased = unsafe {
            libc::signal(libc::SIGIO, libc::SIG_IGN);
            libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK)
        };
        assert_eq!(leased, 0, "{}: {}", path.display(), std::io::Error::last_os_error());
        Self(file)
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        // SAFETY: the call touches no memory.
        unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
    }
}
