//! The plan for one KB. The order of judgement is fixed, so that the same request always gets the same kind
//! of answer. Every refusal names the way out if one exists.
//!
//! The order is:
//!
//! 1. a hotpatch
//! 2. a set for the architecture, the family, and the installation
//! 3. the place
//! 4. a withdrawal
//! 5. a baseline that already has the update
//! 6. Extended Security Updates and the edition
//! 7. the steps
//!
//! If several sets remain and all are refused for the same reason, that refusal is the answer. Otherwise the
//! answer lists the sets as choices.

use std::collections::BTreeSet;

use super::answer::{Choice, Plan, Status};
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::grounds::{family_judgement, kind_judgement};
use super::judge::{judge, withdrawal_refusal};
use super::refusal::{JudgementResult, Refusal};
use super::sets::PackageSet;
use super::steps::plan_steps;
use super::text::join_names;
use crate::error::Result;
use crate::update::{Architecture, Build, Kb, Kind};

/// Returns the plan for one KB.
pub(super) fn plan_kb(context: &ResolveContext<'_>, kb: Kb) -> Result<Plan> {
    let draft = PlanDraft::of(context, Some(kb));
    let sets = context.library.sets(kb)?;
    let candidates = match matching_sets(context, kb, &sets) {
        Ok(candidates) => candidates,
        Err(stop) => return draft.into_plan(context, Err(stop)),
    };
    let plans = candidates.iter().map(|set| plan_set(context, set));
    let mut plans = plans.collect::<Result<Vec<Plan>>>()?;
    let same = plans.windows(2).all(|pair| {
        matches!(pair, [a, b] if a.status == b.status && a.successor == b.successor && !is_set_specific(a.status))
    });
    if plans.len() == 1 || same {
        return Ok(plans.swap_remove(0));
    }
    let mut choices: Vec<Choice> = candidates.iter().map(|set| Choice::of_set(set)).collect();
    choices.sort();
    let flags = distinguishing_options(context, &candidates);
    let advice = format!("{} package sets of {kb} match: select one with {flags}", candidates.len());
    Ok(draft.into_refusal_plan(context, Refusal::new(Status::Ambiguous, advice).with_choices(choices)))
}

/// Returns the sets of a KB that the request can mean, at least one.
fn matching_sets<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: &'s [PackageSet],
) -> JudgementResult<Vec<&'s PackageSet>> {
    let is_hotpatch = |set: &PackageSet| set.kind == Some(Kind::Hotpatch);
    let row = context.knowledge.withdrawn().hotpatch(kb);
    if row.is_some() || (!sets.is_empty() && sets.iter().all(is_hotpatch)) {
        let advice = format!(
            "{kb} is a hotpatch, which the Catalog does not have: install the cumulative update of that month, which needs a restart"
        );
        let refusal = Refusal::new(Status::UnavailableOffline, advice);
        return Err(refusal.with_evidence(row.map(|row| context.row_evidence(&row.source))).into());
    }
    if sets.is_empty() {
        if let Some(refusal) = withdrawal_refusal(context, kb) {
            return Err(refusal.into());
        }
        let advice = format!(
            "neither the index nor the knowledge has an entry for {kb}: {}",
            context.library.side().advise_unknown_kb(kb)
        );
        return Err(Refusal { is_unknown_kb: true, ..Refusal::new(Status::Unknown, advice) }.into());
    }
    context.check_product(sets)?;
    filter_sets(context, kb, sets)
}

/// Returns the plan for one set.
pub(super) fn plan_set(context: &ResolveContext<'_>, set: &PackageSet) -> Result<Plan> {
    let mut draft = PlanDraft::of_set(context, set);
    draft.judgements.push(kind_judgement(set));
    draft.judgements.extend(family_judgement(context, set));
    let judged = judge(context, set, &mut draft).and_then(|()| plan_steps(context, set, &mut draft));
    draft.into_plan(context, judged)
}

/// Returns the options that would distinguish these sets.
fn distinguishing_options(context: &ResolveContext<'_>, sets: &[&PackageSet]) -> String {
    let architectures: BTreeSet<_> = sets.iter().map(|set| set.architecture).collect();
    let families: BTreeSet<_> = sets.iter().map(|set| &set.families).collect();
    let mut flags = Vec::new();
    if architectures.len() > 1 {
        flags.push("--arch");
    }
    if architectures.len() == sets.len() {
        // The architecture alone distinguishes them.
    } else if families.len() > 1 && context.request.machine.baseline.is_none() {
        flags.push("--product or --baseline");
    } else if families.len() > 1 {
        flags.push("--product or --installation");
    } else {
        flags.push("--product");
    }
    flags.join(" and ")
}

/// Returns the sets that the architecture, the product, the build, and the installation of the request leave,
/// at least one.
fn filter_sets<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: &'s [PackageSet],
) -> JudgementResult<Vec<&'s PackageSet>> {
    let request = context.request;
    let no = |advice: String| Refusal::new(Status::NotApplicable, advice);
    let mut left: Vec<&PackageSet> = sets.iter().filter(|set| !set.is_dynamic_variant).collect();
    if let Some(architecture) = request.machine.architecture {
        let there = join_names(left.iter().map(|set| set.architecture.map_or("any", Architecture::as_str)));
        left.retain(|set| set.architecture.is_none_or(|of_set| of_set == architecture));
        if left.is_empty() {
            let advice = format!("{kb} has no package for {architecture}; it has packages for {there}");
            return Err(no(advice).into());
        }
    }
    // Without a requested architecture, sets of the Catalog have precedence over sets of knowledge.
    let is_crawled = |set: &PackageSet| !set.updates.is_empty();
    if request.machine.architecture.is_none() && left.iter().any(|set| is_crawled(set)) {
        left.retain(|set| is_crawled(set));
    }
    if let Some(product) = &context.product {
        let there = join_names(left.iter().flat_map(|set| set.products.iter().map(String::as_str)));
        let picked = product.pick(&left.iter().map(|set| set.filed()).collect::<Vec<_>>());
        left = left.into_iter().zip(picked).filter(|(_, picked)| *picked).map(|(set, _)| set).collect();
        if left.is_empty() {
            let asked = request.product.as_deref().unwrap_or_default();
            return Err(no(format!("{kb} is not for {asked:?}; it is for {there}")).into());
        }
    }
    if let Some(build) = request.machine.baseline {
        return filter_by_build(context, kb, build, left);
    }
    if let Some(installation) = request.machine.installation {
        let for_it = |set: &&PackageSet| {
            set.families.is_empty() || set.families.iter().any(|family| family.installation == installation)
        };
        left.retain(for_it);
        if left.is_empty() {
            return Err(no(format!("{kb} has no package for a {}", installation.as_str())).into());
        }
    }
    Ok(left)
}

/// Returns the sets that a machine at a build takes, at least one.
fn filter_by_build<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    build: Build,
    mut left: Vec<&'s PackageSet>,
) -> JudgementResult<Vec<&'s PackageSet>> {
    let knowledge = context.knowledge;
    let there =
        join_names(left.iter().flat_map(|set| set.families.iter().map(|family| family.name.as_str())));
    // A set without a known family may be for any machine.
    left.retain(|set| set.families.is_empty() || context.families.iter().any(|family| set.serves(family)));
    if left.is_empty() {
        let machine = join_names(context.families.iter().map(|family| family.name.as_str()));
        let instead = context.families.iter().find_map(|family| knowledge.dotnet().replacement(kb, family));
        let way_out = instead.map_or_else(String::new, |row| format!("; take {} there", row.take));
        let advice = format!(
            "{kb} is for {there}; build {build} is {machine}, which does not take its packages{way_out}"
        );
        return Err(Refusal::new(Status::NotApplicable, advice).into());
    }
    if let Some(rule) = knowledge.parents().rule(kb).filter(|rule| !rule.accepts(build)) {
        let accepted = join_names(rule.accepts.iter().map(|parent| service_pack(parent.number)));
        let advice = format!("{kb} is for {accepted}; build {build} is {}", service_pack(build.number));
        return Err(Refusal::new(Status::NotApplicable, advice).into());
    }
    Ok(left)
}

/// Returns `true` for a status that cannot represent several sets, because a plan names files of one set.
fn is_set_specific(status: Status) -> bool {
    matches!(status, Status::Install | Status::NeedsPrerequisite | Status::Ambiguous)
}

/// Returns the name of a service pack in parent rules.
fn service_pack(number: u32) -> &'static str {
    match number {
        7600 => "Windows 7 without a service pack",
        7601 => "Windows 7 with Service Pack 1",
        _ => "another service pack",
    }
}
