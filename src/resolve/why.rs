//! The reasons behind a plan, as a tree: the conclusion, the judgements in their order, the steps, the
//! missing packages, and the warnings. A renderer only indents it.
//!
//! Evidence is stated once, at the highest node that it supports. A dialog that listed several of the files
//! is stated at the root. Evidence of a judgement is not repeated under the step that follows from it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::answer::{MissingPackage, Plan, Status, Step};
use super::judgement::Judgement;
use crate::facts::{Evidence, Role, dialog_statement};
use crate::update::{UpdateId, human_size};

/// A reason: a conclusion, its sources, and the reasons that it follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Reason {
    /// The statement, as a sentence.
    pub conclusion: String,
    /// The sources.
    pub evidence: Vec<String>,
    /// The reasons that it follows from.
    pub because: Vec<Self>,
}

impl Reason {
    /// Returns a reason without sources and without further reasons.
    fn new(conclusion: impl Into<String>) -> Self {
        Self { conclusion: conclusion.into(), evidence: Vec::new(), because: Vec::new() }
    }

    /// Adds sources.
    #[must_use]
    fn with_evidence(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Adds reasons that it follows from.
    #[must_use]
    fn with_reasons(mut self, reasons: impl IntoIterator<Item = Self>) -> Self {
        self.because.extend(reasons);
        self
    }
}

impl From<&Judgement> for Reason {
    fn from(judgement: &Judgement) -> Self {
        Self::new(judgement.statement.to_string())
            .with_evidence(judgement.evidence.iter().map(ToString::to_string))
            .with_reasons(judgement.because.iter().map(Self::from))
    }
}

/// Returns the reasons behind a plan.
pub fn why(plan: &Plan) -> Reason {
    let shared = shared_dialogs(&plan.steps);
    let mut root = Reason::new(plan.headline());
    for (update, seen, steps) in &shared {
        root.evidence.push(dialog_statement(*update, &listed_files(steps, plan.steps.len()), *seen));
    }
    let mut judgements: Vec<Reason> = plan.judgements.iter().map(Reason::from).collect();
    if let Some(last) = judgements.last_mut().filter(|_| !plan.status.is_plan()) {
        last.because.extend(plan.missing.iter().map(missing_reason));
        last.because.extend(choice_reasons(plan));
    }
    root.because = judgements;
    let mut stated: BTreeSet<&Evidence> = BTreeSet::new();
    collect_evidence(&plan.judgements, &mut stated);
    for step in &plan.steps {
        let is_shared = |evidence: &Evidence| match evidence {
            Evidence::Dialog { update, seen } => {
                shared.iter().any(|(other, on, _)| (other, on) == (update, seen))
            }
            _ => false,
        };
        let own = step.evidence.iter().filter(|evidence| !is_shared(evidence) && !stated.contains(evidence));
        root.because.push(step_reason(step, own.map(ToString::to_string).collect(), &plan.steps));
    }
    let is_judged = plan.judgements.iter().any(|judgement| judgement.statement.is_advice());
    if let Some(advice) = plan.advice.as_ref().filter(|_| !is_judged) {
        root.because.push(Reason::new(advice.clone()));
    }
    if !plan.warnings.is_empty() {
        let warnings: BTreeSet<&String> = plan.warnings.iter().collect();
        let warnings = warnings.into_iter().map(Reason::new);
        root.because.push(Reason::new("warnings").with_reasons(warnings));
    }
    root
}

impl Plan {
    /// Returns the subject of the plan: the KB, the architecture, and the baseline.
    fn subject(&self) -> String {
        let at =
            self.baseline.map_or_else(|| "an unknown build".to_owned(), |build| format!("build {build}"));
        let architecture =
            self.architecture.map(|architecture| format!(" ({architecture})")).unwrap_or_default();
        match self.kb {
            Some(kb) => format!("{kb}{architecture} at {at}"),
            None => format!("the goal{architecture} at {at}"),
        }
    }

    /// Returns the answer as one line.
    pub fn headline(&self) -> String {
        let subject = self.subject();
        match self.status {
            Status::Install if self.steps.len() == 1 => format!("{subject}: install 1 file"),
            Status::Install => {
                let (files, open) = (self.steps.len(), self.steps.iter().filter(|step| step.order.is_none()));
                match open.count() {
                    0 => format!("{subject}: install {files} files, in this order"),
                    open if open == files => {
                        format!("{subject}: install from {files} files; their order is unknown")
                    }
                    open => format!("{subject}: install {files} files; the order of {open} is unknown"),
                }
            }
            Status::NothingToDo => format!("{subject}: nothing to do"),
            Status::NotApplicable => format!("{subject}: not applicable"),
            Status::NeedsPrerequisite => format!("{subject}: a prerequisite is missing"),
            Status::Withdrawn => format!("{subject}: withdrawn"),
            Status::UnavailableOffline => format!("{subject}: not available offline"),
            Status::Ambiguous => format!("{subject}: ambiguous"),
            Status::Unknown => format!("{subject}: unknown"),
        }
    }
}

/// Returns the dialogs that listed the files of several steps: the update, the date, and the positions of the
/// steps.
fn shared_dialogs(steps: &[Step]) -> Vec<(UpdateId, Option<Date>, Vec<usize>)> {
    let mut dialogs: Vec<(UpdateId, Option<Date>, Vec<usize>)> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        for evidence in &step.evidence {
            let Evidence::Dialog { update, seen } = evidence else { continue };
            match dialogs.iter_mut().find(|(other, on, _)| other == update && on == seen) {
                Some((.., places)) => places.push(place),
                None => dialogs.push((*update, *seen, vec![place])),
            }
        }
    }
    dialogs.retain(|(.., places)| places.len() > 1);
    dialogs
}

fn listed_files(places: &[usize], all: usize) -> String {
    match places.len() {
        2 if all == 2 => "both files".to_owned(),
        count if count == all => format!("all {all} files"),
        _ => {
            let numbers: Vec<String> = places.iter().map(|place| (place + 1).to_string()).collect();
            format!("the files {}", numbers.join(" and "))
        }
    }
}

fn collect_evidence<'j>(judgements: &'j [Judgement], stated: &mut BTreeSet<&'j Evidence>) {
    for judgement in judgements {
        stated.extend(&judgement.evidence);
        collect_evidence(&judgement.because, stated);
    }
}

fn step_reason(step: &Step, evidence: Vec<String>, steps: &[Step]) -> Reason {
    let order = step.order.map_or_else(|| "?".to_owned(), |order| order.to_string());
    let kb = step.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
    let needed_if = step.needed_if.as_ref().map(|text| format!("; needed if: {text}")).unwrap_or_default();
    let mut reason =
        Reason::new(format!("{order}. {}{kb}: {}{needed_if}", role_name(step.role), step.because));
    if let (Role::Checkpoint, Some(build), Some(kb)) = (step.role, step.brings, step.kb) {
        reason.because.push(Reason::new(format!("{kb} brings {build}")).with_evidence(evidence));
        // Checkpoints form a chain: the next higher one contains the differences against this one.
        let above = steps.iter().filter(|other| {
            matches!(other.role, Role::Checkpoint | Role::Target | Role::Prerequisite)
                && other.brings.is_some_and(|brings| brings > build)
        });
        if let Some((other, brings)) =
            above.filter_map(|other| Some((other.kb?, other.brings?))).min_by_key(|(_, brings)| *brings)
        {
            reason.because.push(Reason::new(format!(
                "{other} brings {brings} and contains only the changes since {build}"
            )));
        }
    } else {
        reason.evidence = evidence;
    }
    if let Some(name) = &step.name {
        let size = step.size.map(|size| format!(", {}", human_size(size))).unwrap_or_default();
        let here = if step.present { "in the mirror" } else { "not in the mirror" };
        reason.because.push(Reason::new(format!("the file is {name}{size}, {here}")));
    } else {
        reason.because.push(Reason::new("the file name is unknown"));
    }
    if step.restart_after {
        reason.because.push(Reason::new("restart the machine: the next step checks the running build"));
    }
    reason
}

/// Returns a role in an administrator's words.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::EsuPreparation => "preparation for Extended Security Updates",
        Role::Ssu => "servicing stack",
        Role::DotnetChild => ".NET Framework package",
        Role::Enablement => "enablement package",
        Role::SafeOs => "Safe OS dynamic update",
        Role::Setup => "Setup dynamic update",
        _ => role.as_str(),
    }
}

fn missing_reason(missing: &MissingPackage) -> Reason {
    let kb = missing.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
    let name = missing.name.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    Reason::new(format!("missing: {}{kb}{name}", role_name(missing.role)))
}

fn choice_reasons(plan: &Plan) -> impl Iterator<Item = Reason> {
    plan.choices.iter().map(|choice| Reason::new(format!("choice: {}", choice.options(plan.kb))))
}
