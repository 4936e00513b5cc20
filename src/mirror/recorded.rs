//! Published sets as `lint` compares them with folders, and the judgement before a set is published.
//!
//! A fetch publishes only a set that `lint` accepts: both use [`lint()`] with the set's record, as for a mirror. A
//! record comes from the index, or from the document beside the folder if the mirror has no index here.

use camino::Utf8Path;

use super::index::{PublishState, SetRow};
use super::library::facts_of_folder;
use super::rebuild::read_document;
use super::{Access, Layout, Mirror};
use crate::disk;
use crate::documents::{FileLine, SetRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{FileFacts, PlainName, Role, SetFolder, Source};
use crate::lint::{
    EntryKind, FileHead, FolderEntry, LintFolder, LintReport, LintRequest, LintStatus, RecordedFile,
    RecordedSet, lint,
};
use crate::resolve::{Machine, Member, Place};
use crate::servicing::Knowledge;
use crate::update::container::FIRST_BYTES;
use crate::update::{Digests, Kb};

/// Returns the KB and the set that the last two parts of a path name.
fn kb_and_set(folder: &Utf8Path) -> Option<(Kb, SetFolder)> {
    let kb = folder.parent()?.file_name()?.parse().ok()?;
    Some((kb, SetFolder::new(folder.file_name()?).ok()?))
}

/// Returns the layout of the mirror in which a set folder lies, or `None` if it does not lie in one.
pub fn layout_around(folder: &Utf8Path) -> Option<Layout> {
    let folder = disk::canonical(folder).ok()?;
    let (kb, _) = kb_and_set(&folder)?;
    let layout = Layout::new(folder.ancestors().nth(3)?.to_owned(), None);
    (layout.kb(kb) == folder.parent()?).then_some(layout)
}

/// Returns the record of a set folder in the document beside it. A document that cannot be read records nothing.
pub fn documented_set(folder: &Utf8Path) -> Option<RecordedSet> {
    let folder = disk::canonical(folder).ok()?;
    let (kb, set) = kb_and_set(&folder)?;
    let path = folder.parent()?.join(format!("{kb}.json"));
    let document = disk::exists(&path).then(|| read_document(&path).ok())??;
    let own = document.sets.iter().find(|own| own.folder == set).filter(|_| document.kb == kb)?;
    Some(record_of(kb, own))
}

fn record_of(kb: Kb, set: &SetRecord) -> RecordedSet {
    let file = |line: &FileLine| RecordedFile {
        name: line.name_in_folder().to_owned(),
        role: Role::from_word(&line.role).unwrap_or(Role::Companion),
        file: FileFacts {
            sha1: line.sha1,
            sha256: line.sha256,
            sha1_is_stated: line.sha1_source.is_some_and(Source::is_stated),
            sha256_is_stated: line.sha256_source.is_some_and(Source::is_stated),
            size: line.size,
            ..FileFacts::from_name(&line.name)
        },
    };
    RecordedSet {
        kb,
        folder: set.folder.clone(),
        architecture: set.architecture,
        is_dynamic: set.is_dynamic,
        files: set.files.iter().map(file).collect(),
    }
}

impl<S: Access> Mirror<S> {
    /// Returns the record of the published set that the last two parts of a path name, or `None` if no set is
    /// published there. The content of the folder decides if it is this set.
    pub fn recorded_set_at(&self, folder: &Utf8Path) -> Result<Option<RecordedSet>> {
        let Some((kb, folder)) = disk::canonical(folder).ok().and_then(|folder| kb_and_set(&folder)) else {
            return Ok(None);
        };
        match self.index.publication_of(kb, &folder)? {
            Some((id, PublishState::Published)) => {
                let row = self.index.set(id)?.filter(|row| row.folder == folder);
                row.map(|row| self.recorded_set(&row)).transpose()
            }
            _ => Ok(None),
        }
    }

    /// Returns the record of a set.
    fn recorded_set(&self, set: &SetRow) -> Result<RecordedSet> {
        let names = self.folder_of(set)?.names;
        let file = |(member, name): (&Member, &PlainName)| RecordedFile {
            name: name.to_string(),
            role: member.role,
            file: member.file.clone(),
        };
        Ok(RecordedSet {
            kb: set.kb,
            folder: set.folder.clone(),
            architecture: set.architecture,
            is_dynamic: set.is_dynamic,
            files: set.members.iter().zip(&names).map(file).collect(),
        })
    }

    /// Judges a set whose files are in the pool, as `lint` judges its folder after publication.
    pub fn judge_set(&self, set: &SetRow, knowledge: &Knowledge) -> Result<LintReport> {
        let recorded = self.recorded_set(set)?;
        let mut entries = Vec::new();
        for file in &recorded.files {
            let pooled = file.file.key.map(|key| self.pooled_file(key)).transpose()?.flatten();
            let head = match &pooled {
                Some(pooled) => {
                    let (size, first) = disk::read_start(&pooled.path, FIRST_BYTES as u64)?;
                    Some(FileHead { size, first })
                }
                None => None,
            };
            let digests = (file.file.sha1, file.file.sha256, pooled.map(|pooled| pooled.size));
            let content = match digests {
                (Some(sha1), Some(sha256), Some(size)) => Some(Digests { sha1, sha256, size }),
                _ => None,
            };
            entries.push(FolderEntry { name: file.name.clone(), kind: EntryKind::File, head, content });
        }
        let folder = LintFolder { entries };
        let machine = Machine { place: Place::Mirror, ..Machine::default() };
        let request = LintRequest { recorded: Some(recorded), ..LintRequest::from(machine) };
        let facts = facts_of_folder(&folder, &request, &self.index, knowledge)?;
        Ok(lint(&folder, &request, knowledge, &facts))
    }

    /// Refuses a set that `lint` would refuse.
    pub fn expect_valid_set(&self, set: &SetRow, knowledge: &Knowledge) -> Result<()> {
        let report = self.judge_set(set, knowledge)?;
        if report.status == LintStatus::Ok {
            return Ok(());
        }
        let texts = report.findings.iter().map(|finding| {
            let name = finding.name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
            format!("{}: {name}{}", finding.code, finding.message)
        });
        let texts: Vec<String> = texts.collect();
        let message =
            format!("cannot publish {} {}, which lint refuses: {}", set.kb, set.folder, texts.join("; "));
        Err(Error::new(ErrorKind::Unresolved, message)
            .hint("correct the tables of --knowledge if they cause this; the files stay in the pool"))
    }
}
