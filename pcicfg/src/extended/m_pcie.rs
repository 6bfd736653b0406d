//! PCI Express over M-PHY (0020h) (PCI Express Base 3.1, 8.4 and 7.30; dropped in 5.0).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// M-PCIe Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MPcieCapabilities: u32 {
        /// High speed gear 1.
        const HS_G1 = 1 << 0;
        /// High speed gear 2.
        const HS_G2 = 1 << 1;
        /// The Configuration.Software state exists.
        const CONFIGURATION_SOFTWARE_SUPPORTED = 1 << 15;
        const _ = !0;
    }

    /// M-PCIe Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MPcieControl: u32 {
        const _ = !0;
    }

    /// M-PCIe Status, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MPcieStatus: u32 {
        /// The link is in Configuration.Software.
        const CONFIGURATION_SOFTWARE_STATUS = 1 << 15;
        const _ = !0;
    }

    /// M-PCIe Phy Control Address, offset 14h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MPciePhyControlAddress: u32 {
        /// A read is begun.
        const READ = 1 << 30;
        /// The port stays in Configuration.Software.
        const CONFIG = 1 << 31;
        const _ = !0;
    }

    /// M-PCIe Phy Control Data, offset 18h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MPciePhyControlData: u32 {
        /// Phy Control Error.
        const PHY_CONTROL_ERROR = 1 << 29;
        /// Rrap Abort.
        const RRAP_ABORT = 1 << 30;
        /// Phy Control Pending.
        const PHY_CONTROL_PENDING = 1 << 31;
        const _ = !0;
    }
}

impl MPcieCapabilities {
    /// Maximum TX LANE Width Capability: bit 0 for one lane, then 2, 4, 8, 12, 16, 32.
    #[must_use]
    pub const fn maximum_tx_lane_width(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// Maximum RX LANE Width Capability: bit 0 for one lane, then 2, 4, 8, 12, 16, 32.
    #[must_use]
    pub const fn maximum_rx_lane_width(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl MPcieControl {
    /// M-PCIe Target Link Speed Control: bit 0 for gear 1, bit 1 for gear 2.
    #[must_use]
    pub const fn target_link_speed(self) -> u8 {
        (self.bits() & 0x3) as u8
    }
}

impl MPcieStatus {
    /// M-PCIe Current Link Speed Status: bit 0 for gear 1, bit 1 for gear 2.
    #[must_use]
    pub const fn current_link_speed(self) -> u8 {
        (self.bits() & 0x3) as u8
    }

    /// TX LANE Width Status, in lanes.
    #[must_use]
    pub const fn tx_lane_width(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// RX LANE Width Status, in lanes.
    #[must_use]
    pub const fn rx_lane_width(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl MPciePhyControlAddress {
    /// LowerAddr.
    #[must_use]
    pub const fn lower_addr(self) -> u8 {
        (self.bits() & 0xff) as u8
    }

    /// UpperAddr.
    #[must_use]
    pub const fn upper_addr(self) -> u8 {
        (self.bits() >> 16 & 0x3f) as u8
    }

    /// Phy Location: 0 for this side, 1 for the other.
    #[must_use]
    pub const fn phy_location(self) -> u8 {
        (self.bits() >> 25 & 0x7) as u8
    }
}

impl MPciePhyControlData {
    /// Phy Register Data.
    #[must_use]
    pub const fn phy_register_data(self) -> u8 {
        (self.bits() & 0xff) as u8
    }
}

/// The PCI Express over M-PHY capability.
///
/// Where exactly Phy Location stands in its register is not confirmed.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x20, 0x00, 0x01, 0x00, 0x03, 0x80, 0x0f, 0x0f, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0x04, 0x02,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::MPcie(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.status().tx_lane_width(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MPcie<'a> {
    bytes: &'a [u8; 0x1c],
    offset: u16,
}

impl<'a> MPcie<'a> {
    /// Offset of M-PCIe Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of M-PCIe Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of M-PCIe Status from the capability's start.
    pub const STATUS: u16 = 0x0c;
    /// Offset of M-PCIe LANE Error Status from the capability's start.
    pub const LANE_ERROR_STATUS: u16 = 0x10;
    /// Offset of M-PCIe Phy Control Address from the capability's start.
    pub const PHY_CONTROL_ADDRESS: u16 = 0x14;
    /// Offset of M-PCIe Phy Control Data from the capability's start.
    pub const PHY_CONTROL_DATA: u16 = 0x18;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// M-PCIe Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> MPcieCapabilities {
        MPcieCapabilities::from_bits_retain(dword::<0x04, 0x1c>(self.bytes))
    }

    /// M-PCIe Control.
    #[must_use]
    pub const fn control(self) -> MPcieControl {
        MPcieControl::from_bits_retain(dword::<0x08, 0x1c>(self.bytes))
    }

    /// M-PCIe Status.
    #[must_use]
    pub const fn status(self) -> MPcieStatus {
        MPcieStatus::from_bits_retain(dword::<0x0c, 0x1c>(self.bytes))
    }

    /// M-PCIe LANE Error Status: one bit for each lane.
    #[must_use]
    pub const fn lane_error_status(self) -> u32 {
        dword::<0x10, 0x1c>(self.bytes)
    }

    /// M-PCIe Phy Control Address.
    #[must_use]
    pub const fn phy_control_address(self) -> MPciePhyControlAddress {
        MPciePhyControlAddress::from_bits_retain(dword::<0x14, 0x1c>(self.bytes))
    }

    /// M-PCIe Phy Control Data.
    #[must_use]
    pub const fn phy_control_data(self) -> MPciePhyControlData {
        MPciePhyControlData::from_bits_retain(dword::<0x18, 0x1c>(self.bytes))
    }
}
