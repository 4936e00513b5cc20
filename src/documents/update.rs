//! Updates as documents: a search row, and an update from the index or the Catalog.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::file::FileDocument;
use crate::clock::Time;
use crate::facts::RelatedUpdate;
use crate::update::schema::{DateText, TimeText};
use crate::update::{Architecture, Build, Kb, Kind, Month, UpdateId};

/// An update in a search result. A search reads neither details nor files, so these fields are null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpdateSummary {
    /// The id of the update in the Catalog.
    pub update_id: UpdateId,
    /// The KB of the title.
    pub kb: Option<Kb>,
    /// The title.
    pub title: String,
    /// The kind; null if it cannot be determined.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// The version in the title.
    pub release: Option<String>,
    /// The product in the title.
    pub product: Option<String>,
    /// The Catalog's own product string. Product names contain commas.
    pub products: String,
    /// The products, as the title names them.
    pub product_list: Vec<String>,
    /// The Catalog's classification.
    pub classification: String,
    /// The architecture of the title.
    pub architecture: Option<Architecture>,
    /// The build of the title.
    pub build: Option<Build>,
    /// The date of the entry.
    #[schemars(with = "DateText")]
    pub last_updated: Date,
    /// The bytes of all files.
    pub size: u64,
    /// The withdrawal by Microsoft; null if it was not withdrawn.
    pub withdrawn: Option<Withdrawal>,
    /// The files.
    pub files: Option<Vec<FileDocument>>,
    /// The updates that this one replaces.
    pub supersedes: Option<Vec<RelatedUpdate>>,
    /// The updates that replace this one.
    pub superseded_by: Option<Vec<RelatedUpdate>>,
}

/// An update from the index or the Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpdateDocument {
    /// The id of the update in the Catalog.
    pub update_id: UpdateId,
    /// The KB of the title, otherwise of the details page.
    pub kb: Option<Kb>,
    /// The title.
    pub title: String,
    /// The kind; null if it cannot be determined.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// The version in the title.
    pub release: Option<String>,
    /// The product in the title.
    pub product: Option<String>,
    /// The Catalog's own product string. Product names contain commas.
    pub products: String,
    /// The products, as the title names them.
    pub product_list: Vec<String>,
    /// The Catalog's classification.
    pub classification: Option<String>,
    /// The architecture of the title.
    pub architecture: Option<Architecture>,
    /// The build of the title.
    pub build: Option<Build>,
    /// The date of the entry.
    #[schemars(with = "Option<DateText>")]
    pub last_updated: Option<Date>,
    /// The bytes of all files.
    pub size: Option<u64>,
    /// The withdrawal by Microsoft, from the knowledge tables.
    pub withdrawn: Option<Withdrawal>,
    /// The day since which the Catalog does not list the update.
    #[schemars(with = "Option<DateText>")]
    pub expired: Option<Date>,
    /// The day when Microsoft replaced the files, if other files were published before.
    #[schemars(with = "Option<DateText>")]
    pub reissued: Option<Date>,
    /// The severity rating of Microsoft (MSRC).
    pub severity: Option<String>,
    /// The restart behaviour.
    pub restart: Option<String>,
    /// The time when the index first saw the update; null if the index does not have it.
    #[schemars(with = "Option<TimeText>")]
    pub first_seen: Option<Time>,
    /// The time when the index last saw the update; null if the index does not have it.
    #[schemars(with = "Option<TimeText>")]
    pub last_seen: Option<Time>,
    /// The files; null if the download dialog was not read.
    pub files: Option<Vec<FileDocument>>,
    /// The updates that this one replaces; null if the details page was not read.
    pub supersedes: Option<Vec<RelatedUpdate>>,
    /// The updates that replace this one; null if the details page was not read.
    pub superseded_by: Option<Vec<RelatedUpdate>>,
    /// The size as the Catalog prints it; absent if the Catalog was not queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_text: Option<Option<String>>,
}

/// The withdrawal of an update by Microsoft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Withdrawal {
    /// The update to install instead.
    pub successor: Kb,
    /// The reason, as a sentence.
    pub why: String,
}
