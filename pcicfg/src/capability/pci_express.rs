//! PCI Express (10h): what makes a function a PCI Express one (PCI Express Base 6.0, 7.5.3).
//!
//! Not every function has every register. Which exist follows from the capability's version, the
//! device or port type and Slot Implemented; the rules are the kernel's (`pcie_cap_has_lnkctl`,
//! `pcie_cap_has_sltctl`, `pcie_cap_has_rtctl`), which are the specification's. An accessor gives
//! `None` for a register that does not exist or that the readable bytes do not reach.

mod device;
mod link;
mod root;
mod slot;
mod speed;

use super::registers::{dword_at, word_at};
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

pub use device::{
    DeviceCapabilities, DeviceCapabilities2, DeviceControl, DeviceControl2, DeviceStatus,
    EmergencyPowerReduction, LnSystemCls, ObffEnable,
};
pub use link::{
    Aspm, CrosslinkResolution, DownstreamComponentPresence, DrsSignaling, LinkCapabilities,
    LinkCapabilities2, LinkControl, LinkControl2, LinkStatus, LinkStatus2,
};
pub use root::{RootCapabilities, RootControl, RootStatus};
pub use slot::{Indicator, SlotCapabilities, SlotCapabilities2, SlotControl, SlotStatus};
pub use speed::{LinkSpeed, LinkSpeeds, LinkWidth};

/// What a PCI Express function is, in its hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DevicePortType {
    /// 0: PCI Express endpoint.
    Endpoint,
    /// 1: legacy PCI Express endpoint.
    LegacyEndpoint,
    /// 4: root port of a root complex.
    RootPort,
    /// 5: upstream port of a switch.
    UpstreamPort,
    /// 6: downstream port of a switch.
    DownstreamPort,
    /// 7: PCI Express to PCI or PCI-X bridge.
    PciExpressToPciBridge,
    /// 8: PCI or PCI-X to PCI Express bridge.
    PciToPciExpressBridge,
    /// 9: root complex integrated endpoint.
    RootComplexIntegratedEndpoint,
    /// 10: root complex event collector.
    RootComplexEventCollector,
    /// One of the codes without a meaning.
    Reserved(u8),
}

impl DevicePortType {
    /// The type that a four-bit field means.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code & 0xf {
            0 => Self::Endpoint,
            1 => Self::LegacyEndpoint,
            4 => Self::RootPort,
            5 => Self::UpstreamPort,
            6 => Self::DownstreamPort,
            7 => Self::PciExpressToPciBridge,
            8 => Self::PciToPciExpressBridge,
            9 => Self::RootComplexIntegratedEndpoint,
            10 => Self::RootComplexEventCollector,
            other => Self::Reserved(other),
        }
    }

    /// The specification's words for it; `None` for a reserved code.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Endpoint => "endpoint",
            Self::LegacyEndpoint => "legacy endpoint",
            Self::RootPort => "root port",
            Self::UpstreamPort => "upstream port of a switch",
            Self::DownstreamPort => "downstream port of a switch",
            Self::PciExpressToPciBridge => "PCI Express to PCI bridge",
            Self::PciToPciExpressBridge => "PCI to PCI Express bridge",
            Self::RootComplexIntegratedEndpoint => "root complex integrated endpoint",
            Self::RootComplexEventCollector => "root complex event collector",
            Self::Reserved(_) => return None,
        })
    }

    /// Whether the function has a link of its own.
    #[must_use]
    pub const fn has_link(self) -> bool {
        !matches!(
            self,
            Self::RootComplexIntegratedEndpoint | Self::RootComplexEventCollector | Self::Reserved(_)
        )
    }

    /// Whether the function is the upper end of a PCI Express link, and so resets what is below it.
    #[must_use]
    pub const fn is_downstream_port(self) -> bool {
        matches!(self, Self::RootPort | Self::DownstreamPort | Self::PciToPciExpressBridge)
    }

    /// Whether the function collects errors and power management events.
    #[must_use]
    pub const fn is_root(self) -> bool {
        matches!(self, Self::RootPort | Self::RootComplexEventCollector)
    }
}

bitflags! {
    /// PCI Express Capabilities, offset 02h (PCI Express Base 6.0, 7.5.3.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PciExpressCapabilities: u16 {
        /// The link below leads to a slot, not to a soldered component.
        const SLOT_IMPLEMENTED = 1 << 8;
        /// The port can run in flit mode.
        const FLIT_MODE_SUPPORTED = 1 << 15;
        const _ = !0;
    }
}

impl PciExpressCapabilities {
    /// The version of the capability's structure: 1, or 2 since PCI Express 2.0.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.bits() as u8 & 0xf
    }

    /// What the function is.
    #[must_use]
    pub const fn device_port_type(self) -> DevicePortType {
        DevicePortType::from_code(self.bits() as u8 >> 4)
    }

    /// Which MSI or MSI-X vector carries the capability's interrupts, 0 to 31.
    #[must_use]
    pub const fn interrupt_message_number(self) -> u8 {
        (self.bits() >> 9 & 0x1f) as u8
    }
}

/// The PCI Express capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x10, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x10,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::PciExpress(express) = entry.decode()? else { panic!() };
/// assert!(express.function_level_reset_capable());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciExpress<'a> {
    /// The registers up to Device Status, which every function has.
    fixed: &'a [u8; 12],
    /// As much of the sixty bytes as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> PciExpress<'a> {
    /// Offset of PCI Express Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x02;
    /// Offset of Device Capabilities from the capability's start.
    pub const DEVICE_CAPABILITIES: u16 = 0x04;
    /// Offset of Device Control from the capability's start.
    pub const DEVICE_CONTROL: u16 = 0x08;
    /// Offset of Device Status from the capability's start.
    pub const DEVICE_STATUS: u16 = 0x0a;
    /// Offset of Link Capabilities from the capability's start.
    pub const LINK_CAPABILITIES: u16 = 0x0c;
    /// Offset of Link Control from the capability's start.
    pub const LINK_CONTROL: u16 = 0x10;
    /// Offset of Link Status from the capability's start.
    pub const LINK_STATUS: u16 = 0x12;
    /// Offset of Slot Capabilities from the capability's start.
    pub const SLOT_CAPABILITIES: u16 = 0x14;
    /// Offset of Slot Control from the capability's start.
    pub const SLOT_CONTROL: u16 = 0x18;
    /// Offset of Slot Status from the capability's start.
    pub const SLOT_STATUS: u16 = 0x1a;
    /// Offset of Root Control from the capability's start.
    pub const ROOT_CONTROL: u16 = 0x1c;
    /// Offset of Root Capabilities from the capability's start.
    pub const ROOT_CAPABILITIES: u16 = 0x1e;
    /// Offset of Root Status from the capability's start.
    pub const ROOT_STATUS: u16 = 0x20;
    /// Offset of Device Capabilities 2 from the capability's start.
    pub const DEVICE_CAPABILITIES_2: u16 = 0x24;
    /// Offset of Device Control 2 from the capability's start.
    pub const DEVICE_CONTROL_2: u16 = 0x28;
    /// Offset of Device Status 2 from the capability's start.
    pub const DEVICE_STATUS_2: u16 = 0x2a;
    /// Offset of Link Capabilities 2 from the capability's start.
    pub const LINK_CAPABILITIES_2: u16 = 0x2c;
    /// Offset of Link Control 2 from the capability's start.
    pub const LINK_CONTROL_2: u16 = 0x30;
    /// Offset of Link Status 2 from the capability's start.
    pub const LINK_STATUS_2: u16 = 0x32;
    /// Offset of Slot Capabilities 2 from the capability's start.
    pub const SLOT_CAPABILITIES_2: u16 = 0x34;
    /// Offset of Slot Control 2 from the capability's start.
    pub const SLOT_CONTROL_2: u16 = 0x38;
    /// Offset of Slot Status 2 from the capability's start.
    pub const SLOT_STATUS_2: u16 = 0x3a;
    /// How many bytes a capability of version 2 takes; the longest there is.
    pub const SIZE: u16 = 0x3c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self {
            fixed: fixed(bytes, offset)?,
            bytes: bytes.get(..usize::from(Self::SIZE)).unwrap_or(bytes),
            offset,
        })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// PCI Express Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> PciExpressCapabilities {
        PciExpressCapabilities::from_bits_retain(word::<0x02, 12>(self.fixed))
    }

    /// What the function is.
    #[must_use]
    pub const fn device_port_type(self) -> DevicePortType {
        self.capabilities().device_port_type()
    }

    /// Whether the link below leads to a slot.
    #[must_use]
    pub const fn slot_implemented(self) -> bool {
        self.capabilities().contains(PciExpressCapabilities::SLOT_IMPLEMENTED)
    }

    /// Device Capabilities.
    #[must_use]
    pub const fn device_capabilities(self) -> DeviceCapabilities {
        DeviceCapabilities::from_bits_retain(dword::<0x04, 12>(self.fixed))
    }

    /// Device Control.
    #[must_use]
    pub const fn device_control(self) -> DeviceControl {
        DeviceControl::from_bits_retain(word::<0x08, 12>(self.fixed))
    }

    /// Device Status.
    #[must_use]
    pub const fn device_status(self) -> DeviceStatus {
        DeviceStatus::from_bits_retain(word::<0x0a, 12>(self.fixed))
    }

    /// Link Capabilities; functions with a link have it.
    #[must_use]
    pub fn link_capabilities(self) -> Option<LinkCapabilities> {
        if self.has_link() {
            dword_at(self.bytes, Self::LINK_CAPABILITIES).map(LinkCapabilities::from_bits_retain)
        } else {
            None
        }
    }

    /// Link Control; functions with a link have it.
    #[must_use]
    pub fn link_control(self) -> Option<LinkControl> {
        if self.has_link() {
            word_at(self.bytes, Self::LINK_CONTROL).map(LinkControl::from_bits_retain)
        } else {
            None
        }
    }

    /// Link Status; functions with a link have it.
    #[must_use]
    pub fn link_status(self) -> Option<LinkStatus> {
        if self.has_link() {
            word_at(self.bytes, Self::LINK_STATUS).map(LinkStatus::from_bits_retain)
        } else {
            None
        }
    }

    /// Slot Capabilities; downstream ports with a slot have it.
    #[must_use]
    pub fn slot_capabilities(self) -> Option<SlotCapabilities> {
        if self.has_slot() {
            dword_at(self.bytes, Self::SLOT_CAPABILITIES).map(SlotCapabilities::from_bits_retain)
        } else {
            None
        }
    }

    /// Slot Control; downstream ports with a slot have it.
    #[must_use]
    pub fn slot_control(self) -> Option<SlotControl> {
        if self.has_slot() {
            word_at(self.bytes, Self::SLOT_CONTROL).map(SlotControl::from_bits_retain)
        } else {
            None
        }
    }

    /// Slot Status; downstream ports with a slot have it.
    #[must_use]
    pub fn slot_status(self) -> Option<SlotStatus> {
        if self.has_slot() {
            word_at(self.bytes, Self::SLOT_STATUS).map(SlotStatus::from_bits_retain)
        } else {
            None
        }
    }

    /// Root Control; root ports and event collectors have it.
    #[must_use]
    pub fn root_control(self) -> Option<RootControl> {
        if self.has_root() {
            word_at(self.bytes, Self::ROOT_CONTROL).map(RootControl::from_bits_retain)
        } else {
            None
        }
    }

    /// Root Capabilities; root ports and event collectors have it.
    #[must_use]
    pub fn root_capabilities(self) -> Option<RootCapabilities> {
        if self.has_root() {
            word_at(self.bytes, Self::ROOT_CAPABILITIES).map(RootCapabilities::from_bits_retain)
        } else {
            None
        }
    }

    /// Root Status; root ports and event collectors have it.
    #[must_use]
    pub fn root_status(self) -> Option<RootStatus> {
        if self.has_root() {
            dword_at(self.bytes, Self::ROOT_STATUS).map(RootStatus::from_bits_retain)
        } else {
            None
        }
    }

    /// Device Capabilities 2; since version 2.
    #[must_use]
    pub fn device_capabilities_2(self) -> Option<DeviceCapabilities2> {
        if self.has_second_set() {
            dword_at(self.bytes, Self::DEVICE_CAPABILITIES_2).map(DeviceCapabilities2::from_bits_retain)
        } else {
            None
        }
    }

    /// Device Control 2; since version 2.
    #[must_use]
    pub fn device_control_2(self) -> Option<DeviceControl2> {
        if self.has_second_set() {
            word_at(self.bytes, Self::DEVICE_CONTROL_2).map(DeviceControl2::from_bits_retain)
        } else {
            None
        }
    }

    /// Device Status 2; since version 2. It is reserved: of no meaning so far.
    #[must_use]
    pub fn device_status_2(self) -> Option<u16> {
        if self.has_second_set() { word_at(self.bytes, Self::DEVICE_STATUS_2) } else { None }
    }

    /// Link Capabilities 2; functions with a link have it, since version 2.
    #[must_use]
    pub fn link_capabilities_2(self) -> Option<LinkCapabilities2> {
        if self.has_link_2() {
            dword_at(self.bytes, Self::LINK_CAPABILITIES_2).map(LinkCapabilities2::from_bits_retain)
        } else {
            None
        }
    }

    /// Link Control 2; functions with a link have it, since version 2.
    #[must_use]
    pub fn link_control_2(self) -> Option<LinkControl2> {
        if self.has_link_2() {
            word_at(self.bytes, Self::LINK_CONTROL_2).map(LinkControl2::from_bits_retain)
        } else {
            None
        }
    }

    /// Link Status 2; functions with a link have it, since version 2.
    #[must_use]
    pub fn link_status_2(self) -> Option<LinkStatus2> {
        if self.has_link_2() {
            word_at(self.bytes, Self::LINK_STATUS_2).map(LinkStatus2::from_bits_retain)
        } else {
            None
        }
    }

    /// Slot Capabilities 2; downstream ports with a slot have it, since version 2.
    #[must_use]
    pub fn slot_capabilities_2(self) -> Option<SlotCapabilities2> {
        if self.has_slot_2() {
            dword_at(self.bytes, Self::SLOT_CAPABILITIES_2).map(SlotCapabilities2::from_bits_retain)
        } else {
            None
        }
    }

    /// Slot Control 2; downstream ports with a slot have it, since version 2. It is reserved: of no meaning so far.
    #[must_use]
    pub fn slot_control_2(self) -> Option<u16> {
        if self.has_slot_2() { word_at(self.bytes, Self::SLOT_CONTROL_2) } else { None }
    }

    /// Slot Status 2; downstream ports with a slot have it, since version 2. It is reserved: of no meaning so far.
    #[must_use]
    pub fn slot_status_2(self) -> Option<u16> {
        if self.has_slot_2() { word_at(self.bytes, Self::SLOT_STATUS_2) } else { None }
    }

    /// Whether Function Level Reset is implemented.
    #[must_use]
    pub const fn function_level_reset_capable(self) -> bool {
        self.device_capabilities().contains(DeviceCapabilities::FUNCTION_LEVEL_RESET_CAPABLE)
    }

    /// The value for Device Control that begins a Function Level Reset and keeps every other bit;
    /// `None` if the function is not capable of it (in a PCI Express to PCI bridge the bit has another
    /// meaning).
    #[must_use]
    pub const fn initiate_function_level_reset(self) -> Option<DeviceControl> {
        if !self.function_level_reset_capable() {
            return None;
        }
        Some(self.device_control().union(DeviceControl::INITIATE_FUNCTION_LEVEL_RESET))
    }

    /// Whether requests of the function wait for their completion.
    #[must_use]
    pub const fn transactions_pending(self) -> bool {
        self.device_status().contains(DeviceStatus::TRANSACTIONS_PENDING)
    }

    /// Whether Link Status tells if the link is up.
    #[must_use]
    pub fn data_link_layer_link_active_reporting_capable(self) -> bool {
        self.link_capabilities().is_some_and(|link| {
            link.contains(LinkCapabilities::DATA_LINK_LAYER_LINK_ACTIVE_REPORTING_CAPABLE)
        })
    }

    /// Whether the link is up; `None` where the port cannot tell.
    #[must_use]
    pub fn data_link_layer_link_active(self) -> Option<bool> {
        if !self.data_link_layer_link_active_reporting_capable() {
            return None;
        }
        Some(self.link_status()?.contains(LinkStatus::DATA_LINK_LAYER_LINK_ACTIVE))
    }

    /// Whether the slot supports hot-plug operations.
    #[must_use]
    pub fn hot_plug_capable(self) -> bool {
        self.slot_capabilities().is_some_and(|slot| slot.contains(SlotCapabilities::HOT_PLUG_CAPABLE))
    }

    /// Whether the slot's power is on; `None` where it cannot be switched.
    #[must_use]
    pub fn slot_power_on(self) -> Option<bool> {
        if !self.slot_capabilities()?.contains(SlotCapabilities::POWER_CONTROLLER_PRESENT) {
            return None;
        }
        Some(!self.slot_control()?.contains(SlotControl::POWER_CONTROLLER_CONTROL))
    }

    /// Whether a function below the root port that is not ready yet reads Vendor ID 0001h.
    #[must_use]
    pub fn rrs_software_visibility_enabled(self) -> bool {
        self.root_control().is_some_and(|root| root.contains(RootControl::RRS_SOFTWARE_VISIBILITY_ENABLE))
    }

    const fn has_link(self) -> bool {
        self.device_port_type().has_link()
    }

    const fn has_slot(self) -> bool {
        self.slot_implemented() && self.device_port_type().is_downstream_port()
    }

    const fn has_root(self) -> bool {
        self.device_port_type().is_root()
    }

    const fn has_second_set(self) -> bool {
        self.capabilities().version() > 1
    }

    const fn has_link_2(self) -> bool {
        self.has_second_set() && self.has_link()
    }

    const fn has_slot_2(self) -> bool {
        self.has_second_set() && self.has_slot()
    }
}
