//! CompactPCI: Hot Swap (06h) and central resource control (0Bh).

use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Hot Swap Control and Status (HS_CSR), offset 02h (PICMG 2.1, 3.1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HotSwapControlStatus: u8 {
        /// DHA: the function hides when the handle is opened.
        const DEVICE_HIDING_ARM = 1 << 0;
        /// EIM: ENUM# is not asserted.
        const ENUM_SIGNAL_MASK = 1 << 1;
        /// PIE: an insertion or an extraction is going on.
        const PENDING_INSERTION_EXTRACTION = 1 << 2;
        /// LOO: the blue light is on.
        const LED_ON_OFF = 1 << 3;
        /// EXT: the board is about to be taken out; write 1 to clear.
        const EXTRACTION = 1 << 6;
        /// INS: the board was put in; write 1 to clear.
        const INSERTION = 1 << 7;
        const _ = !0;
    }
}

impl HotSwapControlStatus {
    /// PI: 0 has INS, EXT, LOO and EIM, 1 has DHA and PIE too; the others are reserved.
    #[must_use]
    pub const fn programming_interface(self) -> u8 {
        self.bits() >> 4 & 0x3
    }
}

/// The CompactPCI Hot Swap capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x06, 0x00, 0x90,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::CompactPciHotSwap(swap) = entry.decode()? else { panic!() };
/// assert_eq!(swap.control_status().programming_interface(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactPciHotSwap<'a> {
    bytes: &'a [u8; 0x3],
    offset: u16,
}

impl<'a> CompactPciHotSwap<'a> {
    /// Offset of Hot Swap Control and Status from the capability's start.
    pub const CONTROL_STATUS: u16 = 0x02;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Hot Swap Control and Status.
    #[must_use]
    pub const fn control_status(self) -> HotSwapControlStatus {
        HotSwapControlStatus::from_bits_retain(self.bytes[0x02])
    }
}

/// The CompactPCI central resource control capability.
///
/// No public source confirms what its bits mean (PICMG 2.13): this is the register and no more.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x0b, 0x00, 0x34, 0x12,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::CompactPciResourceControl(control) = entry.decode()? else { panic!() };
/// assert_eq!(control.control(), 0x1234);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactPciResourceControl<'a> {
    bytes: &'a [u8; 0x4],
    offset: u16,
}

impl<'a> CompactPciResourceControl<'a> {
    /// Offset of Central Resource Control from the capability's start.
    pub const CONTROL: u16 = 0x02;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Central Resource Control.
    #[must_use]
    pub const fn control(self) -> u16 {
        word::<0x02, 0x4>(self.bytes)
    }
}
