//! The client that the rooms above use: address rules, pacing, counting, and caps around a [`Transport`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::lock::Mutex;
use url::Url;

use super::transport::{Answer, Request, Setback, Transport, collect};
use super::url_policy::{Purpose, UrlPolicy};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};

/// How fast the Catalog is asked. Package files are not paced: their hosts are made for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    interval: Duration,
    real_waits: bool,
}

impl Pace {
    /// This many Catalog requests a second at the most.
    pub fn per_second(rate: f64) -> Result<Self> {
        let interval = Duration::try_from_secs_f64(1.0 / rate);
        match interval {
            Ok(interval) if rate > 0.0 => Ok(Self { interval, real_waits: true }),
            _ => Err(Error::usage(format!("--catalog-rate {rate} must be a number above 0"))),
        }
    }

    /// No waiting at all, for a recording: nobody is there to be polite to.
    pub fn replay() -> Self {
        Self { interval: Duration::ZERO, real_waits: false }
    }
}

/// A page of text with the address that it came from in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// Whether nothing had to be replaced.
    pub is_utf8: bool,
    /// How long the answer took, from the request to its last byte.
    pub took: Duration,
    /// The address after all redirects.
    pub final_url: Url,
}

/// Asks, within the rules. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Box<dyn Transport>,
    policy: UrlPolicy,
    pace: Pace,
    clock: Arc<dyn Clock>,
    events: Events,
    /// When the Catalog was asked last. Holding the lock also keeps Catalog requests one at a time.
    last: Mutex<Option<Duration>>,
    catalog_requests: AtomicU64,
    file_requests: AtomicU64,
}

impl Client {
    /// A client with these rules over this transport.
    pub fn new(
        transport: Box<dyn Transport>,
        policy: UrlPolicy,
        pace: Pace,
        clock: Arc<dyn Clock>,
        events: Events,
    ) -> Self {
        let inner = Inner {
            transport,
            policy,
            pace,
            clock,
            events,
            last: Mutex::new(None),
            catalog_requests: AtomicU64::new(0),
            file_requests: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The address rules.
    pub fn policy(&self) -> &UrlPolicy {
        &self.inner.policy
    }

    /// The clock of the run.
    pub fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    /// Where events go.
    pub fn events(&self) -> &Events {
        &self.inner.events
    }

    /// How many requests were sent, to the Catalog and for files.
    pub fn requests(&self) -> u64 {
        self.inner.catalog_requests.load(Ordering::Relaxed) + self.inner.file_requests.load(Ordering::Relaxed)
    }

    /// Waits before another try, unless nobody is there to wait for.
    pub async fn wait(&self, duration: Duration, why: &str) {
        if self.inner.pace.real_waits {
            self.inner.events.send(Event::Waiting { duration, why: why.to_owned() });
            self.inner.clock.wait(duration).await;
        }
    }

    /// A page of the Catalog: one try, in its turn. `what` is for the watcher.
    pub async fn page(&self, request: Request, what: &str, cap: u64) -> Result<Page, Setback> {
        let mut last = self.inner.last.lock().await;
        if let Some(before) = *last {
            let next = before + self.inner.pace.interval;
            if let Some(wait) = next.checked_sub(self.inner.clock.elapsed()).filter(|wait| !wait.is_zero()) {
                self.inner.clock.wait(wait).await;
            }
        }
        let number = self.inner.catalog_requests.fetch_add(1, Ordering::Relaxed) + 1;
        self.inner.events.send(Event::CatalogRequest { number, what: what.to_owned() });
        let sent = self.inner.clock.elapsed();
        *last = Some(sent);
        let answer = self.send(request).await?;
        let answer = expect_ok(answer)?;
        let final_url = answer.final_url.clone();
        let bytes = collect(answer.body, cap).await?;
        let (text, is_utf8) = match String::from_utf8(bytes) {
            Ok(text) => (text, true),
            Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
        };
        let took = self.inner.clock.elapsed().saturating_sub(sent);
        Ok(Page { text, is_utf8, took, final_url })
    }

    /// The answer to a request for a package file: one try.
    pub async fn file(&self, url: &Url) -> Result<Answer, Setback> {
        self.inner.file_requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.send(Request::get(url.clone(), Purpose::File)).await?;
        expect_ok(answer)
    }

    async fn send(&self, mut request: Request) -> Result<Answer, Setback> {
        let policy = &self.inner.policy;
        request.url = policy.check(&request.url, request.purpose)?;
        let purpose = request.purpose;
        let answer = self.inner.transport.send(request, policy).await?;
        // Holds for the network already; a recording may say anything.
        policy.check(&answer.final_url, purpose)?;
        Ok(answer)
    }
}

/// Anything but 200 is no answer. Which of them may pass: overload, and what a proxy says for a moment.
fn expect_ok(answer: Answer) -> Result<Answer, Setback> {
    if answer.status == 200 {
        return Ok(answer);
    }
    let host = answer.final_url.host_str().unwrap_or_default();
    let error = Error::new(ErrorKind::Unreachable, format!("{host} answered with status {}", answer.status));
    let error = match answer.status {
        408 | 429 | 500..=599 => error.retryable(),
        407 => error.hint("the proxy wants a user name and a password: put them into the proxy's address"),
        _ => error,
    };
    Err(Setback { error, retry_after: answer.retry_after() })
}
