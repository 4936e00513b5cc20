//! The sources of a plan: the index layered over the knowledge, the files of a folder, and the facts of a host file. An
//! unknown KB is an error that hints at the command that adds it.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{IndexLibrary, Mirror};
use crate::resolve::host::Host;
use crate::resolve::{
    FactsLibrary, Freshness, Library, MissingPackage, Plan, Request, Side, Status, Step, resolve,
};
use crate::servicing::Knowledge;
use crate::update::Kb;
use crate::update::human_size;

/// Adds the warnings of a host file to the plan for its machine.
pub(super) fn add_host_warnings(host: &Host, plan: &mut Plan) {
    if plan.status != Status::Install {
        return;
    }
    let name = host.computer.as_deref().unwrap_or("the machine");
    if host.pending_restart == Some(true) {
        plan.warnings.push(format!("{name} has a pending restart: restart it before the installation"));
    }
    // Servicing unpacks packages. Microsoft recommends two to three times the size of the package.
    if let (Some(free), Some(total)) = (host.free_bytes, plan.total_bytes)
        && free < total.saturating_mul(2)
    {
        plan.warnings.push(format!(
            "{name} has {} free on its system drive; twice the {} of the set are recommended",
            human_size(free),
            human_size(total)
        ));
    }
}

/// Warns if the facts of an answer are stale, unless a warning of the answer reports it already.
pub(super) fn warn_if_stale(fresh: &Freshness, warnings: &[String], output: &mut Output) {
    let sentence = fresh.issue().map(|doubt| fresh.sentence(doubt));
    if let Some(sentence) = sentence.filter(|sentence| !warnings.contains(sentence)) {
        output.warn(sentence);
    }
}

/// Returns the names of the files in a folder.
pub(super) fn file_names(folder: &Utf8PathBuf) -> Result<Vec<String>> {
    if !disk::is_folder(folder)? {
        return Err(Error::usage(format!("{folder} is not a folder"))
            .hint("give the folder with the available files to --available"));
    }
    disk::list(folder)
}

/// Lists the files of a plan that are missing on a side that cannot download them. Returns `true` if every file is
/// here.
pub(super) fn list_missing_files(plan: &mut Plan) -> bool {
    if plan.status != Status::Install {
        return true;
    }
    let absent: Vec<&Step> = plan.steps.iter().filter(|step| !step.present).collect();
    if absent.is_empty() {
        return true;
    }
    // Grouped by the KB whose set has the file: a checkpoint belongs to the set of its target.
    let kbs: BTreeSet<String> = absent
        .iter()
        .filter_map(|step| step.set.as_ref().map(|(kb, _)| *kb).or(step.kb))
        .map(|kb| kb.to_string())
        .collect();
    let kbs: Vec<String> = kbs.into_iter().collect();
    let missing = |step: &&Step| MissingPackage { kb: step.kb, role: step.role, name: step.name.clone() };
    plan.missing = absent.iter().map(missing).collect();
    plan.warnings.push(format!(
        "missing here: {}; on the connected side, run kbmirror export {} --to DIR, and import that medium",
        kbs.join(", "),
        kbs.join(" ")
    ));
    false
}

/// The sources of plans: the index layered over the knowledge, or the knowledge alone without a mirror.
pub(super) struct Sources {
    pub(super) mirror: Option<Mirror>,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) side: Side,
}

impl Sources {
    /// Opens the mirror, if it exists, and the knowledge.
    pub(super) fn open(setup: &Setup) -> Result<Self> {
        let mirror = setup.mirror_if_there()?;
        let side = setup.side(mirror.as_ref())?;
        Ok(Self { mirror, knowledge: setup.knowledge()?, side })
    }

    /// Returns `true` if files that are missing in the mirror are unavailable: the mirror was imported from media, or
    /// the operator chose `--offline`.
    pub(super) fn cannot_download(&self, setup: &Setup) -> Result<bool> {
        match &self.mirror {
            Some(mirror) => Ok(setup.is_offline() || mirror.is_imported()?),
            None => Ok(setup.is_offline()),
        }
    }

    /// Runs work on the layered library.
    pub(super) fn with_library<T>(&self, work: impl FnOnce(&dyn Library) -> Result<T>) -> Result<T> {
        match &self.mirror {
            Some(mirror) => work(&IndexLibrary::new(mirror.index(), &self.knowledge).with_side(self.side)),
            None => work(&FactsLibrary::of_knowledge(&self.knowledge).with_side(self.side)),
        }
    }

    /// Returns the error for a KB without an entry in the index and without packages in the knowledge.
    pub(super) fn unknown_kb_error(&self, kb: Kb) -> Error {
        let withdrawn = self.knowledge.withdrawn();
        if withdrawn.is_windows_update_only(kb) {
            let message = format!("{kb} has no package, because only Windows Update delivers it");
            let error = Error::new(ErrorKind::NotFound, message);
            let instead = withdrawn.offline_replacement(kb);
            return instead.into_iter().fold(error, |error, kb| error.hint(self.side.advise_fetch(kb)));
        }
        let message = format!("neither the index nor the knowledge has an entry for {kb}");
        let error = Error::new(ErrorKind::NotFound, message);
        self.side.hints_of_unknown_kb(kb).into_iter().fold(error, Error::hint)
    }

    /// Returns the plan for a request. An unknown KB is an error with a hint at the command that adds it.
    pub(super) fn plan(&self, request: &Request, setup: &Setup) -> Result<Plan> {
        let request = Request { today: Some(setup.today()), ..request.clone() };
        let mut plan = self.with_library(|library| resolve(&request, library, &self.knowledge))?;
        if let Some(mirror) = &self.mirror {
            super::damage::warn_of_damaged_folders(&mut plan, mirror)?;
        }
        if !plan.is_unknown_kb {
            return Ok(plan);
        }
        let Some(kb) = plan.kb else { return Ok(plan) };
        let is_listed = match &self.mirror {
            Some(mirror) => mirror.index().knows_kb(kb)?,
            None => false,
        };
        let message = match (is_listed, &self.mirror) {
            (true, _) => format!("the index has an entry for {kb} but none of its files"),
            (false, Some(_)) => format!("neither the index nor the knowledge has an entry for {kb}"),
            (false, None) => {
                format!(
                    "no mirror exists at {}, and the knowledge has no entry for {kb}",
                    setup.layout().root()
                )
            }
        };
        let error = Error::new(ErrorKind::NotFound, message);
        Err(self.side.hints_of_unknown_kb(kb).into_iter().fold(error, Error::hint))
    }
}
