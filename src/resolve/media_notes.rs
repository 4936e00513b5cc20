//! The notes of a plan for an image or for media: what the place needs beside the packages, and sources that disagree.

use super::context::ResolveContext;
use super::package_set::PackageSet;
use super::place::Place;
use crate::facts::Role;
use crate::servicing::{MediaCondition, MediaPlace};
use crate::update::Kind;

/// Returns the notes that apply to a set at the place of the request, each with its source.
pub(super) fn media_notes(context: &ResolveContext<'_>, set: &PackageSet) -> Vec<String> {
    let Some(place) = media_place(context.request.machine.place, set.kind) else { return Vec::new() };
    let (family, build) = (context.family_of(set), set.build());
    let is_due = |when| match when {
        MediaCondition::Always => true,
        MediaCondition::FeaturesPastCheckpoint => adds_features_past_checkpoint(context, set),
    };
    let notes = context.knowledge.media().all().iter();
    let notes = notes.filter(|note| note.is_for(place, family, build) && is_due(note.when));
    notes.map(|note| format!("{} ({})", note.text, note.source)).collect()
}

/// Returns the place of the table for updates of a kind, or `None` if the table has no notes on them.
fn media_place(place: Place, kind: Option<Kind>) -> Option<MediaPlace> {
    let kind = kind?;
    match place {
        Place::Image if kind.is_windows_cumulative() => Some(MediaPlace::Image),
        Place::Winpe if kind.is_windows_cumulative() => Some(MediaPlace::Winpe),
        Place::Winre if kind == Kind::SafeosDu => Some(MediaPlace::Winre),
        Place::Media if matches!(kind, Kind::SetupDu | Kind::ComponentDuCritical) => Some(MediaPlace::Media),
        _ => None,
    }
}

/// Returns `true` if features are being added and the image may be past a checkpoint of the set.
fn adds_features_past_checkpoint(context: &ResolveContext<'_>, set: &PackageSet) -> bool {
    let at = context.request.machine.effective_build();
    let mut checkpoints = set.members.iter().filter(|member| member.role == Role::Checkpoint);
    context.request.machine.features_on_demand
        && checkpoints.any(|member| match (member.build, at) {
            (Some(checkpoint), Some(at)) => at.revision >= checkpoint.revision,
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use crate::resolve::{FactsLibrary, Machine, Place, Plan, Request, Status, resolve};
    use crate::servicing::Knowledge;
    use crate::update::Architecture;

    fn plan(kb: &str, place: Place, baseline: &str, features_on_demand: bool) -> Plan {
        let knowledge = Knowledge::built_in().unwrap();
        let machine = Machine {
            architecture: Some(Architecture::X64),
            baseline: Some(baseline.parse().unwrap()),
            place,
            features_on_demand,
            ..Machine::default()
        };
        let request = Request { machine, ..Request::new(kb.parse().unwrap()) };
        let plan = resolve(&request, &FactsLibrary::of_knowledge(&knowledge), &knowledge).unwrap();
        assert_eq!(plan.status, Status::Install, "{kb}: {:?}", plan.advice);
        plan
    }

    fn has(plan: &Plan, word: &str) -> bool {
        plan.warnings.iter().any(|warning| warning.contains(word))
    }

    #[test]
    fn boot_stl_is_named_from_its_build_on() {
        for place in [Place::Image, Place::Winpe] {
            let june = plan("KB5094126", place, "26100.1742", false);
            assert!(has(&june, "boot.stl") && has(&june, "setuphost.exe"), "{place:?}: {:?}", june.warnings);
            assert!(has(&june, "#84"), "the source: {:?}", june.warnings);
            assert!(!has(&plan("KB5086672", place, "26100.1742", false), "boot.stl"), "{place:?}");
        }
        assert!(!has(&plan("KB5094126", Place::Online, "26100.1742", false), "boot.stl"));
        assert_eq!(plan("KB5094126", Place::Online, "26100.1742", false).notes, Vec::<String>::new());
    }

    #[test]
    fn media_advice_names_the_files_to_copy() {
        let setup = plan("KB5126056", Place::Media, "26100.1742", false);
        let advice = setup.advice.unwrap();
        for word in ["expand.exe", "boot.stl", "setup.exe", "setuphost.exe"] {
            assert!(advice.contains(word), "{word}: {advice}");
        }
        let of_windows_10 = plan("KB5126029", Place::Media, "19041.1", false).advice.unwrap();
        assert!(of_windows_10.contains("setup.exe"), "{of_windows_10}");
        assert!(
            !of_windows_10.contains("boot.stl") && !of_windows_10.contains("setuphost"),
            "{of_windows_10}"
        );
    }

    #[test]
    fn features_past_the_checkpoint_name_both_sources() {
        let past = plan("KB5086672", Place::Winpe, "26100.1742", true);
        let roles: Vec<&str> = past.steps.iter().map(|step| step.role.as_str()).collect();
        assert_eq!(roles, ["target"]);
        for source in ["media-dynamic-update", "BatUtil #67", "Win_ISO_Patching_Scripts #42"] {
            assert!(has(&past, source), "{source}: {:?}", past.warnings);
        }
        let below = plan("KB5086672", Place::Winpe, "26100.1", true);
        assert!(below.steps.len() == 2 && !has(&below, "BatUtil"), "{:?}", below.warnings);
        assert!(!has(&plan("KB5086672", Place::Winpe, "26100.1742", false), "BatUtil"));
        assert!(!has(&plan("KB5086672", Place::Image, "26100.1742", true), "BatUtil"));
    }

    #[test]
    fn winre_names_the_stack_of_the_month() {
        let safe_os = plan("KB5122887", Place::Winre, "19041.1", false);
        assert!(has(&safe_os, "SSU-*.cab"), "{:?}", safe_os.warnings);
        assert_eq!(safe_os.notes.len(), 1);
    }
}
