//! The faults of an identified file: its name, and its content compared with stated digests.

use std::collections::BTreeSet;

use super::finding::{LintCode, LintFinding};
use super::folder::FolderEntry;
use super::known::{CatalogFile, files_of, matching_files};
use super::name::NameReading;
use super::recorded::RecordedFile;
use crate::facts::{Facts, FileFacts};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Digests, Kb, PackageName, Sha1};

/// A file of the folder with everything that identifies it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identified<'a> {
    pub(super) entry: &'a FolderEntry,
    pub(super) reading: &'a NameReading,
    /// The file of the recorded set that it stands for.
    pub(super) own: Option<&'a RecordedFile>,
    pub(super) kb: Option<Kb>,
    pub(super) architecture: Option<Architecture>,
    /// The file of the index.
    pub(super) indexed: Option<&'a FileFacts>,
}

/// Returns `true` if the content is that of a known file: a stated digest proves it, whatever the container is.
pub(super) fn is_proven(content: &Digests, indexed: Option<&FileFacts>, files: &[CatalogFile]) -> bool {
    let is_stated = |file: &FileFacts| {
        (file.sha256_is_stated && file.sha256 == Some(content.sha256))
            || (file.sha1_is_stated && file.sha1 == Some(content.sha1))
    };
    indexed.is_some_and(is_stated) || files.iter().any(|file| file.sha1 == Some(content.sha1))
}

/// Returns a finding if the name is not the Catalog's name for the file, or not the recorded one.
pub(super) fn find_name_fault(
    identified: &Identified<'_>,
    kb: Kb,
    right: Option<&CatalogFile>,
    files: &[CatalogFile],
) -> Option<LintFinding> {
    let &Identified { entry, reading, own, .. } = identified;
    if let Some(own) = own {
        let message = || format!("not named as the set names it: the digest is that of {}", own.name);
        let finding = || LintFinding::of_name(LintCode::Misnamed, Some(kb), &entry.name, message());
        let is_right = own.name.eq_ignore_ascii_case(&entry.name);
        return (!is_right).then(|| LintFinding { right_name: Some(own.name.clone()), ..finding() });
    }
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
    let is_read = entry.content.is_some();
    let message = match right {
        Some(right) if is_read && right.sha1 == entry.content.map(|content| content.sha1) => {
            format!("not named as the Catalog names it: the digest is that of {}", right.name)
        }
        Some(right) => format!("not named as the Catalog names it: {kb} has the name {}", right.name),
        None if matching_files(&reading.named, files).is_empty() => {
            format!("not named as the Catalog names it, and no file name of {kb} is known")
        }
        None => {
            let names = matching_files(&reading.named, files).into_iter().map(|file| file.name.as_str());
            let names = names.collect::<Vec<_>>().join(" or ");
            let way_out =
                if is_read { "the digest is that of neither" } else { "use --deep to identify the file" };
            format!("not named as the Catalog names it: {kb} has {names}; {way_out}")
        }
    };
    let finding = LintFinding::of_name(LintCode::Misnamed, Some(kb), &entry.name, message);
    Some(LintFinding { right_name: right.map(|right| right.name.clone()), ..finding })
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

/// Returns a finding if the file is unknown, or if its content contradicts a statement.
pub(super) fn find_identity_fault(
    identified: &Identified<'_>,
    knowledge: &Knowledge,
    facts: &Facts,
) -> Option<LintFinding> {
    let &Identified { entry, reading, own, kb, architecture, indexed } = identified;
    let named = &reading.named;
    let finding = |code, message: String| Some(LintFinding::of_name(code, kb, &entry.name, message));
    if let Some(message) = entry.content.and_then(|content| digest_mismatch(named, indexed, &content)) {
        return finding(LintCode::DigestMismatch, message);
    }
    if let Some(own) = own {
        let message = entry.content.and_then(|content| recorded_mismatch(own, &content));
        return message.and_then(|message| finding(LintCode::DigestMismatch, message));
    }
    let Some(kb) = kb else {
        let message = match (reading.kbs.len(), entry.content) {
            (0, None) => {
                "not named as the Catalog names it: the name has no KB; use --deep to identify the file"
                    .to_owned()
            }
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

/// Returns the difference between the content and the recorded digests of a published file.
fn recorded_mismatch(own: &RecordedFile, content: &Digests) -> Option<String> {
    if let Some(sha256) = own.file.sha256.filter(|&sha256| sha256 != content.sha256) {
        return Some(format!("the content has the SHA-256 {}; the mirror recorded {sha256}", content.sha256));
    }
    let sha1 = own.file.sha1.filter(|&sha1| sha1 != content.sha1)?;
    Some(format!("the content has the SHA-1 {}; the mirror recorded {sha1}", content.sha1))
}
