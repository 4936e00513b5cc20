//! Queries of the Catalog: one request at a time, with retries, and a check of every response.
//!
//! The site answers everything with status 200, so the kind of a page follows from its marks. The error page of the
//! site, a truncated page, and a page of an unknown kind are requested again within the retry budget. A fault that
//! persists becomes an error of its own kind ([`AnswerFault`] lists them). The error page and a dead connection are
//! [`ErrorKind::Unreachable`]. A page that the parsers do not understand is [`ErrorKind::PageChanged`] and is saved for
//! a report. An empty result is accepted only if the page states it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;

use super::answer_fault::AnswerFault;
use super::{
    DetailsPage, DialogFile, PAGE_CAP, PageFault, PageKind, html, page_kind, parse_details_page,
    parse_download_dialog,
};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Client, Next, Page, Purpose, Request, Wait, page_limit};
use crate::update::UpdateId;

/// The response to a details request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailsAnswer {
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
    pub(super) patience: Duration,
    save_page: SavePage,
    /// The time at which a control query last found its expected result.
    pub(super) was_well: Moment,
}

/// A time of the run's clock that all clones of one [`Catalog`] share.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment(Arc<Mutex<Option<Duration>>>);

impl Moment {
    pub(super) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, moment: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }
}

/// An accepted response.
#[derive(Debug)]
pub(super) struct Asked<T> {
    pub(super) value: T,
    /// `true` if the response came after a fault, or late: the Catalog may be giving wrong answers at that time.
    pub(super) was_ill: bool,
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
    pub fn new(client: Client, patience: Duration, save_page: SavePage) -> Self {
        Self { client, patience, save_page, was_well: Moment::default() }
    }

    /// Returns the HTTP client, for requests other than pages.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Requests the details of an update.
    pub async fn details(&self, id: UpdateId) -> Result<DetailsAnswer> {
        let url =
            self.client.policy().catalog_page("ScopedViewInline.aspx", &[("updateid", &id.to_string())]);
        let what = format!("details of {id}");
        self.ask(&Request::get(url, Purpose::Catalog), &what, |page| match kind_of(page) {
            PageKind::Details => {
                let details = parse_details_page(&page.text)?;
                match details.update_id {
                    Some(other) if other != id => {
                        Err(of_another_update("details page", id, other.to_string()))
                    }
                    _ => Ok(DetailsAnswer::Found(Box::new(details))),
                }
            }
            PageKind::UpdateUnknown => Ok(DetailsAnswer::Gone),
            other => Err(unexpected("a details page", page, other)),
        })
        .await
        .map(|asked| asked.value)
    }

    /// Requests the files of an update, in the order of its download dialog, and the warnings about the dialog.
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
                    None => Err(of_another_update("download dialog", id, "another update".to_owned())),
                }
            }
            other => Err(unexpected("a download dialog", page, other)),
        })
        .await
        .map(|asked| asked.value)
    }

    /// Requests a page until it is accepted or the retry budget is used up.
    pub(super) async fn ask<T>(
        &self,
        request: &Request,
        what: &str,
        take: impl Fn(&Page) -> Result<T, AnswerFault>,
    ) -> Result<Asked<T>> {
        let start = self.client.clock().elapsed();
        let limit = page_limit(self.patience);
        // Waits that a replay skips count as well, so that a recording is not retried for ever.
        let mut waited = Duration::ZERO;
        let mut failed = 0;
        let mut drift: (u32, Option<AnswerFault>) = (0, None);
        loop {
            let (error, retry_after, text) =
                match self.client.page(request.clone(), what, PAGE_CAP, limit).await {
                    Ok(page) => match sound(&page, &take) {
                        Ok(value) => return Ok(Asked { value, was_ill: failed > 0 || page.took > LATE }),
                        Err(fault) => {
                            let is_same = fault.is_drift() && drift.1.as_ref() == Some(&fault);
                            drift = (if is_same { drift.0 + 1 } else { 1 }, Some(fault.clone()));
                            let mut text = page.text;
                            if !page.is_whole {
                                // The text exceeds the limit again, so that it is saved with the mark that it was cut.
                                text.push('\n');
                            }
                            let text = fault.is_saved().then_some(text);
                            (Error::from(fault), None, text)
                        }
                    },
                    Err(setback) => (setback.error, setback.retry_after, None),
                };
            failed += 1;
            let elapsed = waited.max(self.client.clock().elapsed().saturating_sub(start));
            match self.client.next_try(error.retry(), failed, retry_after, elapsed, self.patience) {
                Next::After { .. } if drift.0 >= SAME_FAULT => {
                    return Err(self.give_up(error, what, failed, text.as_deref()));
                }
                Next::After { wait, left } => {
                    let why = format!("{what}: {}", error.full_message());
                    self.client.wait(Wait { of: None, duration: wait, left: Some(left), why }).await?;
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
                .hint("run the command again with --record DIR and send that folder: the site may have changed (README, When the site changes)"),
            Some(Err(unsaved)) => {
                error.hint(format!("check why the page could not be saved: {}", unsaved.full_message()))
            }
        }
    }
}

/// Accepts a page. An unparsable page is refused as such, regardless of the result of `take`.
fn sound<T>(page: &Page, take: impl Fn(&Page) -> Result<T, AnswerFault>) -> Result<T, AnswerFault> {
    if !page.is_whole {
        let fault = PageFault::new("page", "size", format!("at most {PAGE_CAP} bytes"), "more");
        return Err(AnswerFault::TooLarge(fault));
    }
    let taken = take(page).and_then(|value| Ok(in_utf8(page).map(|()| value)?));
    taken.map_err(|fault| match html::parse("page", &page.text) {
        Err(unreadable) if fault.is_saved() => unreadable.into(),
        _ => fault,
    })
}

/// Refuses other encodings: all pages of the Catalog are in UTF-8, and titles would be misread.
fn in_utf8(page: &Page) -> Result<(), PageFault> {
    if page.is_utf8 {
        return Ok(());
    }
    Err(PageFault::new("page", "its bytes", "text in UTF-8", "bytes of another encoding"))
}

pub(super) fn kind_of(page: &Page) -> PageKind {
    page_kind(&page.text, Some(page.final_url.path()))
}

/// Returns the fault of a page of another kind than the expected one. % details_page.rs
pub(super) fn unexpected(wanted: &'static str, page: &Page, kind: PageKind) -> AnswerFault {
    AnswerFault::of_kind(wanted, kind, page.final_url.host_str().unwrap_or_default())
}

fn of_another_update(page: &'static str, wanted: UpdateId, found: String) -> AnswerFault {
    AnswerFault::OtherUpdate { page, wanted, found }
}
