//! The extended capability list from 100h on: the walk, and what it finds.
//!
//! The rules are the kernel's (`pci_find_next_ext_capability`, `pci_ext_cfg_is_aliased`): zero or
//! all-ones at 100h is no list, nor is a mirror of the first 256 bytes; a header of zero ends
//! the list, as does a pointer below 100h; a pointer's low two bits are ignored.
//!
//! ```
//! use pcicfg::{ConfigSpace, extended::ExtendedCapabilityId};
//!
//! let mut bytes = [0; 4096];
//! bytes[0x100..0x104].copy_from_slice(&[0x03, 0x00, 0x01, 0x20]); // serial number, the next is at 200h
//! bytes[0x200..0x204].copy_from_slice(&[0x18, 0x00, 0x01, 0x00]); // LTR, the last
//!
//! let space = ConfigSpace::new(&bytes)?;
//! let ids = space.extended_capabilities().map(|entry| entry.map(|entry| entry.id()));
//! assert!(ids.eq([
//!     Ok(ExtendedCapabilityId::DEVICE_SERIAL_NUMBER),
//!     Ok(ExtendedCapabilityId::LATENCY_TOLERANCE_REPORTING),
//! ]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | id | capability | view |
//! |----|------------|------|
//! | 0000h | Null Capability | (has no registers) |
//! | 0001h | Advanced Error Reporting (AER) | [`AdvancedErrorReporting`] |
//! | 0002h | Virtual Channel (VC) | [`VirtualChannel`] |
//! | 0003h | Device Serial Number | [`DeviceSerialNumber`] |
//! | 0004h | Power Budgeting | [`PowerBudgeting`] |
//! | 0005h | Root Complex Link Declaration | [`RootComplexLinkDeclaration`] |
//! | 0006h | Root Complex Internal Link Control | [`RootComplexInternalLink`] |
//! | 0007h | Root Complex Event Collector Endpoint Association | [`EventCollectorAssociation`] |
//! | 0008h | Multi-Function Virtual Channel (MFVC) | [`VirtualChannel`] |
//! | 0009h | Virtual Channel (VC), with an MFVC capability beside it | [`VirtualChannel`] |
//! | 000Ah | Root Complex Register Block (RCRB) Header | [`RootComplexRegisterBlock`] |
//! | 000Bh | Vendor-Specific Extended Capability (VSEC) | [`VendorSpecificExtended`] |
//! | 000Ch | Configuration Access Correlation (CAC) | [`ConfigurationAccessCorrelation`] |
//! | 000Dh | Access Control Services (ACS) | [`AccessControlServices`] |
//! | 000Eh | Alternative Routing-ID Interpretation (ARI) | [`AlternativeRoutingId`] |
//! | 000Fh | Address Translation Services (ATS) | [`AddressTranslationServices`] |
//! | 0010h | Single Root I/O Virtualization (SR-IOV) | [`SrIov`] |
//! | 0011h | Multi-Root I/O Virtualization (MR-IOV) | [`MrIov`] |
//! | 0012h | Multicast | [`Multicast`] |
//! | 0013h | Page Request Interface (PRI) | [`PageRequestInterface`] |
//! | 0014h | Reserved for AMD | (no public layout) |
//! | 0015h | Resizable BAR | [`ResizableBar`] |
//! | 0016h | Dynamic Power Allocation (DPA) | [`DynamicPowerAllocation`] |
//! | 0017h | TPH Requester | [`TphRequester`] |
//! | 0018h | Latency Tolerance Reporting (LTR) | [`LatencyToleranceReporting`] |
//! | 0019h | Secondary PCI Express | [`SecondaryPciExpress`] |
//! | 001Ah | Protocol Multiplexing (PMUX) | [`ProtocolMultiplexing`] |
//! | 001Bh | Process Address Space ID (PASID) | [`Pasid`] |
//! | 001Ch | LN Requester (LNR) | [`LnRequester`] |
//! | 001Dh | Downstream Port Containment (DPC) | [`DownstreamPortContainment`] |
//! | 001Eh | L1 PM Substates | [`L1PmSubstates`] |
//! | 001Fh | Precision Time Measurement (PTM) | [`PrecisionTimeMeasurement`] |
//! | 0020h | PCI Express over M-PHY (M-PCIe) | [`MPcie`] |
//! | 0021h | FRS Queueing | [`FrsQueueing`] |
//! | 0022h | Readiness Time Reporting | [`ReadinessTimeReporting`] |
//! | 0023h | Designated Vendor-Specific Extended Capability (DVSEC) | [`DesignatedVendorSpecific`], and [`Cxl`] of it |
//! | 0024h | VF Resizable BAR | [`ResizableBar`] |
//! | 0025h | Data Link Feature | [`DataLinkFeature`] |
//! | 0026h | Physical Layer 16.0 GT/s | [`PhysicalLayer16`] |
//! | 0027h | Lane Margining at the Receiver | [`LaneMargining`] |
//! | 0028h | Hierarchy ID | [`HierarchyId`] |
//! | 0029h | Native PCIe Enclosure Management (NPEM) | [`EnclosureManagement`] |
//! | 002Ah | Physical Layer 32.0 GT/s | [`PhysicalLayer32`] |
//! | 002Bh | Alternate Protocol | [`AlternateProtocol`] |
//! | 002Ch | System Firmware Intermediary (SFI) | [`SystemFirmwareIntermediary`] |
//! | 002Dh | Shadow Functions | [`ShadowFunctions`] |
//! | 002Eh | Data Object Exchange (DOE) | [`DataObjectExchange`] |
//! | 002Fh | Device 3 | [`Device3`] |
//! | 0030h | Integrity and Data Encryption (IDE) | [`IntegrityAndDataEncryption`] |
//! | 0031h | Physical Layer 64.0 GT/s | [`PhysicalLayer64`] |
//! | 0032h | Flit Logging | [`FlitLogging`] |
//! | 0033h | Flit Performance Measurement | [`FlitPerformance`] |
//! | 0034h | Flit Error Injection | [`FlitErrorInjection`] |
//! | 0035h | Streamlined Virtual Channel (SVC) | [`StreamlinedVirtualChannel`] |
//! | 0036h | MMIO Register Block Locator (MRBL) | [`MmioRegisterBlockLocator`] |
//! | 0037h | NOP Flit | [`NopFlit`] |
//! | 0038h | Scalable I/O Virtualization (SIOV) | [`ScalableIoVirtualization`] |
//! | 0039h | Physical Layer 128.0 GT/s | [`PhysicalLayer128`] |
//! | 003Ah | Captured Data | [`CapturedData`] |

mod access_control_services;
mod address_translation_services;
mod advanced_error_reporting;
mod alternate_protocol;
mod alternative_routing_id;
mod captured_data;
mod cxl;
mod cxl_registers;
mod data_link_feature;
mod data_object_exchange;
mod device_3;
mod device_serial_number;
mod downstream_port_containment;
mod dynamic_power_allocation;
mod enclosure_management;
mod find;
mod flit_error_injection;
mod flit_logging;
mod flit_performance;
mod frs_queueing;
mod hierarchy_id;
mod id;
mod integrity_and_data_encryption;
mod l1_pm_substates;
mod lane_margining;
mod latency_tolerance_reporting;
mod ln_requester;
mod m_pcie;
mod mmio_register_block_locator;
mod mr_iov;
mod multicast;
mod nop_flit;
mod page_request_interface;
mod pasid;
mod physical_layer;
mod power_budgeting;
mod precision_time_measurement;
mod protocol_multiplexing;
mod readiness_time_reporting;
mod resizable_bar;
mod root_complex;
mod root_complex_link;
mod scalable_io_virtualization;
mod shadow_functions;
mod sr_iov;
mod streamlined_virtual_channel;
mod system_firmware_intermediary;
mod tph_requester;
mod vendor_specific;
mod virtual_channel;
pub(crate) mod walk;

use crate::capability::ChainDefect;
use crate::config_space::{ConfigSpace, Truncated};
use core::iter::FusedIterator;
use walk::{Found, Walk};

pub use access_control_services::{
    AccessControlServices, AcsCapability, AcsControl, MemoryTargetAccess, has_intel_acs_layout,
};
pub use address_translation_services::{AddressTranslationServices, AtsCapability, AtsControl};
pub use advanced_error_reporting::{
    AdvancedErrorControl, AdvancedErrorReporting, CorrectableErrors, ErrorSource, RootErrorCommand,
    RootErrorStatus, UncorrectableErrors,
};
pub use alternate_protocol::{
    AlternateProtocol, AlternateProtocolCapabilities, AlternateProtocolControl, AlternateProtocolData1,
    AlternateProtocolData2,
};
pub use alternative_routing_id::{AlternativeRoutingId, AriCapability, AriControl};
pub use captured_data::CapturedData;
pub use cxl::{
    Cxl, CxlDevice, CxlDeviceGpf, CxlFlexBusPort, CxlMultiLogicalDevice, CxlNonCxlFunctionMap,
    CxlPortExtensions, CxlPortGpf, CxlRange, CxlRegisterBlock, CxlRegisterBlockId, CxlRegisterLocator,
};
pub use cxl_registers::{
    CxlCapability, CxlCapability2, CxlCapability3, CxlControl, CxlControl2, CxlFlexBusCapability,
    CxlFlexBusControl, CxlFlexBusStatus, CxlGpfTime, CxlInterleave, CxlMediaType, CxlMemoryClass,
    CxlPortStatus, CxlRangeSizeLow, CxlStatus, CxlStatus2,
};
pub use data_link_feature::{DataLinkFeature, DataLinkFeatures};
pub use data_object_exchange::{DataObjectExchange, DoeCapabilities, DoeControl, DoeStatus};
pub use device_3::{Device3, DeviceCapabilities3, DeviceControl3, DeviceStatus3, TargetLinkWidth};
pub use device_serial_number::{DeviceSerialNumber, SerialNumber};
pub use downstream_port_containment::{
    DownstreamPortContainment, DpcCapability, DpcControl, DpcStatus, DpcTriggerEnable, DpcTriggerReason,
    RootPortPioErrors,
};
pub use dynamic_power_allocation::{DpaCapability, DpaControl, DpaStatus, DynamicPowerAllocation};
pub use enclosure_management::{EnclosureManagement, NpemIndicators};
pub use flit_error_injection::{
    FlitErrorInjection, FlitErrorInjectionControl1, FlitErrorInjectionControl2, FlitErrorInjectionStatus,
    FlitInjectionStatus, FlitType, OrderedSetErrorInjectionControl1, OrderedSetErrorInjectionControl2,
    OrderedSetErrorInjectionStatus,
};
pub use flit_logging::{
    FberMeasurementControl, FlitErrorCounterControl, FlitErrorCounterStatus, FlitErrorLog1, FlitErrorLog2,
    FlitLogging,
};
pub use flit_performance::FlitPerformance;
pub use frs_queueing::{
    FrsMessageQueue, FrsQueueing, FrsQueueingCapability, FrsQueueingControl, FrsQueueingStatus, FrsReason,
};
pub use hierarchy_id::{HierarchyId, HierarchyIdData, HierarchyIdStatus};
pub use id::ExtendedCapabilityId;
pub use integrity_and_data_encryption::{
    IdeAddressAssociation, IdeAggregation, IdeAlgorithm, IdeCapability, IdeControl, IdeLinkStream,
    IdeLinkStreams, IdeRidAssociation, IdeSelectiveStream, IdeSelectiveStreamCapability, IdeSelectiveStreams,
    IdeStreamControl, IdeStreamState, IdeStreamStatus, IntegrityAndDataEncryption, PartialHeaderEncryption,
};
pub use l1_pm_substates::{
    L1PmSubstates, L1PmSubstatesCapabilities, L1PmSubstatesControl1, L1PmSubstatesControl2,
};
pub use lane_margining::{
    LaneMargining, MarginType, MarginingLane, MarginingLaneControlStatus, MarginingPortCapabilities,
    MarginingPortStatus, MarginingReceiver,
};
pub use latency_tolerance_reporting::{LatencyToleranceReporting, MaxLatency};
pub use ln_requester::{LnRequester, LnrCapability, LnrControl};
pub use m_pcie::{
    MPcie, MPcieCapabilities, MPcieControl, MPciePhyControlAddress, MPciePhyControlData, MPcieStatus,
};
pub use mmio_register_block_locator::{
    MmioRegisterBlock, MmioRegisterBlockId, MmioRegisterBlockLocator, MrblCapabilities,
};
pub use mr_iov::MrIov;
pub use multicast::{
    Multicast, MulticastBaseAddress, MulticastCapability, MulticastControl, MulticastOverlay,
};
pub use nop_flit::NopFlit;
pub use page_request_interface::{PageRequestControl, PageRequestInterface, PageRequestStatus};
pub use pasid::{Pasid, PasidCapability, PasidControl};
pub use physical_layer::{
    AlternateProtocolNegotiation, EnhancedLinkBehavior, LaneEqualization, LaneEqualizationControl,
    LinkControl3, ModifiedTsData1, ModifiedTsData2, ModifiedTsUsageMode, PhysicalLayer16,
    PhysicalLayer16Status, PhysicalLayer32, PhysicalLayer32Capabilities, PhysicalLayer32Control,
    PhysicalLayer32Status, PhysicalLayer64, PhysicalLayer64Status, PhysicalLayer128,
    PhysicalLayer128Capabilities, SecondaryPciExpress,
};
pub use power_budgeting::{
    PowerBudgeting, PowerBudgetingCapability, PowerBudgetingData, PowerBudgetingPmState, PowerBudgetingRail,
    PowerBudgetingType,
};
pub use precision_time_measurement::{ClockGranularity, PrecisionTimeMeasurement, PtmCapability, PtmControl};
pub use protocol_multiplexing::{
    PmuxCapability, PmuxControl, PmuxProtocol, PmuxStatus, ProtocolMultiplexing,
};
pub use readiness_time_reporting::{ReadinessTime, ReadinessTimeReporting};
pub use resizable_bar::{ResizableBar, ResizableBarControl, ResizableBarEntry};
pub use root_complex::{
    AssociatedBusNumbers, ConfigurationAccessCorrelation, EventCollectorAssociation, RcrbCapabilities,
    RcrbControl, RootComplexRegisterBlock,
};
pub use root_complex_link::{
    ElementSelfDescription, RootComplexElementType, RootComplexInternalLink, RootComplexLinkAddress,
    RootComplexLinkCapabilities, RootComplexLinkControl, RootComplexLinkDeclaration,
    RootComplexLinkDescription, RootComplexLinkEntry, RootComplexLinkStatus,
};
pub use scalable_io_virtualization::ScalableIoVirtualization;
pub use shadow_functions::ShadowFunctions;
pub use sr_iov::{SrIov, SrIovCapabilities, SrIovControl, SrIovStatus};
pub use streamlined_virtual_channel::{StreamlinedVirtualChannel, SvcPortCapability1, SvcResource};
pub use system_firmware_intermediary::{SfiCapability, SfiControl, SystemFirmwareIntermediary};
pub use tph_requester::{
    SteeringTableLocation, SteeringTagMode, TphCapability, TphControl, TphRequester, TphRequesterEnable,
};
pub use vendor_specific::{CxlPort, CxlPortControl, DesignatedVendorSpecific, VendorSpecificExtended};
pub use virtual_channel::{
    ArbitrationTable, PortVcCapability1, PortVcCapability2, PortVcControl, PortVcStatus, VcResource,
    VcResourceCapability, VcResourceControl, VcResourceStatus, VirtualChannel,
};

/// An extended capability as the walk finds it: its id, version, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedCapabilityEntry<'a> {
    id: ExtendedCapabilityId,
    version: u8,
    offset: u16,
    space: ConfigSpace<'a>,
}

impl<'a> ExtendedCapabilityEntry<'a> {
    /// The id.
    #[must_use]
    pub const fn id(self) -> ExtendedCapabilityId {
        self.id
    }

    /// The capability version, 0 to 15.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.version
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// The bytes from the capability's first to the end of what can be read.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.space.bytes().get(usize::from(self.offset)..).unwrap_or_default()
    }

    /// The space that it is in.
    #[cfg(feature = "alloc")]
    pub(crate) const fn space(self) -> ConfigSpace<'a> {
        self.space
    }

    /// The typed view.
    ///
    /// # Errors
    /// [`Truncated`] if the end of the readable bytes cuts the capability's registers off.
    #[inline]
    pub fn decode(self) -> Result<ExtendedCapability<'a>, Truncated> {
        type Id = ExtendedCapabilityId;
        type Typed<'a> = ExtendedCapability<'a>;
        let (bytes, offset) = (self.bytes(), self.offset);
        Ok(match self.id {
            Id::ADVANCED_ERROR_REPORTING => {
                Typed::AdvancedErrorReporting(AdvancedErrorReporting::new(bytes, self.space, offset)?)
            }
            Id::VIRTUAL_CHANNEL | Id::VIRTUAL_CHANNEL_WITH_MFVC => {
                Typed::VirtualChannel(VirtualChannel::new(bytes, offset)?)
            }
            Id::DEVICE_SERIAL_NUMBER => Typed::DeviceSerialNumber(DeviceSerialNumber::new(bytes, offset)?),
            Id::MULTI_FUNCTION_VIRTUAL_CHANNEL => {
                Typed::MultiFunctionVirtualChannel(VirtualChannel::new(bytes, offset)?)
            }
            Id::VENDOR_SPECIFIC => Typed::VendorSpecific(VendorSpecificExtended::new(bytes, offset)?),
            Id::ACCESS_CONTROL_SERVICES => Typed::AccessControlServices(AccessControlServices::new(
                bytes,
                offset,
                self.space.header().id(),
            )?),
            Id::ALTERNATIVE_ROUTING_ID => {
                Typed::AlternativeRoutingId(AlternativeRoutingId::new(bytes, offset)?)
            }
            Id::ADDRESS_TRANSLATION_SERVICES => {
                Typed::AddressTranslationServices(AddressTranslationServices::new(bytes, offset)?)
            }
            Id::SR_IOV => Typed::SrIov(SrIov::new(bytes, offset)?),
            Id::PAGE_REQUEST_INTERFACE => {
                Typed::PageRequestInterface(PageRequestInterface::new(bytes, offset)?)
            }
            Id::RESIZABLE_BAR => Typed::ResizableBar(ResizableBar::new(bytes, offset)?),
            Id::TPH_REQUESTER => Typed::TphRequester(TphRequester::new(bytes, offset)?),
            Id::LATENCY_TOLERANCE_REPORTING => {
                Typed::LatencyToleranceReporting(LatencyToleranceReporting::new(bytes, offset)?)
            }
            Id::PASID => Typed::Pasid(Pasid::new(bytes, offset)?),
            Id::DOWNSTREAM_PORT_CONTAINMENT => {
                Typed::DownstreamPortContainment(DownstreamPortContainment::new(bytes, offset)?)
            }
            Id::L1_PM_SUBSTATES => Typed::L1PmSubstates(L1PmSubstates::new(bytes, offset)?),
            Id::PRECISION_TIME_MEASUREMENT => {
                Typed::PrecisionTimeMeasurement(PrecisionTimeMeasurement::new(bytes, offset)?)
            }
            Id::READINESS_TIME_REPORTING => {
                Typed::ReadinessTimeReporting(ReadinessTimeReporting::new(bytes, offset)?)
            }
            Id::DESIGNATED_VENDOR_SPECIFIC => {
                Typed::DesignatedVendorSpecific(DesignatedVendorSpecific::new(bytes, offset)?)
            }
            Id::VF_RESIZABLE_BAR => Typed::VfResizableBar(ResizableBar::new(bytes, offset)?),
            Id::POWER_BUDGETING => Typed::PowerBudgeting(PowerBudgeting::new(bytes, offset)?),
            Id::ROOT_COMPLEX_LINK_DECLARATION => {
                Typed::RootComplexLinkDeclaration(RootComplexLinkDeclaration::new(bytes, offset)?)
            }
            Id::ROOT_COMPLEX_INTERNAL_LINK_CONTROL => {
                Typed::RootComplexInternalLink(RootComplexInternalLink::new(bytes, offset)?)
            }
            Id::ROOT_COMPLEX_EVENT_COLLECTOR_ENDPOINT_ASSOCIATION => {
                Typed::EventCollectorAssociation(EventCollectorAssociation::new(bytes, offset)?)
            }
            Id::ROOT_COMPLEX_REGISTER_BLOCK => {
                Typed::RootComplexRegisterBlock(RootComplexRegisterBlock::new(bytes, offset)?)
            }
            Id::CONFIGURATION_ACCESS_CORRELATION => {
                Typed::ConfigurationAccessCorrelation(ConfigurationAccessCorrelation::new(bytes, offset)?)
            }
            Id::MR_IOV => Typed::MrIov(MrIov::new(bytes, offset)?),
            Id::MULTICAST => Typed::Multicast(Multicast::new(bytes, offset)?),
            Id::DYNAMIC_POWER_ALLOCATION => {
                Typed::DynamicPowerAllocation(DynamicPowerAllocation::new(bytes, offset)?)
            }
            Id::SECONDARY_PCI_EXPRESS => Typed::SecondaryPciExpress(SecondaryPciExpress::new(bytes, offset)?),
            Id::PROTOCOL_MULTIPLEXING => {
                Typed::ProtocolMultiplexing(ProtocolMultiplexing::new(bytes, offset)?)
            }
            Id::LN_REQUESTER => Typed::LnRequester(LnRequester::new(bytes, offset)?),
            Id::M_PCIE => Typed::MPcie(MPcie::new(bytes, offset)?),
            Id::FRS_QUEUEING => Typed::FrsQueueing(FrsQueueing::new(bytes, offset)?),
            Id::DATA_LINK_FEATURE => Typed::DataLinkFeature(DataLinkFeature::new(bytes, offset)?),
            Id::PHYSICAL_LAYER_16_GT => Typed::PhysicalLayer16(PhysicalLayer16::new(bytes, offset)?),
            Id::LANE_MARGINING_AT_THE_RECEIVER => Typed::LaneMargining(LaneMargining::new(bytes, offset)?),
            Id::HIERARCHY_ID => Typed::HierarchyId(HierarchyId::new(bytes, offset)?),
            Id::NATIVE_PCIE_ENCLOSURE_MANAGEMENT => {
                Typed::EnclosureManagement(EnclosureManagement::new(bytes, offset)?)
            }
            Id::PHYSICAL_LAYER_32_GT => Typed::PhysicalLayer32(PhysicalLayer32::new(bytes, offset)?),
            Id::ALTERNATE_PROTOCOL => Typed::AlternateProtocol(AlternateProtocol::new(bytes, offset)?),
            Id::SYSTEM_FIRMWARE_INTERMEDIARY => {
                Typed::SystemFirmwareIntermediary(SystemFirmwareIntermediary::new(bytes, offset)?)
            }
            Id::SHADOW_FUNCTIONS => Typed::ShadowFunctions(ShadowFunctions::new(bytes, offset)?),
            Id::DATA_OBJECT_EXCHANGE => Typed::DataObjectExchange(DataObjectExchange::new(bytes, offset)?),
            Id::DEVICE_3 => Typed::Device3(Device3::new(bytes, offset)?),
            Id::INTEGRITY_AND_DATA_ENCRYPTION => {
                Typed::IntegrityAndDataEncryption(IntegrityAndDataEncryption::new(bytes, offset)?)
            }
            Id::PHYSICAL_LAYER_64_GT => Typed::PhysicalLayer64(PhysicalLayer64::new(bytes, offset)?),
            Id::FLIT_LOGGING => Typed::FlitLogging(FlitLogging::new(bytes, offset)?),
            Id::FLIT_PERFORMANCE_MEASUREMENT => Typed::FlitPerformance(FlitPerformance::new(bytes, offset)?),
            Id::FLIT_ERROR_INJECTION => Typed::FlitErrorInjection(FlitErrorInjection::new(bytes, offset)?),
            Id::STREAMLINED_VIRTUAL_CHANNEL => {
                Typed::StreamlinedVirtualChannel(StreamlinedVirtualChannel::new(bytes, offset)?)
            }
            Id::MMIO_REGISTER_BLOCK_LOCATOR => {
                Typed::MmioRegisterBlockLocator(MmioRegisterBlockLocator::new(bytes, offset)?)
            }
            Id::NOP_FLIT => Typed::NopFlit(NopFlit::new(bytes, offset)?),
            Id::SCALABLE_IO_VIRTUALIZATION => {
                Typed::ScalableIoVirtualization(ScalableIoVirtualization::new(bytes, offset)?)
            }
            Id::PHYSICAL_LAYER_128_GT => Typed::PhysicalLayer128(PhysicalLayer128::new(bytes, offset)?),
            Id::CAPTURED_DATA => Typed::CapturedData(CapturedData::new(bytes, offset)?),
            _ => Typed::Other(self),
        })
    }
}

/// An extended capability with its registers' names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ExtendedCapability<'a> {
    /// 0001h.
    AdvancedErrorReporting(AdvancedErrorReporting<'a>),
    /// 0002h and 0009h.
    VirtualChannel(VirtualChannel<'a>),
    /// 0003h.
    DeviceSerialNumber(DeviceSerialNumber<'a>),
    /// 0004h.
    PowerBudgeting(PowerBudgeting<'a>),
    /// 0005h.
    RootComplexLinkDeclaration(RootComplexLinkDeclaration<'a>),
    /// 0006h.
    RootComplexInternalLink(RootComplexInternalLink<'a>),
    /// 0007h.
    EventCollectorAssociation(EventCollectorAssociation<'a>),
    /// 0008h.
    MultiFunctionVirtualChannel(VirtualChannel<'a>),
    /// 000Ah.
    RootComplexRegisterBlock(RootComplexRegisterBlock<'a>),
    /// 000Bh.
    VendorSpecific(VendorSpecificExtended<'a>),
    /// 000Ch.
    ConfigurationAccessCorrelation(ConfigurationAccessCorrelation<'a>),
    /// 000Dh.
    AccessControlServices(AccessControlServices<'a>),
    /// 000Eh.
    AlternativeRoutingId(AlternativeRoutingId<'a>),
    /// 000Fh.
    AddressTranslationServices(AddressTranslationServices<'a>),
    /// 0010h.
    SrIov(SrIov<'a>),
    /// 0011h.
    MrIov(MrIov<'a>),
    /// 0012h.
    Multicast(Multicast<'a>),
    /// 0013h.
    PageRequestInterface(PageRequestInterface<'a>),
    /// 0015h.
    ResizableBar(ResizableBar<'a>),
    /// 0016h.
    DynamicPowerAllocation(DynamicPowerAllocation<'a>),
    /// 0017h.
    TphRequester(TphRequester<'a>),
    /// 0018h.
    LatencyToleranceReporting(LatencyToleranceReporting<'a>),
    /// 0019h.
    SecondaryPciExpress(SecondaryPciExpress<'a>),
    /// 001Ah.
    ProtocolMultiplexing(ProtocolMultiplexing<'a>),
    /// 001Bh.
    Pasid(Pasid<'a>),
    /// 001Ch.
    LnRequester(LnRequester<'a>),
    /// 001Dh.
    DownstreamPortContainment(DownstreamPortContainment<'a>),
    /// 001Eh.
    L1PmSubstates(L1PmSubstates<'a>),
    /// 001Fh.
    PrecisionTimeMeasurement(PrecisionTimeMeasurement<'a>),
    /// 0020h.
    MPcie(MPcie<'a>),
    /// 0021h.
    FrsQueueing(FrsQueueing<'a>),
    /// 0022h.
    ReadinessTimeReporting(ReadinessTimeReporting<'a>),
    /// 0023h.
    DesignatedVendorSpecific(DesignatedVendorSpecific<'a>),
    /// 0024h.
    VfResizableBar(ResizableBar<'a>),
    /// 0025h.
    DataLinkFeature(DataLinkFeature<'a>),
    /// 0026h.
    PhysicalLayer16(PhysicalLayer16<'a>),
    /// 0027h.
    LaneMargining(LaneMargining<'a>),
    /// 0028h.
    HierarchyId(HierarchyId<'a>),
    /// 0029h.
    EnclosureManagement(EnclosureManagement<'a>),
    /// 002Ah.
    PhysicalLayer32(PhysicalLayer32<'a>),
    /// 002Bh.
    AlternateProtocol(AlternateProtocol<'a>),
    /// 002Ch.
    SystemFirmwareIntermediary(SystemFirmwareIntermediary<'a>),
    /// 002Dh.
    ShadowFunctions(ShadowFunctions<'a>),
    /// 002Eh.
    DataObjectExchange(DataObjectExchange<'a>),
    /// 002Fh.
    Device3(Device3<'a>),
    /// 0030h.
    IntegrityAndDataEncryption(IntegrityAndDataEncryption<'a>),
    /// 0031h.
    PhysicalLayer64(PhysicalLayer64<'a>),
    /// 0032h.
    FlitLogging(FlitLogging<'a>),
    /// 0033h.
    FlitPerformance(FlitPerformance<'a>),
    /// 0034h.
    FlitErrorInjection(FlitErrorInjection<'a>),
    /// 0035h.
    StreamlinedVirtualChannel(StreamlinedVirtualChannel<'a>),
    /// 0036h.
    MmioRegisterBlockLocator(MmioRegisterBlockLocator<'a>),
    /// 0037h.
    NopFlit(NopFlit<'a>),
    /// 0038h.
    ScalableIoVirtualization(ScalableIoVirtualization<'a>),
    /// 0039h.
    PhysicalLayer128(PhysicalLayer128<'a>),
    /// 003Ah.
    CapturedData(CapturedData<'a>),
    /// One that has no typed view.
    Other(ExtendedCapabilityEntry<'a>),
}

/// The walk of the extended capability list; made by [`ConfigSpace::extended_capabilities`].
///
/// It yields each capability once and, if the list is broken, one [`ChainDefect`] as the last item.
#[derive(Clone, Debug)]
pub struct ExtendedCapabilities<'a> {
    space: ConfigSpace<'a>,
    walk: Walk,
}

impl<'a> ExtendedCapabilities<'a> {
    pub(crate) fn new(space: ConfigSpace<'a>) -> Self {
        let exists = Self::exists(space) && !Self::aliases(space);
        Self { space, walk: if exists { Walk::new() } else { Walk::none() } }
    }

    fn exists(space: ConfigSpace<'_>) -> bool {
        space.read_u32(walk::START).is_some_and(walk::exists)
    }

    /// Whether there is an extended space, and it is the first 256 bytes over and over.
    pub(crate) fn aliases(space: ConfigSpace<'_>) -> bool {
        let id = space.header().id();
        Self::exists(space) && walk::copies().map_while(|at| space.read_u32(at)).all(|copy| copy == id)
    }

    /// Where the pointer stands that is followed next, and how it reads.
    pub(crate) const fn next_pointer(&self) -> (u16, u16) {
        self.walk.next_pointer()
    }
}

impl<'a> Iterator for ExtendedCapabilities<'a> {
    type Item = Result<ExtendedCapabilityEntry<'a>, ChainDefect>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let space = self.space;
        Some(match self.walk.step(|offset| space.read_u32(offset).ok_or(()))? {
            Ok(Found { id, version, offset }) => Ok(ExtendedCapabilityEntry { id, version, offset, space }),
            Err(stop) => Err(stop.in_bytes(space.size())),
        })
    }
}

impl FusedIterator for ExtendedCapabilities<'_> {}
