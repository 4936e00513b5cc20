//! The requirements of a package set. Only this module applies the rules about packages that must be
//! installed before it.
//!
//! Plans, the graph, the folder check, the closure of a fetch or an export, and the search for a servicing
//! stack all use [`requirements`] or [`requirements_of_all`]. They differ in the use of a requirement, never
//! in the requirements that exist.
//!
//! # Rules
//!
//! - All updates of a family from a date on may need other updates. Single updates may need others by name,
//!   which may need others by name in turn. The deepest requirement comes first.
//! - A separate servicing stack is paired with an update by the table of pairs. Without a pair, it is the
//!   newest stack that was published not later than the update. The floors inside the updates are unknown, so
//!   any stack that was published with that one or later is an alternative.
//! - An old machine needs a floor under a combined update. Extended Security Updates need a preparation.
//! - An enablement package needs a cumulative update that brings its floor. A preparation for Extended Security
//!   Updates may need one too.
//! - Checkpoints, listed servicing stacks, and the packages of a bundle are members of the set itself.
//!
//! The result depends on the set, a family, the library, and the knowledge, not on a machine. [`Condition`]
//! states which machines need a requirement.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::applicability::condition_of_kb;
use super::condition::Condition;
use super::library::Library;
use super::member::Member;
use super::package_set::PackageSet;
use super::published::{date_of, month_of, rollup_of};
use super::requirement::{Requirement, Rule};
use super::stacks::{newest_not_later, stacks_of};
use crate::error::Result;
use crate::facts::{Evidence, Role};
use crate::servicing::{
    Dotnet, Enablement, Family, FamilyPrerequisites, Installation, Knowledge, PrerequisiteRole,
    SeparateStack, SinglePrerequisite, StackFloor,
};
use crate::update::{Kb, Kind, PackageName};

/// Returns the requirements of a set on the machines of a family, in order of installation. Without a family,
/// only the rules that do not need one apply.
pub fn requirements(
    set: &PackageSet,
    family: Option<&Family>,
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<Vec<Requirement>> {
    let rows = requirement_rows(set, family, knowledge);
    let mut collected =
        RequirementCollector { set, knowledge, rows, needed: Vec::new(), edges: BTreeSet::new() };
    if let Some(family) = family {
        collected.needed.extend(preparation(set, family, knowledge).filter(|one| one.kb != set.kb));
    }
    collected.add_since();
    collected.add_before(set.kb, None);
    if let Some(family) = family {
        collected.add_stack(family, library)?;
    }
    collected.add_floor();
    collected.add_enablement_floor();
    collected.add_preparation_floor();
    collected.add_members(family);
    Ok(collected.needed)
}

/// The table rows about the packages before a set on the machines of a family.
struct RequirementRows<'k> {
    /// The day on which the set was published.
    date: Option<Date>,
    /// All requirements by name.
    before: &'k [SinglePrerequisite],
    /// The requirements of all updates of the family from a day on. If only the date of the entry is known, it
    /// decides, although the release may be earlier: an entry that is older than the rule proves its absence.
    since: Option<&'k FamilyPrerequisites>,
    /// The row of the family's separate servicing stack.
    separate: Option<&'k SeparateStack>,
    /// The servicing stack that was published with the set.
    pair: Option<Kb>,
    /// The newest floor that is not later than the set.
    floor: Option<&'k StackFloor>,
}

/// Returns the rows for a set. No other function of this room reads the tables of stacks, floors, and
/// prerequisites.
fn requirement_rows<'k>(
    set: &PackageSet,
    family: Option<&Family>,
    knowledge: &'k Knowledge,
) -> RequirementRows<'k> {
    let date = date_of(set, family, knowledge);
    let table = knowledge.prerequisites();
    let floors = family.map(|family| table.floors_of(family)).unwrap_or_default();
    RequirementRows {
        date,
        before: table.single_prerequisites(),
        since: family.and_then(|family| table.family_prerequisites_of(family, date.or(set.entry_date))),
        separate: family.and_then(|family| table.separate_stack(family.id, date)),
        pair: family.and_then(|family| paired_stack(set.kb, family, knowledge)),
        floor: floors.into_iter().rfind(|row| date.is_none_or(|date| row.from <= date)),
    }
}

/// Returns the servicing stack that was published with an update of a family, if a table names it.
fn paired_stack(kb: Kb, family: &Family, knowledge: &Knowledge) -> Option<Kb> {
    let of_rollup = || rollup_of(kb, family, knowledge).and_then(|row| row.stack);
    knowledge.packages().paired_stack(kb, family.id).or_else(of_rollup)
}

impl<'k> RequirementRows<'k> {
    /// Returns the requirements of one update by name.
    fn single_prerequisites_of(&self, kb: Kb) -> impl Iterator<Item = &'k SinglePrerequisite> + use<'k> {
        self.before.iter().filter(move |row| row.kb == kb)
    }

    /// Returns `true` if a set lists its servicing stack, or rows by name require one.
    fn names_stack(&self, set: &PackageSet) -> bool {
        if set.members.iter().any(|member| member.role == Role::Ssu) {
            return true;
        }
        let (mut open, mut seen) = (vec![set.kb], BTreeSet::new());
        while let Some(kb) = open.pop() {
            for row in self.single_prerequisites_of(kb) {
                if row.role == PrerequisiteRole::Ssu {
                    return true;
                }
                if seen.insert(row.needs) {
                    open.push(row.needs);
                }
            }
        }
        false
    }

    /// Returns the row of a servicing stack that must be installed before a set. Returns `None` if the set,
    /// or a row by name, already requires a stack.
    fn separate_stack_for(&self, set: &PackageSet) -> Option<&'k SeparateStack> {
        self.separate.filter(|_| takes_stack(set.kind) && !self.names_stack(set))
    }
}

/// Returns the requirements of a set on the machines of all families that it serves, each once.
pub fn requirements_of_all(
    set: &PackageSet,
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<Vec<Requirement>> {
    let mut all: Vec<Requirement> = Vec::new();
    let families: Vec<&Family> = knowledge.families().iter().filter(|family| set.serves(family)).collect();
    let families = if families.is_empty() { vec![None] } else { families.into_iter().map(Some).collect() };
    for family in families {
        for requirement in requirements(set, family, library, knowledge)? {
            let is_same = |known: &Requirement| {
                (known.kb, known.role, &known.when) == (requirement.kb, requirement.role, &requirement.when)
            };
            if !all.iter().any(is_same) {
                all.push(requirement);
            }
        }
    }
    Ok(all)
}

/// Returns the families for which a set takes a separate servicing stack that knowledge does not pair with
/// it. For them, the Catalog's titles name the stack. Families that share their packages count once.
pub fn families_without_pair<'k>(set: &PackageSet, knowledge: &'k Knowledge) -> Vec<&'k Family> {
    let mut seen = BTreeSet::new();
    let needs_search = |family: &&Family| {
        let rows = requirement_rows(set, Some(family), knowledge);
        set.serves(family) && rows.pair.is_none() && rows.separate_stack_for(set).is_some()
    };
    let mut families: Vec<&Family> = knowledge.families().iter().filter(needs_search).collect();
    families.retain(|family| seen.insert(family.id));
    families
}

/// Returns `true` if a separate servicing stack must be installed before a set on machines of a family.
/// Returns `false` if the set, or a row by name, already requires a stack.
pub(super) fn takes_separate_stack(set: &PackageSet, family: &Family, knowledge: &Knowledge) -> bool {
    requirement_rows(set, Some(family), knowledge).separate_stack_for(set).is_some()
}

/// Returns the preparation that a set needs if its family has Extended Security Updates.
pub(super) fn preparation(set: &PackageSet, family: &Family, knowledge: &Knowledge) -> Option<Requirement> {
    let month = month_of(set, Some(family), knowledge)?;
    let esu = knowledge.editions().esu_of(family).filter(|esu| is_gated(set.kind) && month >= esu.from)?;
    if esu.exception(set.kb).is_some() {
        return None;
    }
    let own = esu.preparation(Some(month))?;
    // The newest preparation also covers earlier updates. A replaced one does not cover later updates.
    let serving = [Some(own), esu.preparation(None)].into_iter().flatten();
    let serving: BTreeSet<Kb> = serving.flat_map(|row| row.or.iter().chain([&row.kb])).copied().collect();
    Some(Requirement {
        kb: own.kb,
        role: Role::EsuPreparation,
        rule: Rule::EsuPreparation,
        when: Condition::EsuUnprepared(serving.into_iter().collect()),
        evidence: vec![Evidence::Knowledge { row: esu.source.clone(), date: knowledge.date().to_string() }],
    })
}

/// Returns the machines that need a member of a set, or `None` if all do.
pub(super) fn condition_of(member: &Member) -> Option<Condition> {
    match (member.role, member.build) {
        (Role::Checkpoint, Some(build)) => {
            Some(Condition::Any(vec![Condition::BuildBelow(build), Condition::FeaturesAdded]))
        }
        (Role::Target, Some(build)) => Some(Condition::BuildBelow(build)),
        _ => None,
    }
}

/// Returns the releases of .NET Framework that a package is for: by the table, else by its name. A name
/// without a tag is for the release that came with the family.
pub(super) fn dotnet_releases(
    member: &Member,
    family: Option<&Family>,
    knowledge: &Knowledge,
) -> Vec<Dotnet> {
    if let Some((_, child)) = member.kb().and_then(|kb| knowledge.dotnet().child(kb)) {
        return child.releases.clone();
    }
    if let Some(row) = member.kb().and_then(|kb| knowledge.dotnet().single(kb)) {
        return row.releases.clone();
    }
    let Some(name) = member.file.known_name() else { return Vec::new() };
    let tagged = PackageName::parse(name).dotnet.as_deref().and_then(Dotnet::of_name_tag);
    let own = tagged.or_else(|| family.map(|family| family.dotnet.clone()));
    // Every package services 3.5 too.
    let oldest = "3.5".parse().ok();
    oldest.into_iter().chain(own).collect()
}

/// Returns `true` for kinds that depend on the servicing stack of the machine.
fn takes_stack(kind: Option<Kind>) -> bool {
    kind.is_some_and(|kind| {
        matches!(kind, Kind::Lcu | Kind::LcuPreview | Kind::MonthlyRollup | Kind::SecurityOnly)
    })
}

/// Returns `true` for kinds that need Extended Security Updates from their start on.
pub(super) fn is_gated(kind: Option<Kind>) -> bool {
    kind.is_some_and(|kind| {
        kind.is_windows_cumulative() || matches!(kind, Kind::MonthlyRollup | Kind::SecurityOnly)
    })
}

/// The requirements that were collected so far.
struct RequirementCollector<'a> {
    set: &'a PackageSet,
    knowledge: &'a Knowledge,
    rows: RequirementRows<'a>,
    needed: Vec<Requirement>,
    /// The followed rows by name: the update, and the KB that it needs.
    edges: BTreeSet<(Kb, Kb)>,
}

impl RequirementCollector<'_> {
    /// Adds a requirement, preceded by its own requirements by name.
    fn add(&mut self, kb: Kb, role: Role, rule: Rule, when: Condition, rows: &[&str]) {
        if kb == self.set.kb {
            return;
        }
        self.add_before(kb, Some(&when));
        let evidence = rows.iter().map(|row| self.row_evidence(row)).collect();
        self.needed.push(Requirement { kb, role, rule, when, evidence });
    }

    /// Adds the requirements of an update by name, deepest first. Machines that do not need the update do not
    /// need them either.
    fn add_before(&mut self, update: Kb, of: Option<&Condition>) {
        for row in self.rows.single_prerequisites_of(update) {
            if row.needs == self.set.kb || !self.edges.insert((update, row.needs)) {
                continue;
            }
            let when = match of {
                Some(condition) if condition.excludes_some_machines() => condition.clone(),
                _ => condition_of_kb(row.needs, self.knowledge),
            };
            self.add(row.needs, row.role.into(), Rule::Before { update }, when, &[&row.source]);
        }
    }

    fn add_since(&mut self) {
        let Some(row) = self.rows.since.filter(|_| self.is_update()) else { return };
        // The condition of a title has precedence: machines without a KB cannot need it. An update that the
        // needed one needs comes before it.
        let table = self.knowledge.prerequisites();
        let is_after = |kb: Kb| !self.set.without.contains(&kb) && !table.leads_to(kb, self.set.kb);
        for needed in row.needs.iter().filter(|needed| is_after(needed.kb)) {
            let rule = Rule::Since { why: row.why.clone() };
            let when = condition_of_kb(needed.kb, self.knowledge);
            self.add(needed.kb, needed.role.into(), rule, when, &[&row.source]);
        }
    }

    /// Adds the separate servicing stack, if one is known. If all updates since a date need a certain stack,
    /// stacks that were published before that date are obsolete.
    fn add_stack(&mut self, family: &Family, library: &dyn Library) -> Result<()> {
        let (set, date) = (self.set, self.rows.date);
        let Some(row) = self.rows.separate_stack_for(set) else { return Ok(()) };
        let since = self.rows.since.filter(|_| self.is_update());
        let since = since.filter(|row| row.needs.iter().any(|needed| needed.role == PrerequisiteRole::Ssu));
        let mut stacks = stacks_of(family, library, self.knowledge)?;
        stacks.retain(|_, published| since.is_none_or(|row| *published >= row.from));
        let pair = self.rows.pair;
        let newest = || newest_not_later(stacks.iter().map(|(kb, day)| (*kb, Some(*day))), date);
        let Some(kb) = pair.or_else(newest) else { return Ok(()) };
        // A paired stack of unknown date existed when the update was published.
        let least = stacks.get(&kb).copied().or(date).map(|date| (date, kb));
        let mut newer: Vec<(Date, Kb)> = stacks.iter().map(|(kb, date)| (*date, *kb)).collect();
        newer.retain(|stack| stack.1 != kb && least.is_some_and(|least| *stack >= least));
        newer.sort_unstable_by(|a, b| b.cmp(a));
        let newer = newer.into_iter().map(|(_, kb)| kb).collect();
        let how = match pair {
            Some(_) => format!("{kb} was published with {} (stacks)", set.kb),
            None => {
                format!("{kb} is the newest servicing stack that was published not later than {}", set.kb)
            }
        };
        let rule = Rule::SeparateStack { family: family.name.clone() };
        self.add(kb, Role::Ssu, rule, Condition::StackBelow { kb, newer }, &[&how, &row.source]);
        Ok(())
    }

    /// Adds the newest floor that is not later than the set.
    fn add_floor(&mut self) {
        let takes_it = takes_stack(self.set.kind) && !self.rows.names_stack(self.set);
        let Some(row) = self.rows.floor.filter(|_| takes_it) else { return };
        let below = row.needed_below;
        let when = Condition::BuildBelow(below);
        self.add(row.kb, Role::Ssu, Rule::Floor { below }, when, &[&row.source]);
    }

    /// Adds the update that brings exactly the floor of an enablement package. A plan may use a later update.
    fn add_enablement_floor(&mut self) {
        let (set, knowledge) = (self.set, self.knowledge);
        for row in knowledge.enablement().all().iter().filter(|row| row.kb == set.kb) {
            let floor = row.floor_build();
            let Some(kb) = floor_update(row, knowledge) else { continue };
            let when = Condition::BuildBelow(floor);
            self.add(kb, Role::Prerequisite, Rule::EnablementFloor { floor }, when, &[&row.source]);
        }
    }

    /// Adds the members of the set that the update builds upon or consists of.
    /// Adds the update that a preparation for Extended Security Updates needs.
    fn add_preparation_floor(&mut self) {
        let Some(esu) = self.knowledge.editions().esu_of_preparation(self.set.kb) else { return };
        let Some(kb) = esu.needs_at_least else { return };
        let builds = self.knowledge.releases().of_kb(kb).into_iter().map(|release| release.build);
        let Some(floor) = builds.filter(|build| build.number == esu.family).max() else { return };
        let when = Condition::BuildBelow(floor);
        self.add(kb, Role::Prerequisite, Rule::PreparationFloor { floor }, when, &[&esu.source]);
    }

    fn add_members(&mut self, family: Option<&Family>) {
        for member in &self.set.members {
            let (rule, when) = match member.role {
                Role::Checkpoint => (Rule::Checkpoint, condition_of(member)),
                Role::Ssu => (Rule::ListedStack, None),
                Role::DotnetChild => {
                    let release = dotnet_releases(member, family, self.knowledge).pop();
                    (Rule::Child, Some(Condition::Dotnet(release)))
                }
                _ => continue,
            };
            let Some(kb) = member.kb() else { continue };
            let when = when.unwrap_or(Condition::NotInstalled(kb));
            let evidence = member.evidence.clone();
            self.needed.push(Requirement { kb, role: member.role, rule, when, evidence });
        }
    }

    /// Returns `true` if the rules for updates of a family apply: to all kinds except stacks and enablement
    /// packages.
    fn is_update(&self) -> bool {
        self.set.kind.is_none_or(|kind| !matches!(kind, Kind::Ssu | Kind::Enablement))
    }

    fn row_evidence(&self, row: &str) -> Evidence {
        Evidence::Knowledge { row: row.to_owned(), date: self.knowledge.date().to_string() }
    }
}

/// Returns the update that brings exactly the floor of an enablement package: the one of its row, else the
/// lowest sufficient release of the client.
pub(super) fn floor_update(row: &Enablement, knowledge: &Knowledge) -> Option<Kb> {
    let mut families = knowledge.families().iter();
    let client =
        families.find(|family| family.id == row.family && family.installation == Installation::Client);
    let lowest = client.and_then(|family| {
        let enough =
            knowledge.releases().of_family(family).filter(|release| release.build >= row.floor_build());
        let enough = enough.filter(|release| {
            knowledge.withdrawn().of_kb(release.kb).is_none()
                && knowledge.withdrawn().hotpatch(release.kb).is_none()
        });
        enough.min_by_key(|release| (release.build, release.kb)).map(|release| release.kb)
    });
    row.minimum.or(lowest)
}
