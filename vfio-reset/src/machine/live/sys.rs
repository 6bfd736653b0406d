//! VFIO's requests that do not sleep, and memory behind a BAR: system calls and pointers, and nothing else.
//!
//! What each request is for is said by who makes it (`live/vfio.rs`); here is what the kernel demands of its
//! argument. Structures and numbers are those of `include/uapi/linux/vfio.h`.

use super::child::{INFO_ENTRY, request};
use super::region::Region;
use memmap2::{MmapOptions, MmapRaw};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use vfio_bindings::bindings::vfio;

/// Makes a request that takes a number.
fn with_number(file: BorrowedFd<'_>, number: u32, argument: libc::c_ulong) -> io::Result<i32> {
    // SAFETY: the callers below make requests whose argument is a number.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), request(number) as _, argument) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Makes a request that fills `argument`, words of which the first is how many bytes there are (`argsz`).
fn with_words(file: BorrowedFd<'_>, number: u32, argument: &mut [u32]) -> io::Result<()> {
    if let Some(size) = argument.first_mut() {
        *size = 0;
    }
    let size = size_of_val(argument) as u32;
    let Some(first) = argument.first_mut() else { return Err(io::Error::from_raw_os_error(libc::EINVAL)) };
    *first = size;
    // SAFETY: the callers below make requests whose argument begins with its size, which is how far the kernel
    // reads and writes; every such argument consists of numbers that any bits are valid for.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), request(number) as _, argument.as_mut_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `VFIO_GET_API_VERSION` of a container.
pub(super) fn api_version(container: BorrowedFd<'_>) -> io::Result<i32> {
    with_number(container, 0, 0)
}

/// `VFIO_CHECK_EXTENSION` of a container.
pub(super) fn has_extension(container: BorrowedFd<'_>, extension: u32) -> io::Result<bool> {
    with_number(container, 1, extension.into()).map(|found| found > 0)
}

/// `VFIO_SET_IOMMU` of a container.
pub(super) fn set_iommu(container: BorrowedFd<'_>, kind: u32) -> io::Result<()> {
    with_number(container, 2, kind.into()).map(drop)
}

/// `VFIO_GROUP_GET_STATUS`: whether the group is viable.
pub(super) fn is_viable(group: BorrowedFd<'_>) -> io::Result<bool> {
    let mut status = [0; 2];
    with_words(group, 3, &mut status)?;
    Ok(status[1] & vfio::VFIO_GROUP_FLAGS_VIABLE != 0)
}

/// `VFIO_GROUP_SET_CONTAINER`
pub(super) fn set_container(group: BorrowedFd<'_>, container: BorrowedFd<'_>) -> io::Result<()> {
    let descriptor = container.as_raw_fd();
    // SAFETY: the argument is a pointer to a descriptor's number, which lives across the call.
    let result = unsafe { libc::ioctl(group.as_raw_fd(), request(4) as _, &raw const descriptor) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `VFIO_DEVICE_GET_INFO`: its flags.
pub(super) fn device_flags(device: BorrowedFd<'_>) -> io::Result<u32> {
    // argsz, flags, num_regions, num_irqs
    let mut info = [0; 4];
    with_words(device, 7, &mut info)?;
    Ok(info[1])
}

/// `VFIO_DEVICE_GET_REGION_INFO`, with the capabilities that are behind the structure.
pub(super) fn region(device: BorrowedFd<'_>, index: u32) -> io::Result<Region> {
    /// More than any region says of itself; what the kernel wants is not believed blindly.
    const MOST: usize = 1 << 14;
    let ask = |length: usize| {
        let mut info = vec![0; length];
        info[2] = index;
        with_words(device, 8, &mut info).map(|()| info)
    };
    let mut info = ask(Region::WORDS)?;
    // Where there is more, the kernel has put its size into `argsz`.
    let wanted = (info[0] as usize).div_ceil(4);
    if (Region::WORDS + 1..=MOST).contains(&wanted) {
        info = ask(wanted)?;
    }
    Ok(Region::new(&info))
}

/// `VFIO_DEVICE_GET_IRQ_INFO`: how many vectors an interrupt has.
pub(super) fn vectors(device: BorrowedFd<'_>, index: u32) -> io::Result<u32> {
    // argsz, flags, index, count
    let mut info = [0; 4];
    info[2] = index;
    with_words(device, 9, &mut info)?;
    Ok(info[3])
}

/// `VFIO_DEVICE_SET_IRQS`: the interrupt's only vector signals an eventfd.
pub(super) fn signal(device: BorrowedFd<'_>, index: u32, event: BorrowedFd<'_>) -> io::Result<()> {
    // argsz, flags, index, start, count, data
    let flags = vfio::VFIO_IRQ_SET_DATA_EVENTFD | vfio::VFIO_IRQ_SET_ACTION_TRIGGER;
    let descriptor = u32::from_ne_bytes(event.as_raw_fd().to_ne_bytes());
    with_words(device, 10, &mut [0, flags, index, 0, 1, descriptor])
}

/// What `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO` says.
#[derive(Clone, Debug)]
pub(super) struct HotResetInfo {
    pub(super) flags: u32,
    /// Of each function: its group or iommufd id, and where it is.
    pub(super) devices: Vec<(u32, pcicfg::Address)>,
}

impl HotResetInfo {
    /// What the kernel has filled in ([`Answer::Told`](super::child::Answer::Told)); no more than there is, whatever
    /// it says.
    pub(super) fn parse(words: &[u32]) -> Self {
        let [_, flags, count, entries @ ..] = words else { return Self { flags: 0, devices: Vec::new() } };
        let devices = entries.chunks_exact(INFO_ENTRY).take(*count as usize).filter_map(entry).collect();
        Self { flags: *flags, devices }
    }
}

/// `struct vfio_pci_dependent_device`
fn entry(words: &[u32]) -> Option<(u32, pcicfg::Address)> {
    let [id, place] = words else { return None };
    let [low, high, bus, devfn] = place.to_ne_bytes();
    let segment = u16::from_ne_bytes([low, high]);
    Some((*id, pcicfg::Address::from_devfn(segment.into(), bus, devfn)))
}

/// Memory behind a BAR, mapped.
///
/// An access is one volatile load or store of its width, never split, joined or left out. **It can raise
/// `SIGBUS`**: when the device is unplugged, or while a VFIO device has Memory Space off or is being reset.
/// Nothing in user space can rule that out, so whoever has another way to probe takes that one, and looks right before
/// each access here (`live/mapped.rs`); a device that is there and does not answer reads all-ones and is harmless.
#[derive(Debug)]
pub(super) struct Mapping {
    memory: MmapRaw,
    /// Where in the mapping the range begins.
    start: usize,
    size: usize,
}

impl Mapping {
    /// Maps the page at `offset` of a file and those after it. The range begins `start` bytes into them, a
    /// multiple of 4, and has `size` bytes.
    pub(super) fn new(file: BorrowedFd<'_>, offset: u64, start: usize, size: u64) -> io::Result<Self> {
        let too_large = || io::Error::from_raw_os_error(libc::EOVERFLOW);
        let size = usize::try_from(size).map_err(|_| too_large())?;
        let length = start.checked_add(size).ok_or_else(too_large)?;
        if length == 0 || !start.is_multiple_of(4) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let memory = MmapOptions::new().offset(offset).len(length).map_raw(file.as_raw_fd())?;
        Ok(Self { memory, start, size })
    }

    /// How many bytes there are.
    pub(super) fn size(&self) -> u64 {
        self.size as u64
    }

    /// Where an access of so many bytes begins; `None` if it is not within the mapping, or not aligned.
    fn at(&self, offset: u64, width: usize) -> Option<*mut u8> {
        let offset = usize::try_from(offset).ok()?;
        let end = offset.checked_add(width)?;
        let fits = end <= self.size && offset.is_multiple_of(width);
        // A pointer within one allocation, which the mapping is.
        fits.then(|| self.memory.as_mut_ptr().wrapping_add(self.start + offset))
    }

    /// Reads 1, 2 or 4 bytes as one access; whether they could be.
    pub(super) fn read(&self, offset: u64, bytes: &mut [u8]) -> bool {
        let Some(at) = self.at(offset, bytes.len().max(1)) else { return false };
        // SAFETY: `at` has checked that the access is within the mapping, which lives as long as `self`, and
        // aligned: a mapping begins at a page. The memory is a device's: no reference to it exists, and it is
        // accessed as volatile only.
        unsafe {
            match bytes {
                [byte] => *byte = at.read_volatile(),
                [_, _] => bytes.copy_from_slice(&at.cast::<u16>().read_volatile().to_ne_bytes()),
                [_, _, _, _] => bytes.copy_from_slice(&at.cast::<u32>().read_volatile().to_ne_bytes()),
                _ => return false,
            }
        }
        true
    }

    /// Writes 1, 2 or 4 bytes as one access; whether they could be.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> bool {
        let Some(at) = self.at(offset, bytes.len().max(1)) else { return false };
        // SAFETY: as in `read`; and the file was opened for writing, or mapping it would have failed.
        unsafe {
            match *bytes {
                [byte] => at.write_volatile(byte),
                [a, b] => at.cast::<u16>().write_volatile(u16::from_ne_bytes([a, b])),
                [a, b, c, d] => at.cast::<u32>().write_volatile(u32::from_ne_bytes([a, b, c, d])),
                _ => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn a_mapping_is_read_and_written_within_its_bounds_in_registers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resource0");
        let content: Vec<u8> = (0..=255).cycle().take(8192).collect();
        std::fs::write(&path, content).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let mapping = Mapping::new(file.as_fd(), 4096, 0, 4096).unwrap();
        let mut bytes = [0; 4];
        assert!(mapping.read(8, &mut bytes));
        assert_eq!(bytes, [8, 9, 10, 11]);
        assert!(mapping.read(4094, &mut bytes[..2]) && mapping.read(4095, &mut bytes[..1]));
        for (offset, width) in [(4096, 1), (4094, 4), (2, 4), (1, 2), (u64::MAX, 1), (0, 0)] {
            assert!(!mapping.read(offset, &mut vec![0; width]), "{offset} {width}");
            assert!(!mapping.write(offset, &vec![0; width]), "{offset} {width}");
        }
        assert!(!mapping.read(0, &mut [0; 3]));
        assert!(mapping.write(16, &[1, 2, 3, 4]) && mapping.write(20, &[5, 6]) && mapping.write(22, &[7]));
        assert_eq!(std::fs::read(&path).unwrap()[4112..4120], [1, 2, 3, 4, 5, 6, 7, 23]);
        // A range within a page, as a small BAR is.
        let within = Mapping::new(file.as_fd(), 4096, 16, 8).unwrap();
        assert!(within.read(4, &mut bytes) && !within.read(8, &mut bytes));
        assert_eq!(bytes, [5, 6, 7, 23]);
        assert!(Mapping::new(file.as_fd(), 0, 0, 0).is_err() && Mapping::new(file.as_fd(), 0, 2, 8).is_err());
    }

    #[test]
    fn a_file_that_is_not_vfios_refuses_each_request() {
        let null = File::open("/dev/null").unwrap();
        let fd = null.as_fd();
        let errno = |error: io::Error| error.raw_os_error();
        for error in [
            api_version(fd).unwrap_err(),
            has_extension(fd, 1).unwrap_err(),
            set_iommu(fd, 1).unwrap_err(),
            is_viable(fd).unwrap_err(),
            set_container(fd, fd).unwrap_err(),
            device_flags(fd).unwrap_err(),
            region(fd, 0).unwrap_err(),
            vectors(fd, 3).unwrap_err(),
            signal(fd, 3, fd).unwrap_err(),
        ] {
            assert_eq!(errno(error), Some(libc::ENOTTY));
        }
    }

    #[test]
    fn an_entry_names_a_function() {
        let place = u32::from_ne_bytes([0x01, 0x00, 0x0f, 0x09]);
        let (id, address) = entry(&[20, place]).unwrap();
        assert_eq!((id, address.to_string().as_str()), (20, "0001:0f:01.1"));
        // One entry, of three that are announced; and not even a header.
        let info = HotResetInfo::parse(&[20, 2, 3, 20, place]);
        assert_eq!((info.flags, info.devices), (2, vec![(20, address)]));
        assert_eq!(HotResetInfo::parse(&[20, 2]).devices, []);
    }
}
