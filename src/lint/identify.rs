//! The identification of a file: by the SHA-1 in its name or of its content, first in the index, then in the
//! knowledge. A file without a known SHA-1 is identified by the KB anywhere in its name.
//!
//! An unknown file is a finding, and so is a file whose name, length, container, or content contradicts the
//! known facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::bytes;
use super::faults::{Identified, find_identity_fault, find_name_fault, is_proven};
use super::finding::{LintCode, LintFinding};
use super::folder::{FileHead, FolderEntry};
use super::known::{CatalogFile, files_of, matching_files};
use super::name::read_name;
use super::recorded::RecordedSet;
use super::report::FileCheck;
use crate::facts::{Facts, FileFacts};
use crate::servicing::{Installation, Knowledge};
use crate::update::{Architecture, Build, Digests, Kb, Kind, PackageName, Sha1};

/// A package in the folder.
#[derive(Debug, Clone)]
pub(super) struct LintPackage<'e> {
    /// The file in the folder.
    pub(super) entry: &'e FolderEntry,
    /// The parts of its name.
    pub(super) named: PackageName,
    /// The KB, from the name or by the digest.
    pub(super) kb: Option<Kb>,
    pub(super) architecture: Option<Architecture>,
    /// The SHA-1 that identifies the file: the name's, else the recorded one, else the content's.
    pub(super) sha1: Option<Sha1>,
    /// The place among the files of the recorded set, if the file is one of them.
    pub(super) member: Option<usize>,
    pub(super) about: LintedKb,
    /// The finding if the file is unknown or its content differs.
    pub(super) fault: Option<LintFinding>,
    /// The finding if the name is not the Catalog's.
    pub(super) misnamed: Option<LintFinding>,
    /// The properties that were compared with known ones.
    pub(super) check: FileCheck,
    /// `true` if the content may settle a finding, and was not read.
    pub(super) is_doubtful: bool,
}

impl LintPackage<'_> {
    /// Returns a finding about the package.
    pub(super) fn finding(&self, code: LintCode, message: impl Into<String>) -> LintFinding {
        LintFinding::of_name(code, self.kb, &self.entry.name, message)
    }

    /// Returns `true` if two files are copies: they have the same digest, or the same KB and nothing that
    /// distinguishes them.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        if let (Some(own), Some(others)) = (self.member, other.member) {
            return own == others;
        }
        match (self.sha1, other.sha1) {
            (Some(own), Some(others)) => own == others,
            _ => self.is_of_same_kb(other),
        }
    }

    /// Returns `true` if both are interchangeable by KB, architecture, .NET release, and container.
    pub(super) fn is_of_same_kb(&self, other: &Self) -> bool {
        let place =
            |package: &Self| (package.kb, package.named.dotnet.clone(), package.named.extension.clone());
        let architectures = (self.architecture, other.architecture);
        // A renamed file may not state an architecture.
        let is_same = matches!(architectures, (None, _) | (_, None)) || architectures.0 == architectures.1;
        is_same && place(self) == place(other)
    }
}

/// The knowledge of a KB, or of one of its files.
#[derive(Debug, Clone, Default)]
pub(super) struct LintedKb {
    pub(super) kind: Option<Kind>,
    /// The installations and the build of the KB, by family.
    pub(super) families: BTreeMap<u32, FamilyFacts>,
    /// The release date, or the date when it was first seen.
    pub(super) date: Option<Date>,
}

/// The facts of a KB for one family.
#[derive(Debug, Clone, Default)]
pub(super) struct FamilyFacts {
    pub(super) installations: BTreeSet<Installation>,
    pub(super) build: Option<Build>,
}

impl LintedKb {
    /// Returns `true` for a cumulative update of Windows that is not a copy for Windows Setup.
    pub(super) fn is_cumulative(&self) -> bool {
        self.kind.is_some_and(|kind| kind.is_windows_cumulative() && !kind.is_dynamic())
    }

    /// Returns `true` if the KB is only for this installation in a family where client and server have
    /// separate packages.
    pub(super) fn is_only_for(&self, installation: Installation) -> bool {
        /// The only family with separate packages. In all other families, client and server share their
        /// packages.
        const PARTED: u32 = 26100;
        let own = self.families.get(&PARTED).map(|family| &family.installations);
        own.is_some_and(|own| own.len() == 1 && own.contains(&installation))
    }

    fn add(&mut self, family: u32, installation: Option<Installation>, build: Option<Build>) {
        let known = self.families.entry(family).or_default();
        let both = [Installation::Client, Installation::Server];
        known
            .installations
            .extend(both.into_iter().filter(|&own| installation.is_none_or(|only| only == own)));
        known.build = known.build.max(build);
    }
}

/// Identifies a file. If a name fits several files of a KB, the architecture of the set decides.
pub(super) fn identify<'e>(
    entry: &'e FolderEntry,
    of_set: Option<Architecture>,
    recorded: Option<&RecordedSet>,
    knowledge: &Knowledge,
    facts: &Facts,
) -> LintPackage<'e> {
    let reading = read_name(&entry.name);
    let named = &reading.named;
    let member = recorded.and_then(|set| set.position(entry, named.sha1));
    let own = recorded.zip(member).and_then(|(set, place)| set.files.get(place));
    let sha1 = named
        .sha1
        .or_else(|| own.and_then(|own| own.file.sha1))
        .or_else(|| entry.content.map(|content| content.sha1));
    let has_name = |file: &&FileFacts| file.name.eq_ignore_ascii_case(&entry.name);
    let indexed = own
        .map(|own| &own.file)
        .or_else(|| sha1.and_then(|sha1| facts.files.values().find(|file| file.sha1 == Some(sha1))))
        .or_else(|| facts.files.values().find(has_name).filter(|_| sha1.is_none()));
    let known = sha1.filter(|_| named.kb.is_none()).and_then(|sha1| package_by_digest(sha1, knowledge));
    let of_index = indexed.and_then(|file| file.kb.or_else(|| single_owner(file, facts)));
    // The digest identifies a file. A name that states another KB is wrong.
    let of_name = named.kb.filter(|_| indexed.is_none_or(|file| file.kb.is_none()));
    let kb = of_name
        .or(of_index)
        .or_else(|| known.as_ref().map(|(kb, _)| *kb))
        .or_else(|| recorded.filter(|_| own.is_some()).map(|set| set.kb));
    let files = kb.map(|kb| files_of(kb, knowledge, facts)).unwrap_or_default();
    let right = matching_file(entry, named, sha1, of_set, indexed, &files);
    // The file that the digest identifies has one architecture, whatever the name states.
    let of_digest = right.as_ref().filter(|_| sha1.is_some()).and_then(CatalogFile::architecture);
    let architecture = of_digest
        .or(named.architecture)
        .or_else(|| indexed.and_then(|file| file.architecture))
        .or_else(|| right.as_ref().and_then(CatalogFile::architecture))
        .or_else(|| known.as_ref().map(|(_, architecture)| *architecture));
    let about = kb.map(|kb| facts_of_kb(kb, sha1, knowledge, facts)).unwrap_or_default();
    let sizes = candidate_sizes(named, sha1, right.as_ref(), &files);
    // The content that the mirror admitted is right too, if no source states a digest.
    let is_admitted = |content: &Digests| own.is_some_and(|own| own.file.sha256 == Some(content.sha256));
    let is_proven = |content: &Digests| is_admitted(content) || is_proven(content, indexed, &files);
    let is_proven = entry.content.as_ref().is_some_and(is_proven);
    let (mut check, of_bytes) = bytes::check(entry, kb, right.as_ref(), &sizes, is_proven);
    let identified = Identified { entry, reading: &reading, own, kb, architecture, indexed };
    let fault = of_bytes.clone().or_else(|| find_identity_fault(&identified, knowledge, facts));
    if let Some(content) = &entry.content {
        check.record_digests(content, named, indexed, &files);
    }
    let misnamed = kb.and_then(|kb| find_name_fault(&identified, kb, right.as_ref(), &files));
    let has_size = |head: &FileHead| head.size > 0 && (sizes.is_empty() || sizes.contains(&head.size));
    let is_unread = entry.content.is_none() && entry.head.as_ref().is_some_and(has_size);
    let is_comparable = kb.is_none() || indexed.is_some() || files.iter().any(|file| file.sha1.is_some());
    let is_nameless = named.sha1.is_none() && fault.is_some();
    let is_doubtful = is_unread && is_comparable && (of_bytes.is_some() || is_nameless || misnamed.is_some());
    LintPackage {
        entry,
        named: reading.named,
        kb,
        architecture,
        sha1,
        member,
        about,
        fault,
        misnamed,
        check,
        is_doubtful,
    }
}

/// Returns the matching file of the KB, or `None` if digest, name, and length leave several.
fn matching_file(
    entry: &FolderEntry,
    named: &PackageName,
    sha1: Option<Sha1>,
    of_set: Option<Architecture>,
    indexed: Option<&FileFacts>,
    files: &[CatalogFile],
) -> Option<CatalogFile> {
    if let Some(file) = indexed.filter(|file| !file.name.is_empty()) {
        return Some(CatalogFile::of_index(file));
    }
    if sha1.is_some() {
        return files.iter().find(|file| file.sha1 == sha1).cloned();
    }
    let fitting = matching_files(named, files);
    let size = entry.head.as_ref().map(|head| head.size);
    let of_size: Vec<&&CatalogFile> =
        fitting.iter().filter(|file| size.is_some() && file.size == size).collect();
    let is_of_set = |file: &&&CatalogFile| of_set.is_some() && file.architecture() == of_set;
    let of_set: Vec<&&CatalogFile> = fitting.iter().filter(is_of_set).collect();
    match (of_size.as_slice(), fitting.as_slice(), of_set.as_slice()) {
        ([only], ..) | (_, _, [only]) => Some((**only).clone()),
        (_, [only], _) => Some((*only).clone()),
        _ => None,
    }
}

/// Returns the possible lengths of the file. The result is empty if the length of one possible file is
/// unknown.
fn candidate_sizes(
    named: &PackageName,
    sha1: Option<Sha1>,
    right: Option<&CatalogFile>,
    files: &[CatalogFile],
) -> BTreeSet<u64> {
    if let Some(right) = right {
        return right.size.into_iter().collect();
    }
    let candidates = if sha1.is_some() { Vec::new() } else { matching_files(named, files) };
    let sizes: Option<BTreeSet<u64>> = candidates.iter().map(|file| file.size).collect();
    sizes.unwrap_or_default()
}

/// Returns the KB of a file whose name has none, if all entries that list the file have the same KB.
fn single_owner(file: &FileFacts, facts: &Facts) -> Option<Kb> {
    let mut owners = facts.updates.iter().filter(|update| {
        update.files.as_ref().is_some_and(|files| file.key.is_some_and(|key| files.contains(&key)))
    });
    let first = owners.next()?.kb;
    first.filter(|_| owners.all(|other| other.kb == first))
}

/// Returns KB and architecture of a file whose name has no KB, such as a servicing stack's. Searches all
/// known packages.
fn package_by_digest(sha1: Sha1, knowledge: &Knowledge) -> Option<(Kb, Architecture)> {
    let is_it = |name: &String| PackageName::parse(name).sha1 == Some(sha1);
    let found = knowledge.packages().all().iter().find(|package| package.name.as_ref().is_some_and(is_it))?;
    Some((found.kb, found.architecture))
}

/// Returns the knowledge of a KB. With a digest, returns that of the file if it is not the KB's main file.
pub(super) fn facts_of_kb(kb: Kb, sha1: Option<Sha1>, knowledge: &Knowledge, facts: &Facts) -> LintedKb {
    let mut about = LintedKb::default();
    let updates: Vec<_> = facts.updates.iter().filter(|update| update.kb == Some(kb)).collect();
    let lists_it = |files: &Vec<_>| {
        files.iter().filter_map(|key| facts.files.get(key)).any(|file| sha1.is_some() && file.sha1 == sha1)
    };
    let exact = updates.iter().find(|update| update.files.as_ref().is_some_and(lists_it));
    let packages = knowledge.packages().of_kb(kb);
    let is_this = |name: &String| sha1.is_some() && PackageName::parse(name).sha1 == sha1;
    let known = packages.iter().find(|package| package.name.as_ref().is_some_and(is_this));
    let releases = knowledge.releases().of_kb(kb);
    let checkpoints = knowledge.families().iter().flat_map(|family| {
        knowledge.checkpoints().of_family(family).filter(|row| row.kb == kb).map(move |row| (family, row))
    });
    about.kind = exact
        .and_then(|update| update.kind)
        .or_else(|| known.map(|package| package.kind))
        .or_else(|| (!releases.is_empty()).then_some(Kind::Lcu))
        .or_else(|| updates.iter().find_map(|update| update.kind))
        .or_else(|| packages.first().map(|package| package.kind));
    for release in &releases {
        about.add(release.build.number, release.installation, Some(release.build));
        about.date = about.date.max(release.date.or(release.first_seen));
    }
    for (family, row) in checkpoints {
        about.kind = about.kind.or(Some(Kind::Lcu));
        about.add(family.id, Some(family.installation), Some(row.build));
        about.date = about.date.or(row.date);
    }
    // A file for one family of its KB is not for the other families.
    for package in
        packages.iter().filter(|package| known.is_none() || package.name.as_ref().is_some_and(is_this))
    {
        about.add(package.family, package.installation, None);
        about.date = about.date.or(package.date);
    }
    for update in updates {
        if let Some(family) = update.family(knowledge) {
            let build = update.build.and_then(|build| family.canonical(build));
            about.add(family.id, Some(family.installation), build);
        }
        let of_month = update.month.and_then(|month| format!("{month}-01").parse().ok());
        about.date = about.date.or(of_month).or(update.last_updated);
    }
    about
}
