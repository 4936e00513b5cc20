//! The newest known releases of a family, from the knowledge and from the crawled updates of the Catalog.
//!
//! Every kind of release counts for `any`: previews, out-of-band updates, and the packages beside the
//! cumulative update. The date of a Catalog entry may be later than its release. It is limited to the end of
//! its title's month.

use jiff::civil::Date;

use super::known::is_package_for;
use crate::facts::UpdateFacts;
use crate::servicing::{Family, Knowledge};
use crate::update::Kind;

/// The newest known releases of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewestReleases {
    /// The day of the newest release of any kind.
    pub any: Option<Date>,
    /// The day of the newest cumulative update, including previews and out-of-band updates.
    pub cumulative: Option<Date>,
}

impl NewestReleases {
    /// Counts a release.
    pub fn count(&mut self, date: Option<Date>, kind: Option<Kind>) {
        self.any = self.any.max(date);
        if matches!(kind, Some(Kind::Lcu | Kind::LcuPreview | Kind::MonthlyRollup)) {
            self.cumulative = self.cumulative.max(date);
        }
    }

    /// Counts an update of the Catalog if it belongs to the family.
    pub fn count_update(&mut self, update: &UpdateFacts, family: &Family, knowledge: &Knowledge) {
        let own = update
            .family(knowledge)
            .is_some_and(|own| (own.id, own.installation) == (family.id, family.installation));
        if own {
            self.count(release_day(update), update.kind);
        }
    }

    /// Returns the newest releases of a family in the knowledge.
    pub fn of_knowledge(family: &Family, knowledge: &Knowledge) -> Self {
        let mut newest = Self::default();
        for release in knowledge.releases().of_family(family) {
            newest.count(release.date.or(release.first_seen), Some(Kind::Lcu));
        }
        for package in
            knowledge.packages().of_family(family.id).filter(|package| is_package_for(package, family))
        {
            newest.count(package.date, Some(knowledge.stated_kind(package.kb).unwrap_or(package.kind)));
        }
        newest
    }

    /// Returns the later of both, for each kind.
    #[must_use]
    pub fn later_of(self, other: Self) -> Self {
        Self { any: self.any.max(other.any), cumulative: self.cumulative.max(other.cumulative) }
    }
}

/// Returns the day by which an update was released: that of its entry, at most the end of its title's month.
fn release_day(update: &UpdateFacts) -> Option<Date> {
    Some(update.last_updated?.min(update.month?.last_day()))
}
