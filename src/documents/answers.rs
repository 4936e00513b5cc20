//! The documents of the commands that look: `search`, `show`, `list`, and what `fetch` and `crawl` answer.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{ErrorBody, FailedItem};
use super::set::{FetchedSetDocument, StoredSet};
use super::update::{FoundUpdate, UpdateDocument};
use crate::resolve::Difference;
use crate::servicing::KnownRow;
use crate::update::schema::DateText;
use crate::update::{Kb, UpdateId};

/// The document of `search`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchDocument {
    /// The words of the query.
    pub query: String,
    /// The number of updates that the Catalog announces.
    pub total: u64,
    /// `true` if these are all that match.
    pub complete: bool,
    /// The queries that a query with too many answers was narrowed to.
    pub parts: Vec<QueryPart>,
    /// The updates.
    pub updates: Vec<FoundUpdate>,
    /// The number of rows that were read.
    pub found: usize,
    /// The number of rows that every filter agrees to.
    pub matching: usize,
    /// The rows that each filter leaves out.
    pub left_out: Vec<FilteredOut>,
    /// `true` if the Catalog cut its answer.
    pub capped: bool,
}

/// A query that a search was narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QueryPart {
    /// The words of the query.
    pub query: String,
    /// The number of updates that the Catalog announces.
    pub total: u64,
    /// `true` if this part was over the cap as well, and could not be narrowed further.
    pub cut: bool,
}

/// The rows that one filter leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FilteredOut {
    /// The option that sets the filter, such as `--arch`.
    pub filter: &'static str,
    /// The number of rows that it leaves out, also where another filter leaves them out too.
    pub updates: usize,
}

/// The document of `show`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShowDocument {
    /// The KB.
    pub kb: Option<Kb>,
    /// The origin of the updates.
    pub from: ShownFrom,
    /// The updates.
    pub updates: Vec<UpdateDocument>,
    /// The package sets in the mirror.
    pub sets: Vec<StoredSet>,
    /// The differences between the Catalog and the knowledge.
    pub differences: Vec<Difference>,
    /// The rows of the knowledge tables; null where they have nothing.
    pub knowledge: Option<KnownOfKb>,
    /// The differences between the index and the Catalog; absent where the index answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_differences: Option<Vec<IndexDifference>>,
    /// The pages that could not be read; absent where the index answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<FailedItem>>,
    /// Oddities of the Catalog's answers; absent where the index answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<String>>,
    /// The refusal of the Catalog, where this side shows what it has all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// The origin of what `show` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownFrom {
    /// The index of the mirror.
    Index,
    /// The Catalog.
    Catalog,
}

/// The rows of the knowledge tables about one KB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KnownOfKb {
    /// The version of the tables.
    pub version: String,
    /// The date of the tables.
    #[schemars(with = "DateText")]
    pub date: Date,
    /// The rows.
    pub rows: Vec<KnownRow>,
}

/// A property of an update in which the index and the Catalog differ. The words are a promise of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevisedWhat {
    /// The whole update: one side does not have it.
    Update,
    /// The title.
    Title,
    /// The date.
    Date,
    /// The size.
    Size,
    /// The classification.
    Classification,
    /// The files.
    Files,
    /// The updates that replace it.
    SupersededBy,
    /// The updates that it replaces.
    Supersedes,
}

/// A difference between the index and the Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IndexDifference {
    /// The update.
    pub update_id: UpdateId,
    /// The property.
    pub what: RevisedWhat,
    /// The values that only the index has.
    pub index: Vec<String>,
    /// The values that only the Catalog has.
    pub catalog: Vec<String>,
}

/// The document of `list`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ListDocument {
    /// The published package sets.
    pub sets: Vec<StoredSet>,
}

/// The document of `crawl`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CrawlDocument {
    /// The recorded package sets.
    pub sets: Vec<StoredSet>,
    /// The number of requests.
    pub requests: u64,
    /// The bytes of package files that were downloaded: none.
    pub bytes_downloaded: u64,
    /// The items that failed.
    pub failures: Vec<FailedItem>,
    /// The first failure as an error; absent where something was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Option<ErrorBody>>,
    /// The warnings; absent where nothing was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<String>>,
}

/// The document of `fetch`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FetchDocument {
    /// The package sets.
    pub sets: Vec<FetchedSetDocument>,
    /// The number of requests.
    pub requests: u64,
    /// The bytes of package files that were downloaded.
    pub bytes_downloaded: u64,
    /// The items that failed.
    pub failures: Vec<FailedItem>,
    /// The first failure as an error; null where there is a set.
    pub error: Option<ErrorBody>,
    /// The package sets of the KBs that were not asked for.
    pub left_out: Vec<LeftOutSet>,
    /// The warnings.
    pub warnings: Vec<String>,
}

/// A package set that a fetch leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOutSet {
    /// The KB.
    pub kb: Kb,
    /// The name of the folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: String,
    /// The name of the folder under the KB.
    pub folder_name: String,
    /// The filter that leaves it out.
    #[schemars(extend("deprecated" = true))]
    pub reason: LeftOutBy,
    /// The filter that leaves it out.
    pub left_out_by: LeftOutBy,
    /// The word of its kind for people.
    #[serde(skip)]
    pub kind: &'static str,
}

/// The filters of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutBy {
    /// It is for another architecture.
    Architecture,
    /// It is for another product.
    Product,
    /// It is of another kind.
    Kind,
    /// It is a copy that only Windows Setup takes.
    Dynamic,
}
