//! What goes over the wire, as values, and the seam between the rules and the wire.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use url::Url;

use super::url_policy::{Purpose, UrlPolicy};
use crate::error::{Error, ErrorKind, Result};

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
    /// How.
    pub method: Method,
    /// Where; checked by the policy already.
    pub url: Url,
    /// The fields of the form of a POST.
    pub form: Vec<(String, String)>,
    /// What for.
    pub purpose: Purpose,
}

impl Request {
    /// A GET.
    pub fn get(url: Url, purpose: Purpose) -> Self {
        Self { method: Method::Get, url, form: Vec::new(), purpose }
    }

    /// A POST of one field to the Catalog.
    pub fn post(url: Url, field: &str, value: String) -> Self {
        Self { method: Method::Post, url, form: vec![(field.to_owned(), value)], purpose: Purpose::Catalog }
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

    /// The length that the server states.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// When the server asks to be asked again; seconds only (the form with a date has never been seen here).
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// A request that failed: the error, and when the server wants to be asked again.
#[derive(Debug)]
pub struct Setback {
    /// What happened; `is_retryable` tells whether asking again can help.
    pub error: Error,
    /// The server's wish.
    pub retry_after: Option<Duration>,
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None }
    }
}

/// What a transport returns.
pub type Exchange<'a> = BoxFuture<'a, Result<Answer, Setback>>;

/// Carries out requests: the network, a recording, or one that records the other.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the request and follows redirects, each of which the policy must allow.
    fn send<'a>(&'a self, request: Request, policy: &'a UrlPolicy) -> Exchange<'a>;
}

/// A body that is here already.
pub fn full_body(bytes: impl Into<Bytes>) -> Body {
    stream::iter([Ok(bytes.into())]).boxed()
}

/// Collects a body of at most `cap` bytes.
pub(super) async fn collect(mut body: Body, cap: u64) -> Result<Vec<u8>, Setback> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if bytes.len() as u64 + chunk.len() as u64 > cap {
            let message = format!("the answer is larger than {cap} bytes, which no page of the Catalog is");
            return Err(Error::new(ErrorKind::PageChanged, message).into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
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
