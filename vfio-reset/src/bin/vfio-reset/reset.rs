//! `vfio-reset reset`: does what the plan says, and tells how it went.

use crate::CommandResult;
use crate::args::ResetArguments;
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled};
use crate::plan::{headline, refusal_lines, silence, time};
use crate::session::Session;
use crate::signals;
use crate::vendor::Writes;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Action, Decision, Plan, ResetAct, Via};
use vfio_reset::report::{Outcome, Report, StepReport};
use vfio_reset::reset::{Event, Options};
use vfio_reset::state::header::BridgeHeaders;
use vfio_reset::vendor::Trace;
use vfio_reset::vendor::dry_run::{self, Target};
use vfio_reset::{Error, json};

pub(crate) fn run(session: &Session, output: &Output, arguments: &ResetArguments) -> CommandResult {
    let (inventory, plan) = session.plan(&arguments.plan.request())?;
    if arguments.dry_run {
        let ways = match &plan.decision {
            Decision::Act(action) => match action.act {
                ResetAct::Vendor { family } => Some(dry_run::ways(family, action, &inventory)?),
                _ => None,
            },
            _ => None,
        };
        let writes = ways.as_ref().map(|ways| ways.iter().map(Writes::of).collect());
        output.document(&DryRun { plan: json::plan(&plan), writes });
        crate::plan::print(session, output, &inventory, &plan)?;
        let target = Target::of(inventory.function(plan.address)?);
        crate::vendor::print_writes(output, &target, ways.as_deref().unwrap_or_default());
        return Ok(plan.exit_code().unwrap_or(0));
    }
    session.must_be_writable("reset")?;
    let Decision::Act(action) = &plan.decision else {
        return Ok(nothing_done(session, output, &plan));
    };
    check_trace(arguments, action)?;
    // Before anything is touched: what cannot be written then ends nothing in the middle.
    let trace_file = arguments.trace.as_deref().map(TraceFile::open).transpose()?;
    output.line(headline(session, inventory.function(plan.address)?));
    output.line(format!("  {}", styled(DIM, way(action))));
    output.line("");
    for note in &plan.notes {
        output.line(format!("{} {note}", styled(WARNING, "note:")));
    }
    let _undisturbed = signals::Blocked::new();
    let options = Options {
        skip_restore: arguments.test_skip_restore,
        bridge_headers: match arguments.test_conditional_bridge_restore {
            true => BridgeHeaders::IfDifferent,
            false => BridgeHeaders::Forced,
        },
    };
    let mut report =
        vfio_reset::reset::reset(session.machine(), action, options, &mut |event| show(output, &event))?;
    if let Some(trace_file) = trace_file {
        // The report is what must not be lost.
        report.notes.extend(trace_file.write(report.trace.as_ref()).err());
    }
    output.document(&json::report(&report));
    print(output, &report);
    Ok(report.outcome.exit_code())
}

/// The file of `--trace`.
struct TraceFile<'p> {
    path: &'p Path,
    file: File,
}

impl<'p> TraceFile<'p> {
    /// Opens it, and leaves what is in it alone.
    fn open(path: &'p Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        Ok(Self { path, file: file.map_err(|error| Error::write(path, error))? })
    }

    /// Writes the trace in place of what is there; why not, in a sentence.
    fn write(mut self, trace: Option<&Trace>) -> Result<(), String> {
        let text = trace.map_or_else(|| "# the sequence was not begun\n".to_string(), Trace::to_string);
        let is_file = self.file.metadata().is_ok_and(|metadata| metadata.is_file());
        let emptied = if is_file { self.file.set_len(0) } else { Ok(()) };
        let written = emptied.and_then(|()| self.file.write_all(text.as_bytes()));
        written.map_err(|error| format!("the trace is lost: {}", Error::write(self.path, error)))
    }
}

/// That there will be something to trace.
fn check_trace(arguments: &ResetArguments, action: &Action) -> Result<(), Error> {
    if arguments.trace.is_none() || matches!(action.act, ResetAct::Vendor { .. }) {
        return Ok(());
    }
    let reason = format!(
        "--trace is of a vendor sequence (--method vendor), and this reset is {} (--via {})",
        action.method, action.via
    );
    Err(Error::Usage { reason })
}

/// A plan, and of a vendor sequence every write that it would make.
#[derive(Serialize)]
struct DryRun<'p> {
    #[serde(flatten)]
    plan: json::PlanDocument<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<Vec<Writes<'p>>>,
}

fn way(action: &Action) -> String {
    let hit = match &action.act {
        // Those included that do not answer.
        ResetAct::HotReset { set, .. } => set.len(),
        _ => action.functions.iter().filter(|function| function.is_reset).count(),
    };
    let others = hit.saturating_sub(1);
    let who = match action.via {
        _ if matches!(action.act, ResetAct::Vendor { .. }) => "by writes to the device's registers",
        Via::Kernel => "by the kernel",
        Via::Vfio => "by the kernel, through VFIO",
        Via::Direct => "by direct writes to configuration space",
    };
    match others {
        0 => format!("{} reset {who}", action.method),
        1 => format!("{} reset {who}, together with 1 other function", action.method),
        many => format!("{} reset {who}, together with {many} other functions", action.method),
    }
}

/// Says why nothing is done, and gives the exit code.
fn nothing_done(session: &Session, output: &Output, plan: &Plan) -> u8 {
    if let Some(document) = json::nothing_done(plan) {
        output.document(&document);
    }
    let address = plan.address;
    if !output.json {
        match &plan.decision {
            Decision::Act(_) => {}
            Decision::Refuse { method, via, refusals } => {
                output.error(format!("refused to reset {address} by {method} ({via}); nothing was touched"));
                for line in refusal_lines(refusals) {
                    output.detail(line);
                }
            }
            Decision::NoMethod => {
                output.error(format!("nothing can reset {address}; nothing was touched"));
                for (method, reason) in reasons(plan) {
                    output.detail(format!("  {:<16} {reason}", method.as_str()));
                }
                output.detail(format!("  `{} plan {address}` says more", session.program()));
            }
            Decision::NotPresent => {
                output.error(format!("{address} cannot be reset; nothing was touched"));
                output.detail(format!("  {}", silence(plan.presence)));
            }
        }
    }
    plan.exit_code().unwrap_or(1)
}

/// Why each way that was looked at cannot work: once where the kernel and we have the same reason.
fn reasons(plan: &Plan) -> Vec<(MethodName, &str)> {
    let mut reasons: Vec<(MethodName, &str)> = Vec::new();
    for candidate in &plan.candidates {
        let Some(reason) = candidate.impossible.as_deref() else { continue };
        if !reasons.contains(&(candidate.method, reason)) {
            reasons.push((candidate.method, reason));
        }
    }
    reasons.sort_by_key(|(method, _)| *method);
    reasons
}

/// Progress: a line for each step that is over, and a moving one while something is waited for.
fn show(output: &Output, event: &Event<'_>) {
    match event {
        Event::Begin { text, .. } => output.progress(&format!("  {text} ...")),
        Event::End(step) => {
            output.progress("");
            output.line(step_line(step));
        }
        Event::Waiting { address, time: waited, id } => {
            output.progress(&format!(
                "  waiting for {address}, {} so far (it reads {id:08x}) ...",
                time(*waited)
            ));
        }
        _ => {}
    }
}

fn step_line(step: &StepReport) -> String {
    let mark = if step.ok { styled(GOOD, "ok  ") } else { styled(BAD, "FAIL") };
    let taken = format!("{:.1} ms", step.time.as_secs_f64() * 1e3);
    // Of a step that failed, or did less than was planned, the floor says nothing.
    let floor = match step.floor.is_zero() || !step.ok || step.time < step.floor {
        true => String::new(),
        false => format!(
            "  {}",
            styled(
                DIM,
                format!("(at least {}, {:.1} ms over)", time(step.floor), step.excess().as_secs_f64() * 1e3)
            )
        ),
    };
    format!("  {mark} {:<17} {taken:>11}  {}{floor}", step.name.to_string(), step.text)
}

fn print(output: &Output, report: &Report) {
    if !output.is_text() {
        return;
    }
    output.line("");
    let style = match report.outcome {
        Outcome::Verified | Outcome::NotNeeded => GOOD,
        _ => BAD,
    };
    output.line(format!(
        "{}: {}, after {}",
        styled(BOLD, report.address),
        styled(style, report.outcome),
        time(report.total())
    ));
    let differences: Vec<_> = report.differences().collect();
    const SHOWN: usize = 20;
    let shown = if output.verbose > 0 { differences.len() } else { SHOWN };
    for check in differences.iter().take(shown) {
        let offset = check.offset.map_or_else(String::new, |offset| format!(" at {offset:03x}"));
        output.line(format!(
            "  {} {}{offset}: was {}, is {}{}",
            check.address,
            check.what,
            check.expected,
            check.found,
            check.changes()
        ));
    }
    if differences.len() > shown {
        output.line(format!("  and {} more (-v shows all)", differences.len() - shown));
    }
    if let (1.., Some(evidence)) = (output.verbose, &report.evidence) {
        output.line(format!("  {} {}", styled(BOLD, "evidence:"), evidence.text));
    }
    for note in &report.notes {
        output.line(format!("  {} {note}", styled(WARNING, "note:")));
    }
    if report.outcome != Outcome::Verified || output.verbose > 0 {
        for line in &report.kernel_log {
            output.line(format!("  {} {}", styled(DIM, "kernel:"), line.text));
        }
    }
    for next in &report.next {
        output.line(format!("  {} {next}", styled(BOLD, "next:")));
    }
}
