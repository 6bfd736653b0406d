//! Flit Logging (0032h): errors of a link in flit mode (PCI Express Base 6.0, 7.7.8).

use super::device_3::width;
use crate::capability::LinkWidth;
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Flit Error Log 1, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorLog1: u32 {
        /// The log holds an error; write 1 to go on to the next.
        const VALID = 1 << 0;
        /// There are more.
        const MORE_ENTRIES_VALID = 1 << 13;
        /// Unrecognized Flit.
        const UNRECOGNIZED_FLIT = 1 << 14;
        /// FEC Uncorrectable Error.
        const FEC_UNCORRECTABLE_ERROR = 1 << 15;
        const _ = !0;
    }

    /// Flit Error Log 2, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorLog2: u32 {
        const _ = !0;
    }

    /// Flit Error Counter Control, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorCounterControl: u16 {
        /// Errors are counted.
        const ENABLE = 1 << 0;
        /// Reaching the count interrupts.
        const INTERRUPT_ENABLE = 1 << 1;
        const _ = !0;
    }

    /// Flit Error Counter Status, offset 0Eh.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FlitErrorCounterStatus: u16 {
        const _ = !0;
    }

    /// FBER Measurement Control, offset 10h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FberMeasurementControl: u32 {
        /// Bit errors are measured.
        const ENABLE = 1 << 0;
        /// Clear Counters.
        const CLEAR_COUNTERS = 1 << 1;
        const _ = !0;
    }
}

impl FlitErrorLog1 {
    /// Flit Error Link Width; `None` for a reserved code.
    #[must_use]
    pub const fn link_width(self) -> Option<LinkWidth> {
        width((self.bits() >> 1 & 0x7) as u8)
    }

    /// Flit Offset from the Last Logged Flit in Error.
    #[must_use]
    pub const fn flit_offset(self) -> u8 {
        (self.bits() >> 4 & 0xf) as u8
    }

    /// Consecutive Flit Errors after the Last Flit Error.
    #[must_use]
    pub const fn consecutive_errors(self) -> u8 {
        (self.bits() >> 8 & 0x1f) as u8
    }

    /// Syndrome Parity for ECC Group 0.
    #[must_use]
    pub const fn syndrome_parity_0(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// Syndrome Check for ECC Group 0.
    #[must_use]
    pub const fn syndrome_check_0(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl FlitErrorLog2 {
    /// Syndrome Parity for ECC Group 1.
    #[must_use]
    pub const fn syndrome_parity_1(self) -> u8 {
        (self.bits() & 0xff) as u8
    }

    /// Syndrome Check for ECC Group 1.
    #[must_use]
    pub const fn syndrome_check_1(self) -> u8 {
        (self.bits() >> 8 & 0xff) as u8
    }

    /// Syndrome Parity for ECC Group 2.
    #[must_use]
    pub const fn syndrome_parity_2(self) -> u8 {
        (self.bits() >> 16 & 0xff) as u8
    }

    /// Syndrome Check for ECC Group 2.
    #[must_use]
    pub const fn syndrome_check_2(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl FlitErrorCounterControl {
    /// Events to Count.
    #[must_use]
    pub const fn events_to_count(self) -> u8 {
        (self.bits() >> 2 & 0x3) as u8
    }

    /// Trigger Event on Error Count.
    #[must_use]
    pub const fn trigger_event_on_error_count(self) -> u8 {
        (self.bits() >> 4 & 0xff) as u8
    }
}

impl FlitErrorCounterStatus {
    /// Link Width when Error Counter Started; `None` for a reserved code.
    #[must_use]
    pub const fn link_width(self) -> Option<LinkWidth> {
        width((self.bits() & 0x7) as u8)
    }

    /// Flit Error Counter.
    #[must_use]
    pub const fn flit_error_counter(self) -> u8 {
        (self.bits() >> 8) as u8
    }
}

impl FberMeasurementControl {
    /// Granularity of Per-Lane Error Reported.
    #[must_use]
    pub const fn granularity(self) -> u8 {
        (self.bits() >> 2 & 0x3) as u8
    }
}

/// The Flit Logging capability.
///
/// Which bit of Flit Error Counter Status tells that the interrupt came is not confirmed: the source
/// has it within the width.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x32, 0x00, 0x01, 0x00, 0x01, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x03,
///     0x01, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::FlitLogging(log) = entry.decode()? else { panic!() };
/// assert_eq!(log.counter_status().flit_error_counter(), 3);
/// assert_eq!(log.lane_correctable_counters()[0], 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlitLogging<'a> {
    bytes: &'a [u8; 0x3c],
    offset: u16,
}

impl<'a> FlitLogging<'a> {
    /// Offset of Flit Error Log 1 from the capability's start.
    pub const ERROR_LOG_1: u16 = 0x04;
    /// Offset of Flit Error Log 2 from the capability's start.
    pub const ERROR_LOG_2: u16 = 0x08;
    /// Offset of Flit Error Counter Control from the capability's start.
    pub const COUNTER_CONTROL: u16 = 0x0c;
    /// Offset of Flit Error Counter Status from the capability's start.
    pub const COUNTER_STATUS: u16 = 0x0e;
    /// Offset of FBER Measurement Control from the capability's start.
    pub const MEASUREMENT_CONTROL: u16 = 0x10;
    /// Offset of FBER Measurement Status 1 from the capability's start.
    pub const MEASUREMENT_STATUS_1: u16 = 0x14;
    /// Offset of FBER Measurement Status 2 from the capability's start.
    pub const MEASUREMENT_STATUS_2: u16 = 0x18;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Flit Error Log 1.
    #[must_use]
    pub const fn error_log_1(self) -> FlitErrorLog1 {
        FlitErrorLog1::from_bits_retain(dword::<0x04, 0x3c>(self.bytes))
    }

    /// Flit Error Log 2.
    #[must_use]
    pub const fn error_log_2(self) -> FlitErrorLog2 {
        FlitErrorLog2::from_bits_retain(dword::<0x08, 0x3c>(self.bytes))
    }

    /// Flit Error Counter Control.
    #[must_use]
    pub const fn counter_control(self) -> FlitErrorCounterControl {
        FlitErrorCounterControl::from_bits_retain(word::<0x0c, 0x3c>(self.bytes))
    }

    /// Flit Error Counter Status.
    #[must_use]
    pub const fn counter_status(self) -> FlitErrorCounterStatus {
        FlitErrorCounterStatus::from_bits_retain(word::<0x0e, 0x3c>(self.bytes))
    }

    /// FBER Measurement Control.
    #[must_use]
    pub const fn measurement_control(self) -> FberMeasurementControl {
        FberMeasurementControl::from_bits_retain(dword::<0x10, 0x3c>(self.bytes))
    }

    /// FBER Measurement Status 1: the number of flits.
    #[must_use]
    pub const fn flit_counter(self) -> u32 {
        dword::<0x14, 0x3c>(self.bytes)
    }

    /// FBER Measurement Status 2.
    #[must_use]
    pub const fn measurement_status_2(self) -> u32 {
        dword::<0x18, 0x3c>(self.bytes)
    }

    /// Offset of FBER Measurement Status 3 from the capability's start: two lanes a dword, to Status 10.
    pub const MEASUREMENT_STATUS_3: u16 = 0x1c;

    /// Invalid Flit Counter, of FBER Measurement Status 2.
    #[must_use]
    pub const fn invalid_flit_counter(self) -> u16 {
        self.measurement_status_2() as u16
    }

    /// The Correctable Counter of each of 16 lanes.
    #[must_use]
    pub fn lane_correctable_counters(self) -> [u16; 16] {
        let mut counters = [0; 16];
        let (table, _) = self.bytes[usize::from(Self::MEASUREMENT_STATUS_3)..].as_chunks::<2>();
        for (counter, bytes) in counters.iter_mut().zip(table) {
            *counter = u16::from_le_bytes(*bytes);
        }
        counters
    }
}
