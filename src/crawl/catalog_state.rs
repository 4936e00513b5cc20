//! Reads the current state of an update, or of the updates of a KB, from the Catalog. Writes nothing.
//!
//! An update is read from its details page and its download dialog. A KB is searched for first: its rows state dates
//! and exact sizes, which a details page does not. A page that cannot be read is a [`Failure`] beside the other pages.
//! An update that the Catalog no longer knows is distinguished from an update whose query failed.

use std::collections::BTreeMap;

use url::Url;

use super::session::Failure;
use crate::catalog::{Catalog, ClassifiedRow, DetailsPage, DetailsResult, DialogFile, Query};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::facts::{FileFacts, FileKey, PlainName, RelatedUpdate, UpdateFacts};
use crate::mirror::index::UpdateDetail;
use crate::net::Purpose;
use crate::update::{Kb, UpdateId, classify, escape_hidden};

/// An update as the Catalog shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogUpdate {
    /// The statements of its pages. The times at which the update was seen are known to the index only, and `None`
    /// here.
    pub detail: UpdateDetail,
    /// `true` if date and size come from a search row. A details page has a date of its own, and a rounded size.
    pub is_from_row: bool,
    /// The rounded size, if the size in bytes is not stated.
    pub size_text: Option<String>,
    /// `true` if its details page was read.
    pub has_details: bool,
}

/// The current state in the Catalog.
#[derive(Debug, Default)]
pub struct CatalogState {
    /// The updates, by title and id.
    pub updates: Vec<CatalogUpdate>,
    /// `true` if these are all updates that the Catalog has.
    pub complete: bool,
    /// The files of the updates, each once, under keys that are valid here only.
    pub files: BTreeMap<FileKey, FileFacts>,
    /// The failures of queries.
    pub failures: Vec<Failure>,
    /// The warnings about the responses.
    pub warnings: Vec<String>,
}

impl CatalogState {
    /// Returns the number of updates that were read completely.
    pub fn complete_updates(&self) -> usize {
        self.updates.iter().filter(|one| one.has_details && one.detail.facts.files.is_some()).count()
    }

    async fn add(
        &mut self,
        catalog: &Catalog,
        id: UpdateId,
        row: Option<&ClassifiedRow>,
        page: Option<DetailsPage>,
    ) {
        let dialog = match catalog.files(id).await {
            Ok((files, warnings)) => {
                self.warnings.extend(
                    warnings.into_iter().map(|warning| format!("the download dialog of {id}: {warning}")),
                );
                Some(files)
            }
            Err(error) => {
                self.failures.push(Failure::new(format!("files of {id}"), &error));
                None
            }
        };
        let mut detail = detail_of(id, row, page.as_ref());
        if let Some(dialog) = dialog {
            let size = detail.facts.size.filter(|_| dialog.len() == 1);
            detail.facts.files = Some(dialog.iter().map(|file| self.file(catalog, file, size)).collect());
        }
        self.updates.push(CatalogUpdate {
            is_from_row: row.is_some(),
            size_text: page.as_ref().map(|page| page.size_text.clone()).filter(|text| !text.is_empty()),
            has_details: page.is_some(),
            detail,
        });
    }

    /// Returns the key of a file of a dialog. Warns about properties that `fetch` would refuse.
    fn file(&mut self, catalog: &Catalog, file: &DialogFile, size: Option<u64>) -> FileKey {
        let url = Url::parse(&file.url);
        let of_url = url.as_ref().ok().and_then(|url| url.path_segments()?.next_back());
        let stated = file.file_name.as_deref().filter(|name| !name.is_empty());
        let stated = stated.or(of_url).unwrap_or_default();
        let name = escape_hidden(stated);
        let mut refuse = |why: String| self.warnings.push(format!("{name} would not be fetched: {why}"));
        match &url {
            Ok(url) => {
                if let Err(error) = catalog.client().policy().check(url, Purpose::File) {
                    refuse(error.full_message());
                }
            }
            Err(_) => refuse("its URL is invalid".to_owned()),
        }
        if let Err(fault) = PlainName::of(stated) {
            refuse(format!("its name is refused, {fault}"));
        }
        if let Some(fault) = &file.fault {
            refuse(fault.clone());
        }
        let named = FileFacts::from_name(&name);
        let facts = FileFacts {
            sha1: file.sha1.or(named.sha1),
            sha256: file.sha256,
            sha1_is_stated: file.sha1.or(named.sha1).is_some(),
            sha256_is_stated: file.sha256.is_some(),
            size,
            urls: url.ok().map(String::from).into_iter().collect(),
            ..named
        };
        let same = |own: &&FileFacts| own.identity() == facts.identity() && own.name == facts.name;
        let known = self.files.iter().find(|(_, own)| same(own)).map(|(key, _)| *key);
        let key = known.unwrap_or(FileKey(i64::try_from(self.files.len()).unwrap_or(i64::MAX)));
        let own = self.files.entry(key).or_insert_with(|| facts.clone());
        own.size = own.size.or(facts.size);
        own.sha256 = own.sha256.or(facts.sha256);
        own.sha256_is_stated |= facts.sha256_is_stated;
        own.urls.extend(facts.urls.into_iter().filter(|url| !own.urls.contains(url)).collect::<Vec<_>>());
        key
    }
}

/// Reads one update: its details page and its download dialog. Returns `None` if the Catalog no longer knows it.
pub async fn read_update_state(catalog: &Catalog, id: UpdateId) -> Result<Option<CatalogState>> {
    phase(catalog, format!("querying the Catalog for {id}"));
    let DetailsResult::Found(page) = catalog.details(id).await? else { return Ok(None) };
    let mut state = CatalogState { complete: true, ..CatalogState::default() };
    state.add(catalog, id, None, Some(*page)).await;
    Ok(Some(state))
}

/// Searches for a KB and reads each of its updates.
pub async fn read_kb_state(catalog: &Catalog, kb: Kb) -> Result<CatalogState> {
    phase(catalog, format!("querying the Catalog for {kb}"));
    let answer = catalog.search(&Query::of_kb(kb), None).await?;
    let mut state = CatalogState { complete: answer.complete, ..CatalogState::default() };
    if !state.complete {
        state.warnings.push(format!("the Catalog did not show all results for {kb}"));
    }
    for row in answer.rows {
        let found = ClassifiedRow::from(row);
        let id = found.row.update_id;
        // A search finds the words anywhere, so its rows include other KBs.
        if found.class.kb.is_some_and(|own| own != kb) {
            continue;
        }
        let page = match catalog.details(id).await {
            Ok(DetailsResult::Found(page)) => Some(*page),
            Ok(DetailsResult::Gone) => {
                let title = &found.row.title;
                state.warnings.push(format!("the Catalog lists \"{title}\" ({id}) without a details page"));
                None
            }
            Err(error) => {
                state.failures.push(Failure::new(format!("details of {id}"), &error));
                None
            }
        };
        // The details page decides about a title without a KB.
        let is_own = found.class.kb == Some(kb) || page.as_ref().is_some_and(|page| page.kbs == [kb]);
        if is_own {
            state.add(catalog, id, Some(&found), page).await;
        }
    }
    if state.updates.is_empty() && state.failures.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("the Catalog does not list an update of {kb}")));
    }
    state.updates.sort_by(|a, b| {
        let key = |one: &CatalogUpdate| (one.detail.facts.title.clone(), one.detail.facts.id.to_string());
        key(a).cmp(&key(b))
    });
    Ok(state)
}

fn phase(catalog: &Catalog, what: String) {
    catalog.client().events().send(Event::Phase(what));
}

/// Joins row and details page. The row has precedence, as in the index.
fn detail_of(id: UpdateId, row: Option<&ClassifiedRow>, page: Option<&DetailsPage>) -> UpdateDetail {
    let (title, products) = match (row, page) {
        (Some(found), _) => (found.row.title.clone(), found.row.products.clone()),
        (None, Some(page)) => (page.title.clone(), page.products.clone()),
        (None, None) => (String::new(), String::new()),
    };
    let class = row.map_or_else(|| classify(&title, &products, None), |found| found.class.clone());
    let of_page = page.and_then(|page| match page.kbs.as_slice() {
        [kb] => Some(*kb),
        _ => None,
    });
    let related = |update_id, title: &String| RelatedUpdate { update_id, title: title.clone() };
    let newer = page.iter().flat_map(|page| &page.superseded_by);
    let mut superseded_by: Vec<RelatedUpdate> = newer.map(|(id, title)| related(Some(*id), title)).collect();
    superseded_by.sort_by(|a, b| a.title.cmp(&b.title));
    let older = page.iter().flat_map(|page| &page.supersedes);
    let mut supersedes: Vec<RelatedUpdate> = older.map(|title| related(None, title)).collect();
    supersedes.sort_by(|a, b| a.title.cmp(&b.title));
    UpdateDetail {
        facts: UpdateFacts {
            id,
            title,
            kb: class.kb.or(of_page),
            kind: class.kind,
            month: class.month,
            product: class.product,
            release: class.release,
            products,
            architecture: class.architecture,
            build: class.build,
            last_updated: row
                .map(|found| found.row.last_updated)
                .or_else(|| page.map(|page| page.last_modified)),
            size: row.map(|found| found.row.size),
            files: None,
            files_seen: None,
            expired: None,
        },
        classification: row
            .map(|found| found.row.classification.clone())
            .or_else(|| page.and_then(|page| page.classification.clone())),
        severity: page.and_then(|page| page.msrc_severity.clone()),
        restart: page.and_then(|page| page.restart_behavior.clone()),
        seen: None,
        reissued: None,
        superseded_by,
        supersedes,
    }
}
