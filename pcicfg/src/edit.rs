//! The mutable side: fields are set by name or by type, and come back as the shortest list of writes.
//!
//! A register is rarely one field, and a write of one must not touch the others: an event that is cleared
//! by writing 1 must be written 0, a reserved bit must keep what it had, a bit that acts when written must
//! stay 0. [`Edit`] knows what each bit is (see [`Access`]) and does that. It refuses what cannot be
//! written, and values that do not fit.
//!
//! ```
//! use pcicfg::{ConfigSpace, capability::DeviceControl, edit::{Edit, Write}, registers::handles};
//!
//! let mut bytes = [0; 256];
//! bytes[0x06] = 0x10; // Status: Capabilities List
//! bytes[0x34] = 0x70; // Capabilities Pointer
//! // PCI Express, an endpoint: Device Control 2810h, and Device Status with an error raised.
//! bytes[0x70..0x7c].copy_from_slice(&[0x10, 0, 2, 0, 0, 0, 0, 0, 0x10, 0x28, 0x09, 0]);
//! let space = ConfigSpace::new(&bytes)?;
//!
//! let mut edit = Edit::new(space);
//! edit.set("PCI Express", "Device Control", "Max Read Request Size", 1)?;
//! edit.update(handles::DEVICE_CONTROL, |control| control - DeviceControl::ENABLE_NO_SNOOP)?;
//! assert_eq!(edit.writes(), [Write { offset: 0x78, width: 2, value: 0x1010 }]);
//!
//! // Of the two events that are raised one is cleared.
//! let mut edit = Edit::new(space);
//! edit.set("PCI Express", "Device Status", "Correctable Error Detected", 0)?;
//! assert_eq!(edit.writes(), [Write { offset: 0x7a, width: 2, value: 0x0001 }]);
//!
//! let refused = edit.set("PCI Express", "Device Capabilities", "Max Payload Size Supported", 1);
//! assert_eq!(
//!     refused.err().unwrap().to_string(),
//!     "Max Payload Size Supported of Device Capabilities at 0x074 cannot be written: it is RO"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod tests;
mod write;

use crate::ConfigSpace;
use crate::registers::{
    Access, Field, FieldName, FindError, Handle, PlacedRegister, RegisterMap, RegisterName, Typed, registers,
};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

pub use write::{ApplyError, Write, apply};

/// Where a register or a field is, for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The register.
    pub register: RegisterName,
    /// The field; `None` for the register as a whole.
    pub field: Option<FieldName>,
    /// Where the register stands in configuration space.
    pub offset: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field} of ")?;
        }
        write!(f, "{} at {:#05x}", self.register, self.offset)
    }
}

/// Why an edit is refused. Nothing of it is done then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no such register or field.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A write would change nothing, or nobody knows what.
    #[error("{place} cannot be written: {}", reason(*.access))]
    NotWritable {
        /// Where.
        place: Place,
        /// What it is.
        access: Access,
    },
    /// Bits of a register that cannot be written would have to change.
    #[error("{value:#x} would change the bits {bits:#x} of {place}, which cannot be written: {}", reason(*.access))]
    FixedBits {
        /// Where.
        place: Place,
        /// The value that was given.
        value: u32,
        /// The bits that would have to change.
        bits: u32,
        /// What the lowest of them is.
        access: Access,
    },
    /// The value has more bits than the field, or bits that the field has not.
    #[error("{value:#x} does not fit into {place}, which takes {}", range(*.largest, *.step))]
    DoesNotFit {
        /// Where.
        place: Place,
        /// The value that was given.
        value: u64,
        /// The largest that fits.
        largest: u64,
        /// All that fit are multiples of this.
        step: u64,
    },
    /// The field has no value that is written so.
    #[error("{text:?} is no value of {place}, which has {}", .values.join(", "))]
    NoSuchValue {
        /// Where.
        place: Place,
        /// The text that was given.
        text: String,
        /// What it has, as far as that can be listed.
        values: Vec<String>,
    },
    /// An event that is not raised would have to be.
    #[error("{place} cannot be raised: hardware alone does that; set it to 0 to clear it")]
    CannotBeRaised {
        /// Where.
        place: Place,
    },
    /// The register is another function's, or cannot be read in this space.
    #[error("{place} is no register of this function")]
    OtherFunction {
        /// Where.
        place: Place,
    },
}

fn reason(access: Access) -> &'static str {
    match access {
        Access::Unknown => "no public source says what a write does",
        Access::ReservedPreserve => "it is reserved (RsvdP)",
        Access::ReservedZero => "it is reserved (RsvdZ)",
        Access::ReadOnlySticky => "it is ROS",
        _ => "it is RO",
    }
}

/// The values that a field takes, in words.
fn range(largest: u64, step: u64) -> String {
    match step {
        1 if largest < 10 => alloc::format!("0 to {largest}"),
        1 => alloc::format!("0 to {largest} ({largest:#x})"),
        _ => alloc::format!("multiples of {step:#x} up to {largest:#x}"),
    }
}

/// Edits of one function, from what its space read when they began.
///
/// Edits are about what a field shall read afterwards. An event (RW1C) is set to 0 to clear it; a bit that
/// acts (Initiate Function Level Reset) is set to 1 to act, and reads 0 again; one that reads 1 is made to
/// act only as a field of its own. What is not edited stays as it was read: take the space right before,
/// and write right after.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    space: ConfigSpace<'a>,
    map: RegisterMap,
    changes: Vec<Change>,
}

/// What shall become of one register.
#[derive(Clone, Copy, Debug)]
struct Change {
    register: PlacedRegister,
    current: u32,
    /// The bits that take what is written, as they shall be.
    target: u32,
    /// Events to clear.
    clear: u32,
    /// Bits that shall act.
    act: u32,
}

impl Change {
    /// What the register reads afterwards.
    fn result(&self) -> u32 {
        let takes = self.register.write_masks().takes;
        self.current & !takes & !self.clear | self.target & takes
    }
}

impl<'a> Edit<'a> {
    /// Nothing is edited yet.
    #[must_use]
    pub fn new(space: ConfigSpace<'a>) -> Self {
        Self { space, map: registers(space), changes: Vec::new() }
    }

    /// The registers that there are.
    #[must_use]
    pub const fn map(&self) -> &RegisterMap {
        &self.map
    }

    /// Sets a field by its names: `("PCI Express", "Device Control", "Max Read Request Size")`.
    ///
    /// The value is the field's number in the register: 2 of Max Read Request Size stands for 512 bytes.
    /// Of an address it is the address. Which names there are, [`RegisterMap::find`] says.
    ///
    /// # Errors
    /// If there is no such field, if it cannot be written, or if the value does not fit.
    pub fn set(
        &mut self,
        structure: &str,
        register: &str,
        field: &str,
        value: u64,
    ) -> Result<&mut Self, EditError> {
        let (register, field) = self.find(structure, register, field)?;
        self.set_field(register, field, value)
    }

    /// Sets a field to what it shall say, as [`Value`](crate::registers::Value) is displayed: `D3hot`,
    /// `512 bytes`, `8 GT/s`.
    ///
    /// # Errors
    /// As [`set`](Self::set), or if the field has no such value.
    pub fn set_to(
        &mut self,
        structure: &str,
        register: &str,
        field: &str,
        text: &str,
    ) -> Result<&mut Self, EditError> {
        /// More than any field has that is not a number.
        const CODES: u64 = 1 << 13;
        let (register, field) = self.find(structure, register, field)?;
        let values = || {
            let codes =
                (0..=field.largest().min(CODES)).filter_map(move |code| Some((code, field.bits_of(code)?)));
            codes.map(move |(code, bits)| (code, field.value(bits)))
        };
        let named = values().find(|(_, value)| value.to_string().eq_ignore_ascii_case(text));
        let digits =
            text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16));
        match (named, digits) {
            (Some((code, _)), _) => self.set_field(register, field, code),
            (None, Ok(number)) if field.is_plain_number() => self.set_field(register, field, number),
            _ => Err(EditError::NoSuchValue {
                place: place(register, Some(field)),
                text: text.to_string(),
                values: values()
                    .filter(|(_, value)| !matches!(value, crate::registers::Value::Reserved(_)))
                    .map(|(_, value)| value.to_string())
                    .take(32)
                    .collect(),
            }),
        }
    }

    /// Sets all bits of a register by its names.
    ///
    /// # Errors
    /// If there is no such register, or if bits would have to change that cannot be written.
    pub fn set_register(
        &mut self,
        structure: &str,
        register: &str,
        value: u32,
    ) -> Result<&mut Self, EditError> {
        let register = *self.map.find(structure, register)?;
        self.set_value(register, value)
    }

    /// Sets a field of a register of [`map`](Self::map).
    ///
    /// # Errors
    /// If it cannot be written, or if the value does not fit.
    pub fn set_field(
        &mut self,
        register: PlacedRegister,
        field: Field,
        value: u64,
    ) -> Result<&mut Self, EditError> {
        let place = place(register, Some(field));
        let access = field.access();
        if !access.takes_value() && !access.is_cleared_by_1() && access != Access::Write1ToAct {
            return Err(EditError::NotWritable { place, access });
        }
        let Some(bits) = field.bits_of(value) else {
            return Err(EditError::DoesNotFit { place, value, largest: field.largest(), step: field.step() });
        };
        self.change(register, field.mask(), bits, place)
    }

    /// Sets all bits of a register of [`map`](Self::map).
    ///
    /// # Errors
    /// If bits would have to change that cannot be written.
    pub fn set_value(&mut self, register: PlacedRegister, value: u32) -> Result<&mut Self, EditError> {
        let (place, largest) = (place(register, None), register.all_bits());
        if value > largest {
            let (value, largest) = (value.into(), largest.into());
            return Err(EditError::DoesNotFit { place, value, largest, step: 1 });
        }
        self.change(register, largest, value, place)
    }

    /// Changes a register by its type: [`handles`](crate::registers::handles) has them.
    ///
    /// `change` is given the register with the edits so far, and returns it as it shall be.
    ///
    /// # Errors
    /// If the function has no such register, or if bits would have to change that cannot be written.
    pub fn update<R: Typed>(
        &mut self,
        handle: Handle<R>,
        change: impl FnOnce(R) -> R,
    ) -> Result<&mut Self, EditError> {
        let register = *self.map.get(handle)?;
        let place = place(register, None);
        let Some(value) = self.value(register) else { return Err(EditError::OtherFunction { place }) };
        let acting = self.change_of(register).map_or(0, |change| change.act);
        let wanted = change(R::from_register(value | acting)).into_register();
        self.change(register, R::MASK & register.all_bits(), wanted, place)
    }

    /// What a register reads once the edits so far are written; `None` if it is no register of this
    /// function.
    #[must_use]
    pub fn value(&self, register: PlacedRegister) -> Option<u32> {
        let change = self.change_of(register);
        change.map(Change::result).or_else(|| self.own(register)?.read(self.space))
    }

    fn change_of(&self, register: PlacedRegister) -> Option<&Change> {
        self.changes.iter().find(|change| change.register.is_same_as(&register))
    }

    fn find(
        &self,
        structure: &str,
        register: &str,
        field: &str,
    ) -> Result<(PlacedRegister, Field), FindError> {
        let register = *self.map.find(structure, register)?;
        register.field(field).map(|field| (register, field)).ok_or_else(|| FindError::NoField {
            structure: register.structure(),
            register: register.name().to_string(),
            field: field.to_string(),
            present: register.fields().map(|field| field.name().to_string()).collect(),
        })
    }

    /// The register of this function's map, if it is one.
    fn own(&self, register: PlacedRegister) -> Option<PlacedRegister> {
        self.map.at(register.offset()).filter(|own| own.is_same_as(&register)).copied()
    }

    /// Brings the bits of `mask` to what they are in `wanted`.
    fn change(
        &mut self,
        register: PlacedRegister,
        mask: u32,
        wanted: u32,
        place: Place,
    ) -> Result<&mut Self, EditError> {
        let index = self.changes.iter().position(|change| change.register.is_same_as(&register));
        let mut change = match index.and_then(|index| self.changes.get(index)) {
            Some(change) => *change,
            None => {
                let own = self.own(register).and_then(|own| Some((own, own.read(self.space)?)));
                let Some((register, current)) = own else { return Err(EditError::OtherFunction { place }) };
                Change { register, current, target: current, clear: 0, act: 0 }
            }
        };
        let masks = change.register.write_masks();
        let differing = (change.result() ^ wanted) & mask;
        let fixed = differing & !(masks.takes | masks.clears | masks.acts);
        if fixed != 0 {
            let access = change.register.access(fixed.trailing_zeros() as u8);
            return Err(match place.field {
                Some(_) => EditError::NotWritable { place, access },
                None => EditError::FixedBits { place, value: wanted, bits: fixed, access },
            });
        }
        // An event that an earlier edit would have cleared may stay.
        if differing & masks.clears & wanted & !change.clear != 0 {
            return Err(EditError::CannotBeRaised { place });
        }
        let takes = mask & masks.takes;
        change.target = change.target & !takes | wanted & takes;
        change.clear = change.clear & !mask | change.current & mask & masks.clears & !wanted;
        // A bit that reads 1 is not asked for by a value of the whole register: it was only kept.
        let asked = if place.field.is_some() { mask } else { mask & !change.current };
        change.act = change.act & !asked | wanted & asked & masks.acts;
        match index.and_then(|index| self.changes.get_mut(index)) {
            Some(earlier) => *earlier = change,
            None => self.changes.push(change),
        }
        Ok(self)
    }

    /// The writes that bring the edits about, in the order in which the registers were first edited.
    ///
    /// There is one for each register that has to change, none for those that read right already. Registers
    /// that were edited one after the other and together fill an aligned dword or word share one: in that
    /// order there is no shorter list that leaves the other registers alone.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        let mut writes: Vec<Write> = Vec::new();
        for write in self.changes.iter().filter_map(|change| self.write_of(change)) {
            // A dword that was widened has the others' edits in it already.
            if !writes.iter().any(|earlier| earlier.covers(&write)) {
                writes.push(write);
            }
        }
        write::fewest(&writes)
    }

    /// The write of one register; `None` if it reads right already.
    fn write_of(&self, change: &Change) -> Option<Write> {
        let masks = change.register.write_masks();
        if (change.target ^ change.current) & masks.takes | change.clear | change.act == 0 {
            return None;
        }
        let value = change.current & !masks.takes & masks.kept
            | change.target & masks.takes
            | change.clear
            | change.act;
        let write = Write { offset: change.register.offset(), width: change.register.width(), value };
        Some(match change.register.needs_whole_dword() {
            true => self.whole_dword(write),
            false => write,
        })
    }

    /// The same write together with what else stands in its dword.
    fn whole_dword(&self, write: Write) -> Write {
        let offset = write.offset & !3;
        let Some(mut value) = self.space.read_u32(offset) else { return write };
        for register in self.map.registers().iter().filter(|register| register.offset() & !3 == offset) {
            let shift = 8 * u32::from(register.offset() & 3);
            let masks = register.write_masks();
            let own = match self.change_of(*register) {
                Some(change) => change.current & !masks.takes & masks.kept | change.target & masks.takes,
                None => register.read(self.space).unwrap_or(0) & masks.kept,
            };
            value = value & !(register.all_bits() << shift) | own << shift;
        }
        Write { offset, width: 4, value }
    }
}

fn place(register: PlacedRegister, field: Option<Field>) -> Place {
    Place { register: register.name(), field: field.map(|field| field.name()), offset: register.offset() }
}
