//! The words of a search, and the narrowing of a search whose result was truncated. Pure.
//!
//! The Catalog returns at most 1000 updates for any words and does not state the total. All words of a search must
//! match, and `-"word"` matches updates without a word. The updates of a search are therefore exactly those of the same
//! search with one word more plus those of the same search without that word. A search is halved in this way until no
//! part is truncated. The words that separate updates are tried in this order: architecture, version, month.

use crate::error::{Error, Result};
use crate::update::Kb;

/// The most characters that the search box of the site accepts.
const LENGTH: usize = 100;

/// The words of a search: one line, not empty, and no longer than the Catalog accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Checks a query that the operator typed.
    pub fn new(words: &str) -> Result<Self> {
        if let Some(control) = words.chars().find(|sign| sign.is_control()) {
            let message = format!(
                "the query contains the control character U+{:04X}, which does not occur in titles",
                u32::from(control)
            );
            return Err(Error::usage(message).hint("type the words again by hand"));
        }
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return Err(Error::usage("the query is empty").hint("name a KB, or words of a title"));
        }
        let length = words.chars().count();
        if length > LENGTH {
            let message =
                format!("the query has {length} characters, but the Catalog accepts at most {LENGTH}");
            return Err(Error::usage(message).hint("use fewer words"));
        }
        Ok(Self(words))
    }

    /// Returns the query for a KB.
    pub fn of_kb(kb: Kb) -> Self {
        Self(kb.to_string())
    }

    /// Returns the words.
    pub fn words(&self) -> &str {
        &self.0
    }

    /// Splits the query into two disjoint halves that together are the query: with a word, and without it. `titles` are
    /// some results of the query; each half comes with `true` if one of them belongs to it. Returns `None` if no word
    /// is left, or if the query would become too long.
    pub(super) fn split(&self, titles: &[&str]) -> Option<[(Self, bool); 2]> {
        let word =
            TitleProperty::ALL.into_iter().find_map(|property| property.splitting_word(&self.0, titles))?;
        let with = Self::new(&format!("{} {word}", self.0)).ok()?;
        let without = Self::new(&format!("{} -\"{word}\"", self.0)).ok()?;
        let has = |title: &&str| title.to_lowercase().contains(&word);
        Some([(with, titles.iter().any(has)), (without, !titles.iter().all(has))])
    }
}

/// A property that separates the updates of one search, in the order of the tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TitleProperty {
    Architecture,
    Version,
    Month,
}

/// The architectures as titles write them.
const ARCHITECTURES: [&str; 3] = ["x64", "arm64", "x86"];

impl TitleProperty {
    const ALL: [Self; 3] = [Self::Architecture, Self::Version, Self::Month];

    /// Returns the word of a title, in lower case: `x64`, `24h2` (or `1809` after "version"), `2026-09`.
    fn word_of(self, title: &str) -> Option<String> {
        let title = title.to_lowercase();
        let is_number =
            |word: &str, length| word.len() == length && word.bytes().all(|byte| byte.is_ascii_digit());
        let words: Vec<&str> = title.split(|sign: char| !sign.is_alphanumeric()).collect();
        let found = match self {
            Self::Architecture => words.iter().find(|word| ARCHITECTURES.contains(*word)).copied(),
            Self::Version => words.iter().zip([""].iter().chain(&words)).find_map(|(word, before)| {
                let half_year = word.len() == 4
                    && word
                        .split_once('h')
                        .is_some_and(|(year, half)| is_number(year, 2) && is_number(half, 1));
                let numbered = is_number(word, 4) && matches!(*before, "version" | "server");
                (half_year || numbered).then_some(*word)
            }),
            Self::Month => title.split_whitespace().next().filter(|word| {
                word.split_once('-').is_some_and(|(year, month)| is_number(year, 4) && is_number(month, 2))
            }),
        };
        found.map(str::to_owned)
    }

    /// Returns the word that splits these titles best and that the query does not contain. Returns `None` if the query
    /// already contains a word of this property: updates with two of them are rare.
    fn splitting_word(self, query: &str, titles: &[&str]) -> Option<String> {
        let found: Vec<String> = titles.iter().filter_map(|title| self.word_of(title)).collect();
        let always =
            ARCHITECTURES.iter().filter(|_| self == Self::Architecture).map(|word| (*word).to_owned());
        let own: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let mut words: Vec<(usize, usize, String)> = Vec::new();
        for (place, word) in always.chain(found.iter().cloned()).enumerate() {
            if own.contains(&word) {
                return None;
            }
            let count = found.iter().filter(|other| **other == word).count();
            let from_half = (2 * count).abs_diff(titles.len());
            if !own.contains(&format!("-\"{word}\"")) {
                words.push((from_half, place, word));
            }
        }
        words.into_iter().min().map(|(_, _, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn invalid_queries_are_refused_with_a_reason() {
        for (words, reason) in [
            ("", "empty"),
            (" \u{a0} ", "empty"),
            ("KB1\u{7}", "U+0007"),
            ("a\nb", "U+000A"),
            ("\u{9b}2J", "U+009B"),
        ] {
            let error = Query::new(words).unwrap_err();
            assert!(error.message().contains(reason), "{words:?}: {error}");
            assert_eq!(error.code().number(), 2);
        }
        assert!(Query::new(&"x".repeat(101)).unwrap_err().message().contains("101 characters"));
        assert!(Query::new(&"ü".repeat(100)).is_ok());
        assert_eq!(Query::new("  two   words ").unwrap().words(), "two words");
    }

    const TITLES: [&str; 4] = [
        "2026-09 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB1)",
        "2026-09 Cumulative Update for Windows 11, version 24H2 for arm64-based Systems (KB1)",
        "2026-08 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB2)",
        "Some Driver",
    ];

    fn halves(words: &str, titles: &[&str]) -> Option<(String, String)> {
        let [(with, _), (without, _)] = Query::new(words).unwrap().split(titles)?;
        Some((with.0, without.0))
    }

    fn pair(with: &str, without: &str) -> (String, String) {
        (with.to_owned(), without.to_owned())
    }

    #[test]
    fn queries_are_split_by_architecture_version_month() {
        assert_eq!(halves("update", &TITLES).unwrap(), pair("update x64", "update -\"x64\""));
        assert_eq!(halves("update x64", &TITLES).unwrap(), pair("update x64 24h2", "update x64 -\"24h2\""));
        assert_eq!(
            halves("update x64 24H2", &TITLES).unwrap(),
            pair("update x64 24H2 2026-09", "update x64 24H2 -\"2026-09\"")
        );
        assert_eq!(halves("update x64 24H2 2026-09", &TITLES), None);
        assert_eq!(
            halves("update -\"x64\"", &TITLES).unwrap(),
            pair("update -\"x64\" arm64", "update -\"x64\" -\"arm64\"")
        );
        // The titles do not differ: the architectures are tried anyway.
        assert_eq!(halves("driver", &["Some Driver"]).unwrap(), pair("driver x64", "driver -\"x64\""));
        assert_eq!(halves("driver -\"x64\" -\"arm64\" -\"x86\"", &["Some Driver"]), None);
    }

    #[test]
    fn a_query_never_exceeds_the_length_limit() {
        assert_eq!(halves(&"w".repeat(97), &TITLES), None);
        assert!(halves(&"w".repeat(90), &TITLES).is_some());
    }

    proptest! {
        #[test]
        fn halving_terminates(start in "[a-z]{1,8}", turns in prop::collection::vec(any::<bool>(), 64)) {
            let mut query = Query::new(&start).unwrap();
            let mut depth = 0;
            for turn in turns {
                let Some([(with, _), (without, _)]) = query.split(&TITLES) else { break };
                query = if turn { with } else { without };
                depth += 1;
                prop_assert!(query.words().chars().count() <= LENGTH);
            }
            prop_assert!(depth <= 12);
        }
    }
}
