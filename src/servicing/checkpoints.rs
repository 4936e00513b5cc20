//! The table of known checkpoints. A row whose file names contradict its digests is refused.

use jiff::civil::Date;
use serde::Deserialize;

use super::families::{Family, FamilyReference, Installation};
use super::finding::{TableFinding, find_missing_sources};
use super::known_file::{KnownFile, find_wrong_files};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb};

/// A cumulative update on which later updates of its family are based.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The KB of the checkpoint.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The installations of the family to which the row applies.
    pub installation: Vec<Installation>,
    /// The build after installation.
    pub build: Build,
    /// The release date, if known.
    #[serde(default)]
    pub date: Option<Date>,
    /// The channel, if not all machines get the update.
    #[serde(default)]
    pub channel: Option<String>,
    /// The build on which the checkpoint is based, if known.
    #[serde(default)]
    pub base: Option<Build>,
    /// The source of the row.
    pub source: String,
    /// The files, as given by the Catalog.
    #[serde(rename = "file", default)]
    files: Vec<KnownFile>,
}

/// An update of a channel that the Catalog does not list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelRelease {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The channel.
    pub channel: String,
    /// The installations of the family to which the row applies.
    pub installation: Vec<Installation>,
    /// The build after installation.
    pub build: Build,
    /// The build on which the update is based.
    pub base: Build,
    /// The source of the row.
    pub source: String,
}

impl Checkpoint {
    /// Returns the file for an architecture, or `None` if it is unknown.
    pub fn file(&self, architecture: Architecture) -> Option<&KnownFile> {
        self.files.iter().find(|file| file.architecture == architecture)
    }

    /// Returns all files.
    pub fn files(&self) -> &[KnownFile] {
        &self.files
    }
}

/// The table of checkpoints and of channel updates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoints {
    format: u32,
    /// The checkpoints, sorted by family and build.
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

    /// Returns all checkpoints, sorted by family and build.
    pub fn all(&self) -> &[Checkpoint] {
        &self.checkpoint
    }

    /// Returns the checkpoint with this KB, or `None` if the KB is not a checkpoint.
    pub fn of_kb(&self, kb: Kb) -> Option<&Checkpoint> {
        self.checkpoint.iter().find(|row| row.kb == kb)
    }

    /// Returns the checkpoints for all machines of a family, lowest build first.
    pub fn of_family(&self, family: &Family) -> impl Iterator<Item = &Checkpoint> + use<'_> {
        self.in_channel(family, None)
    }

    /// Returns the checkpoints of a channel of a family, lowest build first.
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

    /// Returns the row of a channel update that the Catalog does not list, or `None` for other KBs.
    pub fn channel_release(&self, kb: Kb) -> Option<&ChannelRelease> {
        self.channel_release.iter().find(|row| row.kb == kb)
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        let rows = self.checkpoint.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family));
        let releases = self.channel_release.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family));
        rows.chain(releases).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = find_missing_sources(
            NAME,
            (self.checkpoint.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.channel_release.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.checkpoint {
            if row.build.number != row.family {
                let message = format!("{} has a build of another family", row.kb);
                faults.push(TableFinding::new(NAME, "build_differs", row.kb, message));
            }
            // Each base is lower than its build, so every chain ends.
            if row.base.is_some_and(|base| base >= row.build) {
                let message = format!("{} is based on itself or on a later build", row.kb);
                faults.push(TableFinding::new(NAME, "circle", row.kb, message));
            }
            faults.extend(find_wrong_files(NAME, row.kb, row.files()));
        }
        faults
    }
}
