//! The extended capability list from 100h on: the walk, and what it finds.
//!
//! The rules are the kernel's (`pci_find_next_ext_capability`, `pci_ext_cfg_is_aliased`): zero or
//! all-ones at 100h is no list, nor is a mirror of the first 256 bytes; a header of zero ends
//! the list, as does a pointer below 100h; a pointer's low two bits are ignored.

mod access_control_services;
mod address_translation_services;
mod advanced_error_reporting;
mod alternative_routing_id;
mod device_serial_number;
mod downstream_port_containment;
mod find;
mod id;
mod l1_pm_substates;
mod latency_tolerance_reporting;
mod page_request_interface;
mod pasid;
mod precision_time_measurement;
mod readiness_time_reporting;
mod resizable_bar;
mod sr_iov;
mod tph_requester;
mod vendor_specific;
mod virtual_channel;

use crate::capability::ChainDefect;
use crate::config_space::{ConfigSpace, Truncated};

pub use access_control_services::{
    AccessControlServices, AcsCapability, AcsControl, MemoryTargetAccess, has_intel_acs_layout,
};
pub use address_translation_services::{AddressTranslationServices, AtsCapability, AtsControl};
pub use advanced_error_reporting::{
    AdvancedErrorControl, AdvancedErrorReporting, CorrectableErrors, ErrorSource, RootErrorCommand,
    RootErrorStatus, UncorrectableErrors,
};
pub use alternative_routing_id::{AlternativeRoutingId, AriCapability, AriControl};
pub use device_serial_number::{DeviceSerialNumber, SerialNumber};
pub use downstream_port_containment::{
    DownstreamPortContainment, DpcCapability, DpcControl, DpcStatus, DpcTriggerEnable, DpcTriggerReason,
    RootPortPioErrors,
};
pub use id::ExtendedCapabilityId;
pub use l1_pm_substates::{
    L1PmSubstates, L1PmSubstatesCapabilities, L1PmSubstatesControl1, L1PmSubstatesControl2,
};
pub use latency_tolerance_reporting::{LatencyToleranceReporting, MaxLatency};
pub use page_request_interface::{PageRequestControl, PageRequestInterface, PageRequestStatus};
pub use pasid::{Pasid, PasidCapability, PasidControl};
pub use precision_time_measurement::{ClockGranularity, PrecisionTimeMeasurement, PtmCapability, PtmControl};
pub use readiness_time_reporting::{ReadinessTime, ReadinessTimeReporting};
pub use resizable_bar::{ResizableBar, ResizableBarControl, ResizableBarEntry};
pub use sr_iov::{SrIov, SrIovCapabilities, SrIovControl, SrIovStatus};
pub use tph_requester::{SteeringTableLocation, TphCapability, TphControl, TphRequester};
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
    /// 0008h.
    MultiFunctionVirtualChannel(VirtualChannel<'a>),
    /// 000Bh.
    VendorSpecific(VendorSpecificExtended<'a>),
    /// 000Dh.
    AccessControlServices(AccessControlServices<'a>),
    /// 000Eh.
    AlternativeRoutingId(AlternativeRoutingId<'a>),
    /// 000Fh.
    AddressTranslationServices(AddressTranslationServices<'a>),
    /// 0010h.
    SrIov(SrIov<'a>),
    /// 0013h.
    PageRequestInterface(PageRequestInterface<'a>),
    /// 0015h.
    ResizableBar(ResizableBar<'a>),
    /// 0017h.
    TphRequester(TphRequester<'a>),
    /// 0018h.
    LatencyToleranceReporting(LatencyToleranceReporting<'a>),
    /// 001Bh.
    Pasid(Pasid<'a>),
    /// 001Dh.
    DownstreamPortContainment(DownstreamPortContainment<'a>),
    /// 001Eh.
    L1PmSubstates(L1PmSubstates<'a>),
    /// 001Fh.
    PrecisionTimeMeasurement(PrecisionTimeMeasurement<'a>),
    /// 0022h.
    ReadinessTimeReporting(ReadinessTimeReporting<'a>),
    /// 0023h.
    DesignatedVendorSpecific(DesignatedVendorSpecific<'a>),
    /// 0024h.
    VfResizableBar(ResizableBar<'a>),
    /// One that has no typed view.
    Other(ExtendedCapabilityEntry<'a>),
}

/// The walk of the extended capability list; made by [`ConfigSpace::extended_capabilities`].
///
/// It yields each capability once and, if the list is broken, one [`ChainDefect`] as the last item.
#[derive(Clone, Debug)]
pub struct ExtendedCapabilities<'a> {
    space: ConfigSpace<'a>,
    holder: u16,
    next: u16,
    /// One bit for each dword from 100h to fffh.
    visited: [u64; 15],
}

impl<'a> ExtendedCapabilities<'a> {
    const START: u16 = 0x100;

    pub(crate) fn new(space: ConfigSpace<'a>) -> Self {
        // All-ones or zero in the first header is the specification's way to say that there is no
        // list, no defect.
        let next = match space.read_u32(Self::START) {
            None | Some(0 | 0xffff_ffff) => 0,
            Some(header) if Self::is_aliased(space, header) => 0,
            Some(_) => Self::START,
        };
        Self { space, holder: 0, next, visited: [0; 15] }
    }

    /// Whether the bytes from 100h on are the first 256 over and over, as behind a bridge that ignores
    /// the upper address bits: then `header` is the function's own id (the kernel's
    /// `pci_ext_cfg_is_aliased`).
    fn is_aliased(space: ConfigSpace<'_>, header: u32) -> bool {
        header == space.header().id()
            && (Self::START..0x1000).step_by(0x100).map_while(|at| space.read_u32(at)).all(|id| id == header)
    }
}

impl<'a> Iterator for ExtendedCapabilities<'a> {
    type Item = Result<ExtendedCapabilityEntry<'a>, ChainDefect>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.next & 0xffc;
        if offset == 0 {
            return None;
        }
        let (holder, pointer) = (self.holder, offset);
        self.next = 0;
        if offset < Self::START {
            return Some(Err(ChainDefect::Below { holder, pointer }));
        }
        let index = usize::from(offset - Self::START) >> 2;
        let bit = 1u64 << (index & 63);
        let seen = self.visited.get_mut(index >> 6)?;
        if *seen & bit != 0 {
            return Some(Err(ChainDefect::Looped { holder, pointer }));
        }
        *seen |= bit;
        match self.space.read_u32(offset) {
            None => {
                let size = self.space.size() as u16;
                Some(Err(ChainDefect::Unreadable { holder, pointer, size }))
            }
            Some(0) => None,
            Some(0xffff_ffff) => Some(Err(ChainDefect::AllOnes { holder, pointer })),
            Some(header) => {
                self.holder = offset + 2;
                self.next = (header >> 20) as u16;
                Some(Ok(ExtendedCapabilityEntry {
                    id: ExtendedCapabilityId(header as u16),
                    version: (header >> 16) as u8 & 0xf,
                    offset,
                    space: self.space,
                }))
            }
        }
    }
}
