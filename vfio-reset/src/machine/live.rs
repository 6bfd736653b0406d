//! This Linux host, through sysfs, procfs and the kernel log.
//!
//! Nothing is kept from one call to the next but the hot-plug slots' names, the place in the kernel
//! log, and the open `config` files of the functions that are being worked on: hosts change under our
//! hands.
//!
//! | what | file |
//! |---|---|
//! | configuration space | `live/config.rs` |
//! | that of many functions, without sleeping at one that somebody resets | `live/sweep.rs` |
//! | facts, the folder they are in, the names of slots | `live/facts.rs`, `live/open_folder.rs`, `live/slots.rs` |
//! | what lspci reads, for its text | `live/folder.rs` |
//! | who would notice: disks, interfaces, virtual machines | `live/users.rs` and below |
//! | what can sleep in the kernel for a minute, in a process of its own | `live/child.rs`, `live/fork.rs` |
//! | VFIO: opening by group and by device file, resets, regions | `live/vfio.rs` |
//! | what is behind the BARs | `live/bars.rs` |
//! | requests to VFIO, mapped memory | `live/sys.rs` |
//! | the kernel log | `live/kmsg.rs` |

mod bars;
#[allow(unsafe_code)]
mod child;
mod clock;
mod config;
mod facts;
mod folder;
#[allow(unsafe_code)]
mod fork;
mod host;
mod kmsg;
mod mapped;
mod open_folder;
mod region;
mod slots;
#[allow(unsafe_code)]
mod sweep;
#[allow(unsafe_code)]
mod sys;
mod sysfs;
mod users;
mod vfio;

use super::vfio::{Opened, VfioRequest};
use super::{
    Attribute, Clock, Detail, DeviceUser, FunctionFacts, FunctionRead, HostFacts, KernelReset, LogLine,
    LogMark, Machine, MachineKind, Reading,
};
use crate::error::{Error, Result};
use child::{Answer, Deed};
use clock::MonotonicClock;
use facts::Wanted;
pub use folder::{PciFacts, PciFolder};
use open_folder::{Devices, Failed, Folder};
use pcicfg::Address;
use slots::Slots;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sweep::Swept;

/// This Linux host.
///
/// ```no_run
/// use vfio_reset::Machine;
/// use vfio_reset::machine::live::Live;
///
/// let host = Live::new();
/// for address in host.functions()? {
///     println!("{address} {:?}", host.facts(address)?.driver);
/// }
/// # Ok::<(), vfio_reset::Error>(())
/// ```
#[derive(Debug)]
pub struct Live {
    root: PathBuf,
    clock: MonotonicClock,
    log: kmsg::Tail,
    slots: Mutex<Option<Arc<Slots>>>,
    open: config::OpenFiles,
    bars: bars::OpenBars,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// The host that this process runs on.
    #[must_use]
    pub fn new() -> Self {
        Self::with_root("/")
    }

    /// A host whose `sys`, `proc` and `dev` are below `root`: a container's view, or a tree made for a test.
    #[must_use]
    pub fn with_root(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let log = kmsg::Tail::new(root.join("dev/kmsg"));
        Self {
            root,
            clock: MonotonicClock::new(),
            log,
            slots: Mutex::new(None),
            open: config::OpenFiles::default(),
            bars: bars::OpenBars::default(),
        }
    }

    fn devices(&self) -> PathBuf {
        self.root.join("sys/bus/pci/devices")
    }

    fn folder(&self, address: Address) -> PathBuf {
        self.devices().join(address.to_string())
    }

    /// The error for a file of the function that could not be used: when the function itself is not
    /// there, that is what the user must hear.
    fn explain(&self, address: Address, path: PathBuf, source: io::Error, written: bool) -> Error {
        // ENODEV: the function went away between opening the file and using it.
        let gone = source.kind() == io::ErrorKind::NotFound || source.raw_os_error() == Some(libc::ENODEV);
        if gone && !sysfs::exists(&self.folder(address)) {
            return Error::NoSuchFunction { address, machine: self.name() };
        }
        if written { Error::write(path, source) } else { Error::read(path, source) }
    }

    fn not_read(&self, address: Address, (path, source): Failed) -> Error {
        self.explain(address, path, source, false)
    }

    fn facts_in(&self, address: Address, folder: &Folder<'_>, wanted: Wanted) -> Result<FunctionFacts> {
        let mut facts = facts::read(folder, wanted).map_err(|failed| self.not_read(address, failed))?;
        facts.slot = self.slots(false).of(address).map(str::to_owned);
        Ok(facts)
    }

    /// What was read of configuration space, with what else is known.
    fn with_facts(
        &self,
        devices: &Devices,
        address: Address,
        swept: Swept,
        detail: Detail,
    ) -> Result<FunctionRead> {
        let not_read = |failed| self.not_read(address, failed);
        let folder = devices.folder(address).map_err(not_read)?;
        let config = match swept {
            Swept::Bytes(bytes) => Reading::Bytes(bytes),
            Swept::Failed(error) => return Err(not_read((folder.path().join("config"), error))),
            Swept::Asleep => Reading::BeingReset(facts::known_as(&folder).map_err(not_read)?),
        };
        let wanted = match (detail, &config) {
            (Detail::Listing, _) => Wanted::LISTING,
            (Detail::All, Reading::Bytes(config)) => Wanted::by(config),
            (Detail::All, Reading::BeingReset(_)) => Wanted::EVERYTHING,
        };
        let facts = self.facts_in(address, &folder, wanted)?;
        Ok(FunctionRead { address, config, facts })
    }

    fn must_exist(&self, address: Address) -> Result<()> {
        match sysfs::exists(&self.folder(address)) {
            true => Ok(()),
            false => Err(Error::NoSuchFunction { address, machine: self.name() }),
        }
    }

    fn access(&self, address: Address, bar: u8, offset: u64) -> bars::Access<'_> {
        bars::Access { root: &self.root, config: &self.open, address, bar, offset }
    }

    /// The slots as they were when functions were last listed: reading them costs three system calls
    /// a slot, too much for every function.
    fn slots(&self, refresh: bool) -> Arc<Slots> {
        let mut cached = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some(slots) if !refresh => slots.clone(),
            _ => cached.insert(Arc::new(Slots::read(&self.root))).clone(),
        }
    }
}

impl Machine for Live {
    fn kind(&self) -> MachineKind {
        MachineKind::Live
    }

    fn name(&self) -> String {
        match self.root == Path::new("/") {
            true => "live".into(),
            false => format!("live:{}", self.root.display()),
        }
    }

    fn host(&self) -> Result<HostFacts> {
        host::read(&self.root)
    }

    fn functions(&self) -> Result<Vec<Address>> {
        self.slots(true);
        self.open.clear();
        self.bars.clear();
        let path = self.devices();
        let entries = std::fs::read_dir(&path).map_err(|e| Error::read(&path, e))?;
        let mut addresses = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| Error::read(&path, e))?;
            addresses.extend(entry.file_name().to_str().and_then(sysfs::address));
        }
        addresses.sort_unstable();
        Ok(addresses)
    }

    fn facts(&self, address: Address) -> Result<FunctionFacts> {
        let not_read = |failed| self.not_read(address, failed);
        let devices = Devices::open(self.devices()).map_err(not_read)?;
        self.facts_in(address, &devices.folder(address).map_err(not_read)?, Wanted::EVERYTHING)
    }

    fn read_functions(
        &self,
        addresses: &[Address],
        detail: Detail,
        patience: Duration,
    ) -> Result<Vec<FunctionRead>> {
        let devices = Devices::open(self.devices()).map_err(|(path, error)| Error::read(path, error))?;
        // No address has a NUL in it.
        let path = |address: &Address| CString::new(format!("{address}/config")).unwrap_or_default();
        let paths: Vec<CString> = addresses.iter().map(path).collect();
        let swept = sweep::read(devices.as_fd(), &paths, detail, patience);
        let swept = swept.map_err(|error| Error::read(self.devices(), error))?;
        let mut read = Vec::with_capacity(addresses.len());
        for (&address, swept) in addresses.iter().zip(swept) {
            match self.with_facts(&devices, address, swept, detail) {
                Ok(function) => read.push(function),
                Err(Error::NoSuchFunction { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn users(&self, address: Address) -> Result<Vec<DeviceUser>> {
        self.must_exist(address)?;
        users::read(&self.root, address)
    }

    fn config(&self, address: Address) -> Result<Vec<u8>> {
        let path = self.folder(address).join("config");
        let bytes = File::open(&path).and_then(|file| config::read_all(&file));
        bytes.map_err(|source| self.not_read(address, (path, source)))
    }

    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()> {
        let path = self.folder(address).join("config");
        let read = self.open.read(&path, offset, bytes);
        if read.map_err(|e| self.explain(address, path, e, false))? {
            return Ok(());
        }
        let size = self.config(address)?.len();
        Err(Error::ConfigOutOfReach { address, offset, length: bytes.len(), size })
    }

    fn write_config(&self, address: Address, offset: u16, bytes: &[u8]) -> Result<()> {
        let path = self.folder(address).join("config");
        match self.open.write(&path, offset, bytes) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let size = self.config(address)?.len();
                Err(Error::ConfigOutOfReach { address, offset, length: bytes.len(), size })
            }
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                match host::locked_down(&self.root) {
                    Some(lockdown) => Err(Error::LockedDown { path, lockdown, source }),
                    None => Err(Error::write(path, source)),
                }
            }
            Err(source) => Err(self.explain(address, path, source, true)),
        }
    }

    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.must_exist(address)?;
        self.bars.read(self.access(address, bar, offset), bytes)
    }

    fn write_bar(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()> {
        self.must_exist(address)?;
        self.bars.write(self.access(address, bar, offset), bytes)
    }

    fn attribute(&self, address: Address, attribute: Attribute) -> Result<Option<String>> {
        let path = self.folder(address).join(attribute.path());
        match sysfs::read(&path) {
            Ok(Some(text)) => Ok(Some(text)),
            Ok(None) => self.must_exist(address).map(|()| None),
            Err(e) => Err(self.explain(address, path, e, false)),
        }
    }

    fn set_attribute(&self, address: Address, attribute: Attribute, value: &str) -> Result<()> {
        let path = self.folder(address).join(attribute.path());
        // With the line end, because a write of no bytes at all never reaches the kernel's code: an
        // empty `reset_method` or `driver_override` would silently stay what it was.
        if matches!(attribute, Attribute::Remove | Attribute::Rescan) {
            // An open file would keep the removed function's kernel object alive.
            self.open.clear();
            self.bars.clear();
        }
        let line = format!("{value}\n");
        let write = || File::options().write(true).open(&path)?.write_all(line.as_bytes());
        write().map_err(|e| self.explain(address, path.clone(), e, true))
    }

    fn is_readable(&self, address: Address, budget: Duration) -> Result<bool> {
        self.must_exist(address)?;
        let read = self.read_functions(&[address], Detail::Listing, budget)?;
        let found = read.first().ok_or_else(|| Error::NoSuchFunction { address, machine: self.name() })?;
        Ok(matches!(found.config, Reading::Bytes(_)))
    }

    fn kernel_reset(&self, address: Address, budget: Duration) -> Result<KernelReset> {
        let path = self.folder(address).join("reset");
        let reset = || {
            let file = File::options().write(true).open(&path)?;
            child::run(Deed::Write(file.as_fd()), budget)
        };
        Ok(match reset().map_err(|e| self.explain(address, path.clone(), e, true))? {
            Answer::Done(_) | Answer::Told { .. } => KernelReset::Done,
            Answer::Failed(errno) => KernelReset::Failed { errno },
            Answer::StillRunning => KernelReset::StillRunning,
        })
    }

    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
        self.must_exist(request.address)?;
        // What was opened for the sake of a register would be in the way.
        self.bars.clear();
        vfio::open(&self.root, request)
    }

    fn kernel_log_mark(&self) -> LogMark {
        self.log.mark()
    }

    fn kernel_log(&self, mark: LogMark) -> Result<Vec<LogLine>> {
        self.log.since(mark)
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }
}
