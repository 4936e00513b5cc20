//! kbmirror mirrors Windows updates from the Microsoft Update Catalog and answers the question that the Catalog does
//! not: which files does this KB really need, in which order, for this architecture and this baseline, and why.
//!
//! The rooms, from the bottom up; each one uses those below it and none above (a test holds this):
//!
//! - the floor: [`error`], [`exit_code`], [`clock`], [`event`], [`disk`]
//! - [`update`]: KB numbers, builds, digests, the grammars of titles and file names
//! - [`servicing`]: what is known of Windows servicing, as data
//! - [`resolve`]: package sets and plans, pure; [`net`]: one HTTP client with its rules
//! - [`catalog`]: what the Catalog says; [`mirror`]: the store; [`download`]: from a plan to bytes
//! - [`sync`]: the jobs behind the commands
//! - [`report`] and [`cli`]: what people and programs see
//!
//! ```
//! use kbmirror::resolve::{Facts, Request, package_sets, plan};
//! use kbmirror::servicing::Knowledge;
//!
//! # fn main() -> kbmirror::error::Result<()> {
//! let knowledge = Knowledge::built_in()?;
//! let kb = "KB5086672".parse().expect("a KB number");
//! // An index that knows nothing of the KB has no sets, and the plan says so.
//! let sets = package_sets(kb, &Facts::default(), &knowledge);
//! assert!(sets.is_empty());
//! # Ok(())
//! # }
//! ```

pub mod catalog;
pub mod cli;
pub mod clock;
pub mod disk;
pub mod download;
pub mod error;
pub mod event;
pub mod exit_code;
pub mod mirror;
pub mod net;
pub mod report;
pub mod resolve;
pub mod servicing;
pub mod sync;
pub mod update;
