//! Lane Margining at the Receiver (0027h): how much worse a signal could be (PCI Express Base 6.0,
//! 7.7.10).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Margining Port Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MarginingPortCapabilities: u16 {
        /// A driver is needed for some of it.
        const MARGINING_USES_DRIVER_SOFTWARE = 1 << 0;
        const _ = !0;
    }

    /// Margining Port Status, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MarginingPortStatus: u16 {
        /// The port takes commands.
        const MARGINING_READY = 1 << 0;
        /// The driver is there.
        const MARGINING_SOFTWARE_READY = 1 << 1;
        const _ = !0;
    }

    /// Margining Lane Control or Status.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MarginingLaneControlStatus: u16 {
        /// Reserved encoding, else margining at the receiver.
        const USAGE_MODEL = 1 << 6;
        const _ = !0;
    }
}

/// Which receiver on the way is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MarginingReceiver {
    /// All of them.
    Broadcast,
    /// Rx(A): the downstream port's.
    A,
    /// Rx(B): of the retimer next to it, the side towards it.
    B,
    /// Rx(C): of that retimer, the other side.
    C,
    /// Rx(D): of the second retimer, the side towards the downstream port.
    D,
    /// Rx(E): of that retimer, the other side.
    E,
    /// Rx(F): the upstream port's.
    F,
    /// A code without a meaning.
    Reserved(u8),
}

/// What a margining command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MarginType {
    /// Asks what the receiver can do.
    Report,
    /// Sets a limit or clears the log.
    Set,
    /// Moves the sampling point in time.
    StepTime,
    /// Moves it in voltage.
    StepVoltage,
    /// Nothing.
    NoCommand,
    /// A code without a meaning.
    Reserved(u8),
}

impl MarginingReceiver {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Broadcast,
            1 => Self::A,
            2 => Self::B,
            3 => Self::C,
            4 => Self::D,
            5 => Self::E,
            6 => Self::F,
            other => Self::Reserved(other),
        }
    }
}

impl MarginingLaneControlStatus {
    /// Receiver Number.
    #[must_use]
    pub const fn receiver_number(self) -> MarginingReceiver {
        MarginingReceiver::from_code((self.bits() & 0x7) as u8)
    }

    /// Margin Type.
    #[must_use]
    pub const fn margin_type(self) -> MarginType {
        match (self.bits() >> 3 & 0x7) as u8 {
            1 => MarginType::Report,
            2 => MarginType::Set,
            3 => MarginType::StepTime,
            4 => MarginType::StepVoltage,
            7 => MarginType::NoCommand,
            other => MarginType::Reserved(other),
        }
    }

    /// Margin Payload.
    #[must_use]
    pub const fn margin_payload(self) -> u8 {
        (self.bits() >> 8) as u8
    }
}

/// A lane's two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MarginingLane {
    /// Margining Lane Control.
    pub control: MarginingLaneControlStatus,
    /// Margining Lane Status.
    pub status: MarginingLaneControlStatus,
}

/// The Lane Margining at the Receiver capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x27, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x38, 0x9c, 0x0e, 0x05,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::LaneMargining(margining) = entry.decode()? else { panic!() };
/// assert_eq!(margining.lanes(1).next().unwrap().status.margin_payload(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneMargining<'a> {
    fixed: &'a [u8; 0x8],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> LaneMargining<'a> {
    /// Offset of Margining Port Capabilities from the capability's start.
    pub const PORT_CAPABILITIES: u16 = 0x04;
    /// Offset of Margining Port Status from the capability's start.
    pub const PORT_STATUS: u16 = 0x06;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Margining Port Capabilities.
    #[must_use]
    pub const fn port_capabilities(self) -> MarginingPortCapabilities {
        MarginingPortCapabilities::from_bits_retain(word::<0x04, 0x8>(self.fixed))
    }

    /// Margining Port Status.
    #[must_use]
    pub const fn port_status(self) -> MarginingPortStatus {
        MarginingPortStatus::from_bits_retain(word::<0x06, 0x8>(self.fixed))
    }

    /// Offset of the first lane's Margining Lane Control from the capability's start.
    pub const LANES: u16 = 0x08;

    /// The registers of as many lanes, at most 32 and at most those that can be read. How many there are,
    /// the PCI Express capability says: Maximum Link Width.
    pub fn lanes(self, count: u8) -> impl Iterator<Item = MarginingLane> + Clone + use<'a> {
        (0..u16::from(count.min(32))).map_while(move |lane| {
            let registers = dword_at(self.bytes, Self::LANES + 4 * lane)?;
            Some(MarginingLane {
                control: MarginingLaneControlStatus::from_bits_retain(registers as u16),
                status: MarginingLaneControlStatus::from_bits_retain((registers >> 16) as u16),
            })
        })
    }
}
