//! The responses of the Catalog that are rejected, as types: each with its kind, its retry class, and its message in
//! one place.

use super::{PageFault, PageKind};
use crate::error::{ErrorKind, Fault, Retry};
use crate::net::PROXY_HINT;
use crate::update::UpdateId;

/// A response of the Catalog that is not the requested one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResponseFault {
    /// The error page of the site.
    #[error("the Catalog answered with its error page (error number {})", number.as_deref().unwrap_or("none"))]
    ErrorPage {
        /// The error number on the page.
        number: Option<String>,
    },
    /// A search page with neither rows nor the text for no results.
    #[error(
        "{expected} was expected, but the response has neither rows nor the text for no results, as from an \
         overloaded Catalog"
    )]
    NoRows {
        /// The expected page, with an article.
        expected: &'static str,
    },
    /// A search page without words.
    #[error("the Catalog answered with a search page without a query, as it does when it is overloaded")]
    WithoutQuery,
    /// An update that the Catalog does not contain, or no longer contains.
    #[error("the Catalog does not contain this update, or no longer contains it")]
    UpdateUnknown,
    /// A page of a proxy that was served under the URL of the Catalog.
    #[error(
        "{host}: a proxy's page, not a page of the Catalog{}",
        title.as_ref().map(|title| format!(", titled {title:?}")).unwrap_or_default()
    )]
    ProxyPage {
        /// The host of the Catalog.
        host: String,
        /// The title of the page.
        title: Option<String>,
    },
    /// A page of an unknown kind.
    #[error("{expected} was expected, but the response is not a known page of the Catalog")]
    UnknownPage {
        /// The expected page, with an article.
        expected: &'static str,
    },
    /// A page of another kind.
    #[error("{expected} was expected, but the response is another page ({found:?})")]
    OtherPage {
        /// The expected page, with an article.
        expected: &'static str,
        /// The kind of the response.
        found: PageKind,
    },
    /// The expected page, but of another update.
    #[error("the {page} belongs to {found}, not to {expected}")]
    OtherUpdate {
        /// The page.
        page: &'static str,
        /// The requested update.
        expected: UpdateId,
        /// The update of the page, as text.
        found: String,
    },
    /// A page with a part that the parsers do not know.
    #[error(transparent)]
    NotUnderstood(#[from] PageFault),
    /// A page over the size limit. Another request would return the same size.
    #[error(transparent)]
    TooLarge(PageFault),
    /// A search without results, while the control query finds nothing either.
    #[error("{}", describe_stall(query))]
    Stall {
        /// The words of the search.
        query: String,
    },
}

/// Describes the reason for waiting for the end of a stall.
pub(super) fn describe_stall(query: &str) -> String {
    format!(
        "the Catalog finds nothing for {query:?}, and nothing for the control queries either: it is failing"
    )
}

impl ResponseFault {
    /// Returns the fault of a page of another kind than the expected one.
    pub(super) fn from_page_kind(expected: &'static str, kind: PageKind, host: &str) -> Self {
        match kind {
            PageKind::Error { number } => Self::ErrorPage { number },
            PageKind::PastTheEnd => Self::NoRows { expected },
            PageKind::WithoutQuery => Self::WithoutQuery,
            PageKind::UpdateUnknown => Self::UpdateUnknown,
            PageKind::ProxyPage { title } => Self::ProxyPage { host: host.to_owned(), title },
            PageKind::Unknown => Self::UnknownPage { expected },
            found => Self::OtherPage { expected, found },
        }
    }

    /// Returns `true` if the page is saved for a report when the fault persists: the parsers may need an update.
    pub(super) fn is_saved(&self) -> bool {
        match self {
            Self::NoRows { .. } | Self::UnknownPage { .. } | Self::OtherPage { .. } => true,
            _ => self.is_drift(),
        }
    }

    /// Returns `true` if it is the requested page, but part of it has changed.
    pub(super) fn is_drift(&self) -> bool {
        matches!(self, Self::NotUnderstood(_) | Self::TooLarge(_) | Self::OtherUpdate { .. })
    }
}

impl Fault for ResponseFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ErrorPage { .. }
            | Self::NoRows { .. }
            | Self::WithoutQuery
            | Self::ProxyPage { .. }
            | Self::Stall { .. } => ErrorKind::Unreachable,
            Self::UpdateUnknown => ErrorKind::NotFound,
            Self::UnknownPage { .. }
            | Self::OtherPage { .. }
            | Self::OtherUpdate { .. }
            | Self::NotUnderstood(_)
            | Self::TooLarge(_) => ErrorKind::PageChanged,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::UpdateUnknown | Self::ProxyPage { .. } | Self::TooLarge(_) => Retry::Never,
            Self::Stall { .. } => Retry::AfterStall,
            Self::ErrorPage { .. }
            | Self::NoRows { .. }
            | Self::WithoutQuery
            | Self::UnknownPage { .. }
            | Self::OtherPage { .. }
            | Self::OtherUpdate { .. }
            | Self::NotUnderstood(_) => Retry::Soon,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::ProxyPage { .. } => vec![PROXY_HINT.to_owned()],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn each_kind_of_page_has_its_error_kind_and_retry_class() {
        let number = Some("8DDD0010".to_owned());
        for (kind, error_kind, retry, is_saved) in [
            (PageKind::Error { number }, ErrorKind::Unreachable, Retry::Soon, false),
            (PageKind::PastTheEnd, ErrorKind::Unreachable, Retry::Soon, true),
            (PageKind::WithoutQuery, ErrorKind::Unreachable, Retry::Soon, false),
            (PageKind::UpdateUnknown, ErrorKind::NotFound, Retry::Never, false),
            (PageKind::ProxyPage { title: None }, ErrorKind::Unreachable, Retry::Never, false),
            (PageKind::Unknown, ErrorKind::PageChanged, Retry::Soon, true),
            (PageKind::Dialog, ErrorKind::PageChanged, Retry::Soon, true),
        ] {
            let fault = ResponseFault::from_page_kind("a details page", kind, "catalog.example");
            assert_eq!((fault.is_saved(), fault.is_drift()), (is_saved, false), "{fault}");
            let error = Error::from(fault);
            assert_eq!((error.kind(), error.retry()), (error_kind, retry), "{error}");
        }
    }

    #[test]
    fn drift_is_detected_by_the_fault() {
        let fault = |found: &str| ResponseFault::from(PageFault::new("search page", "row", "a title", found));
        assert_eq!(fault("x"), fault("x"));
        assert_ne!(fault("x"), fault("y"));
        assert!(fault("x").is_drift() && fault("x").is_saved());
        assert_eq!(fault("x").retry(), Retry::Soon);
        let large = ResponseFault::TooLarge(PageFault::new("page", "size", "less", "more"));
        assert!(large.is_drift() && large.retry() == Retry::Never);
        let stall = ResponseFault::Stall { query: "KB1".to_owned() };
        assert_eq!((stall.retry(), stall.is_drift()), (Retry::AfterStall, false));
    }
}
