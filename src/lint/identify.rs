//! The identification of a file: by the SHA-1 in its name or of its content, first in the index, then in the
//! knowledge. A file without a known SHA-1 is identified by the KB anywhere in its name.
//!
//! An unknown file is a finding, and so is a file whose name, length, container, or content contradicts the
//! known facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::bytes;
use super::finding::{LintCode, LintFinding};
use super::folder::FolderEntry;
use super::known::{CatalogFile, files_of};
use super::name::{NameReading, read_name};
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
    /// The SHA-1 that identifies the file: the name's, else the content's.
    pub(super) sha1: Option<Sha1>,
    pub(super) about: LintedKb,
    /// The finding if the file is unknown or its content differs.
    pub(super) fault: Option<LintFinding>,
    /// The finding if the name is not the Catalog's.
    pub(super) misnamed: Option<LintFinding>,
    /// The properties that were compared with known ones.
    pub(super) check: FileCheck,
}

impl LintPackage<'_> {
    /// Returns a finding about the package.
    pub(super) fn finding(&self, code: LintCode, message: impl Into<String>) -> LintFinding {
        LintFinding::of_name(code, self.kb, &self.entry.name, message)
    }

    /// Returns `true` if two files are copies: they have the same digest, or the same KB and nothing that
    /// distinguishes them.
    pub(super) fn is_same(&self, other: &Self) -> bool {
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
    knowledge: &Knowledge,
    facts: &Facts,
) -> LintPackage<'e> {
    let reading = read_name(&entry.name);
    let named = &reading.named;
    let sha1 = named.sha1.or(entry.content.map(|content| content.sha1));
    let has_name = |file: &&FileFacts| file.name.eq_ignore_ascii_case(&entry.name);
    let indexed = sha1
        .and_then(|sha1| facts.files.values().find(|file| file.sha1 == Some(sha1)))
        .or_else(|| facts.files.values().find(has_name).filter(|_| sha1.is_none()));
    let known = sha1.filter(|_| named.kb.is_none()).and_then(|sha1| package_by_digest(sha1, knowledge));
    let of_index = indexed.and_then(|file| file.kb.or_else(|| single_owner(file, facts)));
    // The digest identifies a file. A name that states another KB is wrong.
    let of_name = named.kb.filter(|_| indexed.is_none_or(|file| file.kb.is_none()));
    let kb = of_name.or(of_index).or_else(|| known.as_ref().map(|(kb, _)| *kb));
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
    let (mut check, fault) = bytes::check(entry, kb, right.as_ref(), &sizes);
    let fault =
        fault.or_else(|| find_identity_fault(entry, &reading, kb, architecture, indexed, knowledge, facts));
    if let Some(content) = &entry.content {
        check.record_digests(content, named, indexed, &files);
    }
    let misnamed = kb.and_then(|kb| find_name_fault(entry, &reading, kb, right.as_ref(), &files));
    LintPackage { entry, named: reading.named, kb, architecture, sha1, about, fault, misnamed, check }
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

/// Returns the files of a KB that match a name without a digest.
fn matching_files<'f>(named: &PackageName, files: &'f [CatalogFile]) -> Vec<&'f CatalogFile> {
    let fits = |file: &&CatalogFile| {
        named.architecture.is_none_or(|own| file.architecture().is_none_or(|other| own == other))
            && named.dotnet.as_ref().is_none_or(|own| file.parts.dotnet.as_ref() == Some(own))
    };
    let fitting: Vec<&CatalogFile> = files.iter().filter(fits).collect();
    let same: Vec<&CatalogFile> =
        fitting.iter().filter(|file| file.parts.extension == named.extension).copied().collect();
    if same.is_empty() { fitting } else { same }
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

/// Returns a finding if the name is not the Catalog's name for the file.
fn find_name_fault(
    entry: &FolderEntry,
    reading: &NameReading,
    kb: Kb,
    right: Option<&CatalogFile>,
    files: &[CatalogFile],
) -> Option<LintFinding> {
    let is_known = files.iter().chain(right).any(|file| file.name.eq_ignore_ascii_case(&entry.name));
    let is_other_kb = reading.named.kb.is_some_and(|named| named != kb);
    let is_without_kb = reading.kbs.is_empty() && right.is_some() && reading.named.build.is_none();
    // The content, or the digest in the name, belongs to a file for another architecture or in another
    // container.
    let is_other_file = right.is_some_and(|right| {
        let (own, others) = (reading.named.architecture, right.architecture());
        (own.is_some() && others.is_some() && own != others)
            || right.parts.extension != reading.named.extension
    });
    if is_known || (reading.has_form && !is_other_kb && !is_without_kb && !is_other_file) {
        return None;
    }
    let message = match right {
        Some(right) => format!("the name differs from the Catalog's: {kb} has the name {}", right.name),
        None if matching_files(&reading.named, files).is_empty() => {
            format!("the name differs from the Catalog's form, and no file name of {kb} is known")
        }
        None => {
            let names = matching_files(&reading.named, files).into_iter().map(|file| file.name.as_str());
            let names = names.collect::<Vec<_>>().join(" or ");
            format!("the name differs from the Catalog's: {kb} has {names}; use --deep to identify the file")
        }
    };
    let finding = LintFinding::of_name(LintCode::Misnamed, Some(kb), &entry.name, message);
    Some(LintFinding { right_name: right.map(|right| right.name.clone()), ..finding })
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

/// Returns the SHA-1 values that index and knowledge state for the files of a KB and an architecture, in one
/// container.
fn stated_digests(
    kb: Kb,
    architecture: Option<Architecture>,
    named: &PackageName,
    knowledge: &Knowledge,
    facts: &Facts,
) -> BTreeSet<Sha1> {
    let files = files_of(kb, knowledge, facts).into_iter();
    let fitting = files.filter(|file| {
        (architecture.is_none() || file.architecture() == architecture)
            && file.parts.extension == named.extension
    });
    fitting.filter_map(|file| file.sha1).collect()
}

fn find_identity_fault(
    entry: &FolderEntry,
    reading: &NameReading,
    kb: Option<Kb>,
    architecture: Option<Architecture>,
    indexed: Option<&FileFacts>,
    knowledge: &Knowledge,
    facts: &Facts,
) -> Option<LintFinding> {
    let named = &reading.named;
    let finding = |code, message: String| Some(LintFinding::of_name(code, kb, &entry.name, message));
    if let Some(message) = entry.content.and_then(|content| digest_mismatch(named, indexed, &content)) {
        return finding(LintCode::DigestMismatch, message);
    }
    let Some(kb) = kb else {
        let message = match (reading.kbs.len(), entry.content) {
            (0, None) => "the name has no KB; use --deep to identify the file".to_owned(),
            (0, Some(_)) => "the name has no KB, and the digest is unknown".to_owned(),
            (_, content) => {
                let kbs: Vec<String> = reading.kbs.iter().map(ToString::to_string).collect();
                let way_out = if content.is_some() {
                    "the digest is unknown"
                } else {
                    "use --deep to identify the file"
                };
                format!("the name has several KBs ({}); {way_out}", kbs.join(", "))
            }
        };
        return finding(LintCode::UnknownPackage, message);
    };
    let is_known_kb = !knowledge.releases().of_kb(kb).is_empty()
        || !knowledge.releases().files_of(kb).is_empty()
        || !knowledge.packages().of_kb(kb).is_empty()
        || knowledge
            .families()
            .iter()
            .any(|family| knowledge.checkpoints().of_family(family).any(|row| row.kb == kb))
        || facts.updates.iter().any(|update| update.kb == Some(kb))
        || indexed.is_some();
    if !is_known_kb {
        return finding(
            LintCode::UnknownPackage,
            format!("neither the index nor the knowledge has an entry for {kb}"),
        );
    }
    let stated = stated_digests(kb, architecture, named, knowledge, facts);
    if stated.is_empty() || indexed.is_some() {
        return None;
    }
    let list = stated.iter().map(Sha1::to_string).collect::<Vec<_>>().join(", ");
    match (named.sha1, entry.content) {
        (Some(sha1), _) if !stated.contains(&sha1) => {
            finding(LintCode::UnknownPackage, format!("no known file of {kb} has this SHA-1; known: {list}"))
        }
        (None, Some(content)) if !stated.contains(&content.sha1) => finding(
            LintCode::DigestMismatch,
            format!("the content has the SHA-1 {}; known: {list}", content.sha1),
        ),
        _ => None,
    }
}

/// Returns the difference between the content and the statements of the name and the Catalog.
fn digest_mismatch(named: &PackageName, indexed: Option<&FileFacts>, content: &Digests) -> Option<String> {
    if let Some(sha1) = named.sha1.filter(|&sha1| sha1 != content.sha1) {
        return Some(format!("the content has the SHA-1 {}; the name states {sha1}", content.sha1));
    }
    let stated = indexed.filter(|file| file.sha256_is_stated).and_then(|file| file.sha256);
    let sha256 = stated.filter(|&sha256| sha256 != content.sha256)?;
    Some(format!("the content has the SHA-256 {}; the Catalog states {sha256}", content.sha256))
}
