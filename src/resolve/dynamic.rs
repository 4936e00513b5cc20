//! The newest dynamic update of a kind for a family: a Safe OS update or a Setup update.
//!
//! Dynamic updates have no release letter, so the policy does not choose among them. The first of these proofs
//! orders two of them:
//!
//! 1. the versions that they bring, as articles state them
//! 2. the release dates of their articles
//! 3. an article that names one as replaced by the other
//! 4. a release that ended before the other began, by the months of titles and the days in lists
//! 5. the days on which the same public lists first contained them, because a later list has the newer one
//!
//! Proofs form chains: an update is older than another if a third one is between them.
//!
//! The date of a Catalog entry proves nothing, because Microsoft renews entries. If nothing decides, or if a newer
//! update may be of either kind, the answer lists the candidates and chooses none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::candidates::BestCandidate;
use super::context::ResolveContext;
use super::known::is_package_for;
use crate::error::Result;
use crate::servicing::{Family, PackageDate};
use crate::update::{Build, Kb, Kind, Month};

/// A dynamic update that a goal may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DynamicUpdate {
    kb: Kb,
    /// Safe OS or Setup; `None` if no source states or implies the kind.
    kind: Option<Kind>,
    /// The version that it brings.
    version: Option<Build>,
    /// The release date of its article.
    article: Option<Date>,
    /// The updates that its article names as replaced.
    replaces: Vec<Kb>,
    /// The month of its titles.
    month: Option<Month>,
    /// The first day on which a public list contained it.
    first_listed: Option<Date>,
    /// The earliest date of its entries in the Catalog: the release date or later.
    first_entry: Option<Date>,
}

/// The longest time after a release until the public lists contain it. They appear each month; the longest time seen
/// is two weeks (KB5091157, released on 2026-04-19, listed on 2026-05-03).
pub(super) const LIST_LAG_DAYS: i32 = 31;

/// The kinds that the title of a dynamic update may have.
const KINDS: [Kind; 3] = [Kind::SafeosDu, Kind::SetupDu, Kind::DuAmbiguous];

/// Returns `true` for the kinds whose newest update this module finds.
pub(super) fn is_dynamic_goal(kind: Kind) -> bool {
    matches!(kind, Kind::SafeosDu | Kind::SetupDu)
}

/// Returns the newest dynamic update of a kind for a family that was released by the day of the request.
pub(super) fn newest_dynamic(
    context: &ResolveContext<'_>,
    kind: Kind,
    family: &Family,
) -> Result<BestCandidate> {
    let mut updates = dynamic_updates(context, family)?;
    if let Some(as_of) = context.request.as_of {
        updates.retain(|update| update.published().is_some_and(|day| day <= as_of));
    }
    Ok(newest(kind, &updates))
}

impl DynamicUpdate {
    fn new(kb: Kb) -> Self {
        Self {
            kb,
            kind: None,
            version: None,
            article: None,
            replaces: Vec::new(),
            month: None,
            first_listed: None,
            first_entry: None,
        }
    }

    /// Returns the best known day of the release.
    fn published(&self) -> Option<Date> {
        let of_entries = [self.first_listed, self.first_entry].into_iter().flatten().min();
        self.article.or(of_entries).or(self.month.map(Month::first_day))
    }

    /// Returns a day before which it was not released, if one is known.
    fn not_before(&self) -> Option<Date> {
        let listed = self.first_listed.and_then(|day| day.checked_sub(LIST_LAG_DAYS.days()).ok());
        self.article.or(self.month.map(Month::first_day)).or(listed)
    }

    /// Returns a day by which it was released, if one is known.
    fn not_after(&self) -> Option<Date> {
        let days = [self.first_listed, self.first_entry, self.month.map(Month::last_day)];
        self.article.or_else(|| days.into_iter().flatten().min())
    }

    /// Returns `true` if a proof shows that it is older than another.
    fn is_older_than(&self, other: &Self) -> bool {
        let differing = |own: Option<Build>, others: Option<Build>| own.zip(others).filter(|(a, b)| a != b);
        if let Some((own, others)) = differing(self.version, other.version) {
            return own < others;
        }
        if let Some((own, others)) = self.article.zip(other.article).filter(|(a, b)| a != b) {
            return own < others;
        }
        if self.replaces.contains(&other.kb) || other.replaces.contains(&self.kb) {
            return other.replaces.contains(&self.kb);
        }
        if self.not_after().zip(other.not_before()).is_some_and(|(own, others)| own < others) {
            return true;
        }
        let is_newer = other.not_after().zip(self.not_before()).is_some_and(|(others, own)| others < own);
        !is_newer && self.first_listed.zip(other.first_listed).is_some_and(|(own, others)| own < others)
    }
}

/// Returns the newest update of a kind, or all that may be the newest. An update of unknown kind counts, unless an
/// update of the kind is proven to be newer. Updates whose proofs contradict each other may all be the newest.
fn newest(kind: Kind, updates: &[DynamicUpdate]) -> BestCandidate {
    let newer: Vec<BTreeSet<usize>> = newer_updates(updates);
    let is_of_kind = |place: usize| updates[place].kind == Some(kind);
    let is_passed =
        |place: usize| newer[place].iter().any(|&other| is_of_kind(other) && !newer[other].contains(&place));
    let left: Vec<usize> = (0..updates.len())
        .filter(|&place| updates[place].kind.is_none_or(|own| own == kind) && !is_passed(place))
        .collect();
    let mut kbs: Vec<Kb> = left.iter().map(|&place| updates[place].kb).collect();
    kbs.sort_unstable();
    match kbs.as_slice() {
        [] => BestCandidate::None,
        [one] if left.iter().any(|&place| is_of_kind(place)) => BestCandidate::One(*one),
        _ => BestCandidate::Several(kbs),
    }
}

/// Returns, for each update, the places of those that a proof or a chain of proofs shows to be newer.
fn newer_updates(updates: &[DynamicUpdate]) -> Vec<BTreeSet<usize>> {
    let direct: Vec<Vec<usize>> = updates
        .iter()
        .map(|own| (0..updates.len()).filter(|&other| own.is_older_than(&updates[other])).collect())
        .collect();
    let all = |place: usize| {
        let (mut found, mut open) = (BTreeSet::new(), vec![place]);
        while let Some(next) = open.pop() {
            open.extend(direct[next].iter().copied().filter(|&other| found.insert(other)));
        }
        found
    };
    (0..updates.len()).map(all).collect()
}

/// Returns every known dynamic update for a family, from the index's titles and the knowledge.
fn dynamic_updates(context: &ResolveContext<'_>, family: &Family) -> Result<Vec<DynamicUpdate>> {
    let knowledge = context.knowledge;
    let mut found: BTreeMap<Kb, DynamicUpdate> = BTreeMap::new();
    for package in knowledge.packages().all() {
        let kind = knowledge.stated_kind(package.kb).unwrap_or(package.kind);
        let is_for = is_package_for(package, family) && context.fits(Some(package.architecture));
        if !KINDS.contains(&kind) || !is_for {
            continue;
        }
        let known = found.entry(package.kb).or_insert_with(|| DynamicUpdate::new(package.kb));
        known.kind = known.kind.or(decided(kind));
        let day = match package.date_is {
            PackageDate::FirstListed => &mut known.first_listed,
            PackageDate::Release => &mut known.first_entry,
            PackageDate::Month | PackageDate::Unknown => {
                known.month = known.month.or(package.date.and_then(Month::of));
                continue;
            }
        };
        *day = earlier(*day, package.date);
        if package.date_is == PackageDate::Release {
            known.month = known.month.or(package.date.and_then(Month::of));
        }
    }
    for update in context.library.updates_of(&KINDS)?.iter() {
        let Some(kb) = update.kb else { continue };
        let named = update.family(knowledge);
        let is_own = |own: &Family| (own.id, own.installation) == (family.id, family.installation);
        if !named.is_some_and(is_own) || !context.fits(update.architecture) {
            continue;
        }
        let known = found.entry(kb).or_insert_with(|| DynamicUpdate::new(kb));
        // The Catalog's statement has precedence over an inference.
        known.kind = knowledge.stated_kind(kb).or_else(|| update.kind.and_then(decided)).or(known.kind);
        known.month = update.month.or(known.month);
        known.first_entry = earlier(known.first_entry, update.last_updated);
    }
    for update in found.values_mut() {
        let Some(article) = knowledge.articles().of_kb(update.kb) else { continue };
        (update.version, update.article) = (article.version, article.date);
        update.replaces.clone_from(&article.replaces);
    }
    let withdrawn = |kb: Kb| knowledge.withdrawn().of_kb(kb).is_some();
    Ok(found.into_values().filter(|update| !withdrawn(update.kb)).collect())
}

/// Returns the earlier of two days, or the known one.
fn earlier(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    [one, other].into_iter().flatten().min()
}

/// Returns a kind, or `None` for the kind that leaves Safe OS and Setup open.
fn decided(kind: Kind) -> Option<Kind> {
    Some(kind).filter(|kind| *kind != Kind::DuAmbiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kb(number: u32) -> Kb {
        Kb::from_number(number).unwrap()
    }

    fn safe_os(number: u32) -> DynamicUpdate {
        DynamicUpdate { kind: Some(Kind::SafeosDu), ..DynamicUpdate::new(kb(number)) }
    }

    fn day(text: &str) -> Option<Date> {
        text.parse().ok()
    }

    fn month(text: &str) -> Option<Month> {
        Month::of(format!("{text}-01").parse().unwrap())
    }

    #[track_caller]
    fn check(updates: &[DynamicUpdate], expected: &[u32]) {
        let expected: Vec<Kb> = expected.iter().copied().map(kb).collect();
        let mut reversed = updates.to_vec();
        reversed.reverse();
        for updates in [updates, &reversed] {
            let found = match newest(Kind::SafeosDu, updates) {
                BestCandidate::None => Vec::new(),
                BestCandidate::One(kb) => vec![kb],
                BestCandidate::Several(kbs) => {
                    assert!(kbs.len() > 1 || updates.iter().any(|update| update.kind.is_none()));
                    kbs
                }
            };
            assert_eq!(found, expected, "{updates:?}");
        }
    }

    #[test]
    fn dates_of_entries_do_not_order_within_a_month() {
        let of = |number, entry| DynamicUpdate {
            month: month("2026-09"),
            first_entry: day(entry),
            ..safe_os(number)
        };
        check(&[of(5_000_001, "2026-09-08"), of(5_000_002, "2026-09-22")], &[5_000_001, 5_000_002]);
    }

    #[test]
    fn version_article_and_replacement_decide_in_this_order() {
        let of = |number| DynamicUpdate { month: month("2026-09"), ..safe_os(number) };
        let version = |number, revision, date| DynamicUpdate {
            version: Some(Build::new(26100, revision)),
            article: day(date),
            ..of(number)
        };
        check(&[version(5_000_001, 2, "2026-09-01"), version(5_000_002, 1, "2026-09-09")], &[5_000_001]);
        let article = |number, date| DynamicUpdate { article: day(date), ..of(number) };
        check(&[article(5_000_001, "2026-09-09"), article(5_000_002, "2026-09-01")], &[5_000_001]);
        let replacing = DynamicUpdate { replaces: vec![kb(5_000_002)], ..of(5_000_001) };
        check(&[replacing, of(5_000_002)], &[5_000_001]);
        check(&[of(5_000_001), of(5_000_002)], &[5_000_001, 5_000_002]);
    }

    #[test]
    fn undecided_update_counts_unless_it_is_proven_older() {
        let listed = |update: DynamicUpdate, date| DynamicUpdate { first_listed: day(date), ..update };
        let open = |number, date| listed(DynamicUpdate::new(kb(number)), date);
        let known = listed(safe_os(5_000_001), "2026-06-09");
        check(&[known.clone(), open(5_000_002, "2026-07-14")], &[5_000_001, 5_000_002]);
        check(&[known.clone(), open(5_000_002, "2026-05-12")], &[5_000_001]);
        check(&[open(5_000_002, "2026-05-12")], &[5_000_002]);
        let setup = DynamicUpdate { kind: Some(Kind::SetupDu), ..open(5_000_003, "2026-07-14") };
        check(&[known, setup], &[5_000_001]);
        check(&[], &[]);
    }

    #[test]
    fn chain_of_proofs_orders_updates() {
        let article = DynamicUpdate { article: day("2026-03-06"), ..DynamicUpdate::new(kb(5_000_001)) };
        let version = |number, revision| DynamicUpdate {
            version: Some(Build::new(26100, revision)),
            ..safe_os(number)
        };
        let between = DynamicUpdate { month: month("2026-04"), ..version(5_000_002, 1) };
        check(&[article, between, version(5_000_003, 2)], &[5_000_003]);
    }

    #[test]
    fn contradictory_proofs_decide_nothing() {
        let replacing = |number, other| DynamicUpdate { replaces: vec![kb(other)], ..safe_os(number) };
        check(&[replacing(5_000_001, 5_000_002), replacing(5_000_002, 5_000_001)], &[5_000_001, 5_000_002]);
        // The entry is older than the month of its title.
        let early =
            DynamicUpdate { month: month("2026-10"), first_entry: day("2026-09-28"), ..safe_os(5_000_003) };
        check(&[early], &[5_000_003]);
    }

    #[test]
    fn first_day_in_a_list_is_at_most_a_month_after_the_release() {
        let listed = |number, date| DynamicUpdate { first_listed: day(date), ..safe_os(number) };
        let article = DynamicUpdate { article: day("2026-05-12"), ..safe_os(5_000_002) };
        check(&[listed(5_000_001, "2026-05-03"), article.clone()], &[5_000_002]);
        check(&[listed(5_000_001, "2026-05-20"), article.clone()], &[5_000_001, 5_000_002]);
        check(&[listed(5_000_001, "2026-06-20"), article], &[5_000_001]);
    }
}
