//! The failures of a request as types, each with its kind, its retry class, and its message in one place.
//!
//! A network failure arrives wrapped; [`cause`](super::cause) finds its root cause. Permanent failures end a request at
//! once: certificates, pages of proxies, and the statuses of the client's own faults. A URL that the rules refuse never
//! becomes a request; the URL policy refuses it.

use std::time::Duration;

use super::cause::CertificateFault;
use super::foreign_page::PROXY_HINT;
use super::proxy::ProxyUrl;
use super::retry::{seconds, span};
use crate::error::{ErrorKind, Fault, Retry};

/// A request without a usable response.
#[derive(Debug, thiserror::Error)]
pub enum RequestFault {
    /// A failed connection: the name, the route, or the listening server is missing.
    #[error("cannot connect to {host}{}", via_proxy(proxy.as_ref()))]
    NoConnection {
        /// The host.
        host: String,
        /// The proxy of the connection.
        proxy: Option<ProxyUrl>,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// A connection that broke.
    #[error("the connection to {host}{} was interrupted", via_proxy(proxy.as_ref()))]
    ConnectionLost {
        /// The host.
        host: String,
        /// The proxy of the connection.
        proxy: Option<ProxyUrl>,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// A timeout.
    #[error("{host} did not answer in time{}", via_proxy(proxy.as_ref()))]
    Timeout {
        /// The host.
        host: String,
        /// The proxy of the connection.
        proxy: Option<ProxyUrl>,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// A response that was not complete in time, although bytes may still arrive.
    #[error("the response of {host}{} was not complete within {}", via_proxy(proxy.as_ref()), span(*limit))]
    Unfinished {
        /// The host.
        host: String,
        /// The proxy of the connection.
        proxy: Option<ProxyUrl>,
        /// The time limit of the response.
        limit: Duration,
    },
    /// A proxy that opened no tunnel to the host. The reason does not reach the client.
    #[error("{} did not open a tunnel to {host}", proxy_name(proxy.as_ref()))]
    NoTunnel {
        /// The host.
        host: String,
        /// The proxy, if it is known.
        proxy: Option<ProxyUrl>,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// A certificate that is not valid.
    #[error("{}{}", certificate.describe(host), via_proxy(proxy.as_ref()))]
    Certificate {
        /// The host.
        host: String,
        /// The proxy of the connection.
        proxy: Option<ProxyUrl>,
        /// The fault of the certificate.
        certificate: CertificateFault,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// A proxy that requires a user name, or a different one (status 407).
    #[error("{}", describe_login(host, proxy.as_ref()))]
    ProxyLogin {
        /// The requested host.
        host: String,
        /// The proxy, if it is known.
        proxy: Option<ProxyUrl>,
    },
    /// A status that is not 200.
    #[error("{host} answered with status {status}{}{}", describe_retry_after(*retry_after), describe_title(title.as_deref()))]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// The proxy of the connection.
        proxy: Option<ProxyUrl>,
        /// The wait that the server requests before a retry.
        retry_after: Option<Duration>,
        /// The title of the page behind the status. The page often comes from a proxy, and its title then names the
        /// proxy.
        title: Option<String>,
    },
    /// A page of a proxy or a captive portal in place of the response.
    #[error("{host} answered with a proxy's page, not {expected}{}{}", describe_page_title(title.as_deref()), describe_status(*status))]
    ProxyPage {
        /// The host.
        host: String,
        /// The expected content, with an article.
        expected: &'static str,
        /// The title of the page.
        title: Option<String>,
        /// The status.
        status: u16,
    },
    /// More redirects than the client follows.
    #[error("{url} redirects more than {max} times")]
    EndlessRedirects {
        /// The URL, as it is shown.
        url: String,
        /// The number of redirects that are followed.
        max: usize,
    },
    /// A redirect to something that is not a URL.
    #[error("{url} redirects to {target:?}, which is not a URL")]
    RedirectNowhere {
        /// The URL, as it is shown.
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
            | Self::ConnectionLost { .. }
            | Self::Timeout { .. }
            | Self::Unfinished { .. }
            | Self::NoTunnel { .. }
            | Self::EndlessRedirects { .. }
            | Self::RedirectNowhere { .. } => Retry::Soon,
            Self::Status { status, .. } if is_temporary_status(*status) => Retry::Soon,
            Self::Certificate { .. }
            | Self::ProxyLogin { .. }
            | Self::ProxyPage { .. }
            | Self::Status { .. } => Retry::Never,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoTunnel { .. } => vec![NO_TUNNEL_HINT.to_owned()],
            Self::Certificate { certificate, .. } => vec![certificate.hint().to_owned()],
            Self::ProxyLogin { proxy, .. } => {
                let is_wrong = proxy.as_ref().is_some_and(ProxyUrl::has_credentials);
                vec![
                    if is_wrong { WRONG_LOGIN_HINT } else { NO_LOGIN_HINT }.to_owned(),
                    LOGIN_SCHEMES_HINT.to_owned(),
                ]
            }
            Self::Status { status, proxy: Some(proxy), .. } if !is_temporary_status(*status) => {
                vec![format!("check the proxy {proxy}, through which the request was sent")]
            }
            Self::ProxyPage { .. } => vec![PROXY_HINT.to_owned()],
            _ => Vec::new(),
        }
    }
}

const NO_TUNNEL_HINT: &str = "check the proxy: its rules may forbid this host, it may require a login, or it may be unable to reach the host";
const WRONG_LOGIN_HINT: &str = "check them in --proxy, KBMIRROR_PROXY, the configuration, or HTTPS_PROXY; write characters such as @ : / # % as %40 %3A %2F %23 %25";
const NO_LOGIN_HINT: &str = "put them into its URL: --proxy http://user:password@host:port, or better KBMIRROR_PROXY, which process lists do not show";
const LOGIN_SCHEMES_HINT: &str =
    "use the Basic scheme; for NTLM or Kerberos, run a relay such as px or cntlm on this machine";

/// Returns `true` for the statuses of an overload and for temporary statuses of a proxy. Status 511 comes from a
/// captive portal that waits for a login.
fn is_temporary_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599) && status != 511
}

fn via_proxy(proxy: Option<&ProxyUrl>) -> String {
    proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
}

fn proxy_name(proxy: Option<&ProxyUrl>) -> String {
    proxy.map_or_else(|| "the proxy".to_owned(), |proxy| format!("the proxy {proxy}"))
}

fn describe_login(host: &str, proxy: Option<&ProxyUrl>) -> String {
    let named =
        proxy.map_or_else(|| format!("the proxy before {host}"), |proxy| format!("the proxy {proxy}"));
    if proxy.is_some_and(ProxyUrl::has_credentials) {
        format!("{named} rejects the user name and the password (status 407)")
    } else {
        format!("{named} requires a user name and a password (status 407)")
    }
}

fn describe_retry_after(retry_after: Option<Duration>) -> String {
    let wait = retry_after.filter(|wait| !wait.is_zero());
    wait.map(|wait| format!(" and requests a retry after {}", seconds(wait))).unwrap_or_default()
}

fn describe_title(title: Option<&str>) -> String {
    title.map(|title| format!(", with a page titled {title:?}")).unwrap_or_default()
}

fn describe_page_title(title: Option<&str>) -> String {
    title.map(|title| format!(", titled {title:?}")).unwrap_or_default()
}

fn describe_status(status: u16) -> String {
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
    fn an_error_has_the_kind_retry_class_and_message_of_its_fault() {
        let error = Error::from(status(503)).context("search");
        assert_eq!(
            error.full_message(),
            "search: host.example answered with status 503 and requests a retry after 7 s, with a page titled \"Gateway\""
        );
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Soon));
        assert!(error.hints().is_empty());
        assert!(matches!(error.fault::<RequestFault>(), Some(RequestFault::Status { status: 503, .. })));
        let error = Error::from(status(404));
        assert_eq!((error.retry(), error.is_retryable()), (Retry::Never, false));
        assert_eq!(error.hints(), ["check the proxy http://proxy:1, through which the request was sent"]);
    }

    #[test]
    fn a_login_failure_names_the_proxy() {
        let host = "host.example".to_owned();
        let unknown = Error::from(RequestFault::ProxyLogin { host: host.clone(), proxy: None });
        assert_eq!(
            unknown.message(),
            "the proxy before host.example requires a user name and a password (status 407)"
        );
        let proxy = Some(ProxyUrl::parse("http://u:secret@proxy:1").unwrap());
        let refused = Error::from(RequestFault::ProxyLogin { host, proxy });
        assert_eq!(
            refused.message(),
            "the proxy http://proxy:1 rejects the user name and the password (status 407)"
        );
        assert_eq!((refused.hints().len(), refused.is_retryable()), (2, false));
    }
}
