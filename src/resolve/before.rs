//! What lies under KBs of its own and has to be installed before an update: separate servicing stacks, floors under
//! combined ones, and prerequisites by name.
//!
//! A separate stack goes with an update by the table of pairs, else it is the newest one that was published not later.
//! The floors inside the updates are not known, so a stack that is installed or at hand serves when it was published
//! with the update's own or later. [`closure`] is the same without a machine: what `fetch` brings along.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::answer::{Plan, Reason};
use super::library::Library;
use super::plan::Ask;
use super::request::{Place, Request};
use super::roles::{Evidence, Role};
use super::sets::PackageSet;
use super::steps::Draft;
use crate::error::Result;
use crate::servicing::{Family, Knowledge, NeededAs, NeedsSince, StackFloor};
use crate::update::{Kb, Kind};

impl From<NeededAs> for Role {
    fn from(needed: NeededAs) -> Self {
        match needed {
            NeededAs::Ssu => Self::Ssu,
            NeededAs::Prerequisite => Self::Prerequisite,
        }
    }
}

impl Ask<'_> {
    /// The steps before a set that are not of the set, in order.
    pub(super) fn before(&self, set: &PackageSet, answer: &mut Plan) -> Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        let Some(family) = self.family_of(set) else { return Ok(drafts) };
        let is_update = set.kind.is_none_or(|kind| !matches!(kind, Kind::Ssu | Kind::Enablement));
        let since = self.knowledge.needs_since(family, self.date_of(set)).filter(|_| is_update);
        if let Some(row) = since {
            for needed in row.needs.iter().filter(|needed| needed.kb != set.kb) {
                if self.request.has(needed.kb) {
                    continue;
                }
                let mut draft = self.step_of_kb(
                    needed.kb,
                    needed.role.into(),
                    set,
                    row.why.clone(),
                    &self.evidence(&row.source),
                    answer,
                )?;
                draft.needed_if = self.unless_installed(needed.kb);
                drafts.push(draft);
            }
        }
        let from_row = drafts.len();
        self.named_before(set, set.kb, &mut drafts, answer)?;
        let has_stack = set.members.iter().any(|member| member.role == Role::Ssu)
            || drafts.iter().skip(from_row).any(|draft| draft.role == Role::Ssu);
        if takes_stack(set.kind) && !has_stack {
            drafts.extend(self.separate_stack(set, family, since.and_then(stack_since), answer)?);
            drafts.extend(self.floor(set, family, answer)?);
        }
        Ok(drafts)
    }

    /// What single rows say, with what those need in turn, deepest first.
    fn named_before(
        &self,
        set: &PackageSet,
        kb: Kb,
        drafts: &mut Vec<Draft>,
        answer: &mut Plan,
    ) -> Result<()> {
        for row in self.knowledge.needs_before(kb) {
            let known = drafts.iter().any(|draft| draft.kb == Some(row.needs));
            if known || self.request.has(row.needs) {
                continue;
            }
            self.named_before(set, row.needs, drafts, answer)?;
            let because = format!("{kb} is not installed without it");
            let evidence = self.evidence(&row.source);
            let mut draft = self.step_of_kb(row.needs, row.role.into(), set, because, &evidence, answer)?;
            draft.needed_if = self.unless_installed(row.needs);
            drafts.push(draft);
        }
        Ok(())
    }

    /// The separate stack, unless the machine has one that serves. What was published before a stack that all updates
    /// since a day need is behind that one.
    fn separate_stack(
        &self,
        set: &PackageSet,
        family: &Family,
        since: Option<Date>,
        answer: &mut Plan,
    ) -> Result<Option<Draft>> {
        let Some(row) = self.knowledge.separate_stack(family, self.date_of(set)) else { return Ok(None) };
        let mut stacks = stacks_of(family, self.library, self.knowledge)?;
        stacks.retain(|_, published| since.is_none_or(|since| *published >= since));
        let Some(needed) = stack_for(set, family, self.date_of(set), &stacks, self.knowledge) else {
            if since.is_some() {
                return Ok(None);
            }
            answer.warnings.push(format!(
                "{} takes its servicing stack as a package of its own, and none is known that was published up to {}: install the newest one first",
                family.name, set.kb
            ));
            return Ok(None);
        };
        let rank = |kb: Kb| stacks.get(&kb).map(|&date| (date, kb));
        // A pair of which nobody knows the day was there when the update was.
        let least = rank(needed).or(self.date_of(set).map(|date| (date, needed)));
        let serves = |kb: &Kb| *kb == needed || (least.is_some() && rank(*kb) >= least);
        if let Some(installed) = self.request.installed.iter().find(|kb| self.request.has(**kb) && serves(kb))
        {
            answer.reasons.push(
                Reason::new(format!("the servicing stack {installed} is installed, which serves {}", set.kb))
                    .said_by([self.knowledge_says(&row.source)]),
            );
            return Ok(None);
        }
        let at_hand: BTreeSet<Kb> = self
            .request
            .available
            .iter()
            .flatten()
            .filter_map(|name| self.knowledge.kb_of_file(name))
            .filter(serves)
            .collect();
        let chosen = if at_hand.contains(&needed) {
            needed
        } else {
            at_hand.into_iter().max_by_key(|kb| rank(*kb)).unwrap_or(needed)
        };
        let because =
            format!("{} takes its servicing stack as a package of its own, before {}", family.name, set.kb);
        let paired = self.knowledge.paired_stack(set.kb, family.id) == Some(chosen);
        let how = if paired {
            format!("{chosen} was published with {} (stacks)", set.kb)
        } else {
            format!("{chosen} is the newest servicing stack that was published not later than {}", set.kb)
        };
        let mut evidence = self.evidence(&how);
        evidence.extend(self.evidence(&row.source));
        let mut draft = self.step_of_kb(chosen, Role::Ssu, set, because, &evidence, answer)?;
        draft.needed_if =
            self.unless_installed(chosen).map(|text| format!("{text}, nor a newer servicing stack"));
        Ok(Some(draft))
    }

    fn floor(&self, set: &PackageSet, family: &Family, answer: &mut Plan) -> Result<Option<Draft>> {
        let Some(row) = floor_for(family, self.date_of(set), self.knowledge) else { return Ok(None) };
        let below = |build: crate::update::Build| build.revision < row.needed_below.revision;
        if self.request.at().is_some_and(|at| !below(at)) || self.request.has(row.kb) {
            return Ok(None);
        }
        let because = match self.request.at() {
            Some(at) => format!(
                "{at} is below {}: its servicing stack is too old for the one inside of {}",
                row.needed_below, set.kb
            ),
            None => format!(
                "below {} the servicing stack is too old for the one inside of {}",
                row.needed_below, set.kb
            ),
        };
        let mut draft =
            self.step_of_kb(row.kb, Role::Ssu, set, because, &self.evidence(&row.source), answer)?;
        let open = self.request.baseline.is_none() && self.request.place != Place::Mirror;
        draft.needed_if = open.then(|| format!("build below {}", row.needed_below));
        draft.needed_below = Some(row.needed_below);
        Ok(Some(draft))
    }

    /// When a prerequisite is needed, where the machine is not known.
    fn unless_installed(&self, kb: Kb) -> Option<String> {
        let open = self.request.baseline.is_none() && self.request.place != Place::Mirror;
        open.then(|| format!("{kb} is not installed"))
    }

    fn evidence(&self, row: &str) -> Vec<Evidence> {
        vec![Evidence::Knowledge { row: row.to_owned(), date: self.knowledge.date().to_string() }]
    }

    /// When a set was published: the day where it is known, else the last one of its month.
    pub(super) fn date_of(&self, set: &PackageSet) -> Option<Date> {
        date_of(set, self.family_of(set), self.knowledge)
    }
}

/// Returns the families for which a set takes a separate servicing stack that knowledge does not pair with it: the
/// Catalog's titles name the stack. Families that share their packages are one.
pub fn families_without_pair<'k>(set: &PackageSet, knowledge: &'k Knowledge) -> Vec<&'k Family> {
    let mut families: Vec<&Family> = knowledge
        .families()
        .iter()
        .filter(|family| {
            let date = date_of(set, Some(family), knowledge);
            takes_stack(set.kind)
                && set.serves(family)
                && knowledge.separate_stack(family, date).is_some()
                && knowledge.paired_stack(set.kb, family.id).is_none()
        })
        .collect();
    let mut seen = BTreeSet::new();
    families.retain(|family| seen.insert(family.id));
    families
}

/// From when on updates need a certain stack, where the row names one.
fn stack_since(row: &NeedsSince) -> Option<Date> {
    row.needs.iter().any(|needed| needed.role == NeededAs::Ssu).then_some(row.from)
}

/// Kinds that are installed by the servicing stack's leave.
fn takes_stack(kind: Option<Kind>) -> bool {
    kind.is_some_and(|kind| {
        matches!(kind, Kind::Lcu | Kind::LcuPreview | Kind::MonthlyRollup | Kind::SecurityOnly)
    })
}

fn date_of(set: &PackageSet, family: Option<&Family>, knowledge: &Knowledge) -> Option<Date> {
    let release = family.and_then(|family| knowledge.releases_of(set.kb, family).pop());
    let known = release.and_then(|release| release.date.or(release.first_seen));
    known.or_else(|| set.month.map(crate::update::Month::last_day))
}

/// The servicing stacks of a family by the day from which on they were there.
fn stacks_of(family: &Family, library: &dyn Library, knowledge: &Knowledge) -> Result<BTreeMap<Kb, Date>> {
    let mut stacks: BTreeMap<Kb, Date> = BTreeMap::new();
    let mut add = |kb: Kb, date: Date| {
        let known = stacks.entry(kb).or_insert(date);
        *known = date.min(*known);
    };
    for package in knowledge.packages() {
        // Titles of before 2018-10 do not say of a stack that it is one.
        let kind = knowledge.kind_of(package.kb).unwrap_or(package.kind);
        let own = kind == Kind::Ssu && package.family == family.id;
        if let Some(date) = package.date.filter(|_| own) {
            add(package.kb, date);
        }
    }
    for update in library.updates_of(&[Kind::Ssu])?.iter() {
        let own = update.family(knowledge).is_some_and(|named| named.id == family.id);
        let date = update.month.map(crate::update::Month::first_day).or(update.last_updated);
        if let (Some(kb), Some(date)) = (update.kb, date.filter(|_| own)) {
            add(kb, date);
        }
    }
    Ok(stacks)
}

/// The stack that goes with a set: its pair, else the newest one that is not later.
fn stack_for(
    set: &PackageSet,
    family: &Family,
    date: Option<Date>,
    stacks: &BTreeMap<Kb, Date>,
    knowledge: &Knowledge,
) -> Option<Kb> {
    knowledge.paired_stack(set.kb, family.id).or_else(|| {
        let not_later = stacks.iter().filter(|&(_, &published)| date.is_none_or(|date| published <= date));
        not_later.max_by_key(|&(&kb, &published)| (published, kb)).map(|(&kb, _)| kb)
    })
}

/// The floor under a combined update: the newest that is not later.
fn floor_for<'k>(family: &Family, date: Option<Date>, knowledge: &'k Knowledge) -> Option<&'k StackFloor> {
    let floors = knowledge.stack_floors(family);
    floors.into_iter().rfind(|row| date.is_none_or(|date| row.from <= date))
}

/// Something that a set cannot do without and that has a KB of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Along {
    /// Its KB.
    pub kb: Kb,
    /// Its type.
    pub role: Role,
    /// Whether every machine needs it; else only some do, and the set is of use without it.
    pub always: bool,
}

/// What a set cannot do without beside its own files, whatever the machine: stacks, floors, prerequisites, and the
/// preparation for Extended Security Updates.
pub fn closure(set: &PackageSet, library: &dyn Library, knowledge: &Knowledge) -> Result<Vec<Along>> {
    let request = Request::new(set.kb);
    let ask = Ask { request: &request, library, knowledge, product: None, at: Vec::new() };
    let mut along = BTreeSet::new();
    let families = knowledge.families().iter().filter(|family| set.serves(family));
    for family in families {
        let date = date_of(set, Some(family), knowledge);
        if let Some(row) = knowledge.needs_since(family, date) {
            along.extend(row.needs.iter().map(|needed| Along {
                kb: needed.kb,
                role: needed.role.into(),
                always: true,
            }));
        }
        if takes_stack(set.kind) {
            if knowledge.separate_stack(family, date).is_some() {
                let mut stacks = stacks_of(family, library, knowledge)?;
                let since = knowledge.needs_since(family, date).and_then(stack_since);
                stacks.retain(|_, published| since.is_none_or(|since| *published >= since));
                let needed = stack_for(set, family, date, &stacks, knowledge);
                along.extend(needed.map(|kb| Along { kb, role: Role::Ssu, always: true }));
            }
            let floor = floor_for(family, date, knowledge);
            along.extend(floor.map(|row| Along { kb: row.kb, role: Role::Ssu, always: false }));
            let month = ask.month_of(set);
            if let Some(esu) =
                knowledge.esu(family).filter(|esu| month.is_some_and(|month| month >= esu.from))
            {
                let preparation = esu.preparation(month);
                along.extend(preparation.map(|row| Along {
                    kb: row.kb,
                    role: Role::EsuPreparation,
                    always: false,
                }));
            }
        }
    }
    let mut open = vec![set.kb];
    while let Some(kb) = open.pop() {
        for row in knowledge.needs_before(kb) {
            if along.insert(Along { kb: row.needs, role: row.role.into(), always: true }) {
                open.push(row.needs);
            }
        }
    }
    along.retain(|along| along.kb != set.kb);
    Ok(along.into_iter().collect())
}
