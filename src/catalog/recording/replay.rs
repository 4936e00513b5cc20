//! Responses from a recording.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use futures_util::stream::{self, StreamExt as _};

use super::line::{FORMAT, INDEX, RecordedExchange, RecordingHeader, RequestKey, request_key};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::net::{
    Body, FailedRequest, FilePart, HttpMethod, HttpRequest, Response, ResponseFuture, Transport, UrlPolicy,
    full_body,
};

/// The size limit of the index, far more than a recording of a complete day needs.
const INDEX_CAP: u64 = 256 * 1024 * 1024;

/// The transport that replays a recording.
#[derive(Debug)]
pub struct ReplayTransport {
    folder: Utf8PathBuf,
    exchanges: BTreeMap<RequestKey, Vec<RecordedExchange>>,
    /// The number of responses to each request so far.
    replayed: Mutex<BTreeMap<RequestKey, usize>>,
}

impl ReplayTransport {
    /// Opens a recording.
    pub fn open(folder: &Utf8Path) -> Result<Self> {
        let path = folder.join(INDEX);
        if !disk::exists(&path) {
            return Err(Error::usage(format!("{folder} is not a recording: {INDEX} is missing")));
        }
        let bytes = disk::read(&path, INDEX_CAP)?;
        let unreadable = |number: usize, error: serde_json::Error| {
            Error::usage(format!("line {} of {path} cannot be read", number + 1)).caused_by(error)
        };
        let pieces: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
        // Only a line that ends in a line break was written completely; the text after the last break may be a
        // fragment.
        let unfinished = pieces.len() - 1;
        let mut lines = pieces.into_iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
        let Some((number, first)) = lines.next() else {
            return Err(Error::usage(format!("{path} is empty")));
        };
        let header: RecordingHeader =
            serde_json::from_slice(first).map_err(|error| unreadable(number, error))?;
        if header.format > FORMAT {
            let message =
                format!("{path} has format {}; this program reads formats up to {FORMAT}", header.format);
            return Err(Error::usage(message).hint("use a newer version of kbmirror"));
        }
        let mut exchanges: BTreeMap<RequestKey, Vec<RecordedExchange>> = BTreeMap::new();
        for (number, line) in lines {
            let exchange: RecordedExchange = match serde_json::from_slice(line) {
                Ok(exchange) => exchange,
                Err(_) if number == unfinished => break,
                Err(error) => return Err(unreadable(number, error)),
            };
            if exchange.failure.is_none() && (exchange.status.is_none() || exchange.final_url.is_none()) {
                let message = format!("line {} of {path} has neither a response nor a failure", number + 1);
                return Err(Error::usage(message));
            }
            let form = exchange.form.clone().unwrap_or_default();
            exchanges.entry(request_key(exchange.method, &exchange.url, form)).or_default().push(exchange);
        }
        Ok(Self { folder: folder.to_owned(), exchanges, replayed: Mutex::default() })
    }

    fn find(&self, request: &HttpRequest) -> Result<&RecordedExchange> {
        let form: BTreeMap<String, String> = request.form.iter().cloned().collect();
        let requested = request_key(request.method, &request.url, form.clone());
        let as_get = request_key(HttpMethod::Get, &request.url, form);
        let found = self.exchanges.get_key_value(&requested).or_else(|| match request.method {
            HttpMethod::Head => self.exchanges.get_key_value(&as_get),
            _ => None,
        });
        let Some((key, several)) = found else {
            return Err(self.not_recorded_error(request, "is not in the recording").hint(RECORD_AGAIN_HINT));
        };
        let mut replayed = self.replayed.lock().unwrap_or_else(PoisonError::into_inner);
        let count = replayed.entry(key.clone()).or_default();
        let exchange = several.get(*count).or(several.last());
        *count += 1;
        exchange.ok_or_else(|| {
            self.not_recorded_error(request, "is not in the recording").hint(RECORD_AGAIN_HINT)
        })
    }

    fn not_recorded_error(&self, request: &HttpRequest, why: &str) -> Error {
        let (method, url, form) =
            request_key(request.method, &request.url, request.form.iter().cloned().collect());
        let form: Vec<String> = form.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let form = form.concat();
        Error::new(ErrorKind::NotRecorded, format!("{method} {url}{form} {why} ({})", self.folder))
    }

    /// Returns the error at the end of a response whose bytes were not all recorded.
    fn missing_body_error(&self, request: &HttpRequest, exchange: &RecordedExchange) -> Error {
        if exchange.cut {
            return self.not_recorded_error(request, "was not recorded to its end").hint(RECORD_AGAIN_HINT);
        }
        self.not_recorded_error(request, "has no body in the recording, which omits files larger than 2 MiB")
            .hint("replay only commands that request pages: search, crawl, fetch --dry-run")
    }

    fn respond(&self, request: &HttpRequest) -> Result<Response, FailedRequest> {
        let exchange = self.find(request)?;
        let failure = exchange.failure.clone().map(Error::from);
        let (Some(status), Some(final_url)) = (exchange.status, &exchange.final_url) else {
            return Err(failure.unwrap_or_else(|| self.missing_body_error(request, exchange)).into());
        };
        let mut headers: Vec<(String, String)> =
            exchange.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        // The recorded bytes are already decoded.
        headers.retain(|(name, _)| name != "content-encoding");
        let response = |headers, body| Response { status, headers, final_url: final_url.clone(), body };
        let is_head = request.method == HttpMethod::Head;
        let Some(body) = &exchange.body else {
            if is_head {
                return Ok(response(headers, full_body(Bytes::new())));
            }
            if status == 200 && failure.is_none() && !exchange.cut {
                return Err(self.missing_body_error(request, exchange).into());
            }
            let end = failure.unwrap_or_else(|| self.missing_body_error(request, exchange));
            // A response that was rejected because of its headers is rejected again before its body is read.
            return Ok(response(headers, failing_body(end)));
        };
        let (path, size) = self.body(request, body)?;
        let is_complete = failure.is_none() && !exchange.cut;
        if is_complete {
            headers.retain(|(name, _)| name != "content-length");
            headers.push(("content-length".to_owned(), size.to_string()));
        }
        if is_head {
            return Ok(response(headers, full_body(Bytes::new())));
        }
        let from = request.part.from;
        if is_complete && status == 200 && from > 0 && is_of_version(&request.part, &headers) {
            headers.retain(|(name, _)| name != "content-length");
            let (status, range) = match size.checked_sub(from) {
                Some(rest) if rest > 0 => {
                    headers.push(("content-length".to_owned(), rest.to_string()));
                    (206, format!("bytes {from}-{}/{size}", size - 1))
                }
                _ => (416, format!("bytes */{size}")),
            };
            headers.push(("content-range".to_owned(), range));
            let body = if status == 206 { file_body(&path, from)? } else { full_body(Bytes::new()) };
            return Ok(Response { status, headers, final_url: final_url.clone(), body });
        }
        let bytes = file_body(&path, 0)?;
        if is_complete {
            return Ok(response(headers, bytes));
        }
        let end = failure.unwrap_or_else(|| self.missing_body_error(request, exchange));
        Ok(response(headers, bytes.chain(failing_body(end)).boxed()))
    }

    /// Returns the path of a body, and its size.
    fn body(&self, request: &HttpRequest, body: &Utf8Path) -> Result<(Utf8PathBuf, u64)> {
        if !body.components().all(|part| matches!(part, Utf8Component::Normal(_))) {
            return Err(Error::usage(format!(
                "the recording {} names the body {body}, which is not a plain path",
                self.folder
            )));
        }
        let path = self.folder.join(body);
        match disk::file_size(&path)? {
            Some(size) => Ok((path, size)),
            None => Err(self
                .not_recorded_error(request, &format!("has lost its body: {body} is missing"))
                .hint(RECORD_AGAIN_HINT)),
        }
    }
}

const RECORD_AGAIN_HINT: &str =
    "record the run again with --record, or omit --replay to query the real Catalog";

impl Transport for ReplayTransport {
    fn send<'a>(&'a self, request: HttpRequest, _policy: &'a UrlPolicy) -> ResponseFuture<'a> {
        Box::pin(async move { self.respond(&request) })
    }
}

/// Returns a body that consists of a failure only.
fn failing_body(error: Error) -> Body {
    stream::once(std::future::ready(Err(FailedRequest::from(error)))).boxed()
}

/// Returns `true` if the requested rest belongs to the recorded version.
fn is_of_version(part: &FilePart, headers: &[(String, String)]) -> bool {
    let is_version = |(name, value): &(String, String)| {
        matches!(name.as_str(), "etag" | "last-modified") && Some(value) == part.if_range.as_ref()
    };
    part.if_range.is_none() || headers.iter().any(is_version)
}

/// Returns the bytes of a file from `from` on, in pieces.
fn file_body(path: &Utf8Path, from: u64) -> Result<Body> {
    const PIECE: usize = 256 * 1024;
    let mut file = disk::open(path)?;
    file.seek(SeekFrom::Start(from))
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot read {path}")).caused_by(error))?;
    let path = path.to_owned();
    let pieces = stream::unfold(Some(file), move |file| {
        let path = path.clone();
        async move {
            let mut file = file?;
            let mut piece = vec![0; PIECE];
            match file.read(&mut piece) {
                Ok(0) => None,
                Ok(length) => {
                    piece.truncate(length);
                    Some((Ok(Bytes::from(piece)), Some(file)))
                }
                Err(error) => {
                    let error =
                        Error::new(ErrorKind::Internal, format!("cannot read {path}")).caused_by(error);
                    Some((Err(FailedRequest::from(error)), None))
                }
            }
        }
    });
    Ok(pieces.boxed())
}
