//! The library that the resolver queries: the index layered over the knowledge.
//!
//! The resolver sees neither a database nor a file, only a [`Library`]. For each architecture separately, the
//! Catalog's statements about a KB have precedence over the knowledge. An index that was crawled for arm64
//! only does not hide the knowledge about x64.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::civil::Date;

use super::known::known_sets;
use super::newest::NewestReleases;
use super::package_set::PackageSet;
use super::sets::package_sets;
use super::side::Side;
use crate::error::Result;
use crate::facts::{Facts, UpdateFacts};
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Kb, Kind};

/// The queries that the resolver needs.
pub trait Library {
    /// Returns the package sets of a KB, by architecture and folder. The result is empty if the KB is
    /// unknown.
    fn sets(&self, kb: Kb) -> Result<Rc<[PackageSet]>>;

    /// Returns the Catalog's crawled updates of some kinds.
    fn updates_of(&self, kinds: &[Kind]) -> Result<Rc<[UpdateFacts]>>;

    /// Returns the architectures of a KB's entries whose files were never read.
    fn unread_architectures(&self, kb: Kb) -> Result<BTreeSet<Option<Architecture>>>;

    /// Returns the side of the air gap on which the answer is read. Advice depends on it.
    fn side(&self) -> Side {
        Side::default()
    }

    /// Returns the days of the newest crawled releases of a family. Updates that are not later than `known` may be
    /// omitted.
    fn newest_of(&self, family: &Family, known: Option<Date>) -> Result<NewestReleases>;

    /// Returns the updates that replace those of a KB, directly or indirectly, as the Catalog states.
    fn replacements_of(&self, kb: Kb) -> Result<Vec<UpdateFacts>>;
}

/// Returns the sets of a KB, from facts layered over the knowledge.
pub fn layered_sets(kb: Kb, facts: &Facts, knowledge: &Knowledge) -> Vec<PackageSet> {
    let mut sets = package_sets(kb, facts, knowledge);
    let seen: BTreeSet<Option<Architecture>> =
        sets.iter().filter(|set| set.is_main()).map(|set| set.architecture).collect();
    let unseen = |set: &PackageSet| {
        let any = seen.contains(&None) || (set.architecture.is_none() && !seen.is_empty());
        !any && !seen.contains(&set.architecture)
    };
    let known = known_sets(kb, knowledge);
    for set in &mut sets {
        add_families_of_same_file(set, &known);
    }
    sets.extend(known.into_iter().filter(unseen));
    sets.sort_by(|a, b| (a.architecture, &a.folder).cmp(&(b.architecture, &b.folder)));
    sets
}

/// Adds the families that the knowledge states for the same file. An index with the client's entry only does not hide
/// that the server takes the same file. The first family, which names the folder, stays the first.
fn add_families_of_same_file(set: &mut PackageSet, known: &[PackageSet]) {
    let target = |set: &PackageSet| {
        let own = set.members.iter().filter(|member| member.role.is_update());
        own.filter_map(|member| member.file.sha1).collect::<BTreeSet<_>>()
    };
    let own = target(set);
    if set.families.is_empty() || own.is_empty() {
        return;
    }
    for other in known.iter().filter(|other| other.architecture == set.architecture && target(other) == own) {
        for family in &other.families {
            if !set.families.contains(family) {
                set.families.push(family.clone());
            }
        }
    }
}

/// A library of facts in memory.
#[derive(Debug)]
pub struct FactsLibrary<'k> {
    facts: Facts,
    knowledge: &'k Knowledge,
    sets: RefCell<BTreeMap<Kb, Rc<[PackageSet]>>>,
    side: Side,
}

impl<'k> FactsLibrary<'k> {
    /// Returns a library of these facts over the knowledge.
    pub fn new(facts: Facts, knowledge: &'k Knowledge) -> Self {
        Self { facts, knowledge, sets: RefCell::default(), side: Side::default() }
    }

    /// Returns a library of the knowledge only.
    pub fn of_knowledge(knowledge: &'k Knowledge) -> Self {
        Self::new(Facts::default(), knowledge)
    }

    /// Returns the library with advice for this side of the air gap.
    #[must_use]
    pub fn with_side(self, side: Side) -> Self {
        Self { side, ..self }
    }
}

impl Library for FactsLibrary<'_> {
    fn sets(&self, kb: Kb) -> Result<Rc<[PackageSet]>> {
        let mut known = self.sets.borrow_mut();
        let made = || layered_sets(kb, &self.facts, self.knowledge).into();
        Ok(Rc::clone(known.entry(kb).or_insert_with(made)))
    }

    fn updates_of(&self, kinds: &[Kind]) -> Result<Rc<[UpdateFacts]>> {
        let wanted = |update: &&UpdateFacts| update.kind.is_some_and(|kind| kinds.contains(&kind));
        Ok(self.facts.updates.iter().filter(wanted).cloned().collect())
    }

    fn unread_architectures(&self, kb: Kb) -> Result<BTreeSet<Option<Architecture>>> {
        Ok(self.facts.unread_architectures(kb))
    }

    fn side(&self) -> Side {
        self.side
    }

    fn newest_of(&self, family: &Family, _: Option<Date>) -> Result<NewestReleases> {
        let mut newest = NewestReleases::default();
        for update in &self.facts.updates {
            newest.count_update(update, family, self.knowledge);
        }
        Ok(newest)
    }

    fn replacements_of(&self, _: Kb) -> Result<Vec<UpdateFacts>> {
        Ok(Vec::new())
    }
}

/// Returns the newest known releases of a family, from index and knowledge together.
pub fn newest_of(family: &Family, library: &dyn Library, knowledge: &Knowledge) -> Result<NewestReleases> {
    let known = NewestReleases::of_knowledge(family, knowledge);
    Ok(known.later_of(library.newest_of(family, known.cumulative)?))
}
