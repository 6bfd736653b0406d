//! Root Complex Link Declaration (0005h) and Internal Link Control (0006h): how the parts of a root
//! complex hang together (PCI Express Base 6.0, 7.9.8 and 7.9.9).

use crate::capability::registers::dword_at;
use crate::capability::{Aspm, LinkCapabilities, LinkSpeed, LinkSpeeds, LinkWidth};
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// Element Self Description, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ElementSelfDescription: u32 {
        const _ = !0;
    }

    /// Link Description, the first dword of a link entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootComplexLinkDescription: u32 {
        /// The entry means something.
        const LINK_VALID = 1 << 0;
        /// The address is one of configuration space; else one of memory, of a register block.
        const LINK_TYPE = 1 << 1;
        /// The link has a register block of its own.
        const ASSOCIATE_RCRB_HEADER = 1 << 2;
        const _ = !0;
    }

    /// Root Complex Link Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootComplexLinkCapabilities: u32 {
        const _ = !0;
    }

    /// Root Complex Link Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootComplexLinkControl: u16 {
        /// More ordered sets are sent on the way out of L0s and in Recovery.
        const EXTENDED_SYNCH = 1 << 7;
        const _ = !0;
    }

    /// Root Complex Link Status, offset 0Ah.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootComplexLinkStatus: u16 {
        const _ = !0;
    }
}

/// What an element of a root complex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RootComplexElementType {
    /// A function: a root port, or an integrated endpoint.
    ConfigurationSpace,
    /// A way to memory, or a default one.
    EgressPort,
    /// A link within the root complex.
    InternalLink,
    /// A code without a meaning.
    Reserved(u8),
}

impl RootComplexElementType {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::ConfigurationSpace,
            1 => Self::EgressPort,
            2 => Self::InternalLink,
            other => Self::Reserved(other),
        }
    }
}

impl ElementSelfDescription {
    /// Element Type.
    #[must_use]
    pub const fn element_type(self) -> RootComplexElementType {
        RootComplexElementType::from_code((self.bits() & 0xf) as u8)
    }

    /// Number of Link Entries.
    #[must_use]
    pub const fn number_of_link_entries(self) -> u8 {
        (self.bits() >> 8 & 0xff) as u8
    }

    /// Component ID: which component of the root complex.
    #[must_use]
    pub const fn component_id(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// Port Number.
    #[must_use]
    pub const fn port_number(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl RootComplexLinkDescription {
    /// Target Component ID.
    #[must_use]
    pub const fn target_component_id(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// Target Port Number.
    #[must_use]
    pub const fn target_port_number(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

/// Where a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RootComplexLinkAddress {
    /// A register block in memory.
    Memory(u64),
    /// A function.
    ConfigurationSpace {
        /// Where the region of memory begins that has all configuration spaces.
        base: u64,
        /// How many bits a bus number has there.
        bus_bits: u8,
        /// Bus, device and function number.
        routing_id: u16,
    },
}

/// A link entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RootComplexLinkEntry {
    /// Link Description.
    pub description: RootComplexLinkDescription,
    /// Link Address, as it stands there.
    pub raw_address: u64,
    /// Where the entry begins in configuration space.
    pub offset: u16,
}

impl RootComplexLinkEntry {
    /// Link Address: where the link leads to.
    #[must_use]
    pub const fn address(self) -> RootComplexLinkAddress {
        let raw = self.raw_address;
        if !self.description.contains(RootComplexLinkDescription::LINK_TYPE) {
            return RootComplexLinkAddress::Memory(raw & !0xfff);
        }
        // Zero stands for eight.
        let bus_bits = if raw & 7 == 0 { 8 } else { (raw & 7) as u8 };
        let bus = raw >> 20 & ((1 << bus_bits) - 1);
        RootComplexLinkAddress::ConfigurationSpace {
            base: raw >> (20 + bus_bits) << (20 + bus_bits),
            bus_bits,
            routing_id: (bus << 8 | raw >> 12 & 0xff) as u16,
        }
    }
}

/// The Root Complex Link Declaration capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x05, 0x00, 0x01, 0x00, 0x00, 0x01, 0x02, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x01, 0x00, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0xd1, 0xfe, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::RootComplexLinkDeclaration(links) = entry.decode()? else { panic!() };
/// assert_eq!(links.entries().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootComplexLinkDeclaration<'a> {
    fixed: &'a [u8; 0x8],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> RootComplexLinkDeclaration<'a> {
    /// Offset of Element Self Description from the capability's start.
    pub const ELEMENT_SELF_DESCRIPTION: u16 = 0x04;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Element Self Description.
    #[must_use]
    pub const fn element_self_description(self) -> ElementSelfDescription {
        ElementSelfDescription::from_bits_retain(dword::<0x04, 0x8>(self.fixed))
    }

    /// Offset of the first link entry from the capability's start.
    pub const LINK_ENTRIES: u16 = 0x10;
    /// How many bytes a link entry takes.
    pub const LINK_ENTRY_SIZE: u16 = 0x10;

    /// The link entries: as many as the number says and can be read.
    pub fn entries(self) -> impl Iterator<Item = RootComplexLinkEntry> + Clone + use<'a> {
        let count = u16::from(self.element_self_description().number_of_link_entries());
        (0..count).map_while(move |index| {
            let at = Self::LINK_ENTRIES + Self::LINK_ENTRY_SIZE * index;
            let low = dword_at(self.bytes, at + 8)?;
            let high = dword_at(self.bytes, at + 12)?;
            Some(RootComplexLinkEntry {
                description: RootComplexLinkDescription::from_bits_retain(dword_at(self.bytes, at)?),
                raw_address: u64::from(high) << 32 | u64::from(low),
                offset: self.offset + at,
            })
        })
    }
}

impl RootComplexLinkCapabilities {
    /// Max Link Speed.
    #[must_use]
    pub const fn max_link_speed(self) -> Option<LinkSpeed> {
        let code = self.bits() & 0xf;
        LinkSpeed::from_code(code as u8)
    }

    /// Maximum Link Width.
    #[must_use]
    pub const fn maximum_link_width(self) -> LinkWidth {
        let code = self.bits() >> 4 & 0x3f;
        LinkWidth(code as u8)
    }

    /// ASPM Support.
    #[must_use]
    pub const fn aspm_support(self) -> Aspm {
        let code = self.bits() >> 10 & 0x3;
        Aspm::from_bits_retain(code as u8)
    }

    /// The latest exit from L0s; `None` for more than 4 µs.
    #[must_use]
    pub const fn l0s_exit_latency(self) -> Option<Duration> {
        // As in the register of the same name of other links.
        LinkCapabilities::from_bits_retain(self.bits()).l0s_exit_latency()
    }

    /// The latest exit from L1; `None` for more than 64 µs.
    #[must_use]
    pub const fn l1_exit_latency(self) -> Option<Duration> {
        LinkCapabilities::from_bits_retain(self.bits()).l1_exit_latency()
    }

    /// Supported Link Speeds Vector.
    #[must_use]
    pub const fn supported_link_speeds(self) -> LinkSpeeds {
        LinkSpeeds::from_bits(self.bits() >> 18)
    }
}

impl RootComplexLinkControl {
    /// ASPM Control.
    #[must_use]
    pub const fn aspm_control(self) -> Aspm {
        let code = self.bits() & 0x3;
        Aspm::from_bits_retain(code as u8)
    }
}

impl RootComplexLinkStatus {
    /// Current Link Speed.
    #[must_use]
    pub const fn current_link_speed(self) -> Option<LinkSpeed> {
        let code = self.bits() & 0xf;
        LinkSpeed::from_code(code as u8)
    }

    /// Negotiated Link Width.
    #[must_use]
    pub const fn negotiated_link_width(self) -> LinkWidth {
        let code = self.bits() >> 4 & 0x3f;
        LinkWidth(code as u8)
    }
}

/// The Root Complex Internal Link Control capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x06, 0x00, 0x01, 0x00, 0x41, 0x00, 0x00, 0x00, 0x80, 0x00, 0x41, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::RootComplexInternalLink(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.status().negotiated_link_width().lanes(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootComplexInternalLink<'a> {
    bytes: &'a [u8; 0xc],
    offset: u16,
}

impl<'a> RootComplexInternalLink<'a> {
    /// Offset of Root Complex Link Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of Root Complex Link Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of Root Complex Link Status from the capability's start.
    pub const STATUS: u16 = 0x0a;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Root Complex Link Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> RootComplexLinkCapabilities {
        RootComplexLinkCapabilities::from_bits_retain(dword::<0x04, 0xc>(self.bytes))
    }

    /// Root Complex Link Control.
    #[must_use]
    pub const fn control(self) -> RootComplexLinkControl {
        RootComplexLinkControl::from_bits_retain(word::<0x08, 0xc>(self.bytes))
    }

    /// Root Complex Link Status.
    #[must_use]
    pub const fn status(self) -> RootComplexLinkStatus {
        RootComplexLinkStatus::from_bits_retain(word::<0x0a, 0xc>(self.bytes))
    }
}
