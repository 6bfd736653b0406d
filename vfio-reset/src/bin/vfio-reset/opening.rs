//! What `vfio` and `peek --vfio` have in common: a device is opened through VFIO and closed again, and both reset it.

use crate::output::Output;
use crate::plan::{refusal_lines, silence};
use crate::session::Session;
use pcicfg::Address;
use pcicfg::header::Presence;
use serde_json::{Value, json};
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;
use vfio_reset::machine::vfio::{Opened, VfioInterface, VfioRequest};
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

/// The machine's functions, if the device may be opened; otherwise says why not, and gives the exit code.
pub(crate) fn allowed(
    session: &Session,
    output: &Output,
    address: Address,
    budget: Duration,
) -> Result<ControlFlow<u8, Inventory>, Error> {
    let (inventory, mut refusals) = session.opening(address, budget)?;
    session.must_be_writable("opened")?;
    let presence = inventory.function(address)?.presence();
    // First, as for a reset: opening is one, and the kernel would wait a minute for a device that is gone.
    let (outcome, code, lines) = if presence != Presence::Present {
        refusals.clear();
        ("not_present", 6, vec![format!("  {}", silence(presence))])
    } else if !refusals.is_empty() {
        ("refused", 3, refusal_lines(&refusals))
    } else {
        return Ok(ControlFlow::Continue(inventory));
    };
    output.document(&json!({
        "schema": vfio_reset::json::SCHEMA, "address": address, "outcome": outcome, "exit_code": code,
        "refusals": refusals,
    }));
    output.error(format!("{address} cannot be opened through VFIO; nothing was touched"));
    for line in lines {
        output.detail(line);
    }
    Ok(ControlFlow::Break(code))
}

/// The interface that is wanted, or that the host has.
pub(crate) fn interface(inventory: &Inventory, wanted: Option<VfioInterface>) -> VfioInterface {
    let facts = inventory.host().vfio.unwrap_or_default();
    wanted.or(facts.preferred()).unwrap_or(VfioInterface::Group)
}

/// Opens it, and gives the interface that was used: where the user has not said which, the group's for a device
/// that has no device file of its own, if the host has groups.
pub(crate) fn open<'m>(
    machine: &'m dyn Machine,
    output: &Output,
    inventory: &Inventory,
    request: &VfioRequest<'_>,
    wanted: Option<VfioInterface>,
) -> Result<(Opened<'m>, VfioInterface), Error> {
    let may_fall_back = wanted.is_none() && inventory.host().vfio.unwrap_or_default().group;
    match machine.open_vfio(request) {
        Err(Error::Vfio(error)) if may_fall_back && error.has_no_file() => {
            let request = VfioRequest { interface: VfioInterface::Group, ..*request };
            let opened = machine.open_vfio(&request)?;
            output.note(format!(
                "{} has no VFIO device file of its own; its group was opened instead",
                error.address
            ));
            Ok((opened, VfioInterface::Group))
        }
        opened => Ok((opened?, request.interface)),
    }
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

/// Says that closing failed, and gives the exit code. `document` is what is known besides, `before` what had failed
/// before that.
pub(crate) fn not_closed(
    output: &Output,
    address: Address,
    before: Option<&Error>,
    error: &Error,
    document: Option<Value>,
) -> u8 {
    let document = not_closed_document(address, before, error, document);
    output.document(&document);
    for error in before.into_iter().chain([error]) {
        output.error(error);
    }
    crate::exit_code(before.unwrap_or(error))
}

fn not_closed_document(
    address: Address,
    before: Option<&Error>,
    error: &Error,
    document: Option<Value>,
) -> Value {
    let mut document = document.unwrap_or_else(|| json!({}));
    document["schema"] = vfio_reset::json::SCHEMA.into();
    document["address"] = address.to_string().into();
    document["outcome"] = "failed".into();
    document["during"] = During::Closing.to_string().into();
    document["exit_code"] = crate::exit_code(before.unwrap_or(error)).into();
    document["error"] = match before {
        Some(before) => format!("{before}; then {error}").into(),
        None => error.to_string().into(),
    };
    document
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use vfio_reset::machine::vfio::{VfioError, VfioOperation};

    #[test]
    fn what_was_read_is_not_lost_when_closing_fails() {
        let address: Address = "0000:01:00.0".parse().unwrap();
        let failed = Error::from(VfioError::new(address, VfioOperation::Close, libc::EIO));
        let read = json!({ "outcome": "done", "exit_code": 0, "registers": [{ "offset": 0, "value": 1 }] });
        let document = not_closed_document(address, None, &failed, Some(read));
        assert_eq!(document["registers"][0]["value"], 1);
        assert_eq!((&document["outcome"], &document["exit_code"]), (&"failed".into(), &1.into()));
        assert_eq!(document["error"], failed.to_string());
        // Of two that failed the first counts, and neither is kept quiet.
        let before = Error::Usage { reason: "there is none".to_string() };
        let document = not_closed_document(address, Some(&before), &failed, None);
        let error = document["error"].as_str().unwrap();
        assert!(error.contains("there is none") && error.contains(&failed.to_string()), "{error}");
        assert_eq!((&document["address"], &document["exit_code"]), (&"0000:01:00.0".into(), &2.into()));
    }
}
