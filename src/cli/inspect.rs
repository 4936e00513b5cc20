//! `inspect`: prints the metadata inside package files. Neither a mirror nor a network is used, and nothing is written.
//!
//! A file that is damaged, or that contradicts its name, exits 5. The other files are still shown.

use camino::{Utf8Path, Utf8PathBuf};

use super::args::InspectArgs;
use super::output::Output;
use crate::crawl::Failure;
use crate::disk::{self, RandomFile};
use crate::documents::{InspectDocument, InspectedFile, NameDigest, SignatureState};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::package::{AssemblyIdentity, PackageManifest, ParentRule, inspect};
use crate::report::Column;
use crate::update::{DualHasher, PackageName, count, human_size};

/// Runs `inspect`: reads the package files.
pub(super) fn run(arguments: &InspectArgs, output: &mut Output) -> Result<ExitCode> {
    let mut failures = Vec::new();
    let mut files = Vec::new();
    for path in &arguments.files {
        match files_at(path) {
            Ok(paths) => files.extend(paths),
            Err(error) => failures.push(Failure::new(path.as_str(), &error)),
        }
    }
    let mut inspected = Vec::new();
    for path in files {
        match inspect_file(&path) {
            Ok(file) => {
                failures.extend(fault_of(&file).map(|error| Failure::new(path.as_str(), &error)));
                inspected.push(file);
            }
            Err(error) => failures.push(Failure::new(path.as_str(), &error)),
        }
    }
    let kinds: Vec<ErrorKind> = failures.iter().map(|failure| failure.kind).collect();
    let code = ExitCode::of_run(inspected.len(), &kinds);
    output.failures(&failures);
    if output.is_json() {
        let failures = failures.iter().map(Failure::item).collect();
        output.document(&InspectDocument { files: inspected, failures })?;
    } else {
        for file in &inspected {
            show(file, output);
        }
    }
    Ok(code)
}

/// Returns the path of a file, or those of all files in a folder. Folders and links in a folder are left out.
fn files_at(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    if !disk::is_folder(path)? {
        if !disk::exists(path) {
            return Err(Error::new(ErrorKind::NotFound, format!("{path} does not exist")));
        }
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for name in disk::list(path)? {
        let path = path.join(name);
        if matches!(disk::entry(&path)?, disk::Entry::File(_)) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("{path} contains no files")));
    }
    Ok(files)
}

fn inspect_file(path: &Utf8Path) -> Result<InspectedFile> {
    let name = path.file_name().unwrap_or(path.as_str()).to_owned();
    let inspection = inspect(&name, &RandomFile::open(path)?)?;
    let mut hasher = DualHasher::new();
    disk::read_in_pieces(path, |piece| hasher.update(piece))?;
    let digests = hasher.finish();
    let digest_in_name = match PackageName::parse(&name).sha1 {
        Some(stated) if stated == digests.sha1 => NameDigest::Equal,
        Some(_) => NameDigest::Different,
        None => NameDigest::Absent,
    };
    Ok(InspectedFile {
        path: path.to_owned(),
        name,
        size: digests.size,
        sha1: digests.sha1,
        sha256: digests.sha256,
        digest_in_name,
        signature: SignatureState::NotChecked,
        inspection,
    })
}

/// Returns the error of a file whose name or metadata contradict its content, or `None`.
fn fault_of(file: &InspectedFile) -> Option<Error> {
    let mut reasons = file.inspection.contradictions.clone();
    if file.digest_in_name == NameDigest::Different {
        reasons.insert(0, format!("its SHA-1 is {}, not that of its name", file.sha1));
    }
    (!reasons.is_empty()).then(|| Error::new(ErrorKind::Integrity, reasons.join("; ")))
}

/// Prints the properties of a file, its packages, and their parents.
fn show(file: &InspectedFile, output: &mut Output) {
    let inspection = &file.inspection;
    output.line(format!("{}:", file.path));
    let mut table = output.table([Column::new("property"), Column::sentence("value")]);
    let unknown = || "unknown".to_owned();
    let container = match (inspection.container, inspection.members.len()) {
        (Some(container), 0) => container.to_owned(),
        (Some(container), members) => format!("{container} with {}", count(members, "member")),
        (None, _) => unknown(),
    };
    let metadata = match &inspection.reason {
        Some(reason) => format!("{}: {reason}", inspection.metadata.as_str()),
        None => inspection.metadata.as_str().to_owned(),
    };
    let digest = match file.digest_in_name {
        NameDigest::Equal => "equal to the SHA-1 in the name",
        NameDigest::Different => "different from the SHA-1 in the name",
        NameDigest::Absent => "the name states no SHA-1",
    };
    let mut row = |property: &str, value: String| table.row([property.to_owned(), value]);
    row("container", container);
    row("metadata", metadata);
    row("KB", inspection.kb.map_or_else(unknown, |kb| kb.to_string()));
    row("kind", inspection.kind.map_or_else(unknown, |kind| kind.as_str().to_owned()));
    row("architecture", inspection.architecture.map_or_else(unknown, |found| found.to_string()));
    row("size", human_size(file.size));
    row("SHA-1", file.sha1.to_string());
    row("SHA-256", file.sha256.to_string());
    row("digest", digest.to_owned());
    row("signature", file.signature.as_str().to_owned());
    output.text(table.render());
    for package in &inspection.packages {
        show_package(package, output);
    }
    for unread in &inspection.unread {
        output.sentence("  ", &format!("not read: {}: {}", unread.member, unread.reason));
    }
}

fn show_package(package: &PackageManifest, output: &mut Output) {
    let release = package.release_type.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
    output.sentence("  ", &format!("package {}{release}", words_of(&package.identity)));
    let stack = package.servicing_stack.as_ref().map(words_of);
    output.sentence("    ", &format!("oldest servicing stack: {}", stack.as_deref().unwrap_or("not stated")));
    if package.parents.is_empty() {
        output.sentence("    ", "parents: not stated");
    }
    for rule in &package.parents {
        output.sentence("    ", &format!("needs one of these{}:", compares_of(rule)));
        for parent in &rule.packages {
            output.sentence("      ", &words_of(parent));
        }
    }
}

/// Returns the name, the version, and the architecture of an identity.
fn words_of(identity: &AssemblyIdentity) -> String {
    let parts = [Some(&identity.name), identity.version.as_ref(), identity.processor_architecture.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Returns the comparisons of a rule, in the words of the manifest.
fn compares_of(rule: &ParentRule) -> String {
    let compares = [
        ("build", &rule.build_compare),
        ("revision", &rule.revision_compare),
        ("service", &rule.service_compare),
    ];
    let words: Vec<String> = compares
        .into_iter()
        .filter_map(|(what, compare)| compare.as_ref().map(|compare| format!("{what} {compare}")))
        .collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}
