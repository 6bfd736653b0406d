//! Registers that know where they are and what they are called.
//!
//! A sequence names registers and fields, never bare addresses, so that a trace, an error and
//! `vendor show` all speak the manuals' words.

use std::fmt;

/// Where a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the memory behind a Base Address Register.
    Bar {
        /// The Base Address Register, 0 to 5.
        bar: u8,
        /// The byte in it.
        offset: u32,
    },
    /// In the register aperture of an AMD GPU, BAR 5: directly, or past its end through
    /// [`MM_INDEX`] and [`MM_DATA`].
    Mmio {
        /// The byte in the aperture.
        offset: u32,
    },
    /// Behind an index and a data register.
    Indexed {
        /// The pair.
        window: &'static Window,
        /// What is written to the index register.
        address: u32,
    },
    /// In the video memory of an AMD GPU, through [`MM_INDEX`], [`MM_INDEX_HI`] and [`MM_DATA`].
    Vram {
        /// The byte in it; a multiple of 4.
        address: u64,
    },
    /// In configuration space, a dword.
    Config {
        /// The byte; a multiple of 4.
        offset: u16,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bar { bar, offset } => write!(f, "BAR {bar}+{offset:#x}"),
            Self::Mmio { offset } => write!(f, "{offset:#x}"),
            Self::Indexed { window, address } => write!(f, "{} {address:#x}", window.space),
            Self::Vram { address } => write!(f, "vram {address:#x}"),
            Self::Config { offset } => write!(f, "config {offset:#x}"),
        }
    }
}

/// An index register and a data register: the data register is whatever the index register names.
#[derive(Debug, PartialEq, Eq)]
pub struct Window {
    /// The space behind the pair: `smn`, `smc`.
    pub space: &'static str,
    /// The index register.
    pub index: Register,
    /// The data register.
    pub data: Register,
    /// Whether the index is read back before the data register is used. The two go through a fabric
    /// that may deliver a read before a write that was made earlier.
    pub read_back: bool,
}

impl Window {
    /// A register behind the pair.
    #[must_use]
    pub const fn register(&'static self, name: &'static str, address: u32) -> Register {
        Register { name, place: Place::Indexed { window: self, address } }
    }
}

/// A register of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// What its manual or driver calls it.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
}

impl Register {
    /// A register behind a Base Address Register.
    #[must_use]
    pub const fn bar(name: &'static str, bar: u8, offset: u32) -> Self {
        Self { name, place: Place::Bar { bar, offset } }
    }

    /// A register in the aperture of an AMD GPU.
    #[must_use]
    pub const fn mmio(name: &'static str, offset: u32) -> Self {
        Self { name, place: Place::Mmio { offset } }
    }

    /// A dword of configuration space.
    #[must_use]
    pub const fn config(name: &'static str, offset: u16) -> Self {
        Self { name, place: Place::Config { offset } }
    }

    /// Some of its bits.
    #[must_use]
    pub const fn field(self, name: &'static str, mask: u32) -> Field {
        Field { register: self, name, mask }
    }

    /// One of its bits.
    #[must_use]
    pub const fn bit(self, name: &'static str, number: u8) -> Field {
        self.field(name, 1 << number)
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.place)
    }
}

/// Some bits of a register that mean something together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The register.
    pub register: Register,
    /// What its manual or driver calls them.
    pub name: &'static str,
    /// Which they are.
    pub mask: u32,
}

impl Field {
    /// The register's bits that give the field this value.
    #[must_use]
    pub const fn bits(self, value: u32) -> u32 {
        // A field without bits has no value.
        if self.mask == 0 { 0 } else { (value << self.mask.trailing_zeros()) & self.mask }
    }

    /// The field's value in the register's.
    #[must_use]
    pub const fn of(self, register: u32) -> u32 {
        if self.mask == 0 { 0 } else { (register & self.mask) >> self.mask.trailing_zeros() }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} ({} bits {:#x})", self.register.name, self.name, self.register.place, self.mask)
    }
}

/// Index of the aperture's own window: a byte in the aperture, or with bit 31 in video memory.
pub const MM_INDEX: Register = Register::mmio("MM_INDEX", 0x0);
/// Bits 31 and up of an address in video memory.
pub const MM_INDEX_HI: Register = Register::mmio("MM_INDEX_HI", 0x18);
/// Data of the aperture's own window.
pub const MM_DATA: Register = Register::mmio("MM_DATA", 0x4);
/// [`MM_INDEX`] names video memory, not the aperture.
pub const MM_INDEX_VRAM: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: Register = Register::mmio("CONTROL", 0x38ac);

    #[test]
    fn a_field_finds_its_value_in_the_register() {
        let select = CONTROL.field("SELECT", 0x0000_ff00);
        assert_eq!(select.bits(0x4), 0x400);
        assert_eq!(select.of(0x1234_5678), 0x56);
        assert_eq!(select.bits(0x1ff), 0xff00, "what is too wide does not reach other fields");
        assert_eq!(CONTROL.field("NONE", 0).bits(1), 0);
    }

    #[test]
    fn registers_and_fields_say_where_they_are() {
        static WINDOW: Window = Window {
            space: "smn",
            index: Register::mmio("PCIE_INDEX2", 0x38),
            data: Register::mmio("PCIE_DATA2", 0x3c),
            read_back: true,
        };
        assert_eq!(CONTROL.to_string(), "CONTROL (0x38ac)");
        assert_eq!(CONTROL.bit("MODE", 8).to_string(), "CONTROL.MODE (0x38ac bits 0x100)");
        assert_eq!(WINDOW.register("FLAGS", 0x3b1_0024).to_string(), "FLAGS (smn 0x3b10024)");
        assert_eq!(Register::bar("CC", 0, 0x14).to_string(), "CC (BAR 0+0x14)");
    }
}
