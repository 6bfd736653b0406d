//! `vfio-reset peek`: reads registers behind a BAR.

use crate::CommandResult;
use crate::args::PeekArguments;
use crate::opening::{self, During};
use crate::output::Output;
use crate::session::Session;
use crate::signals;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use vfio_reset::Error;
use vfio_reset::inventory::PATIENCE;
use vfio_reset::machine::KernelReset;
use vfio_reset::machine::vfio::{Opened, RegionIndex, VfioDevice, VfioInterface, VfioRequest};

pub(crate) fn run(session: &Session, output: &Output, arguments: &PeekArguments) -> CommandResult {
    if let Some(interface) = arguments.vfio {
        return through_vfio(session, output, arguments, interface);
    }
    // Whether the function decodes its memory is in its configuration space.
    session.must_be_readable(arguments.address, PATIENCE)?;
    let mut bytes = empty(arguments);
    session.machine().read_bar(arguments.address, arguments.bar, arguments.offset, &mut bytes)?;
    print(output, arguments, &bytes);
    output.document(&document(arguments, &bytes));
    Ok(0)
}

fn empty(arguments: &PeekArguments) -> Vec<u8> {
    vec![0; 4 * usize::from(arguments.count)]
}

/// Opens the device, reads, and closes it. What was read is shown before anything that went wrong afterwards.
fn through_vfio(
    session: &Session,
    output: &Output,
    arguments: &PeekArguments,
    interface: VfioInterface,
) -> CommandResult {
    let &PeekArguments { address, budget, .. } = arguments;
    if let ControlFlow::Break(code) = opening::allowed(session, output, address, budget)? {
        return Ok(code);
    }
    // What would end the program waits until the device is closed.
    let _undisturbed = signals::Blocked::new();
    let request = VfioRequest { address, interface, also: &[], budget };
    let Opened::Open(device) = session.machine().open_vfio(&request)? else {
        return Ok(opening::still_running(output, address, During::Opening, budget, None));
    };
    let resets = device.can_reset();
    let mut bytes = empty(arguments);
    let read = read(&*device, arguments, &mut bytes);
    let closed = device.close(budget);
    let mut document = match read {
        Ok(()) => {
            print(output, arguments, &bytes);
            document(arguments, &bytes)
        }
        Err(_) => json!({}),
    };
    document["interface"] = interface.as_str().into();
    document["resets"] = resets.into();
    output.note(match resets {
        true if matches!(closed, Ok(KernelReset::Done)) => {
            format!("opening {address} reset it, and closing it reset it again")
        }
        true => format!("opening {address} reset it"),
        false => format!(
            "opening {address} did not reset it, for the kernel has no method for it alone; closing it resets its \
             whole bus, if all on that are VFIO's"
        ),
    });
    if let Ok(KernelReset::StillRunning) = closed {
        if let Err(error) = &read {
            document["error"] = error.to_string().into();
            output.error(error);
        }
        return Ok(opening::still_running(output, address, During::Closing, budget, Some(document)));
    }
    let closed = match closed {
        Ok(closed) => closed,
        Err(error) => {
            return Ok(opening::not_closed(output, address, read.as_ref().err(), &error, Some(document)));
        }
    };
    read?;
    if let KernelReset::Failed { errno } = closed {
        output.warn(format!("closing {address}: {}", std::io::Error::from_raw_os_error(errno)));
    }
    output.document(&document);
    Ok(0)
}

fn read(device: &dyn VfioDevice, arguments: &PeekArguments, bytes: &mut [u8]) -> Result<(), Error> {
    let &PeekArguments { address, bar, offset, mapped, .. } = arguments;
    let out_of_reach = |length, reason: &str| Error::BarOutOfReach {
        address,
        bar,
        offset,
        length,
        reason: reason.to_string(),
    };
    // What can be typed is one of these.
    let Some(region) = RegionIndex::behind(bar) else {
        return Err(out_of_reach(bytes.len(), "there is no such BAR"));
    };
    if !mapped {
        return device.read_region(region, offset, bytes);
    }
    match device.map_region(region)? {
        Some(mapped) => mapped.read(offset, bytes),
        None => Err(out_of_reach(bytes.len(), "it cannot be mapped; leave --mapped out")),
    }
}

/// The registers, each with where it is.
fn registers(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, u32)> + '_ {
    let value = |dword: &[u8]| match dword {
        &[a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        _ => u32::MAX,
    };
    (offset..).step_by(4).zip(bytes.chunks_exact(4).map(value))
}

fn print(output: &Output, arguments: &PeekArguments, bytes: &[u8]) {
    for (at, value) in registers(arguments.offset, bytes) {
        output.line(format!("{at:#x}: {value:08x}"));
    }
}

fn document(arguments: &PeekArguments, bytes: &[u8]) -> Value {
    let registers = registers(arguments.offset, bytes);
    json!({
        "schema": vfio_reset::json::SCHEMA,
        "address": arguments.address,
        "bar": arguments.bar,
        "registers": registers.map(|(at, value)| json!({ "offset": at, "value": value })).collect::<Vec<_>>(),
    })
}
