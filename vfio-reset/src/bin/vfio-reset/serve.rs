//! `vfio-reset serve`: shows simulated functions to virtual machines.

use crate::CommandResult;
use crate::args::{Global, ServeArguments};
use crate::output::{BOLD, DIM, Output, styled};
use crate::signals;
use pcicfg::Address;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vfio_reset::machine::simulated::serve::{Event, Observer, Served, Service};
use vfio_reset::machine::simulated::{ResetKind, Simulated};
use vfio_reset::{Error, Machine};

pub(crate) fn run(global: &Global, output: &Output, arguments: &ServeArguments) -> CommandResult {
    if global.machine == "live" {
        return Err(Error::NotServed {
            what: "this host".to_string(),
            reason:
                "only simulated functions can be served; name a machine with --machine, such as sim:broken"
                    .to_string(),
        });
    }
    // Before there are threads, so that the signals wait in all of them.
    let signals = signals::Blocked::new();
    let machine = Arc::new(Simulated::open(&global.machine)?);
    let observer = observer(output, arguments.trace.as_deref())?;
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
    signals.wait();
    output.line("");
    Ok(0)
}

/// Says what is where, and how QEMU gets it.
fn introduce(output: &Output, machine: &Simulated, service: &Service) -> Result<(), Error> {
    output.line(format!("{} over vfio-user:", styled(BOLD, machine.name())));
    for served in service.functions() {
        let label = machine.facts(served.address)?.label.unwrap_or_default();
        output.line(format!("  {}  {}", served.socket.display(), styled(DIM, label)).trim_end());
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

/// The functions, those of one slot together.
fn slots(functions: &[Served]) -> impl Iterator<Item = &[Served]> {
    let slot = |served: &Served| (served.address.domain(), served.address.bus(), served.address.device());
    functions.chunk_by(move |a, b| slot(a) == slot(b))
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
fn observer(output: &Output, trace: Option<&Path>) -> Result<Observer, Error> {
    let file = trace
        .map(|path| File::create_new(path).map_err(|error| Error::write(path, error)))
        .transpose()?
        .map(|file| Mutex::new(BufWriter::new(file)));
    let output = *output;
    Ok(Arc::new(move |address, time, event| {
        let line = line(address, time, event);
        if output.verbose > 0 || !matches!(event, Event::Read { .. } | Event::Write { .. }) {
            output.line(&line);
        }
        if let Some(file) = &file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // A full disk must not keep the virtual machine from its devices.
            let _ = writeln!(file, "{line}");
            if !matches!(event, Event::Read { .. }) {
                let _ = file.flush();
            }
        }
    }))
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
    bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect()
}
