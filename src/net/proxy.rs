//! The proxy between this machine and a URL.
//!
//! - A proxy that the operator named (`--proxy`, `KBMIRROR_PROXY`, the configuration) is used for every request. This
//!   includes URLs of this machine and the hosts of `NO_PROXY`, because the operator named it explicitly.
//! - Otherwise the proxy of the usual variables applies: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, also in
//!   lower case. They are passed in as values; this module does not read the environment.
//! - Otherwise the proxy that Windows or macOS has set applies. reqwest looks it up.
//!
//! In the last two cases, URLs of this machine are requested directly: a proxy could not reach them.
//!
//! A user name and a password in the URL go to the proxy alone, in the Basic scheme. A proxy is always shown as its URL
//! without them.

use std::fmt;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::redact::redacted_url_text;
use crate::error::{Error, Result};

/// The URL of a proxy, always shown without credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// Parses `http://user:password@host:port`; `http://` may be omitted. The error text explains the fault without
    /// credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown = redacted_url_text(text);
        let wrong = |why: &str| format!("{shown:?} is not the URL of a proxy: {why}");
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&full).map_err(|error| match error {
            _ if text.contains('@') => wrong(
                "write http://user:password@host:port, and characters such as @ : / # % in a password as %40 %3A %2F %23 %25",
            ),
            error => wrong(&error.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            return Err(wrong("it must begin with http://, https://, socks5://, or socks5h://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("the host is missing"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "nothing may follow host and port; write / and # in a password as %2F and %23",
            ));
        }
        Ok(Self(url))
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// Returns `true` if the URL contains a user name or a password.
    pub(super) fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The proxies of a run.
#[derive(Debug, Clone, Default)]
pub enum Proxies {
    /// The proxy that the system has set, if any.
    #[default]
    System,
    /// A single proxy for every request.
    Named(ProxyUrl),
    /// The proxies of the environment variables.
    Environment {
        /// The proxy for http URLs.
        http: Option<ProxyUrl>,
        /// The proxy for https URLs.
        https: Option<ProxyUrl>,
        /// The hosts that are requested directly.
        direct: Arc<Matcher>,
    },
}

impl Proxies {
    /// Returns the proxies of the variables, or those of the system if the variables name none. Fails, with the name of
    /// the variable, if its value cannot be parsed.
    pub fn from_environment<'v>(variable: impl Fn(&str) -> Option<&'v str>) -> Result<Self> {
        let read = |name: &str| {
            let found = [name.to_owned(), name.to_lowercase()].into_iter().find_map(|name| {
                // A web server passes the `Proxy` header of a request to its programs under this name.
                let of_a_request = name == "HTTP_PROXY" && variable("REQUEST_METHOD").is_some();
                let text = variable(&name).filter(|text| !text.is_empty() && !of_a_request)?;
                Some((name, text))
            });
            let Some((name, text)) = found else { return Ok(None) };
            ProxyUrl::parse(text).map(Some).map_err(|message| Error::usage(format!("{name}: {message}")))
        };
        let (all, http, https) = (read("ALL_PROXY")?, read("HTTP_PROXY")?, read("HTTPS_PROXY")?);
        let (http, https) = (http.or_else(|| all.clone()), https.or(all));
        if http.is_none() && https.is_none() {
            return Ok(Self::System);
        }
        let none = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
        // The matcher only decides which URLs go directly; its proxy for all others is not used.
        let direct = Arc::new(Matcher::builder().all("http://proxy.invalid").no(none).build());
        Ok(Self::Environment { http, https, direct })
    }

    /// Returns the proxy that a request to this URL uses, or `None` if no proxy is known.
    pub fn proxy_for(&self, url: &Url) -> Option<&ProxyUrl> {
        match self {
            Self::System => None,
            Self::Named(proxy) => Some(proxy),
            Self::Environment { http, https, direct } => {
                let proxy = if url.scheme() == "https" { https } else { http };
                let goes_through = || direct.intercept(&url.as_str().parse().ok()?);
                proxy.as_ref().filter(|_| !is_loopback(url) && goes_through().is_some())
            }
        }
    }
}

/// Returns `true` for a URL whose host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn proxies_of(variables: &[(&str, &'static str)]) -> Result<Proxies> {
        let map: BTreeMap<String, &str> =
            variables.iter().map(|&(name, text)| (name.to_owned(), text)).collect();
        Proxies::from_environment(|name| map.get(name).copied())
    }

    fn proxy_for(proxies: &Proxies, url: &str) -> Option<String> {
        proxies.proxy_for(&Url::parse(url).unwrap()).map(ToString::to_string)
    }

    #[test]
    fn proxy_urls() {
        for (text, shown) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("proxy.example", "http://proxy.example"),
            ("user:p%40ss@proxy.example:3128", "http://proxy.example:3128"),
            ("https://user:secret@proxy.example/", "https://proxy.example"),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
            ("[::1]:3128", "http://[::1]:3128"),
            ("socks5h://user:secret@proxy.example:1080", "socks5h://proxy.example:1080"),
        ] {
            let proxy = ProxyUrl::parse(text).unwrap();
            assert_eq!((proxy.to_string(), format!("{proxy:?}")), (shown.to_owned(), shown.to_owned()));
            assert_eq!(proxy.has_credentials(), text.contains('@'), "{text}");
        }
        for text in [
            "",
            "http://",
            "ftp://proxy",
            "proxy:port",
            "http://user:sec#ret@proxy",
            "http://user:sec/ret@proxy:3128",
            "user:se cret@proxy:x",
            "http://proxy/path",
            "::1",
        ] {
            let message = ProxyUrl::parse(text).unwrap_err();
            assert!(!message.contains("ret@") && !message.contains("cret"), "{message}");
            assert!(message.contains("proxy"), "{message}");
        }
    }

    #[test]
    fn proxy_variables_of_the_environment() {
        assert!(matches!(proxies_of(&[]).unwrap(), Proxies::System));
        assert!(matches!(proxies_of(&[("HTTPS_PROXY", ""), ("NO_PROXY", "x")]).unwrap(), Proxies::System));
        let both = proxies_of(&[
            ("HTTPS_PROXY", "http://u:p@secure:1"),
            ("http_proxy", "plain:2"),
            ("NO_PROXY", "b.example, 10.0.0.0/8"),
        ])
        .unwrap();
        assert_eq!(proxy_for(&both, "https://a.example/x"), Some("http://secure:1".to_owned()));
        assert_eq!(proxy_for(&both, "http://a.example/x"), Some("http://plain:2".to_owned()));
        for direct in [
            "https://b.example/",
            "https://www.b.example/",
            "http://10.1.2.3/",
            "http://127.0.0.1:8080/",
            "https://[::1]/",
            "http://localhost/",
        ] {
            assert_eq!(proxy_for(&both, direct), None, "{direct}");
        }
        assert!(!format!("{both:?}").contains("u:p"), "{both:?}");
        let all = proxies_of(&[("all_proxy", "socks5h://s:1"), ("HTTP_PROXY", "plain:2"), ("no_proxy", "*")])
            .unwrap();
        assert_eq!(proxy_for(&all, "https://a.example/"), None);
        let all = proxies_of(&[("all_proxy", "socks5h://s:1"), ("HTTP_PROXY", "plain:2")]).unwrap();
        assert_eq!(proxy_for(&all, "https://a.example/"), Some("socks5h://s:1".to_owned()));
        assert_eq!(proxy_for(&all, "http://a.example/"), Some("http://plain:2".to_owned()));
        // Upper case has precedence. Under a web server the visitor controls `HTTP_PROXY`.
        let cases = proxies_of(&[("HTTPS_PROXY", "upper:1"), ("https_proxy", "lower:1")]).unwrap();
        assert_eq!(proxy_for(&cases, "https://a.example/"), Some("http://upper:1".to_owned()));
        assert!(matches!(
            proxies_of(&[("HTTP_PROXY", "x:1"), ("REQUEST_METHOD", "GET")]).unwrap(),
            Proxies::System
        ));
        let error = proxies_of(&[("https_proxy", "http://u:secret@")]).unwrap_err();
        assert!(error.message().contains("https_proxy") && !error.message().contains("secret"), "{error}");
        assert_eq!(error.code().number(), 2);
    }

    #[test]
    fn a_named_proxy_is_used_for_every_url() {
        let named = Proxies::Named(ProxyUrl::parse("proxy:1").unwrap());
        for url in ["https://a.example/", "http://127.0.0.1/", "http://[::1]:8/"] {
            assert_eq!(proxy_for(&named, url), Some("http://proxy:1".to_owned()));
        }
    }
}
