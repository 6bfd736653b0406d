//! `vfio-reset save` and `restore`: configuration space to a file and back.

use crate::CommandResult;
use crate::args::{RestoreArguments, SaveArguments};
use crate::output::{BAD, BOLD, Output, styled};
use crate::plan::refusal_lines;
use crate::session::Session;
use crate::signals;
use pcicfg::Address;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use vfio_reset::inventory::{InventoryFunction, PATIENCE};
use vfio_reset::json::SCHEMA;
use vfio_reset::plan::restore_refusals;
use vfio_reset::reset::{restore_state, verify_state};
use vfio_reset::state::header::BridgeHeaders;
use vfio_reset::state::{SavedState, restore_sequence};
use vfio_reset::{Error, Inventory};

pub(crate) fn save(session: &Session, output: &Output, arguments: &SaveArguments) -> CommandResult {
    let (inventory, ()) = session.settled(PATIENCE, |inventory| {
        let functions = to_save(inventory.function(arguments.address)?, arguments.bus);
        inventory.must_be_settled(functions.into_iter().map(InventoryFunction::address))
    })?;
    let functions = to_save(inventory.function(arguments.address)?, arguments.bus);
    let addresses = functions.iter().map(|function| (function.address(), function.is_virtual()));
    let state = SavedState::save(session.machine(), arguments.address, addresses)?;
    write_new(&arguments.output, &state.to_json())?;
    output.document(&json!({
        "schema": SCHEMA,
        "file": arguments.output,
        "functions": state.functions.iter().map(|function| function.address).collect::<Vec<_>>(),
    }));
    let count = state.functions.len();
    output.line(format!(
        "saved {} of {} to {}",
        if count == 1 {
            "the state".to_string()
        } else {
            format!("the states of {count} functions on the bus")
        },
        styled(BOLD, arguments.address),
        arguments.output.display()
    ));
    Ok(0)
}

/// The function, or with all on its bus and the bridge above.
fn to_save(function: InventoryFunction<'_>, bus: bool) -> Vec<InventoryFunction<'_>> {
    match function.parent().filter(|_| bus) {
        Some(bridge) => std::iter::once(bridge).chain(bridge.below()).collect(),
        None => vec![function],
    }
}

/// Saved state is not written over: it may be the only copy of what a device needs.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let error = |error| Error::write(path, error);
    let mut file = std::fs::File::create_new(path).map_err(error)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(error)
}

pub(crate) fn restore(session: &Session, output: &Output, arguments: &RestoreArguments) -> CommandResult {
    let file = &arguments.file;
    let text = std::fs::read_to_string(file).map_err(|error| Error::named(file, error))?;
    let state = SavedState::from_json(&text, file)?;
    if arguments.dry_run {
        dry_run(output, &state);
        return Ok(0);
    }
    session.must_be_writable("restored")?;
    let addresses: Vec<Address> = state.functions.iter().map(|function| function.address).collect();
    let settled = |inventory: &Inventory| inventory.must_be_settled(addresses.iter().copied());
    let (mut inventory, ()) = session.settled(PATIENCE, settled)?;
    inventory.read_users(session.machine(), addresses)?;
    let refusals = restore_refusals(&inventory, &session.quirks, &state, &arguments.allow);
    if !refusals.is_empty() {
        output.document(
            &json!({ "schema": SCHEMA, "exit_code": 3, "outcome": "refused", "refusals": refusals }),
        );
        output.error(format!("refused to restore {}; nothing was touched", state.address));
        if !output.json {
            for line in refusal_lines(&refusals) {
                output.detail(line);
            }
        }
        return Ok(3);
    }
    let _undisturbed = signals::Blocked::new();
    let summary = restore_state(session.machine(), &state, BridgeHeaders::Forced)?;
    let checks = verify_state(session.machine(), &state)?;
    let differences: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
    let code = match (summary.absent.is_empty(), differences.is_empty()) {
        (false, _) => 6,
        (true, false) => 7,
        (true, true) => 0,
    };
    output.document(&json!({
        "schema": SCHEMA,
        "exit_code": code,
        "restored": summary.functions,
        "written": summary.written.iter().map(|(address, write)| json!({
            "address": address, "register": write.register, "offset": write.offset, "value": write.value,
        })).collect::<Vec<_>>(),
        "absent": summary.absent,
        "verification": checks,
    }));
    output.line(format!(
        "{} of {} written, {} comparisons, {}",
        if summary.written.len() == 1 {
            "1 register".to_string()
        } else {
            format!("{} registers", summary.written.len())
        },
        if summary.functions == 1 {
            "1 function".to_string()
        } else {
            format!("{} functions", summary.functions)
        },
        checks.len(),
        match differences.len() {
            0 => "all as saved".to_string(),
            1 => "1 difference".to_string(),
            many => format!("{many} differences"),
        }
    ));
    for check in differences {
        let offset = check.offset.map_or_else(String::new, |offset| format!(" at {offset:03x}"));
        output.line(format!(
            "  {} {}{offset}: saved {}, is {}{}",
            check.address,
            check.what,
            check.expected,
            check.found,
            check.changes()
        ));
    }
    for address in &summary.absent {
        output.line(format!(
            "  {} {address} does not answer with the ids it was saved with, and was left alone",
            styled(BAD, "absent:")
        ));
    }
    Ok(code)
}

fn dry_run(output: &Output, state: &SavedState) {
    let mut functions = Vec::new();
    for saved in &state.functions {
        let Some(space) = saved.space() else { continue };
        let writes = restore_sequence(space, saved.is_virtual, BridgeHeaders::Forced);
        output.line(styled(BOLD, saved.address));
        for write in &writes {
            let digits = 2 * usize::from(write.width);
            output.line(format!(
                "  {:03x}  {:0digits$x}{:pad$}  {:<12} {}",
                write.offset,
                write.value,
                "",
                write.rule.to_string(),
                write.register,
                pad = 8 - digits
            ));
        }
        functions.push(json!({
            "address": saved.address,
            "writes": writes.iter().map(|write| json!({
                "register": write.register, "offset": write.offset, "width": write.width, "value": write.value,
                "rule": write.rule,
            })).collect::<Vec<_>>(),
        }));
    }
    output.document(&json!({ "schema": SCHEMA, "functions": functions }));
}
