//! What links of 8 GT/s and more negotiated: Secondary PCI Express (0019h) and Physical Layer 16.0,
//! 32.0, 64.0 and 128.0 GT/s (0026h, 002Ah, 0031h, 0039h) (PCI Express Base 6.0, 7.7.3, 7.7.5 to
//! 7.7.7).
//!
//! How many lanes there are, the PCI Express capability says: Maximum Link Width.

use crate::capability::LinkSpeeds;
use crate::capability::registers::word_at;
use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// Link Control 3, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkControl3: u32 {
        /// The next retraining equalizes.
        const PERFORM_EQUALIZATION = 1 << 0;
        /// A request to equalize interrupts.
        const LINK_EQUALIZATION_REQUEST_INTERRUPT_ENABLE = 1 << 1;
        const _ = !0;
    }

    /// Equalization Control of a lane at 8 GT/s.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LaneEqualizationControl: u16 {
        const _ = !0;
    }

    /// 16.0 GT/s Status, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhysicalLayer16Status: u32 {
        /// The last equalization ended.
        const EQUALIZATION_COMPLETE = 1 << 0;
        /// Phase 1 succeeded.
        const EQUALIZATION_PHASE_1_SUCCESSFUL = 1 << 1;
        /// Phase 2 succeeded.
        const EQUALIZATION_PHASE_2_SUCCESSFUL = 1 << 2;
        /// Phase 3 succeeded.
        const EQUALIZATION_PHASE_3_SUCCESSFUL = 1 << 3;
        /// The other side wants to equalize; write 1 to clear.
        const LINK_EQUALIZATION_REQUEST = 1 << 4;
        const _ = !0;
    }

    /// 32.0 GT/s Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhysicalLayer32Capabilities: u32 {
        /// Only the highest rate needs to be equalized.
        const EQUALIZATION_BYPASS_TO_HIGHEST_RATE_SUPPORTED = 1 << 0;
        /// None has to be.
        const NO_EQUALIZATION_NEEDED_SUPPORTED = 1 << 1;
        /// PCI Express.
        const MODIFIED_TS_USAGE_MODE_0_SUPPORTED = 1 << 8;
        /// Training set messages.
        const MODIFIED_TS_USAGE_MODE_1_SUPPORTED = 1 << 9;
        /// An alternate protocol.
        const MODIFIED_TS_USAGE_MODE_2_SUPPORTED = 1 << 10;
        const _ = !0;
    }

    /// 32.0 GT/s Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhysicalLayer32Control: u32 {
        /// Every rate is equalized.
        const EQUALIZATION_BYPASS_TO_HIGHEST_RATE_DISABLE = 1 << 0;
        /// Equalization is not left out.
        const NO_EQUALIZATION_NEEDED_DISABLE = 1 << 1;
        const _ = !0;
    }

    /// 32.0 GT/s Status, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhysicalLayer32Status: u32 {
        /// The last equalization ended.
        const EQUALIZATION_COMPLETE = 1 << 0;
        /// Phase 1 succeeded.
        const EQUALIZATION_PHASE_1_SUCCESSFUL = 1 << 1;
        /// Phase 2 succeeded.
        const EQUALIZATION_PHASE_2_SUCCESSFUL = 1 << 2;
        /// Phase 3 succeeded.
        const EQUALIZATION_PHASE_3_SUCCESSFUL = 1 << 3;
        /// The other side wants to equalize; write 1 to clear.
        const LINK_EQUALIZATION_REQUEST = 1 << 4;
        /// The registers for received modified training sets hold something.
        const MODIFIED_TS_RECEIVED = 1 << 5;
        /// What is sent is precoded.
        const TRANSMITTER_PRECODING_ON = 1 << 8;
        /// The other side is asked to precode.
        const TRANSMITTER_PRECODE_REQUEST = 1 << 9;
        /// The other side needs no equalization.
        const NO_EQUALIZATION_NEEDED_RECEIVED = 1 << 10;
        const _ = !0;
    }

    /// Received or Transmitted Modified TS Data 1, offsets 10h and 18h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ModifiedTsData1: u32 {
        const _ = !0;
    }

    /// Received or Transmitted Modified TS Data 2, offsets 14h and 1Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ModifiedTsData2: u32 {
        const _ = !0;
    }

    /// 64.0 or 128.0 GT/s Status, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhysicalLayer64Status: u32 {
        /// The last equalization ended.
        const EQUALIZATION_COMPLETE = 1 << 0;
        /// Phase 1 succeeded.
        const EQUALIZATION_PHASE_1_SUCCESSFUL = 1 << 1;
        /// Phase 2 succeeded.
        const EQUALIZATION_PHASE_2_SUCCESSFUL = 1 << 2;
        /// Phase 3 succeeded.
        const EQUALIZATION_PHASE_3_SUCCESSFUL = 1 << 3;
        /// The other side wants to equalize; write 1 to clear.
        const LINK_EQUALIZATION_REQUEST = 1 << 4;
        /// What is sent is precoded.
        const TRANSMITTER_PRECODING_ON = 1 << 5;
        /// The other side is asked to precode.
        const TRANSMITTER_PRECODE_REQUEST = 1 << 6;
        /// The other side needs no equalization.
        const NO_EQUALIZATION_NEEDED_RECEIVED = 1 << 7;
        const _ = !0;
    }

    /// 128.0 GT/s Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhysicalLayer128Capabilities: u32 {
        const _ = !0;
    }
}

impl LinkControl3 {
    /// Enable Lower SKP OS Generation Vector: at which speeds.
    #[must_use]
    pub const fn enable_lower_skp_os_generation(self) -> LinkSpeeds {
        LinkSpeeds::from_bits(self.bits() >> 9)
    }
}

impl LaneEqualizationControl {
    /// Downstream Port 8.0 GT/s Transmitter Preset.
    #[must_use]
    pub const fn downstream_port_transmitter_preset(self) -> u8 {
        (self.bits() & 0xf) as u8
    }

    /// Downstream Port 8.0 GT/s Receiver Preset Hint.
    #[must_use]
    pub const fn downstream_port_receiver_preset_hint(self) -> u8 {
        (self.bits() >> 4 & 0x7) as u8
    }

    /// Upstream Port 8.0 GT/s Transmitter Preset.
    #[must_use]
    pub const fn upstream_port_transmitter_preset(self) -> u8 {
        (self.bits() >> 8 & 0xf) as u8
    }

    /// Upstream Port 8.0 GT/s Receiver Preset Hint.
    #[must_use]
    pub const fn upstream_port_receiver_preset_hint(self) -> u8 {
        (self.bits() >> 12 & 0x7) as u8
    }
}

/// The Secondary PCI Express capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x19, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x35, 0x24,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::SecondaryPciExpress(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.lane_equalization_control(1).next().unwrap().downstream_port_transmitter_preset(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondaryPciExpress<'a> {
    fixed: &'a [u8; 0xc],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> SecondaryPciExpress<'a> {
    /// Offset of Link Control 3 from the capability's start.
    pub const LINK_CONTROL_3: u16 = 0x04;
    /// Offset of Lane Error Status from the capability's start.
    pub const LANE_ERROR_STATUS: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Link Control 3.
    #[must_use]
    pub const fn link_control_3(self) -> LinkControl3 {
        LinkControl3::from_bits_retain(dword::<0x04, 0xc>(self.fixed))
    }

    /// Lane Error Status: one bit for each lane; write 1 to clear.
    #[must_use]
    pub const fn lane_error_status(self) -> u32 {
        dword::<0x08, 0xc>(self.fixed)
    }

    /// Offset of the first lane's equalization control from the capability's start.
    pub const LANE_EQUALIZATION_CONTROL: u16 = 0x0c;

    /// Equalization Control of as many lanes, at most 32 and at most those that can be read.
    pub fn lane_equalization_control(
        self,
        lanes: u8,
    ) -> impl Iterator<Item = LaneEqualizationControl> + Clone + use<'a> {
        (0..u16::from(lanes.min(32))).map_while(move |lane| {
            word_at(self.bytes, Self::LANE_EQUALIZATION_CONTROL + 2 * lane)
                .map(LaneEqualizationControl::from_bits_retain)
        })
    }
}

/// Equalization Control of a lane at 16 GT/s and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneEqualization(pub u8);

impl LaneEqualization {
    /// Downstream Port Transmitter Preset.
    #[must_use]
    pub const fn downstream_port_transmitter_preset(self) -> u8 {
        self.0 & 0xf
    }

    /// Upstream Port Transmitter Preset.
    #[must_use]
    pub const fn upstream_port_transmitter_preset(self) -> u8 {
        self.0 >> 4
    }
}

fn lanes(bytes: &[u8], at: u16, lanes: u8) -> impl Iterator<Item = LaneEqualization> + Clone + use<'_> {
    let table = bytes.get(usize::from(at)..).unwrap_or_default();
    table.iter().take(usize::from(lanes.min(32))).map(|&lane| LaneEqualization(lane))
}

/// The Physical Layer 16.0 GT/s capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x26, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x54,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PhysicalLayer16(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.lane_equalization(1).next().unwrap().upstream_port_transmitter_preset(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalLayer16<'a> {
    fixed: &'a [u8; 0x20],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> PhysicalLayer16<'a> {
    /// Offset of 16.0 GT/s Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of 16.0 GT/s Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of 16.0 GT/s Status from the capability's start.
    pub const STATUS: u16 = 0x0c;
    /// Offset of 16.0 GT/s Local Data Parity Mismatch Status from the capability's start.
    pub const LOCAL_DATA_PARITY_MISMATCH: u16 = 0x10;
    /// Offset of 16.0 GT/s First Retimer Data Parity Mismatch Status from the capability's start.
    pub const FIRST_RETIMER_DATA_PARITY_MISMATCH: u16 = 0x14;
    /// Offset of 16.0 GT/s Second Retimer Data Parity Mismatch Status from the capability's start.
    pub const SECOND_RETIMER_DATA_PARITY_MISMATCH: u16 = 0x18;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// 16.0 GT/s Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> u32 {
        dword::<0x04, 0x20>(self.fixed)
    }

    /// 16.0 GT/s Control.
    #[must_use]
    pub const fn control(self) -> u32 {
        dword::<0x08, 0x20>(self.fixed)
    }

    /// 16.0 GT/s Status.
    #[must_use]
    pub const fn status(self) -> PhysicalLayer16Status {
        PhysicalLayer16Status::from_bits_retain(dword::<0x0c, 0x20>(self.fixed))
    }

    /// 16.0 GT/s Local Data Parity Mismatch Status: one bit for each lane.
    #[must_use]
    pub const fn local_data_parity_mismatch(self) -> u32 {
        dword::<0x10, 0x20>(self.fixed)
    }

    /// 16.0 GT/s First Retimer Data Parity Mismatch Status: one bit for each lane.
    #[must_use]
    pub const fn first_retimer_data_parity_mismatch(self) -> u32 {
        dword::<0x14, 0x20>(self.fixed)
    }

    /// 16.0 GT/s Second Retimer Data Parity Mismatch Status: one bit for each lane.
    #[must_use]
    pub const fn second_retimer_data_parity_mismatch(self) -> u32 {
        dword::<0x18, 0x20>(self.fixed)
    }

    /// Offset of the first lane's equalization control from the capability's start.
    pub const LANE_EQUALIZATION_CONTROL: u16 = 0x20;

    /// 16.0 GT/s Lane Equalization Control of as many lanes, at most 32 and at most those that can be read.
    pub fn lane_equalization(self, count: u8) -> impl Iterator<Item = LaneEqualization> + Clone + use<'a> {
        lanes(self.bytes, Self::LANE_EQUALIZATION_CONTROL, count)
    }
}

/// What modified training sets are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModifiedTsUsageMode {
    /// PCI Express alone.
    PciExpress,
    /// Messages of a vendor.
    TrainingSetMessages,
    /// Another protocol is agreed on.
    AlternateProtocol,
    /// A code without a meaning.
    Reserved(u8),
}

impl ModifiedTsUsageMode {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::PciExpress,
            1 => Self::TrainingSetMessages,
            2 => Self::AlternateProtocol,
            other => Self::Reserved(other),
        }
    }
}

/// How the other side wants the link to be equalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnhancedLinkBehavior {
    /// At every rate.
    FullEqualization,
    /// At the highest rate alone.
    BypassToHighestRate,
    /// Not at all.
    NoEqualizationNeeded,
    /// It can do modified training sets.
    ModifiedTs,
}

/// What became of an alternate protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlternateProtocolNegotiation {
    /// There is none.
    NotSupported,
    /// It is off.
    Disabled,
    /// The two sides did not agree.
    Failed,
    /// They did.
    Successful,
}

impl PhysicalLayer32Control {
    /// Modified TS Usage Mode Selected.
    #[must_use]
    pub const fn modified_ts_usage_mode_selected(self) -> ModifiedTsUsageMode {
        ModifiedTsUsageMode::from_code((self.bits() >> 8 & 0x7) as u8)
    }
}

impl PhysicalLayer32Status {
    /// Received Enhanced Link Behavior Control.
    #[must_use]
    pub const fn received_enhanced_link_behavior_control(self) -> EnhancedLinkBehavior {
        match self.bits() >> 6 & 0x3 {
            0 => EnhancedLinkBehavior::FullEqualization,
            1 => EnhancedLinkBehavior::BypassToHighestRate,
            2 => EnhancedLinkBehavior::NoEqualizationNeeded,
            _ => EnhancedLinkBehavior::ModifiedTs,
        }
    }
}

impl ModifiedTsData1 {
    /// Modified TS Usage Mode.
    #[must_use]
    pub const fn usage_mode(self) -> ModifiedTsUsageMode {
        ModifiedTsUsageMode::from_code((self.bits() & 0x7) as u8)
    }

    /// Modified TS Information 1.
    #[must_use]
    pub const fn information_1(self) -> u16 {
        (self.bits() >> 3 & 0x1fff) as u16
    }

    /// Modified TS Vendor ID.
    #[must_use]
    pub const fn vendor_id(self) -> u16 {
        (self.bits() >> 16) as u16
    }
}

impl ModifiedTsData2 {
    /// Modified TS Information 2.
    #[must_use]
    pub const fn information_2(self) -> u32 {
        self.bits() & 0xffffff
    }

    /// Alternate Protocol Negotiation Status.
    #[must_use]
    pub const fn alternate_protocol_negotiation_status(self) -> AlternateProtocolNegotiation {
        match self.bits() >> 24 & 0x3 {
            0 => AlternateProtocolNegotiation::NotSupported,
            1 => AlternateProtocolNegotiation::Disabled,
            2 => AlternateProtocolNegotiation::Failed,
            _ => AlternateProtocolNegotiation::Successful,
        }
    }
}

/// The Physical Layer 32.0 GT/s capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x2a, 0x00, 0x01, 0x00, 0x01, 0x07, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x2f, 0x01, 0x00, 0x00,
///     0x02, 0x00, 0x98, 0x1e, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x54,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PhysicalLayer32(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.received_modified_ts_data_1().vendor_id(), 0x1e98);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalLayer32<'a> {
    fixed: &'a [u8; 0x20],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> PhysicalLayer32<'a> {
    /// Offset of 32.0 GT/s Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of 32.0 GT/s Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of 32.0 GT/s Status from the capability's start.
    pub const STATUS: u16 = 0x0c;
    /// Offset of Received Modified TS Data 1 from the capability's start.
    pub const RECEIVED_MODIFIED_TS_DATA_1: u16 = 0x10;
    /// Offset of Received Modified TS Data 2 from the capability's start.
    pub const RECEIVED_MODIFIED_TS_DATA_2: u16 = 0x14;
    /// Offset of Transmitted Modified TS Data 1 from the capability's start.
    pub const TRANSMITTED_MODIFIED_TS_DATA_1: u16 = 0x18;
    /// Offset of Transmitted Modified TS Data 2 from the capability's start.
    pub const TRANSMITTED_MODIFIED_TS_DATA_2: u16 = 0x1c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// 32.0 GT/s Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> PhysicalLayer32Capabilities {
        PhysicalLayer32Capabilities::from_bits_retain(dword::<0x04, 0x20>(self.fixed))
    }

    /// 32.0 GT/s Control.
    #[must_use]
    pub const fn control(self) -> PhysicalLayer32Control {
        PhysicalLayer32Control::from_bits_retain(dword::<0x08, 0x20>(self.fixed))
    }

    /// 32.0 GT/s Status.
    #[must_use]
    pub const fn status(self) -> PhysicalLayer32Status {
        PhysicalLayer32Status::from_bits_retain(dword::<0x0c, 0x20>(self.fixed))
    }

    /// Received Modified TS Data 1.
    #[must_use]
    pub const fn received_modified_ts_data_1(self) -> ModifiedTsData1 {
        ModifiedTsData1::from_bits_retain(dword::<0x10, 0x20>(self.fixed))
    }

    /// Received Modified TS Data 2.
    #[must_use]
    pub const fn received_modified_ts_data_2(self) -> ModifiedTsData2 {
        ModifiedTsData2::from_bits_retain(dword::<0x14, 0x20>(self.fixed))
    }

    /// Transmitted Modified TS Data 1.
    #[must_use]
    pub const fn transmitted_modified_ts_data_1(self) -> ModifiedTsData1 {
        ModifiedTsData1::from_bits_retain(dword::<0x18, 0x20>(self.fixed))
    }

    /// Transmitted Modified TS Data 2.
    #[must_use]
    pub const fn transmitted_modified_ts_data_2(self) -> ModifiedTsData2 {
        ModifiedTsData2::from_bits_retain(dword::<0x1c, 0x20>(self.fixed))
    }

    /// Offset of the first lane's equalization control from the capability's start.
    pub const LANE_EQUALIZATION_CONTROL: u16 = 0x20;

    /// 32.0 GT/s Lane Equalization Control of as many lanes, at most 32 and at most those that can be read.
    pub fn lane_equalization(self, count: u8) -> impl Iterator<Item = LaneEqualization> + Clone + use<'a> {
        lanes(self.bytes, Self::LANE_EQUALIZATION_CONTROL, count)
    }
}

/// The Physical Layer 64.0 GT/s capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x31, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x81, 0x00, 0x00, 0x00,
///     0x54,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PhysicalLayer64(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.lane_equalization(1).next().unwrap().downstream_port_transmitter_preset(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalLayer64<'a> {
    fixed: &'a [u8; 0x10],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> PhysicalLayer64<'a> {
    /// Offset of 64.0 GT/s Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of 64.0 GT/s Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of 64.0 GT/s Status from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// 64.0 GT/s Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> u32 {
        dword::<0x04, 0x10>(self.fixed)
    }

    /// 64.0 GT/s Control.
    #[must_use]
    pub const fn control(self) -> u32 {
        dword::<0x08, 0x10>(self.fixed)
    }

    /// 64.0 GT/s Status.
    #[must_use]
    pub const fn status(self) -> PhysicalLayer64Status {
        PhysicalLayer64Status::from_bits_retain(dword::<0x0c, 0x10>(self.fixed))
    }

    /// Offset of the first lane's equalization control from the capability's start.
    pub const LANE_EQUALIZATION_CONTROL: u16 = 0x10;

    /// 64.0 GT/s Lane Equalization Control of as many lanes, at most 32 and at most those that can be read.
    pub fn lane_equalization(self, count: u8) -> impl Iterator<Item = LaneEqualization> + Clone + use<'a> {
        lanes(self.bytes, Self::LANE_EQUALIZATION_CONTROL, count)
    }
}

impl PhysicalLayer128Capabilities {
    /// Supported Link Speeds Vector 2.
    #[must_use]
    pub const fn supported_link_speeds_vector_2(self) -> u8 {
        (self.bits() & 0xff) as u8
    }

    /// Lower SKP OS Generation Supported Speeds Vector 2.
    #[must_use]
    pub const fn lower_skp_os_generation_supported_speeds_vector_2(self) -> u8 {
        (self.bits() >> 8 & 0xff) as u8
    }

    /// Lower SKP OS Reception Supported Speeds Vector 2.
    #[must_use]
    pub const fn lower_skp_os_reception_supported_speeds_vector_2(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }
}

/// The Physical Layer 128.0 GT/s capability (PCI Express Base 7.0, 7.7.8).
///
/// The layout is that of EDK II's header file; no device with it is known.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x39, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x81, 0x00, 0x00, 0x00,
///     0x54,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::PhysicalLayer128(link) = entry.decode()? else { panic!() };
/// assert_eq!(link.capabilities().supported_link_speeds_vector_2(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalLayer128<'a> {
    fixed: &'a [u8; 0x10],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> PhysicalLayer128<'a> {
    /// Offset of 128.0 GT/s Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of 128.0 GT/s Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of 128.0 GT/s Status from the capability's start.
    pub const STATUS: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// 128.0 GT/s Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> PhysicalLayer128Capabilities {
        PhysicalLayer128Capabilities::from_bits_retain(dword::<0x04, 0x10>(self.fixed))
    }

    /// 128.0 GT/s Control.
    #[must_use]
    pub const fn control(self) -> u32 {
        dword::<0x08, 0x10>(self.fixed)
    }

    /// 128.0 GT/s Status.
    #[must_use]
    pub const fn status(self) -> PhysicalLayer64Status {
        PhysicalLayer64Status::from_bits_retain(dword::<0x0c, 0x10>(self.fixed))
    }

    /// Offset of the first lane's equalization control from the capability's start.
    pub const LANE_EQUALIZATION_CONTROL: u16 = 0x10;

    /// 128.0 GT/s Lane Equalization Control of as many lanes, at most 32 and at most those that can be read.
    pub fn lane_equalization(self, count: u8) -> impl Iterator<Item = LaneEqualization> + Clone + use<'a> {
        lanes(self.bytes, Self::LANE_EQUALIZATION_CONTROL, count)
    }
}
