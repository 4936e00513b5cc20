//! The walk through a cabinet and the cabinets in it, and the collection of their metadata.
//!
//! A cabinet with an `update.mum` is a package: the walk reads the manifest and does not go deeper. Any other cabinet
//! is a wrapping, whose cabinets are visited. Only the beginning of a large nested cabinet is kept in memory; a manifest
//! behind it counts as not read. The work is bounded, too.

use super::cabinet::{Cabinet, MemberStart};
use super::collected::{Collected, PackageMember, UnreadMember};
use super::directory::DirectoryEntry;
use super::fault::PackageFault;
use super::manifest::PackageManifest;
use super::properties;
use super::text::decode;
use super::unattend;
use crate::read_at::ReadAt;

/// The bytes of nested cabinets and of names that are kept at one time. With a text, its tree, and the window of LZX,
/// the sum stays below 64 MiB.
const KEPT: u64 = 40 * 1024 * 1024;

/// The bytes that are kept of a nested cabinet, at most. Manifests stand at the beginning of large cabinets.
const START: u64 = 16 * 1024 * 1024;

/// The maximum size of a metadata file. Manifests of cumulative updates have less than 1 MiB.
const TEXT: u64 = 4 * 1024 * 1024;

/// The cabinets within each other, at most. A combined package has three.
const DEPTH: usize = 5;

const MANIFEST: &str = "update.mum";

/// The role of a member, by its name.
enum MemberRole {
    Properties,
    AnswerFile,
    Cabinet,
    /// Metadata of a form that is not read.
    Unread(&'static str),
    Other,
}

impl MemberRole {
    fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let (_, extension) = name.rsplit_once('.').unwrap_or_default();
        match extension {
            "txt" if name.ends_with("-pkgproperties.txt") => Self::Properties,
            "xml" => Self::AnswerFile,
            // The offline catalog of the update, and the programs that install it, are not packages.
            "cab" if name == "wsusscan.cab" || name.starts_with("desktopdeployment") => Self::Other,
            "cab" if name.ends_with("aggregatedmetadata.cab") => {
                Self::Unread("the metadata of unified updates are not read")
            }
            "cab" => Self::Cabinet,
            "wim" => Self::Unread("the metadata of WIM images are not read"),
            _ => Self::Other,
        }
    }
}

/// Collects the metadata of the cabinet in `source`.
pub(super) fn collect(source: &dyn ReadAt) -> Result<Collected, PackageFault> {
    let mut collected = Collected::default();
    let mut cabinet = Cabinet::open(source, "", KEPT)?;
    let members = cabinet.entries().iter();
    collected.members =
        members.map(|entry| PackageMember { name: entry.name.clone(), size: entry.size }).collect();
    visit(&mut cabinet, 1, KEPT, &mut collected)?;
    Ok(collected)
}

/// Visits a cabinet at a depth, of which the outermost is 1. At most `kept` bytes of nested cabinets stay in memory.
fn visit(
    cabinet: &mut Cabinet<'_>,
    depth: usize,
    kept: u64,
    collected: &mut Collected,
) -> Result<(), PackageFault> {
    if let Some(entry) = cabinet.find(MANIFEST)?.cloned() {
        let text = read_text(cabinet, &entry, collected)?;
        collected.packages.push(PackageManifest::read(&text, &cabinet.path_of(&entry))?);
        return Ok(());
    }
    let has_role = |entry: &&DirectoryEntry| !matches!(MemberRole::of(&entry.name), MemberRole::Other);
    let entries: Vec<DirectoryEntry> = cabinet.entries().iter().filter(has_role).cloned().collect();
    for entry in entries {
        match MemberRole::of(&entry.name) {
            MemberRole::Properties if depth == 1 => {
                let text = read_text(cabinet, &entry, collected)?;
                if collected.properties.is_some() {
                    let name = "*-pkgProperties.txt".to_owned();
                    return Err(PackageFault::SeveralMembers { cabinet: cabinet.path().to_owned(), name });
                }
                collected.properties = Some(properties::read(&text));
            }
            MemberRole::AnswerFile if depth == 1 => {
                let text = read_text(cabinet, &entry, collected)?;
                collected.installs.extend(unattend::read(&text, &cabinet.path_of(&entry))?);
            }
            MemberRole::Cabinet => visit_nested(cabinet, &entry, depth, kept, collected)?,
            MemberRole::Unread(reason) => collected
                .unread
                .push(UnreadMember { member: cabinet.path_of(&entry), reason: reason.to_owned() }),
            MemberRole::Properties | MemberRole::AnswerFile | MemberRole::Other => {}
        }
    }
    Ok(())
}

fn visit_nested(
    cabinet: &mut Cabinet<'_>,
    entry: &DirectoryEntry,
    depth: usize,
    kept: u64,
    collected: &mut Collected,
) -> Result<(), PackageFault> {
    let member = cabinet.path_of(entry);
    if depth == DEPTH {
        return Err(PackageFault::TooDeep { member, limit: DEPTH });
    }
    // Something is left for the names in the nested cabinet, and for the cabinets in it.
    let free = kept.saturating_sub(cabinet.memory());
    let limit = START.min(free / 2);
    collected.count_effort(entry.needed(limit), &member)?;
    let start = MemberStart::new(cabinet.read_start(entry, limit)?, entry.size);
    let rest = free.saturating_sub(start.held());
    let visited = Cabinet::open(&start, &member, rest)
        .and_then(|mut nested| visit(&mut nested, depth + 1, rest, collected));
    match visited {
        Err(fault @ (PackageFault::OutOfReach { .. } | PackageFault::TooManyMembers { .. })) => {
            collected.unread.push(UnreadMember { member, reason: fault.to_string() });
            Ok(())
        }
        other => other,
    }
}

fn read_text(
    cabinet: &mut Cabinet<'_>,
    entry: &DirectoryEntry,
    collected: &mut Collected,
) -> Result<String, PackageFault> {
    collected.count_effort(entry.needed(TEXT), &cabinet.path_of(entry))?;
    let bytes = cabinet.read(entry, TEXT)?;
    decode(&bytes, &cabinet.path_of(entry))
}
