//! A package set by its number in the index.

/// The index's number of a package set. A set keeps it while its files stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub i64);
