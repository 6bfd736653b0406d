//! PCI-X (07h): one layout for functions, one for bridges (PCI-X Protocol Addendum 2.0a, 7.2 and 8.6.2).

use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// PCI-X Command, offset 2 (type 0 headers).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PciXCommand: u16 {
        /// The driver recovers from data parity errors.
        const DATA_PARITY_ERROR_RECOVERY_ENABLE = 1 << 0;
        /// Requests may carry Relaxed Ordering.
        const ENABLE_RELAXED_ORDERING = 1 << 1;
        const _ = !0;
    }

    /// PCI-X Status, offset 4 (type 0 headers).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PciXStatus: u32 {
        /// The device's bus interface has 64 bits.
        const DEVICE_64_BIT = 1 << 16;
        /// 133 MHz capable.
        const CAPABLE_133_MHZ = 1 << 17;
        /// A split completion was discarded; write 1 to clear.
        const SPLIT_COMPLETION_DISCARDED = 1 << 18;
        /// An unexpected split completion came; write 1 to clear.
        const UNEXPECTED_SPLIT_COMPLETION = 1 << 19;
        /// The device is a bridge.
        const DEVICE_COMPLEXITY = 1 << 20;
        /// A split completion error message came; write 1 to clear.
        const RECEIVED_SPLIT_COMPLETION_ERROR_MESSAGE = 1 << 29;
        /// PCI-X 266 capable.
        const CAPABLE_266_MHZ = 1 << 30;
        /// PCI-X 533 capable.
        const CAPABLE_533_MHZ = 1 << 31;
        const _ = !0;
    }

    /// PCI-X Secondary Status, offset 2 (type 1 headers).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PciXSecondaryStatus: u16 {
        /// The secondary bus interface has 64 bits.
        const DEVICE_64_BIT = 1 << 0;
        /// 133 MHz capable.
        const CAPABLE_133_MHZ = 1 << 1;
        /// A split completion was discarded; write 1 to clear.
        const SPLIT_COMPLETION_DISCARDED = 1 << 2;
        /// An unexpected split completion came; write 1 to clear.
        const UNEXPECTED_SPLIT_COMPLETION = 1 << 3;
        /// The bridge had no buffer for a split completion; write 1 to clear.
        const SPLIT_COMPLETION_OVERRUN = 1 << 4;
        /// The bridge had to delay a split request; write 1 to clear.
        const SPLIT_REQUEST_DELAYED = 1 << 5;
        /// PCI-X 266 capable.
        const CAPABLE_266_MHZ = 1 << 14;
        /// PCI-X 533 capable.
        const CAPABLE_533_MHZ = 1 << 15;
        const _ = !0;
    }

    /// PCI-X Bridge Status, offset 4 (type 1 headers).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PciXBridgeStatus: u32 {
        /// The primary bus interface has 64 bits.
        const DEVICE_64_BIT = 1 << 16;
        /// 133 MHz capable.
        const CAPABLE_133_MHZ = 1 << 17;
        /// A split completion was discarded; write 1 to clear.
        const SPLIT_COMPLETION_DISCARDED = 1 << 18;
        /// An unexpected split completion came; write 1 to clear.
        const UNEXPECTED_SPLIT_COMPLETION = 1 << 19;
        /// The bridge had no buffer for a split completion; write 1 to clear.
        const SPLIT_COMPLETION_OVERRUN = 1 << 20;
        /// The bridge had to delay a split request; write 1 to clear.
        const SPLIT_REQUEST_DELAYED = 1 << 21;
        const _ = !0;
    }
}

const fn max_memory_read(code: u32) -> u16 {
    512 << (code & 3)
}

const fn max_split_transactions(code: u32) -> u8 {
    [1, 2, 3, 4, 8, 12, 16, 32][(code & 7) as usize]
}

impl PciXCommand {
    /// Maximum Memory Read Byte Count, 512 to 4096.
    #[must_use]
    pub const fn maximum_memory_read_byte_count(self) -> u16 {
        max_memory_read(self.bits() as u32 >> 2)
    }

    /// Maximum Outstanding Split Transactions, 1 to 32.
    #[must_use]
    pub const fn maximum_outstanding_split_transactions(self) -> u8 {
        max_split_transactions(self.bits() as u32 >> 4)
    }

    /// The capability's version: 0, or 1 or 2 for the layout with ECC registers.
    #[must_use]
    pub const fn version(self) -> u8 {
        (self.bits() >> 12 & 3) as u8
    }
}

impl PciXStatus {
    /// The function's routing id (bus, device, function) as the last configuration write told it.
    #[must_use]
    pub const fn routing_id(self) -> u16 {
        self.bits() as u16
    }

    /// Designed Maximum Memory Read Byte Count, 512 to 4096.
    #[must_use]
    pub const fn designed_maximum_memory_read_byte_count(self) -> u16 {
        max_memory_read(self.bits() >> 21)
    }

    /// Designed Maximum Outstanding Split Transactions, 1 to 32.
    #[must_use]
    pub const fn designed_maximum_outstanding_split_transactions(self) -> u8 {
        max_split_transactions(self.bits() >> 23)
    }

    /// Designed Maximum Cumulative Read Size, in bytes: 1 KiB to 128 KiB.
    #[must_use]
    pub const fn designed_maximum_cumulative_read_size(self) -> u32 {
        1024 << (self.bits() >> 26 & 7)
    }
}

/// How a PCI-X bus runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PciXBusMode {
    /// As conventional PCI.
    Conventional,
    /// Mode 1 with parity, at so many megahertz.
    Parity(u8),
    /// Mode 1 with error correction, at so many megahertz.
    Ecc(u8),
    /// Mode 2: two transfers a cycle of so many megahertz.
    PciX266(u8),
    /// Mode 2: four transfers a cycle of so many megahertz.
    PciX533(u8),
    /// One of the three codes without a meaning.
    Reserved(u8),
}

impl PciXBusMode {
    const fn from_code(code: u8) -> Self {
        let megahertz = match code & 3 {
            1 => 66,
            2 => 100,
            3 => 133,
            _ if code == 0 => return Self::Conventional,
            _ => return Self::Reserved(code),
        };
        match code >> 2 {
            0 => Self::Parity(megahertz),
            1 => Self::Ecc(megahertz),
            2 => Self::PciX266(megahertz),
            _ => Self::PciX533(megahertz),
        }
    }
}

impl PciXSecondaryStatus {
    /// Secondary Bus Mode and Frequency (the addendum's table 8-6).
    #[must_use]
    pub const fn bus_mode_and_frequency(self) -> PciXBusMode {
        PciXBusMode::from_code((self.bits() >> 6 & 0xf) as u8)
    }

    /// The capability's version: 0, or 1 or 2 for the layout with ECC registers.
    #[must_use]
    pub const fn version(self) -> u8 {
        (self.bits() >> 12 & 3) as u8
    }
}

impl PciXBridgeStatus {
    /// The bridge's routing id (bus, device, function) on its primary bus.
    #[must_use]
    pub const fn routing_id(self) -> u16 {
        self.bits() as u16
    }
}

/// The PCI-X capability of a type 0 header.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x07, 0x00, 0x5b, 0x20, 0x19, 0x02, 0xe3, 0x93,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::PciX(pci_x) = entry.decode()? else { panic!() };
/// assert_eq!(pci_x.command().maximum_memory_read_byte_count(), 2048);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciX<'a> {
    bytes: &'a [u8; 8],
    offset: u16,
}

impl<'a> PciX<'a> {
    /// Offset of PCI-X Command from the capability's start.
    pub const COMMAND: u16 = 2;
    /// Offset of PCI-X Status from the capability's start.
    pub const STATUS: u16 = 4;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// PCI-X Command.
    #[must_use]
    pub const fn command(self) -> PciXCommand {
        PciXCommand::from_bits_retain(word::<2, 8>(self.bytes))
    }

    /// PCI-X Status.
    #[must_use]
    pub const fn status(self) -> PciXStatus {
        PciXStatus::from_bits_retain(dword::<4, 8>(self.bytes))
    }
}

/// How many split transactions a bridge takes in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SplitTransactionControl(pub u32);

impl SplitTransactionControl {
    /// Split Transaction Capacity, in units of 128 bytes.
    #[must_use]
    pub const fn capacity(self) -> u16 {
        self.0 as u16
    }

    /// Split Transaction Commitment Limit, in units of 128 bytes.
    #[must_use]
    pub const fn commitment_limit(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

/// The PCI-X capability of a type 1 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciXBridge<'a> {
    bytes: &'a [u8; 16],
    offset: u16,
}

impl<'a> PciXBridge<'a> {
    /// Offset of PCI-X Secondary Status from the capability's start.
    pub const SECONDARY_STATUS: u16 = 2;
    /// Offset of PCI-X Bridge Status from the capability's start.
    pub const STATUS: u16 = 4;
    /// Offset of Upstream Split Transaction Control from the capability's start.
    pub const UPSTREAM_SPLIT_TRANSACTION_CONTROL: u16 = 8;
    /// Offset of Downstream Split Transaction Control from the capability's start.
    pub const DOWNSTREAM_SPLIT_TRANSACTION_CONTROL: u16 = 12;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// PCI-X Secondary Status.
    #[must_use]
    pub const fn secondary_status(self) -> PciXSecondaryStatus {
        PciXSecondaryStatus::from_bits_retain(word::<2, 16>(self.bytes))
    }

    /// PCI-X Bridge Status.
    #[must_use]
    pub const fn status(self) -> PciXBridgeStatus {
        PciXBridgeStatus::from_bits_retain(dword::<4, 16>(self.bytes))
    }

    /// Upstream Split Transaction Control.
    #[must_use]
    pub const fn upstream_split_transaction_control(self) -> SplitTransactionControl {
        SplitTransactionControl(dword::<8, 16>(self.bytes))
    }

    /// Downstream Split Transaction Control.
    #[must_use]
    pub const fn downstream_split_transaction_control(self) -> SplitTransactionControl {
        SplitTransactionControl(dword::<12, 16>(self.bytes))
    }
}
