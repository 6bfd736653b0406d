//! Secure Device (0Fh): in practice the capability block of an AMD IOMMU (AMD I/O Virtualization
//! Technology 3.08, 3.2).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// The upper half of the Capability Header, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IommuCapabilityHeader: u16 {
        /// IotlbSup: the IOMMU answers translation requests.
        const IOTLB_SUPPORT = 1 << 8;
        /// HtTunnel: HyperTransport tunnel translation.
        const HT_TUNNEL = 1 << 9;
        /// NpCache: entries that are not present are cached too.
        const NOT_PRESENT_CACHE = 1 << 10;
        /// EFRSup: the Extended Feature register exists.
        const EXTENDED_FEATURE_SUPPORT = 1 << 11;
        /// CapExt: Miscellaneous Information 1 exists.
        const CAPABILITY_EXTENSION = 1 << 12;
        const _ = !0;
    }

    /// Base Address Low, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IommuBaseAddressLow: u32 {
        /// The registers are decoded, and the capability is locked.
        const ENABLE = 1 << 0;
        const _ = !0;
    }

    /// Range, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IommuRange: u32 {
        /// RngValid: the bus and device numbers mean something.
        const RANGE_VALID = 1 << 7;
        const _ = !0;
    }

    /// Miscellaneous Information 0, offset 10h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IommuMiscellaneousInformation0: u32 {
        /// HtAtsResv: the HyperTransport address range for translation is reserved.
        const HT_ATS_RESERVED = 1 << 22;
        const _ = !0;
    }
}

impl IommuCapabilityHeader {
    /// CapType: 3 for an IOMMU.
    #[must_use]
    pub const fn capability_block_type(self) -> u8 {
        (self.bits() & 0x7) as u8
    }

    /// CapRev.
    #[must_use]
    pub const fn capability_block_revision(self) -> u8 {
        (self.bits() >> 3 & 0x1f) as u8
    }
}

impl IommuRange {
    /// UnitID, of HyperTransport.
    #[must_use]
    pub const fn unit_id(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }

    /// BusNumber: whose functions the IOMMU is for.
    #[must_use]
    pub const fn bus_number(self) -> u8 {
        (self.bits() >> 8 & 0xff) as u8
    }

    /// FirstDevice: device and function numbers of the first.
    #[must_use]
    pub const fn first_device(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// LastDevice: device and function numbers of the last.
    #[must_use]
    pub const fn last_device(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl IommuMiscellaneousInformation0 {
    /// MsiNum: which vector the event log and the completion wait use.
    #[must_use]
    pub const fn msi_message_number(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }

    /// GVAsize, in bits; `None` for a reserved code.
    #[must_use]
    pub const fn guest_virtual_address_size(self) -> Option<u8> {
        match self.bits() >> 5 & 0x7 {
            2 => Some(48),
            4 => Some(57),
            _ => None,
        }
    }

    /// PAsize, in bits.
    #[must_use]
    pub const fn physical_address_size(self) -> u8 {
        (self.bits() >> 8 & 0x7f) as u8
    }

    /// VAsize, in bits.
    #[must_use]
    pub const fn virtual_address_size(self) -> u8 {
        (self.bits() >> 15 & 0x7f) as u8
    }

    /// MsiNumPPR: which vector the peripheral page request log uses.
    #[must_use]
    pub const fn ppr_msi_message_number(self) -> u8 {
        (self.bits() >> 27) as u8
    }
}

/// The Secure Device capability, as AMD's IOMMU has it.
///
/// Whether it is one, the block type says; of any other only the header has a meaning here.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x0f, 0x00, 0x0b, 0x08, 0x01, 0x00, 0xd8, 0xfe, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x30, 0x20, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::SecureDevice(iommu) = entry.decode()? else { panic!() };
/// assert!(iommu.is_iommu());
/// assert_eq!(iommu.base_address(), 0xfed8_0000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecureDevice<'a> {
    fixed: &'a [u8; 0x14],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> SecureDevice<'a> {
    /// Offset of IOMMU Capability Header from the capability's start.
    pub const HEADER: u16 = 0x02;
    /// Offset of Base Address Low from the capability's start.
    pub const BASE_ADDRESS_LOW: u16 = 0x04;
    /// Offset of Base Address High from the capability's start.
    pub const BASE_ADDRESS_HIGH: u16 = 0x08;
    /// Offset of IOMMU Range from the capability's start.
    pub const RANGE: u16 = 0x0c;
    /// Offset of Miscellaneous Information 0 from the capability's start.
    pub const MISCELLANEOUS_INFORMATION_0: u16 = 0x10;
    /// Offset of Miscellaneous Information 1, whether it exists or not from the capability's start.
    pub const MISCELLANEOUS_INFORMATION_1: u16 = 0x14;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// IOMMU Capability Header.
    #[must_use]
    pub const fn header(self) -> IommuCapabilityHeader {
        IommuCapabilityHeader::from_bits_retain(word::<0x02, 0x14>(self.fixed))
    }

    /// Base Address Low.
    #[must_use]
    pub const fn base_address_low(self) -> IommuBaseAddressLow {
        IommuBaseAddressLow::from_bits_retain(dword::<0x04, 0x14>(self.fixed))
    }

    /// Base Address High.
    #[must_use]
    pub const fn base_address_high(self) -> u32 {
        dword::<0x08, 0x14>(self.fixed)
    }

    /// IOMMU Range.
    #[must_use]
    pub const fn range(self) -> IommuRange {
        IommuRange::from_bits_retain(dword::<0x0c, 0x14>(self.fixed))
    }

    /// Miscellaneous Information 0.
    #[must_use]
    pub const fn miscellaneous_information_0(self) -> IommuMiscellaneousInformation0 {
        IommuMiscellaneousInformation0::from_bits_retain(dword::<0x10, 0x14>(self.fixed))
    }

    /// Miscellaneous Information 1, whether it exists or not; `None` if it cannot be read.
    #[must_use]
    pub fn miscellaneous_information_1_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::MISCELLANEOUS_INFORMATION_1)
    }

    /// Whether the capability is an AMD IOMMU's: the block type is 3.
    #[must_use]
    pub const fn is_iommu(self) -> bool {
        self.header().capability_block_type() == 3
    }

    /// Where the IOMMU's registers are in memory, aligned to 16 KiB.
    #[must_use]
    pub const fn base_address(self) -> u64 {
        (self.base_address_high() as u64) << 32 | (self.base_address_low().bits() & !0x3fff) as u64
    }

    /// MsiNumGA of Miscellaneous Information 1: which vector the guest virtual APIC log uses; `None`
    /// without Capability Extension.
    #[must_use]
    pub fn ga_msi_message_number(self) -> Option<u8> {
        if !self.header().contains(IommuCapabilityHeader::CAPABILITY_EXTENSION) {
            return None;
        }
        self.miscellaneous_information_1_register().map(|information| (information & 0x1f) as u8)
    }
}
