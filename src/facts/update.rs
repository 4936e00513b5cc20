//! An update as the index describes it.

use jiff::civil::Date;

use super::file::FileKey;
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Build, Kb, Kind, Month, UpdateId};

/// The facts of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFacts {
    /// Its id.
    pub id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The KB of the title, else of the details page.
    pub kb: Option<Kb>,
    /// Its kind.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// Product words of the title.
    pub product: Option<String>,
    /// Version words of the title.
    pub release: Option<String>,
    /// The Catalog's product string.
    pub products: String,
    /// Architecture of the title.
    pub architecture: Option<Architecture>,
    /// Build suffix of the title.
    pub build: Option<Build>,
    /// Date of the entry.
    pub last_updated: Option<Date>,
    /// The sum over its files, as the search page states it.
    pub size: Option<u64>,
    /// Its files in the dialog's order; `None` when the dialog was never read.
    pub files: Option<Vec<FileKey>>,
    /// The date on which the dialog was read last.
    pub files_seen: Option<Date>,
    /// Set if the Catalog does not show it any more.
    pub expired: Option<Expired>,
}

/// An update that the Catalog had and does not have any more. That by itself is not a fault of the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The day since which that is certain.
    pub since: Date,
    /// The newest KB that the Catalog said replaces it.
    pub successor: Option<Kb>,
}

/// The other end of a replacement. The field names are a promise of JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct RelatedUpdate {
    /// The identifier; null where the title matches no single update.
    pub update_id: Option<UpdateId>,
    /// The title.
    pub title: String,
}

impl UpdateFacts {
    /// The family that the title names.
    pub fn family<'k>(&self, knowledge: &'k Knowledge) -> Option<&'k Family> {
        knowledge.families().of_title(self.product.as_deref()?, self.release.as_deref())
    }

    /// Product and version for people: "Windows 11, version 24H2"; the title where it names none.
    pub fn product_name(&self) -> String {
        match (&self.product, &self.release) {
            (Some(product), Some(release)) => format!("{product}, version {release}"),
            (Some(product), None) => product.clone(),
            (None, _) => self.title.clone(),
        }
    }
}
