//! Two configuration spaces compared, in terms of named registers and their fields.
//!
//! ```
//! use pcicfg::ConfigSpace;
//! use pcicfg::diff::{Difference, diff};
//!
//! let mut before = [0; 64];
//! before[..8].copy_from_slice(&[0x86, 0x80, 0x12, 0x34, 0x07, 0x01, 0, 0]);
//! let mut after = before;
//! after[4..6].copy_from_slice(&[0x03, 0x00]);
//! let found = diff(ConfigSpace::new(&before)?, ConfigSpace::new(&after)?);
//! assert_eq!(found[0].to_string(), "Command at 004: 0107 -> 0003, Bus Master -, SERR Enable -");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::registers::{
    ByteSet, FieldChange, PlacedRegister, RegisterMap, RegisterName, Structure, read, registers,
};
use crate::{Address, ConfigSpace};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "serde")]
use serde::Serialize;

/// One of the two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Side {
    /// The first, or what was before.
    Old,
    /// The second, or what is after.
    New,
}

/// Something in which two configuration spaces differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "what", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Difference {
    /// A capability that only one of the two lists.
    Capability {
        /// The one that lists it.
        only_in: Side,
        /// The capability.
        capability: Structure,
        /// Where it begins.
        offset: u16,
    },
    /// A register with another value.
    Register(RegisterDifference),
}

/// A register with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct RegisterDifference {
    /// Its name; `None` for bytes that no specification names, or none that this version knows.
    pub register: Option<RegisterName>,
    /// What it is part of; for nameless bytes known only within a vendor's own structure.
    pub structure: Option<Structure>,
    /// Where it stands in configuration space.
    pub offset: u16,
    /// How many bytes it has: 1, 2 or 4.
    pub width: u8,
    /// The value in the first.
    pub old: u32,
    /// The value in the second.
    pub new: u32,
    /// Whether hardware changes these bits on its own: errors, events, what is pending.
    pub status: bool,
    /// The flags and fields that changed, as far as they have names.
    pub fields: Vec<FieldChange>,
}

impl Difference {
    /// Where it is.
    #[must_use]
    pub const fn offset(&self) -> u16 {
        match self {
            Self::Capability { offset, .. } => *offset,
            Self::Register(register) => register.offset,
        }
    }

    /// Whether only bits differ that hardware changes on its own.
    #[must_use]
    pub const fn is_status(&self) -> bool {
        matches!(self, Self::Register(register) if register.status)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability { only_in: Side::Old, capability, .. } => write!(f, "{capability} is gone"),
            Self::Capability { only_in: Side::New, capability, .. } => write!(f, "{capability} is new"),
            Self::Register(register) => register.fmt(f),
        }
    }
}

impl fmt::Display for RegisterDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = 2 * usize::from(self.width);
        let nameless = match self.width {
            1 => "byte",
            2 => "word",
            _ => "dword",
        };
        match self.register {
            Some(name) => write!(f, "{name}")?,
            None => f.write_str(nameless)?,
        }
        write!(f, " at {:03x}", self.offset)?;
        write!(f, ": {:0digits$x} -> {:0digits$x}", self.old, self.new)?;
        match self.fields.as_slice() {
            // The register's values show it already.
            [only] if only.address => Ok(()),
            fields => fields.iter().try_for_each(|field| write!(f, ", {field}")),
        }
    }
}

/// The differences between two configuration spaces, in the order of their offsets.
///
/// Where the two have different capabilities, a register that only one of them has is compared under
/// that one's name, unless the other has a different register there: then the bytes have no name.
/// What only one of the two can read is not compared; see [`ConfigSpace::size`].
///
/// Turning the two around turns each difference around and changes nothing else.
#[must_use]
pub fn diff(old: ConfigSpace<'_>, new: ConfigSpace<'_>) -> Vec<Difference> {
    let size = old.size().min(new.size());
    if old.bytes()[..size] == new.bytes()[..size] {
        // The same bytes have the same meaning, but where one ends earlier: that is not compared.
        return Vec::new();
    }
    let maps = (registers(old), registers(new));
    let mut found = Vec::new();
    for (side, map, other) in [(Side::Old, &maps.0, &maps.1), (Side::New, &maps.1, &maps.0)] {
        let alone = map.structures().iter().filter(|structure| !other.structures().contains(structure));
        // A list goes on where the other space cannot be read: nobody knows whether it is there.
        let alone = alone.filter(|structure| usize::from(structure.offset()) < size);
        found.extend(alone.map(|&capability| Difference::Capability {
            only_in: side,
            capability,
            offset: capability.offset(),
        }));
    }
    let mut named = ByteSet::default();
    for (register, fields_agree) in common(&maps.0, &maps.1) {
        // What the end of one space cuts off is left to the comparison of nameless bytes.
        let (Some(old), Some(new)) = (register.read(old), register.read(new)) else { continue };
        named.insert(register.offset(), register.width());
        if old != new {
            found.push(Difference::Register(RegisterDifference {
                register: Some(register.name()),
                structure: Some(register.structure()),
                offset: register.offset(),
                width: register.width(),
                old,
                new,
                status: (old ^ new) & !register.status_bits() == 0,
                // A register whose content decides about its fields has two sets of them.
                fields: if fields_agree { register.changes(old, new) } else { Vec::new() },
            }));
        }
    }
    for offset in (0..size as u16).step_by(4) {
        nameless(&maps, &named, (old, new), (offset, 4), &mut found);
    }
    found.sort_by_key(Difference::offset);
    found
}

/// The registers that both have, and those that one has where the other has none; each with whether both
/// give it the same fields.
fn common<'m>(
    old: &'m RegisterMap,
    new: &'m RegisterMap,
) -> impl Iterator<Item = (&'m PlacedRegister, bool)> {
    let first = old.registers().iter().filter_map(move |register| {
        match new.at(register.offset()).filter(|other| other.is_same_as(register)) {
            Some(other) => Some((register, other.has_fields_of(register))),
            None => (!new.claims(register.offset(), register.width())).then_some((register, true)),
        }
    });
    let second = new.registers().iter().filter(|register| !old.claims(register.offset(), register.width()));
    first.chain(second.map(|register| (register, true)))
}

/// Compares bytes that have no name: as a dword, or as what a named register leaves of it.
fn nameless(
    maps: &(RegisterMap, RegisterMap),
    named: &ByteSet,
    (old, new): (ConfigSpace<'_>, ConfigSpace<'_>),
    (offset, width): (u16, u8),
    found: &mut Vec<Difference>,
) {
    let values = (read(old, offset, width), read(new, offset, width));
    match values {
        (Some(old), Some(new)) if old == new => {}
        (Some(old), Some(new)) if !named.any(offset, width) => {
            let of = |map: &RegisterMap| map.vendor_structure(offset);
            found.push(Difference::Register(RegisterDifference {
                register: None,
                structure: of(&maps.0).filter(|structure| of(&maps.1) == Some(*structure)),
                offset,
                width,
                old,
                new,
                status: false,
                fields: Vec::new(),
            }));
        }
        // Partly named, or cut off by the end: the halves are looked at one by one.
        _ if width > 1 => {
            let half = width / 2;
            for at in [offset, offset + u16::from(half)] {
                nameless(maps, named, (old, new), (at, half), found);
            }
        }
        _ => {}
    }
}

/// What became of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "outcome", rename_all = "snake_case"))]
pub enum FunctionDifference {
    /// Only one has it.
    OnlyIn {
        /// The one that has it.
        side: Side,
    },
    /// It answers in one only: in the other its registers read all-ones.
    Silent {
        /// The one in which it does not answer.
        side: Side,
    },
    /// Both have it, but what one has, or both, is no configuration space: nobody can say whether they are equal.
    Unreadable {
        /// How many bytes the first has; a configuration space has 64 to 4096.
        old: usize,
        /// How many bytes the second has.
        new: usize,
    },
    /// Both have it.
    Compared {
        /// How many bytes both can read.
        bytes: usize,
        /// Whether one can read more than the other.
        cut: bool,
        /// The differences.
        differences: Vec<Difference>,
    },
}

impl FunctionDifference {
    /// Whether there is none.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        matches!(self, Self::Compared { differences, .. } if differences.is_empty())
    }

    /// The same without what hardware changes on its own.
    #[must_use]
    pub fn without_status(mut self) -> Self {
        if let Self::Compared { differences, .. } = &mut self {
            differences.retain(|difference| !difference.is_status());
        }
        self
    }
}

/// Functions with their configuration spaces.
pub type Spaces = BTreeMap<Address, Vec<u8>>;

/// Compares all functions of two machines or saved states, in address order.
#[must_use]
pub fn compare(old: &Spaces, new: &Spaces) -> Vec<(Address, FunctionDifference)> {
    let mut addresses: Vec<Address> = old.keys().chain(new.keys()).copied().collect();
    addresses.sort();
    addresses.dedup();
    let compared = addresses.into_iter().map(|address| {
        let difference = match (old.get(&address), new.get(&address)) {
            (Some(old), Some(new)) => match (ConfigSpace::new(old), ConfigSpace::new(new)) {
                (Ok(old), Ok(new)) => compare_function(old, new),
                _ => FunctionDifference::Unreadable { old: old.len(), new: new.len() },
            },
            (Some(_), None) => FunctionDifference::OnlyIn { side: Side::Old },
            _ => FunctionDifference::OnlyIn { side: Side::New },
        };
        (address, difference)
    });
    compared.collect()
}

fn compare_function(old: ConfigSpace<'_>, new: ConfigSpace<'_>) -> FunctionDifference {
    // Command and Status tell, since the ids of a virtual function read all-ones.
    let silent = |space: ConfigSpace<'_>| space.read_u32(4) == Some(0xffff_ffff);
    match (silent(old), silent(new)) {
        (true, false) => FunctionDifference::Silent { side: Side::Old },
        (false, true) => FunctionDifference::Silent { side: Side::New },
        _ => FunctionDifference::Compared {
            bytes: old.size().min(new.size()),
            cut: old.size() != new.size(),
            differences: diff(old, new),
        },
    }
}

#[cfg(test)]
mod tests;
