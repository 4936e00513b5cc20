//! The check of a folder, in this order: each file by itself, the target, the files beside the target.

use std::collections::BTreeSet;

use super::finding::{LintCode, LintFinding};
use super::folder::{EntryKind, FileHead, FolderEntry, LintFolder};
use super::identify::{LintPackage, LintedKb, facts_of_kb, identify};
use super::name::read_name;
use super::recorded::RecordedSet;
use super::report::{FileCheck, LintReport, OutsideDism, OutsideReason};
use super::request::LintRequest;
use super::target::{InferredTarget, LintContext, LintTarget};
use crate::facts::{Facts, FileFacts};
use crate::servicing::{Installation, Knowledge};
use crate::update::container::Container;
use crate::update::{Architecture, Kb, Kind};

/// Checks a folder. `facts` are the index's facts about the KBs and files of the folder.
pub fn lint(folder: &LintFolder, request: &LintRequest, knowledge: &Knowledge, facts: &Facts) -> LintReport {
    let mut findings = BTreeSet::new();
    let mut packages = Vec::new();
    let is_of_target = |set: &&RecordedSet| request.target.is_none_or(|target| target == set.kb);
    let recorded = request.recorded.as_ref().filter(is_of_target);
    let of_set = request.machine.architecture.or_else(|| match recorded {
        Some(set) => set.architecture,
        None => only_architecture(folder),
    });
    let mut doubtful = Vec::new();
    for entry in &folder.entries {
        match entry.kind {
            EntryKind::Folder => {
                let message = "DISM also scans sub-folders of the target's folder".to_owned();
                findings.insert(LintFinding::of_name(LintCode::SubFolder, None, &entry.name, message));
            }
            EntryKind::Other => {
                let message = "a link or a device: not followed and not checked";
                findings.insert(LintFinding::of_name(
                    LintCode::NotAPackage,
                    None,
                    &entry.name,
                    message.to_owned(),
                ));
            }
            EntryKind::File if !entry.is_package() && !is_known_file(entry, recorded, facts) => {
                // The content may be that of a known file.
                let may_be_known =
                    |head: &FileHead| Container::of(&head.first).is_some_and(Container::is_package);
                if entry.content.is_none() && entry.head.as_ref().is_some_and(may_be_known) {
                    doubtful.push(entry.name.clone());
                }
                let message = "not an update package: it does not belong in the folder".to_owned();
                findings.insert(LintFinding::of_name(LintCode::NotAPackage, None, &entry.name, message));
            }
            EntryKind::File => {
                let package = identify(entry, of_set, recorded, knowledge, facts);
                doubtful.extend(package.is_doubtful.then(|| entry.name.clone()));
                findings.extend(package.fault.iter().cloned());
                packages.push(package);
            }
        }
    }
    let mut files: Vec<FileCheck> = packages.iter().map(|package| package.check.clone()).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    packages.retain(|package| package.kb.is_some());
    let packages = remove_duplicates(packages, &mut findings);
    // A copy must be removed, whatever its name. The kept file needs the correct name.
    findings.extend(packages.iter().filter_map(|package| package.misnamed.clone()));
    let not_for_dism = packages.iter().filter_map(outside_dism).collect();
    let context = LintContext { request, recorded, knowledge, facts };
    let (target, requires) = check_packages(&context, packages, &mut findings);
    let report = LintReport::new(findings.into_iter().collect(), files, target, knowledge.date());
    let published_set = recorded.map(|set| format!("{}/{}", set.kb, set.folder));
    let requires = requires.into_iter().collect();
    LintReport { published_set, requires, not_for_dism, doubtful, ..report }
}

/// Returns `true` for a file with any extension that the record of the folder or the index knows.
fn is_known_file(entry: &FolderEntry, recorded: Option<&RecordedSet>, facts: &Facts) -> bool {
    let named = read_name(&entry.name).named.sha1;
    let content = entry.content.map(|content| content.sha1);
    let is_it = |file: &FileFacts| file.sha1.is_some() && (file.sha1 == named || file.sha1 == content);
    recorded.is_some_and(|set| set.position(entry, named).is_some()) || facts.files.values().any(is_it)
}

/// Returns the reason why DISM does not install a package into Windows itself, or `None` if it does.
fn outside_dism(package: &LintPackage<'_>) -> Option<OutsideDism> {
    let reason = match package.about.kind {
        Some(Kind::App | Kind::OfficeOrServerApp) => OutsideReason::OwnInstaller,
        _ if !package.entry.is_package() => OutsideReason::OwnInstaller,
        Some(Kind::SafeosDu) => OutsideReason::Winre,
        Some(Kind::SetupDu | Kind::DynamicCu) => OutsideReason::WindowsSetup,
        _ => return None,
    };
    Some(OutsideDism { name: package.entry.name.clone(), reason })
}

/// Returns the architecture of a folder if all names that state an architecture state the same one.
fn only_architecture(folder: &LintFolder) -> Option<Architecture> {
    let packages = folder.entries.iter().filter(|entry| entry.is_package());
    let stated: BTreeSet<Architecture> =
        packages.filter_map(|entry| read_name(&entry.name).named.architecture).collect();
    stated.first().copied().filter(|_| stated.len() == 1)
}

/// Reports copies of a package as findings. Keeps one of them, independent of the order of the names.
fn remove_duplicates<'e>(
    mut packages: Vec<LintPackage<'e>>,
    findings: &mut BTreeSet<LintFinding>,
) -> Vec<LintPackage<'e>> {
    // Files with the Catalog's name come first, then files with a digest in the name: they identify the
    // package better than a renamed copy.
    packages.sort_by_key(|package| {
        (package.misnamed.is_some(), package.sha1.is_none(), package.entry.name.as_str())
    });
    let mut kept: Vec<LintPackage<'e>> = Vec::new();
    for package in packages {
        match kept.iter().find(|known| known.is_same(&package)) {
            Some(first) => {
                let message = format!("the same package as {}", first.entry.name);
                findings.insert(package.finding(LintCode::Duplicate, message));
            }
            None => kept.push(package),
        }
    }
    kept
}

/// Judges the packages of a folder. Returns the target's KB, and the KBs that it may need first.
fn check_packages(
    context: &LintContext<'_>,
    packages: Vec<LintPackage<'_>>,
    findings: &mut BTreeSet<LintFinding>,
) -> (Option<Kb>, BTreeSet<Kb>) {
    let here: BTreeSet<usize> = packages.iter().filter_map(|package| package.member).collect();
    let asked = context.request.machine.architecture;
    let architecture = asked.or_else(|| match context.recorded {
        Some(set) => set.architecture,
        None => context.architecture_of(&packages),
    });
    // A program of a published set states nothing about the set's architecture.
    let is_program = |package: &LintPackage<'_>| package.member.is_some() && !package.entry.is_package();
    let (packages, others): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| {
        package.architecture.is_none()
            || architecture.is_none()
            || package.architecture == architecture
            || (asked.is_none() && is_program(package))
    });
    for package in others {
        let own = package.architecture.map_or("another", Architecture::as_str);
        let asked = architecture.map_or("another", Architecture::as_str);
        let message = format!("the package is for {own}; the set is for {asked}");
        findings.insert(package.finding(LintCode::WrongArchitecture, message));
    }
    let installation = context.installation(&packages);
    let (servers, packages): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| {
        installation == Some(Installation::Client)
            && package.about.is_cumulative()
            && package.about.is_only_for(Installation::Server)
    });
    for package in &servers {
        let message =
            "the package is for Windows Server 2025: its revisions do not compare with the client's";
        findings.insert(package.finding(LintCode::ServerInClientSet, message.to_owned()));
    }
    let kb = match context.request.target.or(context.recorded.map(|set| set.kb)) {
        Some(kb) => kb,
        None => match context.infer_any_target(&packages, findings) {
            InferredTarget::One(kb) => kb,
            InferredTarget::Several(Some(first)) => {
                // The checkpoints of the first possible target are missing for each of the others too.
                context.judge_checkpoints(&first, &packages, findings);
                return (None, BTreeSet::new());
            }
            InferredTarget::Several(None) | InferredTarget::None => return (None, BTreeSet::new()),
        },
    };
    // A KB's copy for Windows Setup may be beside its package. The copy does not describe the KB.
    let of_target = packages.iter().filter(|package| package.kb == Some(kb));
    let is_copy = |about: &LintedKb| about.kind.is_some_and(Kind::is_dynamic);
    let main = facts_of_kb(kb, None, context.knowledge, context.facts);
    let is_dynamic = context.recorded.is_some_and(|set| set.is_dynamic);
    let describes = |about: &&LintedKb| is_copy(about) == is_dynamic || is_copy(&main);
    let found = of_target.map(|package| &package.about).find(describes);
    let about = found.cloned().unwrap_or(main);
    let family = context.family_of(&about, installation);
    let target = LintTarget { kb, about, architecture, family };
    let is_a_server = servers.iter().any(|package| package.kb == Some(kb));
    let requires = context.judge_members(&target, packages, is_a_server, findings);
    context.find_absent_files(&here, findings);
    (Some(kb), requires)
}
