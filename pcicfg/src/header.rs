//! The first 64 bytes: types 0, 1, 2, and what has none of them.
//!
//! ```
//! use pcicfg::{ConfigSpace, header::{Command, Layout}};
//!
//! let mut bytes = [0; 64];
//! bytes[0x04] = 0x06; // Command: Memory Space, Bus Master
//! bytes[0x0e] = 0x01; // Header Type: a bridge
//! bytes[0x18..0x1b].copy_from_slice(&[0x00, 0x02, 0x05]); // from bus 0 to buses 2 to 5
//! let space = ConfigSpace::new(&bytes)?;
//! assert!(space.header().command().contains(Command::BUS_MASTER));
//! let Layout::Bridge(bridge) = space.header().layout() else { panic!() };
//! assert_eq!((bridge.secondary_bus_number(), bridge.subordinate_bus_number()), (2, 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::bar::{Bars, RomBar};
use crate::config_space::{dword, word};
use bitflags::bitflags;

bitflags! {
    /// Command, offset 04h (PCI Express Base 6.0, 7.5.1.1.3).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Command: u16 {
        /// The function answers I/O port accesses.
        const IO_SPACE = 1 << 0;
        /// The function answers memory accesses.
        const MEMORY_SPACE = 1 << 1;
        /// The function may issue memory and I/O requests.
        const BUS_MASTER = 1 << 2;
        /// The function watches special cycles (not on PCI Express).
        const SPECIAL_CYCLES = 1 << 3;
        /// The function may issue Memory Write and Invalidate (not on PCI Express).
        const MEMORY_WRITE_AND_INVALIDATE = 1 << 4;
        /// VGA palette writes are snooped (not on PCI Express).
        const VGA_PALETTE_SNOOP = 1 << 5;
        /// Poisoned data is reported.
        const PARITY_ERROR_RESPONSE = 1 << 6;
        /// Address stepping (reserved since PCI 3.0).
        const IDSEL_STEPPING = 1 << 7;
        /// Errors are reported to the root complex.
        const SERR_ENABLE = 1 << 8;
        /// Fast back-to-back transactions (not on PCI Express).
        const FAST_BACK_TO_BACK = 1 << 9;
        /// The function may not assert INTx.
        const INTERRUPT_DISABLE = 1 << 10;
        const _ = !0;
    }

    /// Status, offset 06h (PCI Express Base 6.0, 7.5.1.1.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Status: u16 {
        /// The function is ready for requests at once after a reset: no wait is needed.
        const IMMEDIATE_READINESS = 1 << 0;
        /// The function asserts INTx.
        const INTERRUPT_STATUS = 1 << 3;
        /// There is a capability list.
        const CAPABILITIES_LIST = 1 << 4;
        /// 66 MHz capable (not on PCI Express).
        const CAPABLE_66_MHZ = 1 << 5;
        /// User definable features (reserved since PCI 2.2).
        const USER_DEFINABLE_FEATURES = 1 << 6;
        /// Fast back-to-back capable (not on PCI Express).
        const FAST_BACK_TO_BACK_CAPABLE = 1 << 7;
        /// Poisoned data was sent or received as a requester; write 1 to clear.
        const MASTER_DATA_PARITY_ERROR = 1 << 8;
        /// A completer abort was sent; write 1 to clear.
        const SIGNALED_TARGET_ABORT = 1 << 11;
        /// A completer abort was received; write 1 to clear.
        const RECEIVED_TARGET_ABORT = 1 << 12;
        /// An unsupported request completion was received; write 1 to clear.
        const RECEIVED_MASTER_ABORT = 1 << 13;
        /// An error message was sent; write 1 to clear.
        const SIGNALED_SYSTEM_ERROR = 1 << 14;
        /// Poisoned data was received; write 1 to clear.
        const DETECTED_PARITY_ERROR = 1 << 15;
        const _ = !0;
    }

    /// Secondary Status, offset 1Eh of a type 1 header (PCI Express Base 6.0, 7.5.1.3.7), 16h of a type 2
    /// header: the same for what is behind the bridge.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SecondaryStatus: u16 {
        /// 66 MHz capable (not on PCI Express).
        const CAPABLE_66_MHZ = 1 << 5;
        /// Fast back-to-back capable (not on PCI Express).
        const FAST_BACK_TO_BACK_CAPABLE = 1 << 7;
        /// Poisoned data was sent or received as a requester; write 1 to clear.
        const MASTER_DATA_PARITY_ERROR = 1 << 8;
        /// A completer abort was sent; write 1 to clear.
        const SIGNALED_TARGET_ABORT = 1 << 11;
        /// A completer abort was received; write 1 to clear.
        const RECEIVED_TARGET_ABORT = 1 << 12;
        /// An unsupported request completion was received; write 1 to clear.
        const RECEIVED_MASTER_ABORT = 1 << 13;
        /// An error message was received; write 1 to clear.
        const RECEIVED_SYSTEM_ERROR = 1 << 14;
        /// Poisoned data was received; write 1 to clear.
        const DETECTED_PARITY_ERROR = 1 << 15;
        const _ = !0;
    }

    /// Bridge Control, offset 3Eh of a type 2 header (PC Card Standard 8.0, 4.5.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CardBusBridgeControl: u16 {
        /// Parity errors on the CardBus side are reported.
        const PARITY_ERROR_RESPONSE = 1 << 0;
        /// Errors from the CardBus side are forwarded.
        const SERR_ENABLE = 1 << 1;
        /// ISA I/O ranges are not forwarded.
        const ISA_ENABLE = 1 << 2;
        /// VGA ranges are forwarded.
        const VGA_ENABLE = 1 << 3;
        /// Master aborts are errors.
        const MASTER_ABORT_MODE = 1 << 5;
        /// While set, the card is held in reset.
        const CARDBUS_RESET = 1 << 6;
        /// 16-bit cards interrupt by ISA lines.
        const INTERRUPT_16_BIT_ENABLE = 1 << 7;
        /// Memory window 0 is prefetchable.
        const MEMORY_0_PREFETCH_ENABLE = 1 << 8;
        /// Memory window 1 is prefetchable.
        const MEMORY_1_PREFETCH_ENABLE = 1 << 9;
        /// Writes are posted.
        const WRITE_POSTING_ENABLE = 1 << 10;
        const _ = !0;
    }

    /// Bridge Control, offset 3Eh of a type 1 header (PCI Express Base 6.0, 7.5.1.3.13).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct BridgeControl: u16 {
        /// Poisoned data on the secondary side is reported.
        const PARITY_ERROR_RESPONSE = 1 << 0;
        /// Errors from the secondary side are forwarded.
        const SERR_ENABLE = 1 << 1;
        /// ISA I/O ranges are not forwarded.
        const ISA_ENABLE = 1 << 2;
        /// VGA ranges are forwarded.
        const VGA_ENABLE = 1 << 3;
        /// VGA I/O is decoded with 16 bits.
        const VGA_16_BIT_DECODE = 1 << 4;
        /// Master aborts are errors (not on PCI Express).
        const MASTER_ABORT_MODE = 1 << 5;
        /// While set, everything below the bridge is held in reset.
        const SECONDARY_BUS_RESET = 1 << 6;
        /// Fast back-to-back on the secondary side (not on PCI Express).
        const FAST_BACK_TO_BACK = 1 << 7;
        /// The primary side waits 2^10, not 2^15 clocks for a delayed completion's master (not on PCI
        /// Express).
        const PRIMARY_DISCARD_TIMER = 1 << 8;
        /// The same for the secondary side.
        const SECONDARY_DISCARD_TIMER = 1 << 9;
        /// A delayed completion was thrown away (not on PCI Express); write 1 to clear.
        const DISCARD_TIMER_STATUS = 1 << 10;
        /// That is reported (not on PCI Express).
        const DISCARD_TIMER_SERR_ENABLE = 1 << 11;
        const _ = !0;
    }
}

/// How fast a device claims a transaction on a conventional bus (DEVSEL Timing); on PCI Express always
/// fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DevselTiming {
    /// Fast.
    Fast,
    /// Medium.
    Medium,
    /// Slow.
    Slow,
    /// The fourth code.
    Reserved,
}

impl DevselTiming {
    const fn from_status(status: u16) -> Self {
        match status >> 9 & 3 {
            0 => Self::Fast,
            1 => Self::Medium,
            2 => Self::Slow,
            _ => Self::Reserved,
        }
    }
}

impl Status {
    /// DEVSEL Timing.
    #[must_use]
    pub const fn devsel_timing(self) -> DevselTiming {
        DevselTiming::from_status(self.bits())
    }
}

impl SecondaryStatus {
    /// DEVSEL Timing.
    #[must_use]
    pub const fn devsel_timing(self) -> DevselTiming {
        DevselTiming::from_status(self.bits())
    }
}

/// The layout of the header, without the multi-function bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderType {
    /// Type 0: an endpoint.
    Endpoint,
    /// Type 1: a PCI-to-PCI bridge, a root port or a switch port.
    Bridge,
    /// Type 2: a CardBus bridge.
    CardBus,
    /// A type that no specification defines; 7Fh is a function that reads all-ones.
    Unknown(u8),
}

impl HeaderType {
    /// What the Header Type register at 0Eh says; its multi-function bit is ignored.
    #[must_use]
    pub const fn from_register(register: u8) -> Self {
        match register & 0x7f {
            0 => Self::Endpoint,
            1 => Self::Bridge,
            2 => Self::CardBus,
            other => Self::Unknown(other),
        }
    }
}

/// A function's class code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassCode {
    /// Base class, such as 03h for a display controller.
    pub base: u8,
    /// Sub-class.
    pub sub: u8,
    /// Programming interface.
    pub interface: u8,
}

impl ClassCode {
    /// The class code as one number of 24 bits, as sysfs prints it.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        (self.base as u32) << 16 | (self.sub as u32) << 8 | self.interface as u32
    }

    /// The class code from one number of 24 bits.
    #[must_use]
    pub const fn from_u32(code: u32) -> Self {
        Self { base: (code >> 16) as u8, sub: (code >> 8) as u8, interface: code as u8 }
    }
}

/// What the Vendor ID says about whether anyone answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A function answers.
    Present,
    /// All-ones: no function answers.
    Absent,
    /// Vendor 0001h: the function answered with Request Retry Status, it is not ready yet.
    RequestRetryStatus,
}

impl Presence {
    /// What the dword at offset 0 says.
    #[must_use]
    pub const fn of(id: u32) -> Self {
        match id {
            // What the kernel takes for an empty slot (pci_bus_generic_read_dev_vendor_id).
            0xffff_ffff | 0 | 0x0000_ffff | 0xffff_0000 => Self::Absent,
            _ if id as u16 == 0x0001 => Self::RequestRetryStatus,
            _ => Self::Present,
        }
    }
}

/// The first 64 bytes of a configuration space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    bytes: &'a [u8; 64],
}

/// The registers whose place depends on the header type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout<'a> {
    /// Type 0.
    Endpoint(EndpointHeader<'a>),
    /// Type 1.
    Bridge(BridgeHeader<'a>),
    /// Type 2.
    CardBus(CardBusHeader<'a>),
    /// Unknown: only the first 16 bytes have a meaning.
    Unknown(u8),
}

impl<'a> Header<'a> {
    /// Offset of Command.
    pub const COMMAND: u16 = 0x04;
    /// Offset of Status.
    pub const STATUS: u16 = 0x06;
    /// Offset of Cache Line Size.
    pub const CACHE_LINE_SIZE: u16 = 0x0c;
    /// Offset of the first Base Address Register.
    pub const BASE_ADDRESS_0: u16 = 0x10;
    /// Offset of Interrupt Line.
    pub const INTERRUPT_LINE: u16 = 0x3c;

    pub(crate) const fn new(bytes: &'a [u8; 64]) -> Self {
        Self { bytes }
    }

    /// Vendor ID and Device ID as one dword, the vendor in the low half.
    #[must_use]
    pub const fn id(self) -> u32 {
        dword::<0, 64>(self.bytes)
    }

    /// Vendor ID.
    #[must_use]
    pub const fn vendor_id(self) -> u16 {
        word::<0, 64>(self.bytes)
    }

    /// Device ID.
    #[must_use]
    pub const fn device_id(self) -> u16 {
        word::<2, 64>(self.bytes)
    }

    /// Whether a function answers at all.
    #[must_use]
    pub const fn presence(self) -> Presence {
        Presence::of(self.id())
    }

    /// Command.
    #[must_use]
    pub const fn command(self) -> Command {
        Command::from_bits_retain(word::<4, 64>(self.bytes))
    }

    /// Status.
    #[must_use]
    pub const fn status(self) -> Status {
        Status::from_bits_retain(word::<6, 64>(self.bytes))
    }

    /// Revision ID.
    #[must_use]
    pub const fn revision_id(self) -> u8 {
        self.bytes[8]
    }

    /// Class Code.
    #[must_use]
    pub const fn class_code(self) -> ClassCode {
        ClassCode { base: self.bytes[11], sub: self.bytes[10], interface: self.bytes[9] }
    }

    /// Cache Line Size, in dwords.
    #[must_use]
    pub const fn cache_line_size(self) -> u8 {
        self.bytes[12]
    }

    /// Latency Timer, in clocks of the bus (not on PCI Express).
    #[must_use]
    pub const fn latency_timer(self) -> u8 {
        self.bytes[13]
    }

    /// BIST: the built-in self-test; 0 without one.
    #[must_use]
    pub const fn bist(self) -> u8 {
        self.bytes[15]
    }

    /// The header's layout.
    #[must_use]
    pub const fn header_type(self) -> HeaderType {
        HeaderType::from_register(self.bytes[14])
    }

    /// Whether the device may have functions other than 0 (bit 7 of Header Type).
    #[must_use]
    pub const fn multi_function(self) -> bool {
        self.bytes[14] & 0x80 != 0
    }

    /// The registers whose place depends on the type.
    #[must_use]
    pub const fn layout(self) -> Layout<'a> {
        match self.header_type() {
            HeaderType::Endpoint => Layout::Endpoint(EndpointHeader { bytes: self.bytes }),
            HeaderType::Bridge => Layout::Bridge(BridgeHeader { bytes: self.bytes }),
            HeaderType::CardBus => Layout::CardBus(CardBusHeader { bytes: self.bytes }),
            HeaderType::Unknown(other) => Layout::Unknown(other),
        }
    }

    /// The registers of a type 1 header, if it is one.
    #[must_use]
    pub const fn bridge(self) -> Option<BridgeHeader<'a>> {
        match self.layout() {
            Layout::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    /// The Base Address Registers: six, two or one of them, as the type has.
    #[must_use]
    pub fn bars(self) -> Bars<'a> {
        let end = match self.header_type() {
            HeaderType::Endpoint => 0x28,
            HeaderType::Bridge => 0x18,
            HeaderType::CardBus => 0x14,
            HeaderType::Unknown(_) => 0x10,
        };
        Bars::new(&self.bytes[0x10..end])
    }

    /// Interrupt Line: what the firmware noted for the system; of no meaning to the function.
    #[must_use]
    pub const fn interrupt_line(self) -> u8 {
        self.bytes[0x3c]
    }

    /// Interrupt Pin: 0 for none, 1 to 4 for INTA to INTD.
    #[must_use]
    pub const fn interrupt_pin(self) -> u8 {
        self.bytes[0x3d]
    }
}

/// A type 0 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointHeader<'a> {
    bytes: &'a [u8; 64],
}

impl EndpointHeader<'_> {
    /// Offset of Expansion ROM Base Address.
    pub const EXPANSION_ROM: u16 = 0x30;

    /// Cardbus CIS Pointer (not on PCI Express).
    #[must_use]
    pub const fn cardbus_cis_pointer(self) -> u32 {
        dword::<0x28, 64>(self.bytes)
    }

    /// Subsystem Vendor ID.
    #[must_use]
    pub const fn subsystem_vendor_id(self) -> u16 {
        word::<0x2c, 64>(self.bytes)
    }

    /// Subsystem ID.
    #[must_use]
    pub const fn subsystem_id(self) -> u16 {
        word::<0x2e, 64>(self.bytes)
    }

    /// Expansion ROM Base Address.
    #[must_use]
    pub const fn rom(self) -> RomBar {
        RomBar(dword::<0x30, 64>(self.bytes))
    }
}

/// A range of addresses that a bridge forwards; `None` from the accessor when it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first address.
    pub base: u64,
    /// The last address.
    pub limit: u64,
}

impl Window {
    const fn open(base: u64, limit: u64) -> Option<Self> {
        if base <= limit { Some(Self { base, limit }) } else { None }
    }
}

/// A type 1 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgeHeader<'a> {
    bytes: &'a [u8; 64],
}

impl BridgeHeader<'_> {
    /// Offset of the three bus numbers, primary first.
    pub const BUS_NUMBERS: u16 = 0x18;
    /// Offset of Expansion ROM Base Address.
    pub const EXPANSION_ROM: u16 = 0x38;
    /// Offset of Bridge Control.
    pub const BRIDGE_CONTROL: u16 = 0x3e;

    /// The bus the bridge is on.
    #[must_use]
    pub const fn primary_bus_number(self) -> u8 {
        self.bytes[0x18]
    }

    /// The bus right below the bridge.
    #[must_use]
    pub const fn secondary_bus_number(self) -> u8 {
        self.bytes[0x19]
    }

    /// The highest bus below the bridge.
    #[must_use]
    pub const fn subordinate_bus_number(self) -> u8 {
        self.bytes[0x1a]
    }

    /// Secondary Latency Timer, in clocks of the secondary bus (not on PCI Express).
    #[must_use]
    pub const fn secondary_latency_timer(self) -> u8 {
        self.bytes[0x1b]
    }

    /// Secondary Status.
    #[must_use]
    pub const fn secondary_status(self) -> SecondaryStatus {
        SecondaryStatus::from_bits_retain(word::<0x1e, 64>(self.bytes))
    }

    /// The I/O ports that are forwarded.
    #[must_use]
    pub const fn io_window(self) -> Option<Window> {
        let (mut base, mut limit) =
            (self.bytes[0x1c] as u64 >> 4 << 12, self.bytes[0x1d] as u64 >> 4 << 12 | 0xfff);
        if self.bytes[0x1c] & 0xf == 1 {
            base |= (word::<0x30, 64>(self.bytes) as u64) << 16;
            limit |= (word::<0x32, 64>(self.bytes) as u64) << 16;
        }
        Window::open(base, limit)
    }

    /// The memory that is forwarded.
    #[must_use]
    pub const fn memory_window(self) -> Option<Window> {
        let base = (word::<0x20, 64>(self.bytes) as u64 & 0xfff0) << 16;
        let limit = (word::<0x22, 64>(self.bytes) as u64 & 0xfff0) << 16 | 0xf_ffff;
        Window::open(base, limit)
    }

    /// The prefetchable memory that is forwarded.
    #[must_use]
    pub const fn prefetchable_window(self) -> Option<Window> {
        let mut base = (word::<0x24, 64>(self.bytes) as u64 & 0xfff0) << 16;
        let mut limit = (word::<0x26, 64>(self.bytes) as u64 & 0xfff0) << 16 | 0xf_ffff;
        if self.bytes[0x24] & 0xf == 1 {
            base |= (dword::<0x28, 64>(self.bytes) as u64) << 32;
            limit |= (dword::<0x2c, 64>(self.bytes) as u64) << 32;
        }
        Window::open(base, limit)
    }

    /// Expansion ROM Base Address.
    #[must_use]
    pub const fn rom(self) -> RomBar {
        RomBar(dword::<0x38, 64>(self.bytes))
    }

    /// Bridge Control.
    #[must_use]
    pub const fn bridge_control(self) -> BridgeControl {
        BridgeControl::from_bits_retain(word::<0x3e, 64>(self.bytes))
    }
}

/// A type 2 header, as far as its first 64 bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardBusHeader<'a> {
    bytes: &'a [u8; 64],
}

impl CardBusHeader<'_> {
    /// The bus the bridge is on.
    #[must_use]
    pub const fn primary_bus_number(self) -> u8 {
        self.bytes[0x18]
    }

    /// Secondary Status.
    #[must_use]
    pub const fn secondary_status(self) -> SecondaryStatus {
        SecondaryStatus::from_bits_retain(word::<0x16, 64>(self.bytes))
    }

    /// The memory that is forwarded, by the two windows. A window counts as closed if its limit is below
    /// its base, as in a type 1 header.
    #[must_use]
    pub const fn memory_windows(self) -> [Option<Window>; 2] {
        const fn window(base: u32, limit: u32) -> Option<Window> {
            Window::open((base & !0xfff) as u64, (limit | 0xfff) as u64)
        }
        [
            window(dword::<0x1c, 64>(self.bytes), dword::<0x20, 64>(self.bytes)),
            window(dword::<0x24, 64>(self.bytes), dword::<0x28, 64>(self.bytes)),
        ]
    }

    /// The I/O ports that are forwarded, by the two windows; their addresses have 16 bits unless bit 0 of
    /// the base says 32.
    #[must_use]
    pub const fn io_windows(self) -> [Option<Window>; 2] {
        const fn window(base: u32, limit: u32) -> Option<Window> {
            let mask = if base & 1 == 0 { 0xfffc } else { 0xffff_fffc };
            Window::open((base & mask) as u64, (limit & mask | 3) as u64)
        }
        [
            window(dword::<0x2c, 64>(self.bytes), dword::<0x30, 64>(self.bytes)),
            window(dword::<0x34, 64>(self.bytes), dword::<0x38, 64>(self.bytes)),
        ]
    }

    /// CardBus Latency Timer, in clocks.
    #[must_use]
    pub const fn latency_timer(self) -> u8 {
        self.bytes[0x1b]
    }

    /// The CardBus bus number.
    #[must_use]
    pub const fn cardbus_bus_number(self) -> u8 {
        self.bytes[0x19]
    }

    /// The highest bus below the bridge.
    #[must_use]
    pub const fn subordinate_bus_number(self) -> u8 {
        self.bytes[0x1a]
    }

    /// Bridge Control.
    #[must_use]
    pub const fn bridge_control(self) -> CardBusBridgeControl {
        CardBusBridgeControl::from_bits_retain(word::<0x3e, 64>(self.bytes))
    }
}
