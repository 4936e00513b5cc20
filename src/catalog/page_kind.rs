//! Recognizes the kind of a page, by positive marks only: a page without known marks is [`PageKind::Unknown`].
//!
//! The site answers everything with status 200, so a fault can look like a response. Two traps are known. Every page
//! has an element `thanksNoScripting`, which does not make it the Thanks page. A search that the site did not process
//! is returned as a complete search page without rows.

use scraper::Html;

use super::download_dialog::is_dialog;
use super::html::{self, Elements, text_of};
use super::proxy_page::is_proxy_page;
use super::search_page::{self, row_id};
use crate::net::title_of;

/// The kinds of pages that the site returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageKind {
    /// A search page with rows.
    Rows,
    /// A search page that states an empty result.
    NothingFound,
    /// A search page that repeats the requested words and has neither rows nor the text for no results.
    PastTheEnd,
    /// A search page without words, though words were sent: the site did not process the query (observed under load in
    /// 2026). The page says nothing about the words; the query has to be retried later.
    WithoutQuery,
    /// The error page of the site, with its number if it states one ("8DDD0010").
    Error {
        /// The number: eight upper-case hexadecimal digits.
        number: Option<String>,
    },
    /// The page for an update that the Catalog does not contain, or no longer contains (`Thanks.aspx?id=190`).
    UpdateUnknown,
    /// The details of an update.
    Details,
    /// A download dialog, possibly empty.
    Dialog,
    /// A page of a proxy or a captive portal, with marks of such pages and without marks of the Catalog.
    ProxyPage {
        /// The title of the page.
        title: Option<String>,
    },
    /// Any other page: another page of the site (such as its home page), or an empty one.
    Unknown,
}

/// Returns the kind of a page. `final_path` is the path (with or without the query) of the URL after redirects, if it
/// is known.
pub fn page_kind(text: &str, final_path: Option<&str>) -> PageKind {
    let document = html::parse("page", text).ok();
    let elements = document.as_ref().map(|document| Elements::of("page", document));
    let redirected = document.as_ref().and_then(form_action);
    let page_path = PagePath::new(final_path.unwrap_or_default());
    let form_path = PagePath::new(redirected.unwrap_or_default());
    if let Some(kind) = redirect_target(elements.as_ref(), &page_path, &form_path) {
        return kind;
    }
    if is_dialog(text) {
        return PageKind::Dialog;
    }
    let Some(elements) = elements else { return PageKind::Unknown };
    let details =
        ["ScopedViewHandler_titleText", "ScopedViewHandler_date", "supersedesInfo", "supersededbyInfo"];
    if details.iter().all(|id| elements.has(id)) {
        return PageKind::Details;
    }
    match (search_kind(&elements), &document) {
        (PageKind::Unknown, Some(document)) if is_proxy_page(document, text) => {
            PageKind::ProxyPage { title: title_of(text) }
        }
        (kind, _) => kind,
    }
}

/// Recognizes the pages to which the site redirects.
fn redirect_target(
    elements: Option<&Elements<'_>>,
    page_path: &PagePath<'_>,
    form_path: &PagePath<'_>,
) -> Option<PageKind> {
    let shown = elements.and_then(|elements| elements.get("errorPageDisplayedError"));
    if shown.is_some() || ["error.aspx", "errorinline.aspx"].iter().any(|page| page_path.is_page(page)) {
        let number = shown.and_then(|shown| error_number(&text_of(shown)));
        let number = number.or_else(|| page_path.error_number()).or_else(|| form_path.error_number());
        return Some(PageKind::Error { number });
    }
    if elements.is_some_and(|elements| elements.has("ctl00_catalogBody_thanksNoUpdate")) {
        return Some(PageKind::UpdateUnknown);
    }
    if page_path.is_page("thanks.aspx") {
        // Other numbers confirm other actions.
        let id = page_path.id.or_else(|| form_path.is_page("thanks.aspx").then_some(form_path.id).flatten());
        return Some(if id.is_none_or(|id| id == "190") {
            PageKind::UpdateUnknown
        } else {
            PageKind::Unknown
        });
    }
    None
}

fn search_kind(elements: &Elements<'_>) -> PageKind {
    let table = elements.get(search_page::TABLE);
    let range = elements.has(search_page::RANGE);
    let nothing = elements.has("ctl00_catalogBody_noResultText");
    let rows = table.is_some_and(|table| {
        let ids = table.descendent_elements().filter_map(|element| element.value().attr("id"));
        ids.filter_map(row_id).count() > 0
    });
    // Rows outside the table of results prove that the site has changed, not that a list has ended.
    let strays = table.is_none() && elements.ids().any(|id| row_id(id).is_some());
    match (table.is_some(), range, nothing) {
        (true, true, false) if rows => PageKind::Rows,
        (false, false, true) => PageKind::NothingFound,
        (false, false, false) if !strays => {
            // The frame of a search page repeats the words in quotes: `"KB5129195"`.
            match elements.get("ctl00_catalogBody_searchString").map(text_of) {
                Some(words) if words.trim_matches(['"', ' ']).is_empty() => PageKind::WithoutQuery,
                Some(_) => PageKind::PastTheEnd,
                None => PageKind::Unknown,
            }
        }
        _ => PageKind::Unknown,
    }
}

/// Returns the target of the page's own form, where the site repeats the page's URL.
fn form_action(document: &Html) -> Option<&str> {
    let elements = document.tree.nodes().filter_map(|node| node.value().as_element());
    elements
        .filter(|element| element.attr("id") == Some("aspnetForm"))
        .find_map(|element| element.attr("action"))
}

/// The last part of a path, and the `id` in its query.
struct PagePath<'a> {
    page: &'a str,
    id: Option<&'a str>,
}

impl<'a> PagePath<'a> {
    fn new(path: &'a str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let page = path.rsplit('/').next().unwrap_or_default();
        let id = query.split('&').find_map(|pair| pair.strip_prefix("id="));
        Self { page, id }
    }

    fn is_page(&self, page: &str) -> bool {
        self.page.eq_ignore_ascii_case(page)
    }

    /// Returns the error number of the URL, which is the signed form of the page's number: -1914896368 is 8DDD0010.
    fn error_number(&self) -> Option<String> {
        let signed = self.id?.parse::<i32>().ok()?;
        Some(format!("{:08X}", signed.cast_unsigned()))
    }
}

/// Returns the number in "[Error number: 8DDD0010]".
fn error_number(text: &str) -> Option<String> {
    let mut words = text.split(|sign: char| !sign.is_ascii_alphanumeric());
    let number = words.find(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some(number.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> PageKind {
        page_kind(text, None)
    }

    /// A search page around these parts.
    fn search(words: &str, heading: &str, table: &str) -> String {
        format!(
            r#"<head><noscript><div id="thanksNoScripting">x</div></noscript></head><body>
            <form action="./Search.aspx?q=x" id="aspnetForm"><input id="ctl00_searchTextBox">
            <div id="contentSection">{heading}<span id="ctl00_catalogBody_searchString">"{words}"</span></div>
            <div id="tableContainer">{table}</div></form>"#
        )
    }

    #[test]
    fn search_pages() {
        let heading = r#"<span id="ctl00_catalogBody_searchDuration">1 - 1 of 1 (page 1 of 1)</span>"#;
        let row = r#"<tr id="6e06682e-94e4-41c6-9446-89fee2744961_R12"><td></td></tr>"#;
        let table = |rows: &str| {
            format!(r#"<table id="ctl00_catalogBody_updateMatches"><tr id="headerRow">{rows}</table>"#)
        };
        let nothing = r#"<span id="ctl00_catalogBody_noResultText">We did not find any results for </span>"#;
        assert_eq!(kind(&search("x", heading, &table(row))), PageKind::Rows);
        assert_eq!(kind(&search("x", nothing, "")), PageKind::NothingFound);
        assert_eq!(kind(&search("x", "", "")), PageKind::PastTheEnd);
        assert_eq!(kind(&search("", "", "")), PageKind::WithoutQuery);
        assert_eq!(kind(&search("x", heading, &table(""))), PageKind::Unknown, "a table without rows");
        assert_eq!(kind(&search("x", "", &table(row))), PageKind::Unknown, "rows without a range");
        assert_eq!(kind(&search("x", nothing, &table(row))), PageKind::Unknown, "a contradiction");
        let renamed = table(row).replace("updateMatches", "matches");
        assert_eq!(kind(&search("x", "", &renamed)), PageKind::Unknown, "rows in another table");
    }

    #[test]
    fn error_pages_are_recognized_by_element_or_url() {
        let page = r#"<form action="./Error.aspx?id=-1914896368" id="aspnetForm"><div id="errorPageDisplayedError">
            [<span>Error number: </span>8ddd0010]</div></form>"#;
        let error = |number: &str| PageKind::Error { number: Some(number.to_owned()) };
        assert_eq!(kind(page), error("8DDD0010"));
        assert_eq!(page_kind("", Some("/Error.aspx")), PageKind::Error { number: None });
        assert_eq!(page_kind("", Some("/ErrorInline.aspx?id=-1914896348")), error("8DDD0024"));
        assert_eq!(page_kind(&page.replace("8ddd0010", "?"), Some("/v7/site/error.aspx")), error("8DDD0010"));
    }

    #[test]
    fn only_the_thanks_page_for_updates_means_unknown() {
        let thanks = r#"<body class="mainBody thanks"><form action="./Thanks.aspx?id=190" id="aspnetForm">
            <div id="ctl00_catalogBody_thanksNoUpdate">x</div></form>"#;
        assert_eq!(kind(thanks), PageKind::UpdateUnknown);
        assert_eq!(page_kind("", Some("/Thanks.aspx")), PageKind::UpdateUnknown);
        assert_eq!(page_kind("", Some("/Thanks.aspx?id=190")), PageKind::UpdateUnknown);
        assert_eq!(page_kind("", Some("/Thanks.aspx?id=110")), PageKind::Unknown);
        let other = r#"<form action="./Thanks.aspx?id=110" id="aspnetForm"></form>"#;
        assert_eq!(page_kind(other, Some("/Thanks.aspx")), PageKind::Unknown);
        assert_eq!(kind(r#"<noscript><div id="thanksNoScripting"></div></noscript>"#), PageKind::Unknown);
    }

    #[test]
    fn details_and_dialogs() {
        let details = r#"<span id="ScopedViewHandler_titleText">x</span><span id="ScopedViewHandler_date">9/9/2026</span>
            <div id="supersededbyInfo">n/a</div><div id="supersedesInfo">n/a</div>"#;
        assert_eq!(kind(details), PageKind::Details);
        assert_eq!(page_kind(details, Some("/ScopedViewInline.aspx")), PageKind::Details);
        assert_eq!(kind("<script>\n var downloadInformation = new Array();\n</script>"), PageKind::Dialog);
        assert_eq!(kind("downloadInformation[0] = new Object();"), PageKind::Dialog);
    }

    #[test]
    fn a_page_without_marks_is_unknown() {
        let deep = "<div>".repeat(300);
        for text in [
            "",
            "\u{feff}",
            "<html><h1>502 Bad Gateway</h1>",
            "<form id=login><div id=tableContainer>",
            &deep,
        ] {
            assert_eq!(kind(text), PageKind::Unknown, "{text}");
        }
        let home =
            r#"<div id="mainBoxHome"><input id="searchTextBox"><div id="welcomeTextDiv">Welcome</div></div>"#;
        assert_eq!(page_kind(home, Some("/Home.aspx")), PageKind::Unknown);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_accepted_without_a_panic(text in proptest::prelude::any::<String>(), path in "\\PC{0,40}") {
            let _kind = page_kind(&text, Some(&path));
        }
    }
}
