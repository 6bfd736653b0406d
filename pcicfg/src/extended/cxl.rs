//! Compute Express Link: the Designated Vendor-Specific capabilities of vendor 1e98 (Compute Express
//! Link 3.1, 8.1).

use super::cxl_registers::{
    CxlCapability, CxlCapability2, CxlCapability3, CxlControl, CxlControl2, CxlFlexBusCapability,
    CxlFlexBusControl, CxlFlexBusStatus, CxlGpfTime, CxlPortStatus, CxlRangeSizeLow, CxlStatus, CxlStatus2,
};
use super::vendor_specific::{CxlPortControl, DesignatedVendorSpecific};
use crate::capability::registers::{dword_at, word_at};
use crate::config_space::{Truncated, dword, fixed, word};

/// A CXL capability, by its DVSEC ID.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x23, 0x00, 0x01, 0x00, 0x98, 0x1e, 0x00, 0x01, 0x05, 0x00, 0x07, 0x02, 0xb8, 0x0b, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DesignatedVendorSpecific(vendor) = entry.decode()? else { panic!() };
/// let Some(pcicfg::extended::Cxl::DeviceGpf(gpf)) = vendor.cxl() else { panic!() };
/// assert_eq!(gpf.phase_2_power_milliwatts(), 3_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Cxl<'a> {
    /// 0: a device.
    Device(CxlDevice<'a>),
    /// 2: which functions have nothing to do with CXL.
    NonCxlFunctionMap(CxlNonCxlFunctionMap<'a>),
    /// 3: a port.
    PortExtensions(CxlPortExtensions<'a>),
    /// 4: Global Persistent Flush of a port.
    PortGpf(CxlPortGpf<'a>),
    /// 5: Global Persistent Flush of a device.
    DeviceGpf(CxlDeviceGpf<'a>),
    /// 7: what the link negotiated.
    FlexBusPort(CxlFlexBusPort<'a>),
    /// 8: where the registers in memory are.
    RegisterLocator(CxlRegisterLocator<'a>),
    /// 9: a device of several logical ones.
    MultiLogicalDevice(CxlMultiLogicalDevice<'a>),
}

impl<'a> DesignatedVendorSpecific<'a> {
    /// The registers, if it is a CXL capability that is known here, and if they can be read.
    #[must_use]
    pub fn cxl(self) -> Option<Cxl<'a>> {
        if self.dvsec_vendor_id() != 0x1e98 {
            return None;
        }
        let (bytes, offset) = (self.bytes(), self.offset());
        Some(match self.dvsec_id() {
            0 => Cxl::Device(CxlDevice::new(bytes, offset).ok()?),
            2 => Cxl::NonCxlFunctionMap(CxlNonCxlFunctionMap::new(bytes, offset).ok()?),
            3 => Cxl::PortExtensions(CxlPortExtensions::new(bytes, offset).ok()?),
            4 => Cxl::PortGpf(CxlPortGpf::new(bytes, offset).ok()?),
            5 => Cxl::DeviceGpf(CxlDeviceGpf::new(bytes, offset).ok()?),
            7 => Cxl::FlexBusPort(CxlFlexBusPort::new(bytes, offset).ok()?),
            8 => Cxl::RegisterLocator(CxlRegisterLocator::new(bytes, offset).ok()?),
            9 => Cxl::MultiLogicalDevice(CxlMultiLogicalDevice::new(bytes, offset).ok()?),
            _ => return None,
        })
    }
}

/// A range of a device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CxlRange {
    /// What it is.
    pub info: CxlRangeSizeLow,
    /// Memory_Size, in bytes, a multiple of 256 MiB.
    pub size: u64,
    /// Memory_Base, where the host sees it.
    pub base: u64,
}

/// PCIe DVSEC for CXL Devices (8.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlDevice<'a> {
    fixed: &'a [u8; 0x38],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> CxlDevice<'a> {
    /// Offset of CXL Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x0a;
    /// Offset of CXL Control from the capability's start.
    pub const CONTROL: u16 = 0x0c;
    /// Offset of CXL Status from the capability's start.
    pub const STATUS: u16 = 0x0e;
    /// Offset of CXL Control 2 from the capability's start.
    pub const CONTROL_2: u16 = 0x10;
    /// Offset of CXL Status 2 from the capability's start.
    pub const STATUS_2: u16 = 0x12;
    /// Offset of CXL Lock from the capability's start.
    pub const LOCK: u16 = 0x14;
    /// Offset of CXL Capability 2 from the capability's start.
    pub const CAPABILITY_2: u16 = 0x16;
    /// Offset of CXL Range 1 Size High from the capability's start.
    pub const RANGE_1_SIZE_HIGH: u16 = 0x18;
    /// Offset of CXL Range 1 Size Low from the capability's start.
    pub const RANGE_1_SIZE_LOW: u16 = 0x1c;
    /// Offset of CXL Range 1 Base High from the capability's start.
    pub const RANGE_1_BASE_HIGH: u16 = 0x20;
    /// Offset of CXL Range 1 Base Low from the capability's start.
    pub const RANGE_1_BASE_LOW: u16 = 0x24;
    /// Offset of CXL Range 2 Size High from the capability's start.
    pub const RANGE_2_SIZE_HIGH: u16 = 0x28;
    /// Offset of CXL Range 2 Size Low from the capability's start.
    pub const RANGE_2_SIZE_LOW: u16 = 0x2c;
    /// Offset of CXL Range 2 Base High from the capability's start.
    pub const RANGE_2_BASE_HIGH: u16 = 0x30;
    /// Offset of CXL Range 2 Base Low from the capability's start.
    pub const RANGE_2_BASE_LOW: u16 = 0x34;
    /// Offset of CXL Capability 3, whether it exists or not from the capability's start.
    pub const CAPABILITY_3: u16 = 0x38;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// CXL Capability.
    #[must_use]
    pub const fn capability(self) -> CxlCapability {
        CxlCapability::from_bits_retain(word::<0x0a, 0x38>(self.fixed))
    }

    /// CXL Control.
    #[must_use]
    pub const fn control(self) -> CxlControl {
        CxlControl::from_bits_retain(word::<0x0c, 0x38>(self.fixed))
    }

    /// CXL Status.
    #[must_use]
    pub const fn status(self) -> CxlStatus {
        CxlStatus::from_bits_retain(word::<0x0e, 0x38>(self.fixed))
    }

    /// CXL Control 2.
    #[must_use]
    pub const fn control_2(self) -> CxlControl2 {
        CxlControl2::from_bits_retain(word::<0x10, 0x38>(self.fixed))
    }

    /// CXL Status 2.
    #[must_use]
    pub const fn status_2(self) -> CxlStatus2 {
        CxlStatus2::from_bits_retain(word::<0x12, 0x38>(self.fixed))
    }

    /// CXL Lock: bit 0: the configuration is locked.
    #[must_use]
    pub const fn lock(self) -> u16 {
        word::<0x14, 0x38>(self.fixed)
    }

    /// CXL Capability 2.
    #[must_use]
    pub const fn capability_2(self) -> CxlCapability2 {
        CxlCapability2::from_bits_retain(word::<0x16, 0x38>(self.fixed))
    }

    /// CXL Range 1 Size High.
    #[must_use]
    pub const fn range_1_size_high(self) -> u32 {
        dword::<0x18, 0x38>(self.fixed)
    }

    /// CXL Range 1 Size Low.
    #[must_use]
    pub const fn range_1_size_low(self) -> CxlRangeSizeLow {
        CxlRangeSizeLow::from_bits_retain(dword::<0x1c, 0x38>(self.fixed))
    }

    /// CXL Range 1 Base High.
    #[must_use]
    pub const fn range_1_base_high(self) -> u32 {
        dword::<0x20, 0x38>(self.fixed)
    }

    /// CXL Range 1 Base Low.
    #[must_use]
    pub const fn range_1_base_low(self) -> u32 {
        dword::<0x24, 0x38>(self.fixed)
    }

    /// CXL Range 2 Size High.
    #[must_use]
    pub const fn range_2_size_high(self) -> u32 {
        dword::<0x28, 0x38>(self.fixed)
    }

    /// CXL Range 2 Size Low.
    #[must_use]
    pub const fn range_2_size_low(self) -> CxlRangeSizeLow {
        CxlRangeSizeLow::from_bits_retain(dword::<0x2c, 0x38>(self.fixed))
    }

    /// CXL Range 2 Base High.
    #[must_use]
    pub const fn range_2_base_high(self) -> u32 {
        dword::<0x30, 0x38>(self.fixed)
    }

    /// CXL Range 2 Base Low.
    #[must_use]
    pub const fn range_2_base_low(self) -> u32 {
        dword::<0x34, 0x38>(self.fixed)
    }

    /// CXL Capability 3, whether it exists or not; `None` if it cannot be read.
    #[must_use]
    pub fn capability_3_register(self) -> Option<u16> {
        word_at(self.bytes, Self::CAPABILITY_3)
    }

    /// The two ranges; how many of them exist, HDM_Count says.
    #[must_use]
    pub const fn ranges(self) -> [CxlRange; 2] {
        const fn range(size: (u32, CxlRangeSizeLow), base: (u32, u32)) -> CxlRange {
            CxlRange {
                info: size.1,
                size: (size.0 as u64) << 32 | (size.1.bits() & 0xf000_0000) as u64,
                base: (base.0 as u64) << 32 | (base.1 & 0xf000_0000) as u64,
            }
        }
        [
            range(
                (self.range_1_size_high(), self.range_1_size_low()),
                (self.range_1_base_high(), self.range_1_base_low()),
            ),
            range(
                (self.range_2_size_high(), self.range_2_size_low()),
                (self.range_2_base_high(), self.range_2_base_low()),
            ),
        ]
    }

    /// CXL Capability 3; since revision 2 of the capability.
    #[must_use]
    pub fn capability_3(self) -> Option<CxlCapability3> {
        if self.fixed[6] & 0xf < 2 {
            return None;
        }
        self.capability_3_register().map(CxlCapability3::from_bits_retain)
    }
}

/// Non-CXL Function Map DVSEC (8.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlNonCxlFunctionMap<'a> {
    bytes: &'a [u8; 0x2c],
    offset: u16,
}

impl<'a> CxlNonCxlFunctionMap<'a> {
    /// Offset of Non-CXL Function Map Register 0 from the capability's start.
    pub const REGISTER_0: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Non-CXL Function Map Register 0.
    #[must_use]
    pub const fn register_0(self) -> u32 {
        dword::<0x0c, 0x2c>(self.bytes)
    }

    /// The eight registers.
    pub fn registers(self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        let (registers, _) = self.bytes[usize::from(Self::REGISTER_0)..].as_chunks::<4>();
        registers.iter().map(|&register| u32::from_le_bytes(register))
    }
}

/// CXL Extensions DVSEC for Ports (8.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlPortExtensions<'a> {
    bytes: &'a [u8; 0x28],
    offset: u16,
}

impl<'a> CxlPortExtensions<'a> {
    /// Offset of CXL Port Status from the capability's start.
    pub const STATUS: u16 = 0x0a;
    /// Offset of CXL Port Control from the capability's start.
    pub const CONTROL: u16 = 0x0c;
    /// Offset of Alternate Bus Base from the capability's start.
    pub const ALTERNATE_BUS_BASE: u16 = 0x0e;
    /// Offset of Alternate Bus Limit from the capability's start.
    pub const ALTERNATE_BUS_LIMIT: u16 = 0x0f;
    /// Offset of Alternate Memory Base from the capability's start.
    pub const ALTERNATE_MEMORY_BASE: u16 = 0x10;
    /// Offset of Alternate Memory Limit from the capability's start.
    pub const ALTERNATE_MEMORY_LIMIT: u16 = 0x12;
    /// Offset of Alternate Prefetchable Memory Base from the capability's start.
    pub const ALTERNATE_PREFETCHABLE_MEMORY_BASE: u16 = 0x14;
    /// Offset of Alternate Prefetchable Memory Limit from the capability's start.
    pub const ALTERNATE_PREFETCHABLE_MEMORY_LIMIT: u16 = 0x16;
    /// Offset of Alternate Prefetchable Memory Base High from the capability's start.
    pub const ALTERNATE_PREFETCHABLE_MEMORY_BASE_HIGH: u16 = 0x18;
    /// Offset of Alternate Prefetchable Memory Limit High from the capability's start.
    pub const ALTERNATE_PREFETCHABLE_MEMORY_LIMIT_HIGH: u16 = 0x1c;
    /// Offset of CXL RCRB Base from the capability's start.
    pub const RCRB_BASE: u16 = 0x20;
    /// Offset of CXL RCRB Base High from the capability's start.
    pub const RCRB_BASE_HIGH: u16 = 0x24;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// CXL Port Status.
    #[must_use]
    pub const fn status(self) -> CxlPortStatus {
        CxlPortStatus::from_bits_retain(word::<0x0a, 0x28>(self.bytes))
    }

    /// CXL Port Control.
    #[must_use]
    pub const fn control(self) -> CxlPortControl {
        {
            let x = word::<0x0c, 0x28>(self.bytes);
            CxlPortControl::from_bits_retain(x)
        }
    }

    /// Alternate Bus Base.
    #[must_use]
    pub const fn alternate_bus_base(self) -> u8 {
        self.bytes[0x0e]
    }

    /// Alternate Bus Limit.
    #[must_use]
    pub const fn alternate_bus_limit(self) -> u8 {
        self.bytes[0x0f]
    }

    /// Alternate Memory Base.
    #[must_use]
    pub const fn alternate_memory_base_register(self) -> u16 {
        word::<0x10, 0x28>(self.bytes)
    }

    /// Alternate Memory Limit.
    #[must_use]
    pub const fn alternate_memory_limit_register(self) -> u16 {
        word::<0x12, 0x28>(self.bytes)
    }

    /// Alternate Prefetchable Memory Base.
    #[must_use]
    pub const fn alternate_prefetchable_memory_base_register(self) -> u16 {
        word::<0x14, 0x28>(self.bytes)
    }

    /// Alternate Prefetchable Memory Limit.
    #[must_use]
    pub const fn alternate_prefetchable_memory_limit_register(self) -> u16 {
        word::<0x16, 0x28>(self.bytes)
    }

    /// Alternate Prefetchable Memory Base High.
    #[must_use]
    pub const fn alternate_prefetchable_memory_base_high(self) -> u32 {
        dword::<0x18, 0x28>(self.bytes)
    }

    /// Alternate Prefetchable Memory Limit High.
    #[must_use]
    pub const fn alternate_prefetchable_memory_limit_high(self) -> u32 {
        dword::<0x1c, 0x28>(self.bytes)
    }

    /// CXL RCRB Base.
    #[must_use]
    pub const fn rcrb_base_low(self) -> u32 {
        dword::<0x20, 0x28>(self.bytes)
    }

    /// CXL RCRB Base High.
    #[must_use]
    pub const fn rcrb_base_high(self) -> u32 {
        dword::<0x24, 0x28>(self.bytes)
    }

    /// CXL RCRB Base of both registers, if the block is enabled: where it is in memory, aligned to 8 KiB.
    #[must_use]
    pub const fn rcrb_base(self) -> Option<u64> {
        if self.rcrb_base_low() & 1 == 0 {
            return None;
        }
        Some((self.rcrb_base_high() as u64) << 32 | (self.rcrb_base_low() & !0x1fff) as u64)
    }
}

/// GPF DVSEC for CXL Ports (8.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlPortGpf<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> CxlPortGpf<'a> {
    /// Offset of GPF Phase 1 Control from the capability's start.
    pub const PHASE_1_CONTROL: u16 = 0x0c;
    /// Offset of GPF Phase 2 Control from the capability's start.
    pub const PHASE_2_CONTROL: u16 = 0x0e;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// GPF Phase 1 Control.
    #[must_use]
    pub const fn phase_1_timeout(self) -> CxlGpfTime {
        CxlGpfTime::from_bits_retain(word::<0x0c, 0x10>(self.bytes))
    }

    /// GPF Phase 2 Control.
    #[must_use]
    pub const fn phase_2_timeout(self) -> CxlGpfTime {
        CxlGpfTime::from_bits_retain(word::<0x0e, 0x10>(self.bytes))
    }
}

/// GPF DVSEC for CXL Devices (8.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlDeviceGpf<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> CxlDeviceGpf<'a> {
    /// Offset of GPF Phase 2 Duration from the capability's start.
    pub const PHASE_2_DURATION: u16 = 0x0a;
    /// Offset of GPF Phase 2 Power from the capability's start.
    pub const PHASE_2_POWER: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// GPF Phase 2 Duration.
    #[must_use]
    pub const fn phase_2_duration(self) -> CxlGpfTime {
        CxlGpfTime::from_bits_retain(word::<0x0a, 0x10>(self.bytes))
    }

    /// GPF Phase 2 Power: in milliwatts.
    #[must_use]
    pub const fn phase_2_power_milliwatts(self) -> u32 {
        dword::<0x0c, 0x10>(self.bytes)
    }
}

/// PCIe DVSEC for Flex Bus Port (8.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlFlexBusPort<'a> {
    fixed: &'a [u8; 0x10],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> CxlFlexBusPort<'a> {
    /// Offset of DVSEC Flex Bus Port Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x0a;
    /// Offset of DVSEC Flex Bus Port Control from the capability's start.
    pub const CONTROL: u16 = 0x0c;
    /// Offset of DVSEC Flex Bus Port Status from the capability's start.
    pub const STATUS: u16 = 0x0e;
    /// Offset of DVSEC Flex Bus Port Received Modified TS Data Phase 1 from the capability's start.
    pub const RECEIVED_MODIFIED_TS_DATA: u16 = 0x10;
    /// Offset of DVSEC Flex Bus Port Capability 2 from the capability's start.
    pub const CAPABILITY_2: u16 = 0x14;
    /// Offset of DVSEC Flex Bus Port Control 2 from the capability's start.
    pub const CONTROL_2: u16 = 0x18;
    /// Offset of DVSEC Flex Bus Port Status 2 from the capability's start.
    pub const STATUS_2: u16 = 0x1c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// DVSEC Length: how many bytes the capability takes, its headers included. Which of the registers
    /// behind Status exist follows from it.
    #[must_use]
    pub const fn dvsec_length(self) -> u16 {
        (dword::<4, 0x10>(self.fixed) >> 20) as u16
    }

    /// DVSEC Flex Bus Port Capability.
    #[must_use]
    pub const fn capability(self) -> CxlFlexBusCapability {
        CxlFlexBusCapability::from_bits_retain(word::<0x0a, 0x10>(self.fixed))
    }

    /// DVSEC Flex Bus Port Control.
    #[must_use]
    pub const fn control(self) -> CxlFlexBusControl {
        CxlFlexBusControl::from_bits_retain(word::<0x0c, 0x10>(self.fixed))
    }

    /// DVSEC Flex Bus Port Status.
    #[must_use]
    pub const fn status(self) -> CxlFlexBusStatus {
        CxlFlexBusStatus::from_bits_retain(word::<0x0e, 0x10>(self.fixed))
    }

    /// DVSEC Flex Bus Port Received Modified TS Data Phase 1; `None` if it cannot be read.
    #[must_use]
    pub fn received_modified_ts_data_phase_1(self) -> Option<u32> {
        dword_at(self.bytes, Self::RECEIVED_MODIFIED_TS_DATA)
    }

    /// DVSEC Flex Bus Port Capability 2; `None` if it cannot be read.
    #[must_use]
    pub fn capability_2(self) -> Option<u32> {
        dword_at(self.bytes, Self::CAPABILITY_2)
    }

    /// DVSEC Flex Bus Port Control 2; `None` if it cannot be read.
    #[must_use]
    pub fn control_2(self) -> Option<u32> {
        dword_at(self.bytes, Self::CONTROL_2)
    }

    /// DVSEC Flex Bus Port Status 2; `None` if it cannot be read.
    #[must_use]
    pub fn status_2(self) -> Option<u32> {
        dword_at(self.bytes, Self::STATUS_2)
    }
}

/// What a block of registers in memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CxlRegisterBlockId {
    /// Nothing: the entry is empty.
    Empty,
    /// Component registers.
    Component,
    /// The access control of virtualized registers.
    BarVirtualization,
    /// Registers of a memory device.
    Device,
    /// Performance counters (CPMU).
    PerformanceMonitoring,
    /// Designated vendor-specific registers.
    DesignatedVendorSpecific,
    /// A code without a meaning.
    Reserved(u8),
}

/// An entry of the register locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CxlRegisterBlock {
    /// Register BIR: which Base Address Register, 0 to 5.
    pub bar_index: u8,
    /// Register Block Identifier.
    pub id: CxlRegisterBlockId,
    /// Register Block Offset in what the register decodes, aligned to 64 KiB.
    pub block_offset: u64,
}

/// Register Locator DVSEC (8.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlRegisterLocator<'a> {
    fixed: &'a [u8; 0xc],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> CxlRegisterLocator<'a> {
    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Offset of the first entry from the capability's start.
    pub const BLOCKS: u16 = 0x0c;

    /// The entries: as many as DVSEC Length has room for and can be read.
    pub fn blocks(self) -> impl Iterator<Item = CxlRegisterBlock> + Clone + use<'a> {
        let length = (dword::<4, 0x0c>(self.fixed) >> 20) as u16;
        (0..length.saturating_sub(Self::BLOCKS) / 8).map_while(move |index| {
            let low = dword_at(self.bytes, Self::BLOCKS + 8 * index)?;
            let high = dword_at(self.bytes, Self::BLOCKS + 8 * index + 4)?;
            Some(CxlRegisterBlock {
                bar_index: (low & 7) as u8,
                id: match (low >> 8) as u8 {
                    0 => CxlRegisterBlockId::Empty,
                    1 => CxlRegisterBlockId::Component,
                    2 => CxlRegisterBlockId::BarVirtualization,
                    3 => CxlRegisterBlockId::Device,
                    4 => CxlRegisterBlockId::PerformanceMonitoring,
                    0xff => CxlRegisterBlockId::DesignatedVendorSpecific,
                    other => CxlRegisterBlockId::Reserved(other),
                },
                block_offset: u64::from(high) << 32 | u64::from(low & 0xffff_0000),
            })
        })
    }
}

/// MLD DVSEC (8.1.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CxlMultiLogicalDevice<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> CxlMultiLogicalDevice<'a> {
    /// Offset of Number of LDs Supported from the capability's start.
    pub const NUMBER_OF_LDS: u16 = 0x0a;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Number of LDs Supported: 1 to 16; other values are reserved.
    #[must_use]
    pub const fn number_of_lds(self) -> u16 {
        word::<0x0a, 0xc>(self.bytes)
    }
}
