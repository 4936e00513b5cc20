//! `state.json`: the state of a mirror that cannot be derived from its content.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::update::{Architecture, Kb, Sha256};

/// The format of `state.json`.
pub const STATE_FORMAT: u32 = 1;

/// The state of a mirror outside of its index: its lineage, its memory of media, and the KBs that were removed on
/// purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateDocument {
    /// The format of the file.
    pub format: u32,
    /// The id of the mirror in the sets that it exports. The first export generates the id.
    #[serde(default)]
    pub mirror_id: Option<String>,
    /// The sequence number of the last export that began; 0 before the first export.
    #[serde(default)]
    pub export_seq: u64,
    /// The number for people of the last export that began; null if version 0.1 exported it, which counted in
    /// `export_seq`.
    #[serde(default)]
    pub export_number: Option<u64>,
    /// The time of the last export that began, RFC 3339.
    #[serde(default)]
    pub last_export: Option<String>,
    /// The memory of imports, by lineage (the number of the root key).
    #[serde(default)]
    pub imports: BTreeMap<String, LastImport>,
    /// The newest list of export keys of each root key, in the format of `keys.json`, by the number of the root
    /// key.
    #[serde(default)]
    pub export_keys: BTreeMap<String, serde_json::Value>,
    /// The KBs that were removed on purpose. `sync` and `import` skip them.
    #[serde(default)]
    pub removed: Vec<RemovedKb>,
}

impl StateDocument {
    /// Returns the state of a mirror without exports, imports, and removals.
    pub fn new() -> Self {
        Self {
            format: STATE_FORMAT,
            mirror_id: None,
            export_seq: 0,
            export_number: None,
            last_export: None,
            imports: BTreeMap::new(),
            export_keys: BTreeMap::new(),
            removed: Vec::new(),
        }
    }

    /// Returns `true` if a KB was removed on purpose for an architecture. `None` stands for packages without an
    /// architecture.
    pub fn is_removed(&self, kb: Kb, architecture: Option<Architecture>) -> bool {
        let is_same = |removed: &RemovedKb| {
            removed.kb == kb && removed.architecture.is_none_or(|own| architecture == Some(own))
        };
        self.removed.iter().any(is_same)
    }
}

impl Default for StateDocument {
    fn default() -> Self {
        Self::new()
    }
}

/// The memory of a lineage of media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastImport {
    /// The sequence number of the newest set.
    pub seq: u64,
    /// The number of the newest set, for people; absent for sets of version 0.1, where `seq` counts the sets.
    #[serde(default)]
    pub number: Option<u64>,
    /// The digest of its `set.json`.
    pub set_id: Sha256,
    /// The time of its export.
    pub created: String,
    /// The time of the last import of the lineage, RFC 3339; null if version 0.1 imported it.
    #[serde(default)]
    pub imported: Option<String>,
    /// The number of the key that signed the newest set; null if an earlier version imported it.
    #[serde(default)]
    pub export_key: Option<String>,
    /// The completely imported sets, by the digests of their `set.json`.
    pub finished: BTreeSet<Sha256>,
}

/// A KB that was removed on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemovedKb {
    /// The KB.
    pub kb: Kb,
    /// The architecture; null for all architectures.
    pub architecture: Option<Architecture>,
    /// The time of the removal, RFC 3339.
    pub removed: String,
}
