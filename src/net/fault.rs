//! The failures of a request, by name: each with its kind, its retry class, and its words in one place.
//!
//! A failure of the network comes wrapped; [`cause`](super::cause) finds out what lies at its bottom. Failures that cannot
//! pass end a request at once: certificates, pages of proxies, and the statuses of the client's own faults. Addresses that
//! the rules refuse never become a request; the URL policy refuses them itself.

use std::time::Duration;

use super::cause::CertificateFault;
use super::foreign_page::BEHIND_A_PROXY;
use super::proxy::ProxyUrl;
use super::retry::{seconds, span};
use crate::error::{ErrorKind, Fault, Retry};

/// A request that brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestFault {
    /// No connection: no name, no route, or nothing that listens.
    #[error("cannot connect to {host}{}", through(proxy.as_ref()))]
    NoConnection {
        /// The host.
        host: String,
        /// The proxy on the way.
        proxy: Option<ProxyUrl>,
        /// The error of the client.
        source: reqwest::Error,
    },
    /// A connection that broke off.
    #[error("the connection to {host}{} broke off", through(proxy.as_ref()))]
    BrokenOff {
        /// The host.
        host: String,
        /// The proxy on the way.
        proxy: Option<ProxyUrl>,
        /// The error of the client.
        source: reqwest::Error,
    },
    /// Nothing came in time.
    #[error("{host} did not answer in time{}", through(proxy.as_ref()))]
    Timeout {
        /// The host.
        host: String,
        /// The proxy on the way.
        proxy: Option<ProxyUrl>,
        /// The error of the client.
        source: reqwest::Error,
    },
    /// An answer that was not complete in time, although bytes of it may still arrive.
    #[error("the answer of {host}{} did not arrive within {}", through(proxy.as_ref()), span(*limit))]
    Unfinished {
        /// The host.
        host: String,
        /// The proxy on the way.
        proxy: Option<ProxyUrl>,
        /// The time that the answer had.
        limit: Duration,
    },
    /// A proxy that opened no way to the host. Its reason does not reach the client.
    #[error("{} opened no way to {host}", named(proxy.as_ref()))]
    NoTunnel {
        /// The host.
        host: String,
        /// The proxy, where it is known.
        proxy: Option<ProxyUrl>,
        /// The error of the client.
        source: reqwest::Error,
    },
    /// A certificate that does not hold.
    #[error("{}{}", certificate.in_words(host), through(proxy.as_ref()))]
    Certificate {
        /// The host.
        host: String,
        /// The proxy on the way.
        proxy: Option<ProxyUrl>,
        /// The fault of the certificate.
        certificate: CertificateFault,
        /// The error of the client.
        source: reqwest::Error,
    },
    /// A proxy that wants a user name, or another one (status 407).
    #[error("{}", login_in_words(host, proxy.as_ref()))]
    ProxyLogin {
        /// The host that was asked for.
        host: String,
        /// The proxy, where it is known.
        proxy: Option<ProxyUrl>,
    },
    /// A status that is not 200.
    #[error("{host} answered with status {status}{}{}", wish_in_words(*retry_after), title_behind(title.as_deref()))]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// The proxy on the way.
        proxy: Option<ProxyUrl>,
        /// The time after which the server wants to be asked again.
        retry_after: Option<Duration>,
        /// The title of the page behind the status. It is often that of a proxy, and then the title shows whose.
        title: Option<String>,
    },
    /// A page of a proxy or a captive portal in place of the answer.
    #[error("{host} answered with a proxy's page, not {wanted}{}{}", titled(title.as_deref()), unless_ok(*status))]
    ProxyPage {
        /// The host.
        host: String,
        /// The answer that was expected, with an article.
        wanted: &'static str,
        /// The title of the page.
        title: Option<String>,
        /// The status.
        status: u16,
    },
    /// More redirects than an answer needs.
    #[error("{url} redirects more than {most} times")]
    EndlessRedirects {
        /// The address, as it is shown.
        url: String,
        /// The number of redirects that are followed.
        most: usize,
    },
    /// A redirect to something that is not an address.
    #[error("{url} redirects to {target:?}, which is no address")]
    RedirectNowhere {
        /// The address, as it is shown.
        url: String,
        /// The target, as it is shown.
        target: String,
        /// The error of the parser.
        source: url::ParseError,
    },
}

impl Fault for RequestFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unreachable
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoConnection { .. }
            | Self::BrokenOff { .. }
            | Self::Timeout { .. }
            | Self::Unfinished { .. }
            | Self::NoTunnel { .. }
            | Self::EndlessRedirects { .. }
            | Self::RedirectNowhere { .. } => Retry::Soon,
            Self::Status { status, .. } if status_may_pass(*status) => Retry::Soon,
            Self::Certificate { .. }
            | Self::ProxyLogin { .. }
            | Self::ProxyPage { .. }
            | Self::Status { .. } => Retry::Never,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoTunnel { .. } => vec![BEHIND_NO_TUNNEL.to_owned()],
            Self::Certificate { certificate, .. } => vec![certificate.advice().to_owned()],
            Self::ProxyLogin { proxy, .. } => {
                let is_wrong = proxy.as_ref().is_some_and(ProxyUrl::has_credentials);
                vec![if is_wrong { WRONG_LOGIN } else { NO_LOGIN }.to_owned(), LOGIN_SCHEMES.to_owned()]
            }
            Self::Status { status, proxy: Some(proxy), .. } if !status_may_pass(*status) => {
                vec![format!("it was asked through the proxy {proxy}")]
            }
            Self::ProxyPage { .. } => vec![BEHIND_A_PROXY.to_owned()],
            _ => Vec::new(),
        }
    }
}

const BEHIND_NO_TUNNEL: &str = "its rules may forbid this host, it may want somebody to log in first, or the host may be out of its reach";
const WRONG_LOGIN: &str = "look at them in --proxy, KBMIRROR_PROXY, the configuration, or HTTPS_PROXY; signs such as @ : / # % are written %40 %3A %2F %23 %25";
const NO_LOGIN: &str = "put them into its address: --proxy http://user:password@host:port, or better KBMIRROR_PROXY, which no list of processes shows";
const LOGIN_SCHEMES: &str = "the Basic scheme is known here; for NTLM or Kerberos put a relay of this machine between, such as px or cntlm";

/// Returns `true` for the statuses of an overload and those that a proxy sends for a moment. 511 is a captive portal that
/// waits for a login.
fn status_may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599) && status != 511
}

fn through(proxy: Option<&ProxyUrl>) -> String {
    proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
}

fn named(proxy: Option<&ProxyUrl>) -> String {
    proxy.map_or_else(|| "the proxy".to_owned(), |proxy| format!("the proxy {proxy}"))
}

fn login_in_words(host: &str, proxy: Option<&ProxyUrl>) -> String {
    let named =
        proxy.map_or_else(|| format!("the proxy before {host}"), |proxy| format!("the proxy {proxy}"));
    if proxy.is_some_and(ProxyUrl::has_credentials) {
        format!("{named} does not take the user name and the password that it was given (status 407)")
    } else {
        format!("{named} wants a user name and a password (status 407)")
    }
}

fn wish_in_words(retry_after: Option<Duration>) -> String {
    let wish = retry_after.filter(|wish| !wish.is_zero());
    wish.map(|wish| format!(" and asks to come back in {}", seconds(wish))).unwrap_or_default()
}

fn title_behind(title: Option<&str>) -> String {
    title.map(|title| format!(" and a page titled {title:?}")).unwrap_or_default()
}

fn titled(title: Option<&str>) -> String {
    title.map(|title| format!(", titled {title:?}")).unwrap_or_default()
}

fn unless_ok(status: u16) -> String {
    if status == 200 { String::new() } else { format!(" (status {status})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn status(status: u16) -> RequestFault {
        RequestFault::Status {
            host: "host.example".to_owned(),
            status,
            proxy: Some(ProxyUrl::parse("http://u:secret@proxy:1").unwrap()),
            retry_after: Some(Duration::from_secs(7)),
            title: Some("Gateway".to_owned()),
        }
    }

    #[test]
    fn statuses() {
        for number in [408, 429, 500, 502, 503, 504] {
            assert_eq!(status(number).retry(), Retry::Soon, "{number}");
        }
        for number in [400, 401, 403, 404, 407, 410, 451, 511] {
            assert_eq!(status(number).retry(), Retry::Never, "{number}");
        }
    }

    #[test]
    fn an_error_has_the_kind_the_retry_class_and_the_words_of_its_fault() {
        let error = Error::from(status(503)).context("search");
        assert_eq!(
            error.full_message(),
            "search: host.example answered with status 503 and asks to come back in 7 s and a page titled \"Gateway\""
        );
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Soon));
        assert!(error.hints().is_empty());
        assert!(matches!(error.fault::<RequestFault>(), Some(RequestFault::Status { status: 503, .. })));
        let error = Error::from(status(404));
        assert_eq!((error.retry(), error.is_retryable()), (Retry::Never, false));
        assert_eq!(error.hints(), ["it was asked through the proxy http://proxy:1"]);
    }

    #[test]
    fn a_proxy_that_wants_a_login_says_which() {
        let host = "host.example".to_owned();
        let unknown = Error::from(RequestFault::ProxyLogin { host: host.clone(), proxy: None });
        assert_eq!(
            unknown.message(),
            "the proxy before host.example wants a user name and a password (status 407)"
        );
        let proxy = Some(ProxyUrl::parse("http://u:secret@proxy:1").unwrap());
        let refused = Error::from(RequestFault::ProxyLogin { host, proxy });
        assert_eq!(
            refused.message(),
            "the proxy http://proxy:1 does not take the user name and the password that it was given (status 407)"
        );
        assert_eq!((refused.hints().len(), refused.is_retryable()), (2, false));
    }
}
