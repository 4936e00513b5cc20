//! Names and sizes: the quick half of a verification. Says what is to be read, and what is wrong without reading.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::read::Reading;
use super::{Finding, FindingKind};
use crate::disk::{self, Entry};
use crate::error::Result;
use crate::mirror::Mirror;
use crate::mirror::index::{PublishState, SetRow};
use crate::mirror::kb_document::KB_JSON_FORMAT;
use crate::resolve::FileKey;
use crate::update::{Kb, Sha256};

/// What lies there.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) readings: Vec<Reading>,
    pub(super) findings: Vec<Finding>,
    pub(super) leftovers: Vec<Utf8PathBuf>,
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) folders: usize,
    pub(super) kbs: BTreeSet<Kb>,
}

/// Looks at the whole mirror, or at what is published of some KBs.
pub(super) fn survey(mirror: &Mirror, only: &[Kb]) -> Result<Survey> {
    let mut surveyor = Surveyor { mirror, survey: Survey::default(), pool: BTreeMap::new() };
    let mut published: BTreeMap<Kb, Vec<(String, i64, PublishState)>> = BTreeMap::new();
    for (kb, folder, set, state) in mirror.index.published_folders(None)? {
        if only.is_empty() || only.contains(&kb) {
            published.entry(kb).or_default().push((folder, set, state));
        }
    }
    let mut sets: Vec<(String, SetRow)> = Vec::new();
    for (folder, set, _) in published.values().flatten().filter(|row| row.2 == PublishState::Published) {
        if let Some(row) = mirror.index.set(*set)? {
            sets.push((folder.clone(), row));
        }
    }
    surveyor.pool(&sets, !only.is_empty())?;
    for (folder, set) in &sets {
        surveyor.set_folder(folder, set)?;
    }
    for (&kb, folders) in &published {
        surveyor.kb_folder(kb, folders)?;
    }
    if only.is_empty() {
        for name in disk::list(&mirror.layout.kbs())? {
            if !name.parse().is_ok_and(|kb: Kb| published.contains_key(&kb) && kb.to_string() == name) {
                let path = mirror.layout.kbs().join(&name);
                surveyor.find(&path, FindingKind::Foreign, &[], "the index knows of no publication here");
            }
        }
        for name in disk::list(&mirror.layout.partial())? {
            surveyor.survey.leftovers.push(Utf8Path::new("partial").join(name));
        }
    }
    surveyor.survey.leftovers.sort();
    Ok(surveyor.survey)
}

struct Surveyor<'m> {
    mirror: &'m Mirror,
    survey: Survey,
    /// What the pool's files are, for the views: their numbers by digest.
    pool: BTreeMap<Sha256, disk::FileNumber>,
}

impl Surveyor<'_> {
    fn find(&mut self, path: &Utf8Path, kind: FindingKind, kbs: &[Kb], message: impl Into<String>) {
        let path = self.mirror.layout.relative(path).to_owned();
        self.survey.findings.push(Finding { path, kind, kbs: kbs.to_vec(), message: message.into() });
    }

    /// The pool against the index; of some sets alone, just their files.
    fn pool(&mut self, sets: &[(String, SetRow)], of_sets_alone: bool) -> Result<()> {
        let mut owners: BTreeMap<FileKey, BTreeSet<Kb>> = BTreeMap::new();
        for (_, set) in sets {
            for key in set.members.iter().filter_map(|member| member.file.key) {
                owners.entry(key).or_default().insert(set.kb);
            }
        }
        let mut expected = BTreeSet::new();
        for (key, sha256, size) in self.mirror.index.pool()? {
            expected.insert(sha256);
            let kbs = owners.remove(&key);
            if of_sets_alone && kbs.is_none() {
                continue;
            }
            let path = self.mirror.layout.pool_file(&sha256);
            let kbs = kbs.unwrap_or_default();
            let sha1 = self.mirror.index.file(key)?.and_then(|file| file.sha1);
            self.survey.files += 1;
            self.survey.bytes += size;
            let number = self.file(Reading { path, size, sha256, sha1, kbs })?;
            self.pool.extend(number.map(|number| (sha256, number)));
        }
        if !of_sets_alone {
            self.strangers_in_pool(&expected)?;
        }
        Ok(())
    }

    /// One file that has to be there, to be read; its number.
    fn file(&mut self, reading: Reading) -> Result<Option<disk::FileNumber>> {
        let kbs: Vec<Kb> = reading.kbs.iter().copied().collect();
        match disk::entry(&reading.path)? {
            Entry::Nothing => self.find(&reading.path, FindingKind::Missing, &kbs, "it is not there"),
            Entry::File(size) => {
                let number = disk::file_number(&reading.path)?;
                if size == reading.size {
                    self.survey.readings.push(reading);
                } else {
                    let message = format!("it has {size} bytes and should have {}", reading.size);
                    self.find(&reading.path, FindingKind::Size, &kbs, message);
                }
                return Ok(number);
            }
            Entry::Folder | Entry::Other => {
                self.find(&reading.path, FindingKind::Foreign, &kbs, "it is no regular file");
            }
        }
        Ok(None)
    }

    fn strangers_in_pool(&mut self, expected: &BTreeSet<Sha256>) -> Result<()> {
        let pool = self.mirror.layout.pool();
        for first in disk::list(&pool)? {
            let folder = pool.join(&first);
            if first.len() != 2 || disk::entry(&folder)? != Entry::Folder {
                self.find(&folder, FindingKind::Foreign, &[], "the pool has folders of two digits alone");
                continue;
            }
            for name in disk::list(&folder)? {
                let known = name.parse().is_ok_and(|sha256: Sha256| {
                    expected.contains(&sha256) && sha256.to_string() == name && name.starts_with(&first)
                });
                if !known {
                    let path = folder.join(&name);
                    self.find(&path, FindingKind::Foreign, &[], "the index has no such file in the pool");
                }
            }
        }
        Ok(())
    }

    /// A set folder against its set: just these names, each with the right bytes.
    fn set_folder(&mut self, folder: &str, set: &SetRow) -> Result<()> {
        let path = self.mirror.layout.set(set.kb, folder);
        self.survey.folders += 1;
        if disk::entry(&path)? != Entry::Folder {
            self.find(&path, FindingKind::Missing, &[set.kb], "the folder of the set is not there");
            return Ok(());
        }
        let names = self.mirror.folder_of(set)?.names;
        for name in disk::list(&path)?.into_iter().filter(|name| !names.contains(name)) {
            self.find(&path.join(name), FindingKind::Foreign, &[set.kb], "it is no file of the set");
        }
        for (member, name) in set.members.iter().zip(names) {
            let path = path.join(name);
            let (Some(sha256), Some(size)) = (member.file.sha256, member.file.size) else {
                self.find(&path, FindingKind::Missing, &[set.kb], "the index does not have its digest");
                continue;
            };
            let is_pooled = match member.file.key {
                Some(key) => self.mirror.index.pooled_as(key)?.is_some(),
                None => false,
            };
            if !is_pooled {
                let message = "the index does not have it in the pool";
                self.find(&self.mirror.layout.pool_file(&sha256), FindingKind::Missing, &[set.kb], message);
            }
            let pooled = self.pool.get(&sha256).copied();
            let is_pooled = pooled.is_some()
                && matches!(disk::entry(&path)?, Entry::File(_))
                && disk::file_number(&path)? == pooled;
            if !is_pooled {
                let kbs = BTreeSet::from([set.kb]);
                self.file(Reading { path, size, sha256, sha1: member.file.sha1, kbs })?;
            }
        }
        Ok(())
    }

    /// What lies in the folder of a KB: its sets and the three files beside them.
    fn kb_folder(&mut self, kb: Kb, folders: &[(String, i64, PublishState)]) -> Result<()> {
        /// As where an index is rebuilt from it.
        const CAP: u64 = 64 << 20;
        self.survey.kbs.insert(kb);
        let layout = self.mirror.layout.clone();
        for (folder, _, _) in folders.iter().filter(|row| row.2 == PublishState::Publishing) {
            self.survey.leftovers.push(layout.relative(&layout.set(kb, folder)).to_owned());
        }
        let sets = self.mirror.index.published_sets(kb)?;
        let mut scripts = BTreeMap::new();
        for set in &sets {
            if let Some(text) = self.mirror.script_of(set)? {
                scripts.insert(layout.kb_script(kb, &set.folder), text);
            }
        }
        let mut beside = vec![layout.kb_json(kb), layout.kb_sums(kb), layout.kb_readme(kb)];
        beside.extend(scripts.keys().cloned());
        for name in disk::list(&layout.kb(kb))? {
            let path = layout.kb(kb).join(&name);
            if name.starts_with(disk::BEING_WRITTEN) {
                self.survey.leftovers.push(layout.relative(&path).to_owned());
            } else if !beside.contains(&path) && !folders.iter().any(|(folder, ..)| *folder == name) {
                self.find(&path, FindingKind::Foreign, &[kb], "the index does not know it");
            }
        }
        let sums = self.mirror.sums_of(&sets)?;
        let origin = self.mirror.origin()?;
        for path in beside {
            let is_sums = path == layout.kb_sums(kb);
            let is_json = path == layout.kb_json(kb);
            if !matches!(disk::entry(&path)?, Entry::File(_)) {
                self.find(&path, FindingKind::Missing, &[kb], "it is not there");
                continue;
            }
            match disk::read_text(&path, CAP) {
                Err(error) => self.find(&path, FindingKind::Unreadable, &[kb], error.full_message()),
                Ok(text) if scripts.get(&path).is_some_and(|script| *script != text) => {
                    let message = "it is not the script that the index gives for its set";
                    self.find(&path, FindingKind::Digest, &[kb], message);
                }
                Ok(text) if is_sums && text != sums => {
                    self.find(&path, FindingKind::Foreign, &[kb], "it does not say what the index says");
                }
                Ok(text) if is_json => {
                    if let Some(difference) = self.json_differs(&text, kb, &sets, &origin)? {
                        self.find(&path, FindingKind::Foreign, &[kb], difference);
                    }
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Where a KB's JSON says something else than the index of what is published. What the Catalog said meanwhile of its
    /// updates may be newer in the index.
    fn json_differs(&self, text: &str, kb: Kb, sets: &[SetRow], origin: &str) -> Result<Option<String>> {
        let Ok(document) = serde_json::from_str::<Value>(text) else {
            return Ok(Some("it is no JSON".to_owned()));
        };
        if document["format"].as_u64().is_none_or(|format| format > u64::from(KB_JSON_FORMAT)) {
            return Ok(Some(format!("its format is {}", document["format"])));
        }
        if document["kb"] != kb.to_string() || document["origin"] != origin {
            return Ok(Some("its kb and origin are not those of the index".to_owned()));
        }
        let mut said: BTreeSet<[String; 3]> = BTreeSet::new();
        for set in document["sets"].as_array().into_iter().flatten() {
            for file in set["files"].as_array().into_iter().flatten() {
                let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
                said.insert([text("path"), text("sha256"), file["size"].to_string()]);
            }
        }
        let mut known: BTreeSet<[String; 3]> = BTreeSet::new();
        for set in sets {
            for (member, name) in set.members.iter().zip(self.mirror.folder_of(set)?.names) {
                let sha256 = member.file.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
                let size = member.file.size.map_or_else(|| "null".to_owned(), |size| size.to_string());
                known.insert([format!("{}/{name}", set.folder), sha256, size]);
            }
        }
        let difference = said.symmetric_difference(&known).next();
        Ok(difference.map(|[path, ..]| format!("it does not say what the index says of {path}")))
    }
}
