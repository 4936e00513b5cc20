//! The knowledge of Windows servicing: tables that a Windows administrator can read and edit, and lookups in them.
//!
//! The tables are data files beside this module, compiled into the program. Each row names its source. Statements of
//! the Catalog take precedence over the tables. Pure: the tables are parsed from text. A text that does not parse or
//! contradicts itself is an error that names the row. The tables have a version and a date, which every result
//! contains.

mod about;
mod articles;
mod calendar;
mod check;
mod checkpoints;
mod chronicle;
mod contradictions;
mod dotnet;
mod dotnet_updates;
mod editions;
mod enablement;
mod families;
mod finding;
mod knowledge;
mod known_contradictions;
mod known_file;
mod lifecycle;
mod lines;
mod media_notes;
mod packages;
mod parents;
mod prerequisites;
mod product;
mod product_words;
mod provisional;
mod releases;
mod rollups;
mod single_row;
mod table;
mod tables;
mod withdrawn;

pub use about::KnownRow;
pub use articles::{Article, Articles};
pub use calendar::{PATCH_TUESDAY_GRACE_DAYS, due_day, patch_tuesdays_since, second_tuesday};
pub use check::{TableCheck, check_tables};
pub use checkpoints::{ChannelRelease, Checkpoint, Checkpoints};
pub use dotnet::Dotnet;
pub use dotnet_updates::{
    DotnetChild, DotnetParent, DotnetReplacement, DotnetUpdates, OfferedDotnet, SingleDotnet,
};
pub use editions::{Editions, Esu, EsuException, Ltsc, Preparation};
pub use enablement::{Enablement, EnablementPackages, MissingEnablement};
pub use families::{Families, Family, InstallMethod, Installation};
pub use finding::TableFinding;
pub use knowledge::Knowledge;
pub use known_file::KnownFile;
pub use lifecycle::{Servicing, ServicingScope, ServicingState};
pub use media_notes::{MediaCondition, MediaNote, MediaNotes, MediaPlace};
pub use packages::{KnownPackage, PackageDate, Packages};
pub use parents::{ParentRule, Parents};
pub use prerequisites::{
    FamilyPrerequisite, FamilyPrerequisites, PrerequisiteRole, Prerequisites, SeparateStack, ServiceLevel,
    SinglePrerequisite, StackFloor,
};
pub use product::{Product, ProductFilter, ProductLabels, ProductName, ProductRefusal};
pub use releases::{Release, ReleaseKind, Releases};
pub use rollups::{Rollup, Rollups};
pub use single_row::SingleRow;
pub use tables::{TableInfo, Tables, rows_of};
pub use withdrawn::{
    ExpiredUpdate, FaultyUpdate, Hotpatch, HotpatchBaseline, RecoveryUpdate, WithdrawnUpdate,
    WithdrawnUpdates, may_be_windows_update_only,
};
