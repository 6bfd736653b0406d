//! Single Root I/O Virtualization (0010h): the virtual functions of a physical one (PCI Express Base
//! 6.0, 9.3.3).

use crate::bar::Bars;
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// SR-IOV Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SrIovCapabilities: u32 {
        /// Virtual functions can migrate (deprecated).
        const VF_MIGRATION_CAPABLE = 1 << 0;
        /// First VF Offset and VF Stride do not depend on ARI Capable Hierarchy.
        const ARI_CAPABLE_HIERARCHY_PRESERVED = 1 << 1;
        /// Virtual functions can generate 10-bit tags.
        const VF_TAG_10_BIT_REQUESTER_SUPPORTED = 1 << 2;
        /// Virtual functions can generate 14-bit tags.
        const VF_TAG_14_BIT_REQUESTER_SUPPORTED = 1 << 3;
        const _ = !0;
    }

    /// SR-IOV Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SrIovControl: u16 {
        /// The virtual functions exist.
        const VF_ENABLE = 1 << 0;
        /// Virtual functions may migrate (deprecated).
        const VF_MIGRATION_ENABLE = 1 << 1;
        /// Migration interrupts (deprecated).
        const VF_MIGRATION_INTERRUPT_ENABLE = 1 << 2;
        /// The virtual functions answer memory accesses.
        const VF_MEMORY_SPACE_ENABLE = 1 << 3;
        /// Virtual functions may have function numbers above 7; only in the lowest physical function.
        const ARI_CAPABLE_HIERARCHY = 1 << 4;
        /// Virtual functions use 10-bit tags.
        const VF_TAG_10_BIT_REQUESTER_ENABLE = 1 << 5;
        /// Virtual functions use 14-bit tags.
        const VF_TAG_14_BIT_REQUESTER_ENABLE = 1 << 6;
        const _ = !0;
    }

    /// SR-IOV Status, offset 0Ah.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SrIovStatus: u16 {
        /// A virtual function migrates in or out (deprecated); write 1 to clear.
        const VF_MIGRATION_STATUS = 1 << 0;
        const _ = !0;
    }
}

impl SrIovCapabilities {
    /// Which MSI or MSI-X vector carries migration interrupts (deprecated).
    #[must_use]
    pub const fn vf_migration_interrupt_message_number(self) -> u16 {
        (self.bits() >> 21) as u16
    }
}

/// The SR-IOV capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x10, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x40, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x02, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::SrIov(sr_iov) = entry.decode()? else { panic!() };
/// assert_eq!((sr_iov.total_vfs(), sr_iov.first_vf_offset()), (64, 0x80));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SrIov<'a> {
    bytes: &'a [u8; 0x40],
    offset: u16,
}

impl<'a> SrIov<'a> {
    /// Offset of SR-IOV Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of SR-IOV Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of SR-IOV Status from the capability's start.
    pub const STATUS: u16 = 0x0a;
    /// Offset of InitialVFs from the capability's start.
    pub const INITIAL_VFS: u16 = 0x0c;
    /// Offset of TotalVFs from the capability's start.
    pub const TOTAL_VFS: u16 = 0x0e;
    /// Offset of NumVFs from the capability's start.
    pub const NUM_VFS: u16 = 0x10;
    /// Offset of Function Dependency Link from the capability's start.
    pub const FUNCTION_DEPENDENCY_LINK: u16 = 0x12;
    /// Offset of First VF Offset from the capability's start.
    pub const FIRST_VF_OFFSET: u16 = 0x14;
    /// Offset of VF Stride from the capability's start.
    pub const VF_STRIDE: u16 = 0x16;
    /// Offset of VF Device ID from the capability's start.
    pub const VF_DEVICE_ID: u16 = 0x1a;
    /// Offset of Supported Page Sizes from the capability's start.
    pub const SUPPORTED_PAGE_SIZES: u16 = 0x1c;
    /// Offset of System Page Size from the capability's start.
    pub const SYSTEM_PAGE_SIZE: u16 = 0x20;
    /// Offset of VF BAR0 from the capability's start; five more follow.
    pub const VF_BAR0: u16 = 0x24;
    /// Offset of VF Migration State Array Offset from the capability's start.
    pub const VF_MIGRATION_STATE_ARRAY_OFFSET: u16 = 0x3c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// SR-IOV Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> SrIovCapabilities {
        SrIovCapabilities::from_bits_retain(dword::<0x04, 0x40>(self.bytes))
    }

    /// SR-IOV Control.
    #[must_use]
    pub const fn control(self) -> SrIovControl {
        SrIovControl::from_bits_retain(word::<0x08, 0x40>(self.bytes))
    }

    /// SR-IOV Status.
    #[must_use]
    pub const fn status(self) -> SrIovStatus {
        SrIovStatus::from_bits_retain(word::<0x0a, 0x40>(self.bytes))
    }

    /// How many virtual functions there are at first.
    #[must_use]
    pub const fn initial_vfs(self) -> u16 {
        word::<0x0c, 0x40>(self.bytes)
    }

    /// How many virtual functions there can be.
    #[must_use]
    pub const fn total_vfs(self) -> u16 {
        word::<0x0e, 0x40>(self.bytes)
    }

    /// How many virtual functions exist, or shall.
    #[must_use]
    pub const fn num_vfs(self) -> u16 {
        word::<0x10, 0x40>(self.bytes)
    }

    /// Function Dependency Link: the function that this one depends on; its own number for none.
    #[must_use]
    pub const fn function_dependency_link(self) -> u8 {
        self.bytes[0x12]
    }

    /// The distance of the first virtual function's routing id from the physical one's.
    #[must_use]
    pub const fn first_vf_offset(self) -> u16 {
        word::<0x14, 0x40>(self.bytes)
    }

    /// The distance from one virtual function's routing id to the next.
    #[must_use]
    pub const fn vf_stride(self) -> u16 {
        word::<0x16, 0x40>(self.bytes)
    }

    /// The routing id (bus, device, function) of the virtual function `index`, counted from 0, of the
    /// physical function at `physical`. Additions wrap, as the specification says.
    #[must_use]
    pub const fn vf_routing_id(self, physical: u16, index: u16) -> u16 {
        physical.wrapping_add(self.first_vf_offset()).wrapping_add(self.vf_stride().wrapping_mul(index))
    }

    /// The Device ID of the virtual functions; they read it as all-ones.
    #[must_use]
    pub const fn vf_device_id(self) -> u16 {
        word::<0x1a, 0x40>(self.bytes)
    }

    /// Supported Page Sizes: bit n stands for pages of 2^(n + 12) bytes.
    #[must_use]
    pub const fn supported_page_sizes(self) -> u32 {
        dword::<0x1c, 0x40>(self.bytes)
    }

    /// System Page Size: one bit, of the same meaning.
    #[must_use]
    pub const fn system_page_size(self) -> u32 {
        dword::<0x20, 0x40>(self.bytes)
    }

    /// The system's page size in bytes; `None` unless exactly one bit is set.
    #[must_use]
    pub const fn system_page_bytes(self) -> Option<u64> {
        let bits = self.system_page_size();
        if bits.is_power_of_two() { Some((bits as u64) << 12) } else { None }
    }

    /// The VF BARs: where the first virtual function's memory is; the others' follow it.
    #[must_use]
    pub fn vf_bars(self) -> Bars<'a> {
        Bars::new(&self.bytes[0x24..0x3c])
    }

    /// VF Migration State Array Offset: the BAR in bits 2 to 0, the offset in the rest (deprecated).
    #[must_use]
    pub const fn vf_migration_state_array_offset(self) -> u32 {
        dword::<0x3c, 0x40>(self.bytes)
    }
}
