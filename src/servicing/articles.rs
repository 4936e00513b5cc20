//! The table of statements that Microsoft's articles and release pages make about single updates: release dates, the
//! kinds of dynamic updates, their versions, and the updates that they replace.
//!
//! A date of an article has precedence over the day on which a public list first contained an update.

use jiff::civil::Date;
use serde::Deserialize;

use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Build, Kb, Kind};

/// The statements of an article about an update.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// The KB of the update.
    pub kb: Kb,
    /// The release date.
    #[serde(default)]
    pub date: Option<Date>,
    /// The kind of the package.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// The version that a Safe OS update brings to the recovery environment.
    #[serde(default)]
    pub version: Option<Build>,
    /// The updates that it replaces.
    #[serde(default)]
    pub replaces: Vec<Kb>,
    /// The source of the row.
    pub source: String,
}

/// The table of articles.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Articles {
    format: u32,
    #[serde(default)]
    article: Vec<Article>,
}

const NAME: &str = "articles.toml";

impl Articles {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns the statements about a KB, or `None` if the table has none.
    pub fn of_kb(&self, kb: Kb) -> Option<&Article> {
        self.article.iter().find(|row| row.kb == kb)
    }

    /// Returns all rows.
    pub fn all(&self) -> &[Article] {
        &self.article
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let rows = self.article.iter().map(|row| (row.kb.to_string(), &row.source));
        let mut faults = find_missing_sources(NAME, rows);
        for (place, row) in self.article.iter().enumerate() {
            if self.article[..place].iter().any(|other| other.kb == row.kb) {
                let message = format!("{} has more than one row", row.kb);
                faults.push(TableFinding::new(NAME, "duplicate", row.kb, message));
            }
            if row.replaces.contains(&row.kb) {
                let message = format!("{} replaces itself", row.kb);
                faults.push(TableFinding::new(NAME, "replaces_itself", row.kb, message));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str =
        "format = 1\n[[article]]\nkb = \"KB5091157\"\ndate = \"2026-04-19\"\nsource = \"a page\"\n";

    #[test]
    fn article_states_date_kind_and_version() {
        let table = Articles::read(include_str!("data/articles.toml")).unwrap();
        assert_eq!(table.faults(), []);
        let row = table.of_kb("KB5071844".parse().unwrap()).unwrap();
        assert_eq!(row.date.unwrap().to_string(), "2025-12-01");
        assert_eq!(row.kind, Some(Kind::SafeosDu));
        assert_eq!(row.version, Some(Build::new(26100, 7297)));
        assert_eq!(table.of_kb("KB9999999".parse().unwrap()), None);
    }

    #[test]
    fn faulty_rows_are_found() {
        let codes = |text: &str| {
            let faults = Articles::read(text).unwrap().faults();
            faults.iter().map(|fault| fault.code.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(codes(ROW), Vec::<String>::new());
        let twice = format!("{ROW}{}", ROW.replacen("format = 1\n", "", 1));
        assert_eq!(codes(&twice), ["duplicate"]);
        let itself = ROW.replacen("source", "replaces = [\"KB5091157\"]\nsource", 1);
        assert_eq!(codes(&itself), ["replaces_itself"]);
        assert_eq!(codes(&ROW.replacen("a page", " ", 1)).len(), 1);
    }
}
