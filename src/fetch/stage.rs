//! Staging: puts exactly the files of a plan into an empty folder, and the script beside it.
//!
//! Files that are installed together are in one folder. If a restart comes in between, each part has a numbered
//! subfolder of its own, because DISM takes every file beside its target. The folder is made under a temporary name,
//! judged as `lint` judges folders, and renamed to its final name; a failure leaves nothing behind.
//!
//! Every byte is hashed in the read that hands it out, also for links. A file that the mirror has lost, or whose
//! content has changed, is recorded as damaged and ends the staging with exit code 5. A file that is already recorded
//! as damaged counts as absent (exit code 10).

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::disk;
use crate::documents::{LintedPart, StagedDocument, StagedFileDocument};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{PlainName, Role};
use crate::lint::{LintReport, LintRequest, LintStatus};
use crate::mirror::{Absence, Access, Mirror, PooledFile, REPLAY, RunInfo, lint_folder};
use crate::resolve::{Machine, Place, Plan, Request, Step};
use crate::script::{FileLocations, NoScript, ScriptTarget, install_script, script_job};
use crate::servicing::Knowledge;

/// A file of a staged folder.
#[derive(Debug)]
struct StagedFile {
    from: PooledFile,
    /// The path inside the folder.
    to: Utf8PathBuf,
}

/// The plan of staging.
#[derive(Debug)]
pub struct StagePlan {
    files: Vec<StagedFile>,
    parts: Vec<Option<String>>,
    script: Result<String, NoScript>,
    to: Utf8PathBuf,
}

/// The places of the files of a staged folder, relative to its parent folder.
struct StagedPlaces<'p> {
    folder: &'p PlainName,
    /// The part of each step, in the order of the steps.
    parts: &'p [Option<String>],
    steps: &'p [Step],
}

impl StagedPlaces<'_> {
    fn part_of(&self, step: &Step) -> Option<&Option<String>> {
        let place = self.steps.iter().position(|own| own == step)?;
        self.parts.get(place)
    }
}

impl FileLocations for StagedPlaces<'_> {
    fn path(&self, step: &Step) -> Option<String> {
        let part = self.part_of(step)?.as_ref().map_or_else(String::new, |part| format!("{part}\\"));
        Some(format!("{}\\{part}{}", self.folder, PlainName::of(step.name.as_deref()?).ok()?))
    }

    fn folder_names(&self, step: &Step) -> Vec<String> {
        let part = self.part_of(step);
        let beside = self.steps.iter().filter(|other| self.part_of(other) == part);
        let names = beside.filter_map(|other| PlainName::of(other.name.as_deref()?).ok());
        names.map(|name| name.to_string()).collect()
    }
}

impl StagePlan {
    /// Checks by its size that every file is present, and that the folder may be made. Changes nothing, except that it
    /// records a file that the mirror has lost.
    pub fn new(
        plan: &Plan,
        target: Option<ScriptTarget>,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
        to: &Utf8Path,
        run: RunInfo<'_>,
    ) -> Result<Self> {
        if disk::exists(to) && (!disk::is_folder(to)? || !disk::list(to)?.is_empty()) {
            return Err(Error::usage(format!("{to} exists and is not an empty folder"))
                .hint("name a new folder: DISM uses every file beside its target"));
        }
        let Some(folder) = to.file_name().and_then(|name| PlainName::exact(name).ok()) else {
            return Err(Error::usage(format!("{to} has no plain name, which the script needs")));
        };
        let parts = parts_of(&plan.steps);
        let (mut files, mut absent) = (Vec::new(), Vec::new());
        for (step, part) in plan.steps.iter().zip(&parts) {
            let named = step.name.clone().or(step.kb.map(|kb| kb.to_string())).unwrap_or_default();
            let pooled = match step.file {
                Some(key) => mirror.expect_pooled(key, &named, run)?,
                None => Err(Absence::Unknown),
            };
            let pooled = match pooled {
                Ok(pooled) => pooled,
                Err(absence) => {
                    absent.push(format!("{named} ({absence})"));
                    continue;
                }
            };
            let own = PlainName::of(&named).map_err(|fault| {
                Error::new(ErrorKind::Integrity, format!("the file name {named:?} is refused: {fault}"))
            })?;
            let to = part.as_ref().map_or_else(Utf8PathBuf::new, Utf8PathBuf::from).join(own);
            files.push(StagedFile { from: pooled, to });
        }
        if !absent.is_empty() {
            let kbs: BTreeSet<String> = plan
                .steps
                .iter()
                .filter_map(|step| step.set.as_ref())
                .map(|(kb, _)| kb.to_string())
                .collect();
            let kbs: Vec<String> = kbs.into_iter().collect();
            let message = format!("not in the mirror: {}", absent.join(", "));
            return Err(
                Error::new(ErrorKind::Unresolved, message).hint(mirror.side()?.advise_fetch(kbs.join(" ")))
            );
        }
        let is_demo = mirror.origin()? == REPLAY;
        let places = StagedPlaces { folder: &folder, parts: &parts, steps: &plan.steps };
        let script = script_job(plan, target, knowledge, is_demo, &places).map(|job| install_script(&job));
        Ok(Self { files, parts, script, to: to.to_owned() })
    }

    /// Makes the folder and the script.
    pub fn run(
        &self,
        plan: &Plan,
        request: &Request,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
        run: RunInfo<'_>,
    ) -> Result<StagedDocument> {
        let parent = disk::parent(&self.to);
        let is_new = |path: &&Utf8Path| !path.as_str().is_empty() && !disk::exists(path);
        let new_folders: Vec<&Utf8Path> = parent.ancestors().take_while(is_new).collect();
        disk::create_dir_all(parent)?;
        let temporary = parent.join(format!(".{}.new", self.to.file_name().unwrap_or_default()));
        disk::remove_dir_all(&temporary)?;
        let made = self
            .fill(&temporary, mirror, run)
            .and_then(|()| self.judge(&temporary, plan, request, mirror, knowledge));
        let linted = match made {
            Ok(linted) => linted,
            Err(error) => {
                disk::remove_dir_all(&temporary)?;
                for folder in new_folders {
                    if disk::list(folder)?.is_empty() {
                        disk::remove_dir_all(folder)?;
                    }
                }
                return Err(error);
            }
        };
        // An existing empty folder is replaced.
        disk::remove_dir_all(&self.to)?;
        disk::rename(&temporary, &self.to)?;
        let script = match &self.script {
            Ok(text) => {
                let path = Utf8PathBuf::from(format!("{}.cmd", self.to));
                disk::write_atomic(&path, text.as_bytes())?;
                Some(path)
            }
            Err(_) => None,
        };
        let files: Vec<Utf8PathBuf> = self.files.iter().map(|file| file.to.clone()).collect();
        let listed = |path: &Utf8PathBuf| StagedFileDocument {
            name: path.file_name().unwrap_or_default().to_owned(),
            path: path.clone(),
        };
        Ok(StagedDocument {
            folder: self.to.clone(),
            path: self.to.clone(),
            file_list: files.iter().map(listed).collect(),
            files,
            bytes: self.files.iter().map(|file| file.from.size).sum(),
            script,
            no_script: self.script.as_ref().err().map(ToString::to_string),
            linted,
        })
    }

    fn fill(&self, temporary: &Utf8Path, mirror: &Mirror<impl Access>, run: RunInfo<'_>) -> Result<()> {
        disk::create_dir_all(temporary)?;
        for file in &self.files {
            let to = temporary.join(&file.to);
            disk::create_dir_all(disk::parent(&to))?;
            mirror.hand_out(&file.from, &to, run)?;
        }
        disk::sync_dir(temporary)
    }

    /// Judges every part that DISM scans, as `lint` does: the files as they are in the folder.
    fn judge(
        &self,
        temporary: &Utf8Path,
        plan: &Plan,
        request: &Request,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
    ) -> Result<Vec<LintedPart>> {
        let mut linted = Vec::new();
        let parts: BTreeSet<&Option<String>> = self.parts.iter().collect();
        for part in parts {
            let of_part: Vec<&Step> = plan
                .steps
                .iter()
                .zip(&self.parts)
                .filter(|(_, own)| *own == part)
                .map(|(step, _)| step)
                .collect();
            // Other packages are installed one by one: DISM does not scan a folder for them.
            let Some(target) =
                of_part.iter().find(|step| matches!(step.role, Role::Target | Role::Prerequisite))
            else {
                continue;
            };
            let place = part.as_ref().map_or_else(|| temporary.to_owned(), |part| temporary.join(part));
            let machine = Machine {
                architecture: plan.architecture,
                // On a running machine, added features do not require a checkpoint that the machine has passed.
                features_on_demand: request.machine.features_on_demand
                    && request.machine.place == Place::Image,
                ..request.machine.clone()
            };
            let request = LintRequest { target: target.kb, ..LintRequest::from(machine) };
            let LintReport { status, findings, checked, unchecked, .. } =
                lint_folder(&place, false, &request, Some(mirror.index()), knowledge)?;
            if status != LintStatus::Ok {
                let first = findings.first().map_or_else(String::new, |finding| {
                    let name = finding.name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
                    format!("{}: {name}{}", finding.code, finding.message)
                });
                return Err(Error::new(
                    ErrorKind::Unresolved,
                    format!("the folder of this plan cannot be given to DISM: {first}"),
                ));
            }
            linted.push(LintedPart { part: part.clone(), checked, unchecked });
        }
        Ok(linted)
    }
}

/// Returns the part of each step: `None` for all if one folder holds all files.
fn parts_of(steps: &[Step]) -> Vec<Option<String>> {
    let mut number = 1;
    let mut parts = Vec::new();
    let mut after_restart = false;
    for step in steps {
        if after_restart || (step.role == Role::Enablement && !parts.is_empty()) {
            number += 1;
        }
        after_restart = step.restart_after;
        parts.push(number);
    }
    if number == 1 {
        return vec![None; steps.len()];
    }
    let named = |number: usize| {
        let last = steps.iter().zip(&parts).rfind(|(_, own)| **own == number);
        let kb = last.and_then(|(step, _)| step.kb).map_or_else(String::new, |kb| format!("-{kb}"));
        Some(format!("{number}{kb}"))
    };
    parts.iter().map(|&number| named(number)).collect()
}
