//! The HTTP client for all requests: URL rules, pacing, the distinction between a failure and a response, and the time
//! of the next retry.
//!
//! A URL that comes from a page is hostile input: [`UrlPolicy`] decides before anything is sent, and again for every
//! redirect. Certificate checks are never disabled; a company's authority is added instead ([`ExtraRoots`]). Requests
//! may go through a proxy ([`Proxies`]). Its credentials are never shown, and a page of the proxy in place of a
//! response is recognized. A failed request is a [`RequestFault`], and [`decide_retry`] decides about the retry. The
//! bytes come through a [`Transport`]: the network ([`HttpTransport`]) or a recording (in `catalog::recording`). The
//! modules above cannot see the difference.

mod cause;
mod client;
mod fault;
mod foreign_page;
mod http;
mod pace;
mod proxy;
mod redact;
mod retry;
mod stop;
mod transport;
mod trust;
mod url_policy;

pub use cause::CertificateFault;
pub use client::{Client, Page, RetryWait};
pub use fault::RequestFault;
pub use foreign_page::{PROXY_HINT, title_of};
pub use http::HttpTransport;
pub use pace::Pace;
pub use proxy::{Proxies, ProxyUrl};
pub use redact::{redacted, redacted_arguments, redacted_text};
pub use retry::{
    FailedTry, GiveUpReason, INTERACTIVE_RETRY_BUDGET, Jitter, RetryDecision, UNATTENDED_RETRY_BUDGET,
    decide_retry, page_limit, seconds, span,
};
pub use stop::{Signal, StopRequest, StopSender};
pub use transport::{
    Body, FailedRequest, FilePart, HttpMethod, HttpRequest, Response, ResponseFuture, Transport, full_body,
    sorted_url,
};
pub use trust::ExtraRoots;
pub use url_policy::{AllowedHost, Purpose, UrlPolicy};
