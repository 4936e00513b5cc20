//! The order of the package sets of one KB by the version of a program in their titles. Pure.
//!
//! A KB such as that of the Defender platform has one entry for each version. Versions are compared only between
//! titles that are equal without the version, for the same architecture and the same families. Nothing else orders
//! them: no date, no update id, no position.

use super::package_set::PackageSet;

/// Returns, for each set, the newer set of the same program, or `None` if no other set is newer.
pub fn newer_versions<'s>(sets: &[&'s PackageSet]) -> Vec<Option<&'s PackageSet>> {
    sets.iter()
        .map(|set| sets.iter().copied().find(|other| is_older(set, other) && is_newest(other, sets)))
        .collect()
}

fn is_newest(set: &PackageSet, sets: &[&PackageSet]) -> bool {
    !sets.iter().any(|other| is_older(set, other))
}

/// Returns `true` if each version of a set has a higher one of the same program in another set.
fn is_older(set: &PackageSet, other: &PackageSet) -> bool {
    let comparable = (set.architecture, &set.families, set.kind, set.is_dynamic_variant)
        == (other.architecture, &other.families, other.kind, other.is_dynamic_variant);
    comparable
        && !set.versions.is_empty()
        && set.versions.iter().all(|own| {
            let mut same = other.versions.iter().filter(|other| other.is_of_same_program(own));
            same.any(|other| other.numbers > own.numbers)
        })
}

/// Returns the versions of a set as text, for people.
pub(super) fn version_words(set: &PackageSet) -> String {
    let words: Vec<String> = set.versions.iter().map(ToString::to_string).collect();
    super::text::join_names(words.iter().map(String::as_str))
}
