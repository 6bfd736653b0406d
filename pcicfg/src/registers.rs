//! The registers of a configuration space by name: where each stands, what its fields are called, what
//! they say, and what a write does to them.
//!
//! [`registers`] lays a function's registers out as its header type and its capabilities say. It is
//! what [`diff`](crate::diff) compares by and what [`edit`](crate::edit) writes by, so that a register has
//! one name everywhere. The tables are in `registers/table/`, one file a family; names of single bits come
//! from the registers' types.
//!
//! ```
//! use pcicfg::{ConfigSpace, registers::{Access, Value, registers}};
//!
//! let mut bytes = [0; 256];
//! bytes[0x06] = 0x10; // Status: Capabilities List
//! bytes[0x34] = 0x40; // Capabilities Pointer
//! bytes[0x40..0x48].copy_from_slice(&[0x01, 0x00, 0x03, 0x00, 0x0b, 0x80, 0x00, 0x00]);
//! let space = ConfigSpace::new(&bytes)?;
//! let map = registers(space);
//! let control = map.find("PCI Power Management Interface", "Power Management Control/Status")?;
//! let value = control.read(space).unwrap();
//! let state = control.field("Power State").unwrap();
//! assert_eq!((control.offset(), state.value(value)), (0x44, Value::Name("D3hot")));
//! assert_eq!(control.field("PME Status").unwrap().access(), Access::Write1ToClearSticky);
//! assert_eq!(control.describe(value), ["No Soft Reset", "PME Status", "Power State D3hot"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod find;
pub mod handles;
mod names;
mod place;
mod table;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod value;

use crate::ConfigSpace;
use crate::capability::CapabilityId;
use crate::extended::ExtendedCapabilityId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bitflags::Flags;
use core::fmt;
use names::{Index, Written};
use table::{Kind, Register};

pub use access::Access;
pub use find::FindError;
pub use handles::{Handle, Typed};
pub use names::{FieldKey, FieldName, RegisterName};
pub use value::{Unit, Value, bytes};

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

    /// The specification's name, if it has one.
    pub(crate) const fn known_name(self) -> Option<&'static str> {
        match self {
            Self::Header => Some("header"),
            Self::Capability { id, .. } => id.name(),
            Self::Extended { id, .. } => id.name(),
        }
    }

    /// The specification's name, or the id where it has none.
    #[must_use]
    pub fn name(self) -> String {
        match (self.known_name(), self) {
            (None, Self::Capability { id, .. }) => format!("capability {:02x}", id.0),
            (None, Self::Extended { id, .. }) => format!("extended capability {:04x}", id.0),
            (name, _) => name.unwrap_or_default().to_string(),
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

/// A field of a register: one bit or several.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    name: FieldName,
    mask: u32,
    access: Access,
    kind: Kind,
}

impl Field {
    /// The specification's name.
    #[must_use]
    pub const fn name(&self) -> FieldName {
        self.name
    }

    /// The name for a document, with the unit: `max_payload_size_bytes`.
    #[must_use]
    pub const fn key(&self) -> FieldKey {
        FieldKey { name: self.name, unit: self.unit() }
    }

    /// Its bits in the register.
    #[must_use]
    pub const fn mask(&self) -> u32 {
        self.mask
    }

    /// What a write does to it.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }

    /// What its values are counted in; `None` for what is not counted.
    #[must_use]
    pub const fn unit(&self) -> Option<Unit> {
        match self.kind {
            Kind::Measured(unit, _) => Some(unit),
            _ => None,
        }
    }

    /// Whether it is a single bit that says yes or no.
    #[must_use]
    pub const fn is_flag(&self) -> bool {
        self.mask.is_power_of_two() && matches!(self.kind, Kind::Number)
    }

    /// Whether it is an address, which is written as it stands in the register.
    pub(crate) const fn is_address(&self) -> bool {
        matches!(self.kind, Kind::Address(_))
    }

    /// Its number in a register's value: 1 of Power State is D1. Of an address all bits at their place:
    /// the address.
    #[must_use]
    pub const fn code(&self, register: u32) -> u64 {
        let bits = (register & self.mask) as u64;
        match self.kind {
            Kind::Address(shift @ 0..=31) => bits << shift,
            Kind::Address(shift @ -31..0) => bits >> -shift,
            _ if self.mask == 0 => 0,
            _ => bits >> self.mask.trailing_zeros(),
        }
    }

    /// The bits of the register that have this number in the field; `None` if it does not fit.
    pub(crate) fn bits_of(&self, code: u64) -> Option<u32> {
        let bits = match self.kind {
            Kind::Address(shift @ 0..=31) => code >> shift,
            Kind::Address(shift @ -31..0) => code.checked_shl(u32::from(shift.unsigned_abs()))?,
            _ => code.checked_shl(self.mask.trailing_zeros())?,
        };
        let bits = u32::try_from(bits).ok()? & self.mask;
        (self.code(bits) == code).then_some(bits)
    }

    /// The largest number that it can have.
    pub(crate) const fn largest(&self) -> u64 {
        self.code(self.mask)
    }

    /// All numbers that it can have are multiples of this.
    pub(crate) const fn step(&self) -> u64 {
        1 << self.largest().trailing_zeros()
    }

    /// Whether its number says it all.
    pub(crate) const fn is_plain_number(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Hex | Kind::Id | Kind::RoutingId | Kind::Address(_))
    }

    /// What it says in a register's value.
    #[must_use]
    pub fn value(&self, register: u32) -> Value {
        let code = self.code(register);
        let small = code as u32;
        match self.kind {
            Kind::Number if self.mask.is_power_of_two() => Value::Flag(code != 0),
            Kind::Number => Value::Number(code),
            Kind::Hex | Kind::Address(_) => Value::Hex(code),
            Kind::Id => Value::Id(code as u16),
            Kind::RoutingId => Value::RoutingId(code as u16),
            Kind::Names(names) => match names.get(code as usize) {
                Some(&name) if !name.is_empty() => Value::Name(name),
                _ => Value::Reserved(small),
            },
            Kind::Codes(codes) => {
                let code = codes.iter().find(|(code, _)| *code == small);
                code.map_or(Value::Reserved(small), |(_, name)| Value::Name(name))
            }
            Kind::Computed(value) | Kind::Measured(_, value) => value(small),
        }
    }
}

/// A register at its place in a function's configuration space.
#[derive(Clone, Copy, Debug)]
pub struct PlacedRegister {
    register: &'static Register,
    structure: Structure,
    offset: u16,
    index: Index,
}

impl PlacedRegister {
    /// The specification's name.
    #[must_use]
    pub const fn name(&self) -> RegisterName {
        RegisterName { text: self.register.name, index: self.index }
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

    /// Its fields; none if the register is one number.
    pub fn fields(&self) -> impl Iterator<Item = Field> + Clone + use<> {
        self.register.parts()
    }

    /// The field of this name, in capitals or small letters.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field> {
        self.fields().find(|field| field.name.is(name))
    }

    /// What a write does to a bit, by its number.
    #[must_use]
    pub fn access(&self, bit: u8) -> Access {
        self.register.access_of(1u32.checked_shl(bit.into()).unwrap_or(0))
    }

    /// All bits that it has.
    pub(crate) const fn all_bits(&self) -> u32 {
        self.register.all()
    }

    /// What a write does to its bits.
    pub(crate) fn write_masks(&self) -> WriteMasks {
        let masks = &self.register.masks;
        let zero = if masks.reserved_zero { !self.register.named_bits() } else { 0 };
        match masks.unknown {
            true => WriteMasks { takes: 0, clears: 0, acts: 0, kept: !0 },
            false => WriteMasks {
                takes: masks.takes,
                clears: masks.clears,
                acts: masks.acts,
                kept: !(masks.clears | masks.acts | zero),
            },
        }
    }

    /// Whether it is written together with what it shares a dword with.
    pub(crate) const fn needs_whole_dword(&self) -> bool {
        self.register.whole_dword
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
        let fields = self.fields().filter(|field| field.code(value) != 0);
        fields
            .map(|field| match field.is_flag() {
                true => field.name.to_string(),
                false => format!("{} {}", field.name, field.value(value)),
            })
            .collect()
    }

    /// The flags and fields in which two values differ; bits without a name come last, as one.
    #[must_use]
    pub fn changes(&self, old: u32, new: u32) -> Vec<FieldChange> {
        let changed = old ^ new;
        let mut unnamed = changed;
        let mut changes = Vec::new();
        for field in self.fields().filter(|field| field.mask & changed != 0) {
            unnamed &= !field.mask;
            changes.push(FieldChange {
                name: field.name.to_string(),
                flag: field.is_flag(),
                address: field.is_address(),
                old: field.value(old).to_string(),
                new: field.value(new).to_string(),
            });
        }
        // Where nothing has a name, the values of the whole register say it all.
        if unnamed != 0 && !changes.is_empty() {
            changes.push(FieldChange {
                name: format!("bits {unnamed:#x}"),
                flag: false,
                address: false,
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

    /// Whether a register that is the same has the same fields: what stands in a Base Address Register
    /// decides about its own.
    pub(crate) fn has_fields_of(&self, other: &Self) -> bool {
        core::ptr::eq(self.register, other.register)
    }
}

/// A register's bits by what a write does to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteMasks {
    /// They take what is written.
    pub(crate) takes: u32,
    /// Writing 1 clears them.
    pub(crate) clears: u32,
    /// Writing 1 makes them act.
    pub(crate) acts: u32,
    /// They are written as they were read, unless they take another value.
    pub(crate) kept: u32,
}

/// A flag or field of a register that has another value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FieldChange {
    /// Its name.
    pub name: String,
    /// Whether it is a single bit; then its values are `0` and `1`.
    pub flag: bool,
    /// Whether it is an address, whose bits the register's own value shows.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub address: bool,
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

/// The bits that are set in a register, in words: `Bus Master`, `Memory Space`.
#[must_use]
pub fn words<F: Flags>(register: F) -> Vec<String> {
    register.iter_names().map(|(name, _)| FieldName(Written::Constant(name)).to_string()).collect()
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

/// The registers of a function, and what they are part of.
#[derive(Clone, Debug)]
pub struct RegisterMap {
    registers: Vec<PlacedRegister>,
    structures: Vec<Structure>,
    /// Bytes whose meaning is the vendor's, by their own structure's word.
    vendor: Vec<(Structure, u16, u16)>,
    claimed: ByteSet,
    size: u16,
    /// What is placed where nothing else is.
    late: Vec<PlacedRegister>,
}

/// The registers of a function, as its own header and capabilities lay them out.
///
/// No two overlap. A capability's id and pointer are its own; of two that claim the same bytes otherwise,
/// the first in the list counts.
#[must_use]
pub fn registers(space: ConfigSpace<'_>) -> RegisterMap {
    let mut map = RegisterMap {
        registers: Vec::with_capacity(128),
        structures: Vec::new(),
        vendor: Vec::new(),
        claimed: ByteSet::default(),
        size: space.size() as u16,
        late: Vec::new(),
    };
    tables::header::place(&mut map, space);
    let capabilities = || space.capabilities().flatten();
    let extended = || space.extended_capabilities().flatten();
    for entry in capabilities() {
        tables::capability::place_head(&mut map, entry);
    }
    for entry in extended() {
        tables::extended::place_head(&mut map, entry);
    }
    capabilities().for_each(|entry| tables::capability::place(&mut map, entry));
    extended().for_each(|entry| tables::extended::place(&mut map, entry));
    map.place_late();
    map.registers.sort_by_key(PlacedRegister::offset);
    map
}

impl RegisterMap {
    /// The registers, in the order in which they stand.
    #[must_use]
    pub fn registers(&self) -> &[PlacedRegister] {
        &self.registers
    }

    /// The registers of one structure, in the order in which they stand.
    pub fn of(&self, structure: Structure) -> impl Iterator<Item = &PlacedRegister> + Clone {
        self.registers.iter().filter(move |register| register.structure == structure)
    }

    /// The capabilities, in the order of the lists.
    #[must_use]
    pub fn structures(&self) -> &[Structure] {
        &self.structures
    }

    /// The register that stands at this place.
    #[must_use]
    pub fn at(&self, offset: u16) -> Option<&PlacedRegister> {
        let index = self.registers.binary_search_by_key(&offset, PlacedRegister::offset).ok()?;
        self.registers.get(index)
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
