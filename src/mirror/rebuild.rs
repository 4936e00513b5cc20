//! An index made anew from what is published: `kb/*/KB*.json` and the pool.
//!
//! What the JSON files say is taken as what the Catalog said once; what the pool has is taken by its name and size, and
//! a set whose bytes are not all here stays recorded and is not published. Facts that never were part of a published KB
//! are lost; a crawl brings them back. A JSON file that cannot be read is named and stops the rebuilding: an operator who
//! removes it decides that its KB is lost.

use serde::Deserialize;

use super::index::{DetailsRecord, FileRecord, Index, PublishState, UpdateRecord};
use super::layout::Layout;
use super::names::plain_name;
use super::tables::knowledge_of_mirror;
use super::views::KB_JSON_FORMAT;
use crate::disk;
use crate::error::{Error, Result};
use crate::resolve::{FamilyName, FileFacts, Member, Needs, PackageSet, Role};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Digests, Kb, Sha1, Sha256, UpdateId, classify};

/// Far more than any KB has to say.
const JSON_CAP: u64 = 64 * 1024 * 1024;

#[derive(Debug, Deserialize)]
struct Document {
    kb: Kb,
    origin: String,
    sets: Vec<Set>,
    updates: Vec<Update>,
}

#[derive(Debug, Deserialize)]
struct Set {
    folder: String,
    family: Option<String>,
    architecture: Option<Architecture>,
    products: Vec<String>,
    is_dynamic: bool,
    files: Vec<File>,
    needs: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct File {
    role: String,
    name: String,
    sha1: Option<Sha1>,
    sha1_source: Option<String>,
    sha256: Option<Sha256>,
    sha256_source: Option<String>,
    size: Option<u64>,
    urls: Vec<String>,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Check {
    what: String,
    against: String,
}

#[derive(Debug, Deserialize)]
struct Edge {
    from: Option<usize>,
    to: Option<usize>,
    role: String,
    source: String,
}

#[derive(Debug, Deserialize)]
struct Update {
    #[serde(rename = "update_id")]
    id: UpdateId,
    title: String,
    products: String,
    classification: Option<String>,
    last_updated: Option<jiff::civil::Date>,
    size: Option<u64>,
    files: Option<Vec<Listed>>,
    superseded_by: Vec<Related>,
    supersedes: Vec<Related>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
    urls: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Related {
    update_id: Option<UpdateId>,
    title: String,
}

/// Fills an empty index; returns how many sets there are in it then.
pub(super) fn rebuild(layout: &Layout, index: &Index, now: i64) -> Result<usize> {
    let (knowledge, _) = knowledge_of_mirror(layout)?;
    let mut sets = 0;
    for name in disk::list(&layout.kbs())? {
        let Ok(kb) = name.parse::<Kb>() else { continue };
        let path = layout.kb_json(kb);
        if !disk::exists(&path) {
            continue;
        }
        let text = disk::read_text(&path, JSON_CAP)?;
        let unreadable = |error: serde_json::Error| {
            Error::usage(format!("{path} cannot be read, so the index cannot be rebuilt"))
                .caused_by(error)
                .hint("put mirror.db back, or remove this file to give its KB up")
        };
        let header: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
        let format = header.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
        if format > u64::from(KB_JSON_FORMAT) {
            let message =
                format!("{path} has format {format}; this program reads formats up to {KB_JSON_FORMAT}");
            return Err(
                Error::usage(message).hint("use the version of kbmirror that wrote it, or a newer one")
            );
        }
        let document: Document = serde_json::from_value(header).map_err(unreadable)?;
        index.set_meta("origin", &document.origin)?;
        for update in &document.updates {
            restore_update(index, update, document.kb, now)?;
        }
        for set in &document.sets {
            restore_set(layout, index, document.kb, set, &knowledge, now)?;
            sets += 1;
        }
    }
    Ok(sets)
}

fn restore_update(index: &Index, update: &Update, kb: Kb, now: i64) -> Result<()> {
    let mut class = classify(&update.title, &update.products, None);
    class.kb = class.kb.or(Some(kb));
    index.record_update(
        &UpdateRecord {
            id: update.id,
            title: update.title.clone(),
            class,
            products: update.products.clone(),
            classification: update.classification.clone().unwrap_or_default(),
            last_updated: update.last_updated.unwrap_or_default(),
            size: update.size.unwrap_or_default(),
        },
        now,
    )?;
    let with_id = |related: &Related| Some((related.update_id?, related.title.clone()));
    let details = DetailsRecord {
        id: update.id,
        kbs: vec![kb],
        severity: None,
        restart: None,
        superseded_by: update.superseded_by.iter().filter_map(with_id).collect(),
        supersedes: update.supersedes.iter().map(|related| related.title.clone()).collect(),
    };
    index.record_details(&details, now)?;
    if let Some(files) = &update.files {
        let record = |file: &Listed| FileRecord {
            name: file.name.clone(),
            url: file.urls.first().cloned().unwrap_or_default(),
            sha1: file.sha1,
            sha256: file.sha256,
        };
        let records: Vec<FileRecord> = files.iter().map(record).collect();
        index.record_dialog(update.id, &records, now)?;
    }
    Ok(())
}

fn restore_set(
    layout: &Layout,
    index: &Index,
    kb: Kb,
    set: &Set,
    knowledge: &Knowledge,
    now: i64,
) -> Result<()> {
    if plain_name(&set.folder).as_ref() != Ok(&set.folder) {
        let message =
            format!("{} names the folder {:?}, which is no plain name", layout.kb_json(kb), set.folder);
        return Err(Error::usage(message));
    }
    let mut members = Vec::new();
    let mut whole = true;
    for file in &set.files {
        let mut facts = FileFacts::from_name(&file.name);
        facts.sha1 = file.sha1;
        facts.sha256 = file.sha256;
        facts.sha1_is_stated = file.sha1_source.as_deref().is_some_and(|source| source != "bytes");
        facts.sha256_is_stated = file.sha256_source.as_deref().is_some_and(|source| source != "bytes");
        facts.urls.clone_from(&file.urls);
        let source = |word: &Option<String>| match word.as_deref() {
            Some("knowledge") => "knowledge",
            _ => "dialog",
        };
        for url in &file.urls {
            // What only the bytes told is told by the pool again.
            let stated = FileRecord {
                name: file.name.clone(),
                url: url.clone(),
                sha1: file
                    .sha1
                    .filter(|_| matches!(file.sha1_source.as_deref(), Some("dialog" | "knowledge"))),
                sha256: file.sha256.filter(|_| file.sha256_source.as_deref() != Some("bytes")),
            };
            let word =
                if stated.sha256.is_some() { source(&file.sha256_source) } else { source(&file.sha1_source) };
            facts.key = Some(index.record_file(&stated, word, None, now)?.0);
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
                index.record_check(key, &check.what, &check.against, now)?;
            }
        }
        whole &= pooled;
        let role = Role::from_word(&file.role).unwrap_or(Role::Companion);
        members.push(Member { file: facts, role, build: None, evidence: Vec::new() });
    }
    let edge = |edge: &Edge| {
        let place = |place: Option<usize>| place?.checked_sub(1).filter(|&place| place < members.len());
        let source = if edge.source == "knowledge" { "knowledge" } else { "dialog" };
        Some(Needs {
            from: place(edge.from)?,
            to: place(edge.to)?,
            role: Role::from_word(&edge.role)?,
            source,
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
        updates: Vec::new(),
        month: None,
        members,
        needs,
        stated_size: None,
        is_dynamic_variant: set.is_dynamic,
        warnings: Vec::new(),
    };
    let id = index.record_set(&package_set, now)?;
    if whole && disk::exists(&layout.set(kb, &set.folder)) {
        index.set_published(kb, &set.folder, id, PublishState::Published, now)?;
    }
    Ok(())
}
