//! The registers of a configuration space by name: where each stands, and what its bits are called.
//!
//! [`registers`] lays a function's registers out as its header type and its capabilities say. It is
//! what [`diff`](crate::diff) compares by, so that a register has one name everywhere. The tables are
//! in `registers/header.rs`, `capability.rs` and `extended.rs`, those of the rarer capabilities in
//! `capability_fixed.rs` and `extended_fixed.rs`; names of single bits come from the registers' types.
//!
//! ```
//! use pcicfg::{ConfigSpace, registers::registers};
//!
//! let mut bytes = [0; 64];
//! bytes[0x04] = 0x06; // Command
//! let space = ConfigSpace::new(&bytes)?;
//! let map = registers(space);
//! let command = map.registers().iter().find(|register| register.name() == "Command").unwrap();
//! assert_eq!(command.offset(), 4);
//! assert_eq!(command.describe(command.read(space).unwrap()), ["Memory Space", "Bus Master"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod capability;
mod capability_fixed;
mod extended;
mod extended_fixed;
mod header;
mod names;

use crate::ConfigSpace;
use crate::capability::CapabilityId;
use crate::extended::ExtendedCapabilityId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bitflags::{Flag, Flags};
use core::fmt;

/// What a register is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Structure {
    /// The first 64 bytes.
    Header,
    /// A capability of the list in the first 256 bytes.
    Capability {
        /// Its id.
        id: CapabilityId,
        /// Where it begins.
        offset: u16,
    },
    /// A capability of the extended list.
    Extended {
        /// Its id.
        id: ExtendedCapabilityId,
        /// Where it begins.
        offset: u16,
    },
}

impl Structure {
    /// Where it begins.
    #[must_use]
    pub const fn offset(self) -> u16 {
        match self {
            Self::Header => 0,
            Self::Capability { offset, .. } | Self::Extended { offset, .. } => offset,
        }
    }

    /// The specification's name, or the id where it has none.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Header => "header".to_string(),
            Self::Capability { id, .. } => {
                id.name().map_or_else(|| format!("capability {:02x}", id.0), str::to_string)
            }
            Self::Extended { id, .. } => {
                id.name().map_or_else(|| format!("extended capability {:04x}", id.0), str::to_string)
            }
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header"),
            _ => write!(f, "{} at {:03x}", self.name(), self.offset()),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Structure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A register as the tables describe it: where it stands in its structure, and what its bits mean.
#[derive(Clone, Copy, Debug)]
struct Register {
    name: &'static str,
    /// From the structure's start.
    at: u16,
    /// How many bytes: 1, 2 or 4.
    width: u8,
    /// The single bits that have a name.
    flags: Option<FlagNames>,
    /// The fields of more than one bit.
    fields: &'static [Field],
    /// The bits that hardware changes on its own.
    status: u32,
}

type FlagNames = fn() -> Vec<(&'static str, u32)>;

/// A field of more than one bit, or a bit without a flag in the register's type.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    mask: u32,
    /// What a value means, where the number alone does not say.
    meaning: fn(u32) -> Option<String>,
}

const fn field(name: &'static str, mask: u32) -> Field {
    Field { name, mask, meaning: |_| None }
}

const fn field_of(name: &'static str, mask: u32, meaning: fn(u32) -> Option<String>) -> Field {
    Field { name, mask, meaning }
}

const fn byte(name: &'static str, at: u16) -> Register {
    Register { name, at, width: 1, flags: None, fields: &[], status: 0 }
}

const fn word(name: &'static str, at: u16) -> Register {
    Register { width: 2, ..byte(name, at) }
}

const fn dword(name: &'static str, at: u16) -> Register {
    Register { width: 4, ..byte(name, at) }
}

impl Register {
    const fn flags(self, flags: FlagNames) -> Self {
        Self { flags: Some(flags), ..self }
    }

    const fn fields(self, fields: &'static [Field]) -> Self {
        Self { fields, ..self }
    }

    const fn status(self, status: u32) -> Self {
        Self { status, ..self }
    }

    /// Every part that has a name, with its mask.
    fn parts(&self) -> impl Iterator<Item = Part> {
        let flags = self.flags.map_or_else(Vec::new, |flags| flags());
        let flags = flags.into_iter().map(|(name, mask)| Part {
            name: names::readable(name),
            mask,
            meaning: |_| None,
        });
        flags.chain(self.fields.iter().map(|field| Part {
            name: field.name.to_string(),
            mask: field.mask,
            meaning: field.meaning,
        }))
    }
}

/// The named bits of a register type.
fn bits<F: Flags>() -> Vec<(&'static str, u32)>
where
    F::Bits: Into<u32>,
{
    let named = F::FLAGS.iter().filter(|flag| !flag.name().is_empty());
    named.map(|flag: &Flag<F>| (flag.name(), flag.value().bits().into())).collect()
}

/// The bits that are set in a register, in words: `Bus Master`, `Memory Space`.
#[must_use]
pub fn words<F: Flags>(register: F) -> Vec<String> {
    register.iter_names().map(|(name, _)| names::readable(name)).collect()
}

struct Part {
    name: String,
    mask: u32,
    meaning: fn(u32) -> Option<String>,
}

impl Part {
    fn value(&self, register: u32) -> u32 {
        register.checked_shr(self.mask.trailing_zeros()).unwrap_or(0)
            & self.mask.checked_shr(self.mask.trailing_zeros()).unwrap_or(0)
    }

    fn is_flag(&self) -> bool {
        self.mask.is_power_of_two()
    }

    fn text(&self, register: u32) -> String {
        let value = self.value(register);
        (self.meaning)(value).unwrap_or_else(|| match value {
            0..10 => value.to_string(),
            _ => format!("{value:#x}"),
        })
    }
}

/// A register at its place in a function's configuration space.
#[derive(Clone, Copy, Debug)]
pub struct PlacedRegister {
    register: &'static Register,
    structure: Structure,
    offset: u16,
}

impl PlacedRegister {
    /// The specification's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.register.name
    }

    /// What it is part of.
    #[must_use]
    pub const fn structure(&self) -> Structure {
        self.structure
    }

    /// Where it stands in configuration space.
    #[must_use]
    pub const fn offset(&self) -> u16 {
        self.offset
    }

    /// How many bytes it has: 1, 2 or 4.
    #[must_use]
    pub const fn width(&self) -> u8 {
        self.register.width
    }

    /// The bits that hardware changes on its own: errors and events, what is pending, logs.
    #[must_use]
    pub const fn status_bits(&self) -> u32 {
        self.register.status
    }

    /// Its value; `None` if it cannot be read.
    #[must_use]
    pub fn read(&self, space: ConfigSpace<'_>) -> Option<u32> {
        read(space, self.offset, self.register.width)
    }

    /// The flags that are set and the fields that are not zero, in words: `Bus Master`, `Power State
    /// D3hot`.
    #[must_use]
    pub fn describe(&self, value: u32) -> Vec<String> {
        let parts = self.register.parts().filter(|part| part.value(value) != 0);
        parts
            .map(|part| match part.is_flag() {
                true => part.name,
                false => format!("{} {}", part.name, part.text(value)),
            })
            .collect()
    }

    /// The flags and fields in which two values differ; bits without a name come last, as one.
    #[must_use]
    pub fn changes(&self, old: u32, new: u32) -> Vec<FieldChange> {
        let changed = old ^ new;
        let mut unnamed = changed;
        let mut changes = Vec::new();
        for part in self.register.parts().filter(|part| part.mask & changed != 0) {
            unnamed &= !part.mask;
            changes.push(FieldChange {
                flag: part.is_flag(),
                old: part.text(old),
                new: part.text(new),
                name: part.name,
            });
        }
        // Where nothing has a name, the values of the whole register say it all.
        if unnamed != 0 && !changes.is_empty() {
            changes.push(FieldChange {
                name: format!("bits {unnamed:#x}"),
                flag: false,
                old: format!("{:#x}", old & unnamed),
                new: format!("{:#x}", new & unnamed),
            });
        }
        changes
    }

    /// Whether it is the same register at the same place, in two functions.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.name(), self.offset, self.width(), self.structure)
            == (other.name(), other.offset, other.width(), other.structure)
    }
}

/// A flag or field of a register that has another value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FieldChange {
    /// Its name.
    pub name: String,
    /// Whether it is a single bit; then its values are `0` and `1`.
    pub flag: bool,
    /// The value before, in words or in hexadecimal.
    pub old: String,
    /// The value after.
    pub new: String,
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.flag, self.new.as_str()) {
            (true, "0") => write!(f, "{} -", self.name),
            (true, _) => write!(f, "{} +", self.name),
            (false, _) => write!(f, "{} {} -> {}", self.name, self.old, self.new),
        }
    }
}

/// Reads 1, 2 or 4 bytes, if all can be read.
#[must_use]
pub fn read(space: ConfigSpace<'_>, offset: u16, width: u8) -> Option<u32> {
    match width {
        1 => space.read_u8(offset).map(u32::from),
        2 => space.read_u16(offset).map(u32::from),
        4 => space.read_u32(offset),
        _ => None,
    }
}

/// A size as people write it: 256 MiB.
#[must_use]
pub fn bytes(size: u64) -> String {
    const UNITS: [(&str, u32); 6] =
        [("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, shift)| size != 0 && size.trailing_zeros() >= *shift);
    match unit {
        Some((name, shift)) => format!("{} {name}", size >> shift),
        None => format!("{size} bytes"),
    }
}

/// The registers of a function, and what they are part of.
#[derive(Clone, Debug)]
pub struct RegisterMap {
    registers: Vec<PlacedRegister>,
    structures: Vec<Structure>,
    /// Bytes whose meaning is the vendor's, by their own structure's word.
    vendor: Vec<(Structure, u16, u16)>,
    claimed: ByteSet,
    size: u16,
}

/// The registers of a function, as its own header and capabilities lay them out.
///
/// No two overlap: of two capabilities that claim the same bytes the first in the list counts.
#[must_use]
pub fn registers(space: ConfigSpace<'_>) -> RegisterMap {
    let mut map = RegisterMap {
        registers: Vec::with_capacity(128),
        structures: Vec::new(),
        vendor: Vec::new(),
        claimed: ByteSet::default(),
        size: space.size() as u16,
    };
    header::place(&mut map, space);
    for entry in space.capabilities().flatten() {
        map.structures.push(Structure::Capability { id: entry.id(), offset: entry.offset() });
        capability::place(&mut map, entry);
    }
    for entry in space.extended_capabilities().flatten() {
        map.structures.push(Structure::Extended { id: entry.id(), offset: entry.offset() });
        extended::place(&mut map, entry);
    }
    map.registers.sort_by_key(PlacedRegister::offset);
    map
}

impl RegisterMap {
    /// The registers, in the order in which they stand.
    #[must_use]
    pub fn registers(&self) -> &[PlacedRegister] {
        &self.registers
    }

    /// The capabilities, in the order of the lists.
    #[must_use]
    pub fn structures(&self) -> &[Structure] {
        &self.structures
    }

    /// Whether any of the bytes belongs to a register.
    #[must_use]
    pub fn claims(&self, offset: u16, width: u8) -> bool {
        self.claimed.any(offset, width)
    }

    /// The vendor's structure that a byte belongs to.
    #[must_use]
    pub fn vendor_structure(&self, offset: u16) -> Option<Structure> {
        let inside = |(_, start, end): &&(Structure, u16, u16)| (*start..*end).contains(&offset);
        self.vendor.iter().find(inside).map(|(structure, ..)| *structure)
    }

    fn place(&mut self, structure: Structure, table: &'static [Register]) {
        for register in table {
            self.place_at(structure, register, structure.offset().saturating_add(register.at));
        }
    }

    fn place_at(&mut self, structure: Structure, register: &'static Register, offset: u16) {
        let end = offset.saturating_add(u16::from(register.width));
        if end <= self.size && !self.claims(offset, register.width) {
            self.claimed.insert(offset, register.width);
            self.registers.push(PlacedRegister { register, structure, offset });
        }
    }

    fn vendor_bytes(&mut self, structure: Structure, length: u16) {
        let start = structure.offset();
        self.vendor.push((structure, start, start.saturating_add(length)));
    }
}

/// Some of the bytes of a configuration space.
#[derive(Clone, Debug)]
pub(crate) struct ByteSet([u64; 64]);

impl Default for ByteSet {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl ByteSet {
    pub(crate) fn insert(&mut self, offset: u16, width: u8) {
        for at in offset..offset.saturating_add(u16::from(width)) {
            if let Some(bits) = self.0.get_mut(usize::from(at >> 6)) {
                *bits |= 1 << (at & 63);
            }
        }
    }

    pub(crate) fn any(&self, offset: u16, width: u8) -> bool {
        (offset..offset.saturating_add(u16::from(width)))
            .any(|at| self.0.get(usize::from(at >> 6)).is_some_and(|bits| bits >> (at & 63) & 1 != 0))
    }
}
