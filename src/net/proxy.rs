//! The proxy between this machine and an address.
//!
//! - One that the operator named (`--proxy`, `KBMIRROR_PROXY`, the configuration) is used for everything, addresses of
//!   this machine and `NO_PROXY` notwithstanding: a proxy that is named is meant.
//! - Else that of the usual variables: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, also in lower case. They come
//!   in as values; nothing here reads the environment.
//! - Else the one that Windows or macOS has set, which reqwest looks up.
//!
//! But for the first, addresses of this machine are asked directly: no proxy could reach them.
//!
//! A user name and a password in the address go to the proxy alone, in the Basic scheme. A proxy is shown as its address
//! without them.

use std::fmt;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::redact::redacted_address;
use crate::error::{Error, Result};

/// The address of a proxy. It is shown without credentials, always.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// Reads `http://user:password@host:port`; `http://` may be left out. The message says what is wrong, without
    /// credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown = redacted_address(text);
        let wrong = |why: &str| format!("{shown:?} is not the address of a proxy: {why}");
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|error| match error {
            _ if text.contains('@') => wrong(
                "it is written http://user:password@host:port, and signs such as @ : / # % in a password as %40 %3A %2F %23 %25",
            ),
            error => wrong(&error.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            return Err(wrong("it has to begin with http://, https://, socks5://, or socks5h://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "nothing may stand behind host and port; / and # in a password are written %2F and %23",
            ));
        }
        Ok(Self(url))
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// Returns `true` if a user name goes along.
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
    OfSystem,
    /// This one for everything.
    Named(ProxyUrl),
    /// The proxies of the variables of the environment.
    OfEnvironment {
        /// For http addresses.
        http: Option<ProxyUrl>,
        /// For https addresses.
        https: Option<ProxyUrl>,
        /// The addresses that go without.
        direct: Arc<Matcher>,
    },
}

impl Proxies {
    /// Returns the proxies of the variables; those of the system where they name none. A variable that cannot be understood
    /// is a mistake that is named.
    pub fn of_environment<'v>(variable: impl Fn(&str) -> Option<&'v str>) -> Result<Self> {
        let read = |name: &str| {
            let found = [name.to_owned(), name.to_lowercase()].into_iter().find_map(|name| {
                // A web server hands the header `Proxy` of a request to its programs under this name.
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
            return Ok(Self::OfSystem);
        }
        let none = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
        // The matcher knows the addresses that go without; its answer for the others is of no use here.
        let direct = Arc::new(Matcher::builder().all("http://proxy.invalid").no(none).build());
        Ok(Self::OfEnvironment { http, https, direct })
    }

    /// The proxy that a request to this address goes through, as far as that is known here.
    pub fn between(&self, url: &Url) -> Option<&ProxyUrl> {
        match self {
            Self::OfSystem => None,
            Self::Named(proxy) => Some(proxy),
            Self::OfEnvironment { http, https, direct } => {
                let proxy = if url.scheme() == "https" { https } else { http };
                let goes_through = || direct.intercept(&url.as_str().parse().ok()?);
                proxy.as_ref().filter(|_| !is_loopback(url) && goes_through().is_some())
            }
        }
    }
}

/// Returns `true` for an address of this machine alone.
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

    fn of(variables: &[(&str, &'static str)]) -> Result<Proxies> {
        let map: BTreeMap<String, &str> =
            variables.iter().map(|&(name, text)| (name.to_owned(), text)).collect();
        Proxies::of_environment(|name| map.get(name).copied())
    }

    fn between(proxies: &Proxies, url: &str) -> Option<String> {
        proxies.between(&Url::parse(url).unwrap()).map(ToString::to_string)
    }

    #[test]
    fn addresses_of_proxies() {
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
    fn the_usual_variables() {
        assert!(matches!(of(&[]).unwrap(), Proxies::OfSystem));
        assert!(matches!(of(&[("HTTPS_PROXY", ""), ("NO_PROXY", "x")]).unwrap(), Proxies::OfSystem));
        let both = of(&[
            ("HTTPS_PROXY", "http://u:p@secure:1"),
            ("http_proxy", "plain:2"),
            ("NO_PROXY", "b.example, 10.0.0.0/8"),
        ])
        .unwrap();
        assert_eq!(between(&both, "https://a.example/x"), Some("http://secure:1".to_owned()));
        assert_eq!(between(&both, "http://a.example/x"), Some("http://plain:2".to_owned()));
        for direct in [
            "https://b.example/",
            "https://www.b.example/",
            "http://10.1.2.3/",
            "http://127.0.0.1:8080/",
            "https://[::1]/",
            "http://localhost/",
        ] {
            assert_eq!(between(&both, direct), None, "{direct}");
        }
        assert!(!format!("{both:?}").contains("u:p"), "{both:?}");
        let all =
            of(&[("all_proxy", "socks5h://s:1"), ("HTTP_PROXY", "plain:2"), ("no_proxy", "*")]).unwrap();
        assert_eq!(between(&all, "https://a.example/"), None);
        let all = of(&[("all_proxy", "socks5h://s:1"), ("HTTP_PROXY", "plain:2")]).unwrap();
        assert_eq!(between(&all, "https://a.example/"), Some("socks5h://s:1".to_owned()));
        assert_eq!(between(&all, "http://a.example/"), Some("http://plain:2".to_owned()));
        // Upper case goes first, and under a web server that name is the visitor's.
        let cases = of(&[("HTTPS_PROXY", "upper:1"), ("https_proxy", "lower:1")]).unwrap();
        assert_eq!(between(&cases, "https://a.example/"), Some("http://upper:1".to_owned()));
        assert!(matches!(
            of(&[("HTTP_PROXY", "x:1"), ("REQUEST_METHOD", "GET")]).unwrap(),
            Proxies::OfSystem
        ));
        let error = of(&[("https_proxy", "http://u:secret@")]).unwrap_err();
        assert!(error.message().contains("https_proxy") && !error.message().contains("secret"), "{error}");
        assert_eq!(error.code().number(), 2);
    }

    #[test]
    fn a_named_proxy_is_for_everything() {
        let named = Proxies::Named(ProxyUrl::parse("proxy:1").unwrap());
        for url in ["https://a.example/", "http://127.0.0.1/", "http://[::1]:8/"] {
            assert_eq!(between(&named, url), Some("http://proxy:1".to_owned()));
        }
    }
}
