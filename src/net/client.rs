//! The HTTP client that the modules above use: URL rules, pacing, counting, and size limits around a [`Transport`].

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use url::Url;

use super::fault::RequestFault;
use super::foreign_page::{TITLE_SEARCH_LENGTH, begins_like_html, title_of};
use super::pace::{HostTurns, Pace};
use super::retry::{FailedTry, Jitter, RetryDecision, decide_retry};
use super::stop::StopRequest;
use super::transport::{
    Body, FailedRequest, FilePart, HttpRequest, Response, Transport, collect_body, read_beginning,
};
use super::url_policy::UrlPolicy;
use crate::clock::{Clock, sleep_poll_interval};
use crate::error::{Result, Retry};
use crate::event::{Event, Events};

/// A text page with its final URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// `true` if the bytes were valid UTF-8.
    pub is_utf8: bool,
    /// `true` if the text is complete, `false` if it was cut at the size limit.
    pub is_complete: bool,
    /// The time from the request to the last byte of the response.
    pub took: Duration,
    /// The URL after all redirects.
    pub final_url: Url,
}

/// A wait before a retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryWait {
    /// The transfer that waits; `None` for a query of the Catalog, which delays the run.
    pub of: Option<u64>,
    /// The length of the wait.
    pub duration: Duration,
    /// The retry budget that is left after the wait, if one applies.
    pub left: Option<Duration>,
    /// The reason, as text.
    pub why: String,
}

/// A client that sends requests within the rules. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<ClientState>,
}

#[derive(Debug)]
struct ClientState {
    transport: Box<dyn Transport>,
    policy: UrlPolicy,
    pace: Pace,
    clock: Arc<dyn Clock>,
    events: Events,
    stop: StopRequest,
    turns: HostTurns,
    catalog_requests: AtomicU64,
    file_requests: AtomicU64,
    /// The start time of the run in nanoseconds, so that machines differ.
    jitter_seed: u64,
    jitters: AtomicU64,
}

impl Client {
    /// Creates a client with these rules over this transport.
    pub fn new(
        transport: Box<dyn Transport>,
        policy: UrlPolicy,
        pace: Pace,
        clock: Arc<dyn Clock>,
        events: Events,
        stop: StopRequest,
    ) -> Self {
        let began = clock.now();
        let inner = ClientState {
            transport,
            policy,
            pace,
            clock,
            events,
            stop,
            turns: HostTurns::default(),
            catalog_requests: AtomicU64::new(0),
            file_requests: AtomicU64::new(0),
            jitter_seed: began.as_second().cast_unsigned()
                ^ u64::from(began.subsec_nanosecond().cast_unsigned()) << 32,
            jitters: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the URL rules.
    pub fn policy(&self) -> &UrlPolicy {
        &self.inner.policy
    }

    /// Returns the clock of the run.
    pub fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    /// Returns the sender of events.
    pub fn events(&self) -> &Events {
        &self.inner.events
    }

    /// Returns the number of requests so far, to the Catalog and for files.
    pub fn requests(&self) -> u64 {
        self.inner.catalog_requests.load(Ordering::Relaxed) + self.inner.file_requests.load(Ordering::Relaxed)
    }

    /// Returns the step after the `times`th failure in a row, `elapsed` after the first try began.
    pub fn decide_retry(
        &self,
        retry: Retry,
        times: u32,
        retry_after: Option<Duration>,
        elapsed: Duration,
        retry_budget: Duration,
    ) -> RetryDecision {
        let number = self.inner.jitters.fetch_add(1, Ordering::Relaxed);
        let jitter = Jitter(mix_bits(self.inner.jitter_seed.wrapping_add(number)));
        decide_retry(&FailedTry { retry, times, retry_after, elapsed, retry_budget }, jitter)
    }

    /// Returns the stop request.
    pub fn stop(&self) -> &StopRequest {
        &self.inner.stop
    }

    /// Returns the output of `work`, or the stop error if the run is stopped first.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let (mut stop, mut work) = (pin!(self.inner.stop.requested()), pin!(work));
        // `select` returns either future when both are ready; a stopped run would then continue.
        let outcome = poll_fn(|context| match stop.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(context).map(Some),
        });
        // The stop request may have come while `work` was polled.
        outcome.await.filter(|_| self.inner.stop.signal().is_none()).ok_or_else(|| self.inner.stop.error())
    }

    /// Waits before a retry. A replay does not wait.
    pub async fn wait(&self, RetryWait { of, duration, left, why }: RetryWait) -> Result<()> {
        if self.inner.pace.waits() {
            self.inner.events.send(Event::Waiting { of, duration, left, why });
            self.unless_stopped(self.inner.clock.wait(duration)).await?;
        }
        Ok(())
    }

    /// Returns the output of `work`, or fails if the run is stopped first or `limit` passes first.
    ///
    /// A read timeout does not bound the complete response: a server that sends one byte at a time never exceeds it.
    async fn with_time_limit<T>(
        &self,
        limit: Duration,
        url: &Url,
        work: impl Future<Output = Result<T, FailedRequest>>,
    ) -> Result<T, FailedRequest> {
        let begin = self.inner.clock.elapsed();
        let mut work = pin!(work);
        loop {
            // Arriving bytes wake `work`, and the clock is then read. `sleep_poll_interval` interrupts silence.
            let in_time = poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if self.inner.clock.elapsed().saturating_sub(begin) >= limit => {
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            });
            let soon = pin!(sleep_poll_interval());
            match self.unless_stopped(select(pin!(in_time), soon)).await? {
                Either::Left((Some(output), _)) => return output,
                Either::Left((None, _)) => {
                    let proxy = self.inner.transport.proxy_to(url).cloned();
                    return Err(RequestFault::Unfinished { host: host_of(url), proxy, limit }.into());
                }
                Either::Right(_) => {}
            }
        }
    }

    /// Requests a page of the Catalog: one try, in its turn, at most `limit` long. `what` names the request in events.
    pub async fn request_page(
        &self,
        request: HttpRequest,
        what: &str,
        cap: u64,
        limit: Duration,
    ) -> Result<Page, FailedRequest> {
        let url = request.url.clone();
        let host = host_of(&url);
        let turns = self.inner.turns.take(&host, self.inner.pace, self.clock());
        let _turn = self.unless_stopped(turns).await?;
        self.with_time_limit(limit, &url, self.send_page_request(request, what, cap)).await
    }

    async fn send_page_request(
        &self,
        request: HttpRequest,
        what: &str,
        cap: u64,
    ) -> Result<Page, FailedRequest> {
        let number = self.inner.catalog_requests.fetch_add(1, Ordering::Relaxed) + 1;
        self.inner.events.send(Event::CatalogRequest { number, what: what.to_owned() });
        let sent = self.inner.clock.elapsed();
        let response = self.send(request).await?;
        let response = self.expect_ok(response, "a page of the Catalog").await?;
        let final_url = response.final_url.clone();
        let (bytes, is_complete) = collect_body(response.body, cap).await?;
        let (text, is_utf8) = match String::from_utf8(bytes) {
            Ok(text) => (text, true),
            Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
        };
        let took = self.inner.clock.elapsed().saturating_sub(sent);
        Ok(Page { text, is_utf8, is_complete, took, final_url })
    }

    /// Requests a package file or the rest of it: one try, whose headers arrive within `limit`. The status of the
    /// response is 200, 206, or 416.
    pub async fn request_file(
        &self,
        url: &Url,
        part: &FilePart,
        limit: Duration,
    ) -> Result<Response, FailedRequest> {
        self.with_time_limit(limit, url, self.send_file_request(url, part)).await
    }

    /// Requests the length of a package file without its bytes: one try. Returns `None` if the server states no length.
    pub async fn request_file_length(
        &self,
        url: &Url,
        limit: Duration,
    ) -> Result<Option<u64>, FailedRequest> {
        let work = async {
            self.inner.file_requests.fetch_add(1, Ordering::Relaxed);
            let response = self.send(HttpRequest::head(url.clone())).await?;
            let response = self.expect_ok(response, PACKAGE).await?;
            Ok(response.content_length().filter(|_| !response.has_html()))
        };
        self.with_time_limit(limit, url, work).await
    }

    async fn send_file_request(&self, url: &Url, part: &FilePart) -> Result<Response, FailedRequest> {
        self.inner.file_requests.fetch_add(1, Ordering::Relaxed);
        let response = self.send(HttpRequest::file(url.clone(), part.clone())).await?;
        if response.status == 416 && part.from > 0 {
            return Ok(response);
        }
        let response =
            if response.status == 206 { response } else { self.expect_ok(response, PACKAGE).await? };
        if response.has_html() { Err(proxy_page_fault(response, PACKAGE).await.into()) } else { Ok(response) }
    }

    /// Refuses a body that begins like an HTML page in place of a package. Its headers did not announce HTML.
    pub fn refuse_page(&self, url: &Url, first: &[u8]) -> Result<()> {
        if !begins_like_html(first) {
            return Ok(());
        }
        let title = title_of(&String::from_utf8_lossy(&first[..first.len().min(TITLE_SEARCH_LENGTH)]));
        Err(RequestFault::ProxyPage { host: host_of(url), expected: PACKAGE, title, status: 200 }.into())
    }

    async fn send(&self, mut request: HttpRequest) -> Result<Response, FailedRequest> {
        let policy = &self.inner.policy;
        request.url = policy.check(&request.url, request.purpose)?;
        let purpose = request.purpose;
        let response = self.inner.transport.send(request, policy).await?;
        // The network transport has checked this already; a recording may contain any URL.
        policy.check(&response.final_url, purpose)?;
        Ok(response)
    }

    /// Accepts only status 200.
    async fn expect_ok(&self, response: Response, expected: &'static str) -> Result<Response, FailedRequest> {
        let status = response.status;
        if status == 200 {
            return Ok(response);
        }
        let host = host_of(&response.final_url);
        let proxy = self.inner.transport.proxy_to(&response.final_url).cloned();
        match status {
            407 => return Err(RequestFault::ProxyLogin { host, proxy }.into()),
            511 => return Err(proxy_page_fault(response, expected).await.into()),
            _ => {}
        }
        let retry_after = response.retry_after(self.inner.clock.now());
        // The page behind such a status often comes from a proxy, and its title then names the proxy.
        let title = if response.has_html() { read_title(response.body).await } else { None };
        let fault = RequestFault::Status { host, status, proxy, retry_after, title };
        Err(FailedRequest { error: fault.into(), retry_after })
    }
}

/// The expected content of a file response, for messages.
const PACKAGE: &str = "a package";

/// Returns the fault for HTML in place of a response.
async fn proxy_page_fault(response: Response, expected: &'static str) -> RequestFault {
    let (host, status) = (host_of(&response.final_url), response.status);
    RequestFault::ProxyPage { host, expected, title: read_title(response.body).await, status }
}

async fn read_title(body: Body) -> Option<String> {
    title_of(&String::from_utf8_lossy(&read_beginning(body, TITLE_SEARCH_LENGTH).await))
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Returns the upper half of a number with mixed bits (the finisher of `SplitMix64`), so that neighbouring numbers give
/// unrelated results.
fn mix_bits(number: u64) -> u32 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_numbers_give_unrelated_jitters() {
        let low = (0..1000).filter(|&number| mix_bits(number) < 1 << 31).count();
        assert!((400..600).contains(&low), "{low}");
    }
}
