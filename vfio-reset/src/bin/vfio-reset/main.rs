//! `vfio-reset`: gets PCI devices back.

mod args;
mod capture;
mod diff;
mod list;
mod lspci;
mod output;
mod plan;
mod reset;
mod saved;
mod session;
mod show;
mod tree;

use args::{Arguments, Command};
use clap::Parser;
use output::Output;
use session::Session;
use std::process::ExitCode;
use vfio_reset::Error;

/// What a command leaves behind: the program's exit code.
type CommandResult = Result<u8, Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.global.color.as_choice().write_global();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            Output::new(&arguments.global).error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(arguments: &Arguments) -> CommandResult {
    let output = Output::new(&arguments.global);
    // A comparison opens two machines of its own.
    if let Command::Diff(operands) = &arguments.command {
        return diff::run(&arguments.global, &output, operands);
    }
    if let Command::Lspci(operands) = &arguments.command {
        return lspci::run(&arguments.global, &output, operands);
    }
    let session = Session::open(&arguments.global, &output)?;
    let code = match &arguments.command {
        Command::List(arguments) => list::run(&session, &output, arguments),
        Command::Show(arguments) => show::run(&session, &output, arguments),
        Command::Tree(arguments) => tree::run(&session, &output, arguments),
        // Done above.
        Command::Diff(_) | Command::Lspci(_) => Ok(0),
        Command::Plan(arguments) => plan::run(&session, &output, arguments),
        Command::Reset(arguments) => reset::run(&session, &output, arguments),
        Command::Save(arguments) => saved::save(&session, &output, arguments),
        Command::Restore(arguments) => saved::restore(&session, &output, arguments),
        Command::Capture(arguments) => capture::run(&session, &output, arguments),
    }?;
    session.close()?;
    Ok(code)
}

/// The exit code of an error; `--help` documents them.
fn exit_code(error: &Error) -> u8 {
    match error {
        error if error.is_permission() => 5,
        Error::NoSuchFunction { .. }
        | Error::NoSuchMachine { .. }
        | Error::NotAbove { .. }
        | Error::Malformed { .. }
        | Error::ReadOnly { .. } => 2,
        Error::NothingToSave { .. } => 6,
        _ => 1,
    }
}
