//! The facts of some KBs: their updates, and the files that these updates list.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::Evidence;
use super::file::{FileFacts, FileKey};
use super::update::UpdateFacts;
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Build, Kb, Kind, UpdateId};

/// The facts of a KB and of the KBs whose files it contains.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The updates, by id.
    pub updates: Vec<UpdateFacts>,
    /// The files that the updates list, by key.
    pub files: BTreeMap<FileKey, FileFacts>,
    /// The replacements between these updates that details pages state: the newer and the older one.
    pub supersedes: BTreeSet<(UpdateId, UpdateId)>,
}

impl Facts {
    /// Returns the files of an update in the dialog's order. The result is empty if the dialog was never
    /// read.
    pub fn files_of(&self, update: &UpdateFacts) -> Vec<&FileFacts> {
        let keys = update.files.as_deref().unwrap_or_default();
        keys.iter().filter_map(|key| self.files.get(key)).collect()
    }

    /// Returns the architecture of an update's packages: the title's, else the only one that file names state.
    /// A .NET title without an architecture implies x86. An entry for several architectures has none.
    pub fn architecture_of(&self, update: &UpdateFacts) -> Option<Architecture> {
        if update.architecture.is_some() {
            return update.architecture;
        }
        let files = self.files_of(update);
        let mut named = files.into_iter().filter_map(|file| file.architecture);
        match named.next() {
            Some(first) => named.all(|other| other == first).then_some(first),
            None => update.kind.is_some_and(Kind::is_dotnet).then_some(Architecture::X86),
        }
    }

    /// Returns the build that a KB brings to a family: the suffix of its titles of this family, else the
    /// build in the knowledge tables.
    pub fn build_of(&self, kb: Kb, family: &Family, knowledge: &Knowledge) -> Option<Build> {
        self.build_with_evidence(kb, family, knowledge).map(|(build, _)| build)
    }

    /// Returns the same build as [`Facts::build_of`], with its evidence.
    pub fn build_with_evidence(
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
        // A re-released KB has several builds. The newest one is the build of its current files.
        if let Some(release) = knowledge.releases().of_kb_for(kb, family).pop() {
            let row = format!("{kb} is {} (release history)", release.build);
            return Some((release.build, Evidence::Knowledge { row, date: knowledge.date().to_string() }));
        }
        let checkpoint = knowledge.checkpoints().of_family(family).find(|checkpoint| checkpoint.kb == kb)?;
        Some((checkpoint.build, Evidence::of_checkpoint(checkpoint, knowledge)))
    }

    /// Returns the architectures of a KB's entries whose files were never read.
    pub fn unread_architectures(&self, kb: Kb) -> BTreeSet<Option<Architecture>> {
        let unread = self.updates.iter().filter(|update| update.kb == Some(kb) && update.files.is_none());
        unread.map(|update| self.architecture_of(update)).collect()
    }

    /// Returns the newest file (by key) of a KB for an architecture, or `None` if no entry lists one. A delta
    /// update is never the file of a KB.
    pub fn file_of_kb(&self, kb: Kb, architecture: Architecture) -> Option<&FileFacts> {
        let of_kb = |file: &&FileFacts| {
            file.kb == Some(kb) && file.architecture == Some(architecture) && !file.is_delta()
        };
        self.files.values().rfind(of_kb)
    }
}
