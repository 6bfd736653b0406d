//! Intel's feature words: a Vendor Specific capability of vendor 8086 (CAPID0 in the datasheets of the
//! second to tenth Core generations).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, fixed};
use bitflags::bitflags;

bitflags! {
    /// CAPID0_A: what is switched off in this model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IntelCapabilitiesA: u32 {
        /// DDR3L is possible.
        const DDR3L_ENABLE = 1 << 0;
        /// On-die write reference voltage.
        const DDR_WRITE_VREF_ENABLE = 1 << 1;
        /// Overclocking by the user.
        const OVERCLOCKING_ENABLE = 1 << 2;
        /// Memory overclocking.
        const DDR_OVERCLOCKING = 1 << 3;
        /// No graphics.
        const INTERNAL_GRAPHICS_DISABLE = 1 << 11;
        /// PDCD.
        const PRIMARY_DISPLAY_CONTROLLER_DISABLE = 1 << 12;
        /// x2APIC is possible.
        const X2APIC_ENABLE = 1 << 13;
        /// DDPCD: one memory module a channel.
        const DUAL_DIMM_PER_CHANNEL_DISABLE = 1 << 14;
        /// CDD: the second memory channel is off.
        const CHANNEL_DISABLE = 1 << 15;
        /// 1N command timing is off.
        const ONE_N_MODE_DISABLE = 1 << 17;
        /// The graphics ports stay at 2.5 GT/s.
        const PEG_GEN_2_DISABLE = 1 << 21;
        /// The DMI link stays at 2.5 GT/s.
        const DMI_GEN_2_DISABLE = 1 << 22;
        /// No IOMMU (VT-d).
        const VTD_DISABLE = 1 << 23;
        /// ECC is not optional.
        const FORCE_ECC_ENABLE = 1 << 24;
        /// No ECC.
        const ECC_DISABLE = 1 << 25;
        /// The DMI link has two lanes and not four.
        const DMI_WIDTH_X2 = 1 << 26;
        /// PELWUD.
        const PEG_LANE_WIDTH_UPCONFIGURE_DISABLE = 1 << 27;
        /// Port 1.0 is off.
        const PEG_10_DISABLE = 1 << 28;
        /// Port 1.1 is off.
        const PEG_11_DISABLE = 1 << 29;
        /// Port 1.2 is off.
        const PEG_12_DISABLE = 1 << 30;
        /// Port 6.0 is off.
        const PEG_60_DISABLE = 1 << 31;
        const _ = !0;
    }

    /// CAPID0_B.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IntelCapabilitiesB: u32 {
        /// LPDDR3 is possible.
        const LPDDR3_ENABLE = 1 << 2;
        /// No Gaussian mixture model unit.
        const GMM_DISABLE = 1 << 8;
        /// The DMI link stays at 5 GT/s.
        const DMI_GEN_3_DISABLE = 1 << 15;
        /// No port has sixteen lanes.
        const PEG_X16_DISABLE = 1 << 16;
        /// Graphics beside a graphics card can be had.
        const ADDITIONAL_GRAPHICS_CAPABLE = 1 << 17;
        /// Graphics beside a graphics card are on.
        const ADDITIONAL_GRAPHICS_ENABLE = 1 << 18;
        /// PKGTYP.
        const PACKAGE_TYPE = 1 << 19;
        /// The graphics ports stay at 5 GT/s.
        const PEG_GEN_3_DISABLE = 1 << 20;
        /// SOFTBIN.
        const SOFT_BIN_CAPABLE = 1 << 24;
        /// Two threads a core.
        const SMT_CAPABLE = 1 << 28;
        /// Overclocking by upgrade is on.
        const OVERCLOCKING_BY_SSKU_ENABLE = 1 << 29;
        /// Overclocking by upgrade can be had.
        const OVERCLOCKING_BY_SSKU_CAPABLE = 1 << 30;
        /// No image processing unit.
        const IMGU_DISABLE = 1 << 31;
        const _ = !0;
    }

    /// CAPID0_C.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IntelCapabilitiesC: u32 {
        /// The third display pipe is off.
        const PIPE_3_DISABLE = 1 << 5;
        /// IDD.
        const IDD_DISABLE = 1 << 6;
        /// No SGX.
        const SGX_DISABLE = 1 << 9;
        /// The memory clock cannot change.
        const QCLK_GV_DISABLE = 1 << 14;
        /// LPDDR4 is possible.
        const LPDDR4_ENABLE = 1 << 16;
        /// LPDDR is possible.
        const LPDDR_ENABLE = 1 << 22;
        /// The graphics ports stay at 8 GT/s.
        const PEG_GEN_4_DISABLE = 1 << 28;
        const _ = !0;
    }
}

impl IntelCapabilitiesA {
    /// CRID.
    #[must_use]
    pub const fn compatibility_revision_id(self) -> u8 {
        (self.bits() >> 4 & 0xf) as u8
    }

    /// CDID.
    #[must_use]
    pub const fn compatibility_device_id(self) -> u8 {
        (self.bits() >> 8 & 0x3) as u8
    }

    /// The memory that one channel can have, in MiB; 0 for no limit.
    #[must_use]
    pub const fn ddr_maximum_size(self) -> u32 {
        let code = self.bits() >> 19 & 0x3;
        if code == 0 { 0 } else { 512 << ((3 - code) * 2) }
    }
}

impl IntelCapabilitiesB {
    /// DMFC: the data rate that DDR3 can have, as a code.
    #[must_use]
    pub const fn ddr3_maximum_frequency_code(self) -> u8 {
        (self.bits() >> 4 & 0x7) as u8
    }

    /// PLL_REF100_CFG: 0 for off, 7 for no limit, else (code + 6) times 200 MHz.
    #[must_use]
    pub const fn ddr3_maximum_frequency_with_100_mhz_reference_code(self) -> u8 {
        (self.bits() >> 21 & 0x7) as u8
    }

    /// CACHESZ, as a code.
    #[must_use]
    pub const fn cache_size_capability(self) -> u8 {
        (self.bits() >> 25 & 0x7) as u8
    }
}

impl IntelCapabilitiesC {
    /// In steps of 266.6 MHz; 0 for no limit.
    #[must_use]
    pub const fn gear_1_maximum_frequency_code(self) -> u8 {
        (self.bits() & 0xf) as u8
    }

    /// 0 for none, 1 to 115 MHz, 2 to 130 MHz, 3 for no limit.
    #[must_use]
    pub const fn bclk_overclocking_code(self) -> u8 {
        (self.bits() >> 7 & 0x3) as u8
    }

    /// In steps of 266.6 MHz; 0 for no limit.
    #[must_use]
    pub const fn lpddr4_maximum_frequency_code(self) -> u8 {
        (self.bits() >> 17 & 0xf) as u8
    }

    /// In steps of 266.6 MHz; 0 for no limit.
    #[must_use]
    pub const fn ddr4_maximum_frequency_code(self) -> u8 {
        (self.bits() >> 23 & 0xf) as u8
    }
}

/// What Intel's capability holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntelCapabilityType {
    /// Feature words.
    Capabilities,
    /// The index of a feature vector that has to be asked for by writes.
    FeatureDetection,
    /// A code without a meaning.
    Reserved(u8),
}

impl IntelCapabilityType {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Capabilities,
            1 => Self::FeatureDetection,
            other => Self::Reserved(other),
        }
    }
}

/// Intel's capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x00..0x02].copy_from_slice(&[0x86, 0x80]); // Intel
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x09, 0x00, 0x08, 0x01, 0x00, 0x00, 0x80, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::VendorSpecific(vendor) = entry.decode()? else { panic!() };
/// let words = vendor.intel().unwrap().capabilities_a().unwrap();
/// assert!(words.contains(pcicfg::capability::IntelCapabilitiesA::VTD_DISABLE));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntelCapabilities<'a> {
    fixed: &'a [u8; 0x4],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> IntelCapabilities<'a> {
    /// Offset of Capability Length from the capability's start.
    pub const LENGTH: u16 = 0x02;
    /// Offset of Capability version and type from the capability's start.
    pub const VERSION_AND_TYPE: u16 = 0x03;
    /// Offset of The first dword behind the header from the capability's start.
    pub const CAPABILITIES_A: u16 = 0x04;
    /// Offset of The second dword behind the header from the capability's start.
    pub const CAPABILITIES_B: u16 = 0x08;
    /// Offset of The third dword behind the header from the capability's start.
    pub const CAPABILITIES_C: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Capability Length.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.fixed[0x02]
    }

    /// Capability version and type.
    #[must_use]
    pub const fn version_and_type(self) -> u8 {
        self.fixed[0x03]
    }

    /// The first dword behind the header; `None` if it cannot be read.
    #[must_use]
    pub fn word_a(self) -> Option<u32> {
        dword_at(self.bytes, Self::CAPABILITIES_A)
    }

    /// The second dword behind the header; `None` if it cannot be read.
    #[must_use]
    pub fn word_b(self) -> Option<u32> {
        dword_at(self.bytes, Self::CAPABILITIES_B)
    }

    /// The third dword behind the header; `None` if it cannot be read.
    #[must_use]
    pub fn word_c(self) -> Option<u32> {
        dword_at(self.bytes, Self::CAPABILITIES_C)
    }

    /// The version, 0 to 15; the words have a meaning here in version 1.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.version_and_type() & 0xf
    }

    /// What the capability holds.
    #[must_use]
    pub const fn capability_type(self) -> IntelCapabilityType {
        IntelCapabilityType::from_code(self.version_and_type() >> 4)
    }

    /// CAPID0_A, of version 1.
    #[must_use]
    pub fn capabilities_a(self) -> Option<IntelCapabilitiesA> {
        if !self.has_words(8) {
            return None;
        }
        self.word_a().map(IntelCapabilitiesA::from_bits_retain)
    }

    /// CAPID0_B, of version 1.
    #[must_use]
    pub fn capabilities_b(self) -> Option<IntelCapabilitiesB> {
        if !self.has_words(12) {
            return None;
        }
        self.word_b().map(IntelCapabilitiesB::from_bits_retain)
    }

    /// CAPID0_C, of version 1.
    #[must_use]
    pub fn capabilities_c(self) -> Option<IntelCapabilitiesC> {
        if !self.has_words(16) {
            return None;
        }
        self.word_c().map(IntelCapabilitiesC::from_bits_retain)
    }

    fn has_words(self, length: u8) -> bool {
        self.version() == 1
            && self.capability_type() == IntelCapabilityType::Capabilities
            && self.length() >= length
    }
}
