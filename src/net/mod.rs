//! One HTTP client for all requests: the rules about addresses, the pace, the difference between a failure and an answer,
//! and the time of the next try.
//!
//! An address that comes from a page is hostile input: [`UrlPolicy`] decides before anything is sent, and again for
//! every redirect. Certificate checks are never switched off; a company's authority is added ([`ExtraRoots`]). A proxy
//! may stand between ([`Proxies`]); its credentials are shown nowhere, and a page of its own in place of an answer is
//! recognized. A failed request is a [`RequestFault`], and [`next_try`] decides about the next try. The bytes come through a
//! [`Transport`], which is the network ([`HttpTransport`]) or a recording (in `catalog::recording`); the rooms above cannot
//! see the difference.

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
pub use client::{Client, Page, Wait};
pub use fault::RequestFault;
pub use foreign_page::{BEHIND_A_PROXY, title_of};
pub use http::HttpTransport;
pub use pace::Pace;
pub use proxy::{Proxies, ProxyUrl};
pub use redact::{redacted, redacted_arguments, redacted_text};
pub use retry::{
    Failed, GiveUp, INTERACTIVE_PATIENCE, Jitter, Next, UNATTENDED_PATIENCE, next_try, page_limit, seconds,
    span,
};
pub use stop::{Signal, Stop, Stopper};
pub use transport::{
    Answer, Body, Exchange, Method, Part, Request, Setback, Transport, full_body, sorted_url,
};
pub use trust::ExtraRoots;
pub use url_policy::{AllowedHost, Purpose, UrlPolicy};
