//! The capability list in the first 256 bytes: the walk, and what it finds.
//!
//! The walk follows the kernel's rules (`__pci_find_next_cap_ttl`): the list exists if Status says
//! so, a pointer's low two bits are ignored, a pointer below 40h or an id of ffh ends it. What the
//! kernel does with a counter is done here with a bitmap of the dwords already visited, so that a
//! loop is found at its first repetition.

mod advanced_features;
mod bridge_subsystem;
mod enhanced_allocation;
mod find;
mod id;
mod msi;
mod msi_x;
mod pci_express;
mod pci_x;
mod power_management;
pub(crate) mod registers;
mod vendor_specific;

use crate::config_space::{ConfigSpace, Truncated};
use crate::header::{HeaderType, Status};

pub use advanced_features::{
    AdvancedFeatures, AdvancedFeaturesCapabilities, AdvancedFeaturesControl, AdvancedFeaturesStatus,
};
pub use bridge_subsystem::BridgeSubsystem;
pub use enhanced_allocation::{
    BarEquivalent, EnhancedAllocation, EnhancedAllocationEntries, EnhancedAllocationEntry,
    EnhancedAllocationFlags, FixedBusNumbers, ResourceProperties,
};
pub use id::CapabilityId;
pub use msi::{Msi, MsiMessageControl};
pub use msi_x::{BarOffset, MsiX, MsiXMessageControl};
pub use pci_express::{
    Aspm, DeviceCapabilities, DeviceCapabilities2, DeviceControl, DeviceControl2, DevicePortType,
    DeviceStatus, DownstreamComponentPresence, DrsSignaling, Indicator, LinkCapabilities, LinkCapabilities2,
    LinkControl, LinkControl2, LinkSpeed, LinkStatus, LinkStatus2, LinkWidth, ObffEnable, PciExpress,
    PciExpressCapabilities, RootCapabilities, RootControl, RootStatus, SlotCapabilities, SlotCapabilities2,
    SlotControl, SlotStatus,
};
pub use pci_x::{
    PciX, PciXBridge, PciXBridgeStatus, PciXCommand, PciXSecondaryStatus, PciXStatus, SplitTransactionControl,
};
pub use power_management::{
    BridgeSupportExtensions, PowerManagement, PowerManagementCapabilities, PowerManagementControlStatus,
    PowerState,
};
pub use vendor_specific::VendorSpecific;

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
            Id::VENDOR_SPECIFIC => Typed::VendorSpecific(VendorSpecific::new(bytes, offset)?),
            Id::BRIDGE_SUBSYSTEM_VENDOR_ID => Typed::BridgeSubsystem(BridgeSubsystem::new(bytes, offset)?),
            Id::PCI_EXPRESS => Typed::PciExpress(PciExpress::new(bytes, offset)?),
            Id::MSI_X => Typed::MsiX(MsiX::new(bytes, offset)?),
            Id::ADVANCED_FEATURES => Typed::AdvancedFeatures(AdvancedFeatures::new(bytes, offset)?),
            Id::ENHANCED_ALLOCATION => {
                Typed::EnhancedAllocation(EnhancedAllocation::new(bytes, offset, bridge())?)
            }
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
    /// 05h.
    Msi(Msi<'a>),
    /// 07h, of a type 0 header.
    PciX(PciX<'a>),
    /// 07h, of a type 1 header.
    PciXBridge(PciXBridge<'a>),
    /// 09h.
    VendorSpecific(VendorSpecific<'a>),
    /// 0Dh.
    BridgeSubsystem(BridgeSubsystem<'a>),
    /// 10h.
    PciExpress(PciExpress<'a>),
    /// 11h.
    MsiX(MsiX<'a>),
    /// 13h.
    AdvancedFeatures(AdvancedFeatures<'a>),
    /// 14h.
    EnhancedAllocation(EnhancedAllocation<'a>),
    /// One that has no typed view.
    Other(CapabilityEntry<'a>),
}

/// The walk of the capability list; made by [`ConfigSpace::capabilities`].
///
/// It yields each capability once and, if the list is broken, one [`ChainDefect`] as the last item.
#[derive(Clone, Debug)]
pub struct Capabilities<'a> {
    space: ConfigSpace<'a>,
    holder: u16,
    next: u8,
    /// One bit for each dword of the first 256 bytes.
    visited: u64,
}

impl<'a> Capabilities<'a> {
    pub(crate) fn new(space: ConfigSpace<'a>) -> Self {
        let header = space.header();
        let holder = match header.header_type() {
            HeaderType::Endpoint | HeaderType::Bridge => 0x34,
            HeaderType::CardBus => 0x14,
            HeaderType::Unknown(_) => 0,
        };
        let next = if holder != 0 && header.status().contains(Status::CAPABILITIES_LIST) {
            space.read_u8(holder).unwrap_or(0)
        } else {
            0
        };
        Self { space, holder, next, visited: 0 }
    }
}

impl<'a> Iterator for Capabilities<'a> {
    type Item = Result<CapabilityEntry<'a>, ChainDefect>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let offset = u16::from(self.next & !3);
        if offset == 0 {
            return None;
        }
        let (holder, pointer) = (self.holder, offset);
        self.next = 0;
        if offset < 0x40 {
            return Some(Err(ChainDefect::Below { holder, pointer }));
        }
        let bit = 1u64 << (offset >> 2);
        if self.visited & bit != 0 {
            return Some(Err(ChainDefect::Looped { holder, pointer }));
        }
        self.visited |= bit;
        let Some(header) = self.space.read_u16(offset) else {
            let size = self.space.size() as u16;
            return Some(Err(ChainDefect::Unreadable { holder, pointer, size }));
        };
        let id = CapabilityId(header as u8);
        if id.0 == 0xff {
            return Some(Err(ChainDefect::AllOnes { holder, pointer }));
        }
        self.holder = offset + 1;
        self.next = (header >> 8) as u8;
        Some(Ok(CapabilityEntry { id, offset, space: self.space }))
    }
}
