//! Where a virtio device has its structures: a Vendor Specific capability of vendor 1af4 (Virtual I/O
//! Device 1.3, 4.1.4).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed};

/// What a virtio capability locates (cfg_type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VirtioStructure {
    /// Common configuration.
    Common,
    /// Notifications.
    Notify,
    /// Interrupt status.
    Isr,
    /// Configuration of the device's kind.
    Device,
    /// Access to all of it through configuration space.
    PciAccess,
    /// A region shared with the driver.
    SharedMemory,
    /// What the device's vendor wants.
    Vendor,
    /// A code without a meaning.
    Reserved(u8),
}

impl VirtioStructure {
    const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Common,
            2 => Self::Notify,
            3 => Self::Isr,
            4 => Self::Device,
            5 => Self::PciAccess,
            8 => Self::SharedMemory,
            9 => Self::Vendor,
            other => Self::Reserved(other),
        }
    }
}

/// A virtio capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x00..0x04].copy_from_slice(&[0xf4, 0x1a, 0x41, 0x10]); // virtio network device
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x09, 0x00, 0x14, 0x02, 0x04, 0x00, 0x00, 0x00, 0x00, 0x30, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00,
///     0x04, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::VendorSpecific(vendor) = entry.decode()? else { panic!() };
/// let notify = vendor.virtio().unwrap();
/// assert_eq!((notify.structure_offset(), notify.notify_off_multiplier()), (0x3000, Some(4)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Virtio<'a> {
    fixed: &'a [u8; 0x10],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> Virtio<'a> {
    /// Offset of cfg_type from the capability's start.
    pub const CFG_TYPE: u16 = 0x03;
    /// Offset of bar from the capability's start.
    pub const BAR: u16 = 0x04;
    /// Offset of id from the capability's start.
    pub const ID: u16 = 0x05;
    /// Offset of offset from the capability's start.
    pub const OFFSET: u16 = 0x08;
    /// Offset of length from the capability's start.
    pub const LENGTH: u16 = 0x0c;
    /// Offset of The dword behind the common part from the capability's start.
    pub const EXTRA: u16 = 0x10;
    /// Offset of length_hi of a shared memory region from the capability's start.
    pub const LENGTH_HI: u16 = 0x14;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// cfg_type.
    #[must_use]
    pub const fn structure(self) -> VirtioStructure {
        {
            let x = self.fixed[0x03];
            VirtioStructure::from_code(x)
        }
    }

    /// bar: which Base Address Register, 0 to 5; other values are reserved.
    #[must_use]
    pub const fn bar(self) -> u8 {
        self.fixed[0x04]
    }

    /// id: tells structures of one kind apart.
    #[must_use]
    pub const fn id(self) -> u8 {
        self.fixed[0x05]
    }

    /// offset: where the structure begins in what the register decodes.
    #[must_use]
    pub const fn structure_offset_low(self) -> u32 {
        dword::<0x08, 0x10>(self.fixed)
    }

    /// length: of the structure in bytes.
    #[must_use]
    pub const fn structure_length_low(self) -> u32 {
        dword::<0x0c, 0x10>(self.fixed)
    }

    /// The dword behind the common part; `None` if it cannot be read.
    #[must_use]
    pub fn extra(self) -> Option<u32> {
        dword_at(self.bytes, Self::EXTRA)
    }

    /// length_hi of a shared memory region; `None` if it cannot be read.
    #[must_use]
    pub fn structure_length_high(self) -> Option<u32> {
        dword_at(self.bytes, Self::LENGTH_HI)
    }

    /// Where the structure begins in what the register decodes; of a shared memory region all 64 bits.
    #[must_use]
    pub fn structure_offset(self) -> u64 {
        u64::from(self.structure_offset_low()) | self.high(self.extra())
    }

    /// The structure's length in bytes; of a shared memory region all 64 bits.
    #[must_use]
    pub fn structure_length(self) -> u64 {
        u64::from(self.structure_length_low()) | self.high(self.structure_length_high())
    }

    /// notify_off_multiplier, of a notification structure.
    #[must_use]
    pub fn notify_off_multiplier(self) -> Option<u32> {
        (self.structure() == VirtioStructure::Notify).then(|| self.extra()).flatten()
    }

    /// pci_cfg_data, of the access through configuration space: the window to the structure.
    #[must_use]
    pub fn pci_cfg_data(self) -> Option<u32> {
        (self.structure() == VirtioStructure::PciAccess).then(|| self.extra()).flatten()
    }

    fn high(self, dword: Option<u32>) -> u64 {
        match self.structure() {
            VirtioStructure::SharedMemory => u64::from(dword.unwrap_or(0)) << 32,
            _ => 0,
        }
    }
}
