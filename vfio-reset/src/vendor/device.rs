//! The device that a sequence works on: registers by name, waits inside the budget, and a trace of it
//! all.

mod access;
mod standard;

use super::bus::{RegisterBus, Width};
use super::operation::{Condition, Operation, Patience};
use super::outcome::{Failure, StepResult};
use super::register::{Field, Place, Register};
use super::sequence::Step;
use super::trace::{Event, Trace};
use pcicfg::ConfigSpace;
use std::time::Duration;

use standard::Mark;
pub use standard::{AWAY, DECODING, FUNCTION_LEVEL_RESET, WORKING_COMMAND};

/// The device that a sequence works on.
pub struct Device<'b> {
    bus: &'b mut dyn RegisterBus,
    trace: Trace,
    /// When the time for the whole reset is over.
    deadline: Duration,
    /// Configuration space as it was saved.
    image: Vec<u8>,
    is_virtual: bool,
    /// The sizes of the Base Address Registers that were opened.
    bars: [Option<u64>; 6],
    notes: Vec<String>,
    /// The reset was begun: what the device loses from now on is a sign of it, and is given back.
    is_begun: bool,
    /// Something that a reset clears, as it was just before.
    mark: Option<Mark>,
    /// What shows that the device was reset.
    proof: Option<String>,
    /// What [`MM_INDEX`](super::register::MM_INDEX) held before it was used.
    mm_index: Option<u32>,
}

impl<'b> Device<'b> {
    /// A device with what was saved of its configuration space.
    ///
    /// `deadline` is the time of the bus's clock at which the whole reset has to be over.
    pub fn new(bus: &'b mut dyn RegisterBus, image: Vec<u8>, is_virtual: bool, deadline: Duration) -> Self {
        Self {
            bus,
            trace: Trace::default(),
            deadline,
            image,
            is_virtual,
            bars: [None; 6],
            notes: Vec::new(),
            is_begun: false,
            mark: None,
            proof: None,
            mm_index: None,
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What was done, and what is worth knowing besides.
    #[must_use]
    pub fn into_parts(self) -> (Trace, Vec<String>) {
        (self.trace, self.notes)
    }

    /// Tells the user something.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Something shows that the device was reset; the first counts.
    ///
    /// A sequence that goes through is not enough: a device that ignores what it is asked for goes on
    /// answering, and would pass for reset.
    pub fn prove(&mut self, what: impl Into<String>) {
        if self.is_begun && self.proof.is_none() {
            self.proof = Some(what.into());
        }
    }

    /// What shows that the device was reset, if something does.
    #[must_use]
    pub fn proof(&self) -> Option<&str> {
        self.proof.as_deref()
    }

    pub(super) fn begin(&mut self, step: Step) {
        self.trace.step(step);
        self.is_begun |= step >= Step::Trigger;
    }

    /// A clean-up after a failure begins, with a little time of its own.
    pub(super) fn begin_undo(&mut self, time: Duration) {
        self.trace.call("undo");
        self.grant(time);
    }

    /// Something has begun that must not be broken off: waits may last so long from now, whatever the budget.
    pub(crate) fn grant(&mut self, time: Duration) {
        self.deadline = self.deadline.max(self.bus.clock().now().saturating_add(time));
    }

    /// Makes what is behind a Base Address Register accessible.
    ///
    /// # Errors
    /// When the machine gives no access, or less than `needed` bytes are there.
    pub fn open(&mut self, bar: u8, needed: u64) -> StepResult<u64> {
        let size = self.bus.open_bar(bar)?;
        if size < needed {
            return Err(Failure::Unexpected(format!(
                "behind BAR {bar} are {size:#x} bytes, and the sequence needs {needed:#x}"
            ))
            .into());
        }
        if let Some(known) = self.bars.get_mut(usize::from(bar)) {
            *known = Some(size);
        }
        Ok(size)
    }

    /// Configuration space as it was saved.
    ///
    /// # Errors
    /// When nothing usable was saved.
    pub fn saved(&self) -> StepResult<ConfigSpace<'_>> {
        let nothing = || Failure::Unexpected("nothing usable was saved of configuration space".to_string());
        ConfigSpace::new(&self.image).map_err(|_| nothing().into())
    }

    /// Reads a register.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn read(&mut self, register: Register) -> StepResult<u32> {
        let value = self.fetch(register)?;
        self.trace.operation(Operation::Read { register, value });
        Ok(value)
    }

    /// Reads a register that is never all-ones on a device that answers.
    ///
    /// # Errors
    /// [`Failure::Dead`] if it is; when it cannot be accessed.
    pub fn read_alive(&mut self, register: Register) -> StepResult<u32> {
        match self.read(register)? {
            u32::MAX => Err(Failure::Dead { register }.into()),
            value => Ok(value),
        }
    }

    /// A field's value.
    ///
    /// # Errors
    /// [`Failure::Dead`] if the register is all-ones; when it cannot be accessed.
    pub fn get(&mut self, field: Field) -> StepResult<u32> {
        Ok(field.of(self.read_alive(field.register)?))
    }

    /// Writes a register as a whole.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn write(&mut self, register: Register, value: u32) -> StepResult {
        self.trace.operation(Operation::Write { register, value });
        self.store(register, value)
    }

    /// Gives a field a value and leaves the register's other bits alone.
    ///
    /// # Errors
    /// [`Failure::Dead`] if the register is all-ones: whatever was written then would be made up.
    pub fn set(&mut self, field: Field, value: u32) -> StepResult {
        self.trace.operation(Operation::Set { field, value });
        let register = field.register;
        let mut before = self.fetch(register)?;
        if before == u32::MAX && self.is_begun {
            self.decode_if_lost()?;
            before = self.fetch(register)?;
        }
        if before == u32::MAX {
            return Err(Failure::Dead { register }.into());
        }
        self.store_after_fetch(register, before & !field.mask | field.bits(value))
    }

    /// Lets time go by, all of it: hardware that was asked for something needs it whatever the budget.
    pub fn pause(&mut self, time: Duration) {
        self.trace.operation(Operation::Pause(time));
        self.sleep(time);
    }

    /// Waits for a condition.
    ///
    /// # Errors
    /// [`Failure::Timeout`], or [`Failure::Dead`] if nobody answers any more; [`Failure::Budget`] when
    /// the time for the whole reset is over.
    pub fn wait(&mut self, condition: Condition, patience: Patience) -> StepResult<u32> {
        match self.look_for(condition, patience)? {
            Found::Yes(value) => Ok(value),
            Found::No { last: u32::MAX, .. } => Err(Failure::Dead { register: condition.register }.into()),
            Found::No { last, waited } => Err(Failure::Timeout { condition, waited, last }.into()),
        }
    }

    /// Waits for a condition that need not come true.
    ///
    /// # Errors
    /// [`Failure::Budget`] when the time for the whole reset is over.
    pub fn look_for(&mut self, condition: Condition, patience: Patience) -> StepResult<Found> {
        self.trace.operation(Operation::Wait { condition, patience });
        let begin = self.now();
        self.sleep(patience.first);
        let found = loop {
            self.trace.begin_look();
            let last = self.fetch(condition.register)?;
            if condition.is_met_by(last) {
                break Ok(Found::Yes(last));
            }
            if last == u32::MAX && self.is_begun && !matches!(condition.register.place, Place::Config { .. })
            {
                self.decode_if_lost()?;
            }
            let now = self.now();
            let waited = now.saturating_sub(begin);
            if waited >= patience.total {
                break Ok(Found::No { last, waited });
            }
            if now >= self.deadline {
                break Err(Failure::Budget { condition, last }.into());
            }
            self.sleep(patience.every.min(patience.total.saturating_sub(waited)));
        };
        self.trace.end_look();
        found
    }

    /// Several operations that are one thing.
    ///
    /// # Errors
    /// What `act` gives.
    pub fn group<T>(
        &mut self,
        text: impl Into<String>,
        act: impl FnOnce(&mut Self) -> StepResult<T>,
    ) -> StepResult<T> {
        self.trace.operation(Operation::Group(text.into()));
        self.trace.indent();
        let result = act(self);
        self.trace.outdent();
        result
    }

    fn now(&self) -> Duration {
        self.bus.clock().now()
    }

    fn sleep(&mut self, time: Duration) {
        if time.is_zero() {
            return;
        }
        self.bus.clock().sleep(time);
        self.trace.event(Event::Delay(time));
    }

    /// Reads configuration space, as one access.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_config(&mut self, offset: u16, width: Width) -> StepResult<u32> {
        self.config_access(offset, width, None)
    }

    /// Writes configuration space, as one access.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_config(&mut self, offset: u16, width: Width, value: u32) -> StepResult {
        self.trace.operation(Operation::Configure { offset, width, value });
        self.config_access(offset, width, Some(value)).map(drop)
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The condition came true; what the register says.
    Yes(u32),
    /// It did not.
    No {
        /// What the register said last.
        last: u32,
        /// For how long it was waited.
        waited: Duration,
    },
}
