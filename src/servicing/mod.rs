//! What is known of Windows servicing beforehand: tables that a Windows administrator could read and mend, and
//! look-ups in them.
//!
//! The tables are data files beside this module, compiled in; each row names its source. What the Catalog says
//! goes before them. Pure: the tables are parsed from text, and a text that does not parse or contradicts itself is
//! an error that names the row. Every table has a version and a date, which every answer carries.

mod checkpoints;
mod families;
mod lines;
mod releases;
mod withdrawn;

pub use checkpoints::{Checkpoint, KnownFile};
pub use families::{Family, Installation};
use jiff::civil::Date;
pub use releases::{Release, ReleaseKind};
pub use withdrawn::{Hotpatch, Withdrawn};

use crate::error::{Error, ErrorKind, Result};
use crate::update::{Architecture, Kb};

/// All tables together.
#[derive(Debug, Clone)]
pub struct Knowledge {
    version: String,
    date: Date,
    families: Vec<Family>,
    checkpoints: Vec<Checkpoint>,
    releases: releases::Releases,
    refused: withdrawn::Refused,
}

/// The texts of the tables, by their file names.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    /// `families.toml`
    pub families: &'a str,
    /// `checkpoints.toml`
    pub checkpoints: &'a str,
    /// `withdrawn.toml`
    pub withdrawn: &'a str,
    /// `releases.txt`
    pub releases: &'a str,
    /// `files.txt`
    pub files: &'a str,
}

/// The tables that are compiled in.
const BUILT_IN: Tables<'static> = Tables {
    families: include_str!("data/families.toml"),
    checkpoints: include_str!("data/checkpoints.toml"),
    withdrawn: include_str!("data/withdrawn.toml"),
    releases: include_str!("data/releases.txt"),
    files: include_str!("data/files.txt"),
};

impl Knowledge {
    /// The tables that were compiled in.
    pub fn built_in() -> Result<Self> {
        Self::parse(BUILT_IN)
    }

    /// Tables from their texts.
    pub fn parse(tables: Tables<'_>) -> Result<Self> {
        let families = families::parse(tables.families)?;
        let checkpoints = checkpoints::parse(tables.checkpoints)?;
        for checkpoint in &checkpoints {
            let known = families.rows.iter().any(|family| family.id == checkpoint.family);
            if !known {
                return Err(faulty(
                    "checkpoints.toml",
                    &format!("{} is of no known family ({})", checkpoint.kb, checkpoint.family),
                ));
            }
        }
        Ok(Self {
            version: families.version,
            date: families.date,
            families: families.rows,
            checkpoints,
            releases: releases::Releases::new(tables.releases, tables.files)?,
            refused: withdrawn::parse(tables.withdrawn)?,
        })
    }

    /// The version of the tables.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// As of when the tables are.
    pub fn date(&self) -> Date {
        self.date
    }

    /// Every family; where one set belongs to several, the first of them in this order names its folder.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The family that a title's product and release belong to.
    pub fn family_of_title(&self, product: &str, release: Option<&str>) -> Option<&Family> {
        self.families.iter().find(|family| family.has_product(product, release))
    }

    /// The families that a machine of this build may belong to: a client one, a server one, or both.
    pub fn families_of_build(&self, build: u32) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(move |family| family.builds.contains(&build))
    }

    /// The releases of a KB for a family, lowest build first; several where it was released again.
    pub fn releases_of(&self, kb: Kb, family: &Family) -> Vec<Release> {
        self.releases.of(kb).into_iter().filter(|release| release.is_for(family)).collect()
    }

    /// The releases of a KB for every family, by family and build.
    pub fn releases_of_kb(&self, kb: Kb) -> Vec<Release> {
        self.releases.of(kb)
    }

    /// The files of a cumulative update by architecture, as the Catalog named them.
    pub fn files_of_kb(&self, kb: Kb) -> Vec<(Architecture, String)> {
        self.releases.files_of(kb)
    }

    /// Reads all of what is otherwise read line by line, and says what is wrong with it.
    pub fn check(&self) -> Result<()> {
        self.releases.check()
    }

    /// The row of an update that Microsoft withdrew.
    pub fn withdrawn(&self, kb: Kb) -> Option<&Withdrawn> {
        self.refused.withdrawn.iter().find(|row| row.kb == kb)
    }

    /// The row of a hotpatch.
    pub fn hotpatch(&self, kb: Kb) -> Option<&Hotpatch> {
        self.refused.hotpatch.iter().find(|row| row.kb == kb)
    }

    /// The checkpoints of a family, lowest build first.
    pub fn checkpoints_of(&self, family: &Family) -> impl Iterator<Item = &Checkpoint> {
        let (id, installation) = (family.id, family.installation);
        self.checkpoints
            .iter()
            .filter(move |row| row.family == id && row.installation.contains(&installation))
    }
}

/// A table that cannot be used.
fn faulty(table: &str, what: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the knowledge table {table} is faulty: {what}"))
}

/// Reads a table from TOML; unknown keys are refused, so that a mistyped one is not silently without effect.
fn read_table<T: serde::de::DeserializeOwned>(table: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| faulty(table, &error.to_string()))
}

/// The format that this program reads.
const FORMAT: u32 = 1;

fn check_format(table: &str, format: u32) -> Result<()> {
    if format == FORMAT {
        return Ok(());
    }
    Err(faulty(table, &format!("it has format {format}, and this program reads format {FORMAT}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Build;

    #[test]
    fn the_compiled_tables_are_sound() {
        let knowledge = Knowledge::built_in().unwrap();
        assert!(knowledge.families().len() > 20);
        let client = knowledge.family_of_title("windows 11", Some("25H2")).unwrap();
        assert_eq!((client.folder.as_str(), client.installation), ("windows-11-24h2", Installation::Client));
        let server = knowledge.family_of_title("Microsoft Server Operating System", Some("24h2")).unwrap();
        assert_eq!((server.folder.as_str(), server.installation), ("server-2025", Installation::Server));
        let of_client: Vec<_> = knowledge.checkpoints_of(client).collect();
        assert_eq!(of_client.len(), 1);
        assert_eq!(of_client[0].build, Build::new(26100, 1742));
        assert_eq!(knowledge.checkpoints_of(server).count(), 1);
        assert!(of_client[0].file(Architecture::Arm64).is_some());
        assert!(of_client[0].file(Architecture::X86).is_none());
    }

    #[test]
    fn versions_filed_under_another_product_are_of_their_own_build() {
        let knowledge = Knowledge::built_in().unwrap();
        let family = |product, release| knowledge.family_of_title(product, release).map(|family| family.id);
        assert_eq!(family("Windows Server 2016", Some("1709")), Some(16299));
        assert_eq!(family("Windows Server 2016", None), Some(14393));
        assert_eq!(family("Windows 11", None), Some(22000));
        assert_eq!(family("Windows 10", Some("21H2")), Some(19041));
        assert_eq!(family("Windows 12", None), None);
    }

    #[test]
    fn a_revision_means_something_within_its_family_only() {
        let knowledge = Knowledge::built_in().unwrap();
        let family = knowledge.family_of_title("Windows 11", Some("24H2")).unwrap();
        assert_eq!(family.revision_of(Build::new(26200, 8117)), Some(8117));
        assert_eq!(family.revision_of(Build::new(28000, 1719)), None);
    }

    #[test]
    fn a_faulty_table_is_named_with_its_fault() {
        let families = include_str!("data/families.toml");
        let checkpoints = include_str!("data/checkpoints.toml");
        let newer = families.replacen("format = 1", "format = 2", 1);
        let mistyped = checkpoints.replacen("architecture =", "architektur =", 1);
        let stranger = checkpoints.replacen("family = 26100", "family = 27000", 1);
        let stranger = stranger.replacen("26100.1742", "27000.1742", 1);
        let slip = checkpoints.replacen("sha1 = \"9534", "sha1 = \"0534", 1);
        for (families, checkpoints, word) in [
            (newer.as_str(), checkpoints, "format 2"),
            (families, mistyped.as_str(), "architektur"),
            (families, stranger.as_str(), "no known family"),
            (families, slip.as_str(), "name"),
        ] {
            let error = Knowledge::parse(Tables { families, checkpoints, ..BUILT_IN }).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
