//! Asking the Catalog: one request at a time, again where asking again helps, and every answer judged.
//!
//! The site says 200 to everything, so what an answer is follows from its marks. Its own error page, a page that is
//! cut short, and a page of no known kind are asked for again within the operator's patience. What stays broken is
//! an error of its own kind: the error page and a dead connection are [`ErrorKind::Unreachable`], a page that
//! nobody understands is [`ErrorKind::PageChanged`] and is saved for a report. "Nothing found" is believed only when
//! the page says so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::{
    DetailsPage, DialogFile, PAGE_CAP, PageFault, PageKind, SearchPage, SearchRow, page_kind,
    parse_details_page, parse_download_dialog, parse_search_page,
};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{BEHIND_A_PROXY, Client, Fault, Next, Page, Purpose, Request};
use crate::update::{Kb, UpdateId};

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// A query as somebody typed it.
    pub fn new(words: &str) -> Result<Self> {
        /// The box on the site's page takes no more.
        const LENGTH: usize = 100;
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return Err(Error::usage("the query is empty"));
        }
        if words.chars().count() > LENGTH {
            return Err(Error::usage(format!(
                "the query is longer than {LENGTH} characters, and the Catalog takes no more"
            )));
        }
        Ok(Self(words))
    }

    /// The query for a KB.
    pub fn of_kb(kb: Kb) -> Self {
        Self(kb.to_string())
    }

    /// The words.
    pub fn words(&self) -> &str {
        &self.0
    }
}

/// All that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchAnswer {
    /// The rows of all pages, each update once.
    pub rows: Vec<SearchRow>,
    /// How many the Catalog says there are; at 1000 there may be more.
    pub total: u64,
    /// Whether `rows` is all that there is.
    pub complete: bool,
    /// Whether the Catalog cut its answer at its cap of 1000.
    pub capped: bool,
}

/// What a details request found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailsAnswer {
    /// The page.
    Found(Box<DetailsPage>),
    /// The Catalog does not know the update any more.
    Gone,
}

/// Keeps a page that was not understood and says where: (what was asked, the text).
pub type SavePage = Arc<dyn Fn(&str, &str) -> Result<Utf8PathBuf> + Send + Sync>;

/// The Catalog.
#[derive(Clone)]
pub struct Catalog {
    client: Client,
    patience: Duration,
    save_page: SavePage,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalog").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Why one answer was not taken.
struct Rejected {
    error: Error,
    /// The text to save when it stays like that.
    not_understood: bool,
}

impl From<PageFault> for Rejected {
    fn from(fault: PageFault) -> Self {
        let error = Error::new(ErrorKind::PageChanged, fault.to_string()).retryable();
        Self { error, not_understood: true }
    }
}

impl Catalog {
    /// A Catalog behind this client.
    pub fn new(client: Client, patience: Duration, save_page: SavePage) -> Self {
        Self { client, patience, save_page }
    }

    /// The client, for what is not a page.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Searches, page after page, until all rows are here or `limit` is reached.
    pub async fn search(&self, query: &Query, limit: Option<usize>) -> Result<SearchAnswer> {
        let mut answer = SearchAnswer { rows: Vec::new(), total: 0, complete: true, capped: false };
        let mut seen = BTreeSet::new();
        for number in 0_u32.. {
            let Some(page) = self.search_page(query, number).await? else {
                answer.complete = number == 0;
                break;
            };
            answer.total = u64::from(page.total);
            answer.capped |= page.capped;
            for row in page.rows {
                if seen.insert(row.update_id) {
                    answer.rows.push(row);
                }
            }
            let enough = limit.is_some_and(|limit| answer.rows.len() >= limit);
            if enough || !page.has_next {
                // Rows that moved between two pages while they were read would be missing here.
                answer.complete =
                    !page.has_next && !answer.capped && answer.rows.len() as u64 == answer.total;
                break;
            }
        }
        if let Some(limit) = limit
            && answer.rows.len() > limit
        {
            answer.rows.truncate(limit);
            answer.complete = false;
        }
        Ok(answer)
    }

    /// One page of a search; `None` when the Catalog says that nothing was found.
    async fn search_page(&self, query: &Query, number: u32) -> Result<Option<SearchPage>> {
        let page = number.to_string();
        let url = self.client.policy().catalog_page("Search.aspx", &[("p", &page), ("q", query.words())]);
        let what = match number {
            0 => format!("search for {:?}", query.words()),
            _ => format!("search for {:?}, page {}", query.words(), number + 1),
        };
        self.ask(&Request::get(url, Purpose::Catalog), &what, |page| match kind_of(page) {
            PageKind::Rows => Ok(Some(parse_search_page(&page.text)?)),
            PageKind::NothingFound => Ok(None),
            other => Err(unexpected("a page of search results", &other)),
        })
        .await
    }

    /// The details of an update.
    pub async fn details(&self, id: UpdateId) -> Result<DetailsAnswer> {
        let url =
            self.client.policy().catalog_page("ScopedViewInline.aspx", &[("updateid", &id.to_string())]);
        let what = format!("details of {id}");
        self.ask(&Request::get(url, Purpose::Catalog), &what, |page| match kind_of(page) {
            PageKind::Details => {
                let details = parse_details_page(&page.text)?;
                match details.update_id {
                    Some(other) if other != id => {
                        Err(of_another_update("details page", id, &other.to_string()))
                    }
                    _ => Ok(DetailsAnswer::Found(Box::new(details))),
                }
            }
            PageKind::UpdateUnknown => Ok(DetailsAnswer::Gone),
            other => Err(unexpected("a details page", &other)),
        })
        .await
    }

    /// The files of an update, in the order of its download dialog, and what was odd about the dialog.
    pub async fn files(&self, id: UpdateId) -> Result<(Vec<DialogFile>, Vec<String>)> {
        let url = self.client.policy().catalog_page("DownloadDialog.aspx", &[]);
        let form = format!(r#"[{{"size":0,"languages":"","uidInfo":"{id}","updateID":"{id}"}}]"#);
        let what = format!("files of {id}");
        self.ask(&Request::post(url, "updateIDs", form), &what, |page| match kind_of(page) {
            PageKind::Dialog => {
                let dialog = parse_download_dialog(&page.text)?;
                let mut updates = dialog.updates.into_iter();
                match updates.find(|update| update.update_id == id) {
                    Some(update) => Ok((update.files, dialog.warnings)),
                    None => Err(of_another_update("download dialog", id, "another update")),
                }
            }
            other => Err(unexpected("a download dialog", &other)),
        })
        .await
    }

    /// Asks until an answer is taken or the patience is used up.
    async fn ask<T>(
        &self,
        request: &Request,
        what: &str,
        take: impl Fn(&Page) -> std::result::Result<T, Rejected>,
    ) -> Result<T> {
        let start = self.client.clock().elapsed();
        // What would have been waited for counts as well, so that a recording is not asked for ever.
        let mut waited = Duration::ZERO;
        let mut failed = 0;
        loop {
            let (error, retry_after, text) = match self.client.page(request.clone(), what, PAGE_CAP).await {
                Ok(page) => match take(&page) {
                    Ok(value) => return Ok(value),
                    Err(rejected) => {
                        let text = rejected.not_understood.then_some(page.text);
                        (rejected.error, None, text)
                    }
                },
                Err(setback) => (setback.error, setback.retry_after, None),
            };
            failed += 1;
            let elapsed = waited.max(self.client.clock().elapsed().saturating_sub(start));
            match self.client.next_try(&error, failed, retry_after, elapsed, self.patience) {
                Next::After { wait, left } => {
                    self.client.wait_within(wait, left, &format!("{what}: {}", error.full_message())).await;
                    waited = elapsed + wait;
                }
                Next::GiveUp(why) => {
                    return Err(self.give_up(why.explain(error), what, failed, text.as_deref()));
                }
            }
        }
    }

    fn give_up(&self, error: Error, what: &str, failed: u32, text: Option<&str>) -> Error {
        let times = if failed == 1 { String::new() } else { format!(", {failed} times") };
        let error = match Fault::of(&error) {
            // It has the address of the Catalog, and none of its own.
            Fault::ProxyPage if !error.message().contains(self.client.policy().catalog_host()) => {
                error.context(self.client.policy().catalog_host()).hint(BEHIND_A_PROXY)
            }
            _ => error,
        };
        let error = error.context(format!("{what}{times}"));
        let error = if error.kind() == ErrorKind::Unreachable && error.is_retryable() {
            error.hint("run it again later; --patience 2h keeps asking for that long")
        } else {
            error
        };
        match text.map(|text| (self.save_page)(what, text)) {
            None => error,
            Some(Ok(path)) => error
                .hint(format!("the page is saved as {path}"))
                .hint("the site may have changed: send that page with a report"),
            Some(Err(unsaved)) => {
                error.hint(format!("the page could not be saved: {}", unsaved.full_message()))
            }
        }
    }
}

fn kind_of(page: &Page) -> PageKind {
    page_kind(&page.text, Some(page.final_url.path()))
}

/// A page of another kind than the one that was asked for.
fn unexpected(wanted: &str, kind: &PageKind) -> Rejected {
    let (error_kind, message, not_understood) = match kind {
        PageKind::Error { number } => {
            let number = number.as_deref().unwrap_or("none");
            (
                ErrorKind::Unreachable,
                format!("the Catalog answered with its error page (error number {number})"),
                false,
            )
        }
        PageKind::PastTheEnd => {
            let message = format!(
                "{wanted} was expected, and the answer has neither rows nor the text that there are none"
            );
            (ErrorKind::PageChanged, message, true)
        }
        PageKind::Unanswered => {
            let message = "the Catalog answered with a search page that names no search, as it does when it is overloaded";
            (ErrorKind::Unreachable, message.to_owned(), false)
        }
        PageKind::UpdateUnknown => (
            ErrorKind::NotFound,
            "the Catalog says that it does not know this update (any more)".to_owned(),
            false,
        ),
        PageKind::ProxyPage { title } => {
            let title = title.as_ref().map(|title| format!(", titled {title:?}")).unwrap_or_default();
            let message = format!("a proxy's page, not a page of the Catalog{title}");
            let error = Error::new(ErrorKind::Unreachable, message).caused_by(Fault::ProxyPage);
            return Rejected { error, not_understood: false };
        }
        PageKind::Unknown => (
            ErrorKind::PageChanged,
            format!("{wanted} was expected, and the answer is no page of the Catalog that is known"),
            true,
        ),
        other => (
            ErrorKind::PageChanged,
            format!("{wanted} was expected, and the answer is another page ({other:?})"),
            true,
        ),
    };
    let error = Error::new(error_kind, message);
    let error = if error_kind == ErrorKind::NotFound { error } else { error.retryable() };
    Rejected { error, not_understood }
}

fn of_another_update(page: &str, id: UpdateId, found: &str) -> Rejected {
    let message = format!("the {page} is that of {found}, not of {id}");
    Rejected { error: Error::new(ErrorKind::PageChanged, message).retryable(), not_understood: true }
}
