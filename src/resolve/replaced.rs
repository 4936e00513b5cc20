//! The newest known replacement of an update. It is named only with evidence: a higher build of a cumulative
//! update of the same family, or the Catalog's own statement of a replacement.

use super::answer::{Plan, Replacement};
use super::candidates::{BestCandidate, best_candidate, candidates};
use super::context::ResolveContext;
use super::package_set::PackageSet;
use crate::error::Result;
use crate::servicing::Family;
use crate::update::{Kb, Kind};

/// Returns the newest replacement of an answer's KB in a family.
pub(super) fn replacement(
    context: &ResolveContext<'_>,
    plan: &Plan,
    family: &Family,
) -> Result<Option<Replacement>> {
    let Some(kb) = plan.kb else { return Ok(None) };
    let sets = context.library.sets(kb)?;
    let Some(own) = sets.iter().find(|set| set.serves(family) && fits(set, plan)) else {
        return Ok(None);
    };
    let found = match newer_build(context, own, family)? {
        Some(found) => Some(found),
        None => newest_superseding(context, own, family, plan)?,
    };
    let Some((kb, evidence)) = found else { return Ok(None) };
    let sets = context.library.sets(kb)?;
    let mut its = sets.iter().filter(|set| set.serves(family) && fits(set, plan) && set.is_main());
    let present =
        its.any(|set| !set.members.is_empty() && set.members.iter().all(|member| member.file.present));
    Ok(Some(Replacement { kb, present, evidence }))
}

/// Returns the cumulative update of the highest build above a set's own.
fn newer_build(
    context: &ResolveContext<'_>,
    own: &PackageSet,
    family: &Family,
) -> Result<Option<(Kb, String)>> {
    let (true, Some(build)) = (own.kind.is_some_and(Kind::is_windows_cumulative), own.build()) else {
        return Ok(None);
    };
    let Some(build) = family.canonical(build) else { return Ok(None) };
    let mut newer = candidates(context, &[Kind::Lcu, Kind::LcuPreview], family)?;
    newer.retain(|candidate| {
        candidate.kb != own.kb
            && candidate.build.is_some_and(|other| other.number == build.number && other > build)
    });
    let BestCandidate::One(kb) = best_candidate(&newer, context.request.policy, context.request.as_of) else {
        return Ok(None);
    };
    let brings = newer.iter().find(|candidate| candidate.kb == kb).and_then(|candidate| candidate.build);
    let brings = brings.map_or_else(String::new, |brings| format!("{kb} brings {brings}, "));
    Ok(Some((kb, format!("{brings}and {} brings {build}", own.kb))))
}

/// Returns the newest update that, as the Catalog states, replaces a set's own directly or indirectly.
fn newest_superseding(
    context: &ResolveContext<'_>,
    own: &PackageSet,
    family: &Family,
    plan: &Plan,
) -> Result<Option<(Kb, String)>> {
    let of_family = |update: &&crate::facts::UpdateFacts| {
        let same = update
            .family(context.knowledge)
            .is_some_and(|other| (other.id, other.installation) == (family.id, family.installation));
        let fits = match (plan.architecture, update.architecture) {
            (Some(wanted), Some(other)) => wanted == other,
            _ => true,
        };
        let day = update.last_updated.or(update.month.map(crate::update::Month::first_day));
        let is_there = context.request.as_of.is_none_or(|as_of| day.is_some_and(|day| day <= as_of));
        same && fits
            && is_there
            && update.kb.is_some_and(|kb| kb != own.kb && context.knowledge.withdrawn().of_kb(kb).is_none())
    };
    let updates = context.library.replacements_of(own.kb)?;
    let newest =
        updates.iter().filter(of_family).max_by_key(|update| (update.month, update.last_updated, update.kb));
    Ok(newest.and_then(|update| {
        let kb = update.kb?;
        Some((kb, format!("the Catalog states that {kb} replaces {}", own.kb)))
    }))
}

/// Returns `true` if a set is for the architecture of an answer.
fn fits(set: &PackageSet, plan: &Plan) -> bool {
    match (set.architecture, plan.architecture) {
        (Some(own), Some(wanted)) => own == wanted,
        _ => true,
    }
}
