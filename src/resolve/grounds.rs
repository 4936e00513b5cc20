//! What speaks for an answer on the way: the judgements that an update passed, each with who says so.
//!
//! The judges push what stands against an update by themselves. Here is the other half, so that somebody who asks why
//! can follow the whole order of judgement: what the update is and for whom, that its place takes it, that it is not
//! withdrawn, that the machine does not have it yet, and what is known of Extended Security Updates.

use super::answer::{Plan, Reason};
use super::place::Place;
use super::plan::Ask;
use super::request::Policy;
use super::sets::PackageSet;
use crate::facts::Evidence;
use crate::servicing::{Enablement, Family};
use crate::update::{Architecture, Build, Kb, Kind};

impl Ask<'_> {
    /// A row of a knowledge table as evidence.
    pub(super) fn knowledge_says(&self, row: &str) -> String {
        Evidence::Knowledge { row: row.to_owned(), date: self.knowledge.date().to_string() }.to_string()
    }

    /// What a set is, and for whom.
    #[expect(clippy::unused_self, reason = "it reads as the other judgements do")]
    pub(super) fn what_it_is(&self, set: &PackageSet) -> Reason {
        let products = set.products.join(" and ");
        let architecture = set.architecture.map_or("any architecture", Architecture::as_str);
        let reason = Reason::new(format!("{} is {} for {products} ({architecture})", set.kb, noun(set.kind)));
        if set.updates.is_empty() {
            reason.said_by(Self::of_build(set))
        } else {
            reason.said_by([format!("the Catalog's titles of {}", set.kb)])
        }
    }

    /// That its place takes it.
    pub(super) fn right_place(&self, set: &PackageSet) -> Reason {
        let kb = set.kb;
        Reason::new(match self.request.machine.place {
            Place::Online => format!("{kb} goes onto a running machine, which is the place asked for"),
            Place::Image => format!("{kb} goes into install.wim, which is the place asked for"),
            Place::Winpe => format!("{kb} goes into boot.wim, which is the place asked for"),
            Place::Winre => format!("{kb} goes into winre.wim, which is the place asked for"),
            Place::Media => format!("{kb} goes over \\sources of media, which is the place asked for"),
            Place::Mirror => "a mirror keeps the complete set, whatever the machine".to_owned(),
        })
    }

    /// That nobody pulled it; or that it was, and is asked for all the same.
    pub(super) fn withdrawal(&self, kb: Kb) -> Reason {
        match self.knowledge.withdrawn().of_kb(kb) {
            Some(row) => Reason::new(format!("{kb} is withdrawn ({}), and asked for all the same", row.why))
                .said_by([self.knowledge_says(&row.source)]),
            None => Reason::new(format!("{kb} is not known to be withdrawn"))
                .said_by([self.knowledge_says("no row of withdrawn.toml has it")]),
        }
    }

    /// That the machine does not have it yet, as far as builds tell.
    pub(super) fn not_there_yet(&self, set: &PackageSet) -> Option<Reason> {
        let request = self.request;
        if request.machine.place == Place::Mirror {
            return None;
        }
        let Some(at) = request.machine.at() else {
            return Some(Reason::new("the machine's build is not known: each step says when it is needed"));
        };
        let target = set.build()?;
        let brings = Build::new(at.number, target.revision);
        let reason = if at.revision < target.revision {
            let of_family = if brings == target {
                String::new()
            } else {
                format!(" ({target} in the numbering of its family)")
            };
            Reason::new(format!("{at} is below {brings}{of_family}, which {} brings", set.kb))
        } else {
            Reason::new(format!(
                "{at} is what {} brings; the image is being changed, so it is applied again",
                set.kb
            ))
        };
        Some(reason.said_by(Self::of_build(set)))
    }

    /// Who says which build a set brings; for a set that brings none, who knows of it.
    pub(super) fn of_build(set: &PackageSet) -> Vec<String> {
        let members = set.members.iter().filter(|member| member.role.is_update());
        let mut said = Vec::new();
        for evidence in members.flat_map(|member| &member.evidence) {
            let text = evidence.to_string();
            if !matches!(evidence, Evidence::Dialog { .. }) && !said.contains(&text) {
                said.push(text);
            }
        }
        said
    }

    /// Why Extended Security Updates do not stand against it, where its family has any.
    pub(super) fn extended_security_is_met(&self, set: &PackageSet) -> Option<Reason> {
        let request = self.request;
        let family = self.family_of(set).filter(|_| request.machine.place != Place::Mirror)?;
        let (esu, month) = (self.knowledge.editions().esu_of(family)?, self.month_of(set)?);
        let name = &family.name;
        let installed = esu.preparations().find(|kb| request.machine.installed.contains(kb));
        let conclusion = match (request.machine.esu, installed) {
            _ if month < esu.from => {
                format!(
                    "Extended Security Updates of {name} begin with {}, and {} is of {month}",
                    esu.from, set.kb
                )
            }
            (Some(true), _) => {
                format!("the machine is said to be prepared for Extended Security Updates of {name}")
            }
            (_, Some(kb)) => {
                format!("{kb} is installed, which prepares for Extended Security Updates of {name}")
            }
            _ => return None,
        };
        Some(Reason::new(conclusion).said_by([self.knowledge_says(&esu.source)]))
    }

    /// Why a goal chose an update.
    pub(super) fn chosen(&self, kb: Kb, what: &str, family: &Family, policy: Policy) -> Reason {
        let as_of = self.request.as_of.unwrap_or(self.knowledge.date());
        let name = &family.name;
        Reason::new(format!(
            "{kb} is the newest {what} for {name} that the policy {} allows as of {as_of}",
            policy.as_str()
        ))
        .said_by([self.knowledge_says("release history and packages, beside the Catalog's titles")])
    }

    /// What an enablement package does, and for whom.
    pub(super) fn what_it_switches(&self, row: &Enablement, family: &Family) -> Reason {
        let from: Vec<String> = row
            .from
            .iter()
            .map(|&build| family.release_of(build).map_or_else(|| build.to_string(), str::to_owned))
            .collect();
        Reason::new(format!("{} switches {} on, and {} takes it", row.kb, row.release, from.join(" or ")))
            .said_by([self.knowledge_says(&row.source)])
    }

    /// That a cumulative update comes before an enablement package, with why that one is as it is.
    pub(super) fn floor_first(
        &self,
        row: &Enablement,
        kb: Kb,
        brings: Option<Build>,
        of_update: Plan,
    ) -> Reason {
        let brings = brings.map_or_else(|| "it".to_owned(), |build| build.to_string());
        let at = self.request.machine.at().map_or_else(String::new, |at| format!(", {at} is below that"));
        Reason::new(format!("{} needs {} or later{at}, and {kb} brings {brings}", row.kb, row.floor_build()))
            .said_by([self.knowledge_says(&row.source)])
            .because(of_update.reasons)
    }
}

impl Plan {
    /// Adds who says so to the judgement that was made last.
    pub(super) fn said_by(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        if let Some(last) = self.reasons.last_mut() {
            last.evidence.extend(evidence);
        }
        self
    }
}

/// What an update is, for people.
fn noun(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Lcu) => "a cumulative update",
        Some(Kind::LcuPreview) => "a preview of the next cumulative update",
        Some(Kind::DynamicCu) => "the copy of a cumulative update that Windows Setup takes",
        Some(Kind::DotnetCu) => "a cumulative update of .NET Framework",
        Some(Kind::DotnetPreview) => "a preview of the next cumulative update of .NET Framework",
        Some(Kind::DotnetFeature) => ".NET Framework itself",
        Some(Kind::Ssu) => "a servicing stack",
        Some(Kind::SafeosDu) => "a Safe OS dynamic update",
        Some(Kind::SetupDu) => "a Setup dynamic update",
        Some(Kind::Enablement) => "an enablement package",
        Some(Kind::EsuLicensing) => "a preparation for Extended Security Updates",
        Some(Kind::MonthlyRollup) => "a monthly rollup",
        Some(Kind::SecurityOnly) => "a security-only update",
        _ => "an update",
    }
}
