//! The table of known checkpoints. A row whose file names contradict its digests is refused.

use jiff::civil::Date;
use serde::Deserialize;

use super::{Installation, KnownFile, check_files, check_format, check_sources, faulty, read_table};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb};

/// A cumulative update that later ones of its family build upon.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Which installations of the family it holds for.
    pub installation: Vec<Installation>,
    /// The build that it brings.
    pub build: Build,
    /// When it was released, where that is known.
    #[serde(default)]
    pub date: Option<Date>,
    /// Who gets it, when that is not everybody.
    #[serde(default)]
    pub channel: Option<String>,
    /// The build that it builds upon itself, where that is known.
    #[serde(default)]
    pub base: Option<Build>,
    /// Where the row comes from.
    pub source: String,
    /// Its files as the Catalog gave them.
    #[serde(rename = "file", default)]
    files: Vec<KnownFile>,
}

/// An update of a channel that is in no Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelRelease {
    /// Its KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Who gets it.
    pub channel: String,
    /// Which installations of the family it is for.
    pub installation: Vec<Installation>,
    /// The build that it brings.
    pub build: Build,
    /// The build that it builds upon.
    pub base: Build,
    /// Where the row comes from.
    pub source: String,
}

impl Checkpoint {
    /// The file for an architecture.
    pub fn file(&self, architecture: Architecture) -> Option<&KnownFile> {
        self.files.iter().find(|file| file.architecture == architecture)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    format: u32,
    checkpoint: Vec<Checkpoint>,
    #[serde(default)]
    channel_release: Vec<ChannelRelease>,
}

pub(super) fn parse(text: &str) -> Result<(Vec<Checkpoint>, Vec<ChannelRelease>)> {
    const NAME: &str = "checkpoints.toml";
    let table: Table = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    let mut rows = table.checkpoint;
    rows.sort_by_key(|row| (row.family, row.build));
    check_sources(
        NAME,
        (rows.iter().map(|row| (row.kb.to_string(), &row.source)))
            .chain(table.channel_release.iter().map(|row| (row.kb.to_string(), &row.source))),
    )?;
    for row in &rows {
        if row.build.number != row.family {
            return Err(faulty(NAME, &format!("{} has a build of another family", row.kb)));
        }
        // Bases below builds make every chain end.
        if row.base.is_some_and(|base| base >= row.build) {
            return Err(faulty(NAME, &format!("{} builds upon itself or upon what is later", row.kb)));
        }
        check_files(NAME, row.kb, &row.files)?;
    }
    Ok((rows, table.channel_release))
}
