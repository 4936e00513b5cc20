//! A row of the Catalog's search pages, reduced to the facts that a selection needs.

use jiff::civil::Date;

use crate::update::Classification;

/// A row of a search page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUpdate {
    /// The classification of title and products.
    pub class: Classification,
    /// The date of the entry.
    pub last_updated: Date,
}
