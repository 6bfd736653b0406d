//! A process of our own for what may sleep in the kernel, where no signal reaches it.
//!
//! A thread that sleeps so would keep this process from ending, and with it whoever waits for us, however short the
//! budget is. A child that does is left to itself: a thread of ours waits for its end, so that no zombie stays, and it
//! belongs to init once we have ended. Whatever it has open is closed then. (Where we are init, in a container, the kernel
//! keeps our end for it.)
//!
//! The child of a process with threads may only make async-signal-safe calls (POSIX.1-2017, fork). Those made here are
//! `close`, `setsid` and `_exit`.

use rustix::event::{PollFd, PollFlags, Timespec};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A child that was started. Whoever drops it leaves it to itself.
pub(super) struct Child(Option<libc::pid_t>);

impl Child {
    /// Waits until it has ended.
    pub(super) fn reap(mut self) {
        if let Some(child) = self.0.take() {
            wait(child);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            let reaper = std::thread::Builder::new().name("vfio-reset-child".to_owned());
            // Without a thread it stays a zombie until this process ends, which is all.
            let _ = reaper.spawn(move || wait(child));
        }
    }
}

fn wait(child: libc::pid_t) {
    // SAFETY: it is our child and nobody else waits for it; a null status is allowed.
    while unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

/// Starts a child that acts and is gone. It gets one end of a stream, we the other; of all else that is open it keeps
/// what is named.
///
/// # Safety
/// Acting makes async-signal-safe calls alone: it takes no lock, asks for no memory and does not panic.
pub(super) unsafe fn fork(kept: &[RawFd], act: impl FnOnce(RawFd)) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    // SAFETY: the child ends in `_exit`, so that no destructor or lock of this process is run or waited for twice. The
    // descriptors that it closes are its own copies, and nobody in it uses them.
    unsafe {
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                let report = theirs.as_raw_fd();
                // The other end among them, or the end of our parent would never be seen.
                close_all_but(kept, report);
                // A terminal that closes shall not send signals; they would only stay pending.
                libc::setsid();
                act(report);
                libc::_exit(0)
            }
            child => Ok((Child(Some(child)), ours)),
        }
    }
}

/// Waits until a child says something or is gone; `false` when the time is over.
pub(super) fn is_readable(answer: &UnixStream, time: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        let left = time.saturating_sub(begin.elapsed());
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let mut poll = [PollFd::from_borrowed_fd(answer.as_fd(), PollFlags::IN)];
        match rustix::event::poll(&mut poll, Some(&timeout)) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Closes every descriptor that is not needed: among them is the pipe that the reader of our output waits on.
///
/// # Safety
/// Nobody may use the descriptors any more: for a child that is about to end.
unsafe fn close_all_but(needed: &[RawFd], report: RawFd) {
    let mut from = 0;
    loop {
        // The next descriptor that is kept; without memory, so the few there are are looked through each time.
        let kept = needed.iter().copied().chain([report]);
        let next = kept.filter(|&descriptor| descriptor >= from).min();
        let end = next.unwrap_or(RawFd::MAX);
        if end > from {
            // SAFETY: closing is what the caller allows.
            unsafe { close_range(from, if next.is_some() { end - 1 } else { end }) };
        }
        if next.is_none() {
            return;
        }
        from = end + 1;
    }
}

/// Closes the descriptors of a range, both ends included.
///
/// # Safety
/// As [`close_all_but`].
unsafe fn close_range(from: RawFd, to: RawFd) {
    /// Where kernels before 5.9 have no way to close a range, the descriptors up to this one are closed
    /// each: nobody who calls us has more.
    const HIGHEST: RawFd = 1024;
    // SAFETY: closing is what the caller allows.
    if unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) } == 0 {
        return;
    }
    for descriptor in from..=to.min(HIGHEST) {
        // SAFETY: as above.
        unsafe { libc::close(descriptor) };
    }
}
