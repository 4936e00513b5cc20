//! Requests and responses as values, and the interface between the rules and the network.

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

/// The HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// The GET method.
    Get,
    /// The HEAD method: headers only.
    Head,
    /// The POST method with a form.
    Post,
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The URL, already checked by the policy.
    pub url: Url,
    /// The form fields of a POST.
    pub form: Vec<(String, String)>,
    /// The purpose.
    pub purpose: Purpose,
    /// The requested part of the file.
    pub part: FilePart,
}

/// The part of a file that is requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilePart {
    /// The first byte of the part; 0 requests the complete file.
    pub from: u64,
    /// The version that the file must still have; for another version the server sends the complete file (`If-Range`).
    pub if_range: Option<String>,
}

impl HttpRequest {
    /// Creates a GET request.
    pub fn get(url: Url, purpose: Purpose) -> Self {
        Self { method: HttpMethod::Get, url, form: Vec::new(), purpose, part: FilePart::default() }
    }

    /// Creates a GET request for a package file or the rest of it.
    pub fn file(url: Url, part: FilePart) -> Self {
        Self { part, ..Self::get(url, Purpose::File) }
    }

    /// Creates a HEAD request for a package file.
    pub fn head(url: Url) -> Self {
        Self { method: HttpMethod::Head, ..Self::get(url, Purpose::File) }
    }

    /// Creates a POST request with one field to the Catalog.
    pub fn post(url: Url, field: &str, value: String) -> Self {
        let form = vec![(field.to_owned(), value)];
        Self { method: HttpMethod::Post, form, ..Self::get(url, Purpose::Catalog) }
    }
}

/// The bytes of a response, as they arrive.
pub type Body = BoxStream<'static, Result<Bytes, FailedRequest>>;

/// A response, after all redirects.
pub struct Response {
    /// The status of the last hop.
    pub status: u16,
    /// The headers of the last hop, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The URL of the last hop.
    pub final_url: Url,
    /// The body of the last hop.
    pub body: Body,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Response");
        shown
            .field("status", &self.status)
            .field("final_url", &self.final_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns `true` if the content type is HTML.
    pub fn has_html(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default().trim_start().to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    }

    /// Returns the length that the server states.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Returns the wait that the server requests. It is stated in seconds, or as a date that is compared with `now`.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit()) {
            // A number that does not fit exceeds any retry budget.
            return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
        }
        // The date format of HTTP is one of the mail formats; its two older formats are obsolete.
        let date = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
        Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
    }
}

/// A failed request: the error, and the wait that the server requests.
#[derive(Debug)]
pub struct FailedRequest {
    /// The failure, with its retry class.
    pub error: Error,
    /// The wait that the server requests.
    pub retry_after: Option<Duration>,
}

impl From<Error> for FailedRequest {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None }
    }
}

impl<F: Fault> From<F> for FailedRequest {
    fn from(fault: F) -> Self {
        Error::from(fault).into()
    }
}

/// The future of a request.
pub type ResponseFuture<'a> = BoxFuture<'a, Result<Response, FailedRequest>>;

/// A carrier of requests: the network, a recording, or a recorder around the network.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the request and follows redirects. The policy must allow each redirect.
    fn send<'a>(&'a self, request: HttpRequest, policy: &'a UrlPolicy) -> ResponseFuture<'a>;

    /// Returns the proxy for requests to this URL, or `None` if no proxy is known.
    fn proxy_to(&self, _url: &Url) -> Option<&ProxyUrl> {
        None
    }
}

/// Returns a body that is already in memory.
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    stream::iter([Ok(bytes.into())]).boxed()
}

/// Collects at most `cap` bytes of a body. Returns `true` with them if the body is complete.
pub(super) async fn collect_body(mut body: Body, cap: u64) -> Result<(Vec<u8>, bool), FailedRequest> {
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

/// Returns the first bytes of a body, `max` or slightly more. A read error ends the bytes.
pub(super) async fn read_beginning(mut body: Body, max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < max {
        match body.next().await {
            Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
            Some(Err(_)) | None => break,
        }
    }
    bytes
}

/// Returns the URL with its query sorted by name, so that a request has a single spelling in a recording.
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
        let response = Response {
            status: 503,
            headers: vec![("retry-after".to_owned(), text.to_owned())],
            final_url: Url::parse("http://a/").unwrap(),
            body: full_body(Bytes::new()),
        };
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        response.retry_after(now).map(|duration| duration.as_secs())
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        for (text, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Mon, 23 Nov 2026 08:01:30 GMT", Some(90)),
            ("Tue, 24 Nov 2026 08:00:00 GMT", Some(86_400)),
            // A wrong weekday does not shorten the wait, and a date in the past does not cause one.
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
