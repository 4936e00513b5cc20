//! The patterns of the grammars: compiled once, at their first use.

use std::sync::LazyLock;

use regex::Regex;

/// A pattern of one of the grammars, compiled at its first use.
pub(super) type Pattern = LazyLock<Regex>;

/// Compiles a literal pattern: case-insensitive, white space in it ignored, classes ASCII-sized where it counts.
#[expect(clippy::unwrap_used, reason = "patterns are literals of this room, and every one is used by a test")]
pub(super) fn compile(pattern: &str) -> Regex {
    regex::RegexBuilder::new(pattern).case_insensitive(true).ignore_whitespace(true).build().unwrap()
}
