//! HTML in place of a file or another response: its recognition by the first bytes, and its title. Pure.
//!
//! This module describes what arrived and never parses it: no tree is built, and the shown text is short and plain.

/// The first bytes of an HTML page, after white space and a byte order mark. No package begins with them: containers
/// begin with signatures of their own (`MSCF`, `MSWIM`, `MZ`, `PK`).
const HTML_PREFIXES: [&[u8]; 5] = [b"<!doctype html", b"<html", b"<head", b"<script", b"<meta"];

/// The hint for a proxy's page in place of a response.
pub const PROXY_HINT: &str = "log in to the proxy or captive portal with a browser, name another proxy with --proxy, or configure it to allow the Catalog and its content hosts";

/// The number of bytes of a page that are searched for its title.
pub(super) const TITLE_SEARCH_LENGTH: usize = 64 * 1024;

/// Returns `true` if these are the first bytes of an HTML page.
pub(super) fn begins_like_html(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |with: &&[u8]| bytes.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    HTML_PREFIXES.iter().any(begins)
}

/// Returns the text of the `<title>` of a page, in one line of at most 100 characters.
pub fn title_of(html: &str) -> Option<String> {
    /// The maximum length; longer titles do not name anything.
    const LONGEST: usize = 100;
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let letters = html[start..end].chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let line = letters.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| line.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_recognized_by_its_first_bytes() {
        for page in [
            "<!DOCTYPE html>",
            "\u{feff}\r\n <HTML lang=en>",
            "<script>location='x'</script>",
            "<meta http-equiv",
        ] {
            assert!(begins_like_html(page.as_bytes()), "{page}");
        }
        for file in [&b"MSCF\0\0\0\0"[..], b"MSWIM\0\0\0", b"", b"<", b"<?xml version", b"text <html>"] {
            assert!(!begins_like_html(file), "{file:?}");
        }
    }

    #[test]
    fn titles() {
        let title = |html: &str| title_of(html);
        assert_eq!(
            title("<html><TITLE lang=en>\r\n Web \u{1b}[31m Gateway\n</TITLE>").unwrap(),
            "Web [31m Gateway"
        );
        assert_eq!(title(&format!("<title>{}</title>", "x".repeat(500))).unwrap().len(), 100);
        for html in ["", "<title></title>", "<title>", "<title", "<title>never ends"] {
            assert_eq!(title(html), None, "{html}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_accepted_without_a_panic(text in proptest::prelude::any::<String>()) {
            let page = format!("<title>{text}");
            let _title = (title_of(&text), title_of(&page), begins_like_html(text.as_bytes()));
        }
    }
}
