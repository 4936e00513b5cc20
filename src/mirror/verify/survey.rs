//! Names and sizes: the quick half of a verification. Lists the files to read, and the faults that are visible
//! without reading.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::fault::{PathFault, PathOwner};
use super::verdict::ExpectedFile;
use crate::disk::{self, Entry};
use crate::documents::{FindingKind, KB_JSON_FORMAT, KbDocument, VerifyFinding};
use crate::error::Result;
use crate::facts::{SetFolder, SetId};
use crate::mirror::damage::FOLDER_MISSING;
use crate::mirror::entry_fault::entry_fault;
use crate::mirror::forget::PendingMoves;
use crate::mirror::index::{PublishState, SetRow};
use crate::mirror::view_record::ViewRecord;
use crate::mirror::view_state::{ViewState, view_state};
use crate::mirror::{Access, Mirror};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256};
use crate::views::KbViews;

/// The size limit of a view; a KB's document has the same limit when an index is rebuilt.
const CAP: u64 = 64 << 20;

/// The result of a survey.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) readings: Vec<ExpectedFile>,
    pub(super) faults: Vec<PathFault>,
    pub(super) warnings: Vec<String>,
    pub(super) leftovers: Vec<Utf8PathBuf>,
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) folders: usize,
    pub(super) kbs: BTreeSet<Kb>,
}

/// Surveys the complete mirror, or the published sets of some KBs.
pub(super) fn survey(mirror: &Mirror<impl Access>, only: &[Kb], knowledge: &Knowledge) -> Result<Survey> {
    let has_current_views = mirror.index.has_current_views()?;
    let moves = mirror.unfinished_moves()?.unwrap_or_default();
    let survey = Survey::default();
    let mut surveyor =
        Surveyor { mirror, knowledge, survey, has_current_views, moves, pool: BTreeMap::new() };
    surveyor.check_index();
    for kb in surveyor.moves.kbs() {
        let warning = format!("the removal of {kb} was interrupted; the next run that writes completes it");
        surveyor.survey.warnings.push(warning);
    }
    let mut published: BTreeMap<Kb, Vec<(SetFolder, SetId, PublishState)>> = BTreeMap::new();
    for (kb, folder, set, state) in mirror.index.published_folders(None)? {
        if only.is_empty() || only.contains(&kb) {
            published.entry(kb).or_default().push((folder, set, state));
        }
    }
    let mut sets: Vec<(SetFolder, SetRow)> = Vec::new();
    for (folder, set, _) in published.values().flatten().filter(|row| row.2 == PublishState::Published) {
        if let Some(row) = mirror.index.set(*set)? {
            sets.push((folder.clone(), row));
        }
    }
    surveyor.check_pool(&sets, !only.is_empty())?;
    for (folder, set) in &sets {
        surveyor.check_set_folder(folder, set)?;
    }
    for (&kb, folders) in &published {
        surveyor.check_kb_folder(kb, folders)?;
    }
    if only.is_empty() {
        surveyor.check_knowledge_tables()?;
        for name in disk::list(&mirror.layout.kbs())? {
            if !name.parse().is_ok_and(|kb: Kb| published.contains_key(&kb) && kb.to_string() == name) {
                let path = mirror.layout.kbs().join(&name);
                if name.parse().is_ok_and(|kb| surveyor.moves.has_kb(kb)) {
                    surveyor.survey.leftovers.push(mirror.layout.relative(&path).to_owned());
                    continue;
                }
                surveyor.add_fault(
                    &path,
                    FindingKind::Foreign,
                    PathOwner::Pool(None),
                    &[],
                    "no publication of this folder is recorded",
                );
            }
        }
        // A replaced folder stays for its readers until the next run that writes.
        let left = disk::list(&mirror.layout.partial())?;
        for name in left.into_iter().filter(|name| !name.starts_with("replaced-")) {
            surveyor.survey.leftovers.push(Utf8Path::new("partial").join(name));
        }
    }
    surveyor.survey.leftovers.sort();
    Ok(surveyor.survey)
}

/// A survey in progress.
pub(super) struct Surveyor<'m, S> {
    pub(super) mirror: &'m Mirror<S>,
    knowledge: &'m Knowledge,
    pub(super) survey: Survey,
    /// `false` while a run is in progress or after one was interrupted. The views may differ from the index then.
    has_current_views: bool,
    /// The pending moves of an interrupted removal.
    moves: PendingMoves,
    /// The file numbers of the pool files by digest, for comparison with the files in set folders.
    pub(super) pool: BTreeMap<Sha256, disk::FileNumber>,
}

impl<S: Access> Surveyor<'_, S> {
    pub(super) fn add_fault(
        &mut self,
        path: &Utf8Path,
        kind: FindingKind,
        place: PathOwner,
        kbs: &[Kb],
        message: impl Into<String>,
    ) {
        let path = self.mirror.layout.relative(path).to_owned();
        let finding = VerifyFinding { path, kind, kbs: kbs.to_vec(), message: message.into() };
        self.survey.faults.push(PathFault { finding, place });
    }

    /// Checks the index as a database.
    fn check_index(&mut self) {
        let path = self.mirror.layout.index().to_owned();
        for fault in self.mirror.index.integrity_faults() {
            self.add_fault(&path, FindingKind::Digest, PathOwner::Index, &[], fault);
        }
    }

    /// Compares imported knowledge tables with the recorded digests of the signed ones.
    fn check_knowledge_tables(&mut self) -> Result<()> {
        for (path, message) in self.mirror.changed_tables()? {
            self.add_fault(&path, FindingKind::Digest, PathOwner::Pool(None), &[], message);
        }
        Ok(())
    }

    /// Adds a file that must exist to the list of files to read, or records its fault. Returns its file number.
    pub(super) fn add_file(&mut self, mut reading: ExpectedFile) -> Option<disk::FileNumber> {
        let kbs: Vec<Kb> = reading.kbs.iter().copied().collect();
        let metadata = disk::entry(&reading.path)
            .and_then(|entry| Ok((entry, disk::file_number(&reading.path)?, disk::stamp(&reading.path)?)));
        let (entry, number, stamp) = match metadata {
            Ok((entry, number, stamp)) => (Ok(entry), number, stamp),
            Err(error) => (Err(error), None, None),
        };
        let Some((kind, message)) = entry_fault(entry, reading.size) else {
            reading.stamp = stamp;
            self.survey.readings.push(reading);
            return number;
        };
        self.add_fault(&reading.path, kind, reading.place, &kbs, message);
        number
    }

    /// Compares a set folder with its set: exactly these names, each with the right bytes.
    fn check_set_folder(&mut self, folder: &SetFolder, set: &SetRow) -> Result<()> {
        let path = self.mirror.layout.set(set.kb, folder);
        self.survey.folders += 1;
        let of_set = |sha256| PathOwner::Folder(set.kb, folder.clone(), sha256);
        let kbs = [set.kb];
        let there = match disk::entry(&path)? {
            Entry::Folder => {
                disk::list(&path).map_err(|error| (FindingKind::Unreadable, error.full_message()))
            }
            Entry::Missing => Err((FindingKind::Missing, FOLDER_MISSING.to_owned())),
            Entry::File(_) | Entry::Other => Err((FindingKind::Foreign, "not a folder".to_owned())),
        };
        let there = match there {
            Ok(there) => there,
            Err((kind, message)) => {
                self.add_fault(&path, kind, of_set(None), &kbs, message);
                return Ok(());
            }
        };
        let own = self.mirror.folder_of(set)?;
        for name in there.into_iter().filter(|name| !own.has(name)) {
            let message = "not a file of the set";
            self.add_fault(&path.join(name), FindingKind::Foreign, of_set(None), &kbs, message);
        }
        for (member, name) in set.members.iter().zip(own.names) {
            let path = path.join(name);
            let (Some(sha256), Some(size)) = (member.file.sha256, member.file.size) else {
                let message = "the index has no digest of the file";
                self.add_fault(&path, FindingKind::Missing, of_set(None), &kbs, message);
                continue;
            };
            let is_known = match member.file.key {
                Some(key) => self.mirror.index.pool_record(key)?.is_some(),
                None => false,
            };
            if !is_known {
                let (pool_file, place) =
                    (self.mirror.layout.pool_file(&sha256), PathOwner::Pool(Some(sha256)));
                let message = "not recorded as a pool file";
                self.add_fault(&pool_file, FindingKind::Missing, place, &kbs, message);
            }
            let pooled = self.pool.get(&sha256).copied();
            let is_pooled = pooled.is_some() && disk::file_number(&path).is_ok_and(|number| number == pooled);
            if !is_pooled {
                let (sha1, kbs) = (member.file.sha1, BTreeSet::from(kbs));
                self.add_file(ExpectedFile {
                    path,
                    size,
                    sha256,
                    sha1,
                    kbs,
                    place: of_set(Some(sha256)),
                    stamp: None,
                });
            }
        }
        Ok(())
    }

    /// Checks the folder of a KB: its sets and the files beside them.
    fn check_kb_folder(&mut self, kb: Kb, folders: &[(SetFolder, SetId, PublishState)]) -> Result<()> {
        self.survey.kbs.insert(kb);
        let layout = self.mirror.layout.clone();
        for (folder, _, _) in folders.iter().filter(|row| row.2 == PublishState::Publishing) {
            self.survey.leftovers.push(layout.relative(&layout.set(kb, folder)).to_owned());
        }
        let views = self.mirror.kb_views(kb, self.knowledge)?;
        let record = self.mirror.view_record(kb)?;
        let mut beside: BTreeMap<String, Option<&str>> =
            views.by_name().map(|(name, text)| (name, Some(text))).collect();
        for name in record.iter().flat_map(ViewRecord::names) {
            beside.entry(name.to_owned()).or_insert(None);
        }
        for name in disk::list(&layout.kb(kb))? {
            let path = layout.kb(kb).join(&name);
            if name.starts_with(disk::TEMPORARY_PREFIX) || self.moves.has_folder(kb, &name) {
                self.survey.leftovers.push(layout.relative(&path).to_owned());
            } else if !beside.contains_key(&name) && !folders.iter().any(|(folder, ..)| *folder == *name) {
                self.add_fault(
                    &path,
                    FindingKind::Foreign,
                    PathOwner::Beside(kb),
                    &[kb],
                    "not recorded in the index",
                );
            }
        }
        let mut states = Vec::new();
        for (name, made) in beside {
            let path = layout.kb(kb).join(name);
            let state = view_state(&path, made, record.as_ref())?;
            states.push((path, made, state));
        }
        let is_interrupted = match &record {
            Some(record) => !record.is_complete(),
            // The first view of a KB is written after its record.
            None => states.iter().all(|(_, _, state)| *state == ViewState::Missing),
        };
        if is_interrupted {
            self.survey.warnings.push(format!(
                "the publishing of {kb} was interrupted; the next run that writes completes it"
            ));
        }
        for (path, made, state) in states {
            if state == ViewState::Missing && (is_interrupted || made.is_none()) {
                continue;
            }
            self.check_view(kb, &path, state, &views, record.as_ref());
        }
        Ok(())
    }

    /// Judges a file beside the set folders of a KB.
    fn check_view(
        &mut self,
        kb: Kb,
        path: &Utf8Path,
        state: ViewState,
        views: &KbViews,
        record: Option<&ViewRecord>,
    ) {
        let layout = &self.mirror.layout;
        let is_script = path.extension() == Some("cmd");
        let is_json = *path == layout.kb_json(kb);
        let is_readme = *path == layout.kb_readme(kb);
        let relative = layout.relative(path).to_owned();
        let is_repeatable =
            self.has_current_views && record.is_some_and(|record| record.is_repeatable(self.knowledge));
        let (kind, message) = match state {
            ViewState::Right => return,
            // The file is unchanged since it was written, and its rows give another text although no run changed
            // them.
            ViewState::Outdated if is_repeatable && is_json => {
                let index = self.mirror.layout.index().to_owned();
                let message =
                    format!("rows of {kb} changed since {relative} was written, but no run changed them");
                self.add_fault(&index, FindingKind::Digest, PathOwner::Index, &[kb], message);
                return;
            }
            ViewState::Outdated => {
                let is_of_other = record.is_some_and(|record| record.used_other_knowledge(self.knowledge));
                if is_script && is_of_other {
                    self.survey.warnings.push(format!(
                        "{relative} was made with other knowledge tables than those of this run, and is unchanged since then"
                    ));
                } else if !is_of_other {
                    self.survey.warnings.push(format!(
                        "{relative} is outdated but unchanged since it was written; the next run that writes replaces it"
                    ));
                }
                return;
            }
            ViewState::Missing => (FindingKind::Missing, "missing".to_owned()),
            ViewState::NotAFile => (FindingKind::Missing, "not a file".to_owned()),
            ViewState::Unreadable => (FindingKind::Unreadable, "cannot be read".to_owned()),
            // Version 0.1 kept no record and wrote different scripts.
            ViewState::Unrecorded if is_script => {
                self.survey.warnings.push(format!(
                    "{relative} differs from the script of this run and has no record; the next run that writes replaces it and keeps the old text"
                ));
                return;
            }
            ViewState::Changed if is_script => {
                (FindingKind::Digest, "differs from the script that the index gives for the set".to_owned())
            }
            ViewState::Unrecorded if is_readme => return,
            ViewState::Changed if is_readme => {
                (FindingKind::Digest, "changed since it was written".to_owned())
            }
            ViewState::Changed | ViewState::Unrecorded if is_json => {
                let difference =
                    disk::read_text(path, CAP).map(|text| json_difference(&text, &views.document));
                match difference.unwrap_or_else(|error| Some(error.full_message())) {
                    Some(unreadable) if disk::read_text(path, CAP).is_err() => {
                        (FindingKind::Unreadable, unreadable)
                    }
                    Some(difference) => (FindingKind::Foreign, difference),
                    // The index may have newer statements of the Catalog.
                    None if state == ViewState::Unrecorded => return,
                    None => (FindingKind::Foreign, "changed since it was written".to_owned()),
                }
            }
            ViewState::Changed | ViewState::Unrecorded => {
                (FindingKind::Foreign, "differs from the index".to_owned())
            }
        };
        self.add_fault(path, kind, PathOwner::Beside(kb), &[kb], message);
    }
}

/// Returns the difference between the JSON of a KB and the index regarding published files, or `None` if they
/// agree. The index may have newer statements of the Catalog about the updates.
fn json_difference(text: &str, own: &KbDocument) -> Option<String> {
    let Ok(header) = serde_json::from_str::<Value>(text) else {
        return Some("not valid JSON".to_owned());
    };
    if header["format"].as_u64().is_none_or(|format| format > u64::from(KB_JSON_FORMAT)) {
        return Some(format!("unknown format {}", header["format"]));
    }
    if header["kb"] != own.kb.to_string() || header["origin"] != own.origin.as_str() {
        return Some("kb or origin differs from the index".to_owned());
    }
    let Ok(found) = serde_json::from_value::<KbDocument>(header) else {
        return Some("not the document of a KB".to_owned());
    };
    let files = |document: &KbDocument| -> BTreeSet<(String, Option<Sha256>, Option<u64>)> {
        let files = document.sets.iter().flat_map(|set| &set.files);
        files.map(|file| (file.path.clone(), file.sha256, file.size)).collect()
    };
    let (found, own) = (files(&found), files(own));
    let difference = found.symmetric_difference(&own).next();
    difference.map(|(path, ..)| format!("differs from the index about {path}"))
}
