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

    fn identity(&self) -> Option<Identity> {
        self.system.and_then(|system| system.identity)
    }

    /// Vendor ID.
    pub(super) fn vendor_id(&self) -> u16 {
        self.identity().map_or_else(|| self.u16(0x00), |identity| identity.vendor_id)
    }

    /// Device ID.
    pub(super) fn device_id(&self) -> u16 {
        self.identity().map_or_else(|| self.u16(0x02), |identity| identity.device_id)
    }

    /// Base and sub-class.
    pub(super) fn class(&self) -> u16 {
        self.identity().map_or_else(|| self.u16(0x0a), |identity| identity.class)
    }

    /// Programming Interface.
    pub(super) fn interface(&self) -> u8 {
        self.identity().map_or_else(|| self.u8(0x09), |identity| identity.interface)
    }

    /// Revision ID.
    pub(super) fn revision(&self) -> u8 {
        self.identity().and_then(|identity| identity.revision).unwrap_or_else(|| self.u8(0x08))
    }

    /// Vendor and device of the subsystem as the system knows them.
    pub(super) fn subsystem_of_system(&self) -> Option<(u16, u16)> {
        self.identity()?.subsystem
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
    /// Ids and class, where the kernel has them from elsewhere than the configuration space, or corrected them.
    pub identity: Option<Identity>,
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
    /// What the firmware calls it. The kernel's text ends in a line end, and lspci adds none.
    pub label: Option<&'a str>,
    /// The node in the device tree.
    pub device_tree_node: Option<&'a str>,
    /// The driver that it is bound to.
    pub driver: Option<&'a str>,
    /// The kernel's modules that could drive it.
    pub modules: &'a [&'a str],
    /// Its Vital Product Data, as much as could be read.
    pub vital_product_data: Option<&'a [u8]>,
    /// The link of a CXL 1.1 device, which its configuration space does not show.
    pub restricted_link: Option<RestrictedLink>,
    /// The function that the kernel found it behind.
    pub parent: Option<Address>,
}

/// What the kernel takes a function for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Vendor ID.
    pub vendor_id: u16,
    /// Device ID.
    pub device_id: u16,
    /// Base and sub-class.
    pub class: u16,
    /// Programming Interface.
    pub interface: u8,
    /// Revision ID; `None` if only the configuration space has it.
    pub revision: Option<u8>,
    /// Subsystem Vendor ID and Subsystem ID; `None` if only the configuration space has them.
    pub subsystem: Option<(u16, u16)>,
}

/// The link registers of a restricted CXL device (CXL 3.1, 8.2.1.2), which stand in the root complex.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestrictedLink {
    /// Link Capabilities; zero if there are none.
    pub capabilities: u32,
    /// Link Control.
    pub control: u16,
    /// Link Status.
    pub status: u16,
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
