//! `Search.aspx` with rows: 25 updates per page, and the link to the next page.
//!
//! A page is accepted completely or not at all. The site was observed to send pages with a missing part, and a row that
//! is lost silently would be an update that is never mirrored. The rows are therefore counted against the page's own
//! `A - B of N`, each cell must belong to its row, and the size text must agree with the number of bytes.

use jiff::civil::Date;
use scraper::ElementRef;

use super::fault::PageFault;
use super::html::{self, Elements, stated, text_of};
use crate::update::{UpdateId, parse_catalog_date, parse_size_text};

const PAGE: &str = "search page";
/// The id of the table of results, which exists only on pages with rows.
pub(super) const TABLE: &str = "ctl00_catalogBody_updateMatches";
/// The id of "1 - 25 of 76 (page 1 of 4)", which exists only on pages with rows.
pub(super) const RANGE: &str = "ctl00_catalogBody_searchDuration";

/// A page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The rows in the page's order.
    pub rows: Vec<SearchRow>,
    /// The number of the first row among all results, from 1.
    pub first: u32,
    /// The number of the last row.
    pub last: u32,
    /// The number of results; never more than 1000, even if the Catalog has more.
    pub total: u32,
    /// The number of this page, from 1. (The parameter `p` of the URL counts from 0.)
    pub page: u32,
    /// The number of pages.
    pub pages: u32,
    /// `true` if the page has a link to the next page.
    pub has_next: bool,
    /// `true` if the page states that there were more than 1000 results and that the rest is cut off.
    pub capped: bool,
}

/// An update as a search page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRow {
    /// The id of the update.
    pub update_id: UpdateId,
    /// The title, without the surrounding layout; inner blanks are the site's own.
    pub title: String,
    /// The products in one text. They are separated by commas, but names have commas too, so it is not split.
    pub products: String,
    /// The classification: "Security Updates", "Updates", "Drivers (Networking)", …
    pub classification: String,
    /// The date of this entry. One KB has several, even for equal files.
    pub last_updated: Date,
    /// The version of a driver.
    pub version: Option<String>,
    /// The sum of the sizes of all files, in bytes.
    pub size: u64,
    /// The size as people see it: "4933.5 MB".
    pub size_text: String,
}

/// Parses a search page with rows ([`super::PageKind::Rows`]).
pub fn parse_search_page(text: &str) -> Result<SearchPage, PageFault> {
    let document = html::parse(PAGE, text)?;
    let elements = Elements::of(PAGE, &document);
    let range = ResultRange::read(&elements)?;
    let table = elements.require(TABLE, "the table of results")?;
    let mut rows: Vec<SearchRow> = Vec::new();
    for element in table.descendent_elements().filter(|element| element.value().name() == "tr") {
        // A row without an id does not belong to an update. The number of rows proves that no update is lost in this
        // way.
        let Some(id) = element.value().attr("id").filter(|id| *id != "headerRow") else { continue };
        let id = row_id(id)
            .ok_or_else(|| PageFault::new(PAGE, "a row of the table", "an id such as <update id>_R0", id))?;
        let row = read_row(element, &id)?;
        if rows.iter().any(|other| other.update_id == row.update_id) {
            return Err(PageFault::new(
                PAGE,
                id.text,
                "an update without an earlier row",
                "a second row of the same update",
            ));
        }
        rows.push(row);
    }
    let expected = u64::from(range.last - range.first) + 1;
    if rows.len() as u64 != expected {
        let found = format!("{} rows", rows.len());
        return Err(PageFault::new(PAGE, TABLE, format!("{expected} rows ({})", range.text), &found));
    }
    let next = ["ctl00_catalogBody_nextPageLink", "ctl00_catalogBody_nextPageLinkText"];
    let more = ["ctl00_catalogBody_moreResults", "ctl00_catalogBody_textMoreResults"];
    Ok(SearchPage {
        rows,
        first: range.first,
        last: range.last,
        total: range.total,
        page: range.page,
        pages: range.pages,
        has_next: next.iter().any(|id| elements.has(id)),
        capped: more.iter().any(|id| elements.has(id)),
    })
}

/// The parts of `<update id>_R<n>`.
pub(super) struct RowId<'a> {
    text: &'a str,
    update_id: UpdateId,
    /// The GUID as the page spells it.
    guid: &'a str,
    /// The number of the row on the page, of one or more digits.
    number: &'a str,
}

/// Parses the id of a row of results.
pub(super) fn row_id(text: &str) -> Option<RowId<'_>> {
    /// The length of a GUID.
    const LENGTH: usize = 36;
    let (guid, number) = text.split_at_checked(LENGTH)?;
    let number = number.strip_prefix("_R")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let update_id = guid.parse().ok().filter(|_| is_number)?;
    Some(RowId { text, update_id, guid, number })
}

fn read_row(row: ElementRef<'_>, id: &RowId<'_>) -> Result<SearchRow, PageFault> {
    let cells = RowCells::of(row, id)?;
    let title = cells.inner(1, "link", "the link with the title")?;
    let last_updated = cells.text(4)?;
    let size_text = cells.inner(6, "size", "the size as text")?;
    let original_size = cells.inner(6, "originalSize", "the size in bytes")?;
    let mark = |suffix: &str| format!("{}_{suffix}", id.guid);
    html::check_title(PAGE, &mark("link"), &title)?;
    let size = original_size
        .parse()
        .ok()
        .filter(|_| original_size.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| PageFault::new(PAGE, mark("originalSize"), "a number of bytes", &original_size))?;
    let agree = size_agrees(&size_text, size)
        .ok_or_else(|| PageFault::new(PAGE, mark("size"), "a size such as 349.7 MB", &size_text))?;
    if !agree {
        return Err(PageFault::new(PAGE, mark("size"), format!("the size of {size} bytes"), &size_text));
    }
    Ok(SearchRow {
        update_id: id.update_id,
        title,
        products: cells.text(2)?,
        classification: cells.text(3)?,
        last_updated: parse_catalog_date(&last_updated)
            .map_err(|error| PageFault::new(PAGE, cells.id(4), error.expected, &last_updated))?,
        version: stated(cells.text(5)?),
        size,
        size_text,
    })
}

/// The cells of one row.
struct RowCells<'a> {
    row: &'a RowId<'a>,
    cells: Vec<ElementRef<'a>>,
}

impl<'a> RowCells<'a> {
    /// Returns the cells of a row, all of which must belong to it.
    fn of(element: ElementRef<'a>, row: &'a RowId<'a>) -> Result<Self, PageFault> {
        let cells: Vec<_> = element.child_elements().filter(|cell| cell.value().name() == "td").collect();
        for id in cells.iter().filter_map(|cell| cell.value().attr("id")) {
            let own = id.strip_prefix(row.guid).and_then(|rest| rest.strip_prefix("_C"));
            if own.and_then(|rest| rest.rsplit_once("_R")).is_none_or(|(_, number)| number != row.number) {
                return Err(PageFault::new(PAGE, row.text, "cells of this row only", id));
            }
        }
        Ok(Self { row, cells })
    }

    fn id(&self, column: usize) -> String {
        format!("{}_C{column}_R{}", self.row.guid, self.row.number)
    }

    fn cell(&self, column: usize) -> Result<ElementRef<'a>, PageFault> {
        let id = self.id(column);
        let cell = self.cells.iter().find(|cell| cell.value().attr("id") == Some(&id));
        cell.copied().ok_or_else(|| PageFault::missing(PAGE, id, "a cell"))
    }

    fn text(&self, column: usize) -> Result<String, PageFault> {
        self.cell(column).map(text_of)
    }

    /// Returns the text of the element `<update id>_<suffix>` inside a cell.
    fn inner(&self, column: usize, suffix: &str, what: &str) -> Result<String, PageFault> {
        let id = format!("{}_{suffix}", self.row.guid);
        let mut inside = self.cell(column)?.descendent_elements();
        let element = inside.find(|element| element.value().attr("id") == Some(&id));
        element.map(text_of).ok_or_else(|| PageFault::missing(PAGE, id, what))
    }
}

/// Returns `true` if a size text can be a rounded form of this number of bytes: at most one step of its last digit
/// away. The site rounds MB to one decimal and truncates KB, so half a step would refuse real rows.
fn size_agrees(text: &str, size: u64) -> Option<bool> {
    let shown = parse_size_text(text).ok()?;
    let (number, unit) = text.trim().rsplit_once(' ')?;
    let unit = parse_size_text(&format!("1 {unit}")).ok()?;
    let step = if number.contains('.') { unit.div_ceil(10) } else { unit };
    Some(shown.abs_diff(size) <= step)
}

/// The text "1 - 25 of 76 (page 1 of 4)", parsed.
struct ResultRange {
    text: String,
    first: u32,
    last: u32,
    total: u32,
    page: u32,
    pages: u32,
}

impl ResultRange {
    fn read(elements: &Elements<'_>) -> Result<Self, PageFault> {
        let text = text_of(elements.require(RANGE, "the range of the rows")?);
        let fault = || PageFault::new(PAGE, RANGE, "a range such as 1 - 25 of 76 (page 1 of 4)", &text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let [first, "-", last, "of", total, "(page", page, "of", pages] = words[..] else {
            return Err(fault());
        };
        let pages = pages.strip_suffix(')').ok_or_else(fault)?;
        let numbers = [first, last, total, page, pages].map(number);
        let [Some(first), Some(last), Some(total), Some(page), Some(pages)] = numbers else {
            return Err(fault());
        };
        if first == 0 || first > last || last > total || page == 0 || page > pages {
            return Err(fault());
        }
        Ok(Self { text, first, last, total, page, pages })
    }
}

/// Parses a number of digits, with or without commas between thousands.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    text.replace(',', "").parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "6e06682e-94e4-41c6-9446-89fee2744961";
    const TWO: &str = "be656f78-0714-440c-a0be-b27b4f9e5d71";

    /// Returns a row as the site sends it: quotes of both kinds, a bare `&`, CRLF.
    fn row(id: &str, number: usize, size_text: &str, size: u64) -> String {
        format!(
            "<tr id=\"{id}_R{number}\" style=\"border-width:0px;\">\r\n\t\t<td class='x ' id=\"{id}_C0_R{number}\">\r\n</td>\
             <td id=\"{id}_C1_R{number}\">\r\n  <a id='{id}_link' href= \"javascript:void(0);\" onclick='goToDetails(\"{id}\");'>\r\n\
             \t  RSAT  for x64 &reg; (KB5086672) \r\n  </a>\r\n</td><td id=\"{id}_C2_R{number}\">\r\n\
             Windows 11 Client,  version 24H2 and later,  Upgrade & Servicing Drivers,\r\n   Office&#39;s &amp; more\r\n</td>\
             <td id=\"{id}_C3_R{number}\"> Drivers (Networking) </td><td id=\"{id}_C4_R{number}\">\r\n9/4/2026 </td>\
             <td id=\"{id}_C5_R{number}\">\r\n n/a </td><td id=\"{id}_C6_R{number}\"><span id=\"{id}_size\">{size_text}</span>\
             <span class=\"noDisplay\" id=\"{id}_originalSize\">{size}</span></td>\
             <td id=\"{id}_C7_R{number}\"><input id=\"{id}\" type=\"button\" value='Download' /></td></tr>"
        )
    }

    fn page(range: &str, rows: &str) -> String {
        format!(
            "<span id='ctl00_catalogBody_searchDuration'>{range}</span><span id='ctl00_catalogBody_nextPage'>Next</span>\
             <div id=tableContainer><table bordercolor=\"Gray\" id=\"ctl00_catalogBody_updateMatches\">\
             <tr id='headerRow'><th>Title</th></tr>{rows}</table></div>"
        )
    }

    fn two_rows() -> String {
        let rows = row(ONE, 9, "4933.5 MB", 5_173_184_334) + &row(TWO, 10, "353 KB", 361_564);
        page("1,026 - 1,027 of 1,027 (page 42 of 42)", &rows)
    }

    #[test]
    fn all_fields_of_a_row_are_read() {
        let page = parse_search_page(&two_rows()).unwrap();
        assert_eq!((page.first, page.last, page.total, page.page, page.pages), (1026, 1027, 1027, 42, 42));
        assert!(!page.has_next && !page.capped);
        let expected = SearchRow {
            update_id: ONE.parse().unwrap(),
            title: "RSAT  for x64 ® (KB5086672)".to_owned(),
            products:
                "Windows 11 Client,  version 24H2 and later,  Upgrade & Servicing Drivers, Office's & more"
                    .to_owned(),
            classification: "Drivers (Networking)".to_owned(),
            last_updated: jiff::civil::date(2026, 9, 4),
            version: None,
            size: 5_173_184_334,
            size_text: "4933.5 MB".to_owned(),
        };
        assert_eq!(page.rows[0], expected);
        assert_eq!((page.rows[1].update_id.to_string().as_str(), page.rows[1].size), (TWO, 361_564));
    }

    #[test]
    fn both_dialects_and_a_saved_page_give_the_same_rows() {
        let wire = two_rows();
        let unknown_agent = wire.replace(" style=\"border-width:0px;\"", "");
        let saved = wire
            .replace("<tr id='headerRow'>", "<tbody><tr id=\"headerRow\">")
            .replace("'Download' />", "\"Download\">");
        assert_ne!(wire, unknown_agent);
        assert_eq!(parse_search_page(&wire), parse_search_page(&unknown_agent));
        assert_eq!(parse_search_page(&wire), parse_search_page(&saved));
    }

    #[test]
    fn links_and_notices_are_recognized() {
        let more =
            "<div id='ctl00_catalogBody_moreResults'></div><a id='ctl00_catalogBody_nextPageLinkText'></a>";
        let page = parse_search_page(&(two_rows() + more)).unwrap();
        assert!(page.has_next && page.capped);
        let driver = two_rows().replacen(" n/a ", "10.68.815.2023", 1);
        assert_eq!(parse_search_page(&driver).unwrap().rows[0].version.as_deref(), Some("10.68.815.2023"));
    }

    #[test]
    fn an_incomplete_page_is_a_fault_that_names_the_mark() {
        let fault = |from: &str, to: &str| {
            let text = two_rows();
            assert!(text.contains(from), "{from}");
            parse_search_page(&text.replacen(from, to, 1)).unwrap_err()
        };
        let cell = format!("{ONE}_C4_R9");
        assert_eq!(fault(&format!("id=\"{cell}\""), "").mark, cell);
        assert_eq!(fault(&format!("{ONE}_originalSize"), "x").mark, format!("{ONE}_originalSize"));
        assert_eq!(fault(&format!("{ONE}_C3_R9"), &format!("{TWO}_C3_R9")).mark, format!("{ONE}_R9"));
        assert_eq!(fault(&format!("{ONE}_R9"), "6e06682e_R9").mark, "a row of the table");
        assert_eq!(fault("9/4/2026", "29/4/2026").mark, cell);
        assert_eq!(fault("RSAT", &"x".repeat(1_000_000)).mark, format!("{ONE}_link"));
        assert_eq!(fault("4933.5 MB", "4.8 GB?").mark, format!("{ONE}_size"));
        assert_eq!(fault("5173184334", "-1").mark, format!("{ONE}_originalSize"));
        assert_eq!(fault("5173184334", "18446744073709551616").mark, format!("{ONE}_originalSize"));
        assert_eq!(fault("page 42 of 42", "page 43 of 42").mark, RANGE);
        assert_eq!(fault(RANGE, "x").found, "nothing");
        assert_eq!(fault(TABLE, "x").mark, TABLE);
        let count = fault("1,027 of 1,027", "1,028 of 1,028");
        assert_eq!((count.expected.contains("3 rows"), count.found.as_str()), (true, "2 rows"));
    }

    #[test]
    fn a_second_row_of_an_update_is_refused() {
        let rows = row(ONE, 0, "1.0 MB", 1_048_576) + &row(ONE, 1, "1.0 MB", 1_048_576);
        let fault = parse_search_page(&page("1 - 2 of 2 (page 1 of 1)", &rows)).unwrap_err();
        assert_eq!(fault.mark, format!("{ONE}_R1"));
    }

    #[test]
    fn the_size_text_must_agree_with_the_bytes() {
        for (text, size) in [
            ("4933.5 MB", 5_173_184_334),
            ("349.7 MB", 366_675_397),
            ("440 KB", 451_112),
            ("0 KB", 512),
            ("1.9 MB", 2_023_202),
        ] {
            assert_eq!(size_agrees(text, size), Some(true), "{text}");
        }
        for (text, size) in
            [("4933.5 MB", 878_217_038), ("349.7 MB", 366_900_000), ("440 KB", 452_000), ("1.0 GB", 1)]
        {
            assert_eq!(size_agrees(text, size), Some(false), "{text}");
        }
        assert_eq!(size_agrees("n/a", 1), None);
    }

    proptest! {
        #[test]
        fn any_page_is_accepted_without_a_panic(text in any::<String>(), at in any::<prop::sample::Index>(), length in 0..40_usize, patch in "\\PC{0,8}") {
            let _result = parse_search_page(&text);
            let mut page: Vec<char> = two_rows().chars().collect();
            let from = at.index(page.len());
            let to = page.len().min(from + length);
            page.splice(from..to, patch.chars());
            let page: String = page.into_iter().collect();
            if let Ok(page) = parse_search_page(&page) {
                prop_assert_eq!(page.rows.len(), 2, "a row was lost silently");
            }
        }
    }
}
