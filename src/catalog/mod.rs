//! The pages of the Catalog: queries, parsers, and recordings.
//!
//! The Catalog answers everything with HTTP status 200. A page is therefore first recognized by its marks
//! ([`page_kind()`]) and then read by the parser of that kind: [`parse_search_page`], [`parse_details_page`],
//! [`parse_download_dialog`]. A parser reads element ids, never the order or the style of attributes: the site renders
//! different markup for other user agents.
//!
//! [`Catalog`] requests pages from the site, at a limited rate and with retries. [`recording`] stores the responses and
//! replays them. [`RowSelection`] selects from the results of a search.
//!
//! The parsers are functions of the page's text: they use no clock, file, network, or environment. A page is hostile
//! input. A page that is too large or too deep is refused before its tree is complete. Unexpected content is a
//! [`PageFault`] that names the mark, never a panic and never a guess. "No rows" and "no files" are never concluded
//! from a missing element.

mod bounded_tree;
mod client;
mod details_page;
mod dialog_line;
mod download_dialog;
mod fault;
mod html;
mod page_kind;
mod proxy_page;
mod query;
pub mod recording;
mod response_fault;
mod search;
mod search_page;
mod selection;

pub use client::{Catalog, DetailsResult, SavePage};
pub use details_page::{DetailsPage, parse_details_page};
pub use download_dialog::{DialogFile, DialogUpdate, DownloadDialog, parse_download_dialog};
pub use fault::PageFault;
pub use html::PAGE_CAP;
pub use page_kind::{PageKind, page_kind};
pub use query::Query;
pub use search::SearchResult;
pub use search_page::{SearchPage, SearchRow, parse_search_page};
pub use selection::{
    ClassifiedRow, Filter, FilterExclusion, RowSelection, SelectedRows, SortKey, filter_values,
    is_newest_first, unknown_product,
};
