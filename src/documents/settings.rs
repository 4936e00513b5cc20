//! The documents of the commands that configure a mirror, `init`, `keys`, and `schedule`, and of the command
//! `knowledge`.

use camino::Utf8PathBuf;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::servicing::TableInfo;
use crate::update::Architecture;
use crate::update::schema::DateText;

/// The document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitDocument<'a> {
    /// The folder of the mirror.
    #[schemars(with = "String")]
    pub mirror: Utf8PathBuf,
    /// The configuration file.
    #[schemars(with = "String")]
    pub config: Utf8PathBuf,
    /// The folder name of the family.
    pub family: &'a str,
    /// The architectures.
    pub architectures: Vec<Architecture>,
    /// The facts about the family that are unknown.
    pub warnings: Vec<String>,
}

/// The document of `keys init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewKeysDocument {
    /// The root key, in the format of minisign.
    pub root: String,
    /// The id of the root key.
    pub id: String,
    /// The file with the secret root key.
    #[schemars(with = "String")]
    pub secret_root_key: Utf8PathBuf,
}

/// The document of `keys show`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeysDocument {
    /// The root key of this side; null if this side has none.
    pub root: Option<String>,
    /// The trusted root keys.
    pub trusted: Vec<String>,
}

/// The document of `keys trust`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrustDocument {
    /// The root key.
    pub trusted: String,
    /// The id of the root key.
    pub id: String,
    /// `true` if the key was not trusted before.
    pub new: bool,
}

/// The document of `schedule`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScheduleDocument<'a> {
    /// The scheduler: `systemd`, `cron`, or `windows_task`.
    pub kind: &'a str,
    /// The files for the scheduler.
    pub files: Vec<TextFile<'a>>,
    /// The paths that were written.
    #[schemars(with = "Vec<String>")]
    pub written: Vec<Utf8PathBuf>,
}

/// The document of `completions` and `man`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GeneratedDocument<'a> {
    /// The type of the texts: `completions` or `man`.
    pub kind: &'a str,
    /// The texts. The name of completions is the shell.
    pub files: Vec<TextFile<'a>>,
    /// The paths that were written.
    #[schemars(with = "Vec<String>")]
    pub written: Vec<Utf8PathBuf>,
}

/// A text with its file name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TextFile<'a> {
    /// The name of the file.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
}

/// The document of `knowledge show`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnowledgeDocument {
    /// The version of the tables.
    pub version: String,
    /// The date of the tables.
    #[schemars(with = "DateText")]
    pub date: Date,
    /// The tables.
    pub tables: Vec<TableInfo>,
}

/// The document of `knowledge show TABLE`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TableDocument<'a> {
    /// The name of the table's file.
    pub name: &'a str,
    /// The subject of the table.
    pub about: Option<&'a str>,
    /// The rows, in the format of the table.
    pub rows: Vec<Value>,
    /// The path to which the table was written.
    #[schemars(with = "Option<String>")]
    pub path: Option<Utf8PathBuf>,
}
