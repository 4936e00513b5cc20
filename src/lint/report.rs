//! The answer of `lint`, and the texts about the compared properties. The texts never claim more than was
//! compared.

use jiff::civil::Date;
use serde::Serialize;

use super::finding::LintFinding;
use super::known::CatalogFile;
use crate::facts::FileFacts;
use crate::update::{Digests, Kb, PackageName};

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LintStatus {
    /// DISM may be pointed at the target in this folder.
    Ok,
    /// DISM must not be pointed at this folder.
    RefuseSet,
}

/// A property of a file that was compared with a known one. The words are part of the JSON output and do not
/// change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckedProperty {
    /// The name.
    Name,
    /// The first bytes, compared with the container that the name implies.
    Container,
    /// The length, compared with the one in index or knowledge.
    Size,
    /// The length, compared with the one that the header of the container states.
    ContainerSize,
    /// The SHA-1 of the content, compared with the one in the name or a stated one.
    Sha1,
    /// The SHA-256 of the content, compared with the one that the Catalog states.
    Sha256,
}

/// The properties of a package that were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FileCheck {
    /// The name of the file.
    pub name: String,
    /// The KB, if it is known.
    pub kb: Option<Kb>,
    /// The length, if it was read.
    pub size: Option<u64>,
    /// The expected length, if index or knowledge has it.
    pub known_size: Option<u64>,
    /// The container according to the first bytes: `wim`, `cab`.
    pub container: Option<&'static str>,
    /// The compared properties.
    pub checked: Vec<CheckedProperty>,
    /// `true` if the content was read.
    #[serde(skip)]
    pub(super) is_read: bool,
    /// `true` if the length or the beginning has a finding of its own.
    #[serde(skip)]
    pub(super) has_fault: bool,
}

impl FileCheck {
    pub(super) fn new(name: &str, kb: Option<Kb>) -> Self {
        Self {
            name: name.to_owned(),
            kb,
            size: None,
            known_size: None,
            container: None,
            checked: vec![CheckedProperty::Name],
            is_read: false,
            has_fault: false,
        }
    }

    /// Records the digests with which the content was compared.
    pub(super) fn record_digests(
        &mut self,
        content: &Digests,
        named: &PackageName,
        indexed: Option<&FileFacts>,
        files: &[CatalogFile],
    ) {
        self.is_read = true;
        let is_stated = files.iter().any(|file| file.sha1 == Some(content.sha1));
        if named.sha1.is_some() || is_stated || indexed.is_some_and(|file| file.sha1_is_stated) {
            self.checked.push(CheckedProperty::Sha1);
        }
        if indexed.is_some_and(|file| file.sha256_is_stated && file.sha256.is_some()) {
            self.checked.push(CheckedProperty::Sha256);
        }
    }

    fn has(&self, checked: CheckedProperty) -> bool {
        self.checked.contains(&checked)
    }
}

/// The reason why DISM does not install a file into Windows itself. The words are part of the JSON output and do
/// not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutsideReason {
    /// A program or another file that is not a package: it is run or unpacked by itself.
    OwnInstaller,
    /// A Safe OS update: DISM installs it into `winre.wim` only.
    Winre,
    /// An update that only Windows Setup takes.
    WindowsSetup,
}

/// A file that DISM does not install into Windows itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct OutsideDism {
    /// The name of the file.
    pub name: String,
    /// The reason.
    pub reason: OutsideReason,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LintReport {
    /// The verdict.
    pub status: LintStatus,
    /// The findings, by code, KB, and name.
    pub findings: Vec<LintFinding>,
    /// The update for which the folder was checked, if one is known.
    pub target: Option<Kb>,
    /// The published set with which the folder was compared, such as `KB5086672/windows-11-24h2-x64`.
    pub published_set: Option<String>,
    /// The updates, outside of this folder, that some machines need before the target.
    pub requires: Vec<Kb>,
    /// The files that DISM does not install into Windows itself.
    pub not_for_dism: Vec<OutsideDism>,
    /// The date of the knowledge.
    #[schemars(with = "crate::update::schema::DateText")]
    pub knowledge_date: Date,
    /// The basis of the verdict as text, for display.
    pub checked: String,
    /// The properties that could not be compared, as text per file, for display.
    pub unchecked: Vec<String>,
    /// `true` if the content of every package was read.
    pub contents_read: bool,
    /// The compared properties of each package, by name.
    pub files: Vec<FileCheck>,
    /// The files whose content was not read and may settle a finding.
    #[serde(skip)]
    pub doubtful: Vec<String>,
}

impl LintReport {
    pub(super) fn new(
        findings: Vec<LintFinding>,
        files: Vec<FileCheck>,
        target: Option<Kb>,
        date: Date,
    ) -> Self {
        let status = if findings.is_empty() { LintStatus::Ok } else { LintStatus::RefuseSet };
        let contents_read = !files.is_empty() && files.iter().all(|file| file.is_read);
        Self {
            status,
            findings,
            target,
            published_set: None,
            requires: Vec::new(),
            not_for_dism: Vec::new(),
            doubtful: Vec::new(),
            knowledge_date: date,
            checked: summarize_checks(&files),
            unchecked: unchecked_properties(&files),
            contents_read,
            files,
        }
    }
}

/// Returns the summary, such as "names, sizes, and container types checked; contents not read (use --deep)".
fn summarize_checks(files: &[FileCheck]) -> String {
    let is_looked_at = files.iter().all(|file| file.size.is_some());
    let what = if is_looked_at { "names, sizes, and container types checked" } else { "names checked" };
    let read = files.iter().filter(|file| file.is_read).count();
    let contents = match (is_looked_at, read) {
        (_, read) if read > 0 && read == files.len() => {
            "contents read and compared with their digests".to_owned()
        }
        (true, 0) => "contents not read (use --deep)".to_owned(),
        (true, read) => format!("contents of {read} of {} files read (use --deep for all)", files.len()),
        (false, _) => "sizes, container types, and contents not checked".to_owned(),
    };
    format!("{what}; {contents}")
}

/// Returns a sentence for every file with an unknown property that the summary mentions.
fn unchecked_properties(files: &[FileCheck]) -> Vec<String> {
    let mut doubts = Vec::new();
    for file in files {
        let name = &file.name;
        if file.size.is_some()
            && !file.has_fault
            && !file.has(CheckedProperty::Size)
            && !file.has(CheckedProperty::Sha1)
        {
            let compared = if file.has(CheckedProperty::ContainerSize) {
                "only the file's own header confirms it"
            } else {
                "it was not compared"
            };
            doubts.push(format!("the size of {name} is unknown; {compared}"));
        }
        if file.is_read && !file.has(CheckedProperty::Sha1) && !file.has(CheckedProperty::Sha256) {
            doubts.push(format!("no digest of {name} is known; its content was read but not compared"));
        }
    }
    doubts
}
