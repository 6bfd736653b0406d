//! What `vfio` and `peek --vfio` have in common: a device is opened through VFIO and closed again, and both reset it.

use crate::output::Output;
use crate::plan::refusal_lines;
use pcicfg::Address;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use vfio_reset::machine::vfio::{Opened, VfioInterface, VfioRequest};
use vfio_reset::plan::Refusal;
use vfio_reset::{Error, Inventory, Machine};

/// Which of the two resets a device did not come back from.
#[derive(Clone, Copy)]
pub(crate) enum During {
    Opening,
    Closing,
}

impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opening => "opening",
            Self::Closing => "closing",
        })
    }
}

/// The interface that is wanted, or that the host has.
pub(crate) fn interface(inventory: &Inventory, wanted: Option<VfioInterface>) -> VfioInterface {
    let facts = inventory.host().vfio.unwrap_or_default();
    wanted.or(facts.preferred()).unwrap_or(VfioInterface::Group)
}

/// Opens it, and gives the interface that was used: where the user has not said which, the group's for a device
/// that has no device file of its own.
pub(crate) fn open<'m>(
    machine: &'m dyn Machine,
    request: &VfioRequest<'_>,
    wanted: Option<VfioInterface>,
) -> Result<(Opened<'m>, VfioInterface), Error> {
    match machine.open_vfio(request) {
        Err(Error::Vfio(error)) if wanted.is_none() && error.has_no_file() => {
            let request = VfioRequest { interface: VfioInterface::Group, ..*request };
            Ok((machine.open_vfio(&request)?, VfioInterface::Group))
        }
        opened => Ok((opened?, request.interface)),
    }
}

/// Says why a device is not opened, and gives the exit code.
pub(crate) fn refused(output: &Output, address: Address, refusals: &[Refusal]) -> u8 {
    output.document(&json!({
        "schema": vfio_reset::json::SCHEMA, "address": address, "outcome": "refused", "exit_code": 3,
        "refusals": refusals,
    }));
    output.error(format!("{address} cannot be opened through VFIO; nothing was touched"));
    for line in refusal_lines(refusals) {
        output.detail(line);
    }
    3
}

/// Says that a device did not come back, and gives the exit code. `document` is what is known besides.
pub(crate) fn still_running(
    output: &Output,
    address: Address,
    during: During,
    budget: Duration,
    document: Option<Value>,
) -> u8 {
    let mut document = document.unwrap_or_else(|| json!({}));
    document["schema"] = vfio_reset::json::SCHEMA.into();
    document["address"] = address.to_string().into();
    document["outcome"] = "kernel_still_waiting".into();
    document["during"] = during.to_string().into();
    document["exit_code"] = 6.into();
    output.document(&document);
    output.error(format!(
        "{address} did not come back within {} from the reset that {during} it is, and the kernel is still waiting \
         for it (--budget)",
        crate::plan::time(budget)
    ));
    6
}
