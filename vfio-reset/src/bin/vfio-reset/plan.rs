//! `vfio-reset plan`: what can reset a device, why, what else is hit.

use crate::CommandResult;
use crate::args::PlanArguments;
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled};
use crate::session::Session;
use pcicfg::header::Presence;
use std::collections::BTreeSet;
use std::time::Duration;
use vfio_reset::inventory::InventoryFunction;
use vfio_reset::method::{MethodName, Reason, Scope};
use vfio_reset::plan::{Action, Affected, Decision, MethodPlan, Plan, Refusal, RefusalCode, Via};
use vfio_reset::{Inventory, json};

pub(crate) fn run(session: &Session, output: &Output, arguments: &PlanArguments) -> CommandResult {
    let (inventory, plan) = session.plan(&arguments.request())?;
    output.document(&json::plan(&plan));
    print(session, output, &inventory, &plan)?;
    Ok(0)
}

/// The plan as text.
pub(crate) fn print(
    session: &Session,
    output: &Output,
    inventory: &Inventory,
    plan: &Plan,
) -> Result<(), vfio_reset::Error> {
    if !output.is_text() {
        return Ok(());
    }
    let function = inventory.function(plan.address)?;
    output.line(headline(session, function));
    output.line(whereabouts(function));
    output.line("");
    if plan.presence != Presence::Present {
        output.line(styled(BAD, silence(plan.presence)));
        output.line("");
    }
    output.line(styled(BOLD, "Methods, in the kernel's order"));
    for method in &plan.methods {
        method_lines(output, method);
    }
    hot_reset_lines(output, plan);
    sequence_lines(output, plan);
    output.line("");
    decision_lines(output, plan);
    for note in &plan.notes {
        output.line(format!("{} {note}", styled(WARNING, "note:")));
    }
    Ok(())
}

/// Address, class, names and ids.
pub(crate) fn headline(session: &Session, function: InventoryFunction<'_>) -> String {
    let (vendor, device) = function.ids();
    let names = session.names();
    let class = function.class_code();
    let class =
        names.class(class).map_or_else(|| format!("Class {:04x}", class.to_u32() >> 8), str::to_string);
    let name = match (names.vendor(vendor), names.device(vendor, device)) {
        (Some(vendor), Some(device)) => format!("{vendor} {device}"),
        (Some(vendor), None) => format!("{vendor} Device"),
        _ => "Device".to_string(),
    };
    format!("{}  {class}: {name} [{vendor:04x}:{device:04x}]", styled(BOLD, function.address()))
}

/// Bridge, group, driver.
fn whereabouts(function: InventoryFunction<'_>) -> String {
    let facts = function.facts();
    let mut parts = Vec::new();
    match function.parent() {
        Some(bridge) => parts.push(format!("below {}", bridge.address())),
        None => parts.push("on a root bus".to_string()),
    }
    if let Some(physical) = facts.physfn {
        parts.push(format!("virtual function of {physical}"));
    }
    if let Some(group) = facts.iommu_group {
        parts.push(format!("IOMMU group {group}"));
    }
    parts.push(
        facts.driver.as_ref().map_or_else(|| "no driver".to_string(), |driver| format!("driver {driver}")),
    );
    format!("  {}", styled(DIM, parts.join(", ")))
}

/// What a function that does not answer looks like.
pub(crate) fn silence(presence: Presence) -> &'static str {
    match presence {
        Presence::RequestRetryStatus => {
            "It is not ready: it answers every access with Request Retry Status. Wait, then look again."
        }
        _ => {
            "It does not answer: its registers read all-ones. It is switched off, its link is down, or it is wedged; \
             nothing can be saved, so nothing will be touched."
        }
    }
}

/// The vendor sequence, if there is one for the device.
fn sequence_lines(output: &Output, plan: &Plan) {
    let Some(sequence) = &plan.vendor else { return };
    output.line("");
    output.line(styled(BOLD, "Vendor sequence"));
    let ours = plan.candidates.iter().find(|candidate| candidate.method == MethodName::Vendor);
    match ours.and_then(|candidate| candidate.impossible.as_deref()) {
        None => method_lines(output, sequence),
        Some(reason) => {
            output.line(format!("  {}  {:<16}{reason}", styled(DIM, "no   "), MethodName::Vendor.as_str()));
        }
    }
    for refusal in ours.map(|candidate| candidate.refusals.as_slice()).unwrap_or_default() {
        output.line(format!("{:25}{} {}", "", styled(WARNING, "refused:"), refusal.reason));
    }
}

fn method_lines(output: &Output, method: &MethodPlan) {
    let availability = &method.availability;
    let mark = match (availability.available, availability.stale) {
        (true, _) => styled(GOOD, "yes  "),
        (_, true) => styled(WARNING, "stale"),
        _ => styled(DIM, "no   "),
    };
    output.line(format!("  {mark}  {:<16}{}", availability.method.as_str(), availability.reason));
    if availability.available || availability.stale {
        let (floor, ceiling) = (time(method.floor), time(method.ceiling));
        let who = if availability.method == MethodName::Vendor { "it" } else { "the kernel" };
        let text = match method.floor.is_zero() {
            true => format!("{who} gives up after {ceiling}"),
            false => format!("takes {floor} or more, {who} gives up after {ceiling}"),
        };
        output.line(format!("{:25}{}", "", styled(DIM, text)));
    }
    let matters = availability.listed || matches!(availability.reason, Reason::Siblings(_));
    if matters && !method.affects.is_empty() {
        output.line(format!("{:25}would also reset:", ""));
        affected_lines(output, &method.affects);
    }
}

fn affected_lines(output: &Output, affected: &[Affected]) {
    for other in affected {
        output.line(format!("{:27}{other}", ""));
        for user in &other.users {
            output.line(format!("{:29}{}", "", styled(WARNING, user)));
        }
    }
}

/// The functions that VFIO would reset together, where there are others or one is not ours.
fn hot_reset_lines(output: &Output, plan: &Plan) {
    let Some(set) = &plan.hot_reset else { return };
    if set.len() < 2 && output.verbose == 0 {
        return;
    }
    output.line("");
    output.line(styled(BOLD, "VFIO's hot reset hits, and asks to own"));
    for member in set {
        let summary = member.ownership.summary();
        let summary = styled(if member.ownership.is_ours() { GOOD } else { WARNING }, summary);
        output.line(format!("  {}: {summary}", member.function));
    }
}

fn decision_lines(output: &Output, plan: &Plan) {
    let present = plan.presence == Presence::Present;
    if present && !plan.methods.iter().any(|method| method.availability.available) {
        output.line("The kernel has no method that works for it.");
    }
    match &plan.decision {
        Decision::Act(action) => action_lines(output, plan, action),
        Decision::Refuse { method, via, refusals } => {
            output.line(format!(
                "{} {method} ({via}) is the nearest way, {}:",
                styled(BAD, "Refused:"),
                objection(refusals)
            ));
            for line in refusal_lines(refusals) {
                output.line(line);
            }
            groups_in_the_way(output, plan);
            other_ways(output, plan);
        }
        Decision::NoMethod => {
            output.line(format!("{} nothing can reset it.", styled(BAD, "No way:")));
            other_ways(output, plan);
            groups_in_the_way(output, plan);
        }
        Decision::NotPresent => {
            output
                .line(format!("{} it does not answer, and nothing will be touched.", styled(BAD, "No way:")));
        }
    }
}

/// What refusals have in common.
fn objection(refusals: &[Refusal]) -> &'static str {
    let all = |code| refusals.iter().all(|refusal| refusal.code == code);
    match () {
        () if all(RefusalCode::Experimental) => "and nobody has compared it with a recorded one",
        () if all(RefusalCode::Budget) => "and the budget is too short for it",
        () => "and would hurt the host",
    }
}

fn action_lines(output: &Output, plan: &Plan, action: &Action) {
    output.line(format!(
        "{} {} by {}, {} at least, within {}",
        styled(BOLD, "Would do:"),
        action.method,
        match action.via {
            Via::Kernel => "the kernel",
            Via::Vfio => "the kernel, through VFIO",
            Via::Direct => "direct writes",
        },
        time(action.floor()),
        time(action.budget)
    ));
    for (number, step) in action.steps.iter().enumerate() {
        let floor =
            if step.floor.is_zero() { String::new() } else { format!("  {}", styled(DIM, time(step.floor))) };
        output.line(format!("  {:>2}. {}{floor}", number + 1, step.text));
    }
    let rejected: Vec<_> = plan
        .candidates
        .iter()
        .filter(|candidate| (candidate.method, candidate.via) != (action.method, action.via))
        .filter(|candidate| !candidate.is_usable())
        .collect();
    if output.verbose > 0 && !rejected.is_empty() {
        output.line(styled(BOLD, "Not chosen"));
        for candidate in rejected {
            let why = candidate.why_not().unwrap_or_default();
            output.line(format!("  {} ({}): {}", candidate.method, candidate.via, why));
        }
    }
}

/// Why each of the ways that we would take ourselves does not work either: of those that were asked for always, for
/// nothing above speaks of them.
fn other_ways(output: &Output, plan: &Plan) {
    let only_ours = plan.candidates.iter().all(|candidate| candidate.via != Via::Kernel);
    let ours = plan.candidates.iter().filter(|candidate| candidate.via != Via::Kernel);
    for candidate in ours.filter(|_| only_ours || output.verbose > 0) {
        if let Some(reason) = &candidate.impossible {
            output.line(format!("  {} ({}): {reason}", candidate.method, candidate.via));
        }
    }
}

/// On a shared bus: which groups share it.
fn groups_in_the_way(output: &Output, plan: &Plan) {
    let own = plan.iommu_group;
    let bus = plan.methods.iter().filter(|method| method.availability.method.method().scope == Scope::Bus);
    let affected = bus.flat_map(|method| &method.affects);
    let groups: BTreeSet<u32> =
        affected.filter_map(|other| other.iommu_group).filter(|group| Some(*group) != own).collect();
    if !groups.is_empty() {
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        output.line(format!(
            "  A bus reset would reach into IOMMU groups {}: all their functions would have to be given up together.",
            groups.join(", ")
        ));
    }
}

/// Refusals, each with what can be done.
pub(crate) fn refusal_lines(refusals: &[Refusal]) -> Vec<String> {
    let mut lines = Vec::new();
    for refusal in refusals {
        let flag = refusal
            .overridden_by
            .map_or_else(String::new, |word| format!("; or override with --allow {word}"));
        lines.push(format!("  - {}", refusal.reason));
        lines.push(format!("    {}", styled(DIM, format!("{}{flag}", refusal.remedy))));
    }
    lines
}

/// A time as people write it.
pub(crate) fn time(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds >= 10_000.0 {
        format!("{:.0} s", milliseconds / 1e3)
    } else if milliseconds >= 1_000.0 {
        format!("{:.1} s", milliseconds / 1e3)
    } else if milliseconds >= 10.0 || milliseconds == 0.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{milliseconds:.1} ms")
    }
}
