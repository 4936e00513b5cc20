//! The selection of search rows, their order, and their number. Pure.
//!
//! The site's search finds words anywhere in titles and products. This module therefore selects rows by the title and
//! the products together. A row must match every given filter; one matching value of a filter suffices. Each filter
//! counts the rows that it excludes, regardless of the other filters, so that an empty result names the responsible
//! filter. The order is the same on every run: after the requested key come date, title, and update id.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use super::SearchRow;
use crate::servicing::{Family, ProductFilter, ProductLabels};
use crate::update::{Architecture, Classification, Kb, Kind, classify};

/// A row with the classification of its title and products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifiedRow {
    /// The row as the Catalog shows it.
    pub row: SearchRow,
    /// The classification.
    pub class: Classification,
}

impl From<SearchRow> for ClassifiedRow {
    fn from(row: SearchRow) -> Self {
        let class = classify(&row.title, &row.products, None);
        Self { row, class }
    }
}

/// The sort key of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// The date, newest first.
    #[default]
    Date,
    /// The title, from A to Z.
    Title,
    /// The size, largest first.
    Size,
    /// The kind, in the order of [`Kind::ALL`]; rows without a kind come last.
    Kind,
    /// The product and version in the title, otherwise the Catalog's products.
    Product,
}

/// The selection of rows and their order. The default selects every row, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowSelection {
    /// The selected architectures; empty for all.
    pub architectures: Vec<Architecture>,
    /// The selected products; empty for all.
    pub products: Vec<ProductFilter>,
    /// The selected Catalog classifications, or prefixes of them, in any case; empty for all.
    pub classifications: Vec<String>,
    /// The selected kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// The first day of the selected entries.
    pub since: Option<Date>,
    /// The last day of the selected entries.
    pub until: Option<Date>,
    /// The sort key.
    pub sort: SortKey,
    /// `true` if the order is reversed.
    pub reverse: bool,
    /// The most rows.
    pub limit: Option<usize>,
}

/// A filter of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// The filter by architecture.
    Architecture,
    /// The filter by product.
    Product,
    /// The filter by the Catalog's classification.
    Classification,
    /// The filter by kind.
    Kind,
    /// The filter by the first day.
    Since,
    /// The filter by the last day.
    Until,
}

impl Filter {
    const ALL: [Self; 6] =
        [Self::Architecture, Self::Product, Self::Classification, Self::Kind, Self::Since, Self::Until];

    /// Returns the option that sets the filter.
    pub fn option(self) -> &'static str {
        match self {
            Self::Architecture => "--arch",
            Self::Product => "--product",
            Self::Classification => "--classification",
            Self::Kind => "--kind",
            Self::Since => "--since",
            Self::Until => "--until",
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.option())
    }
}

/// The rows that one filter excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterExclusion {
    /// The filter.
    pub filter: Filter,
    /// The number of rows that the filter excludes, including rows that another filter excludes too.
    pub updates: usize,
}

/// The result of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedRows {
    /// The selected rows, in order.
    pub rows: Vec<ClassifiedRow>,
    /// The number of matching rows before the limit.
    pub matching: usize,
    /// The exclusions, with one entry for each given filter.
    pub exclusions: Vec<FilterExclusion>,
}

impl RowSelection {
    /// Returns `true` if the selection needs all rows. Without a filter and newest first, which is the site's own
    /// order, the first rows are enough for a limit.
    pub fn needs_all_rows(&self) -> bool {
        self.reverse || self.sort != SortKey::Date || Filter::ALL.into_iter().any(|filter| self.has(filter))
    }

    /// Selects, sorts, and limits rows. `families` are the families that a product filter may name.
    pub fn apply(&self, mut rows: Vec<ClassifiedRow>, families: &[Family]) -> SelectedRows {
        let given: Vec<Filter> = Filter::ALL.into_iter().filter(|&filter| self.has(filter)).collect();
        let mut exclusions: Vec<FilterExclusion> =
            given.iter().map(|&filter| FilterExclusion { filter, updates: 0 }).collect();
        let mut of_product = match_products(&self.products, &rows, families).into_iter();
        rows.retain(|found| {
            let mut is_selected = true;
            let of_product = of_product.next().unwrap_or_default();
            for out in &mut exclusions {
                if !self.matches(out.filter, found, of_product) {
                    out.updates += 1;
                    is_selected = false;
                }
            }
            is_selected
        });
        rows.sort_by(|a, b| self.order(a, b));
        let matching = rows.len();
        rows.truncate(self.limit.unwrap_or(usize::MAX));
        SelectedRows { rows, matching, exclusions }
    }

    fn has(&self, filter: Filter) -> bool {
        match filter {
            Filter::Architecture => !self.architectures.is_empty(),
            Filter::Product => !self.products.is_empty(),
            Filter::Classification => !self.classifications.is_empty(),
            Filter::Kind => !self.kinds.is_empty(),
            Filter::Since => self.since.is_some(),
            Filter::Until => self.until.is_some(),
        }
    }

    fn matches(&self, filter: Filter, found: &ClassifiedRow, of_product: bool) -> bool {
        let ClassifiedRow { row, class } = found;
        match filter {
            Filter::Architecture => {
                class.implied_architecture().is_some_and(|own| self.architectures.contains(&own))
            }
            Filter::Product => of_product,
            Filter::Classification => {
                let own = row.classification.to_lowercase();
                self.classifications.iter().any(|requested| own.starts_with(&requested.trim().to_lowercase()))
            }
            Filter::Kind => class.kind.is_some_and(|own| self.kinds.contains(&own)),
            Filter::Since => self.since.is_none_or(|day| row.last_updated >= day),
            Filter::Until => self.until.is_none_or(|day| row.last_updated <= day),
        }
    }

    fn order(&self, a: &ClassifiedRow, b: &ClassifiedRow) -> Ordering {
        let by_key = match self.sort {
            SortKey::Date => self.reversed(b.row.last_updated.cmp(&a.row.last_updated)),
            SortKey::Title => self.reversed(folded(&a.row.title).cmp(&folded(&b.row.title))),
            SortKey::Size => self.reversed(b.row.size.cmp(&a.row.size)),
            SortKey::Kind => match (a.class.kind, b.class.kind) {
                (Some(a), Some(b)) => self.reversed(a.cmp(&b)),
                // Rows without a kind are last in either direction.
                (a, b) => a.is_none().cmp(&b.is_none()),
            },
            SortKey::Product => self.reversed(folded(&product_of(a)).cmp(&folded(&product_of(b)))),
        };
        let last = |found: &ClassifiedRow| {
            (Reverse(found.row.last_updated), found.row.title.clone(), found.row.update_id.to_string())
        };
        by_key.then_with(|| last(a).cmp(&last(b)))
    }

    fn reversed(&self, order: Ordering) -> Ordering {
        if self.reverse { order.reverse() } else { order }
    }
}

/// Returns `true` if the rows are sorted newest first, which is the site's own order.
pub fn is_newest_first(rows: &[SearchRow]) -> bool {
    rows.is_sorted_by(|a, b| a.last_updated >= b.last_updated)
}

/// Returns the values of some rows that a filter compares, as suggestions for the operator. Empty for the day filters.
pub fn filter_values(filter: Filter, rows: &[ClassifiedRow]) -> BTreeSet<String> {
    let value = |found: &ClassifiedRow| match filter {
        Filter::Architecture => found.class.implied_architecture().map(|own| own.to_string()),
        Filter::Product => Some(product_of(found)),
        Filter::Classification => Some(found.row.classification.clone()),
        Filter::Kind => found.class.kind.map(|own| own.to_string()),
        Filter::Since | Filter::Until => None,
    };
    rows.iter().filter_map(value).collect()
}

/// Returns, for each row, whether it belongs to one of the products. The rows of one KB are compared with each other.
fn match_products(products: &[ProductFilter], rows: &[ClassifiedRow], families: &[Family]) -> Vec<bool> {
    let mut groups: BTreeMap<Option<Kb>, Vec<usize>> = BTreeMap::new();
    for (place, found) in rows.iter().enumerate() {
        groups.entry(found.class.kb).or_default().push(place);
    }
    let names: Vec<String> = rows.iter().map(product_of).collect();
    let mut picked = vec![false; rows.len()];
    for places in groups.values() {
        let of_kb: Vec<ProductLabels<'_>> = places
            .iter()
            .filter_map(|&place| Some(filed(rows.get(place)?, names.get(place)?, families)))
            .collect();
        for product in products {
            for (&place, is_it) in places.iter().zip(product.pick(&of_kb)) {
                if let Some(own) = picked.get_mut(place) {
                    *own |= is_it;
                }
            }
        }
    }
    picked
}

/// Returns the first product that neither the tables nor any row contains.
pub fn unknown_product<'p>(
    products: &'p [ProductFilter],
    rows: &[ClassifiedRow],
    families: &[Family],
) -> Option<&'p ProductFilter> {
    products.iter().find(|product| {
        let only = std::slice::from_ref(*product);
        product.refusal().is_some() && !match_products(only, rows, families).contains(&true)
    })
}

fn filed<'a>(found: &'a ClassifiedRow, name: &'a str, families: &[Family]) -> ProductLabels<'a> {
    let ClassifiedRow { row, class } = found;
    let product = class.product.as_deref();
    let family = product.and_then(|product| {
        families.iter().find(|family| family.has_product(product, class.release.as_deref()))
    });
    let words = [Some(name), product, class.release.as_deref()];
    ProductLabels {
        families: family.map(|family| (family.id, family.installation)).into_iter().collect(),
        names: words.into_iter().flatten().collect(),
        products: vec![row.products.as_str()],
    }
}

/// Returns the product, such as "Windows 11, version 24H2", or the Catalog's products if the title names none.
fn product_of(found: &ClassifiedRow) -> String {
    match (&found.class.product, &found.class.release) {
        (Some(product), Some(release)) => format!("{product}, version {release}"),
        (Some(product), None) => product.clone(),
        (None, _) => found.row.products.clone(),
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests;
