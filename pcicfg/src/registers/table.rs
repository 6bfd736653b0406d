//! How the tables describe a register.

use super::access::Masks;
use super::names::{FieldName, Written};
use super::value::{Unit, Value};
use super::{Access, Field};

/// A register: where it stands in its structure, what its bits mean, and what a write does to them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Register {
    pub(super) name: &'static str,
    /// From the structure's start.
    pub(super) at: u16,
    /// How many bytes: 1, 2 or 4.
    pub(super) width: u8,
    /// The single bits that have a name.
    flags: Option<FlagAt>,
    /// The fields of more than one bit.
    fields: &'static [FieldRow],
    /// The bits that hardware changes on its own.
    pub(super) status: u32,
    pub(super) masks: Masks,
    /// It is written together with what it shares a dword with.
    pub(super) whole_dword: bool,
}

/// The flag of a register's type at an index: its constant and its bit.
type FlagAt = fn(usize) -> Option<(&'static str, u32)>;

/// A field of more than one bit, or a bit without a flag in the register's type.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldRow {
    name: &'static str,
    mask: u32,
    kind: Kind,
}

/// What a field's code means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A number; a single bit is a flag.
    Number,
    /// Something to be read in hexadecimal.
    Hex,
    /// A vendor's or device's id.
    Id,
    /// Bus, device, function.
    RoutingId,
    /// An address: the bits where they stand in the register, shifted left by so many bits.
    Address(i8),
    /// Its code is an index; an empty name is none.
    Names(&'static [&'static str]),
    /// The few codes that have a name.
    Codes(&'static [(u32, &'static str)]),
    /// Something else.
    Computed(fn(u32) -> Value),
    /// Something that is counted in a unit, but for codes with a name.
    Measured(Unit, fn(u32) -> Value),
}

pub(super) const fn number(name: &'static str, mask: u32) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Number }
}

/// A single bit.
pub(super) const fn bit(name: &'static str, number: u32) -> FieldRow {
    FieldRow { name, mask: 1 << number, kind: Kind::Number }
}

pub(super) const fn hex(name: &'static str, mask: u32) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Hex }
}

pub(super) const fn id(name: &'static str, mask: u32) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Id }
}

pub(super) const fn routing_id(name: &'static str, mask: u32) -> FieldRow {
    FieldRow { name, mask, kind: Kind::RoutingId }
}

pub(super) const fn address(name: &'static str, mask: u32, shift: i8) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Address(shift) }
}

pub(super) const fn named(name: &'static str, mask: u32, names: &'static [&'static str]) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Names(names) }
}

pub(super) const fn coded(name: &'static str, mask: u32, codes: &'static [(u32, &'static str)]) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Codes(codes) }
}

pub(super) const fn computed(name: &'static str, mask: u32, value: fn(u32) -> Value) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Computed(value) }
}

pub(super) const fn bytes(name: &'static str, mask: u32, value: fn(u32) -> Value) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Measured(Unit::Bytes, value) }
}

pub(super) const fn duration(name: &'static str, mask: u32, value: fn(u32) -> Value) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Measured(Unit::Nanoseconds, value) }
}

pub(super) const fn milliwatts(name: &'static str, mask: u32, value: fn(u32) -> Value) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Measured(Unit::Milliwatts, value) }
}

pub(super) const fn lanes(name: &'static str, mask: u32, value: fn(u32) -> Value) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Measured(Unit::Lanes, value) }
}

pub(super) const fn milliamperes(name: &'static str, mask: u32, value: fn(u32) -> Value) -> FieldRow {
    FieldRow { name, mask, kind: Kind::Measured(Unit::Milliamperes, value) }
}

/// One more than the code.
pub(super) fn plus_1(code: u32) -> Value {
    Value::Number(u64::from(code) + 1)
}

/// The flag of a register's type at an index.
pub(super) fn flags<F: bitflags::Flags>(index: usize) -> Option<(&'static str, u32)>
where
    F::Bits: Into<u32>,
{
    let flag = F::FLAGS.get(index)?;
    Some((flag.name(), flag.value().bits().into()))
}

pub(super) const fn byte(name: &'static str, at: u16) -> Register {
    Register {
        name,
        at,
        width: 1,
        flags: None,
        fields: &[],
        status: 0,
        masks: Masks::READ_ONLY,
        whole_dword: false,
    }
}

pub(super) const fn word(name: &'static str, at: u16) -> Register {
    Register { width: 2, ..byte(name, at) }
}

pub(super) const fn dword(name: &'static str, at: u16) -> Register {
    Register { width: 4, ..byte(name, at) }
}

impl Register {
    pub(super) const fn flags(self, flags: FlagAt) -> Self {
        Self { flags: Some(flags), ..self }
    }

    pub(super) const fn fields(self, fields: &'static [FieldRow]) -> Self {
        Self { fields, ..self }
    }

    /// Bits that hardware changes on its own.
    pub(super) const fn status(self, status: u32) -> Self {
        Self { status: self.status | status, ..self }
    }

    const fn masks(self, masks: Masks) -> Self {
        Self { masks, ..self }
    }

    /// RW.
    pub(super) const fn rw(self, mask: u32) -> Self {
        self.masks(Masks { takes: self.masks.takes | mask, ..self.masks })
    }

    /// RWS.
    pub(super) const fn rws(self, mask: u32) -> Self {
        self.rw(mask).sticky(mask)
    }

    /// RWL.
    pub(super) const fn rwl(self, mask: u32) -> Self {
        let register = self.rw(mask);
        register.masks(Masks { locks: register.masks.locks | mask, ..register.masks })
    }

    /// RW1C, which is status.
    pub(super) const fn rw1c(self, mask: u32) -> Self {
        self.status(mask).masks(Masks { clears: self.masks.clears | mask, ..self.masks })
    }

    /// RW1CS, which is status.
    pub(super) const fn rw1cs(self, mask: u32) -> Self {
        self.rw1c(mask).sticky(mask)
    }

    /// RW that reads 0 and acts.
    pub(super) const fn acts(self, mask: u32) -> Self {
        self.masks(Masks { acts: self.masks.acts | mask, ..self.masks })
    }

    /// The S of ROS.
    pub(super) const fn sticky(self, mask: u32) -> Self {
        self.masks(Masks { sticky: self.masks.sticky | mask, ..self.masks })
    }

    /// What has no name is RsvdZ, not RsvdP.
    pub(super) const fn rsvdz(self) -> Self {
        self.masks(Masks { reserved_zero: true, ..self.masks })
    }

    /// No public source says what a write does.
    pub(super) const fn unknown(self) -> Self {
        self.masks(Masks { unknown: true, ..self.masks })
    }

    /// Some devices take it only together with the rest of its dword.
    pub(super) const fn whole_dword(self) -> Self {
        Self { whole_dword: true, ..self }
    }

    /// All bits of its width.
    pub(super) const fn all(&self) -> u32 {
        u32::MAX >> (32 - 8 * self.width as u32)
    }

    /// The fields, those of one bit first.
    pub(super) fn parts(&'static self) -> impl Iterator<Item = Field> + Clone {
        let flags =
            self.flags.into_iter().flat_map(|at| (0..).map_while(at)).filter(|(name, _)| !name.is_empty());
        let flags = flags.map(|(constant, mask)| (Written::Constant(constant), mask, Kind::Number));
        let fields = self.fields.iter().map(|row| (Written::Text(row.name), row.mask, row.kind));
        flags.chain(fields).map(|(name, mask, kind)| Field {
            name: FieldName(name),
            mask,
            access: self.masks.named(mask),
            kind,
        })
    }

    /// The bits that belong to a field, or all if there is none: then the register is one.
    pub(super) fn named_bits(&'static self) -> u32 {
        match self.parts().fold(0, |bits, field| bits | field.mask) {
            0 => self.all(),
            bits => bits,
        }
    }

    /// What a write does to a bit.
    pub(super) fn access_of(&'static self, bit: u32) -> Access {
        if self.named_bits() & bit != 0 { self.masks.named(bit) } else { self.masks.unnamed() }
    }
}
