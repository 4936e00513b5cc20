//! The documents of the commands that only read, `search`, `show`, and `list`, and of `fetch` and `crawl`.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{ErrorBody, FailedItem};
use super::set::{FetchedSetDocument, StoredSet};
use super::update::{UpdateDocument, UpdateSummary};
use crate::resolve::{Difference, Generation};
use crate::servicing::KnownRow;
use crate::update::schema::DateText;
use crate::update::{Kb, UpdateId};

/// The document of `search`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchDocument {
    /// The words of the query.
    pub query: String,
    /// The number of matching updates that the Catalog reports.
    pub total: u64,
    /// `true` if `updates` has all matches.
    pub complete: bool,
    /// The narrower queries that replaced a query with too many results.
    pub parts: Vec<QueryPart>,
    /// The updates.
    pub updates: Vec<UpdateSummary>,
    /// The number of rows that were read.
    pub found: usize,
    /// The number of rows that pass every filter.
    pub matching: usize,
    /// The number of rows that each filter excludes.
    pub left_out: Vec<FilterCount>,
    /// `true` if the Catalog truncated its results.
    pub capped: bool,
}

/// A narrower query that replaced a part of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QueryPart {
    /// The words of the query.
    pub query: String,
    /// The number of matching updates that the Catalog reports.
    pub total: u64,
    /// `true` if the results of this query were truncated as well, and it could not be narrowed further.
    pub cut: bool,
}

/// The number of rows that one filter excludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FilterCount {
    /// The option that sets the filter, such as `--arch`.
    pub filter: &'static str,
    /// The number of rows that the filter excludes. A row that several filters exclude counts for each of them.
    pub updates: usize,
}

/// The document of `show`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShowDocument {
    /// The KB.
    pub kb: Option<Kb>,
    /// The origin of the updates.
    pub from: ShowOrigin,
    /// The updates.
    pub updates: Vec<UpdateDocument>,
    /// The package sets in the mirror.
    pub sets: Vec<StoredSet>,
    /// The differences between the Catalog and the knowledge.
    pub differences: Vec<Difference>,
    /// The rows of the knowledge tables; null if the tables have no row about the KB.
    pub knowledge: Option<KbKnowledge>,
    /// The differences between the index and the Catalog; absent if the Catalog was not queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_differences: Option<Vec<IndexDifference>>,
    /// The pages that could not be read; absent if the Catalog was not queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<FailedItem>>,
    /// Unusual properties of the Catalog's responses; absent if the Catalog was not queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<String>>,
    /// The error of a failed Catalog query, if the index was shown instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// The origin of the updates that `show` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShowOrigin {
    /// The index of the mirror.
    Index,
    /// The Catalog.
    Catalog,
}

/// The rows of the knowledge tables about one KB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KbKnowledge {
    /// The version of the tables.
    pub version: String,
    /// The date of the tables.
    #[schemars(with = "DateText")]
    pub date: Date,
    /// The rows.
    pub rows: Vec<KnownRow>,
}

/// A property of an update that differs between the index and the Catalog. The values are part of the stable JSON
/// output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevisedProperty {
    /// The complete update: it exists on one side only.
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
    pub what: RevisedProperty,
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
    /// The bytes of package files that were downloaded. Always 0.
    pub bytes_downloaded: u64,
    /// The items that failed.
    pub failures: Vec<FailedItem>,
    /// The first failure as an error; absent if something was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Option<ErrorBody>>,
    /// The warnings; absent if nothing was recorded.
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
    /// The first failure as an error; null if a set was fetched.
    pub error: Option<ErrorBody>,
    /// The package sets of the KBs that were not requested.
    pub left_out: Vec<ExcludedSet>,
    /// The warnings.
    pub warnings: Vec<String>,
}

/// A package set that a fetch excludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExcludedSet {
    /// The KB.
    pub kb: Kb,
    /// The name of the folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: String,
    /// The name of the folder under the KB.
    pub folder_name: String,
    /// The filter that excludes the set.
    #[schemars(extend("deprecated" = true))]
    pub reason: ExclusionFilter,
    /// The filter that excludes the set.
    pub left_out_by: ExclusionFilter,
    /// The kind of the set, for people.
    #[serde(skip)]
    pub kind: &'static str,
    /// The issue of the KB, for people.
    #[serde(skip)]
    pub generation: Option<Generation>,
}

/// The filters of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionFilter {
    /// The set is for another architecture.
    Architecture,
    /// The set is for another product.
    Product,
    /// The set is of another kind.
    Kind,
    /// The set is a copy that only Windows Setup uses.
    Dynamic,
    /// The set is another issue of a KB that Microsoft issued again.
    Generation,
    /// The set is a delta update, which is never fetched.
    Delta,
    /// The set is an older version of a program, of which a newer version is fetched.
    OlderVersion,
}
