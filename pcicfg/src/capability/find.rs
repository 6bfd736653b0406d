//! Finding one capability in the list.

use super::{AdvancedFeatures, CapabilityEntry, CapabilityId, Msi, MsiX, PciExpress, PowerManagement};
use crate::config_space::ConfigSpace;

impl<'a> ConfigSpace<'a> {
    /// The first capability of an id, if the list holds one before its end or its first defect.
    #[must_use]
    pub fn capability(self, id: CapabilityId) -> Option<CapabilityEntry<'a>> {
        self.capabilities().map_while(Result::ok).find(|entry| entry.id() == id)
    }

    /// Power Management (01h); `None` if it is absent or cut off.
    #[must_use]
    pub fn power_management(self) -> Option<PowerManagement<'a>> {
        let entry = self.capability(CapabilityId::POWER_MANAGEMENT)?;
        PowerManagement::new(entry.bytes(), entry.offset()).ok()
    }

    /// Message Signaled Interrupts (05h); `None` if it is absent or cut off.
    #[must_use]
    pub fn msi(self) -> Option<Msi<'a>> {
        let entry = self.capability(CapabilityId::MSI)?;
        Msi::new(entry.bytes(), entry.offset()).ok()
    }

    /// MSI-X (11h); `None` if it is absent or cut off.
    #[must_use]
    pub fn msi_x(self) -> Option<MsiX<'a>> {
        let entry = self.capability(CapabilityId::MSI_X)?;
        MsiX::new(entry.bytes(), entry.offset()).ok()
    }

    /// PCI Express (10h); `None` if it is absent or cut off.
    #[must_use]
    pub fn pci_express(self) -> Option<PciExpress<'a>> {
        let entry = self.capability(CapabilityId::PCI_EXPRESS)?;
        PciExpress::new(entry.bytes(), entry.offset()).ok()
    }

    /// Advanced Features (13h); `None` if it is absent or cut off.
    #[must_use]
    pub fn advanced_features(self) -> Option<AdvancedFeatures<'a>> {
        let entry = self.capability(CapabilityId::ADVANCED_FEATURES)?;
        AdvancedFeatures::new(entry.bytes(), entry.offset()).ok()
    }
}
