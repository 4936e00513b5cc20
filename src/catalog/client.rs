//! Queries of the Catalog: one request at a time, with retries, and a check of every response.
//!
//! The site answers everything with status 200, so the kind of a page follows from its marks. The error page of the
//! site, a truncated page, and a page of an unknown kind are requested again within the retry budget. A fault that
//! persists becomes an error of its own kind ([`ResponseFault`] lists them). The error page and a dead connection are
//! [`ErrorKind::Unreachable`]. A page that the parsers do not understand is [`ErrorKind::PageChanged`] and is saved for
//! a report. An empty result is accepted only if the page states it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;

use super::response_fault::ResponseFault;
use super::{
    DetailsPage, DialogFile, PAGE_CAP, PageFault, PageKind, html, page_kind, parse_details_page,
    parse_download_dialog,
};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Client, HttpRequest, Page, Purpose, RetryDecision, RetryWait, page_limit};
use crate::update::UpdateId;

/// The response to a details request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailsResult {
    /// The details page.
    Found(Box<DetailsPage>),
    /// An update that the Catalog no longer contains.
    Gone,
}

/// A callback that saves a page that the parsers do not understand, and returns its path. It takes the query and the
/// text.
pub type SavePage = Arc<dyn Fn(&str, &str) -> Result<Utf8PathBuf> + Send + Sync>;

/// The client of the Catalog.
#[derive(Clone)]
pub struct Catalog {
    pub(super) client: Client,
    pub(super) retry_budget: Duration,
    save_page: SavePage,
    /// The time at which a control query last found its expected result.
    pub(super) last_healthy: SharedTime,
}

/// A time of the run's clock that all clones of one [`Catalog`] share.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedTime(Arc<Mutex<Option<Duration>>>);

impl SharedTime {
    pub(super) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, time: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }
}

/// An accepted response.
#[derive(Debug)]
pub(super) struct CatalogResponse<T> {
    pub(super) value: T,
    /// `true` if the response came after a fault, or late: the Catalog may be giving wrong answers at that time.
    pub(super) is_suspect: bool,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalog").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The response time above which the Catalog counts as overloaded: 0.7 s is usual, some 100 s were measured in a stall.
const LATE: Duration = Duration::from_secs(30);

/// The number of consecutive identical faults at the same mark of an otherwise sound page that proves a change of the
/// site. Further retries would only delay the error.
const SAME_FAULT: u32 = 3;

impl Catalog {
    /// Creates a client of the Catalog over this HTTP client.
    pub fn new(client: Client, retry_budget: Duration, save_page: SavePage) -> Self {
        Self { client, retry_budget, save_page, last_healthy: SharedTime::default() }
    }

    /// Returns the HTTP client, for requests other than pages.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Requests the details of an update.
    pub async fn details(&self, id: UpdateId) -> Result<DetailsResult> {
        let url =
            self.client.policy().catalog_page("ScopedViewInline.aspx", &[("updateid", &id.to_string())]);
        let what = format!("details of {id}");
        self.query_page(&HttpRequest::get(url, Purpose::Catalog), &what, |page| match kind_of(page) {
            PageKind::Details => {
                let details = parse_details_page(&page.text)?;
                match details.update_id {
                    Some(other) if other != id => Err(other_update("details page", id, other.to_string())),
                    _ => Ok(DetailsResult::Found(Box::new(details))),
                }
            }
            PageKind::UpdateUnknown => Ok(DetailsResult::Gone),
            other => Err(unexpected_page("a details page", page, other)),
        })
        .await
        .map(|response| response.value)
    }

    /// Requests the files of an update, in the order of its download dialog, and the warnings about the dialog.
    pub async fn files(&self, id: UpdateId) -> Result<(Vec<DialogFile>, Vec<String>)> {
        let url = self.client.policy().catalog_page("DownloadDialog.aspx", &[]);
        let form = format!(r#"[{{"size":0,"languages":"","uidInfo":"{id}","updateID":"{id}"}}]"#);
        let what = format!("files of {id}");
        self.query_page(&HttpRequest::post(url, "updateIDs", form), &what, |page| match kind_of(page) {
            PageKind::Dialog => {
                let dialog = parse_download_dialog(&page.text)?;
                let mut updates = dialog.updates.into_iter();
                match updates.find(|update| update.update_id == id) {
                    Some(update) => Ok((update.files, dialog.warnings)),
                    None => Err(other_update("download dialog", id, "another update".to_owned())),
                }
            }
            other => Err(unexpected_page("a download dialog", page, other)),
        })
        .await
        .map(|response| response.value)
    }

    /// Requests a page until it is accepted or the retry budget is used up.
    pub(super) async fn query_page<T>(
        &self,
        request: &HttpRequest,
        what: &str,
        accept: impl Fn(&Page) -> Result<T, ResponseFault>,
    ) -> Result<CatalogResponse<T>> {
        let start = self.client.clock().elapsed();
        let limit = page_limit(self.retry_budget);
        // Waits that a replay skips count as well, so that a recording is not retried for ever.
        let mut waited = Duration::ZERO;
        let mut failed = 0;
        let mut drift: (u32, Option<ResponseFault>) = (0, None);
        loop {
            let (error, retry_after, text) =
                match self.client.request_page(request.clone(), what, PAGE_CAP, limit).await {
                    Ok(page) => match check_page(&page, &accept) {
                        Ok(value) => {
                            return Ok(CatalogResponse { value, is_suspect: failed > 0 || page.took > LATE });
                        }
                        Err(fault) => {
                            let is_same = fault.is_drift() && drift.1.as_ref() == Some(&fault);
                            drift = (if is_same { drift.0 + 1 } else { 1 }, Some(fault.clone()));
                            let mut text = page.text;
                            if !page.is_complete {
                                // The text exceeds the limit again, so that it is saved with the mark that it was cut.
                                text.push('\n');
                            }
                            let text = fault.is_saved().then_some(text);
                            (Error::from(fault), None, text)
                        }
                    },
                    Err(failure) => (failure.error, failure.retry_after, None),
                };
            failed += 1;
            let elapsed = waited.max(self.client.clock().elapsed().saturating_sub(start));
            match self.client.decide_retry(error.retry(), failed, retry_after, elapsed, self.retry_budget) {
                RetryDecision::After { .. } if drift.0 >= SAME_FAULT => {
                    return Err(self.give_up(error, what, failed, text.as_deref()));
                }
                RetryDecision::After { wait, left } => {
                    let why = format!("{what}: {}", error.full_message());
                    self.client.wait(RetryWait { of: None, duration: wait, left: Some(left), why }).await?;
                    waited = elapsed + wait;
                }
                RetryDecision::GiveUp(why) => {
                    return Err(self.give_up(why.explain(error), what, failed, text.as_deref()));
                }
            }
        }
    }

    fn give_up(&self, error: Error, what: &str, failed: u32, text: Option<&str>) -> Error {
        let times = if failed == 1 { String::new() } else { format!(", {failed} times") };
        let error = error.context(format!("{what}{times}"));
        let error = if error.kind() == ErrorKind::Unreachable && error.is_retryable() {
            error.hint(
                "run the command again later, or raise the retry budget, for example with --patience 2h",
            )
        } else {
            error
        };
        match text.map(|text| (self.save_page)(what, text)) {
            None => error,
            Some(Ok(path)) => error
                .hint(format!("look at the page, which is saved as {path}"))
                .hint("run the command again with --record DIR and send that folder: the site may have changed (README, When something fails)"),
            Some(Err(unsaved)) => {
                error.hint(format!("check why the page could not be saved: {}", unsaved.full_message()))
            }
        }
    }
}

/// Accepts a page. An unparsable page is refused as such, regardless of the result of `accept`.
fn check_page<T>(
    page: &Page,
    accept: impl Fn(&Page) -> Result<T, ResponseFault>,
) -> Result<T, ResponseFault> {
    if !page.is_complete {
        let fault = PageFault::new("page", "size", format!("at most {PAGE_CAP} bytes"), "more");
        return Err(ResponseFault::TooLarge(fault));
    }
    let accepted = accept(page).and_then(|value| Ok(check_utf8(page).map(|()| value)?));
    accepted.map_err(|fault| match html::parse("page", &page.text) {
        Err(unreadable) if fault.is_saved() => unreadable.into(),
        _ => fault,
    })
}

/// Refuses other encodings: all pages of the Catalog are in UTF-8, and titles would be misread.
fn check_utf8(page: &Page) -> Result<(), PageFault> {
    if page.is_utf8 {
        return Ok(());
    }
    Err(PageFault::new("page", "its bytes", "text in UTF-8", "bytes of another encoding"))
}

pub(super) fn kind_of(page: &Page) -> PageKind {
    page_kind(&page.text, Some(page.final_url.path()))
}

/// Returns the fault of a page of another kind than the expected one.
pub(super) fn unexpected_page(expected: &'static str, page: &Page, kind: PageKind) -> ResponseFault {
    ResponseFault::from_page_kind(expected, kind, page.final_url.host_str().unwrap_or_default())
}

fn other_update(page: &'static str, expected: UpdateId, found: String) -> ResponseFault {
    ResponseFault::OtherUpdate { page, expected, found }
}
