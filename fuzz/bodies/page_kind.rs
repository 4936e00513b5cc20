//! Arbitrary bytes: the path of the response in the first line, and the page after it. The page kind and the parsers
//! agree.

use kbmirror::catalog::{PageKind, page_kind, parse_details_page, parse_download_dialog};

/// Returns `true` if the page is of a known kind.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (path, page) = text.split_once('\n').unwrap_or(("", &text));
    let (without_path, with_path) = (page_kind(page, None), page_kind(page, Some(path)));
    if matches!(without_path, PageKind::Error { .. }) {
        assert!(
            matches!(with_path, PageKind::Error { .. }),
            "an error page is an error page under every path"
        );
    }
    if let PageKind::Error { number: Some(number) } = &with_path {
        assert!(number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    match without_path {
        PageKind::Details | PageKind::NothingFound | PageKind::PastTheEnd | PageKind::WithoutQuery => {
            assert!(parse_download_dialog(page).is_err(), "the page is not a dialog");
        }
        PageKind::Rows => assert!(parse_details_page(page).is_err(), "the page is not a details page"),
        _ => {}
    }
    with_path != PageKind::Unknown
}
