//! Queries of the Catalog: one request at a time, again where that helps, and every answer judged.
//!
//! The site answers everything with status 200, so the kind of an answer follows from its marks. Its own error page, a page
//! that is cut short, and a page of no known kind are asked for again within the operator's patience. A fault that stays
//! becomes an error of its own kind ([`AnswerFault`] lists them): the error page and a dead connection are
//! [`ErrorKind::Unreachable`], a page that the parsers do not understand is [`ErrorKind::PageChanged`] and is saved for a
//! report. "Nothing found" is believed only when the page says so.

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

/// The answer to a details request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailsAnswer {
    /// The page.
    Found(Box<DetailsPage>),
    /// The Catalog does not know the update any more.
    Gone,
}

/// Keeps a page that was not understood and returns its place: (the query, the text).
pub type SavePage = Arc<dyn Fn(&str, &str) -> Result<Utf8PathBuf> + Send + Sync>;

/// The Catalog.
#[derive(Clone)]
pub struct Catalog {
    pub(super) client: Client,
    pub(super) patience: Duration,
    save_page: SavePage,
    /// The time at which a control query found what it should.
    pub(super) was_well: Moment,
}

/// A moment of the run's clock that clones of one [`Catalog`] share.
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

/// An answer that was taken.
#[derive(Debug)]
pub(super) struct Asked<T> {
    pub(super) value: T,
    /// It came after a fault, or late: in a spell in which the Catalog gives wrong answers.
    pub(super) was_ill: bool,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalog").field("client", &self.client).finish_non_exhaustive()
    }
}

/// An answer that took longer came from an overloaded Catalog: 0.7 s is usual, some 100 s were seen in a stall (protocol
/// notes, 1.8).
const LATE: Duration = Duration::from_secs(30);

/// The number of times in a row after which the same fault at the same mark of an otherwise sound page is not an accident of
/// its transport: the site has changed, and asking on would only delay that news.
const SAME_FAULT: u32 = 3;

impl Catalog {
    /// A Catalog behind this client.
    pub fn new(client: Client, patience: Duration, save_page: SavePage) -> Self {
        Self { client, patience, save_page, was_well: Moment::default() }
    }

    /// The client, for what is not a page.
    pub fn client(&self) -> &Client {
        &self.client
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
                    None => Err(of_another_update("download dialog", id, "another update".to_owned())),
                }
            }
            other => Err(unexpected("a download dialog", page, other)),
        })
        .await
        .map(|asked| asked.value)
    }

    /// Asks until an answer is taken or the patience is used up.
    pub(super) async fn ask<T>(
        &self,
        request: &Request,
        what: &str,
        take: impl Fn(&Page) -> Result<T, AnswerFault>,
    ) -> Result<Asked<T>> {
        let start = self.client.clock().elapsed();
        let limit = page_limit(self.patience);
        // What would have been waited for counts as well, so that a recording is not asked for ever.
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
                                // Past the cap again, so that it is saved with the mark that it is cut.
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
            error.hint("run it again later; --patience 2h keeps asking for that long")
        } else {
            error
        };
        match text.map(|text| (self.save_page)(what, text)) {
            None => error,
            Some(Ok(path)) => error
                .hint(format!("the page is saved as {path}"))
                .hint("the site may have changed: run it again with --record DIR and send that folder (README, When the site changes)"),
            Some(Err(unsaved)) => {
                error.hint(format!("the page could not be saved: {}", unsaved.full_message()))
            }
        }
    }
}

/// Takes a page. A page that cannot be parsed at all is refused for that, whatever `take` makes of it.
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

/// Refuses other encodings: all pages of the Catalog are in UTF-8, and titles would be read wrong.
fn in_utf8(page: &Page) -> Result<(), PageFault> {
    if page.is_utf8 {
        return Ok(());
    }
    Err(PageFault::new("page", "its bytes", "text in UTF-8", "bytes of another encoding"))
}

pub(super) fn kind_of(page: &Page) -> PageKind {
    page_kind(&page.text, Some(page.final_url.path()))
}

/// The fault of a page of another kind than the expected one.
pub(super) fn unexpected(wanted: &'static str, page: &Page, kind: PageKind) -> AnswerFault {
    AnswerFault::of_kind(wanted, kind, page.final_url.host_str().unwrap_or_default())
}

fn of_another_update(page: &'static str, wanted: UpdateId, found: String) -> AnswerFault {
    AnswerFault::OtherUpdate { page, wanted, found }
}
