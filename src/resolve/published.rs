//! The publication day and month of a package set.

use jiff::civil::Date;

use super::sets::PackageSet;
use crate::servicing::{Family, Knowledge};
use crate::update::Month;

/// Returns the day on which a set was published: the known day, else the last day of its month.
pub(super) fn date_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Date> {
    let release = family.and_then(|family| knowledge.releases().of_kb_for(set.kb, family).pop());
    let known = release.and_then(|release| release.date.or(release.first_seen));
    known.or_else(|| set.month.map(Month::last_day))
}

/// Returns the month of a set: that of its titles, else of its release.
pub(super) fn month_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Month> {
    set.month.or_else(|| date_of(set, family, knowledge).and_then(Month::of))
}
