//! kbmirror mirrors Windows updates from the Microsoft Update Catalog and answers the question that the Catalog does
//! not: which files does this KB really need, in which order, for this architecture and this baseline, and why.
//!
//! The rooms, from the bottom up; each one uses those below it and none above (a test holds this):
//!
//! - the floor: [`error`], [`exit_code`], [`clock`], [`event`], [`disk`]
//! - [`update`]: KB numbers, builds, digests, the grammars of titles and file names
//! - [`servicing`]: what is known of Windows servicing, as data
//! - [`facts`]: updates, files, and roles, as they are stated
//! - [`resolve`]: package sets and plans, pure; [`net`]: one HTTP client with its rules
//! - [`catalog`]: what the Catalog says; [`mirror`]: the store; [`download`]: from a plan to bytes
//! - [`crawl`], [`fetch`], and [`sync`]: the jobs behind the commands; [`carrier`]: media across the gap
//! - [`report`] and [`cli`]: what people and programs see
//!
//! ```
//! use kbmirror::resolve::{Request, Shelf, Status, resolve};
//! use kbmirror::servicing::Knowledge;
//!
//! # fn main() -> kbmirror::error::Result<()> {
//! let knowledge = Knowledge::built_in()?;
//! let kb = "KB5086672".parse().expect("a KB number");
//! let request = Request { baseline: "26100.863".parse().ok(), architecture: "arm64".parse().ok(), ..Request::new(kb) };
//! let plan = resolve(&request, &Shelf::of_knowledge(&knowledge), &knowledge)?;
//! assert_eq!(plan.status, Status::Install);
//! assert_eq!(plan.steps.len(), 2, "the checkpoint KB5043080 first");
//! # Ok(())
//! # }
//! ```

pub mod carrier;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod crawl;
pub mod disk;
pub mod documents;
pub mod download;
pub mod error;
pub mod event;
pub mod exit_code;
pub mod facts;
pub mod fetch;
pub mod lint;
pub mod mirror;
pub mod net;
pub mod report;
pub mod resolve;
pub mod script;
pub mod servicing;
pub mod sync;
pub mod update;
