//! The state of a mirror as `health.json` keeps it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::update::schema::DateText;
use crate::update::{Architecture, Kb, Month};

/// The last verification of the whole mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastVerify {
    /// When.
    pub time: String,
    /// How many findings.
    pub findings: usize,
    /// How many of them are files of others, which no run heals; unknown where version 0.1 wrote it.
    #[serde(default)]
    pub foreign: Option<usize>,
    /// `true` if the other findings are in the index's list of damage, which heals them one by one. Otherwise all findings
    /// stay until a verification finds none.
    #[serde(default)]
    pub recorded: bool,
}

/// The matches of the last search for a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileSeen {
    /// The name of the profile.
    pub name: String,
    /// The folder word of its family.
    pub family: String,
    /// The day that the run took for today.
    #[schemars(with = "DateText")]
    pub today: Date,
    /// The first month that counted.
    pub first: Month,
    /// How many updates matched.
    pub wanted: usize,
    /// The newest month of a cumulative update among them.
    pub newest: Option<Month>,
}

/// How the mirror is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The format of the file.
    pub format: u32,
    /// When a sync ended last, RFC 3339.
    pub last_attempt: Option<String>,
    /// How it ended.
    pub last_exit_code: Option<u8>,
    /// When a sync last ended with everything done.
    pub last_success: Option<String>,
    /// The date of the newest update that is published.
    pub newest_content: Option<String>,
    /// What failed in the last sync.
    pub items_failed: usize,
    /// What the profiles expect and the Catalog does not show.
    pub expected: Vec<Expected>,
    /// KBs that are published here and that Microsoft withdrew.
    pub withdrawn: Vec<Kb>,
    /// KBs that are published here and that the Catalog shows no more.
    pub unlisted: Vec<Kb>,
    /// The last verification.
    pub last_verify: Option<LastVerify>,
    /// The room that is left on the disk.
    pub bytes_free: Option<u64>,
    /// The day that the last complete sync took for today.
    #[serde(default)]
    #[schemars(with = "Option<DateText>")]
    pub last_today: Option<Date>,
    /// The matches of the profiles in their last search.
    #[serde(default)]
    pub profiles: Vec<ProfileSeen>,
}

/// Something that should be in the Catalog and is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// The profile that expects it.
    pub profile: String,
    /// The KB, where it has one.
    pub kb: Option<Kb>,
    /// The architecture that lacks.
    pub architecture: Option<Architecture>,
    /// The month that lacks.
    pub month: Option<Month>,
    /// The same for people.
    pub message: String,
}
