//! Documents of the stored updates, files, and package sets. Reads the index and compares names and sizes with the
//! disk. Package files are not read. An index that cannot be read is an error.

use std::collections::BTreeMap;

use super::index::{PublishState, SetRow, UpdateDetail};
use super::{Access, Index, Mirror};
use crate::documents::{FileDocument, MemberDocument, SetDocument, SetStatus, StoredSet, UpdateDocument};
use crate::error::Result;
use crate::facts::{FileFacts, FileKey, Role, Source};

/// Returns the document of an update. The compared properties of its files come from the index and are empty
/// without one.
pub fn update_document(
    update: &UpdateDetail,
    files: &BTreeMap<FileKey, FileFacts>,
    index: Option<&Index>,
) -> Result<UpdateDocument> {
    let facts = &update.facts;
    let document = |file: &FileFacts| -> Result<FileDocument> {
        let checked = index.map(|index| check_words(file, index)).transpose()?;
        Ok(FileDocument::new(file, None, checked.unwrap_or_default()))
    };
    let listed = |keys: &Vec<FileKey>| -> Result<Vec<FileDocument>> {
        keys.iter().filter_map(|key| files.get(key)).map(document).collect()
    };
    Ok(UpdateDocument {
        update_id: facts.id,
        kb: facts.kb,
        title: facts.title.clone(),
        kind: facts.kind,
        month: facts.month,
        release: facts.release.clone(),
        product: facts.product.clone(),
        products: facts.products.clone(),
        product_list: facts.product.iter().cloned().collect(),
        classification: update.classification.clone(),
        architecture: facts.architecture,
        build: facts.build,
        last_updated: facts.last_updated,
        size: facts.size,
        withdrawn: None,
        expired: facts.expired.as_ref().map(|expired| expired.since),
        reissued: update.reissued,
        severity: update.severity.clone(),
        restart: update.restart.clone(),
        first_seen: update.seen.map(|seen| seen.first),
        last_seen: update.seen.map(|seen| seen.last),
        files: facts.files.as_ref().map(listed).transpose()?,
        supersedes: Some(update.supersedes.clone()),
        superseded_by: Some(update.superseded_by.clone()),
        size_text: None,
    })
}

/// Returns the compared properties as words: `sha256`, `sha1 (knowledge)`. The Catalog's own statements have no
/// suffix.
fn check_words(file: &FileFacts, index: &Index) -> Result<Vec<String>> {
    let Some(key) = file.key else { return Ok(Vec::new()) };
    let checks = index.checks_of(key)?.into_iter();
    Ok(checks
        .map(|check| match check.against {
            Source::Dialog | Source::SearchPage | Source::Name => check.what.to_string(),
            other => format!("{} ({other})", check.what),
        })
        .collect())
}

impl<S: Access> Mirror<S> {
    /// Returns the document of a stored set, with the status `published` or `planned`.
    pub fn stored_set(&self, set: &SetRow) -> Result<StoredSet> {
        let is_published = set.state == Some(PublishState::Published);
        let status = if is_published { SetStatus::Published } else { SetStatus::Planned };
        let mut document = self.set_document(set, status, None)?;
        let damaged = if is_published { self.faults_of(set)? } else { None };
        let folder_missing = damaged.as_ref().is_some_and(|damaged| damaged.folder_missing);
        let faults = damaged.map(|damaged| damaged.faults).unwrap_or_default();
        for member in &mut document.files {
            let Some(sha256) = &member.file.sha256 else { continue };
            let path = self.layout.portable(&self.layout.pool_file(sha256));
            if faults.iter().any(|fault| fault.path == path) {
                member.file.present = false;
            }
        }
        Ok(StoredSet { set: document, damaged: !faults.is_empty(), folder_missing, faults })
    }

    /// Returns the document of a set with this status. Files have paths only if the folder of the set exists.
    pub fn set_document(&self, set: &SetRow, status: SetStatus, error: Option<&str>) -> Result<SetDocument> {
        let folder = self.folder_of(set)?;
        let relative = self.layout.relative(&folder.path).to_owned();
        let is_there = matches!(status, SetStatus::Published | SetStatus::Unchanged);
        let mut files = Vec::new();
        let roles: Vec<Role> = set.members.iter().map(|member| member.role).collect();
        let positions = Role::positions(&roles);
        for ((member, name), order) in set.members.iter().zip(&folder.names).zip(positions) {
            files.push(MemberDocument {
                file: FileDocument::new(
                    &member.file,
                    Some(member.role),
                    check_words(&member.file, &self.index)?,
                ),
                order,
                path: is_there.then(|| relative.join(name)),
                folder_name: name.to_string(),
                is_pooled: match member.file.key {
                    Some(key) => self.pooled_file(key)?.is_some(),
                    None => false,
                },
            });
        }
        let products: Vec<String> = set.products.split("; ").map(str::to_owned).collect();
        Ok(SetDocument {
            kb: set.kb,
            family: set.family.clone(),
            architecture: set.architecture,
            product_list: products.clone(),
            products,
            folder: relative,
            status,
            files,
            error: error.map(str::to_owned),
        })
    }
}
