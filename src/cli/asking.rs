//! The sources that a plan is made from, and what a plan is told beside: the index layered over the knowledge, the
//! files of a folder, and the statements of a host file. A KB that is not known is an error that names the way to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8PathBuf;

use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{IndexLibrary, Mirror};
use crate::resolve::host::Host;
use crate::resolve::{Freshness, Library, Missing, Plan, Request, Shelf, Side, Status, Step, resolve};
use crate::servicing::Knowledge;
use crate::update::human_size;

/// What a host file makes one mind about a plan for its machine.
pub(super) fn mind_host(host: &Host, plan: &mut Plan) {
    if plan.status != Status::Install {
        return;
    }
    let name = host.computer.as_deref().unwrap_or("the machine");
    if host.pending_restart == Some(true) {
        plan.warnings.push(format!("{name} waits for a restart: restart it before anything is installed"));
    }
    // Servicing unpacks what it installs (Microsoft asks for two to three times the package).
    if let (Some(free), Some(total)) = (host.free_bytes, plan.total_bytes)
        && free < total.saturating_mul(2)
    {
        plan.warnings.push(format!(
            "{name} has {} free on its system drive, and twice the {} of the set are wanted",
            human_size(free),
            human_size(total)
        ));
    }
}

/// Says on stderr how old the facts of an answer are, where they are not fresh and no warning of the answer says it already.
pub(super) fn note_age(fresh: &Freshness, warnings: &[String], output: &mut Output) {
    let sentence = fresh.doubt().map(|doubt| fresh.sentence(doubt));
    if let Some(sentence) = sentence.filter(|sentence| !warnings.contains(sentence)) {
        output.warn(sentence);
    }
}

/// The names of the files in a folder.
pub(super) fn names_in(folder: &Utf8PathBuf) -> Result<Vec<String>> {
    if !disk::is_folder(folder)? {
        return Err(Error::usage(format!("{folder} is no folder"))
            .hint("--available names the folder with the files at hand"));
    }
    disk::list(folder)
}

/// Names what of a plan is not here, where nothing can be brought here; whether all of it is.
pub(super) fn mind_absent(plan: &mut Plan) -> bool {
    if plan.status != Status::Install {
        return true;
    }
    let absent: Vec<&Step> = plan.steps.iter().filter(|step| !step.present).collect();
    if absent.is_empty() {
        return true;
    }
    // By the KB whose set has the file: a checkpoint comes with its target.
    let kbs: BTreeSet<String> = absent
        .iter()
        .filter_map(|step| step.set.as_ref().map(|(kb, _)| *kb).or(step.kb))
        .map(|kb| kb.to_string())
        .collect();
    let kbs: Vec<String> = kbs.into_iter().collect();
    let missing = |step: &&Step| Missing { kb: step.kb, role: step.role, name: step.name.clone() };
    plan.missing = absent.iter().map(missing).collect();
    plan.warnings.push(format!(
        "not here: {}; bring it on a medium: kbmirror export {} --to DIR on the connected side",
        kbs.join(", "),
        kbs.join(" ")
    ));
    false
}

/// What plans are made from: the index layered over the knowledge, or the knowledge alone where there is no mirror.
pub(super) struct Sources {
    pub(super) mirror: Option<Mirror>,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) side: Side,
}

impl Sources {
    /// The mirror, where there is one, and the knowledge.
    pub(super) fn open(setup: &Setup) -> Result<Self> {
        let mirror = setup.mirror_if_there()?;
        let side = setup.side(mirror.as_ref())?;
        Ok(Self { mirror, knowledge: setup.knowledge()?, side })
    }

    /// Whether what is not in the mirror cannot be had: the mirror came on media, or there is no network by the caller's
    /// word.
    pub(super) fn is_cut_off(&self, setup: &Setup) -> Result<bool> {
        match &self.mirror {
            Some(mirror) => Ok(setup.is_offline() || mirror.is_imported()?),
            None => Ok(setup.is_offline()),
        }
    }

    /// Runs something that looks things up.
    pub(super) fn with_library<T>(&self, work: impl FnOnce(&dyn Library) -> Result<T>) -> Result<T> {
        match &self.mirror {
            Some(mirror) => work(&IndexLibrary::new(mirror.index(), &self.knowledge).with_side(self.side)),
            None => work(&Shelf::of_knowledge(&self.knowledge).on(self.side)),
        }
    }

    /// The plan for a request. A KB that nobody knows is an error that names the way to know it.
    pub(super) fn plan(&self, request: &Request, setup: &Setup) -> Result<Plan> {
        let request = Request { today: Some(setup.today()), ..request.clone() };
        let mut plan = self.with_library(|library| resolve(&request, library, &self.knowledge))?;
        if let Some(mirror) = &self.mirror {
            super::damage::warn_of_folders(&mut plan, mirror)?;
        }
        if !plan.unheard_of {
            return Ok(plan);
        }
        let kb = plan.kb.map_or_else(String::new, |kb| kb.to_string());
        let is_listed = match (&self.mirror, plan.kb) {
            (Some(mirror), Some(kb)) => mirror.index().knows_kb(kb)?,
            _ => false,
        };
        let message = match (is_listed, &self.mirror) {
            (true, _) => format!("the index knows {kb} and none of its files"),
            (false, Some(_)) => format!("neither the index nor the knowledge has anything of {kb}"),
            (false, None) => {
                format!(
                    "there is no mirror at {}, and the knowledge has nothing of {kb}",
                    setup.layout().root()
                )
            }
        };
        Err(Error::new(ErrorKind::NotFound, message).hint(self.side.to_know(kb)))
    }
}
