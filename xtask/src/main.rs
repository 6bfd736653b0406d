//! `cargo xtask`: what developers and CI run.
//!
//! `test` installs what the tests need and runs them all; `ci` adds format, lints and docs; `guest` runs the tool on a
//! real kernel under QEMU.

mod cache;
mod command;
mod differential;
mod guest;
mod packages;
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
    /// What CI runs: `test`, and format, clippy and docs
    Ci,
    /// Run the tool in a guest under QEMU, on a kernel from Debian
    Guest(guest::Options),
    /// Compare `vfio-reset lspci` with lspci on random functions
    LspciDifferential(differential::Options),
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    let result = match task {
        Task::Test => test::test(),
        Task::Ci => test::ci(),
        Task::Guest(options) => guest(&options),
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

/// Runs guests and prints the closing line; whether nothing failed.
fn guest(options: &guest::Options) -> Result<bool> {
    let Some(counts) = guest::run(options)? else {
        return Ok(true);
    };
    println!("guest: {counts}");
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
