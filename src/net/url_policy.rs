//! The rules about URLs that may be requested: a pure function of the URL and the hosts that the operator allowed.
//!
//! - Pages of the Catalog are requested at its own URL only (`--catalog-url` replaces the real one).
//! - Package files come from Microsoft's content hosts, from the Catalog's own host, and from hosts that the operator
//!   named (`--allow-host`). A subdomain of an allowed host is a different host.
//! - Only https is used, except for named hosts and for a `--catalog-url` that is plain http itself. An http URL of a
//!   known Microsoft host is requested over https: the paths are the same there.
//! - A redirect from https to http is refused even if both are allowed.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::foreign_page::PROXY_HINT;
use super::redact::{redacted_url, redacted_url_text};
use crate::error::{Error, ErrorKind, Result};

/// The URL of the Catalog.
const CATALOG: &str = "https://www.catalog.update.microsoft.com/";

/// Microsoft's hosts for package files: the two in current download dialogs, then those in older recordings.
const FILE_HOSTS: [&str; 6] = [
    "catalog.sf.dl.delivery.mp.microsoft.com",
    "catalog.s.download.windowsupdate.com",
    "download.windowsupdate.com",
    "www.download.windowsupdate.com",
    "wsus.ds.download.windowsupdate.com",
    "dl.delivery.mp.microsoft.com",
];

/// The explanation for a redirect to a foreign host, which was never observed on the Catalog or its content hosts.
const PROXY_NOTE: &str = " (a proxy or its login page may have answered)";

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A page of the Catalog.
    Catalog,
    /// A package file.
    File,
}

/// A host that the operator named, with a port or for every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
}

impl FromStr for AllowedHost {
    type Err = Error;

    /// Parses `HOST` or `HOST:PORT`; a literal IPv6 address needs brackets.
    fn from_str(text: &str) -> Result<Self> {
        let error = || {
            let is_ipv6 = text.matches(':').count() > 1 && !text.contains('[');
            let shown = redacted_url_text(text);
            let how = if is_ipv6 { " (write an IPv6 address in brackets: [::1]:8080)" } else { "" };
            Error::usage(format!("{shown:?} is not a host or host:port for --allow-host{how}"))
        };
        // The URL parser judges names, ports, and IPv6 brackets by the same rules.
        let url = Url::parse(&format!("http://{text}/")).map_err(|_| error())?;
        let plain = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty();
        let host = url.host_str().filter(|_| plain && !text.ends_with('/')).ok_or_else(error)?;
        let port = if text.ends_with(":80") { Some(80) } else { url.port() };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl AllowedHost {
    fn covers(&self, url: &Url) -> bool {
        url.host_str() == Some(&self.host)
            && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

/// The URL rules of one run.
#[derive(Debug, Clone)]
pub struct UrlPolicy {
    catalog: Url,
    custom_catalog: bool,
    allowed: Vec<AllowedHost>,
}

impl UrlPolicy {
    /// Creates the rules for this Catalog (by default the real one) and these named hosts.
    pub fn new(catalog_url: Option<&str>, allowed: Vec<AllowedHost>) -> Result<Self> {
        let text = catalog_url.unwrap_or(CATALOG);
        let shown = redacted_url_text(text);
        let mut catalog = Url::parse(text).map_err(|error| {
            Error::usage(format!("--catalog-url {shown:?} is not a URL")).caused_by(error)
        })?;
        if !matches!(catalog.scheme(), "http" | "https") || catalog.host_str().is_none() {
            return Err(Error::usage(format!("--catalog-url {shown:?} must begin with http:// or https://")));
        }
        catalog.set_query(None);
        catalog.set_fragment(None);
        if !catalog.path().ends_with('/') {
            let path = format!("{}/", catalog.path());
            catalog.set_path(&path);
        }
        Ok(Self { catalog, custom_catalog: catalog_url.is_some(), allowed })
    }

    /// Returns the URL of a page of the Catalog.
    pub fn catalog_page(&self, page: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.catalog.clone();
        url.set_path(&format!("{}{page}", self.catalog.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Returns the origin of a mirror's content, as the mirror stores it: `live`, or the host of `--catalog-url`.
    pub fn origin(&self) -> String {
        if self.custom_catalog {
            self.catalog.host_str().unwrap_or_default().to_owned()
        } else {
            "live".to_owned()
        }
    }

    /// Returns the URL to request in place of this one, or refuses it.
    pub fn check(&self, url: &Url, purpose: Purpose) -> Result<Url> {
        let error = |kind, why: fmt::Arguments<'_>| {
            Error::new(kind, format!("the URL {} is refused: {why}", redacted_url(url)))
        };
        let refused = |why: fmt::Arguments<'_>| Err(error(ErrorKind::Integrity, why));
        let foreign = |why: fmt::Arguments<'_>| error(ErrorKind::HostNotAllowed, why);
        let elsewhere =
            || foreign(format_args!("the Catalog is at {}", self.catalog.origin().ascii_serialization()));
        if !url.username().is_empty() || url.password().is_some() {
            return refused(format_args!("it contains a user name"));
        }
        let Some(host) = url.host_str() else { return refused(format_args!("the host is missing")) };
        let of_the_catalog = url.origin() == self.catalog.origin();
        if of_the_catalog || self.allowed.iter().any(|allowed| allowed.covers(url)) {
            if purpose == Purpose::Catalog && !of_the_catalog {
                return Err(elsewhere());
            }
            return match url.scheme() {
                "http" | "https" => Ok(url.clone()),
                scheme => refused(format_args!("the scheme {scheme} is not allowed")),
            };
        }
        if purpose == Purpose::Catalog {
            return Err(elsewhere());
        }
        if !FILE_HOSTS.contains(&host) {
            return Err(foreign(format_args!(
                "{host} is not a known host of package files (allow other hosts with --allow-host)"
            )));
        }
        if url.port().is_some() {
            return refused(format_args!("{host} is allowed at its default port only"));
        }
        let mut secure = url.clone();
        match url.scheme() {
            "https" => Ok(secure),
            "http" if secure.set_scheme("https").is_ok() => Ok(secure),
            scheme => refused(format_args!("the scheme {scheme} is not allowed")),
        }
    }

    /// Returns the URL to request after a redirect, or refuses it.
    pub fn check_redirect(&self, from: &Url, to: &Url, purpose: Purpose) -> Result<Url> {
        if from.scheme() == "https" && to.scheme() == "http" {
            return Err(Error::new(
                ErrorKind::Integrity,
                format!(
                    "the redirect from {} to {} is refused: it leaves https{PROXY_NOTE}",
                    redacted_url(from),
                    redacted_url(to)
                ),
            )
            .hint(PROXY_HINT));
        }
        self.check(to, purpose).map_err(|error| {
            let host = from.host_str().unwrap_or_default();
            error.context(format!("{host} redirects to another URL{PROXY_NOTE}")).hint(PROXY_HINT)
        })
    }

    /// Returns the host of the Catalog.
    pub fn catalog_host(&self) -> &str {
        self.catalog.host_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &UrlPolicy, url: &str, purpose: Purpose) -> Option<String> {
        policy.check(&Url::parse(url).unwrap(), purpose).ok().map(|url| url.to_string())
    }

    #[test]
    fn the_real_catalog_and_its_content_hosts_are_allowed() {
        let policy = UrlPolicy::new(None, Vec::new()).unwrap();
        let page = policy.catalog_page("Search.aspx", &[("p", "0"), ("q", "KB1 a&b")]);
        assert_eq!(page.as_str(), "https://www.catalog.update.microsoft.com/Search.aspx?p=0&q=KB1+a%26b");
        assert!(check(&policy, page.as_str(), Purpose::Catalog).is_some());
        let file = "catalog.sf.dl.delivery.mp.microsoft.com/filestreamingservice/files/x/public/y.msu";
        assert_eq!(
            check(&policy, &format!("https://{file}"), Purpose::File),
            Some(format!("https://{file}"))
        );
        assert_eq!(check(&policy, &format!("http://{file}"), Purpose::File), Some(format!("https://{file}")));
        for refused in [
            format!("ftp://{file}"),
            format!("https://user:secret@{file}"),
            format!("https://evil.{file}"),
            "https://catalog.sf.dl.delivery.mp.microsoft.com:8443/x".to_owned(),
            "https://catalog.sf.dl.delivery.mp.microsoft.com.evil.example/x".to_owned(),
            "https://127.0.0.1/x".to_owned(),
            "file:///etc/passwd".to_owned(),
        ] {
            assert_eq!(check(&policy, &refused, Purpose::File), None, "{refused}");
        }
        assert_eq!(
            check(&policy, &format!("https://{file}"), Purpose::Catalog),
            None,
            "the CDN does not serve pages"
        );
    }

    #[test]
    fn a_named_host_allows_that_host_only() {
        let policy = UrlPolicy::new(
            Some("http://127.0.0.1:8080"),
            vec!["cdn.example:81".parse().unwrap(), "other.example".parse().unwrap()],
        )
        .unwrap();
        assert_eq!(policy.origin(), "127.0.0.1");
        assert!(check(&policy, "http://127.0.0.1:8080/DownloadDialog.aspx", Purpose::Catalog).is_some());
        assert!(check(&policy, "http://127.0.0.1:8080/files/x", Purpose::File).is_some());
        assert!(check(&policy, "http://127.0.0.1:8081/files/x", Purpose::File).is_none());
        assert!(check(&policy, "http://cdn.example:81/x", Purpose::File).is_some());
        assert!(check(&policy, "http://cdn.example/x", Purpose::File).is_none());
        assert!(check(&policy, "https://other.example:444/x", Purpose::File).is_some());
        assert!(check(&policy, "http://cdn.example:81/Search.aspx", Purpose::Catalog).is_none());
        assert!(check(&policy, "https://www.catalog.update.microsoft.com/", Purpose::Catalog).is_none());
    }

    #[test]
    fn a_redirect_never_leaves_https() {
        let policy = UrlPolicy::new(None, vec!["plain.example".parse().unwrap()]).unwrap();
        let secure = Url::parse("https://plain.example/a").unwrap();
        let plain = Url::parse("http://plain.example/b").unwrap();
        assert!(policy.check_redirect(&secure, &plain, Purpose::File).is_err());
        assert!(policy.check_redirect(&plain, &secure, Purpose::File).is_ok());
        assert!(policy.check_redirect(&plain, &plain, Purpose::File).is_ok());
    }

    #[test]
    fn invalid_hosts_and_catalog_urls_are_refused() {
        for text in ["", "a/b", "http://a", "a b", "user@host", "host:99999", "host/"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text:?}");
        }
        assert!(UrlPolicy::new(Some("ftp://x"), Vec::new()).is_err());
        assert!(UrlPolicy::new(Some("x"), Vec::new()).is_err());
        assert!("[::1]:8080".parse::<AllowedHost>().is_ok());
        assert!("::1".parse::<AllowedHost>().unwrap_err().message().contains("[::1]:8080"));
    }

    #[test]
    fn messages_do_not_contain_secrets() {
        for text in ["me:secret@h:1", "http://me:secret@h", "me:se\"secret@h", "h:1?sig=secret"] {
            let message = text.parse::<AllowedHost>().unwrap_err().message().to_owned();
            assert!(!message.contains("secret") && !message.contains("se\\\""), "{message}");
            assert!(message.contains("***"), "{message}");
        }
        for text in ["me:secret@h", "h/?sig=secret", "ftp://h/?sig=secret", "http://[h/?sig=secret"] {
            let error = UrlPolicy::new(Some(text), Vec::new()).unwrap_err();
            assert!(!error.full_message().contains("secret"), "{error}");
        }
        let policy = UrlPolicy::new(None, Vec::new()).unwrap();
        let url = |text: &str| Url::parse(text).unwrap();
        let (from, plain) = (url("https://h/a?sig=secret"), url("http://h/b?sig=secret"));
        for to in [&plain, &from] {
            let error = policy.check_redirect(&from, to, Purpose::File).unwrap_err();
            assert!(!error.full_message().contains("secret"), "{error}");
            assert!(error.full_message().contains("?***"), "{error}");
        }
    }
}
