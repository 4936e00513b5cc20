//! The records of sets and updates for the document of a KB and the listing of a medium. Reads the index. Names
//! are those in the set folders, and a refused name is an error.

use std::collections::BTreeMap;

use super::index::{SetRow, UpdateDetail, UpdateSelector};
use super::{Access, Mirror};
use crate::documents::{EdgeLine, FileLine, ListedFile, SetRecord, UpdateLine};
use crate::error::Result;
use crate::facts::{FileFacts, FileKey, Role};
use crate::update::Kb;

impl<S: Access> Mirror<S> {
    /// Returns the updates of a KB as lines of a listing.
    pub fn update_lines(&self, kb: Kb) -> Result<Vec<UpdateLine>> {
        let (updates, files) = self.index.details_of(UpdateSelector::Kb(kb))?;
        let line = |update: &UpdateDetail| UpdateLine {
            severity: update.severity.clone(),
            restart: update.restart.clone(),
            last_seen: update.seen.map(|seen| seen.last.to_string()),
            ..update_line(update, &files)
        };
        Ok(updates.iter().map(line).collect())
    }

    /// Returns a set with its files and edges.
    pub fn set_record(&self, set: &SetRow) -> Result<SetRecord> {
        let mut files = Vec::new();
        let roles: Vec<Role> = set.members.iter().map(|member| member.role).collect();
        let positions = Role::positions(&roles);
        for (member, name) in set.members.iter().zip(self.folder_of(set)?.names) {
            let (checks, (sha1_source, sha256_source)) = match member.file.key {
                Some(key) => (self.index.checks_of(key)?, self.index.digest_sources(key)?),
                None => Default::default(),
            };
            files.push(FileLine {
                order: positions.get(files.len()).copied().flatten().unwrap_or_default(),
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
                checks,
            });
        }
        let place = |key: FileKey| {
            set.members.iter().position(|member| member.file.key == Some(key)).map(|place| place + 1)
        };
        let edges = self.index.needs_of_set(set.id)?.into_iter();
        let products: Vec<String> = set.products.split("; ").map(str::to_owned).collect();
        Ok(SetRecord {
            folder: set.folder.clone(),
            family: set.family.clone(),
            architecture: set.architecture,
            product_list: products.clone(),
            products,
            is_dynamic: set.is_dynamic,
            files,
            needs: edges
                .map(|(from, to, role, source)| EdgeLine { from: place(from), to: place(to), role, source })
                .collect(),
        })
    }
}

/// Returns an update with its files as a record.
pub(super) fn update_line(update: &UpdateDetail, files: &BTreeMap<FileKey, FileFacts>) -> UpdateLine {
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
        superseded_by: update.superseded_by.clone(),
        supersedes: update.supersedes.clone(),
    }
}
