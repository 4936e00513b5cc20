//! The JSON documents. Field names are a promise: added to, never changed. What is not known is null.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::catalog::{LeftOut, SearchPart, SearchRow};
use crate::error::Result;
use crate::facts::{FileFacts, FileKey, Role, Source};
use crate::fetch::{FetchedSet, SetStatus};
use crate::mirror::index::{PublishState, SetRow, UpdateDetail};
use crate::mirror::{Index, Mirror};
use crate::update::{Classification, UpdateId};

/// An update as a search shows it.
pub(super) fn of_row(row: &SearchRow, class: &Classification) -> Value {
    json!({
        "update_id": row.update_id,
        "kb": class.kb,
        "title": row.title,
        "kind": class.kind,
        "month": class.month,
        "release": class.release,
        "product": class.product,
        "products": row.products,
        "classification": row.classification,
        "architecture": class.implied_architecture(),
        "build": class.build,
        "last_updated": row.last_updated,
        "size": row.size,
        "withdrawn": null,
        "files": null,
        "supersedes": null,
        "superseded_by": null,
    })
}

/// An update as the index or the Catalog has it. What was checked of its files is the index's to say.
pub(super) fn of_update(
    update: &UpdateDetail,
    files: &BTreeMap<FileKey, FileFacts>,
    index: Option<&Index>,
) -> Result<Value> {
    let facts = &update.facts;
    let related = |pairs: &[(Option<UpdateId>, String)]| -> Vec<Value> {
        pairs.iter().map(|(id, title)| json!({ "update_id": id, "title": title })).collect()
    };
    let listed = match &facts.files {
        None => Value::Null,
        Some(keys) => {
            let listed = keys.iter().filter_map(|key| files.get(key));
            Value::Array(listed.map(|file| of_file(file, None, index)).collect::<Result<Vec<Value>>>()?)
        }
    };
    Ok(json!({
        "update_id": facts.id,
        "kb": facts.kb,
        "title": facts.title,
        "kind": facts.kind,
        "month": facts.month,
        "release": facts.release,
        "product": facts.product,
        "products": facts.products,
        "classification": update.classification,
        "architecture": facts.architecture,
        "build": facts.build,
        "last_updated": facts.last_updated,
        "size": facts.size,
        "withdrawn": null,
        "expired": facts.expired.as_ref().map(|expired| &expired.since),
        "reissued": update.reissued,
        "severity": update.severity,
        "restart": update.restart,
        "first_seen": update.first_seen,
        "last_seen": update.last_seen,
        "files": listed,
        "supersedes": related(&update.supersedes),
        "superseded_by": related(&update.superseded_by),
    }))
}

/// What was compared, as words: `sha256`, `sha1 (knowledge)`. The Catalog's own word needs no mention.
pub(super) fn checked(file: &FileFacts, index: &Index) -> Result<Vec<String>> {
    let Some(key) = file.key else { return Ok(Vec::new()) };
    let checks = index.checks_of(key)?.into_iter();
    Ok(checks
        .map(|check| match check.against {
            Source::Dialog | Source::SearchPage | Source::Name => check.what.to_string(),
            other => format!("{} ({other})", check.what),
        })
        .collect())
}

fn of_file(file: &FileFacts, role: Option<Role>, index: Option<&Index>) -> Result<Value> {
    Ok(json!({
        "name": file.name,
        "kb": file.kb,
        "role": role,
        "architecture": file.architecture,
        "sha1": file.sha1,
        "sha256": file.sha256,
        "size": file.size,
        "urls": file.urls,
        "present": file.present,
        "checked": index.map(|index| checked(file, index)).transpose()?.unwrap_or_default(),
    }))
}

/// Returns the document of a stored set: `status` is `published` or `planned`. Names and sizes are compared with the disk.
pub(super) fn of_set(set: &SetRow, mirror: &Mirror) -> Result<Value> {
    let published = set.state == Some(PublishState::Published);
    let status = if published { SetStatus::Published } else { SetStatus::Planned };
    let mut document = set_document(set, status, None, mirror, published)?;
    let damaged = if published { mirror.faults_of(set)? } else { None };
    let faults = damaged.as_ref().map(|damaged| damaged.faults.as_slice()).unwrap_or_default();
    for (member, file) in set.members.iter().zip(document["files"].as_array_mut().into_iter().flatten()) {
        if let Some(sha256) = &member.file.sha256 {
            let path = mirror.layout().portable(&mirror.layout().pool_file(sha256));
            if faults.iter().any(|fault| fault.path == path) {
                file["present"] = json!(false);
            }
        }
    }
    document["damaged"] = json!(!faults.is_empty());
    document["folder_missing"] = json!(damaged.as_ref().is_some_and(|damaged| damaged.folder_missing));
    document["faults"] = json!(faults);
    Ok(document)
}

/// A set with what became of it.
pub(super) fn of_fetched(fetched: &FetchedSet, mirror: &Mirror) -> Result<Value> {
    let there = matches!(fetched.status, SetStatus::Published | SetStatus::Unchanged);
    let mut document = set_document(&fetched.row, fetched.status, fetched.error.as_deref(), mirror, there)?;
    document["needed_by"] = json!(fetched.needed_by);
    Ok(document)
}

fn set_document(
    set: &SetRow,
    status: SetStatus,
    error: Option<&str>,
    mirror: &Mirror,
    there: bool,
) -> Result<Value> {
    let folder = mirror.folder_of(set)?;
    let relative = mirror.layout().relative(&folder.path);
    let mut files = Vec::new();
    let mut order = 0;
    for (member, name) in set.members.iter().zip(&folder.names) {
        let mut file = of_file(&member.file, Some(member.role), Some(mirror.index()))?;
        let known = member.role != Role::Companion;
        order += usize::from(known);
        file["order"] = if known { json!(order) } else { Value::Null };
        file["path"] = if there { json!(relative.join(name)) } else { Value::Null };
        files.push(file);
    }
    Ok(json!({
        "kb": set.kb,
        "family": set.family,
        "architecture": set.architecture,
        "products": set.products.split("; ").collect::<Vec<_>>(),
        "folder": relative,
        "status": status,
        "files": files,
        "error": error,
    }))
}

/// The document of `search`.
#[derive(Debug, Serialize)]
pub(super) struct SearchDocument {
    pub(super) query: String,
    pub(super) total: u64,
    pub(super) complete: bool,
    pub(super) parts: Vec<SearchPart>,
    pub(super) updates: Vec<Value>,
    /// How many rows were read.
    pub(super) found: usize,
    /// How many of them every filter agrees to.
    pub(super) matching: usize,
    /// What each filter leaves out.
    pub(super) left_out: Vec<LeftOut>,
    /// Whether the Catalog cut its answer.
    pub(super) capped: bool,
}
