//! Any bytes, first a line that stands for the path that answered: the kind and the parsers do not contradict each other.

use kbmirror::catalog::{PageKind, page_kind, parse_details_page, parse_download_dialog};

/// Returns `true` if the page is of a known kind.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (path, page) = text.split_once('\n').unwrap_or(("", &text));
    let (bare, behind) = (page_kind(page, None), page_kind(page, Some(path)));
    if matches!(bare, PageKind::Error { .. }) {
        assert!(matches!(behind, PageKind::Error { .. }), "an error page is one wherever it comes from");
    }
    if let PageKind::Error { number: Some(number) } = &behind {
        assert!(number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    match bare {
        PageKind::Details | PageKind::NothingFound | PageKind::PastTheEnd | PageKind::Unanswered => {
            assert!(parse_download_dialog(page).is_err(), "no dialog");
        }
        PageKind::Rows => assert!(parse_details_page(page).is_err(), "no details"),
        _ => {}
    }
    behind != PageKind::Unknown
}
