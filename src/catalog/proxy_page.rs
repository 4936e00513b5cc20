//! Recognizes pages of proxies and captive portals among pages without marks of the Catalog. Pure.
//!
//! The recognition is conservative: a page with any mark of the Catalog is never taken for a proxy's page. A page
//! without marks of either stays unknown and is reported as such. A wrong guess would hide a change of the site.

use scraper::Html;

/// The prefixes of ids on the Catalog's pages: all of its kinds, its home page, and its error page have several.
const CATALOG_ID_PREFIXES: [&str; 10] = [
    "aspnetform",
    "ctl00_",
    "downloaddialog",
    "errorpage",
    "mainboxhome",
    "scopedview",
    "searchtextbox",
    "supersed",
    "tablecontainer",
    "thanks",
];

/// Texts of such pages in lower case: the standard's own words, and the vendors' names. Pages contain these names in
/// comments, paths, and scripts if not in their text.
const PROXY_WORDS: [&str; 19] = [
    "barracuda web",
    "blocked by your",
    "blue coat",
    "bluecoat",
    "captive portal",
    "captiveportal",
    "cisco umbrella",
    "fgtauth",
    "forcepoint",
    "fortiguard",
    "mcafee web gateway",
    "network authentication required",
    "proxy authentication",
    "skyhigh secure web",
    "sophos web",
    "squid/",
    "web gateway",
    "websense",
    "zscaler",
];

/// Returns `true` if the page has a password field or names a proxy, and has no mark of the Catalog.
pub(super) fn is_proxy_page(document: &Html, text: &str) -> bool {
    let elements = || document.tree.nodes().filter_map(|node| node.value().as_element());
    let of_the_catalog = elements().filter_map(|element| element.attr("id")).any(|id| {
        let id = id.to_ascii_lowercase();
        CATALOG_ID_PREFIXES.iter().any(|start| id.starts_with(start))
    });
    let lower = text.to_ascii_lowercase();
    if of_the_catalog || lower.contains("microsoft update catalog") || lower.contains("downloadinformation") {
        return false;
    }
    let has_password_field = || {
        let is_password = |kind: &str| kind.eq_ignore_ascii_case("password");
        elements().any(|element| element.name() == "input" && element.attr("type").is_some_and(is_password))
    };
    has_password_field() || PROXY_WORDS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use crate::catalog::{PageKind, page_kind};

    #[test]
    fn pages_of_proxies() {
        for (page, title) in [
            (
                "<html><title>Company Web Access</title><form action=/login><input name=user><input type=Password></form>",
                Some("Company Web Access"),
            ),
            (
                "<html><head><title>Network Authentication Required</title></head>",
                Some("Network Authentication Required"),
            ),
            (r#"<html><script>window.location="https://10.0.0.1:1003/fgtauth?0b"</script></html>"#, None),
            (
                "<html><title>Access Denied</title><!-- Zscaler --><p>Category: Software</html>",
                Some("Access Denied"),
            ),
        ] {
            let title = title.map(str::to_owned);
            assert_eq!(page_kind(page, Some("/Search.aspx")), PageKind::ProxyPage { title }, "{page}");
        }
    }

    #[test]
    fn a_page_with_catalog_marks_or_without_proxy_marks_is_unknown() {
        for page in [
            "<html><body>please log in</body></html>",
            "<html><body>Sign in to the proxy</body></html>",
            "<html><h1>502 Bad Gateway</h1>",
            "<form id=aspnetForm><input type=password></form>",
            "<title>Microsoft Update Catalog</title><input type=password>",
            "<div id=tableContainer></div><p>Zscaler</p>",
            "",
        ] {
            assert_eq!(page_kind(page, None), PageKind::Unknown, "{page}");
        }
    }
}
