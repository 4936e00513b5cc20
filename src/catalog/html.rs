//! The elements of a page, from its text: limits first, then the tree, then elements by their ids.
//!
//! Ids are compared as attributes. Many begin with the digits of a GUID, which a CSS selector cannot express.

use std::collections::HashMap;

use scraper::{ElementRef, Html};

use super::bounded_tree;
use super::fault::PageFault;

/// The largest page that is parsed, in bytes. Search pages of 25 rows have about 120 KiB.
pub const PAGE_CAP: u64 = 2 * 1024 * 1024;

/// Builds the tree of a page, or refuses a page that is too large, too deep, or has too many elements.
pub(crate) fn parse(page: &'static str, text: &str) -> Result<Html, PageFault> {
    check_size(page, text)?;
    bounded_tree::build(text)
        .map_err(|excess| PageFault::new(page, excess.mark, excess.expected, &excess.found))
}

/// Refuses a text over [`PAGE_CAP`].
pub(super) fn check_size(page: &'static str, text: &str) -> Result<(), PageFault> {
    let size = text.len() as u64;
    if size > PAGE_CAP {
        let expected = format!("at most {PAGE_CAP} bytes");
        return Err(PageFault::new(page, "size", expected, &format!("{size} bytes")));
    }
    Ok(())
}

/// The most characters of a title. The longest of some 420 known real ones has 158.
const TITLE_CAP: usize = 1_000;

/// Refuses an empty or overlong title.
pub(super) fn check_title(page: &'static str, mark: &str, title: &str) -> Result<(), PageFault> {
    if title.is_empty() {
        return Err(PageFault::missing(page, mark, "a title"));
    }
    check_title_length(page, mark, title)
}

/// Refuses an overlong title.
pub(super) fn check_title_length(page: &'static str, mark: &str, title: &str) -> Result<(), PageFault> {
    if title.chars().nth(TITLE_CAP).is_some() {
        let expected = format!("a title of at most {TITLE_CAP} characters");
        return Err(PageFault::new(page, mark, expected, title));
    }
    Ok(())
}

/// The elements of a page by id. If an id occurs twice, the first element counts.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    page: &'static str,
    by_id: HashMap<&'a str, ElementRef<'a>>,
}

impl<'a> Elements<'a> {
    /// Collects the elements of a tree.
    pub(super) fn of(page: &'static str, html: &'a Html) -> Self {
        let mut by_id = HashMap::new();
        for element in html.tree.nodes().filter_map(ElementRef::wrap) {
            if let Some(id) = element.value().attr("id") {
                by_id.entry(id).or_insert(element);
            }
        }
        Self { page, by_id }
    }

    /// Returns the element with this id.
    pub(super) fn get(&self, id: &str) -> Option<ElementRef<'a>> {
        self.by_id.get(id).copied()
    }

    /// Returns all ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.by_id.keys().copied()
    }

    /// Returns `true` if an element with this id exists.
    pub(super) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Returns the element with this id, or the fault that it is missing.
    pub(super) fn require(&self, id: &str, what: &str) -> Result<ElementRef<'a>, PageFault> {
        self.get(id).ok_or_else(|| PageFault::missing(self.page, id, what))
    }

    /// Returns the text of the element with this id, or `None` if it is missing, empty, or "n/a".
    pub(super) fn text(&self, id: &str) -> Option<String> {
        self.get(id).map(text_of).and_then(stated)
    }

    /// Returns the text after the label at the start of the element with this id.
    pub(super) fn text_after_label(&self, id: &str) -> Option<String> {
        self.get(id).map(text_after_label).and_then(stated)
    }
}

/// Returns the text of an element, with its layout folded by [`fold_lines`].
pub(super) fn text_of(element: ElementRef<'_>) -> String {
    fold_lines(&element.text().collect::<String>())
}

/// Returns the text of a "label div": `<div><span>Label:</span> text</div>`.
fn text_after_label(element: ElementRef<'_>) -> String {
    let label = element.child_elements().next().filter(|first| first.value().name() == "span");
    let mut text = String::new();
    for child in element.children() {
        if label.is_some_and(|label| label.id() == child.id()) {
            continue;
        }
        match ElementRef::wrap(child) {
            Some(child) => text.extend(child.text()),
            None => text.push_str(child.value().as_text().map_or("", |text| text)),
        }
    }
    fold_lines(&text)
}

/// Removes the layout and keeps the text's own blanks. Line breaks with the surrounding indentation become one blank,
/// or none before a comma on a line of its own. Blanks inside a line remain ("Windows 10,  version 1903 and later" has
/// two). Control characters are replaced, because the text is shown on terminals.
pub(super) fn fold_lines(text: &str) -> String {
    let mut folded = String::new();
    for line in text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()) {
        if !folded.is_empty() && !line.starts_with(',') {
            folded.push(' ');
        }
        folded.extend(line.chars().map(|sign| match sign {
            '\t' => ' ',
            sign if sign.is_control() => char::REPLACEMENT_CHARACTER,
            sign => sign,
        }));
    }
    folded
}

/// Returns the text, or `None` if it is empty or "n/a", which the site writes for missing values.
pub(super) fn stated(text: String) -> Option<String> {
    (!text.is_empty() && !text.eq_ignore_ascii_case("n/a")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_folded_and_inner_blanks_are_kept() {
        assert_eq!(
            fold_lines("\r\n\t  Windows 10,  version 1903 and later\r\n   "),
            "Windows 10,  version 1903 and later"
        );
        assert_eq!(
            fold_lines("Arabic\n   ,\n   Chinese (Traditional)\n ,\n"),
            "Arabic, Chinese (Traditional),"
        );
        assert_eq!(fold_lines("one,\n   two"), "one, two");
        assert_eq!(fold_lines(" \n\u{a0}\n "), "");
        assert_eq!(fold_lines("a\tb\u{1b}[2J\u{9b}c"), "a b\u{fffd}[2J\u{fffd}c");
    }

    #[test]
    fn elements_are_found_by_ids_that_selectors_cannot_express() {
        let html =
            parse("search page", "<p id=6e06682e_R1>one</p><p id='6e06682e_R1'>two</p><p id='a b'>three")
                .unwrap();
        let elements = Elements::of("search page", &html);
        assert_eq!(elements.text("6e06682e_R1").unwrap(), "one");
        assert_eq!(elements.text("a b").unwrap(), "three");
        let fault = elements.require("x", "a cell").unwrap_err();
        assert_eq!((fault.mark.as_str(), fault.found.as_str()), ("x", "nothing"));
    }

    #[test]
    fn the_label_is_not_part_of_the_text() {
        let html = parse(
            "details page",
            "<div id=a><span>Label:</span> bare &amp; text <i>more</i></div><div id=b><span>Label:</span><div>n/a</div></div>",
        )
        .unwrap();
        let elements = Elements::of("details page", &html);
        assert_eq!(elements.text_after_label("a").unwrap(), "bare & text more");
        assert_eq!(elements.text_after_label("b"), None);
        assert_eq!(elements.text_after_label("c"), None);
    }

    #[test]
    fn the_length_of_a_title_is_limited() {
        assert!(check_title("search page", "x", &"é".repeat(1_000)).is_ok());
        let fault = check_title("search page", "x", &"é".repeat(1_001)).unwrap_err();
        assert_eq!(fault.expected, "a title of at most 1000 characters");
        assert_eq!(check_title("search page", "x", "").unwrap_err().found, "nothing");
    }

    #[test]
    fn a_page_that_is_too_large_or_too_deep_is_refused() {
        let big = " ".repeat(2 * 1024 * 1024 + 1);
        assert_eq!(parse("search page", &big).unwrap_err().mark, "size");
        let deep = "<div>".repeat(300_000);
        assert_eq!(parse("search page", &deep).unwrap_err().mark, "levels");
    }
}
