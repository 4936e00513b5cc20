//! Updates of .NET Framework: a single package, or a bundle. Each package of a bundle has its own KB and is
//! for one release of .NET Framework.
//!
//! A machine lists the bundle in its update history and the package in its list of packages, so either counts
//! as installed. The build of Windows never proves anything about .NET.

use super::answer::{Status, Step};
use super::condition::Condition;
use super::context::ResolveContext;
use super::member::Member;
use super::package_set::PackageSet;
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use super::requirements::dotnet_releases;
use super::text::join_names;
use crate::facts::{Evidence, Role};
use crate::servicing::Dotnet;

/// Returns the packages that a machine takes.
pub(super) fn dotnet_steps(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    warnings: &mut Vec<String>,
) -> JudgementResult<Vec<Step>> {
    let request = context.request;
    let is_bundle = set.members.iter().any(|member| member.role == Role::DotnetChild);
    let installed =
        set.members.iter().find(|member| member.kb().is_some_and(|kb| request.machine.has_installed(kb)));
    if let Some(member) = installed.filter(|_| request.machine.place != Place::Mirror) {
        let child = member.kb().map_or_else(String::new, |kb| kb.to_string());
        let advice = Some(format!("{child} is installed: it is the package of {} for this machine", set.kb));
        return Err(Refusal { advice, ..Refusal::nothing_to_do() }.into());
    }
    let mut members: Vec<&Member> = set.members.iter().collect();
    if let Some(dotnet) = request.machine.dotnet.as_ref().filter(|_| request.machine.place != Place::Mirror) {
        // A package without known releases may be for any release.
        let fits = |member: &Member| {
            let releases = releases_of(context, member, set);
            releases.is_empty() || releases.contains(dotnet)
        };
        members.retain(|member| fits(member));
        // A package that was never recorded may exist. Only the Catalog's own list proves that it does not.
        let parent = context.knowledge.dotnet().parent(set.kb).filter(|_| set.updates.is_empty());
        if let Some(text) = parent.and_then(|row| row.incomplete.as_ref()).filter(|_| members.is_empty()) {
            let advice = format!("{}: {text}: {}", set.kb, context.library.side().advise_unknown_kb(set.kb));
            return Err(Refusal::new(Status::Unknown, advice).into());
        }
        if members.is_empty() {
            let there: Vec<String> = set
                .members
                .iter()
                .flat_map(|member| releases_of(context, member, set))
                .map(|release| release.to_string())
                .collect();
            let advice = format!(
                "{} has packages for .NET Framework {}; {dotnet} is installed",
                set.kb,
                join_names(there.iter().map(String::as_str))
            );
            let source = match context.knowledge.dotnet().parent(set.kb) {
                Some(row) => context.row_evidence(&row.source),
                None => Evidence::Titles { kb: set.kb },
            };
            return Err(Refusal::not_applicable(advice, source).into());
        }
    }
    let undecided = is_bundle && request.machine.dotnet.is_none() && request.machine.place != Place::Mirror;
    if undecided && members.len() > 1 {
        warnings.push(
            "each package is for one release of .NET Framework: try all; the wrong ones fail with 0x800f081e or install nothing"
                .to_owned(),
        );
    }
    let steps = members.into_iter().map(|member| {
        let releases = releases_of(context, member, set);
        let named: Vec<String> = releases.iter().map(ToString::to_string).collect();
        let because = match (is_bundle, releases.is_empty()) {
            (true, false) => {
                format!("the package of {} for .NET Framework {}", set.kb, named.join(" and "))
            }
            (true, true) => format!("a package of the bundle {}", set.kb),
            (false, _) => "the requested update".to_owned(),
        };
        let needed_if = undecided.then(|| Condition::Dotnet(releases.last().cloned()));
        Step::of_member(member, set, because, needed_if)
    });
    Ok(steps.collect())
}

fn releases_of(context: &ResolveContext<'_>, member: &Member, set: &PackageSet) -> Vec<Dotnet> {
    dotnet_releases(member, context.family_of(set), context.knowledge)
}
