//! Finding one capability in the extended list.

use super::{
    AccessControlServices, AdvancedErrorReporting, DownstreamPortContainment, ExtendedCapabilityEntry,
    ExtendedCapabilityId, L1PmSubstates, LatencyToleranceReporting, ResizableBar, SrIov,
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

    /// Access Control Services (000Dh); `None` if it is absent or cut off.
    #[must_use]
    pub fn access_control_services(self) -> Option<AccessControlServices<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::ACCESS_CONTROL_SERVICES)?;
        AccessControlServices::new(entry.bytes(), entry.offset(), self.header().id()).ok()
    }

    /// SR-IOV (0010h); `None` if it is absent or cut off.
    #[must_use]
    pub fn sr_iov(self) -> Option<SrIov<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::SR_IOV)?;
        SrIov::new(entry.bytes(), entry.offset()).ok()
    }

    /// Resizable BAR (0015h); `None` if it is absent or cut off.
    #[must_use]
    pub fn resizable_bar(self) -> Option<ResizableBar<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::RESIZABLE_BAR)?;
        ResizableBar::new(entry.bytes(), entry.offset()).ok()
    }

    /// Latency Tolerance Reporting (0018h); `None` if it is absent or cut off.
    #[must_use]
    pub fn latency_tolerance_reporting(self) -> Option<LatencyToleranceReporting<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::LATENCY_TOLERANCE_REPORTING)?;
        LatencyToleranceReporting::new(entry.bytes(), entry.offset()).ok()
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

    /// VF Resizable BAR (0024h); `None` if it is absent or cut off.
    #[must_use]
    pub fn vf_resizable_bar(self) -> Option<ResizableBar<'a>> {
        let entry = self.extended_capability(ExtendedCapabilityId::VF_RESIZABLE_BAR)?;
        ResizableBar::new(entry.bytes(), entry.offset()).ok()
    }
}
