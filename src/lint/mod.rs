//! Is this folder a set that DISM may be pointed at? Names what is missing, foreign, duplicate, or of another
//! architecture.
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
//!   ([`Machine::installed`]). Of several, all but the newest are foreign.
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
mod identify;
mod known;
mod members;
mod name;
mod report;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use self::identify::{Package, identify};
pub use self::name::{NameReading, read_name};
pub use self::report::{Checked, FileCheck, LintReport, LintStatus};
use crate::facts::Facts;
use crate::resolve::Machine;
use crate::servicing::Knowledge;
use crate::update::{Architecture, Digests, Kb};

/// What lies in a folder.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Its files and sub-folders, in any order.
    pub entries: Vec<Entry>,
}

impl Folder {
    /// A folder of files of which the names are known.
    pub fn of_names<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let file = |name: N| Entry { name: name.into(), kind: EntryKind::File, look: None, content: None };
        Self { entries: names.into_iter().map(file).collect() }
    }
}

/// The thing under a name in a folder; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, a device, or a pipe.
    Other,
}

/// The length of a file and its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Its length.
    pub size: u64,
    /// Its first bytes, up to [`READ`](crate::update::container::READ).
    pub first: Vec<u8>,
}

/// One file or sub-folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: EntryKind,
    /// Its length and beginning, where the file was looked at.
    pub look: Option<Look>,
    /// The digests of its content, where the file was read.
    pub content: Option<Digests>,
}

impl Entry {
    /// Returns `true` for a file in a container that DISM takes for an update.
    pub fn is_package(&self) -> bool {
        let extension = std::path::Path::new(&self.name).extension();
        let is_one_of = |extension: &std::ffi::OsStr| {
            extension.eq_ignore_ascii_case("msu") || extension.eq_ignore_ascii_case("cab")
        };
        self.kind == EntryKind::File && extension.is_some_and(is_one_of)
    }
}

/// The question about a folder: the update and the machine that it is for. On a machine whose build is unknown, the
/// folder has to be complete for every one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LintRequest {
    /// The update that is to be installed; else it is found among the files.
    pub target: Option<Kb>,
    /// The device or image.
    pub machine: Machine,
}

impl From<Machine> for LintRequest {
    fn from(machine: Machine) -> Self {
        Self { target: None, machine }
    }
}

/// What is wrong. The words and their order are a promise of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The target builds upon a checkpoint that is not there, and the baseline is below it.
    MissingCheckpoint,
    /// There is nothing that could be the target, or not the one asked for.
    MissingTarget,
    /// The target needs a separate servicing stack, and none that serves is there.
    MissingServicingStack,
    /// The target needs another update, and it is not there.
    MissingPrerequisite,
    /// A package beside the target and its checkpoints, or a target that does not belong where it is to go.
    ForeignUpdate,
    /// Which one is the target cannot be told.
    TwoTargets,
    /// For another architecture.
    WrongArchitecture,
    /// A cumulative update for servers in a client's set.
    ServerInClientSet,
    /// A checkpoint for a WinPE image that is past it.
    CheckpointPastImage,
    /// Nobody knows this file.
    UnknownPackage,
    /// The same package again.
    Duplicate,
    /// The bytes are not what the name or the Catalog says.
    DigestMismatch,
    /// The length is not the known one, or the file ends before its container does.
    SizeMismatch,
    /// A file without a byte.
    Empty,
    /// The name is not the one that the Catalog has for the file.
    Misnamed,
    /// Something else than a package.
    NotAPackage,
    /// A folder in the folder: DISM looks into it.
    SubFolder,
}

impl Code {
    /// The word in JSON and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingCheckpoint => "missing_checkpoint",
            Self::MissingTarget => "missing_target",
            Self::MissingServicingStack => "missing_servicing_stack",
            Self::MissingPrerequisite => "missing_prerequisite",
            Self::ForeignUpdate => "foreign_update",
            Self::TwoTargets => "two_targets",
            Self::WrongArchitecture => "wrong_architecture",
            Self::ServerInClientSet => "server_in_client_set",
            Self::CheckpointPastImage => "checkpoint_past_image",
            Self::UnknownPackage => "unknown_package",
            Self::Duplicate => "duplicate",
            Self::DigestMismatch => "digest_mismatch",
            Self::SizeMismatch => "size_mismatch",
            Self::Empty => "empty",
            Self::Misnamed => "misnamed",
            Self::NotAPackage => "not_a_package",
            Self::SubFolder => "sub_folder",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// Its type.
    pub code: Code,
    /// The KB that it is about, where one is known.
    pub kb: Option<Kb>,
    /// The file or folder: as it lies there, or as it should.
    pub name: Option<String>,
    /// For people: what it means here.
    pub message: String,
    /// The name that the Catalog has for the file, where the finding is its name.
    pub right_name: Option<String>,
}

/// Judges a folder; the facts are what an index holds of the KBs and files in it.
pub fn lint(folder: &Folder, request: &LintRequest, knowledge: &Knowledge, facts: &Facts) -> LintReport {
    let mut findings = BTreeSet::new();
    let mut packages = Vec::new();
    let of_set = request.machine.architecture.or_else(|| only_architecture(folder));
    for entry in &folder.entries {
        match entry.kind {
            EntryKind::Folder => {
                let message = "DISM looks into sub-folders of the target's folder too".to_owned();
                findings.insert(finding(Code::SubFolder, None, &entry.name, message));
            }
            EntryKind::Other => {
                let message = "this is a link or a device: it was not followed and nothing of it was checked";
                findings.insert(finding(Code::NotAPackage, None, &entry.name, message.to_owned()));
            }
            EntryKind::File if !entry.is_package() => {
                let message = "this is no update package and has no place in the folder".to_owned();
                findings.insert(finding(Code::NotAPackage, None, &entry.name, message));
            }
            EntryKind::File => {
                let package = identify(entry, of_set, knowledge, facts);
                findings.extend(package.trouble.iter().cloned());
                packages.push(package);
            }
        }
    }
    let mut files: Vec<FileCheck> = packages.iter().map(|package| package.check.clone()).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    packages.retain(|package| package.kb.is_some());
    let packages = without_duplicates(packages, &mut findings);
    // A copy has to go, whatever its name; what stays needs the right one.
    findings.extend(packages.iter().filter_map(|package| package.misnamed.clone()));
    let view = target::View { request, knowledge, facts };
    let target = view.judge(packages, &mut findings);
    LintReport::new(findings.into_iter().collect(), files, target, knowledge.date())
}

/// The architecture of a folder whose names all state the same one, as far as they state any.
fn only_architecture(folder: &Folder) -> Option<Architecture> {
    let packages = folder.entries.iter().filter(|entry| entry.is_package());
    let stated: BTreeSet<Architecture> =
        packages.filter_map(|entry| read_name(&entry.name).named.architecture).collect();
    stated.first().copied().filter(|_| stated.len() == 1)
}

fn finding(code: Code, kb: Option<Kb>, name: &str, message: String) -> Finding {
    Finding { code, kb, name: Some(name.to_owned()), message, right_name: None }
}

fn finding_of(code: Code, package: &Package<'_>, message: String) -> Finding {
    finding(code, package.kb, &package.entry.name, message)
}

/// Copies of a package are findings; one of them stays to be judged, whatever the order of the names.
fn without_duplicates<'e>(
    mut packages: Vec<Package<'e>>,
    findings: &mut BTreeSet<Finding>,
) -> Vec<Package<'e>> {
    // Files with the Catalog's name first, then those with their digits in it: they tell more than a renamed copy.
    packages.sort_by_key(|package| {
        (package.misnamed.is_some(), package.sha1.is_none(), package.entry.name.as_str())
    });
    let mut kept: Vec<Package<'e>> = Vec::new();
    for package in packages {
        match kept.iter().find(|known| known.is_same(&package)) {
            Some(first) => {
                let message = format!("the same package as {}", first.entry.name);
                findings.insert(finding_of(Code::Duplicate, &package, message));
            }
            None => kept.push(package),
        }
    }
    kept
}
