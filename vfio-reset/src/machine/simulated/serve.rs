//! Serves simulated functions over vfio-user, so that a virtual machine sees each as a PCI device.
//!
//! The models are those of the whole simulated machine, faults included; the clock is the real one. Bridges are
//! the virtual machine's own, and so is everything that they do: a Secondary Bus Reset arrives as the
//! protocol's `DEVICE_RESET`, and is a hot reset to the function. A function level reset, a change of the power
//! state and every other register is a write to configuration space, and the model sees it as on a real bus.
//!
//! - One socket a function, named after its address; one client at a time on each.
//! - **A function gets power when a client connects.** When the client goes, the function is again as the
//!   machine describes it. Until the virtual machine has switched it on for the first time (I/O Space, Memory
//!   Space or Bus Master), a `DEVICE_RESET` is part of that power-on: a function that dies of bus resets would
//!   not live to see its guest otherwise.
//! - Nothing sleeps here. A function that takes its time is one that answers all-ones until then, and the
//!   virtual machine runs on.
//! - What the function is up to can be changed while it is served, through a control socket; see
//!   [`Service::control`].
//! - Interrupts are accepted and never sent, memory is never accessed, and there are no expansion ROMs.
//!
//! Whoever can open the sockets is trusted: a client that breaks the protocol can end the service.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//! use vfio_reset::machine::simulated::Simulated;
//! use vfio_reset::machine::simulated::serve::Service;
//!
//! let machine = Arc::new(Simulated::open("sim:broken")?);
//! let service = Service::start(machine, &["01:00.0".parse()?], Path::new("/tmp/zoo"), Arc::new(|_, _, _| {}))?;
//! println!("{}", service.functions()[0].socket.display());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod control;
mod function;

use super::Simulated;
use super::model::ResetKind;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::machine::vfio::RegionIndex;
use function::Function;
use pcicfg::header::HeaderType;
use pcicfg::{Address, ConfigSpace};
use rustix::net::Shutdown;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What happens at a function that is served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// A client has begun to ask.
    Connected,
    /// The client is gone; the text says why, if it did not just leave.
    Disconnected(Option<&'e str>),
    /// The client asked for a reset before it used the function: power was switched on.
    PowerOn,
    /// The function was reset.
    Reset(ResetKind),
    /// It was read, and this is what the client got.
    Read {
        /// Where.
        region: RegionIndex,
        /// From which byte.
        offset: u64,
        /// What.
        bytes: &'e [u8],
    },
    /// It was written.
    Write {
        /// Where.
        region: RegionIndex,
        /// From which byte.
        offset: u64,
        /// What.
        bytes: &'e [u8],
    },
    /// Its behaviour was changed through the control socket.
    Changed,
}

/// Who is told of each [`Event`]: the function, and the time since the service began. It is called while the
/// virtual machine waits, so it must not.
pub type Observer = Arc<dyn Fn(Address, Duration, &Event<'_>) + Send + Sync>;

/// A function that is served, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its address in the simulated machine.
    pub address: Address,
    /// The socket that a client connects to.
    pub socket: PathBuf,
}

/// Functions that are served until this is dropped. Then no client is taken any more and the sockets are gone; a
/// client that is connected keeps its function for as long as the process lives.
pub struct Service {
    functions: Vec<Served>,
    control: PathBuf,
    listeners: Vec<UnixListener>,
    stopping: Arc<AtomicBool>,
}

/// The real time as a model is told it.
#[derive(Clone, Copy, Debug)]
struct Clock {
    begin: Instant,
}

impl Clock {
    /// When the service began. Functions got power at zero, and were ready a while after that.
    const BEGIN: Duration = Duration::from_secs(3600);

    fn now(self) -> Duration {
        Self::BEGIN.saturating_add(self.begin.elapsed())
    }
}

impl Service {
    /// Serves these functions of a machine, all that can be if none is named, from sockets in a folder, which is
    /// made if it is not there.
    ///
    /// # Errors
    /// [`Error::NotServed`] when a function is a bridge or a virtual function, or does not answer; and when there
    /// is no such function, or a socket cannot be made, because another process serves from it or its path is
    /// too long.
    pub fn start(
        machine: Arc<Simulated>,
        addresses: &[Address],
        folder: &Path,
        observer: Observer,
    ) -> Result<Self> {
        let mut chosen = if addresses.is_empty() { endpoints(&machine)? } else { addresses.to_vec() };
        chosen.sort_unstable();
        chosen.dedup();
        let clock = Clock { begin: Instant::now() };
        let mut prepared = Vec::new();
        for &address in &chosen {
            check(&machine, address)?;
            prepared.push(Function::new(machine.clone(), address, clock, observer.clone())?);
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| Error::write(folder, error))?;
        let mut this = Self {
            functions: Vec::new(),
            control: folder.join("control.sock"),
            listeners: Vec::new(),
            stopping: Arc::new(AtomicBool::new(false)),
        };
        // All sockets are there before anybody is served: what fails half-way is taken back when `this` is dropped.
        let mut threads: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for function in prepared {
            let socket = folder.join(format!("{}.sock", function.address()));
            let listener = this.listen(&socket)?;
            this.functions.push(Served { address: function.address(), socket });
            let stopping = this.stopping.clone();
            threads.push(Box::new(move || serve(listener.into(), function, &stopping)));
        }
        let listener = this.listen(&this.control.clone())?;
        let stopping = this.stopping.clone();
        threads.push(Box::new(move || {
            control::serve(&listener, &machine, &chosen, &observer, clock, &stopping)
        }));
        for thread in threads {
            thread::Builder::new()
                .name("vfio-user".to_string())
                .spawn(thread)
                .map_err(|error| Error::write(folder, error))?;
        }
        Ok(this)
    }

    /// The functions, in the order of their addresses.
    #[must_use]
    pub fn functions(&self) -> &[Served] {
        &self.functions
    }

    /// The control socket. A line `ADDRESS KEY = VALUE, ...` gives a function that behaviour, with the keys of
    /// `behaviour` in a machine's description ([`Behaviour`](super::Behaviour)); an address alone heals it. The
    /// answer is a line `ok`, or `error: ` and what is wrong.
    ///
    /// ```text
    /// $ echo '01:00.0 dies_on = ["flr"], link_dies = true' | nc -NU /tmp/zoo/control.sock
    /// ok
    /// ```
    #[must_use]
    pub fn control(&self) -> &Path {
        &self.control
    }

    fn listen(&mut self, path: &Path) -> Result<UnixListener> {
        let listener = listen(path).map_err(|error| Error::write(path, error))?;
        // The copy is what the thread is woken up by.
        self.listeners.push(listener.try_clone().map_err(|error| Error::write(path, error))?);
        Ok(listener)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        for listener in &self.listeners {
            let path = listener.local_addr().ok().and_then(|name| name.as_pathname().map(Path::to_path_buf));
            // Whoever waits in `accept` is woken up; and what is gone already need not be removed.
            let _ = rustix::net::shutdown(listener, Shutdown::Both);
            let _ = path.map(fs::remove_file);
        }
    }
}

/// The functions that can be served.
fn endpoints(machine: &Simulated) -> Result<Vec<Address>> {
    let all = machine.functions()?;
    Ok(all.into_iter().filter(|&address| check(machine, address).is_ok()).collect())
}

/// That a function can be served.
fn check(machine: &Simulated, address: Address) -> Result<()> {
    let refuse = |reason: &str| Error::NotServed { what: address.to_string(), reason: reason.to_string() };
    if machine.facts(address)?.physfn.is_some() {
        return Err(refuse("it is a virtual function, and those need their physical one"));
    }
    let image = machine.with_model(address, |model| model.registers().to_vec())?;
    if !ConfigSpace::new(&image).is_ok_and(|space| space.header().header_type() == HeaderType::Endpoint) {
        return Err(refuse("it is a bridge: the virtual machine brings its own, and serves what is below"));
    }
    Ok(())
}

/// A socket to listen at; one that a process left behind when it was killed is removed.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let is_socket = fs::symlink_metadata(path)?.file_type().is_socket();
            if !is_socket || UnixStream::connect(path).is_ok() {
                let reason = match is_socket {
                    true => "another process serves from it",
                    false => "it is there and is no socket",
                };
                return Err(io::Error::new(io::ErrorKind::AddrInUse, reason));
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

/// Serves one client after the other.
fn serve(listener: OwnedFd, mut function: Function, stopping: &AtomicBool) {
    let server = vfio_user::Server::from_owned_fd(listener, true, function.interrupts(), function.regions());
    loop {
        // The protocol's library panics on some malformed messages; a client that sends such must not take the
        // others' functions with it.
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| server.run(&mut function)));
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        match ended {
            Ok(Ok(())) => function.disconnected(None),
            Ok(Err(vfio_user::Error::SocketAccept(error))) => {
                function.disconnected(Some(&format!("no client can be taken any more: {error}")));
                return;
            }
            Ok(Err(error)) => function.disconnected(Some(&error.to_string())),
            Err(_) => function.disconnected(Some("it sent a malformed message")),
        }
    }
}
