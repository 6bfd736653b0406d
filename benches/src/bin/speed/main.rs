//! Measures the programs and the library beside their peers in one run, and prints a table in Markdown.
//!
//! `cargo speed`, or with an lspci of one's own choice `cargo speed --lspci PATH`.

mod dumps;
mod library;
mod live;
mod table;

use benches::{host, process};
use clap::Parser;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use table::Table;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures vfio-reset beside lspci, and pcicfg beside pcics, in one run.
#[derive(Debug, Parser)]
#[command(name = "speed")]
struct Options {
    /// The lspci to measure beside; once more for another
    #[arg(long, value_name = "PATH", default_value = "lspci")]
    lspci: Vec<PathBuf>,
    /// The vfio-reset to measure [default: this workspace's, built now]
    #[arg(long, value_name = "PATH")]
    vfio_reset: Option<PathBuf>,
    /// Measure with this dump, too: lspci's text of functions with 4096 bytes each
    #[arg(long, value_name = "FILE")]
    dump: Option<PathBuf>,
    /// How often each program runs; the best counts
    #[arg(long, value_name = "N", default_value_t = 7)]
    rounds: usize,
}

fn main() -> ExitCode {
    if let Some(code) = process::in_between() {
        return code;
    }
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let programs = Programs {
        ours: options.vfio_reset.clone().map_or_else(built, Ok)?,
        peers: options.lspci.iter().map(|path| Peer::at(path)).collect::<Result<_>>()?,
        rounds: options.rounds.max(1),
    };
    let folder = workspace().join("target/speed");
    fs::create_dir_all(&folder)?;
    let functions = host::functions(host::FUNCTIONS);
    let mut table = Table::default();

    let big = folder.join("big.lspci");
    fs::write(&big, host::dump(&functions))?;
    dumps::measure(&mut table, &programs, &big, "own dump")?;
    if let Some(dump) = &options.dump {
        dumps::measure(&mut table, &programs, dump, "given dump")?;
    }
    library::measure(&mut table, &fs::read(&big)?, "own dump")?;
    if let Some(dump) = &options.dump {
        library::measure(&mut table, &fs::read(dump)?, "given dump")?;
    }
    live::measure(&mut table, &programs, &folder.join("host"), &functions)?;
    print!("{}", table.finish(programs.rounds));
    Ok(())
}

/// What is measured.
struct Programs {
    /// `vfio-reset`.
    ours: PathBuf,
    peers: Vec<Peer>,
    rounds: usize,
}

/// An lspci.
struct Peer {
    path: PathBuf,
    /// `lspci 3.14.0`.
    name: String,
}

impl Peer {
    fn at(path: &Path) -> Result<Self> {
        let output = Command::new(path).arg("--version").output();
        let output = output.map_err(|error| format!("cannot run {}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.split_whitespace().last().unwrap_or("of an unknown version");
        Ok(Self { path: path.to_path_buf(), name: format!("lspci {version}") })
    }
}

/// A program and its arguments.
fn command(program: &Path, arguments: &[&str]) -> Vec<OsString> {
    let arguments = arguments.iter().map(OsString::from);
    [program.as_os_str().to_owned()].into_iter().chain(arguments).collect()
}

/// This workspace's `vfio-reset`, as it is released.
fn built() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "--package", "vfio-reset", "--bin", "vfio-reset"];
    if !Command::new(cargo).args(arguments).current_dir(workspace()).status()?.success() {
        return Err("vfio-reset does not build".into());
    }
    // Both come from the same folder.
    let this = std::env::current_exe()?;
    Ok(this.with_file_name("vfio-reset"))
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}
