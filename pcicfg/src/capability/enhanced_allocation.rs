//! Enhanced Allocation (14h): resources with fixed addresses instead of BARs (PCI Express Base 6.0,
//! 7.8.5).

use super::registers::{dword_at, first};
use crate::config_space::Truncated;
use bitflags::bitflags;

bitflags! {
    /// The first dword of an entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct EnhancedAllocationFlags: u32 {
        /// The entry's address can be written.
        const WRITABLE = 1 << 30;
        /// The entry is in force.
        const ENABLE = 1 << 31;
        const _ = !0;
    }
}

/// Which register an entry stands for (BAR Equivalent Indicator).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BarEquivalent {
    /// The BAR of this number, 0 to 5.
    Bar(u8),
    /// A resource behind the bridge.
    BehindBridge,
    /// None of the others.
    NotIndicated,
    /// The expansion ROM.
    ExpansionRom,
    /// The VF BAR of this number, 0 to 5.
    VfBar(u8),
    /// The code without a meaning; as good as `NotIndicated`.
    Reserved,
}

/// What kind of resource an entry is (Primary or Secondary Properties).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceProperties {
    /// 00h: memory.
    Memory,
    /// 01h: prefetchable memory.
    PrefetchableMemory,
    /// 02h: I/O ports.
    Io,
    /// 03h: prefetchable memory of virtual functions.
    VfPrefetchableMemory,
    /// 04h: memory of virtual functions.
    VfMemory,
    /// 05h: memory behind the bridge.
    BehindBridgeMemory,
    /// 06h: prefetchable memory behind the bridge.
    BehindBridgePrefetchableMemory,
    /// 07h: I/O ports behind the bridge.
    BehindBridgeIo,
    /// FDh: memory that nobody may use.
    UnavailableMemory,
    /// FEh: I/O ports that nobody may use.
    UnavailableIo,
    /// FFh: the entry is unavailable.
    Unavailable,
    /// A code without a meaning: look at the other properties.
    Reserved(u8),
}

impl EnhancedAllocationFlags {
    /// Entry Size: how many dwords follow the first.
    #[must_use]
    pub const fn entry_size(self) -> u8 {
        self.bits() as u8 & 7
    }

    /// Which register the entry stands for.
    #[must_use]
    pub const fn bar_equivalent(self) -> BarEquivalent {
        match (self.bits() >> 4) as u8 & 0xf {
            bar @ 0..=5 => BarEquivalent::Bar(bar),
            6 => BarEquivalent::BehindBridge,
            7 => BarEquivalent::NotIndicated,
            8 => BarEquivalent::ExpansionRom,
            bar @ 9..=14 => BarEquivalent::VfBar(bar - 9),
            _ => BarEquivalent::Reserved,
        }
    }

    /// Primary Properties: what the resource is.
    #[must_use]
    pub const fn primary_properties(self) -> ResourceProperties {
        ResourceProperties::from_code((self.bits() >> 8) as u8)
    }

    /// Secondary Properties: what it is for software that does not know the primary ones.
    #[must_use]
    pub const fn secondary_properties(self) -> ResourceProperties {
        ResourceProperties::from_code((self.bits() >> 16) as u8)
    }
}

impl ResourceProperties {
    const fn from_code(code: u8) -> Self {
        match code {
            0x00 => Self::Memory,
            0x01 => Self::PrefetchableMemory,
            0x02 => Self::Io,
            0x03 => Self::VfPrefetchableMemory,
            0x04 => Self::VfMemory,
            0x05 => Self::BehindBridgeMemory,
            0x06 => Self::BehindBridgePrefetchableMemory,
            0x07 => Self::BehindBridgeIo,
            0xfd => Self::UnavailableMemory,
            0xfe => Self::UnavailableIo,
            0xff => Self::Unavailable,
            other => Self::Reserved(other),
        }
    }
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnhancedAllocationEntry {
    /// Where the entry begins in configuration space.
    pub offset: u16,
    /// Its first dword.
    pub flags: EnhancedAllocationFlags,
    /// Base: the bus address of the resource's first byte; `None` if the entry is too short for it.
    pub base: Option<u64>,
    /// MaxOffset: the distance from the first byte to the last; `None` if the entry is too short for it.
    pub max_offset: Option<u64>,
    /// Whether Base has an upper half of its own.
    pub base_is_64_bit: bool,
    /// Whether MaxOffset has an upper half of its own.
    pub max_offset_is_64_bit: bool,
}

/// The fixed bus numbers of a bridge with Enhanced Allocation; 0 for "not fixed".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixedBusNumbers {
    /// Fixed Secondary Bus Number.
    pub secondary: u8,
    /// Fixed Subordinate Bus Number.
    pub subordinate: u8,
}

/// The Enhanced Allocation capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x14, 0x00, 0x01, 0x00, 0x02, 0x00, 0xff, 0x80, 0x00, 0x00, 0x10, 0xe0, 0xfc, 0xff, 0x0f, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::EnhancedAllocation(allocation) = entry.decode()? else { panic!() };
/// assert_eq!(allocation.entries().next().unwrap().base, Some(0xe010_0000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnhancedAllocation<'a> {
    bytes: &'a [u8],
    offset: u16,
    bridge: bool,
}

impl<'a> EnhancedAllocation<'a> {
    /// Offset of Num Entries from the capability's start.
    pub const NUM_ENTRIES: u16 = 2;
    /// Offset of a bridge's fixed bus numbers from the capability's start.
    pub const FIXED_BUS_NUMBERS: u16 = 4;

    pub(crate) fn new(bytes: &'a [u8], offset: u16, bridge: bool) -> Result<Self, Truncated> {
        first(bytes, offset, if bridge { 8 } else { 4 })?;
        Ok(Self { bytes, offset, bridge })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Num Entries, 0 to 63.
    #[must_use]
    pub fn num_entries(self) -> u8 {
        self.bytes.get(usize::from(Self::NUM_ENTRIES)).map_or(0, |count| count & 0x3f)
    }

    /// The fixed bus numbers; type 1 headers have them.
    #[must_use]
    pub fn fixed_bus_numbers(self) -> Option<FixedBusNumbers> {
        if !self.bridge {
            return None;
        }
        let dword = dword_at(self.bytes, Self::FIXED_BUS_NUMBERS)?;
        Some(FixedBusNumbers { secondary: dword as u8, subordinate: (dword >> 8) as u8 })
    }

    /// The entries, as many as can be read.
    #[must_use]
    pub fn entries(self) -> EnhancedAllocationEntries<'a> {
        EnhancedAllocationEntries {
            bytes: self.bytes,
            offset: self.offset,
            next: if self.bridge { 8 } else { 4 },
            left: self.num_entries(),
        }
    }
}

/// The entries of an [`EnhancedAllocation`]; made by [`EnhancedAllocation::entries`].
#[derive(Clone, Debug)]
pub struct EnhancedAllocationEntries<'a> {
    bytes: &'a [u8],
    offset: u16,
    next: u16,
    left: u8,
}

impl Iterator for EnhancedAllocationEntries<'_> {
    type Item = EnhancedAllocationEntry;

    fn next(&mut self) -> Option<EnhancedAllocationEntry> {
        /// Bit 1 of Base and MaxOffset: the upper half exists.
        const WIDE: u32 = 1 << 1;

        self.left = self.left.checked_sub(1)?;
        let at = self.next;
        let flags = EnhancedAllocationFlags::from_bits_retain(dword_at(self.bytes, at)?);
        let size = u16::from(flags.entry_size());
        self.next = at + 4 * (1 + size);
        let dword = |number: u16| if number <= size { dword_at(self.bytes, at + 4 * number) } else { None };
        let (base, max_offset) = (dword(1), dword(2));
        let is_wide = |low: Option<u32>| low.is_some_and(|low| low & WIDE != 0);
        let (base_is_64_bit, max_offset_is_64_bit) = (is_wide(base), is_wide(max_offset));
        let base_high = if base_is_64_bit { dword(3) } else { Some(0) };
        let max_offset_high = match (max_offset_is_64_bit, base_is_64_bit) {
            (false, _) => Some(0),
            (true, false) => dword(3),
            (true, true) => dword(4),
        };
        let join = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        Some(EnhancedAllocationEntry {
            offset: self.offset + at,
            flags,
            base: base.zip(base_high).map(|(low, high)| join(high, low & !3)),
            // The low two bits of the last byte's address are always ones.
            max_offset: max_offset.zip(max_offset_high).map(|(low, high)| join(high, low | 3)),
            base_is_64_bit,
            max_offset_is_64_bit,
        })
    }
}
