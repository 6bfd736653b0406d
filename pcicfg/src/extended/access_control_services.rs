//! Access Control Services (000Dh): where peer-to-peer traffic goes, and so which functions share an
//! IOMMU group (PCI Express Base 6.0, 7.7.11).

use crate::capability::registers::{dword_at, word_at};
use crate::config_space::{Truncated, fixed};
use bitflags::bitflags;

bitflags! {
    /// ACS Capability, offset 04h (what can be controlled).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AcsCapability: u16 {
        /// Source Validation.
        const SOURCE_VALIDATION = 1 << 0;
        /// Translation Blocking.
        const TRANSLATION_BLOCKING = 1 << 1;
        /// P2P Request Redirect.
        const P2P_REQUEST_REDIRECT = 1 << 2;
        /// P2P Completion Redirect.
        const P2P_COMPLETION_REDIRECT = 1 << 3;
        /// Upstream Forwarding.
        const UPSTREAM_FORWARDING = 1 << 4;
        /// P2P Egress Control: the egress control vector exists.
        const P2P_EGRESS_CONTROL = 1 << 5;
        /// Direct Translated P2P.
        const DIRECT_TRANSLATED_P2P = 1 << 6;
        /// Enhanced Capability: the controls from I/O Request Blocking on exist.
        const ENHANCED_CAPABILITY = 1 << 7;
        const _ = !0;
    }

    /// ACS Control, offset 06h (what is controlled).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AcsControl: u16 {
        /// Source Validation: a request must come from a bus below the port.
        const SOURCE_VALIDATION = 1 << 0;
        /// Translation Blocking: translated requests are errors.
        const TRANSLATION_BLOCKING = 1 << 1;
        /// P2P Request Redirect: requests go upstream.
        const P2P_REQUEST_REDIRECT = 1 << 2;
        /// P2P Completion Redirect: completions go upstream.
        const P2P_COMPLETION_REDIRECT = 1 << 3;
        /// Upstream Forwarding: what comes back to its own port goes upstream.
        const UPSTREAM_FORWARDING = 1 << 4;
        /// P2P Egress Control: the egress control vector is heeded.
        const P2P_EGRESS_CONTROL = 1 << 5;
        /// Direct Translated P2P: translated requests take the direct way.
        const DIRECT_TRANSLATED_P2P = 1 << 6;
        /// I/O Request Blocking: I/O requests from below are errors.
        const IO_REQUEST_BLOCKING = 1 << 7;
        /// Unclaimed Request Redirect: requests that no port claims go upstream.
        const UNCLAIMED_REQUEST_REDIRECT = 1 << 12;
        const _ = !0;
    }
}

/// What becomes of a request that hits a port's own memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryTargetAccess {
    /// It is done.
    DirectAccess,
    /// It is an error.
    RequestBlocking,
    /// It goes upstream.
    RequestRedirect,
    /// The fourth code.
    Reserved,
}

impl MemoryTargetAccess {
    const fn from_code(code: u16) -> Self {
        match code & 3 {
            0 => Self::DirectAccess,
            1 => Self::RequestBlocking,
            2 => Self::RequestRedirect,
            _ => Self::Reserved,
        }
    }
}

impl AcsCapability {
    /// How many bits the egress control vector has, 1 to 256.
    #[must_use]
    pub const fn egress_control_vector_size(self) -> u16 {
        match self.bits() >> 8 {
            0 => 256,
            bits => bits,
        }
    }
}

impl AcsControl {
    /// DSP Memory Target Access Control: requests that hit a downstream port's memory.
    #[must_use]
    pub const fn dsp_memory_target_access(self) -> MemoryTargetAccess {
        MemoryTargetAccess::from_code(self.bits() >> 8)
    }

    /// USP Memory Target Access Control: requests that hit the upstream port's memory.
    #[must_use]
    pub const fn usp_memory_target_access(self) -> MemoryTargetAccess {
        MemoryTargetAccess::from_code(self.bits() >> 10)
    }
}

/// Whether a root port lays its ACS capability out wrongly: Intel's Sunrise Point and Union Point
/// have a dword at 04h for ACS Capability and one at 08h for ACS Control (the kernel's
/// `pci_quirk_intel_spt_pch_acs_match`).
#[must_use]
pub const fn has_intel_acs_layout(vendor_id: u16, device_id: u16) -> bool {
    vendor_id == 0x8086
        && matches!(
            device_id,
            0xa110..=0xa11f | 0xa167..=0xa16a | 0xa290..=0xa29f | 0xa2e7..=0xa2ee | 0x9d10..=0x9d1b
        )
}

/// The Access Control Services capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x0d, 0x00, 0x01, 0x00, 0x1f, 0x00, 0x1d, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::AccessControlServices(acs) = entry.decode()? else { panic!() };
/// assert!(acs.control().contains(pcicfg::extended::AcsControl::P2P_REQUEST_REDIRECT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessControlServices<'a> {
    bytes: &'a [u8],
    offset: u16,
    intel_layout: bool,
}

impl<'a> AccessControlServices<'a> {
    /// Offset of ACS Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of ACS Control from the capability's start, where it is laid out as specified. Use
    /// [`control_offset`](Self::control_offset) on hardware.
    pub const CONTROL: u16 = 0x06;
    /// Offset of the egress control vector from the capability's start.
    pub const EGRESS_CONTROL_VECTOR: u16 = 0x08;

    /// `id` is the dword at offset 0 of the function's space.
    pub(crate) fn new(bytes: &'a [u8], offset: u16, id: u32) -> Result<Self, Truncated> {
        let intel_layout = has_intel_acs_layout(id as u16, (id >> 16) as u16);
        if intel_layout {
            fixed::<12>(bytes, offset)?;
        } else {
            fixed::<8>(bytes, offset)?;
        }
        Ok(Self { bytes, offset, intel_layout })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Whether the port has Intel's layout, in which ACS Control is a dword at 08h.
    #[must_use]
    pub const fn has_intel_layout(self) -> bool {
        self.intel_layout
    }

    /// Where ACS Control stands in this function, from the capability's start.
    #[must_use]
    pub const fn control_offset(self) -> u16 {
        if self.intel_layout { 0x08 } else { Self::CONTROL }
    }

    /// ACS Capability; in Intel's layout the low half of the dword.
    #[must_use]
    pub fn capability(self) -> AcsCapability {
        AcsCapability::from_bits_retain(word_at(self.bytes, Self::CAPABILITY).unwrap_or(0))
    }

    /// ACS Control; in Intel's layout the low half of the dword.
    #[must_use]
    pub fn control(self) -> AcsControl {
        AcsControl::from_bits_retain(word_at(self.bytes, self.control_offset()).unwrap_or(0))
    }

    /// The dwords of the egress control vector, one bit for each port or function group; none without
    /// P2P Egress Control, at most eight.
    pub fn egress_control_vector(self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        let capability = self.capability();
        let exists = capability.contains(AcsCapability::P2P_EGRESS_CONTROL) && !self.intel_layout;
        let count = if exists { capability.egress_control_vector_size().div_ceil(32) } else { 0 };
        (0..count).map_while(move |index| dword_at(self.bytes, Self::EGRESS_CONTROL_VECTOR + 4 * index))
    }
}
