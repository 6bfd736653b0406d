//! `vfio-reset peek`: reads registers behind a BAR.

use crate::CommandResult;
use crate::args::PeekArguments;
use crate::output::Output;
use crate::session::Session;
use serde_json::json;
use std::time::Duration;
use vfio_reset::machine::KernelReset;
use vfio_reset::machine::vfio::{Opened, RegionIndex, VfioInterface, VfioRequest};
use vfio_reset::{Error, Machine};

/// How long opening and closing through VFIO may take, each a reset.
const BUDGET: Duration = Duration::from_secs(30);

pub(crate) fn run(session: &Session, output: &Output, arguments: &PeekArguments) -> CommandResult {
    let &PeekArguments { address, bar, offset, count, vfio, .. } = arguments;
    let mut bytes = vec![0; 4 * usize::from(count)];
    let machine = session.machine();
    match vfio {
        None => machine.read_bar(address, bar, offset, &mut bytes)?,
        Some(interface) => {
            if through_vfio(machine, arguments, interface, &mut bytes)? == KernelReset::StillRunning {
                output.error(format!(
                    "{address} did not come back from the reset that opening or closing it is"
                ));
                return Ok(6);
            }
        }
    }
    let registers: Vec<(u64, u32)> = (offset..)
        .step_by(4)
        .zip(bytes.chunks_exact(4))
        .map(|(at, dword)| (at, u32::from_le_bytes([dword[0], dword[1], dword[2], dword[3]])))
        .collect();
    for (at, value) in &registers {
        output.line(format!("{at:#x}: {value:08x}"));
    }
    output.document(&json!({
        "schema": vfio_reset::json::SCHEMA,
        "address": address,
        "bar": bar,
        "registers": registers.iter().map(|(at, value)| json!({ "offset": at, "value": value })).collect::<Vec<_>>(),
    }));
    Ok(0)
}

fn through_vfio(
    machine: &dyn Machine,
    arguments: &PeekArguments,
    interface: VfioInterface,
    bytes: &mut [u8],
) -> Result<KernelReset, Error> {
    let &PeekArguments { address, bar, offset, .. } = arguments;
    let request = VfioRequest { address, interface, also: &[], budget: BUDGET };
    let Opened::Open(device) = machine.open_vfio(&request)? else { return Ok(KernelReset::StillRunning) };
    let Some(region) = RegionIndex::behind(bar) else { return device.close(BUDGET) };
    let read = match arguments.mapped {
        false => device.read_region(region, offset, bytes),
        true => match device.map_region(region) {
            Ok(Some(mapped)) => mapped.read(offset, bytes),
            Ok(None) => Err(Error::BarOutOfReach {
                address,
                bar,
                offset,
                length: bytes.len(),
                reason: "it cannot be mapped; leave --mapped out".to_string(),
            }),
            Err(error) => Err(error),
        },
    };
    let closed = device.close(BUDGET)?;
    read.map(|()| closed)
}
