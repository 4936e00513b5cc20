//! Who a file is: by the SHA-1 in its name or of its content, in the index first and in the knowledge then, else by the
//! KB in its name.
//!
//! A file that nobody knows gets its finding here, and so does one whose bytes are not what is stated.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Code, Entry, Finding, finding};
use crate::resolve::{Facts, FileFacts};
use crate::servicing::{Installation, Knowledge};
use crate::update::{Architecture, Build, Digests, Kb, Kind, PackageName, Sha1};

/// A package in the folder.
#[derive(Debug, Clone)]
pub(super) struct Package<'e> {
    /// As it lies there.
    pub(super) entry: &'e Entry,
    /// What its name says.
    pub(super) named: PackageName,
    /// Its KB, from its name or by its digest.
    pub(super) kb: Option<Kb>,
    pub(super) architecture: Option<Architecture>,
    /// The SHA-1 that stands for it: the name's, else the content's.
    pub(super) sha1: Option<Sha1>,
    pub(super) about: About,
    /// Nobody knows it, or its bytes are others.
    pub(super) trouble: Option<Finding>,
}

impl Package<'_> {
    /// Whether two files are copies: the same digest, or the same KB and nothing that tells them apart.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self.sha1, other.sha1) {
            (Some(own), Some(others)) => own == others,
            _ => self.is_of_same_kb(other),
        }
    }

    /// Whether both are for one place: KB, architecture, .NET release, and container.
    pub(super) fn is_of_same_kb(&self, other: &Self) -> bool {
        let place = |package: &Self| {
            (package.kb, package.architecture, package.named.dotnet.clone(), package.named.extension.clone())
        };
        place(self) == place(other)
    }
}

/// What is known of a KB, or of one of its files.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) kind: Option<Kind>,
    /// By family: for whom, and the build that it brings there.
    pub(super) families: BTreeMap<u32, InFamily>,
    /// Released, or first seen.
    pub(super) date: Option<Date>,
}

/// What a KB is to a family.
#[derive(Debug, Clone, Default)]
pub(super) struct InFamily {
    pub(super) installations: BTreeSet<Installation>,
    pub(super) build: Option<Build>,
}

impl About {
    /// A cumulative update of Windows that is no copy for Setup.
    pub(super) fn is_cumulative(&self) -> bool {
        self.kind.is_some_and(|kind| kind.is_windows_cumulative() && !kind.is_dynamic())
    }

    /// Whether it is for this installation alone, in a family where client and server have packages of their own.
    pub(super) fn is_only_for(&self, installation: Installation) -> bool {
        /// Everywhere else client and server share their packages.
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

/// Who this file is.
pub(super) fn identify<'e>(entry: &'e Entry, knowledge: &Knowledge, facts: &Facts) -> Package<'e> {
    let named = PackageName::parse(&without_copy_number(&entry.name));
    let sha1 = named.sha1.or(entry.content.map(|content| content.sha1));
    let indexed = sha1.and_then(|sha1| facts.files.values().find(|file| file.sha1 == Some(sha1)));
    let known = sha1.filter(|_| named.kb.is_none()).and_then(|sha1| by_digest(sha1, knowledge));
    let kb = named
        .kb
        .or_else(|| indexed.and_then(|file| file.kb.or_else(|| owner(file, facts))))
        .or_else(|| known.as_ref().map(|(kb, _)| *kb));
    let architecture = named
        .architecture
        .or_else(|| indexed.and_then(|file| file.architecture))
        .or_else(|| known.as_ref().map(|(_, architecture)| *architecture));
    let about = kb.map(|kb| about(kb, sha1, knowledge, facts)).unwrap_or_default();
    let trouble = trouble(entry, &named, kb, architecture, indexed, knowledge, facts);
    Package { entry, named, kb, architecture, sha1, about, trouble }
}

/// `name (1).msu` is what a browser makes of the second download of `name.msu`.
fn without_copy_number(name: &str) -> String {
    let Some((stem, extension)) = name.rsplit_once('.') else { return name.to_owned() };
    let cut = stem.strip_suffix(')').and_then(|stem| stem.rsplit_once(" ("));
    match cut {
        Some((stem, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{stem}.{extension}")
        }
        _ => name.to_owned(),
    }
}

/// The KB of a file whose name has none, by the one entry that lists it.
fn owner(file: &FileFacts, facts: &Facts) -> Option<Kb> {
    let mut owners = facts.updates.iter().filter(|update| {
        update.files.as_ref().is_some_and(|files| file.key.is_some_and(|key| files.contains(&key)))
    });
    let first = owners.next()?.kb;
    first.filter(|_| owners.all(|other| other.kb == first))
}

/// A file whose name has no KB, such as a servicing stack's; every known package is looked through.
fn by_digest(sha1: Sha1, knowledge: &Knowledge) -> Option<(Kb, Architecture)> {
    let is_it = |name: &String| PackageName::parse(name).sha1 == Some(sha1);
    let found = knowledge.packages().find(|package| package.name.as_ref().is_some_and(is_it))?;
    Some((found.kb, found.architecture))
}

/// What is known of a KB; with a digest, of that file where it is another thing than the KB's main one.
pub(super) fn about(kb: Kb, sha1: Option<Sha1>, knowledge: &Knowledge, facts: &Facts) -> About {
    let mut about = About::default();
    let updates: Vec<_> = facts.updates.iter().filter(|update| update.kb == Some(kb)).collect();
    let lists_it = |files: &Vec<_>| {
        files.iter().filter_map(|key| facts.files.get(key)).any(|file| sha1.is_some() && file.sha1 == sha1)
    };
    let exact = updates.iter().find(|update| update.files.as_ref().is_some_and(lists_it));
    let packages = knowledge.packages_of(kb);
    let is_this = |name: &String| sha1.is_some() && PackageName::parse(name).sha1 == sha1;
    let known = packages.iter().find(|package| package.name.as_ref().is_some_and(is_this));
    let releases = knowledge.releases_of_kb(kb);
    let checkpoints = knowledge.families().iter().flat_map(|family| {
        knowledge.checkpoints_of(family).filter(|row| row.kb == kb).map(move |row| (family, row))
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
    // A file that serves one of the families of its KB does not serve the others.
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

/// The SHA-1 values that index and knowledge state for the files of a KB and an architecture, in one container.
fn stated(
    kb: Kb,
    architecture: Option<Architecture>,
    named: &PackageName,
    knowledge: &Knowledge,
    facts: &Facts,
) -> BTreeSet<Sha1> {
    let of_index = facts.files.values().filter(|file| file.kb == Some(kb)).map(|file| file.name.clone());
    let of_releases = knowledge.files_of_kb(kb).into_iter().map(|(_, name)| name);
    let of_packages = knowledge.packages_of(kb).into_iter().filter_map(|package| package.name);
    let of_checkpoints = knowledge.families().iter().flat_map(|family| {
        let rows = knowledge.checkpoints_of(family).filter(|row| row.kb == kb);
        rows.filter_map(|row| row.file(architecture?)).map(|file| file.name.clone())
    });
    let names = of_index.chain(of_releases).chain(of_packages).chain(of_checkpoints);
    let parsed = names.map(|name| PackageName::parse(&name));
    let fitting = parsed
        .filter(|other| other.architecture == architecture && other.extension == named.extension)
        .filter_map(|other| other.sha1);
    fitting.collect()
}

fn trouble(
    entry: &Entry,
    named: &PackageName,
    kb: Option<Kb>,
    architecture: Option<Architecture>,
    indexed: Option<&FileFacts>,
    knowledge: &Knowledge,
    facts: &Facts,
) -> Option<Finding> {
    let said = |code, message: String| Some(finding(code, kb, &entry.name, message));
    if let Some(message) = entry.content.and_then(|content| mismatch(named, indexed, &content)) {
        return said(Code::DigestMismatch, message);
    }
    let Some(kb) = kb else {
        let message = "its name has no KB, and nobody knows its digest".to_owned();
        return said(Code::UnknownPackage, message);
    };
    let is_known_kb = !knowledge.releases_of_kb(kb).is_empty()
        || !knowledge.files_of_kb(kb).is_empty()
        || !knowledge.packages_of(kb).is_empty()
        || knowledge.families().iter().any(|family| knowledge.checkpoints_of(family).any(|row| row.kb == kb))
        || facts.updates.iter().any(|update| update.kb == Some(kb))
        || indexed.is_some();
    if !is_known_kb {
        return said(
            Code::UnknownPackage,
            format!("neither the index nor the knowledge has anything of {kb}"),
        );
    }
    let stated = stated(kb, architecture, named, knowledge, facts);
    if stated.is_empty() || indexed.is_some() {
        return None;
    }
    let list = stated.iter().map(Sha1::to_string).collect::<Vec<_>>().join(", ");
    match (named.sha1, entry.content) {
        (Some(sha1), _) if !stated.contains(&sha1) => {
            said(Code::UnknownPackage, format!("no file of {kb} with this SHA-1 is known; known: {list}"))
        }
        (None, Some(content)) if !stated.contains(&content.sha1) => {
            said(Code::DigestMismatch, format!("the bytes have the SHA-1 {}; known: {list}", content.sha1))
        }
        _ => None,
    }
}

/// How bytes differ from what the name and the Catalog say of them.
fn mismatch(named: &PackageName, indexed: Option<&FileFacts>, content: &Digests) -> Option<String> {
    if let Some(sha1) = named.sha1.filter(|&sha1| sha1 != content.sha1) {
        return Some(format!("the bytes have the SHA-1 {}, the name says {sha1}", content.sha1));
    }
    let stated = indexed.filter(|file| file.sha256_is_stated).and_then(|file| file.sha256);
    let sha256 = stated.filter(|&sha256| sha256 != content.sha256)?;
    Some(format!("the bytes have the SHA-256 {}, the Catalog states {sha256}", content.sha256))
}
