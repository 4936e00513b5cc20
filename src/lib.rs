//! kbmirror mirrors Windows updates from the Microsoft Update Catalog. It also answers a question that the Catalog
//! leaves open: which files a KB really needs, in which order, for this architecture and this baseline, and why.
//!
//! The rooms, lowest first. A room uses only rooms that come before it in this list; a test enforces this.
//!
//! - the floor: [`error`], [`exit_code`], [`clock`], [`event`], [`read_at`], [`disk`]
//! - [`update`]: KB numbers, builds, digests, the grammars of titles and file names
//! - [`servicing`]: knowledge of Windows servicing, as data
//! - [`facts`]: updates, files, and roles, as stated by their sources
//! - [`package`]: the metadata inside a package file, pure
//! - [`resolve`]: package sets and plans, pure; [`lint`]: the check of a folder against its set; [`script`]: install
//!   scripts from plans
//! - [`documents`]: every JSON document; [`views`]: the files beside set folders, made from facts and plans
//! - [`net`]: the only HTTP client, with its rules
//! - [`options`]: the options that several commands share, each declared once
//! - [`catalog`]: the pages of the Catalog; [`mirror`]: the store; [`download`]: from a plan to bytes
//! - [`crawl`], [`fetch`], [`repair`], and [`sync`]: the jobs behind the commands; [`carrier`]: media across the air gap
//! - [`report`] and [`cli`]: the output for people and programs
//!
//! The names at this level are the library: to resolve from knowledge, and to read a mirror. `examples/` contains a
//! program for each. The rooms are public only for the program's own binary, tests, benches, and fuzz targets; their
//! interfaces are not stable.
//!
//! ```
//! use kbmirror::{Knowledge, Machine, Request, FactsLibrary, Status, resolve};
//!
//! # fn main() -> kbmirror::Result<()> {
//! let knowledge = Knowledge::built_in()?;
//! let kb = "KB5086672".parse().expect("a KB number");
//! let machine = Machine {
//!     baseline: "26100.863".parse().ok(),
//!     architecture: "arm64".parse().ok(),
//!     ..Machine::default()
//! };
//! let request = Request { machine, ..Request::new(kb) };
//! let plan = resolve(&request, &FactsLibrary::of_knowledge(&knowledge), &knowledge)?;
//! assert_eq!(plan.status, Status::Install);
//! assert_eq!(plan.steps.len(), 2, "the checkpoint KB5043080 first");
//! # Ok(())
//! # }
//! ```

#[doc(hidden)]
pub mod carrier;
#[doc(hidden)]
pub mod catalog;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod crawl;
#[doc(hidden)]
pub mod disk;
#[doc(hidden)]
pub mod documents;
#[doc(hidden)]
pub mod download;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod event;
#[doc(hidden)]
pub mod exit_code;
#[doc(hidden)]
pub mod facts;
#[doc(hidden)]
pub mod fetch;
#[doc(hidden)]
pub mod lint;
#[doc(hidden)]
pub mod mirror;
#[doc(hidden)]
pub mod net;
#[doc(hidden)]
pub mod options;
#[doc(hidden)]
pub mod package;
#[doc(hidden)]
pub mod read_at;
#[doc(hidden)]
pub mod repair;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod resolve;
#[doc(hidden)]
pub mod script;
#[doc(hidden)]
pub mod servicing;
#[doc(hidden)]
pub mod sync;
#[doc(hidden)]
pub mod update;
#[doc(hidden)]
pub mod views;

pub use error::{Error, ErrorKind, Result};
pub use exit_code::ExitCode;
pub use facts::{Evidence, Facts, FileFacts, FileKey, FileProperty, Role, Source, UpdateFacts};
pub use lint::{LintReport, lint};
pub use mirror::{Index, IndexLibrary, Layout, Mirror};
pub use resolve::{
    Choice, Condition, FactsLibrary, Goal, Graph, Library, Machine, MissingPackage, PackageSet, Place, Plan,
    Policy, Reason, Request, Requirement, Status, Step, closure, package_sets, requirements, resolve, why,
};
pub use servicing::{Family, Installation, Knowledge};
pub use update::{Architecture, Build, Digests, Kb, Kind, Month, Sha1, Sha256, UpdateId};
