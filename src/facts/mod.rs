//! The facts room: statements of the Catalog, a table, a name, or the content about updates and files. Pure.
//!
//! The resolver, the index, and the documents share these types. An unknown fact is absent; no function of
//! this module guesses one.

mod collection;
mod evidence;
mod file;
mod name;
mod needs;
mod role;
mod set;
mod source;
mod update;

pub use collection::Facts;
pub use evidence::Evidence;
pub(crate) use evidence::dialog_statement;
pub use file::{FileFacts, FileKey};
pub use name::{NameFault, PlainName, distinct_names};
pub use needs::NeedsEdge;
pub use role::Role;
pub use set::{SetFolder, SetId};
pub use source::{FileProperty, PropertyCheck, Source};
pub use update::{Disappearance, RelatedUpdate, UpdateFacts};
