//! From a plan to the job of a script. The caller supplies the location of each step's file: beside the script in a
//! mirror, on a medium, or in a staged folder.

use std::collections::BTreeSet;

use super::model::{InstallTool, ScriptJob, ScriptStage, ScriptTarget};
use super::no_script::NoScript;
use crate::facts::Role;
use crate::resolve::{Plan, Status, Step};
use crate::servicing::{Family, InstallMethod, Knowledge};

/// The locations of a plan's files, relative to the script.
pub trait FileLocations {
    /// Returns the path of a step's file, with backslashes, or `None` if the file is missing.
    fn path(&self, step: &Step) -> Option<String>;

    /// Returns all file names that may be in the folder of the last step.
    fn folder_names(&self, step: &Step) -> Vec<String>;
}

/// Returns the job of a plan for a target, or the reason why no script can carry the plan out.
pub fn script_job(
    plan: &Plan,
    target: Option<ScriptTarget>,
    knowledge: &Knowledge,
    is_demo: bool,
    places: &dyn FileLocations,
) -> Result<ScriptJob, NoScript> {
    if plan.status != Status::Install {
        return Err(NoScript::NotAPlan(plan.status));
    }
    let form = target.ok_or(NoScript::NoPackages)?;
    let kb = plan.kb.ok_or(NoScript::NoKb)?;
    check_order(plan)?;
    let families: Vec<&Family> = knowledge
        .families()
        .iter()
        .filter(|family| {
            plan.serves.iter().any(|own| own.id == family.id && own.installation == family.installation)
        })
        .collect();
    let first = families.first().ok_or(NoScript::FamilyUnknown)?;
    let installations: BTreeSet<_> = families.iter().map(|family| family.installation).collect();
    let builds: BTreeSet<u32> = families.iter().flat_map(|family| family.builds.iter().copied()).collect();
    let last = plan.steps.last().ok_or(NoScript::NotAPlan(plan.status))?;
    let path_of = |step: &Step| places.path(step).ok_or_else(|| NoScript::NoFolder(display_name(step)));
    let folder_of = |path: &str| path.rsplit_once('\\').map(|(folder, _)| folder.to_owned());
    check_file(last, form)?;
    let last_folder = folder_of(&path_of(last)?);
    let mut stages = Vec::new();
    for step in &plan.steps {
        check_file(step, form)?;
        let path = path_of(step)?;
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
    Ok(ScriptJob {
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
        notes: plan.notes.clone(),
        total_bytes: plan.total_bytes,
        knowledge_date: match plan.freshness.header() {
            Some(fresh) => format!("{}; {fresh}", plan.knowledge_date),
            None => plan.knowledge_date.clone(),
        },
        is_demo,
    })
}

/// Refuses a plan with a file whose position nothing proves: a script would install the others and call the KB installed.
fn check_order(plan: &Plan) -> Result<(), NoScript> {
    let unordered = plan.steps.iter().filter(|step| step.order.is_none() || step.role == Role::Companion);
    let unordered: Vec<String> = unordered.map(display_name).collect();
    if unordered.is_empty() {
        return Ok(());
    }
    Err(NoScript::OrderUnknown { files: plan.steps.iter().map(display_name).collect(), unordered })
}

/// Refuses a file that DISM cannot install at the place of the script.
fn check_file(step: &Step, target: ScriptTarget) -> Result<(), NoScript> {
    let Some(name) = &step.name else { return Err(NoScript::NameUnknown(display_name(step))) };
    let is_for_place = match step.role {
        Role::Setup => false,
        Role::SafeOs => target == ScriptTarget::Winre,
        _ => true,
    };
    if !is_for_place {
        return Err(NoScript::WrongPlace { file: name.clone(), role: step.role, target });
    }
    let name_in_lower_case = name.to_ascii_lowercase();
    let extension = std::path::Path::new(&name_in_lower_case).extension();
    if extension.is_some_and(|extension| extension == "msu" || extension == "cab") {
        Ok(())
    } else {
        Err(NoScript::NotAPackage(name.clone()))
    }
}

/// Returns the name of a file, or else its KB or its role.
fn display_name(step: &Step) -> String {
    step.name.clone().or_else(|| step.kb.map(|kb| kb.to_string())).unwrap_or_else(|| step.role.to_string())
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
