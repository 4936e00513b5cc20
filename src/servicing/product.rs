//! Product names as people type them. This module alone decides which family a name means.
//!
//! Accepted names are the name of a family or its folder word, a product of Catalog titles with or without version, a
//! version (`25H2`), and a build (`26200`, `26200.8117`). Case, commas, and the words "Microsoft" and "version" are
//! ignored. The order of the table never decides between several families: an ambiguous name is refused with the
//! choices.
//!
//! The Catalog files updates under products that the table does not contain ("Windows 10 LTSB", "Office 2016").
//! Commands that filter Catalog updates accept such a name if an update to filter has exactly that product.

use std::fmt;

use super::families::{Families, Family, Installation};
use super::product_words::{distance, is_release, words};
use crate::error::Error;

/// A family by a name, with the version in the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product<'k> {
    /// The family.
    pub family: &'k Family,
    /// The version, if the name contains one: `25H2`.
    pub release: Option<String>,
}

/// The meaning of a product name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductName<'k> {
    /// Exactly one family.
    Known(Product<'k>),
    /// Several families, in the order of the table.
    Ambiguous(Vec<&'k Family>),
    /// A name that the table does not contain, and the families with the most similar names.
    Unknown(Vec<&'k Family>),
}

/// The refusal of a product name that does not mean exactly one family, with the choices for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRefusal {
    message: String,
    hints: Vec<String>,
}

impl ProductRefusal {
    /// Returns the message without hints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the hints.
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
    /// Returns the meaning of a product name. If an installation is given, families of the other installation are
    /// ignored, unless no others match.
    pub fn product(&self, requested: &str, installation: Option<Installation>) -> ProductName<'_> {
        let mut found = self.products_called(requested);
        let wanted = |product: &Product<'_>| installation.is_none_or(|it| it == product.family.installation);
        if found.iter().any(wanted) {
            found.retain(wanted);
        }
        if found.len() > 1 {
            return ProductName::Ambiguous(found.into_iter().map(|product| product.family).collect());
        }
        match found.pop() {
            Some(product) => ProductName::Known(product),
            None => ProductName::Unknown(self.nearest(&words(requested))),
        }
    }

    /// Returns the family that a product name means, or refuses the name with the choices.
    pub fn one_product(
        &self,
        requested: &str,
        installation: Option<Installation>,
    ) -> Result<Product<'_>, ProductRefusal> {
        match self.product(requested, installation) {
            ProductName::Known(product) => Ok(product),
            ProductName::Ambiguous(choices) => Err(ambiguous(requested, &choices)),
            ProductName::Unknown(nearest) => Err(self.no_product(requested, &nearest)),
        }
    }

    /// Returns the families of a name, each once. The first reading with a match decides.
    fn products_called(&self, spelled: &str) -> Vec<Product<'_>> {
        let requested = words(spelled);
        let requested = requested.as_str();
        if requested.is_empty() {
            return Vec::new();
        }
        let families = || self.iter();
        if let Some(build) = build_number(requested) {
            let with_release = |family| product(family, Family::release_of(family, build));
            return self.of_build(build).map(with_release).collect();
        }
        // The unchanged folder word means all versions; "Windows 11 24H2" means one version.
        let is_folder = |family: &&Family| family.folder.eq_ignore_ascii_case(spelled.trim());
        if let Some(family) = families().find(is_folder) {
            return vec![product(family, None)];
        }
        if let Some(family) = families().find(|family| words(&family.name) == requested) {
            return vec![product(family, None)];
        }
        let of_version = |family: &'_ Family| {
            let row =
                family.title_names().find(|(name, release)| release.is_some() && words(name) == requested);
            row.and_then(|(_, release)| release)
        };
        let versions: Vec<Product<'_>> = families()
            .filter_map(|family| of_version(family).map(|release| product(family, Some(&release))))
            .collect();
        if !versions.is_empty() {
            return versions;
        }
        if let Some(family) = families().find(|family| words(&family.folder) == requested) {
            return vec![product(family, None)];
        }
        // "Windows 11" is the complete name of one version in titles, and the beginning of other names.
        let is_bare = |family: &Family| family.bare_products().any(|name| words(name) == requested);
        let begins =
            |name: &str| words(name).strip_prefix(requested).is_some_and(|rest| rest.starts_with(' '));
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
            .filter(|family| is_release(requested) && family.has_release(requested))
            .map(|family| product(family, Some(requested)))
            .collect()
    }

    /// Returns the families with the most similar names, the most similar first.
    fn nearest(&self, requested: &str) -> Vec<&Family> {
        /// The number of choices that a person can compare.
        const SHOWN: usize = 5;
        let far = requested.chars().count().div_ceil(3);
        let least = |family: &Family| {
            let titles = family.title_names().map(|(name, _)| name);
            let names = family.own_names().chain(family.bare_products()).map(str::to_owned).chain(titles);
            let differ = |name: String| match words(&name) {
                // A prefix of a name counts as one difference.
                name if !requested.is_empty() && name.starts_with(requested) => 1,
                name => distance(requested, &name),
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

    fn no_product(&self, requested: &str, nearest: &[&Family]) -> ProductRefusal {
        let folders: Vec<&str> = self.iter().map(|family| family.folder.as_str()).collect();
        let similar = match nearest {
            [] => String::new(),
            nearest => format!("; similar names: {}", described(nearest)),
        };
        ProductRefusal {
            message: format!("{requested:?} is not a known product{similar}"),
            hints: vec![format!("use one of the families {}", folders.join(", "))],
        }
    }
}

fn ambiguous(requested: &str, choices: &[&Family]) -> ProductRefusal {
    ProductRefusal {
        message: format!("{requested:?} matches several products: {}", described(choices)),
        hints: vec!["use the folder word of one, such as windows-11-24h2, or product and version".to_owned()],
    }
}

/// Describes families: "windows-11-24h2 (Windows 11 24H2, 25H2, 26H2), server-2025 (Windows Server 2025)"
fn described(families: &[&Family]) -> String {
    let both = families.iter().map(|family| format!("{} ({})", family.folder, family.name));
    both.collect::<Vec<_>>().join(", ")
}

fn product<'k>(family: &'k Family, release: Option<&str>) -> Product<'k> {
    Product { family, release: release.map(str::to_ascii_uppercase) }
}

/// Returns the build in `26200`, `26200.8117`, `10.0.26200.8117`, or `build 26200`, or `None` for other texts.
fn build_number(requested: &str) -> Option<u32> {
    let requested = requested.strip_prefix("os ").unwrap_or(requested);
    let requested = requested.strip_prefix("build ").unwrap_or(requested);
    let requested = requested.strip_prefix("10.0.").unwrap_or(requested);
    let (number, revision) = requested.split_once('.').map_or((requested, None), |(a, b)| (a, Some(b)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Versions such as 1909 have four digits, as the builds of Windows 7 and 8 do; no number is both.
    (digits(number) && revision.is_none_or(digits) && !is_release(number))
        .then(|| number.parse().ok())
        .flatten()
}

/// A filter by product for updates from the Catalog and for sets made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductFilter {
    /// Updates of a family, or of one of its versions if the updates of a KB differ by version.
    Family {
        /// The family.
        family: (u32, Installation),
        /// The names of the version in titles; empty for all versions.
        titles: Vec<String>,
    },
    /// A product that the table of families does not contain.
    Other {
        /// The required words of an update's product.
        words: String,
        /// The refusal if no update has this product.
        refusal: ProductRefusal,
    },
}

/// The products of an update or of a set of updates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductLabels<'a> {
    /// The families of the titles.
    pub families: Vec<(u32, Installation)>,
    /// The names of the products, and other names.
    pub names: Vec<&'a str>,
    /// The product texts of the Catalog.
    pub products: Vec<&'a str>,
}

impl ProductFilter {
    /// Reads a product name. Refuses an ambiguous name; a name outside of the table may be a product of the Catalog.
    pub fn new(
        requested: &str,
        installation: Option<Installation>,
        known: &Families,
    ) -> Result<Self, ProductRefusal> {
        match known.product(requested, installation) {
            ProductName::Known(product) => Ok(Self::from(&product)),
            ProductName::Ambiguous(choices) => Err(ambiguous(requested, &choices)),
            ProductName::Unknown(nearest) => {
                let refusal = known.no_product(requested, &nearest);
                let words = words(requested);
                if words.is_empty() { Err(refusal) } else { Ok(Self::Other { words, refusal }) }
            }
        }
    }

    /// Returns a filter for all updates of a family. Only titles name a provisional family.
    pub fn of_family(family: &Family) -> Self {
        if family.is_provisional() {
            let message = format!("the Catalog shows no update for {}", family.name);
            let refusal = ProductRefusal { message, hints: Vec::new() };
            return Self::Other { words: words(&family.search_words()), refusal };
        }
        Self::Family { family: (family.id, family.installation), titles: Vec::new() }
    }

    /// Returns `true` if the filter names this family.
    pub fn is_family(&self, family: &Family) -> bool {
        matches!(self, Self::Family { family: own, .. } if *own == (family.id, family.installation))
    }

    /// Returns the refusal of a name outside of the table of families, or `None` for a known family.
    pub fn refusal(&self) -> Option<&ProductRefusal> {
        match self {
            Self::Family { .. } => None,
            Self::Other { refusal, .. } => Some(refusal),
        }
    }

    /// Returns for each update or set of one KB whether it matches the product. A version selects the updates that name
    /// it. If none does, the packages of the family apply to the version, too.
    pub fn pick(&self, filed: &[ProductLabels<'_>]) -> Vec<bool> {
        match self {
            Self::Other { words: requested, .. } => {
                filed.iter().map(|one| one.is_called(requested)).collect()
            }
            Self::Family { family, titles } => {
                let of_family: Vec<bool> = filed.iter().map(|one| one.families.contains(family)).collect();
                let names_it =
                    |one: &ProductLabels<'_>| one.names.iter().any(|name| titles.contains(&words(name)));
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

impl ProductLabels<'_> {
    fn is_called(&self, requested: &str) -> bool {
        let is_it = |name: &str| words(name) == requested;
        self.names.iter().any(|name| is_it(name)) || self.products.iter().any(|text| runs(text).any(is_it))
    }
}

/// Returns the texts that may be one product of the Catalog. Names contain commas, so every run between two commas is a
/// candidate.
fn runs(products: &str) -> impl Iterator<Item = &str> {
    /// The maximum number of comma-separated parts: "Windows 11 Client, version 24H2 and later, Servicing Drivers". No
    /// known name has more.
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
