//! Records the exchanges of another transport.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use url::Url;

use super::line::{Exchange, FORMAT, Failure, Header, INDEX, without_credentials};
use crate::catalog::PAGE_CAP;
use crate::disk;
use crate::error::{Error, Result};
use crate::net::{
    Answer, Body, Exchange as Exchanging, Method, ProxyUrl, Purpose, Request, Setback, Transport, UrlPolicy,
    sorted_url,
};

/// The transport that passes requests on and records the responses.
#[derive(Debug)]
pub struct Record {
    inner: Box<dyn Transport>,
    keeper: Arc<Keeper>,
}

#[derive(Debug)]
struct Keeper {
    folder: Utf8PathBuf,
    kept: Mutex<u32>,
}

impl Record {
    /// Begins a recording in a folder without one. `what` describes it for its readers.
    pub fn begin(folder: &Utf8Path, inner: Box<dyn Transport>, what: &str) -> Result<Self> {
        let path = folder.join(INDEX);
        if disk::exists(&path) {
            return Err(Error::usage(format!("{folder} already contains a recording"))
                .hint("choose another folder for --record"));
        }
        let header = Header {
            format: FORMAT,
            recording: without_credentials(what),
            provenance: "recorded".to_owned(),
        };
        disk::append_line(&path, &to_json(&header)?)?;
        let keeper = Keeper { folder: folder.to_owned(), kept: Mutex::new(0) };
        Ok(Self { inner, keeper: Arc::new(keeper) })
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::cannot_write_json)
}

impl Keeper {
    /// Writes the body first and then its line, so that a line never names a missing file.
    fn keep(&self, mut exchange: Exchange, body: Option<&[u8]>) -> Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept += 1;
        if let Some(body) = body {
            let html = exchange.headers.get("content-type").is_some_and(|value| value.contains("html"));
            let name = format!("bodies/{:05}.{}", *kept, if html { "html" } else { "bin" });
            disk::write_atomic(&self.folder.join(&name), body)?;
            exchange.body = Some(name.into());
        }
        disk::append_line(&self.folder.join(INDEX), &to_json(&exchange)?)
    }
}

/// The headers that a replay or a report needs. Other headers may reveal more about a network than its owner wants.
const KEPT_HEADERS: [&str; 9] = [
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "retry-after",
    "server",
];

impl Transport for Record {
    fn send<'a>(&'a self, request: Request, policy: &'a UrlPolicy) -> Exchanging<'a> {
        Box::pin(async move {
            let (method, purpose) = (request.method, request.purpose);
            let form = (!request.form.is_empty()).then(|| request.form.iter().cloned().collect());
            let mut exchange = Exchange {
                method,
                url: sorted_url(&request.url),
                form,
                status: None,
                headers: [].into(),
                final_url: None,
                body: None,
                cut: false,
                failure: None,
                provenance: "recorded".to_owned(),
                note: None,
            };
            let answer = match self.inner.send(request, policy).await {
                Ok(answer) => answer,
                Err(setback) => {
                    exchange.failure = Failure::of(&setback.error);
                    if exchange.failure.is_some() {
                        self.keeper.keep(exchange, None)?;
                    }
                    return Err(setback);
                }
            };
            let headers = answer.headers.iter().filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
            exchange.status = Some(answer.status);
            exchange.headers = headers.cloned().collect();
            exchange.final_url = Some(recorded_url(&answer.final_url, &exchange.url, purpose));
            let limit = if method == Method::Head { Limit::Nothing } else { Limit::of(purpose) };
            let seen =
                Seen { exchange: Some(exchange), keeper: Arc::clone(&self.keeper), limit, kept: Vec::new() };
            Ok(Answer { body: keeping(answer.body, seen), ..answer })
        })
    }

    fn proxy_to(&self, url: &Url) -> Option<&ProxyUrl> {
        self.inner.proxy_to(url)
    }
}

/// Returns the recorded form of the URL after redirects. The query of a file URL may be a signature of a content host.
fn recorded_url(final_url: &Url, requested: &Url, purpose: Purpose) -> Url {
    let mut url = final_url.clone();
    if purpose == Purpose::File && sorted_url(final_url) != *requested {
        url.set_query(None);
    }
    url
}

/// The part of a body that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// Nothing of the body (HEAD).
    Nothing,
    /// The complete body or nothing: a part of a package is useless.
    AllOrNothing,
    /// The beginning: one byte more than a page may have, so that a replay refuses the page as well.
    Beginning,
    /// Nothing, because the complete body exceeded the limit.
    TooLarge,
}

impl Limit {
    fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Catalog => Self::Beginning,
            Purpose::File => Self::AllOrNothing,
        }
    }
}

/// The end of a body.
enum End {
    Whole,
    Failed(Option<Failure>),
    /// The reader stopped before the end.
    LeftOff,
}

/// The part of a response that was read so far. It is recorded once: at the end, at a failure, or on drop.
struct Seen {
    exchange: Option<Exchange>,
    keeper: Arc<Keeper>,
    limit: Limit,
    kept: Vec<u8>,
}

impl Seen {
    fn see(&mut self, chunk: &Bytes) {
        match self.limit {
            Limit::Nothing | Limit::TooLarge => {}
            Limit::AllOrNothing if (self.kept.len() + chunk.len()) as u64 > PAGE_CAP => {
                self.limit = Limit::TooLarge;
                self.kept = Vec::new();
            }
            Limit::AllOrNothing => self.kept.extend_from_slice(chunk),
            Limit::Beginning => {
                let room =
                    usize::try_from(PAGE_CAP).unwrap_or(0).saturating_add(1).saturating_sub(self.kept.len());
                self.kept.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
                if let Some(exchange) = &mut self.exchange {
                    exchange.cut |= chunk.len() > room;
                }
            }
        }
    }

    fn settle(&mut self, end: End) -> Result<()> {
        let Some(mut exchange) = self.exchange.take() else { return Ok(()) };
        let is_whole = matches!(end, End::Whole);
        match end {
            End::Whole => {}
            End::Failed(Some(failure)) => exchange.failure = Some(failure),
            End::Failed(None) | End::LeftOff => exchange.cut = true,
        }
        let keeps = matches!(self.limit, Limit::AllOrNothing | Limit::Beginning);
        let body = (keeps && (is_whole || !self.kept.is_empty())).then_some(self.kept.as_slice());
        self.keeper.keep(exchange, body)
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        // The error cannot be reported from here.
        let _unwritten = self.settle(End::LeftOff);
    }
}

/// Returns the same body; the exchange is recorded when the body ends. % replay.rs
fn keeping(body: Body, seen: Seen) -> Body {
    stream::unfold(Some((body, seen)), |state| async move {
        let (mut body, mut seen) = state?;
        match body.next().await {
            Some(Ok(chunk)) => {
                seen.see(&chunk);
                Some((Ok(chunk), Some((body, seen))))
            }
            Some(Err(setback)) => {
                let written = seen.settle(End::Failed(Failure::of(&setback.error)));
                Some((Err(written.map_or_else(Setback::from, |()| setback)), None))
            }
            None => match seen.settle(End::Whole) {
                Ok(()) => None,
                Err(error) => Some((Err(error.into()), None)),
            },
        }
    })
    .boxed()
}
