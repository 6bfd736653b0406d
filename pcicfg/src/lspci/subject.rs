//! The function that is printed: its bytes, and what the system knows of it.

use crate::address::Address;
use crate::config_space::ConfigSpace;

/// A function to print.
///
/// ```
/// use pcicfg::{Address, lspci::Subject};
/// let address = Address::from_devfn(0, 0, 0);
/// let subject = Subject::new(address, &[0x86, 0x80, 0x37]);
/// assert_eq!(subject.u16(0), 0x8086);
/// assert_eq!(subject.u16(2), 0xffff, "half of it cannot be read");
/// assert!(subject.has(0, 3) && !subject.has(0, 4));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    address: Address,
    bytes: &'a [u8],
    system: Option<&'a System<'a>>,
    bridges: &'a [Address],
}

impl<'a> Subject<'a> {
    /// The function at `address` with the bytes that can be read of its configuration space, any
    /// number of them; what is beyond 4096 is not looked at.
    #[must_use]
    pub fn new(address: Address, bytes: &'a [u8]) -> Self {
        let bytes = bytes.get(..ConfigSpace::EXTENDED).unwrap_or(bytes);
        Self { address, bytes, system: None, bridges: &[] }
    }

    /// The same with what the running system knows of it.
    #[must_use]
    pub fn with_system(self, system: &'a System<'a>) -> Self {
        Self { system: Some(system), ..self }
    }

    /// The same with the bridges above it, the one on the root bus first, for
    /// [`Options::path`](super::Options::path); [`Paths`](super::Paths) has them.
    #[must_use]
    pub fn below(self, bridges: &'a [Address]) -> Self {
        Self { bridges, ..self }
    }

    /// The bridges above it, the one on the root bus first.
    pub(super) const fn bridges(&self) -> &'a [Address] {
        self.bridges
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The bytes that can be read.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the running system knows of it; of a dump, nothing.
    #[must_use]
    pub const fn system(&self) -> Option<&'a System<'a>> {
        self.system
    }

    /// Whether `length` bytes from `at` on can be read. This is what lspci asks before it decodes
    /// the body of a capability.
    #[inline]
    #[must_use]
    pub fn has(&self, at: usize, length: usize) -> bool {
        at.checked_add(length).is_some_and(|end| end <= self.bytes.len())
    }

    /// Whether lspci takes the function as one with a configuration space: all of the header can
    /// be read.
    #[must_use]
    pub fn has_header(&self) -> bool {
        self.has(0, 64)
    }

    /// The byte at `at`; ff if it cannot be read.
    #[inline]
    #[must_use]
    pub fn u8(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0xff)
    }

    /// The word at `at`; ffff unless all of it can be read.
    #[inline]
    #[must_use]
    pub fn u16(&self, at: usize) -> u16 {
        self.chunk(at).map_or(u16::MAX, u16::from_le_bytes)
    }

    /// The dword at `at`; all ones unless all of it can be read.
    #[inline]
    #[must_use]
    pub fn u32(&self, at: usize) -> u32 {
        self.chunk(at).map_or(u32::MAX, u32::from_le_bytes)
    }

    #[inline]
    fn chunk<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk::<N>().copied()
    }

    /// The header's layout, without the multi-function bit.
    pub(super) fn header_type(&self) -> u8 {
        self.u8(0x0e) & 0x7f
    }

    /// Base and sub-class.
    pub(super) fn class(&self) -> u16 {
        self.u16(0x0a)
    }

    pub(super) fn command(&self) -> u16 {
        self.u16(0x04)
    }

    pub(super) fn status(&self) -> u16 {
        self.u16(0x06)
    }
}

/// What a running system knows of a function beyond its configuration space: what lspci reads
/// from sysfs.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct System<'a> {
    /// The interrupt it is routed to.
    pub irq: Option<u32>,
    /// What its base address registers decode, in the order of the kernel's `resource` file: the
    /// six registers, the expansion ROM, and after six of SR-IOV a bridge's windows.
    pub resources: &'a [Resource],
    /// The number of the memory node it is near to.
    pub numa_node: Option<i32>,
    /// Its IOMMU group.
    pub iommu_group: Option<&'a str>,
    /// The slot it sits in.
    pub physical_slot: Option<&'a str>,
    /// What the firmware calls it.
    pub label: Option<&'a str>,
    /// The node in the device tree.
    pub device_tree_node: Option<&'a str>,
    /// The driver that it is bound to.
    pub driver: Option<&'a str>,
    /// The kernel's modules that could drive it.
    pub modules: &'a [&'a str],
}

/// A line of the kernel's `resource` file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// The first address.
    pub start: u64,
    /// The last address.
    pub end: u64,
    /// The kernel's `IORESOURCE_*` flags.
    pub flags: u64,
}
