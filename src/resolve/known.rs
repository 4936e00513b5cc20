//! The package sets of a KB that the index does not have, from the release history and the tables only.
//!
//! The answer names the known files and their order, and states that it is based on knowledge: the Catalog
//! was not queried. A known file whose name was never recorded has an empty name.

use std::collections::{BTreeMap, BTreeSet};

use super::generations::order_generations;
use super::issue::Issue;
use super::member::Member;
use super::package_set::{FamilyName, PackageSet};
use super::roles::edges_of;
use crate::facts::{Evidence, FileFacts, Role, SetFolder};
use crate::servicing::{
    ChannelRelease, Checkpoint, DotnetParent, Family, Installation, Knowledge, KnownPackage, Release,
    ReleaseKind, SingleRow,
};
use crate::update::{Architecture, Build, Kb, Kind, Month};

/// Returns the sets of a KB from the knowledge. The result is empty if the knowledge does not have the KB.
pub fn known_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    let mut sets = release_sets(kb, knowledge);
    if sets.is_empty() {
        sets = channel_sets(kb, knowledge);
    }
    if sets.is_empty() {
        sets = package_table_sets(kb, knowledge);
    }
    if sets.is_empty() {
        sets = rollup_sets(kb, knowledge);
    }
    if sets.is_empty() {
        sets = single_row_sets(kb, knowledge);
    }
    for set in &mut sets {
        for member in &mut set.members {
            add_stated_facts(&mut member.file, kb, knowledge);
        }
    }
    order_generations(&mut sets);
    sets.sort_by(|a, b| (a.architecture, &a.folder).cmp(&(b.architecture, &b.folder)));
    sets
}

/// Adds URL, size, and SHA-256 from a single row for the same file. The large tables contain names only.
fn add_stated_facts(file: &mut FileFacts, kb: Kb, knowledge: &Knowledge) {
    let Some(sha1) = file.sha1 else { return };
    let mut rows = knowledge.files_in_rows(file.kb.unwrap_or(kb)).map(|(_, known)| FileFacts::from(known));
    let Some(known) = rows.find(|known| known.sha1 == Some(sha1)) else { return };
    if file.urls.is_empty() {
        file.urls = known.urls;
    }
    file.size = file.size.or(known.size);
    if file.sha256.is_none() {
        file.sha256 = known.sha256;
        file.sha256_is_stated = known.sha256_is_stated;
    }
}

/// Returns the warning of a set that has no entry in the index.
pub fn knowledge_only_warning(kb: Kb, knowledge: &Knowledge) -> String {
    format!("the index has no entry of {kb}: used knowledge of {} only", knowledge.date())
}

/// Returns a set from the knowledge, without members.
fn empty_set(
    kb: Kb,
    kind: Option<Kind>,
    families: &[&Family],
    architecture: Option<Architecture>,
    knowledge: &Knowledge,
) -> PackageSet {
    let folder = families.first().map_or("other", |family| family.folder.as_str());
    PackageSet {
        kb,
        kind,
        families: families.iter().map(|family| FamilyName::from(*family)).collect(),
        architecture,
        folder: SetFolder::from_words(&format!(
            "{folder}-{}",
            architecture.map_or("any", Architecture::as_str)
        )),
        products: families.iter().map(|family| family.name.clone()).collect(),
        catalog_products: Vec::new(),
        updates: Vec::new(),
        month: None,
        needs: Vec::new(),
        members: Vec::new(),
        stated_size: None,
        versions: Vec::new(),
        without: BTreeSet::new(),
        entry_date: None,
        is_dynamic_variant: false,
        issue: Issue::default(),
        generation: None,
        warnings: vec![knowledge_only_warning(kb, knowledge)],
    }
}

fn row_evidence(text: impl Into<String>, knowledge: &Knowledge) -> Vec<Evidence> {
    vec![Evidence::Knowledge { row: text.into(), date: knowledge.date().to_string() }]
}

/// Returns the sets of cumulative updates in the release history.
fn release_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    // By the family's number: client and server that share a release share its files.
    let mut releases: BTreeMap<u32, Release> = BTreeMap::new();
    for release in knowledge.releases().of_kb(kb) {
        // The last release has the build of the current files.
        releases.insert(release.build.number, release);
    }
    let files: BTreeMap<Architecture, String> = knowledge.releases().files_of(kb).into_iter().collect();
    let mut sets = Vec::new();
    for release in releases.values() {
        let of_release = || knowledge.families().iter().filter(|family| release.is_for(family));
        let architectures: BTreeSet<Architecture> =
            of_release().flat_map(|family| family.architectures.iter().copied()).collect();
        for architecture in architectures {
            let families: Vec<&Family> =
                of_release().filter(|family| family.architectures.contains(&architecture)).collect();
            let Some(first) = families.first() else { continue };
            let kind = if release.kind == Some(ReleaseKind::Preview) { Kind::LcuPreview } else { Kind::Lcu };
            let mut set = empty_set(kb, Some(kind), &families, Some(architecture), knowledge);
            set.month = release.date.or(release.first_seen).and_then(Month::of);
            let below = knowledge.checkpoints().of_family(first).filter(|row| row.build < release.build);
            add_checkpoints(&mut set, below, architecture, knowledge);
            let file = files.get(&architecture).map(|name| FileFacts::from_name(name));
            if file.is_none() {
                set.warnings.push(format!("no file of {kb} for {architecture} is recorded"));
            }
            set.members.push(Member {
                position: None,
                file: file.unwrap_or_else(|| FileFacts::unnamed(kb, Some(architecture))),
                role: Role::Target,
                build: Some(release.build),
                evidence: row_evidence(format!("{kb} is {} (release history)", release.build), knowledge),
            });
            set.needs = edges_of(&set.members);
            sets.push(set);
        }
    }
    sets
}

fn add_checkpoints<'k>(
    set: &mut PackageSet,
    rows: impl Iterator<Item = &'k Checkpoint>,
    architecture: Architecture,
    knowledge: &Knowledge,
) {
    for checkpoint in rows {
        let known = checkpoint.file(architecture).map(FileFacts::from);
        if known.is_none() {
            set.warnings
                .push(format!("no file of the checkpoint {} for {architecture} is recorded", checkpoint.kb));
        }
        set.members.push(Member {
            position: None,
            file: known.unwrap_or_else(|| FileFacts::unnamed(checkpoint.kb, Some(architecture))),
            role: Role::Checkpoint,
            build: Some(checkpoint.build),
            evidence: vec![Evidence::of_checkpoint(checkpoint, knowledge)],
        });
    }
}

/// Returns the sets of an update of a channel that is not in the Catalog. Follows the bases to find the
/// checkpoints.
fn channel_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    let release = knowledge.checkpoints().channel_release(kb);
    let (family, channel, installation, build, base, source) =
        match (release, knowledge.checkpoints().of_kb(kb)) {
            (Some(ChannelRelease { family, channel, installation, build, base, source, .. }), _) => {
                (*family, channel, installation, *build, Some(*base), source)
            }
            (
                None,
                Some(Checkpoint {
                    family, channel: Some(channel), installation, build, base, source, ..
                }),
            ) => (*family, channel, installation, *build, *base, source),
            _ => return Vec::new(),
        };
    let families: Vec<&Family> = knowledge
        .families()
        .iter()
        .filter(|row| row.id == family && installation.contains(&row.installation))
        .collect();
    let Some(first) = families.first() else { return Vec::new() };
    let mut chain: Vec<&Checkpoint> = Vec::new();
    let mut below: Option<Build> = base;
    while let Some(next) =
        knowledge.checkpoints().in_channel(first, Some(channel)).find(|row| Some(row.build) == below)
    {
        chain.push(next);
        below = next.base;
    }
    chain.reverse();
    let mut sets = Vec::new();
    for &architecture in &first.architectures {
        let mut set = empty_set(kb, Some(Kind::Lcu), &families, Some(architecture), knowledge);
        set.warnings.push(format!("{kb} is of the channel {channel:?} and not in the Catalog"));
        add_checkpoints(&mut set, chain.iter().copied(), architecture, knowledge);
        set.members.push(Member {
            position: None,
            file: FileFacts::unnamed(kb, Some(architecture)),
            role: Role::Target,
            build: Some(build),
            evidence: row_evidence(format!("{kb} is {build} ({source})"), knowledge),
        });
        set.needs = edges_of(&set.members);
        sets.push(set);
    }
    sets
}

/// Returns the sets of a KB in packages.txt, and the bundles of .NET.
fn package_table_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    let packages = knowledge.packages().of_kb(kb);
    let mut groups: BTreeMap<(Architecture, Option<String>), Vec<&KnownPackage>> = BTreeMap::new();
    for package in &packages {
        // A `.cab` of the same update as an `.msu` is the copy in WSUS, not another file of the Catalog.
        let has_msu = packages.iter().any(|other| {
            other.architecture == package.architecture && other.family == package.family && is_msu(other)
        });
        if has_msu && !is_msu(package) {
            continue;
        }
        groups.entry((package.architecture, package.name.clone())).or_default().push(package);
    }
    let mut sets = Vec::new();
    for ((architecture, name), rows) in groups {
        let kind = knowledge.stated_kind(kb).or(rows.first().map(|package| package.kind));
        let serves = |family: &&Family| {
            rows.iter().any(|package| {
                is_package_for(package, family) && family.architectures.contains(&architecture)
            }) && takes_kind(family, kind)
        };
        let families: Vec<&Family> = knowledge.families().iter().filter(serves).collect();
        let mut set = empty_set(kb, kind, &families, Some(architecture), knowledge);
        set.month = rows.iter().filter_map(|package| package.date).min().and_then(Month::of);
        if is_inferred(kb, &rows, knowledge) {
            set.warnings.push(format!(
                "the kind of {kb} is inferred from the places of files in public lists; no source states it"
            ));
        }
        if let Some(parent) = knowledge.dotnet().parent(kb) {
            add_children(&mut set, parent, architecture, knowledge);
        } else {
            if name.is_none() {
                set.warnings.push(format!("no file of {kb} for {architecture} is recorded"));
            }
            set.members.push(Member {
                position: None,
                file: name.map_or_else(
                    || FileFacts::unnamed(kb, Some(architecture)),
                    |name| FileFacts::from_name(&name),
                ),
                role: Role::of_kind(kind),
                build: None,
                evidence: row_evidence(kind_row(kb, kind, &rows, knowledge), knowledge),
            });
        }
        sets.push(set);
    }
    sets.extend(bundle_sets(kb, &sets, knowledge));
    sets
}

/// Returns the sets of a bundle for the architectures that other sets do not have. Its packages are known by
/// KB, even if titles of another architecture are all that was seen.
fn bundle_sets(kb: Kb, others: &[PackageSet], knowledge: &Knowledge) -> Vec<PackageSet> {
    let Some(parent) = knowledge.dotnet().parent(kb) else { return Vec::new() };
    let takes =
        |family: &&Family| family.id == parent.family && knowledge.dotnet().may_take(kb, family, None);
    let families: Vec<&Family> = knowledge.families().iter().filter(takes).collect();
    let architectures: BTreeSet<Architecture> =
        families.iter().flat_map(|family| family.architectures.iter().copied()).collect();
    let is_new = |own: &Architecture| others.iter().all(|other| other.architecture != Some(*own));
    let mut sets = Vec::new();
    for architecture in architectures.into_iter().filter(is_new) {
        let serving: Vec<&Family> =
            families.iter().copied().filter(|family| family.architectures.contains(&architecture)).collect();
        let mut set = empty_set(kb, Some(Kind::DotnetCu), &serving, Some(architecture), knowledge);
        set.month = knowledge.dotnet().offered_of(kb).next().and_then(|row| Month::of(row.date));
        add_children(&mut set, parent, architecture, knowledge);
        sets.push(set);
    }
    sets
}

fn add_children(
    set: &mut PackageSet,
    parent: &DotnetParent,
    architecture: Architecture,
    knowledge: &Knowledge,
) {
    for child in &parent.children {
        set.members.push(child_member(child.kb, architecture, &parent.source, knowledge));
    }
    set.warnings.extend(parent.incomplete.iter().map(|text| format!("{}: {text}", parent.kb)));
}

/// Returns the sets of a monthly rollup.
fn rollup_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    let rows = knowledge.rollups().of_kb(kb);
    let is_for = |family: &&Family| rows.iter().any(|row| row.is_for(family));
    let families: Vec<&Family> = knowledge.families().iter().filter(is_for).collect();
    let mut sets = sets_of_families(kb, Some(Kind::MonthlyRollup), &families, knowledge);
    for set in &mut sets {
        set.month = rows.first().and_then(|row| Month::of(row.date));
        for member in &mut set.members {
            member.evidence = row_evidence(format!("{kb} is a monthly rollup (rollups)"), knowledge);
        }
    }
    sets
}

/// Returns sets without a file name, one for each architecture of some families.
fn sets_of_families(
    kb: Kb,
    kind: Option<Kind>,
    families: &[&Family],
    knowledge: &Knowledge,
) -> Vec<PackageSet> {
    let architectures: BTreeSet<Architecture> =
        families.iter().flat_map(|family| family.architectures.iter().copied()).collect();
    let mut sets = Vec::new();
    for architecture in architectures {
        let serving: Vec<&Family> =
            families.iter().copied().filter(|family| family.architectures.contains(&architecture)).collect();
        let mut set = empty_set(kb, kind, &serving, Some(architecture), knowledge);
        set.warnings.push(format!("no file of {kb} for {architecture} is recorded"));
        set.members.push(Member::new(FileFacts::unnamed(kb, Some(architecture)), Role::of_kind(kind)));
        sets.push(set);
    }
    sets
}

/// Returns the row that states the kind of a package, as text.
fn kind_row(kb: Kb, kind: Option<Kind>, rows: &[&KnownPackage], knowledge: &Knowledge) -> String {
    let word = kind.map_or("?", Kind::as_str);
    match knowledge.articles().of_kb(kb).filter(|article| article.kind.is_some()) {
        Some(article) => format!("{kb} is known as {word} ({})", article.source),
        None if is_inferred(kb, rows, knowledge) => format!("{kb} is known as {word} (packages, inferred)"),
        None => format!("{kb} is known as {word} (packages)"),
    }
}

/// Returns `true` if no source states the kind of a package.
fn is_inferred(kb: Kb, rows: &[&KnownPackage], knowledge: &Knowledge) -> bool {
    knowledge.stated_kind(kb).is_none() && rows.iter().any(|package| package.has_inferred_kind())
}

fn is_msu(package: &KnownPackage) -> bool {
    let extension = package.name.as_deref().and_then(|name| name.rsplit('.').next());
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("msu"))
}

/// Returns `true` if a package is for a family. Client and server of a build share updates of .NET, even if
/// only one of them was seen.
pub(super) fn is_package_for(package: &KnownPackage, family: &Family) -> bool {
    let seen_there = package.installation.is_none_or(|own| own == family.installation);
    package.family == family.id && (seen_there || package.kind.is_dotnet())
}

/// Returns `true` if an installation takes packages of a kind. Only clients take enablement packages.
fn takes_kind(family: &Family, kind: Option<Kind>) -> bool {
    kind != Some(Kind::Enablement) || family.installation == Installation::Client
}

fn child_member(kb: Kb, architecture: Architecture, source: &str, knowledge: &Knowledge) -> Member {
    let known = knowledge.packages().of_kb(kb).into_iter();
    let name = known.filter(|package| package.architecture == architecture).find_map(|package| package.name);
    Member {
        position: None,
        file: name
            .map_or_else(|| FileFacts::unnamed(kb, Some(architecture)), |name| FileFacts::from_name(&name)),
        role: Role::DotnetChild,
        build: None,
        evidence: row_evidence(format!("{kb} is a package of the bundle ({source})"), knowledge),
    }
}

/// Returns the sets of a KB that a single row names.
fn single_row_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    let Some(SingleRow { family: id, kind, files, source }) = knowledge.single_row(kb) else {
        return Vec::new();
    };
    let kind = kind.or_else(|| knowledge.parents().kind_of(kb));
    let is_for = |family: &&Family| {
        family.id == id && takes_kind(family, kind) && knowledge.dotnet().may_take(kb, family, None)
    };
    let families: Vec<&Family> = knowledge.families().iter().filter(is_for).collect();
    let of_rule = knowledge.parents().rule(kb).map(|rule| FileFacts::from_name(&rule.file));
    let architectures: BTreeSet<Architecture> = match &of_rule {
        Some(file) => file.architecture.into_iter().collect(),
        None => families.iter().flat_map(|family| family.architectures.iter().copied()).collect(),
    };
    let mut sets = Vec::new();
    for architecture in architectures {
        let serving: Vec<&Family> =
            families.iter().copied().filter(|family| family.architectures.contains(&architecture)).collect();
        let mut set = empty_set(kb, kind, &serving, Some(architecture), knowledge);
        let of_table = files.iter().find(|file| file.architecture == architecture).map(FileFacts::from);
        let file = of_table.or_else(|| of_rule.clone());
        if file.is_none() {
            set.warnings.push(format!("no file of {kb} for {architecture} is recorded"));
        }
        set.members.push(Member {
            position: None,
            file: file.unwrap_or_else(|| FileFacts::unnamed(kb, Some(architecture))),
            role: Role::of_kind(kind),
            build: None,
            evidence: row_evidence(format!("{kb} ({source})"), knowledge),
        });
        sets.push(set);
    }
    sets
}
