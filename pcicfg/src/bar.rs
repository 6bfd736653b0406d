//! Base Address Registers: what a function decodes, and where (PCI Local Bus 3.0, 6.2.5).
//!
//! ```
//! use pcicfg::{ConfigSpace, bar::Bar};
//!
//! let mut bytes = [0; 64];
//! // Two registers for memory anywhere at 7_fe00_0000h, then ports from e000h on.
//! bytes[0x10..0x1c].copy_from_slice(&[0x0c, 0, 0, 0xfe, 0x07, 0, 0, 0, 0x01, 0xe0, 0, 0]);
//! let mut bars = ConfigSpace::new(&bytes)?.header().bars();
//! let first = bars.next().unwrap();
//! assert_eq!(first.bar, Bar::Memory64 { base: 0x7_fe00_0000, prefetchable: true });
//! let second = bars.next().unwrap();
//! assert_eq!((second.index, second.bar), (2, Bar::Io { base: 0xe000 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// What one Base Address Register says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bar {
    /// The register reads zero: not implemented, or never given an address.
    Unset,
    /// I/O ports.
    Io {
        /// The first port.
        base: u32,
    },
    /// Memory below 4 GiB.
    Memory32 {
        /// The first byte's bus address.
        base: u32,
        /// Whether reads have no side effect.
        prefetchable: bool,
    },
    /// Memory anywhere; takes the next register too.
    Memory64 {
        /// The first byte's bus address.
        base: u64,
        /// Whether reads have no side effect.
        prefetchable: bool,
    },
    /// A 64-bit register in the last slot, which has no upper half.
    Broken64,
    /// One of the two type codes that no specification defines any more.
    Reserved {
        /// The register.
        value: u32,
    },
}

/// One implemented or unset register with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedBar {
    /// The register's number, 0 to 5.
    pub index: u8,
    /// What it says.
    pub bar: Bar,
}

/// The registers of a header, in order; the upper half of a 64-bit one is not an item.
#[derive(Clone, Debug)]
pub struct Bars<'a> {
    registers: &'a [u8],
    index: u8,
}

impl<'a> Bars<'a> {
    pub(crate) const fn new(registers: &'a [u8]) -> Self {
        Self { registers, index: 0 }
    }

    fn register(&self, index: u8) -> Option<u32> {
        let at = usize::from(index) * 4;
        self.registers.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
    }
}

impl Iterator for Bars<'_> {
    type Item = IndexedBar;

    fn next(&mut self) -> Option<IndexedBar> {
        let index = self.index;
        let value = self.register(index)?;
        self.index += 1;
        let prefetchable = value & 8 != 0;
        let bar = match value {
            0 => Bar::Unset,
            _ if value & 1 != 0 => Bar::Io { base: value & !3 },
            _ => match value >> 1 & 3 {
                0 => Bar::Memory32 { base: value & !0xf, prefetchable },
                2 => match self.register(self.index) {
                    None => Bar::Broken64,
                    Some(high) => {
                        self.index += 1;
                        let base = u64::from(high) << 32 | u64::from(value & !0xf);
                        Bar::Memory64 { base, prefetchable }
                    }
                },
                _ => Bar::Reserved { value },
            },
        };
        Some(IndexedBar { index, bar })
    }
}

/// The Expansion ROM Base Address Register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RomBar(pub u32);

/// What the function found out about its ROM's contents (Expansion ROM Validation Status; PCI Express
/// Base 6.0, 7.5.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RomValidation {
    /// It does not validate.
    NotSupported,
    /// It is at it.
    InProgress,
    /// The contents are valid; whether they can be trusted was not tested.
    Valid,
    /// The contents are valid and trusted.
    Trusted,
    /// The contents are not valid.
    Invalid,
    /// The contents are valid and not trusted.
    Untrusted,
    /// As [`Valid`](Self::Valid), with a warning.
    ValidWithWarning,
    /// As [`Trusted`](Self::Trusted), with a warning.
    TrustedWithWarning,
}

impl RomBar {
    /// What the function found out about its ROM's contents.
    #[must_use]
    pub const fn validation_status(self) -> RomValidation {
        match self.0 >> 1 & 7 {
            0 => RomValidation::NotSupported,
            1 => RomValidation::InProgress,
            2 => RomValidation::Valid,
            3 => RomValidation::Trusted,
            4 => RomValidation::Invalid,
            5 => RomValidation::Untrusted,
            6 => RomValidation::ValidWithWarning,
            _ => RomValidation::TrustedWithWarning,
        }
    }

    /// Expansion ROM Validation Details: the implementation's own, 0 to 15.
    #[must_use]
    pub const fn validation_details(self) -> u8 {
        (self.0 >> 4 & 0xf) as u8
    }

    /// Whether the ROM is decoded (bit 0).
    #[must_use]
    pub const fn enabled(self) -> bool {
        self.0 & 1 != 0
    }

    /// The bus address of the ROM's first byte.
    #[must_use]
    pub const fn base(self) -> u32 {
        self.0 & 0xffff_f800
    }
}
