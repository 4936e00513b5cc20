//! Every JSON document as a type with its schema, in one list.
//!
//! A document is the output of a command with `--json`, a file that a run writes under `runs/`, or a JSON file that
//! the program reads. Field names are stable: fields are added, never changed or removed. Unknown values are null.
//! If an older field name has another type or meaning in another document, a newer name exists beside it, and the
//! schema marks the older name as deprecated.
//!
//! # Words with one meaning
//!
//! - `products` is the Catalog's own string; `product_list` has the products as titles name them.
//! - `files` and `file_list` list objects with a `name`; `file_count` is a number.
//! - `folder` is a set folder relative to the mirror; `folder_name` is its name under the KB; other folders are a
//!   `path`.
//! - `failures` and `failure_list` list items with `what`, `kind`, and `message`.
//! - `reason` and `why` are sentences.
//!
//! # Layers
//!
//! The types of results (a plan, a lint report) belong to the modules that compute them and are used here
//! unchanged. All other documents are types of this module. Higher modules fill them, and commands print them.
//! Nothing here reads a file or an index. Pure: a schema is generated from a type alone and cannot fail.

mod answers;
mod checks;
mod damage;
mod error;
mod export;
mod file;
mod forget;
mod health;
mod host;
mod import;
mod inspect;
mod kb;
mod keys;
mod log;
mod medium;
mod plans;
mod registry;
mod repair;
mod set;
mod settings;
mod state;
mod sync;
mod update;

pub use answers::{
    CrawlDocument, ExcludedSet, ExclusionFilter, FetchDocument, FilterCount, IndexDifference, KbKnowledge,
    ListDocument, QueryPart, RevisedProperty, SearchDocument, ShowDocument, ShowOrigin,
};
pub use checks::{
    CheckResult, CheckVerdict, Checks, ClockTimes, ContentCount, ContentRoute, FamilyRelease, FamilyReleases,
    ImportedMedium, LastRun, MediumAge, MediumNumbers, OpenFindings, ProfileMatch, ProfileMatches,
    ReleaseAge, StatusCheck, StatusDocument, UpdateAge,
};
pub use damage::{DamagedSet, FindingKind, SetFault, VerifyFinding, VerifyReport};
pub use error::{BatchError, ErrorBody, ErrorDocument, FailedItem};
pub use export::{
    ChangedSetDocument, ExportDocument, ExportPlanDocument, ExportRehearsal, ExportSpace, ExportedDocument,
    PlannedSetDocument, SetChange, SharedFileSystem,
};
pub use file::{FileDocument, MemberDocument};
pub use forget::{ForgetDocument, ForgottenFile, ForgottenSet};
pub use health::{ExpectedUpdate, Health, LastVerify, ProfileRecord};
pub use host::HostFile;
pub use import::{
    AbsentFile, CheckMediumDocument, HealedFile, ImportDocument, ImportedDocument, MediumReport,
};
pub use inspect::{InspectDocument, InspectedFile, NameDigest, SignatureState};
pub use kb::{EdgeLine, FileLine, KB_JSON_FORMAT, KbDocument, ListedFile, REPLAY, SetRecord, UpdateLine};
pub use keys::{
    DistrustDocument, KeyKind, KeyListDocument, KeyState, ListedKey, MovedRootDocument, RevokedDocument,
    RotatedDocument,
};
pub use log::{LogEvent, LogLine, line_of};
pub use medium::{
    ExportMark, KnowledgeMark, MediumSelection, MediumSet, MissingItem, RetainedSet, SignedMark, Volume,
    WithdrawnItem,
};
pub use plans::{
    GraphDocument, LintDocument, LintedPart, ScriptDocument, StageDocument, StagedDocument,
    StagedFileDocument, WhyDocument,
};
pub use registry::{DOCUMENTS, Direction, DocumentKind, SchemaLine};
pub use repair::{MovedPath, NeededFile, RepairDocument, RestoredFile, SkippedFile};
pub use set::{FetchedSetDocument, SetDocument, SetStatus, StoredSet};
pub use settings::{
    GeneratedDocument, InitDocument, KeysDocument, KnowledgeDocument, NewKeysDocument, ScheduleDocument,
    TableDocument, TextFile, TrustDocument,
};
pub use state::{LastImport, RemovedKb, STATE_FORMAT, StateDocument};
pub use sync::{
    FailureHints, News, NewsItem, OutsideSet, PlannedDownload, ProfileCandidate, QueryRecord, SkipReason,
    SyncDocument, SyncErrorDocument, SyncedSet,
};
pub use update::{UpdateDocument, UpdateSummary, Withdrawal};
