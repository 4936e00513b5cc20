//! Updates of .NET Framework: one package for all, or a bundle of packages under KBs of their own, one for each
//! release of .NET Framework that may be installed.
//!
//! A machine names the bundle in its update history and the package in its list of packages, so either counts as
//! installed. The build of Windows never proves anything about .NET.

use super::answer::{Plan, Status};
use super::plan::{Ask, words};
use super::request::Place;
use super::roles::{Member, Role};
use super::sets::PackageSet;
use super::steps::Draft;
use crate::servicing::Dotnet;
use crate::update::PackageName;

impl Ask<'_> {
    /// The packages that a machine takes, or the answer that ends the matter.
    pub(super) fn dotnet_steps(
        &self,
        set: &PackageSet,
        mut answer: Plan,
    ) -> Result<(Vec<Draft>, Plan), Box<Plan>> {
        let request = self.request;
        let is_bundle = set.members.iter().any(|member| member.role == Role::DotnetChild);
        let installed = set.members.iter().find(|member| member.kb().is_some_and(|kb| request.has(kb)));
        if let Some(member) = installed.filter(|_| request.place != Place::Mirror) {
            answer.status = Status::NothingToDo;
            answer.total_bytes = Some(0);
            answer.missing_bytes = Some(0);
            let child = member.kb().map_or_else(String::new, |kb| kb.to_string());
            answer.advice = Some(format!("{child} is installed, which is {} on this machine", set.kb));
            return Err(Box::new(answer));
        }
        let mut members: Vec<&Member> = set.members.iter().collect();
        if let Some(dotnet) = request.dotnet.as_ref().filter(|_| request.place != Place::Mirror) {
            // What nothing is known of may be for any release.
            let fits = |member: &Member| {
                let releases = self.releases_of(member, set);
                releases.is_empty() || releases.contains(dotnet)
            };
            members.retain(|member| fits(member));
            // What nobody recorded may well be there; only the Catalog's own list says that it is not.
            let parent = self.knowledge.dotnet_parent(set.kb).filter(|_| set.updates.is_empty());
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
        let undecided = is_bundle && request.dotnet.is_none() && request.place != Place::Mirror;
        if undecided && members.len() > 1 {
            answer.warnings.push(
                "each package is for one release of .NET Framework: try all, the wrong ones answer 0x800f081e or install nothing"
                    .to_owned(),
            );
        }
        let drafts = members.into_iter().map(|member| {
            let releases: Vec<String> =
                self.releases_of(member, set).iter().map(ToString::to_string).collect();
            let because = match (is_bundle, releases.is_empty()) {
                (true, false) => {
                    format!("the package of {} for .NET Framework {}", set.kb, releases.join(" and "))
                }
                (true, true) => format!("one of the packages that make up {}", set.kb),
                (false, _) => "the update asked for".to_owned(),
            };
            let needed_if = undecided.then(|| match releases.last() {
                Some(release) => format!(".NET Framework {release} is installed"),
                None => "the .NET Framework that it is for is installed".to_owned(),
            });
            Draft::of(member, set, because, needed_if)
        });
        Ok((drafts.collect(), answer))
    }

    /// The releases that a package is for: by the table, else by its name; a name without a tag is for the release that
    /// came with the family.
    fn releases_of(&self, member: &Member, set: &PackageSet) -> Vec<Dotnet> {
        if let Some((_, child)) = member.kb().and_then(|kb| self.knowledge.dotnet_child(kb)) {
            return child.releases.clone();
        }
        let Some(name) = member.file.known_name() else { return Vec::new() };
        let tagged = PackageName::parse(name).dotnet.as_deref().and_then(Dotnet::of_name_tag);
        let own = tagged.or_else(|| self.family_of(set).map(|family| family.dotnet.clone()));
        // 3.5 is serviced by whichever package the machine takes.
        let oldest = "3.5".parse().ok();
        oldest.into_iter().chain(own).collect()
    }
}
