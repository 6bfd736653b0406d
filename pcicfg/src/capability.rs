//! The capability list in the first 256 bytes: the walk, and what it finds.
//!
//! The walk follows the kernel's rules (`__pci_find_next_cap_ttl`): the list exists if Status says
//! so, a pointer's low two bits are ignored, a pointer below 40h or an id of ffh ends it. What the
//! kernel does with a counter is done here with a bitmap of the dwords already visited, so that a
//! loop is found at its first repetition.
//!
//! ```
//! use pcicfg::{ConfigSpace, capability::{CapabilityId, ChainDefect}};
//!
//! let mut bytes = [0; 256];
//! bytes[0x06] = 0x10; // Status: Capabilities List
//! bytes[0x34] = 0x40; // Capabilities Pointer
//! bytes[0x40..0x42].copy_from_slice(&[0x05, 0x50]); // MSI, the next is at 50h
//! bytes[0x50..0x52].copy_from_slice(&[0x01, 0x40]); // Power Management, and back to 40h
//!
//! let mut list = ConfigSpace::new(&bytes)?.capabilities();
//! assert_eq!(list.next().unwrap()?.id(), CapabilityId::MSI);
//! assert_eq!(list.next().unwrap()?.id(), CapabilityId::POWER_MANAGEMENT);
//! assert_eq!(list.next(), Some(Err(ChainDefect::Looped { holder: 0x51, pointer: 0x40 })));
//! assert_eq!(list.next(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | id | capability | view |
//! |----|------------|------|
//! | 00h | Null Capability | (has no registers) |
//! | 01h | PCI Power Management Interface | [`PowerManagement`] |
//! | 02h | AGP | [`Agp`] |
//! | 03h | VPD | [`VitalProductData`] |
//! | 04h | Slot Identification | [`SlotIdentification`] |
//! | 05h | Message Signaled Interrupts (MSI) | [`Msi`] |
//! | 06h | CompactPCI Hot Swap | [`CompactPciHotSwap`] |
//! | 07h | PCI-X | [`PciX`] or [`PciXBridge`] |
//! | 08h | HyperTransport | [`HyperTransport`] |
//! | 09h | Vendor Specific | [`VendorSpecific`], and [`Virtio`] or [`IntelCapabilities`] of it |
//! | 0Ah | Debug port | [`DebugPort`] |
//! | 0Bh | CompactPCI central resource control | [`CompactPciResourceControl`] |
//! | 0Ch | PCI Hot-Plug | [`HotPlug`] |
//! | 0Dh | PCI Bridge Subsystem Vendor ID | [`BridgeSubsystem`] |
//! | 0Eh | AGP 8x | [`Agp`] |
//! | 0Fh | Secure Device | [`SecureDevice`] |
//! | 10h | PCI Express | [`PciExpress`] |
//! | 11h | MSI-X | [`MsiX`] |
//! | 12h | Serial ATA Data/Index Configuration | [`Sata`] |
//! | 13h | Advanced Features (AF) | [`AdvancedFeatures`] |
//! | 14h | Enhanced Allocation | [`EnhancedAllocation`] |
//! | 15h | Flattening Portal Bridge | [`FlatteningPortalBridge`] |

mod advanced_features;
mod agp;
mod bridge_subsystem;
mod compact_pci;
mod debug_port;
mod enhanced_allocation;
mod find;
mod flattening_portal_bridge;
mod hot_plug;
mod hyper_transport;
mod hyper_transport_blocks;
mod hyper_transport_registers;
mod id;
mod intel;
mod msi;
mod msi_x;
mod pci_express;
mod pci_x;
mod power_management;
pub(crate) mod registers;
mod sata;
mod secure_device;
mod slot_identification;
mod vendor_specific;
mod virtio;
mod vital_product_data;
mod walk;

use crate::config_space::{ConfigSpace, Truncated};
use crate::header::HeaderType;
use core::iter::FusedIterator;

pub use advanced_features::{
    AdvancedFeatures, AdvancedFeaturesCapabilities, AdvancedFeaturesControl, AdvancedFeaturesStatus,
};
pub use agp::{Agp, AgpCommand, AgpStatus};
pub use bridge_subsystem::BridgeSubsystem;
pub use compact_pci::{CompactPciHotSwap, CompactPciResourceControl, HotSwapControlStatus};
pub use debug_port::{DebugPort, DebugPortLocation};
pub use enhanced_allocation::{
    BarEquivalent, EnhancedAllocation, EnhancedAllocationEntries, EnhancedAllocationEntry,
    EnhancedAllocationFlags, FixedBusNumbers, ResourceProperties,
};
pub use flattening_portal_bridge::{
    FlatteningPortalBridge, FpbCapabilities, FpbMemHighVectorControl1, FpbMemLowVectorControl,
    FpbRidVectorControl1, FpbRidVectorControl2, FpbVector, FpbVectorAccessControl,
};
pub use hot_plug::{HotPlug, HotPlugPending};
pub use hyper_transport::{HtCapabilityType, HtHostSecondary, HtSlavePrimary, HyperTransport};
pub use hyper_transport_blocks::{
    HtAddressMapping, HtDirectRoute, HtExtendedConfiguration, HtInterruptDiscovery, HtMsiMapping,
    HtRetryMode, HtRevisionId, HtSwitch, HtUnitIdClumping, HtVcSet,
};
pub use hyper_transport_registers::{
    HtAddressMapType, HtAddressMappingCommand, HtDirectRouteCommand, HtErrorHandling,
    HtExtendedConfigurationAddress, HtFeature, HtHostCommand, HtHostFeature, HtLinkConfiguration,
    HtLinkControl, HtLinkFrequencyCapability, HtLinkFrequencyError, HtLinkWidth, HtMsiMappingCommand,
    HtRetryControl, HtRetryStatus, HtRevision, HtSlaveCommand, HtSwitchCommand, HtSwitchInfo,
};
pub use id::CapabilityId;
pub use intel::{
    IntelCapabilities, IntelCapabilitiesA, IntelCapabilitiesB, IntelCapabilitiesC, IntelCapabilityType,
};
pub use msi::{Msi, MsiMessageControl};
pub use msi_x::{BarOffset, MsiX, MsiXMessageControl};
pub use pci_express::{
    Aspm, CrosslinkResolution, DeviceCapabilities, DeviceCapabilities2, DeviceControl, DeviceControl2,
    DevicePortType, DeviceStatus, DownstreamComponentPresence, DrsSignaling, EmergencyPowerReduction,
    Indicator, LinkCapabilities, LinkCapabilities2, LinkControl, LinkControl2, LinkSpeed, LinkSpeeds,
    LinkStatus, LinkStatus2, LinkWidth, LnSystemCls, ObffEnable, PciExpress, PciExpressCapabilities,
    RootCapabilities, RootControl, RootStatus, SlotCapabilities, SlotCapabilities2, SlotControl, SlotStatus,
};
pub use pci_x::{
    PciX, PciXBridge, PciXBridgeStatus, PciXBusMode, PciXCommand, PciXSecondaryStatus, PciXStatus,
    SplitTransactionControl,
};
pub use power_management::{
    BridgeSupportExtensions, PowerManagement, PowerManagementCapabilities, PowerManagementControlStatus,
    PowerManagementDatum, PowerState,
};
pub use sata::{Sata, SataBar, SataBarLocation, SataRevision};
pub use secure_device::{
    IommuBaseAddressLow, IommuCapabilityHeader, IommuMiscellaneousInformation0, IommuRange, SecureDevice,
};
pub use slot_identification::{ExpansionSlot, SlotIdentification};
pub use vendor_specific::VendorSpecific;
pub use virtio::{Virtio, VirtioStructure};
pub use vital_product_data::{VitalProductData, VpdAddressRegister};
pub(crate) use walk::{Stop, Walk};

/// Why a capability list ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainDefect {
    /// The pointer leads to a capability that was already visited.
    #[error("the capability list loops: the pointer at {holder:#05x} leads back to {pointer:#05x}")]
    Looped {
        /// Where the pointer stands.
        holder: u16,
        /// Where it leads.
        pointer: u16,
    },
    /// The pointer leads into the header (below 40h), or, in the extended list, below 100h.
    #[error(
        "the capability list is broken: the pointer at {holder:#05x} leads to {pointer:#05x}, which is no place for a capability"
    )]
    Below {
        /// Where the pointer stands.
        holder: u16,
        /// Where it leads.
        pointer: u16,
    },
    /// The capability's header reads as all-ones: no one answers there.
    #[error("the capability list is broken: the header at {pointer:#05x} reads all-ones")]
    AllOnes {
        /// Where the pointer stands.
        holder: u16,
        /// Where it leads.
        pointer: u16,
    },
    /// The pointer leads past what can be read.
    #[error("the capability list goes on at {pointer:#05x}, and only {size} bytes can be read")]
    Unreadable {
        /// Where the pointer stands.
        holder: u16,
        /// Where it leads.
        pointer: u16,
        /// How many bytes can be read.
        size: u16,
    },
}

/// A capability as the walk finds it: its id and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapabilityEntry<'a> {
    id: CapabilityId,
    offset: u16,
    space: ConfigSpace<'a>,
}

impl<'a> CapabilityEntry<'a> {
    /// The id.
    #[must_use]
    pub const fn id(self) -> CapabilityId {
        self.id
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// The bytes from the capability's first to the end of the readable 256.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        let bytes = self.space.bytes();
        let end = bytes.len().min(ConfigSpace::CONVENTIONAL);
        bytes.get(usize::from(self.offset)..end).unwrap_or_default()
    }

    /// The typed view.
    ///
    /// # Errors
    /// [`Truncated`] if the end of the readable bytes cuts the capability's registers off.
    #[inline]
    pub fn decode(self) -> Result<Capability<'a>, Truncated> {
        type Id = CapabilityId;
        type Typed<'a> = Capability<'a>;
        let (bytes, offset) = (self.bytes(), self.offset);
        let bridge = || self.space.header().header_type() == HeaderType::Bridge;
        Ok(match self.id {
            Id::POWER_MANAGEMENT => Typed::PowerManagement(PowerManagement::new(bytes, offset)?),
            Id::MSI => Typed::Msi(Msi::new(bytes, offset)?),
            Id::PCI_X if bridge() => Typed::PciXBridge(PciXBridge::new(bytes, offset)?),
            Id::PCI_X => Typed::PciX(PciX::new(bytes, offset)?),
            Id::VENDOR_SPECIFIC => {
                Typed::VendorSpecific(VendorSpecific::new(bytes, offset, self.space.header().id())?)
            }
            Id::BRIDGE_SUBSYSTEM_VENDOR_ID => Typed::BridgeSubsystem(BridgeSubsystem::new(bytes, offset)?),
            Id::PCI_EXPRESS => Typed::PciExpress(PciExpress::new(bytes, offset)?),
            Id::MSI_X => Typed::MsiX(MsiX::new(bytes, offset)?),
            Id::ADVANCED_FEATURES => Typed::AdvancedFeatures(AdvancedFeatures::new(bytes, offset)?),
            Id::ENHANCED_ALLOCATION => {
                Typed::EnhancedAllocation(EnhancedAllocation::new(bytes, offset, bridge())?)
            }
            Id::AGP | Id::AGP_8X => Typed::Agp(Agp::new(bytes, offset)?),
            Id::VITAL_PRODUCT_DATA => Typed::VitalProductData(VitalProductData::new(bytes, offset)?),
            Id::SLOT_IDENTIFICATION => Typed::SlotIdentification(SlotIdentification::new(bytes, offset)?),
            Id::COMPACT_PCI_HOT_SWAP => Typed::CompactPciHotSwap(CompactPciHotSwap::new(bytes, offset)?),
            Id::DEBUG_PORT => Typed::DebugPort(DebugPort::new(bytes, offset)?),
            Id::COMPACT_PCI_RESOURCE_CONTROL => {
                Typed::CompactPciResourceControl(CompactPciResourceControl::new(bytes, offset)?)
            }
            Id::HOT_PLUG => Typed::HotPlug(HotPlug::new(bytes, offset)?),
            Id::SECURE_DEVICE => Typed::SecureDevice(SecureDevice::new(bytes, offset)?),
            Id::SATA => Typed::Sata(Sata::new(bytes, offset)?),
            Id::FLATTENING_PORTAL_BRIDGE => {
                Typed::FlatteningPortalBridge(FlatteningPortalBridge::new(bytes, offset)?)
            }
            Id::HYPER_TRANSPORT => Typed::HyperTransport(HyperTransport::new(bytes, offset)?),
            _ => Typed::Other(self),
        })
    }
}

/// A capability with its registers' names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Capability<'a> {
    /// 01h.
    PowerManagement(PowerManagement<'a>),
    /// 02h and 0Eh.
    Agp(Agp<'a>),
    /// 03h.
    VitalProductData(VitalProductData<'a>),
    /// 04h.
    SlotIdentification(SlotIdentification<'a>),
    /// 05h.
    Msi(Msi<'a>),
    /// 06h.
    CompactPciHotSwap(CompactPciHotSwap<'a>),
    /// 07h, of a type 0 header.
    PciX(PciX<'a>),
    /// 07h, of a type 1 header.
    PciXBridge(PciXBridge<'a>),
    /// 08h.
    HyperTransport(HyperTransport<'a>),
    /// 09h.
    VendorSpecific(VendorSpecific<'a>),
    /// 0Ah.
    DebugPort(DebugPort<'a>),
    /// 0Bh.
    CompactPciResourceControl(CompactPciResourceControl<'a>),
    /// 0Ch.
    HotPlug(HotPlug<'a>),
    /// 0Dh.
    BridgeSubsystem(BridgeSubsystem<'a>),
    /// 0Fh.
    SecureDevice(SecureDevice<'a>),
    /// 10h.
    PciExpress(PciExpress<'a>),
    /// 11h.
    MsiX(MsiX<'a>),
    /// 12h.
    Sata(Sata<'a>),
    /// 13h.
    AdvancedFeatures(AdvancedFeatures<'a>),
    /// 14h.
    EnhancedAllocation(EnhancedAllocation<'a>),
    /// 15h.
    FlatteningPortalBridge(FlatteningPortalBridge<'a>),
    /// One that has no typed view.
    Other(CapabilityEntry<'a>),
}

/// The walk of the capability list; made by [`ConfigSpace::capabilities`].
///
/// It yields each capability once and, if the list is broken, one [`ChainDefect`] as the last item.
#[derive(Clone, Debug)]
pub struct Capabilities<'a> {
    space: ConfigSpace<'a>,
    walk: Walk,
}

impl<'a> Capabilities<'a> {
    pub(crate) fn new(space: ConfigSpace<'a>) -> Self {
        let header = space.header();
        let holder = Walk::pointer(header.header_type(), header.status()).unwrap_or(0);
        let next = if holder == 0 { 0 } else { space.read_u8(holder).unwrap_or(0) };
        Self { space, walk: Walk::new(holder, next) }
    }

    /// Where the pointer stands that is followed next, and how it reads.
    pub(crate) const fn next_pointer(&self) -> (u16, u16) {
        self.walk.next_pointer()
    }
}

impl<'a> Iterator for Capabilities<'a> {
    type Item = Result<CapabilityEntry<'a>, ChainDefect>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let space = self.space;
        Some(match self.walk.step(|offset| space.read_u16(offset).ok_or(()))? {
            Ok((id, offset)) => Ok(CapabilityEntry { id, offset, space }),
            Err(stop) => Err(stop.in_bytes(space.size())),
        })
    }
}

impl FusedIterator for Capabilities<'_> {}
