//! Product names as people type them: the one place that says which family a name means.
//!
//! A name is a family's name or folder word, a product with or without its version as Catalog titles have it, a
//! version alone (`25H2`), or a build (`26200`, `26200.8117`). Case, commas, and the words "Microsoft" and "version"
//! do not count. A name of several families is never decided by the order of the table: it is refused with the choices.
//!
//! The Catalog files updates under products that the table does not have ("Windows 10 LTSB", "Office 2016"). Commands
//! that filter what the Catalog sent take such a name when something that they filter has exactly that product.

use std::fmt;

use super::families::{Families, Family, Installation};
use super::product_words::{distance, is_release, words};
use crate::error::Error;

/// A family by a name, and the version that the name stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product<'k> {
    /// The family.
    pub family: &'k Family,
    /// The version, where the name states one: `25H2`.
    pub release: Option<String>,
}

/// The meaning of a product name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductName<'k> {
    /// Exactly one family.
    Known(Product<'k>),
    /// Several families, in the order of the table.
    Ambiguous(Vec<&'k Family>),
    /// A name that the table does not have, and the families with the most similar names.
    Unknown(Vec<&'k Family>),
}

/// A product name that means no one family, with the choices for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRefusal {
    message: String,
    hints: Vec<String>,
}

impl ProductRefusal {
    /// The sentence without its hints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The ways out.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for ProductRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<ProductRefusal> for Error {
    fn from(refusal: ProductRefusal) -> Self {
        refusal.hints.into_iter().fold(Self::usage(refusal.message), Self::hint)
    }
}

impl Families {
    /// Says which family a product name means. With an installation, families of the other one are not considered where
    /// that leaves any.
    pub fn product(&self, asked: &str, installation: Option<Installation>) -> ProductName<'_> {
        let mut found = self.products_called(asked);
        let wanted = |product: &Product<'_>| installation.is_none_or(|it| it == product.family.installation);
        if found.iter().any(wanted) {
            found.retain(wanted);
        }
        if found.len() > 1 {
            return ProductName::Ambiguous(found.into_iter().map(|product| product.family).collect());
        }
        match found.pop() {
            Some(product) => ProductName::Known(product),
            None => ProductName::Unknown(self.nearest(&words(asked))),
        }
    }

    /// Returns the one family that a product name means, or refuses the name with the choices.
    pub fn one_product(
        &self,
        asked: &str,
        installation: Option<Installation>,
    ) -> Result<Product<'_>, ProductRefusal> {
        match self.product(asked, installation) {
            ProductName::Known(product) => Ok(product),
            ProductName::Ambiguous(choices) => Err(ambiguous(asked, &choices)),
            ProductName::Unknown(nearest) => Err(self.no_product(asked, &nearest)),
        }
    }

    /// The families of a name, each once. The first way to read it that fits decides.
    fn products_called(&self, spelled: &str) -> Vec<Product<'_>> {
        let asked = words(spelled);
        let asked = asked.as_str();
        if asked.is_empty() {
            return Vec::new();
        }
        let families = || self.iter();
        if let Some(build) = build_number(asked) {
            let with_release = |family| product(family, Family::release_of(family, build));
            return self.of_build(build).map(with_release).collect();
        }
        // The folder word as it is stands for all versions; "Windows 11 24H2" is one of them.
        let is_folder = |family: &&Family| family.folder.eq_ignore_ascii_case(spelled.trim());
        if let Some(family) = families().find(is_folder) {
            return vec![product(family, None)];
        }
        if let Some(family) = families().find(|family| words(&family.name) == asked) {
            return vec![product(family, None)];
        }
        let of_version = |family: &'_ Family| {
            let row = family.title_names().find(|(name, release)| release.is_some() && words(name) == asked);
            row.and_then(|(_, release)| release)
        };
        let whole: Vec<Product<'_>> = families()
            .filter_map(|family| of_version(family).map(|release| product(family, Some(&release))))
            .collect();
        if !whole.is_empty() {
            return whole;
        }
        if let Some(family) = families().find(|family| words(&family.folder) == asked) {
            return vec![product(family, None)];
        }
        // "Windows 11" is the whole name of one version in titles, and begins the names of others.
        let is_bare = |family: &Family| family.bare_products().any(|name| words(name) == asked);
        let begins = |name: &str| words(name).strip_prefix(asked).is_some_and(|rest| rest.starts_with(' '));
        let is_begun = |family: &Family| {
            family.own_names().any(begins) || family.title_names().any(|(name, _)| begins(&name))
        };
        let of_any: Vec<Product<'_>> = families()
            .filter(|family| is_bare(family) || is_begun(family))
            .map(|family| product(family, None))
            .collect();
        if of_any.len() > 1 || families().any(is_bare) {
            return of_any;
        }
        families()
            .filter(|family| is_release(asked) && family.has_release(asked))
            .map(|family| product(family, Some(asked)))
            .collect()
    }

    /// The families with the names that differ least, the most similar first.
    fn nearest(&self, asked: &str) -> Vec<&Family> {
        /// As many as a person compares.
        const SHOWN: usize = 5;
        let far = asked.chars().count().div_ceil(3);
        let least = |family: &Family| {
            let titles = family.title_names().map(|(name, _)| name);
            let names = family.own_names().chain(family.bare_products()).map(str::to_owned).chain(titles);
            let differ = |name: String| match words(&name) {
                // The beginning of a name lacks no more than one word.
                name if !asked.is_empty() && name.starts_with(asked) => 1,
                name => distance(asked, &name),
            };
            names.map(differ).min()
        };
        let mut ranked: Vec<(usize, &Family)> = self
            .iter()
            .filter_map(|family| Some((least(family)?, family)))
            .filter(|(distance, _)| *distance <= far)
            .collect();
        ranked.sort_by_key(|(distance, _)| *distance);
        ranked.into_iter().take(SHOWN).map(|(_, family)| family).collect()
    }

    fn no_product(&self, asked: &str, nearest: &[&Family]) -> ProductRefusal {
        let folders: Vec<&str> = self.iter().map(|family| family.folder.as_str()).collect();
        let similar = match nearest {
            [] => String::new(),
            nearest => format!("; similar names have {}", described(nearest)),
        };
        ProductRefusal {
            message: format!("{asked:?} is not a known product{similar}"),
            hints: vec![format!("name one of the families {}", folders.join(", "))],
        }
    }
}

fn ambiguous(asked: &str, choices: &[&Family]) -> ProductRefusal {
    ProductRefusal {
        message: format!("{asked:?} is the name of several products: {}", described(choices)),
        hints: vec![
            "name one of them by its folder word, such as windows-11-24h2, or by product and version"
                .to_owned(),
        ],
    }
}

/// "windows-11-24h2 (Windows 11 24H2, 25H2, 26H2), server-2025 (Windows Server 2025)"
fn described(families: &[&Family]) -> String {
    let both = families.iter().map(|family| format!("{} ({})", family.folder, family.name));
    both.collect::<Vec<_>>().join(", ")
}

fn product<'k>(family: &'k Family, release: Option<&str>) -> Product<'k> {
    Product { family, release: release.map(str::to_ascii_uppercase) }
}

/// The build in `26200`, `26200.8117`, `10.0.26200.8117`, and `build 26200`.
fn build_number(asked: &str) -> Option<u32> {
    let asked = asked.strip_prefix("os ").unwrap_or(asked);
    let asked = asked.strip_prefix("build ").unwrap_or(asked);
    let asked = asked.strip_prefix("10.0.").unwrap_or(asked);
    let (number, revision) = asked.split_once('.').map_or((asked, None), |(a, b)| (a, Some(b)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A version such as 1909 has four digits, and so have the builds of Windows 7 and 8; no number is both.
    (digits(number) && revision.is_none_or(digits) && !is_release(number))
        .then(|| number.parse().ok())
        .flatten()
}

/// A filter by product for updates that the Catalog sent, and for the sets made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductFilter {
    /// Everything of a family; of one version where that divides the updates of a KB.
    Family {
        /// The family.
        family: (u32, Installation),
        /// The names of the version in titles; empty where all versions are meant.
        titles: Vec<String>,
    },
    /// A product that the table of families does not have.
    Other {
        /// The words that an update's product must have.
        words: String,
        /// The refusal where no update has it.
        refusal: ProductRefusal,
    },
}

/// The products of an update or of a set of updates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filed<'a> {
    /// The families of its titles.
    pub families: Vec<(u32, Installation)>,
    /// The names of its products, and the words by which it is called otherwise.
    pub names: Vec<&'a str>,
    /// The Catalog's own texts of products.
    pub products: Vec<&'a str>,
}

impl ProductFilter {
    /// Reads a product name. An ambiguous one is refused; one that the table does not have may be the Catalog's.
    pub fn new(
        asked: &str,
        installation: Option<Installation>,
        known: &Families,
    ) -> Result<Self, ProductRefusal> {
        match known.product(asked, installation) {
            ProductName::Known(product) => Ok(Self::from(&product)),
            ProductName::Ambiguous(choices) => Err(ambiguous(asked, &choices)),
            ProductName::Unknown(nearest) => {
                let refusal = known.no_product(asked, &nearest);
                let words = words(asked);
                if words.is_empty() { Err(refusal) } else { Ok(Self::Other { words, refusal }) }
            }
        }
    }

    /// Everything of a family.
    pub fn of_family(family: &Family) -> Self {
        Self::Family { family: (family.id, family.installation), titles: Vec::new() }
    }

    /// Returns `true` if the filter names this family.
    pub fn is_family(&self, family: &Family) -> bool {
        matches!(self, Self::Family { family: own, .. } if *own == (family.id, family.installation))
    }

    /// Returns the refusal of a name that the table of families does not have.
    pub fn refusal(&self) -> Option<&ProductRefusal> {
        match self {
            Self::Family { .. } => None,
            Self::Other { refusal, .. } => Some(refusal),
        }
    }

    /// Says of each update or set of one KB if it is of the product. A version picks those that name it; where none
    /// does, the packages of the family serve it too.
    pub fn pick(&self, filed: &[Filed<'_>]) -> Vec<bool> {
        match self {
            Self::Other { words: asked, .. } => filed.iter().map(|one| one.is_called(asked)).collect(),
            Self::Family { family, titles } => {
                let of_family: Vec<bool> = filed.iter().map(|one| one.families.contains(family)).collect();
                let names_it = |one: &Filed<'_>| one.names.iter().any(|name| titles.contains(&words(name)));
                let named: Vec<bool> =
                    filed.iter().zip(&of_family).map(|(one, &own)| own && names_it(one)).collect();
                if named.contains(&true) { named } else { of_family }
            }
        }
    }
}

impl From<&Product<'_>> for ProductFilter {
    fn from(product: &Product<'_>) -> Self {
        let release = product.release.as_deref();
        let titles =
            product.family.title_names().filter(|(_, own)| release.is_some() && own.as_deref() == release);
        Self::Family {
            family: (product.family.id, product.family.installation),
            titles: titles.map(|(name, _)| words(&name)).collect(),
        }
    }
}

impl Filed<'_> {
    fn is_called(&self, asked: &str) -> bool {
        let is_it = |name: &str| words(name) == asked;
        self.names.iter().any(|name| is_it(name)) || self.products.iter().any(|text| runs(text).any(is_it))
    }
}

/// The texts that may be one product of the Catalog. Names contain commas, so they are everything between two commas.
fn runs(products: &str) -> impl Iterator<Item = &str> {
    /// "Windows 11 Client, version 24H2 and later, Servicing Drivers"; no known name has more parts.
    const PARTS: usize = 3;
    let starts = [0].into_iter().chain(products.match_indices(',').map(|(at, _)| at + 1));
    starts.flat_map(|start| {
        let rest = products.get(start..).unwrap_or_default();
        let ends = rest.match_indices(',').map(|(at, _)| at).chain([rest.len()]);
        ends.take(PARTS).filter_map(move |end| rest.get(..end))
    })
}

#[cfg(test)]
mod tests;
