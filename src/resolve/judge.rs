//! What stands against a set before its steps are looked for: the place, a withdrawal, a baseline that has it
//! already, Extended Security Updates, and the edition.

use super::answer::{Missing, Plan, Reason, Status};
use super::place::Place;
use super::plan::Ask;
use super::requirements::{month_of, preparation};
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::Role;
use crate::servicing::{Esu, Ltsc};
use crate::update::{Build, Kb, Kind, Month};

/// The answer so far, or the one that ends the matter.
pub(super) type Judged = std::result::Result<Plan, Box<Plan>>;

/// The proof that a machine has an update.
#[derive(Debug, Clone, Copy)]
enum Done {
    /// The list of installed KBs has it.
    Installed,
    /// The list has it, and the build is still the old one.
    AwaitsRestart { at: Build, target: Build },
    /// The build is the update's or a later one.
    AtBuild { at: Build, target: Build },
}

impl Done {
    fn sentence(self, kb: Kb) -> String {
        match self {
            Self::Installed => format!("{kb} is installed"),
            Self::AwaitsRestart { at, target } => {
                format!("{kb} is installed and {at} is still below {target}: restart the machine")
            }
            Self::AtBuild { at, target } => format!("{kb} brings {target}, and the machine is at {at}"),
        }
    }
}

impl Ask<'_> {
    /// Judges a set in the fixed order.
    pub(super) fn judge(&self, set: &PackageSet, answer: Plan) -> Result<Judged> {
        if let Some(advice) = self.out_of_place(set)? {
            let status =
                if set.kind == Some(Kind::DuAmbiguous) { Status::Unknown } else { Status::NotApplicable };
            return Ok(Err(Box::new(self.refused(answer, status, advice))));
        }
        let mut answer = answer;
        answer.reasons.push(self.right_place(set));
        if let Some(refused) = self.withdrawn(set.kb, &answer) {
            if self.request.machine.place == Place::Mirror || self.request.accept_withdrawn {
                // Asked for in so many words, or kept and not installed: it is said and goes on.
                answer.successor = refused.successor;
                answer.warnings.extend(refused.advice);
            } else {
                return Ok(Err(Box::new(refused)));
            }
        }
        answer.reasons.push(self.withdrawal(set.kb));
        let mut answer = match self.nothing_to_do(set, answer) {
            Ok(answer) => answer,
            done => return Ok(done),
        };
        answer.reasons.extend(self.not_there_yet(set));
        answer.reasons.extend(self.extended_security_is_met(set));
        Ok(self.extended_security(set, answer))
    }

    /// Why a set is not for the place, and what is.
    fn out_of_place(&self, set: &PackageSet) -> Result<Option<String>> {
        let (kb, place) = (set.kb, self.request.machine.place);
        if place == Place::Mirror {
            return Ok(None);
        }
        let advice = match set.kind {
            Some(Kind::Lcu | Kind::LcuPreview) if place == Place::Winre => {
                let safe_os = self.safe_os_of_month(set)?.map_or_else(String::new, |kb| format!(" ({kb})"));
                format!(
                    "winre.wim does not take {kb}: it takes the servicing stack inside of it (SSU-*.cab), then the Safe OS dynamic update of that month{safe_os}"
                )
            }
            Some(Kind::Lcu | Kind::LcuPreview | Kind::MonthlyRollup | Kind::SecurityOnly)
                if matches!(place, Place::Media | Place::Winre) =>
            {
                format!(
                    "{kb} goes into install.wim (--for image) and boot.wim (--for winpe); the files in \\sources take a Setup dynamic update"
                )
            }
            Some(Kind::DynamicCu) => format!(
                "{kb} for this product is the copy that Windows Setup takes by itself: take the cumulative update of that month"
            ),
            Some(Kind::SafeosDu) if place != Place::Winre => {
                format!("{kb} is a Safe OS dynamic update: it goes into winre.wim alone (--for winre)")
            }
            Some(Kind::SetupDu | Kind::ComponentDuCritical) if place != Place::Media => format!(
                "{kb} is a Setup dynamic update: its files are expanded over \\sources of media (--for media), never installed with DISM"
            ),
            Some(Kind::DuAmbiguous) => format!(
                "nobody recorded whether {kb} is for the recovery environment or for Setup: {}",
                self.library.side().to_know(kb)
            ),
            Some(Kind::DotnetCu | Kind::DotnetPreview | Kind::DotnetFeature)
                if !matches!(place, Place::Online | Place::Image) =>
            {
                format!(
                    "{kb} is for .NET Framework: it goes onto a running machine or into install.wim (--for image)"
                )
            }
            Some(Kind::EsuLicensing | Kind::Enablement | Kind::SecurityStandalone)
                if !matches!(place, Place::Online | Place::Image) =>
            {
                format!("{kb} goes onto a running machine or into install.wim (--for image)")
            }
            _ if place == Place::Media
                && !matches!(set.kind, Some(Kind::SetupDu | Kind::ComponentDuCritical)) =>
            {
                format!("{kb} is no Setup dynamic update: the files in \\sources of media take no other")
            }
            _ => return Ok(None),
        };
        Ok(Some(advice))
    }

    /// The refusal of an update that Microsoft pulled.
    pub(super) fn withdrawn(&self, kb: Kb, answer: &Plan) -> Option<Plan> {
        let row = self.knowledge.withdrawn().of_kb(kb)?;
        let advice = format!("{kb} is withdrawn ({}): take {} instead", row.why, row.successor);
        let plan = self.refused(answer.clone(), Status::Withdrawn, advice);
        let mut plan = plan.said_by([self.knowledge_says(&row.source)]);
        plan.successor = Some(row.successor);
        Some(plan)
    }

    /// Ends the matter when the machine has it.
    fn nothing_to_do(&self, set: &PackageSet, mut answer: Plan) -> Judged {
        let request = self.request;
        let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
        // Beside features that go into an image the update is applied again, installed or not.
        let installed =
            request.machine.has(set.kb) && !(cumulative && request.machine.adds_features_to_image());
        let Some(at) = request.machine.at() else {
            return if installed {
                Err(Box::new(self.done(set, answer, Done::Installed)))
            } else {
                Ok(answer)
            };
        };
        let Some(target) = set.build().filter(|_| cumulative || set.kind.is_none()) else {
            if installed {
                return Err(Box::new(self.done(set, answer, Done::Installed)));
            }
            if cumulative {
                answer.warnings.push(format!(
                    "the build that {} brings is not known here, so nobody can tell whether {at} has it already",
                    set.kb
                ));
            }
            return Ok(answer);
        };
        answer.expected_build = Some(Build::new(at.number, target.revision));
        self.warn_of_news(set, at, target, &mut answer);
        if at.revision < target.revision {
            if installed {
                return Err(Box::new(self.done(set, answer, Done::AwaitsRestart { at, target })));
            }
            return Ok(answer);
        }
        if request.machine.adds_features_to_image() && at.revision == target.revision {
            answer.advice =
                Some("applied again for the added features; the build does not change".to_owned());
            return Ok(answer);
        }
        let mut done = self.done(set, answer, Done::AtBuild { at, target });
        done.expected_build = Some(at);
        if request.machine.features_on_demand {
            let later = if at.revision == target.revision { "this" } else { "the later" };
            done.advice = Some(format!(
                "apply {later} cumulative update again after adding features or languages{}",
                self.owner_of(set, at).map_or_else(String::new, |kb| format!(" ({kb})"))
            ));
        } else if at.revision > target.revision
            && let Some(owner) = self.owner_of(set, at)
        {
            done.advice =
                Some(format!("{} is superseded here: the machine is at {at}, which is {owner}", set.kb));
        }
        Err(Box::new(done))
    }

    #[expect(clippy::unused_self, reason = "reads as the other judgements do")]
    fn done(&self, set: &PackageSet, mut answer: Plan, why: Done) -> Plan {
        answer.status = Status::NothingToDo;
        answer.total_bytes = Some(0);
        answer.missing_bytes = Some(0);
        answer.reasons.push(Reason::new(why.sentence(set.kb)).said_by(Self::of_build(set)));
        answer.advice = match why {
            Done::Installed | Done::AwaitsRestart { .. } => Some(why.sentence(set.kb)),
            Done::AtBuild { .. } => None,
        };
        answer
    }

    /// The KB that brought a build to the machine's family.
    fn owner_of(&self, set: &PackageSet, at: Build) -> Option<Kb> {
        let family = self.family_of(set)?;
        let mut owners = self
            .knowledge
            .releases()
            .of_family(family)
            .filter(|release| release.build.revision == at.revision);
        owners.next().map(|release| release.kb)
    }

    /// A revision beyond everything known is compared all the same, and said.
    fn warn_of_news(&self, set: &PackageSet, at: Build, target: Build, answer: &mut Plan) {
        let Some(family) = self.family_of(set) else { return };
        let known = self.knowledge.releases().of_family(family).map(|release| release.build.revision).max();
        if at.revision > known.unwrap_or_default().max(target.revision) {
            answer.warnings.push(format!(
                "build {at} is newer than any that is known of {} as of {}",
                family.name,
                self.knowledge.date()
            ));
        }
    }

    /// Extended Security Updates: refused without, unless the edition is served longer.
    fn extended_security(&self, set: &PackageSet, mut answer: Plan) -> Judged {
        let request = self.request;
        let Some(family) = self.family_of(set) else { return Ok(answer) };
        let (Some(esu), Some(month)) = (self.knowledge.editions().esu_of(family), self.month_of(set)) else {
            return Ok(answer);
        };
        let Some(preparation) = preparation(set, family, self.knowledge) else { return Ok(answer) };
        if request.machine.place == Place::Mirror || request.machine.esu == Some(true) {
            return Ok(answer);
        }
        if let Some(ltsc) = self.long_term(family.id, month) {
            answer.reasons.push(
                Reason::new(format!("{} is served until {}: no ESU is needed", ltsc.name, ltsc.until))
                    .said_by([self.knowledge_says(&ltsc.source)]),
            );
            return Ok(answer);
        }
        if preparation.when.holds(&request.machine) == Some(false) {
            return Ok(answer);
        }
        let unless = self.long_term_chance(family.id);
        let needs = format!(
            "updates of {} from {} on are for machines with Extended Security Updates: {} prepares one, and a key has to be activated, which no file does{unless}",
            family.name, esu.from, preparation.kb
        );
        if request.machine.esu == Some(false) {
            answer.missing = self.missing_preparation(esu, preparation.kb);
            answer.reasons.push(Reason::new(needs.clone()).said_by([self.knowledge_says(&esu.source)]));
            return Err(Box::new(self.refused(answer, Status::NeedsPrerequisite, needs)));
        }
        answer.warnings.push(needs);
        Ok(answer)
    }

    /// The preparation, and before it the update that it needs itself.
    fn missing_preparation(&self, esu: &Esu, preparation: Kb) -> Vec<Missing> {
        let mut missing = Vec::new();
        let at = self.request.machine.at();
        if let (Some(least), Some(at)) = (esu.needs_at_least, at) {
            let build = self.knowledge.releases().of_kb(least).into_iter().map(|release| release.build).max();
            if build.is_some_and(|build| at.revision < build.revision) && !self.request.machine.has(least) {
                missing.push(Missing { kb: Some(least), role: Role::Prerequisite, name: None });
            }
        }
        missing.push(Missing { kb: Some(preparation), role: Role::EsuPreparation, name: None });
        missing
    }

    /// The long-term edition that the machine is known to be, in support in a month.
    fn long_term(&self, family: u32, month: Month) -> Option<&Ltsc> {
        self.ltsc_of(family).into_iter().find(|row| month.first_day() <= row.until)
    }

    /// The rows of the long-term edition that the machine is known to be.
    pub(super) fn ltsc_of(&self, family: u32) -> Vec<&Ltsc> {
        let Some(edition) = &self.request.machine.edition else { return Vec::new() };
        let at = self.request.machine.baseline;
        let is_it = |row: &&Ltsc| {
            row.family == family
                && at.is_none_or(|at| row.builds.contains(&at.number))
                && row.editions.iter().any(|own| own.eq_ignore_ascii_case(edition))
        };
        self.knowledge.editions().ltsc().iter().filter(is_it).collect()
    }

    /// What to add where the edition is not known and the build may be a long-term one.
    fn long_term_chance(&self, family: u32) -> String {
        let at = self.request.machine.baseline;
        let mut rows = self
            .knowledge
            .editions()
            .ltsc()
            .iter()
            .filter(|row| row.family == family && at.is_none_or(|at| row.builds.contains(&at.number)));
        match rows.next() {
            Some(row) if self.request.machine.edition.is_none() => {
                format!("; not for {} (--edition says which it is)", row.name)
            }
            _ => String::new(),
        }
    }

    /// The month of a set: that of its titles, else of its release.
    pub(super) fn month_of(&self, set: &PackageSet) -> Option<Month> {
        month_of(set, self.family_of(set), self.knowledge)
    }

    /// The one Safe OS update of a set's month and family, where there is just one.
    fn safe_os_of_month(&self, set: &PackageSet) -> Result<Option<Kb>> {
        let (Some(family), Some(month)) = (self.family_of(set), self.month_of(set)) else { return Ok(None) };
        let candidates = self.candidates(&[Kind::SafeosDu], family)?;
        let mut of_month = candidates.into_iter().filter(|found| found.month() == Some(month));
        let first = of_month.next().map(|found| found.kb);
        Ok(first.filter(|_| of_month.next().is_none()))
    }
}
