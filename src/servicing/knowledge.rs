//! All tables together, each with its own lookups, and the lookups that need several tables.
//!
//! Long tables are read line by line when a lookup needs them. Tables that contradict themselves are refused with the
//! first fault.

use std::sync::OnceLock;

use jiff::civil::Date;

use super::articles::Articles;
use super::checkpoints::Checkpoints;
use super::dotnet_updates::DotnetUpdates;
use super::editions::Editions;
use super::enablement::EnablementPackages;
use super::families::{Families, Family};
use super::finding::{TableFinding, refuse_findings};
use super::known_contradictions::KnownContradictions;
use super::known_file::KnownFile;
use super::lifecycle::{Lifecycle, Servicing, ServicingScope};
use super::media_notes::MediaNotes;
use super::packages::Packages;
use super::parents::Parents;
use super::prerequisites::Prerequisites;
use super::releases::Releases;
use super::rollups::Rollups;
use super::tables::Tables;
use super::withdrawn::WithdrawnUpdates;
use crate::error::Result;
use crate::update::{Architecture, Kb, Kind, Sha256};

/// All tables together.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// The digest, computed at its first use for the built-in tables: reading all their text costs more than most
    /// lookups.
    digest: OnceLock<Sha256>,
    families: Families,
    checkpoints: Checkpoints,
    articles: Articles,
    releases: Releases,
    packages: Packages,
    rollups: Rollups,
    withdrawn: WithdrawnUpdates,
    prerequisites: Prerequisites,
    enablement: EnablementPackages,
    editions: Editions,
    dotnet: DotnetUpdates,
    parents: Parents,
    lifecycle: Lifecycle,
    media: MediaNotes,
    known_contradictions: KnownContradictions,
}

impl Knowledge {
    /// Returns the compiled-in tables. A test looks for contradictions in them, which would cost each run a
    /// millisecond.
    pub fn built_in() -> Result<Self> {
        Self::read(&Tables::built_in(), OnceLock::new())
    }

    /// Reads tables from their texts. A table that contradicts itself is refused with its first fault.
    pub fn parse(tables: Tables<'_>) -> Result<Self> {
        let knowledge = Self::read(&tables, OnceLock::from(tables.digest()))?;
        refuse_findings(knowledge.faults())?;
        Ok(knowledge)
    }

    /// Reads tables from their texts without checks. An empty digest means the digest of the built-in tables.
    pub(super) fn read(tables: &Tables<'_>, digest: OnceLock<Sha256>) -> Result<Self> {
        let articles = Articles::read(tables.articles)?;
        let dates = articles.all().iter().filter_map(|row| Some((row.kb, row.date?))).collect();
        Ok(Self {
            digest,
            families: Families::read(tables.families)?,
            checkpoints: Checkpoints::read(tables.checkpoints)?,
            releases: Releases::new(tables.releases, tables.files, dates)?,
            articles,
            packages: Packages::new(tables.packages, tables.stacks)?,
            rollups: Rollups::new(tables.rollups)?,
            withdrawn: WithdrawnUpdates::read(tables.withdrawn)?,
            prerequisites: Prerequisites::read(tables.prerequisites)?,
            enablement: EnablementPackages::read(tables.enablement)?,
            editions: Editions::read(tables.editions)?,
            dotnet: DotnetUpdates::read(tables.dotnet)?,
            parents: Parents::read(tables.parents)?,
            lifecycle: Lifecycle::read(tables.lifecycle)?,
            media: MediaNotes::read(tables.media)?,
            known_contradictions: KnownContradictions::read(tables.contradictions)?,
        })
    }

    /// Returns the contradictions within each table and with the families, table by table.
    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = self.families.faults();
        faults.extend(self.checkpoints.faults());
        faults.extend(self.articles.faults());
        faults.extend(self.withdrawn.faults());
        faults.extend(self.prerequisites.faults());
        faults.extend(self.enablement.faults());
        faults.extend(self.editions.faults());
        faults.extend(self.dotnet.faults());
        faults.extend(self.parents.faults());
        faults.extend(self.lifecycle.faults(&self.families));
        faults.extend(self.media.faults());
        faults.extend(self.known_contradictions.faults());
        let rows = (self.checkpoints.families().into_iter())
            .chain(self.prerequisites.families())
            .chain(self.enablement.families())
            .chain(self.dotnet.families())
            .chain(self.parents.families())
            .chain(self.withdrawn.families())
            .chain(self.editions.families())
            .chain(self.media.families());
        faults.extend(self.families.unknown(rows));
        faults.extend(self.enablement.outside(&self.families));
        faults
    }

    /// Reads all lines of the long tables, and refuses invalid or unsorted lines.
    pub fn check(&self) -> Result<()> {
        refuse_findings(self.faulty_lines())
    }

    /// Returns the invalid or unsorted lines of the long tables.
    pub(super) fn faulty_lines(&self) -> Vec<TableFinding> {
        let mut faults = self.releases.faults();
        faults.extend(self.packages.faults());
        faults.extend(self.rollups.faults());
        faults
    }

    /// Returns the digest of all tables, which changes with any of their texts.
    pub fn digest(&self) -> Sha256 {
        *self.digest.get_or_init(|| Tables::built_in().digest())
    }

    /// Returns the version of the tables.
    pub fn version(&self) -> &str {
        self.families.version()
    }

    /// Returns the date of the tables.
    pub fn date(&self) -> Date {
        self.families.date()
    }

    /// Returns the builds that share packages, and their names in titles.
    pub fn families(&self) -> &Families {
        &self.families
    }

    /// Returns the cumulative updates on which later updates are based.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// Returns the release history: build, date, and files of each KB.
    pub fn releases(&self) -> &Releases {
        &self.releases
    }

    /// Returns the statements of articles about single updates.
    pub fn articles(&self) -> &Articles {
        &self.articles
    }

    /// Returns the packages that are not cumulative updates.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }

    /// Returns the monthly rollups.
    pub fn rollups(&self) -> &Rollups {
        &self.rollups
    }

    /// Returns the updates that Microsoft withdrew, those that left the Catalog, and the hotpatches.
    pub fn withdrawn(&self) -> &WithdrawnUpdates {
        &self.withdrawn
    }

    /// Returns the updates that other updates need first.
    pub fn prerequisites(&self) -> &Prerequisites {
        &self.prerequisites
    }

    /// Returns the packages that switch a version on.
    pub fn enablement(&self) -> &EnablementPackages {
        &self.enablement
    }

    /// Returns the long-term editions and Extended Security Updates.
    pub fn editions(&self) -> &Editions {
        &self.editions
    }

    /// Returns the .NET Framework updates that are bundles or apply to other families only.
    pub fn dotnet(&self) -> &DotnetUpdates {
        &self.dotnet
    }

    /// Returns the service packs that updates need, and the names and titles that need an explicit row.
    pub fn parents(&self) -> &Parents {
        &self.parents
    }

    /// Returns the notes on images and media.
    pub fn media(&self) -> &MediaNotes {
        &self.media
    }

    /// Returns the accepted contradictions.
    pub(super) fn known_contradictions(&self) -> &KnownContradictions {
        &self.known_contradictions
    }

    /// Returns the servicing state of a family on a day, from the lifecycle table and the long-term editions.
    pub fn servicing(&self, family: &Family, served: ServicingScope<'_>, today: Date) -> Servicing {
        self.lifecycle.servicing(family, self.editions.ltsc(), served, today)
    }

    /// Returns the kind of an update that a row or an article states, whatever its title or the lists say.
    pub fn stated_kind(&self, kb: Kb) -> Option<Kind> {
        self.parents.kind_of(kb).or_else(|| self.articles.of_kb(kb)?.kind)
    }

    /// Returns the files in single rows of a KB, each with its table. Only these files may have known URLs.
    pub fn files_in_rows(&self, kb: Kb) -> impl Iterator<Item = (&'static str, &KnownFile)> {
        let checkpoint = self.checkpoints.of_kb(kb).map_or(&[][..], |row| row.files());
        let enablement = self.enablement.all().iter().filter(move |row| row.kb == kb);
        let floor = self.prerequisites.floor(kb).map_or(&[][..], |row| row.files.as_slice());
        (checkpoint.iter().map(|file| ("checkpoints.toml", file)))
            .chain(enablement.flat_map(|row| row.files().iter().map(|file| ("enablement.toml", file))))
            .chain(floor.iter().map(|file| ("prerequisites.toml", file)))
    }

    /// Returns the file names of a KB in the long tables, each with its table.
    pub fn names_of(&self, kb: Kb, architecture: Architecture) -> Vec<(&'static str, String)> {
        let of_history = self.releases.files_of(kb).into_iter().filter(|(own, _)| *own == architecture);
        let of_packages = self.packages.of_kb(kb).into_iter().filter(|own| own.architecture == architecture);
        let of_history = of_history.map(|(_, name)| ("files.txt", name));
        of_history.chain(of_packages.filter_map(|own| Some(("packages.txt", own.name?)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicing::Installation;
    use crate::update::{Architecture, Build};

    #[test]
    fn built_in_tables_are_valid() {
        let knowledge = Knowledge::built_in().unwrap();
        assert_eq!(knowledge.faults(), []);
        knowledge.check().unwrap();
        assert!(knowledge.families().all().len() > 20);
        let client = knowledge.families().of_title("windows 11", Some("25H2")).unwrap();
        assert_eq!((client.folder.as_str(), client.installation), ("windows-11-24h2", Installation::Client));
        let server =
            knowledge.families().of_title("Microsoft Server Operating System", Some("24h2")).unwrap();
        assert_eq!((server.folder.as_str(), server.installation), ("server-2025", Installation::Server));
        let of_client: Vec<_> = knowledge.checkpoints().of_family(client).collect();
        assert_eq!(of_client.len(), 1);
        assert_eq!(of_client[0].build, Build::new(26100, 1742));
        assert_eq!(knowledge.checkpoints().of_family(server).count(), 1);
        assert!(of_client[0].file(Architecture::Arm64).is_some());
        assert!(of_client[0].file(Architecture::X86).is_none());
    }

    #[test]
    fn product_and_version_of_a_title_give_the_family() {
        let knowledge = Knowledge::built_in().unwrap();
        let family =
            |product, release| knowledge.families().of_title(product, release).map(|family| family.id);
        assert_eq!(family("Windows Server 2016", Some("1709")), Some(16299));
        assert_eq!(family("Windows Server 2016", None), Some(14393));
        assert_eq!(family("Windows 11", None), Some(22000));
        assert_eq!(family("Windows 10", Some("21H2")), Some(19041));
        assert_eq!(family("Windows 12", None), None);
    }

    #[test]
    fn revisions_count_within_their_family_only() {
        let knowledge = Knowledge::built_in().unwrap();
        let family = knowledge.families().of_title("Windows 11", Some("24H2")).unwrap();
        assert_eq!(family.revision_of(Build::new(26200, 8117)), Some(8117));
        assert_eq!(family.revision_of(Build::new(28000, 1719)), None);
    }

    #[test]
    fn faulty_table_is_refused_with_its_fault() {
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
            (families, stranger.as_str(), "unknown family"),
            (families, slip.as_str(), "name"),
        ] {
            let error = Knowledge::parse(Tables { families, checkpoints, ..Tables::built_in() }).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
