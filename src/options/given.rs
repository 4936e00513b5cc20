//! The texts that each source gives for the options, and the precedence of the sources.
//!
//! The order of precedence is flag, environment variable, kbmirror.toml, default. An invalid text is refused under the
//! name by which it was given; credentials in the text are not repeated. Pure.

use std::collections::BTreeMap;

use super::row::OptionRow;
use crate::error::{Error, Result};
use crate::net::redacted_text;

/// A source of options, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptionSource {
    /// The command line.
    Flag,
    /// The environment.
    Variable,
    /// kbmirror.toml.
    File,
    /// The default of the option table.
    Default,
}

/// The texts of one source, by option id.
pub type OptionTexts = BTreeMap<&'static str, Vec<String>>;

/// The texts of all sources.
#[derive(Debug, Clone, Default)]
pub struct GivenOptions(BTreeMap<OptionSource, OptionTexts>);

impl GivenOptions {
    /// Replaces the texts of one source.
    #[must_use]
    pub fn with(mut self, source: OptionSource, texts: OptionTexts) -> Self {
        self.0.insert(source, texts);
        self
    }

    /// Returns the text that the operator gave by flag or environment variable, or `None` if neither is set.
    pub fn explicit_text(&self, id: &str) -> Option<&str> {
        let sources = [OptionSource::Flag, OptionSource::Variable];
        let texts = sources.iter().find_map(|source| self.0.get(source)?.get(id))?;
        texts.first().map(String::as_str)
    }

    /// Returns the text from the first source that gives the option, or `None` if no source does.
    pub fn first_text(&self, id: &str) -> Option<&str> {
        self.first(id)?.1.first().map(String::as_str)
    }

    fn first(&self, id: &str) -> Option<(OptionSource, &[String])> {
        self.0.iter().find_map(|(source, texts)| Some((*source, texts.get(id)?.as_slice())))
    }

    /// Reads every value of an option from the first source that gives the option.
    pub(super) fn many<T>(
        &self,
        row: &OptionRow,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        let Some((source, texts)) = self.first(row.id) else { return Ok(Vec::new()) };
        let refuse = |message: String| refuse(row, source, &message);
        texts.iter().map(|text| read(text).map_err(refuse)).collect()
    }

    /// Reads the value of an option from the first source that gives the option, or returns `None` if no source does.
    pub(super) fn one<T>(
        &self,
        row: &OptionRow,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        Ok(self.many(row, read)?.pop())
    }

    /// Reads the value of an option that has a default.
    pub(super) fn set<T>(&self, row: &OptionRow, read: impl Fn(&str) -> Result<T, String>) -> Result<T> {
        self.one(row, read)?.ok_or_else(|| refuse(row, OptionSource::Default, "a value is missing"))
    }

    /// Returns `true` if a switch is given.
    #[expect(clippy::unnecessary_wraps, reason = "all forms of the table have this signature")]
    pub(super) fn switch<T>(
        &self,
        row: &OptionRow,
        _read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<bool> {
        Ok(self.first(row.id).is_some())
    }
}

/// Makes the error for an invalid text, under the name by which the text was given.
fn refuse(row: &OptionRow, source: OptionSource, message: &str) -> Error {
    let message = if row.is_secret { message.to_owned() } else { redacted_text(message) };
    let name = match source {
        OptionSource::Variable => row.variable.unwrap_or(row.id).to_owned(),
        OptionSource::File => row.key.map_or(row.id, |key| key.name).to_owned(),
        OptionSource::Flag | OptionSource::Default => format!("--{}", row.flag),
    };
    Error::usage(format!("{name}: {message}"))
}
