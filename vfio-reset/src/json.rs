//! Plans and reports as JSON, for scripts.
//!
//! Every document has `"schema": 1`: fields may be added under the same number, never changed or
//! removed. Times are in milliseconds.

use crate::method::MethodName;
use crate::plan::{
    Action, Affected, Candidate, Decision, HotResetMember, MethodPlan, Ownership, Plan, PlannedStep, Refusal,
    Via,
};
use crate::report::{Check, Evidence, Outcome, Report, StepReport};
use pcicfg::Address;
use pcicfg::header::Presence;
use serde::Serialize;
use std::time::Duration;

/// The number of the form that is written.
pub const SCHEMA: u32 = 1;

fn milliseconds(time: Duration) -> f64 {
    // Three digits are microseconds, which is as exact as any of this is.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A [`Plan`], as `plan --json` prints it.
#[derive(Debug, Serialize)]
pub struct PlanDocument<'p> {
    schema: u32,
    machine: &'p str,
    address: Address,
    iommu_group: Option<u32>,
    present: bool,
    methods: Vec<MethodDocument<'p>>,
    hot_reset: Option<Vec<HotResetDocument<'p>>>,
    vendor: Option<MethodDocument<'p>>,
    candidates: Vec<CandidateDocument<'p>>,
    decision: DecisionDocument<'p>,
    notes: &'p [String],
}

#[derive(Debug, Serialize)]
struct MethodDocument<'p> {
    method: MethodName,
    listed: bool,
    available: bool,
    stale: bool,
    reason: String,
    affects: Vec<Address>,
    affected: Vec<AffectedDocument<'p>>,
    floor_ms: f64,
    ceiling_ms: f64,
}

#[derive(Debug, Serialize)]
struct AffectedDocument<'p> {
    address: Address,
    vendor: String,
    device: String,
    iommu_group: Option<u32>,
    driver: Option<&'p str>,
    users: Vec<String>,
}

#[derive(Debug, Serialize)]
struct HotResetDocument<'p> {
    #[serde(flatten)]
    function: AffectedDocument<'p>,
    owned: bool,
    ownership: &'p Ownership,
    summary: String,
}

#[derive(Debug, Serialize)]
struct CandidateDocument<'p> {
    method: MethodName,
    via: Via,
    usable: bool,
    impossible: Option<&'p str>,
    refusals: &'p [Refusal],
    last_resort: Option<&'p str>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum DecisionDocument<'p> {
    Act {
        method: MethodName,
        via: Via,
        functions: Vec<Address>,
        floor_ms: f64,
        budget_ms: f64,
        steps: Vec<PlannedStepDocument<'p>>,
    },
    Refuse {
        method: MethodName,
        via: Via,
        refusals: &'p [Refusal],
    },
    NoMethod,
    NotPresent,
}

#[derive(Debug, Serialize)]
struct PlannedStepDocument<'p> {
    step: crate::plan::StepName,
    text: &'p str,
    floor_ms: f64,
    ceiling_ms: f64,
}

/// The JSON form of a plan.
#[must_use]
pub fn plan(plan: &Plan) -> PlanDocument<'_> {
    PlanDocument {
        schema: SCHEMA,
        machine: &plan.machine,
        address: plan.address,
        iommu_group: plan.iommu_group,
        present: plan.presence == Presence::Present,
        methods: plan.methods.iter().map(method).collect(),
        hot_reset: plan.hot_reset.as_ref().map(|set| set.iter().map(hot_reset).collect()),
        vendor: plan.vendor.as_ref().map(method),
        candidates: plan.candidates.iter().map(candidate).collect(),
        decision: decision(&plan.decision),
        notes: &plan.notes,
    }
}

fn method(method: &MethodPlan) -> MethodDocument<'_> {
    MethodDocument {
        method: method.availability.method,
        listed: method.availability.listed,
        available: method.availability.available,
        stale: method.availability.stale,
        reason: method.availability.reason.to_string(),
        affects: method.affects.iter().map(|other| other.address).collect(),
        affected: method.affects.iter().map(affected).collect(),
        floor_ms: milliseconds(method.floor),
        ceiling_ms: milliseconds(method.ceiling),
    }
}

fn affected(other: &Affected) -> AffectedDocument<'_> {
    AffectedDocument {
        address: other.address,
        vendor: format!("{:04x}", other.ids.0),
        device: format!("{:04x}", other.ids.1),
        iommu_group: other.iommu_group,
        driver: other.driver.as_deref(),
        users: other.users.iter().map(ToString::to_string).collect(),
    }
}

fn hot_reset(member: &HotResetMember) -> HotResetDocument<'_> {
    HotResetDocument {
        function: affected(&member.function),
        owned: member.ownership.is_ours(),
        ownership: &member.ownership,
        summary: member.ownership.summary(),
    }
}

fn candidate(candidate: &Candidate) -> CandidateDocument<'_> {
    CandidateDocument {
        method: candidate.method,
        via: candidate.via,
        usable: candidate.is_usable(),
        impossible: candidate.impossible.as_deref(),
        refusals: &candidate.refusals,
        last_resort: candidate.last_resort.as_deref(),
    }
}

fn decision(decision: &Decision) -> DecisionDocument<'_> {
    match decision {
        Decision::Act(action) => act(action),
        Decision::Refuse { method, via, refusals } => {
            DecisionDocument::Refuse { method: *method, via: *via, refusals }
        }
        Decision::NoMethod => DecisionDocument::NoMethod,
        Decision::NotPresent => DecisionDocument::NotPresent,
    }
}

fn act(action: &Action) -> DecisionDocument<'_> {
    DecisionDocument::Act {
        method: action.method,
        via: action.via,
        functions: action.functions.iter().map(|function| function.address).collect(),
        floor_ms: milliseconds(action.floor()),
        budget_ms: milliseconds(action.budget),
        steps: action.steps.iter().map(planned_step).collect(),
    }
}

fn planned_step(step: &PlannedStep) -> PlannedStepDocument<'_> {
    PlannedStepDocument {
        step: step.name,
        text: &step.text,
        floor_ms: milliseconds(step.floor),
        ceiling_ms: milliseconds(step.ceiling),
    }
}

/// A [`Report`], as `reset --json` prints it.
#[derive(Debug, Serialize)]
pub struct ReportDocument<'r> {
    schema: u32,
    address: Address,
    method: MethodName,
    via: Via,
    outcome: Outcome,
    exit_code: u8,
    total_ms: f64,
    steps: Vec<StepDocument<'r>>,
    verification: &'r [Check],
    evidence: Option<&'r Evidence>,
    notes: &'r [String],
    next: &'r [String],
    kernel_log: Vec<&'r str>,
}

#[derive(Debug, Serialize)]
struct StepDocument<'r> {
    step: crate::plan::StepName,
    ok: bool,
    text: &'r str,
    time_ms: f64,
    floor_ms: f64,
    excess_ms: f64,
}

/// The JSON form of a report.
#[must_use]
pub fn report(report: &Report) -> ReportDocument<'_> {
    ReportDocument {
        schema: SCHEMA,
        address: report.address,
        method: report.method,
        via: report.via,
        outcome: report.outcome,
        exit_code: report.outcome.exit_code(),
        total_ms: milliseconds(report.total()),
        steps: report.steps.iter().map(step).collect(),
        verification: &report.verification,
        evidence: report.evidence.as_ref(),
        notes: &report.notes,
        next: &report.next,
        kernel_log: report.kernel_log.iter().map(|line| line.text.as_str()).collect(),
    }
}

fn step(step: &StepReport) -> StepDocument<'_> {
    StepDocument {
        step: step.name,
        ok: step.ok,
        text: &step.text,
        time_ms: milliseconds(step.time),
        floor_ms: milliseconds(step.floor),
        excess_ms: milliseconds(step.excess()),
    }
}

/// A [`Refusal`] or a plan without a way, as `reset --json` prints it when nothing was done.
#[derive(Debug, Serialize)]
pub struct NothingDone<'p> {
    schema: u32,
    address: Address,
    outcome: &'static str,
    exit_code: u8,
    /// Nothing was done: no steps.
    steps: [(); 0],
    /// Nothing was done: nothing to verify.
    verification: [(); 0],
    plan: PlanDocument<'p>,
}

impl Plan {
    /// The exit code of a reset that this plan forbids; `None` if it allows one.
    #[must_use]
    pub const fn exit_code(&self) -> Option<u8> {
        match self.decision {
            Decision::Act(_) => None,
            Decision::Refuse { .. } => Some(3),
            Decision::NoMethod => Some(4),
            Decision::NotPresent => Some(6),
        }
    }
}

/// The JSON form of a reset that the plan forbids; `None` if it allows one.
#[must_use]
pub fn nothing_done(subject: &Plan) -> Option<NothingDone<'_>> {
    let outcome = match subject.decision {
        Decision::Act(_) => return None,
        Decision::Refuse { .. } => "refused",
        Decision::NoMethod => "no_method",
        Decision::NotPresent => "not_present",
    };
    Some(NothingDone {
        schema: SCHEMA,
        address: subject.address,
        outcome,
        exit_code: subject.exit_code()?,
        steps: [],
        verification: [],
        plan: plan(subject),
    })
}
