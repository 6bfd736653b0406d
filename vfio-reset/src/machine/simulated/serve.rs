//! Serves simulated functions over vfio-user, so that a virtual machine sees each as a PCI device.
//!
//! The models are those of the whole simulated machine, faults included; the clock is the real one. Bridges are
//! the virtual machine's own, and so is everything that they do: a Secondary Bus Reset arrives as the
//! protocol's `DEVICE_RESET`, and is a hot reset to the function. A function level reset, a change of the power
//! state and every other register is a write to configuration space, and the model sees it as on a real bus.
//!
//! - One socket a function, named after its address; one client at a time on each, and the next one waits.
//! - **A function gets power when a client connects.** When the client goes, the function is again as the
//!   machine describes it. Until the virtual machine has switched it on for the first time (I/O Space, Memory
//!   Space or Bus Master), a `DEVICE_RESET` is part of that power-on: a function that dies of bus resets would
//!   not live to see its guest otherwise.
//! - Nothing sleeps here. A function that takes its time is one that answers all-ones until then, and the
//!   virtual machine runs on.
//! - What the function is up to can be changed while it is served, through a control socket; see
//!   [`Service::control`]. What its link, its slot or the kernel would do has no effect: see
//!   [`Service::without_effect`].
//! - An access of more than 1 MiB is an error, as the protocol's `max_data_xfer_size` announces.
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

mod behaviour;
mod client;
mod control;
mod function;
mod socket;

use super::Simulated;
use super::model::ResetKind;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::machine::vfio::RegionIndex;
use function::Function;
use pcicfg::header::HeaderType;
use pcicfg::{Address, ConfigSpace};
use socket::Socket;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
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
    /// A client cannot be taken at the moment; the text says why. It is tried again until it succeeds.
    Waiting(&'e str),
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
    without_effect: Vec<(Address, String)>,
    sockets: Vec<Arc<Socket>>,
    stopping: Arc<AtomicBool>,
}

/// The name of the threads that serve, for who installs a panic hook: what panics in them is told by
/// [`Event::Disconnected`].
pub const THREAD: &str = "vfio-user";

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
    /// Serves these functions of a machine, from sockets in a folder, which is made if it is not there. If none is
    /// named, all that a virtual machine does not bring itself: no bridges, host and ISA bridges included.
    ///
    /// # Errors
    /// [`Error::NotServed`] when a function is a bridge or a virtual function, or does not answer; and when there
    /// is no such function, or a socket cannot be made, because another process serves from it or its path is
    /// too long. Nothing is left behind then.
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
        let mut without_effect = Vec::new();
        for &address in &chosen {
            check(&machine, address)?;
            let behaviour = machine.behaviour(address).unwrap_or_default();
            without_effect
                .extend(behaviour::without_effect(&behaviour).into_iter().map(|why| (address, why)));
            prepared.push(Function::new(machine.clone(), address, clock, observer.clone())?);
        }
        let made = make_folder(folder)?;
        let mut this = Self {
            functions: Vec::new(),
            control: folder.join("control.sock"),
            without_effect,
            sockets: Vec::new(),
            stopping: Arc::new(AtomicBool::new(false)),
        };
        let started = this.serve(machine, prepared, chosen, folder, &observer, clock);
        match started {
            Ok(()) => Ok(this),
            Err(error) => {
                drop(this);
                // Only what is empty goes.
                let _ = made.iter().try_for_each(fs::remove_dir);
                Err(error)
            }
        }
    }

    fn serve(
        &mut self,
        machine: Arc<Simulated>,
        prepared: Vec<Function>,
        chosen: Vec<Address>,
        folder: &Path,
        observer: &Observer,
        clock: Clock,
    ) -> Result<()> {
        type Task = Box<dyn FnOnce() + Send>;
        // All sockets are there before anybody is served: what fails half-way is taken back when `self` is dropped.
        let mut threads: Vec<(&str, Task)> = Vec::new();
        for function in prepared {
            let path = folder.join(format!("{}.sock", function.address()));
            let (socket, listener) = self.listen(&path)?;
            self.functions.push(Served { address: function.address(), socket: path });
            let stopping = self.stopping.clone();
            threads.push((THREAD, Box::new(move || client::serve(&socket, listener, function, &stopping))));
        }
        let (socket, listener) = self.listen(&self.control.clone())?;
        let (observer, stopping) = (observer.clone(), self.stopping.clone());
        // Nobody tells of a panic in this one but the panic itself.
        threads.push((
            "control",
            Box::new(move || {
                control::serve(&socket, &listener, &machine, &chosen, &observer, clock, &stopping)
            }),
        ));
        for (name, thread) in threads {
            thread::Builder::new()
                .name(name.to_string())
                .spawn(thread)
                .map_err(|error| Error::write(folder, error))?;
        }
        Ok(())
    }

    /// The functions, in the order of their addresses.
    #[must_use]
    pub fn functions(&self) -> &[Served] {
        &self.functions
    }

    /// The control socket. A line `ADDRESS KEY = VALUE, ...` gives a function that behaviour, with the keys of
    /// `behaviour` in a machine's description ([`Behaviour`](super::Behaviour)); an address alone heals it. The
    /// answer is a line `ok`, or `error: ` and what is wrong; the latter, too, for what only a bridge or a kernel
    /// could do. The behaviour ends with the function's client: for the next one the function is as described.
    ///
    /// ```text
    /// $ echo '01:00.0 dies_on = ["flr"], not_ready = "all_ones"' | nc -NU /tmp/zoo/control.sock
    /// ok
    /// ```
    #[must_use]
    pub fn control(&self) -> &Path {
        &self.control
    }

    /// What of the functions' behaviour has no effect while they are served, and why: links, slots and the kernel
    /// are the virtual machine's own.
    #[must_use]
    pub fn without_effect(&self) -> &[(Address, String)] {
        &self.without_effect
    }

    fn listen(&mut self, path: &Path) -> Result<(Arc<Socket>, UnixListener)> {
        let write = |error| Error::write(path, error);
        let socket = Arc::new(Socket::listen(path).map_err(write)?);
        self.sockets.push(socket.clone());
        let listener = socket.listener().map_err(write)?;
        Ok((socket, listener))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.sockets.iter().for_each(|socket| socket.close());
    }
}

/// Makes a folder with those above it; gives those that were not there, the deepest first.
fn make_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing = folder.ancestors().take_while(is_missing).map(Path::to_path_buf).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Error::write(folder, error))?;
    Ok(missing)
}

/// The functions that can be served, without host and ISA bridges: those have an endpoint's header.
fn endpoints(machine: &Simulated) -> Result<Vec<Address>> {
    const BASE_CLASS: usize = 0x0b;
    const BRIDGE: u8 = 0x06;
    let is_bridge = |address| {
        machine
            .with_model(address, |model| model.registers().get(BASE_CLASS) == Some(&BRIDGE))
            .unwrap_or(true)
    };
    let all = machine.functions()?;
    Ok(all.into_iter().filter(|&address| check(machine, address).is_ok() && !is_bridge(address)).collect())
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
