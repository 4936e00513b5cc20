//! Lists of names in sentences.

use std::collections::BTreeSet;

/// Returns sorted, distinct names with commas between them.
pub(super) fn join_names<'w>(items: impl Iterator<Item = &'w str>) -> String {
    let sorted: BTreeSet<&str> = items.collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}
