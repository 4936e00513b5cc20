//! Confirms bytes that were verified by knowledge alone, once the Catalog states the same digests.

use crate::clock::Time;
use crate::error::Result;
use crate::facts::{FileProperty, PropertyCheck, SetId, Source};
use crate::mirror::index::Transaction;

/// Records, for the files of a set, that their bytes agree with the Catalog's digests, if they agreed with the same
/// digests from knowledge. Returns the number of the set.
pub(super) fn confirm(index: &Transaction<'_>, set: SetId, now: Time) -> Result<SetId> {
    let members = index.set(set)?.map(|row| row.members).unwrap_or_default();
    for file in members.into_iter().map(|member| member.file).filter(|file| file.present) {
        let Some(key) = file.key else { continue };
        let checks = index.checks_of(key)?;
        if !checks.iter().any(|check| check.against == Source::Knowledge) {
            continue;
        }
        let (sha1, sha256) = index.digest_sources(key)?;
        let by_dialog = |what| PropertyCheck { what, against: Source::Dialog };
        let by_knowledge = PropertyCheck { what: FileProperty::Sha1, against: Source::Knowledge };
        if sha1 == Some(Source::Dialog) && checks.contains(&by_knowledge) {
            index.record_check(key, by_dialog(FileProperty::Sha1), now)?;
        }
        let pooled = index.pool_record(key)?.map(|(sha256, _)| sha256);
        if sha256 == Some(Source::Dialog) && pooled.is_some() && pooled == file.sha256 {
            index.record_check(key, by_dialog(FileProperty::Sha256), now)?;
        }
    }
    Ok(set)
}
