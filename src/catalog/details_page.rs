//! `ScopedViewInline.aspx`: the Catalog's details of one update, with the updates that replace it or that it replaces.
//!
//! The title, the date, and the two lists of related updates are required. Other parts may be missing, which is
//! treated like the site's "n/a". The two lists differ: the updates that replace this update have ids, and the updates
//! that it replaces are titles only. Both lists shrink when Microsoft removes updates.

use jiff::civil::Date;
use scraper::ElementRef;

use super::fault::PageFault;
use super::html::{self, Elements, stated, text_of};
use crate::update::{Kb, UpdateId, parse_catalog_date};

const PAGE: &str = "details page";

/// The contents of the details page of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailsPage {
    /// The title, as in the search row.
    pub title: String,
    /// The id of the update; pages before September 2023 do not have it.
    pub update_id: Option<UpdateId>,
    /// The date, which is not always that of the search row.
    pub last_modified: Date,
    /// The size, such as "401.5 MB"; empty if the page has none. The page does not state the size in bytes.
    pub size_text: String,
    /// The purpose of the update, in a sentence or two.
    pub description: Option<String>,
    /// The architecture, which is rarely stated: for cumulative updates only the title contains it.
    pub architecture: Option<String>,
    /// The classification: "Security Updates", "Updates", …
    pub classification: Option<String>,
    /// The products in one text. It is not split, because names contain commas.
    pub products: String,
    /// The languages: "all", or names of languages separated by commas.
    pub languages: Option<String>,
    /// The number of a security bulletin, for old updates only.
    pub msrc_number: Option<String>,
    /// The severity: "Critical", "Important", …
    pub msrc_severity: Option<String>,
    /// The article numbers; values that are not KB numbers are omitted.
    pub kbs: Vec<Kb>,
    /// The updates that replace this one, with their titles: all later ones, not only the next.
    pub superseded_by: Vec<(UpdateId, String)>,
    /// The titles of the updates that this one replaces.
    pub supersedes: Vec<String>,
    /// The restart behavior: "Can request restart", "Never restarts", …
    pub restart_behavior: Option<String>,
    /// "Yes" or "No": whether the update may request user input.
    pub user_input: Option<String>,
    /// The statement whether the update must be installed exclusively; often empty.
    pub exclusive: Option<String>,
    /// "Yes" or "No": whether the update requires network connectivity.
    pub network: Option<String>,
    /// The URLs with more information.
    pub more_information: Vec<String>,
    /// The URL of the support article.
    pub support_url: Option<String>,
    /// The instructions for removal.
    pub uninstall_notes: Option<String>,
}

/// Parses a details page ([`super::PageKind::Details`]).
pub fn parse_details_page(text: &str) -> Result<DetailsPage, PageFault> {
    let document = html::parse(PAGE, text)?;
    let elements = Elements::of(PAGE, &document);
    let title = text_of(elements.require("ScopedViewHandler_titleText", "the title")?);
    html::check_title(PAGE, "ScopedViewHandler_titleText", &title)?;
    let update_id = match elements.get("ScopedViewHandler_UpdateID").map(text_of) {
        Some(text) => Some(
            text.parse()
                .map_err(|_| PageFault::new(PAGE, "ScopedViewHandler_UpdateID", "an update id", &text))?,
        ),
        None => None,
    };
    let date = text_of(elements.require("ScopedViewHandler_date", "the date of the last change")?);
    let last_modified = parse_catalog_date(&date)
        .map_err(|error| PageFault::new(PAGE, "ScopedViewHandler_date", error.expected, &date))?;
    let kbs = elements.text_after_label("kbDiv").unwrap_or_default();
    Ok(DetailsPage {
        title,
        update_id,
        last_modified,
        size_text: elements.text("ScopedViewHandler_size").unwrap_or_default(),
        description: elements.text("ScopedViewHandler_desc"),
        architecture: elements.text_after_label("archDiv"),
        classification: elements.text_after_label("classificationDiv"),
        products: elements.text_after_label("productsDiv").unwrap_or_default(),
        languages: elements.text_after_label("languagesDiv"),
        // The site uses this misspelling.
        msrc_number: elements.text_after_label("securityBullitenDiv"),
        msrc_severity: elements.text("ScopedViewHandler_msrcSeverity"),
        kbs: kbs.split([',', ' ']).filter_map(|number| number.parse().ok()).collect(),
        superseded_by: superseded_by(&elements)?,
        supersedes: supersedes(&elements)?,
        restart_behavior: elements.text("ScopedViewHandler_rebootBehavior"),
        user_input: elements.text("ScopedViewHandler_userInput"),
        exclusive: elements.text("ScopedViewHandler_installationImpact"),
        network: elements.text("ScopedViewHandler_connectivity"),
        more_information: urls_of(&elements, "moreInfoDiv"),
        support_url: urls_of(&elements, "suportUrlDiv").into_iter().next(),
        uninstall_notes: elements.text_after_label("uninstallNotesDiv"),
    })
}

/// Reads the updates that replace this one: one div per update, with a link to its details.
fn superseded_by(elements: &Elements<'_>) -> Result<Vec<(UpdateId, String)>, PageFault> {
    const MARK: &str = "supersededbyInfo";
    const EXPECTED: &str = "a link to the details of an update";
    let list = elements.require(MARK, "the list of updates that replace this one")?;
    let mut updates = Vec::new();
    for item in items(list, MARK)? {
        let link = item.descendent_elements().find(|element| element.value().name() == "a");
        let link = link.ok_or_else(|| PageFault::new(PAGE, MARK, EXPECTED, &text_of(item)))?;
        let href = link.value().attr("href").unwrap_or_default();
        let id = update_id_of(href).ok_or_else(|| PageFault::new(PAGE, MARK, EXPECTED, href))?;
        let title = text_of(link);
        html::check_title_length(PAGE, MARK, &title)?;
        updates.push((id, title));
    }
    Ok(updates)
}

/// Reads the updates that this one replaces: one div per update, with a title but without an id.
fn supersedes(elements: &Elements<'_>) -> Result<Vec<String>, PageFault> {
    const MARK: &str = "supersedesInfo";
    let list = elements.require(MARK, "the list of updates that this one replaces")?;
    let titles: Vec<String> = items(list, MARK)?.into_iter().map(text_of).filter_map(stated).collect();
    titles.iter().try_for_each(|title| html::check_title_length(PAGE, MARK, title))?;
    Ok(titles)
}

/// Returns the items of a list of updates. A list without items contains "n/a"; any other content must be items.
fn items<'a>(list: ElementRef<'a>, mark: &'static str) -> Result<Vec<ElementRef<'a>>, PageFault> {
    let items: Vec<_> = list.child_elements().filter(|child| child.value().name() == "div").collect();
    match stated(text_of(list)) {
        Some(text) if items.is_empty() => Err(PageFault::new(PAGE, mark, "updates or n/a", &text)),
        _ => Ok(items),
    }
}

/// Returns the id in `ScopedViewInline.aspx?updateid=<id>`.
fn update_id_of(href: &str) -> Option<UpdateId> {
    let (_, query) = href.trim().split_once('?')?;
    let (_, id) = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("updateid"))?;
    id.parse().ok()
}

/// Returns the links of a label div, or its plain text if it has no links.
fn urls_of(elements: &Elements<'_>, id: &str) -> Vec<String> {
    let Some(element) = elements.get(id) else { return Vec::new() };
    let links = element.descendent_elements().filter_map(|element| element.value().attr("href"));
    let links: Vec<String> = links.filter_map(|link| stated(link.trim().to_owned())).collect();
    if links.is_empty() { elements.text_after_label(id).into_iter().collect() } else { links }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0b97c243-5833-4bf3-bcf8-77063e53c42a";

    fn label_div(id: &str, content: &str) -> String {
        format!(
            "<div id=\"{id}\">\r\n  <span id=\"ScopedViewHandler_label\" class=\"labelTitle\">Label:</span>\r\n {content}\r\n</div>"
        )
    }

    fn page() -> String {
        let span = |id: &str, text: &str| format!("<span id=\"ScopedViewHandler_{id}\">{text}</span>\r\n");
        [
            span("titleText", "Update for Office&#39;s  x64 &amp; (KB4461444) "),
            span("date", "5/24/2023"),
            span("size", "400.5 MB"),
            span("UpdateID", "BE656F78-0714-440C-A0BE-B27B4F9E5D71"),
            span("desc", "Two lines\r\n   of text."),
            label_div("archDiv", "n/a"),
            label_div("classificationDiv", "Security Updates"),
            label_div("productsDiv", "Windows 10,  version 1903 and later\r\n  ,\r\n  Upgrade & Servicing Drivers"),
            label_div("languagesDiv", "Arabic\r\n  ,\r\n  Chinese (Simplified)"),
            label_div("securityBullitenDiv", "MS16-001"),
            span("msrcSeverity", "Important"),
            label_div("kbDiv", "4461444\r\n ,\r\n 890830, 12"),
            label_div("moreInfoDiv", "<div>\r\n<a href = \"https://a.example/1\">x</a></div><div><a href='https://a.example/2'>y</a></div>"),
            label_div("suportUrlDiv", "<div>https://a.example/3</div>"),
            format!(
                "<div id=\"supersededbyInfo\">\r\n<div style=\"padding-bottom: 0.3em;\">\r\n\
                 <a href='ScopedViewInline.aspx?updateid={ID}'>Later (KB5026372)</a>\r\n</div></div>"
            ),
            "<div id=\"supersedesInfo\">\r\n<div>\r\n Earlier (KB5022913) UUP\r\n</div><div>Another</div></div>".to_owned(),
            span("rebootBehavior", "Never restarts"),
            span("userInput", "No"),
            span("installationImpact", ""),
            span("connectivity", "Yes"),
            label_div("uninstallNotesDiv", "<div>\r\n Remove it.\r\n</div>"),
        ]
        .concat()
    }

    #[test]
    fn all_fields_are_read() {
        let text = |text: &str| Some(text.to_owned());
        let expected = DetailsPage {
            title: "Update for Office's  x64 & (KB4461444)".to_owned(),
            update_id: Some("be656f78-0714-440c-a0be-b27b4f9e5d71".parse().unwrap()),
            last_modified: jiff::civil::date(2023, 5, 24),
            size_text: "400.5 MB".to_owned(),
            description: text("Two lines of text."),
            architecture: None,
            classification: text("Security Updates"),
            products: "Windows 10,  version 1903 and later, Upgrade & Servicing Drivers".to_owned(),
            languages: text("Arabic, Chinese (Simplified)"),
            msrc_number: text("MS16-001"),
            msrc_severity: text("Important"),
            kbs: vec!["KB4461444".parse().unwrap(), "KB890830".parse().unwrap()],
            superseded_by: vec![(ID.parse().unwrap(), "Later (KB5026372)".to_owned())],
            supersedes: vec!["Earlier (KB5022913) UUP".to_owned(), "Another".to_owned()],
            restart_behavior: text("Never restarts"),
            user_input: text("No"),
            exclusive: None,
            network: text("Yes"),
            more_information: vec!["https://a.example/1".to_owned(), "https://a.example/2".to_owned()],
            support_url: text("https://a.example/3"),
            uninstall_notes: text("Remove it."),
        };
        assert_eq!(parse_details_page(&page()).unwrap(), expected);
    }

    #[test]
    fn only_title_date_and_the_two_lists_are_required() {
        let required = "<b id=ScopedViewHandler_titleText>x</b><b id=ScopedViewHandler_date>1/2/2023</b>\
                        <b id=supersededbyInfo>n/a</b><b id=supersedesInfo> N/A </b>";
        let page = parse_details_page(required).unwrap();
        assert_eq!((page.update_id, page.superseded_by.len(), page.supersedes.len()), (None, 0, 0));
        for mark in
            ["ScopedViewHandler_titleText", "ScopedViewHandler_date", "supersededbyInfo", "supersedesInfo"]
        {
            assert_eq!(parse_details_page(&required.replace(mark, "x")).unwrap_err().mark, mark);
        }
    }

    #[test]
    fn unexpected_contents_are_faults() {
        let mark = |from: &str, to: &str| {
            assert!(page().contains(from), "{from}");
            parse_details_page(&page().replace(from, to)).unwrap_err().mark
        };
        assert_eq!(mark(ID, "0b97c243"), "supersededbyInfo");
        assert_eq!(mark("updateid=", "id="), "supersededbyInfo");
        assert_eq!(mark("5/24/2023", "24.5.2023"), "ScopedViewHandler_date");
        assert_eq!(mark("BE656F78", "xE656F78"), "ScopedViewHandler_UpdateID");
        let long = "x".repeat(1_000_000);
        assert_eq!(mark("Update for", &long), "ScopedViewHandler_titleText");
        assert_eq!(mark("Later", &long), "supersededbyInfo");
        assert_eq!(mark("Another", &long), "supersedesInfo");
        let changed =
            page().replace("<div>\r\n Earlier (KB5022913) UUP\r\n</div><div>Another</div>", "Earlier");
        assert_eq!(parse_details_page(&changed).unwrap_err().mark, "supersedesInfo");
    }

    proptest! {
        #[test]
        fn any_page_is_accepted_without_a_panic(text in any::<String>(), at in any::<prop::sample::Index>(), length in 0..40_usize, patch in "\\PC{0,8}") {
            let _result = parse_details_page(&text);
            let mut page: Vec<char> = page().chars().collect();
            let from = at.index(page.len());
            let to = page.len().min(from + length);
            page.splice(from..to, patch.chars());
            let _result = parse_details_page(&page.into_iter().collect::<String>());
        }
    }
}
