//! FRS Queueing (0021h): the messages of functions that have become ready (PCI Express Base 6.0,
//! 7.8.10).

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// FRS Queueing Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FrsQueueingCapability: u32 {
        const _ = !0;
    }

    /// FRS Queueing Status, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FrsQueueingStatus: u16 {
        /// A message came; write 1 to clear.
        const FRS_MESSAGE_RECEIVED = 1 << 0;
        /// One more than can be kept; write 1 to clear.
        const FRS_MESSAGE_OVERFLOW = 1 << 1;
        const _ = !0;
    }

    /// FRS Queueing Control, offset 0Ah.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FrsQueueingControl: u16 {
        /// A message interrupts.
        const FRS_INTERRUPT_ENABLE = 1 << 0;
        const _ = !0;
    }

    /// FRS Message Queue, offset 0Ch: the oldest message; a write takes it out.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FrsMessageQueue: u32 {
        const _ = !0;
    }
}

/// Why a function says that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrsReason {
    /// A device below became ready (DRS message).
    DrsReceived,
    /// It is back in D0.
    D3hotToD0Completed,
    /// Its function level reset is done.
    FlrCompleted,
    /// Its virtual functions are ready.
    VfEnabled,
    /// Its virtual functions are gone.
    VfDisabled,
    /// A code without a meaning.
    Reserved(u8),
}

impl FrsReason {
    const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::DrsReceived,
            2 => Self::D3hotToD0Completed,
            3 => Self::FlrCompleted,
            8 => Self::VfEnabled,
            9 => Self::VfDisabled,
            other => Self::Reserved(other),
        }
    }
}

impl FrsQueueingCapability {
    /// FRS Queue Max Depth: how many messages are kept.
    #[must_use]
    pub const fn queue_max_depth(self) -> u16 {
        (self.bits() & 0xfff) as u16
    }

    /// FRS Interrupt Message Number.
    #[must_use]
    pub const fn interrupt_message_number(self) -> u8 {
        (self.bits() >> 16 & 0x1f) as u8
    }
}

impl FrsMessageQueue {
    /// FRS Message Queue Function ID: who sent it, as a routing id.
    #[must_use]
    pub const fn function_id(self) -> u16 {
        (self.bits() & 0xffff) as u16
    }

    /// FRS Message Queue Reason.
    #[must_use]
    pub const fn reason(self) -> FrsReason {
        FrsReason::from_code((self.bits() >> 16 & 0xf) as u8)
    }

    /// FRS Message Queue Depth: how many messages are there.
    #[must_use]
    pub const fn depth(self) -> u16 {
        (self.bits() >> 20) as u16
    }
}

/// The FRS Queueing capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x21, 0x00, 0x01, 0x00, 0x10, 0x00, 0x02, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x01, 0x13, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::FrsQueueing(queue) = entry.decode()? else { panic!() };
/// assert_eq!(queue.message_queue().function_id(), 0x0100);
/// assert_eq!(queue.message_queue().depth(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrsQueueing<'a> {
    bytes: &'a [u8; 0x10],
    offset: u16,
}

impl<'a> FrsQueueing<'a> {
    /// Offset of FRS Queueing Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of FRS Queueing Status from the capability's start.
    pub const STATUS: u16 = 0x08;
    /// Offset of FRS Queueing Control from the capability's start.
    pub const CONTROL: u16 = 0x0a;
    /// Offset of FRS Message Queue from the capability's start.
    pub const MESSAGE_QUEUE: u16 = 0x0c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// FRS Queueing Capability.
    #[must_use]
    pub const fn capability(self) -> FrsQueueingCapability {
        FrsQueueingCapability::from_bits_retain(dword::<0x04, 0x10>(self.bytes))
    }

    /// FRS Queueing Status.
    #[must_use]
    pub const fn status(self) -> FrsQueueingStatus {
        FrsQueueingStatus::from_bits_retain(word::<0x08, 0x10>(self.bytes))
    }

    /// FRS Queueing Control.
    #[must_use]
    pub const fn control(self) -> FrsQueueingControl {
        FrsQueueingControl::from_bits_retain(word::<0x0a, 0x10>(self.bytes))
    }

    /// FRS Message Queue.
    #[must_use]
    pub const fn message_queue(self) -> FrsMessageQueue {
        FrsMessageQueue::from_bits_retain(dword::<0x0c, 0x10>(self.bytes))
    }
}
