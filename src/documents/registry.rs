//! The list of all documents, with the names for `kbmirror schema`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{
    BatchError, CheckMediumDocument, CrawlDocument, DistrustDocument, ErrorDocument, ExportDocument,
    ExportMark, ExportRehearsal, FetchDocument, ForgetDocument, GeneratedDocument, GraphDocument, Health,
    HostFile, ImportDocument, InitDocument, InspectDocument, KbDocument, KeyListDocument, KeysDocument,
    KnowledgeDocument, LintDocument, ListDocument, LogLine, MediumReport, MediumSet, MovedRootDocument,
    NewKeysDocument, News, RepairDocument, RevokedDocument, RotatedDocument, ScheduleDocument,
    ScriptDocument, SearchDocument, ShowDocument, SignedMark, StageDocument, StateDocument, StatusDocument,
    SyncDocument, SyncErrorDocument, TableDocument, TrustDocument, VerifyReport, WhyDocument,
};
use crate::resolve::{BatchLine, Plan};
use crate::servicing::TableCheck;

/// The direction of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The program writes it.
    Output,
    /// The program reads it.
    Input,
    /// The program writes it on one side of the air gap and reads it on the other.
    Both,
}

impl Direction {
    /// Returns the name of the direction in tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Input => "input",
            Self::Both => "both",
        }
    }
}

/// An entry of the list of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SchemaLine {
    /// The name of the document.
    pub name: &'static str,
    /// The direction: `output`, `input`, or `both`.
    pub direction: Direction,
    /// The command or the file of the document.
    pub of: &'static str,
}

/// A kind of document.
#[derive(Debug, Clone, Copy)]
pub struct DocumentKind {
    /// The name.
    pub name: &'static str,
    /// The direction.
    pub direction: Direction,
    /// The command or the file of the document.
    pub of: &'static str,
    schema: fn() -> Schema,
}

impl DocumentKind {
    const fn output<T: JsonSchema>(name: &'static str, of: &'static str) -> Self {
        Self { name, direction: Direction::Output, of, schema: written::<T> }
    }

    const fn file<T: JsonSchema>(name: &'static str, of: &'static str) -> Self {
        Self { name, direction: Direction::Both, of, schema: written::<T> }
    }

    const fn input<T: JsonSchema>(name: &'static str, of: &'static str) -> Self {
        Self { name, direction: Direction::Input, of, schema: read::<T> }
    }

    /// Returns the JSON Schema, draft 2020-12.
    pub fn schema(&self) -> Schema {
        let mut schema = (self.schema)();
        schema.insert("title".to_owned(), self.name.into());
        schema
    }

    /// Returns the entry in the list of documents.
    pub fn line(&self) -> SchemaLine {
        SchemaLine { name: self.name, direction: self.direction, of: self.of }
    }

    /// Returns the document with a name, or `None` if it does not exist.
    pub fn named(name: &str) -> Option<&'static Self> {
        DOCUMENTS.iter().find(|kind| kind.name == name)
    }
}

fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

fn read<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>()
}

/// Every document, sorted by name.
pub const DOCUMENTS: &[DocumentKind] = &[
    DocumentKind::output::<BatchError>("batch-error", "resolve --batch, for a line that cannot be resolved"),
    DocumentKind::input::<BatchLine>("batch", "a line of the file of resolve --batch"),
    DocumentKind::output::<CheckMediumDocument<'_>>("check-medium", "check-medium"),
    DocumentKind::output::<MediumReport<'_, CheckMediumDocument<'_>>>(
        "check-medium-report",
        "runs/<time>-check-medium.json",
    ),
    DocumentKind::output::<CrawlDocument>("crawl", "crawl"),
    DocumentKind::output::<ErrorDocument>("error", "every command, for an error"),
    DocumentKind::output::<ExportDocument<'_>>("export", "export"),
    DocumentKind::output::<ExportRehearsal<'_>>("export-dry-run", "export --dry-run"),
    DocumentKind::output::<MediumReport<'_, ExportDocument<'_>>>("export-report", "runs/<time>-export.json"),
    DocumentKind::output::<FetchDocument>("fetch", "fetch"),
    DocumentKind::output::<ForgetDocument>("forget", "forget"),
    DocumentKind::output::<GeneratedDocument<'_>>("generated", "completions and man"),
    DocumentKind::output::<GraphDocument<'_>>("graph", "graph"),
    DocumentKind::output::<Health>("health", "health.json"),
    DocumentKind::input::<HostFile>("host", "the file of resolve --host, as collect.cmd writes it"),
    DocumentKind::output::<ImportDocument<'_>>("import", "import"),
    DocumentKind::output::<MediumReport<'_, ImportDocument<'_>>>("import-report", "runs/<time>-import.json"),
    DocumentKind::output::<InitDocument<'_>>("init", "init"),
    DocumentKind::output::<InspectDocument>("inspect", "inspect"),
    DocumentKind::output::<DistrustDocument>("keys-distrust", "keys distrust"),
    DocumentKind::output::<NewKeysDocument>("keys-init", "keys init"),
    DocumentKind::file::<KbDocument>("kb", "kb/<KB>/<KB>.json in a mirror"),
    DocumentKind::output::<KeyListDocument>("keys-list", "keys list"),
    DocumentKind::output::<MovedRootDocument>("keys-move-root", "keys move-root"),
    DocumentKind::output::<RevokedDocument>("keys-revoke", "keys revoke"),
    DocumentKind::output::<RotatedDocument>("keys-rotate", "keys rotate"),
    DocumentKind::output::<KeysDocument>("keys-show", "keys show"),
    DocumentKind::output::<TrustDocument>("keys-trust", "keys trust"),
    DocumentKind::output::<KnowledgeDocument>("knowledge", "knowledge show"),
    DocumentKind::output::<TableCheck>("knowledge-check", "knowledge check"),
    DocumentKind::output::<TableDocument<'_>>("knowledge-table", "knowledge show TABLE"),
    DocumentKind::output::<LintDocument<'_>>("lint", "lint"),
    DocumentKind::output::<ListDocument>("list", "list"),
    DocumentKind::output::<LogLine>("log", "--log-format json, each line"),
    DocumentKind::file::<MediumSet>("medium-set", "set.json on a medium"),
    DocumentKind::file::<SignedMark>("medium-unfinished", "unfinished/export.json on a medium"),
    DocumentKind::file::<ExportMark>("medium-unfinished-body", "the body in unfinished/export.json"),
    DocumentKind::output::<News>("news", "status --news, and runs/<time>-news.json"),
    DocumentKind::output::<RepairDocument>("repair", "repair"),
    DocumentKind::output::<Plan>("resolve", "resolve, and each line of resolve --batch"),
    DocumentKind::output::<ScheduleDocument<'_>>("schedule", "schedule"),
    DocumentKind::output::<Vec<SchemaLine>>("schema", "schema"),
    DocumentKind::output::<ScriptDocument<'_>>("script", "script"),
    DocumentKind::output::<SearchDocument>("search", "search"),
    DocumentKind::output::<ShowDocument>("show", "show"),
    DocumentKind::output::<StageDocument<'_>>("stage", "stage"),
    DocumentKind::file::<StateDocument>("state", "state.json in a mirror"),
    DocumentKind::output::<StatusDocument<'_>>("status", "status"),
    DocumentKind::output::<SyncDocument<'_>>("sync", "sync, and runs/<time>-sync.json"),
    DocumentKind::output::<SyncErrorDocument>(
        "sync-error",
        "runs/<time>-sync.json of a run that ended with an error",
    ),
    DocumentKind::output::<VerifyReport>("verify", "verify, and runs/<time>-verify.json"),
    DocumentKind::output::<WhyDocument<'_>>("why", "why"),
];
