//! `cargo xtask`: what developers and CI run.
//!
//! `check` looks at format, lints and docs; `test` installs what the tests need and runs them all; `ci` is both, and
//! fuzzing; `guest` runs the tool on a real kernel under QEMU; `rom-boot` lets firmware run ROMs that it made; `fuzz` runs the fuzz targets.

mod cache;
mod command;
mod differential;
mod fuzz;
mod guest;
mod packages;
mod rom_boot;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// What developers and CI run.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need and run them all, the guest included
    Test,
    /// Format, clippy and docs, of the fuzz targets as well: a minute, before anything is shared
    Check,
    /// What CI runs: `check`, `test` and fuzzing
    Ci,
    /// Run the tool in a guest under QEMU, on a kernel from Debian
    Guest(guest::Options),
    /// Let ROMs that romtools made run under OVMF and SeaBIOS, and read Debian's own ROMs
    RomBoot(rom_boot::Options),
    /// Run the fuzz targets on their stored inputs, and for a time on new ones
    Fuzz(fuzz::Options),
    /// Compare `vfio-reset lspci` with lspci on random functions
    LspciDifferential(differential::Options),
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    let result = match task {
        Task::Test => test::test(),
        Task::Check => test::check(),
        Task::Ci => test::ci(),
        Task::Guest(options) => counted("guest", guest::run(&options)),
        Task::RomBoot(options) => counted("rom-boot", rom_boot::run(&options)),
        Task::Fuzz(options) => counted("fuzz", fuzz::run(&options)),
        Task::LspciDifferential(options) => differential::run(&options).map(|counts| counts.failed == 0),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the closing line; whether nothing failed.
fn counted(name: &str, counts: Result<Option<test::Counts>>) -> Result<bool> {
    let Some(counts) = counts? else {
        return Ok(true);
    };
    println!("{name}: {counts}");
    Ok(counts.failed == 0)
}

/// The workspace's folder.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where Cargo builds.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => workspace().join(folder),
        _ => workspace().join("target"),
    }
}
