//! Damaged sets in the text output of `list`, `status`, and `export`.

use std::collections::BTreeSet;

use super::output::Output;
use crate::documents::{DamagedSet, SetFault};
use crate::error::Result;
use crate::facts::SetFolder;
use crate::mirror::{Access, Mirror};
use crate::resolve::{Plan, Side};
use crate::update::Kb;

/// Returns the state of a set for a table.
pub(super) fn state(folder_missing: bool, faults: &[SetFault]) -> String {
    if folder_missing {
        return "folder missing".to_owned();
    }
    match faults.len() {
        0 => "-".to_owned(),
        1 => "damaged".to_owned(),
        number => format!("damaged ({number} faults)"),
    }
}

/// Prints every fault of the sets, and the command that repairs them on this side.
pub(super) fn show(sets: &[DamagedSet], side: Side, output: &mut Output) {
    if sets.is_empty() {
        return;
    }
    output.line("");
    for set in sets {
        output.line(format!("{} {}: {}", set.kb, set.folder_name, state(set.folder_missing, &set.faults)));
        for fault in &set.faults {
            let name =
                fault.name.as_deref().map_or_else(|| fault.path.to_string(), |name| output.file_name(name));
            output.wrapped_line("  ", &format!("{name}: {}", fault.message));
            let found_by = match (&fault.found_by, &fault.found) {
                (Some(command), Some(time)) => format!("found by {command} at {time}"),
                _ => "found now by names and sizes".to_owned(),
            };
            output.wrapped_line("    ", &format!("{}, {found_by}", fault.path));
        }
    }
    let kbs: BTreeSet<String> = sets.iter().map(|set| set.kb.to_string()).collect();
    let kbs: Vec<String> = kbs.into_iter().collect();
    output.note(format!("  hint: {}", side.advise_repair(kbs.join(" "))));
}

/// Warns of damaged set folders whose files are intact in the pool: DISM would use the damaged copies in the folder.
pub(super) fn warn_of_damaged_folders(plan: &mut Plan, mirror: &Mirror<impl Access>) -> Result<()> {
    let sets: BTreeSet<(Kb, SetFolder)> = plan.steps.iter().filter_map(|step| step.set.clone()).collect();
    for (kb, folder) in sets {
        if mirror.index().is_folder_damaged(kb, &folder)? {
            plan.warnings.push(format!(
                "kb/{kb}/{folder} is damaged: do not use this folder; kbmirror stage copies checked files, and {}",
                mirror.side()?.advise_repair(kb)
            ));
        }
    }
    Ok(())
}
