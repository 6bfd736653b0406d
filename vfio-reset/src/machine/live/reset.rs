//! A reset by the kernel: `echo 1 > reset`, in a process of its own.
//!
//! The writer sleeps in the kernel, where no signal reaches it, for up to 65 s per method, and holds
//! the locks of the device and its bridge. A thread of ours that sleeps so would keep this process
//! from ending, and with it whoever waits for us, however short the budget is. So a child writes; when
//! the budget is over it is left to itself, and belongs to init once we have ended.
//!
//! The child of a process with threads may only make async-signal-safe calls (POSIX.1-2017, fork):
//! here these are `setsid`, `close`, `write` and `_exit`.

use crate::machine::KernelReset;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Has the kernel reset what `path` belongs to, and waits for at most `budget`.
pub(super) fn run(path: &Path, budget: Duration) -> io::Result<KernelReset> {
    let file = File::options().write(true).open(path)?;
    let (mut answer, report) = pipe()?;
    // SAFETY: the child makes async-signal-safe calls alone, on descriptors that it owns a copy of, and
    // ends in `_exit`, so that no destructor or lock of this process is run or waited for twice.
    let child = unsafe { libc::fork() };
    match child {
        -1 => return Err(io::Error::last_os_error()),
        0 => write_and_exit(file.as_raw_fd(), report.as_raw_fd()),
        _ => {}
    }
    drop((file, report));
    if !is_readable(&answer, budget)? {
        return Ok(KernelReset::StillRunning);
    }
    let mut errno = [0; 4];
    let read = answer.read_exact(&mut errno);
    // SAFETY: `child` is our child and nobody else waits for it; a null status is allowed.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    match read {
        Ok(()) => Ok(match i32::from_ne_bytes(errno) {
            0 => KernelReset::Done,
            errno => KernelReset::Failed { errno },
        }),
        Err(_) => Err(io::Error::other("the process that resets ended without a word")),
    }
}

fn pipe() -> io::Result<(File, OwnedFd)> {
    let mut ends: [RawFd; 2] = [0; 2];
    // SAFETY: `ends` has room for the two descriptors that the call fills in.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both are open, and nobody else owns them.
    Ok(unsafe { (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// The child: writes `1`, tells the error number (0 for none), and is gone.
fn write_and_exit(reset: RawFd, report: RawFd) -> ! {
    // SAFETY: async-signal-safe calls alone, on numbers and on buffers that live on this stack.
    unsafe {
        // A terminal that closes shall not send signals; they would only stay pending.
        libc::setsid();
        close_all_but(reset.min(report), reset.max(report));
        let written = libc::write(reset, c"1".as_ptr().cast(), 1);
        let errno = if written == 1 { 0 } else { *libc::__errno_location() };
        let errno = errno.to_ne_bytes();
        libc::write(report, errno.as_ptr().cast(), errno.len());
        libc::_exit(0)
    }
}

/// Closes every descriptor but two: among them is the pipe that the reader of our output waits on.
///
/// # Safety
/// Nobody may use the descriptors any more: for a child that is about to end.
unsafe fn close_all_but(first: RawFd, second: RawFd) {
    /// Where kernels before 5.9 have no way to close a range, the descriptors up to this one are closed
    /// each: nobody who calls us has more.
    const HIGHEST: RawFd = 1024;
    let ranges = [(0, first - 1), (first + 1, second - 1), (second + 1, RawFd::MAX)];
    for (from, to) in ranges.into_iter().filter(|(from, to)| from <= to) {
        // SAFETY: closing is what the caller allows.
        if unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) } == 0 {
            continue;
        }
        for descriptor in from..=to.min(HIGHEST) {
            // SAFETY: as above.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// Waits for the answer; `false` when the budget is over.
fn is_readable(answer: &File, budget: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        let left = budget.saturating_sub(begin.elapsed());
        let milliseconds = i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        let mut poll = libc::pollfd { fd: answer.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one descriptor, and `poll` is that one.
        match unsafe { libc::poll(&raw mut poll, 1, milliseconds) } {
            0 if left.is_zero() => return Ok(false),
            0 => {}
            1 => return Ok(true),
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
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

    #[test]
    fn nobody_waits_longer_than_the_budget() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reset");
        // Somebody has the other end and never reads, and the pipe is full: a write to it sleeps.
        let status = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(status.success());
        let mut held = File::options().read(true).write(true).open(&path).unwrap();
        fill(&mut held);
        assert_eq!(run(&path, Duration::from_millis(50)).unwrap(), KernelReset::StillRunning);
        // Room is made: the child goes on and ends.
        held.read_exact(&mut [0; 4096]).unwrap();
    }

    /// Writes until a pipe takes no more.
    fn fill(pipe: &mut File) {
        // SAFETY: the descriptor is open; the flag changes only whether a write sleeps.
        unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        while std::io::Write::write(pipe, &[0; 4096]).is_ok() {}
    }
}
