//! A socket that is listened at, and that is gone with whoever made it.

use rustix::event::{PollFd, PollFlags};
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long nobody is accepted after that failed for a reason that may pass.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// What clients connect to.
pub(super) struct Socket {
    path: PathBuf,
    /// The device and inode that were made: another server may have put its own there since.
    made: (u64, u64),
    /// Taken when nobody is listened to any more.
    listener: Mutex<Option<Arc<UnixListener>>>,
}

impl Socket {
    /// Makes a socket; one that a process left behind when it was killed is replaced.
    pub(super) fn listen(path: &Path) -> io::Result<Self> {
        let listener = bind(path)?;
        let made = identity(&fs::symlink_metadata(path)?);
        Ok(Self { path: path.to_path_buf(), made, listener: Mutex::new(Some(Arc::new(listener))) })
    }

    /// For the thread that accepts.
    pub(super) fn listener(&self) -> io::Result<UnixListener> {
        match self.handle() {
            Some(listener) => listener.try_clone(),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits until a client is there, or until nobody is listened to any more. `accept` waits, too, but the kernel
    /// sets a descriptor aside before it does: a process would lose its last one to a socket that nobody comes to.
    pub(super) fn wait(&self) {
        let Some(listener) = self.handle() else { return };
        let mut poll = [PollFd::new(&*listener, PollFlags::IN)];
        // Whatever it says, `accept` waits then, or says what is wrong.
        let _ = rustix::io::retry_on_intr(|| rustix::event::poll(&mut poll, None));
    }

    fn handle(&self) -> Option<Arc<UnixListener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// No client is taken any more, those are turned away that wait, and whoever waits in `accept` is woken up.
    pub(super) fn close(&self) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(listener) = listener else { return };
        let _ = rustix::net::shutdown(&listener, Shutdown::Both);
        // While the listener lives, nothing else can have its inode.
        if fs::symlink_metadata(&self.path).is_ok_and(|now| identity(&now) == self.made) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether accepting may succeed a moment later: there are no descriptors or no memory left, or the client has
/// changed its mind.
pub(super) fn may_pass(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ECONNABORTED | libc::EINTR)
    )
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let busy = |reason| Err(io::Error::new(io::ErrorKind::AddrInUse, reason));
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if !fs::symlink_metadata(path)?.file_type().is_socket() {
                return busy("it is there and is no socket");
            }
            if !is_left_behind(path)? {
                return busy("another process serves from it");
            }
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a socket's path has at most 107 bytes; choose a shorter folder",
        )),
        result => result,
    }
}

/// Whether nobody listens at a socket. What cannot be found out is an error: the socket may be somebody's.
fn is_left_behind(path: &Path) -> io::Result<bool> {
    // A server whose queue is full would keep whoever waits.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(rustix::io::Errno::AGAIN) => Ok(false),
        Err(rustix::io::Errno::CONNREFUSED) => Ok(true),
        Err(error) => {
            let error = io::Error::from(error);
            let reason = format!("it is there, and whether somebody serves from it cannot be told: {error}");
            Err(io::Error::new(error.kind(), reason))
        }
    }
}
