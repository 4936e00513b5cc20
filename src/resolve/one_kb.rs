//! The plan for one KB. The order of judgement is fixed, so that the same request always gets the same kind
//! of answer. Every refusal names the way out if one exists.
//!
//! The order is:
//!
//! 1. a machine whose build belongs to no known family and is in no title of the KB
//! 2. an update that only Windows Update delivers
//! 3. a set for the architecture, the family, and the installation
//! 4. the place
//! 5. a withdrawal
//! 6. a baseline that already has the update
//! 7. Extended Security Updates and the edition
//! 8. the steps
//!
//! Of a KB that Microsoft issued again, the newest issue counts, or the requested one.
//!
//! If several sets remain and all are refused for the same reason, that refusal is the answer. Otherwise the
//! answer lists the sets as choices.

use std::collections::BTreeSet;

use super::answer::{Choice, Plan, Status};
use super::applicability::filter_by_condition;
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::grounds::{family_judgement, kind_judgement};
use super::judge::{judge, withdrawal_refusal};
use super::matching::{check_machine, filter_sets};
use super::package_set::PackageSet;
use super::refusal::{JudgementResult, Refusal};
use super::steps::plan_steps;
use super::text::join_names;
use super::versions::{newer_versions, version_words};
use super::windows_update::windows_update_only_refusal;
use crate::error::Result;
use crate::update::Kb;

/// Returns the plan for one KB.
pub(super) fn plan_kb(context: &ResolveContext<'_>, kb: Kb) -> Result<Plan> {
    let draft = PlanDraft::of(context, Some(kb));
    let sets = context.library.sets(kb)?;
    let candidates = match matching_sets(context, kb, &sets) {
        Ok(candidates) => candidates,
        Err(stop) => return draft.into_plan(context, Err(stop)),
    };
    let newer = newer_versions(&candidates);
    let (older, candidates): (Vec<_>, Vec<_>) =
        candidates.into_iter().zip(newer).partition(|(_, newer)| newer.is_some());
    let candidates: Vec<&PackageSet> = candidates.into_iter().map(|(set, _)| set).collect();
    let plans = candidates.iter().map(|set| plan_set(context, set));
    let mut plans = plans.collect::<Result<Vec<Plan>>>()?;
    for (plan, set) in plans.iter_mut().zip(&candidates) {
        plan.warnings.extend(unknown_family_warning(context));
        plan.warnings.extend(generation_warning(set, &sets));
    }
    for (set, newer) in older {
        let newer = newer.map(version_words).unwrap_or_default();
        let text = format!("{kb} has the older version {}; used {newer}", version_words(set));
        for plan in &mut plans {
            plan.warnings.push(text.clone());
        }
    }
    let same = plans.windows(2).all(|pair| {
        matches!(pair, [a, b] if a.status == b.status && a.successor == b.successor && !is_set_specific(a.status))
    });
    if plans.len() == 1 || same {
        return Ok(plans.swap_remove(0));
    }
    let mut choices: Vec<Choice> = candidates.iter().map(|set| Choice::of_set(set)).collect();
    choices.sort();
    choices.dedup();
    let advice = match distinguishing_options(context, &candidates) {
        Some(flags) => format!("{} package sets of {kb} match: select one with {flags}", candidates.len()),
        None => format!(
            "{} package sets of {kb} match, and no source states which is newer: {}",
            candidates.len(),
            join_names(candidates.iter().flat_map(|set| own_names(set)))
        ),
    };
    Ok(draft.into_refusal_plan(context, Refusal::new(Status::Ambiguous, advice).with_choices(choices)))
}

/// Returns the sets of a KB that the request can mean, at least one.
fn matching_sets<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: &'s [PackageSet],
) -> JudgementResult<Vec<&'s PackageSet>> {
    check_machine(context, kb, sets)?;
    if let Some(refusal) = windows_update_only_refusal(context, kb, sets) {
        return Err(refusal.into());
    }
    if sets.is_empty() {
        if let Some(refusal) = withdrawal_refusal(context, kb) {
            return Err(refusal.into());
        }
        let hints = context.library.side().hints_of_unknown_kb(kb).join("; ");
        let advice = format!("neither the index nor the knowledge has an entry for {kb}: {hints}");
        return Err(Refusal { is_unknown_kb: true, ..Refusal::new(Status::Unknown, advice) }.into());
    }
    context.check_product(sets)?;
    filter_sets(context, kb, sets).and_then(|left| filter_by_condition(context, kb, left))
}

/// Returns the plan for one set.
pub(super) fn plan_set(context: &ResolveContext<'_>, set: &PackageSet) -> Result<Plan> {
    let mut draft = PlanDraft::of_set(context, set);
    draft.judgements.push(kind_judgement(set));
    draft.judgements.extend(family_judgement(context, set));
    let judged = judge(context, set, &mut draft).and_then(|()| plan_steps(context, set, &mut draft));
    draft.into_plan(context, judged)
}

/// Returns the warning that Microsoft issued a KB again, with the other issues.
fn generation_warning(set: &PackageSet, all: &[PackageSet]) -> Option<String> {
    let own = set.generation?;
    let shared = |other: &&PackageSet| {
        other.generation.is_some_and(|other| other.of == own.of && other.number != own.number)
            && (other.architecture, other.kind, &other.families)
                == (set.architecture, set.kind, &set.families)
    };
    let mut others: Vec<&PackageSet> = all.iter().filter(shared).collect();
    others.sort_by_key(|other| other.generation.map(|other| other.number));
    let others = others.iter().filter_map(|other| {
        let number = other.generation?.number;
        let age = if number < own.number { "older" } else { "newer" };
        let names = join_names(own_names(other));
        Some(format!("; --generation {number} selects the {age} {names}"))
    });
    let which = if own.is_newest() { "the newest issue" } else { "not the newest issue" };
    let others: String = others.collect();
    Some(format!(
        "Microsoft issued {} {} times, and this is issue {}, {which}{others}",
        set.kb, own.of, own.number
    ))
}

/// Returns the names of the files that are the update itself.
fn own_names(set: &PackageSet) -> impl Iterator<Item = &str> {
    let own = set.members.iter().filter(|member| member.role.is_update());
    own.map(|member| member.file.known_name().unwrap_or("a file without a known name"))
}

/// Returns the options that distinguish these sets, or `None` if no option does.
fn distinguishing_options(context: &ResolveContext<'_>, sets: &[&PackageSet]) -> Option<String> {
    let architectures: BTreeSet<_> = sets.iter().map(|set| set.architecture).collect();
    let families: BTreeSet<_> = sets.iter().map(|set| &set.families).collect();
    let mut flags = Vec::new();
    if architectures.len() > 1 {
        flags.push("--arch");
    }
    if architectures.len() == sets.len() {
        // The architecture alone distinguishes them.
        return Some(flags.join(" and "));
    }
    // Each set must have a product that another set of its architecture does not have.
    let has_own_product = |set: &&PackageSet| {
        let mut rivals = sets.iter().filter(|other| other.architecture == set.architecture && *other != set);
        rivals.all(|other| set.products.iter().any(|product| !other.products.contains(product)))
    };
    let generations: BTreeSet<_> =
        sets.iter().map(|set| (set.architecture, set.generation.map(|own| own.number))).collect();
    if families.len() > 1 && context.request.machine.baseline.is_none() {
        flags.push("--product or --baseline");
    } else if families.len() > 1 {
        flags.push("--product or --installation");
    } else if generations.len() == sets.len() {
        flags.push("--generation");
    } else if sets.iter().all(has_own_product) {
        flags.push("--product");
    } else {
        return None;
    }
    Some(flags.join(" and "))
}

/// Returns the warning for a machine of no known family, whose plan follows from titles.
fn unknown_family_warning(context: &ResolveContext<'_>) -> Option<String> {
    let build = context.request.machine.baseline.filter(|_| context.families.is_empty())?;
    Some(format!(
        "build {build} does not belong to any family known as of {}: planned from the titles of the Catalog only",
        context.knowledge.date()
    ))
}

/// Returns `true` for a status that cannot represent several sets, because a plan names files of one set.
fn is_set_specific(status: Status) -> bool {
    matches!(status, Status::Install | Status::NeedsPrerequisite | Status::Ambiguous)
}
