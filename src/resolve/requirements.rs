//! The requirements of a package set: the one place that applies the rules of what has to be installed before it.
//!
//! Plans, the closure of a fetch or an export, the graph, the judgement of folders, and the search of a fetch for a
//! servicing stack all read [`requirements`] or [`requirements_of_all`]. They differ in what they do with a
//! requirement, never in which ones exist.
//!
//! # Rules
//!
//! - All updates of a family from a date on may need other updates, and single updates may need others by name.
//!   Those need others by name in turn; the deepest come first.
//! - A separate servicing stack goes with an update by the table of pairs, else it is the newest one that was published
//!   not later. The floors inside the updates are not known, so any stack that was published with that one or later
//!   serves in its place.
//! - An old machine needs a floor under a combined update. Extended Security Updates need a preparation.
//! - An enablement package needs a cumulative update that brings its floor.
//! - Checkpoints, listed servicing stacks, and the packages of a bundle are members of the set itself.
//!
//! The result depends on the set, a family, the library, and the knowledge, and not on a machine. [`Condition`] says
//! which machines need a requirement.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::condition::Condition;
use super::library::Library;
use super::requirement::{Requirement, Rule};
use super::roles::Member;
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::{Evidence, Role};
use crate::servicing::{Dotnet, Enablement, Family, Installation, Knowledge, NeededAs, SeparateStack};
use crate::update::{Kb, Kind, Month, PackageName};

/// Returns the requirements of a set on the machines of a family, in order of installation. Without a family, only the
/// rules that need none apply.
pub fn requirements(
    set: &PackageSet,
    family: Option<&Family>,
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<Vec<Requirement>> {
    let date = date_of(set, family, knowledge);
    let mut found = Found { set, knowledge, needed: Vec::new(), edges: BTreeSet::new() };
    if let Some(family) = family {
        found.needed.extend(preparation(set, family, knowledge).filter(|one| one.kb != set.kb));
        found.add_since(family, date);
    }
    found.add_before(set.kb, None);
    if let Some(family) = family {
        found.add_stack(family, date, library)?;
        found.add_floor(family, date);
    }
    found.add_enablement_floor();
    found.add_members(family);
    Ok(found.needed)
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

/// Returns the families for which a set takes a separate servicing stack that knowledge does not pair with it: the
/// Catalog's titles name the stack. Families that share their packages are one.
pub fn families_without_pair<'k>(set: &PackageSet, knowledge: &'k Knowledge) -> Vec<&'k Family> {
    let mut seen = BTreeSet::new();
    let needs_search = |family: &&Family| {
        set.serves(family)
            && takes_separate_stack(set, family, knowledge).is_some()
            && knowledge.packages().paired_stack(set.kb, family.id).is_none()
    };
    let mut families: Vec<&Family> = knowledge.families().iter().filter(needs_search).collect();
    families.retain(|family| seen.insert(family.id));
    families
}

/// Returns the row of a family whose servicing stack has to be installed before a set, unless the set or a row of its
/// own names a stack.
pub(super) fn takes_separate_stack<'k>(
    set: &PackageSet,
    family: &Family,
    knowledge: &'k Knowledge,
) -> Option<&'k SeparateStack> {
    let takes_it = takes_stack(set.kind) && !names_stack(set, knowledge);
    knowledge
        .prerequisites()
        .separate_stack(family.id, date_of(set, Some(family), knowledge))
        .filter(|_| takes_it)
}

/// Returns the preparation that a set needs where its family has Extended Security Updates.
pub(super) fn preparation(set: &PackageSet, family: &Family, knowledge: &Knowledge) -> Option<Requirement> {
    let month = month_of(set, Some(family), knowledge)?;
    let esu = knowledge.editions().esu_of(family).filter(|esu| is_gated(set.kind) && month >= esu.from)?;
    let own = esu.preparation(Some(month))?;
    // The newest one serves earlier updates too; one that was replaced does not serve what came after.
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

/// Returns the day on which a set was published: the known day, else the last one of its month.
pub(super) fn date_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Date> {
    let release = family.and_then(|family| knowledge.releases().of_kb_for(set.kb, family).pop());
    let known = release.and_then(|release| release.date.or(release.first_seen));
    known.or_else(|| set.month.map(Month::last_day))
}

/// Returns the month of a set: that of its titles, else of its release.
pub(super) fn month_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Month> {
    set.month.or_else(|| date_of(set, family, knowledge).and_then(Month::of))
}

/// Returns the machines that need a member of a set; `None` if all do.
pub(super) fn condition_of(member: &Member) -> Option<Condition> {
    match (member.role, member.build) {
        (Role::Checkpoint, Some(build)) => {
            Some(Condition::Any(vec![Condition::BuildBelow(build), Condition::FeaturesAdded]))
        }
        (Role::Target, Some(build)) => Some(Condition::BuildBelow(build)),
        _ => None,
    }
}

/// Returns the releases of .NET Framework that a package is for: by the table, else by its name. A name without a tag is
/// for the release that came with the family.
pub(super) fn dotnet_releases(
    member: &Member,
    family: Option<&Family>,
    knowledge: &Knowledge,
) -> Vec<Dotnet> {
    if let Some((_, child)) = member.kb().and_then(|kb| knowledge.dotnet().child(kb)) {
        return child.releases.clone();
    }
    let Some(name) = member.file.known_name() else { return Vec::new() };
    let tagged = PackageName::parse(name).dotnet.as_deref().and_then(Dotnet::of_name_tag);
    let own = tagged.or_else(|| family.map(|family| family.dotnet.clone()));
    // 3.5 is serviced by whichever package the machine takes.
    let oldest = "3.5".parse().ok();
    oldest.into_iter().chain(own).collect()
}

/// Kinds that the servicing stack on the machine has to take.
fn takes_stack(kind: Option<Kind>) -> bool {
    kind.is_some_and(|kind| {
        matches!(kind, Kind::Lcu | Kind::LcuPreview | Kind::MonthlyRollup | Kind::SecurityOnly)
    })
}

/// Kinds that are for machines with Extended Security Updates once those began.
fn is_gated(kind: Option<Kind>) -> bool {
    kind.is_some_and(|kind| {
        kind.is_windows_cumulative() || matches!(kind, Kind::MonthlyRollup | Kind::SecurityOnly)
    })
}

/// Returns `true` if a set lists its servicing stack, or rows of its own name one.
fn names_stack(set: &PackageSet, knowledge: &Knowledge) -> bool {
    if set.members.iter().any(|member| member.role == Role::Ssu) {
        return true;
    }
    let (mut open, mut seen) = (vec![set.kb], BTreeSet::new());
    while let Some(kb) = open.pop() {
        for row in knowledge.prerequisites().before_kb(kb) {
            if row.role == NeededAs::Ssu {
                return true;
            }
            if seen.insert(row.needs) {
                open.push(row.needs);
            }
        }
    }
    false
}

/// Returns the servicing stacks of a family by the day from which on each was there.
fn stacks_of(family: &Family, library: &dyn Library, knowledge: &Knowledge) -> Result<BTreeMap<Kb, Date>> {
    let mut stacks: BTreeMap<Kb, Date> = BTreeMap::new();
    let mut add = |kb: Kb, date: Date| {
        let known = stacks.entry(kb).or_insert(date);
        *known = date.min(*known);
    };
    for package in knowledge.packages().all() {
        // Titles of before 2018-10 do not say of a stack that it is one.
        let kind = knowledge.parents().kind_of(package.kb).unwrap_or(package.kind);
        let own = kind == Kind::Ssu && package.family == family.id;
        if let Some(date) = package.date.filter(|_| own) {
            add(package.kb, date);
        }
    }
    for update in library.updates_of(&[Kind::Ssu])?.iter() {
        let own = update.family(knowledge).is_some_and(|named| named.id == family.id);
        let date = update.month.map(Month::first_day).or(update.last_updated);
        if let (Some(kb), Some(date)) = (update.kb, date.filter(|_| own)) {
            add(kb, date);
        }
    }
    Ok(stacks)
}

/// The requirements that were found so far.
struct Found<'a> {
    set: &'a PackageSet,
    knowledge: &'a Knowledge,
    needed: Vec<Requirement>,
    /// The rows by name that were followed: update and what it needs.
    edges: BTreeSet<(Kb, Kb)>,
}

impl Found<'_> {
    /// Adds a requirement, and before it what that needs by name.
    fn add(&mut self, kb: Kb, role: Role, rule: Rule, when: Condition, rows: &[&str]) {
        if kb == self.set.kb {
            return;
        }
        self.add_before(kb, Some(&when));
        let evidence = rows.iter().map(|row| self.row(row)).collect();
        self.needed.push(Requirement { kb, role, rule, when, evidence });
    }

    /// Adds what an update needs by name, deepest first. Machines that do without the update do without that too.
    fn add_before(&mut self, update: Kb, of: Option<&Condition>) {
        let knowledge = self.knowledge;
        for row in knowledge.prerequisites().before_kb(update) {
            if row.needs == self.set.kb || !self.edges.insert((update, row.needs)) {
                continue;
            }
            let when = match of {
                Some(condition) if condition.spares_some_machines() => condition.clone(),
                _ => Condition::NotInstalled(row.needs),
            };
            self.add(row.needs, row.role.into(), Rule::Before { update }, when, &[&row.source]);
        }
    }

    fn add_since(&mut self, family: &Family, date: Option<Date>) {
        let knowledge = self.knowledge;
        let Some(row) = knowledge.prerequisites().since_in(family, date).filter(|_| self.is_update()) else {
            return;
        };
        for needed in &row.needs {
            let rule = Rule::Since { why: row.why.clone() };
            let when = Condition::NotInstalled(needed.kb);
            self.add(needed.kb, needed.role.into(), rule, when, &[&row.source]);
        }
    }

    /// Adds the separate servicing stack, where one is known. Stacks that were published before one that all updates
    /// since a date need are behind that one.
    fn add_stack(&mut self, family: &Family, date: Option<Date>, library: &dyn Library) -> Result<()> {
        let (set, knowledge) = (self.set, self.knowledge);
        let Some(row) = takes_separate_stack(set, family, knowledge) else { return Ok(()) };
        let since = knowledge.prerequisites().since_in(family, date).filter(|_| self.is_update());
        let since = since.filter(|row| row.needs.iter().any(|needed| needed.role == NeededAs::Ssu));
        let mut stacks = stacks_of(family, library, knowledge)?;
        stacks.retain(|_, published| since.is_none_or(|row| *published >= row.from));
        let pair = knowledge.packages().paired_stack(set.kb, family.id);
        let newest = || {
            let not_later =
                stacks.iter().filter(|&(_, published)| date.is_none_or(|date| *published <= date));
            not_later.max_by_key(|&(kb, published)| (*published, *kb)).map(|(kb, _)| *kb)
        };
        let Some(kb) = pair.or_else(newest) else { return Ok(()) };
        // A paired stack of unknown date was there when the update was.
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

    /// Adds the newest floor that is not later.
    fn add_floor(&mut self, family: &Family, date: Option<Date>) {
        if !takes_stack(self.set.kind) || names_stack(self.set, self.knowledge) {
            return;
        }
        let floors = self.knowledge.prerequisites().floors_of(family);
        let Some(row) = floors.into_iter().rfind(|row| date.is_none_or(|date| row.from <= date)) else {
            return;
        };
        let below = row.needed_below;
        let when = Condition::BuildBelow(below);
        self.add(row.kb, Role::Ssu, Rule::Floor { below }, when, &[&row.source]);
    }

    /// Adds the update that brings just the floor of an enablement package. A plan may take a later one.
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

    /// Returns `true` if the rules for updates of a family apply: to all but stacks and enablement packages.
    fn is_update(&self) -> bool {
        self.set.kind.is_none_or(|kind| !matches!(kind, Kind::Ssu | Kind::Enablement))
    }

    fn row(&self, row: &str) -> Evidence {
        Evidence::Knowledge { row: row.to_owned(), date: self.knowledge.date().to_string() }
    }
}

/// Returns the update that brings just the floor of an enablement package: the one of its row, else the lowest release
/// of the client that is enough.
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
