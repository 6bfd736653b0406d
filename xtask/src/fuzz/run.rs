//! Running a built fuzz target, and reading what libFuzzer prints about it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Target, folder};

/// An input that takes longer is a failure. The time is the wall's: on a busy machine, 1 s can pass without a step.
const TIMEOUT: &str = "-timeout=5";
/// As is one that takes more memory.
const MEMORY: &str = "-rss_limit_mb=1024";

/// How a run ended.
pub(super) enum Outcome {
    /// Nothing was found.
    Passed(Statistics),
    /// An input failed.
    Failed {
        /// The end of what libFuzzer printed.
        output: String,
        /// Where the input is, if it was written.
        input: Option<PathBuf>,
    },
}

/// What libFuzzer says at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// Inputs that were run.
    pub(super) executions: u64,
    /// Edges of the control flow that were reached.
    pub(super) coverage: u64,
    /// The same with how often, and with operands of comparisons.
    pub(super) features: u64,
    /// Executions in a second.
    pub(super) speed: u64,
    /// The most memory that was used, in MB.
    pub(super) memory: u64,
    /// The longest that an input took, in whole seconds.
    pub(super) slowest: u64,
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} executions, coverage {} ({} features)", self.executions, self.coverage, self.features)?;
        if self.speed > 0 {
            write!(f, ", {} executions/s", self.speed)?;
        }
        write!(f, ", {} MB, slowest below {} s", self.memory, self.slowest + 1)
    }
}

impl Statistics {
    /// Reads libFuzzer's status lines (`#123 NEW cov: 7 ft: 9 …`) and its final ones (`stat::…: 5`).
    fn read(output: &str) -> Self {
        let mut read = Self::default();
        for line in output.lines() {
            if let Some((name, value)) = line.strip_prefix("stat::").and_then(|stat| stat.split_once(':')) {
                let value = value.trim().parse().unwrap_or(0);
                match name {
                    "number_of_executed_units" => read.executions = value,
                    "average_exec_per_sec" => read.speed = value,
                    "slowest_unit_time_sec" => read.slowest = value,
                    "peak_rss_mb" => read.memory = value,
                    _ => {}
                }
            } else if line.starts_with('#') || line.starts_with("MERGE-OUTER") {
                let words: Vec<_> = line.split_whitespace().collect();
                for pair in words.windows(2) {
                    let value = || pair[1].parse().ok();
                    match pair[0] {
                        "cov:" => read.coverage = value().unwrap_or(read.coverage),
                        "ft:" => read.features = value().unwrap_or(read.features),
                        _ => {}
                    }
                }
            }
        }
        read
    }
}

/// Runs the stored inputs once.
pub(super) fn stored(built: &Path, target: &Target) -> Result<Outcome> {
    run(built, target, |command| {
        command.args(target.stored()).arg("-runs=0");
    })
}

/// Runs for a time. What is found is kept in the machine's own folder, from one run to the next.
pub(super) fn fuzz(built: &Path, target: &Target, seconds: u64) -> Result<Outcome> {
    let found = target.inputs("corpus");
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    run(built, target, |command| {
        command.arg(&found).args(target.stored()).arg(format!("-max_total_time={seconds}"));
    })
}

/// Puts the fewest inputs of `from` that reach what all of them reach into `into`.
///
/// # Errors
/// An input failed.
pub(super) fn merge(built: &Path, target: &Target, into: &Path, from: &[PathBuf]) -> Result<Statistics> {
    let outcome = run(built, target, |command| {
        // By edges alone: with how often each is passed, they would be ten times as many.
        command.args(["-merge=1", "-set_cover_merge=1", "-use_counters=0"]).arg(into).args(from);
    })?;
    match outcome {
        Outcome::Passed(statistics) => Ok(statistics),
        Outcome::Failed { output, .. } => bail!("{output}\n{}: the inputs cannot be merged", target.name),
    }
}

fn run(built: &Path, target: &Target, arguments: impl FnOnce(&mut Command)) -> Result<Outcome> {
    let artifacts = folder().join("artifacts").join(&target.name);
    fs::create_dir_all(&artifacts).with_context(|| format!("cannot make {}", artifacts.display()))?;
    let program = built.join(&target.name);
    let mut command = Command::new(&program);
    command.args([TIMEOUT, MEMORY, "-print_final_stats=1"]);
    command.arg(format!("-max_len={}", target.max_len));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // The message says what failed; forty lines of libFuzzer's own calls do not.
    command.env("RUST_BACKTRACE", "0");
    arguments(&mut command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(Outcome::Passed(Statistics::read(&text)));
    }
    let lines: Vec<_> = text.lines().collect();
    let end = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default();
    let input = lines.iter().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
    Ok(Outcome::Failed { output: end.join("\n"), input: input.map(PathBuf::from) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_prints_is_read() {
        let output = "\
INFO: Seed: 1
#55	INITED cov: 7780 ft: 11225 corp: 54/45Kb exec/s: 0 rss: 29Mb
#4194304	pulse  cov: 7790 ft: 11300 corp: 60/50Kb lim: 4096 exec/s: 14396 rss: 34Mb
Done 546083 runs in 21 second(s)
stat::number_of_executed_units: 546083
stat::average_exec_per_sec:     26003
stat::new_units_added:          1763
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              31
";
        let read = Statistics::read(output);
        let expected = Statistics {
            executions: 546_083,
            coverage: 7790,
            features: 11300,
            speed: 26003,
            memory: 31,
            slowest: 0,
        };
        assert_eq!(read, expected);
        assert_eq!(
            read.to_string(),
            "546083 executions, coverage 7790 (11300 features), 26003 executions/s, 31 MB, slowest below 1 s"
        );
    }
}
