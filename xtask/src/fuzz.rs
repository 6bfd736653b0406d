//! `cargo xtask fuzz`: the targets of the workspace in `fuzz/`, built, run for a bounded time, and on the inputs that
//! are stored.
//!
//! cargo-fuzz is not needed: its part is to hand the compiler the flags of [`build`]. A target is any binary of
//! `fuzz/Cargo.toml`; the longest input that is tried is in that file, too. Inputs are in three folders beside it:
//! `seeds/TARGET` (made by the project), `regression/TARGET` (found by fuzzing, kept in git) and `corpus/TARGET` (found
//! by fuzzing on this machine).

mod build;
mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use self::build::Built;
pub(crate) use self::build::missing_compiler;
use self::run::{Outcome, Statistics};
use crate::command;
use crate::test::Counts;
use crate::workspace;

/// How long each target runs if nothing else is said, in seconds.
const SECONDS: u64 = 30;

/// What is fuzzed, and for how long.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Options {
    /// Run these targets only
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long each target runs [default: 30]
    #[arg(long, value_name = "N", conflicts_with_all = ["regression", "minimize"])]
    seconds: Option<u64>,
    /// Only run the inputs that are stored
    #[arg(long)]
    regression: bool,
    /// Store the fewest inputs that reach what all inputs reach, found ones included
    #[arg(long, conflicts_with = "regression")]
    minimize: bool,
    /// Inputs found elsewhere: TARGET's are in DIR/TARGET
    #[arg(long, value_name = "DIR", requires = "minimize")]
    found: Option<PathBuf>,
    /// List the targets and stop
    #[arg(long)]
    list: bool,
    /// Targets that run at once [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// A fuzz target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    name: String,
    /// The longest input that is tried, in bytes.
    max_len: u64,
}

impl Target {
    /// The target's inputs of one of the three kinds.
    fn inputs(&self, kind: &str) -> PathBuf {
        folder().join(kind).join(&self.name)
    }

    /// The folders with stored inputs that exist.
    fn stored(&self) -> Vec<PathBuf> {
        ["seeds", "regression"]
            .map(|kind| self.inputs(kind))
            .into_iter()
            .filter(|path| path.is_dir())
            .collect()
    }
}

/// The workspace of the targets.
fn folder() -> PathBuf {
    workspace().join("fuzz")
}

/// Runs targets and prints how each ended. `None` if nothing was tested.
///
/// # Errors
/// The targets do not build, or a file cannot be used. A host without a C++ compiler, which libFuzzer needs, is no
/// error: its targets are counted as skipped.
pub(crate) fn run(options: &Options) -> Result<Option<Counts>> {
    let targets = chosen(all()?, &options.targets)?;
    if options.list {
        for target in &targets {
            println!("{:20}inputs of up to {} bytes", target.name, target.max_len);
        }
        return Ok(None);
    }
    // What each target is: its stored inputs, and the time that it runs.
    let tests = if options.regression { 1 } else { 2 };
    let built = match build::build(&targets)? {
        Built::Programs(folder) => folder,
        Built::Impossible(reason) => {
            println!("fuzzing is SKIPPED: {reason}");
            return Ok(Some(Counts { skipped: tests * targets.len(), ..Counts::default() }));
        }
    };
    if options.minimize {
        for target in &targets {
            minimize(&built, target, options.found.as_deref())?;
        }
        return Ok(None);
    }
    let seconds = if options.regression { None } else { Some(options.seconds.unwrap_or(SECONDS)) };
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    in_turn(&targets, jobs, |target| test(&built, target, seconds)).map(Some)
}

/// The targets, by `fuzz/Cargo.toml`.
fn all() -> Result<Vec<Target>> {
    let mut cargo =
        crate::test::cargo(&["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let metadata = command::output(cargo.arg(folder().join("Cargo.toml")))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is no JSON")?;
    Ok(targets(&metadata["packages"][0]))
}

/// The binaries of a package, by `cargo metadata`.
fn targets(package: &Value) -> Vec<Target> {
    let binaries = package["targets"].as_array().into_iter().flatten();
    binaries
        .filter(|target| target["kind"][0] == "bin")
        .filter_map(|target| {
            let name = target["name"].as_str()?.to_owned();
            let max_len = package["metadata"]["targets"][&name]["max_len"].as_u64().unwrap_or(4096);
            Some(Target { name, max_len })
        })
        .collect()
}

/// The targets with the wanted names, or all.
fn chosen(all: Vec<Target>, names: &[String]) -> Result<Vec<Target>> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|target| target.name != **name)) {
        let known: Vec<_> = all.iter().map(|target| target.name.as_str()).collect();
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|target| names.is_empty() || names.contains(&target.name)).collect())
}

/// Tests the targets, so many at once.
fn in_turn(
    targets: &[Target],
    jobs: usize,
    test: impl Fn(&Target) -> Result<Counts> + Sync,
) -> Result<Counts> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, targets.len().max(1)) {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = test(target);
                    results.lock().unwrap_or_else(|poison| poison.into_inner()).push(result);
                }
            });
        }
    });
    let mut total = Counts::default();
    for result in results.into_inner().unwrap_or_else(|poison| poison.into_inner()) {
        total += result?;
    }
    Ok(total)
}

/// Runs a target on its stored inputs, then for a time.
fn test(built: &Path, target: &Target, seconds: Option<u64>) -> Result<Counts> {
    let mut counts = Counts::default();
    let stored = run::stored(built, target)?;
    report(&format!("{}: stored inputs", target.name), &stored, &mut counts);
    if let (Some(seconds), Outcome::Passed(_)) = (seconds, &stored) {
        let outcome = run::fuzz(built, target, seconds)?;
        report(&format!("{}: {seconds} s", target.name), &outcome, &mut counts);
    } else if seconds.is_some() {
        counts.skipped += 1;
    }
    Ok(counts)
}

fn report(name: &str, outcome: &Outcome, counts: &mut Counts) {
    match outcome {
        Outcome::Passed(statistics) => {
            counts.passed += 1;
            println!("fuzz {name}: {statistics}");
        }
        Outcome::Failed { output, input } => {
            counts.failed += 1;
            let input = input.as_ref().map(|input| format!("\nthe input is {}", input.display()));
            println!("{output}\nfuzz {name}: FAILED{}", input.unwrap_or_default());
        }
    }
}

/// Puts the fewest inputs that, with the seeds, reach what all of them reach into the stored folder.
fn minimize(built: &Path, target: &Target, found: Option<&Path>) -> Result<()> {
    let stored = target.inputs("regression");
    let mut from: Vec<PathBuf> = vec![target.inputs("regression"), target.inputs("corpus")];
    from.extend(found.map(|found| found.join(&target.name)));
    from.retain(|path| path.is_dir());
    let fresh = stored.with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot remove {}", fresh.display()))?;
    }
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    // What is in the folder already counts as reached.
    let seeds = copied(&target.inputs("seeds"), &fresh)?;
    let statistics: Statistics = run::merge(built, target, &fresh, &from)?;
    for seed in seeds {
        fs::remove_file(&seed).with_context(|| format!("cannot remove {}", seed.display()))?;
    }
    if stored.exists() {
        fs::remove_dir_all(&stored).with_context(|| format!("cannot remove {}", stored.display()))?;
    }
    fs::rename(&fresh, &stored).with_context(|| format!("cannot rename {}", fresh.display()))?;
    let (mut files, mut bytes) = (0, 0);
    for file in fs::read_dir(&stored)? {
        files += 1;
        bytes += file?.metadata()?.len();
    }
    println!(
        "fuzz {}: {files} inputs of {bytes} bytes in all; coverage {}",
        target.name, statistics.coverage
    );
    Ok(())
}

/// Copies the files of a folder, if there is one; returns the copies.
fn copied(from: &Path, into: &Path) -> Result<Vec<PathBuf>> {
    let mut copies = Vec::new();
    if from.is_dir() {
        for file in fs::read_dir(from)? {
            let file = file?;
            let copy = into.join(file.file_name());
            fs::copy(file.path(), &copy).with_context(|| format!("cannot write {}", copy.display()))?;
            copies.push(copy);
        }
    }
    Ok(copies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn targets_are_the_binaries_with_the_length_that_the_manifest_says() {
        let package = json!({
            "targets": [
                { "kind": ["lib"], "name": "support" },
                { "kind": ["bin"], "name": "dump" },
                { "kind": ["bin"], "name": "chain" },
            ],
            "metadata": { "targets": { "dump": { "max_len": 16384 } } },
        });
        let found = targets(&package);
        let names: Vec<_> = found.iter().map(|target| (target.name.as_str(), target.max_len)).collect();
        assert_eq!(names, [("dump", 16384), ("chain", 4096)]);
        assert_eq!(chosen(found.clone(), &["chain".to_owned()]).unwrap().len(), 1);
        let error = chosen(found, &["chian".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "there is no target chian; there are dump, chain");
    }

    #[test]
    fn every_target_has_seeds() {
        for target in all().unwrap() {
            assert!(target.inputs("seeds").is_dir(), "{}", target.name);
        }
    }
}
