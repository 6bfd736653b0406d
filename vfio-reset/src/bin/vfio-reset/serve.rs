//! `vfio-reset serve`: shows simulated functions to virtual machines.

mod lines;
mod trace;

use crate::CommandResult;
use crate::args::{Global, ServeArguments};
use crate::output::{BOLD, DIM, Output, styled};
use crate::signals;
use lines::Lines;
use pcicfg::Address;
use serde_json::json;
use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vfio_reset::machine::simulated::serve::{Event, Observer, Served, Service, THREAD};
use vfio_reset::machine::simulated::{ResetKind, Simulated};
use vfio_reset::{Error, Machine};

/// How long the last lines may take when all else has ended.
const LAST_LINES: Duration = Duration::from_secs(2);

pub(crate) fn run(global: &Global, output: &Output, arguments: &ServeArguments) -> CommandResult {
    let machine = Arc::new(open(global)?);
    // A pipe waits here for its reader, and can be interrupted.
    let trace = arguments.trace.as_deref().map(trace::open).transpose()?;
    let (trace, file) = trace.unzip();
    match serve(machine, output, arguments, file) {
        Ok(code) => Ok(code),
        Err(error) => {
            if let Some(trace) = trace {
                trace.discard();
            }
            Err(error)
        }
    }
}

/// The machine, if its functions can be served.
fn open(global: &Global) -> Result<Simulated, Error> {
    let name = &global.machine;
    if !name.starts_with("sim:") && !name.ends_with(".toml") {
        return Err(Error::NotServed {
            what: if name == "live" { "this host".to_string() } else { name.clone() },
            reason:
                "only simulated functions can be served; name a machine with --machine, such as sim:broken \
                     or a description that ends in .toml"
                    .to_string(),
        });
    }
    if global.machine_state.is_some() {
        return Err(Error::Usage {
            reason: "--machine-state is not for serve: a function gets power when a client connects, so there is no \
                     state to begin with"
                .to_string(),
        });
    }
    Simulated::open(name)
}

fn serve(
    machine: Arc<Simulated>,
    output: &Output,
    arguments: &ServeArguments,
    trace: Option<File>,
) -> CommandResult {
    // Before there are threads, so that the signals wait in all of them.
    let signals = signals::Blocked::new();
    let trace = match (trace, &arguments.trace) {
        (Some(file), Some(path)) => Some(trace_lines(*output, file, path)?),
        _ => None,
    };
    let screen = match output.is_text() {
        // A reader that has gone away is no error.
        true => Some(
            Lines::to(std::io::stdout(), |_| ()).map_err(|error| Error::write("standard output", error))?,
        ),
        false => None,
    };
    tell_of_panics_once();
    let observer = observer(output.verbose > 0, screen.clone(), trace.clone());
    let service = Service::start(machine.clone(), &arguments.addresses, &arguments.socket, observer)?;
    output.document(&json!({
        "schema": vfio_reset::json::SCHEMA,
        "functions": service.functions().iter().map(|served| json!({
            "address": served.address,
            "socket": served.socket,
        })).collect::<Vec<_>>(),
        "control": service.control(),
    }));
    introduce(output, &machine, &service)?;
    for (address, why) in service.without_effect() {
        output.warn(format!("{address}: no effect here: {why}"));
    }
    signals.wait();
    // First of all: whoever comes now is turned away, and no socket is left however the rest goes.
    drop(service);
    if trace.is_some_and(|trace| !trace.finish(LAST_LINES)) {
        output.warn("the trace is not complete");
    }
    if let Some(screen) = screen {
        screen.finish(LAST_LINES);
    }
    Ok(0)
}

/// The lines of a trace. What cannot be written must not keep the virtual machine from its devices.
fn trace_lines(output: Output, file: File, path: &Path) -> Result<Lines, Error> {
    let name = path.display().to_string();
    let failed =
        move |error| output.warn(format!("the trace {name} ends here, the service goes on: {error}"));
    Lines::to(file, failed).map_err(|error| Error::write(path, error))
}

/// What a client breaks is told as the end of its connection; the same in a panic's words would only frighten.
fn tell_of_panics_once() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(THREAD) {
            before(panic);
        }
    }));
}

/// Says what is where, and how QEMU gets it.
fn introduce(output: &Output, machine: &Simulated, service: &Service) -> Result<(), Error> {
    output.line(format!("{} over vfio-user:", styled(BOLD, machine.name())));
    for served in service.functions() {
        let socket = served.socket.display();
        output.line(match machine.facts(served.address)?.label {
            Some(label) => format!("  {socket}  {}", styled(DIM, label)),
            None => format!("  {socket}"),
        });
    }
    output.line(format!("  {}  {}", service.control().display(), styled(DIM, "ADDRESS KEY = VALUE, ...")));
    output.line("");
    output.line("QEMU 10.1 or newer takes them so (an intel-iommu needs caching-mode=on):");
    let mut lines = Vec::new();
    for (chassis, slot) in (1..).zip(slots(service.functions())) {
        lines.push(format!("  -device pcie-root-port,id=port{chassis},chassis={chassis},slot={chassis}"));
        lines.extend(
            slot.iter().map(|served| format!("  -device '{}'", device(served, chassis, slot.len() > 1))),
        );
    }
    output.line(lines.join(" \\\n"));
    output.line("");
    output.line("Ctrl-C ends this.");
    Ok(())
}

/// The functions, those of one slot together. No guest looks for the others where function 0 is missing: then each is
/// one of its own.
fn slots(functions: &[Served]) -> impl Iterator<Item = &[Served]> {
    let slot = |served: &Served| (served.address.domain(), served.address.bus(), served.address.device());
    let slots = functions.chunk_by(move |a, b| slot(a) == slot(b));
    slots.flat_map(|slot| {
        let has_first = slot.iter().any(|served| served.address.function() == 0);
        slot.chunks(if has_first { slot.len() } else { 1 })
    })
}

/// The value of QEMU's `-device`.
fn device(served: &Served, port: usize, has_siblings: bool) -> serde_json::Value {
    let mut device = json!({
        "driver": "vfio-user-pci",
        "bus": format!("port{port}"),
        "socket": { "type": "unix", "path": served.socket },
    });
    if has_siblings {
        let function = served.address.function();
        device["addr"] = format!("0.{function}").into();
        device["multifunction"] = (function == 0).into();
    }
    device
}

/// Prints who comes and goes and what is reset, with `-v` every access, and writes all of it to the trace.
fn observer(every_access: bool, screen: Option<Lines>, trace: Option<Lines>) -> Observer {
    Arc::new(move |address, time, event| {
        let is_access = matches!(event, Event::Read { .. } | Event::Write { .. });
        let screen = screen.as_ref().filter(|_| every_access || !is_access);
        // Most accesses are of interest to nobody.
        if screen.is_none() && trace.is_none() {
            return;
        }
        let line = line(address, time, event);
        for lines in screen.into_iter().chain(&trace) {
            lines.add(&line);
        }
    })
}

/// An event in one line: the time in seconds, the function, what.
fn line(address: Address, time: Duration, event: &Event<'_>) -> String {
    let what = match event {
        Event::Connected => "connected".to_string(),
        Event::Disconnected(None) => "disconnected".to_string(),
        Event::Disconnected(Some(reason)) => format!("disconnected: {reason}"),
        Event::PowerOn => "power on".to_string(),
        Event::Reset(kind) => format!("reset {}", name(*kind)),
        Event::Read { region, offset, bytes } => format!("read {region} {offset:#x} {}", hex(bytes)),
        Event::Write { region, offset, bytes } => format!("write {region} {offset:#x} {}", hex(bytes)),
        Event::Changed => "behaves differently from now on".to_string(),
        Event::Waiting(reason) => format!("no client can be taken at the moment: {reason}"),
        _ => "something happened".to_string(),
    };
    format!("{:.6} {address} {what}", time.as_secs_f64())
}

/// A reset as the kernel names the method that causes it.
fn name(kind: ResetKind) -> &'static str {
    match kind {
        ResetKind::Conventional => "bus",
        ResetKind::FunctionLevel => "flr",
        ResetKind::AdvancedFeatures => "af_flr",
        ResetKind::D3hotToD0 => "pm",
        ResetKind::PowerCycle => "power_cycle",
    }
}

/// A register's value, most significant digit first.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes.iter().rev() {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
