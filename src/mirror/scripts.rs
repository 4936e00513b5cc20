//! The plans of published sets and the places of their files.

use std::collections::{BTreeMap, BTreeSet};

use super::index::SetRow;
use super::{Access, IndexLibrary, Mirror};
use crate::documents::REPLAY;
use crate::error::Result;
use crate::resolve::{Library as _, PackageSet, Plan, Step, complete_plan};
use crate::servicing::Knowledge;
use crate::update::Kb;
use crate::views::{PlacedFile, PublishedPlaces, online_script};

impl<S: Access> Mirror<S> {
    /// Returns the places of published files as seen from a script of this KB. A folder that does not exist yet
    /// has its future name: the script reports a missing file.
    pub fn places(&self, kb: Kb, steps: &[Step]) -> Result<PublishedPlaces> {
        let mut folders: BTreeMap<_, Vec<PlacedFile>> = BTreeMap::new();
        for (kb, folder) in steps.iter().filter_map(|step| step.set.as_ref()) {
            for row in self.index.sets(Some(*kb))?.into_iter().filter(|row| row.folder == *folder) {
                let names = self.folder_of(&row)?.names.into_iter();
                let members = row.members.iter().map(|member| member.file.name.clone());
                let files = names.zip(members).map(|(name, catalog_name)| PlacedFile { name, catalog_name });
                folders.entry((*kb, folder.clone())).or_default().extend(files);
            }
        }
        Ok(PublishedPlaces::new(kb, folders))
    }

    /// Returns the complete plan of a published set by this knowledge. Returns `None` if the index has the set
    /// without its updates and this knowledge has other files for the KB.
    pub fn plan_of(&self, set: &SetRow, knowledge: &Knowledge) -> Result<Option<Plan>> {
        plan_of(set, &IndexLibrary::new(&self.index, knowledge), knowledge)
    }

    /// Returns the install script of a published set for running machines, made from its plan. Returns `None` if
    /// no script can install the set.
    pub fn script_of(&self, set: &SetRow, plan: &Plan, knowledge: &Knowledge) -> Result<Option<String>> {
        let places = self.places(set.kb, &plan.steps)?;
        let is_demo = self.origin()? == REPLAY;
        Ok(online_script(plan, knowledge, is_demo, &places))
    }
}

/// Returns the complete plan of a published set; see [`Mirror::plan_of`].
pub(super) fn plan_of(
    set: &SetRow,
    library: &IndexLibrary<'_>,
    knowledge: &Knowledge,
) -> Result<Option<Plan>> {
    let sets = library.sets(set.kb)?;
    let own_keys: BTreeSet<_> = set.members.iter().map(|member| member.file.key).collect();
    let has_its_files = |found: &PackageSet| {
        found.members.len() == own_keys.len()
            && found.members.iter().all(|member| own_keys.contains(&member.file.key))
    };
    let main = || sets.iter().filter(|found| found.is_main());
    // A folder keeps its name until the next publication, although newer rules may give the set another name.
    let found = main().find(|found| has_its_files(found));
    let found = found.or_else(|| main().find(|found| found.folder == set.folder));
    // A set without updates comes from knowledge only, perhaps from other tables than these.
    let is_it = |found: &&PackageSet| {
        !found.updates.is_empty() || found.members.iter().all(|member| own_keys.contains(&member.file.key))
    };
    found.filter(is_it).map(|found| complete_plan(found, library, knowledge)).transpose()
}
