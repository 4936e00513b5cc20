//! The steps of other KBs that come before an update, and the closure: the same packages for any machine,
//! which `fetch` and `export` include. [`requirements`] computes the KBs.

use std::collections::BTreeSet;

use super::answer::Step;
use super::condition::Condition;
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::judgement::{Judgement, Statement};
use super::library::Library;
use super::package_set::PackageSet;
use super::place::Place;
use super::requirement::{Requirement, Rule};
use super::requirements::{requirements, requirements_of_all, takes_separate_stack};
use super::step::step_of_kb;
use crate::error::Result;
use crate::facts::{Evidence, Role};
use crate::servicing::{Family, Knowledge, PrerequisiteRole};
use crate::update::{Kb, Kind, Month, PackageName};

impl From<PrerequisiteRole> for Role {
    fn from(needed: PrerequisiteRole) -> Self {
        match needed {
            PrerequisiteRole::Ssu => Self::Ssu,
            PrerequisiteRole::Prerequisite => Self::Prerequisite,
        }
    }
}

/// Returns the steps of other KBs before a set, in order.
pub(super) fn steps_before(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    draft: &mut PlanDraft,
) -> Result<Vec<Step>> {
    let family = context.family_of(set);
    let needed = requirements(set, family, context.library, context.knowledge)?;
    let mut steps: Vec<Step> = Vec::new();
    for requirement in unmet_requirements(context, set, &needed) {
        let (kb, step) = step_before(context, requirement, set, &mut draft.warnings)?;
        if steps.iter().all(|known| known.kb != Some(kb)) {
            steps.push(step);
        }
    }
    draft.judgements.extend(installed_stack(context, set, &needed));
    let family_without_stack = family.filter(|family| {
        takes_separate_stack(set, family, context.knowledge)
            && !needed.iter().any(|one| one.role == Role::Ssu)
    });
    if let Some(family) = family_without_stack {
        draft.warnings.push(format!(
            "{} takes its servicing stack as a separate package, and no stack published up to {} is known: install the newest stack first",
            family.name, set.kb
        ));
    }
    draft.warnings.extend(family.and_then(|family| unknown_floor(context, set, family)));
    Ok(steps)
}

/// Returns the warning of a separate servicing stack for which no source states the stacks that it needs first. A
/// machine with an installed stack of the family meets such needs.
fn unknown_floor(context: &ResolveContext<'_>, set: &PackageSet, family: &Family) -> Option<String> {
    let (machine, table) = (&context.request.machine, context.knowledge.prerequisites());
    let is_open = set.kind == Some(Kind::Ssu)
        && machine.effective_build().is_some()
        && machine.installed.is_empty()
        && table.separate_stack(family.id, set.month.map(Month::last_day)).is_some()
        && table.floor(set.kb).is_none()
        && !table.single_prerequisites().iter().any(|row| row.kb == set.kb || row.needs == set.kb);
    is_open.then(|| {
        format!(
            "no source states which servicing stacks {} needs first: if it fails with 0x800f081e, install an earlier stack of {}",
            set.kb, family.name
        )
    })
}

/// Returns the requirements of other KBs that the machine does not meet, in order. A package that only a met
/// requirement needs is not needed.
fn unmet_requirements<'r>(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    needed: &'r [Requirement],
) -> Vec<&'r Requirement> {
    let mut unmet: Vec<&Requirement> = Vec::new();
    for requirement in needed.iter().rev() {
        let is_step = match requirement.rule {
            // A judgement and a plan of their own handle these rules.
            Rule::EsuPreparation | Rule::EnablementFloor { .. } => false,
            Rule::Before { update } => update == set.kb || unmet.iter().any(|other| other.kb == update),
            _ => requirement.is_of_other_kb(),
        };
        let is_met = requirement.when.holds(&context.request.machine) == Some(false)
            || context.request.machine.has_installed(requirement.kb);
        if is_step && !is_met {
            unmet.push(requirement);
        }
    }
    unmet.reverse();
    unmet
}

fn step_before(
    context: &ResolveContext<'_>,
    requirement: &Requirement,
    set: &PackageSet,
    warnings: &mut Vec<String>,
) -> Result<(Kb, Step)> {
    let kb = available_kb(context, requirement);
    let mut evidence = requirement.evidence.clone();
    let mut when = requirement.when.clone();
    if kb != requirement.kb {
        let row = format!("{kb} is available and not older than {}", requirement.kb);
        evidence.insert(0, Evidence::Knowledge { row, date: context.knowledge.date().to_string() });
        when = Condition::StackBelow { kb, newer: Vec::new() };
    }
    let because = requirement.reason(set.kb, context.request.machine.effective_build());
    let mut step = step_of_kb(context, kb, requirement.role, set, because, &evidence, warnings)?;
    let is_open =
        context.request.machine.baseline.is_none() && context.request.machine.place != Place::Mirror;
    step.needed_if = is_open.then_some(when);
    if let Rule::Floor { below } = requirement.rule {
        step.needed_below = Some(below);
    }
    if let Some(level) = context.knowledge.prerequisites().service_level(kb) {
        step.needed_below = Some(level.build);
        // The next update finds the service level only after a restart.
        step.restart_after = context.request.machine.place == Place::Online;
    }
    if let Rule::PreparationFloor { floor } = requirement.rule {
        // The preparation checks the running revision. An image does not run.
        step.needed_below = Some(floor);
        step.restart_after = context.request.machine.place == Place::Online;
    }
    Ok((kb, step))
}

/// Returns the KB that meets a requirement and is available: its own, else the newest alternative.
fn available_kb(context: &ResolveContext<'_>, requirement: &Requirement) -> Kb {
    let available: BTreeSet<Kb> = context
        .request
        .available
        .iter()
        .flatten()
        .filter(|name| !PackageName::parse(name).delta)
        .filter_map(|name| context.knowledge.parents().kb_of_file(name))
        .collect();
    let own_first = [requirement.kb].into_iter().chain(requirement.alternatives().iter().copied());
    own_first.into_iter().find(|kb| available.contains(kb)).unwrap_or(requirement.kb)
}

/// Returns the judgement that an installed servicing stack makes the step unnecessary.
fn installed_stack(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    needed: &[Requirement],
) -> Option<Judgement> {
    let needed = needed.iter().find(|one| matches!(one.rule, Rule::SeparateStack { .. }))?;
    let serves = |kb: &&Kb| context.request.machine.has_installed(**kb) && needed.is_met_by(**kb);
    let stack = *context.request.machine.installed.iter().find(serves)?;
    let judgement = Judgement::new(Statement::StackInstalled { stack, kb: set.kb });
    Some(judgement.with_evidence(needed.evidence.last().cloned()))
}

/// A package of another KB that a set requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosureMember {
    /// The KB.
    pub kb: Kb,
    /// The role.
    pub role: Role,
    /// `true` if every machine needs the package. If `false`, only some machines do, and the set is useful
    /// without it.
    pub always: bool,
}

/// Returns the packages that a set needs beside its own files on any machine: stacks, floors, prerequisites,
/// and the preparation for Extended Security Updates.
///
/// The update that brings the floor of an enablement package or of a preparation is not included, because policy
/// and date choose it.
pub fn closure(set: &PackageSet, library: &dyn Library, knowledge: &Knowledge) -> Result<Vec<ClosureMember>> {
    let needed = requirements_of_all(set, library, knowledge)?;
    let is_floor = |rule: &Rule| matches!(rule, Rule::EnablementFloor { .. } | Rule::PreparationFloor { .. });
    let elsewhere = needed.iter().filter(|one| one.is_of_other_kb() && !is_floor(&one.rule));
    let along: BTreeSet<ClosureMember> = elsewhere
        .map(|one| ClosureMember { kb: one.kb, role: one.role, always: !one.when.excludes_some_machines() })
        .collect();
    Ok(along.into_iter().collect())
}
