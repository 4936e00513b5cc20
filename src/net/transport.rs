//! Requests and answers as values, and the seam between the rules and the wire.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use url::Url;

use super::proxy::ProxyUrl;
use super::url_policy::{Purpose, UrlPolicy};
use crate::error::{Error, Fault, Result};

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Fetch.
    Get,
    /// Fetch the headers only.
    Head,
    /// Send a form.
    Post,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address; checked by the policy already.
    pub url: Url,
    /// The fields of the form of a POST.
    pub form: Vec<(String, String)>,
    /// The purpose.
    pub purpose: Purpose,
    /// The part of the file.
    pub part: Part,
}

/// The part of a file that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// From this byte on; 0 asks for the whole.
    pub from: u64,
    /// Only if the file is still this version, else the whole (`If-Range`).
    pub if_range: Option<String>,
}

impl Request {
    /// A GET.
    pub fn get(url: Url, purpose: Purpose) -> Self {
        Self { method: Method::Get, url, form: Vec::new(), purpose, part: Part::default() }
    }

    /// A GET of a package file, or of the rest of it.
    pub fn file(url: Url, part: Part) -> Self {
        Self { part, ..Self::get(url, Purpose::File) }
    }

    /// A HEAD of a package file.
    pub fn head(url: Url) -> Self {
        Self { method: Method::Head, ..Self::get(url, Purpose::File) }
    }

    /// A POST of one field to the Catalog.
    pub fn post(url: Url, field: &str, value: String) -> Self {
        let form = vec![(field.to_owned(), value)];
        Self { method: Method::Post, form, ..Self::get(url, Purpose::Catalog) }
    }
}

/// The bytes of an answer, as they arrive.
pub type Body = BoxStream<'static, Result<Bytes, Setback>>;

/// An answer, after all redirects.
pub struct Answer {
    /// The status of the last hop.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The address of the last hop.
    pub final_url: Url,
    /// Its bytes.
    pub body: Body,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Answer");
        shown
            .field("status", &self.status)
            .field("final_url", &self.final_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns `true` if the server says that it is HTML.
    pub fn has_html(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default().trim_start().to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    }

    /// The length that the server states.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The time after which the server wants to be asked again: stated in seconds, or as a date, reckoned from `now`.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit()) {
            // More seconds than fit are longer than any patience.
            return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
        }
        // The date of HTTP is one of the forms of mail; its two older forms have died out.
        let date = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
        Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
    }
}

/// A request that failed: the error, and the time after which the server wants to be asked again.
#[derive(Debug)]
pub struct Setback {
    /// The failure, with its retry class.
    pub error: Error,
    /// The wait that the server asks for.
    pub retry_after: Option<Duration>,
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None }
    }
}

impl<F: Fault> From<F> for Setback {
    fn from(fault: F) -> Self {
        Error::from(fault).into()
    }
}

/// The future of a request.
pub type Exchange<'a> = BoxFuture<'a, Result<Answer, Setback>>;

/// Carries out requests: the network, a recording, or one that records the other.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the request and follows redirects, each of which the policy must allow.
    fn send<'a>(&'a self, request: Request, policy: &'a UrlPolicy) -> Exchange<'a>;

    /// The proxy that requests to this address go through, where there is one and it is known.
    fn proxy_to(&self, _url: &Url) -> Option<&ProxyUrl> {
        None
    }
}

/// A body that is here already.
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    stream::iter([Ok(bytes.into())]).boxed()
}

/// Collects a body, `cap` bytes of it at the most; returns `true` beside it if that is all of it.
pub(super) async fn collect(mut body: Body, cap: u64) -> Result<(Vec<u8>, bool), Setback> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        let room = usize::try_from(cap.saturating_sub(bytes.len() as u64)).unwrap_or(usize::MAX);
        if chunk.len() > room {
            bytes.extend_from_slice(&chunk[..room]);
            return Ok((bytes, false));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, true))
}

/// The first bytes of a body, `most` or somewhat more; what cannot be read any more is left out.
pub(super) async fn beginning_of(mut body: Body, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < most {
        match body.next().await {
            Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
            Some(Err(_)) | None => break,
        }
    }
    bytes
}

/// The address with its query sorted by name, so that one request has one spelling in a recording.
pub fn sorted_url(url: &Url) -> Url {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if pairs.is_empty() {
        return url.clone();
    }
    pairs.sort();
    let mut sorted = url.clone();
    sorted.query_pairs_mut().clear().extend_pairs(pairs);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(text: &str) -> Option<u64> {
        let answer = Answer {
            status: 503,
            headers: vec![("retry-after".to_owned(), text.to_owned())],
            final_url: Url::parse("http://a/").unwrap(),
            body: full_body(Bytes::new()),
        };
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        answer.retry_after(now).map(|duration| duration.as_secs())
    }

    #[test]
    fn a_server_says_when_in_seconds_or_as_a_date() {
        for (text, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Mon, 23 Nov 2026 08:01:30 GMT", Some(90)),
            ("Tue, 24 Nov 2026 08:00:00 GMT", Some(86_400)),
            // A wrong weekday is no reason to come earlier, and what is over is no reason to wait.
            ("Sun, 23 Nov 2026 08:01:30 GMT", Some(90)),
            ("Mon, 23 Nov 2026 07:00:00 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("soon", None),
            ("2026-11-23", None),
        ] {
            assert_eq!(retry_after(text), seconds, "{text}");
        }
    }
}
