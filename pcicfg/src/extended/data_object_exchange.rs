//! Data Object Exchange (002Eh): a mailbox, for attestation among others (PCI Express Base 6.0,
//! 7.9.24).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// DOE Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DoeCapabilities: u32 {
        /// The mailbox can interrupt.
        const INTERRUPT_SUPPORT = 1 << 0;
        const _ = !0;
    }

    /// DOE Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DoeControl: u32 {
        /// Writing 1 gives everything up that is under way; reads 0.
        const ABORT = 1 << 0;
        /// The mailbox interrupts.
        const INTERRUPT_ENABLE = 1 << 1;
        /// Writing 1 hands the written object over; reads 0.
        const GO = 1 << 31;
        const _ = !0;
    }

    /// DOE Status, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DoeStatus: u32 {
        /// No object can be written.
        const BUSY = 1 << 0;
        /// The mailbox interrupted; write 1 to clear.
        const INTERRUPT_STATUS = 1 << 1;
        /// Something went wrong: Abort is needed.
        const ERROR = 1 << 2;
        /// An object can be read.
        const DATA_OBJECT_READY = 1 << 31;
        const _ = !0;
    }
}

impl DoeCapabilities {
    /// DOE Interrupt Message Number.
    #[must_use]
    pub const fn interrupt_message_number(self) -> u16 {
        (self.bits() >> 1 & 0x7ff) as u16
    }
}

/// The Data Object Exchange capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x2e, 0x00, 0x01, 0x00, 0x07, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,
///     0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DataObjectExchange(mailbox) = entry.decode()? else { panic!() };
/// assert_eq!(mailbox.capabilities().interrupt_message_number(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataObjectExchange<'a> {
    bytes: &'a [u8; 0x18],
    offset: u16,
}

impl<'a> DataObjectExchange<'a> {
    /// Offset of DOE Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of DOE Control from the capability's start.
    pub const CONTROL: u16 = 0x08;
    /// Offset of DOE Status from the capability's start.
    pub const STATUS: u16 = 0x0c;
    /// Offset of DOE Write Data Mailbox from the capability's start.
    pub const WRITE_DATA_MAILBOX: u16 = 0x10;
    /// Offset of DOE Read Data Mailbox from the capability's start.
    pub const READ_DATA_MAILBOX: u16 = 0x14;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// DOE Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> DoeCapabilities {
        DoeCapabilities::from_bits_retain(dword::<0x04, 0x18>(self.bytes))
    }

    /// DOE Control.
    #[must_use]
    pub const fn control(self) -> DoeControl {
        DoeControl::from_bits_retain(dword::<0x08, 0x18>(self.bytes))
    }

    /// DOE Status.
    #[must_use]
    pub const fn status(self) -> DoeStatus {
        DoeStatus::from_bits_retain(dword::<0x0c, 0x18>(self.bytes))
    }

    /// DOE Write Data Mailbox.
    #[must_use]
    pub const fn write_data_mailbox(self) -> u32 {
        dword::<0x10, 0x18>(self.bytes)
    }

    /// DOE Read Data Mailbox: the next dword of the object that is ready.
    #[must_use]
    pub const fn read_data_mailbox(self) -> u32 {
        dword::<0x14, 0x18>(self.bytes)
    }
}
