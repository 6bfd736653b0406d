//! Advanced Features (13h): Function Level Reset for conventional functions (PCI Express Base 6.0,
//! 7.9.21; Advanced Capabilities for Conventional PCI ECN).

use crate::config_space::{Truncated, fixed};
use bitflags::bitflags;

bitflags! {
    /// AF Capabilities, offset 3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AdvancedFeaturesCapabilities: u8 {
        /// Transactions Pending is implemented.
        const TRANSACTIONS_PENDING = 1 << 0;
        /// Function Level Reset is implemented.
        const FUNCTION_LEVEL_RESET = 1 << 1;
        const _ = !0;
    }

    /// AF Control, offset 4.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AdvancedFeaturesControl: u8 {
        /// Writing 1 begins a Function Level Reset; reads 0.
        const INITIATE_FUNCTION_LEVEL_RESET = 1 << 0;
        const _ = !0;
    }

    /// AF Status, offset 5.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AdvancedFeaturesStatus: u8 {
        /// Non-posted requests of the function are not completed yet.
        const TRANSACTIONS_PENDING = 1 << 0;
        const _ = !0;
    }
}

/// The Advanced Features capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x13, 0x00, 0x06, 0x03, 0x00, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::AdvancedFeatures(features) = entry.decode()? else { panic!() };
/// assert!(features.function_level_reset_capable());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvancedFeatures<'a> {
    bytes: &'a [u8; 6],
    offset: u16,
}

impl<'a> AdvancedFeatures<'a> {
    /// Offset of AF Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 3;
    /// Offset of AF Control from the capability's start.
    pub const CONTROL: u16 = 4;
    /// Offset of AF Status from the capability's start.
    pub const STATUS: u16 = 5;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// The capability's length in bytes, as it says itself: 6.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.bytes[2]
    }

    /// AF Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> AdvancedFeaturesCapabilities {
        AdvancedFeaturesCapabilities::from_bits_retain(self.bytes[3])
    }

    /// AF Control.
    #[must_use]
    pub const fn control(self) -> AdvancedFeaturesControl {
        AdvancedFeaturesControl::from_bits_retain(self.bytes[4])
    }

    /// AF Status.
    #[must_use]
    pub const fn status(self) -> AdvancedFeaturesStatus {
        AdvancedFeaturesStatus::from_bits_retain(self.bytes[5])
    }

    /// Whether Function Level Reset can be done and its end be known; the kernel asks for both bits
    /// (`pcie_af_flr`).
    #[must_use]
    pub const fn function_level_reset_capable(self) -> bool {
        self.capabilities().contains(
            AdvancedFeaturesCapabilities::TRANSACTIONS_PENDING
                .union(AdvancedFeaturesCapabilities::FUNCTION_LEVEL_RESET),
        )
    }

    /// Whether requests of the function wait for their completion.
    #[must_use]
    pub const fn transactions_pending(self) -> bool {
        self.status().contains(AdvancedFeaturesStatus::TRANSACTIONS_PENDING)
    }
}
