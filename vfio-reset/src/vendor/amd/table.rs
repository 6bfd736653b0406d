//! Tables of register operations: the same values are executed and printed.

use crate::vendor::device::{DECODING, Device};
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::StepResult;
use crate::vendor::register::{Field, Register};
use std::time::Duration;

/// An operation of a table.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// Writes a register as a whole.
    Write(Register, u32),
    /// Gives a field a value.
    Set(Field, u32),
    /// Waits until a field has a value.
    Until(Field, u32),
    /// Waits.
    Pause(Duration),
    /// Sees to it that memory is decoded: power that is switched may take configuration space with it. A
    /// wait does that by itself.
    KeepDecoding,
}

/// How long a table waits for a field: 5000 looks, each after a millisecond. The pause before the first
/// look is not for politeness: some fields are what was just written, and the time is what counts.
pub const PATIENCE: Patience = Patience::pauses(5_000, Duration::from_millis(1));

/// The longest time that a table takes: that of its pauses, and of its waits if each is in vain but for its
/// last look.
#[must_use]
pub const fn ceiling(table: &[Op]) -> Duration {
    let mut time = Duration::ZERO;
    let mut rest = table;
    while let [op, after @ ..] = rest {
        time = time.saturating_add(match op {
            Op::Until(..) => PATIENCE.total,
            Op::Pause(pause) => *pause,
            Op::KeepDecoding => DECODING.total,
            Op::Write(..) | Op::Set(..) => Duration::ZERO,
        });
        rest = after;
    }
    time
}

/// Executes a table.
///
/// # Errors
/// When a field does not get its value in time, or nobody answers.
pub fn run(device: &mut Device<'_>, title: &str, table: &[Op]) -> StepResult {
    device.group(title, |device| {
        for op in table {
            match *op {
                Op::Write(register, value) => device.write(register, value)?,
                Op::Set(field, value) => device.set(field, value)?,
                Op::Until(field, value) => {
                    device.wait(Condition::field(field, value), PATIENCE)?;
                }
                Op::Pause(time) => device.pause(time),
                Op::KeepDecoding => device.keep_decoding()?,
            }
        }
        Ok(())
    })
}
