//! The table of known checkpoints. A row whose file names contradict its digests is refused.

use jiff::civil::Date;
use serde::Deserialize;

use super::{Finding, Installation, KnownFile, check_format, read_table, without_source, wrong_files};
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

    /// All files.
    pub fn files(&self) -> &[KnownFile] {
        &self.files
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

const NAME: &str = "checkpoints.toml";

pub(super) fn read(text: &str) -> Result<(Vec<Checkpoint>, Vec<ChannelRelease>)> {
    let table: Table = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    let mut rows = table.checkpoint;
    rows.sort_by_key(|row| (row.family, row.build));
    Ok((rows, table.channel_release))
}

pub(super) fn faults(rows: &[Checkpoint], releases: &[ChannelRelease]) -> Vec<Finding> {
    let mut faults = without_source(
        NAME,
        (rows.iter().map(|row| (row.kb.to_string(), &row.source)))
            .chain(releases.iter().map(|row| (row.kb.to_string(), &row.source))),
    );
    for row in rows {
        if row.build.number != row.family {
            let message = format!("{} has a build of another family", row.kb);
            faults.push(Finding::new(NAME, "build_differs", row.kb, message));
        }
        // Bases below builds make every chain end.
        if row.base.is_some_and(|base| base >= row.build) {
            let message = format!("{} builds upon itself or upon what is later", row.kb);
            faults.push(Finding::new(NAME, "circle", row.kb, message));
        }
        faults.extend(wrong_files(NAME, row.kb, row.files()));
    }
    faults
}
