//! The construction of package sets: updates with the same files form one set, with a folder of its own.
//!
//! The result depends on the facts alone, never on the order in which they were learned.

use std::collections::{BTreeMap, BTreeSet};

use super::entry_part::entry_parts;
use super::generations::order_generations;
use super::issue::Issue;
use super::member::Member;
use super::package_set::{FamilyName, PackageSet};
use super::roles::{edges_of, kind_of, members_of, unlisted_checkpoints};
use crate::facts::{Disappearance, Evidence, Facts, Role, SetFolder, UpdateFacts};
use crate::servicing::{Family, Knowledge};
use crate::update::title::TitleVersion;
use crate::update::{Architecture, Kb, Kind, slug};

/// Returns the package sets of a KB, by architecture and folder. Updates whose dialog was never read are
/// ignored.
pub fn package_sets(kb: Kb, facts: &Facts, knowledge: &Knowledge) -> Vec<PackageSet> {
    let mut groups: BTreeMap<SetGroupKey, SetGroup<'_>> = BTreeMap::new();
    for update in facts.updates.iter().filter(|update| update.kb == Some(kb)) {
        for part in entry_parts(update, facts, knowledge) {
            let (members, warnings) = members_of(update, &part, facts, knowledge);
            let mut identities: Vec<String> = members.iter().map(|member| member.file.identity()).collect();
            identities.sort_unstable();
            let dynamic = update.kind.is_some_and(Kind::is_dynamic);
            let key = (part.architecture, dynamic, identities);
            let group = groups.entry(key).or_default();
            group.is_delta |= part.is_delta;
            group.is_partial |= !part.is_whole;
            group.merge(update, members, warnings);
        }
    }
    let has_main = groups.iter().any(|((_, dynamic, _), group)| !dynamic && !group.is_delta);
    let mut sets: Vec<PackageSet> =
        groups.into_iter().map(|(key, group)| group.into_set(kb, &key, has_main, knowledge)).collect();
    order_generations(&mut sets);
    sets.sort_by(|a, b| (a.architecture, &a.folder).cmp(&(b.architecture, &b.folder)));
    sets
}

/// Returns the other KBs whose entries are needed to judge the files of this KB. These are the KBs of
/// candidates, and known checkpoints that a dialog did not list.
pub fn unlisted_kbs(kb: Kb, facts: &Facts, knowledge: &Knowledge) -> BTreeSet<Kb> {
    let mut kbs = BTreeSet::new();
    for update in facts.updates.iter().filter(|update| update.kb == Some(kb) && update.files.is_some()) {
        kbs.extend(facts.files_of(update).into_iter().filter_map(|file| file.kb));
        kbs.extend(
            unlisted_checkpoints(update, facts, knowledge).into_iter().map(|checkpoint| checkpoint.kb),
        );
    }
    kbs.remove(&kb);
    kbs
}

/// The architecture, `true` if only Windows Setup takes the files, and the files.
type SetGroupKey = (Option<Architecture>, bool, Vec<String>);

#[derive(Default)]
struct SetGroup<'a> {
    updates: Vec<&'a UpdateFacts>,
    members: Vec<Member>,
    warnings: BTreeSet<String>,
    /// `true` if the files are delta updates.
    is_delta: bool,
    /// `true` if an entry has further files, so that its size is not the size of the set.
    is_partial: bool,
}

impl<'a> SetGroup<'a> {
    fn merge(&mut self, update: &'a UpdateFacts, members: Vec<Member>, warnings: Vec<String>) {
        self.updates.push(update);
        self.warnings.extend(warnings);
        if self.members.is_empty() {
            self.members = members;
            return;
        }
        let has_positions = self.members.iter().any(|known| known.position.is_some());
        for member in members {
            let identity = member.file.identity();
            let Some(known) = self.members.iter_mut().find(|known| known.file.identity() == identity) else {
                continue;
            };
            // An entry may have more facts than another: a proven role has precedence over "companion".
            if known.role == Role::Companion && member.role != Role::Companion {
                known.role = member.role;
                known.build = member.build;
            }
            known.build = known.build.max(member.build);
            if !has_positions {
                known.position = member.position;
            }
            for evidence in member.evidence {
                if !known.evidence.contains(&evidence) {
                    known.evidence.push(evidence);
                }
            }
        }
    }

    fn into_set(mut self, kb: Kb, key: &SetGroupKey, has_main: bool, knowledge: &Knowledge) -> PackageSet {
        let (architecture, dynamic, _) = *key;
        self.updates.sort_by_key(|update| update.id);
        for member in &mut self.members {
            // Evidence of dialogs sorts before evidence of knowledge.
            member.evidence.sort();
        }
        self.members.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let named: Vec<&Family> = self.updates.iter().filter_map(|update| update.family(knowledge)).collect();
        let families: Vec<FamilyName> = knowledge
            .families()
            .iter()
            .filter(|family| named.contains(family))
            .map(FamilyName::from)
            .collect();
        let products: BTreeSet<String> = self.updates.iter().map(|update| update.product_name()).collect();
        let catalog_products: BTreeSet<String> =
            self.updates.iter().map(|update| update.products.clone()).collect();
        let from_dialogs = |member: &Member| matches!(member.evidence.first(), Some(Evidence::Dialog { .. }));
        let sizes: BTreeSet<Option<u64>> = self.updates.iter().map(|update| update.size).collect();
        let stated_size = match sizes.into_iter().collect::<Vec<_>>().as_slice() {
            [Some(size)] if !self.is_partial && self.members.iter().all(from_dialogs) => Some(*size),
            _ => None,
        };
        let issue = Issue {
            titles: self.updates.iter().map(|update| update.title.clone()).collect(),
            builds: self.updates.iter().filter_map(|update| update.build).collect(),
            unknown_versions: self
                .updates
                .iter()
                .filter_map(|update| update.unknown_version(knowledge))
                .collect(),
            last_updated: self.updates.iter().filter_map(|update| update.last_updated).max(),
        };
        let base = families.first().map_or_else(
            || {
                let first = self.updates.first().map(|update| match (&update.product, &update.release) {
                    (Some(product), Some(release)) => format!("{product} {release}"),
                    (product, _) => product.as_ref().unwrap_or(&update.products).clone(),
                });
                folder_prefix(&first.unwrap_or_default())
            },
            |family| family.folder.clone(),
        );
        self.warnings.extend(disappearance_warning(kb, &self.updates));
        let architecture_word = architecture.map_or("any", Architecture::as_str);
        let is_dynamic_variant = dynamic && has_main;
        let suffix = match (self.is_delta, is_dynamic_variant) {
            (true, _) => "-delta",
            (false, true) => "-dynamic",
            (false, false) => "",
        };
        let of_titles = || self.updates.iter().find_map(|update| kind_of(update, knowledge));
        let stated = || knowledge.stated_kind(kb).or_else(of_titles);
        let kind = if self.is_delta { Some(Kind::Delta) } else { stated() };
        let versions: BTreeSet<TitleVersion> =
            self.updates.iter().filter_map(|update| update.version()).collect();
        PackageSet {
            kb,
            kind,
            families,
            architecture,
            folder: SetFolder::from_words(&format!("{base}-{architecture_word}{suffix}")),
            products: products.into_iter().collect(),
            catalog_products: catalog_products.into_iter().collect(),
            updates: self.updates.iter().map(|update| update.id).collect(),
            month: self.updates.iter().filter_map(|update| update.month).min(),
            needs: edges_of(&self.members),
            members: self.members,
            stated_size,
            is_dynamic_variant,
            issue,
            generation: None,
            versions: versions.into_iter().collect(),
            without: without_all(&self.updates),
            entry_date: self.updates.iter().filter_map(|update| update.last_updated).min(),
            warnings: self.warnings.into_iter().collect(),
        }
    }
}

/// Returns the KBs that a machine must not have, as every one of some entries states. An entry without a
/// condition makes the files fit every machine.
fn without_all(updates: &[&UpdateFacts]) -> BTreeSet<Kb> {
    let stated: Vec<Option<Kb>> = updates.iter().map(|update| update.without()).collect();
    let first = stated.first().copied().flatten();
    first.filter(|_| stated.iter().all(|other| *other == first)).into_iter().collect()
}

/// Returns the warning of a set whose updates all disappeared from the Catalog. Its plan is still valid.
fn disappearance_warning(kb: Kb, updates: &[&UpdateFacts]) -> Option<String> {
    let expired: Vec<&Disappearance> =
        updates.iter().map(|update| update.expired.as_ref()).collect::<Option<_>>()?;
    let since = expired.iter().map(|one| one.since).max()?;
    let successor = expired.iter().filter_map(|one| one.successor).max();
    let successor = successor.map(|kb| format!(", and {kb} replaces it")).unwrap_or_default();
    Some(format!("the Catalog has not listed {kb} since {since}; its files are still valid{successor}"))
}

/// Returns the beginning of a folder's name for a product without a family.
fn folder_prefix(product: &str) -> String {
    /// The maximum length. It leaves room for architecture and suffixes in a path component of 120 characters.
    const LENGTH: usize = 60;
    let mut word = slug(product);
    word.truncate(LENGTH);
    let word = word.trim_end_matches('-');
    if word.is_empty() { "other".to_owned() } else { word.to_owned() }
}
