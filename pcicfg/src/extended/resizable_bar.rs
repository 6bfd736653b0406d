//! Resizable BAR (0015h) and VF Resizable BAR (0024h) (PCI Express Base 6.0, 7.8.6 and 9.3.7.5).

use crate::capability::registers::{dword_at, first};
use crate::config_space::Truncated;
use bitflags::bitflags;

bitflags! {
    /// Resizable BAR Control, offset 08h of the first entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ResizableBarControl: u32 {
        const _ = !0;
    }
}

impl ResizableBarControl {
    /// The bits that hold BAR Size.
    pub const BAR_SIZE_MASK: u32 = 0x3f00;

    /// The register that the entry is about, 0 to 5; 6 and 7 are reserved.
    #[must_use]
    pub const fn bar_index(self) -> u8 {
        self.bits() as u8 & 7
    }

    /// BAR Size: the register decodes 2^(code + 20) bytes.
    #[must_use]
    pub const fn bar_size_code(self) -> u8 {
        (self.bits() >> 8) as u8 & 0x3f
    }

    /// How many bytes the register decodes, 1 MiB and up; `None` for a code beyond 8 EiB.
    #[must_use]
    pub const fn bar_size(self) -> Option<u64> {
        size(self.bar_size_code())
    }

    /// The same register with another size.
    #[must_use]
    pub const fn with_bar_size_code(self, code: u8) -> Self {
        Self::from_bits_retain(self.bits() & !Self::BAR_SIZE_MASK | (code as u32 & 0x3f) << 8)
    }
}

const fn size(code: u8) -> Option<u64> {
    match code {
        0..=43 => Some(1 << (code + 20)),
        _ => None,
    }
}

/// One register that can be resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizableBarEntry {
    capability: u32,
    control: ResizableBarControl,
    control_offset: u16,
}

impl ResizableBarEntry {
    /// Where the entry's Resizable BAR Control stands in configuration space.
    #[must_use]
    pub const fn control_offset(self) -> u16 {
        self.control_offset
    }

    /// Resizable BAR Control.
    #[must_use]
    pub const fn control(self) -> ResizableBarControl {
        self.control
    }

    /// Resizable BAR Capability: bits 4 to 31 stand for 1 MiB to 128 TiB.
    #[must_use]
    pub const fn capability(self) -> u32 {
        self.capability
    }

    /// Which sizes the register can have: bit n stands for 2^(n + 20) bytes.
    #[must_use]
    pub const fn supported_size_codes(self) -> u64 {
        (self.capability >> 4) as u64 | ((self.control.bits() >> 16) as u64) << 28
    }

    /// The sizes in bytes that the register can have, ascending.
    pub fn supported_sizes(self) -> impl Iterator<Item = u64> + Clone {
        let codes = self.supported_size_codes();
        (0..44u8).filter(move |code| codes >> code & 1 != 0).filter_map(size)
    }
}

/// The Resizable BAR capability, or the one for the VF BARs.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x15, 0x00, 0x01, 0x00, 0xf0, 0x00, 0x00, 0x00, 0x20, 0x02, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::ResizableBar(bars) = entry.decode()? else { panic!() };
/// assert_eq!(bars.entries().next().unwrap().control().bar_size(), Some(4 << 20));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizableBar<'a> {
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> ResizableBar<'a> {
    /// Offset of the first entry's Resizable BAR Capability from the capability's start.
    pub const CAPABILITY: u16 = 4;
    /// Offset of the first entry's Resizable BAR Control from the capability's start.
    pub const CONTROL: u16 = 8;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        let one = Self { bytes: first(bytes, offset, 12)?, offset };
        let entries = u16::from(one.number_of_resizable_bars().unwrap_or(1));
        Ok(Self { bytes: first(bytes, offset, 4 + 8 * entries)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Number of Resizable BARs, 1 to 6; `None` for what the specification does not allow.
    #[must_use]
    pub fn number_of_resizable_bars(self) -> Option<u8> {
        match dword_at(self.bytes, Self::CONTROL)? >> 5 & 7 {
            count @ 1..=6 => Some(count as u8),
            _ => None,
        }
    }

    /// The entries; none if their number is out of specification.
    pub fn entries(self) -> impl Iterator<Item = ResizableBarEntry> + Clone + use<'a> {
        let count = u16::from(self.number_of_resizable_bars().unwrap_or(0));
        (0..count).map_while(move |index| {
            let control = dword_at(self.bytes, Self::CONTROL + 8 * index)?;
            Some(ResizableBarEntry {
                capability: dword_at(self.bytes, Self::CAPABILITY + 8 * index)?,
                control: ResizableBarControl::from_bits_retain(control),
                control_offset: self.offset + Self::CONTROL + 8 * index,
            })
        })
    }
}
