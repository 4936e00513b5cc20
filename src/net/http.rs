//! The network itself: reqwest with rustls, the system's trust store, and its proxy settings.
//!
//! Redirects are followed here, hop by hop, so that each is checked. The clients are made at the first request:
//! a run that needs no network also needs no trust store.

use std::sync::OnceLock;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header;
use url::Url;

use super::transport::{Answer, Exchange, Method, Request, Setback, Transport};
use super::url_policy::{Purpose, UrlPolicy};
use crate::error::{Error, ErrorKind, Result};

/// Always the same: the Catalog's markup depends on it.
const USER_AGENT: &str = "Mozilla/5.0 (compatible; kbmirror)";
/// Six hops in a row are no answer any more; package hosts and Catalog were seen with one at most.
const MAX_REDIRECTS: usize = 5;
/// Long enough for a slow proxy.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two reads. The Catalog was seen to answer after 100 s in a bad spell.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// Requests over the network.
#[derive(Debug, Default)]
pub struct HttpTransport {
    pages: Cells,
    files: Cells,
}

/// By whether the proxy of the system is left out.
type Cells = [OnceLock<reqwest::Client>; 2];

impl HttpTransport {
    /// A transport that has connected to nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self, url: &Url, purpose: Purpose) -> Result<&reqwest::Client> {
        let (cells, compressed) = match purpose {
            Purpose::Catalog => (&self.pages, true),
            // The bytes of a file are hashed as they are; a coding in between would only hide them.
            Purpose::File => (&self.files, false),
        };
        // No proxy can reach what is on this machine alone.
        let direct = is_loopback(url);
        let cell = &cells[usize::from(direct)];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        // Another part of the process may have chosen a provider before; that one is as good.
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder();
        let builder = if direct { builder.no_proxy() } else { builder };
        let client = builder
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .gzip(compressed)
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "cannot set up the HTTP client").caused_by(error)
            })?;
        Ok(cell.get_or_init(|| client))
    }

    async fn one_hop(&self, request: &Request) -> Result<reqwest::Response, Setback> {
        let client = self.client(&request.url, request.purpose)?;
        let builder = match request.method {
            Method::Get => client.get(request.url.clone()),
            Method::Head => client.head(request.url.clone()),
            Method::Post => client.post(request.url.clone()).form(&request.form),
        };
        let builder = builder.header(header::ACCEPT_LANGUAGE, "en-US");
        builder.send().await.map_err(|error| setback(&request.url, error))
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, mut request: Request, policy: &'a UrlPolicy) -> Exchange<'a> {
        Box::pin(async move {
            for _ in 0..=MAX_REDIRECTS {
                let response = self.one_hop(&request).await?;
                let Some(target) = redirect_target(&response) else {
                    return Ok(answer(response));
                };
                let target = target?;
                request.url = policy.check_redirect(&request.url, &target, request.purpose)?;
                // As browsers do: the form has been delivered, what follows is a page.
                if request.method == Method::Post {
                    request = Request::get(request.url, request.purpose);
                }
            }
            let message = format!("{} redirects more than {MAX_REDIRECTS} times", request.url);
            Err(Error::new(ErrorKind::Unreachable, message).retryable().into())
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn redirect_target(response: &reqwest::Response) -> Option<Result<Url>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?;
    let text = String::from_utf8_lossy(location.as_bytes());
    // Resolving against our own address is what a redirect means; the policy judges the outcome.
    let target = Url::options().base_url(Some(response.url())).parse(&text);
    let error = |cause| {
        let message = format!("{} redirects to {text:?}, which is no address", response.url());
        Error::new(ErrorKind::Unreachable, message).retryable().caused_by(cause)
    };
    Some(target.map_err(error))
}

fn answer(response: reqwest::Response) -> Answer {
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| {
        (name.as_str().to_ascii_lowercase(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers = headers.collect();
    let status = response.status().as_u16();
    let final_url = response.url().clone();
    let url = final_url.clone();
    let body = response.bytes_stream().map(move |chunk| chunk.map_err(|error| setback(&url, error))).boxed();
    Answer { status, headers, final_url, body }
}

/// A failure of the network. All of them may pass but for certificates: asking again would not make one right.
fn setback(url: &Url, error: reqwest::Error) -> Setback {
    let host = url.host_str().unwrap_or_default().to_owned();
    let doing = if error.is_connect() {
        format!("cannot connect to {host}")
    } else if error.is_timeout() {
        format!("{host} did not answer in time")
    } else {
        format!("the connection to {host} broke off")
    };
    let certificate = is_about_a_certificate(&error);
    let told = Error::new(ErrorKind::Unreachable, doing).caused_by(error.without_url());
    let told = if certificate {
        told.hint("the certificate of the server is not trusted by this machine; a proxy that opens TLS needs its root in the system's trust store")
    } else {
        told.retryable()
    };
    told.into()
}

/// Whether a certificate is at the bottom of a failure. An I/O error names the error that it carries as its inner one
/// and skips it in its chain of sources, so both ways down are followed.
fn is_about_a_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let inner =
        inner.is_some_and(|inner| is_about_a_certificate(inner as &(dyn std::error::Error + 'static)));
    inner || error.source().is_some_and(is_about_a_certificate)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_certificate_is_found_however_deep_it_is_wrapped() {
        let certificate = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, certificate()));
        assert!(is_about_a_certificate(&certificate()));
        assert!(is_about_a_certificate(&wrapped));
        assert!(!is_about_a_certificate(&io::Error::other("reset")));
        assert!(!is_about_a_certificate(&rustls::Error::HandshakeNotComplete));
    }
}
