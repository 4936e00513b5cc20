//! An export plan for a target: the files that will lie under `data/`, compared with the existing files.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{TargetContent, TargetState, is_unfinished};
use super::place::TargetFolder;
use super::plan::ExportPlan;
use super::target::MediumTarget;
use crate::carrier::medium::{manifest_text, read_manifest};
use crate::carrier::read::digest;
use crate::error::{Error, ErrorKind, Result};
use crate::update::Sha256;

/// An export plan for a target. Nothing was changed yet.
pub(super) struct TargetPlan<'a> {
    pub(super) plan: &'a ExportPlan,
    pub(super) target: MediumTarget,
    /// `true` if the target folder does not exist yet.
    pub(super) is_new: bool,
    found: &'a TargetContent,
    /// The digests of all files that will lie under `data/`.
    pub(super) manifest: BTreeMap<String, Sha256>,
    /// The files of this mirror that will be removed, with their sizes.
    pub(super) obsolete: BTreeMap<String, u64>,
}

impl<'a> TargetPlan<'a> {
    /// Compares a plan with the files of its target. Refuses foreign files under `data/`.
    pub(super) fn new(
        plan: &'a ExportPlan,
        place: &'a TargetFolder,
        found: &'a TargetContent,
    ) -> Result<Self> {
        let manifest = planned_manifest(plan)?;
        let obsolete = obsolete(found, &manifest)?;
        let target = MediumTarget::new(&place.root, found.folder.clone());
        Ok(Self { plan, target, is_new: place.is_new, found, manifest, obsolete })
    }

    /// Returns `true` if a file of this size exists at a path.
    pub(super) fn is_there(&self, path: &str, size: u64) -> bool {
        self.found.present.get(path) == Some(&size)
    }

    /// Returns the digest of a file in the set on the target, or `None` if that set does not have the file.
    pub(super) fn earlier_digest(&self, path: &str) -> Option<Sha256> {
        self.found.earlier.as_ref()?.manifest.get(path).copied()
    }

    /// Returns the paths outside of `data/` that the set on the target has signed.
    pub(super) fn earlier_tags(&self) -> impl Iterator<Item = &'a String> {
        self.found.earlier.iter().flat_map(|earlier| earlier.signed.set.tag_files.keys())
    }

    /// Returns every file under `data/` that the export may leave behind.
    pub(super) fn possible_files(&self) -> Vec<String> {
        let paths: BTreeSet<&String> = self.manifest.keys().chain(&self.found.own_files).collect();
        paths.into_iter().cloned().collect()
    }

    /// Returns `true` if the target holds a finished set.
    pub(super) fn is_finished(&self) -> bool {
        self.found.state == TargetState::Finished
    }

    /// Returns `true` if an earlier export to the target was interrupted.
    pub(super) fn is_interrupted(&self) -> bool {
        self.found.state == TargetState::Interrupted
    }
}

/// Returns the digests of all files that will lie under `data/`. Checks that the receiving side accepts the
/// manifest.
fn planned_manifest(plan: &ExportPlan) -> Result<BTreeMap<String, Sha256>> {
    let packages = plan.payload.iter().map(|(path, file)| (path.clone(), file.sha256));
    let scripts = plan.scripts.iter().map(|(path, script)| (path.clone(), digest(script)));
    read_manifest(&manifest_text(&packages.chain(scripts).collect()))
        .map_err(|error| error.with_kind(ErrorKind::Usage).context("the medium cannot hold these sets"))
}

/// Returns the files of this mirror that become obsolete. Refuses foreign files.
fn obsolete(found: &TargetContent, manifest: &BTreeMap<String, Sha256>) -> Result<BTreeMap<String, u64>> {
    let folded: BTreeSet<String> = manifest.keys().map(|path| path.to_ascii_lowercase()).collect();
    let mut obsolete = BTreeMap::new();
    for (path, size) in found.present.iter().filter(|(path, _)| !manifest.contains_key(*path)) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !found.own_files.contains(path) && !is_unfinished(name) {
            return Err(Error::usage(format!("{path} on the medium does not belong to this mirror"))
                .hint("move it away, or name another folder; nothing was changed"));
        }
        if folded.contains(&path.to_ascii_lowercase()) {
            // Both names are one file on media that ignore the case of letters. Removing one would remove the
            // other.
            return Err(Error::usage(format!(
                "{path} on the medium and a file of this export differ only in the case of letters"
            ))
            .hint("move it away, or name another folder; nothing was changed"));
        }
        obsolete.insert(path.clone(), *size);
    }
    Ok(obsolete)
}
