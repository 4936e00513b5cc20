//! What is known of Windows servicing beforehand: tables that a Windows administrator could read and mend, and
//! look-ups in them.
//!
//! The tables are data files beside this module, compiled in; each row names its source. What the Catalog says
//! goes before them. Pure: the tables are parsed from text, and a text that does not parse or contradicts itself is
//! an error that names the row. Every table has a version and a date, which every answer carries.

mod about;
mod calendar;
mod check;
mod checkpoints;
mod chronicle;
mod contradictions;
mod dotnet;
mod editions;
mod enablement;
mod families;
mod finding;
mod known_file;
mod lifecycle;
mod lines;
mod packages;
mod parents;
mod prerequisites;
mod product;
mod product_words;
mod releases;
mod tables;
mod withdrawn;

use std::sync::OnceLock;

pub use about::KnownRow;
pub use calendar::{PATCH_TUESDAY_GRACE_DAYS, due_day, patch_tuesdays_since, second_tuesday};
pub use check::{Checked, KnownContradiction, check_tables};
pub use checkpoints::{ChannelRelease, Checkpoint};
pub use dotnet::{Dotnet, DotnetChild, DotnetParent, Instead};
pub use editions::{Esu, Ltsc, Preparation};
pub use enablement::{Enablement, NoEnablement};
pub use families::{Family, Installation, Method};
pub use finding::Finding;
use finding::{refuse, without_source};
use jiff::civil::Date;
pub use known_file::KnownFile;
use known_file::wrong_files;
pub use lifecycle::{Served, Servicing, ServicingState};
pub use packages::KnownPackage;
pub use parents::ParentRule;
pub use prerequisites::{Needed, NeededAs, NeedsBefore, NeedsSince, SeparateStack, StackFloor};
pub use product::{Filed, Product, ProductFilter, ProductName, ProductRefusal};
pub use releases::{Release, ReleaseKind};
pub use tables::{TableInfo, Tables, rows_of};
pub use withdrawn::{Expired, Hotpatch, HotpatchBaseline, Withdrawn};

use crate::error::{Error, ErrorKind, Result};
use crate::update::{Architecture, Kb, Kind, PackageName, Sha256};

/// All tables together.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// Empty for the built-in tables until it is asked for: reading all of their text costs more than most answers.
    digest: OnceLock<Sha256>,
    version: String,
    date: Date,
    families: Vec<Family>,
    checkpoints: Vec<Checkpoint>,
    channel_releases: Vec<ChannelRelease>,
    releases: releases::Releases,
    /// The whole history in order, read once somebody asks for more than one KB of it.
    history: OnceLock<Vec<Release>>,
    packages: packages::Packages,
    /// All packages, read once somebody asks for those of a kind.
    all_packages: OnceLock<Vec<KnownPackage>>,
    refused: withdrawn::Refused,
    before: prerequisites::Before,
    enablement: enablement::Table,
    editions: editions::Table,
    dotnet: dotnet::Table,
    parents: parents::Table,
    lifecycle: lifecycle::Table,
    known: Vec<KnownContradiction>,
}

impl Knowledge {
    /// The tables that were compiled in.
    pub fn built_in() -> Result<Self> {
        let knowledge = Self::read(Tables::built_in(), OnceLock::new())?;
        refuse(knowledge.faults())?;
        Ok(knowledge)
    }

    /// Tables from their texts. A table that contradicts itself is refused with what was found first.
    pub fn parse(tables: Tables<'_>) -> Result<Self> {
        let knowledge = Self::read(tables, OnceLock::from(tables.digest()))?;
        refuse(knowledge.faults())?;
        Ok(knowledge)
    }

    /// Reads tables from their texts, as they are. A digest that is left empty is that of the built-in tables.
    fn read(tables: Tables<'_>, digest: OnceLock<Sha256>) -> Result<Self> {
        let families = families::read(tables.families)?;
        let (checkpoints, channel_releases) = checkpoints::read(tables.checkpoints)?;
        Ok(Self {
            digest,
            version: families.version,
            date: families.date,
            families: families.rows,
            checkpoints,
            channel_releases,
            releases: releases::Releases::new(tables.releases, tables.files)?,
            history: OnceLock::new(),
            packages: packages::Packages::new(tables.packages, tables.stacks)?,
            all_packages: OnceLock::new(),
            refused: withdrawn::read(tables.withdrawn)?,
            before: prerequisites::read(tables.prerequisites)?,
            enablement: enablement::read(tables.enablement)?,
            editions: editions::read(tables.editions)?,
            dotnet: dotnet::read(tables.dotnet)?,
            parents: parents::read(tables.parents)?,
            lifecycle: lifecycle::read(tables.lifecycle)?,
            known: check::read_known(tables.contradictions)?,
        })
    }

    /// What of the tables contradicts itself, table by table.
    fn faults(&self) -> Vec<Finding> {
        let mut faults = families::faults(&self.families);
        faults.extend(checkpoints::faults(&self.checkpoints, &self.channel_releases));
        faults.extend(self.refused.faults());
        faults.extend(self.before.faults());
        faults.extend(self.enablement.faults());
        faults.extend(self.editions.faults());
        faults.extend(self.dotnet.faults());
        faults.extend(self.parents.faults());
        faults.extend(self.lifecycle.faults(&self.families));
        faults.extend(check::known_without_source(&self.known));
        faults.extend(self.unknown_families());
        faults
    }

    /// Returns the digest of all tables: it differs where any of their texts differs.
    pub fn digest(&self) -> Sha256 {
        *self.digest.get_or_init(|| Tables::built_in().digest())
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

    /// The packages of a KB beside the cumulative updates' files, by family and architecture.
    pub fn packages_of(&self, kb: Kb) -> Vec<KnownPackage> {
        self.packages.of(kb)
    }

    /// Every package beside the cumulative updates' files, by KB.
    pub fn packages(&self) -> impl Iterator<Item = &KnownPackage> {
        self.all_packages.get_or_init(|| self.packages.iter().collect()).iter()
    }

    /// The separate servicing stack that was published beside a cumulative update of a family.
    pub fn paired_stack(&self, lcu: Kb, family: u32) -> Option<Kb> {
        self.packages.paired_stack(lcu, family)
    }

    /// The cumulative updates of a family beside which a separate servicing stack was published, with it.
    pub fn stacks_of(&self, family: u32) -> impl Iterator<Item = (Kb, Kb)> {
        self.packages.stacks_of(family)
    }

    /// Reads all of what is otherwise read line by line, and says what is wrong with it.
    pub fn check(&self) -> Result<()> {
        refuse(self.faulty_lines())
    }

    /// Lines of the long tables that are none, or not in order.
    fn faulty_lines(&self) -> Vec<Finding> {
        let mut faults = self.releases.faults();
        faults.extend(self.packages.faults());
        faults
    }

    /// The row of an update that Microsoft withdrew.
    pub fn withdrawn(&self, kb: Kb) -> Option<&Withdrawn> {
        self.refused.withdrawn.iter().find(|row| row.kb == kb)
    }

    /// Every update that Microsoft withdrew.
    pub fn withdrawals(&self) -> &[Withdrawn] {
        &self.refused.withdrawn
    }

    /// The row of a hotpatch.
    pub fn hotpatch(&self, kb: Kb) -> Option<&Hotpatch> {
        self.refused.hotpatch.iter().find(|row| row.kb == kb)
    }

    /// The row of an update that left the Catalog and is still good.
    pub fn expired(&self, kb: Kb) -> Option<&Expired> {
        self.refused.expired.iter().find(|row| row.kb == kb)
    }

    /// The row of an ordinary update of a month that was planned as a hotpatch month.
    pub fn hotpatch_baseline(&self, kb: Kb) -> Option<&HotpatchBaseline> {
        self.refused.baseline.iter().find(|row| row.kb == kb)
    }

    /// The checkpoints of a family that everybody gets, lowest build first.
    pub fn checkpoints_of(&self, family: &Family) -> impl Iterator<Item = &Checkpoint> {
        self.checkpoints_in(family, None)
    }

    /// The checkpoints of a family in a channel, lowest build first.
    pub fn checkpoints_in<'k>(
        &'k self,
        family: &Family,
        channel: Option<&'k str>,
    ) -> impl Iterator<Item = &'k Checkpoint> + use<'k> {
        let (id, installation) = (family.id, family.installation);
        self.checkpoints.iter().filter(move |row| {
            row.family == id && row.installation.contains(&installation) && row.channel.as_deref() == channel
        })
    }

    /// The row of an update of a channel that is in no Catalog.
    pub fn channel_release(&self, kb: Kb) -> Option<&ChannelRelease> {
        self.channel_releases.iter().find(|row| row.kb == kb)
    }

    /// The checkpoint row of a KB.
    pub fn checkpoint(&self, kb: Kb) -> Option<&Checkpoint> {
        self.checkpoints.iter().find(|row| row.kb == kb)
    }

    /// Every release for a family, by KB and build.
    pub fn history_of<'k>(&'k self, family: &'k Family) -> impl Iterator<Item = &'k Release> {
        self.history().iter().filter(move |release| release.is_for(family))
    }

    /// The row of a family whose servicing stack was a package of its own at a date.
    pub fn separate_stack(&self, family: &Family, date: Option<Date>) -> Option<&SeparateStack> {
        self.before.separate(family.id, date)
    }

    /// The floors of a family's servicing stack, earliest first.
    pub fn stack_floors(&self, family: &Family) -> Vec<&StackFloor> {
        let mut floors: Vec<&StackFloor> =
            self.before.floor.iter().filter(|row| row.family == family.id).collect();
        floors.sort_by_key(|row| (row.from, row.kb));
        floors
    }

    /// The floor row of a servicing stack.
    pub fn stack_floor(&self, kb: Kb) -> Option<&StackFloor> {
        self.before.floor.iter().find(|row| row.kb == kb)
    }

    /// What one update needs before it, whatever the build.
    pub fn needs_before(&self, kb: Kb) -> impl Iterator<Item = &NeedsBefore> {
        self.before.before.iter().filter(move |row| row.kb == kb)
    }

    /// Every row of what one update needs before it.
    pub fn all_needs_before(&self) -> &[NeedsBefore] {
        &self.before.before
    }

    /// What updates of a family need from a date on.
    pub fn needs_since(&self, family: &Family, date: Option<Date>) -> Option<&NeedsSince> {
        let date = date?;
        self.before.since.iter().find(|row| row.family == family.id && row.from <= date)
    }

    /// Every row of what updates need from a date on.
    pub fn all_needs_since(&self) -> &[NeedsSince] {
        &self.before.since
    }

    /// Every enablement package.
    pub fn enablements(&self) -> &[Enablement] {
        &self.enablement.enablement
    }

    /// The row of a version to which no package leads.
    pub fn no_enablement(&self, release: &str) -> Option<&NoEnablement> {
        self.enablement.none.iter().find(|row| row.release.eq_ignore_ascii_case(release))
    }

    /// Every long-term edition.
    pub fn ltsc(&self) -> &[Ltsc] {
        &self.editions.ltsc
    }

    /// The Extended Security Updates of a family.
    pub fn esu(&self, family: &Family) -> Option<&Esu> {
        self.editions
            .esu
            .iter()
            .find(|row| row.family == family.id && row.installation.contains(&family.installation))
    }

    /// The Extended Security Updates that a package prepares for.
    pub fn esu_of_preparation(&self, kb: Kb) -> Option<&Esu> {
        self.editions.esu.iter().find(|row| row.preparations().any(|own| own == kb))
    }

    /// The row of a .NET Framework update that is a bundle.
    pub fn dotnet_parent(&self, kb: Kb) -> Option<&DotnetParent> {
        self.dotnet.parent.iter().find(|row| row.kb == kb)
    }

    /// The bundle and the child of a .NET Framework package.
    pub fn dotnet_child(&self, kb: Kb) -> Option<(&DotnetParent, &DotnetChild)> {
        let of = |parent: &DotnetParent| parent.children.iter().position(|child| child.kb == kb);
        self.dotnet.parent.iter().find_map(|parent| Some((parent, parent.children.get(of(parent)?)?)))
    }

    /// The .NET Framework update that a family takes in place of another family's.
    pub fn dotnet_instead(&self, kb: Kb, family: &Family) -> Option<&Instead> {
        self.dotnet.instead.iter().find(|row| row.kb == kb && row.on == family.id)
    }

    /// Every row of .NET Framework updates that are not for a family.
    pub fn dotnet_insteads(&self) -> &[Instead] {
        &self.dotnet.instead
    }

    /// Which service packs an update accepts, where that is known.
    pub fn parent_rule(&self, kb: Kb) -> Option<&ParentRule> {
        self.parents.parent.iter().find(|row| row.kb == kb)
    }

    /// The KB of a file: the one in its name, else what is known of names without any.
    pub fn kb_of_file(&self, name: &str) -> Option<Kb> {
        PackageName::parse(name).kb.or_else(|| self.parents.kb_of_name(name))
    }

    /// What an update is, where its title does not say it.
    pub fn kind_of(&self, kb: Kb) -> Option<Kind> {
        self.parents.kind_of(kb)
    }
}

/// A table that cannot be used.
fn faulty(table: &str, what: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the knowledge table {table} is faulty: {what}"))
}

/// Reads a table from TOML; unknown keys are refused, so that a mistyped one is not silently without effect.
fn read_table<T: serde::de::DeserializeOwned>(table: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        faulty(table, &format!("line {line}: {}", error.message().replace('\n', "; ")))
    })
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
            let error = Knowledge::parse(Tables { families, checkpoints, ..Tables::built_in() }).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
