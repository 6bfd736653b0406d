//! A reset by the kernel: `echo 1 > reset`, in a thread.

use crate::machine::KernelReset;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Has the kernel reset what `path` belongs to, and waits for at most `budget`.
///
/// The writer sleeps in the kernel, where no signal reaches it, for up to 65 s per method, and holds
/// the locks of the device and its bridge. So a thread writes. When the budget is over, the thread is
/// left to itself: it cannot be cancelled, and even the end of this process waits for it.
pub(super) fn run(path: &Path, budget: Duration) -> io::Result<KernelReset> {
    let mut file = File::options().write(true).open(path)?;
    let (sender, receiver) = channel();
    thread::Builder::new().name("kernel-reset".into()).spawn(move || {
        // Nobody may be listening any more; then nobody wants to know.
        let _ = sender.send(file.write_all(b"1"));
    })?;
    match receiver.recv_timeout(budget) {
        Ok(Ok(())) => Ok(KernelReset::Done),
        Ok(Err(e)) => match e.raw_os_error() {
            Some(errno) => Ok(KernelReset::Failed { errno }),
            None => Err(e),
        },
        Err(RecvTimeoutError::Timeout) => Ok(KernelReset::StillRunning),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the thread that resets is gone")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reset");
        std::fs::write(&path, "").unwrap();
        assert_eq!(run(&path, Duration::from_secs(10)).unwrap(), KernelReset::Done);
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
        // A device that refuses every write with an error number.
        let full = run(Path::new("/dev/full"), Duration::from_secs(10)).unwrap();
        assert_eq!(full, KernelReset::Failed { errno: libc::ENOSPC });
        assert_eq!(
            run(&folder.path().join("none"), Duration::ZERO).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
