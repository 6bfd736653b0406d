//! What a sequence does, in words: the same values that are executed are printed.

use super::bus::Width;
use super::register::{Field, Register};
use std::fmt;
use std::time::Duration;

/// Something a sequence does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A register is read.
    Read {
        /// Which.
        register: Register,
        /// What it said.
        value: u32,
    },
    /// A register is written as a whole.
    Write {
        /// Which.
        register: Register,
        /// The value.
        value: u32,
    },
    /// A field gets a value, the other bits stay: a read and a write.
    Set {
        /// Which.
        field: Field,
        /// The value.
        value: u32,
    },
    /// Bytes of configuration space are written.
    Configure {
        /// Where.
        offset: u16,
        /// How many bytes.
        width: Width,
        /// The value.
        value: u32,
    },
    /// A register is read until it says what is wanted.
    Wait {
        /// What is wanted.
        condition: Condition,
        /// For how long at most.
        patience: Patience,
    },
    /// Time goes by.
    Pause(Duration),
    /// Several operations that are one thing: a message to a firmware, a table.
    Group(String),
}

impl Operation {
    /// Whether it is more than one or two accesses.
    #[must_use]
    pub fn is_composite(&self) -> bool {
        matches!(self, Self::Wait { .. } | Self::Group(_))
    }

    /// Whether it changes something by itself, and not through the operations that it is made of.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::Set { .. } | Self::Configure { .. })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { register, .. } => write!(f, "read {register}"),
            Self::Write { register, value } => write!(f, "{register} = {value:#x}"),
            Self::Set { field, value } => write!(f, "{field} = {value:#x}, the other bits stay"),
            Self::Configure { offset, width, value } => {
                write!(f, "config {offset:#x}, {} bytes = {value:#x}", width.bytes())
            }
            Self::Wait { condition, patience } => {
                write!(f, "wait until {condition}, {} at most", Time(patience.total))
            }
            Self::Pause(time) => write!(f, "wait {}", Time(*time)),
            Self::Group(text) => f.write_str(text),
        }
    }
}

/// What a register must say. All-ones is nobody answering, and never what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The register.
    pub register: Register,
    /// What it must say.
    pub wanted: Wanted,
}

/// What is wanted of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// These bits have this value.
    Bits {
        /// Which bits.
        mask: u32,
        /// The value they have, in place.
        value: u32,
    },
    /// This field has this value.
    Field {
        /// Which bits, and how they are called.
        name: &'static str,
        /// Which bits.
        mask: u32,
        /// The value they have, in place.
        value: u32,
    },
    /// Anything but 0.
    NotZero,
    /// Anything.
    Anything,
}

impl Condition {
    /// A field must have a value.
    #[must_use]
    pub const fn field(field: Field, value: u32) -> Self {
        let wanted = Wanted::Field { name: field.name, mask: field.mask, value: field.bits(value) };
        Self { register: field.register, wanted }
    }

    /// Some bits of a register must have a value.
    #[must_use]
    pub const fn bits(register: Register, mask: u32, value: u32) -> Self {
        Self { register, wanted: Wanted::Bits { mask, value } }
    }

    /// A register must not be 0.
    #[must_use]
    pub const fn not_zero(register: Register) -> Self {
        Self { register, wanted: Wanted::NotZero }
    }

    /// A register must answer.
    #[must_use]
    pub const fn answers(register: Register) -> Self {
        Self { register, wanted: Wanted::Anything }
    }

    /// Whether this value is what is wanted.
    #[must_use]
    pub const fn is_met_by(&self, value: u32) -> bool {
        if value == u32::MAX {
            return false;
        }
        match self.wanted {
            Wanted::Bits { mask, value: wanted } | Wanted::Field { mask, value: wanted, .. } => {
                value & mask == wanted
            }
            Wanted::NotZero => value != 0,
            Wanted::Anything => true,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let register = self.register;
        match self.wanted {
            Wanted::Field { name, mask, value } => {
                // What the field holds, not where in the register it holds it.
                let value = Field { register, name, mask }.of(value);
                write!(f, "{}.{name} ({} bits {mask:#x}) is {value:#x}", register.name, register.place)
            }
            Wanted::Bits { mask, value } => write!(f, "{register} & {mask:#x} is {value:#x}"),
            Wanted::NotZero => write!(f, "{register} is neither 0 nor all-ones"),
            Wanted::Anything => write!(f, "{register} is not all-ones"),
        }
    }
}

/// How often, and for how long, a register is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The time before the first look.
    pub first: Duration,
    /// The time between two looks.
    pub every: Duration,
    /// The time from the beginning to the last look.
    pub total: Duration,
}

impl Patience {
    /// A number of looks, the first at once.
    #[must_use]
    pub const fn looks(number: u32, every: Duration) -> Self {
        let total = Duration::from_nanos(every.as_nanos() as u64 * (number.saturating_sub(1)) as u64);
        Self { first: Duration::ZERO, every, total }
    }

    /// A number of looks, each after a pause: the pause is part of what the hardware needs.
    #[must_use]
    pub const fn pauses(number: u32, every: Duration) -> Self {
        let total = Duration::from_nanos(every.as_nanos() as u64 * number as u64);
        Self { first: every, every, total }
    }
}

/// A time as people write it.
pub(super) struct Time(pub(super) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded to a microsecond: 100,000 looks with 1 µs between them are 100 ms to a reader.
        let micros = self.0.as_micros() + 1;
        match micros {
            0..1_000 => write!(f, "{} µs", self.0.as_micros()),
            1_000..1_000_000 => write!(f, "{} ms", micros / 1_000),
            _ if self.0.subsec_millis() == 0 => write!(f, "{} s", self.0.as_secs()),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: Register = Register::mmio("BACO_CNTL", 0x38ac);

    #[test]
    fn all_ones_is_never_what_is_wanted() {
        let mode = CONTROL.bit("MODE", 8);
        for condition in [
            Condition::field(mode, 1),
            Condition::not_zero(CONTROL),
            Condition::answers(CONTROL),
            Condition::bits(CONTROL, 0, 0),
        ] {
            assert!(!condition.is_met_by(u32::MAX), "{condition}");
            assert!(condition.is_met_by(0x100), "{condition}");
        }
        assert!(!Condition::field(mode, 1).is_met_by(0));
        assert!(!Condition::not_zero(CONTROL).is_met_by(0));
        assert!(Condition::answers(CONTROL).is_met_by(0));
    }

    #[test]
    fn patience_counts_the_looks() {
        let looks = Patience::looks(100_000, Duration::from_micros(1));
        assert_eq!(looks.total, Duration::from_micros(99_999));
        let pauses = Patience::pauses(5_000, Duration::from_millis(1));
        assert_eq!((pauses.first, pauses.total), (Duration::from_millis(1), Duration::from_secs(5)));
    }

    #[test]
    fn operations_read_as_sentences() {
        let wait = Operation::Wait {
            condition: Condition::field(CONTROL.field("MODE", 0x300), 2),
            patience: Patience::looks(100_000, Duration::from_micros(1)),
        };
        assert_eq!(wait.to_string(), "wait until BACO_CNTL.MODE (0x38ac bits 0x300) is 0x2, 100 ms at most");
        let set = Operation::Set { field: CONTROL.bit("EN", 0), value: 1 };
        assert_eq!(set.to_string(), "BACO_CNTL.EN (0x38ac bits 0x1) = 0x1, the other bits stay");
        assert_eq!(Operation::Pause(Duration::from_micros(3)).to_string(), "wait 3 µs");
    }
}
