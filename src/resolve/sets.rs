//! The construction of package sets: updates with the same files form one set, with a folder of its own.
//!
//! The result depends on the facts alone, never on the order in which they were learned.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sha2::Digest as _;

use super::entry_part::entry_parts;
use super::generations::{Generation, Issue, order_generations};
use super::roles::{Member, edges_of, kind_of, members_of, unlisted_checkpoints};
use crate::facts::{Disappearance, Evidence, Facts, NeedsEdge, Role, SetFolder, UpdateFacts, slug};
use crate::servicing::{Family, Installation, Knowledge, ProductLabels};
use crate::update::title::TitleVersion;
use crate::update::{Architecture, Build, Kb, Kind, Month, Sha256, UpdateId};

/// The properties of a family that a set carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FamilyName {
    /// The number of the build that identifies the family.
    pub id: u32,
    /// Client or server.
    pub installation: Installation,
    /// The name for display.
    pub name: String,
    /// The beginning of the set folder's name.
    pub folder: String,
}

impl From<&Family> for FamilyName {
    fn from(family: &Family) -> Self {
        Self {
            id: family.id,
            installation: family.installation,
            name: family.name.clone(),
            folder: family.folder.clone(),
        }
    }
}

/// The files that belong together for one KB and one architecture, in order of installation. Updates with the
/// same files form one set with several products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSet {
    /// The requested KB.
    pub kb: Kb,
    /// The kind of the update.
    pub kind: Option<Kind>,
    /// The families that it serves, in the order of the family table. The first one names the folder.
    pub families: Vec<FamilyName>,
    /// The architecture; `None` if neither title nor names state it.
    pub architecture: Option<Architecture>,
    /// The folder's name under the KB.
    pub folder: SetFolder,
    /// The products that titles name, for display and for `--product`.
    pub products: Vec<String>,
    /// The Catalog's own product texts of the updates.
    pub catalog_products: Vec<String>,
    /// The updates that form the set, by id.
    pub updates: Vec<UpdateId>,
    /// The month of the titles, or of the release.
    pub month: Option<Month>,
    /// The files, prerequisites first; companions of unknown order last.
    pub members: Vec<Member>,
    /// The edges between the files.
    pub needs: Vec<NeedsEdge>,
    /// The total size of the files as the search page states it, if the set has exactly the files that it
    /// counts.
    pub stated_size: Option<u64>,
    /// `true` for a copy that only Windows Setup takes, of a KB whose main package is another set.
    pub is_dynamic_variant: bool,
    /// The facts about its entries that date the issue.
    pub issue: Issue,
    /// The place among the issues of a KB that Microsoft issued again; `None` if it has one issue.
    pub generation: Option<Generation>,
    /// The versions of a program in the titles, each once.
    pub versions: Vec<TitleVersion>,
    /// The KBs that a machine must not have, as every title states.
    pub without: BTreeSet<Kb>,
    /// The earliest date of an entry. The release may be earlier, never later.
    pub entry_date: Option<Date>,
    /// The differences between sources, and the unknown facts.
    pub warnings: Vec<String>,
}

impl PackageSet {
    /// Returns a digest over the identities of the files. It is the same on every mirror, and changes when
    /// the KB is re-issued.
    pub fn fingerprint(&self) -> Sha256 {
        let mut identities: Vec<String> = self.members.iter().map(|member| member.file.identity()).collect();
        identities.sort_unstable();
        let mut hasher = sha2::Sha256::new();
        for identity in identities {
            hasher.update(identity.as_bytes());
            hasher.update(b"\n");
        }
        Sha256::from_bytes(hasher.finalize().into())
    }

    /// Returns `true` if a plan may use the set: it is neither a copy for Windows Setup nor a delta update.
    pub fn is_main(&self) -> bool {
        !self.is_dynamic_variant && !self.is_delta()
    }

    /// Returns `true` if the set is a delta update, which is recorded and never fetched, planned, or staged.
    pub fn is_delta(&self) -> bool {
        self.kind == Some(Kind::Delta)
    }

    /// Returns the build that the set brings, in the family's numbering.
    pub fn build(&self) -> Option<Build> {
        self.members.iter().filter(|member| member.role.is_update()).find_map(|member| member.build)
    }

    /// Returns the bytes of all files: the sum of their sizes, else the total that the Catalog states.
    pub fn total_size(&self) -> Option<u64> {
        let counted: Option<u64> = self.members.iter().map(|member| member.file.size).sum();
        counted.or(self.stated_size)
    }

    /// Returns `true` if the set is for a family.
    pub fn serves(&self, family: &Family) -> bool {
        self.families.iter().any(|own| own.id == family.id && own.installation == family.installation)
    }

    /// Returns the names that a product name is compared with: families, title products, folder, and the
    /// Catalog's products.
    pub fn filed(&self) -> ProductLabels<'_> {
        let mut names = vec![self.folder.as_str()];
        for product in &self.products {
            names.push(product);
            names.extend(product.rsplit_once(", version ").into_iter().flat_map(<[&str; 2]>::from));
        }
        ProductLabels {
            families: self.families.iter().map(|family| (family.id, family.installation)).collect(),
            names,
            products: self.catalog_products.iter().map(String::as_str).collect(),
        }
    }
}

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
