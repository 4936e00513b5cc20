//! One HTTP client for all that goes out: which hosts may be asked, how often, how a failure is told from an
//! answer, and when to try again.
//!
//! An address that comes from a page is hostile input: [`UrlPolicy`] decides before anything is sent, and again for
//! every redirect. Certificate checks are never switched off. The bytes come through a [`Transport`], which is
//! the network ([`HttpTransport`]) or a recording (in `catalog::recording`); everything above cannot tell them
//! apart.

mod client;
mod http;
mod retry;
mod transport;
mod url_policy;

pub use client::{Client, Pace, Page};
pub use http::HttpTransport;
pub use retry::{DEFAULT_PATIENCE, Next, next_try};
pub use transport::{Answer, Body, Exchange, Method, Request, Setback, Transport, full_body, sorted_url};
pub use url_policy::{AllowedHost, Purpose, UrlPolicy};
