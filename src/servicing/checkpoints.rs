//! The table of known checkpoints. A row whose file names contradict its digests is refused.

use jiff::civil::Date;
use serde::Deserialize;

use super::families::{Family, FamilyOfRow, Installation};
use super::finding::{TableFinding, without_source};
use super::known_file::{KnownFile, wrong_files};
use super::table::{check_format, read_table};
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
    /// The installations of the family that it holds for.
    pub installation: Vec<Installation>,
    /// The build that it brings.
    pub build: Build,
    /// The day of its release, where it is known.
    #[serde(default)]
    pub date: Option<Date>,
    /// The channel, where not all machines get it.
    #[serde(default)]
    pub channel: Option<String>,
    /// The build that it builds upon itself, where that is known.
    #[serde(default)]
    pub base: Option<Build>,
    /// The source of the row.
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
    /// The channel.
    pub channel: String,
    /// The installations of the family that it is for.
    pub installation: Vec<Installation>,
    /// The build that it brings.
    pub build: Build,
    /// The build that it builds upon.
    pub base: Build,
    /// The source of the row.
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

/// The table of checkpoints and of the updates of channels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoints {
    format: u32,
    /// By family and build.
    checkpoint: Vec<Checkpoint>,
    #[serde(default)]
    channel_release: Vec<ChannelRelease>,
}

const NAME: &str = "checkpoints.toml";

impl Checkpoints {
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        table.checkpoint.sort_by_key(|row| (row.family, row.build));
        Ok(table)
    }

    /// Returns every checkpoint, by family and build.
    pub fn all(&self) -> &[Checkpoint] {
        &self.checkpoint
    }

    /// Returns the checkpoint row of a KB.
    pub fn of_kb(&self, kb: Kb) -> Option<&Checkpoint> {
        self.checkpoint.iter().find(|row| row.kb == kb)
    }

    /// Returns the checkpoints of a family that everybody gets, lowest build first.
    pub fn of_family(&self, family: &Family) -> impl Iterator<Item = &Checkpoint> + use<'_> {
        self.in_channel(family, None)
    }

    /// Returns the checkpoints of a family in a channel, lowest build first.
    pub fn in_channel<'k>(
        &'k self,
        family: &Family,
        channel: Option<&'k str>,
    ) -> impl Iterator<Item = &'k Checkpoint> + use<'k> {
        let (id, installation) = (family.id, family.installation);
        self.checkpoint.iter().filter(move |row| {
            row.family == id && row.installation.contains(&installation) && row.channel.as_deref() == channel
        })
    }

    /// Returns the row of an update of a channel that is in no Catalog.
    pub fn channel_release(&self, kb: Kb) -> Option<&ChannelRelease> {
        self.channel_release.iter().find(|row| row.kb == kb)
    }

    /// Returns the family that each row speaks of.
    pub(super) fn families(&self) -> Vec<FamilyOfRow> {
        let rows = self.checkpoint.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.family));
        let releases = self.channel_release.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.family));
        rows.chain(releases).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = without_source(
            NAME,
            (self.checkpoint.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.channel_release.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.checkpoint {
            if row.build.number != row.family {
                let message = format!("{} has a build of another family", row.kb);
                faults.push(TableFinding::new(NAME, "build_differs", row.kb, message));
            }
            // Bases below builds make every chain end.
            if row.base.is_some_and(|base| base >= row.build) {
                let message = format!("{} builds upon itself or upon what is later", row.kb);
                faults.push(TableFinding::new(NAME, "circle", row.kb, message));
            }
            faults.extend(wrong_files(NAME, row.kb, row.files()));
        }
        faults
    }
}
