//! What can sleep in the kernel for a minute, in a process of its own.
//!
//! A reset is such a thing, and so is opening a function through VFIO or closing it, which reset it too. The
//! caller sleeps in the kernel, where no signal reaches it, for up to 65 s per method, and holds the locks
//! of the device and its bridge. So a child does it (see `live/fork.rs`); when the budget is over it is left to itself.
//!
//! What is to be closed is closed by the child or by nobody: where none can be started, it stays open until
//! this process ends.

use super::fork;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer};
use rustix::net::{SendAncillaryMessage, SendFlags};
use std::ffi::CStr;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use vfio_bindings::bindings::vfio;

/// What a child does.
pub(super) enum Deed<'d> {
    /// Writes `1`: to sysfs's `reset`.
    Write(BorrowedFd<'d>),
    /// Opens a group's file, for which the kernel waits while a function of the group is opened or closed.
    OpenGroup(&'d CStr),
    /// Opens a function by its group (`VFIO_GROUP_GET_DEVICE_FD`).
    Open { group: BorrowedFd<'d>, function: &'d CStr },
    /// Opens a function by its own device file (`VFIO_DEVICE_BIND_IOMMUFD`).
    Bind { device: BorrowedFd<'d>, iommufd: BorrowedFd<'d> },
    /// `VFIO_DEVICE_RESET`
    Reset(BorrowedFd<'d>),
    /// `VFIO_DEVICE_PCI_HOT_RESET`; no group if the function was opened by its own device file.
    HotReset { device: BorrowedFd<'d>, groups: &'d [BorrowedFd<'d>] },
    /// `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO` with room for so many functions: the kernel answers only when nobody
    /// opens or closes another function of the set.
    HotResetInfo { device: BorrowedFd<'d>, room: usize },
    /// Closes them in this order, as the last who has them open.
    Close(Vec<OwnedFd>),
}

/// How it went.
#[derive(Debug)]
pub(super) enum Answer {
    /// The kernel says it is done; what was opened is this.
    Done(Option<OwnedFd>),
    /// The kernel failed with this error number.
    Failed(i32),
    /// The error number, 0 for none, and what the kernel has filled in ([`Deed::HotResetInfo`]).
    Told { errno: i32, words: Vec<u32> },
    /// The budget is over, and the child sleeps in the kernel.
    StillRunning,
}

/// The number of an ioctl of VFIO's: type and base, no size (`_IO`).
pub(super) const fn request(number: u32) -> libc::c_ulong {
    ((vfio::VFIO_TYPE as u32) << 8 | (vfio::VFIO_BASE + number)) as libc::c_ulong
}

const GET_DEVICE_FD: libc::c_ulong = request(6);
const DEVICE_RESET: libc::c_ulong = request(11);
const HOT_RESET_INFO: libc::c_ulong = request(12);
const PCI_HOT_RESET: libc::c_ulong = request(13);
const BIND_IOMMUFD: libc::c_ulong = request(18);

/// The descriptor of a deed that is done with none.
const NO_FILE: RawFd = -1;

/// How a group's file is opened. Without waiting: what is no device but a FIFO in a made-up tree would wait for its
/// other end. The kernel's lock does not know of that.
const OPEN: libc::c_int = libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC;

/// More groups than any bus has functions.
const MOST_GROUPS: usize = 256;

/// `struct vfio_pci_hot_reset` with room for its array.
#[repr(C)]
struct HotReset {
    argsz: u32,
    flags: u32,
    count: u32,
    group_fds: [i32; MOST_GROUPS],
}

/// Words of `struct vfio_pci_hot_reset_info` before its array: argsz, flags, count.
pub(super) const INFO_HEADER: usize = 3;
/// Words of an entry of its array: id; segment, bus and devfn.
pub(super) const INFO_ENTRY: usize = 2;

/// Does it in a child, and waits for at most `budget`.
pub(super) fn run(deed: Deed<'_>, budget: Duration) -> io::Result<Answer> {
    // Whatever fails from here on: what is to be closed is not closed by us.
    let mut deed = prepare(deed)?;
    let kept: Vec<RawFd> = deed.needs.iter().copied().chain([deed.file]).collect();
    // SAFETY: acting makes async-signal-safe calls alone, on descriptors that the child owns a copy of.
    let (child, ours) = unsafe { fork::fork(&kept, |report| act(&mut deed, report)) }?;
    let has_words = matches!(deed.call, Call::HotResetInfo(_));
    // What is to be closed by the child must not be open here any more when the child does it.
    drop(ManuallyDrop::into_inner(deed.closes));
    // A child that is gone already is found out below.
    let _ = (&ours).write(&[1]);
    if !fork::is_readable(&ours, budget)? {
        return Ok(Answer::StillRunning);
    }
    let answer = receive(&ours, has_words);
    child.reap();
    answer?.ok_or_else(|| io::Error::other("the process that resets ended without a word"))
}

/// A deed in the form in which the child needs no memory for it.
struct Prepared<'d> {
    /// What it is done with.
    file: RawFd,
    call: Call<'d>,
    /// Descriptors besides that the call needs.
    needs: Vec<RawFd>,
    /// Ours until the child has its copies; never closed here before.
    closes: ManuallyDrop<Vec<OwnedFd>>,
}

enum Call<'d> {
    Write,
    OpenGroup(&'d CStr),
    Open(&'d CStr),
    Bind(vfio::vfio_device_bind_iommufd),
    Reset,
    HotReset(Box<HotReset>),
    HotResetInfo(Vec<u32>),
    /// Closes what it needs.
    Close,
}

fn prepare(deed: Deed<'_>) -> io::Result<Prepared<'_>> {
    let nothing = || ManuallyDrop::new(Vec::new());
    let prepared = |file: BorrowedFd<'_>, call, needs| Prepared {
        file: file.as_raw_fd(),
        call,
        needs,
        closes: nothing(),
    };
    Ok(match deed {
        Deed::Write(file) => prepared(file, Call::Write, Vec::new()),
        Deed::OpenGroup(path) => {
            Prepared { file: NO_FILE, call: Call::OpenGroup(path), needs: Vec::new(), closes: nothing() }
        }
        Deed::Open { group, function } => prepared(group, Call::Open(function), Vec::new()),
        Deed::Bind { device, iommufd } => {
            let argument = vfio::vfio_device_bind_iommufd {
                argsz: size_of::<vfio::vfio_device_bind_iommufd>() as u32,
                iommufd: iommufd.as_raw_fd(),
                ..Default::default()
            };
            prepared(device, Call::Bind(argument), vec![iommufd.as_raw_fd()])
        }
        Deed::Reset(device) => prepared(device, Call::Reset, Vec::new()),
        Deed::HotReset { device, groups } => {
            let needs: Vec<RawFd> = groups.iter().map(AsRawFd::as_raw_fd).collect();
            let mut argument = Box::new(HotReset {
                argsz: 12 + 4 * needs.len() as u32,
                flags: 0,
                count: needs.len() as u32,
                group_fds: [-1; MOST_GROUPS],
            });
            match argument.group_fds.get_mut(..needs.len()) {
                Some(fds) => fds.copy_from_slice(&needs),
                None => return Err(io::Error::from_raw_os_error(libc::EINVAL)),
            }
            prepared(device, Call::HotReset(argument), needs)
        }
        Deed::HotResetInfo { device, room } => {
            let mut words = vec![0; INFO_HEADER + INFO_ENTRY * room];
            words[0] = size_of_val(words.as_slice()) as u32;
            prepared(device, Call::HotResetInfo(words), Vec::new())
        }
        Deed::Close(files) => {
            let needs = files.iter().map(AsRawFd::as_raw_fd).collect();
            Prepared { file: NO_FILE, call: Call::Close, needs, closes: ManuallyDrop::new(files) }
        }
    })
}

/// The child: acts, tells the error number (0 for none) and hands over what it has opened.
fn act(deed: &mut Prepared<'_>, report: RawFd) {
    // SAFETY: async-signal-safe calls alone, on numbers and on memory that `fork` has given us a copy of.
    // Each ioctl gets the argument that its number demands, with `argsz` not above its size.
    unsafe {
        let mut go = 0_u8;
        // Our parent has let go of what is to be closed, or is gone.
        libc::read(report, (&raw mut go).cast(), 1);
        let result = match &mut deed.call {
            Call::Write => match libc::write(deed.file, c"1".as_ptr().cast(), 1) {
                1 => 0,
                _ => -1,
            },
            Call::OpenGroup(path) => libc::open(path.as_ptr(), OPEN),
            Call::Open(function) => libc::ioctl(deed.file, GET_DEVICE_FD as _, function.as_ptr()),
            Call::Bind(argument) => {
                let mut argument = *argument;
                libc::ioctl(deed.file, BIND_IOMMUFD as _, &raw mut argument)
            }
            Call::Reset => libc::ioctl(deed.file, DEVICE_RESET as _, 0),
            Call::HotReset(argument) => libc::ioctl(deed.file, PCI_HOT_RESET as _, &raw const **argument),
            Call::HotResetInfo(words) => libc::ioctl(deed.file, HOT_RESET_INFO as _, words.as_mut_ptr()),
            Call::Close => {
                let mut result = 0;
                for &file in &deed.needs {
                    result = result.min(libc::close(file));
                }
                result
            }
        };
        let errno = if result >= 0 { 0 } else { *libc::__errno_location() };
        let opened = matches!(deed.call, Call::Open(_) | Call::OpenGroup(_)) && result >= 0;
        // A function that nobody takes is closed with this process.
        tell(BorrowedFd::borrow_raw(report), errno, opened.then(|| BorrowedFd::borrow_raw(result)));
        if let Call::HotResetInfo(words) = &deed.call {
            tell_words(BorrowedFd::borrow_raw(report), words);
        }
    }
}

/// Sends the error number, and a descriptor with it. Neither allocates nor locks: rustix makes the system
/// call itself, with buffers on this stack.
fn tell(report: BorrowedFd<'_>, errno: i32, descriptor: Option<BorrowedFd<'_>>) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let list;
    if let Some(descriptor) = descriptor {
        list = [descriptor];
        ancillary.push(SendAncillaryMessage::ScmRights(&list));
    }
    let bytes = errno.to_ne_bytes();
    let _ = rustix::net::sendmsg(report, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL);
}

/// Sends what the kernel has filled in: the header, and as much of the array as it says and there is.
fn tell_words(report: BorrowedFd<'_>, words: &[u32]) {
    let count = words.get(INFO_HEADER - 1).copied().unwrap_or(0) as usize;
    let end = count.saturating_mul(INFO_ENTRY).saturating_add(INFO_HEADER).min(words.len());
    for word in &words[..end] {
        if rustix::net::send(report, &word.to_ne_bytes(), SendFlags::NOSIGNAL).is_err() {
            return;
        }
    }
}

/// Takes what [`tell`] sent, and [`tell_words`] if it did; `None` if the child ended without a word.
fn receive(mut from: &UnixStream, has_words: bool) -> io::Result<Option<Answer>> {
    let mut bytes = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        from,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if received.bytes != bytes.len() {
        return Ok(None);
    }
    let mut descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptor = descriptors.next().and_then(|mut descriptors| descriptors.next());
    if has_words {
        let mut rest = Vec::new();
        from.read_to_end(&mut rest)?;
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_ne_bytes);
        let words = rest.chunks_exact(4).map(word).collect();
        return Ok(Some(Answer::Told { errno: i32::from_ne_bytes(bytes), words }));
    }
    Ok(Some(match i32::from_ne_bytes(bytes) {
        0 => Answer::Done(descriptor),
        errno => Answer::Failed(errno),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::path::Path;
    use std::time::Instant;

    fn write(path: &Path, budget: Duration) -> Answer {
        let file = File::options().write(true).open(path).unwrap();
        run(Deed::Write(file.as_fd()), budget).unwrap()
    }

    #[test]
    fn what_the_kernel_says_is_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reset");
        std::fs::write(&path, "").unwrap();
        assert!(matches!(write(&path, Duration::from_secs(10)), Answer::Done(None)));
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
        // A device that refuses every write with an error number.
        let full = write(Path::new("/dev/full"), Duration::from_secs(10));
        assert!(matches!(full, Answer::Failed(libc::ENOSPC)), "{full:?}");
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
        assert!(matches!(write(&path, Duration::from_millis(50)), Answer::StillRunning));
        // Room is made: the child goes on and ends.
        held.read_exact(&mut [0; 4096]).unwrap();
    }

    /// Writes until a pipe takes no more.
    fn fill(pipe: &mut File) {
        rustix::io::ioctl_fionbio(&*pipe, true).unwrap();
        while pipe.write(&[0; 4096]).is_ok() {}
    }

    #[test]
    fn a_file_that_is_not_vfios_refuses_each_request() {
        let null = File::open("/dev/null").unwrap();
        let fd = null.as_fd();
        let groups = [fd];
        for deed in [
            Deed::Open { group: fd, function: c"0000:01:00.0" },
            Deed::Bind { device: fd, iommufd: fd },
            Deed::Reset(fd),
            Deed::HotReset { device: fd, groups: &groups },
        ] {
            let answer = run(deed, Duration::from_secs(10)).unwrap();
            assert!(matches!(answer, Answer::Failed(libc::ENOTTY)), "{answer:?}");
        }
        let many = [fd; MOST_GROUPS + 1];
        assert!(run(Deed::HotReset { device: fd, groups: &many }, Duration::ZERO).is_err());
    }

    #[test]
    fn what_the_child_has_opened_is_handed_over() {
        let answer = run(Deed::OpenGroup(c"/dev/zero"), Duration::from_secs(10)).unwrap();
        let Answer::Done(Some(opened)) = answer else { panic!("{answer:?}") };
        let mut bytes = [1; 2];
        File::from(opened).read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, [0; 2]);
        let missing = run(Deed::OpenGroup(c"/dev/there/is/none"), Duration::from_secs(10)).unwrap();
        assert!(matches!(missing, Answer::Failed(libc::ENOENT)), "{missing:?}");
    }

    #[test]
    fn the_child_is_the_last_to_close() {
        let (reader, writer) = std::io::pipe().unwrap();
        let answer = run(Deed::Close(vec![writer.into()]), Duration::from_secs(10)).unwrap();
        assert!(matches!(answer, Answer::Done(None)), "{answer:?}");
        // The writing end is closed, here and there.
        let mut rest = Vec::new();
        let mut reader = reader;
        assert_eq!(reader.read_to_end(&mut rest).unwrap(), 0);
    }

    #[test]
    fn several_are_closed_by_one_child_whatever_the_budget() {
        let (mut first, one) = std::io::pipe().unwrap();
        let (mut second, two) = std::io::pipe().unwrap();
        // Nobody waits for it.
        run(Deed::Close(vec![one.into(), two.into()]), Duration::ZERO).unwrap();
        let mut rest = Vec::new();
        assert_eq!(first.read_to_end(&mut rest).unwrap() + second.read_to_end(&mut rest).unwrap(), 0);
    }

    #[test]
    fn what_cannot_be_closed_by_a_child_stays_open() {
        let (reader, writer) = std::io::pipe().unwrap();
        // As where no process can be started: prepared, and given up.
        drop(prepare(Deed::Close(vec![writer.into()])).unwrap());
        rustix::io::ioctl_fionbio(&reader, true).unwrap();
        let mut reader = reader;
        let error = reader.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "the writing end is closed");
    }

    /// The states of this process's children.
    fn zombies() -> usize {
        let me = std::process::id().to_string();
        let is_ours = |stat: &str| {
            let mut fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
            fields.next() == Some("Z") && fields.next() == Some(&me)
        };
        let entries = std::fs::read_dir("/proc").unwrap().filter_map(std::result::Result::ok);
        entries
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
            .filter(|stat| is_ours(stat))
            .count()
    }

    #[test]
    fn a_child_that_was_left_to_itself_leaves_no_zombie() {
        let (reader, writer) = std::io::pipe().unwrap();
        let answer = run(Deed::Close(vec![writer.into(), reader.into()]), Duration::ZERO).unwrap();
        assert!(matches!(answer, Answer::StillRunning | Answer::Done(None)), "{answer:?}");
        // Other tests' children are zombies for a moment, too.
        let begin = Instant::now();
        while zombies() > 0 {
            assert!(begin.elapsed() < Duration::from_secs(10), "a zombie stays");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn what_the_kernel_has_filled_in_is_told_as_far_as_it_goes() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        tell(theirs.as_fd(), libc::ENOSPC, None);
        // It says that there are 9, and there is room for one.
        tell_words(theirs.as_fd(), &[20, 0, 9, 5, 6]);
        drop(theirs);
        let Some(Answer::Told { errno, words }) = receive(&ours, true).unwrap() else { panic!("no answer") };
        assert_eq!((errno, words.as_slice()), (libc::ENOSPC, [20, 0, 9, 5, 6].as_slice()));
        // A file that is not VFIO's refuses.
        let null = File::open("/dev/null").unwrap();
        let deed = Deed::HotResetInfo { device: null.as_fd(), room: 4 };
        let answer = run(deed, Duration::from_secs(10)).unwrap();
        assert!(matches!(answer, Answer::Told { errno: libc::ENOTTY, .. }), "{answer:?}");
    }

    #[test]
    fn a_descriptor_is_handed_over_with_the_answer() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        tell(theirs.as_fd(), 0, Some(writer.as_fd()));
        drop(writer);
        let Some(Answer::Done(Some(received))) = receive(&ours, false).unwrap() else {
            panic!("no descriptor")
        };
        File::from(received).write_all(b"x").unwrap();
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }
}
