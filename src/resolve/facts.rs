//! The resolver's input: what is known of updates and files, whoever told it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::roles::{Evidence, known_checkpoint};
use crate::servicing::{Family, Knowledge, KnownFile};
use crate::update::{Architecture, Build, Kb, Kind, Month, PackageName, Sha1, Sha256, UpdateId};

/// The index's number of a file. Two files are the same file exactly when their keys are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(pub i64);

/// What is known of one package file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Its key in the index; `None` for a file that only knowledge tells of.
    pub key: Option<FileKey>,
    /// The Catalog's name of it; empty where knowledge has the update and no file of it.
    pub name: String,
    /// The KB in its name.
    pub kb: Option<Kb>,
    /// The architecture in its name.
    pub architecture: Option<Architecture>,
    /// SHA-1, as the Catalog or the name states it.
    pub sha1: Option<Sha1>,
    /// SHA-256, as the Catalog states it or the bytes gave it.
    pub sha256: Option<Sha256>,
    /// Whether somebody states the SHA-1; else the bytes told it.
    pub sha1_is_stated: bool,
    /// Whether somebody states the SHA-256; else the bytes told it.
    pub sha256_is_stated: bool,
    /// Its bytes, once somebody counted them.
    pub size: Option<u64>,
    /// Where it can be had.
    pub urls: Vec<String>,
    /// Whether the pool has it.
    pub present: bool,
}

impl FileFacts {
    /// Facts of a file of which only the name is known so far.
    pub fn from_name(name: &str) -> Self {
        let parsed = PackageName::parse(name);
        Self {
            key: None,
            name: name.to_owned(),
            kb: parsed.kb,
            architecture: parsed.architecture,
            sha1: parsed.sha1,
            sha256: None,
            sha1_is_stated: parsed.sha1.is_some(),
            sha256_is_stated: false,
            size: None,
            urls: Vec::new(),
            present: false,
        }
    }

    /// A file of which nobody knows more than what it is for.
    pub fn unnamed(kb: Kb, architecture: Option<Architecture>) -> Self {
        Self { kb: Some(kb), architecture, ..Self::from_name("") }
    }

    /// Its name, where one is known.
    pub fn known_name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty())
    }

    /// What stands for the file in the fingerprint of a set: what is stated of it, which is the same on every mirror
    /// and does not change when the bytes arrive.
    pub fn identity(&self) -> String {
        let sha1 = self.sha1.filter(|_| self.sha1_is_stated);
        let sha256 = self.sha256.filter(|_| self.sha256_is_stated);
        match (sha1, sha256) {
            (Some(sha1), _) => format!("sha1:{sha1}"),
            (None, Some(sha256)) => format!("sha256:{sha256}"),
            (None, None) => format!("name:{}", self.name),
        }
    }

    /// Digits that tell the file from another of the same name.
    pub fn identity_digits(&self) -> String {
        match (self.sha256, self.sha1) {
            (Some(sha256), _) => sha256.to_string(),
            (None, Some(sha1)) => sha1.to_string(),
            (None, None) => self.key.map_or_else(String::new, |key| format!("{:08x}", key.0)),
        }
    }
}

impl From<&KnownFile> for FileFacts {
    fn from(known: &KnownFile) -> Self {
        Self {
            sha256: known.sha256,
            sha256_is_stated: known.sha256.is_some(),
            size: known.size,
            urls: known.url.iter().cloned().collect(),
            ..Self::from_name(&known.name)
        }
    }
}

/// What is known of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFacts {
    /// Its id.
    pub id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The KB of the title, else of the details page.
    pub kb: Option<Kb>,
    /// What it is.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// Product words of the title.
    pub product: Option<String>,
    /// Version words of the title.
    pub release: Option<String>,
    /// The Catalog's product string.
    pub products: String,
    /// Architecture of the title.
    pub architecture: Option<Architecture>,
    /// Build suffix of the title.
    pub build: Option<Build>,
    /// Date of the entry.
    pub last_updated: Option<Date>,
    /// The sum over its files, as the search page states it.
    pub size: Option<u64>,
    /// Its files in the dialog's order; `None` when the dialog was never read.
    pub files: Option<Vec<FileKey>>,
    /// The date on which the dialog was read last.
    pub files_seen: Option<String>,
    /// The Catalog shows it no more.
    pub expired: Option<Expired>,
}

/// An update that the Catalog had and has no more. That by itself is no fault of the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Since when that is sure, `2026-11-25`.
    pub since: String,
    /// The newest KB that the Catalog said replaces it.
    pub successor: Option<Kb>,
}

impl UpdateFacts {
    /// The family that the title names.
    pub fn family<'k>(&self, knowledge: &'k Knowledge) -> Option<&'k Family> {
        knowledge.family_of_title(self.product.as_deref()?, self.release.as_deref())
    }

    /// Product and version for people: "Windows 11, version 24H2"; the title where it names none.
    pub fn product_name(&self) -> String {
        match (&self.product, &self.release) {
            (Some(product), Some(release)) => format!("{product}, version {release}"),
            (Some(product), None) => product.clone(),
            (None, _) => self.title.clone(),
        }
    }
}

/// What is known of a KB and of the KBs whose files it brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The updates, by id.
    pub updates: Vec<UpdateFacts>,
    /// The files that they list, by key.
    pub files: BTreeMap<FileKey, FileFacts>,
}

impl Facts {
    /// The files of an update, in the dialog's order; none when the dialog was never read.
    pub fn files_of(&self, update: &UpdateFacts) -> Vec<&FileFacts> {
        let keys = update.files.as_deref().unwrap_or_default();
        keys.iter().filter_map(|key| self.files.get(key)).collect()
    }

    /// The architecture of an update's packages: the title's, else the one that all names agree on, else the one
    /// that a title without any implies.
    pub fn architecture_of(&self, update: &UpdateFacts) -> Option<Architecture> {
        if update.architecture.is_some() {
            return update.architecture;
        }
        let mut named = self.files_of(update).into_iter().map(|file| file.architecture);
        match named.next().flatten() {
            Some(first) if named.all(|other| other == Some(first)) => Some(first),
            _ => update.kind.is_some_and(Kind::is_dotnet).then_some(Architecture::X86),
        }
    }

    /// The build that a KB brings to a family: the suffix of its titles there, else what is known of
    /// its release.
    pub fn build_of(&self, kb: Kb, family: &Family, knowledge: &Knowledge) -> Option<Build> {
        self.build_with_source(kb, family, knowledge).map(|(build, _)| build)
    }

    /// The same with who says so.
    pub(super) fn build_with_source(
        &self,
        kb: Kb,
        family: &Family,
        knowledge: &Knowledge,
    ) -> Option<(Build, Evidence)> {
        let of_titles = self.updates.iter().filter(|update| update.kb == Some(kb));
        let of_titles =
            of_titles.filter_map(|update| update.build).filter_map(|build| family.canonical(build));
        if let Some(build) = of_titles.max() {
            return Some((build, Evidence::TitleBuild { kb, build }));
        }
        // A KB that was released again has two builds in time; the newest is what its files bring now.
        if let Some(release) = knowledge.releases_of(kb, family).pop() {
            let row = format!("{kb} is {} (release history)", release.build);
            return Some((release.build, Evidence::Knowledge { row, date: knowledge.date().to_string() }));
        }
        let checkpoint = knowledge.checkpoints_of(family).find(|checkpoint| checkpoint.kb == kb)?;
        Some((checkpoint.build, known_checkpoint(checkpoint, knowledge)))
    }

    /// The file of a KB for an architecture, when some entry lists it: the newest by key.
    pub fn file_of_kb(&self, kb: Kb, architecture: Architecture) -> Option<&FileFacts> {
        let of_kb = |file: &&FileFacts| file.kb == Some(kb) && file.architecture == Some(architecture);
        self.files.values().rfind(of_kb)
    }
}
