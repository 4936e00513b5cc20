//! Records the Catalog's statements about a KB: updates, files, and the graph.
//!
//! A search returns the updates. The details page of each update contains the supersedence, and its download dialog the
//! files. The KBs of files that are not the entry's own are looked up as well, because their builds are in the titles
//! of their own entries. Known checkpoints that a dialog omits are looked up too. The sets then follow from the facts.
//!
//! An entry is unchanged if its title, date, and size equal those of its last reading. An unchanged entry is not read
//! again on the same day, nor by a scheduled run, unless the run refreshes all entries. A revised entry is marked as
//! unread before it is queried. It is marked as read only after both its files and its details are recorded, so a run
//! that is killed in between reads it again.
//!
//! Updates that are missing from a sound result are recorded (`absence`) and kept.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::confirm::confirm;
use super::crawled::CrawledKb;
use super::listed::ListedUpdate;
use super::session::{Failure, Session};
use crate::catalog::{ClassifiedRow, DetailsPage, DetailsResult, DialogFile, Query, SearchRow};
use crate::clock::Time;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{PlainName, Role, SetId};
use crate::mirror::index::{DetailsRecord, FileRecord, Revision, UpdateRecord};
use crate::net::Purpose;
use crate::resolve::{PackageSet, package_sets, unlisted_kbs};
use crate::update::{Architecture, Kb, UpdateId};

/// The result of a search for a KB.
#[derive(Debug, Clone, Copy)]
struct KbSearch {
    /// The number of rows.
    found: usize,
    /// `true` if the rows are all that the Catalog has.
    complete: bool,
}

impl Session {
    /// Crawls a KB again, without trusting an earlier reading.
    pub(crate) async fn recrawl_kb(&mut self, kb: Kb, architectures: &[Architecture]) -> Result<CrawledKb> {
        let trust = self.readings.begin_rereading(kb);
        let crawled = self.crawl_kb(kb, architectures).await;
        self.readings.end_rereading(trust);
        crawled
    }

    /// Crawls a KB. If architectures are given, details and files of other architectures are not queried.
    pub async fn crawl_kb(&mut self, kb: Kb, architectures: &[Architecture]) -> Result<CrawledKb> {
        self.check_stop()?;
        self.phase(format!("querying the Catalog for {kb}"));
        let (rows, searched) = self.search_kb(kb).await?;
        let own = self.select_kb_rows(kb, rows).await?;
        if own.is_empty() {
            self.record_kb_search(kb, searched)?;
            // If knowledge has no URL for the KB, its earlier state in the index remains valid, with a warning.
            let has_address = self.knowledge().files_in_rows(kb).any(|(_, file)| file.url.is_some());
            if !has_address && self.has_files_of(kb)? {
                return self.complete_crawl(kb, 0, Vec::new(), architectures).await;
            }
            return self.crawl_unlisted(kb, architectures);
        }
        let updates = own.len();
        let failures = self.record_rows(own, architectures).await?;
        self.record_kb_search(kb, searched)?;
        self.complete_crawl(kb, updates, failures, architectures).await
    }

    /// Completes the crawl of a KB whose updates are recorded: looks up related KBs, and records the sets.
    async fn complete_crawl(
        &mut self,
        kb: Kb,
        updates: usize,
        mut failures: Vec<Failure>,
        architectures: &[Architecture],
    ) -> Result<CrawledKb> {
        self.readings.record_query(kb);
        self.warn_of_withdrawal(kb);
        let lookups = self.look_up_related(kb, architectures).await?;
        let sets = self.record_sets(kb)?;
        for (related, error) in lookups {
            if error.kind().is_stop() {
                failures.push(Failure::new(related.to_string(), &error));
                continue;
            }
            // A failed lookup is a failure of the run only if it was needed to judge a file.
            let mut undecided =
                sets.iter().flat_map(|(_, set)| &set.members).filter(|member| member.role == Role::Companion);
            if undecided.any(|member| member.kb() == Some(related)) && error.kind() != ErrorKind::NotFound {
                failures.push(Failure::new(related.to_string(), &error));
            } else {
                self.warn(format!(
                    "{related}, whose file belongs to {kb}, could not be looked up: {}",
                    error.full_message()
                ));
            }
        }
        Ok(CrawledKb { kb, sets, updates, failures })
    }

    /// Crawls all results of a query, KB by KB. Also returns the failures of updates without a KB.
    pub async fn crawl_query(
        &mut self,
        query: &Query,
        architectures: &[Architecture],
    ) -> Result<(Vec<CrawledKb>, Vec<Failure>)> {
        self.phase(format!("querying the Catalog for {:?}", query.words()));
        let rows = self.search(query).await?;
        if rows.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the Catalog finds nothing for {:?}", query.words()),
            ));
        }
        let mut by_kb: BTreeMap<Option<Kb>, Vec<ClassifiedRow>> = BTreeMap::new();
        for row in rows {
            by_kb.entry(row.class.kb).or_default().push(row);
        }
        let (mut crawled, mut without_kb) = (Vec::new(), Vec::new());
        for (kb, rows) in by_kb {
            if let Err(error) = self.check_stop() {
                without_kb.push(Failure::new(format!("{:?}", query.words()), &error));
                break;
            }
            let updates = rows.len();
            let mut failures = self.record_rows(rows, architectures).await?;
            match kb {
                Some(kb) => crawled.push(self.complete_crawl(kb, updates, failures, architectures).await?),
                None => without_kb.append(&mut failures),
            }
        }
        Ok((crawled, without_kb))
    }

    async fn search(&mut self, query: &Query) -> Result<Vec<ClassifiedRow>> {
        Ok(self.search_all(query, false).await?.0)
    }

    /// Searches for a KB. An empty result is confirmed by a second query if the index or knowledge has the KB. Returns
    /// the rows and the result to record after them: a run that is killed in between searches again.
    async fn search_kb(&mut self, kb: Kb) -> Result<(Vec<ClassifiedRow>, Option<KbSearch>)> {
        let query = Query::of_kb(kb);
        let (of_index, before) = match self.existing_mirror()? {
            Some(mirror) => (mirror.index().knows_kb(kb)?, mirror.index().last_search_count(query.words())?),
            None => (false, None),
        };
        let known = of_index || (before != Some(0) && !self.knowledge().about(kb).is_empty());
        let (rows, complete) = self.search_all(&query, known).await?;
        if complete && of_index {
            let shown: BTreeSet<UpdateId> = rows.iter().map(|row| row.row.update_id).collect();
            self.record_absences(kb, &shown).await?;
        }
        // A KB that is unknown everywhere does not create a mirror.
        let searched = (of_index || !rows.is_empty()).then_some(KbSearch { found: rows.len(), complete });
        Ok((rows, searched))
    }

    fn record_kb_search(&mut self, kb: Kb, searched: Option<KbSearch>) -> Result<()> {
        let Some(KbSearch { found, complete }) = searched else { return Ok(()) };
        self.record_search(&Query::of_kb(kb), found, complete)
    }

    /// Returns the rows of a query by id, for a profile, and `true` if they are complete. A month without updates is
    /// usual. An unavailable Catalog may state that a month is empty, so the answer is confirmed if updates are known.
    pub(crate) async fn list_updates(
        &mut self,
        query: &Query,
    ) -> Result<(Vec<(UpdateId, ListedUpdate)>, bool)> {
        let before = self.mirror()?.index().last_search_count(query.words())?;
        let (rows, complete) = self.search_all(query, before.is_some_and(|updates| updates > 0)).await?;
        self.record_search(query, rows.len(), complete)?;
        let listed = |row: ClassifiedRow| {
            (row.row.update_id, ListedUpdate { class: row.class, last_updated: row.row.last_updated })
        };
        Ok((rows.into_iter().map(listed).collect(), complete))
    }

    fn record_search(&mut self, query: &Query, found: usize, complete: bool) -> Result<()> {
        let now = self.now();
        if !complete {
            return Ok(());
        }
        self.mirror()?.index_mut().in_transaction(|index| index.record_search(query.words(), found, now))
    }

    async fn search_all(&mut self, query: &Query, known: bool) -> Result<(Vec<ClassifiedRow>, bool)> {
        let answer = if known {
            self.catalog().search_known(query).await?
        } else {
            self.catalog().search(query, None).await?
        };
        if let Some(warning) = answer.incompleteness(query) {
            self.warn(warning);
        }
        let complete = answer.complete;
        Ok((answer.rows.into_iter().map(ClassifiedRow::from).collect(), complete))
    }

    /// Returns the rows of a KB. A search finds words anywhere, so its rows include other KBs. The details page decides
    /// about a title without a KB.
    async fn select_kb_rows(&mut self, kb: Kb, rows: Vec<ClassifiedRow>) -> Result<Vec<ClassifiedRow>> {
        let mut own = Vec::new();
        for mut row in rows {
            if row.class.kb.is_none()
                && let Some(mirror) = self.existing_mirror()?
            {
                let revision = mirror.index().revision_of(row.row.update_id)?;
                let same = revision.filter(|revision| {
                    is_unchanged(revision, &row.row) && revision.read.is_some_and(|read| self.trusts(read))
                });
                row.class.kb = same.and_then(|same| same.kb);
            }
            if row.class.kb.is_none()
                && let DetailsResult::Found(page) = self.catalog().details(row.row.update_id).await?
                && page.kbs == [kb]
            {
                row.class.kb = Some(kb);
            }
            if row.class.kb == Some(kb) {
                own.push(row);
            }
        }
        Ok(own)
    }

    /// Records rows, and the details page and the dialog of each.
    async fn record_rows(
        &mut self,
        rows: Vec<ClassifiedRow>,
        architectures: &[Architecture],
    ) -> Result<Vec<Failure>> {
        let now = self.now();
        let mut known = BTreeSet::new();
        let mut unchanged: BTreeMap<UpdateId, Time> = BTreeMap::new();
        self.mirror()?.index_mut().in_transaction(|index| {
            rows.iter().try_for_each(|row| {
                let id = row.row.update_id;
                if let Some(revision) = index.revision_of(id)? {
                    known.insert(id);
                    if !is_unchanged(&revision, &row.row) {
                        index.mark_unread(id)?;
                    } else if let Some(read) = revision.read {
                        unchanged.insert(id, read);
                    }
                }
                index.record_update(&record_of(row), now)?;
                index.record_presence(id)
            })
        })?;
        let mut failures = Vec::new();
        for row in rows {
            let stated = row.class.implied_architecture();
            let wanted =
                stated.is_none_or(|stated| architectures.is_empty() || architectures.contains(&stated));
            if !wanted {
                continue;
            }
            if let Some(&read) = unchanged.get(&row.row.update_id)
                && self.trusts(read)
            {
                if !self.is_today(read) {
                    self.readings.record_taken(row.row.update_id);
                }
                continue;
            }
            self.readings.record_read(row.row.update_id);
            let what = format!("{} ({})", row.row.title, row.row.update_id);
            if let Err(error) = self.check_stop() {
                failures.push(Failure::new(what, &error));
                break;
            }
            // Without its details page an update has no edges; without its dialog it has no files. The details of a
            // revised entry wait for its files, because the details mark the entry as read.
            let files = self.record_files(&row).await;
            let waits = files.is_err() && known.contains(&row.row.update_id);
            let details = if waits { Ok(()) } else { self.record_details(&row).await };
            for step in [details, files] {
                failures.extend(step.err().map(|error| Failure::new(what.clone(), &error)));
            }
        }
        Ok(failures)
    }

    async fn record_details(&mut self, row: &ClassifiedRow) -> Result<()> {
        let (id, now) = (row.row.update_id, self.now());
        match self.catalog().details(id).await? {
            DetailsResult::Found(page) => {
                let record = details_record(id, *page);
                self.mirror()?.index_mut().in_transaction(|index| index.record_details(&record, now))
            }
            DetailsResult::Gone => {
                self.warn(format!("the Catalog lists \"{}\" ({id}) without a details page", row.row.title));
                Ok(())
            }
        }
    }

    async fn record_files(&mut self, row: &ClassifiedRow) -> Result<()> {
        if self.read_dialog(row.row.update_id).await? {
            self.warn(format!(
                "\"{}\" ({}) was re-issued with other files; kept the old files, and used the new ones",
                row.row.title, row.row.update_id
            ));
        }
        Ok(())
    }

    /// Reads the download dialog of an update. Returns `true` if an earlier dialog listed other files.
    pub(crate) async fn read_dialog(&mut self, id: UpdateId) -> Result<bool> {
        let now = self.now();
        let (files, warnings) = self.catalog().files(id).await?;
        for warning in warnings {
            self.warn(format!("the download dialog of {id}: {warning}"));
        }
        let records = files.iter().map(|file| self.file_record(file)).collect::<Result<Vec<FileRecord>>>()?;
        let news =
            self.mirror()?.index_mut().in_transaction(|index| index.record_dialog(id, &records, now))?;
        match news.conflicts.into_iter().next() {
            None => Ok(news.is_reissued),
            Some(conflict) => Err(Error::new(
                ErrorKind::Integrity,
                format!(
                    "the Catalog states two SHA-256 for SHA-1 {}: one for {} and one for {}",
                    conflict.sha1, conflict.names[0], conflict.names[1]
                ),
            )
            .hint("run the command again later: neither file is published until the Catalog states which is right")),
        }
    }

    /// Returns the record of a file in a dialog, if its name, URL, and digests are acceptable.
    fn file_record(&self, file: &DialogFile) -> Result<FileRecord> {
        let refused = |message: String| {
            Error::new(ErrorKind::Integrity, message)
                .hint("run the command again later: no file of this update was recorded, and the run continued without them")
        };
        let url = Url::parse(&file.url)
            .map_err(|error| refused(format!("the URL {:?} is refused", file.url)).caused_by(error))?;
        self.catalog().client().policy().check(&url, Purpose::File)?;
        let of_url = url.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned();
        let name = file.file_name.clone().filter(|name| !name.is_empty()).unwrap_or(of_url);
        PlainName::of(&name)
            .map_err(|fault| refused(format!("the file name {name:?} is refused: {fault}")))?;
        if let Some(fault) = &file.fault {
            return Err(refused(format!("the statement about {name} is refused: {fault}")));
        }
        Ok(FileRecord { name, url: url.into(), sha1: file.sha1, sha256: file.sha256 })
    }

    /// Looks up the KBs that are needed to judge the files of this one. Returns their failures instead of failing.
    async fn look_up_related(&mut self, kb: Kb, architectures: &[Architecture]) -> Result<Vec<(Kb, Error)>> {
        let knowledge = self.knowledge();
        let facts = self.mirror()?.index().facts_of(&BTreeSet::from([kb]))?;
        // The checkpoint's entry for another architecture is irrelevant for this one.
        let mut wanted: BTreeSet<Architecture> =
            facts.updates.iter().filter_map(|update| facts.architecture_of(update)).collect();
        wanted.retain(|architecture| architectures.is_empty() || architectures.contains(architecture));
        let wanted: Vec<Architecture> = wanted.into_iter().collect();
        let mut failed = Vec::new();
        for related in unlisted_kbs(kb, &facts, &knowledge) {
            if !self.readings.record_query(related) || self.is_fresh(related, &wanted)? {
                continue;
            }
            if let Err(error) = self.check_stop() {
                failed.push((related, error));
                break;
            }
            self.phase(format!("querying the Catalog for {related}, which belongs to {kb}"));
            if let Err(error) = self.look_up(related, &wanted).await {
                failed.push((related, error));
            }
        }
        Ok(failed)
    }

    async fn look_up(&mut self, kb: Kb, architectures: &[Architecture]) -> Result<()> {
        let (rows, searched) = self.search_kb(kb).await?;
        let own: Vec<ClassifiedRow> = rows.into_iter().filter(|row| row.class.kb == Some(kb)).collect();
        if own.is_empty() {
            self.record_kb_search(kb, searched)?;
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the Catalog does not list an update of {kb}"),
            ));
        }
        let failures = self.record_rows(own, architectures).await?;
        self.record_kb_search(kb, searched)?;
        match failures.into_iter().next() {
            None => Ok(()),
            Some(failure) => Err(Error::new(failure.kind, format!("{}: {}", failure.what, failure.message))),
        }
    }

    /// Recomputes the sets of a KB from the index and records them.
    fn record_sets(&mut self, kb: Kb) -> Result<Vec<(SetId, PackageSet)>> {
        let (now, knowledge) = (self.now(), self.knowledge());
        let index = self.mirror()?.index_mut();
        let sets = sets_of(kb, index, &knowledge)?;
        let numbers = index.in_transaction(|index| {
            let record = |set| confirm(index, index.record_set(set, now)?, now);
            sets.iter().map(record).collect::<Result<Vec<SetId>>>()
        })?;
        for set in &sets {
            for warning in set.warnings.clone() {
                self.warn(warning);
            }
        }
        Ok(numbers.into_iter().zip(sets).collect())
    }
}

/// Returns the sets of a KB, from the index layered over the knowledge.
pub fn sets_of(
    kb: Kb,
    index: &crate::mirror::Index,
    knowledge: &crate::servicing::Knowledge,
) -> Result<Vec<PackageSet>> {
    let own = index.facts_of(&BTreeSet::from([kb]))?;
    let mut kbs = unlisted_kbs(kb, &own, knowledge);
    kbs.insert(kb);
    Ok(package_sets(kb, &index.facts_of(&kbs)?, knowledge))
}

/// Returns `true` if an entry is unchanged.
fn is_unchanged(revision: &Revision, row: &SearchRow) -> bool {
    revision.title == row.title
        && revision.last_updated == Some(row.last_updated)
        && revision.size == Some(row.size)
}

fn record_of(row: &ClassifiedRow) -> UpdateRecord {
    UpdateRecord {
        id: row.row.update_id,
        title: row.row.title.clone(),
        class: row.class.clone(),
        products: row.row.products.clone(),
        classification: row.row.classification.clone(),
        last_updated: row.row.last_updated,
        size: row.row.size,
    }
}

fn details_record(id: UpdateId, page: DetailsPage) -> DetailsRecord {
    DetailsRecord {
        id,
        kbs: page.kbs,
        severity: page.msrc_severity,
        restart: page.restart_behavior,
        superseded_by: page.superseded_by,
        supersedes: page.supersedes,
    }
}
