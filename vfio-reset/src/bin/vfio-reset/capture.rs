//! `vfio-reset capture`: records the machine.

use crate::CommandResult;
use crate::args::CaptureArguments;
use crate::output::Output;
use crate::session::Session;
use serde_json::json;
use vfio_reset::json::SCHEMA;

pub(crate) fn run(session: &Session, output: &Output, arguments: &CaptureArguments) -> CommandResult {
    let summary = vfio_reset::capture::capture(session.machine(), &arguments.output)?;
    output.document(&json!({
        "schema": SCHEMA,
        "output": arguments.output,
        "functions": summary.functions,
    }));
    output.line(format!("recorded {} functions in {}", summary.functions, arguments.output.display()));
    output.line(format!("look at it with: vfio-reset --machine {} list", arguments.output.display()));
    Ok(0)
}
