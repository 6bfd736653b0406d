//! `cargo xtask test` and `cargo xtask ci`: every part is run, its result printed, and all of it counted at the end.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{differential, fuzz, guest, rom_boot, workspace};

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Ran and succeeded.
    pub(crate) passed: usize,
    /// Ran and did not.
    pub(crate) failed: usize,
    /// Did not run.
    pub(crate) skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Runs every test: the workspace's, those that compare with `../shared`, and the guest's. Whether nothing failed.
pub(crate) fn test() -> Result<bool> {
    let total = all_tests();
    println!("total: {total}");
    Ok(total.failed == 0)
}

/// What keeps the code in shape, without a test: everything compiles, has no lint, and is formatted. Whether nothing failed.
pub(crate) fn check() -> Result<bool> {
    let fuzz = fuzz::missing_compiler();
    if let Some(reason) = &fuzz {
        println!("clippy of the fuzz targets is SKIPPED: {reason}");
    }
    let mut shape = true;
    for (name, arguments) in SHAPE.iter().chain(fuzz.is_none().then_some(&FUZZ_SHAPE)) {
        let mut cargo = cargo(arguments);
        let good = cargo.env("RUSTDOCFLAGS", "-D warnings").status().context("cannot run cargo")?.success();
        println!("{name}: {}", if good { "good" } else { "FAILED" });
        shape &= good;
    }
    Ok(shape)
}

/// [`check()`] and [`test()`], and the fuzz targets for a time. Whether nothing failed.
pub(crate) fn ci() -> Result<bool> {
    let shape = check()?;
    let mut total = all_tests();
    total += part("fuzz", fuzz::run(&fuzz::Options::default()).map(Option::unwrap_or_default));
    if !shape {
        println!("format, lints or docs failed: see above");
        total.failed += 1;
    }
    println!("total: {total}");
    Ok(total.failed == 0)
}

/// What is off unless asked for, and tested all the same.
const SERVE: &str = "vfio-reset/serve";

/// The test of what is there only where it is off. The whole workspace is named so that what it depends on need not be
/// built again.
const WITHOUT_SERVE: [&str; 5] =
    ["test", "--workspace", "--test", "cli", "a_program_that_cannot_serve_says_how_to_build_one_that_can"];

/// What besides tests CI demands.
const SHAPE: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--features", SERVE, "--", "-D", "warnings"]),
    ("docs", &["doc", "--workspace", "--no-deps", "--features", SERVE]),
    ("vfio-reset without features", &["check", "--package", "vfio-reset"]),
    ("pcicfg without an allocator", &["check", "--package", "pcicfg", "--no-default-features"]),
    (
        "pcicfg with an allocator alone",
        &["check", "--package", "pcicfg", "--no-default-features", "--features", "alloc"],
    ),
    (
        "pcicfg with serde alone",
        &["check", "--package", "pcicfg", "--no-default-features", "--features", "serde"],
    ),
    ("format of the fuzz targets", &["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]),
];

/// What CI demands of the workspace of the fuzz targets, where it can be compiled.
const FUZZ_SHAPE: (&str, &[&str]) =
    ("clippy of the fuzz targets", &["clippy", "--manifest-path", "fuzz/Cargo.toml", "--", "-D", "warnings"]);

/// Runs each part, also after one that failed.
fn all_tests() -> Counts {
    let guests = || Ok(guest::run(&guest::Options::default())?.unwrap_or_default());
    let mut total = part("cargo test", cargo_test());
    total += part("cargo test without serve", cargo_tests(&WITHOUT_SERVE, None));
    total += part("lspci-differential", differential::run(&differential::Options::default()));
    total += part("guest", guests());
    let roms = || Ok(rom_boot::run(&rom_boot::Options::default())?.unwrap_or_default());
    total += part("rom-boot", roms());
    total
}

/// Prints how a part went. One that could not be run at all has failed.
fn part(name: &str, result: Result<Counts>) -> Counts {
    let counts = result.unwrap_or_else(|error| {
        println!("{name}: {error:#}");
        Counts { failed: 1, ..Counts::default() }
    });
    println!("{name}: {counts}");
    counts
}

/// Cargo in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace()).stdin(Stdio::null());
    command
}

/// Runs `cargo test`, lets its output through, and counts its results.
///
/// Tests that compare with `../shared`, or the folder that `VFIO_RESET_SHARED` names, are marked as ignored, so that they
/// count as skipped where it is missing; where it is there, they run with the others.
fn cargo_test() -> Result<Counts> {
    let shared = std::env::var_os("VFIO_RESET_SHARED")
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| workspace().join("../shared"), |folder| workspace().join(folder));
    let mut arguments = vec!["test", "--workspace", "--features", SERVE, "--no-fail-fast"];
    if shared.is_dir() {
        arguments.extend(["--", "--include-ignored"]);
    } else {
        println!("there is no {}: the tests that compare with it are skipped", shared.display());
    }
    // A test program starts in its own package's folder: a relative path would mean another there.
    cargo_tests(&arguments, Some(&shared))
}

/// Runs cargo, lets its output through, and counts the results.
fn cargo_tests(arguments: &[&str], shared: Option<&Path>) -> Result<Counts> {
    let mut cargo = cargo(arguments);
    if let Some(shared) = shared {
        cargo.env("VFIO_RESET_SHARED", shared);
    }
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut counts = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(result) = test_result(&line) {
            counts += result;
        }
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        // It did not build, or a test program died before it could say its result.
        counts.failed += 1;
    }
    Ok(counts)
}

/// The numbers in `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ...`.
pub(crate) fn test_result(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let rest = rest.split_once(". ")?.1;
    let mut counts = Counts::default();
    for part in rest.split(';') {
        let mut words = part.split_whitespace();
        let (Some(number), Some(what)) = (words.next(), words.next()) else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.skipped = number,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_result_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 7 filtered out; finished in 0.01s";
        assert_eq!(test_result(line), Some(Counts { passed: 12, failed: 1, skipped: 2 }));
        let line =
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(test_result(line), Some(Counts { passed: 3, failed: 0, skipped: 0 }));
        assert_eq!(test_result("running 3 tests"), None);
    }
}
