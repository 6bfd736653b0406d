//! HyperTransport (08h): a dozen capabilities under one id, told apart by the upper bits of their
//! command register (HyperTransport I/O Link 3.10, chapter 7).

use super::hyper_transport_blocks::{
    HtAddressMapping, HtDirectRoute, HtExtendedConfiguration, HtInterruptDiscovery, HtMsiMapping,
    HtRetryMode, HtRevisionId, HtSwitch, HtUnitIdClumping, HtVcSet,
};
use super::hyper_transport_registers::{
    HtErrorHandling, HtFeature, HtHostCommand, HtHostFeature, HtLinkConfiguration, HtLinkControl,
    HtLinkFrequencyCapability, HtLinkFrequencyError, HtMsiMappingCommand, HtRevision, HtSlaveCommand,
};
use crate::capability::registers::first;
use crate::config_space::{Truncated, fixed, word};

/// What a HyperTransport capability is (Capability Type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HtCapabilityType {
    /// 000: the interface of a device, or the primary one of a bridge.
    SlavePrimary,
    /// 001: the interface of a host, or the secondary one of a bridge.
    HostSecondary,
    /// 01000.
    Switch,
    /// 10000.
    InterruptDiscovery,
    /// 10001.
    RevisionId,
    /// 10010.
    UnitIdClumping,
    /// 10011.
    ExtendedConfiguration,
    /// 10100.
    AddressMapping,
    /// 10101.
    MsiMapping,
    /// 10110.
    DirectRoute,
    /// 10111.
    VcSet,
    /// 11000.
    RetryMode,
    /// 11001: reserved for x86.
    X86,
    /// 11010: the third generation's registers.
    Gen3,
    /// 11011: functions' extension.
    FunctionExtension,
    /// 11100.
    PowerManagement,
    /// Another of the five-bit codes.
    Reserved(u8),
}

impl HtCapabilityType {
    const fn from_command(command: u16) -> Self {
        match (command >> 11) as u8 {
            0..=3 => Self::SlavePrimary,
            4..=7 => Self::HostSecondary,
            0x08 => Self::Switch,
            0x10 => Self::InterruptDiscovery,
            0x11 => Self::RevisionId,
            0x12 => Self::UnitIdClumping,
            0x13 => Self::ExtendedConfiguration,
            0x14 => Self::AddressMapping,
            0x15 => Self::MsiMapping,
            0x16 => Self::DirectRoute,
            0x17 => Self::VcSet,
            0x18 => Self::RetryMode,
            0x19 => Self::X86,
            0x1a => Self::Gen3,
            0x1b => Self::FunctionExtension,
            0x1c => Self::PowerManagement,
            other => Self::Reserved(other),
        }
    }

    /// How many bytes the registers of the type take at least.
    const fn size(self) -> u16 {
        match self {
            Self::SlavePrimary => 0x1c,
            Self::HostSecondary | Self::Switch => 0x18,
            Self::InterruptDiscovery => 8,
            Self::UnitIdClumping | Self::ExtendedConfiguration | Self::DirectRoute | Self::RetryMode => 12,
            Self::VcSet => 16,
            _ => 4,
        }
    }
}

/// A HyperTransport capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// bytes[0x40..0x44].copy_from_slice(&[0x08, 0x00, 0x03, 0xa8]);
/// let space = ConfigSpace::new(&bytes)?;
/// let Capability::HyperTransport(link) = space.capabilities().next().unwrap()?.decode()? else { panic!() };
/// assert_eq!(link.msi_mapping().unwrap().address(), 0xfee0_0000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperTransport<'a> {
    bytes: &'a [u8],
    command: u16,
    offset: u16,
}

impl<'a> HyperTransport<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 2;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        let &[_, _, low, high] = fixed(bytes, offset)?;
        let one = Self { bytes, command: u16::from_le_bytes([low, high]), offset };
        let fixed_window = one.command & HtMsiMappingCommand::FIXED.bits() != 0;
        let needed = match one.capability_type() {
            HtCapabilityType::MsiMapping if !fixed_window => 12,
            other => other.size(),
        };
        first(bytes, offset, needed)?;
        Ok(one)
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Command: its upper bits are the type, the others are the type's own.
    #[must_use]
    pub const fn command(self) -> u16 {
        self.command
    }

    /// Capability Type.
    #[must_use]
    pub const fn capability_type(self) -> HtCapabilityType {
        HtCapabilityType::from_command(self.command)
    }

    /// The registers, if it is a slave or primary interface.
    #[must_use]
    pub fn slave_primary(self) -> Option<HtSlavePrimary<'a>> {
        self.of_type(HtCapabilityType::SlavePrimary, HtSlavePrimary::new)
    }

    /// The registers, if it is a host or secondary interface.
    #[must_use]
    pub fn host_secondary(self) -> Option<HtHostSecondary<'a>> {
        self.of_type(HtCapabilityType::HostSecondary, HtHostSecondary::new)
    }

    /// The registers, if it is a switch.
    #[must_use]
    pub fn switch(self) -> Option<HtSwitch<'a>> {
        self.of_type(HtCapabilityType::Switch, HtSwitch::new)
    }

    /// The registers, if it is Interrupt Discovery and Configuration.
    #[must_use]
    pub fn interrupt_discovery(self) -> Option<HtInterruptDiscovery<'a>> {
        self.of_type(HtCapabilityType::InterruptDiscovery, HtInterruptDiscovery::new)
    }

    /// The registers, if it is Revision ID.
    #[must_use]
    pub fn revision_id(self) -> Option<HtRevisionId<'a>> {
        self.of_type(HtCapabilityType::RevisionId, HtRevisionId::new)
    }

    /// The registers, if it is UnitID Clumping.
    #[must_use]
    pub fn unit_id_clumping(self) -> Option<HtUnitIdClumping<'a>> {
        self.of_type(HtCapabilityType::UnitIdClumping, HtUnitIdClumping::new)
    }

    /// The registers, if it is Extended Configuration Space Access.
    #[must_use]
    pub fn extended_configuration(self) -> Option<HtExtendedConfiguration<'a>> {
        self.of_type(HtCapabilityType::ExtendedConfiguration, HtExtendedConfiguration::new)
    }

    /// The registers, if it is Address Mapping.
    #[must_use]
    pub fn address_mapping(self) -> Option<HtAddressMapping<'a>> {
        self.of_type(HtCapabilityType::AddressMapping, HtAddressMapping::new)
    }

    /// The registers, if it is MSI Mapping.
    #[must_use]
    pub fn msi_mapping(self) -> Option<HtMsiMapping<'a>> {
        self.of_type(HtCapabilityType::MsiMapping, HtMsiMapping::new)
    }

    /// The registers, if it is DirectRoute.
    #[must_use]
    pub fn direct_route(self) -> Option<HtDirectRoute<'a>> {
        self.of_type(HtCapabilityType::DirectRoute, HtDirectRoute::new)
    }

    /// The registers, if it is VCSet.
    #[must_use]
    pub fn vc_set(self) -> Option<HtVcSet<'a>> {
        self.of_type(HtCapabilityType::VcSet, HtVcSet::new)
    }

    /// The registers, if it is Retry Mode.
    #[must_use]
    pub fn retry_mode(self) -> Option<HtRetryMode<'a>> {
        self.of_type(HtCapabilityType::RetryMode, HtRetryMode::new)
    }

    fn of_type<T>(
        self,
        wanted: HtCapabilityType,
        new: impl FnOnce(&'a [u8], u16) -> Result<T, Truncated>,
    ) -> Option<T> {
        if self.capability_type() != wanted {
            return None;
        }
        new(self.bytes, self.offset).ok()
    }
}

/// A slave or primary interface: two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtSlavePrimary<'a> {
    bytes: &'a [u8; 0x1c],
    offset: u16,
}

impl<'a> HtSlavePrimary<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 0x02;
    /// Offset of Link Control 0 from the capability's start.
    pub const LINK_CONTROL_0: u16 = 0x04;
    /// Offset of Link Configuration 0 from the capability's start.
    pub const LINK_CONFIGURATION_0: u16 = 0x06;
    /// Offset of Link Control 1 from the capability's start.
    pub const LINK_CONTROL_1: u16 = 0x08;
    /// Offset of Link Configuration 1 from the capability's start.
    pub const LINK_CONFIGURATION_1: u16 = 0x0a;
    /// Offset of Revision ID from the capability's start.
    pub const REVISION: u16 = 0x0c;
    /// Offset of Link Frequency/Error 0 from the capability's start.
    pub const LINK_FREQUENCY_ERROR_0: u16 = 0x0d;
    /// Offset of Link Frequency Capability 0 from the capability's start.
    pub const LINK_FREQUENCY_CAPABILITY_0: u16 = 0x0e;
    /// Offset of Feature Capability from the capability's start.
    pub const FEATURE: u16 = 0x10;
    /// Offset of Link Frequency/Error 1 from the capability's start.
    pub const LINK_FREQUENCY_ERROR_1: u16 = 0x11;
    /// Offset of Link Frequency Capability 1 from the capability's start.
    pub const LINK_FREQUENCY_CAPABILITY_1: u16 = 0x12;
    /// Offset of Enumeration Scratchpad from the capability's start.
    pub const ENUMERATION_SCRATCHPAD: u16 = 0x14;
    /// Offset of Error Handling from the capability's start.
    pub const ERROR_HANDLING: u16 = 0x16;
    /// Offset of Memory Base Upper from the capability's start.
    pub const MEMORY_BASE_UPPER: u16 = 0x18;
    /// Offset of Memory Limit Upper from the capability's start.
    pub const MEMORY_LIMIT_UPPER: u16 = 0x19;
    /// Offset of Bus Number from the capability's start.
    pub const BUS_NUMBER: u16 = 0x1a;

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
    pub const fn command(self) -> HtSlaveCommand {
        HtSlaveCommand::from_bits_retain(word::<0x02, 0x1c>(self.bytes))
    }

    /// Link Control 0.
    #[must_use]
    pub const fn link_control_0(self) -> HtLinkControl {
        HtLinkControl::from_bits_retain(word::<0x04, 0x1c>(self.bytes))
    }

    /// Link Configuration 0.
    #[must_use]
    pub const fn link_configuration_0(self) -> HtLinkConfiguration {
        HtLinkConfiguration::from_bits_retain(word::<0x06, 0x1c>(self.bytes))
    }

    /// Link Control 1.
    #[must_use]
    pub const fn link_control_1(self) -> HtLinkControl {
        HtLinkControl::from_bits_retain(word::<0x08, 0x1c>(self.bytes))
    }

    /// Link Configuration 1.
    #[must_use]
    pub const fn link_configuration_1(self) -> HtLinkConfiguration {
        HtLinkConfiguration::from_bits_retain(word::<0x0a, 0x1c>(self.bytes))
    }

    /// Revision ID.
    #[must_use]
    pub const fn revision(self) -> HtRevision {
        HtRevision::from_bits_retain(self.bytes[0x0c])
    }

    /// Link Frequency/Error 0.
    #[must_use]
    pub const fn link_frequency_error_0(self) -> HtLinkFrequencyError {
        HtLinkFrequencyError::from_bits_retain(self.bytes[0x0d])
    }

    /// Link Frequency Capability 0.
    #[must_use]
    pub const fn link_frequency_capability_0(self) -> HtLinkFrequencyCapability {
        HtLinkFrequencyCapability::from_bits_retain(word::<0x0e, 0x1c>(self.bytes))
    }

    /// Feature Capability.
    #[must_use]
    pub const fn feature(self) -> HtFeature {
        HtFeature::from_bits_retain(self.bytes[0x10])
    }

    /// Link Frequency/Error 1.
    #[must_use]
    pub const fn link_frequency_error_1(self) -> HtLinkFrequencyError {
        HtLinkFrequencyError::from_bits_retain(self.bytes[0x11])
    }

    /// Link Frequency Capability 1.
    #[must_use]
    pub const fn link_frequency_capability_1(self) -> HtLinkFrequencyCapability {
        HtLinkFrequencyCapability::from_bits_retain(word::<0x12, 0x1c>(self.bytes))
    }

    /// Enumeration Scratchpad.
    #[must_use]
    pub const fn enumeration_scratchpad(self) -> u16 {
        word::<0x14, 0x1c>(self.bytes)
    }

    /// Error Handling.
    #[must_use]
    pub const fn error_handling(self) -> HtErrorHandling {
        HtErrorHandling::from_bits_retain(word::<0x16, 0x1c>(self.bytes))
    }

    /// Memory Base Upper.
    #[must_use]
    pub const fn memory_base_upper(self) -> u8 {
        self.bytes[0x18]
    }

    /// Memory Limit Upper.
    #[must_use]
    pub const fn memory_limit_upper(self) -> u8 {
        self.bytes[0x19]
    }

    /// Bus Number.
    #[must_use]
    pub const fn bus_number(self) -> u8 {
        self.bytes[0x1a]
    }
}

/// A host or secondary interface: one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtHostSecondary<'a> {
    bytes: &'a [u8; 0x18],
    offset: u16,
}

impl<'a> HtHostSecondary<'a> {
    /// Offset of Command from the capability's start.
    pub const COMMAND: u16 = 0x02;
    /// Offset of Link Control from the capability's start.
    pub const LINK_CONTROL: u16 = 0x04;
    /// Offset of Link Configuration from the capability's start.
    pub const LINK_CONFIGURATION: u16 = 0x06;
    /// Offset of Revision ID from the capability's start.
    pub const REVISION: u16 = 0x08;
    /// Offset of Link Frequency/Error from the capability's start.
    pub const LINK_FREQUENCY_ERROR: u16 = 0x09;
    /// Offset of Link Frequency Capability from the capability's start.
    pub const LINK_FREQUENCY_CAPABILITY: u16 = 0x0a;
    /// Offset of Feature Capability from the capability's start.
    pub const FEATURE: u16 = 0x0c;
    /// Offset of Enumeration Scratchpad from the capability's start.
    pub const ENUMERATION_SCRATCHPAD: u16 = 0x10;
    /// Offset of Error Handling from the capability's start.
    pub const ERROR_HANDLING: u16 = 0x12;
    /// Offset of Memory Base Upper from the capability's start.
    pub const MEMORY_BASE_UPPER: u16 = 0x14;
    /// Offset of Memory Limit Upper from the capability's start.
    pub const MEMORY_LIMIT_UPPER: u16 = 0x15;

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
    pub const fn command(self) -> HtHostCommand {
        HtHostCommand::from_bits_retain(word::<0x02, 0x18>(self.bytes))
    }

    /// Link Control.
    #[must_use]
    pub const fn link_control(self) -> HtLinkControl {
        HtLinkControl::from_bits_retain(word::<0x04, 0x18>(self.bytes))
    }

    /// Link Configuration.
    #[must_use]
    pub const fn link_configuration(self) -> HtLinkConfiguration {
        HtLinkConfiguration::from_bits_retain(word::<0x06, 0x18>(self.bytes))
    }

    /// Revision ID.
    #[must_use]
    pub const fn revision(self) -> HtRevision {
        HtRevision::from_bits_retain(self.bytes[0x08])
    }

    /// Link Frequency/Error.
    #[must_use]
    pub const fn link_frequency_error(self) -> HtLinkFrequencyError {
        HtLinkFrequencyError::from_bits_retain(self.bytes[0x09])
    }

    /// Link Frequency Capability.
    #[must_use]
    pub const fn link_frequency_capability(self) -> HtLinkFrequencyCapability {
        HtLinkFrequencyCapability::from_bits_retain(word::<0x0a, 0x18>(self.bytes))
    }

    /// Feature Capability.
    #[must_use]
    pub const fn feature(self) -> HtHostFeature {
        HtHostFeature::from_bits_retain(word::<0x0c, 0x18>(self.bytes))
    }

    /// Enumeration Scratchpad.
    #[must_use]
    pub const fn enumeration_scratchpad(self) -> u16 {
        word::<0x10, 0x18>(self.bytes)
    }

    /// Error Handling.
    #[must_use]
    pub const fn error_handling(self) -> HtErrorHandling {
        HtErrorHandling::from_bits_retain(word::<0x12, 0x18>(self.bytes))
    }

    /// Memory Base Upper.
    #[must_use]
    pub const fn memory_base_upper(self) -> u8 {
        self.bytes[0x14]
    }

    /// Memory Limit Upper.
    #[must_use]
    pub const fn memory_limit_upper(self) -> u8 {
        self.bytes[0x15]
    }
}
