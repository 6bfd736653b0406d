//! `romtools`: what is in a PCI option ROM, and is it whole.

mod build;
mod check;
mod compare;
mod cut;
mod extract;
mod fix;
mod info;
mod input;
mod json;
mod number;
mod output;
mod read;
mod report;
mod scan;
mod vfct;

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0  done; no defect was found (notes and warnings may be there), by `compare` no difference
  1  a file could not be read or written, or is not what it should be
  2  the command line is wrong
  5  permission: root is needed, or a kernel that is not locked down
  7  a defect was found, by `check`, by `extract`, or in a VFCT table; by `compare` a difference";

/// PCI option ROMs: what is in them, if they are whole, cut out, fixed and built
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
        /// Show also each table of an ATOM BIOS (JSON always has them)
        #[arg(long)]
        tables: bool,
    },
    /// Report everything that is odd about a file, each with what to do about it
    #[command(after_help = EXIT_CODES)]
    Check {
        /// A ROM file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Check also whether the ROM is for this device: 1002:1900, as `lspci -nn` shows it
        #[arg(long, value_name = "VENDOR:DEVICE", value_parser = number::ids)]
        device: Option<number::Ids>,
    },
    /// Cut out what a virtual machine's romfile= wants: the images that a firmware runs
    #[command(after_help = EXIT_CODES)]
    Cut(cut::Arguments),
    /// Write each image to a file, and the driver of each EFI image, decompressed
    ///
    /// Of the first chain: image-0.rom, image-1.rom and so on, with image-1.efi beside it for an EFI
    /// image. Of further chains: chain-1-image-0.rom. An ISA ROM in front of them: legacy.rom. Only
    /// what is whole is written, and nothing over a file that is there.
    #[command(after_help = EXIT_CODES)]
    Extract(extract::Arguments),
    /// Change ids, class, last-image bits, sizes or checksums, in a new file
    #[command(after_help = EXIT_CODES)]
    Fix(fix::Arguments),
    /// Build a ROM of EFI drivers and legacy images
    #[command(after_help = EXIT_CODES)]
    Build(build::Arguments),
    /// Compare two ROMs by what they are made of
    #[command(after_help = EXIT_CODES)]
    Compare(compare::Arguments),
    /// Read the ROM of a device of this host, and check it
    #[command(after_help = EXIT_CODES)]
    Read(read::Arguments),
    /// Find ROMs, VFCT tables and NVIDIA containers inside of any file
    #[command(after_help = EXIT_CODES)]
    Scan(scan::Arguments),
    /// The ACPI table with the video BIOS of AMD GPUs: show it, take the images out of it
    #[command(subcommand)]
    Vfct(vfct::Command),
}

/// How a command ended, apart from errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Exit code 0.
    Fine,
    /// Exit code 1: a message about each file is already out.
    FileFailed,
    /// Exit code 5: the message is already out.
    Permission,
    /// Exit code 7.
    Defect,
    /// Exit code 7, of `compare`.
    Different,
}

/// Says what is wrong with the command line, as the parser does it.
fn wrong_usage(command: &str, message: String) -> ExitCode {
    let mut program = Arguments::command();
    program.build();
    let mut command = program.find_subcommand(command).cloned().unwrap_or(program);
    // The standard error may be closed.
    let _ = command.error(ErrorKind::ValueValidation, message).print();
    ExitCode::from(2)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let usage = match &arguments.command {
        Command::Build(build) => build.check().map_err(|message| ("build", message)),
        Command::Fix(fix) => fix.check().map_err(|message| ("fix", message)),
        _ => Ok(()),
    };
    if let Err((command, message)) = usage {
        return wrong_usage(command, message);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let outcome = match &arguments.command {
        Command::Info { files, tables } => info::run(&mut out, files, *tables, arguments.json),
        Command::Check { file, device } => check::run(&mut out, file, *device, arguments.json),
        Command::Cut(cut) => cut::run(&mut out, cut, arguments.json),
        Command::Extract(extract) => extract::run(&mut out, extract, arguments.json),
        Command::Fix(fix) => fix::run(&mut out, fix, arguments.json),
        Command::Build(build) => build::run(&mut out, build, arguments.json),
        Command::Compare(compare) => compare::run(&mut out, compare, arguments.json),
        Command::Read(read) => read::run(&mut out, read, arguments.json),
        Command::Scan(scan) => scan::run(&mut out, scan, arguments.json),
        Command::Vfct(command) => vfct::run(&mut out, command, arguments.json),
    };
    match outcome.and_then(|outcome| out.flush().map(|()| outcome)) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::FileFailed) => ExitCode::from(1),
        Ok(Outcome::Permission) => ExitCode::from(5),
        Ok(Outcome::Defect | Outcome::Different) => ExitCode::from(7),
        // The reader has seen enough: `romtools info dump | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            input::complain(format_args!("cannot write the output: {error}"));
            ExitCode::from(1)
        }
    }
}
