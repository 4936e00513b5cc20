//! Asking the Catalog: one request at a time, again where asking again helps, and every answer judged.
//!
//! The site says 200 to everything, so what an answer is follows from its marks. Its own error page, a page that is
//! cut short, and a page of no known kind are asked for again within the operator's patience. What stays broken is
//! an error of its own kind: the error page and a dead connection are [`ErrorKind::Unreachable`], a page that
//! nobody understands is [`ErrorKind::PageChanged`] and is saved for a report. "Nothing found" is believed only when
//! the page says so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;

use super::{
    DetailsPage, DialogFile, PAGE_CAP, PageFault, PageKind, html, page_kind, parse_details_page,
    parse_download_dialog,
};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{BEHIND_A_PROXY, Client, Fault, Next, Page, Purpose, Request, Wait};
use crate::update::UpdateId;

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
    pub(super) client: Client,
    pub(super) patience: Duration,
    save_page: SavePage,
    /// When a control question found what it should.
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
    /// Whether it came after a fault, or late: in a spell in which the Catalog says what is not so.
    pub(super) was_ill: bool,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalog").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Why one answer was not taken.
pub(super) struct Rejected {
    error: Error,
    /// The text to save when it stays like that.
    not_understood: bool,
    /// It is the page that was asked for, and something in it is not as it was.
    is_drift: bool,
}

/// An answer that took longer came from an ill Catalog: 0.7 s is usual, some 100 s were seen in a stall (protocol notes,
/// 1.8).
const LATE: Duration = Duration::from_secs(30);

/// So often in a row the same fault at the same mark of a page that is else as it should be is no accident of its
/// transport: the site has changed, and asking on would only make somebody wait for that news.
const SAME_FAULT: u32 = 3;

impl From<PageFault> for Rejected {
    fn from(fault: PageFault) -> Self {
        let error = Error::new(ErrorKind::PageChanged, fault.to_string()).retryable();
        Self { error, not_understood: true, is_drift: true }
    }
}

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
                        Err(of_another_update("details page", id, &other.to_string()))
                    }
                    _ => Ok(DetailsAnswer::Found(Box::new(details))),
                }
            }
            PageKind::UpdateUnknown => Ok(DetailsAnswer::Gone),
            other => Err(unexpected("a details page", &other)),
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
                    None => Err(of_another_update("download dialog", id, "another update")),
                }
            }
            other => Err(unexpected("a download dialog", &other)),
        })
        .await
        .map(|asked| asked.value)
    }

    /// Asks until an answer is taken or the patience is used up.
    pub(super) async fn ask<T>(
        &self,
        request: &Request,
        what: &str,
        take: impl Fn(&Page) -> std::result::Result<T, Rejected>,
    ) -> Result<Asked<T>> {
        let start = self.client.clock().elapsed();
        // What would have been waited for counts as well, so that a recording is not asked for ever.
        let mut waited = Duration::ZERO;
        let mut failed = 0;
        let mut drift: (u32, String) = (0, String::new());
        loop {
            let (error, retry_after, text) = match self.client.page(request.clone(), what, PAGE_CAP).await {
                Ok(page) => match sound(&page, &take) {
                    Ok(value) => return Ok(Asked { value, was_ill: failed > 0 || page.took > LATE }),
                    Err(rejected) => {
                        let same = rejected.is_drift && rejected.error.message() == drift.1;
                        drift = (if same { drift.0 + 1 } else { 1 }, rejected.error.message().to_owned());
                        let mut text = page.text;
                        if !page.is_whole {
                            // Past the cap again, so that who keeps it marks it as cut.
                            text.push('\n');
                        }
                        (rejected.error, None, rejected.not_understood.then_some(text))
                    }
                },
                Err(setback) => (setback.error, setback.retry_after, None),
            };
            failed += 1;
            let elapsed = waited.max(self.client.clock().elapsed().saturating_sub(start));
            match self.client.next_try(&error, failed, retry_after, elapsed, self.patience) {
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
                .hint("the site may have changed: run it again with --record DIR and send that folder (README, When the site changes)"),
            Some(Err(unsaved)) => {
                error.hint(format!("the page could not be saved: {}", unsaved.full_message()))
            }
        }
    }
}

/// What a page is taken for, unless it is none that can be read at all: that is told as what it is.
fn sound<T>(
    page: &Page,
    take: impl Fn(&Page) -> std::result::Result<T, Rejected>,
) -> std::result::Result<T, Rejected> {
    if !page.is_whole {
        let fault = PageFault::new("page", "size", format!("at most {PAGE_CAP} bytes"), "more");
        // It will be as large again.
        let error = Error::new(ErrorKind::PageChanged, fault.to_string());
        return Err(Rejected { error, not_understood: true, is_drift: true });
    }
    let taken = take(page).and_then(|value| in_utf8(page).map(|()| value));
    taken.map_err(|rejected| match html::parse("page", &page.text) {
        Err(fault) if rejected.not_understood => fault.into(),
        _ => rejected,
    })
}

/// All pages of the Catalog are in UTF-8. One that is read in spite of other bytes would have titles that nobody wrote.
fn in_utf8(page: &Page) -> std::result::Result<(), Rejected> {
    if page.is_utf8 {
        return Ok(());
    }
    Err(PageFault::new("page", "its bytes", "text in UTF-8", "bytes of another encoding").into())
}

pub(super) fn kind_of(page: &Page) -> PageKind {
    page_kind(&page.text, Some(page.final_url.path()))
}

/// A page of another kind than the one that was asked for.
pub(super) fn unexpected(wanted: &str, kind: &PageKind) -> Rejected {
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
                "{wanted} was expected, and the answer has neither rows nor the text that there are none, as the Catalog \
                 answers when it is ill"
            );
            (ErrorKind::Unreachable, message, true)
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
            return Rejected { error, not_understood: false, is_drift: false };
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
    Rejected { error, not_understood, is_drift: false }
}

fn of_another_update(page: &str, id: UpdateId, found: &str) -> Rejected {
    let message = format!("the {page} is that of {found}, not of {id}");
    Rejected {
        error: Error::new(ErrorKind::PageChanged, message).retryable(),
        not_understood: true,
        is_drift: true,
    }
}
