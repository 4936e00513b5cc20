//! The check of a folder: decides if DISM may be pointed at it. Reports packages that are missing, foreign,
//! duplicate, or of another architecture.
//!
//! DISM is given the target's file and scans the folder of that file, including sub-folders. It processes
//! every cumulative package up to the target's revision. A folder is therefore valid if it holds the target,
//! the checkpoints that the baseline needs, and nothing else. The answer is a set of findings; a folder
//! without findings is `ok`.
//!
//! Rules of this module:
//!
//! - Without a given target, the target is the cumulative update of the highest build that is not a
//!   checkpoint. An update of unknown build ranks by its month. Two updates that cannot be ranked are
//!   `two_targets`. Two different files of the target are `two_targets` too.
//! - A folder without such an update may be a set of another kind: a .NET parent, a servicing stack, an
//!   enablement package, a rollup, a program. Its target is the update whose set has all packages of the folder.
//!   Packages of several updates are `two_targets`. A checkpoint or a copy for Windows Setup is never a target
//!   by itself (`missing_target`), because it is left of a set whose target is missing.
//! - A folder that a mirror published ([`RecordedSet`]) has the target of its record. The record identifies its
//!   files by length and digest, of any kind and under any name; the name of the folder identifies no file.
//!   Without a question about a machine, the folder is judged as a set of a mirror: it has exactly the recorded
//!   files and every checkpoint. Updates that have a folder of their own, such as a separate servicing stack, are
//!   named in `requires` and are not findings. A fetch publishes only what this judgement accepts.
//! - Cumulative updates of 14393, 10240, and older need a separate servicing stack. Such a stack is a part of
//!   the set, because `stage` puts it there. `missing_servicing_stack` means that the folder has no stack
//!   that is known to be sufficient. A stack published beside the target or a later cumulative update is
//!   sufficient, and so is an installed one ([`crate::resolve::Machine::installed`]). Of several stacks, all
//!   but the newest are foreign.
//! - A file is an `unknown_package` if the SHA-1 in its name is not the one that index and knowledge state
//!   for its KB. It may be a re-issue, and its content was not read. It keeps its place in the set otherwise,
//!   so that one fault is one finding. `digest_mismatch` is reported for content only.
//! - `server_in_client_set` is reported for cumulative updates of 26100 that are for servers only. A client's
//!   update in a server's set is `foreign_update`. A target of another family than the baseline, or with the
//!   wrong destination, is `foreign_update` too.
//! - If neither request nor baseline states the architecture, that of the target counts, else that of most
//!   files.
//! - If the length and the beginning of a file were read, they are compared with known facts: the length in
//!   index or knowledge, the container that the name implies, and the length that the header states. An empty
//!   file, a truncated file, or a file of another type is a finding without reading its content. One fault of
//!   the content is one finding. If the content was read and is that of a stated digest, or the one that the
//!   mirror admitted, only an empty file is a fault.
//! - A renamed file is identified by its digest if its content was read, else by the KB in its name. `misnamed`
//!   states the correct name. Of several copies, the one with the Catalog's name is kept.
//! - `doubtful` names the files whose content may settle a finding. The caller reads them if they are small.
//! - `ok` of a folder with files that DISM does not take, such as programs, names them in `not_for_dism`.
//! - The answer states for each file what was compared, and names the properties that could not be compared.
//!
//! Pure: names, lengths, and beginnings of files are data, and in deep mode also the digests of the content.
//! An unknown file is always a finding, so a folder with one is never `ok`.

mod bytes;
mod faults;
#[cfg(test)]
mod file_tests;
mod finding;
mod folder;
mod identify;
mod judge;
mod known;
mod members;
mod name;
mod other_kinds;
mod recorded;
mod report;
mod request;
#[cfg(test)]
mod set_tests;
mod target;
#[cfg(test)]
mod tests;

pub use self::finding::{LintCode, LintFinding};
pub use self::folder::{EntryKind, FileHead, FolderEntry, LintFolder};
pub use self::judge::lint;
pub use self::name::{NameReading, read_name};
pub use self::recorded::{RecordedFile, RecordedSet};
pub use self::report::{CheckedProperty, FileCheck, LintReport, LintStatus, OutsideDism, OutsideReason};
pub use self::request::LintRequest;
