//! Updates of .NET Framework: one package for all, or a bundle of packages under KBs of their own, one for each
//! release of .NET Framework that may be installed.
//!
//! A machine names the bundle in its update history and the package in its list of packages, so either counts as
//! installed. The build of Windows never proves anything about .NET.

use super::answer::{Plan, Status, Step};
use super::condition::Condition;
use super::place::Place;
use super::plan::{Ask, words};
use super::requirements::dotnet_releases;
use super::roles::Member;
use super::sets::PackageSet;
use crate::facts::Role;
use crate::servicing::Dotnet;

impl Ask<'_> {
    /// The packages that a machine takes, or the answer that ends the matter.
    pub(super) fn dotnet_steps(
        &self,
        set: &PackageSet,
        mut answer: Plan,
    ) -> Result<(Vec<Step>, Plan), Box<Plan>> {
        let request = self.request;
        let is_bundle = set.members.iter().any(|member| member.role == Role::DotnetChild);
        let installed =
            set.members.iter().find(|member| member.kb().is_some_and(|kb| request.machine.has(kb)));
        if let Some(member) = installed.filter(|_| request.machine.place != Place::Mirror) {
            answer.status = Status::NothingToDo;
            answer.total_bytes = Some(0);
            answer.missing_bytes = Some(0);
            let child = member.kb().map_or_else(String::new, |kb| kb.to_string());
            answer.advice = Some(format!("{child} is installed, which is {} on this machine", set.kb));
            return Err(Box::new(answer));
        }
        let mut members: Vec<&Member> = set.members.iter().collect();
        if let Some(dotnet) =
            request.machine.dotnet.as_ref().filter(|_| request.machine.place != Place::Mirror)
        {
            // What nothing is known of may be for any release.
            let fits = |member: &Member| {
                let releases = self.releases_of(member, set);
                releases.is_empty() || releases.contains(dotnet)
            };
            members.retain(|member| fits(member));
            // What nobody recorded may well be there; only the Catalog's own list says that it is not.
            let parent = self.knowledge.dotnet().parent(set.kb).filter(|_| set.updates.is_empty());
            if let Some(text) = parent.and_then(|row| row.incomplete.as_ref()).filter(|_| members.is_empty())
            {
                let advice = format!("{}: {text}: {}", set.kb, self.library.side().to_know(set.kb));
                return Err(Box::new(self.refused(answer, Status::Unknown, advice)));
            }
            if members.is_empty() {
                let there: Vec<String> = set
                    .members
                    .iter()
                    .flat_map(|member| self.releases_of(member, set))
                    .map(|release| release.to_string())
                    .collect();
                let advice = format!(
                    "{} has packages for .NET Framework {}; {dotnet} is installed",
                    set.kb,
                    words(there.iter().map(String::as_str))
                );
                return Err(Box::new(self.refused(answer, Status::NotApplicable, advice)));
            }
        }
        let undecided =
            is_bundle && request.machine.dotnet.is_none() && request.machine.place != Place::Mirror;
        if undecided && members.len() > 1 {
            answer.warnings.push(
                "each package is for one release of .NET Framework: try all, the wrong ones answer 0x800f081e or install nothing"
                    .to_owned(),
            );
        }
        let steps = members.into_iter().map(|member| {
            let releases = self.releases_of(member, set);
            let named: Vec<String> = releases.iter().map(ToString::to_string).collect();
            let because = match (is_bundle, releases.is_empty()) {
                (true, false) => {
                    format!("the package of {} for .NET Framework {}", set.kb, named.join(" and "))
                }
                (true, true) => format!("one of the packages that make up {}", set.kb),
                (false, _) => "the update asked for".to_owned(),
            };
            let needed_if = undecided.then(|| Condition::Dotnet(releases.last().cloned()));
            Step::of_member(member, set, because, needed_if)
        });
        Ok((steps.collect(), answer))
    }

    fn releases_of(&self, member: &Member, set: &PackageSet) -> Vec<Dotnet> {
        dotnet_releases(member, self.family_of(set), self.knowledge)
    }
}
