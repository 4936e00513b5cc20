//! The install scripts beside the set folders, and where a script finds its files.

use std::collections::{BTreeMap, BTreeSet};

use super::index::SetRow;
use super::{Access, IndexLibrary, Mirror, REPLAY};
use crate::error::Result;
use crate::facts::{PlainName, SetFolder};
use crate::resolve::{Library as _, PackageSet, Plan, Step, complete_plan};
use crate::script::{Form, Places, install_script, job};
use crate::servicing::Knowledge;
use crate::update::Kb;

/// The published folders of a mirror, seen from a script that lies beside a set folder, in the folder of its KB.
#[derive(Debug)]
pub struct PublishedPlaces {
    kb: Kb,
    /// By KB and folder: the names of the files, each with the name that the Catalog has for it.
    folders: BTreeMap<(Kb, SetFolder), Vec<(PlainName, String)>>,
}

impl PublishedPlaces {
    fn names(&self, step: &Step) -> Option<&[(PlainName, String)]> {
        self.folders.get(step.set.as_ref()?).map(Vec::as_slice)
    }
}

impl Places for PublishedPlaces {
    fn path(&self, step: &Step) -> Option<String> {
        let (kb, folder) = step.set.as_ref()?;
        let mut names = self.names(step)?.iter();
        let (own, _) = names.find(|(_, of_catalog)| Some(of_catalog) == step.name.as_ref())?;
        let up = if *kb == self.kb { String::new() } else { format!("..\\{kb}\\") };
        Some(format!("{up}{folder}\\{own}"))
    }

    fn folder_names(&self, step: &Step) -> Vec<String> {
        let names = self.names(step).unwrap_or_default();
        names.iter().map(|(own, _)| own.to_string()).collect()
    }
}

impl<S: Access> Mirror<S> {
    /// The places of published files as a script of this KB sees them. Folders that are not here yet are named as they
    /// will be: the script says what it misses.
    pub fn places(&self, kb: Kb, steps: &[Step]) -> Result<PublishedPlaces> {
        let mut folders = BTreeMap::new();
        for (kb, folder) in steps.iter().filter_map(|step| step.set.as_ref()) {
            for row in self.index.sets(Some(*kb))?.into_iter().filter(|row| row.folder == *folder) {
                let names = self.folder_of(&row)?.names;
                let of_catalog = row.members.iter().map(|member| member.file.name.clone());
                folders
                    .entry((*kb, folder.clone()))
                    .or_insert_with(Vec::new)
                    .extend(names.into_iter().zip(of_catalog));
            }
        }
        Ok(PublishedPlaces { kb, folders })
    }

    /// Returns the complete plan of a published set by this knowledge. `None` if the index has the set without its updates
    /// and this knowledge has other files of the KB.
    pub fn plan_of(&self, set: &SetRow, knowledge: &Knowledge) -> Result<Option<Plan>> {
        let library = IndexLibrary::new(&self.index, knowledge);
        let sets = library.sets(set.kb)?;
        let found = sets.iter().find(|found| found.folder == set.folder && !found.is_dynamic_variant);
        // A set that rests on knowledge alone may rest on other knowledge than this.
        let is_it = |found: &&PackageSet| {
            let own: BTreeSet<_> = set.members.iter().map(|member| member.file.key).collect();
            !found.updates.is_empty() || found.members.iter().all(|member| own.contains(&member.file.key))
        };
        found.filter(is_it).map(|found| complete_plan(found, &library, knowledge)).transpose()
    }

    /// Returns the install script of a published set for running machines, made from its plan. `None` if no script can
    /// install the set.
    pub fn script_of(&self, set: &SetRow, plan: &Plan, knowledge: &Knowledge) -> Result<Option<String>> {
        let places = self.places(set.kb, &plan.steps)?;
        let is_demo = self.origin()? == REPLAY;
        Ok(job(plan, Form::Online, knowledge, is_demo, &places).map(|job| install_script(&job)))
    }
}
