//! The index as the resolver's library, layered over the knowledge.
//!
//! Every KB is read once. A file that only the knowledge names is replaced by the index's file with the same
//! SHA-1, if any.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::civil::Date;

use super::Index;
use crate::error::Result;
use crate::facts::{Facts, UpdateFacts};
use crate::lint::{EntryKind, LintFolder, LintRequest, read_name};
use crate::resolve::{Library, NewestReleases, PackageSet, Side, layered_sets, unlisted_kbs};
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Kb, Kind, Month};

/// The library of an index, cached for one resolution.
#[derive(Debug)]
pub struct IndexLibrary<'a> {
    index: &'a Index,
    knowledge: &'a Knowledge,
    sets: RefCell<BTreeMap<Kb, Rc<[PackageSet]>>>,
    updates: RefCell<BTreeMap<Vec<Kind>, Rc<[UpdateFacts]>>>,
    side: Side,
}

impl<'a> IndexLibrary<'a> {
    /// Creates a library of this index over the knowledge.
    pub fn new(index: &'a Index, knowledge: &'a Knowledge) -> Self {
        Self {
            index,
            knowledge,
            sets: RefCell::default(),
            updates: RefCell::default(),
            side: Side::default(),
        }
    }

    /// Sets the side of the gap for which advice is given.
    #[must_use]
    pub fn with_side(self, side: Side) -> Self {
        Self { side, ..self }
    }

    fn read_sets(&self, kb: Kb) -> Result<Vec<PackageSet>> {
        let own = self.index.facts_of(&BTreeSet::from([kb]))?;
        let mut kbs = unlisted_kbs(kb, &own, self.knowledge);
        kbs.insert(kb);
        let facts = if kbs.len() == 1 { own } else { self.index.facts_of(&kbs)? };
        let mut sets = layered_sets(kb, &facts, self.knowledge);
        for member in sets.iter_mut().flat_map(|set| &mut set.members) {
            if member.file.key.is_none()
                && let Some(sha1) = &member.file.sha1
                && let Some(file) = self.index.file_of_sha1(sha1)?
            {
                member.file = file;
            }
        }
        Ok(sets)
    }
}

impl Library for IndexLibrary<'_> {
    fn sets(&self, kb: Kb) -> Result<Rc<[PackageSet]>> {
        if let Some(sets) = self.sets.borrow().get(&kb) {
            return Ok(Rc::clone(sets));
        }
        let sets: Rc<[PackageSet]> = self.read_sets(kb)?.into();
        self.sets.borrow_mut().insert(kb, Rc::clone(&sets));
        Ok(sets)
    }

    fn updates_of(&self, kinds: &[Kind]) -> Result<Rc<[UpdateFacts]>> {
        if let Some(updates) = self.updates.borrow().get(kinds) {
            return Ok(Rc::clone(updates));
        }
        let updates: Rc<[UpdateFacts]> = self.index.updates_of_kinds(kinds)?.into();
        self.updates.borrow_mut().insert(kinds.to_vec(), Rc::clone(&updates));
        Ok(updates)
    }

    fn unread_architectures(&self, kb: Kb) -> Result<BTreeSet<Option<Architecture>>> {
        Ok(self.index.facts_of(&BTreeSet::from([kb]))?.unread_architectures(kb))
    }

    fn side(&self) -> Side {
        self.side
    }

    fn newest_of(&self, family: &Family, known: Option<Date>) -> Result<NewestReleases> {
        let mut newest = NewestReleases::default();
        // Searches by the months of the titles, newest first, so that an index of a million updates is not read
        // for one date.
        let mut month = self.index.newest_month()?;
        let first = known.and_then(Month::of);
        while let Some(own) = month.filter(|own| first.is_none_or(|first| *own >= first)) {
            for update in self.index.updates_of_month(own)? {
                newest.count_update(&update, family, self.knowledge);
            }
            if newest.cumulative.is_some() {
                break;
            }
            month = own.previous();
        }
        Ok(newest)
    }

    fn replacements_of(&self, kb: Kb) -> Result<Vec<UpdateFacts>> {
        self.index.replacements_of(kb)
    }
}

/// Returns the facts by which a folder is judged: of the KBs in its file names, of the Catalog entries that list
/// its files by digest, of its published set, and of the KBs that these need.
pub fn facts_of_folder(
    folder: &LintFolder,
    request: &LintRequest,
    index: &Index,
    knowledge: &Knowledge,
) -> Result<Facts> {
    let mut kbs: BTreeSet<Kb> = request.target.into_iter().collect();
    kbs.extend(request.recorded.as_ref().map(|set| set.kb));
    let mut of_digests = Vec::new();
    for entry in folder.entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        let reading = read_name(&entry.name);
        kbs.extend(reading.kbs);
        for sha1 in [reading.named.sha1, entry.content.map(|content| content.sha1)].into_iter().flatten() {
            kbs.extend(index.kbs_of_file(sha1)?);
            of_digests.extend(index.file_of_sha1(&sha1)?);
        }
    }
    let own = index.facts_of(&kbs)?;
    let unlisted: Vec<Kb> = kbs.iter().flat_map(|&kb| unlisted_kbs(kb, &own, knowledge)).collect();
    kbs.extend(unlisted);
    kbs.extend(servicing_stacks(&kbs, &own, index, knowledge)?);
    let mut facts = index.facts_of(&kbs)?;
    // A file that no Catalog entry lists has a size too.
    for file in of_digests {
        if let Some(key) = file.key {
            facts.files.entry(key).or_insert(file);
        }
    }
    Ok(facts)
}

/// Returns the servicing stacks of the families of some KBs: one of them may have to be installed before a KB.
fn servicing_stacks(
    kbs: &BTreeSet<Kb>,
    facts: &Facts,
    index: &Index,
    knowledge: &Knowledge,
) -> Result<BTreeSet<Kb>> {
    let of_titles = facts.updates.iter().filter_map(|update| update.family(knowledge));
    let mut families: BTreeSet<u32> = of_titles.map(|family| family.id).collect();
    let releases = kbs.iter().flat_map(|kb| knowledge.releases().of_kb(*kb));
    families.extend(releases.map(|release| release.build.number));
    let stacks = index.updates_of_kinds(&[Kind::Ssu])?;
    let own = stacks
        .iter()
        .filter(|update| update.family(knowledge).is_some_and(|family| families.contains(&family.id)));
    Ok(own.filter_map(|update| update.kb).collect())
}
