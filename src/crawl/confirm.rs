//! Confirmation of bytes that knowledge alone vouched for, once the Catalog states the same digests.

use crate::error::Result;
use crate::mirror::Index;

/// Records for the files of a set that their bytes agree with the Catalog's digests, where they agreed with the same digests
/// of knowledge. Returns the number of the set.
pub(super) fn confirm(index: &Index, set: i64, now: i64) -> Result<i64> {
    let members = index.set(set)?.map(|row| row.members).unwrap_or_default();
    for file in members.into_iter().map(|member| member.file).filter(|file| file.present) {
        let Some(key) = file.key else { continue };
        let checks = index.checks_of(key)?;
        let has = |what: &str, against: &str| checks.iter().any(|(a, b)| a == what && b == against);
        if !checks.iter().any(|(_, against)| against == "knowledge") {
            continue;
        }
        let (sha1, sha256) = index.digest_sources(key)?;
        if sha1.as_deref() == Some("dialog") && has("sha1", "knowledge") {
            index.record_check(key, "sha1", "dialog", now)?;
        }
        let pooled = index.pooled_as(key)?.map(|(sha256, _)| sha256);
        if sha256.as_deref() == Some("dialog") && pooled.is_some() && pooled == file.sha256 {
            index.record_check(key, "sha256", "dialog", now)?;
        }
    }
    Ok(set)
}
