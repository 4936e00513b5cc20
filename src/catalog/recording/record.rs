//! Records the exchanges of another transport.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use url::Url;

use super::line::{FORMAT, INDEX, RecordedExchange, RecordedFailure, RecordingHeader, remove_credentials};
use crate::catalog::PAGE_CAP;
use crate::disk;
use crate::error::{Error, Result};
use crate::net::{
    Body, FailedRequest, HttpMethod, HttpRequest, ProxyUrl, Purpose, Response, ResponseFuture, Transport,
    UrlPolicy, sorted_url,
};

/// The transport that passes requests on and records the responses.
#[derive(Debug)]
pub struct RecordingTransport {
    inner: Box<dyn Transport>,
    recording: Arc<RecordingFolder>,
}

#[derive(Debug)]
struct RecordingFolder {
    folder: Utf8PathBuf,
    exchanges: Mutex<u32>,
}

impl RecordingTransport {
    /// Begins a recording in a folder without one. `what` describes it for its readers.
    pub fn begin(folder: &Utf8Path, inner: Box<dyn Transport>, what: &str) -> Result<Self> {
        let path = folder.join(INDEX);
        if disk::exists(&path) {
            return Err(Error::usage(format!("{folder} already contains a recording"))
                .hint("choose another folder for --record"));
        }
        let header = RecordingHeader {
            format: FORMAT,
            recording: remove_credentials(what),
            provenance: "recorded".to_owned(),
        };
        disk::append_line(&path, &to_json(&header)?)?;
        let recording = RecordingFolder { folder: folder.to_owned(), exchanges: Mutex::new(0) };
        Ok(Self { inner, recording: Arc::new(recording) })
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::cannot_write_json)
}

impl RecordingFolder {
    /// Writes the body first and then its line, so that a line never names a missing file.
    fn write_exchange(&self, mut exchange: RecordedExchange, body: Option<&[u8]>) -> Result<()> {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        *exchanges += 1;
        if let Some(body) = body {
            let html = exchange.headers.get("content-type").is_some_and(|value| value.contains("html"));
            let name = format!("bodies/{:05}.{}", *exchanges, if html { "html" } else { "bin" });
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

impl Transport for RecordingTransport {
    fn send<'a>(&'a self, request: HttpRequest, policy: &'a UrlPolicy) -> ResponseFuture<'a> {
        Box::pin(async move {
            let (method, purpose) = (request.method, request.purpose);
            let form = (!request.form.is_empty()).then(|| request.form.iter().cloned().collect());
            let mut exchange = RecordedExchange {
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
            let response = match self.inner.send(request, policy).await {
                Ok(response) => response,
                Err(failure) => {
                    exchange.failure = RecordedFailure::of(&failure.error);
                    if exchange.failure.is_some() {
                        self.recording.write_exchange(exchange, None)?;
                    }
                    return Err(failure);
                }
            };
            let headers = response.headers.iter().filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
            exchange.status = Some(response.status);
            exchange.headers = headers.cloned().collect();
            exchange.final_url = Some(recorded_url(&response.final_url, &exchange.url, purpose));
            let limit = if method == HttpMethod::Head { BodyLimit::Nothing } else { BodyLimit::of(purpose) };
            let recorder = BodyRecorder {
                exchange: Some(exchange),
                recording: Arc::clone(&self.recording),
                limit,
                recorded: Vec::new(),
            };
            Ok(Response { body: record_body(response.body, recorder), ..response })
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
enum BodyLimit {
    /// Nothing of the body (HEAD).
    Nothing,
    /// The complete body or nothing: a part of a package is useless.
    AllOrNothing,
    /// The beginning: one byte more than a page may have, so that a replay refuses the page as well.
    Beginning,
    /// Nothing, because the complete body exceeded the limit.
    TooLarge,
}

impl BodyLimit {
    fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Catalog => Self::Beginning,
            Purpose::File => Self::AllOrNothing,
        }
    }
}

/// The end of a body.
enum BodyEnd {
    Complete,
    Failed(Option<RecordedFailure>),
    /// The reader stopped before the end.
    Abandoned,
}

/// The part of a response that was read so far. It is recorded once: at the end, at a failure, or on drop.
struct BodyRecorder {
    exchange: Option<RecordedExchange>,
    recording: Arc<RecordingFolder>,
    limit: BodyLimit,
    recorded: Vec<u8>,
}

impl BodyRecorder {
    fn record(&mut self, chunk: &Bytes) {
        match self.limit {
            BodyLimit::Nothing | BodyLimit::TooLarge => {}
            BodyLimit::AllOrNothing if (self.recorded.len() + chunk.len()) as u64 > PAGE_CAP => {
                self.limit = BodyLimit::TooLarge;
                self.recorded = Vec::new();
            }
            BodyLimit::AllOrNothing => self.recorded.extend_from_slice(chunk),
            BodyLimit::Beginning => {
                let room = usize::try_from(PAGE_CAP)
                    .unwrap_or(0)
                    .saturating_add(1)
                    .saturating_sub(self.recorded.len());
                self.recorded.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
                if let Some(exchange) = &mut self.exchange {
                    exchange.cut |= chunk.len() > room;
                }
            }
        }
    }

    fn finish(&mut self, end: BodyEnd) -> Result<()> {
        let Some(mut exchange) = self.exchange.take() else { return Ok(()) };
        let is_complete = matches!(end, BodyEnd::Complete);
        match end {
            BodyEnd::Complete => {}
            BodyEnd::Failed(Some(failure)) => exchange.failure = Some(failure),
            BodyEnd::Failed(None) | BodyEnd::Abandoned => exchange.cut = true,
        }
        let keeps = matches!(self.limit, BodyLimit::AllOrNothing | BodyLimit::Beginning);
        let body = (keeps && (is_complete || !self.recorded.is_empty())).then_some(self.recorded.as_slice());
        self.recording.write_exchange(exchange, body)
    }
}

impl Drop for BodyRecorder {
    fn drop(&mut self) {
        // The error cannot be reported from here.
        let _unwritten = self.finish(BodyEnd::Abandoned);
    }
}

/// Returns the same body; the exchange is recorded when the body ends.
fn record_body(body: Body, recorder: BodyRecorder) -> Body {
    stream::unfold(Some((body, recorder)), |state| async move {
        let (mut body, mut recorder) = state?;
        match body.next().await {
            Some(Ok(chunk)) => {
                recorder.record(&chunk);
                Some((Ok(chunk), Some((body, recorder))))
            }
            Some(Err(failure)) => {
                let written = recorder.finish(BodyEnd::Failed(RecordedFailure::of(&failure.error)));
                Some((Err(written.map_or_else(FailedRequest::from, |()| failure)), None))
            }
            None => match recorder.finish(BodyEnd::Complete) {
                Ok(()) => None,
                Err(error) => Some((Err(error.into()), None)),
            },
        }
    })
    .boxed()
}
