//! The HyperTransport capabilities that are not an interface.

use super::hyper_transport_registers::{
    HtAddressMappingCommand, HtDirectRouteCommand, HtExtendedConfigurationAddress, HtMsiMappingCommand,
    HtRetryControl, HtRetryStatus, HtRevision, HtSwitchCommand, HtSwitchInfo,
};
use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, dword, fixed, word};

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtSwitch<'a> {
    bytes: &'a [u8; 0x18],
    offset: u16,
}

impl<'a> HtSwitch<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 0x02;
    /// Offset of Partition Mask from the capability's start.
    pub const PARTITION_MASK: u16 = 0x04;
    /// Offset of Switch Info from the capability's start.
    pub const SWITCH_INFO: u16 = 0x08;
    /// Offset of Performance Counter Data from the capability's start.
    pub const PERFORMANCE_COUNTER_DATA: u16 = 0x0c;
    /// Offset of Base/Limit Range Data from the capability's start.
    pub const BASE_LIMIT_RANGE_DATA: u16 = 0x10;
    /// Offset of Secondary Base Data from the capability's start.
    pub const SECONDARY_BASE_DATA: u16 = 0x14;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Command.
    #[must_use]
    pub const fn command(self) -> HtSwitchCommand {
        HtSwitchCommand::from_bits_retain(word::<0x02, 0x18>(self.bytes))
    }

    /// Partition Mask.
    #[must_use]
    pub const fn partition_mask(self) -> u32 {
        dword::<0x04, 0x18>(self.bytes)
    }

    /// Switch Info.
    #[must_use]
    pub const fn switch_info(self) -> HtSwitchInfo {
        HtSwitchInfo::from_bits_retain(dword::<0x08, 0x18>(self.bytes))
    }

    /// Performance Counter Data.
    #[must_use]
    pub const fn performance_counter_data(self) -> u32 {
        dword::<0x0c, 0x18>(self.bytes)
    }

    /// Base/Limit Range Data.
    #[must_use]
    pub const fn base_limit_range_data(self) -> u32 {
        dword::<0x10, 0x18>(self.bytes)
    }

    /// Secondary Base Data.
    #[must_use]
    pub const fn secondary_base_data(self) -> u32 {
        dword::<0x14, 0x18>(self.bytes)
    }
}

/// Interrupt Discovery and Configuration: a window to the interrupt definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtInterruptDiscovery<'a> {
    bytes: &'a [u8; 0x8],
    offset: u16,
}

impl<'a> HtInterruptDiscovery<'a> {
    /// Offset of Index from the capability's start.
    pub const INDEX: u16 = 0x02;
    /// Offset of Data from the capability's start.
    pub const DATA: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Index.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.bytes[0x02]
    }

    /// Data.
    #[must_use]
    pub const fn data(self) -> u32 {
        dword::<0x04, 0x8>(self.bytes)
    }
}

/// Revision ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtRevisionId<'a> {
    bytes: &'a [u8; 0x4],
    offset: u16,
}

impl<'a> HtRevisionId<'a> {
    /// Offset of Revision ID from the capability's start.
    pub const REVISION: u16 = 0x02;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Revision ID.
    #[must_use]
    pub const fn revision(self) -> HtRevision {
        HtRevision::from_bits_retain(self.bytes[0x02])
    }
}

/// UnitID Clumping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtUnitIdClumping<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> HtUnitIdClumping<'a> {
    /// Offset of Clumping Support from the capability's start.
    pub const CLUMPING_SUPPORT: u16 = 0x04;
    /// Offset of Clumping Enable from the capability's start.
    pub const CLUMPING_ENABLE: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Clumping Support.
    #[must_use]
    pub const fn clumping_support(self) -> u32 {
        dword::<0x04, 0xc>(self.bytes)
    }

    /// Clumping Enable.
    #[must_use]
    pub const fn clumping_enable(self) -> u32 {
        dword::<0x08, 0xc>(self.bytes)
    }
}

/// Extended Configuration Space Access: a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtExtendedConfiguration<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> HtExtendedConfiguration<'a> {
    /// Offset of Configuration Address from the capability's start.
    pub const CONFIGURATION_ADDRESS: u16 = 0x04;
    /// Offset of Configuration Data from the capability's start.
    pub const CONFIGURATION_DATA: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Configuration Address.
    #[must_use]
    pub const fn configuration_address(self) -> HtExtendedConfigurationAddress {
        HtExtendedConfigurationAddress::from_bits_retain(dword::<0x04, 0xc>(self.bytes))
    }

    /// Configuration Data.
    #[must_use]
    pub const fn configuration_data(self) -> u32 {
        dword::<0x08, 0xc>(self.bytes)
    }
}

/// Address Mapping: windows behind it, or an index and a window of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtAddressMapping<'a> {
    fixed: &'a [u8; 0x4],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> HtAddressMapping<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 0x02;
    /// Offset of Secondary Bus Non-Prefetchable Window, or of 64 bits Index from the capability's
    /// start.
    pub const FIRST: u16 = 0x04;
    /// Offset of Secondary Bus Prefetchable Window, or of 64 bits Data Lower from the capability's
    /// start.
    pub const SECOND: u16 = 0x08;
    /// Offset of The first DMA window's control and base, or of 64 bits Data Upper from the
    /// capability's start.
    pub const THIRD: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Command.
    #[must_use]
    pub const fn command(self) -> HtAddressMappingCommand {
        HtAddressMappingCommand::from_bits_retain(word::<0x02, 0x4>(self.fixed))
    }

    /// Secondary Bus Non-Prefetchable Window, or of 64 bits Index; `None` if it cannot be read.
    #[must_use]
    pub fn first_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::FIRST)
    }

    /// Secondary Bus Prefetchable Window, or of 64 bits Data Lower; `None` if it cannot be read.
    #[must_use]
    pub fn second_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::SECOND)
    }

    /// The first DMA window's control and base, or of 64 bits Data Upper; `None` if it cannot be read.
    #[must_use]
    pub fn third_register(self) -> Option<u32> {
        dword_at(self.bytes, Self::THIRD)
    }
}

/// MSI Mapping: which window becomes interrupts of x86.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtMsiMapping<'a> {
    fixed: &'a [u8; 0x4],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> HtMsiMapping<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 0x02;
    /// Offset of MSI Mapping Address Lower from the capability's start.
    pub const ADDRESS_LOW: u16 = 0x04;
    /// Offset of MSI Mapping Address Upper from the capability's start.
    pub const ADDRESS_HIGH: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Command.
    #[must_use]
    pub const fn command(self) -> HtMsiMappingCommand {
        HtMsiMappingCommand::from_bits_retain(word::<0x02, 0x4>(self.fixed))
    }

    /// MSI Mapping Address Lower; `None` if it cannot be read.
    #[must_use]
    pub fn address_low(self) -> Option<u32> {
        dword_at(self.bytes, Self::ADDRESS_LOW)
    }

    /// MSI Mapping Address Upper; `None` if it cannot be read.
    #[must_use]
    pub fn address_high(self) -> Option<u32> {
        dword_at(self.bytes, Self::ADDRESS_HIGH)
    }

    /// Whether the window is the fixed one, and there is no address register.
    #[must_use]
    pub const fn has_fixed_window(self) -> bool {
        self.command().contains(HtMsiMappingCommand::FIXED)
    }

    /// Where the window is, 1 MiB of it.
    #[must_use]
    pub fn address(self) -> u64 {
        if self.has_fixed_window() {
            return 0xfee0_0000;
        }
        u64::from(self.address_high().unwrap_or(0)) << 32
            | u64::from(self.address_low().unwrap_or(0) & !0xf_ffff)
    }
}

/// DirectRoute: peer-to-peer ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtDirectRoute<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> HtDirectRoute<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 0x02;
    /// Offset of Enable Vector from the capability's start.
    pub const ENABLE_VECTOR: u16 = 0x04;
    /// Offset of Data from the capability's start.
    pub const DATA: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Command.
    #[must_use]
    pub const fn command(self) -> HtDirectRouteCommand {
        HtDirectRouteCommand::from_bits_retain(word::<0x02, 0xc>(self.bytes))
    }

    /// Enable Vector.
    #[must_use]
    pub const fn enable_vector(self) -> u32 {
        dword::<0x04, 0xc>(self.bytes)
    }

    /// Data.
    #[must_use]
    pub const fn data(self) -> u32 {
        dword::<0x08, 0xc>(self.bytes)
    }
}

/// VCSet: virtual channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtVcSet<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> HtVcSet<'a> {
    /// Offset of VCSets Supported from the capability's start.
    pub const VCSETS_SUPPORTED: u16 = 0x04;
    /// Offset of Link 1 VCSets Enabled from the capability's start.
    pub const LINK_1_VCSETS_ENABLED: u16 = 0x05;
    /// Offset of Link 0 VCSets Enabled from the capability's start.
    pub const LINK_0_VCSETS_ENABLED: u16 = 0x06;
    /// Offset of Stream Bucket Depth from the capability's start.
    pub const STREAM_BUCKET_DEPTH: u16 = 0x08;
    /// Offset of Stream Interval from the capability's start.
    pub const STREAM_INTERVAL: u16 = 0x09;
    /// Offset of Number of Streaming VCs Supported from the capability's start.
    pub const STREAMING_VCS_SUPPORTED: u16 = 0x0a;
    /// Offset of Non-FC Bucket Depth from the capability's start.
    pub const NON_FC_BUCKET_DEPTH: u16 = 0x0c;
    /// Offset of Non-FC Bucket Interval from the capability's start.
    pub const NON_FC_BUCKET_INTERVAL: u16 = 0x0d;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// VCSets Supported.
    #[must_use]
    pub const fn vcsets_supported(self) -> u8 {
        self.bytes[0x04]
    }

    /// Link 1 VCSets Enabled.
    #[must_use]
    pub const fn link_1_vcsets_enabled(self) -> u8 {
        self.bytes[0x05]
    }

    /// Link 0 VCSets Enabled.
    #[must_use]
    pub const fn link_0_vcsets_enabled(self) -> u8 {
        self.bytes[0x06]
    }

    /// Stream Bucket Depth.
    #[must_use]
    pub const fn stream_bucket_depth(self) -> u8 {
        self.bytes[0x08]
    }

    /// Stream Interval.
    #[must_use]
    pub const fn stream_interval(self) -> u8 {
        self.bytes[0x09]
    }

    /// Number of Streaming VCs Supported.
    #[must_use]
    pub const fn streaming_vcs_supported(self) -> u8 {
        self.bytes[0x0a]
    }

    /// Non-FC Bucket Depth.
    #[must_use]
    pub const fn non_fc_bucket_depth(self) -> u8 {
        self.bytes[0x0c]
    }

    /// Non-FC Bucket Interval.
    #[must_use]
    pub const fn non_fc_bucket_interval(self) -> u8 {
        self.bytes[0x0d]
    }
}

/// Retry Mode: what a link does about CRC errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtRetryMode<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> HtRetryMode<'a> {
    /// Offset of Control 0 from the capability's start.
    pub const CONTROL_0: u16 = 0x04;
    /// Offset of Status 0 from the capability's start.
    pub const STATUS_0: u16 = 0x05;
    /// Offset of Control 1 from the capability's start.
    pub const CONTROL_1: u16 = 0x06;
    /// Offset of Status 1 from the capability's start.
    pub const STATUS_1: u16 = 0x07;
    /// Offset of Retry Count 0 from the capability's start.
    pub const RETRY_COUNT_0: u16 = 0x08;
    /// Offset of Retry Count 1 from the capability's start.
    pub const RETRY_COUNT_1: u16 = 0x0a;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Control 0.
    #[must_use]
    pub const fn control_0(self) -> HtRetryControl {
        HtRetryControl::from_bits_retain(self.bytes[0x04])
    }

    /// Status 0.
    #[must_use]
    pub const fn status_0(self) -> HtRetryStatus {
        HtRetryStatus::from_bits_retain(self.bytes[0x05])
    }

    /// Control 1.
    #[must_use]
    pub const fn control_1(self) -> HtRetryControl {
        HtRetryControl::from_bits_retain(self.bytes[0x06])
    }

    /// Status 1.
    #[must_use]
    pub const fn status_1(self) -> HtRetryStatus {
        HtRetryStatus::from_bits_retain(self.bytes[0x07])
    }

    /// Retry Count 0.
    #[must_use]
    pub const fn retry_count_0(self) -> u16 {
        word::<0x08, 0xc>(self.bytes)
    }

    /// Retry Count 1.
    #[must_use]
    pub const fn retry_count_1(self) -> u16 {
        word::<0x0a, 0xc>(self.bytes)
    }
}
