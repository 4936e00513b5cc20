//! The table of families: the builds that share packages, and their names in titles. A product belongs to one family
//! only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dotnet::Dotnet;
use super::finding::{TableFinding, find_missing_sources};
use super::product_words::words;
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Architecture, Build, slug};

/// Client or server; the same build number may be both.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Installation {
    /// Windows 10, 11, and earlier.
    Client,
    /// Windows Server and Azure Stack HCI.
    Server,
}

impl Installation {
    /// Returns the word in options and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The tool with which a running machine installs a package file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum InstallMethod {
    /// DISM.
    Dism,
    /// wusa, because the DISM of the family does not accept an `.msu` online.
    Wusa,
}

/// Builds that share packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The build that names the family: 26100.
    pub id: u32,
    /// The installation. Client and server of one build are two families.
    pub installation: Installation,
    /// The name for people: "Windows 11 24H2, 25H2, 26H2".
    pub name: String,
    /// The start of the names of set folders: `windows-11-24h2`.
    pub folder: String,
    /// The builds that a machine of the family may report.
    pub builds: Vec<u32>,
    /// The version of each build, if the family has several versions.
    #[serde(default)]
    releases: BTreeMap<String, String>,
    /// The architectures of the family.
    pub architectures: Vec<Architecture>,
    /// The tool with which a running machine installs a package.
    pub method: InstallMethod,
    /// The .NET Framework release that the family includes.
    pub dotnet: Dotnet,
    /// The names of the family in titles.
    products: Vec<TitleProduct>,
    /// The source of the row.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TitleProduct {
    product: String,
    #[serde(default)]
    release: Option<String>,
}

impl Family {
    /// Returns `true` if titles of the family have this product, whatever their version.
    pub fn has_product_word(&self, product: &str) -> bool {
        self.products.iter().any(|row| row.product.eq_ignore_ascii_case(product))
    }

    /// Returns `true` for the family of a version that the table does not contain.
    pub fn is_provisional(&self) -> bool {
        self.builds.is_empty()
    }

    /// Returns a provisional family: a version that titles name, and nothing else that is known of it.
    pub(super) fn next_version(&self, product: &str, release: &str) -> Self {
        let name = format!("{product} {release}");
        Self {
            id: 0,
            folder: slug(&name),
            name,
            builds: Vec::new(),
            releases: BTreeMap::new(),
            products: vec![TitleProduct { product: product.to_owned(), release: Some(release.to_owned()) }],
            source: "titles of the Catalog".to_owned(),
            ..self.clone()
        }
    }

    /// Returns `true` if a text of several products names one of the family, without a version: "Windows 7 and Windows
    /// Server 2008 R2 SP1".
    pub fn is_named_in(&self, text: &str) -> bool {
        let text = format!(" {} ", words(text));
        let several = text.contains(" and ");
        several
            && self
                .products
                .iter()
                .any(|row| row.release.is_none() && text.contains(&format!(" {} ", words(&row.product))))
    }

    /// Returns the product names of the family in titles, for people: "Windows 11, version 24H2".
    pub fn title_products(&self) -> impl Iterator<Item = String> {
        self.products.iter().map(|TitleProduct { product, release }| match release {
            Some(release) => format!("{product}, version {release}"),
            None => product.clone(),
        })
    }

    /// Returns the revision of a build, or `None` if the build belongs to another family. The versions of a family
    /// share their revisions: 26200.8117 and 26100.8117 have the same content.
    pub fn revision_of(&self, build: Build) -> Option<u32> {
        self.builds.contains(&build.number).then_some(build.revision)
    }

    /// Returns the build with the number that names the family, or `None` for another family: 26200.8117 becomes
    /// 26100.8117.
    pub fn canonical(&self, build: Build) -> Option<Build> {
        self.revision_of(build).map(|revision| Build::new(self.id, revision))
    }

    /// Returns the version of a build of the family (25H2), or `None` if the table does not list it.
    pub fn release_of(&self, build: u32) -> Option<&str> {
        self.releases.get(&build.to_string()).map(String::as_str)
    }

    /// Returns the search words with which the Catalog finds the titles of the family.
    pub fn search_words(&self) -> String {
        let main = self.products.first();
        let release = main.and_then(|row| row.release.as_deref()).unwrap_or_default();
        format!("{} {release}", main.map_or("", |row| row.product.as_str())).trim_end().to_owned()
    }

    /// Returns the search words for each version and name of the family: "Windows 11 24H2", "Windows 11 25H2".
    pub fn all_search_words(&self) -> impl Iterator<Item = String> {
        self.products.iter().map(|row| {
            let release = row.release.as_deref().unwrap_or_default();
            format!("{} {release}", row.product).trim_end().to_owned()
        })
    }

    /// Returns the names of the complete family: its name and its folder.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &str> {
        [self.name.as_str(), self.folder.as_str()].into_iter()
    }

    /// Returns the product names in titles, each with its version.
    pub(super) fn title_names(&self) -> impl Iterator<Item = (String, Option<String>)> {
        self.products.iter().map(|TitleProduct { product, release }| match release {
            Some(release) => (format!("{product} {release}"), Some(release.to_ascii_uppercase())),
            None => (product.clone(), None),
        })
    }

    /// Returns each product and version in titles.
    pub(super) fn title_pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.products.iter().map(|row| (row.product.as_str(), row.release.as_deref()))
    }

    /// Returns the product names without versions, which other families may share.
    pub(super) fn bare_products(&self) -> impl Iterator<Item = &str> {
        self.products.iter().map(|row| row.product.as_str())
    }

    /// Returns `true` if a title names this version of the family.
    pub fn has_release(&self, release: &str) -> bool {
        let of_titles = self.products.iter().filter_map(|row| row.release.as_deref());
        of_titles
            .chain(self.releases.values().map(String::as_str))
            .any(|own| own.eq_ignore_ascii_case(release))
    }

    /// Returns `true` if titles use this product and release for the family.
    pub fn has_product(&self, product: &str, release: Option<&str>) -> bool {
        self.products.iter().any(|row| {
            row.product.eq_ignore_ascii_case(product)
                && match (&row.release, release) {
                    (None, None) => true,
                    (Some(known), Some(requested)) => known.eq_ignore_ascii_case(requested),
                    _ => false,
                }
        })
    }

    /// Returns the rank of a product within the family, or `None` for other products. The first product is the main
    /// one.
    pub fn rank_of_product(&self, product: &str, release: Option<&str>) -> Option<usize> {
        let matches = |row: &TitleProduct| {
            row.product.eq_ignore_ascii_case(product)
                && row.release.as_deref().map(str::to_ascii_lowercase) == release.map(str::to_ascii_lowercase)
        };
        self.products.iter().position(matches)
    }
}

/// The family id in a row of another table.
#[derive(Debug)]
pub(super) struct FamilyReference {
    table: &'static str,
    row: String,
    family: u32,
}

impl FamilyReference {
    pub(super) fn new(table: &'static str, row: &dyn ToString, family: u32) -> Self {
        Self { table, row: row.to_string(), family }
    }
}

/// The table of families. If a set belongs to several families, the first one in this order names its folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Families {
    format: u32,
    /// The version and the date of all tables.
    version: String,
    date: Date,
    family: Vec<Family>,
}

const NAME: &str = "families.toml";

impl Families {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn date(&self) -> Date {
        self.date
    }

    /// Returns all families, in the order of the table.
    pub fn all(&self) -> &[Family] {
        &self.family
    }

    /// Returns an iterator over all families.
    pub fn iter(&self) -> std::slice::Iter<'_, Family> {
        self.family.iter()
    }

    /// Returns the family of a title's product and release, or `None` if no family has them.
    pub fn of_title(&self, product: &str, release: Option<&str>) -> Option<&Family> {
        self.iter().find(|family| family.has_product(product, release))
    }

    /// Returns the families of a machine with this build: a client family, a server family, or both.
    pub fn of_build(&self, build: u32) -> impl Iterator<Item = &Family> {
        self.iter().filter(move |family| family.builds.contains(&build))
    }

    /// Returns the client family and the server family with an id, if they exist.
    pub fn of_id(&self, id: u32) -> impl Iterator<Item = &Family> {
        self.iter().filter(move |family| family.id == id)
    }

    /// Returns the builds of all families with an id.
    pub(super) fn builds_of(&self, id: u32) -> Vec<u32> {
        self.of_id(id).flat_map(|family| family.builds.iter().copied()).collect()
    }

    /// Finds rows of other tables with an unknown family id.
    pub(super) fn unknown(&self, rows: impl IntoIterator<Item = FamilyReference>) -> Vec<TableFinding> {
        let unknown = rows.into_iter().filter(|row| self.of_id(row.family).next().is_none());
        unknown
            .map(|FamilyReference { table, row, family }| {
                let message = format!("{row} has an unknown family ({family})");
                TableFinding::new(table, "family_unknown", row, message)
            })
            .collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults =
            find_missing_sources(NAME, self.iter().map(|family| (family.name.clone(), &family.source)));
        let (mut folders, mut ids, mut products) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut called: BTreeMap<String, &str> = BTreeMap::new();
        for family in self {
            let label = format!("{} ({})", family.name, family.installation.as_str());
            let mut fault = |code, message| faults.push(TableFinding::new(NAME, code, &family.name, message));
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
            if family.folder.is_empty() || !family.folder.bytes().all(plain) {
                fault(
                    "folder",
                    format!("{label} has a folder that is not a plain name: {:?}", family.folder),
                );
            }
            if let Some(build) = family
                .releases
                .keys()
                .find(|build| !family.builds.iter().any(|own| own.to_string() == **build))
            {
                let message = format!("{label} has a release for build {build}, which it does not list");
                fault("build_unknown", message);
            }
            if !family.builds.contains(&family.id) {
                fault("build_unknown", format!("{label} does not list its own build"));
            }
            if !folders.insert(&family.folder) || !ids.insert((family.id, family.installation)) {
                fault("twice", format!("{label} is listed twice"));
            }
            for name in family.own_names() {
                let other = *called.entry(words(name)).or_insert(&family.folder);
                if other != family.folder {
                    fault("twice", format!("{label} has the name {name:?}, as {other} does"));
                }
            }
            for row in &family.products {
                let key =
                    (row.product.to_ascii_lowercase(), row.release.as_deref().map(str::to_ascii_lowercase));
                if !products.insert(key) {
                    let message =
                        format!("{label}: {} {:?} also belongs to another family", row.product, row.release);
                    fault("twice", message);
                }
            }
        }
        faults
    }
}

impl<'k> IntoIterator for &'k Families {
    type Item = &'k Family;
    type IntoIter = std::slice::Iter<'k, Family>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
