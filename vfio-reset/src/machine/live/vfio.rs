//! VFIO on this host: a function is opened by its group and a container, or by its own device file and
//! iommufd.
//!
//! What can take as long as a reset is done by a child (`live/child.rs`), so that the budget holds: opening,
//! closing, both resets, and the question which functions a hot reset hits, for which the kernel waits while
//! somebody opens or closes one of them. A function is never closed by this process: even one that is merely
//! dropped is handed to a child, because the last close resets it. What is left (information on the device,
//! interrupts, a function's own registers) waits for nobody but whoever resets what we hold.

use super::child::{self, Answer, Deed};
use super::mapped::Memory;
use super::region::Region;
use super::{sys, sysfs};
use crate::error::{Error, Result};
use crate::machine::KernelReset;
use crate::machine::vfio::{
    HotResetSet, MappedRegion, Opened, OpenedFunction, RegionIndex, RegionInfo, SetMember, VfioDevice,
    VfioError, VfioEvent, VfioFacts, VfioInterface, VfioOperation, VfioRequest,
};
use pcicfg::{Address, ConfigSpace};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vfio_bindings::bindings::vfio;

/// What the host offers, without opening anything.
pub(super) fn facts(root: &Path) -> VfioFacts {
    VfioFacts {
        group: sysfs::exists(&root.join("dev/vfio/vfio")),
        // The folder is there with the first function that is bound.
        cdev: sysfs::exists(&root.join("dev/iommu")) && sysfs::exists(&root.join("dev/vfio/devices")),
    }
}

/// A function that is open.
struct Open {
    address: Address,
    /// What is open, the function first, then with the cdev interface one of each further group.
    functions: Vec<OpenedFunction>,
    /// Their files; none once they were handed to whoever closes them.
    files: Vec<OwnedFd>,
    /// The files of groups that are ours, by number; none with the other interface.
    groups: BTreeMap<u32, OwnedFd>,
    /// The container or the iommufd: it lives as long as what is in it.
    container: OwnedFd,
    /// What the kernel signals, and the file it does it through.
    signals: Vec<(VfioEvent, File)>,
    /// A child was left in the kernel with a question; it has the function open, too, until it is answered.
    asking: Cell<bool>,
}

/// Opens a function.
pub(super) fn open<'m>(root: &Path, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
    let opener = Opener { root, request, begin: Instant::now() };
    let opened = match request.interface {
        VfioInterface::Group => opener.by_group()?,
        VfioInterface::Cdev => opener.by_cdev()?,
    };
    let Some(mut open) = opened else { return Ok(Opened::StillRunning) };
    open.listen();
    Ok(Opened::Open(Box::new(open)))
}

struct Opener<'o> {
    root: &'o Path,
    request: &'o VfioRequest<'o>,
    begin: Instant,
}

impl Opener<'_> {
    fn failed(&self, operation: VfioOperation, errno: i32, subject: &Path) -> Error {
        Error::Vfio(VfioError::new(self.request.address, operation, errno).about(subject.display()))
    }

    fn file(&self, operation: VfioOperation, path: &Path) -> Result<OwnedFd> {
        // Without waiting: what is no device but a FIFO in a made-up tree would wait for its other end.
        let open = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
        open.map(OwnedFd::from)
            .map_err(|e| self.failed(operation, e.raw_os_error().unwrap_or(libc::EIO), path))
    }

    fn left(&self) -> Duration {
        self.request.budget.saturating_sub(self.begin.elapsed())
    }

    fn folder(&self, address: Address) -> PathBuf {
        self.root.join(format!("sys/bus/pci/devices/{address}"))
    }

    /// The IOMMU group of a function, and its file.
    fn group_of(&self, address: Address) -> Result<(u32, PathBuf)> {
        let link = self.folder(address).join("iommu_group");
        let name = sysfs::link_name(&link).map_err(|e| Error::read(&link, e))?;
        let Some(number) = name.as_deref().and_then(|name| name.parse().ok()) else {
            // No group: nothing of VFIO's can be opened for it.
            return Err(self.failed(VfioOperation::OpenGroup, libc::ENOENT, &link));
        };
        let path = self.root.join(format!("dev/vfio/{number}"));
        let without_iommu = self.root.join(format!("dev/vfio/noiommu-{number}"));
        let use_second = !sysfs::exists(&path) && sysfs::exists(&without_iommu);
        Ok((number, if use_second { without_iommu } else { path }))
    }

    fn by_group(&self) -> Result<Option<Open>> {
        use VfioOperation as Op;
        let address = self.request.address;
        let container_path = self.root.join("dev/vfio/vfio");
        let container = self.file(Op::OpenContainer, &container_path)?;
        let version = sys::api_version(container.as_fd());
        if version.as_ref().map_or(-1, |version| *version) != vfio::VFIO_API_VERSION as i32 {
            let errno = version.err().and_then(|e| e.raw_os_error()).unwrap_or(libc::EINVAL);
            return Err(self.failed(Op::OpenContainer, errno, &container_path));
        }
        let (number, path) = self.group_of(address)?;
        let Some(group) = self.open_group(&path)? else { return Ok(None) };
        let failed = |operation, error: &io::Error| {
            self.failed(operation, error.raw_os_error().unwrap_or(libc::EIO), &path)
        };
        if !sys::is_viable(group.as_fd()).map_err(|e| failed(Op::GroupStatus, &e))? {
            return Err(self.failed(Op::GroupViable, 0, &path));
        }
        sys::set_container(group.as_fd(), container.as_fd()).map_err(|e| failed(Op::SetContainer, &e))?;
        self.set_iommu(container.as_fd()).map_err(|e| failed(Op::SetIommu, &e))?;
        let mut groups = BTreeMap::from([(number, group)]);
        for &other in self.request.also {
            let (number, path) = self.group_of(other)?;
            if let std::collections::btree_map::Entry::Vacant(entry) = groups.entry(number) {
                // That the file is open is all that the kernel asks for of the further groups.
                let Some(file) = self.open_group(&path)? else { return Ok(None) };
                entry.insert(file);
            }
        }
        let Ok(function) = CString::new(address.to_string()) else { return Ok(None) };
        let open = Open::new(address, groups, container);
        let Some(group) = open.groups.get(&number) else { return Ok(None) };
        let answer = self.run(Deed::Open { group: group.as_fd(), function: &function })?;
        let file = match answer {
            Answer::Done(Some(file)) => file,
            Answer::Done(None) | Answer::Told { .. } => {
                return Err(self.failed(Op::GetDevice, libc::EIO, &path));
            }
            Answer::Failed(errno) => return Err(self.failed(Op::GetDevice, errno, &path)),
            Answer::StillRunning => return Ok(None),
        };
        self.add(open, address, file)
    }

    /// Adds a function that was opened: from now on what fails has resets behind it.
    fn add(&self, mut open: Open, address: Address, file: OwnedFd) -> Result<Option<Open>> {
        let flags = sys::device_flags(file.as_fd());
        let can_reset = flags.as_ref().is_ok_and(|flags| flags & vfio::VFIO_DEVICE_FLAGS_RESET != 0);
        open.files.push(file);
        open.functions.push(OpenedFunction { address, can_reset });
        match flags {
            Ok(_) => Ok(Some(open)),
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                self.give_up(open, VfioError::new(address, VfioOperation::DeviceInfo, errno))
            }
        }
    }

    /// Closes what was opened before something failed, and waits for that: whoever tries again, or writes saved
    /// state back, must not do it while the kernel still resets. `None` if the budget is over.
    fn give_up(&self, mut open: Open, error: VfioError) -> Result<Option<Open>> {
        if open.files.is_empty() {
            return Err(error.into());
        }
        match open.close_all(self.left()) {
            Ok(KernelReset::StillRunning) => Ok(None),
            Ok(_) => Err(error.after_opening().into()),
            Err(Error::Vfio(error)) => Err(error.after_opening().into()),
            Err(other) => Err(other),
        }
    }

    /// Opens a group's file; `None` if the budget is over: while somebody opens or closes a function of the group,
    /// the kernel resets that, and whoever opens the group waits for it.
    fn open_group(&self, path: &Path) -> Result<Option<OwnedFd>> {
        use std::os::unix::ffi::OsStrExt;
        let Ok(name) = CString::new(path.as_os_str().as_bytes()) else {
            return Err(self.failed(VfioOperation::OpenGroup, libc::ENOENT, path));
        };
        match self.run(Deed::OpenGroup(&name))? {
            Answer::Done(Some(file)) => Ok(Some(file)),
            Answer::Done(None) | Answer::Told { .. } => {
                Err(self.failed(VfioOperation::OpenGroup, libc::EIO, path))
            }
            Answer::Failed(errno) => Err(self.failed(VfioOperation::OpenGroup, errno, path)),
            Answer::StillRunning => Ok(None),
        }
    }

    /// The IOMMU driver of the container: the second version of type 1, or none where there is no IOMMU.
    fn set_iommu(&self, container: BorrowedFd<'_>) -> io::Result<()> {
        let kinds = [vfio::VFIO_TYPE1v2_IOMMU, vfio::VFIO_TYPE1_IOMMU, vfio::VFIO_NOIOMMU_IOMMU];
        let mut failure = io::Error::from_raw_os_error(libc::ENODEV);
        for kind in kinds {
            if !sys::has_extension(container, kind)? {
                continue;
            }
            match sys::set_iommu(container, kind) {
                Ok(()) => return Ok(()),
                // The first that is there says why it cannot be.
                Err(error) if failure.raw_os_error() == Some(libc::ENODEV) => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    fn by_cdev(&self) -> Result<Option<Open>> {
        let address = self.request.address;
        let iommufd = self.file(VfioOperation::OpenIommufd, &self.root.join("dev/iommu"))?;
        // Everything that does nothing to any function comes before the first that is bound, which resets it.
        let mut files = vec![self.device_file(address)?];
        let mut groups = vec![self.group_of(address).ok().map(|(number, _)| number)];
        for &other in self.request.also {
            let group = self.group_of(other).ok().map(|(number, _)| number);
            if !groups.contains(&group) {
                groups.push(group);
                files.push(self.device_file(other)?);
            }
        }
        let mut open = Open::new(address, BTreeMap::new(), iommufd);
        for DeviceFile { address, path, file } in files {
            let deed = Deed::Bind { device: file.as_fd(), iommufd: open.container.as_fd() };
            let answer = match self.run(deed) {
                Err(Error::Vfio(error)) => {
                    // A child that ended without a word may have bound it: it is not for us to close it.
                    open.files.push(file);
                    return self.give_up(open, error);
                }
                answer => answer?,
            };
            match answer {
                Answer::Failed(errno) => {
                    let error =
                        VfioError::new(address, VfioOperation::BindIommufd, errno).about(path.display());
                    return self.give_up(open, error);
                }
                Answer::StillRunning => {
                    // Bound by now or not: it is not for us to close it.
                    open.files.push(file);
                    return Ok(None);
                }
                Answer::Done(_) | Answer::Told { .. } => match self.add(open, address, file)? {
                    Some(more) => open = more,
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(open))
    }

    /// Opens a function's own file, which does nothing to it until it is bound.
    fn device_file(&self, address: Address) -> Result<DeviceFile> {
        let failed = |errno, path: &Path| {
            Error::from(VfioError::new(address, VfioOperation::OpenCdev, errno).about(path.display()))
        };
        let folder = self.folder(address).join("vfio-dev");
        let names = sysfs::names(&folder).map_err(|e| Error::read(&folder, e))?;
        let Some(name) = names.first() else { return Err(failed(libc::ENOENT, &folder)) };
        let path = self.root.join("dev/vfio/devices").join(name);
        let open = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&path);
        match open {
            Ok(file) => Ok(DeviceFile { address, path, file: file.into() }),
            Err(error) => Err(failed(error.raw_os_error().unwrap_or(libc::EIO), &path)),
        }
    }

    fn run(&self, deed: Deed<'_>) -> Result<Answer> {
        child::run(deed, self.left()).map_err(|error| no_child(self.request.address, &error))
    }
}

/// A function's own file, not bound yet.
struct DeviceFile {
    address: Address,
    path: PathBuf,
    file: OwnedFd,
}

/// That no process could be started, or that it was killed.
fn no_child(address: Address, error: &io::Error) -> Error {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    Error::Vfio(VfioError::new(address, VfioOperation::StartChild, errno))
}

impl Open {
    fn new(address: Address, groups: BTreeMap<u32, OwnedFd>, container: OwnedFd) -> Self {
        Self {
            address,
            functions: Vec::new(),
            files: Vec::new(),
            groups,
            container,
            signals: Vec::new(),
            asking: Cell::new(false),
        }
    }

    fn device(&self) -> Result<BorrowedFd<'_>> {
        match self.files.first() {
            Some(device) => Ok(device.as_fd()),
            // Only between `close` and the end of this object.
            None => Err(self.error(VfioOperation::DeviceInfo, libc::EBADF)),
        }
    }

    fn error(&self, operation: VfioOperation, errno: i32) -> Error {
        Error::Vfio(VfioError::new(self.address, operation, errno))
    }

    fn failed(&self, operation: VfioOperation, error: &io::Error) -> Error {
        self.error(operation, error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// Has the kernel signal errors and requests to release the function. A kernel or a function that has
    /// no such interrupt just stays silent.
    fn listen(&mut self) {
        let wanted = [
            (VfioEvent::Error, vfio::VFIO_PCI_ERR_IRQ_INDEX),
            (VfioEvent::ReleaseRequested, vfio::VFIO_PCI_REQ_IRQ_INDEX),
        ];
        for (event, index) in wanted {
            let Some(device) = self.files.first() else { return };
            if !sys::vectors(device.as_fd(), index).is_ok_and(|count| count > 0) {
                continue;
            }
            let flags = rustix::event::EventfdFlags::CLOEXEC | rustix::event::EventfdFlags::NONBLOCK;
            let Ok(file) = rustix::event::eventfd(0, flags) else { continue };
            if sys::signal(device.as_fd(), index, file.as_fd()).is_ok() {
                self.signals.push((event, File::from(file)));
            }
        }
    }

    fn run(&self, deed: Deed<'_>, budget: Duration) -> Result<KernelReset> {
        let answer = child::run(deed, budget).map_err(|error| no_child(self.address, &error))?;
        Ok(match answer {
            Answer::Done(_) | Answer::Told { .. } => KernelReset::Done,
            Answer::Failed(errno) => KernelReset::Failed { errno },
            Answer::StillRunning => KernelReset::StillRunning,
        })
    }

    /// Has a child close everything, the function itself last.
    fn close_all(&mut self, budget: Duration) -> Result<KernelReset> {
        let files: Vec<OwnedFd> = self.files.drain(..).rev().collect();
        if files.is_empty() {
            return Ok(KernelReset::Done);
        }
        self.run(Deed::Close(files), budget)
    }

    fn known(&self, region: RegionIndex) -> Result<Option<Region>> {
        match sys::region(self.device()?, region.number()) {
            Ok(found) if found.size == 0 => Ok(None),
            Ok(found) => Ok(Some(found)),
            // The kernel's word for a region that is not there.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
            Err(error) => Err(self.failed(VfioOperation::RegionInfo, &error)),
        }
    }

    /// Where an access begins in the device's file.
    fn place(&self, region: RegionIndex, offset: u64, length: usize) -> Result<u64> {
        let found = self.known(region)?;
        let end = offset.checked_add(length as u64);
        match found {
            Some(found) if end.is_some_and(|end| end <= found.size) => Ok(found.offset + offset),
            _ => Err(self.access_failed(region, libc::EINVAL)),
        }
    }

    fn access_failed(&self, region: RegionIndex, errno: i32) -> Error {
        Error::Vfio(VfioError::new(self.address, VfioOperation::RegionAccess, errno).about(region))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Nobody waits for it: whoever wants to know how it went has called `close`.
        let _ = self.close_all(Duration::ZERO);
    }
}

impl VfioDevice for Open {
    fn opened(&self) -> &[OpenedFunction] {
        &self.functions
    }

    fn hot_reset_set(&self, budget: Duration) -> Result<Option<HotResetSet>> {
        /// More than most sets have; if it is not enough, the kernel says how many there are.
        const ROOM: usize = 64;
        /// Functions come while they are counted, but not for ever.
        const TRIES: usize = 8;
        /// No kernel has more functions below one bridge; what it says is not believed blindly.
        const MOST: u32 = 1 << 16;
        let begin = Instant::now();
        let mut room = ROOM;
        let mut told = Err(libc::ENOSPC);
        for _ in 0..TRIES {
            let deed = Deed::HotResetInfo { device: self.device()?, room };
            let left = budget.saturating_sub(begin.elapsed());
            let answer = child::run(deed, left).map_err(|error| no_child(self.address, &error))?;
            match answer {
                Answer::StillRunning => {
                    self.asking.set(true);
                    return Ok(None);
                }
                Answer::Told { errno: 0, words } => {
                    told = Ok(sys::HotResetInfo::parse(&words));
                    break;
                }
                Answer::Told { errno: libc::ENOSPC, words } => match words.get(2) {
                    Some(&count) if count <= MOST => room = count as usize,
                    _ => break,
                },
                Answer::Told { errno, .. } | Answer::Failed(errno) => {
                    told = Err(errno);
                    break;
                }
                Answer::Done(_) => break,
            }
        }
        let info = told.map_err(|errno| self.error(VfioOperation::HotResetInfo, errno))?;
        let by_id = info.flags & vfio::VFIO_PCI_HOT_RESET_FLAG_DEV_ID != 0;
        let member = |&(id, address): &(u32, Address)| match by_id {
            // 0: in the group of a function that is ours; all-ones: not ours; else our own id of it.
            true => SetMember { address, group: None, owned: id != u32::MAX },
            false => SetMember { address, group: Some(id), owned: self.groups.contains_key(&id) },
        };
        Ok(Some(HotResetSet { functions: info.devices.iter().map(member).collect() }))
    }

    fn reset(&mut self, budget: Duration) -> Result<KernelReset> {
        self.run(Deed::Reset(self.device()?), budget)
    }

    fn hot_reset(&mut self, budget: Duration) -> Result<KernelReset> {
        let groups: Vec<BorrowedFd<'_>> = self.groups.values().map(AsFd::as_fd).collect();
        self.run(Deed::HotReset { device: self.device()?, groups: &groups }, budget)
    }

    fn region(&self, region: RegionIndex) -> Result<Option<RegionInfo>> {
        Ok(self.known(region)?.map(|found| RegionInfo {
            size: found.size,
            readable: found.flags & vfio::VFIO_REGION_INFO_FLAG_READ != 0,
            writable: found.flags & vfio::VFIO_REGION_INFO_FLAG_WRITE != 0,
            mappable: found.flags & vfio::VFIO_REGION_INFO_FLAG_MMAP != 0,
        }))
    }

    fn read_region(&self, region: RegionIndex, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let place = self.place(region, offset, bytes.len())?;
        let device = self.device()?;
        let mut done = 0;
        while done < bytes.len() {
            match rustix::io::pread(device, &mut bytes[done..], place + done as u64) {
                // The kernel ends a read early where it cannot go on.
                Ok(0) => return Err(self.access_failed(region, libc::EIO)),
                Ok(more) => done += more,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(self.access_failed(region, error.raw_os_error())),
            }
        }
        Ok(())
    }

    fn write_region(&self, region: RegionIndex, offset: u64, bytes: &[u8]) -> Result<()> {
        let place = self.place(region, offset, bytes.len())?;
        let device = self.device()?;
        let mut done = 0;
        while done < bytes.len() {
            match rustix::io::pwrite(device, &bytes[done..], place + done as u64) {
                Ok(0) => return Err(self.access_failed(region, libc::EIO)),
                Ok(more) => done += more,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(self.access_failed(region, error.raw_os_error())),
            }
        }
        Ok(())
    }

    fn map_region(&self, region: RegionIndex) -> Result<Option<Box<dyn MappedRegion + '_>>> {
        let Some(found) = self.known(region)? else { return Ok(None) };
        let mut parts = Vec::new();
        for &(start, size) in &found.parts {
            match sys::Mapping::new(self.device()?, found.offset.saturating_add(start), 0, size) {
                Ok(mapping) => parts.push((start, mapping)),
                // The kernel's words for what cannot be mapped, whatever it said of the region.
                Err(error)
                    if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENXIO | libc::ENODEV)) => {}
                Err(error) => {
                    return Err(self.access_failed(region, error.raw_os_error().unwrap_or(libc::EIO)));
                }
            }
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let mut config = [0; ConfigSpace::CONVENTIONAL];
        self.read_region(RegionIndex::Config, 0, &mut config)?;
        // Of a virtual function VFIO shows a Memory Space bit of its own.
        let memory = Memory::new(parts, ConfigSpace::new(&config).ok(), false);
        Ok(Some(Box::new(Mapped { open: self, region, memory, size: found.size })))
    }

    fn events(&self) -> Result<Vec<VfioEvent>> {
        let mut events = Vec::new();
        for (event, file) in &self.signals {
            let mut file = file;
            // Without a signal there is nothing to be read, and the read does not wait.
            if file.read(&mut [0; 8]).is_ok() {
                events.push(*event);
            }
        }
        Ok(events)
    }

    fn close(mut self: Box<Self>, budget: Duration) -> Result<KernelReset> {
        let closed = self.close_all(budget)?;
        // Ours was not the last then: the reset that closing is comes when the child has its answer.
        Ok(if self.asking.get() { KernelReset::StillRunning } else { closed })
    }
}

/// A region, mapped, or the parts of it that may be.
struct Mapped<'o> {
    open: &'o Open,
    region: RegionIndex,
    memory: Memory,
    size: u64,
}

impl MappedRegion for Mapped<'_> {
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let length = bytes.len();
        let fits = offset.checked_add(length as u64).is_some_and(|end| end <= self.size);
        let aligned = length == 0 || offset.is_multiple_of((length as u64).next_power_of_two().min(4));
        if !fits || !aligned {
            return Err(self.open.access_failed(self.region, libc::EINVAL));
        }
        let or_all_ones =
            |region, offset, bytes: &mut [u8]| match self.open.read_region(region, offset, bytes) {
                Err(error) if error.errno() == Some(libc::EIO) => {
                    bytes.fill(0xff);
                    Ok(())
                }
                result => result,
            };
        self.memory.read(
            offset,
            bytes,
            |offset, bytes| or_all_ones(RegionIndex::Config, offset.into(), bytes),
            |offset, bytes| or_all_ones(self.region, offset, bytes),
        )
    }
}
