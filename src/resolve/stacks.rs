//! The separate servicing stacks of a family, from the index, the knowledge, and titles of the Catalog. The
//! newest stack is the one that was published last, but not later than the update that needs it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::library::Library;
use super::package_set::PackageSet;
use super::published::date_of;
use crate::error::Result;
use crate::servicing::{Family, Knowledge};
use crate::update::{Classification, Kb, Kind, Month};

/// Returns the servicing stacks of a family, each with the day of its publication.
pub(super) fn stacks_of(
    family: &Family,
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<BTreeMap<Kb, Date>> {
    let mut stacks: BTreeMap<Kb, Date> = BTreeMap::new();
    let mut add = |kb: Kb, date: Date| {
        let known = stacks.entry(kb).or_insert(date);
        *known = date.min(*known);
    };
    for package in knowledge.packages().all() {
        // Titles from before 2018-10 do not identify a servicing stack.
        let kind = knowledge.stated_kind(package.kb).unwrap_or(package.kind);
        let own = kind == Kind::Ssu && package.family == family.id;
        if let Some(date) = package.date.filter(|_| own) {
            add(package.kb, date);
        }
    }
    for update in library.updates_of(&[Kind::Ssu])?.iter() {
        let own = update.family(knowledge).is_some_and(|named| named.id == family.id);
        let date = update.month.map(Month::first_day).or(update.last_updated);
        if let (Some(kb), Some(date)) = (update.kb, date.filter(|_| own)) {
            add(kb, date);
        }
    }
    Ok(stacks)
}

/// Returns the newest servicing stack for a set among titles of the Catalog: of the same family and
/// architecture, and not later than the set.
pub fn stack_of_titles<'t>(
    set: &PackageSet,
    family: &Family,
    titles: impl IntoIterator<Item = &'t Classification>,
    knowledge: &Knowledge,
) -> Option<Kb> {
    let is_it = |class: &&Classification| {
        let product = class.product.as_deref();
        let named =
            product.and_then(|product| knowledge.families().of_title(product, class.release.as_deref()));
        class.kind == Some(Kind::Ssu)
            && named.is_some_and(|named| named.id == family.id)
            && (class.architecture.is_none() || class.architecture == set.architecture)
    };
    let stacks = titles.into_iter().filter(is_it);
    let stacks = stacks.filter_map(|class| Some((class.kb?, class.month.map(Month::first_day))));
    newest_not_later(stacks, date_of(set, Some(family), knowledge))
}

/// Returns the newest of some servicing stacks that was not published later than a day.
pub(super) fn newest_not_later(
    stacks: impl Iterator<Item = (Kb, Option<Date>)>,
    day: Option<Date>,
) -> Option<Kb> {
    let is_later =
        |published: Option<Date>| published.zip(day).is_some_and(|(published, day)| published > day);
    let not_later = stacks.filter(|(_, published)| !is_later(*published));
    not_later.max_by_key(|&(kb, published)| (published, kb)).map(|(kb, _)| kb)
}
