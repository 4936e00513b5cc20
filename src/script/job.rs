//! From a plan to the job of a script. The caller supplies the location of each step's file: beside the script in a
//! mirror, on a medium, or in a staged folder.

use std::collections::BTreeSet;

use super::model::{InstallTool, ScriptJob, ScriptStage, ScriptTarget};
use crate::facts::Role;
use crate::resolve::{Plan, Step};
use crate::servicing::{Family, InstallMethod, Knowledge};

/// The locations of a plan's files, relative to the script.
pub trait FileLocations {
    /// Returns the path of a step's file, with backslashes, or `None` if the file is missing.
    fn path(&self, step: &Step) -> Option<String>;

    /// Returns all file names that may be in the folder of the last step.
    fn folder_names(&self, step: &Step) -> Vec<String>;
}

/// Returns the job of a plan, or `None` if no script can install it: a step is not a package for DISM, or its file has
/// no name.
pub fn script_job(
    plan: &Plan,
    form: ScriptTarget,
    knowledge: &Knowledge,
    is_demo: bool,
    places: &dyn FileLocations,
) -> Option<ScriptJob> {
    let kb = plan.kb?;
    let families: Vec<&Family> = knowledge
        .families()
        .iter()
        .filter(|family| {
            plan.serves.iter().any(|own| own.id == family.id && own.installation == family.installation)
        })
        .collect();
    let first = families.first()?;
    let installations: BTreeSet<_> = families.iter().map(|family| family.installation).collect();
    let builds: BTreeSet<u32> = families.iter().flat_map(|family| family.builds.iter().copied()).collect();
    let last = plan.steps.iter().rfind(|step| step.role != Role::Companion)?;
    let folder_of = |path: &str| path.rsplit_once('\\').map(|(folder, _)| folder.to_owned());
    let last_folder = folder_of(&places.path(last)?);
    let mut stages = Vec::new();
    for step in plan.steps.iter().filter(|step| step.role != Role::Companion) {
        let name = step.name.as_deref()?.to_ascii_lowercase();
        let is_package = std::path::Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "msu" || extension == "cab");
        if !is_package || step.role == Role::Setup {
            return None;
        }
        let path = places.path(step)?;
        let beside = folder_of(&path) == last_folder;
        stages.push(ScriptStage {
            kb: step.kb,
            role: words_of(step.role).to_owned(),
            needed_below: step.needed_below.map(|build| build.revision),
            brings: step.brings.map(|build| build.revision).filter(|_| step.role != Role::Ssu),
            restart_after: step.restart_after && form == ScriptTarget::Online,
            in_folder_of_target: step.role == Role::Checkpoint && beside,
            // A stack or child package that a newer package has replaced counts as installed.
            may_not_apply: matches!(step.role, Role::Ssu | Role::DotnetChild | Role::Prerequisite)
                && step.brings.is_none(),
            path,
        });
    }
    let takes_up = stages.iter().any(|stage| stage.in_folder_of_target);
    let enables = plan.steps.iter().any(|step| step.role == Role::Enablement);
    let editions = knowledge.editions().ltsc().iter().filter(|row| enables && row.family == first.id);
    let editions: BTreeSet<String> = editions.flat_map(|row| row.editions.iter().cloned()).collect();
    Some(ScriptJob {
        kb,
        product: plan.product.clone().unwrap_or_default(),
        family: families.iter().map(|family| family.name.as_str()).collect::<Vec<_>>().join("; "),
        architecture: plan.architecture,
        builds: builds.into_iter().collect(),
        installation: installations.first().copied().filter(|_| installations.len() == 1),
        method: match first.method {
            InstallMethod::Dism => InstallTool::Dism,
            InstallMethod::Wusa => InstallTool::Wusa,
        },
        form,
        // An enablement package changes the build and not the revision, so the script looks for it in the machine's
        // package lists.
        expected_revision: plan.expected_build.map(|build| build.revision).filter(|_| !enables),
        editions_excluded: editions.into_iter().collect(),
        stages,
        folder_files: if takes_up { places.folder_names(last) } else { Vec::new() },
        total_bytes: plan.total_bytes,
        knowledge_date: match plan.freshness.header() {
            Some(fresh) => format!("{}; {fresh}", plan.knowledge_date),
            None => plan.knowledge_date.clone(),
        },
        is_demo,
    })
}

fn words_of(role: Role) -> &'static str {
    match role {
        Role::EsuPreparation => "ESU preparation",
        Role::Ssu => "servicing stack",
        Role::Prerequisite => "prerequisite",
        Role::Checkpoint => "checkpoint",
        Role::DotnetChild => ".NET Framework package",
        Role::Enablement => "enablement package",
        Role::SafeOs => "Safe OS update",
        Role::Setup => "Setup update",
        Role::Target | Role::Companion => "target",
    }
}
