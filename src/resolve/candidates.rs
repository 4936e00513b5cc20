//! The updates of a kind for a family, and the best of them by policy and date.
//!
//! A release is regular if it first appeared 0 to 2 days after the second Tuesday of its month. A source that
//! states "out of band" overrides this rule. Headings alone prove nothing. Cumulative updates rank by build.
//! An update of unknown build ranks by the month of its title, and two updates of the same month cannot be
//! ranked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

use super::context::ResolveContext;
use super::known::is_package_for;
use super::package_set::PackageSet;
use super::request::Policy;
use crate::error::Result;
use crate::servicing::{Family, ReleaseKind};
use crate::update::{Build, Kb, Kind, Month};

/// An update that a goal may choose.
#[derive(Debug, Clone)]
pub(super) struct UpdateCandidate {
    pub(super) kb: Kb,
    pub(super) build: Option<Build>,
    /// The day on which it first appeared, if it is known.
    date: Option<Date>,
    title_month: Option<Month>,
    pub(super) kind: Option<ReleaseKind>,
}

impl UpdateCandidate {
    /// Returns the month of the update.
    pub(super) fn month(&self) -> Option<Month> {
        self.title_month.or_else(|| self.date.and_then(Month::of))
    }

    /// Returns the type of the release, if it is proven.
    fn release_kind(&self) -> Option<ReleaseKind> {
        match self.kind {
            Some(proven @ (ReleaseKind::Preview | ReleaseKind::OutOfBand)) => Some(proven),
            _ => self.date.map(
                |date| {
                    if is_regular(date) { ReleaseKind::Regular } else { ReleaseKind::OutOfBand }
                },
            ),
        }
    }

    /// Returns `true` if the policy allows the update and it was published by the date.
    pub(super) fn is_allowed(&self, policy: Policy, as_of: Option<Date>) -> bool {
        let published = self.date.or(self.title_month.map(Month::first_day));
        if as_of.is_some_and(|as_of| published.is_none_or(|published| published > as_of)) {
            return false;
        }
        match policy {
            Policy::Preview => true,
            Policy::Oob => self.release_kind() != Some(ReleaseKind::Preview),
            Policy::Security => self.release_kind() == Some(ReleaseKind::Regular),
        }
    }
}

/// Returns `true` for the second Tuesday of a month and the two days after it. Lists and time zones may delay
/// the recorded date by two days.
pub fn is_regular(date: Date) -> bool {
    let second_tuesday = date.nth_weekday_of_month(2, Weekday::Tuesday);
    second_tuesday.is_ok_and(|tuesday| (0..=2).contains(&(date.day() - tuesday.day())))
}

/// The best of some candidates, or those that cannot be ranked.
pub(super) enum BestCandidate {
    None,
    One(Kb),
    Several(Vec<Kb>),
}

/// Returns every known update of some kinds for a family, once for each KB, from the index's titles and the
/// knowledge.
pub(super) fn candidates(
    context: &ResolveContext<'_>,
    kinds: &[Kind],
    family: &Family,
) -> Result<Vec<UpdateCandidate>> {
    let knowledge = context.knowledge;
    let mut found = candidates_of_knowledge(context, kinds, family);
    for update in context.library.updates_of(kinds)?.iter() {
        let Some(kb) = update.kb else { continue };
        let named = update.family(knowledge);
        let own =
            named.is_some_and(|named| (named.id, named.installation) == (family.id, family.installation));
        if !own || !context.fits(update.architecture) {
            continue;
        }
        let known = found.entry(kb).or_insert(UpdateCandidate {
            kb,
            build: None,
            // The date of an entry may be later than its release, never earlier.
            date: None,
            title_month: update.month,
            kind: None,
        });
        known.title_month = known.title_month.or(update.month);
        known.build = update.build.and_then(|build| family.canonical(build)).or(known.build);
        known.kind = known.kind.or_else(|| update.kind.and_then(preview_kind));
        let is_known = knowledge.releases().of_kb_for(kb, family).iter().any(|row| row.date.is_some());
        if !is_known {
            known.date = match (known.date, update.last_updated) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    drop_other_versions(context, family, &mut found)?;
    let withdrawn = |kb: Kb| {
        let table = knowledge.withdrawn();
        table.of_kb(kb).is_some() || table.is_windows_update_only(kb)
    };
    Ok(found.into_values().filter(|candidate| !withdrawn(candidate.kb)).collect())
}

/// Removes the updates of .NET Framework that titles and release notes name only for other versions of the
/// machine's family, or for other releases of .NET Framework.
fn drop_other_versions(
    context: &ResolveContext<'_>,
    family: &Family,
    found: &mut BTreeMap<Kb, UpdateCandidate>,
) -> Result<()> {
    let (knowledge, machine) = (context.knowledge, &context.request.machine);
    let build = machine.baseline.map(|build| build.number).filter(|build| family.builds.contains(build));
    found.retain(|kb, _| knowledge.dotnet().may_take(*kb, family, build));
    if let Some(dotnet) = &machine.dotnet {
        let is_for = |kb: Kb| knowledge.dotnet().single(kb).is_none_or(|row| row.releases.contains(dotnet));
        found.retain(|kb, _| is_for(*kb));
    }
    let Some(own) = build.and_then(|build| family.release_of(build)) else { return Ok(()) };
    let mut named: BTreeMap<Kb, BTreeSet<String>> = BTreeMap::new();
    for update in context.library.updates_of(&[Kind::DotnetCu, Kind::DotnetPreview])?.iter() {
        let is_own = update
            .family(knowledge)
            .is_some_and(|named| (named.id, named.installation) == (family.id, family.installation));
        if let (Some(kb), Some(release)) = (update.kb.filter(|_| is_own), &update.release) {
            named.entry(kb).or_default().insert(release.to_ascii_uppercase());
        }
    }
    let own = own.to_ascii_uppercase();
    found.retain(|kb, _| named.get(kb).is_none_or(|names| names.contains(&own)));
    Ok(())
}

/// Returns the updates of the knowledge.
fn candidates_of_knowledge(
    context: &ResolveContext<'_>,
    kinds: &[Kind],
    family: &Family,
) -> BTreeMap<Kb, UpdateCandidate> {
    let knowledge = context.knowledge;
    let mut found: BTreeMap<Kb, UpdateCandidate> = BTreeMap::new();
    let cumulative = kinds.iter().any(|kind| kind.is_windows_cumulative());
    if cumulative {
        for release in knowledge.releases().of_family(family) {
            let candidate = UpdateCandidate {
                kb: release.kb,
                build: Some(release.build),
                date: release.date.or(release.first_seen),
                title_month: None,
                kind: release.kind,
            };
            found.insert(release.kb, candidate);
        }
    } else {
        for package in knowledge.packages().all() {
            let of_family = is_package_for(package, family);
            let kind = knowledge.stated_kind(package.kb).unwrap_or(package.kind);
            if !of_family || !kinds.contains(&kind) || !context.fits(Some(package.architecture)) {
                continue;
            }
            let known = found.entry(package.kb).or_insert(UpdateCandidate {
                kb: package.kb,
                build: None,
                date: package.date,
                title_month: None,
                kind: preview_kind(kind),
            });
            known.date = known.date.min(package.date).or(known.date).or(package.date);
        }
        for row in knowledge.dotnet().offered().iter().filter(|row| row.family == family.id) {
            let kind = knowledge.parents().kind_of(row.kb).unwrap_or(Kind::DotnetCu);
            let known = found.get(&row.kb).map(|known| known.kind);
            if kinds.contains(&kind) {
                let (kb, kind) = (row.kb, known.unwrap_or(preview_kind(kind)));
                let date = Some(row.date);
                found.insert(kb, UpdateCandidate { kb, build: None, date, title_month: None, kind });
            }
        }
    }
    found
}

/// Returns the newest update that policy and date allow.
pub(super) fn best_candidate(
    candidates: &[UpdateCandidate],
    policy: Policy,
    as_of: Option<Date>,
) -> BestCandidate {
    let allowed: Vec<&UpdateCandidate> =
        candidates.iter().filter(|candidate| candidate.is_allowed(policy, as_of)).collect();
    let by_build = allowed.iter().filter(|candidate| candidate.build.is_some());
    let known = by_build.max_by_key(|candidate| (candidate.build, candidate.kb)).copied();
    let by_month =
        allowed.iter().filter(|candidate| candidate.build.is_none() && candidate.month().is_some());
    let newest = by_month.clone().filter_map(|candidate| candidate.month()).max();
    let open: Vec<&UpdateCandidate> =
        by_month.filter(|candidate| candidate.month() == newest).copied().collect();
    match (known, newest) {
        (Some(known), Some(month)) if known.month().is_some_and(|own| own > month) => {
            BestCandidate::One(known.kb)
        }
        (Some(known), Some(month)) if known.month() == Some(month) => {
            BestCandidate::Several(open.into_iter().chain([known]).map(|candidate| candidate.kb).collect())
        }
        (Some(known), None) => BestCandidate::One(known.kb),
        (_, Some(_)) => match open.as_slice() {
            [one] => BestCandidate::One(one.kb),
            _ => BestCandidate::Several(open.into_iter().map(|candidate| candidate.kb).collect()),
        },
        (None, None) => BestCandidate::None,
    }
}

/// Returns the latest cumulative update of a set's family by the default policy.
pub(super) fn latest_of_family(context: &ResolveContext<'_>, set: &PackageSet) -> Result<Option<Kb>> {
    let Some(family) = context.family_of(set) else { return Ok(None) };
    let candidates = candidates(context, &[Kind::Lcu, Kind::LcuPreview], family)?;
    match best_candidate(&candidates, Policy::default(), None) {
        BestCandidate::One(kb) => Ok(Some(kb)),
        BestCandidate::None | BestCandidate::Several(_) => Ok(None),
    }
}

/// Returns the type of release that a title's kind proves.
fn preview_kind(kind: Kind) -> Option<ReleaseKind> {
    matches!(kind, Kind::LcuPreview | Kind::DotnetPreview).then_some(ReleaseKind::Preview)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_tuesday_and_two_days_after_are_regular() {
        for day in ["2026-06-09", "2026-06-10", "2026-06-11", "2024-09-10", "2025-07-08"] {
            assert!(is_regular(day.parse().unwrap()), "{day}");
        }
        for day in ["2026-06-08", "2026-06-12", "2026-07-18", "2026-09-14", "2025-07-13", "2026-06-16"] {
            assert!(!is_regular(day.parse().unwrap()), "{day}");
        }
    }
}
