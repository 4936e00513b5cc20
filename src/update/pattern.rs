//! The patterns of the grammars, each compiled at its first use.

use std::sync::LazyLock;

use regex::Regex;

/// A pattern of a grammar, compiled at its first use.
pub(super) type Pattern = LazyLock<Regex>;

/// Compiles a literal pattern: case-insensitive, with white space ignored, and with explicit ASCII classes where they
/// matter.
#[expect(clippy::unwrap_used, reason = "patterns are literals of this room, and every one is used by a test")]
pub(super) fn compile(pattern: &str) -> Regex {
    regex::RegexBuilder::new(pattern).case_insensitive(true).ignore_whitespace(true).build().unwrap()
}
