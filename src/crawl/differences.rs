//! Differences between the Catalog and the index: updates that were revised, re-issued, or replaced since the last run.
//! Pure.
//!
//! A page that was never read is not a difference. A details page has a date of its own, which often differs from that
//! of the search page. Its date therefore counts only if it is later than the time at which the update was last seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use super::catalog_state::CatalogUpdate;
use crate::documents::{IndexDifference, RevisedProperty};
use crate::facts::{FileFacts, FileKey, RelatedUpdate};
use crate::mirror::index::UpdateDetail;
use crate::update::UpdateId;

impl fmt::Display for IndexDifference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.what {
            RevisedProperty::Update => "the update itself",
            RevisedProperty::Title => "title",
            RevisedProperty::Date => "date",
            RevisedProperty::Size => "size",
            RevisedProperty::Classification => "classification",
            RevisedProperty::Files => "file",
            RevisedProperty::SupersededBy => "newer update that replaces it",
            RevisedProperty::Supersedes => "older update that it replaces",
        };
        write!(out, "{}, {word}: ", self.update_id)?;
        match (self.index.is_empty(), self.catalog.is_empty()) {
            (true, _) => write!(out, "only the Catalog has {}", short_list(&self.catalog)),
            (_, true) => write!(out, "only the index has {}", short_list(&self.index)),
            _ => write!(
                out,
                "the index has {}, the Catalog {}",
                short_list(&self.index),
                short_list(&self.catalog)
            ),
        }
    }
}

/// Returns some names, and the number of further ones.
fn short_list(names: &[String]) -> String {
    /// The most names that are shown; JSON contains all.
    const SHOWN: usize = 3;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    if names.len() > SHOWN {
        text = format!("{text}; and {} more", names.len() - SHOWN);
    }
    text
}

/// An update of the index, with its pages that were read.
#[derive(Debug, Clone, Copy)]
pub struct IndexedUpdate<'i> {
    /// The update.
    pub detail: &'i UpdateDetail,
    /// The files of the update and of others.
    pub files: &'i BTreeMap<FileKey, FileFacts>,
    /// `true` if details and files were read.
    pub is_read: bool,
}

/// Returns the differences of one update.
pub fn update_differences(
    index: IndexedUpdate<'_>,
    current: &CatalogUpdate,
    files: &BTreeMap<FileKey, FileFacts>,
) -> Vec<IndexDifference> {
    let (old, new) = (&index.detail.facts, &current.detail.facts);
    let mut found = Vec::new();
    let mut differ = |what: RevisedProperty, old: BTreeSet<String>, new: BTreeSet<String>| {
        let (index, catalog): (Vec<String>, Vec<String>) =
            (old.difference(&new).cloned().collect(), new.difference(&old).cloned().collect());
        if !(index.is_empty() && catalog.is_empty()) {
            found.push(IndexDifference { update_id: current.detail.facts.id, what, index, catalog });
        }
    };
    let one = |value: Option<String>| value.into_iter().collect::<BTreeSet<String>>();
    let none = BTreeSet::new;
    differ(RevisedProperty::Title, one(Some(plain(&old.title))), one(Some(plain(&new.title))));
    let last_seen = index.detail.seen.map(|seen| seen.last.date());
    let counts = current.is_from_row || new.last_updated.is_some_and(|day| Some(day) > last_seen);
    if counts && old.last_updated.is_some() {
        let text = |day: Option<Date>| one(day.map(|day| day.to_string()));
        differ(RevisedProperty::Date, text(old.last_updated), text(new.last_updated));
    }
    if let (Some(old), Some(new)) = (old.size, new.size) {
        differ(RevisedProperty::Size, one(Some(format!("{old} bytes"))), one(Some(format!("{new} bytes"))));
    }
    if let (Some(old), Some(new)) = (&index.detail.classification, &current.detail.classification) {
        differ(RevisedProperty::Classification, one(Some(old.clone())), one(Some(new.clone())));
    }
    if let (Some(old), Some(new)) = (&old.files, &new.files) {
        let names = |keys: &[FileKey], files: &BTreeMap<FileKey, FileFacts>| {
            keys.iter().filter_map(|key| files.get(key)).map(file_label).collect::<BTreeSet<String>>()
        };
        differ(RevisedProperty::Files, names(old, index.files), names(new, files));
    }
    if index.is_read && current.has_details {
        let (old, new) = (index.detail, &current.detail);
        differ(RevisedProperty::SupersededBy, none(), new_titles(&new.superseded_by, &old.superseded_by));
        differ(RevisedProperty::Supersedes, none(), new_titles(&new.supersedes, &old.supersedes));
    }
    found
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the titles of `related` that `known` contains neither by id nor by title. The reverse is not a difference:
/// the index joins the pages of many updates and keeps statements that the Catalog drops.
fn new_titles(related: &[RelatedUpdate], known: &[RelatedUpdate]) -> BTreeSet<String> {
    let ids: BTreeSet<UpdateId> = known.iter().filter_map(|one| one.update_id).collect();
    let titles: BTreeSet<String> = known.iter().map(|one| plain(&one.title)).collect();
    let is_new = |one: &&RelatedUpdate| match one.update_id {
        Some(id) => !ids.contains(&id),
        None => !titles.contains(&plain(&one.title)),
    };
    related.iter().filter(is_new).map(|one| plain(&one.title)).collect()
}

/// Returns the name of a file, with its digest if the name does not contain it.
fn file_label(file: &FileFacts) -> String {
    let name = file.name.to_ascii_lowercase();
    match file.sha1 {
        Some(sha1) if !name.contains(&sha1.to_string()) => format!("{} ({sha1})", file.name),
        _ => file.name.clone(),
    }
}
