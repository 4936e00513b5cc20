//! The updates of a kind for a family, and the best of them by policy and date.
//!
//! A release is regular if it first appeared 0 to 2 days after the second Tuesday of its month. A source that
//! states "out of band" overrides this rule. Headings alone prove nothing. Cumulative updates rank by build.
//! An update of unknown build ranks by the month of its title, and two updates of the same month cannot be
//! ranked.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use super::known::is_for;
use super::question::Question;
use super::request::Policy;
use super::sets::PackageSet;
use crate::error::Result;
use crate::servicing::{Family, ReleaseKind};
use crate::update::{Build, Kb, Kind, Month};

/// An update that a goal may choose.
#[derive(Debug, Clone)]
pub(super) struct KnownUpdate {
    pub(super) kb: Kb,
    pub(super) build: Option<Build>,
    /// The day on which it first appeared, if it is known.
    date: Option<Date>,
    title_month: Option<Month>,
    pub(super) kind: Option<ReleaseKind>,
}

impl KnownUpdate {
    /// Returns the month of the update.
    pub(super) fn month(&self) -> Option<Month> {
        self.title_month.or_else(|| self.date.and_then(Month::of))
    }

    /// Returns the type of the release, if it is proven.
    fn sort(&self) -> Option<ReleaseKind> {
        match self.kind {
            Some(proven @ (ReleaseKind::Preview | ReleaseKind::OutOfBand)) => Some(proven),
            _ => self.date.map(
                |date| {
                    if is_regular(date) { ReleaseKind::Regular } else { ReleaseKind::OutOfBand }
                },
            ),
        }
    }

    fn is_allowed(&self, policy: Policy, as_of: Option<Date>) -> bool {
        let published = self.date.or(self.title_month.map(Month::first_day));
        if as_of.is_some_and(|as_of| published.is_none_or(|published| published > as_of)) {
            return false;
        }
        match policy {
            Policy::Preview => true,
            Policy::Oob => self.sort() != Some(ReleaseKind::Preview),
            Policy::Security => self.sort() == Some(ReleaseKind::Regular),
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
pub(super) enum Best {
    None,
    One(Kb),
    Several(Vec<Kb>),
}

/// Returns every known update of some kinds for a family, once for each KB, from the index's titles and the
/// knowledge.
pub(super) fn candidates(
    question: &Question<'_>,
    kinds: &[Kind],
    family: &Family,
) -> Result<Vec<KnownUpdate>> {
    let knowledge = question.knowledge;
    let mut found = of_knowledge(question, kinds, family);
    for update in question.library.updates_of(kinds)?.iter() {
        let Some(kb) = update.kb else { continue };
        let named = update.family(knowledge);
        let own =
            named.is_some_and(|named| (named.id, named.installation) == (family.id, family.installation));
        if !own || !question.fits(update.architecture) {
            continue;
        }
        let known = found.entry(kb).or_insert(KnownUpdate {
            kb,
            build: None,
            // The date of an entry may be later than its release, never earlier.
            date: None,
            title_month: update.month,
            kind: None,
        });
        known.title_month = known.title_month.or(update.month);
        known.build = update.build.and_then(|build| family.canonical(build)).or(known.build);
        known.kind = known.kind.or_else(|| update.kind.and_then(preview));
        let is_known = knowledge.releases().of_kb_for(kb, family).iter().any(|row| row.date.is_some());
        if !is_known {
            known.date = match (known.date, update.last_updated) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    let withdrawn =
        |kb: Kb| knowledge.withdrawn().of_kb(kb).is_some() || knowledge.withdrawn().hotpatch(kb).is_some();
    Ok(found.into_values().filter(|candidate| !withdrawn(candidate.kb)).collect())
}

/// Returns the updates of the knowledge.
fn of_knowledge(question: &Question<'_>, kinds: &[Kind], family: &Family) -> BTreeMap<Kb, KnownUpdate> {
    let knowledge = question.knowledge;
    let mut found: BTreeMap<Kb, KnownUpdate> = BTreeMap::new();
    let cumulative = kinds.iter().any(|kind| kind.is_windows_cumulative());
    if cumulative {
        for release in knowledge.releases().of_family(family) {
            let candidate = KnownUpdate {
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
            let of_family = is_for(package, family);
            let kind = knowledge.parents().kind_of(package.kb).unwrap_or(package.kind);
            if !of_family || !kinds.contains(&kind) || !question.fits(Some(package.architecture)) {
                continue;
            }
            let known = found.entry(package.kb).or_insert(KnownUpdate {
                kb: package.kb,
                build: None,
                date: package.date,
                title_month: None,
                kind: preview(kind),
            });
            known.date = known.date.min(package.date).or(known.date).or(package.date);
        }
    }
    found
}

/// Returns the newest update that policy and date allow.
pub(super) fn best(candidates: &[KnownUpdate], policy: Policy, as_of: Option<Date>) -> Best {
    let allowed: Vec<&KnownUpdate> =
        candidates.iter().filter(|candidate| candidate.is_allowed(policy, as_of)).collect();
    let by_build = allowed.iter().filter(|candidate| candidate.build.is_some());
    let known = by_build.max_by_key(|candidate| (candidate.build, candidate.kb)).copied();
    let by_month =
        allowed.iter().filter(|candidate| candidate.build.is_none() && candidate.month().is_some());
    let newest = by_month.clone().filter_map(|candidate| candidate.month()).max();
    let open: Vec<&KnownUpdate> = by_month.filter(|candidate| candidate.month() == newest).copied().collect();
    match (known, newest) {
        (Some(known), Some(month)) if known.month().is_some_and(|own| own > month) => Best::One(known.kb),
        (Some(known), Some(month)) if known.month() == Some(month) => {
            Best::Several(open.into_iter().chain([known]).map(|candidate| candidate.kb).collect())
        }
        (Some(known), None) => Best::One(known.kb),
        (_, Some(_)) => match open.as_slice() {
            [one] => Best::One(one.kb),
            _ => Best::Several(open.into_iter().map(|candidate| candidate.kb).collect()),
        },
        (None, None) => Best::None,
    }
}

/// Returns the latest cumulative update of a set's family by the default policy.
pub(super) fn latest_of_family(question: &Question<'_>, set: &PackageSet) -> Result<Option<Kb>> {
    let Some(family) = question.family_of(set) else { return Ok(None) };
    let candidates = candidates(question, &[Kind::Lcu, Kind::LcuPreview], family)?;
    match best(&candidates, Policy::default(), None) {
        Best::One(kb) => Ok(Some(kb)),
        Best::None | Best::Several(_) => Ok(None),
    }
}

/// Returns the type of release that a title's kind proves.
fn preview(kind: Kind) -> Option<ReleaseKind> {
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
