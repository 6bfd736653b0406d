//! Tables of register operations: the same values are executed and printed.

use crate::vendor::device::Device;
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
}

/// How long a table waits for a field: 5000 looks, each after a millisecond. The pause before the first
/// look is not for politeness: some fields are what was just written, and the time is what counts.
pub const PATIENCE: Patience = Patience::pauses(5_000, Duration::from_millis(1));

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
            }
        }
        Ok(())
    })
}
