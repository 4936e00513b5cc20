//! Writes the records of sets and updates into an index again, after the loss of an index or during an import.
//!
//! A record counts as a statement of the Catalog at the time that it states. A file is in the pool only if the
//! pool has it with the recorded size.

use std::collections::BTreeSet;

use super::index::{DetailsRecord, FileRecord, Transaction, UpdateRecord};
use super::layout::Layout;
use crate::clock::Time;
use crate::disk;
use crate::documents::{EdgeLine, FileLine, ListedFile, SetRecord, UpdateLine};
use crate::error::Result;
use crate::facts::{FileFacts, FileKey, NeedsEdge, RelatedUpdate, Role, SetId, Source};
use crate::resolve::{FamilyName, Issue, Member, PackageSet};
use crate::servicing::Knowledge;
use crate::update::{Digests, Kb, classify};

/// Parses a time of a document. Returns `otherwise` if the text is not a time.
fn parse_time(text: &str, otherwise: Time) -> Time {
    text.parse().unwrap_or(otherwise)
}

/// Writes an update into an index as if it had been crawled at the time that the document states.
pub fn restore_update(index: &Transaction<'_>, update: &UpdateLine, kb: Kb, now: Time) -> Result<()> {
    let first = parse_time(&update.first_seen, now);
    let last = update.last_seen.as_deref().map_or(now, |text| parse_time(text, now));
    let is_news = index.last_seen(update.update_id)?.is_none_or(|known| known < last);
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
    // Two calls: the row keeps the time of the first one as first seen.
    for time in [first, last] {
        index.record_update(&record, time)?;
    }
    let with_id = |related: &RelatedUpdate| Some((related.update_id?, related.title.clone()));
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
            let since = parse_time(&format!("{since}T00:00:00Z"), last);
            index.record_absence(update.update_id, since, Some(since))?;
        }
        // The Catalog showed the update again.
        None if is_news => index.record_presence(update.update_id)?,
        None => {}
    }
    Ok(())
}

/// Writes a set into an index. Returns its id and the files that are not in the pool.
pub fn restore_set<'s>(
    layout: &Layout,
    index: &Transaction<'_>,
    kb: Kb,
    set: &'s SetRecord,
    knowledge: &Knowledge,
    now: Time,
) -> Result<(SetId, Vec<(FileKey, &'s FileLine)>)> {
    let mut members = Vec::new();
    let mut absent = Vec::new();
    for file in &set.files {
        let (facts, pooled) = restore_file(layout, index, file, now)?;
        absent.extend(facts.key.filter(|_| !pooled).map(|key| (key, file)));
        let role = Role::from_word(&file.role).unwrap_or(Role::Companion);
        members.push(Member::new(facts, role));
    }
    let edge = |edge: &EdgeLine| {
        let place = |place: Option<usize>| place?.checked_sub(1).filter(|&place| place < members.len());
        Some(NeedsEdge {
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
        versions: Vec::new(),
        without: BTreeSet::new(),
        entry_date: None,
        is_dynamic_variant: set.is_dynamic,
        issue: Issue::default(),
        generation: None,
        warnings: Vec::new(),
    };
    Ok((index.record_set(&package_set, now)?, absent))
}

/// Writes a file into an index. Returns its facts, and `true` if the pool has it.
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
    // A SHA-1 of source `name` is parsed from the name again, and a digest of source `bytes` comes from the pool.
    let is_recorded = |source: &Source| source.is_stated() && *source != Source::Name;
    // The URL that was stated last comes first, and keeps this order.
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
        for &check in &file.checks {
            index.record_check(key, check, now)?;
        }
    }
    Ok((facts, pooled))
}
