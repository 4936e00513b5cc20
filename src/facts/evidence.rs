//! The evidence for a statement: its source, and the date of the source.

use std::fmt;

use jiff::civil::Date;

use super::source::Source;
use crate::servicing::{Checkpoint, Knowledge};
use crate::update::{Build, Kb, UpdateId};

/// The evidence for a statement, with its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A download dialog lists the file.
    Dialog {
        /// The update of the dialog.
        update: UpdateId,
        /// The day on which the dialog was last read.
        seen: Option<Date>,
    },
    /// A title states the build that a KB brings.
    TitleBuild {
        /// The KB.
        kb: Kb,
        /// The build of the KB.
        build: Build,
    },
    /// Titles of the Catalog state the type and the products of a KB.
    Titles {
        /// The KB.
        kb: Kb,
    },
    /// A details page states that an entry replaces another one, directly or through others.
    Supersedes {
        /// The newer entry.
        newer: UpdateId,
        /// The older entry.
        older: UpdateId,
    },
    /// A row of a knowledge table.
    Knowledge {
        /// The row as text.
        row: String,
        /// The date of the tables.
        date: String,
    },
}

impl Evidence {
    /// Returns the evidence for a known checkpoint.
    pub fn of_checkpoint(checkpoint: &Checkpoint, knowledge: &Knowledge) -> Self {
        let row = format!("{} is the checkpoint {} ({})", checkpoint.kb, checkpoint.build, checkpoint.source);
        Self::Knowledge { row, date: knowledge.date().to_string() }
    }

    /// Returns the source that the index records for an edge.
    pub fn source(&self) -> Source {
        match self {
            Self::Dialog { .. } | Self::TitleBuild { .. } | Self::Titles { .. } => Source::Dialog,
            Self::Supersedes { .. } => Source::Details,
            Self::Knowledge { .. } => Source::Knowledge,
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialog { update, seen } => {
                formatter.write_str(&dialog_statement(*update, "the file", *seen))
            }
            Self::TitleBuild { kb, build } => {
                write!(formatter, "the Catalog's titles of {kb} state build {build}")
            }
            Self::Titles { kb } => write!(formatter, "the Catalog's titles of {kb}"),
            Self::Supersedes { newer, older } => {
                write!(formatter, "the Catalog's details pages state that {newer} replaces {older}")
            }
            Self::Knowledge { row, date } => write!(formatter, "knowledge of {date}: {row}"),
        }
    }
}

/// Returns the statement of a download dialog about one file or several files.
pub(crate) fn dialog_statement(update: UpdateId, what: &str, seen: Option<Date>) -> String {
    let on = seen.map(|day| format!(" on {day}")).unwrap_or_default();
    format!("the download dialog of update {update} listed {what}{on}")
}

crate::update::schema_of_text!(Evidence, "Evidence", |generator: &mut schemars::SchemaGenerator| {
    generator.subschema_for::<String>()
});

impl serde::Serialize for Evidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
