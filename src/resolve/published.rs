//! The publication day and month of a package set.

use jiff::civil::Date;

use super::package_set::PackageSet;
use crate::servicing::{Family, Knowledge, Rollup};
use crate::update::{Kb, Month};

/// Returns the day on which a set was published: the known day, else the last day of its month.
pub(super) fn date_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Date> {
    let release = family.and_then(|family| knowledge.releases().of_kb_for(set.kb, family).pop());
    let known = release.and_then(|release| release.date.or(release.first_seen));
    let rollup = || family.and_then(|family| rollup_of(set.kb, family, knowledge)).map(|row| row.date);
    known.or_else(rollup).or_else(|| set.month.map(Month::last_day))
}

/// Returns the month of a set: that of its titles, else of its release.
pub(super) fn month_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Month> {
    set.month.or_else(|| date_of(set, family, knowledge).and_then(Month::of))
}

/// Returns the row of a monthly rollup for a family, or `None` for other KBs.
pub(super) fn rollup_of(kb: Kb, family: &Family, knowledge: &Knowledge) -> Option<Rollup> {
    knowledge.rollups().of_kb(kb).into_iter().find(|row| row.is_for(family))
}
