//! One HTTP client for all that goes out: which hosts may be asked, how often, how a failure is told from an
//! answer, and when to try again.
//!
//! An address that comes from a page is hostile input: [`UrlPolicy`] decides before anything is sent, and again for
//! every redirect. Certificate checks are never switched off; a company's authority is added ([`ExtraRoots`]). A proxy
//! may stand between ([`Proxies`]); its credentials are shown nowhere, and a page of its own in place of an answer is
//! told from one. What failed is a [`Fault`], and [`next_try`] says what comes next. The bytes come through a [`Transport`], which is
//! the network ([`HttpTransport`]) or a recording (in `catalog::recording`); everything above cannot tell them
//! apart.

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

pub use client::{Client, Page, Wait};
pub use fault::{CertificateFault, Fault};
pub use foreign_page::{BEHIND_A_PROXY, title_of};
pub use http::HttpTransport;
pub use pace::Pace;
pub use proxy::{Proxies, ProxyUrl};
pub use redact::{redacted, redacted_arguments, redacted_text};
pub use retry::{
    Failed, GiveUp, INTERACTIVE_PATIENCE, Jitter, Next, UNATTENDED_PATIENCE, next_try, seconds, span,
};
pub use stop::{Signal, Stop, Stopper};
pub use transport::{
    Answer, Body, Exchange, Method, Part, Request, Setback, Transport, full_body, sorted_url,
};
pub use trust::ExtraRoots;
pub use url_policy::{AllowedHost, Purpose, UrlPolicy};
