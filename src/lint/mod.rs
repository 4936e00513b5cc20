//! The judgement of a folder: a set that DISM may be pointed at, or not. Names what is missing, foreign, duplicate, or of
//! another architecture.
//!
//! DISM is given the target's file and looks through that file's whole folder, sub-folders too: every cumulative package
//! up to the target's revision is processed. So a folder is sound when it holds the target, its checkpoints as far as
//! the baseline needs them, and nothing else. The answer is a set of findings; without any the folder is `ok`.
//!
//! Decided here, where the design leaves room:
//!
//! - Without a target, it is the cumulative update of the highest build that is no checkpoint. One of unknown build ranks
//!   by its month; two that cannot be ranked are `two_targets`, and so are two different files of the target.
//! - A servicing stack beside a cumulative update that needs a separate one (14393, 10240, and older) is a part of the
//!   set: what `stage` makes has it. `missing_servicing_stack` says that none in the folder is known to serve; a
//!   stack published beside the target or a later cumulative update does, and one that is installed already
//!   ([`crate::resolve::Machine::installed`]). Of several, all but the newest are foreign.
//! - A KB's file whose SHA-1, by its name, is not the one that index and knowledge state is an `unknown_package`: it may
//!   be a re-issue, and no bytes were read. It keeps its place in the set otherwise, so that one fault is one finding.
//!   `digest_mismatch` is said of bytes only.
//! - `server_in_client_set` is said of cumulative updates of 26100 that are for servers alone. A client's update
//!   in a server's set is `foreign_update`; so is a target that is of another family than the baseline, or that
//!   does not go where it is to go.
//! - Where neither request nor baseline say which architecture, that of the target counts, else that of most files.
//!
//! - A file whose length or beginning was looked at is compared with the known length, with the container that its name
//!   stands for, and with the length that its own header states: what is empty, cut off, or something else than a
//!   package is a finding without its content being read. One fault of the bytes is one finding.
//! - A renamed file is what the KB in its name says, and `misnamed` says which name it should have. Of several copies the
//!   one with the Catalog's name stays.
//! - The answer says what was compared, file by file, and names what could not be.
//!
//! Pure: names come in as data, lengths and beginnings with them, and in deep mode the digests of the content. Unknown
//! files are findings, never a reason for `ok`.

mod bytes;
#[cfg(test)]
mod file_tests;
mod finding;
mod folder;
mod identify;
mod judge;
mod known;
mod members;
mod name;
mod report;
mod request;
mod target;
#[cfg(test)]
mod tests;

pub use self::finding::{LintCode, LintFinding};
pub use self::folder::{EntryKind, FileLook, FolderEntry, LintFolder};
pub use self::judge::lint;
pub use self::name::{NameReading, read_name};
pub use self::report::{CheckedProperty, FileCheck, LintReport, LintStatus};
pub use self::request::LintRequest;
