//! `vfio-reset`: gets PCI devices back.

mod args;
mod capture;
mod diff;
mod list;
mod lspci;
mod opening;
mod output;
mod peek;
mod plan;
mod reset;
mod saved;
#[cfg(feature = "serve")]
mod serve;
mod session;
mod show;
mod signals;
mod tree;
mod vendor;
mod vfio;

use args::{Arguments, Command, ResetArguments};
use clap::Parser;
use output::Output;
use session::Session;
use std::process::ExitCode;
use vfio_reset::Error;

/// What a command leaves behind: the program's exit code.
type CommandResult = Result<u8, Error>;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    arguments.global.color.as_choice().write_global();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let (output, code) = (Output::new(&arguments.global), exit_code(&error));
            // Whoever reads JSON reads one document: the command's, if it came as far as that.
            if !output.has_document() {
                output.failure(&error, code);
            }
            output.error(&error);
            ExitCode::from(code)
        }
    }
}

/// Says what cannot be understood of what was typed, or the help that was asked for. What scripts get is the same as
/// of any other error.
fn not_understood(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    let typed = std::env::args_os().skip(1).take_while(|argument| argument != "--");
    let json = code != 0 && typed.into_iter().any(|argument| argument == "--json");
    let output = Output { json, quiet: false, verbose: 0 };
    let text = error.to_string();
    // How it should be typed and hints come behind that, and are for people.
    let text = text.split("\n\n").next().unwrap_or_default().trim_end();
    output.failure(text.strip_prefix("error: ").unwrap_or(text), code);
    // Nobody is there to be told that nobody reads it.
    let _ = error.print();
    ExitCode::from(code)
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
    // Sequences are data: no machine is needed to look at them.
    if let Command::Vendor(operands) = &arguments.command {
        return vendor::run(&arguments.global, &output, &operands.command);
    }
    // It keeps its machine for the threads that serve it.
    #[cfg(feature = "serve")]
    if let Command::Serve(operands) = &arguments.command {
        return serve::run(&arguments.global, &output, operands);
    }
    #[cfg(not(feature = "serve"))]
    if let Command::Serve(_) = &arguments.command {
        return Err(Error::NotServed {
            what: "anything".to_string(),
            reason: "this vfio-reset was built without it; build one with it: \
                     cargo build --release -p vfio-reset --features serve"
                .to_string(),
        });
    }
    let mut session = Session::open(&arguments.global, &output)?;
    if let Command::Plan(plan) | Command::Reset(ResetArguments { plan, .. }) = &arguments.command
        && let Some(family) = &plan.family
    {
        session.treat_as(plan.address, vendor::find(family)?)?;
    }
    let result = match &arguments.command {
        Command::List(arguments) => list::run(&session, &output, arguments),
        Command::Show(arguments) => show::run(&session, &output, arguments),
        Command::Tree(arguments) => tree::run(&session, &output, arguments),
        // Done above.
        Command::Diff(_) | Command::Lspci(_) | Command::Vendor(_) | Command::Serve(_) => Ok(0),
        Command::Plan(arguments) => plan::run(&session, &output, arguments),
        Command::Reset(arguments) => reset::run(&session, &output, arguments),
        Command::Peek(arguments) => peek::run(&session, &output, arguments),
        Command::Vfio(arguments) => vfio::run(&session, &output, arguments),
        Command::Save(arguments) => saved::save(&session, &output, arguments),
        Command::Restore(arguments) => saved::restore(&session, &output, arguments),
        Command::Capture(arguments) => capture::run(&session, &output, arguments),
    };
    // What a command that failed has done to a simulated machine is kept, too.
    let closed = session.close();
    let code = result?;
    closed?;
    Ok(code)
}

/// The exit code of an error; `--help` documents them.
fn exit_code(error: &Error) -> u8 {
    match error {
        error if error.is_permission() => 5,
        Error::NoSuchFunction { .. }
        | Error::NoSuchMachine { .. }
        | Error::NoSuchFamily { .. }
        | Error::NoSuchModel { .. }
        | Error::NotAbove { .. }
        | Error::BarOutOfReach { .. }
        | Error::NoSuchFile { .. }
        | Error::NotServed { .. }
        | Error::Malformed { .. }
        | Error::Usage { .. }
        | Error::ReadOnly { .. } => 2,
        // A file that exists already is the wrong argument, not a failing disk.
        Error::Write { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => 2,
        Error::NothingToSave { .. } | Error::BeingReset { .. } => 6,
        // Somebody else has it: what a plan would have refused, had it been allowed to see that.
        Error::Vfio(error) if error.is_in_use() => 3,
        _ => 1,
    }
}
