//! What a sequence did to a device, access by access, and in words.
//!
//! The text form is that of the recorded traces (`vrtrace/1`): `R bar off width value`,
//! `W bar off width value`, `CR off width value`, `CW off width value`, `D microseconds`, with a name
//! behind `#`; `REP n k` says that the next `k` lines happen `n` times in all. Lines that begin with
//! `#` are comments.

use super::bus::Width;
use super::operation::Operation;
use super::register::{Place, Register};
use super::sequence::Step;
use std::fmt;
use std::time::Duration;

/// How many entries are kept. A device that answers each of a million reads differently must not
/// fill the memory.
const MOST_ENTRIES: usize = 1 << 18;

/// One access, or a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An access to what is behind a Base Address Register.
    Bar {
        /// Which way.
        direction: Direction,
        /// The Base Address Register.
        bar: u8,
        /// The byte in it.
        offset: u64,
        /// How many bytes.
        width: Width,
        /// What was read or written.
        value: u32,
        /// The register that was accessed.
        register: Option<&'static str>,
        /// The register behind it, if it is the data register of a window.
        target: Option<Register>,
    },
    /// An access to configuration space.
    Config {
        /// Which way.
        direction: Direction,
        /// The byte.
        offset: u16,
        /// How many bytes.
        width: Width,
        /// What was read or written.
        value: u32,
    },
    /// Nothing, for a time.
    Delay(Duration),
}

/// Which way an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the device.
    Read,
    /// To the device.
    Write,
}

/// What a trace holds, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A step of the sequence begins.
    Step(Step),
    /// What the following accesses are for.
    Operation {
        /// In words.
        operation: Operation,
        /// How many operations it is part of.
        depth: u8,
    },
    /// An access or a wait.
    Event(Event),
    /// Accesses and waits that happened again and again, without a write to anything but an index.
    Repeated {
        /// How many times.
        times: u64,
        /// What.
        events: Vec<Event>,
    },
    /// What is done by others than the sequence: the machine, the engine around it.
    Call(String),
}

/// What a sequence did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<Entry>,
    /// The look at a register that is being recorded.
    look: Option<Vec<Event>>,
    depth: u8,
    dropped: u64,
}

impl Trace {
    /// Everything, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The accesses and waits in order, each as often as it happened.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.entries.iter().flat_map(|entry| {
            let (times, events) = match entry {
                Entry::Event(event) => (1, std::slice::from_ref(event)),
                Entry::Repeated { times, events } => (*times, events.as_slice()),
                _ => (0, [].as_slice()),
            };
            (0..times).flat_map(move |_| events)
        })
    }

    /// How many entries were left out because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Notes what is done by others than the sequence.
    pub fn call(&mut self, what: impl Into<String>) {
        self.push(Entry::Call(what.into()));
    }

    pub(super) fn step(&mut self, step: Step) {
        self.depth = 0;
        self.push(Entry::Step(step));
    }

    pub(super) fn operation(&mut self, operation: Operation) {
        let depth = self.depth;
        self.push(Entry::Operation { operation, depth });
    }

    /// What is noted from now on is part of the operation before.
    pub(super) fn indent(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    pub(super) fn outdent(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn event(&mut self, event: Event) {
        match &mut self.look {
            Some(look) => look.push(event),
            None => self.push(Entry::Event(event)),
        }
    }

    /// One of several looks at a register begins: the same access again and again, folded if it finds
    /// the same.
    pub(super) fn begin_look(&mut self) {
        self.end_look();
        self.look = Some(Vec::new());
    }

    /// The look is over.
    pub(super) fn end_look(&mut self) {
        let Some(events) = self.look.take().filter(|events| !events.is_empty()) else { return };
        match self.entries.last_mut() {
            Some(Entry::Repeated { times, events: before }) if *before == events => *times += 1,
            _ => self.push(Entry::Repeated { times: 1, events }),
        }
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() < MOST_ENTRIES {
            self.entries.push(entry);
        } else {
            self.dropped += 1;
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            match entry {
                Entry::Step(step) => writeln!(f, "# --- {step}")?,
                // What is one access is said behind it.
                Entry::Operation { operation, depth: 0 } if operation.is_composite() => {
                    writeln!(f, "# {operation}")?;
                }
                Entry::Operation { .. } => {}
                Entry::Event(event) => writeln!(f, "{event}")?,
                Entry::Repeated { times, events } => {
                    if *times > 1 {
                        writeln!(f, "REP {times} {}", events.len())?;
                    }
                    for event in events {
                        writeln!(f, "{event}")?;
                    }
                }
                Entry::Call(what) => writeln!(f, "K {what}")?,
            }
        }
        match self.dropped {
            0 => Ok(()),
            more => writeln!(f, "# {more} more, not kept"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bar { direction, bar, offset, width, value, register, target } => {
                let digits = 2 * width.bytes();
                write!(f, "{direction} {bar} {offset:#x} {} 0x{value:0digits$x}", width.bytes())?;
                match (register, target) {
                    (None, None) => Ok(()),
                    (Some(register), None) => write!(f, " # {register}"),
                    (register, Some(target)) => {
                        write!(f, " # {} -> {}", register.unwrap_or("data"), Target(target))
                    }
                }
            }
            Self::Config { direction, offset, width, value } => {
                let digits = 2 * width.bytes();
                write!(f, "C{direction} {offset:#x} {} 0x{value:0digits$x}", width.bytes())
            }
            Self::Delay(time) => write!(f, "D {}", time.as_micros()),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "R",
            Self::Write => "W",
        })
    }
}

/// A register behind a window, as the recorded traces write it.
struct Target(Register);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = match self.0.place {
            Place::Indexed { window, .. } => window.space,
            Place::Vram { .. } => "vram",
            _ => "mmio",
        };
        match self.0.place {
            Place::Vram { address } => write!(f, "{space}:{address:#x}"),
            _ => write!(f, "{space}:{}", self.0.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: u32) -> Event {
        Event::Bar {
            direction: Direction::Read,
            bar: 5,
            offset: 0x58a68,
            width: Width::Dword,
            value,
            register: Some("MP1_SMN_C2PMSG_90"),
            target: None,
        }
    }

    #[test]
    fn looks_that_find_the_same_are_folded_and_count_as_often_as_they_happened() {
        let mut trace = Trace::default();
        for value in [0, 0, 0, 1] {
            trace.begin_look();
            trace.event(read(value));
            trace.event(Event::Delay(Duration::from_micros(1)));
        }
        trace.end_look();
        assert_eq!(
            trace.to_string(),
            "REP 3 2\nR 5 0x58a68 4 0x00000000 # MP1_SMN_C2PMSG_90\nD 1\n\
             R 5 0x58a68 4 0x00000001 # MP1_SMN_C2PMSG_90\nD 1\n"
        );
        assert_eq!(trace.events().count(), 8);
    }

    #[test]
    fn a_device_that_never_answers_the_same_does_not_fill_the_memory() {
        let mut trace = Trace::default();
        for value in 0..MOST_ENTRIES as u32 + 10 {
            trace.begin_look();
            trace.event(read(value));
        }
        trace.end_look();
        assert_eq!(trace.entries().len(), MOST_ENTRIES);
        assert_eq!(trace.dropped(), 10);
        assert!(trace.to_string().ends_with("# 10 more, not kept\n"));
    }

    #[test]
    fn accesses_are_written_as_in_the_recorded_traces() {
        let config = |direction, width, value| Event::Config { direction, offset: 4, width, value };
        assert_eq!(config(Direction::Read, Width::Word, 3).to_string(), "CR 0x4 2 0x0003");
        assert_eq!(config(Direction::Write, Width::Dword, 0x39d5_e86b).to_string(), "CW 0x4 4 0x39d5e86b");
        assert_eq!(Event::Delay(Duration::from_millis(500)).to_string(), "D 500000");
    }
}
