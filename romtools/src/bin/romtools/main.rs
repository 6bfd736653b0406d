//! `romtools`: what is in a PCI option ROM, and is it whole.

mod check;
mod info;
mod input;
mod json;
#[allow(dead_code, reason = "the commands that write come with the next commits")]
mod output;

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0  done; `check` found no defect (notes and warnings may be there)
  1  a file could not be read, or is not an option ROM
  2  the command line is wrong
  7  `check` found a defect";

/// Reads PCI option ROMs: what is in them, and if they are whole
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print JSON: one object per file and line, each with `"schema": 1`
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the images of each file, in the order of the file
    #[command(after_help = EXIT_CODES)]
    Info {
        /// ROM files, also dumps of a whole flash chip
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Report everything that is odd about a file, each with what to do about it
    #[command(after_help = EXIT_CODES)]
    Check {
        /// A ROM file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// How a command ended, apart from errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Exit code 0.
    Fine,
    /// Exit code 1: a message about each file is already out.
    FileFailed,
    /// Exit code 7.
    Defect,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let outcome = match &arguments.command {
        Command::Info { files } => info::run(&mut out, files, arguments.json),
        Command::Check { file } => check::run(&mut out, file, arguments.json),
    };
    match outcome.and_then(|outcome| out.flush().map(|()| outcome)) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::FileFailed) => ExitCode::from(1),
        Ok(Outcome::Defect) => ExitCode::from(7),
        // The reader has seen enough: `romtools info dump | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            input::complain(format_args!("cannot write the output: {error}"));
            ExitCode::from(1)
        }
    }
}
