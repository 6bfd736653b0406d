//! Whole programs, measured: wall time, processor time and peak memory of one run.
//!
//! The kernel says these of all children of a process together. So each run has a process of its own in between:
//! this program, started once more ([`in_between`]).

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The first argument of this program where it is the process in between.
const MARK: &str = "--measure-one-run";

/// What a run took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// From start to end.
    pub wall: Duration,
    /// Of all its threads, in the program and in the kernel.
    pub processor: Duration,
    /// The most that it had in memory, in bytes.
    pub memory: u64,
}

impl Cost {
    /// The best of two runs: nothing but the machine's other work makes a time longer than it must be. Of memory the
    /// larger counts.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            processor: self.processor.min(other.processor),
            memory: self.memory.max(other.memory),
        }
    }

    fn written(self) -> String {
        format!("{} {} {}", self.wall.as_nanos(), self.processor.as_nanos(), self.memory)
    }

    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(|word| word.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Self {
            wall: Duration::from_nanos(next()?),
            processor: Duration::from_nanos(next()?),
            memory: next()?,
        })
    }
}

/// To be called first in `main`: if this process is one in between, it does its work and says how it ends.
#[must_use]
pub fn in_between() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(MARK)) {
        return None;
    }
    let command: Vec<OsString> = arguments.collect();
    Some(match run(&command) {
        Ok(cost) => {
            println!("{}", cost.written());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", shown(&command));
            ExitCode::FAILURE
        }
    })
}

fn run(command: &[OsString]) -> io::Result<Cost> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::other("there is no command to measure"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let begin = Instant::now();
    let status = command.status()?;
    let wall = begin.elapsed();
    if !status.success() {
        return Err(io::Error::other(format!("failed: {status}")));
    }
    let usage: Usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |value: TimeVal| {
        let micros = value.tv_sec() * 1_000_000 + value.tv_usec();
        Duration::from_micros(micros.unsigned_abs())
    };
    let processor = time(usage.user_time()) + time(usage.system_time());
    Ok(Cost { wall, processor, memory: usage.max_rss().unsigned_abs() * 1024 })
}

/// Runs each of the commands once in each round, in turn, with their output thrown away; gives the best of each.
///
/// # Errors
/// A command cannot be run, or fails.
pub fn best(commands: &[Vec<OsString>], rounds: usize) -> io::Result<Vec<Cost>> {
    let this = std::env::current_exe()?;
    let mut costs: Vec<Option<Cost>> = vec![None; commands.len()];
    for round in 0..rounds {
        for turn in 0..commands.len() {
            let index = (round + turn) % commands.len();
            let command = &commands[index];
            let output = Command::new(&this).arg(MARK).args(command).stderr(Stdio::inherit()).output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            let cost = Cost::read(&text)
                .ok_or_else(|| io::Error::other(format!("cannot measure {}", shown(command))))?;
            costs[index] = Some(costs[index].map_or(cost, |best| best.or(cost)));
        }
    }
    Ok(costs.into_iter().flatten().collect())
}

/// A command as it would be typed.
#[must_use]
pub fn shown(command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_read_as_it_was_written() {
        let cost = Cost {
            wall: Duration::from_nanos(1_234_567_890),
            processor: Duration::from_micros(17),
            memory: 6_291_456,
        };
        assert_eq!(Cost::read(&cost.written()), Some(cost));
        assert_eq!(Cost::read("12 13"), None);
    }

    #[test]
    fn the_best_has_the_shortest_times_and_the_most_memory() {
        let cost = |wall, processor, memory| Cost {
            wall: Duration::from_millis(wall),
            processor: Duration::from_millis(processor),
            memory,
        };
        assert_eq!(cost(5, 3, 10).or(cost(4, 4, 12)), cost(4, 3, 12));
    }

    #[test]
    fn memory_is_that_of_the_command() {
        // `head` asks for a buffer of 64 MiB only to fill it.
        let fill = ["sh", "-c", "x=$(head -c 16000000 /dev/zero | tr '\\0' x); : \"$x\""];
        let cost = run(&fill.map(OsString::from)).unwrap();
        assert!(cost.memory > 16_000_000, "{cost:?}");
        assert!(run(&["false".into()]).is_err());
        assert!(run(&[]).is_err());
    }
}
