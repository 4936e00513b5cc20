//! The facts of some KBs: their updates, and the files that these list.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::file::{FileFacts, FileKey};
use super::update::UpdateFacts;
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Build, Kb, Kind};

/// What is known of a KB and of the KBs whose files it brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The updates, by id.
    pub updates: Vec<UpdateFacts>,
    /// The files that they list, by key.
    pub files: BTreeMap<FileKey, FileFacts>,
}

impl Facts {
    /// The files of an update, in the dialog's order; none when the dialog was never read.
    pub fn files_of(&self, update: &UpdateFacts) -> Vec<&FileFacts> {
        let keys = update.files.as_deref().unwrap_or_default();
        keys.iter().filter_map(|key| self.files.get(key)).collect()
    }

    /// The architecture of an update's packages: the title's, else the one that all names agree on, else the one
    /// that a title without any implies.
    pub fn architecture_of(&self, update: &UpdateFacts) -> Option<Architecture> {
        if update.architecture.is_some() {
            return update.architecture;
        }
        let mut named = self.files_of(update).into_iter().map(|file| file.architecture);
        match named.next().flatten() {
            Some(first) if named.all(|other| other == Some(first)) => Some(first),
            _ => update.kind.is_some_and(Kind::is_dotnet).then_some(Architecture::X86),
        }
    }

    /// The build that a KB brings to a family: the suffix of its titles there, else what is known of
    /// its release.
    pub fn build_of(&self, kb: Kb, family: &Family, knowledge: &Knowledge) -> Option<Build> {
        self.build_with_source(kb, family, knowledge).map(|(build, _)| build)
    }

    /// Returns the same with its evidence.
    pub fn build_with_source(
        &self,
        kb: Kb,
        family: &Family,
        knowledge: &Knowledge,
    ) -> Option<(Build, Evidence)> {
        let of_titles = self.updates.iter().filter(|update| update.kb == Some(kb));
        let of_titles =
            of_titles.filter_map(|update| update.build).filter_map(|build| family.canonical(build));
        if let Some(build) = of_titles.max() {
            return Some((build, Evidence::TitleBuild { kb, build }));
        }
        // A KB that was released again has two builds in time; the newest is what its files bring now.
        if let Some(release) = knowledge.releases().of_kb_for(kb, family).pop() {
            let row = format!("{kb} is {} (release history)", release.build);
            return Some((release.build, Evidence::Knowledge { row, date: knowledge.date().to_string() }));
        }
        let checkpoint = knowledge.checkpoints().of_family(family).find(|checkpoint| checkpoint.kb == kb)?;
        Some((checkpoint.build, Evidence::of_checkpoint(checkpoint, knowledge)))
    }

    /// The file of a KB for an architecture, when some entry lists it: the newest by key.
    pub fn file_of_kb(&self, kb: Kb, architecture: Architecture) -> Option<&FileFacts> {
        let of_kb = |file: &&FileFacts| file.kb == Some(kb) && file.architecture == Some(architecture);
        self.files.values().rfind(of_kb)
    }
}
