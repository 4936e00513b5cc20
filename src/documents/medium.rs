//! The JSON files on a medium: `set.json` and the mark of an unfinished export. Both are signed in their written
//! form, so a value that was read is never written back in another form.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::update::{Architecture, Kb, Sha256};

/// The description of an export set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediumSet {
    /// The format of the file.
    pub format: u32,
    /// The text "kbmirror export set".
    pub what: String,
    /// The id of the mirror.
    pub mirror_id: String,
    /// The id of the root key. The sets of one lineage have increasing sequence numbers.
    pub lineage: String,
    /// The sequence number of the set in its lineage: a later set has a higher number. The number advances with the
    /// clock, so that a mirror that was restored from a backup does not fall behind its own media.
    pub seq: u64,
    /// The number of the set, for people; absent in files of version 0.1, where `seq` counts the sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The time of the export, RFC 3339.
    pub created: String,
    /// The end of the set's validity, RFC 3339; absent for a set that does not expire, such as those of version
    /// 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The name and version of the program.
    pub tool: String,
    /// The origin of the mirror's content: `live`, `replay`, or a host.
    pub origin: String,
    /// `true` if the files are stand-ins that cannot be installed.
    pub demo: bool,
    /// The knowledge tables on the medium.
    pub knowledge: KnowledgeMark,
    /// The selection of the export.
    pub selection: MediumSelection,
    /// The package sets of earlier exports that stay on the medium; absent in files of version 0.1.
    #[serde(default)]
    pub retained: Vec<RetainedSet>,
    /// `true` if the medium has everything that was selected.
    pub complete: bool,
    /// The selected items that are not on the medium.
    pub missing: Vec<MissingItem>,
    /// The receipt on which the set builds. Always null in this format.
    pub base: Option<String>,
    /// The digest of the listing.
    pub listing_sha256: Sha256,
    /// The volumes.
    pub volumes: Vec<Volume>,
    /// The updates of the set that Microsoft withdrew.
    pub withdrawn: Vec<WithdrawnItem>,
    /// The digests of all other files outside of `data/`, by path.
    pub tag_files: BTreeMap<String, Sha256>,
}

/// The version and date of knowledge tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnowledgeMark {
    /// The version.
    pub version: String,
    /// The date.
    pub date: String,
}

/// The selection of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediumSelection {
    /// `true` if all published package sets were selected.
    pub all: bool,
    /// The selected KBs.
    pub kbs: Vec<Kb>,
    /// The selected architectures. An empty list selects all.
    pub architectures: Vec<Architecture>,
}

/// A package set that stays on a medium and was not selected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetainedSet {
    /// The KB.
    pub kb: Kb,
    /// The name of its folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: String,
    /// The name of its folder under the KB; absent in older files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder_name: Option<String>,
    /// `true` if the exporting mirror has the set itself.
    pub in_mirror: bool,
}

/// A selected item that is not on a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingItem {
    /// The KB.
    pub kb: Kb,
    /// The name of the set folder under the KB, or the role.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// A volume of a set: one medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// The number, from 1.
    pub number: u32,
    /// The number of files under `data/`.
    #[schemars(extend("deprecated" = true))]
    pub files: u64,
    /// The number of files under `data/`; absent in older files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    /// The bytes of these files.
    pub bytes: u64,
    /// The digest of the manifest.
    pub manifest_sha256: Sha256,
}

/// An update that Microsoft withdrew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WithdrawnItem {
    /// The KB.
    pub kb: Kb,
    /// The KB to install instead.
    pub successor: Kb,
    /// The reason.
    pub why: String,
}

impl MediumSet {
    /// Returns the number of the set as text for people, such as `0007`.
    pub fn label(&self) -> String {
        format!("{:04}", self.number())
    }

    /// Returns the number of the set, for people.
    pub fn number(&self) -> u64 {
        self.number.unwrap_or(self.seq)
    }
}

/// The mark of an unfinished export: a text and its signature in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedMark {
    /// The mark as a JSON text.
    pub body: String,
    /// The signature over the text, in the format of minisign.
    pub signature: String,
}

/// The signed text of the mark of an unfinished export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportMark {
    /// The format of the text.
    pub format: u32,
    /// The text "kbmirror unfinished export".
    pub what: String,
    /// The id of the mirror.
    pub mirror_id: String,
    /// The id of its root key.
    pub lineage: String,
    /// The sequence number of the set.
    pub seq: u64,
    /// The time when the export began, RFC 3339.
    pub created: String,
    /// The paths of all files under `data/` that the export may leave behind.
    #[schemars(extend("deprecated" = true))]
    pub files: Vec<String>,
}
