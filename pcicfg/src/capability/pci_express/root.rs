//! Root Control, Capabilities and Status.

use bitflags::bitflags;

bitflags! {
    /// Root Control, offset 1Ch (PCI Express Base 6.0, 7.5.3.12).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootControl: u16 {
        /// Correctable errors below raise a system error.
        const SYSTEM_ERROR_ON_CORRECTABLE_ERROR_ENABLE = 1 << 0;
        /// Non-fatal errors below raise a system error.
        const SYSTEM_ERROR_ON_NON_FATAL_ERROR_ENABLE = 1 << 1;
        /// Fatal errors below raise a system error.
        const SYSTEM_ERROR_ON_FATAL_ERROR_ENABLE = 1 << 2;
        /// PME messages interrupt.
        const PME_INTERRUPT_ENABLE = 1 << 3;
        /// A function below that is not ready yet reads Vendor ID 0001h (Request Retry Status) instead
        /// of stalling the read.
        const RRS_SOFTWARE_VISIBILITY_ENABLE = 1 << 4;
        /// No function below understands flit mode.
        const NO_NFM_SUBTREE_BELOW_THIS_ROOT_PORT = 1 << 5;
        const _ = !0;
    }

    /// Root Capabilities, offset 1Eh (PCI Express Base 6.0, 7.5.3.13).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootCapabilities: u16 {
        /// [`RootControl::RRS_SOFTWARE_VISIBILITY_ENABLE`] is implemented.
        const RRS_SOFTWARE_VISIBILITY_CAPABLE = 1 << 0;
        const _ = !0;
    }

    /// Root Status, offset 20h (PCI Express Base 6.0, 7.5.3.14).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootStatus: u32 {
        /// The function of PME Requester ID asserted PME; write 1 to clear.
        const PME_STATUS = 1 << 16;
        /// Another PME waits for this one to be cleared.
        const PME_PENDING = 1 << 17;
        const _ = !0;
    }
}

impl RootStatus {
    /// The routing id (bus, device, function) that asserted PME.
    #[must_use]
    pub const fn pme_requester_id(self) -> u16 {
        self.bits() as u16
    }
}
