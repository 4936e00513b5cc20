//! The sets of a KB that a request can mean: by architecture, product, issue, build, and installation.
//!
//! A refusal needs a proof. Missing rows of the tables prove nothing, so the answer is "unknown" then.

use super::answer::Status;
use super::context::ResolveContext;
use super::grounds::build_evidence;
use super::package_set::{FamilyName, PackageSet};
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use super::text::join_names;
use crate::error::Result;
use crate::facts::Evidence;
use crate::servicing::{Family, OfferedDotnet};
use crate::update::{Architecture, Build, Kb, Kind, count};

/// Returns the sets that the architecture, the product, the build, and the installation of the request leave,
/// at least one.
pub(super) fn filter_sets<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: &'s [PackageSet],
) -> JudgementResult<Vec<&'s PackageSet>> {
    let request = context.request;
    let no = |advice: String| Refusal::not_applicable(advice, source_of_sets(context, kb, sets));
    let mut left: Vec<&PackageSet> = sets.iter().filter(|set| set.is_main()).collect();
    if left.is_empty() && sets.iter().any(PackageSet::is_delta) {
        let advice = format!(
            "only a delta update of {kb} is known, which fits machines of exactly the previous month: {}",
            context.library.side().advise_unknown_kb(kb)
        );
        return Err(no(advice).into());
    }
    if let Some(architecture) = request.machine.architecture {
        let there = join_names(left.iter().filter_map(|set| set.architecture).map(Architecture::as_str));
        left.retain(|set| set.architecture.is_none_or(|of_set| of_set == architecture));
        if left.is_empty() {
            return Err(no_architecture(context, kb, architecture, sets, &there)?.into());
        }
        // A set of unknown architecture is not for every architecture.
        if left.iter().any(|set| set.architecture.is_some()) {
            left.retain(|set| set.architecture.is_some());
        } else if request.machine.place != Place::Mirror {
            return Err(unstated_architecture(kb, architecture, &left).into());
        }
    }
    // Without a requested architecture, sets of the Catalog have precedence over sets of knowledge.
    let is_crawled = |set: &PackageSet| !set.updates.is_empty();
    if request.machine.architecture.is_none() && left.iter().any(|set| is_crawled(set)) {
        left.retain(|set| is_crawled(set));
    }
    if let Some(product) = &context.product {
        let there = join_names(left.iter().flat_map(|set| set.products.iter().map(String::as_str)));
        let picked = product.pick(&left.iter().map(|set| set.filed()).collect::<Vec<_>>());
        left = left.into_iter().zip(picked).filter(|(_, picked)| *picked).map(|(set, _)| set).collect();
        if left.is_empty() {
            let asked = request.product.as_deref().unwrap_or_default();
            return Err(no(format!("{kb} is not for {asked:?}; it is for {there}")).into());
        }
    }
    if let Some(build) = request.machine.baseline {
        left = filter_by_build(context, kb, build, left)?;
    } else if let Some(installation) = request.machine.installation {
        let for_it = |set: &&PackageSet| {
            set.families.is_empty() || set.families.iter().any(|family| family.installation == installation)
        };
        left.retain(for_it);
        if left.is_empty() {
            return Err(no(format!("{kb} has no package for a {}", installation.as_str())).into());
        }
    }
    // Issues are numbered for each Windows, so the machine's own packages must be found first.
    filter_by_generation(context, kb, &mut left)?;
    Ok(left)
}

/// Returns the refusal of sets whose architecture neither titles nor names state.
fn unstated_architecture(kb: Kb, architecture: Architecture, sets: &[&PackageSet]) -> Refusal {
    let members = sets.iter().flat_map(|set| &set.members);
    let names = join_names(members.filter_map(|member| member.file.known_name()));
    let advice = format!(
        "neither the titles nor the names of {kb} state an architecture, so {names} may not be for {architecture}"
    );
    Refusal::new(Status::Unknown, advice)
}

/// Returns the source that states what the sets of a KB are for.
fn source_of_sets<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: impl IntoIterator<Item = &'s PackageSet> + Clone,
) -> Evidence {
    if sets.clone().into_iter().any(|set| !set.updates.is_empty()) {
        return Evidence::Titles { kb };
    }
    let stated = sets.into_iter().flat_map(build_evidence).next();
    stated.unwrap_or_else(|| context.row_evidence("the release history and the packages"))
}

/// Returns the refusal for an architecture that no set of a KB has. Only a proof makes it "not applicable": a complete
/// list of the Catalog, or families that do not exist for the architecture.
fn no_architecture(
    context: &ResolveContext<'_>,
    kb: Kb,
    architecture: Architecture,
    sets: &[PackageSet],
    there: &str,
) -> Result<Refusal> {
    let library = context.library;
    if library.unread_architectures(kb)?.contains(&Some(architecture)) {
        let advice = format!(
            "the index lists {kb} for {architecture}, but not its files: {}",
            library.side().advise_unknown_kb(kb)
        );
        return Ok(Refusal::new(Status::Unknown, advice));
    }
    if sets.iter().any(|set| !set.updates.is_empty()) {
        let advice =
            format!("{kb} has no package for {architecture}; the Catalog lists packages for {there}");
        return Ok(Refusal::not_applicable(advice, Evidence::Titles { kb }));
    }
    let families = context.knowledge.families();
    let mut serving = families.iter().filter(|family| sets.iter().any(|set| set.serves(family))).peekable();
    if serving.peek().is_some() && serving.all(|family| !family.architectures.contains(&architecture)) {
        let names = join_names(sets.iter().flat_map(|set| set.families.iter().map(|own| own.name.as_str())));
        let advice = format!("{kb} is for {names}, which does not exist for {architecture}");
        let row = context.row_evidence("families.toml, architectures of the family");
        return Ok(Refusal::not_applicable(advice, row));
    }
    let advice = format!(
        "the knowledge of {} has {kb} for {there} only, which does not prove that no package for {architecture} exists: {}",
        context.knowledge.date(),
        library.side().advise_unknown_kb(kb)
    );
    Ok(Refusal::new(Status::Unknown, advice))
}

/// Removes the other issues of a KB than the requested ones.
fn filter_by_generation(
    context: &ResolveContext<'_>,
    kb: Kb,
    left: &mut Vec<&PackageSet>,
) -> JudgementResult<()> {
    let choice = context.request.generation;
    let known = left.iter().map(|set| set.generation.map_or(1, |own| own.of)).max().unwrap_or(1);
    left.retain(|set| choice.includes(set.generation));
    if left.is_empty() {
        let advice = format!("{kb} has {} here: --generation takes its number", count(known, "known issue"));
        return Err(Refusal::new(Status::Unknown, advice).into());
    }
    Ok(())
}

/// Returns the sets that a machine at a build takes, at least one.
fn filter_by_build<'s>(
    context: &ResolveContext<'_>,
    kb: Kb,
    build: Build,
    mut left: Vec<&'s PackageSet>,
) -> JudgementResult<Vec<&'s PackageSet>> {
    let knowledge = context.knowledge;
    if context.families.is_empty() {
        left.retain(|set| states_number(set, build));
        return match left.as_slice() {
            [] => {
                let advice = format!("no matching package of {kb} is for the number of build {build}");
                Err(Refusal::new(Status::Unknown, advice).into())
            }
            _ => Ok(left),
        };
    }
    let of_builds = left.iter().flat_map(|set| families_of_builds(context, set));
    let there = join_names(
        left.iter()
            .flat_map(|set| set.families.iter().map(|family| family.name.as_str()))
            .chain(of_builds.map(|family| family.name.as_str())),
    );
    let source = source_of_sets(context, kb, left.iter().copied());
    // Release notes list all updates of .NET Framework of a day, so they prove that an update is for other versions.
    let in_release_notes = knowledge.dotnet().offered_of(kb).next().is_some();
    let only_listed_elsewhere =
        !in_release_notes && left.iter().any(|set| is_listed_for_sibling(context, set));
    // A set without a known family may be for any machine, unless its titles state the build of another one.
    left.retain(|set| {
        let mut of_builds = families_of_builds(context, set).peekable();
        let is_open = set.families.is_empty()
            && (of_builds.peek().is_none() || of_builds.any(|family| context.families.contains(&family)));
        is_open || context.families.iter().any(|family| set.serves(family))
    });
    if left.is_empty() && only_listed_elsewhere {
        let advice = format!(
            "public lists have {kb} for {there} only, which does not prove that build {build} cannot take it: {}",
            context.library.side().advise_unknown_kb(kb)
        );
        return Err(Refusal::new(Status::Unknown, advice).into());
    }
    if left.is_empty() {
        let machine = join_names(context.families.iter().map(|family| family.name.as_str()));
        let instead = context.families.iter().find_map(|family| knowledge.dotnet().replacement(kb, family));
        let may_take = |take: Kb| {
            let mut families = context.families.iter();
            families.any(|family| knowledge.dotnet().may_take(take, family, Some(build.number)))
        };
        let instead = instead.filter(|row| may_take(row.take));
        let way_out = instead.map_or_else(String::new, |row| format!("; take {} there", row.take));
        let advice = format!("{kb} is for {there}, and build {build} is {machine}{way_out}");
        let refusal = Refusal::not_applicable(advice, source);
        let row = instead.map(|row| row.source.as_str());
        let rows = context.families.iter().map(|family| family.source.as_str()).chain(row);
        return Err(refusal.with_evidence(rows.map(|row| context.row_evidence(row))).into());
    }
    let machine = |family: &&&Family| left.iter().any(|set| set.serves(family));
    if let Some(family) = context.families.iter().find(machine)
        && !context.families.iter().any(|own| knowledge.dotnet().may_take(kb, own, Some(build.number)))
    {
        return Err(other_version_refusal(context, kb, family, build).into());
    }
    check_numbers(context, kb, build, &mut left)?;
    if let Some(rule) = knowledge.parents().rule(kb).filter(|rule| !rule.accepts(build)) {
        let accepted = join_names(rule.accepts.iter().map(|parent| service_pack(parent.number)));
        let advice = format!("{kb} is for {accepted}; build {build} is {}", service_pack(build.number));
        return Err(Refusal::not_applicable(advice, context.row_evidence(&rule.source)).into());
    }
    Ok(left)
}

/// Returns the refusal of an update of .NET Framework that release notes list for other versions of a family.
fn other_version_refusal(context: &ResolveContext<'_>, kb: Kb, family: &Family, build: Build) -> Refusal {
    let dotnet = context.knowledge.dotnet();
    let rows: Vec<&OfferedDotnet> = dotnet.offered_of(kb).filter(|row| row.family == family.id).collect();
    let there = join_names(rows.iter().flat_map(|row| row.versions.iter().map(String::as_str)));
    let is_same_release = |other: &&OfferedDotnet| {
        rows.iter().any(|row| row.date == other.date) && other.is_for(family, Some(build.number))
    };
    let instead = dotnet.offered().iter().find(is_same_release);
    let way_out = instead.map_or_else(String::new, |row| format!("; take {} there", row.kb));
    let own = family.release_of(build.number).unwrap_or(&family.name);
    let advice = format!("{kb} is for {there} of {}; build {build} is {own}{way_out}", family.name);
    let source = rows.first().map_or("dotnet.toml, versions of the updates", |row| row.source.as_str());
    Refusal::not_applicable(advice, context.row_evidence(source))
}

/// Returns the families of the builds that the titles of a set without a known product state.
fn families_of_builds<'k>(
    context: &ResolveContext<'k>,
    set: &PackageSet,
) -> impl Iterator<Item = &'k Family> + use<'k> {
    let families = context.knowledge.families();
    let numbers: Vec<u32> = if set.families.is_empty() {
        set.issue.builds.iter().map(|build| build.number).collect()
    } else {
        Vec::new()
    };
    numbers.into_iter().flat_map(|number| families.of_build(number))
}

/// Returns `true` if only public lists of another installation of the machine's build contain a set. Client and
/// server of a build share many packages that are not cumulative updates.
fn is_listed_for_sibling(context: &ResolveContext<'_>, set: &PackageSet) -> bool {
    let is_cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
    let is_sibling = |own: &FamilyName| context.families.iter().any(|family| family.id == own.id);
    set.updates.is_empty()
        && !is_cumulative
        && set.kind != Some(Kind::Enablement)
        && set.families.iter().any(is_sibling)
}

/// Removes the sets whose titles place them in a Windows that the tables do not contain. If no set is left, it is
/// unknown if the machine takes the KB: an enablement package may have added a number to the machine's family.
fn check_numbers(
    context: &ResolveContext<'_>,
    kb: Kb,
    build: Build,
    left: &mut Vec<&PackageSet>,
) -> JudgementResult<()> {
    let families = context.knowledge.families();
    let is_known = |build: &Build| families.of_build(build.number).next().is_some();
    // "Windows 7 and Windows Server 2008 R2 SP1" is for both.
    let names_machine = |set: &PackageSet| {
        set.issue.unknown_versions.iter().any(|name| context.families.iter().any(|own| own.is_named_in(name)))
    };
    let strange = |set: &PackageSet| -> Option<String> {
        if set.issue.builds.iter().any(is_known) {
            return None;
        }
        let of_build = set.issue.builds.first().map(|build| format!("build {build}"));
        let is_open = set.families.is_empty() && !names_machine(set);
        of_build.or_else(|| set.issue.unknown_versions.first().filter(|_| is_open).cloned())
    };
    // Each cumulative update is for one version of Windows, which its titles name by product or build.
    let releases = context.knowledge.releases();
    let is_in_tables = context.families.iter().any(|family| !releases.of_kb_for(kb, family).is_empty());
    let is_unplaced = |set: &PackageSet| {
        let is_cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
        let is_named = !set.families.is_empty() || !set.issue.builds.is_empty() || names_machine(set);
        is_cumulative && !is_named && !is_in_tables
    };
    let of_another = left.iter().find_map(|set| strange(set));
    let unplaced = left.iter().any(|set| is_unplaced(set));
    left.retain(|set| strange(set).is_none() && !is_unplaced(set));
    let advice = match of_another {
        _ if !left.is_empty() => return Ok(()),
        Some(strange) => format!(
            "the title of {kb} names {strange}, which no family known as of {} has: it is unknown whether build {build} takes {kb}",
            context.knowledge.date()
        ),
        None if unplaced => format!(
            "no title of {kb} names a version of Windows or a build: it is unknown whether build {build} takes {kb}"
        ),
        None => return Ok(()),
    };
    Err(Refusal::new(Status::Unknown, advice).into())
}

/// Refuses a machine of no known family if no title of the KB states the number of its build.
pub(super) fn check_machine(
    context: &ResolveContext<'_>,
    kb: Kb,
    sets: &[PackageSet],
) -> JudgementResult<()> {
    let unknown = context.request.machine.baseline.filter(|_| context.families.is_empty());
    let Some(build) = unknown.filter(|build| !sets.iter().any(|set| states_number(set, *build))) else {
        return Ok(());
    };
    let date = context.knowledge.date();
    let advice = format!(
        "build {build} does not belong to any family known as of {date}, and no title of {kb} states its number"
    );
    Err(Refusal::new(Status::Unknown, advice).into())
}

fn states_number(set: &PackageSet, build: Build) -> bool {
    set.issue.builds.iter().any(|own| own.number == build.number)
}

/// Returns the name of a service pack in parent rules.
fn service_pack(number: u32) -> &'static str {
    match number {
        7600 => "Windows 7 without a service pack",
        7601 => "Windows 7 with Service Pack 1",
        _ => "another service pack",
    }
}
