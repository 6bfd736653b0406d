//! Flit Error Injection (0034h): errors made on purpose (PCI Express Base 6.0, 7.8.14).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// Flit Error Injection Control 1, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorInjectionControl1: u32 {
        /// Enable.
        const ENABLE = 1 << 0;
        /// Inject on Transmitted Flits.
        const INJECT_ON_TRANSMITTED_FLITS = 1 << 1;
        /// Inject on Received Flits.
        const INJECT_ON_RECEIVED_FLITS = 1 << 2;
        /// At 2.5 GT/s.
        const SPEED_2_5_GT = 1 << 6;
        /// At 5 GT/s.
        const SPEED_5_GT = 1 << 7;
        /// At 8 GT/s.
        const SPEED_8_GT = 1 << 8;
        /// At 16 GT/s.
        const SPEED_16_GT = 1 << 9;
        /// At 32 GT/s.
        const SPEED_32_GT = 1 << 10;
        /// At 64 GT/s.
        const SPEED_64_GT = 1 << 11;
        const _ = !0;
    }

    /// Flit Error Injection Control 2, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorInjectionControl2: u32 {
        const _ = !0;
    }

    /// Flit Error Injection Status, offset 10h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorInjectionStatus: u32 {
        const _ = !0;
    }

    /// Ordered Set Error Injection Control 1, offset 14h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OrderedSetErrorInjectionControl1: u32 {
        /// Enable.
        const ENABLE = 1 << 0;
        /// Inject on Transmitted Ordered Sets.
        const INJECT_ON_TRANSMITTED_ORDERED_SETS = 1 << 1;
        /// Inject on Received Ordered Sets.
        const INJECT_ON_RECEIVED_ORDERED_SETS = 1 << 2;
        /// TS0.
        const TS0 = 1 << 16;
        /// TS1.
        const TS1 = 1 << 17;
        /// TS2.
        const TS2 = 1 << 18;
        /// SKP.
        const SKP = 1 << 19;
        /// EIEOS.
        const EIEOS = 1 << 20;
        /// EIOS.
        const EIOS = 1 << 21;
        /// SDS.
        const SDS = 1 << 22;
        /// In the Polling states.
        const POLLING = 1 << 23;
        /// In the Configuration states.
        const CONFIGURATION = 1 << 24;
        /// In L0.
        const L0 = 1 << 25;
        /// In Recovery without equalization.
        const RECOVERY = 1 << 26;
        /// In phases 0 and 1 of equalization.
        const EQUALIZATION_PHASES_0_AND_1 = 1 << 27;
        /// In phase 2.
        const EQUALIZATION_PHASE_2 = 1 << 28;
        /// In phase 3.
        const EQUALIZATION_PHASE_3 = 1 << 29;
        const _ = !0;
    }

    /// Ordered Set Error Injection Control 2, offset 18h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OrderedSetErrorInjectionControl2: u32 {
        const _ = !0;
    }

    /// Ordered Set Error Tx (offset 1Ch) or Rx (offset 20h) Injection Status.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OrderedSetErrorInjectionStatus: u32 {
        const _ = !0;
    }
}

/// What became of an injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlitInjectionStatus {
    /// None was begun.
    None,
    /// It goes on.
    InProgress,
    /// It is done.
    Completed,
    /// It failed.
    Error,
}

impl FlitInjectionStatus {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::None,
            1 => Self::InProgress,
            2 => Self::Completed,
            _ => Self::Error,
        }
    }
}

impl FlitErrorInjectionControl1 {
    /// Number of Errors Injected.
    #[must_use]
    pub const fn number_of_errors(self) -> u8 {
        (self.bits() >> 16 & 0x1f) as u8
    }

    /// Spacing Between Injected Errors.
    #[must_use]
    pub const fn spacing(self) -> u8 {
        (self.bits() >> 21 & 0xff) as u8
    }

    /// Injection on Flit Type.
    #[must_use]
    pub const fn flit_type(self) -> FlitType {
        match (self.bits() >> 29) as u8 {
            0 => FlitType::Any,
            1 => FlitType::AnyButIdle,
            2 => FlitType::Payload,
            3 => FlitType::Nop,
            4 => FlitType::Idle,
            5 => FlitType::PayloadWithSequenceNumber,
            other => FlitType::Reserved(other),
        }
    }
}

/// Which flits get errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlitType {
    /// All.
    Any,
    /// All but idle ones.
    AnyButIdle,
    /// Those with a payload.
    Payload,
    /// Those without work.
    Nop,
    /// Idle ones.
    Idle,
    /// Those with a payload and a certain sequence number.
    PayloadWithSequenceNumber,
    /// A code without a meaning.
    Reserved(u8),
}

impl FlitErrorInjectionControl2 {
    /// Consecutive Error Injection.
    #[must_use]
    pub const fn consecutive_error_injection(self) -> u8 {
        (self.bits() & 0x7) as u8
    }

    /// Error Type Being Injected.
    #[must_use]
    pub const fn error_type(self) -> u8 {
        (self.bits() >> 3 & 0x3) as u8
    }

    /// Error Offset within Flit.
    #[must_use]
    pub const fn error_offset(self) -> u8 {
        (self.bits() >> 5 & 0x7f) as u8
    }

    /// Error Magnitude.
    #[must_use]
    pub const fn error_magnitude(self) -> u8 {
        (self.bits() >> 12 & 0xff) as u8
    }
}

impl FlitErrorInjectionStatus {
    /// Flit Error Tx Injection Status.
    #[must_use]
    pub const fn tx(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() & 0x3) as u8)
    }

    /// Flit Error Rx Injection Status.
    #[must_use]
    pub const fn rx(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 2 & 0x3) as u8)
    }
}

impl OrderedSetErrorInjectionControl1 {
    /// Number of Errors Injected.
    #[must_use]
    pub const fn number_of_errors(self) -> u8 {
        (self.bits() >> 3 & 0x1f) as u8
    }

    /// Spacing Between Injected Errors.
    #[must_use]
    pub const fn spacing(self) -> u8 {
        (self.bits() >> 8 & 0xff) as u8
    }
}

impl OrderedSetErrorInjectionControl2 {
    /// Error Injection Bytes.
    #[must_use]
    pub const fn error_injection_bytes(self) -> u16 {
        (self.bits() & 0xffff) as u16
    }

    /// Lane Number for Error Injection.
    #[must_use]
    pub const fn lane_number_for_error_injection(self) -> u16 {
        (self.bits() >> 16) as u16
    }
}

impl OrderedSetErrorInjectionStatus {
    /// TS0.
    #[must_use]
    pub const fn ts0(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() & 0x3) as u8)
    }

    /// TS1.
    #[must_use]
    pub const fn ts1(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 2 & 0x3) as u8)
    }

    /// TS2.
    #[must_use]
    pub const fn ts2(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 4 & 0x3) as u8)
    }

    /// SKP.
    #[must_use]
    pub const fn skp(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 6 & 0x3) as u8)
    }

    /// EIEOS.
    #[must_use]
    pub const fn eieos(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 8 & 0x3) as u8)
    }

    /// EIOS.
    #[must_use]
    pub const fn eios(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 10 & 0x3) as u8)
    }

    /// SDS.
    #[must_use]
    pub const fn sds(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 12 & 0x3) as u8)
    }

    /// Polling.
    #[must_use]
    pub const fn polling(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 14 & 0x3) as u8)
    }

    /// Configuration.
    #[must_use]
    pub const fn configuration(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 16 & 0x3) as u8)
    }

    /// L0.
    #[must_use]
    pub const fn l0(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 18 & 0x3) as u8)
    }

    /// Recovery without equalization.
    #[must_use]
    pub const fn recovery(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 20 & 0x3) as u8)
    }

    /// Equalization, phases 0 and 1.
    #[must_use]
    pub const fn equalization_phases_0_and_1(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 22 & 0x3) as u8)
    }

    /// Equalization Phase 2.
    #[must_use]
    pub const fn equalization_phase_2(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 24 & 0x3) as u8)
    }

    /// Equalization Phase 3.
    #[must_use]
    pub const fn equalization_phase_3(self) -> FlitInjectionStatus {
        FlitInjectionStatus::from_code((self.bits() >> 26 & 0x3) as u8)
    }
}

/// The Flit Error Injection capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x34, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x43, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::FlitErrorInjection(injection) = entry.decode()? else { panic!() };
/// assert_eq!(injection.control_1().number_of_errors(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlitErrorInjection<'a> {
    bytes: &'a [u8; 0x24],
    offset: u16,
}

impl<'a> FlitErrorInjection<'a> {
    /// Offset of Flit Error Injection Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of Flit Error Injection Control 1 from the capability's start.
    pub const CONTROL_1: u16 = 0x08;
    /// Offset of Flit Error Injection Control 2 from the capability's start.
    pub const CONTROL_2: u16 = 0x0c;
    /// Offset of Flit Error Injection Status from the capability's start.
    pub const STATUS: u16 = 0x10;
    /// Offset of Ordered Set Error Injection Control 1 from the capability's start.
    pub const ORDERED_SET_CONTROL_1: u16 = 0x14;
    /// Offset of Ordered Set Error Injection Control 2 from the capability's start.
    pub const ORDERED_SET_CONTROL_2: u16 = 0x18;
    /// Offset of Ordered Set Error Tx Injection Status from the capability's start.
    pub const ORDERED_SET_TX_STATUS: u16 = 0x1c;
    /// Offset of Ordered Set Error Rx Injection Status from the capability's start.
    pub const ORDERED_SET_RX_STATUS: u16 = 0x20;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Flit Error Injection Capability.
    #[must_use]
    pub const fn capability(self) -> u32 {
        dword::<0x04, 0x24>(self.bytes)
    }

    /// Flit Error Injection Control 1.
    #[must_use]
    pub const fn control_1(self) -> FlitErrorInjectionControl1 {
        FlitErrorInjectionControl1::from_bits_retain(dword::<0x08, 0x24>(self.bytes))
    }

    /// Flit Error Injection Control 2.
    #[must_use]
    pub const fn control_2(self) -> FlitErrorInjectionControl2 {
        FlitErrorInjectionControl2::from_bits_retain(dword::<0x0c, 0x24>(self.bytes))
    }

    /// Flit Error Injection Status.
    #[must_use]
    pub const fn status(self) -> FlitErrorInjectionStatus {
        FlitErrorInjectionStatus::from_bits_retain(dword::<0x10, 0x24>(self.bytes))
    }

    /// Ordered Set Error Injection Control 1.
    #[must_use]
    pub const fn ordered_set_control_1(self) -> OrderedSetErrorInjectionControl1 {
        OrderedSetErrorInjectionControl1::from_bits_retain(dword::<0x14, 0x24>(self.bytes))
    }

    /// Ordered Set Error Injection Control 2.
    #[must_use]
    pub const fn ordered_set_control_2(self) -> OrderedSetErrorInjectionControl2 {
        OrderedSetErrorInjectionControl2::from_bits_retain(dword::<0x18, 0x24>(self.bytes))
    }

    /// Ordered Set Error Tx Injection Status.
    #[must_use]
    pub const fn ordered_set_tx_status(self) -> OrderedSetErrorInjectionStatus {
        OrderedSetErrorInjectionStatus::from_bits_retain(dword::<0x1c, 0x24>(self.bytes))
    }

    /// Ordered Set Error Rx Injection Status.
    #[must_use]
    pub const fn ordered_set_rx_status(self) -> OrderedSetErrorInjectionStatus {
        OrderedSetErrorInjectionStatus::from_bits_retain(dword::<0x20, 0x24>(self.bytes))
    }
}
