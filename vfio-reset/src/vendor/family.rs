//! The families of devices that there is a sequence for.

use super::sequence::{ResetSequence, Step};
use std::fmt;
use std::time::Duration;

/// A family of devices, and how it is reset.
pub struct Family {
    /// What it is called on the command line and in tables.
    pub name: &'static str,
    /// Which devices they are, in words.
    pub title: &'static str,
    /// What is done, in a sentence's half.
    pub deed: &'static str,
    /// Where the sequence is known from.
    pub source: &'static str,
    /// Why it is not to be trusted yet; `None` if it was compared with recorded ones.
    pub experimental: Option<&'static str>,
    /// What else is reset.
    pub reach: Reach,
    /// Where it stands among the other ways.
    pub rank: Rank,
    /// The Base Address Registers whose memory it accesses.
    pub bars: &'static [u8],
    /// The shortest time that steps take, in milliseconds; of the others it is nothing.
    pub floors: &'static [(Step, u64)],
    /// The longest time it takes before it gives up by itself: made of the patience of its waits.
    pub ceiling: Duration,
    /// A sequence that has not begun.
    pub sequence: fn() -> Box<dyn ResetSequence>,
    /// Models to show it on, the usual case first.
    pub rehearsals: &'static [Rehearsal],
}

/// What a sequence resets besides the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing.
    Function,
    /// The whole device: all functions with the same bus and device number.
    Device,
}

/// Where a sequence stands among the other ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Before a function level reset: the device needs more than that.
    BeforeFlr,
    /// Before any bus reset, after everything that resets one function as the specification says.
    BeforeBus,
}

impl Rank {
    /// Why it stands there, for a person.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::BeforeFlr => "before a plain function level reset, which is not enough for this device",
            Self::BeforeBus => {
                "before any bus reset, which these cards often do not survive, and which makes the sequence impossible \
                 afterwards"
            }
        }
    }
}

/// A model that a sequence is shown on.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal {
    /// What it shows.
    pub title: &'static str,
    /// The shipped model ([`Model::shipped`](super::Model::shipped)).
    pub model: &'static str,
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Family {}

impl Family {
    /// The shortest time a step takes.
    #[must_use]
    pub fn step_floor(&self, step: Step) -> Duration {
        let floor = self.floors.iter().find(|(known, _)| *known == step);
        floor.map_or(Duration::ZERO, |&(_, milliseconds)| Duration::from_millis(milliseconds))
    }

    /// The shortest time the whole takes.
    #[must_use]
    pub fn floor(&self) -> Duration {
        Step::ALL.into_iter().map(|step| self.step_floor(step)).sum()
    }

    /// The family of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        super::FAMILIES.iter().copied().find(|family| family.name == name)
    }
}
