//! Searches until the result is complete. An empty result is accepted only with proof.
//!
//! - Pages are read one after the other, and the list may change meanwhile. An entry may be revised and move to the
//!   front, be added, or be removed. A reading counts if all its pages state the same total and it contains that many
//!   different updates. Otherwise the list is read again.
//! - An overloaded Catalog also shows the page for no results (observed on the live Catalog). If updates are known, or
//!   the response came late or after a fault, the query is repeated. A control query then decides whether the Catalog
//!   is healthy. If the Catalog is failing, the query is retried within the retry budget and then fails; it never
//!   returns an empty result.
//! - The Catalog shows at most 1000 updates. A larger search is halved ([`Query`]) until no part is truncated, and the
//!   result lists these queries. A part that stays truncated is marked as such.

use std::collections::BTreeSet;
use std::time::Duration;

use super::client::{Catalog, CatalogResponse, kind_of, unexpected_page};
use super::response_fault::{ResponseFault, describe_stall};
use super::{PAGE_CAP, PageFault, PageKind, Query, SearchPage, SearchRow, parse_search_page};
use crate::documents::QueryPart;
use crate::error::{Error, ErrorKind, Fault as _, Result};
use crate::net::{HttpRequest, Purpose, RetryDecision, RetryWait, page_limit};
use crate::update::{UpdateId, count};

/// The control queries for updates that the Catalog certainly contains, to recognize a working search. One is the
/// checkpoint of 24H2, on which all later updates of that family are based. The other is the Malicious Software Removal
/// Tool, which has been renewed every month since 2005. A result for either is enough, because even these may be
/// removed one day.
const CONTROL_QUERIES: [&str; 2] = ["KB5043080", "KB890830"];
/// The time for which a successful control query remains valid: outages last at least half a minute.
const CONTROL_HOLDS: Duration = Duration::from_secs(30);
/// The pause before a query without results is repeated; authors of other clients report that it helps.
const PAUSE: Duration = Duration::from_secs(5);
/// The most readings of a list that changes while it is read. Changes come hours apart; three in a row are not
/// coincidence.
const READINGS: usize = 3;
/// The most pages that a narrowed search reads: ten times the most that the Catalog returns for any words. A search for
/// half of the Catalog is not narrowed to its end.
const NARROWED_PAGES: usize = 400;

/// The rows of a search page, as observed on the live Catalog.
const ROWS_PER_PAGE: usize = 25;

/// The complete result of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchResult {
    /// The rows of all pages, each update once.
    pub rows: Vec<SearchRow>,
    /// The total that the Catalog states, which is at most 1000.
    pub total: u64,
    /// `true` if `rows` contains all updates of the search.
    pub complete: bool,
    /// `true` if the Catalog truncated its result at its limit of 1000.
    pub capped: bool,
    /// The queries to which a search over the limit was narrowed; empty for any other search.
    pub parts: Vec<QueryPart>,
}

impl SearchResult {
    /// Returns a warning that the result is incomplete, or `None` if it is complete.
    pub fn incompleteness(&self, query: &Query) -> Option<String> {
        let words = query.words();
        let cut: Vec<&str> =
            self.parts.iter().filter(|part| part.cut).map(|part| part.query.as_str()).collect();
        match (self.complete, self.capped) {
            (true, _) => None,
            (false, true) if cut.is_empty() => Some(format!(
                "the Catalog truncated its result for {words:?}; found {} with {}, and more may exist",
                count(self.rows.len(), "update"),
                count(self.parts.len(), "narrower query")
            )),
            (false, true) => Some(format!(
                "the Catalog truncated its result for {words:?}; found {}, and more exist (also truncated: {})",
                count(self.rows.len(), "update"),
                cut.iter().map(|query| format!("{query:?}")).collect::<Vec<_>>().join(", ")
            )),
            (false, false) => Some(format!(
                "the Catalog announced {} for {words:?}, but showed {}: its list changes while it is read",
                count(self.total, "update"),
                self.rows.len()
            )),
        }
    }
}

/// The pages of one query.
struct PageReading {
    rows: Vec<SearchRow>,
    total: u64,
    complete: bool,
}

impl Catalog {
    /// Searches page after page, until all rows are read or `limit` is reached.
    pub async fn search(&self, query: &Query, limit: Option<usize>) -> Result<SearchResult> {
        self.search_for(query, limit, false).await
    }

    /// Searches for updates that existed before: an empty result must be proven.
    pub async fn search_known(&self, query: &Query) -> Result<SearchResult> {
        self.search_for(query, None, true).await
    }

    async fn search_for(&self, query: &Query, limit: Option<usize>, known: bool) -> Result<SearchResult> {
        let Some(first) = self.first_page(query, known).await? else {
            return Ok(SearchResult { complete: true, ..SearchResult::default() });
        };
        let capped = first.capped;
        let mut result = if capped && limit.is_none_or(|limit| limit as u64 > u64::from(first.total)) {
            self.search_narrowed(query, first).await?
        } else {
            let PageReading { rows, total, complete } = self.read_pages(query, first, limit).await?;
            SearchResult { rows, total, complete: complete && !capped, capped, parts: Vec::new() }
        };
        if let Some(limit) = limit
            && result.rows.len() > limit
        {
            result.rows.truncate(limit);
            result.complete = false;
        }
        Ok(result)
    }

    /// Halves a search until no part is truncated.
    async fn search_narrowed(&self, query: &Query, first: SearchPage) -> Result<SearchResult> {
        let mut result = SearchResult { complete: true, capped: true, ..SearchResult::default() };
        let mut seen = BTreeSet::new();
        // Rows seen before a query was halved must appear in its halves; this proves that the halves cover it.
        let mut sample: Vec<SearchRow> = Vec::new();
        let mut pages = 1;
        let mut open = vec![(query.clone(), first)];
        while let Some((query, page)) = open.pop() {
            let titles: Vec<&str> = page.rows.iter().map(|row| row.title.as_str()).collect();
            let halves = query.split(&titles).filter(|_| page.capped && pages < NARROWED_PAGES);
            let Some(halves) = halves else {
                let cut = page.capped;
                let reading = if pages < NARROWED_PAGES {
                    self.read_pages(&query, page, None).await?
                } else {
                    PageReading { total: u64::from(page.total), complete: !page.has_next, rows: page.rows }
                };
                pages += reading.rows.len().div_ceil(ROWS_PER_PAGE);
                result.complete &= reading.complete && !cut;
                result.rows.extend(reading.rows.into_iter().filter(|row| seen.insert(row.update_id)));
                let query = query.words().to_owned();
                result.parts.push(QueryPart { query, total: reading.total, cut });
                continue;
            };
            sample.extend(page.rows);
            // The last one pushed is queried next: the half with the word, whose updates are more similar.
            for (half, known) in halves.into_iter().rev() {
                pages += 1;
                match self.first_page(&half, known).await? {
                    Some(page) => open.push((half, page)),
                    None => {
                        result.parts.push(QueryPart { query: half.words().to_owned(), total: 0, cut: false });
                    }
                }
            }
        }
        for row in sample {
            if seen.insert(row.update_id) {
                result.complete = false;
                result.rows.push(row);
            }
        }
        // The Catalog's own order, regardless of the parts.
        result.rows.sort_by(|a, b| {
            (b.last_updated, &a.title, a.update_id).cmp(&(a.last_updated, &b.title, b.update_id))
        });
        result.total = result.rows.len() as u64;
        Ok(result)
    }

    /// Returns the first page of a search, or `None` if the empty result is proven.
    async fn first_page(&self, query: &Query, known: bool) -> Result<Option<SearchPage>> {
        let start = self.client.clock().elapsed();
        let mut waited = Duration::ZERO;
        let mut failed = 0;
        loop {
            let response = self.search_page(query, 0).await?;
            if response.value.is_some() || (failed == 0 && !known && !response.is_suspect) {
                return Ok(response.value);
            }
            // Without a retry budget, the proof is not waited for either.
            let pause = PAUSE.min(self.retry_budget);
            if !pause.is_zero() {
                let why = format!("nothing was found for {:?}; repeating the query", query.words());
                self.client.wait(RetryWait { of: None, duration: pause, left: None, why }).await?;
            }
            let again = self.search_page(query, 0).await?.value;
            if again.is_some() || self.is_healthy(query).await {
                return Ok(again);
            }
            failed += 1;
            let elapsed = waited.max(self.client.clock().elapsed().saturating_sub(start)) + pause;
            let stall = ResponseFault::Stall { query: query.words().to_owned() };
            match self.client.decide_retry(stall.retry(), failed, None, elapsed, self.retry_budget) {
                RetryDecision::After { wait, left } => {
                    let why = describe_stall(query.words());
                    self.client.wait(RetryWait { of: None, duration: wait, left: Some(left), why }).await?;
                    waited = elapsed + wait;
                }
                RetryDecision::GiveUp(_) => {
                    return Err(Error::from(stall)
                        .hint("run the command again later, or raise the retry budget, for example with --patience 2h"));
                }
            }
        }
    }

    /// Returns `true` if a search for an existing update finds it.
    async fn is_healthy(&self, besides: &Query) -> bool {
        let now = || self.client.clock().elapsed();
        let holds = |since: &Duration| now().saturating_sub(*since) < CONTROL_HOLDS;
        if self.last_healthy.get().as_ref().is_some_and(holds) {
            return true;
        }
        // The control queries share the time of one page, so that a slow server does not delay the run for each of
        // them.
        let until = now() + page_limit(self.retry_budget);
        for control in CONTROL_QUERIES.into_iter().filter(|words| *words != besides.words()) {
            let limit = until.saturating_sub(now());
            if limit.is_zero() {
                break;
            }
            let url = self.client.policy().catalog_page("Search.aspx", &[("p", "0"), ("q", control)]);
            let what = format!("control search for {control:?}");
            let request = HttpRequest::get(url, Purpose::Catalog);
            let finds = match self.client.request_page(request, &what, PAGE_CAP, limit).await {
                Ok(page) => kind_of(&page) == PageKind::Rows && parse_search_page(&page.text).is_ok(),
                // A recording is never overloaded and need not contain the control query.
                Err(failure) => failure.error.kind() == ErrorKind::NotRecorded,
            };
            if finds {
                self.last_healthy.set(Some(now()));
                return true;
            }
        }
        false
    }

    /// Reads the remaining pages of a search after its first one.
    async fn read_pages(
        &self,
        query: &Query,
        first: SearchPage,
        limit: Option<usize>,
    ) -> Result<PageReading> {
        let mut first = Some(first);
        let mut all = PageReading { rows: Vec::new(), total: 0, complete: false };
        let mut seen_ever = BTreeSet::new();
        for _ in 0..READINGS {
            let mut page = match first.take() {
                Some(page) => page,
                None => match self.first_page(query, true).await? {
                    Some(page) => page,
                    None => break,
                },
            };
            let mut rows: Vec<SearchRow> = Vec::new();
            let mut seen: BTreeSet<UpdateId> = BTreeSet::new();
            let mut is_one_list = true;
            let total = u64::from(page.total);
            for number in 1_u32.. {
                is_one_list &= u64::from(page.total) == total;
                rows.extend(page.rows.into_iter().filter(|row| seen.insert(row.update_id)));
                let enough = limit.is_some_and(|limit| rows.len() >= limit);
                if enough || !page.has_next {
                    if enough && page.has_next {
                        return Ok(PageReading { rows, total, complete: false });
                    }
                    break;
                }
                let Some(next) = self.search_page(query, number).await?.value else {
                    // The list has become shorter.
                    is_one_list = false;
                    break;
                };
                page = next;
            }
            if is_one_list && rows.len() as u64 == total {
                return Ok(PageReading { rows, total, complete: true });
            }
            all.total = total;
            all.rows.extend(rows.into_iter().filter(|row| seen_ever.insert(row.update_id)));
        }
        Ok(all)
    }

    /// Requests one page of a search. Returns `None` if the Catalog states an empty result, or if the list ends before
    /// this page.
    async fn search_page(&self, query: &Query, number: u32) -> Result<CatalogResponse<Option<SearchPage>>> {
        let page = number.to_string();
        let url = self.client.policy().catalog_page("Search.aspx", &[("p", &page), ("q", query.words())]);
        let what = match number {
            0 => format!("search for {:?}", query.words()),
            _ => format!("search for {:?}, page {}", query.words(), number + 1),
        };
        self.query_page(&HttpRequest::get(url, Purpose::Catalog), &what, |page| match kind_of(page) {
            PageKind::Rows => {
                let page = parse_search_page(&page.text)?;
                if page.page != number + 1 {
                    let expected = format!("page {}", number + 1);
                    let found = format!("page {}", page.page);
                    let mark = super::search_page::RANGE;
                    return Err(PageFault::new("search page", mark, expected, &found).into());
                }
                Ok(Some(page))
            }
            PageKind::NothingFound => Ok(None),
            PageKind::PastTheEnd if number > 0 => Ok(None),
            other => Err(unexpected_page("a page of search results", page, other)),
        })
        .await
    }
}
