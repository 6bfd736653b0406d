//! `romtools vfct`

mod extract;
mod info;
mod json;
mod source;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use pcicfg::Address;
use romtools::{Finding, Severity};

use crate::number::{self, Ids};
use crate::{EXIT_CODES, Outcome};

const TABLES: &str = "\
Without TABLE it is this host's own, /sys/firmware/acpi/tables/VFCT, which only root can read.
TABLE may be a copy of it, the text that `acpidump` writes, or several tables one behind the other.";

/// What can be done with a VFCT table.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the table, the images in it, and everything that is odd about them
    #[command(after_help = EXIT_CODES, after_long_help = format!("{TABLES}\n\n{EXIT_CODES}"))]
    Info {
        /// Show also each table of the images' ATOM BIOS (JSON always has them)
        #[arg(long)]
        tables: bool,
        #[command(flatten)]
        table: TableArguments,
    },
    /// Write the images to files, for a virtual machine's romfile
    ///
    /// Each image gets a name of its own: vfct-0000:c5:00.0-1002-1900.rom. Only whole images are written.
    #[command(after_help = EXIT_CODES, after_long_help = format!("{TABLES}\n\n{EXIT_CODES}"))]
    Extract {
        /// The folder for the files
        #[arg(long, default_value = ".", value_name = "DIR")]
        dir: PathBuf,
        /// Only the image for this function, found as Linux finds it: ids, device and function number
        /// must match, the bus number decides between several
        #[arg(long = "for", value_name = "ADDRESS")]
        function: Option<Address>,
        /// The function's ids, where they cannot be read from this host: 1002:1900
        #[arg(long, value_name = "VENDOR:DEVICE", requires = "function", value_parser = number::ids)]
        device: Option<Ids>,
        /// Replace files that are there
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        table: TableArguments,
    },
}

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// A file with the table; this host's own if left out
    #[arg(value_name = "TABLE")]
    path: Option<PathBuf>,
    /// Where this host's `sys` and `proc` are
    #[arg(long, hide = true, default_value = "/", value_name = "DIR")]
    root: PathBuf,
}

/// Runs one of the commands.
pub(crate) fn run(out: &mut impl Write, command: &Command, as_json: bool) -> io::Result<Outcome> {
    match command {
        Command::Info { tables, table } => {
            source::with_table(out, table, as_json, |out, source| info::run(out, source, *tables, as_json))
        }
        Command::Extract { dir, function, device, force, table } => {
            let request = extract::Request { dir, function: *function, ids: *device, force: *force };
            source::with_table(out, table, as_json, |out, source| request.run(out, source, as_json))
        }
    }
}

/// What the findings make of a command that did its work.
fn outcome(findings: &[Finding]) -> Outcome {
    let defect = findings.iter().any(|finding| finding.severity() == Severity::Defect);
    if defect { Outcome::Defect } else { Outcome::Fine }
}
