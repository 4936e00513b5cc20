//! Recordings: what the Catalog answered, kept in a folder, and answers from such a folder in place of the network.
//!
//! A recording is an `index.jsonl` with one exchange a line, after a header line, and the bodies beside it. An
//! exchange is found by method, address (its query sorted), and form. A request that was made several times is
//! replayed in that order, then its last answer again. HEAD is answered from what is known of the GET. A request
//! that is not there is an error that names it; nothing falls through to the network. The rules about addresses
//! apply as they do on the network.
//!
//! Bodies past [`PAGE_CAP`] are not recorded: pages are what a report needs, and package files are large.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use url::Url;

use super::PAGE_CAP;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::net::{
    Answer, Body, Exchange as Exchanging, Method, ProxyUrl, Request, Setback, Transport, UrlPolicy,
    full_body, sorted_url,
};

/// The format that this program writes and reads.
const FORMAT: u32 = 1;
/// The name of the list of exchanges.
const INDEX: &str = "index.jsonl";
/// Far more than a recording of a whole day has.
const INDEX_CAP: u64 = 256 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    recording: String,
    provenance: String,
}

/// One line of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Exchange {
    method: Method,
    url: Url,
    form: Option<BTreeMap<String, String>>,
    status: u16,
    headers: BTreeMap<String, String>,
    final_url: Url,
    body: Option<Utf8PathBuf>,
    provenance: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// What tells requests apart.
type Key = (&'static str, String, BTreeMap<String, String>);

fn key(method: Method, url: &Url, form: BTreeMap<String, String>) -> Key {
    let method = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
    };
    (method, sorted_url(url).into(), form)
}

/// Answers from a recording.
#[derive(Debug)]
pub struct Replay {
    folder: Utf8PathBuf,
    exchanges: BTreeMap<Key, Vec<Exchange>>,
    /// How often each request was answered.
    answered: Mutex<BTreeMap<Key, usize>>,
}

impl Replay {
    /// Opens a recording.
    pub fn open(folder: &Utf8Path) -> Result<Self> {
        let path = folder.join(INDEX);
        if !disk::exists(&path) {
            return Err(Error::usage(format!("{folder} is no recording: it has no {INDEX}")));
        }
        let text = disk::read_text(&path, INDEX_CAP)?;
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let unreadable = |number: usize, error: serde_json::Error| {
            Error::usage(format!("line {} of {path} cannot be read", number + 1)).caused_by(error)
        };
        let Some((number, first)) = lines.next() else {
            return Err(Error::usage(format!("{path} is empty")));
        };
        let header: Header = serde_json::from_str(first).map_err(|error| unreadable(number, error))?;
        if header.format > FORMAT {
            let message =
                format!("{path} has format {}; this program reads formats up to {FORMAT}", header.format);
            return Err(Error::usage(message).hint("use a newer version of kbmirror"));
        }
        let mut exchanges: BTreeMap<Key, Vec<Exchange>> = BTreeMap::new();
        for (number, line) in lines {
            let exchange: Exchange = serde_json::from_str(line).map_err(|error| unreadable(number, error))?;
            let form = exchange.form.clone().unwrap_or_default();
            exchanges.entry(key(exchange.method, &exchange.url, form)).or_default().push(exchange);
        }
        Ok(Self { folder: folder.to_owned(), exchanges, answered: Mutex::default() })
    }

    fn find(&self, request: &Request) -> Result<&Exchange> {
        let form: BTreeMap<String, String> = request.form.iter().cloned().collect();
        let wanted = key(request.method, &request.url, form.clone());
        let as_get = key(Method::Get, &request.url, form);
        let found = self.exchanges.get_key_value(&wanted).or_else(|| match request.method {
            Method::Head => self.exchanges.get_key_value(&as_get),
            _ => None,
        });
        let Some((key, several)) = found else {
            return Err(self.not_recorded(request, "is not in the recording"));
        };
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let count = answered.entry(key.clone()).or_default();
        let exchange = several.get(*count).or(several.last());
        *count += 1;
        exchange.ok_or_else(|| self.not_recorded(request, "is not in the recording"))
    }

    fn not_recorded(&self, request: &Request, why: &str) -> Error {
        let (method, url, form) = key(request.method, &request.url, request.form.iter().cloned().collect());
        let form: Vec<String> = form.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let form = form.concat();
        Error::new(ErrorKind::NotRecorded, format!("{method} {url}{form} {why} ({})", self.folder))
            .hint("record the run again with --record, or leave --replay out to ask the real Catalog")
    }

    fn answer(&self, request: &Request) -> Result<Answer> {
        let exchange = self.find(request)?;
        let mut headers: Vec<(String, String)> =
            exchange.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let answer = |headers, body| Answer {
            status: exchange.status,
            headers,
            final_url: exchange.final_url.clone(),
            body,
        };
        let Some(body) = &exchange.body else {
            if request.method == Method::Head {
                return Ok(answer(headers, full_body(Bytes::new())));
            }
            return Err(self.not_recorded(request, "was recorded without its bytes"));
        };
        if !body.components().all(|part| matches!(part, Utf8Component::Normal(_))) {
            return Err(Error::usage(format!(
                "the recording {} names the body {body}, which is no plain path",
                self.folder
            )));
        }
        let path = self.folder.join(body);
        let Some(size) = disk::file_size(&path)? else {
            return Err(self.not_recorded(request, &format!("has no body any more: {body} is missing")));
        };
        headers.retain(|(name, _)| name != "content-length" && name != "content-encoding");
        headers.push(("content-length".to_owned(), size.to_string()));
        match request.method {
            Method::Head => Ok(answer(headers, full_body(Bytes::new()))),
            _ => Ok(answer(headers, file_body(&path)?)),
        }
    }
}

impl Transport for Replay {
    fn send<'a>(&'a self, request: Request, _policy: &'a UrlPolicy) -> Exchanging<'a> {
        Box::pin(async move { Ok(self.answer(&request)?) })
    }
}

/// The bytes of a file, piece by piece.
fn file_body(path: &Utf8Path) -> Result<Body> {
    const PIECE: usize = 256 * 1024;
    let file = disk::open(path)?;
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
                    Some((Err(Setback::from(error)), None))
                }
            }
        }
    });
    Ok(pieces.boxed())
}

/// Passes requests on and keeps what came back.
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
    /// Begins a recording in a folder that holds none yet.
    pub fn begin(folder: &Utf8Path, inner: Box<dyn Transport>, what: &str) -> Result<Self> {
        let path = folder.join(INDEX);
        if disk::exists(&path) {
            return Err(Error::usage(format!("{folder} holds a recording already"))
                .hint("choose another folder for --record"));
        }
        let header = Header { format: FORMAT, recording: what.to_owned(), provenance: "recorded".to_owned() };
        disk::append_line(&path, &to_json(&header)?)?;
        let keeper = Keeper { folder: folder.to_owned(), kept: Mutex::new(0) };
        Ok(Self { inner, keeper: Arc::new(keeper) })
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::cannot_write_json)
}

impl Keeper {
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

/// Headers that a replay or a report needs. Others may tell more about a network than its owner wants.
const KEPT_HEADERS: [&str; 7] =
    ["content-length", "content-type", "date", "etag", "last-modified", "retry-after", "server"];

impl Transport for Record {
    fn send<'a>(&'a self, request: Request, policy: &'a UrlPolicy) -> Exchanging<'a> {
        Box::pin(async move {
            let asked = request.clone();
            let answer = self.inner.send(request, policy).await?;
            let headers = answer.headers.iter().filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
            let exchange = Exchange {
                method: asked.method,
                url: sorted_url(&asked.url),
                form: (!asked.form.is_empty()).then(|| asked.form.into_iter().collect()),
                status: answer.status,
                headers: headers.cloned().collect(),
                final_url: answer.final_url.clone(),
                body: None,
                provenance: "recorded".to_owned(),
                note: None,
            };
            let body = keeping(answer.body, exchange, Arc::clone(&self.keeper));
            Ok(Answer { body, ..answer })
        })
    }

    fn proxy_to(&self, url: &Url) -> Option<&ProxyUrl> {
        self.inner.proxy_to(url)
    }
}

/// The same bytes; at their end the exchange is written down.
fn keeping(body: Body, exchange: Exchange, keeper: Arc<Keeper>) -> Body {
    struct Copy {
        body: Body,
        exchange: Exchange,
        keeper: Arc<Keeper>,
        bytes: Option<Vec<u8>>,
    }
    let copy = Copy { body, exchange, keeper, bytes: Some(Vec::new()) };
    stream::unfold(Some(copy), |copy| async move {
        let mut copy = copy?;
        match copy.body.next().await {
            Some(Ok(chunk)) => {
                match &mut copy.bytes {
                    Some(bytes) if bytes.len() as u64 + chunk.len() as u64 <= PAGE_CAP => {
                        bytes.extend_from_slice(&chunk);
                    }
                    bytes => *bytes = None,
                }
                Some((Ok(chunk), Some(copy)))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => match copy.keeper.keep(copy.exchange, copy.bytes.as_deref()) {
                Ok(()) => None,
                Err(error) => Some((Err(error.into()), None)),
            },
        }
    })
    .boxed()
}
