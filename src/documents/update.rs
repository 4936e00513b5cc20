//! Updates as documents: a search row, and an update as the index or the Catalog has it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::file::FileDocument;
use crate::clock::Time;
use crate::facts::RelatedUpdate;
use crate::update::schema::{DateText, TimeText};
use crate::update::{Architecture, Build, Kb, Kind, Month, UpdateId};

/// An update as a search shows it. A search reads neither details nor files, so that these are null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FoundUpdate {
    /// The identifier in the Catalog.
    pub update_id: UpdateId,
    /// The KB of the title.
    pub kb: Option<Kb>,
    /// The title.
    pub title: String,
    /// The kind; null where it cannot be determined.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// The version words of the title.
    pub release: Option<String>,
    /// The product words of the title.
    pub product: Option<String>,
    /// The Catalog's own string of products. Names contain commas.
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
    /// The withdrawal.
    pub withdrawn: Option<Withdrawal>,
    /// The files.
    pub files: Option<Vec<FileDocument>>,
    /// The updates that this one replaces.
    pub supersedes: Option<Vec<RelatedUpdate>>,
    /// The updates that replace this one.
    pub superseded_by: Option<Vec<RelatedUpdate>>,
}

/// An update as the index or the Catalog has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpdateDocument {
    /// The identifier in the Catalog.
    pub update_id: UpdateId,
    /// The KB of the title, or else of the details page.
    pub kb: Option<Kb>,
    /// The title.
    pub title: String,
    /// The kind; null where it cannot be determined.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// The version words of the title.
    pub release: Option<String>,
    /// The product words of the title.
    pub product: Option<String>,
    /// The Catalog's own string of products. Names contain commas.
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
    /// The withdrawal by Microsoft, as the knowledge has it.
    pub withdrawn: Option<Withdrawal>,
    /// The day since which the Catalog does not show it.
    #[schemars(with = "Option<DateText>")]
    pub expired: Option<Date>,
    /// The day on which it got the files that it has, if it had others before.
    #[schemars(with = "Option<DateText>")]
    pub reissued: Option<Date>,
    /// The severity by Microsoft's security team.
    pub severity: Option<String>,
    /// The restart behavior.
    pub restart: Option<String>,
    /// The time when the index saw it first; null where the index does not have it.
    #[schemars(with = "Option<TimeText>")]
    pub first_seen: Option<Time>,
    /// The time when the index saw it last; null where the index does not have it.
    #[schemars(with = "Option<TimeText>")]
    pub last_seen: Option<Time>,
    /// The files; null where the download dialog was not read.
    pub files: Option<Vec<FileDocument>>,
    /// The updates that this one replaces; null where the details page was not read.
    pub supersedes: Option<Vec<RelatedUpdate>>,
    /// The updates that replace this one; null where the details page was not read.
    pub superseded_by: Option<Vec<RelatedUpdate>>,
    /// The size in the Catalog's words; absent where the index answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_text: Option<Option<String>>,
}

/// The withdrawal of an update by Microsoft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Withdrawal {
    /// The update to take instead.
    pub successor: Kb,
    /// The reason, as a sentence.
    pub why: String,
}
