//! The parts of an entry that are package sets of their own. Pure.
//!
//! An entry whose title states an architecture is one part. Otherwise the file names decide: each architecture
//! that they state is a part. A file without an architecture in its name is of an unknown one, so it is in every
//! part, and a warning names it. Delta updates are a part of their own, which is recorded and never planned.

use std::collections::BTreeSet;

use crate::facts::{Facts, FileFacts, UpdateFacts};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Kind};

/// Some files of an entry that form a package set.
#[derive(Debug)]
pub(super) struct EntryPart<'f> {
    /// The architecture of the files; `None` if neither title nor names state it.
    pub(super) architecture: Option<Architecture>,
    /// The files, in the order of the dialog.
    pub(super) files: Vec<&'f FileFacts>,
    /// `true` if the files are delta updates.
    pub(super) is_delta: bool,
    /// `true` if the part has all files of the entry, so that the size of the entry is the size of the part.
    pub(super) is_whole: bool,
    /// `true` if names state the architecture. A file without one is then of an unknown architecture.
    pub(super) is_by_name: bool,
}

impl EntryPart<'_> {
    /// Returns `true` if nothing states that a file is for the architecture of the part.
    pub(super) fn is_unclear(&self, file: &FileFacts) -> bool {
        self.is_by_name && file.architecture.is_none()
    }
}

/// Returns the parts of an entry, the delta updates last. The result is empty if the dialog was never read.
pub(super) fn entry_parts<'f>(
    update: &UpdateFacts,
    facts: &'f Facts,
    knowledge: &Knowledge,
) -> Vec<EntryPart<'f>> {
    let files = facts.files_of(update);
    let of_title = update.kind == Some(Kind::Delta);
    let (deltas, full): (Vec<&FileFacts>, Vec<&FileFacts>) =
        files.iter().copied().partition(|file| of_title || file.is_delta());
    let mut parts = Vec::new();
    for (is_delta, group) in [(false, full), (true, deltas)] {
        let named: BTreeSet<Architecture> = group.iter().filter_map(|file| file.architecture).collect();
        let stated =
            facts.architecture_of(update).filter(|_| update.architecture.is_some() || named.is_empty());
        let architectures: Vec<Option<Architecture>> = match stated.or_else(|| only_one(update, knowledge)) {
            _ if group.is_empty() => continue,
            _ if stated.is_none() && !named.is_empty() => named.into_iter().map(Some).collect(),
            known => vec![known],
        };
        let is_by_name = stated.is_none() && group.iter().any(|file| file.architecture.is_some());
        for architecture in architectures {
            let is_in = |file: &&FileFacts| {
                !is_by_name || file.architecture.is_none() || file.architecture == architecture
            };
            let own: Vec<&FileFacts> = group.iter().copied().filter(is_in).collect();
            let is_whole = own.len() == files.len();
            parts.push(EntryPart { architecture, files: own, is_delta, is_whole, is_by_name });
        }
    }
    parts
}

/// Returns the architecture of the family that the title names, if the family has only one.
fn only_one(update: &UpdateFacts, knowledge: &Knowledge) -> Option<Architecture> {
    match update.family(knowledge)?.architectures.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
