//! Goals in place of a KB: the latest update of a kind, by policy and date.
//!
//! A release is regular when it first appeared 0 to 2 days after the second Tuesday of its month and nothing says that
//! it was out of band; headings alone prove nothing. Cumulative updates rank by build. One whose build nobody knows ranks by
//! the month of its title, and two of one month are a question for the one who asks.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use super::answer::{Choice, Plan, Status};
use super::known::is_for;
use super::plan::Ask;
use super::request::{Policy, Request};
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::Role;
use crate::servicing::{Family, ReleaseKind};
use crate::update::{Build, Kb, Kind, Month};

/// An update that a goal may choose.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) kb: Kb,
    pub(super) build: Option<Build>,
    /// When it first appeared, as far as anybody knows.
    date: Option<Date>,
    title_month: Option<Month>,
    kind: Option<ReleaseKind>,
}

impl Candidate {
    /// The month that it is of.
    pub(super) fn month(&self) -> Option<Month> {
        self.title_month.or_else(|| self.date.and_then(Month::of))
    }

    /// Of what sort it is, as far as that is proven.
    fn sort(&self) -> Option<ReleaseKind> {
        match self.kind {
            Some(proven @ (ReleaseKind::Preview | ReleaseKind::OutOfBand)) => Some(proven),
            _ => self.date.map(
                |date| {
                    if is_regular(date) { ReleaseKind::Regular } else { ReleaseKind::OutOfBand }
                },
            ),
        }
    }

    fn is_allowed(&self, policy: Policy, as_of: Option<Date>) -> bool {
        let published = self.date.or(self.title_month.map(Month::first_day));
        if as_of.is_some_and(|as_of| published.is_none_or(|published| published > as_of)) {
            return false;
        }
        match policy {
            Policy::Preview => true,
            Policy::Oob => self.sort() != Some(ReleaseKind::Preview),
            Policy::Security => self.sort() == Some(ReleaseKind::Regular),
        }
    }
}

/// Whether a day is the second Tuesday of its month, or one of the two days after it: lists and time zones are that much
/// late.
pub fn is_regular(date: Date) -> bool {
    let second_tuesday = date.nth_weekday_of_month(2, Weekday::Tuesday);
    second_tuesday.is_ok_and(|tuesday| (0..=2).contains(&(date.day() - tuesday.day())))
}

/// The best of some candidates, or those between which nobody can decide.
pub(super) enum Best {
    None,
    One(Kb),
    Several(Vec<Kb>),
}

impl Ask<'_> {
    /// Everything of some kinds for a family that is known: the index's titles and the knowledge, each KB once.
    pub(super) fn candidates(&self, kinds: &[Kind], family: &Family) -> Result<Vec<Candidate>> {
        let mut found: BTreeMap<Kb, Candidate> = BTreeMap::new();
        let cumulative = kinds.iter().any(|kind| kind.is_windows_cumulative());
        if cumulative {
            for release in self.knowledge.releases().of_family(family) {
                let candidate = Candidate {
                    kb: release.kb,
                    build: Some(release.build),
                    date: release.date.or(release.first_seen),
                    title_month: None,
                    kind: release.kind,
                };
                found.insert(release.kb, candidate);
            }
        } else {
            for package in self.knowledge.packages().all() {
                let of_family = is_for(package, family);
                let kind = self.knowledge.parents().kind_of(package.kb).unwrap_or(package.kind);
                if !of_family || !kinds.contains(&kind) || !self.fits(Some(package.architecture)) {
                    continue;
                }
                let known = found.entry(package.kb).or_insert(Candidate {
                    kb: package.kb,
                    build: None,
                    date: package.date,
                    title_month: None,
                    kind: preview(kind),
                });
                known.date = known.date.min(package.date).or(known.date).or(package.date);
            }
        }
        for update in self.library.updates_of(kinds)?.iter() {
            let Some(kb) = update.kb else { continue };
            let named = update.family(self.knowledge);
            let own =
                named.is_some_and(|named| (named.id, named.installation) == (family.id, family.installation));
            if !own || !self.fits(update.architecture) {
                continue;
            }
            let known = found.entry(kb).or_insert(Candidate {
                kb,
                build: None,
                // The date of an entry may be later than its release, never earlier.
                date: None,
                title_month: update.month,
                kind: None,
            });
            known.title_month = known.title_month.or(update.month);
            known.build = update.build.and_then(|build| family.canonical(build)).or(known.build);
            known.kind = known.kind.or_else(|| update.kind.and_then(preview));
            let is_known =
                self.knowledge.releases().of_kb_for(kb, family).iter().any(|row| row.date.is_some());
            if !is_known {
                known.date = match (known.date, update.last_updated) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        let withdrawn = |kb: Kb| {
            self.knowledge.withdrawn().of_kb(kb).is_some()
                || self.knowledge.withdrawn().hotpatch(kb).is_some()
        };
        Ok(found.into_values().filter(|candidate| !withdrawn(candidate.kb)).collect())
    }

    fn fits(&self, architecture: Option<crate::update::Architecture>) -> bool {
        match (self.request.machine.architecture, architecture) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        }
    }

    /// The newest of what policy and date allow.
    pub(super) fn best(candidates: &[Candidate], policy: Policy, as_of: Option<Date>) -> Best {
        let allowed: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.is_allowed(policy, as_of)).collect();
        let by_build = allowed.iter().filter(|candidate| candidate.build.is_some());
        let known = by_build.max_by_key(|candidate| (candidate.build, candidate.kb)).copied();
        let by_month =
            allowed.iter().filter(|candidate| candidate.build.is_none() && candidate.month().is_some());
        let newest = by_month.clone().filter_map(|candidate| candidate.month()).max();
        let open: Vec<&Candidate> =
            by_month.filter(|candidate| candidate.month() == newest).copied().collect();
        match (known, newest) {
            (Some(known), Some(month)) if known.month().is_some_and(|own| own > month) => Best::One(known.kb),
            (Some(known), Some(month)) if known.month() == Some(month) => {
                Best::Several(open.into_iter().chain([known]).map(|candidate| candidate.kb).collect())
            }
            (Some(known), None) => Best::One(known.kb),
            (_, Some(_)) => match open.as_slice() {
                [one] => Best::One(one.kb),
                _ => Best::Several(open.into_iter().map(|candidate| candidate.kb).collect()),
            },
            (None, None) => Best::None,
        }
    }

    /// The plan for the latest update of a kind.
    pub(super) fn plan_latest(&self, kind: Option<Kind>) -> Result<Plan> {
        self.check_product(&[])?;
        let answer = self.answer(None);
        let kinds = match kind {
            None | Some(Kind::Lcu | Kind::LcuPreview) => vec![Kind::Lcu, Kind::LcuPreview],
            Some(Kind::DotnetCu | Kind::DotnetPreview) => vec![Kind::DotnetCu, Kind::DotnetPreview],
            Some(kind) => vec![kind],
        };
        // A preview that is asked for by its kind is allowed.
        let wants_preview = matches!(kind, Some(Kind::LcuPreview | Kind::DotnetPreview));
        let policy = if wants_preview { Policy::Preview } else { self.request.policy };
        let what = kind.map_or("cumulative update", Kind::as_str);
        let families = self.families_of_goal();
        if let Some(product) = self.request.product.as_deref().filter(|_| families.is_empty()) {
            let advice = format!("{product:?} is not what --baseline or --installation name");
            return Ok(self.refused(answer, Status::NotApplicable, advice));
        }
        if families.is_empty() {
            let advice = "for which Windows? name it with --baseline or --product".to_owned();
            let mut answer = self.refused(answer, Status::Ambiguous, advice);
            answer.choices = self.knowledge.families().iter().map(family_choice).collect();
            return Ok(answer);
        }
        let mut found: Vec<(&Family, Kb)> = Vec::new();
        for family in families {
            let mut candidates = self.candidates(&kinds, family)?;
            if wants_preview {
                candidates.retain(|candidate| candidate.kind == Some(ReleaseKind::Preview));
            }
            self.drop_children(&mut candidates)?;
            match Self::best(&candidates, policy, self.request.as_of) {
                Best::None => {}
                Best::One(kb) => found.push((family, kb)),
                Best::Several(kbs) => return self.undecided(&kbs, family, what, answer),
            }
        }
        found.dedup_by_key(|(_, kb)| *kb);
        match found.as_slice() {
            [] => {
                let advice = format!(
                    "no {what} for it is known under the policy {}{}: {}",
                    policy.as_str(),
                    self.request.as_of.map_or_else(String::new, |date| format!(" as of {date}")),
                    self.library.side().to_know_newer()
                );
                Ok(self.refused(answer, Status::Unknown, advice))
            }
            [(family, kb)] => {
                let mut plan = self.plan_kb(*kb)?;
                plan.reasons.insert(0, self.chosen(*kb, what, family, policy));
                Ok(plan)
            }
            several => {
                let kbs: Vec<String> =
                    several.iter().map(|(family, kb)| format!("{kb} for {}", family.name)).collect();
                let advice = format!("{}: name one with --installation or --product", kbs.join(", "));
                let mut answer = self.refused(answer, Status::Ambiguous, advice);
                for (family, kb) in several {
                    answer.choices.push(Choice { kb: Some(*kb), ..family_choice(family) });
                }
                Ok(answer)
            }
        }
    }

    /// The families that a goal can be about: those of the baseline, else those that a product names.
    pub(super) fn families_of_goal(&self) -> Vec<&Family> {
        let request = self.request;
        let named = |family: &Family| self.product.as_ref().is_none_or(|product| product.is_family(family));
        if !self.at.is_empty() {
            return self.at.iter().copied().filter(|family| named(family)).collect();
        }
        if request.product.is_none() {
            return Vec::new();
        }
        let wanted = |family: &&Family| {
            named(family) && request.machine.installation.is_none_or(|wanted| wanted == family.installation)
        };
        self.knowledge.families().iter().filter(wanted).collect()
    }

    /// A package that another candidate bundles is no candidate beside it.
    fn drop_children(&self, candidates: &mut Vec<Candidate>) -> Result<()> {
        let newest = candidates.iter().filter_map(Candidate::month).max();
        let mut children = Vec::new();
        for candidate in
            candidates.iter().filter(|candidate| candidate.month() == newest && candidate.build.is_none())
        {
            for set in self.library.sets(candidate.kb)?.iter() {
                let of_bundle = set.members.iter().filter(|member| member.role == Role::DotnetChild);
                children.extend(of_bundle.filter_map(super::roles::Member::kb));
            }
        }
        candidates.retain(|candidate| !children.contains(&candidate.kb));
        Ok(())
    }

    fn undecided(&self, kbs: &[Kb], family: &Family, what: &str, answer: Plan) -> Result<Plan> {
        let mut choices = Vec::new();
        for &kb in kbs {
            let sets = self.library.sets(kb)?;
            let fits = |set: &&PackageSet| set.serves(family) && self.fits(set.architecture);
            let mut of_kb: Vec<Choice> = sets.iter().filter(fits).map(super::plan::choice).collect();
            if of_kb.is_empty() {
                of_kb.push(Choice { kb: Some(kb), ..family_choice(family) });
            }
            choices.extend(of_kb);
        }
        choices.sort();
        let names: Vec<String> = kbs.iter().map(ToString::to_string).collect();
        let advice = format!(
            "{} are of the same month, and nothing tells which {what} is later: ask for one by its KB",
            names.join(" and ")
        );
        let mut answer = self.refused(answer, Status::Ambiguous, advice);
        answer.choices = choices;
        Ok(answer)
    }

    /// The latest cumulative update of a set's family by the policy that holds without any word.
    pub(super) fn latest_of_family(&self, set: &PackageSet) -> Result<Option<Kb>> {
        let Some(family) = self.family_of(set) else { return Ok(None) };
        let candidates = self.candidates(&[Kind::Lcu, Kind::LcuPreview], family)?;
        match Self::best(&candidates, Policy::default(), None) {
            Best::One(kb) => Ok(Some(kb)),
            Best::None | Best::Several(_) => Ok(None),
        }
    }
}

/// What a title's kind proves.
fn preview(kind: Kind) -> Option<ReleaseKind> {
    matches!(kind, Kind::LcuPreview | Kind::DotnetPreview).then_some(ReleaseKind::Preview)
}

pub(super) fn family_choice(family: &Family) -> Choice {
    Choice { kb: None, product: family.name.clone(), architecture: None, folder: family.folder.clone() }
}

/// A request for another goal on the same machine.
pub(super) fn same_machine(request: &Request, goal: super::request::Goal) -> Request {
    Request { goal, available: None, ..request.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_tuesday_and_two_days_after_it_are_regular() {
        for day in ["2026-06-09", "2026-06-10", "2026-06-11", "2024-09-10", "2025-07-08"] {
            assert!(is_regular(day.parse().unwrap()), "{day}");
        }
        for day in ["2026-06-08", "2026-06-12", "2026-07-18", "2026-09-14", "2025-07-13", "2026-06-16"] {
            assert!(!is_regular(day.parse().unwrap()), "{day}");
        }
    }
}
