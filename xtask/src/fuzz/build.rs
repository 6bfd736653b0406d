//! Building the fuzz targets: what `cargo fuzz build` does, without the address sanitizer.
//!
//! The libraries have no unsafe code, so that sanitizer has nothing to find; without it, no unstable flag is needed,
//! and any compiler that can build the workspace can build the targets.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::{Target, folder};
use crate::{command, target};

/// Counters for edges, their places, and the operands of comparisons, which libFuzzer reads.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
];

/// The targets, built.
pub(super) enum Built {
    /// They are in this folder.
    Programs(PathBuf),
    /// They cannot be built here, and why.
    Impossible(String),
}

/// Builds the targets.
///
/// # Errors
/// The compiler finds an error, or cannot be run.
pub(super) fn build(targets: &[Target]) -> Result<Built> {
    if let Some(reason) = missing_compiler() {
        return Ok(Built::Impossible(reason));
    }
    let host = host()?;
    let programs = target().join("fuzz");
    let mut cargo = crate::test::cargo(&["build", "--release", "--target", &host]);
    cargo.arg("--manifest-path").arg(folder().join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&programs);
    for target in targets {
        cargo.args(["--bin", &target.name]);
    }
    // With `--target`, the flags are not for build scripts, which run as they are.
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    if !cargo.status().context("cannot run cargo")?.success() {
        bail!("the fuzz targets do not build");
    }
    Ok(Built::Programs(programs.join(host).join("release")))
}

/// Why libFuzzer, which is C++, cannot be compiled; `None` if it can.
pub(crate) fn missing_compiler() -> Option<String> {
    let named = std::env::var("CXX").ok().filter(|name| !name.is_empty());
    let found = match &named {
        Some(name) => std::path::Path::new(name).is_file() || command::exists(name),
        None => command::exists("c++"),
    };
    (!found).then(|| {
        let name = named.as_deref().unwrap_or("c++");
        format!("libFuzzer needs a C++ compiler, and there is no `{name}`: install g++ or clang, or set CXX")
    })
}

/// The compiler's own target.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = command::output(std::process::Command::new(rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}
