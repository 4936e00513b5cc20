//! The index's rules on an index in memory.
