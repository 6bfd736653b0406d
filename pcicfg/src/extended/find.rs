//! Finding one capability in the extended list.

use super::{
    AccessControlServices, AddressTranslationServices, AdvancedErrorReporting, AlternativeRoutingId, CxlPort,
    DesignatedVendorSpecific, DeviceSerialNumber, DownstreamPortContainment, ExtendedCapabilityEntry,
    ExtendedCapabilityId, L1PmSubstates, LatencyToleranceReporting, PageRequestInterface, Pasid,
    PrecisionTimeMeasurement, ReadinessTimeReporting, ResizableBar, SrIov, TphRequester, VirtualChannel,
};
use crate::config_space::ConfigSpace;

impl<'a> ConfigSpace<'a> {
    /// The first extended capability of an id, if the list holds one before its end or its first
    /// defect.
    #[must_use]
    pub fn extended_capability(self, id: ExtendedCapabilityId) -> Option<ExtendedCapabilityEntry<'a>> {
        self.extended_capabilities().map_while(Result::ok).find(|entry| entry.id() == id)
    }

    /// Advanced Error Reporting (0001h); `None` if it is absent or cut off.
    #[must_use]
    pub fn advanced_error_reporting(self) -> Option<AdvancedErrorReporting<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::ADVANCED_ERROR_REPORTING)?;
        AdvancedErrorReporting::new(entry.bytes(), self, entry.offset()).ok()
    }

    /// Virtual Channel (0002h); `None` if it is absent or cut off. Devices with a
    /// Multi-Function one use the id 0009h for it, which is found here too.
    #[must_use]
    pub fn virtual_channel(self) -> Option<VirtualChannel<'a>> {
        let entry = self
            .extended_capability(ExtendedCapabilityId::VIRTUAL_CHANNEL)
            .or_else(|| self.extended_capability(ExtendedCapabilityId::VIRTUAL_CHANNEL_WITH_MFVC))?;
        VirtualChannel::new(entry.bytes(), entry.offset()).ok()
    }

    /// Device Serial Number (0003h); `None` if it is absent or cut off.
    #[must_use]
    pub fn device_serial_number(self) -> Option<DeviceSerialNumber<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::DEVICE_SERIAL_NUMBER)?;
        DeviceSerialNumber::new(entry.bytes(), entry.offset()).ok()
    }

    /// Multi-Function Virtual Channel (0008h); `None` if it is absent or cut off.
    #[must_use]
    pub fn multi_function_virtual_channel(self) -> Option<VirtualChannel<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::MULTI_FUNCTION_VIRTUAL_CHANNEL)?;
        VirtualChannel::new(entry.bytes(), entry.offset()).ok()
    }

    /// Access Control Services (000Dh); `None` if it is absent or cut off.
    #[must_use]
    pub fn access_control_services(self) -> Option<AccessControlServices<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::ACCESS_CONTROL_SERVICES)?;
        AccessControlServices::new(entry.bytes(), entry.offset(), self.header().id()).ok()
    }

    /// Alternative Routing-ID Interpretation (000Eh); `None` if it is absent or cut off.
    #[must_use]
    pub fn alternative_routing_id(self) -> Option<AlternativeRoutingId<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::ALTERNATIVE_ROUTING_ID)?;
        AlternativeRoutingId::new(entry.bytes(), entry.offset()).ok()
    }

    /// Address Translation Services (000Fh); `None` if it is absent or cut off.
    #[must_use]
    pub fn address_translation_services(self) -> Option<AddressTranslationServices<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::ADDRESS_TRANSLATION_SERVICES)?;
        AddressTranslationServices::new(entry.bytes(), entry.offset()).ok()
    }

    /// SR-IOV (0010h); `None` if it is absent or cut off.
    #[must_use]
    pub fn sr_iov(self) -> Option<SrIov<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::SR_IOV)?;
        SrIov::new(entry.bytes(), entry.offset()).ok()
    }

    /// Page Request Interface (0013h); `None` if it is absent or cut off.
    #[must_use]
    pub fn page_request_interface(self) -> Option<PageRequestInterface<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::PAGE_REQUEST_INTERFACE)?;
        PageRequestInterface::new(entry.bytes(), entry.offset()).ok()
    }

    /// Resizable BAR (0015h); `None` if it is absent or cut off.
    #[must_use]
    pub fn resizable_bar(self) -> Option<ResizableBar<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::RESIZABLE_BAR)?;
        ResizableBar::new(entry.bytes(), entry.offset()).ok()
    }

    /// TPH Requester (0017h); `None` if it is absent or cut off.
    #[must_use]
    pub fn tph_requester(self) -> Option<TphRequester<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::TPH_REQUESTER)?;
        TphRequester::new(entry.bytes(), entry.offset()).ok()
    }

    /// Latency Tolerance Reporting (0018h); `None` if it is absent or cut off.
    #[must_use]
    pub fn latency_tolerance_reporting(self) -> Option<LatencyToleranceReporting<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::LATENCY_TOLERANCE_REPORTING)?;
        LatencyToleranceReporting::new(entry.bytes(), entry.offset()).ok()
    }

    /// PASID (001Bh); `None` if it is absent or cut off.
    #[must_use]
    pub fn pasid(self) -> Option<Pasid<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::PASID)?;
        Pasid::new(entry.bytes(), entry.offset()).ok()
    }

    /// Downstream Port Containment (001Dh); `None` if it is absent or cut off.
    #[must_use]
    pub fn downstream_port_containment(self) -> Option<DownstreamPortContainment<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::DOWNSTREAM_PORT_CONTAINMENT)?;
        DownstreamPortContainment::new(entry.bytes(), entry.offset()).ok()
    }

    /// L1 PM Substates (001Eh); `None` if it is absent or cut off.
    #[must_use]
    pub fn l1_pm_substates(self) -> Option<L1PmSubstates<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::L1_PM_SUBSTATES)?;
        L1PmSubstates::new(entry.bytes(), entry.offset()).ok()
    }

    /// Precision Time Measurement (001Fh); `None` if it is absent or cut off.
    #[must_use]
    pub fn precision_time_measurement(self) -> Option<PrecisionTimeMeasurement<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::PRECISION_TIME_MEASUREMENT)?;
        PrecisionTimeMeasurement::new(entry.bytes(), entry.offset()).ok()
    }

    /// Readiness Time Reporting (0022h); `None` if it is absent or cut off.
    #[must_use]
    pub fn readiness_time_reporting(self) -> Option<ReadinessTimeReporting<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::READINESS_TIME_REPORTING)?;
        ReadinessTimeReporting::new(entry.bytes(), entry.offset()).ok()
    }

    /// VF Resizable BAR (0024h); `None` if it is absent or cut off.
    #[must_use]
    pub fn vf_resizable_bar(self) -> Option<ResizableBar<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::VF_RESIZABLE_BAR)?;
        ResizableBar::new(entry.bytes(), entry.offset()).ok()
    }

    /// The Designated Vendor-Specific capabilities (0023h), in the list's order, without what is cut off.
    pub fn designated_vendor_specific(
        self,
    ) -> impl Iterator<Item = DesignatedVendorSpecific<'a>> + Clone + use<'a> {
        self.extended_capabilities()
            .map_while(Result::ok)
            .filter(|entry| entry.id() == ExtendedCapabilityId::DESIGNATED_VENDOR_SPECIFIC)
            .filter_map(|entry| DesignatedVendorSpecific::new(entry.bytes(), entry.offset()).ok())
    }

    /// The registers of a CXL port; `None` for any other function.
    #[must_use]
    pub fn cxl_port(self) -> Option<CxlPort> {
        self.designated_vendor_specific().find_map(DesignatedVendorSpecific::cxl_port)
    }
}
