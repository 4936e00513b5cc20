//! The condition of an entry for machines that do not have another update: "… (KB2961858) without KB2919355".
//!
//! A machine has the other update if it is installed, or if the machine's build contains it. An entry whose
//! condition a machine meets has precedence over an entry of the same KB without a condition.

use super::condition::Condition;
use super::context::ResolveContext;
use super::package_set::PackageSet;
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use crate::facts::Evidence;
use crate::servicing::Knowledge;
use crate::update::Kb;

/// Returns the sets whose conditions the machine may meet, at least one.
pub(super) fn filter_by_condition<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    mut left: Vec<&'s PackageSet>,
) -> JudgementResult<Vec<&'s PackageSet>> {
    if context.request.machine.place == Place::Mirror {
        return Ok(left);
    }
    let held =
        |set: &PackageSet| set.without.iter().copied().find(|other| has_kb(context, *other) == Some(true));
    let refused = left.iter().find_map(|set| held(set));
    left.retain(|set| held(set).is_none());
    if let (Some(other), true) = (refused, left.is_empty()) {
        return Err(condition_refusal(context, kb, other).into());
    }
    let is_met = |set: &PackageSet| {
        !set.without.is_empty() && set.without.iter().all(|other| has_kb(context, *other) == Some(false))
    };
    if left.iter().any(|set| is_met(set)) {
        left.retain(|set| is_met(set));
    }
    Ok(left)
}

fn condition_refusal(context: &ResolveContext<'_>, kb: Kb, other: Kb) -> Refusal {
    let machine = &context.request.machine;
    let level = context.knowledge.prerequisites().service_level(other);
    let proof = match (machine.has_installed(other), machine.effective_build(), level) {
        (false, Some(at), Some(level)) => format!("{at} contains it, from {} on", level.build),
        _ => "it is installed".to_owned(),
    };
    let advice = format!("{kb} is for machines without {other}, and {proof}");
    let refusal = Refusal::not_applicable(advice, Evidence::Titles { kb });
    refusal.with_evidence(level.map(|level| context.row_evidence(&level.source)))
}

/// Returns `true` if the machine has an update, or `None` if nothing proves it.
fn has_kb(context: &ResolveContext<'_>, kb: Kb) -> Option<bool> {
    let machine = &context.request.machine;
    if machine.has_installed(kb) {
        return Some(true);
    }
    let level = context.knowledge.prerequisites().service_level(kb);
    let by_build = level
        .zip(machine.effective_build())
        .and_then(|(level, at)| level.is_in(at, context.knowledge.families()));
    // A list of installed KBs is complete as far as it matters.
    by_build.or_else(|| (!machine.installed.is_empty()).then_some(false))
}

/// Returns the machines that need an update of another KB: by its build, if it is a service level.
pub(super) fn condition_of_kb(kb: Kb, knowledge: &Knowledge) -> Condition {
    match knowledge.prerequisites().service_level(kb) {
        Some(level) => Condition::BuildBelow(level.build),
        None => Condition::NotInstalled(kb),
    }
}

/// Returns the machines that take a set, if its titles exclude other machines.
pub(super) fn condition_of_titles(set: &PackageSet, knowledge: &Knowledge) -> Option<Condition> {
    set.without.first().map(|kb| condition_of_kb(*kb, knowledge))
}
