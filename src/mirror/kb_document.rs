//! What is known of a KB as a document: written beside its set folders, read again when the index is lost, and carried
//! across the gap line by line.
//!
//! The same values both ways, so that what was written can be restored. Fields are added, never changed; those that only the
//! listing of a medium has are absent elsewhere.

use super::index::Check;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::{DetailsRecord, FileRecord, Owner, SetRow, Transaction, UpdateDetail, UpdateRecord};
use super::layout::Layout;
use super::{Access, Mirror};
use crate::clock::Time;
use crate::disk;
use crate::error::Result;
use crate::facts::{Checked, FileFacts, FileKey, Needs, Role, SetFolder, SetId, Source};
use crate::resolve::{FamilyName, Member, PackageSet};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Digests, Kb, Sha1, Sha256, UpdateId, classify};

/// The format of a KB's JSON file.
pub const KB_JSON_FORMAT: u32 = 1;

/// All that is published of a KB.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KbDocument {
    /// The format.
    pub format: u32,
    /// The KB.
    pub kb: Kb,
    /// Where the content comes from.
    pub origin: String,
    /// Its published sets.
    pub sets: Vec<SetRecord>,
    /// Its updates.
    pub updates: Vec<UpdateLine>,
}

/// A published set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetRecord {
    /// The folder's name.
    pub folder: SetFolder,
    /// The family's folder word.
    pub family: Option<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The products of the titles.
    pub products: Vec<String>,
    /// A copy that only Windows Setup takes.
    pub is_dynamic: bool,
    /// The files, in order of installation.
    pub files: Vec<FileLine>,
    /// Which file needs which.
    pub needs: Vec<EdgeLine>,
}

/// A file of a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileLine {
    /// Its place.
    #[serde(default)]
    pub order: usize,
    /// Its type.
    pub role: String,
    /// The KB in its name.
    #[serde(default)]
    pub kb: Option<Kb>,
    /// The Catalog's name of it.
    pub name: String,
    /// Where it lies in the KB's folder.
    #[serde(default)]
    pub path: String,
    /// The architecture in its name.
    #[serde(default)]
    pub architecture: Option<Architecture>,
    /// Its SHA-1.
    pub sha1: Option<Sha1>,
    /// The source of the SHA-1.
    pub sha1_source: Option<Source>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
    /// The source of the SHA-256.
    pub sha256_source: Option<Source>,
    /// Its bytes.
    pub size: Option<u64>,
    /// Where it can be had.
    pub urls: Vec<String>,
    /// The compared properties.
    pub checks: Vec<CheckLine>,
}

/// What of a file was compared, against whose word.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckLine {
    /// The property, such as `sha256`.
    pub what: Checked,
    /// The source of the statement, such as `dialog`.
    pub against: Source,
}

/// One file needs another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EdgeLine {
    /// Place of the needing file, from 1.
    pub from: Option<usize>,
    /// Place of the needed one.
    pub to: Option<usize>,
    /// What the needed one is.
    pub role: String,
    /// The source of the edge.
    pub source: Source,
}

/// An update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateLine {
    /// Its id.
    pub update_id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The Catalog's product string.
    pub products: String,
    /// Its classification.
    pub classification: Option<String>,
    /// The date of the entry.
    pub last_updated: Option<jiff::civil::Date>,
    /// The sum over its files.
    pub size: Option<u64>,
    /// When it was seen first.
    #[serde(default)]
    pub first_seen: String,
    /// MSRC severity; in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Restart behaviour; in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// When it was seen last; in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// Since when the Catalog shows it no more, for sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<String>,
    /// Its files; absent when the dialog was never read.
    pub files: Option<Vec<ListedFile>>,
    /// What replaces it.
    pub superseded_by: Vec<Related>,
    /// What it replaces.
    pub supersedes: Vec<Related>,
}

/// A file that a dialog listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListedFile {
    /// Its name.
    pub name: String,
    /// Its SHA-1.
    pub sha1: Option<Sha1>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
    /// Where it can be had.
    pub urls: Vec<String>,
}

/// Another update, by title and, where it is known, id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Related {
    /// Its id.
    pub update_id: Option<UpdateId>,
    /// Its title.
    pub title: String,
}

impl<S: Access> Mirror<S> {
    /// The document of some sets of a KB.
    pub fn kb_document(&self, kb: Kb, sets: &[SetRow]) -> Result<KbDocument> {
        let (updates, files) = self.index.details_of(Owner::Kb(kb))?;
        Ok(KbDocument {
            format: KB_JSON_FORMAT,
            kb,
            origin: self.origin()?,
            sets: sets.iter().map(|set| self.set_record(set)).collect::<Result<_>>()?,
            updates: updates.iter().map(|update| update_line(update, &files)).collect(),
        })
    }

    /// The updates of a KB as a listing has them.
    pub fn update_lines(&self, kb: Kb) -> Result<Vec<UpdateLine>> {
        let (updates, files) = self.index.details_of(Owner::Kb(kb))?;
        let line = |update: &UpdateDetail| UpdateLine {
            severity: update.severity.clone(),
            restart: update.restart.clone(),
            last_seen: update.seen.map(|seen| seen.last.to_string()),
            ..update_line(update, &files)
        };
        Ok(updates.iter().map(line).collect())
    }

    /// A set with its files and edges.
    pub fn set_record(&self, set: &SetRow) -> Result<SetRecord> {
        let mut files = Vec::new();
        for (member, name) in set.members.iter().zip(self.folder_of(set)?.names) {
            let (checks, (sha1_source, sha256_source)) = match member.file.key {
                Some(key) => (self.index.checks_of(key)?, self.index.digest_sources(key)?),
                None => Default::default(),
            };
            files.push(FileLine {
                order: files.len() + 1,
                role: member.role.as_str().to_owned(),
                kb: member.file.kb,
                name: member.file.name.clone(),
                path: format!("{}/{name}", set.folder),
                architecture: member.file.architecture,
                sha1: member.file.sha1,
                sha1_source,
                sha256: member.file.sha256,
                sha256_source,
                size: member.file.size,
                urls: member.file.urls.clone(),
                checks: checks
                    .into_iter()
                    .map(|Check { what, against }| CheckLine { what, against })
                    .collect(),
            });
        }
        let place = |key: FileKey| {
            set.members.iter().position(|member| member.file.key == Some(key)).map(|place| place + 1)
        };
        let edges = self.index.needs_of_set(set.id)?.into_iter();
        Ok(SetRecord {
            folder: set.folder.clone(),
            family: set.family.clone(),
            architecture: set.architecture,
            products: set.products.split("; ").map(str::to_owned).collect(),
            is_dynamic: set.is_dynamic,
            files,
            needs: edges
                .map(|(from, to, role, source)| EdgeLine { from: place(from), to: place(to), role, source })
                .collect(),
        })
    }
}

fn update_line(update: &UpdateDetail, files: &BTreeMap<FileKey, FileFacts>) -> UpdateLine {
    let related = |pairs: &[(Option<UpdateId>, String)]| -> Vec<Related> {
        pairs.iter().map(|(id, title)| Related { update_id: *id, title: title.clone() }).collect()
    };
    let listed = |file: &FileFacts| ListedFile {
        name: file.name.clone(),
        sha1: file.sha1,
        sha256: file.sha256,
        urls: file.urls.clone(),
    };
    UpdateLine {
        update_id: update.facts.id,
        title: update.facts.title.clone(),
        products: update.facts.products.clone(),
        classification: update.classification.clone(),
        last_updated: update.facts.last_updated,
        size: update.facts.size,
        first_seen: update.seen.map(|seen| seen.first.to_string()).unwrap_or_default(),
        severity: None,
        restart: None,
        last_seen: None,
        expired: update.facts.expired.as_ref().map(|expired| expired.since.to_string()),
        files: (update.facts.files.as_ref())
            .map(|keys| keys.iter().filter_map(|key| files.get(key)).map(listed).collect()),
        superseded_by: related(&update.superseded_by),
        supersedes: related(&update.supersedes),
    }
}

/// Returns a time of a document; `otherwise` where it has none, or a text that is not a time.
fn time_of(text: &str, otherwise: Time) -> Time {
    text.parse().unwrap_or(otherwise)
}

/// Writes an update into an index as if it had been crawled when the document says it was.
pub fn restore_update(index: &Transaction<'_>, update: &UpdateLine, kb: Kb, now: Time) -> Result<()> {
    let first = time_of(&update.first_seen, now);
    let last = update.last_seen.as_deref().map_or(now, |text| time_of(text, now));
    let is_news = index.seen_last(update.update_id)?.is_none_or(|known| known < last);
    let mut class = classify(&update.title, &update.products, None);
    class.kb = class.kb.or(Some(kb));
    let record = UpdateRecord {
        id: update.update_id,
        title: update.title.clone(),
        class,
        products: update.products.clone(),
        classification: update.classification.clone().unwrap_or_default(),
        last_updated: update.last_updated.unwrap_or_default(),
        size: update.size.unwrap_or_default(),
    };
    // Twice: a row keeps the time at which it was seen first.
    for time in [first, last] {
        index.record_update(&record, time)?;
    }
    let with_id = |related: &Related| Some((related.update_id?, related.title.clone()));
    let details = DetailsRecord {
        id: update.update_id,
        kbs: vec![kb],
        severity: update.severity.clone(),
        restart: update.restart.clone(),
        superseded_by: update.superseded_by.iter().filter_map(with_id).collect(),
        supersedes: update.supersedes.iter().map(|related| related.title.clone()).collect(),
    };
    index.record_details(&details, last)?;
    if let Some(files) = &update.files {
        let record = |file: &ListedFile| FileRecord {
            name: file.name.clone(),
            url: file.urls.first().cloned().unwrap_or_default(),
            sha1: file.sha1,
            sha256: file.sha256,
        };
        let records: Vec<FileRecord> = files.iter().map(record).collect();
        index.record_dialog(update.update_id, &records, last)?;
    }
    match &update.expired {
        Some(since) => {
            let since = time_of(&format!("{since}T00:00:00Z"), last);
            index.record_absence(update.update_id, since, Some(since))?;
        }
        // It was shown again.
        None if is_news => index.record_presence(update.update_id)?,
        None => {}
    }
    Ok(())
}

/// Writes a set into an index. Gives its number, and whether all its bytes are in the pool.
pub fn restore_set(
    layout: &Layout,
    index: &Transaction<'_>,
    kb: Kb,
    set: &SetRecord,
    knowledge: &Knowledge,
    now: Time,
) -> Result<(SetId, bool)> {
    let mut members = Vec::new();
    let mut whole = true;
    for file in &set.files {
        let (facts, pooled) = restore_file(layout, index, file, now)?;
        whole &= pooled;
        let role = Role::from_word(&file.role).unwrap_or(Role::Companion);
        members.push(Member::new(facts, role));
    }
    let edge = |edge: &EdgeLine| {
        let place = |place: Option<usize>| place?.checked_sub(1).filter(|&place| place < members.len());
        Some(Needs {
            from: place(edge.from)?,
            to: place(edge.to)?,
            role: Role::from_word(&edge.role)?,
            source: edge.source,
        })
    };
    let needs = set.needs.iter().filter_map(edge).collect();
    let of_folder = |family: &&crate::servicing::Family| Some(&family.folder) == set.family.as_ref();
    let package_set = PackageSet {
        kb,
        kind: None,
        families: knowledge.families().iter().filter(of_folder).map(FamilyName::from).collect(),
        architecture: set.architecture,
        folder: set.folder.clone(),
        products: set.products.clone(),
        catalog_products: Vec::new(),
        updates: Vec::new(),
        month: None,
        members,
        needs,
        stated_size: None,
        is_dynamic_variant: set.is_dynamic,
        warnings: Vec::new(),
    };
    Ok((index.record_set(&package_set, now)?, whole))
}

/// Writes a file into an index; whether the pool has it.
fn restore_file(
    layout: &Layout,
    index: &Transaction<'_>,
    file: &FileLine,
    now: Time,
) -> Result<(FileFacts, bool)> {
    let mut facts = FileFacts::from_name(&file.name);
    facts.sha1 = file.sha1;
    facts.sha256 = file.sha256;
    facts.sha1_is_stated = file.sha1_source.is_some_and(Source::is_stated);
    facts.sha256_is_stated = file.sha256_source.is_some_and(Source::is_stated);
    facts.urls.clone_from(&file.urls);
    // A name tells its SHA-1 again, and the pool tells what only the bytes told.
    let is_recorded = |source: &Source| source.is_stated() && *source != Source::Name;
    // The address that was stated last comes first, and does so again.
    for (age, url) in (0_i64..).zip(&file.urls) {
        let stated = FileRecord {
            name: file.name.clone(),
            url: url.clone(),
            sha1: file.sha1.filter(|_| file.sha1_source.as_ref().is_some_and(is_recorded)),
            sha256: file.sha256.filter(|_| file.sha256_source.is_none_or(Source::is_stated)),
        };
        let source = if stated.sha256.is_some() { file.sha256_source } else { file.sha1_source };
        let source = source.filter(is_recorded).unwrap_or(Source::Dialog);
        facts.key = Some(index.record_file(&stated, source, None, now.shifted_by(-age))?.0);
    }
    let pooled = match (facts.key, file.sha1, file.sha256, file.size) {
        (Some(key), Some(sha1), Some(sha256), Some(size))
            if disk::file_size(&layout.pool_file(&sha256))? == Some(size) =>
        {
            facts.key = Some(index.record_pooled(key, &Digests { sha1, sha256, size }, &[], now)?);
            true
        }
        _ => false,
    };
    if let (true, Some(key)) = (pooled, facts.key) {
        for check in &file.checks {
            index.record_check(key, Check { what: check.what, against: check.against }, now)?;
        }
    }
    Ok((facts, pooled))
}
