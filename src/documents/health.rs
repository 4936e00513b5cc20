//! The content of `health.json`: the recorded state of a mirror.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::update::schema::DateText;
use crate::update::{Architecture, Kb, Month};

/// The last verification of the complete mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastVerify {
    /// The time, RFC 3339.
    pub time: String,
    /// The number of findings.
    pub findings: usize,
    /// The number of foreign files among them, which only `repair` moves away; null if version 0.1 wrote the record.
    #[serde(default)]
    pub foreign: Option<usize>,
    /// `true` if the other findings are in the index's list of damage, from which they are removed one by one.
    /// Otherwise all findings stay until a verification finds no damage.
    #[serde(default)]
    pub recorded: bool,
}

/// The matches of the last search for a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileRecord {
    /// The name of the profile.
    pub name: String,
    /// The folder name of its family.
    pub family: String,
    /// The date that the run used as today.
    #[schemars(with = "DateText")]
    pub today: Date,
    /// The oldest month that was searched.
    pub first: Month,
    /// The number of updates that matched.
    pub wanted: usize,
    /// The newest month of a matching cumulative update.
    pub newest: Option<Month>,
}

/// The recorded state of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The format of the file.
    pub format: u32,
    /// The time when the last sync ended, RFC 3339.
    pub last_attempt: Option<String>,
    /// The exit code of the last sync.
    pub last_exit_code: Option<u8>,
    /// The time when the last complete sync ended.
    pub last_success: Option<String>,
    /// The date of the newest published update.
    pub newest_content: Option<String>,
    /// The number of items that failed in the last sync.
    pub items_failed: usize,
    /// The updates that the profiles expect and the Catalog does not list.
    pub expected: Vec<ExpectedUpdate>,
    /// The published KBs that Microsoft has withdrawn.
    pub withdrawn: Vec<Kb>,
    /// The published KBs that the Catalog does not list any more.
    pub unlisted: Vec<Kb>,
    /// The last verification.
    pub last_verify: Option<LastVerify>,
    /// The free bytes of the disk.
    pub bytes_free: Option<u64>,
    /// The date that the last complete sync used as today.
    #[serde(default)]
    #[schemars(with = "Option<DateText>")]
    pub last_today: Option<Date>,
    /// The matches of the profiles in their last search.
    #[serde(default)]
    pub profiles: Vec<ProfileRecord>,
}

/// An update that should be in the Catalog and is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedUpdate {
    /// The profile that expects it.
    pub profile: String,
    /// The KB, if the update has one.
    pub kb: Option<Kb>,
    /// The missing architecture.
    pub architecture: Option<Architecture>,
    /// The missing month.
    pub month: Option<Month>,
    /// The problem, for people.
    pub message: String,
}
