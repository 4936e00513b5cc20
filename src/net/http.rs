//! The network transport: reqwest with rustls, the system's trust store plus extra certificates, and the proxies.
//!
//! Redirects are followed in this module, hop by hop, so that each one is checked. The clients are created at the first
//! request: a run that needs no network also needs no trust store.

use std::sync::OnceLock;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header;
use url::Url;

use super::cause::RequestCause;
use super::fault::RequestFault;
use super::proxy::{Proxies, ProxyUrl, is_loopback};
use super::redact::{redacted, redacted_url};
use super::transport::{
    FailedRequest, FilePart, HttpMethod, HttpRequest, Response, ResponseFuture, Transport,
};
use super::trust::ExtraRoots;
use super::url_policy::{Purpose, UrlPolicy};
use crate::error::{Error, ErrorKind, Result};

/// The user agent, always the same: the Catalog's markup depends on it.
const USER_AGENT: &str = "Mozilla/5.0 (compatible; kbmirror)";
/// The most redirects that are followed. Package hosts and the Catalog were observed with one at most.
const MAX_REDIRECTS: usize = 5;
/// The timeout of a connection, long enough for a slow proxy.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout between two reads. The Catalog was observed to answer after 100 s while it was overloaded.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// The transport that sends requests over the network.
#[derive(Debug)]
pub struct HttpTransport {
    proxies: Proxies,
    roots: ExtraRoots,
    /// The time without any byte after which a file request fails.
    silence: Duration,
    pages: ClientCells,
    files: ClientCells,
}

/// The clients, indexed by whether the proxy of the system is bypassed.
type ClientCells = [OnceLock<reqwest::Client>; 2];

/// `true` if the system has proxy settings besides the environment, which was read when the [`Proxies`] were created.
/// On other systems reqwest would read the environment again.
const SYSTEM_HAS_PROXIES: bool = cfg!(any(windows, target_os = "macos"));

impl HttpTransport {
    /// Creates a transport that has not connected to anything yet.
    pub fn new(proxies: Proxies, roots: ExtraRoots, silence: Duration) -> Self {
        Self { proxies, roots, silence, pages: ClientCells::default(), files: ClientCells::default() }
    }

    fn client(&self, url: &Url, purpose: Purpose) -> Result<&reqwest::Client> {
        let (cells, compressed, silence) = match purpose {
            Purpose::Catalog => (&self.pages, true, READ_TIMEOUT),
            // The digest covers the bytes as they are stored; a content encoding would only hide them.
            Purpose::File => (&self.files, false, self.silence),
        };
        // The proxy of the system cannot reach a server that listens on this machine only.
        let direct = is_loopback(url);
        let cell = &cells[usize::from(direct)];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        // Another part of the process may have chosen a provider before; that provider works as well.
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder();
        let builder = match &self.proxies {
            Proxies::System if SYSTEM_HAS_PROXIES && !direct => builder,
            Proxies::System => builder.no_proxy(),
            named => {
                let proxies = named.clone();
                builder.proxy(reqwest::Proxy::custom(move |url| {
                    proxies.proxy_for(url).map(|proxy| proxy.url().clone())
                }))
            }
        };
        let failed = |error: reqwest::Error| {
            Error::new(ErrorKind::Internal, "cannot set up the HTTP client").caused_by(error).hint(
                "name a certificate with --ca-cert FILE if this machine does not trust any authority (package ca-certificates)",
            )
        };
        let mut roots = Vec::new();
        for certificate in self.roots.certificates() {
            roots.push(reqwest::Certificate::from_der(certificate).map_err(failed)?);
        }
        // Without extra roots the system's own verifier is used unchanged.
        let builder = if roots.is_empty() { builder } else { builder.tls_certs_merge(roots) };
        let client = builder
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(silence)
            .gzip(compressed)
            .build()
            .map_err(failed)?;
        Ok(cell.get_or_init(|| client))
    }

    async fn send_hop(&self, request: &HttpRequest) -> Result<reqwest::Response, FailedRequest> {
        let client = self.client(&request.url, request.purpose)?;
        let builder = match request.method {
            HttpMethod::Get => client.get(request.url.clone()),
            HttpMethod::Head => client.head(request.url.clone()),
            HttpMethod::Post => client.post(request.url.clone()).form(&request.form),
        };
        let builder = builder.header(header::ACCEPT_LANGUAGE, "en-US");
        let builder = match request.purpose {
            Purpose::Catalog => builder,
            // Bytes that are encoded in transit would have other digests.
            Purpose::File => builder.header(header::ACCEPT_ENCODING, "identity"),
        };
        let FilePart { from, if_range } = &request.part;
        let builder =
            if *from > 0 { builder.header(header::RANGE, format!("bytes={from}-")) } else { builder };
        let builder = match if_range {
            Some(version) => builder.header(header::IF_RANGE, version),
            None => builder,
        };
        let response = builder.send().await;
        Ok(response.map_err(|error| fault(&request.url, error, self.proxies.proxy_for(&request.url)))?)
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, mut request: HttpRequest, policy: &'a UrlPolicy) -> ResponseFuture<'a> {
        Box::pin(async move {
            for _ in 0..=MAX_REDIRECTS {
                let response = self.send_hop(&request).await?;
                let Some(target) = redirect_target(&response) else {
                    let proxy = self.proxies.proxy_for(response.url()).cloned();
                    return Ok(convert_response(response, proxy));
                };
                let target = target?;
                request.url = policy.check_redirect(&request.url, &target, request.purpose)?;
                // Browsers do the same: the form has been delivered, and a page follows.
                if request.method == HttpMethod::Post {
                    request = HttpRequest::get(request.url, request.purpose);
                }
            }
            let url = redacted_url(&request.url);
            Err(RequestFault::EndlessRedirects { url, max: MAX_REDIRECTS }.into())
        })
    }

    fn proxy_to(&self, url: &Url) -> Option<&ProxyUrl> {
        self.proxies.proxy_for(url)
    }
}

fn redirect_target(response: &reqwest::Response) -> Option<Result<Url, RequestFault>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?;
    let text = String::from_utf8_lossy(location.as_bytes());
    // A redirect target is relative to the current URL; the policy judges the result.
    let target = Url::options().base_url(Some(response.url())).parse(&text);
    Some(target.map_err(|source| RequestFault::RedirectNowhere {
        url: redacted_url(response.url()),
        target: redacted(&text),
        source,
    }))
}

fn convert_response(response: reqwest::Response, proxy: Option<ProxyUrl>) -> Response {
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| {
        (name.as_str().to_ascii_lowercase(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers = headers.collect();
    let status = response.status().as_u16();
    let final_url = response.url().clone();
    let url = final_url.clone();
    let pieces = response.bytes_stream();
    let body =
        pieces.map(move |piece| piece.map_err(|error| fault(&url, error, proxy.as_ref()).into())).boxed();
    Response { status, headers, final_url, body }
}

/// Returns the fault for a network failure according to its cause.
fn fault(url: &Url, error: reqwest::Error, proxy: Option<&ProxyUrl>) -> RequestFault {
    let (host, proxy) = (url.host_str().unwrap_or_default().to_owned(), proxy.cloned());
    let (cause, is_connecting) = (RequestCause::find(&error), error.is_connect());
    let source = error.without_url();
    match cause {
        RequestCause::ProxyLogin => RequestFault::ProxyLogin { host, proxy },
        RequestCause::Certificate(certificate) => {
            RequestFault::Certificate { host, proxy, certificate, source }
        }
        RequestCause::NoTunnel => RequestFault::NoTunnel { host, proxy, source },
        _ if is_connecting => RequestFault::NoConnection { host, proxy, source },
        RequestCause::Timeout => RequestFault::Timeout { host, proxy, source },
        RequestCause::Transport => RequestFault::ConnectionLost { host, proxy, source },
    }
}
