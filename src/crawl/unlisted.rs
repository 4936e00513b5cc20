//! KBs that the Catalog does not list, but for which knowledge has a file with digest and URL: an enablement package,
//! or a delisted update.
//!
//! Knowledge is used only if a sound result of the Catalog has no update of the KB. It never replaces the response of
//! an unavailable Catalog. The resolver builds the sets from the index and the knowledge, so an earlier statement of
//! the Catalog about an architecture has precedence. A set is recorded if each of its files has a digest and a URL;
//! other files are named in a warning. The files have `knowledge` as the source of their digests and URLs, and so do
//! the checks of their bytes, until the Catalog states the same.

use std::collections::BTreeSet;

use url::Url;

use super::crawled::CrawledKb;
use super::session::{Failure, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{FileFacts, PlainName, SetId, Source};
use crate::mirror::Index;
use crate::net::Purpose;
use crate::resolve::{PackageSet, knowledge_only_warning, known_sets, layered_sets, unlisted_kbs};
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Kb};

/// The most file names in a message: a KB of the older families has a dozen.
const MAX_NAMED_FILES: usize = 3;

impl Session {
    /// Records the known sets of a KB that the Catalog does not list. If architectures are given, records only those.
    pub(super) fn crawl_unlisted(&mut self, kb: Kb, architectures: &[Architecture]) -> Result<CrawledKb> {
        let knowledge = self.knowledge();
        if !knowledge.files_in_rows(kb).any(|(_, file)| file.url.is_some()) {
            return Err(unavailable_error(kb, architectures, &knowledge));
        }
        let sets = match self.existing_mirror()? {
            Some(mirror) => sets_over_knowledge(kb, mirror.index(), &knowledge)?,
            None => known_sets(kb, &knowledge),
        };
        let (mut found, mut incomplete, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        for mut set in sets.into_iter().filter(|set| is_wanted(set, architectures)) {
            if set.updates.is_empty() {
                set.products = products_of(&set, &knowledge);
            }
            if !set.members.iter().all(|member| is_downloadable(&member.file)) {
                incomplete.push(set);
            } else if let Some(error) = self.refusal(&set) {
                failures.push(Failure::new(format!("{kb} {}", set.folder), &error));
            } else {
                found.push(set);
            }
        }
        if found.is_empty() && failures.is_empty() {
            return Err(unavailable_error(kb, architectures, &knowledge));
        }
        let now = self.now();
        let numbers = self.mirror()?.index_mut().in_transaction(|index| {
            found.iter().map(|set| index.record_set(set, now)).collect::<Result<Vec<SetId>>>()
        })?;
        self.readings.record_query(kb);
        self.warn(source_warning(kb, &found, &knowledge));
        self.warn_of_withdrawal(kb);
        for set in &incomplete {
            let what = list_unavailable_files(set);
            self.warn(format!(
                "excluded {kb} {}: the knowledge of {} has no URL of {what}",
                set.folder,
                knowledge.date()
            ));
        }
        let said = knowledge_only_warning(kb, &knowledge);
        for warning in found.iter().flat_map(|set| &set.warnings).filter(|warning| **warning != said) {
            self.warn(warning.clone());
        }
        Ok(CrawledKb { kb, sets: numbers.into_iter().zip(found).collect(), updates: 0, failures })
    }

    /// Returns the reason to refuse a set (a URL or a name that this program never accepts), or `None`.
    fn refusal(&self, set: &PackageSet) -> Option<Error> {
        let refused = |message: String| {
            Error::new(ErrorKind::Integrity, message)
                .hint("correct the tables of --knowledge; nothing of this set was recorded")
        };
        for file in set.members.iter().map(|member| &member.file) {
            if let Err(fault) = PlainName::of(&file.name) {
                return Some(refused(format!("the file name {:?} is refused: {fault}", file.name)));
            }
            for url in &file.urls {
                let checked = Url::parse(url)
                    .map_err(|error| refused(format!("the URL {url:?} is refused")).caused_by(error))
                    .and_then(|url| self.catalog().client().policy().check(&url, Purpose::File));
                if let Err(error) = checked {
                    return Some(error);
                }
            }
        }
        None
    }
}

/// Returns the sets of a KB from the index layered over the knowledge. If the Catalog states a file elsewhere that only
/// knowledge puts into a set, the Catalog's statement is used.
fn sets_over_knowledge(kb: Kb, index: &Index, knowledge: &Knowledge) -> Result<Vec<PackageSet>> {
    let own = index.facts_of(&BTreeSet::from([kb]))?;
    let mut kbs = unlisted_kbs(kb, &own, knowledge);
    kbs.insert(kb);
    let mut sets = layered_sets(kb, &index.facts_of(&kbs)?, knowledge);
    for member in sets.iter_mut().flat_map(|set| &mut set.members) {
        if member.file.key.is_none()
            && let Some(sha1) = &member.file.sha1
            && let Some(file) = index.file_of_sha1(sha1)?
            && is_downloadable(&file)
            && let Some(key) = file.key
            && index.digest_sources(key)?.0 == Some(Source::Dialog)
        {
            member.file = file;
        }
    }
    Ok(sets)
}

/// Returns the products of a set as the Catalog's titles would name them, so that `--product` accepts the same words.
fn products_of(set: &PackageSet, knowledge: &Knowledge) -> Vec<String> {
    let families = knowledge.families().iter().filter(|family| set.serves(family));
    families.flat_map(Family::title_products).collect::<BTreeSet<String>>().into_iter().collect()
}

fn is_wanted(set: &PackageSet, architectures: &[Architecture]) -> bool {
    architectures.is_empty() || set.architecture.is_none_or(|own| architectures.contains(&own))
}

/// Returns `true` if a file has a name, a stated digest, and a URL.
fn is_downloadable(file: &FileFacts) -> bool {
    let is_stated = file.sha1_is_stated || file.sha256_is_stated;
    file.known_name().is_some() && is_stated && file.urls.iter().any(|url| !url.is_empty())
}

/// Returns the warning that names the source of the sets.
fn source_warning(kb: Kb, sets: &[PackageSet], knowledge: &Knowledge) -> String {
    let mut of_knowledge =
        sets.iter().flat_map(|set| &set.members).filter(|member| member.file.key.is_none()).peekable();
    if of_knowledge.peek().is_none() {
        return format!("the Catalog does not list {kb}; used the files that it stated earlier");
    }
    let digests =
        if of_knowledge.all(|member| member.file.sha256.is_some()) { "SHA-1 and SHA-256" } else { "SHA-1" };
    format!(
        "the Catalog does not list {kb}; used the files in the knowledge of {}, checked by {digests} (knowledge)",
        knowledge.date()
    )
}

/// Returns the files of a set that cannot be downloaded, each with its digest, for a message.
fn list_unavailable_files(set: &PackageSet) -> String {
    let missing = set.members.iter().map(|member| &member.file).filter(|file| !is_downloadable(file));
    let named: Vec<String> = missing
        .map(|file| match (file.known_name(), file.sha1, file.kb) {
            (Some(name), Some(sha1), _) => format!("{name} (SHA-1 {sha1})"),
            (Some(name), None, _) => name.to_owned(),
            (None, _, kb) => format!("a file of {}", kb.unwrap_or(set.kb)),
        })
        .collect();
    named.join(", ")
}

/// Returns the error for an unlisted KB whose files have no known URL, with all known facts about it.
fn unavailable_error(kb: Kb, architectures: &[Architecture], knowledge: &Knowledge) -> Error {
    let listed = format!("the Catalog does not list an update of {kb}");
    let rows = knowledge.about(kb);
    let Some(first) = rows.first() else {
        return Error::new(ErrorKind::NotFound, listed)
            .hint("check the number; the Catalog does not list hotpatches and some enablement packages");
    };
    let sets = known_sets(kb, knowledge);
    let wanted = sets.iter().filter(|set| is_wanted(set, architectures));
    let own = wanted.flat_map(|set| &set.members).filter(|member| member.role.is_update());
    let files: BTreeSet<String> = own
        .filter_map(|member| {
            let (name, sha1) = (member.file.known_name()?, member.file.sha1?);
            Some(format!("{name} (SHA-1 {sha1})"))
        })
        .collect();
    let date = knowledge.date();
    let known = if !files.is_empty() {
        let named: Vec<&str> = files.iter().take(MAX_NAMED_FILES).map(String::as_str).collect();
        let more = match files.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("the knowledge of {date} has {}{more}, but no URL", named.join(", "))
    } else if architectures.is_empty() || sets.is_empty() {
        format!("the knowledge of {date} has no file of {kb}: \"{}\" ({})", first.statement, first.table)
    } else {
        let requested: Vec<&str> = architectures.iter().map(|architecture| architecture.as_str()).collect();
        format!("the knowledge of {date} has no file of {kb} for {}", requested.join(", "))
    };
    let error = Error::new(ErrorKind::NotFound, format!("{listed}; {known}"));
    if knowledge.withdrawn().is_windows_update_only(kb) {
        let instead = knowledge.withdrawn().offline_replacement(kb);
        return instead.into_iter().fold(error, |error, other| {
            error.hint(format!(
                "run kbmirror fetch {other}, which replaces {kb} on a network without Internet"
            ))
        });
    }
    let error = match knowledge.withdrawn().of_kb(kb) {
        Some(row) => {
            error.hint(format!("take {1} instead, because {kb} is withdrawn ({0})", row.why, row.successor))
        }
        None => error,
    };
    let error = if files.is_empty() {
        error
    } else {
        error.hint("if you know the URL, add it to a table in --knowledge DIR and run fetch again")
    };
    error.hint(format!("run kbmirror show {kb} for all known facts"))
}
