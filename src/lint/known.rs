//! The files of a KB in index and knowledge: names, digests, and sizes to compare a file with.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, FileFacts};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Kb, PackageName, Sha1};

/// A file as the Catalog names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CatalogFile {
    pub(super) name: String,
    pub(super) sha1: Option<Sha1>,
    pub(super) size: Option<u64>,
    pub(super) parts: PackageName,
}

impl CatalogFile {
    fn named(name: String) -> Self {
        let parts = PackageName::parse(&name);
        Self { sha1: parts.sha1, size: None, name, parts }
    }

    pub(super) fn of_index(file: &FileFacts) -> Self {
        Self { sha1: file.sha1, size: file.size, ..Self::named(file.name.clone()) }
    }

    pub(super) fn architecture(&self) -> Option<Architecture> {
        self.parts.architecture
    }
}

/// Returns every known file of a KB once.
///
/// Sizes come from the index, else from single rows of the knowledge. If the index has files of an
/// architecture, files of that architecture that only knowledge names do not count: the Catalog's own
/// statement has precedence.
pub(super) fn files_of(kb: Kb, knowledge: &Knowledge, facts: &Facts) -> Vec<CatalogFile> {
    let indexed = facts.files.values().filter(|file| file.kb == Some(kb) && !file.name.is_empty());
    let of_index: Vec<CatalogFile> = indexed.map(CatalogFile::of_index).collect();
    let of_rows = knowledge
        .files_in_rows(kb)
        .map(|(_, file)| CatalogFile { size: file.size, ..CatalogFile::named(file.name.clone()) });
    let of_releases = knowledge.releases().files_of(kb).into_iter().map(|(_, name)| CatalogFile::named(name));
    let of_packages = knowledge.packages().of_kb(kb).into_iter().filter_map(|package| package.name);
    let seen: BTreeSet<Option<Architecture>> = of_index.iter().map(CatalogFile::architecture).collect();
    let digests: BTreeSet<Sha1> = of_index.iter().filter_map(|file| file.sha1).collect();
    let is_current = |file: &CatalogFile| {
        !seen.contains(&file.architecture()) || file.sha1.is_some_and(|sha1| digests.contains(&sha1))
    };
    let of_knowledge = of_rows.chain(of_releases).chain(of_packages.map(CatalogFile::named));
    let mut files: BTreeMap<(Option<Sha1>, String), CatalogFile> = BTreeMap::new();
    for file in of_index.iter().cloned().chain(of_knowledge.filter(is_current)) {
        // The digest identifies a file. Names without a digest are compared as text.
        let key = (file.sha1, if file.sha1.is_some() { String::new() } else { file.name.to_lowercase() });
        let known = files.entry(key).or_insert_with(|| file.clone());
        known.size = known.size.or(file.size);
    }
    files.into_values().collect()
}

/// Returns the files of a KB that match a name without a digest.
pub(super) fn matching_files<'f>(named: &PackageName, files: &'f [CatalogFile]) -> Vec<&'f CatalogFile> {
    let fits = |file: &&CatalogFile| {
        named.architecture.is_none_or(|own| file.architecture().is_none_or(|other| own == other))
            && named.dotnet.as_ref().is_none_or(|own| file.parts.dotnet.as_ref() == Some(own))
    };
    let fitting: Vec<&CatalogFile> = files.iter().filter(fits).collect();
    let same: Vec<&CatalogFile> =
        fitting.iter().filter(|file| file.parts.extension == named.extension).copied().collect();
    if same.is_empty() { fitting } else { same }
}
